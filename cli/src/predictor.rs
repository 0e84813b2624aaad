//! The program that `run` runs: a signature with instruction, demos and reasoning, or a saved one.

use candle_signature::adapter::Overrides;
use candle_signature::program::DynamicPredict;
use candle_signature::signature::PartialDemo;
use clap::Args;
use serde_json::Value as Json;

use crate::error::CliError;
use crate::reading::{lines, name_of, object_of, open, text_of};
use crate::signature::signature;

#[derive(Debug, Args)]
#[command(next_help_heading = "Program")]
pub struct ProgramArgs {
    /// A line such as "question -> answer: int", a JSON object, or a file with one of them
    #[arg(value_name = "SIGNATURE", help_heading = Some("Arguments"), required_unless_present = "program")]
    pub signature: Option<String>,
    /// What the model is to do [default: the signature's own]
    #[arg(long, value_name = "TEXT")]
    pub instruction: Option<String>,
    /// Let the model reason before it answers
    #[arg(long, visible_alias = "chain-of-thought")]
    pub cot: bool,
    /// Demonstrations: one JSON object a line, inputs and outputs by name
    #[arg(long, value_name = "FILE")]
    pub demos: Option<String>,
    /// A saved program, of this crate or of DSPy; the signature may be left out if its types can be read back
    #[arg(long, value_name = "FILE")]
    pub program: Option<String>,
    /// Ask again, so many times, for a reply that can't be read [default: 0, of a server 2]
    #[arg(long, value_name = "N")]
    pub retries: Option<usize>,
}

impl ProgramArgs {
    /// The predictor. `overrides` are put over what a saved program has.
    pub fn predictor(
        &self,
        overrides: impl FnOnce(Overrides) -> Overrides,
    ) -> Result<DynamicPredict, CliError> {
        let spec = self.signature.as_deref().map(signature).transpose()?;
        let mut predict = match (&self.program, spec) {
            (Some(path), spec) => {
                let text = text_of(path)?;
                let json: Json = serde_json::from_str(&text)
                    .map_err(|error| CliError::Usage(format!("`{path}` is not JSON: {error}")))?;
                DynamicPredict::from_saved(&json, spec)
                    .map_err(|error| CliError::Usage(format!("`{path}`: {error}")))?
            }
            (None, Some(spec)) => DynamicPredict::new(spec),
            (None, None) => return Err(CliError::Usage("give a signature, or --program".into())),
        };
        if self.cot {
            predict = predict
                .with_reasoning()
                .map_err(|error| CliError::Usage(error.to_string()))?;
        }
        if let Some(instruction) = &self.instruction {
            predict = predict.with_instruction(instruction);
        }
        if let Some(path) = &self.demos {
            let demos = demos(path, &predict)?;
            predict = predict.with_demos(demos);
        }
        let overrides = overrides(predict.overrides());
        if let Some(retries) = self.retries {
            predict = predict.with_retries(retries);
        }
        Ok(predict.with_overrides(overrides))
    }
}

fn demos(path: &str, predict: &DynamicPredict) -> Result<Vec<PartialDemo>, CliError> {
    let fault = |line: usize, problem: String| {
        CliError::Usage(format!("{}, line {line}: {problem}", name_of(path)))
    };
    let demo = |(number, line): (usize, Result<String, String>)| {
        let object = line
            .and_then(|line| object_of(&line))
            .map_err(|problem| fault(number, problem))?;
        let demo = predict.demo(&Json::Object(object));
        demo.map_err(|error| fault(number, error.to_string()))
    };
    lines(open(path)?).map(demo).collect()
}
