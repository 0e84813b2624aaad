//! `run`: predictions of a signature that is typed, not compiled.

mod backend;
mod inputs;
mod many;
mod one;
mod show;

pub use show::values as show_values;

use candle_signature::adapter::CandleConfig;
use clap::Args;

use crate::error::CliError;
use crate::model::ModelArgs;
use crate::out::Out;
use crate::predictor::ProgramArgs;
use crate::sampling::SamplingArgs;

use backend::{Answering, ServerArgs};
use inputs::{Given, InputArgs};

const EXAMPLES: &str = "\
Examples:
  candle-signature run \"passage, question -> answer\" -i passage=\"Ana lives in Rome.\" -i question=\"Where does Ana live?\"
  candle-signature run \"ticket -> urgency: Literal['low', 'high'], owner: Optional[str]\" < ticket.txt
  candle-signature run \"problem -> answer: int\" --cot --jsonl problems.jsonl -o answers.jsonl
  candle-signature run triage.json --demos demos.jsonl --model Qwen2.5-0.5B-Instruct --json < ticket.json
  candle-signature run \"question -> answer\" --endpoint http://127.0.0.1:8000 -m my-model -i question=\"Why?\"

Inputs come from --input, from a JSON object (--inputs FILE, or standard input), or from JSON lines, a prediction each (--jsonl FILE,
or standard input). Text on standard input that is no JSON becomes the one input that is missing.

Of JSON lines, each reply is a line of JSON, in the order of the records; a record that fails costs only itself, and the exit code is
then 1. `id` of a record is given back. Signatures as JSON, types and the shapes of --json: docs/cli.md.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct RunArgs {
    #[command(flatten)]
    pub program: ProgramArgs,
    #[command(flatten)]
    pub inputs: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub server: ServerArgs,
    #[command(flatten)]
    pub sampling: SamplingArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Write to a file, which is there whole at the end or not at all
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<std::path::PathBuf>,
    /// Show the prompt on standard error
    #[arg(long)]
    pub show_prompt: bool,
    /// Tell tokens and times: on standard error, or in JSON as `meta`
    #[arg(long)]
    pub stats: bool,
    /// Tell fields while they are generated (usual on a terminal); with --json an event a line
    #[arg(long, overrides_with = "no_stream")]
    pub stream: bool,
    /// Tell all fields at the end
    #[arg(long)]
    pub no_stream: bool,
}

/// Everything a prediction needs.
struct Run<'a> {
    predict: candle_signature::program::DynamicPredict,
    backend: Answering,
    output: &'a OutputArgs,
}

pub async fn execute(args: Box<RunArgs>, out: &mut Out) -> Result<(), CliError> {
    // Whatever can be wrong with what was typed is said before a model is loaded.
    let predict = args.program.predictor(|saved| args.sampling.over(saved))?;
    let given = inputs::given(&args.inputs, predict.spec()).await?;
    let one = match &given {
        Given::One(object) => Some(predict.inputs(&object.clone().into())?),
        Given::Many { .. } => None,
    };
    let config = CandleConfig {
        enable_streaming: true,
        ..CandleConfig::default()
    };
    predict.overrides().applied_to(&config)?;
    if let Some(path) = &args.output.output {
        out.write_to(path)?;
    }
    let run = Run {
        predict,
        backend: Answering::new(&args.server, &args.model, config, out).await?,
        output: &args.output,
    };
    match (given, one) {
        (Given::Many { lines, shared }, _) => {
            let parallel = args.model.loading.parallel.get();
            many::run(
                &run,
                lines,
                &shared,
                args.inputs.ignore_extra,
                parallel,
                out,
            )
            .await
        }
        (_, Some(inputs)) => one::run(&run, inputs, out).await,
        (_, None) => Ok(()),
    }
}
