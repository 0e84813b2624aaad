//! The time from `predict` to a valid typed value: held to the signature's grammar, against free decoding, parsing and up to
//! two retries. On the embedded model (right answers) and on random weights in the Qwen2.5-0.5B shape (whose free replies
//! never parse). Beside both, in turn with them, llama.cpp on the same weights, held to the same schema by its own grammar:
//! where llama-cpp-python is installed. `cargo bench -p candle-signature --bench time_to_value`, or with `-- --gpu` on a GPU.

#[path = "support/gguf.rs"]
#[allow(dead_code, reason = "its made-up vocabulary is for other benches")]
mod gguf;
#[path = "support/llama.rs"]
mod llama;
mod support;
#[path = "support/vocabulary.rs"]
mod vocabulary;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_core::quantized::GgmlDType;
use candle_signature::adapter::{
    CandleAdapter, CandleAdapterError, CandleConfig, LoadOptions, LoadedModel, ModelPool,
    Quantization,
};
use candle_signature::program::{Predict, Predicted};
use candle_signature::signature::{Signature, json_schema};
use candle_signature::{CandleSignature, CandleValue};
use llama::Llama;
use serde_json::{Value, json};

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

/// Names that each round puts in the place of the first, so that no round finds the prompts of another.
const NAMES: [&str; ROUNDS] = ["Nora", "Ida", "Vera", "Alma", "Kira"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let gpu = std::env::args().any(|one| one == "--gpu").then_some(0);
    let on_gpu = LoadOptions {
        gpu,
        ..LoadOptions::default()
    };
    // Two engines of one model each, so that neither finds the other's prompts in its cache.
    let embedded = || async {
        let pool = ModelPool::embedded();
        let pool = if gpu.is_some() {
            pool.with_options(on_gpu.clone())
        } else {
            pool
        };
        pool.load_model(ModelPool::EMBEDDED).await
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/embedded/model.gguf");
    let (held, free) = (embedded().await?, embedded().await?);
    compare("embedded model", held, free, &file, 200, ROUNDS).await?;

    let folder = tempfile::tempdir()?;
    let random = folder.path().join("random");
    std::fs::create_dir(&random)?;
    support::write_tokenizer(&random)?;
    let tokens = vocabulary::vocabulary(&random.join("tokenizer.json"), gguf::VOCABULARY)?;
    let file = random.join("model.gguf");
    gguf::write_gguf_with(&file, GgmlDType::Q8_0, tokens)?;
    // As the file has it, like llama.cpp.
    let options = LoadOptions {
        quantization: Quantization::AsStored,
        gpu,
        ..LoadOptions::default()
    };
    let pool = || ModelPool::new(folder.path()).with_options(options.clone());
    let random = || async { pool().load_model("random").await };
    let (held, free) = (random().await?, random().await?);
    let name = "random weights in the 0.5B shape, Q8_0";
    compare(name, held, free, &file, 96, RANDOM_ROUNDS).await
}

async fn compare(
    name: &str,
    held: Arc<LoadedModel>,
    free: Arc<LoadedModel>,
    file: &Path,
    max_tokens: usize,
    rounds: usize,
) -> Result<(), Box<dyn Error>> {
    let threads = held.engine().model().network().threads();
    let adapter = |model, constrain_output| {
        let config = CandleConfig {
            max_tokens,
            constrain_output,
            ..Default::default()
        };
        CandleAdapter::from_loaded_model(model, config)
    };
    println!("\n{name}, at most {max_tokens} tokens a reply, {rounds} rounds, {threads} threads");
    let llama = match Llama::start(file, threads) {
        Ok(llama) => {
            println!("beside it: llama-cpp-python {}", llama.version);
            Some(llama)
        }
        Err(why) => {
            println!("{why}");
            None
        }
    };
    let mut bench = Bench {
        held: adapter(held, true)?,
        free: adapter(free, false)?,
        llama,
        rounds,
        max_tokens,
    };
    println!(
        "{:<7} {:>20} {:>20} {:>20} {:>10} {:>11} {:>16} {:>14} {:>6}",
        "median (range), ms",
        "held",
        "free",
        "llama.cpp",
        "held/free",
        "held/llama",
        "valid h/f/l",
        "tokens h",
        "same"
    );
    bench.task::<Qa>("qa", qa).await?;
    bench.task::<Order>("order", orders).await?;
    bench.task::<Triage>("triage", tickets).await
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

    fn total(&self) -> f64 {
        self.times.iter().sum()
    }

    /// The median, and from where to where the times range.
    fn shown(&self) -> String {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        match (times.first(), times.last()) {
            (Some(low), Some(high)) => {
                let median = times[times.len() / 2];
                format!("{median:.0} ({low:.0}..{high:.0})")
            }
            _ => "-".to_owned(),
        }
    }
}

struct Bench {
    held: CandleAdapter,
    free: CandleAdapter,
    llama: Option<Llama>,
    rounds: usize,
    max_tokens: usize,
}

impl Bench {
    async fn task<S: Signature>(
        &mut self,
        name: &str,
        inputs: fn(&str) -> Vec<S::Input>,
    ) -> Result<(), Box<dyn Error>>
    where
        S::Output: std::fmt::Debug,
    {
        let predict = Predict::<S>::new().with_retries(RETRIES);
        let schema = schema::<S>();
        let (mut held, mut free, mut llama) = <(Tally, Tally, Tally)>::default();
        for name in &NAMES[..self.rounds] {
            let calls = inputs(name).into_iter().zip(inputs(name)).zip(inputs(name));
            for ((a, b), c) in calls {
                let start = Instant::now();
                let result = predict.call(&self.held, a).await;
                held.add(start.elapsed(), result)?;
                let start = Instant::now();
                let result = predict.call(&self.free, b).await;
                free.add(start.elapsed(), result)?;
                if let Some(peer) = &mut self.llama {
                    let prompt = self.held.prompt_tokens(&predict.messages(c))?;
                    let prompt: Vec<u32> = prompt.iter().map(|token| token.0).collect();
                    let answer = peer.call(&prompt, &schema, self.max_tokens)?;
                    llama.times.push(answer.ms);
                    llama.valid += usize::from(answer.valid);
                    llama.decoded += answer.tokens;
                }
            }
        }
        let calls = held.times.len();
        let same = held.values.iter().zip(&free.values);
        println!(
            "{name:<18} {:>20} {:>20} {:>20} {:>10.2} {:>11.2} {:>16} {:>14} {:>6}",
            held.shown(),
            free.shown(),
            llama.shown(),
            held.total() / free.total(),
            held.total() / llama.total(),
            format!("{}/{}/{} of {calls}", held.valid, free.valid, llama.valid),
            format!("{}+{} forced", held.decoded / calls, held.forced / calls),
            same.filter(|(a, b)| a == b).count(),
        );
        Ok(())
    }
}

/// What a server would be asked to hold a reply of this signature to.
fn schema<S: Signature>() -> Value {
    let fields = S::SPEC.outputs.iter();
    let properties = fields.map(|field| (field.name.to_string(), json_schema(&field.ty)));
    let properties: serde_json::Map<_, _> = properties.collect();
    let required: Vec<_> = properties.keys().cloned().collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn qa(name: &str) -> Vec<QaInput> {
    let passage = "Mara works as a baker in Lund. Her brother Tomas is a nurse and lives in Oslo. Mara owns a cat.";
    [
        "Where does Tomas live?",
        "What is Mara's job?",
        "What pet does Mara have?",
    ]
    .map(|question| QaInput {
        passage: passage.replace("Mara", name),
        question: question.replace("Mara", name),
    })
    .into()
}

fn orders(name: &str) -> Vec<OrderInput> {
    [
        "My name is Mara Weber. I need 12 of them. Please wrap it as a gift. We live in Porto.",
        "This is Mara. We take 3 pieces. It is not a gift.",
        "Quantity: 40. It should go to Kyoto. Regards, Mara Lund",
    ]
    .map(|message| OrderInput {
        message: message.replace("Mara", name),
    })
    .into()
}

fn tickets(name: &str) -> Vec<TriageInput> {
    [
        "The payment server of Mara is down and customers are locked out right now!",
        "Please update the invoice template when you have time. Assigned to Mara.",
        "The login and checkout reject some orders. We need it today. Mara will handle it.",
    ]
    .map(|ticket| TriageInput {
        ticket: ticket.replace("Mara", name),
    })
    .into()
}
