//! `completions`: a script that teaches a shell the commands and options.

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use crate::args::Cli;
use crate::error::CliError;
use crate::out::Out;

const EXAMPLES: &str = "\
Examples:
  candle-signature completions bash > ~/.local/share/bash-completion/completions/candle-signature
  candle-signature completions zsh > ~/.zfunc/_candle-signature
  candle-signature completions fish > ~/.config/fish/completions/candle-signature.fish";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub fn execute(args: &CompletionsArgs, out: &mut Out) -> Result<(), CliError> {
    let mut script = Vec::new();
    generate(
        args.shell,
        &mut Cli::command(),
        "candle-signature",
        &mut script,
    );
    out.text(&String::from_utf8_lossy(&script))
}
