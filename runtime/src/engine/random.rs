//! Random weights in a model's shape, written as a safetensors file: load, memory and speed are those of the real
//! model, the words are not. For benches and tests on machines that have no weights.

use super::model::tensors::{TensorSpec, tensors};
use super::{EngineError, ModelConfig};
use half::bf16;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Map, json};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Standard deviation of the matrices, as Qwen2's `initializer_range`.
const DEVIATION: f32 = 0.02;

/// Writes a bf16 safetensors file; the same seed writes the same file. `progress` hears of the bytes written
/// and of all bytes.
pub fn write_random_weights(
    config: &ModelConfig,
    seed: u64,
    path: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<(), EngineError> {
    let io = |source| EngineError::Io {
        path: path.to_owned(),
        source,
    };
    let weights = tensors(config);
    let total: usize = weights.iter().map(|weight| 2 * weight.len()).sum();
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).map_err(io)?);
    let header = header(&weights);
    file.write_all(&(header.len() as u64).to_le_bytes())
        .map_err(io)?;
    file.write_all(&header).map_err(io)?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut written = 0;
    for weight in &weights {
        // Norms are near 1, everything else near 0.
        let middle = if weight.is_norm() { 1.0 } else { 0.0 };
        let mut left = weight.len();
        while left > 0 {
            let count = left.min(1 << 20);
            file.write_all(&values(&mut random, count, middle))
                .map_err(io)?;
            left -= count;
            written += 2 * count as u64;
            progress(written, total as u64);
        }
    }
    file.flush().map_err(io)
}

/// `count` bf16 values, uniform with the deviation wanted.
fn values(random: &mut ChaCha8Rng, count: usize, middle: f32) -> Vec<u8> {
    let width = DEVIATION * 12f32.sqrt();
    let mut bits = vec![0u8; 2 * count];
    random.fill_bytes(&mut bits);
    for value in bits.chunks_exact_mut(2) {
        let uniform = f32::from(u16::from_le_bytes([value[0], value[1]])) / 65536.0 - 0.5;
        value.copy_from_slice(&bf16::from_f32(uniform * width + middle).to_le_bytes());
    }
    bits
}

/// The format's header: JSON, padded with spaces to whole words of 8 bytes.
fn header(weights: &[TensorSpec]) -> Vec<u8> {
    let mut entries = Map::new();
    let mut start = 0;
    for weight in weights {
        let end = start + 2 * weight.len();
        let entry = json!({"dtype": "BF16", "shape": weight.shape, "data_offsets": [start, end]});
        entries.insert(weight.name.clone(), entry);
        start = end;
    }
    let mut bytes = serde_json::Value::Object(entries).to_string().into_bytes();
    bytes.resize(bytes.len().next_multiple_of(8), b' ');
    bytes
}
