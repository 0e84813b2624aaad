//! The network on a GPU in the place of the one on the CPU: who loads a model for a GPU gets this.

use super::linear::{Linear, Matrix};
use super::qwen2::Qwen2;
use super::row::{Row, check, commit};
use crate::engine::cuda::choice::{Asker, Outcome};
use crate::engine::cuda::{CudaQwen2, Wanted};
use crate::engine::kernels::Cpu;
use crate::engine::{Architecture, EngineError, LoadOptions, ModelConfig, TokenId, Weights};
use candle_core::{DType, Device, Tensor};
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
            norm: nothing.clone(),
            head: Linear::new(Matrix::Dense(nothing), None),
            frequencies: Vec::new(),
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

    /// Logits on the host, all but the wanted ones minus infinity.
    pub(super) fn forward_for_cuda(
        &self,
        cuda: &CudaQwen2,
        rows: &mut [Row<'_>],
        mut wanted: impl FnMut(usize) -> Option<Vec<TokenId>>,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        check(rows, self.config.vocab_size)?;
        let mut logits = cuda.run(rows, Wanted::Last)?;
        let wanting = (0..rows.len()).filter(|row| rows[*row].logits);
        for (row, logits) in wanting.zip(&mut logits) {
            if let Some(few) = wanted(row).filter(|few| !few.is_empty()) {
                let all = std::mem::replace(logits, vec![f32::NEG_INFINITY; logits.len()]);
                few.iter()
                    .for_each(|id| logits[id.0 as usize] = all[id.0 as usize]);
            }
        }
        commit(rows);
        Ok(logits)
    }

    /// Logits of several last tokens of each row, on the host.
    pub(super) fn forward_tails_cuda(
        &self,
        cuda: &CudaQwen2,
        rows: &mut [Row<'_>],
        tails: &[usize],
    ) -> Result<Vec<Vec<Vec<f32>>>, EngineError> {
        check(rows, self.config.vocab_size)?;
        let mut logits = cuda.run(rows, Wanted::Tails(tails))?.into_iter();
        let wanting = rows.iter().zip(tails).filter(|(row, _)| row.logits);
        let of_rows = wanting
            .map(|(row, tail)| {
                let count = (*tail).clamp(1, row.tokens.len());
                logits.by_ref().take(count).collect()
            })
            .collect();
        commit(rows);
        Ok(of_rows)
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
