//! dspy-rs's optimizers end to end: the program on our adapter, their proposers through the endpoint in this process.

use candle_signature::dspy::{DspyError, Optimized, endpoint_lm, keep_best, score};
use candle_signature::serve::{Running, Server};
use dspy_rs::{
    COPRO, Evaluator, Example, FeedbackEvaluator, FeedbackMetric, GEPA, LM, MIPROv2, MetaSignature,
    Module, Optimizable, Optimizer, Predict, Prediction, Predictor,
};
use indexmap::IndexMap;
use serde_json::json;

use super::support::{adapter, example, on_the_embedded_model, qa};

/// A program of one predictor, right where its answer is.
struct Program(Predict);

impl Module for Program {
    async fn forward(&self, inputs: Example) -> anyhow::Result<Prediction> {
        self.0.forward(inputs).await
    }
}

impl Optimizable for Program {
    fn get_signature(&self) -> &dyn MetaSignature {
        self.0.get_signature()
    }

    fn parameters(&mut self) -> IndexMap<String, &mut dyn Optimizable> {
        let predictor: &mut dyn Optimizable = &mut self.0;
        IndexMap::from_iter([("predictor".to_owned(), predictor)])
    }

    fn update_signature_instruction(&mut self, instruction: String) -> anyhow::Result<()> {
        self.0.update_signature_instruction(instruction)
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
    let ask = |question: &str, right: &str| {
        example(&[
            ("passage", json!("Nora is a baker from Lisbon.")),
            ("question", json!(question)),
            ("right", json!(right)),
        ])
    };
    vec![
        ask("Where is Nora from?", "Lisbon"),
        ask("What is the job of Nora?", "baker"),
        // One that no instruction helps.
        ask("How many cats has Nora?", "three"),
    ]
}

/// The endpoint, and an `LM` that reaches it.
async fn proposer() -> (Running, LM) {
    let mut config = adapter().await.config().clone();
    config.max_tokens = 60;
    let adapter = adapter().await.with_config(config).expect("it works");
    let server = Server::builder(adapter).hold_dspy_replies(true);
    let running = server.bind("127.0.0.1:0").await.expect("binds").start();
    let lm = endpoint_lm(running.base_url(), "embedded", None)
        .await
        .expect("an LM");
    (running, lm)
}

/// What is promised of each optimizer.
async fn check(program: &Program, gain: Result<Optimized, DspyError>, endpoint: &Running) {
    let gain = gain.expect("it runs to its end");
    assert!(gain.before > 0.5, "{gain:?}");
    assert!(gain.after >= gain.before, "{gain:?}");
    assert_eq!(score(program, &trainset()).await, gain.after, "{gain:?}");
    let page = metrics(endpoint).await;
    let asked = page
        .lines()
        .find(|line| line.contains("requests_total{path=\"/v1/chat/completions\",status=\"200\"}"));
    assert!(
        asked.is_some(),
        "no proposal came through the endpoint: {page}"
    );
}

async fn metrics(endpoint: &Running) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(endpoint.address())
        .await
        .expect("connects");
    let request = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.expect("sends");
    let mut page = String::new();
    stream.read_to_string(&mut page).await.expect("answers");
    page
}

#[tokio::test]
async fn copro_ends_with_a_program_that_is_no_worse() {
    let _settings = on_the_embedded_model().await;
    let (endpoint, lm) = proposer().await;
    let mut program = Program(Predict::new(qa()));
    let copro = COPRO::builder()
        .breadth(3)
        .depth(2)
        .prompt_model(lm)
        .build();
    let run = async |program: &mut Program| copro.compile(program, trainset()).await;
    let gain = keep_best(&mut program, &trainset(), run).await;
    check(&program, gain, &endpoint).await;
}

#[tokio::test]
async fn mipro_ends_with_a_program_that_is_no_worse() {
    let _settings = on_the_embedded_model().await;
    let (endpoint, lm) = proposer().await;
    let mut program = Program(Predict::new(qa()));
    let mipro = MIPROv2::builder()
        .num_candidates(2)
        .minibatch_size(3)
        .prompt_model(lm)
        .build();
    let run = async |program: &mut Program| mipro.compile(program, trainset()[..1].to_vec()).await;
    let gain = keep_best(&mut program, &trainset(), run).await;
    check(&program, gain, &endpoint).await;
}

#[tokio::test]
async fn gepa_ends_with_a_program_that_is_no_worse() {
    let _settings = on_the_embedded_model().await;
    let (endpoint, lm) = proposer().await;
    let mut program = Program(Predict::new(qa()));
    let gepa = GEPA::builder()
        .num_iterations(2)
        .minibatch_size(1)
        .valset(trainset())
        .prompt_model(lm)
        .build();
    let run = async |program: &mut Program| gepa.compile_with_feedback(program, trainset()).await;
    let gain = keep_best(&mut program, &trainset(), run).await;
    check(&program, gain, &endpoint).await;
}

/// A module that is as good as its instruction says, and fails where it says so.
struct Judged(Predict);

impl Module for Judged {
    async fn forward(&self, _inputs: Example) -> anyhow::Result<Prediction> {
        match self.0.get_signature().instruction().as_str() {
            "fails" => anyhow::bail!("as it was told"),
            instruction => Ok(Prediction::new(
                [("instruction".to_owned(), json!(instruction))].into(),
                dspy_rs::LmUsage::default(),
            )),
        }
    }
}

impl Optimizable for Judged {
    fn parameters(&mut self) -> IndexMap<String, &mut dyn Optimizable> {
        let predictor: &mut dyn Optimizable = &mut self.0;
        IndexMap::from_iter([("predictor".to_owned(), predictor)])
    }
}

impl Evaluator for Judged {
    const DISPLAY_PROGRESS: bool = false;

    async fn metric(&self, _example: &Example, prediction: &Prediction) -> f32 {
        match prediction.get("instruction", None).as_str() {
            Some("good") => 1.0,
            Some("bad") => 0.25,
            _ => 0.5,
        }
    }
}

fn told(module: &mut Judged, instruction: &str) -> anyhow::Result<()> {
    module
        .0
        .update_signature_instruction(instruction.to_owned())
}

#[tokio::test]
async fn what_is_better_is_kept_and_what_is_worse_is_not() {
    let mut module = Judged(Predict::new(qa()));
    let old = module.0.get_signature().instruction();
    for instruction in ["bad", "fails", "as good"] {
        let gain = keep_best(&mut module, &trainset(), async |module| {
            told(module, instruction)
        })
        .await;
        let gain = gain.expect("it ran");
        assert_eq!((gain.before, gain.after, gain.kept), (0.5, 0.5, false));
        assert_eq!(module.0.get_signature().instruction(), old);
    }
    let gain = keep_best(&mut module, &trainset(), async |module| {
        told(module, "good")
    })
    .await;
    let gain = gain.expect("it ran");
    assert_eq!((gain.before, gain.after, gain.kept), (0.5, 1.0, true));
    assert_eq!(module.0.get_signature().instruction(), "good");
}

#[tokio::test]
async fn an_optimizer_that_fails_or_panics_leaves_the_module_as_it_was() {
    let mut module = Judged(Predict::new(qa()));
    let (old, examples) = (module.0.get_signature().instruction(), trainset());
    let failed = keep_best(&mut module, &examples, async |module| {
        told(module, "good")?;
        anyhow::bail!("out of ideas") as anyhow::Result<()>
    });
    let error = failed.await.expect_err("it failed");
    assert!(error.to_string().contains("out of ideas"), "{error}");
    assert_eq!(module.0.get_signature().instruction(), old);
    // `Evaluator::evaluate` unwraps the failure of a prediction.
    let panicked = keep_best(&mut module, &examples, async |module| {
        told(module, "fails")?;
        Ok(module.evaluate(trainset()).await)
    });
    let error = panicked.await.expect_err("it panicked");
    assert!(
        matches!(&error, DspyError::Optimizer(said) if said.contains("panicked")),
        "{error}"
    );
    assert_eq!(module.0.get_signature().instruction(), old);
}
