//! The same program on a model in this process and on a server: what differs is one line.
//!
//! `cargo run --release -p candle-signature-tests-serve --example remote` starts an endpoint of the embedded model and asks it.
//! `-- --base-url http://127.0.0.1:8080/v1 --model NAME [--guidance auto|json-schema|json-object|vllm|llama-server|none]` asks any other
//! server; several `--base-url`s share the requests. `-- --export FILE.gguf` writes the embedded model for other engines.

use anyhow::{Context as _, bail};
use candle_signature::adapter::{
    Backend, CandleAdapter, CandleConfig, History, ModelPool, Quantization,
};
use candle_signature::program::{Predict, StreamEvent};
use candle_signature::remote::{Endpoint, Guidance, RemoteBackend, RemoteConfig};
use candle_signature::serve::Server;
use candle_signature::{CandleSignature, CandleValue, example};
use futures::StreamExt as _;

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

/// Sort the support ticket.
#[derive(CandleSignature)]
struct Triage {
    #[input]
    ticket: String,
    /// How soon someone must look at it.
    #[output]
    urgency: Urgency,
    /// What it is about.
    #[output]
    tags: Vec<String>,
    /// Who is named as responsible, if anyone.
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

/// The program. It does not know what runs it.
async fn program(backend: &impl Backend) -> anyhow::Result<()> {
    let question = || QAInput {
        passage: "Nora is a baker from Lisbon.".into(),
        question: "Where is Nora from?".into(),
    };
    let out = QA::predict(backend, question()).await?;
    println!("  answer  {:?}", out.answer);
    println!(
        "          {:?}, {} attempts before",
        out.usage(),
        out.attempts().len()
    );

    let triage = Predict::<Triage>::new().with_demo(example!(Triage {
        ticket: "The login page shows a typo. No rush. Assigned to Mia.",
        urgency: Urgency::Low,
        tags: ["login"],
        owner: Some("Mia"),
    }));
    let ticket = "The payment server is down and customers are locked out right now!".to_owned();
    let out = triage.call(backend, TriageInput { ticket }).await?;
    println!(
        "  triage  {:?}, tags {:?}, owner {:?}",
        out.urgency, out.tags, out.owner
    );

    let mut events = QA::stream(backend, question());
    let mut pieces = 0;
    while let Some(event) = events.next().await {
        match event? {
            StreamEvent::Text { .. } => pieces += 1,
            StreamEvent::Finished(out) => println!("  stream  {:?} in {pieces} pieces", out.answer),
            _ => {}
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (mut urls, mut model, mut guidance) =
        (Vec::new(), ModelPool::EMBEDDED.to_owned(), Guidance::Auto);
    let mut key = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--base-url" => urls.push(value()?),
            "--model" => model = value()?,
            "--api-key" => key = Some(value()?),
            "--guidance" => guidance = named(&value()?)?,
            "--export" => {
                let report = ModelPool::export_embedded(value()?, Quantization::Q8)?;
                println!("{} bytes", report.bytes);
                return Ok(());
            }
            other => bail!("unknown argument `{other}`; the file's first lines list them"),
        }
    }
    let history = History::of_latest(1);
    if urls.is_empty() {
        let loaded = ModelPool::embedded()
            .load_model(ModelPool::EMBEDDED)
            .await?;
        let local = CandleAdapter::from_loaded_model(loaded, CandleConfig::default())?;
        let server = Server::builder(local.clone()).hold_dspy_replies(true);
        let server = server.bind("127.0.0.1:0").await?.start();
        println!("in this process:");
        program(&local).await?;
        // The embedded model was made for the signature's own layout: asked for JSON it gives the right types and wrong words.
        let endpoint = Endpoint::new(&server.base_url(), ModelPool::EMBEDDED)?;
        let endpoint = endpoint.with_guidance(Guidance::None);
        let backend = RemoteBackend::new(endpoint, RemoteConfig::default())?; // instead of the adapter
        println!("on {}:", server.base_url());
        program(&backend).await?;
        return Ok(server.shutdown().await?);
    }
    let endpoints = urls.iter().map(|url| {
        let endpoint = Endpoint::new(url, model.clone())?.with_guidance(guidance);
        match &key {
            Some(key) => endpoint.with_api_key(key),
            None => Ok(endpoint),
        }
    });
    let endpoints = endpoints.collect::<Result<Vec<_>, _>>()?;
    let backend =
        RemoteBackend::balanced(endpoints, RemoteConfig::default())?.with_history(&history);
    for check in backend.check().await {
        println!("{} {:?} {:?}", check.endpoint, check.latency, check.models);
    }
    println!("guidance {guidance:?}:");
    let result = program(&backend).await;
    if result.is_err() {
        print!("{}", history.inspect(1));
    }
    for stats in backend.stats() {
        println!("{stats:?}");
    }
    result
}

fn named(guidance: &str) -> anyhow::Result<Guidance> {
    Ok(match guidance {
        "auto" => Guidance::Auto,
        "json-schema" => Guidance::JsonSchema,
        "json-object" => Guidance::JsonObject,
        "vllm" => Guidance::Vllm,
        "llama-server" => Guidance::LlamaServer,
        "none" => Guidance::None,
        other => bail!("unknown guidance `{other}`; the file's first lines list them"),
    })
}
