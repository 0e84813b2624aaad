//! `bench`: what a model reaches on this machine, in a minute, with its spread.

mod measure;
mod report;
mod shape;

use std::num::NonZeroUsize;
use std::sync::Arc;

use candle_signature::adapter::{LoadedModel, ModelPool};
use clap::Args;

use crate::error::CliError;
use crate::model::ModelArgs;
use crate::out::Out;

use measure::{Plan, measure};

const EXAMPLES: &str = "\
Examples:
  candle-signature bench
  candle-signature bench --model ./models/Qwen2.5-0.5B-Instruct --quantization q8
  candle-signature bench --shape qwen2.5-0.5b --prompt 512 --reply 64

A shape is a network of random weights: as fast as the real one, and it says nothing sensible. Prompts are random tokens; every
round uses new ones, so that only `cached` finds them in the cache. Figures are the median of the rounds, with the least and
the most. Close other programs first: `candle-signature doctor` says what else runs.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct BenchArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Random weights in this shape, instead of a model
    #[arg(long, value_enum, conflicts_with = "model")]
    shape: Option<shape::Shape>,
    /// Tokens of a prompt
    #[arg(long, default_value = "256", value_name = "N")]
    prompt: NonZeroUsize,
    /// Tokens of a reply
    #[arg(long, default_value = "32", value_name = "N")]
    reply: NonZeroUsize,
    /// Rounds
    #[arg(long, default_value = "3", value_name = "N")]
    rounds: NonZeroUsize,
}

pub async fn execute(args: BenchArgs, out: &mut Out) -> Result<(), CliError> {
    let (model, name) = load(&args, out).await?;
    let context = model.engine().model().config().max_positions;
    let plan = Plan {
        prompt: args.prompt.get(),
        // The first token comes with the prompt: it takes two to tell how fast they follow.
        reply: args.reply.get().max(2),
        parallel: args.model.loading.parallel.get(),
        rounds: args.rounds.get(),
    };
    if plan.prompt + plan.reply > context {
        return Err(CliError::Usage(format!(
            "--prompt {} and --reply {} do not fit the model's context of {context}: lower them",
            plan.prompt, plan.reply
        )));
    }
    let figures = measure(&model, &plan, out).await?;
    report::tell(&name, &model, &plan, &figures, out)
}

async fn load(args: &BenchArgs, out: &Out) -> Result<(Arc<LoadedModel>, String), CliError> {
    let Some(shape) = args.shape else {
        return Ok((args.model.load(out).await?, args.model.model.clone()));
    };
    let folder = tempfile::tempdir().map_err(CliError::System)?;
    let path = folder.path().join(shape.name());
    let spinner = crate::out::spinner(
        out,
        format!("writing random weights in the shape of {}", shape.name()),
    );
    let target = path.clone();
    // Dropped by Ctrl-C, the folder goes with what was written.
    let written = tokio::task::spawn_blocking(move || shape.write(&target)).await;
    written.map_err(|error| CliError::System(std::io::Error::other(error)))??;
    spinner.finish_and_clear();
    let model = args.model.loading.pool(ModelPool::new(folder.path()));
    let spinner = crate::out::spinner(out, format!("loading {}", shape.name()));
    let loaded = model.load_model(shape.name()).await?;
    spinner.finish_and_clear();
    Ok((
        loaded,
        format!("random weights in the shape of {}", shape.name()),
    ))
}
