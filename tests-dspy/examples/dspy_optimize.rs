//! dspy-rs's optimizers on the embedded model: the program predicts on the engine itself, their proposers, which pass every adapter by, reach
//! it through the endpoint in this process.
//!
//! `cargo run --release -p candle-signature-tests-dspy --example dspy_optimize -- [copro|mipro|gepa]`

use anyhow::bail;
use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
use candle_signature::dspy::{Optimized, endpoint_lm, keep_best, local_lm};
use candle_signature::serve::Server;
use dspy_rs::{
    COPRO, Evaluator, Example, FeedbackEvaluator, FeedbackMetric, GEPA, MIPROv2, MetaSignature,
    Module, Optimizable, Optimizer, Predict, Prediction, Predictor, Signature, example,
};
use indexmap::IndexMap;

#[Signature]
struct QA {
    /// Do.
    #[input(desc = "Text to read.")]
    passage: String,
    #[input]
    question: String,
    #[output(desc = "A short answer.")]
    answer: String,
}

/// The program: one predictor.
struct Program {
    predictor: Predict,
}

impl Module for Program {
    async fn forward(&self, inputs: Example) -> anyhow::Result<Prediction> {
        self.predictor.forward(inputs).await
    }
}

impl Optimizable for Program {
    fn get_signature(&self) -> &dyn MetaSignature {
        self.predictor.get_signature()
    }

    fn parameters(&mut self) -> IndexMap<String, &mut dyn Optimizable> {
        let predictor: &mut dyn Optimizable = &mut self.predictor;
        IndexMap::from_iter([("predictor".to_owned(), predictor)])
    }

    fn update_signature_instruction(&mut self, instruction: String) -> anyhow::Result<()> {
        self.predictor.update_signature_instruction(instruction)
    }
}

impl Evaluator for Program {
    const DISPLAY_PROGRESS: bool = false;

    async fn metric(&self, example: &Example, prediction: &Prediction) -> f32 {
        self.feedback_metric(example, prediction).await.score
    }
}

impl FeedbackEvaluator for Program {
    async fn feedback_metric(&self, example: &Example, prediction: &Prediction) -> FeedbackMetric {
        let (right, given) = (example.get("right", None), prediction.get("answer", None));
        match right == given {
            true => FeedbackMetric::new(1.0, "right"),
            false => FeedbackMetric::new(0.0, format!("{given} is wrong, {right} is right")),
        }
    }
}

fn trainset() -> Vec<Example> {
    let ask = |passage: &str, question: &str, right: &str| {
        example! { "passage": "input" => passage, "question": "input" => question, "right": "input" => right }
    };
    vec![
        ask(
            "Nora is a baker from Lisbon.",
            "Where is Nora from?",
            "Lisbon",
        ),
        ask(
            "Nora is a baker from Lisbon.",
            "What is the job of Nora?",
            "baker",
        ),
        ask(
            "Peter is a pilot from Oslo.",
            "Where is Peter from?",
            "Oslo",
        ),
        ask(
            "Peter is a pilot from Oslo.",
            "What does Peter do?",
            "pilot",
        ),
    ]
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let which = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "copro".to_owned());
    let model = ModelPool::embedded()
        .load_model(ModelPool::EMBEDDED)
        .await?;
    let config = CandleConfig {
        max_tokens: 80,
        ..Default::default()
    };
    let adapter = CandleAdapter::from_loaded_model(model, config)?;
    dspy_rs::configure(local_lm(&adapter).await?, adapter.clone());
    let endpoint = Server::builder(adapter)
        .hold_dspy_replies(true)
        .bind("127.0.0.1:0")
        .await?
        .start();
    let proposer = endpoint_lm(endpoint.base_url(), ModelPool::EMBEDDED, None).await?;

    let mut program = Program {
        predictor: Predict::new(QA::new()),
    };
    let examples = trainset();
    let gain: Optimized = match which.as_str() {
        "copro" => {
            let copro = COPRO::builder()
                .breadth(3)
                .depth(1)
                .prompt_model(proposer)
                .build();
            let run = async |program: &mut Program| copro.compile(program, examples.clone()).await;
            keep_best(&mut program, &examples, run).await?
        }
        "mipro" => {
            let mipro = MIPROv2::builder()
                .num_candidates(2)
                .minibatch_size(4)
                .prompt_model(proposer)
                .build();
            // Few traces: a prompt has to fit the context.
            let traced = examples[..1].to_vec();
            let run = async |program: &mut Program| mipro.compile(program, traced).await;
            keep_best(&mut program, &examples, run).await?
        }
        "gepa" => {
            let gepa = GEPA::builder()
                .num_iterations(2)
                .minibatch_size(1)
                .valset(examples.clone())
                .prompt_model(proposer)
                .build();
            let run = async |program: &mut Program| {
                gepa.compile_with_feedback(program, examples.clone()).await
            };
            keep_best(&mut program, &examples, run).await?
        }
        other => bail!("no optimizer `{other}`: copro, mipro or gepa"),
    };
    println!(
        "{which}: {:.2} before, {:.2} after; {}; instruction: {:?}",
        gain.before,
        gain.after,
        if gain.kept {
            "its instruction is kept"
        } else {
            "the old instruction is back"
        },
        program.get_signature().instruction(),
    );
    endpoint.shutdown().await?;
    Ok(())
}
