//! Tools
//! A tool is a function. The model is told its arguments with their types and is held to them; each call runs on a thread of its own, so that one that hangs or panics costs nothing but
//! itself; the trajectory holds every step.

use std::fmt::Write as _;
use std::sync::Arc;

use candle_signature::adapter::{CandleAdapter, CandleConfig, LoadedModel};
use candle_signature::program::ReAct;
use candle_signature::{CandleSignature, candle_tool};

/// Answer the question with the help of the tools.
#[derive(CandleSignature)]
struct Ask {
    #[input]
    question: String,
    #[output]
    answer: String,
}

/// The weather in a city.
#[candle_tool]
async fn get_weather(city: String) -> Result<String, String> {
    match city.as_str() {
        "Oslo" => Ok("It is rainy in Oslo.".into()),
        other => Err(format!("there is no station in {other}")),
    }
}

pub async fn run(model: Arc<LoadedModel>, out: &mut String) -> anyhow::Result<()> {
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    let program = ReAct::<Ask>::new().with_tool(GetWeatherTool);
    let input = AskInput {
        question: "What is the weather in Oslo?".into(),
    };
    let found = program.call(&adapter, input).await?;
    for step in found.trajectory() {
        writeln!(out, "{} -> {}", step.tool, step.observation)?;
    }
    writeln!(out, "{:?} ({:?})", found.answer, found.end())?;
    Ok(())
}
