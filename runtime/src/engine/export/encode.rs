//! f32 values in the number formats of a GGUF file, with the quantization that the kernels use in memory.

use crate::engine::kernels::packed::{Packing, QuantBlock, quantize};
use crate::engine::kernels::simd::Level;
use crate::engine::load::Stored;
use half::{bf16, f16};

/// Appends the values in a format, of which they fill whole blocks. The error is a value that f16 can't hold.
///
/// Formats that nothing here writes are those that a source has already, whose bytes are copied.
pub(super) fn encode(values: &[f32], target: Stored, out: &mut Vec<u8>) -> Result<(), f32> {
    match target {
        Stored::F16 => {
            for value in values {
                let half = f16::from_f32(*value);
                if !half.is_finite() {
                    return Err(*value);
                }
                out.extend(half.to_le_bytes());
            }
        }
        Stored::Bf16 => values
            .iter()
            .for_each(|value| out.extend(bf16::from_f32(*value).to_le_bytes())),
        Stored::Q8_0 => {
            for block in quantized(Packing::Q8, values) {
                out.extend(block.scale.to_le_bytes());
                // Stored plus 128 in memory, signed in the file.
                out.extend(block.values.map(|value| value ^ 0x80));
            }
        }
        Stored::Q4_0 => {
            for block in quantized(Packing::Q4, values) {
                out.extend(block.scale.to_le_bytes());
                let (low, high) = block.values.split_at(16);
                out.extend(low.iter().zip(high).map(|(low, high)| low | high << 4));
            }
        }
        _ => values
            .iter()
            .for_each(|value| out.extend(value.to_le_bytes())),
    }
    Ok(())
}

fn quantized(packing: Packing, values: &[f32]) -> Vec<QuantBlock> {
    let mut blocks = Vec::with_capacity(values.len() / 32);
    quantize(Level::detect(), packing, values.as_chunks().0, &mut blocks);
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_within_the_formats_step() {
        let values: Vec<f32> = (0..256)
            .map(|i| ((i * 37 % 101) as f32 - 50.0) / 25.0)
            .collect();
        for (format, step) in [
            (Stored::F32, 0.0),
            (Stored::F16, 0.001),
            (Stored::Bf16, 0.008),
            (Stored::Q8_0, 0.009),
            (Stored::Q4_0, 0.26),
        ] {
            let (mut bytes, mut back) = (Vec::new(), Vec::new());
            encode(&values, format, &mut bytes).unwrap();
            let (count, size) = format.block();
            assert_eq!(bytes.len(), values.len() / count * size);
            format.append_f32(&bytes, &mut back);
            let pairs = values.iter().zip(&back);
            let most = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(most <= step, "{format:?}: {most}");
        }
        assert_eq!(encode(&[1e6], Stored::F16, &mut Vec::new()), Err(1e6));
    }
}
