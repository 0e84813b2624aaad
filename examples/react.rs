//! A program that calls tools and answers with what they return, by the embedded model.
//!
//! `cargo run --release --example react`

use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
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
        "Cairo" => Ok("It is sunny in Cairo.".into()),
        other => Err(format!("there is no station in {other}")),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let model = ModelPool::embedded()
        .load_model(ModelPool::EMBEDDED)
        .await?;
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    let program = ReAct::<Ask>::new().with_tool(GetWeatherTool);
    for question in [
        "What is the weather in Oslo?",
        "What is the weather in Cairo?",
    ] {
        let out = program
            .call(
                &adapter,
                AskInput {
                    question: question.into(),
                },
            )
            .await?;
        println!("{question}");
        for step in out.trajectory() {
            println!(
                "  {} -> {}({:?}) -> {}",
                step.thought, step.tool, step.args, step.observation
            );
        }
        println!("  answer: {}\n", out.answer);
    }
    Ok(())
}
