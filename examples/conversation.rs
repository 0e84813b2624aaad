//! A conversation of typed turns by the embedded model: each turn sees those before it, and pays only for its own text.
//!
//! `cargo run --release --example conversation`

use candle_signature::CandleSignature;
use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
use candle_signature::program::Conversation;

/// Answer the question from the passage.
#[derive(CandleSignature)]
struct QA {
    #[input]
    passage: String,
    #[input]
    question: String,
    #[output]
    answer: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let model = ModelPool::embedded()
        .load_model(ModelPool::EMBEDDED)
        .await?;
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    let mut talk = Conversation::<QA>::new();
    for (passage, question) in [
        (
            "Nora is a baker from Lisbon. Ivo works as a judge.",
            "Where is Nora from?",
        ),
        ("Ivo has two cats. Nora likes tea.", "What does Nora like?"),
        (
            "Mia lives in Oslo and works as a nurse.",
            "What does Mia work as?",
        ),
    ] {
        let input = QAInput {
            passage: passage.into(),
            question: question.into(),
        };
        let turn = talk.say(&adapter, input).await?;
        let usage = turn.predicted().usage();
        println!("{question} {}", turn.answer);
        println!(
            "  prompt of {} tokens, {} of them in the cache; {} turns dropped",
            usage.prompt_tokens,
            usage.cached_tokens,
            turn.dropped()
        );
    }

    // The history is a file, and goes on where it was left.
    let folder = std::env::temp_dir().join("candle-signature-conversation");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("talk.json");
    talk.save(&path)?;
    let loaded = Conversation::<QA>::new().load(&path)?;
    println!("{} turns saved as {}", loaded.turns().len(), path.display());
    Ok(())
}
