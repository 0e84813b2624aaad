//! `models pull`.

use candle_signature::hub::{Bars, Hub, ModelId, Progress, Silent};
use clap::Args;
use serde_json::json;

use crate::error::CliError;
use crate::out::Out;
use crate::style::{self, paint};

const EXAMPLES: &str = "\
Examples:
  candle-signature models pull Qwen2.5-0.5B-Instruct
  candle-signature models pull Qwen/Qwen2.5-1.5B-Instruct@main
  candle-signature models pull Qwen2.5-0.5B-Instruct-GGUF:qwen2.5-0.5b-instruct-q4_0.gguf

The cache is that of Python's huggingface_hub. HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT and
HF_HUB_OFFLINE mean what they mean there. After Ctrl-C or a failure the next pull goes on from where
this one stopped.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct PullArgs {
    /// `owner/name`, with `@revision` or `:file.gguf` behind it, or a short name (models list --aliases)
    model: String,
}

pub async fn execute(args: PullArgs, out: &mut Out) -> Result<(), CliError> {
    let id: ModelId = args.model.parse().map_err(CliError::from)?;
    let shown = id.to_string();
    let shows_progress = out.shows_progress();
    // On a thread that nobody waits for: Ctrl-C leaves what has come, and the next pull goes on from there.
    let pulled = tokio::task::spawn_blocking(move || {
        let progress: Box<dyn Progress> = match shows_progress {
            true => Box::new(Bars::stderr()),
            false => Box::new(Silent),
        };
        Hub::from_env().pull(&id, &*progress)
    });
    let pulled = pulled
        .await
        .map_err(|error| CliError::System(std::io::Error::other(error)))?;
    let path = pulled.map_err(CliError::from)?;
    match out.is_json() {
        true => out.json(&json!({"ok": true, "model": shown, "path": path})),
        false => {
            out.line(path.display())?;
            out.remark(paint(
                style::DIM,
                format_args!("run it with --model {}", args.model),
            ));
            Ok(())
        }
    }
}
