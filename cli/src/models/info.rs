//! `models info`: what a model's files say.

use candle_signature::adapter::{ModelInfo, ModelPool};
use clap::Args;
use serde_json::{Value as Json, json};

use crate::error::CliError;
use crate::model::ModelsFolder;
use crate::out::Out;
use crate::style::{self, paint};
use crate::units::{bytes, count};

use super::place::{Place, find};

#[derive(Debug, Args)]
pub struct InfoArgs {
    /// `embedded`, a folder, a .gguf file, the name of one in --models, or a model of the hub's cache
    #[arg(default_value = "embedded")]
    model: String,
    #[command(flatten)]
    folder: ModelsFolder,
}

pub fn execute(args: &InfoArgs, out: &mut Out) -> Result<(), CliError> {
    let (info, path) = match find(&args.model, &args.folder.models)? {
        Place::Embedded => (ModelPool::inspect_embedded()?, None),
        Place::Here(path) => (ModelInfo::of_path(&path)?, Some(path)),
    };
    let facts = facts(&info);
    if out.is_json() {
        let mut json = json!({"model": args.model, "path": path});
        for (key, value, _) in facts {
            json[key] = value;
        }
        return out.json(&json);
    }
    if let Some(path) = path {
        fact(out, "path", path.display())?;
    }
    for (key, _, shown) in facts {
        fact(out, &key.replace('_', " "), shown)?;
    }
    Ok(())
}

fn fact(out: &mut Out, name: &str, value: impl std::fmt::Display) -> Result<(), CliError> {
    out.line(format!(
        "{} {value}",
        paint(style::NAME, format_args!("{name:18}"))
    ))
}

/// Key, value in JSON, value as text.
fn facts(info: &ModelInfo) -> Vec<(&'static str, Json, String)> {
    let config = &info.config;
    let shape = format!(
        "{} layers, hidden {}, MLP {}, {} heads of {} ({} for keys and values)",
        config.layers,
        config.hidden_size,
        config.intermediate_size,
        config.heads,
        config.head_dim,
        config.kv_heads
    );
    let formats: Vec<_> = (info.formats.iter())
        .map(|(name, count)| format!("{name} ({count} tensors)"))
        .collect();
    // Two numbers a layer, head and coordinate; f16, as beside quantized weights.
    let kv = 2 * config.layers * config.kv_heads * config.head_dim * 2;
    let template = match &info.chat_template {
        Some(template) => format!("its own, {} characters", template.chars().count()),
        None => "ChatML".to_owned(),
    };
    let architecture = config.architecture.gguf_name();
    vec![
        ("architecture", architecture.into(), architecture.to_owned()),
        ("parameters", info.parameters.into(), count(info.parameters)),
        (
            "shape",
            json!({
                "layers": config.layers,
                "hidden_size": config.hidden_size,
                "intermediate_size": config.intermediate_size,
                "heads": config.heads,
                "kv_heads": config.kv_heads,
                "head_dim": config.head_dim,
                "tied_embeddings": config.tie_word_embeddings,
            }),
            shape,
        ),
        (
            "context",
            config.max_positions.into(),
            format!("{} tokens", config.max_positions),
        ),
        (
            "weights",
            json!({"bytes": info.tensor_bytes, "formats": info.formats}),
            format!("{}, {}", bytes(info.tensor_bytes), formats.join(", ")),
        ),
        (
            "kv_bytes_per_token",
            kv.into(),
            format!("{} at f16", bytes(kv as u64)),
        ),
        (
            "vocabulary",
            json!({"tokens": info.tokens, "control_tokens": info.control_tokens, "ids": config.vocab_size}),
            format!(
                "{} tokens, {} of them control tokens",
                info.tokens,
                info.control_tokens.len()
            ),
        ),
        (
            "chat_template",
            json!({"own": info.chat_template.is_some(), "text": info.chat_template}),
            template,
        ),
    ]
}
