//! A GGUF file's head (version 3, `ggml/docs/gguf.md`): counts, metadata, and where each tensor lies.

use crate::engine::load::{Stored, gguf::gguf_name};
use crate::engine::model::tensors::TensorSpec;
use std::io::{self, Write};

/// Tensors begin at multiples of this many bytes.
pub(super) const ALIGNMENT: u64 = 32;

/// A metadata value.
pub(super) enum Meta {
    U32(u32),
    F32(f32),
    Bool(bool),
    Text(String),
    Texts(Vec<String>),
    I32s(Vec<i32>),
}

pub(super) struct Header {
    metadata: Vec<(String, Meta)>,
    /// Encoded.
    infos: Vec<u8>,
    tensors: u64,
    /// Where the next tensor begins, counted from the first.
    offset: u64,
}

impl Header {
    pub(super) fn new(metadata: Vec<(String, Meta)>) -> Self {
        Header {
            metadata,
            infos: Vec::new(),
            tensors: 0,
            offset: 0,
        }
    }

    /// The next tensor. Its row must be of whole blocks.
    pub(super) fn add(&mut self, spec: &TensorSpec, format: Stored) {
        let (values, bytes) = format.block();
        text(&mut self.infos, &gguf_name(&spec.name));
        self.infos.extend((spec.shape.len() as u32).to_le_bytes());
        // The fastest dimension first.
        for size in spec.shape.iter().rev() {
            self.infos.extend((*size as u64).to_le_bytes());
        }
        self.infos.extend(format.ggml().to_le_bytes());
        self.infos.extend(self.offset.to_le_bytes());
        self.tensors += 1;
        self.offset += ((spec.len() / values * bytes) as u64).next_multiple_of(ALIGNMENT);
    }

    /// Writes it, aligned for the first tensor; the bytes written.
    pub(super) fn write(&self, writer: &mut impl Write) -> io::Result<u64> {
        let mut head = b"GGUF".to_vec();
        head.extend(3u32.to_le_bytes());
        head.extend(self.tensors.to_le_bytes());
        head.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, value) in &self.metadata {
            text(&mut head, key);
            entry(&mut head, value);
        }
        head.extend(&self.infos);
        head.resize(head.len().next_multiple_of(ALIGNMENT as usize), 0);
        writer.write_all(&head)?;
        Ok(head.len() as u64)
    }
}

fn entry(out: &mut Vec<u8>, value: &Meta) {
    const U32: u32 = 4;
    const I32: u32 = 5;
    const F32: u32 = 6;
    const BOOL: u32 = 7;
    const TEXT: u32 = 8;
    const ARRAY: u32 = 9;
    let kind = |out: &mut Vec<u8>, kind: u32| out.extend(kind.to_le_bytes());
    match value {
        Meta::U32(value) => {
            kind(out, U32);
            out.extend(value.to_le_bytes());
        }
        Meta::F32(value) => {
            kind(out, F32);
            out.extend(value.to_le_bytes());
        }
        Meta::Bool(value) => {
            kind(out, BOOL);
            out.push(u8::from(*value));
        }
        Meta::Text(value) => {
            kind(out, TEXT);
            text(out, value);
        }
        Meta::Texts(values) => {
            kind(out, ARRAY);
            kind(out, TEXT);
            out.extend((values.len() as u64).to_le_bytes());
            values.iter().for_each(|value| text(out, value));
        }
        Meta::I32s(values) => {
            kind(out, ARRAY);
            kind(out, I32);
            out.extend((values.len() as u64).to_le_bytes());
            values
                .iter()
                .for_each(|value| out.extend(value.to_le_bytes()));
        }
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}
