//! A bare program made better by optimizers, on data that was not used for it: exact match before and after.
//!
//! `cargo run --release --example optimize [-- ROWS.jsonl]`
//!
//! The task: questions about a passage, answered with "n/a" where it does not say. Nothing of that is in the program: it has no instruction
//! and no descriptions. Demos come from `train`, programs are chosen by `dev`, and `heldout` is only looked at before and after. With an
//! argument, the rows of the best program on `heldout` are saved there.

use candle_signature::CandleSignature;
use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool, Overrides};
use candle_signature::program::optimize::{InstructionSearch, Optimized, RandomSearch};
use candle_signature::program::{
    Batch, Evaluation, Predict, evaluate, exact_match, load, parse_dataset, save,
};
use candle_signature::signature::Demo;
use indicatif::{ProgressBar, ProgressStyle};

#[derive(CandleSignature)]
struct Bare {
    #[input]
    passage: String,
    #[input]
    question: String,
    #[output]
    answer: String,
}

type Data = Vec<Demo<Bare>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let model = ModelPool::embedded()
        .load_model(ModelPool::EMBEDDED)
        .await?;
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    let train: Data = parse_dataset(include_str!("../data/unanswered/train.jsonl"))?;
    let dev: Data = parse_dataset(include_str!("../data/unanswered/dev.jsonl"))?;
    let heldout: Data = parse_dataset(include_str!("../data/unanswered/heldout.jsonl"))?;
    println!(
        "train {}, dev {}, held out {} records",
        train.len(),
        dev.len(),
        heldout.len()
    );

    let bar = ProgressBar::no_length()
        .with_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}")?);
    let batch = Batch::new().with_concurrency(16).on_progress(|progress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    });
    // A few words are enough for every answer.
    let bare = Predict::<Bare>::new().with_overrides(Overrides {
        max_tokens: Some(64),
        ..Overrides::default()
    });

    bar.set_message("as it is");
    let before = evaluate(&bare, &adapter, &heldout, &exact_match, &batch).await;

    bar.set_message("demos");
    let demos = RandomSearch::new(6, 3, 4)
        .compile(&bare, &adapter, &train, &dev, &exact_match, &batch)
        .await;

    bar.set_message("instructions");
    let instructions = InstructionSearch::new()
        .with_candidates([
            "Answer the question from the passage.",
            "Answer the question from the passage. If the text does not say, answer \"n/a\".",
        ])
        .with_proposals(3, 1)
        .compile(
            &bare,
            &adapter,
            &adapter,
            &train,
            &dev,
            &exact_match,
            &batch,
        )
        .await;
    bar.set_message("demos for the best instruction");
    let both = RandomSearch::new(4, 2, 3)
        .with_seed(100)
        .compile(
            &instructions.program,
            &adapter,
            &train,
            &dev,
            &exact_match,
            &batch,
        )
        .await;

    bar.set_message("held out");
    let mut after = Vec::new();
    for program in [&demos.program, &instructions.program, &both.program] {
        after.push(evaluate(program, &adapter, &heldout, &exact_match, &batch).await);
    }
    bar.finish_and_clear();

    show("demos by random search", &demos);
    show(
        "instructions, given and proposed by the model itself",
        &instructions,
    );
    show("demos for the best instruction", &both);
    println!("\n| program | exact match, held out | dev |\n|---|---|---|");
    row("bare", &before, demos.trials[0].score);
    row("demos by random search", &after[0], demos.score);
    row("instruction by search", &after[1], instructions.score);
    row("both", &after[2], both.score);

    // What was found is a file that another program can load.
    let folder = std::env::temp_dir().join("candle-signature-optimize");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("best.json");
    save(&both.program, &path)?;
    let loaded = load(Predict::<Bare>::new(), &path)?;
    assert_eq!(loaded.demos(), both.program.demos());
    println!("\nthe best program is saved as {}", path.display());
    if let Some(rows) = std::env::args().nth(1) {
        after[2].save_jsonl(&rows)?;
        println!("its rows on the held-out records are saved as {rows}");
    }
    Ok(())
}

fn show<P>(what: &str, found: &Optimized<P>) {
    println!("\n{what}:");
    for trial in &found.trials {
        println!("  dev {}  {}", percent(trial.score), trial.what);
    }
}

fn row(name: &str, evaluation: &Evaluation, dev: f64) {
    println!(
        "| {name} | {} | {} |",
        percent(evaluation.score()),
        percent(dev)
    );
}

fn percent(score: f64) -> String {
    format!("{:5.1} %", 100.0 * score)
}
