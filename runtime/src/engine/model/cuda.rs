//! The network on a GPU in the place of the one on the CPU: who loads a model for a GPU gets this.

use super::linear::{Linear, Matrix};
use super::logits::Logits;
use super::qwen2::Qwen2;
use super::row::{Row, check, commit};
use crate::engine::cuda::choice::{Asker, Outcome};
use crate::engine::cuda::{CudaQwen2, Wanted};
use crate::engine::kernels::Cpu;
use crate::engine::{Architecture, EngineError, LoadOptions, ModelConfig, Weights};
use candle_core::{DType, Device, Tensor};
use std::sync::Mutex;
use std::thread::available_parallelism;

impl Qwen2 {
    /// The network on a GPU.
    pub(super) fn load_cuda(
        config: ModelConfig,
        weights: &Weights<'_>,
        options: &LoadOptions,
        device: &Device,
    ) -> Result<Self, EngineError> {
        if config.architecture != Architecture::Qwen2 {
            return Err(EngineError::NotOnGpu {
                found: config.architecture.gguf_name(),
            });
        }
        let nothing = Tensor::zeros((0, config.hidden_size), DType::F32, &Device::Cpu)?;
        Ok(Self {
            cuda: Some(CudaQwen2::load(
                &config,
                weights,
                options.quantization,
                device,
            )?),
            config,
            device: device.clone(),
            // Its threads take in what the GPU has chosen, which is no arithmetic: every processor helps.
            cpu: Cpu::new(options.threads.or_else(|| available_parallelism().ok())),
            embedding: Matrix::Dense(nothing.clone()),
            layers: Vec::new(),
            norm: Vec::new(),
            head: Linear::new(Matrix::Dense(nothing), None),
            frequencies: Vec::new(),
            rooms: Mutex::default(),
        })
    }

    /// The network on a GPU, if that is where it is.
    #[must_use]
    pub fn cuda(&self) -> Option<&CudaQwen2> {
        self.cuda.as_ref()
    }

    /// The wanted logits as a tensor on the GPU.
    pub(super) fn forward_cuda(
        &self,
        cuda: &CudaQwen2,
        rows: &mut [Row<'_>],
        wanted: Wanted<'_>,
    ) -> Result<Tensor, EngineError> {
        check(rows, self.config.vocab_size)?;
        let logits = cuda.run(rows, wanted)?;
        commit(rows);
        let shape = (logits.len(), self.config.vocab_size);
        Ok(Tensor::from_vec(logits.concat(), shape, &self.device)?)
    }

    /// The next token of each row that wants logits, chosen on the GPU. A row may be left for the next pass, with a part of
    /// its tokens run or none.
    pub(in crate::engine) fn forward_choosing(
        &self,
        cuda: &CudaQwen2,
        rows: &mut [Row<'_>],
        asker: &mut impl Asker,
    ) -> Result<Vec<Outcome>, EngineError> {
        check(rows, self.config.vocab_size)?;
        let outcomes = cuda.choose(rows, asker)?;
        for (row, outcome) in rows.iter_mut().zip(&outcomes) {
            row.cache.commit(outcome.run);
        }
        Ok(outcomes)
    }

    /// Logits of as many of each row's last tokens as `tails` says, on the host.
    pub(super) fn forward_into_cuda(
        &self,
        cuda: &CudaQwen2,
        rows: &mut [Row<'_>],
        tails: &[usize],
        logits: &mut Logits,
    ) -> Result<(), EngineError> {
        check(rows, self.config.vocab_size)?;
        logits.begin(rows, tails, |_| None, self.config.vocab_size)?;
        let wanted = match tails {
            [] => Wanted::Last,
            tails => Wanted::Tails(tails),
        };
        logits.fill(cuda.run(rows, wanted)?.into_iter());
        commit(rows);
        Ok(())
    }
}

/// A bit for each id of the vocabulary, set where it stands for a token.
pub(super) fn bits(known: &[bool], vocabulary: usize) -> Vec<u32> {
    let mut bits = vec![0; vocabulary.div_ceil(32)];
    for (id, _) in known.iter().enumerate().filter(|(_, known)| **known) {
        if let Some(word) = bits.get_mut(id / 32) {
            *word |= 1 << (id % 32);
        }
    }
    bits
}
