//! A signature, and what a model is told
//! A signature is a struct: what goes in, what comes out, and in the doc comments what is asked. The derive writes `QAInput`, `QAOutput` and functions on `QA`. Nothing is
//! sent anywhere yet: `format` shows the messages, `parse` reads a reply.

use std::fmt::Write as _;
use std::sync::Arc;

use candle_signature::CandleSignature;
use candle_signature::adapter::LoadedModel;

/// Answer the question from the passage.
#[derive(CandleSignature)]
struct QA {
    /// Text to read.
    #[input]
    passage: String,
    #[input]
    question: String,
    /// A short answer.
    #[output]
    answer: String,
}

pub async fn run(_model: Arc<LoadedModel>, out: &mut String) -> anyhow::Result<()> {
    let messages = QA::format(QAInput {
        passage: "Nora is a baker from Lisbon.".into(),
        question: "Where is Nora from?".into(),
    });
    for message in &messages {
        writeln!(out, "--- {:?}\n{}", message.role, message.content)?;
    }
    let read = QA::parse("[[ ## answer ## ]]\nLisbon\n\n[[ ## completed ## ]]")?;
    writeln!(out, "--- read back\n{read:?}")?;
    Ok(())
}
