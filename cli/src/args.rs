//! What can be typed: the commands, and the options that all of them have.

use clap::{Args, Parser, Subcommand};

use crate::bench::BenchArgs;
use crate::completions::CompletionsArgs;
use crate::doctor::DoctorArgs;
use crate::models::ModelsArgs;
use crate::parse::ParseArgs;
use crate::run::RunArgs;
use crate::serve::ServeArgs;
use crate::style;

const ABOUT: &str = "Typed, structured LLM programs on a local model: no server, no Python";

const AFTER: &str = "\
Exit codes:
  0    done
  1    a prediction failed, or a reply can't be read (of JSON lines: at least one)
  2    what was typed or given makes no sense: an option, a signature, an input, a missing file
  3    the model can't be loaded
  4    the network, or a server beyond this machine
  5    the system: a file that can't be written, an address that is in use
  130  Ctrl-C

Examples:
  candle-signature run \"passage, question -> answer\" -i passage=@notes.txt -i question=\"Who?\"
  candle-signature parse --signature \"question -> answer: int\" < reply.txt
  candle-signature serve --model Qwen2.5-0.5B-Instruct
  candle-signature doctor

`candle-signature help COMMAND` has the options of a command, with examples.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "candle-signature", version, about = ABOUT, after_long_help = AFTER, styles = style::help(), max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
pub struct Global {
    /// Print JSON, one documented shape a command (docs/cli.md)
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress and no remarks on standard error; errors stay
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// When to use colours; `auto` heeds NO_COLOR, CLICOLOR, CLICOLOR_FORCE and whether it is a terminal
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// For everything that is printed from here on.
    pub fn write_global(self) {
        match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::AlwaysAnsi,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Predict: inputs in, typed outputs out
    Run(Box<RunArgs>),
    /// Read replies that another model wrote
    Parse(ParseArgs),
    /// Answer OpenAI's clients over HTTP
    Serve(Box<ServeArgs>),
    /// List, fetch and inspect models
    Models(ModelsArgs),
    /// Measure how fast a model is on this machine
    Bench(BenchArgs),
    /// Say what this machine can do, what is in the way, and what to do about it
    Doctor(DoctorArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}
