//! GPT-2's alphabet: byte-level BPE writes each byte as one printable character.

use std::collections::HashMap;

/// The way back from characters to bytes.
pub(super) struct ByteChars {
    bytes: HashMap<char, u8>,
}

impl ByteChars {
    /// Printable Latin-1 stands for itself, the rest follows from U+0100 on (`bytes_to_unicode` in GPT-2's encoder.py).
    pub(super) fn new() -> Self {
        let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
        let mut next = 0x100u32;
        let bytes = (0..=u8::MAX)
            .filter_map(|byte| {
                let code = if printable(byte) {
                    u32::from(byte)
                } else {
                    next += 1;
                    next - 1
                };
                char::from_u32(code).map(|char| (char, byte))
            })
            .collect();
        Self { bytes }
    }

    /// The bytes a token's text stands for; the text itself where it is not in this alphabet.
    pub(super) fn bytes(&self, token: &str) -> Vec<u8> {
        token
            .chars()
            .map(|char| self.bytes.get(&char).copied())
            .collect::<Option<_>>()
            .unwrap_or_else(|| token.as_bytes().to_vec())
    }
}
