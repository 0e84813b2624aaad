//! The number formats weights are stored in, and each one's way to f32.
//! Block layouts are ggml's (`ggml-common.h`, `ggml-quants.c`); the reader is plain and exact, speed is not its job.

use half::{bf16, f16};

/// A number format of a stored tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    F32,
    F16,
    Bf16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q4K,
    Q5K,
    Q6K,
}

impl Stored {
    pub(crate) const SUPPORTED: &'static str =
        "F32, F16, BF16 (safetensors, GGUF), Q8_0, Q6_K, Q5_K, Q5_1, Q5_0, Q4_K, Q4_1, Q4_0 (GGUF)";

    /// The format by its number in a GGUF file.
    pub(crate) fn from_ggml(number: u32) -> Result<Self, String> {
        const ALL: [Stored; 11] = [
            Stored::F32,
            Stored::F16,
            Stored::Bf16,
            Stored::Q4_0,
            Stored::Q4_1,
            Stored::Q5_0,
            Stored::Q5_1,
            Stored::Q8_0,
            Stored::Q4K,
            Stored::Q5K,
            Stored::Q6K,
        ];
        ALL.into_iter()
            .find(|stored| stored.ggml() == number)
            .ok_or_else(|| format!("ggml type {number}"))
    }

    /// Its number in a GGUF file.
    pub(crate) fn ggml(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q4_0 => 2,
            Self::Q4_1 => 3,
            Self::Q5_0 => 6,
            Self::Q5_1 => 7,
            Self::Q8_0 => 8,
            Self::Q4K => 12,
            Self::Q5K => 13,
            Self::Q6K => 14,
            Self::Bf16 => 30,
        }
    }

    /// Values in a block and bytes it takes.
    pub(crate) fn block(self) -> (usize, usize) {
        match self {
            Self::F32 => (1, 4),
            Self::F16 | Self::Bf16 => (1, 2),
            Self::Q4_0 => (32, 18),
            Self::Q4_1 => (32, 20),
            Self::Q5_0 => (32, 22),
            Self::Q5_1 => (32, 24),
            Self::Q8_0 => (32, 34),
            Self::Q4K => (256, 144),
            Self::Q5K => (256, 176),
            Self::Q6K => (256, 210),
        }
    }

    /// Appends the values that `bytes`, whole blocks, stand for.
    pub(crate) fn append_f32(self, bytes: &[u8], out: &mut Vec<f32>) {
        let blocks = bytes.chunks_exact(self.block().1);
        match self {
            Self::F32 => out.extend(blocks.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))),
            Self::F16 => out.extend(blocks.map(|b| half(b, 0))),
            Self::Bf16 => out.extend(blocks.map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f32())),
            Self::Q4_0 => blocks.for_each(|b| {
                let d = half(b, 0);
                nibbles(&b[2..18], |q| d * (f32::from(q) - 8.0), out);
            }),
            Self::Q4_1 => blocks.for_each(|b| {
                let (d, m) = (half(b, 0), half(b, 2));
                nibbles(&b[4..20], |q| d * f32::from(q) + m, out);
            }),
            Self::Q5_0 => blocks.for_each(|b| {
                let d = half(b, 0);
                five_bits(&b[2..22], |q| d * (f32::from(q) - 16.0), out);
            }),
            Self::Q5_1 => blocks.for_each(|b| {
                let (d, m) = (half(b, 0), half(b, 2));
                five_bits(&b[4..24], |q| d * f32::from(q) + m, out);
            }),
            Self::Q8_0 => blocks.for_each(|b| {
                let d = half(b, 0);
                out.extend(b[2..].iter().map(|q| d * f32::from(*q as i8)));
            }),
            Self::Q4K => blocks.for_each(|b| q4k(b, out)),
            Self::Q5K => blocks.for_each(|b| q5k(b, out)),
            Self::Q6K => blocks.for_each(|b| q6k(b, out)),
        }
    }
}

fn half(bytes: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([bytes[at], bytes[at + 1]]).to_f32()
}

/// 16 bytes: the low nibbles are values 0 to 15, the high ones 16 to 31.
fn nibbles(bytes: &[u8], value: impl Fn(u8) -> f32, out: &mut Vec<f32>) {
    out.extend(bytes.iter().map(|b| value(b & 15)));
    out.extend(bytes.iter().map(|b| value(b >> 4)));
}

/// 4 bytes of fifth bits, then nibbles as above.
fn five_bits(bytes: &[u8], value: impl Fn(u8) -> f32, out: &mut Vec<f32>) {
    let fifth = |i: usize| (bytes[i / 8] >> (i % 8) & 1) << 4;
    let nibbles = &bytes[4..];
    out.extend(
        nibbles
            .iter()
            .enumerate()
            .map(|(i, b)| value(b & 15 | fifth(i))),
    );
    out.extend(
        nibbles
            .iter()
            .enumerate()
            .map(|(i, b)| value(b >> 4 | fifth(i + 16))),
    );
}

/// The six-bit scale and minimum of sub-block `j` of 8, packed into 12 bytes.
fn scale_and_min(j: usize, packed: &[u8]) -> (f32, f32) {
    let (scale, min) = if j < 4 {
        (packed[j] & 63, packed[j + 4] & 63)
    } else {
        (
            packed[j + 4] & 15 | packed[j - 4] >> 6 << 4,
            packed[j + 4] >> 4 | packed[j] >> 6 << 4,
        )
    };
    (f32::from(scale), f32::from(min))
}

fn q4k(b: &[u8], out: &mut Vec<f32>) {
    let (d, dmin, scales) = (half(b, 0), half(b, 2), &b[4..16]);
    for (j, quants) in b[16..144].chunks_exact(32).enumerate() {
        let (scale, min) = scale_and_min(2 * j, scales);
        out.extend(
            quants
                .iter()
                .map(|q| d * scale * f32::from(q & 15) - dmin * min),
        );
        let (scale, min) = scale_and_min(2 * j + 1, scales);
        out.extend(
            quants
                .iter()
                .map(|q| d * scale * f32::from(q >> 4) - dmin * min),
        );
    }
}

fn q5k(b: &[u8], out: &mut Vec<f32>) {
    let (d, dmin, scales, fifths) = (half(b, 0), half(b, 2), &b[4..16], &b[16..48]);
    for (j, quants) in b[48..176].chunks_exact(32).enumerate() {
        let fifth = |l: usize, bit: usize| (fifths[l] >> bit & 1) << 4;
        let (scale, min) = scale_and_min(2 * j, scales);
        let low = quants
            .iter()
            .enumerate()
            .map(|(l, q)| q & 15 | fifth(l, 2 * j));
        out.extend(low.map(|q| d * scale * f32::from(q) - dmin * min));
        let (scale, min) = scale_and_min(2 * j + 1, scales);
        let high = quants
            .iter()
            .enumerate()
            .map(|(l, q)| q >> 4 | fifth(l, 2 * j + 1));
        out.extend(high.map(|q| d * scale * f32::from(q) - dmin * min));
    }
}

fn q6k(b: &[u8], out: &mut Vec<f32>) {
    let d = half(b, 208);
    for half_block in 0..2 {
        let low = &b[64 * half_block..];
        let high = &b[128 + 32 * half_block..];
        let scales = &b[192 + 8 * half_block..];
        for quarter in 0..4 {
            out.extend((0..32).map(|l| {
                let nibble = low[l + 32 * (quarter % 2)] >> (4 * (quarter / 2)) & 15;
                let q = nibble | (high[l] >> (2 * quarter) & 3) << 4;
                let scale = scales[l / 16 + 2 * quarter] as i8;
                d * f32::from(scale) * (f32::from(q) - 32.0)
            }));
        }
    }
}
