//! Damaged model files under a bound on memory: every mutation is a model or an error, never a crash and never an
//! allocation out of proportion. The bound is the system's own, on a child process, so that no allocation escapes it.
#![cfg(target_os = "linux")]

mod engine_support;

use std::path::Path;
use std::process::Command;

use candle_core::quantized::gguf_file::{self, Value as Meta};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use candle_signature::engine::{Engine, EngineOptions, GenerateRequest, Model, TokenId};
use engine_support::{byte_tokenizer_json, random_config, random_weights, write_model};
use futures::executor::block_on;

/// Address space of the child: its program, threads and the small models, and no gigabyte beside them.
const BOUND_KB: u64 = 1_500_000;
const CHILD: &str = "FUZZ_UNDER_A_BOUND";
const MUTATIONS: u64 = 1500;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 20
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// Numbers that break sums and products.
const EXTREMES: [u64; 10] = [
    0,
    1,
    7,
    0x7fff_ffff,
    0xffff_ffff,
    0x1_0000_0000,
    1 << 40,
    i64::MAX as u64,
    u64::MAX - 31,
    u64::MAX,
];

/// Damages a file mostly in its first `header` bytes: counts, lengths, offsets, types and names are there.
fn damage(bytes: &[u8], header: usize, random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(3) {
        let within = match random.below(10) {
            0 => bytes.len(),
            _ => header.min(bytes.len()),
        };
        let at = random.below(within);
        match random.below(7) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            2 if at < bytes.len() => bytes[at] = random.next() as u8,
            3 => {
                bytes.splice(at..at, [random.next() as u8; 3]);
            }
            4 => {
                let end = (at + 1 + random.below(40)).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => {
                let value = EXTREMES[random.below(EXTREMES.len())].to_le_bytes();
                let width = [4, 8][random.below(2)];
                for (place, value) in bytes.iter_mut().skip(at).zip(&value[..width]) {
                    *place = *value;
                }
            }
        }
    }
    bytes
}

/// Replaces one number of a JSON header by an extreme one.
fn damage_a_number(header: &str, random: &mut Random) -> String {
    let digits: Vec<usize> = header
        .char_indices()
        .filter(|(_, char)| char.is_ascii_digit())
        .map(|(at, _)| at)
        .collect();
    let at = digits[random.below(digits.len())];
    let end = header[at..].find(|char: char| !char.is_ascii_digit());
    let end = end.map_or(header.len(), |length| at + length);
    let value = EXTREMES[random.below(EXTREMES.len())];
    format!("{}{value}{}", &header[..at], &header[end..])
}

fn gguf() -> Vec<u8> {
    let mut config = random_config();
    config["hidden_size"] = 64.into();
    config["num_attention_heads"] = 4.into();
    config["intermediate_size"] = 64.into();
    let size = |key: &str| Meta::U32(config[key].as_u64().unwrap() as u32);
    let metadata = [
        ("general.architecture", Meta::String("qwen2".to_owned())),
        ("qwen2.embedding_length", size("hidden_size")),
        ("qwen2.block_count", size("num_hidden_layers")),
        ("qwen2.feed_forward_length", size("intermediate_size")),
        ("qwen2.attention.head_count", size("num_attention_heads")),
        ("qwen2.attention.head_count_kv", size("num_key_value_heads")),
        ("qwen2.attention.layer_norm_rms_epsilon", Meta::F32(1e-6)),
        ("qwen2.rope.freq_base", Meta::F32(10000.0)),
        ("qwen2.context_length", size("max_position_embeddings")),
        (
            "tokenizer.ggml.tokens",
            Meta::Array(vec![Meta::String("a".to_owned()); 5]),
        ),
    ];
    let tensors: Vec<(String, QTensor)> = random_weights(&config)
        .iter()
        .map(|(name, tensor): (&String, &Tensor)| {
            let dtype = match tensor.rank() {
                1 => GgmlDType::F32,
                _ => GgmlDType::Q8_0,
            };
            (gguf_name(name), QTensor::quantize(tensor, dtype).unwrap())
        })
        .collect();
    let metadata: Vec<_> = metadata.iter().map(|(key, value)| (*key, value)).collect();
    let tensors: Vec<_> = tensors
        .iter()
        .map(|(name, tensor)| (name.as_str(), tensor))
        .collect();
    let mut file = std::io::Cursor::new(Vec::new());
    gguf_file::write(&mut file, &metadata, &tensors).unwrap();
    file.into_inner()
}

fn gguf_name(name: &str) -> String {
    [
        ("model.layers.", "blk."),
        ("self_attn.o_proj", "attn_output"),
        ("self_attn.", "attn_"),
        ("mlp.", "ffn_"),
        ("_proj", ""),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
    ]
    .iter()
    .fold(name.to_owned(), |name, (from, to)| name.replace(from, to))
}

/// A model that loads all the same must run, too: its sizes are bounded by its file, its context by what it claims.
fn run(model: Model) {
    let options = EngineOptions {
        cache_tokens: Some(64),
        ..EngineOptions::default()
    };
    let Ok(engine) = Engine::start(model.into(), options) else {
        return;
    };
    drop(block_on(engine.generate(GenerateRequest::greedy(
        vec![TokenId(1), TokenId(2)],
        2,
    ))));
}

fn fuzz_gguf() -> (usize, usize) {
    let (bytes, tokenizer) = (gguf(), byte_tokenizer_json(290));
    let load = |bytes: &[u8]| Model::from_gguf_bytes(bytes, &tokenizer, &Device::Cpu);
    run(load(&bytes).expect("the file is sound before it is damaged"));
    let mut random = Random(1);
    let (mut sound, mut refused) = (0, 0);
    for _ in 0..MUTATIONS {
        match load(&damage(&bytes, 2500, &mut random)) {
            Ok(model) => {
                sound += 1;
                run(model);
            }
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().is_empty());
            }
        }
    }
    (sound, refused)
}

fn fuzz_safetensors(folder: &Path) -> (usize, usize) {
    let config = random_config();
    write_model(folder, &config, &random_weights(&config));
    let path = folder.join("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&bytes[8..8 + length]).unwrap();
    let mut random = Random(2);
    let (mut sound, mut refused) = (0, 0);
    for at in 0..MUTATIONS {
        let damaged = if at % 2 == 0 {
            damage(&bytes, 8 + length, &mut random)
        } else {
            let header = damage_a_number(header, &mut random);
            let length = header.len() as u64;
            let body = &bytes[8 + header_length(&bytes)..];
            [&length.to_le_bytes(), header.as_bytes(), body].concat()
        };
        std::fs::write(&path, damaged).unwrap();
        match Model::load_dir(folder, &Device::Cpu) {
            Ok(model) => {
                sound += 1;
                run(model);
            }
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().is_empty());
            }
        }
    }
    (sound, refused)
}

fn header_length(bytes: &[u8]) -> usize {
    u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize
}

fn fuzz_config(folder: &Path) -> (usize, usize) {
    let config = random_config();
    write_model(folder, &config, &random_weights(&config));
    let (mut sound, mut refused) = (0, 0);
    let mut random = Random(3);
    for _ in 0..MUTATIONS {
        let damaged = damage_a_number(&config.to_string(), &mut random);
        std::fs::write(folder.join("config.json"), damaged).unwrap();
        match Model::load_dir(folder, &Device::Cpu) {
            Ok(model) => {
                sound += 1;
                run(model);
            }
            Err(_) => refused += 1,
        }
    }
    (sound, refused)
}

/// Runs in a child, where memory is bounded; by itself it has nothing to do.
#[test]
fn under_a_bound() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (what, (sound, refused)) in [
        ("GGUF", fuzz_gguf()),
        ("safetensors", fuzz_safetensors(folder.path())),
        ("config.json", fuzz_config(folder.path())),
    ] {
        println!("{what}: {refused} refused, {sound} still models");
        assert!(refused > sound / 10, "the damage must matter");
    }
    println!("all were survived");
}

#[test]
fn damaged_files_are_errors_and_take_no_memory_out_of_proportion() {
    let program = std::env::current_exe().unwrap();
    let bounded = format!("ulimit -v {BOUND_KB} && exec \"$0\" --exact under_a_bound --nocapture");
    let output = Command::new("sh")
        .args(["-c", &bounded])
        .arg(program)
        .env(CHILD, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && told.contains("all were survived"),
        "{}: {told}\n{complaints}",
        output.status
    );
    println!("{told}");
}
