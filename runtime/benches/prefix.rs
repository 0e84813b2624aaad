//! Time to the first token of the second call of a program with four demos, of a sentence and of a paragraph each, against
//! the first call, on random weights in the Qwen2.5-0.5B shape at Q8. `cargo bench -p candle-signature --bench prefix`

mod support;

use std::error::Error;
use std::time::Instant;

use candle_signature::adapter::{
    Backend as _, CandleAdapter, CandleConfig, CompletionRequest, LoadOptions, ModelPool,
    Quantization,
};
use candle_signature::program::Predict;
use candle_signature::{CandleSignature, example};
use futures_util::StreamExt as _;
use support::{median, spread};

const ROUNDS: usize = 5;

/// Passage, question and answer.
type Demos = [(&'static str, &'static str, &'static str); 4];

const SENTENCES: Demos = [
    (
        "Mara sells maps in Porto.",
        "Where does Mara sell maps?",
        "Porto",
    ),
    (
        "Ivo drives a tram in Graz.",
        "What does Ivo drive?",
        "a tram",
    ),
    (
        "Lena plays the oboe on Fridays.",
        "When does Lena play?",
        "on Fridays",
    ),
    (
        "Rui bakes bread for the harbour.",
        "Who bakes bread?",
        "Rui",
    ),
];

const PARAGRAPHS: Demos = [
    (
        "The ferry from Helsingborg has crossed the strait since 1893. In summer it leaves every twenty minutes, and in \
         winter every half hour. The crossing takes less time than a cup of coffee, yet the restaurant on board is full.",
        "How often does the ferry leave in winter?",
        "every half hour",
    ),
    (
        "Mara inherited a shop of old maps from her uncle and moved it from Lisbon to Porto. Most of her buyers are sailors \
         who never use them. The oldest sheet, drawn in 1571, hangs behind the counter and is not for sale.",
        "When was the oldest map drawn?",
        "1571",
    ),
    (
        "After the flood of 1997 the town built its library on the hill. Schoolchildren carried the books up in a chain of \
         four hundred hands. It opened in the spring with eleven thousand volumes and one very tired librarian.",
        "Who carried the books?",
        "schoolchildren",
    ),
    (
        "A beekeeper in the valley noticed that her hives did best beside the railway. Nobody mows the slope along the \
         tracks, so that clover and borage bloom there until October. She now rents the strip for one jar of honey a year.",
        "What does the beekeeper pay for the strip?",
        "one jar of honey a year",
    ),
];

/// Answer the question from the passage.
#[derive(CandleSignature)]
struct Qa {
    #[input]
    passage: String,
    #[input]
    question: String,
    #[output]
    answer: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    support::write_model(&folder.path().join("random"))?;
    let options = LoadOptions {
        quantization: Quantization::Q8,
        ..LoadOptions::default()
    };
    let pool = ModelPool::new(folder.path()).with_options(options);
    let model = pool.load_model("random").await?;
    let threads = model.engine().model().network().threads();
    println!("{}, {threads} threads", support::cpu());
    let config = CandleConfig {
        max_tokens: 64,
        enable_streaming: true,
        ..Default::default()
    };
    let adapter = CandleAdapter::from_loaded_model(model, config)?;
    for (name, demos) in [("a sentence", SENTENCES), ("a paragraph", PARAGRAPHS)] {
        println!("4 demos of {name} each");
        measure(&adapter, demos).await?;
    }
    Ok(())
}

async fn measure(adapter: &CandleAdapter, demos: Demos) -> Result<(), Box<dyn Error>> {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let mut tokens = (0, 0, 0);
    for round in 0..ROUNDS {
        // Another instruction each round, so that nothing of the rounds before is found.
        let instruction = format!("Round {round}: answer the question from the passage.");
        let program = program(&instruction, demos);
        let cold = call(
            adapter,
            &program,
            "Ada lives in Turin and keeps bees.",
            "Where does Ada live?",
        );
        let (time, prompt, _) = cold.await?;
        first.push(time);
        let warm = call(
            adapter,
            &program,
            "Otto repairs clocks in Lund.",
            "What does Otto repair?",
        );
        let (time, other, cached) = warm.await?;
        second.push(time);
        tokens = (prompt, other, cached);
    }
    println!(
        "  first call ({} prompt tokens): {} ms to the first token",
        tokens.0,
        spread(&first, 1)
    );
    println!(
        "  second call ({} prompt tokens, {} of them found): {} ms to the first token",
        tokens.1,
        tokens.2,
        spread(&second, 1)
    );
    println!("  ratio {:.1}", median(&first) / median(&second));
    Ok(())
}

fn program(instruction: &str, demos: Demos) -> Predict<Qa> {
    demos.iter().fold(
        Predict::new().with_instruction(instruction),
        |program, (passage, question, answer)| {
            program.with_demo(example!(Qa {
                passage: (*passage).to_owned(),
                question: (*question).to_owned(),
                answer: (*answer).to_owned()
            }))
        },
    )
}

/// Milliseconds to the first piece of text, tokens of the prompt, and how many of them the cache held.
async fn call(
    adapter: &CandleAdapter,
    program: &Predict<Qa>,
    passage: &str,
    question: &str,
) -> Result<(f64, usize, usize), Box<dyn Error>> {
    let messages = program.messages(QaInput {
        passage: passage.to_owned(),
        question: question.to_owned(),
    });
    let start = Instant::now();
    // Free text: the first token is one that the model had to choose.
    let mut stream = adapter.stream(CompletionRequest::new(messages)).await;
    let mut time = None;
    while let Some(piece) = stream.next().await {
        piece?;
        time.get_or_insert_with(|| start.elapsed().as_secs_f64() * 1e3);
    }
    let usage = stream.completion().ok_or("no completion")?.usage;
    let time = time.ok_or("no text")?;
    Ok((time, usage.prompt_tokens, usage.cached_tokens))
}
