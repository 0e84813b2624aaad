//! What a grammar adds to a decode step on random weights in the Qwen2.5-0.5B shape, packed to 8 bits: the masks are computed
//! beside the forward pass. Tokens are sampled, so that every round meets other states of the grammar. Also how long grammars
//! take to compile. `cargo bench -p candle-signature --bench mask`

mod support;

use std::error::Error;
use std::time::{Duration, Instant};

use candle_signature::adapter::{Constraint, LoadedModel, ModelPool};
use candle_signature::engine::{GenerateRequest, LoadOptions, Quantization, SamplingParams};
use candle_signature::signature::SignatureSpec;
use serde_json::json;

const STEPS: usize = 50;
const ROUNDS: u64 = 12;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    support::write_model(&folder.path().join("random"))?;
    let start = Instant::now();
    let options = LoadOptions {
        quantization: Quantization::Q8,
        ..Default::default()
    };
    let pool = ModelPool::new(folder.path()).with_options(options);
    let model = pool.load_model("random").await?;
    println!("loaded in {:.2?}", start.elapsed());
    compile_times(&model)?;

    let kinds = [
        ("free text", "String"),
        (
            "a list of structs",
            "Vec<struct P:{\"name\":\"String\",\"age\":\"i64\"}>",
        ),
        (
            "a list of numbers in structs",
            "Vec<struct P:{\"age\":\"i64\",\"share\":\"f64\",\"ok\":\"bool\"}>",
        ),
    ];
    for (name, ty) in kinds {
        let constraint = Constraint::Signature(spec(1, ty));
        let (mut free, mut masked) = (Vec::new(), Vec::new());
        // In turn, so that a machine that changes its speed changes both.
        for seed in 0..ROUNDS {
            free.extend(steps(&model, None, seed).await?);
            masked.extend(steps(&model, Some(&constraint), seed).await?);
        }
        let counts = (free.len(), masked.len());
        let (free, masked) = (Quantiles::of(free), Quantiles::of(masked));
        println!(
            "{name}: a step takes {free} free, {masked} masked ({} and {} steps)",
            counts.0, counts.1
        );
        println!(
            "  the mask adds {:+.1} % at the median, {:+.1} % at p90, {:+.1} % at p99",
            100.0 * (masked.median / free.median - 1.0),
            100.0 * (masked.p90 / free.p90 - 1.0),
            100.0 * (masked.p99 / free.p99 - 1.0)
        );
    }
    Ok(())
}

fn compile_times(model: &LoadedModel) -> Result<(), Box<dyn Error>> {
    let mut times: Vec<f64> = (0..20)
        .map(|at| {
            // Names differ, so that nothing is found among the compiled ones.
            let constraint = Constraint::Signature(spec_named(10, "String", &format!("r{at}_")));
            let start = Instant::now();
            model
                .grammars()
                .compile(&constraint)
                .map(|_| start.elapsed().as_secs_f64() * 1e3)
        })
        .collect::<Result<_, _>>()?;
    times.sort_by(f64::total_cmp);
    println!(
        "a grammar of 10 fields compiles in {:.2} ms ({:.2} to {:.2})",
        times[times.len() / 2],
        times[0],
        times[times.len() - 1]
    );
    Ok(())
}

fn spec(fields: usize, ty: &str) -> SignatureSpec {
    spec_named(fields, ty, "f")
}

fn spec_named(fields: usize, ty: &str, prefix: &str) -> SignatureSpec {
    let types = [ty, "i64", "enum:low|high", "Vec<String>", "Option<f64>"];
    let outputs: Vec<_> = (0..fields)
        .map(|at| json!({"name": format!("{prefix}{at}"), "type": types[at % types.len()]}))
        .collect();
    SignatureSpec::from_json(&json!({"outputs": outputs})).expect("a sound spec")
}

/// The times of steps of one token in one generation: those that run the tokens a grammar forced are left out.
async fn steps(
    model: &LoadedModel,
    constraint: Option<&Constraint>,
    seed: u64,
) -> Result<Vec<Duration>, Box<dyn Error>> {
    let engine = model.engine();
    let (sender, mut stream) = tokio::sync::mpsc::channel(1024);
    let prompt = engine
        .model()
        .tokenizer()
        .encode_text(&"the quick brown fox ".repeat(20))?;
    let grammar = constraint
        .map(|constraint| model.grammars().compile(constraint))
        .transpose()?;
    let running = engine.generate(GenerateRequest {
        mask: grammar.map(|grammar| grammar.mask()),
        stream: Some(sender),
        sampling: SamplingParams {
            temperature: 1.0,
            seed: Some(seed),
            ..Default::default()
        },
        // Beyond what is timed, so that the budget is far from its end.
        ..GenerateRequest::greedy(prompt, STEPS + 400)
    });
    let running = tokio::spawn(running);
    let mut arrivals = Vec::new();
    while arrivals.len() < STEPS {
        match stream.recv().await {
            Some(_) => arrivals.push(Instant::now()),
            None => break,
        }
    }
    drop(stream);
    let _cancelled = running.await?;
    // Tokens of one step arrive together. A step after one that forced some runs several tokens, with a mask or without.
    let mut steps: Vec<(Instant, usize)> = Vec::new();
    for arrival in arrivals {
        match steps.last_mut() {
            Some((last, tokens)) if arrival - *last < Duration::from_millis(1) => *tokens += 1,
            _ => steps.push((arrival, 1)),
        }
    }
    Ok(steps
        .windows(2)
        .skip(1)
        .filter(|pair| pair[0].1 == 1)
        .map(|pair| pair[1].0 - pair[0].0)
        .collect())
}

struct Quantiles {
    median: f64,
    p90: f64,
    p99: f64,
}

impl Quantiles {
    fn of(times: Vec<Duration>) -> Self {
        let mut times: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times.get(((times.len() as f64 - 1.0) * share) as usize);
        Quantiles {
            median: at(0.5).copied().unwrap_or(f64::NAN),
            p90: at(0.9).copied().unwrap_or(f64::NAN),
            p99: at(0.99).copied().unwrap_or(f64::NAN),
        }
    }
}

impl std::fmt::Display for Quantiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ms (p99 {:.2})", self.median, self.p99)
    }
}
