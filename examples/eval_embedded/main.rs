//! How right the embedded model is: per family on held-out data, and on small real sets that it was not trained for.
//!
//! `cargo run --release --example eval_embedded [-- [--constrained] [--q8 | --q4] [FOLDER_OF_REAL_SETS [MOST_RECORDS_A_FAMILY]]]`
//!
//! With `--constrained`, replies are held to the grammar of each record's signature. With `--q8` or `--q4`, the weights
//! are packed in 8 or 4 bits; f32 otherwise.

mod real_sets;
mod record;
mod score;

use std::path::{Path, PathBuf};
use std::pin::pin;

use anyhow::Context as _;
use candle_signature::adapter::{
    Backend as _, CandleAdapter, CandleAdapterError, CandleConfig, CompletionRequest, Constraint,
    LoadOptions, ModelPool, Quantization,
};
use candle_signature::parse::parse_reply;
use candle_signature::prompt::chat_messages;
use futures_util::stream::{self, StreamExt as _};
use indicatif::{ProgressBar, ProgressStyle};

use record::Record;
use score::Scores;

/// Records that share a forward pass.
const AT_ONCE: usize = 8;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let (flags, arguments): (Vec<_>, Vec<_>) = std::env::args()
        .skip(1)
        .partition(|argument| argument.starts_with("--"));
    let mut constrained = false;
    let mut quantization = Quantization::None;
    for flag in &flags {
        match flag.as_str() {
            "--constrained" => constrained = true,
            "--q8" => quantization = Quantization::Q8,
            "--q4" => quantization = Quantization::Q4,
            unknown => anyhow::bail!(
                "unknown flag `{unknown}`: there are `--constrained`, `--q8` and `--q4`"
            ),
        }
    }
    let mut arguments = arguments.into_iter();
    let real = arguments
        .next()
        .map_or_else(default_real_sets, PathBuf::from);
    let limit = arguments
        .next()
        .map(|n| n.parse())
        .transpose()
        .context("the limit is no number")?;
    let limit = limit.unwrap_or(usize::MAX);

    let start = std::time::Instant::now();
    let options = LoadOptions {
        quantization,
        ..Default::default()
    };
    let model = ModelPool::embedded()
        .with_options(options)
        .load_model(ModelPool::EMBEDDED)
        .await?;
    println!(
        "embedded model loaded in {:.0?}; weights {quantization:?}; greedy, {}",
        start.elapsed(),
        if constrained {
            "held to the grammar"
        } else {
            "unconstrained"
        }
    );
    let config = CandleConfig {
        max_tokens: 200,
        constrain_output: constrained,
        ..Default::default()
    };
    let adapter = CandleAdapter::from_loaded_model(model, config)?;

    let held_out = record::held_out().context("reading the held-out records")?;
    let scores = evaluate(&adapter, record::at_most(held_out, limit)).await?;
    println!(
        "\nheld-out data (entities, sentences and field names not seen in training)\n{scores}"
    );

    if !real.is_dir() {
        println!(
            "\nno real sets at `{}`: give their folder as the first argument",
            real.display()
        );
        return Ok(());
    }
    let sets = real_sets::read(&real).with_context(|| format!("reading `{}`", real.display()))?;
    let scores = evaluate(&adapter, record::at_most(sets, limit)).await?;
    println!("\nOUT OF ITS TRAINING: small real sets, for an honest view of its limits\n{scores}");
    Ok(())
}

fn default_real_sets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/tasks")
}

async fn evaluate(adapter: &CandleAdapter, records: Vec<Record>) -> anyhow::Result<Scores> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} ({eta} left)")?;
    let progress = ProgressBar::new(records.len() as u64).with_style(style);
    let mut scores = Scores::default();
    let calls = records.into_iter().map(|record| async {
        let messages = chat_messages(&record.spec, &record.demos, &record.inputs);
        let constraint = Constraint::Signature(record.spec.clone());
        let request = CompletionRequest::new(messages).held_to(constraint);
        (adapter.complete(request).await, record)
    });
    let mut replies = pin!(stream::iter(calls).buffered(AT_ONCE));
    while let Some((reply, record)) = replies.next().await {
        progress.set_message(record.family.clone());
        match reply {
            Ok(completion) => {
                let parsed = parse_reply(&record.spec, &completion.text);
                let exact = parsed
                    .as_ref()
                    .is_ok_and(|parsed| record.accepts(&parsed.values));
                scores.add(&record.family, exact, parsed.is_ok());
                show_failure(&record, &completion.text, exact);
            }
            Err(CandleAdapterError::ContextTooLong { .. }) => scores.add_too_long(&record.family),
            Err(error) => return Err(error.into()),
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(scores)
}

/// With `EVAL_FAILURES=1`, shows each reply that is not right.
fn show_failure(record: &Record, reply: &str, exact: bool) {
    if !exact && std::env::var_os("EVAL_FAILURES").is_some() {
        eprintln!("--- {}\n{}\n>>> {reply}\n", record.family, record.shown());
    }
}
