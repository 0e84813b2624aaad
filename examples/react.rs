//! A program that calls tools and answers with what they return, by the embedded model.
//!
//! `cargo run --release --example react`
//!
//! Two tools that do something: one reads a table of populations from a file, one counts the lines of files in this repository. The
//! first is a function, the second a closure that keeps a folder; one has a limit on its time.

use std::path::PathBuf;
use std::time::Duration;

use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
use candle_signature::program::ReAct;
use candle_signature::signature::{FnTool, Tool as _};
use candle_signature::{CandleSignature, candle_tool};

/// Answer the question with the help of the tools.
#[derive(CandleSignature)]
struct Ask {
    #[input]
    question: String,
    #[output]
    answer: String,
}

/// Population of a city.
#[candle_tool]
async fn population(city: String) -> anyhow::Result<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/populations.csv");
    let table = std::fs::read_to_string(path)?;
    let rows = table.lines().filter_map(|line| line.split_once(','));
    let found = rows.into_iter().find(|(name, _)| *name == city);
    let (_, count) = found.ok_or_else(|| anyhow::anyhow!("{city} is not in the table"))?;
    Ok(format!("{city}: {count}"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let lines = FnTool::new(
        "count_lines",
        "Counts the lines of a file.",
        ["file"],
        move |file: String| {
            // A name, never a way out of the folder.
            let is_name = !file.contains(['/', '\\']) && !file.starts_with('.');
            let text = is_name.then(|| std::fs::read_to_string(folder.join(&file)));
            match text {
                Some(Ok(text)) => Ok(format!("{file}: {} lines", text.lines().count())),
                Some(Err(error)) => Err(format!("{file}: {error}")),
                None => Err(format!("{file} is no name of a file here")),
            }
        },
    );
    let model = ModelPool::embedded()
        .load_model(ModelPool::EMBEDDED)
        .await?;
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    let program = ReAct::<Ask>::new()
        .with_tool(PopulationTool)
        .with_tool(lines.within(Duration::from_secs(2)));
    for question in [
        "What population does Oslo have?",
        "What population does Rome have?",
        "What population does Atlantis have?",
    ] {
        println!("{question}");
        let input = AskInput {
            question: question.into(),
        };
        let out = program
            .call_watched(&adapter, input, |step| {
                let args = serde_json::json!(step.args);
                println!("  {}({args}) -> {}", step.tool, step.observation);
                println!(
                    "    {} prompt tokens, {} of them in the cache",
                    step.usage.prompt_tokens, step.usage.cached_tokens
                );
            })
            .await?;
        println!("  answer: {} ({:?})\n", out.answer, out.end());
    }
    Ok(())
}
