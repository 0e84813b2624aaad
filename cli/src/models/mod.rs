//! `models`: which there are, fetching them, what their files say, and other forms of them.

mod info;
mod list;
mod place;
mod pull;
mod quantize;

use clap::{Args, Subcommand};

use crate::error::CliError;
use crate::out::Out;

const EXAMPLES: &str = "\
Examples:
  candle-signature models list
  candle-signature models pull Qwen2.5-0.5B-Instruct
  candle-signature models info embedded
  candle-signature models info ./models/Qwen2.5-0.5B-Instruct --json
  candle-signature models quantize Qwen2.5-0.5B-Instruct qwen-q4.gguf --to q4";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ModelsArgs {
    #[command(subcommand)]
    command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
enum ModelsCommand {
    /// Models on this machine: the embedded one, those of a folder, those of the hub's cache
    List(list::ListArgs),
    /// Fetch a model from the Hugging Face hub; what an earlier try has left is continued
    Pull(pull::PullArgs),
    /// What a model's files say, without loading it
    Info(info::InfoArgs),
    /// Write a model as a GGUF file, in 8 or 4 bits
    Quantize(quantize::QuantizeArgs),
}

pub async fn execute(args: ModelsArgs, out: &mut Out) -> Result<(), CliError> {
    match args.command {
        ModelsCommand::List(args) => list::execute(&args, out),
        ModelsCommand::Pull(args) => pull::execute(args, out).await,
        ModelsCommand::Info(args) => info::execute(&args, out),
        ModelsCommand::Quantize(args) => quantize::execute(args, out).await,
    }
}
