//! The command line `candle-signature`: typed programs without writing Rust. `docs/cli.md` is its chapter.
//!
//! `args` is what can be typed, a module a command is what it does, `error` which exit code a failure has.

mod args;
mod bench;
mod completions;
mod doctor;
mod error;
mod interrupt;
mod log;
mod model;
mod models;
mod out;
mod parse;
mod predictor;
mod reading;
mod replies;
mod run;
mod sampling;
mod serve;
mod signature;
mod style;
mod units;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use error::CliError;
use out::Out;

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.global.color.write_global();
    let mut out = Out::new(&cli.global);
    let ended = execute(cli.command, &mut out).and_then(|()| out.flush());
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(&mut out),
    }
}

/// Runs a command on a runtime of its own, until it ends or Ctrl-C does.
fn execute(command: Command, out: &mut Out) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(CliError::System)?;
    let ended = runtime.block_on(async {
        match command {
            Command::Run(args) => interrupt::or_interrupted(run::execute(args, out)).await,
            Command::Parse(args) => interrupt::or_interrupted(parse::execute(args, out)).await,
            // It ends by itself, when requests under way have.
            Command::Serve(args) => serve::execute(args, out).await,
            Command::Models(args) => interrupt::or_interrupted(models::execute(args, out)).await,
            Command::Bench(args) => interrupt::or_interrupted(bench::execute(args, out)).await,
            Command::Doctor(args) => interrupt::or_interrupted(doctor::execute(args, out)).await,
            Command::Completions(args) => completions::execute(&args, out),
        }
    });
    // A thread that waits for a terminal's next line is not waited for.
    runtime.shutdown_background();
    ended
}
