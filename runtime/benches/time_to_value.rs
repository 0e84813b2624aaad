//! The time from `predict` to a valid typed value: held to the signature's grammar, against free decoding, parsing and up to
//! two retries. On the embedded model (right answers) and on random weights in the Qwen2.5-0.5B shape (whose free replies
//! never parse). `cargo bench -p candle-signature --bench time_to_value`

mod support;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_signature::adapter::{
    CandleAdapter, CandleAdapterError, CandleConfig, LoadedModel, ModelPool,
};
use candle_signature::engine::{LoadOptions, Quantization};
use candle_signature::program::{Predict, Predicted};
use candle_signature::signature::Signature;
use candle_signature::{CandleSignature, CandleValue};

const RETRIES: usize = 2;
const ROUNDS: usize = 5;
const RANDOM_ROUNDS: usize = 2;

/// Answer the question from the passage.
#[derive(CandleSignature)]
struct Qa {
    #[input]
    passage: String,
    #[input]
    question: String,
    #[output]
    answer: String,
    #[output]
    confidence: f64,
}

/// Extract the order.
#[derive(CandleSignature)]
struct Order {
    #[input]
    message: String,
    #[output]
    customer: String,
    #[output]
    quantity: i64,
    #[output]
    gift: bool,
    #[output]
    city: Option<String>,
}

/// Sort the support ticket.
#[derive(CandleSignature)]
struct Triage {
    #[input]
    ticket: String,
    #[output]
    urgency: Urgency,
    #[output]
    tags: Vec<String>,
    #[output]
    owner: Option<String>,
}

#[derive(CandleValue, Debug, Clone, PartialEq)]
#[value(rename_all = "kebab-case")]
enum Urgency {
    Low,
    High,
    OnFire,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Two engines of one model each, so that neither finds the other's prompts in its cache.
    let embedded = || async { ModelPool::embedded().load_model(ModelPool::EMBEDDED).await };
    compare(
        "embedded model",
        embedded().await?,
        embedded().await?,
        200,
        ROUNDS,
    )
    .await?;

    let folder = tempfile::tempdir()?;
    support::write_model(&folder.path().join("random"))?;
    let random = || async {
        ModelPool::new(folder.path())
            .with_options(LoadOptions {
                quantization: Quantization::Q8,
                ..Default::default()
            })
            .load_model("random")
            .await
    };
    compare(
        "random weights in the 0.5B shape, Q8",
        random().await?,
        random().await?,
        96,
        RANDOM_ROUNDS,
    )
    .await
}

async fn compare(
    name: &str,
    held: Arc<LoadedModel>,
    free: Arc<LoadedModel>,
    max_tokens: usize,
    rounds: usize,
) -> Result<(), Box<dyn Error>> {
    let adapter = |model, constrain_output| {
        let config = CandleConfig {
            max_tokens,
            constrain_output,
            ..Default::default()
        };
        CandleAdapter::from_loaded_model(model, config)
    };
    let (held, free) = (adapter(held, true)?, adapter(free, false)?);
    println!("\n{name}, at most {max_tokens} tokens a reply, {rounds} rounds");
    println!(
        "{:<8} {:>14} {:>14} {:>7} {:>12} {:>10} {:>16}",
        "", "held, ms", "free, ms", "ratio", "valid h/f", "same", "decoded+forced h"
    );
    task::<Qa>("qa", &held, &free, rounds, qa).await?;
    task::<Order>("order", &held, &free, rounds, orders).await?;
    task::<Triage>("triage", &held, &free, rounds, tickets).await
}

/// What the calls of one way came to.
#[derive(Default)]
struct Tally {
    times: Vec<f64>,
    valid: usize,
    values: Vec<Option<String>>,
    decoded: usize,
    forced: usize,
}

impl Tally {
    fn add<O: std::fmt::Debug>(
        &mut self,
        time: Duration,
        result: Result<Predicted<O>, CandleAdapterError>,
    ) -> Result<(), CandleAdapterError> {
        self.times.push(time.as_secs_f64() * 1e3);
        match result {
            Ok(out) => {
                self.valid += 1;
                self.forced += out.forced_tokens();
                self.decoded += out.usage().completion_tokens - out.forced_tokens();
                self.values.push(Some(format!("{:?}", *out)));
                Ok(())
            }
            Err(CandleAdapterError::ParseError(_)) => {
                self.values.push(None);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn median(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }

    fn range(&self) -> String {
        let low = self.times.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.times.iter().copied().fold(0.0, f64::max);
        format!("{low:.0}..{high:.0}")
    }
}

async fn task<S: Signature>(
    name: &str,
    held: &CandleAdapter,
    free: &CandleAdapter,
    rounds: usize,
    inputs: fn() -> Vec<S::Input>,
) -> Result<(), Box<dyn Error>>
where
    S::Output: std::fmt::Debug,
{
    let predict = Predict::<S>::new().with_retries(RETRIES);
    let (mut ours, mut theirs) = (Tally::default(), Tally::default());
    for _ in 0..rounds {
        for (a, b) in inputs().into_iter().zip(inputs()) {
            let start = Instant::now();
            let result = predict.call(held, a).await;
            ours.add(start.elapsed(), result)?;
            let start = Instant::now();
            let result = predict.call(free, b).await;
            theirs.add(start.elapsed(), result)?;
        }
    }
    let calls = ours.times.len();
    let same = ours.values.iter().zip(&theirs.values);
    println!(
        "{name:<8} {:>6.0} {:>7} {:>6.0} {:>7} {:>7.2} {:>5}/{:<2} of {calls} {:>4} {:>9}+{}",
        ours.median(),
        ours.range(),
        theirs.median(),
        theirs.range(),
        ours.times.iter().sum::<f64>() / theirs.times.iter().sum::<f64>(),
        ours.valid,
        theirs.valid,
        same.filter(|(a, b)| a == b).count(),
        ours.decoded / calls,
        ours.forced / calls,
    );
    Ok(())
}

fn qa() -> Vec<QaInput> {
    let passage = "Mara works as a baker in Lund. Her brother Tomas is a nurse and lives in Oslo. Mara owns a cat.";
    [
        "Where does Tomas live?",
        "What is Mara's job?",
        "What pet does Mara have?",
    ]
    .map(|question| QaInput {
        passage: passage.into(),
        question: question.into(),
    })
    .into()
}

fn orders() -> Vec<OrderInput> {
    [
        "My name is Clara Weber. I need 12 of them. Please wrap it as a gift. We live in Porto.",
        "This is Omar. We take 3 pieces. It is not a gift.",
        "Quantity: 40. It should go to Kyoto. Regards, Ida Lund",
    ]
    .map(|message| OrderInput {
        message: message.into(),
    })
    .into()
}

fn tickets() -> Vec<TriageInput> {
    [
        "The payment server is down and customers are locked out right now!",
        "Please update the invoice template when you have time. Assigned to Omar.",
        "The login and checkout reject some orders. We need it today. Nora will handle it.",
    ]
    .map(|ticket| TriageInput {
        ticket: ticket.into(),
    })
    .into()
}
