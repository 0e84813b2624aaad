//! GGUF files (versions 2 and 3): a reader over bytes that trusts no length, count or offset in them.
//! Gives the weights under their Hugging Face names and the model's shape out of the metadata.

use super::{Bytes, Entry, Stored, Weights, map};
use crate::engine::EngineError;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::path::Path;

/// Arrays of arrays deeper than this are no sound file's.
const MAX_DEPTH: usize = 4;

/// The weights of a GGUF file and its metadata.
pub(crate) struct Gguf<'a> {
    pub weights: Weights<'a>,
    /// The scalars.
    pub metadata: Map<String, Value>,
    /// Where the arrays begin, each with the type of its values: they are large, and read only when asked for.
    arrays: HashMap<String, usize>,
}

impl Gguf<'_> {
    /// An array of the metadata; none if there is none of that name.
    pub(crate) fn array(&self, key: &str) -> Result<Option<Vec<Value>>, EngineError> {
        let Some(at) = self.arrays.get(key) else {
            return Ok(None);
        };
        let mut cursor = Cursor {
            bytes: &self.weights.files[0],
            at: *at,
        };
        let values = cursor.array_values();
        values.map(Some).map_err(|problem| EngineError::Gguf {
            place: self.weights.place.clone(),
            problem,
            offset: cursor.at,
        })
    }
}

/// Maps and reads a file.
pub(crate) fn open(path: &Path) -> Result<Gguf<'static>, EngineError> {
    read(Bytes::Mapped(map(path)?), format!("`{}`", path.display()))
}

/// Reads a file that is already in memory. `place` names it in errors.
pub(crate) fn from_bytes<'a>(bytes: &'a [u8], place: &str) -> Result<Gguf<'a>, EngineError> {
    read(Bytes::Borrowed(bytes), place.to_owned())
}

fn read(bytes: Bytes<'_>, place: String) -> Result<Gguf<'_>, EngineError> {
    let mut cursor = Cursor {
        bytes: &bytes,
        at: 0,
    };
    let (metadata, arrays, index) = header(&mut cursor).map_err(|problem| EngineError::Gguf {
        place: place.clone(),
        problem,
        offset: cursor.at,
    })?;
    Ok(Gguf {
        weights: Weights {
            place,
            files: vec![bytes],
            index,
        },
        metadata,
        arrays,
    })
}

type Header = (
    Map<String, Value>,
    HashMap<String, usize>,
    HashMap<String, Entry>,
);

fn header(cursor: &mut Cursor<'_>) -> Result<Header, String> {
    if cursor.take(4)? != b"GGUF" {
        return Err("it does not begin with `GGUF`".to_owned());
    }
    let version = cursor.u32()?;
    if !(2..=3).contains(&version) {
        return Err(format!(
            "version {version} is not supported, only 2 and 3 are; convert the model again"
        ));
    }
    let tensors = cursor.u64()?;
    let keys = cursor.u64()?;
    let (mut metadata, mut arrays) = (Map::new(), HashMap::new());
    for _ in 0..keys {
        let key = cursor.string()?.to_owned();
        let kind = cursor.u32()?;
        let at = cursor.at;
        match cursor.value(kind, 0)? {
            Some(value) => drop(metadata.insert(key, value)),
            None => drop(arrays.insert(key, at)),
        }
    }
    let mut entries = Vec::new();
    for _ in 0..tensors {
        entries.push(cursor.tensor_info()?);
    }
    let alignment = match metadata.get("general.alignment") {
        None => 32,
        Some(value) => value
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| n.is_power_of_two() && *n <= 1 << 20)
            .ok_or_else(|| {
                format!("general.alignment is {value}; it must be a power of two up to 2^20")
            })?,
    };
    let data = cursor.at.next_multiple_of(alignment);
    let mut index = HashMap::new();
    for (name, mut entry) in entries {
        let end = data
            .checked_add(entry.range.end)
            .filter(|end| *end <= cursor.bytes.len());
        let Some(end) = end else {
            return Err(format!(
                "tensor `{name}` reaches beyond the end of the file; it is truncated"
            ));
        };
        entry.range = data + entry.range.start..end;
        let name = hugging_face_name(name);
        if index.insert(name.clone(), entry).is_some() {
            return Err(format!("tensor `{name}` occurs twice"));
        }
    }
    Ok((metadata, arrays, index))
}

/// A position in bytes; every read is checked against what is left.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let end = self
            .at
            .checked_add(count)
            .filter(|end| *end <= self.bytes.len());
        let Some(end) = end else {
            return Err(format!(
                "{count} more bytes are expected, {} are left",
                self.bytes.len() - self.at
            ));
        };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, String> {
        self.array().map(u64::from_le_bytes)
    }

    fn size(&mut self) -> Result<usize, String> {
        let n = self.u64()?;
        usize::try_from(n).map_err(|_| format!("{n} is larger than this machine's memory"))
    }

    fn string(&mut self) -> Result<&'a str, String> {
        let length = self.size()?;
        std::str::from_utf8(self.take(length)?).map_err(|e| format!("a string is not UTF-8: {e}"))
    }

    /// The values of an array of scalars. Its length was walked over once, when the header was read.
    fn array_values(&mut self) -> Result<Vec<Value>, String> {
        let kind = self.u32()?;
        let count = self.u64()?;
        let mut values = Vec::new();
        for _ in 0..count {
            values.extend(self.value(kind, 1)?);
        }
        Ok(values)
    }

    /// One metadata value. Arrays are walked and dropped.
    fn value(&mut self, kind: u32, depth: usize) -> Result<Option<Value>, String> {
        Ok(Some(match kind {
            0 => self.array::<1>()?[0].into(),
            1 => i8::from_le_bytes(self.array()?).into(),
            2 => u16::from_le_bytes(self.array()?).into(),
            3 => i16::from_le_bytes(self.array()?).into(),
            4 => self.u32()?.into(),
            5 => i32::from_le_bytes(self.array()?).into(),
            6 => shortest_f64(f32::from_le_bytes(self.array()?)).into(),
            7 => (self.array::<1>()?[0] != 0).into(),
            8 => self.string()?.into(),
            9 => {
                let kind = self.u32()?;
                let count = self.u64()?;
                if depth == MAX_DEPTH {
                    return Err("metadata arrays are nested too deeply".to_owned());
                }
                for _ in 0..count {
                    self.value(kind, depth + 1)?;
                }
                return Ok(None);
            }
            10 => self.u64()?.into(),
            11 => i64::from_le_bytes(self.array()?).into(),
            12 => f64::from_le_bytes(self.array()?).into(),
            other => return Err(format!("metadata type {other} is unknown")),
        }))
    }

    /// A tensor's name and entry; the range still counts from the start of the data.
    fn tensor_info(&mut self) -> Result<(&'a str, Entry), String> {
        let name = self.string()?;
        let rank = self.u32()?;
        if !(1..=4).contains(&rank) {
            return Err(format!(
                "tensor `{name}` has {rank} dimensions; 1 to 4 are possible"
            ));
        }
        let mut shape = (0..rank)
            .map(|_| self.size())
            .collect::<Result<Vec<_>, _>>()?;
        let stored = Stored::from_ggml(self.u32()?);
        let start = self.size()?;
        let length = match &stored {
            Ok(stored) => {
                let (values, bytes) = stored.block();
                if !shape[0].is_multiple_of(values) {
                    return Err(format!(
                        "tensor `{name}` has rows of {} values, {stored:?} needs a multiple of {values}",
                        shape[0]
                    ));
                }
                let count = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
                count.and_then(|n| (n / values).checked_mul(bytes))
            }
            // Reading it is refused by name later; a file may hold tensors nobody asks for.
            Err(_) => Some(0),
        };
        let end = length
            .and_then(|length| start.checked_add(length))
            .ok_or_else(|| format!("tensor `{name}` is larger than this machine's memory"))?;
        // GGUF lists the fastest dimension first.
        shape.reverse();
        let entry = Entry {
            file: 0,
            stored,
            shape,
            range: start..end,
        };
        Ok((name, entry))
    }
}

/// The f64 that prints like the f32: 1e-6 stays 1e-6.
fn shortest_f64(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

/// `blk.3.attn_q.weight` is `model.layers.3.self_attn.q_proj.weight`. Unknown names stay as they are.
fn hugging_face_name(name: &str) -> String {
    if let Some((_, hugging_face)) = OUTER.iter().find(|(gguf, _)| *gguf == name) {
        return (*hugging_face).to_owned();
    }
    let mut parts = name.splitn(4, '.');
    let (Some("blk"), Some(layer), Some(module), Some(kind)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return name.to_owned();
    };
    match MODULES.iter().find(|(gguf, _)| *gguf == module) {
        Some((_, module)) => format!("model.layers.{layer}.{module}.{kind}"),
        None => name.to_owned(),
    }
}

/// The same the other way round.
pub(crate) fn gguf_name(name: &str) -> String {
    if let Some((gguf, _)) = OUTER.iter().find(|(_, hugging_face)| *hugging_face == name) {
        return (*gguf).to_owned();
    }
    let parts = name.strip_prefix("model.layers.").and_then(|rest| {
        let (layer, rest) = rest.split_once('.')?;
        let (module, kind) = rest.rsplit_once('.')?;
        let (gguf, _) = MODULES.iter().find(|(_, known)| *known == module)?;
        Some(format!("blk.{layer}.{gguf}.{kind}"))
    });
    parts.unwrap_or_else(|| name.to_owned())
}

const OUTER: [(&str, &str); 3] = [
    ("token_embd.weight", "model.embed_tokens.weight"),
    ("output_norm.weight", "model.norm.weight"),
    ("output.weight", "lm_head.weight"),
];

/// A layer's modules in GGUF and in Hugging Face's names.
const MODULES: [(&str, &str); 11] = [
    ("attn_norm", "input_layernorm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_q_norm", "self_attn.q_norm"),
    ("attn_k_norm", "self_attn.k_norm"),
    ("attn_output", "self_attn.o_proj"),
    ("ffn_norm", "post_attention_layernorm"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
];
