//! The decode step of one sequence as one persistent launch, `decode.cu`, captured as a graph: a replay is a token. Token,
//! position and block table stay on the GPU; the greedy token does too, until it is asked for.

use super::gpu::{Buffer, Gpu, failed};
use super::transfer::Graph;
use super::weights::{Bits, CudaMatrix, CudaWeights};
use crate::engine::kernels::attention::BLOCK;
use crate::engine::{EngineError, ModelConfig};
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, DeviceRepr, LaunchConfig, PushKernelArg, sys,
};
use candle_core::cuda_backend::cudarc::nvrtc::Ptx;

/// A shape that has kernels.
pub(super) struct Kernel {
    /// Hidden size, MLP size, heads, key heads, head width.
    shape: [usize; 5],
    /// For weights of 16 bits, and of 8.
    names: [&'static str; 2],
}

const KERNELS: &[Kernel] = &[Kernel {
    shape: [896, 4864, 14, 2, 64],
    names: ["decode_896_4864_14_2_64", "decode8_896_4864_14_2_64"],
}];

/// These agree with `decode.cu`.
const THREADS: u32 = 544;
const ROWS: usize = 16;
const MOST_SPLITS: usize = 9;
const MOST_LAYERS: usize = 64;
const MOST_QKV_ROWS: usize = 16;
const MOST_HIDDEN_ROWS: usize = 8;
const MOST_MLP_ROWS: usize = 96;
const RING_BYTES: usize = 174 * 1024;

/// Clock cycles for each 1,024 bytes that a block asks for: what measured best on an H100 and on an H200, whose memory is
/// faster. In 8 bits a layer is bound by what blocks tell each other.
const PACE_H100: u32 = 120;
const PACE_H200: u32 = 100;
const PACE_EIGHT: u32 = 200;
/// Bytes a second, as the device has it, from which memory counts as an H200's.
const FAST_MEMORY: f64 = 4e12;

/// Tokens that the GPU notes down before they must be fetched.
const MOST_TOKENS: usize = 1024;

/// Places in `State`.
const TOKEN: usize = 0;
const TAG: usize = 2;
const CHOSEN: usize = 6;
const STATE_WORDS: usize = 8;

/// `Step` of `decode.cu`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct Arguments {
    layers: u64,
    memory: u64,
    embedding: u64,
    head: [u64; 2],
    norm: u64,
    rotary: u64,
    table: u64,
    state: u64,
    words: u64,
    logits: u64,
    tokens: u64,
    most_tokens: u32,
    layer_count: i32,
    vocabulary: i32,
    epsilon: f32,
    pace: u32,
    unused: u32,
}

// SAFETY: plain words in the order and with the sizes of the kernel's structure.
unsafe impl DeviceRepr for Arguments {}

/// What the decode step needs on the GPU.
#[derive(Debug)]
pub(super) struct Step {
    function: CudaFunction,
    config: LaunchConfig,
    arguments: Arguments,
    graph: Option<Graph>,
    memory: Buffer<u64>,
    table: Buffer<u32>,
    state: Buffer<u32>,
    /// Of the last step, `[vocab_size]`.
    pub logits: Buffer<f32>,
    tokens: Buffer<u32>,
    /// What `memory` and `table` hold.
    known_memory: Vec<[u64; 2]>,
    known_table: Vec<u32>,
    /// Only the kernel reads these.
    _layers: Buffer<u64>,
    _words: Buffer<u64>,
}

impl Kernel {
    /// None where the device or the shape has no such kernel.
    pub(super) fn find(
        gpu: &Gpu,
        config: &ModelConfig,
    ) -> Result<Option<&'static Self>, EngineError> {
        let shape = [
            config.hidden_size,
            config.intermediate_size,
            config.heads,
            config.kv_heads,
            config.head_dim,
        ];
        let asked = failed("asking for the device's properties");
        let (major, _) = gpu.stream.context().compute_capability().map_err(asked)?;
        let grid = gpu.multiprocessors;
        let qkv_rows = (config.heads + 2 * config.kv_heads) * config.head_dim;
        let fits = config.hidden_size.div_ceil(grid) <= MOST_HIDDEN_ROWS
            && qkv_rows.div_ceil(grid) <= MOST_QKV_ROWS
            && 2 * config.intermediate_size.div_ceil(grid) <= MOST_MLP_ROWS
            && config.layers <= MOST_LAYERS
            // Rows times blocks are 32 bits wide in the kernel.
            && (config.vocab_size.max(2 * config.intermediate_size) as u64) * (grid as u64 + 1) < 1 << 32;
        let kernel = KERNELS.iter().find(|kernel| kernel.shape == shape);
        Ok(kernel.filter(|_| major >= 9 && fits))
    }
}

/// How fast the blocks of a device may ask for weights.
fn pace(gpu: &Gpu, bits: Bits) -> Result<u32, EngineError> {
    use sys::CUdevice_attribute::{
        CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH as BITS,
        CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE as KILOHERTZ,
    };
    if bits == Bits::Eight {
        return Ok(PACE_EIGHT);
    }
    let context = gpu.stream.context();
    let asked = failed("asking for the device's properties");
    let [width, clock] = [BITS, KILOHERTZ].map(|what| context.attribute(what).map_err(&asked));
    let speed = 2.0 * f64::from(width?) / 8.0 * f64::from(clock?) * 1e3;
    Ok(if speed < FAST_MEMORY {
        PACE_H100
    } else {
        PACE_H200
    })
}

impl Step {
    pub(super) fn new(
        gpu: &Gpu,
        config: &ModelConfig,
        weights: &CudaWeights,
        kernel: &Kernel,
    ) -> Result<Self, EngineError> {
        let context = gpu.stream.context();
        let grid = gpu.multiprocessors;
        let (name, bytes) = match weights.bits {
            Bits::Sixteen => (kernel.names[0], 2),
            Bits::Eight => (kernel.names[1], 1),
        };
        let qkv_rows = (config.heads + 2 * config.kv_heads) * config.head_dim;
        let image = include_bytes!(concat!(env!("OUT_DIR"), "/decode.fatbin"));
        let module = context
            .load_module(Ptx::from_binary(image.to_vec()))
            .map_err(failed("loading the decode kernel"))?;
        let function = module
            .load_function(name)
            .map_err(failed("finding the decode kernel"))?;
        let slot = ROWS * (bytes * config.hidden_size + 64);
        let shared = RING_BYTES / slot * slot;
        let most = sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        function
            .set_attribute(most, shared as i32)
            .map_err(failed("reserving shared memory"))?;

        let layers: Vec<u64> = weights
            .layers
            .iter()
            .flat_map(|layer| {
                let matrices = layer.matrices().map(CudaMatrix::step);
                let vectors = [
                    layer.qkv_bias.address,
                    layer.attention_norm.address,
                    layer.mlp_norm.address,
                ];
                matrices.into_iter().flatten().chain(vectors)
            })
            .collect();
        let parts = config.heads * MOST_SPLITS * (config.head_dim + 2);
        let words = qkv_rows + parts + 2 * config.hidden_size + config.intermediate_size / 2;
        let layers = gpu.upload(&layers)?;
        let words = gpu.buffer::<u64>(words * config.layers)?;
        let memory = gpu.buffer::<u64>(2 * config.layers)?;
        let table = gpu.buffer::<u32>(config.max_positions.div_ceil(BLOCK))?;
        let mut state = gpu.buffer::<u32>(STATE_WORDS)?;
        gpu.write(&mut state, TAG, &[1])?;
        let logits = gpu.buffer::<f32>(config.vocab_size)?;
        let tokens = gpu.buffer::<u32>(MOST_TOKENS)?;
        Ok(Self {
            function,
            config: LaunchConfig {
                grid_dim: (grid as u32, 1, 1),
                block_dim: (THREADS, 1, 1),
                shared_mem_bytes: shared as u32,
            },
            arguments: Arguments {
                layers: layers.address,
                memory: memory.address,
                embedding: weights.embedding.address(),
                head: weights.head.step(),
                norm: weights.norm.address,
                rotary: weights.rotary.address,
                table: table.address,
                state: state.address,
                words: words.address,
                logits: logits.address,
                tokens: tokens.address,
                most_tokens: MOST_TOKENS as u32,
                layer_count: config.layers as i32,
                vocabulary: config.vocab_size as i32,
                epsilon: config.rms_norm_eps as f32,
                pace: pace(gpu, weights.bits)?,
                unused: 0,
            },
            graph: None,
            memory,
            table,
            state,
            logits,
            tokens,
            known_memory: Vec::new(),
            known_table: Vec::new(),
            _layers: layers,
            _words: words,
        })
    }

    /// Makes the logits after `token` at `position` of the sequence whose blocks `table` lists.
    pub(super) fn run(
        &mut self,
        gpu: &Gpu,
        token: u32,
        position: u32,
        table: &[u32],
        memory: &[[u64; 2]],
    ) -> Result<(), EngineError> {
        self.start(gpu, token, position, table, memory)?;
        self.replay(gpu)
    }

    /// The step after the last one: the GPU has its token and its position.
    pub(super) fn again(&mut self, gpu: &Gpu) -> Result<(), EngineError> {
        self.replay(gpu)
    }

    /// Where the next step's token is read.
    pub(super) fn token(&self) -> u64 {
        self.state.address + (TOKEN * size_of::<u32>()) as u64
    }

    /// Blocks of a sequence that there is room for.
    pub(super) fn most_blocks(&self) -> usize {
        self.table.slice.len()
    }

    /// The `count` greedy tokens that follow `token`, by replays of the graph or by launches.
    pub(super) fn greedy(
        &mut self,
        gpu: &Gpu,
        (token, position): (u32, u32),
        count: usize,
        (table, memory): (&[u32], &[[u64; 2]]),
        graph: bool,
    ) -> Result<Vec<u32>, EngineError> {
        self.start(gpu, token, position, table, memory)?;
        let mut all = Vec::with_capacity(count);
        while all.len() < count {
            let now = (count - all.len()).min(MOST_TOKENS);
            gpu.write(&mut self.state, CHOSEN, &[0])?;
            for _ in 0..now {
                if graph {
                    self.replay(gpu)?;
                } else {
                    self.launch(gpu)?;
                }
            }
            all.extend(gpu.read(&self.tokens, now)?);
        }
        Ok(all)
    }

    /// Puts a sequence before the kernel.
    fn start(
        &mut self,
        gpu: &Gpu,
        token: u32,
        position: u32,
        table: &[u32],
        memory: &[[u64; 2]],
    ) -> Result<(), EngineError> {
        if self.known_memory != memory {
            gpu.write(&mut self.memory, 0, memory.as_flattened())?;
            self.known_memory = memory.to_vec();
        }
        if self.known_table != table {
            gpu.write(&mut self.table, 0, table)?;
            self.known_table = table.to_vec();
        }
        gpu.write(&mut self.state, TOKEN, &[token, position])
    }

    /// One step by the graph, which is captured when it is first wanted.
    fn replay(&mut self, gpu: &Gpu) -> Result<(), EngineError> {
        if self.graph.is_none() {
            self.graph = gpu.capture(|| self.launch(gpu))?;
        }
        match &self.graph {
            Some(graph) => graph.replay(),
            None => self.launch(gpu),
        }
    }

    fn launch(&self, gpu: &Gpu) -> Result<(), EngineError> {
        let mut launch = gpu.stream.launch_builder(&self.function);
        launch.arg(&self.arguments);
        // SAFETY: the one argument is the kernel's structure, its addresses are those of memory that lives as long as
        // `self` and the weights, and `start` has given it a token of the vocabulary, a position with blocks and turns.
        // Cooperative: all blocks are resident, so that they can wait for one another.
        unsafe { launch.launch_cooperative(self.config) }
            .map(drop)
            .map_err(failed("starting the decode step"))
    }
}
