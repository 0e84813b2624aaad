//! The spans of predictions through OpenTelemetry, to standard output:
//! `cargo run --release --example otel --features otel`.
//!
//! For a collector put an exporter of `opentelemetry-otlp` in the place of the one of `opentelemetry-stdout`: all else stays.

use candle_signature::CandleSignature;
use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Instrument as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

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
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(opentelemetry_stdout::SpanExporter::default())
        .with_resource(Resource::builder().with_service_name("qa").build())
        .build();
    let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("qa"));
    let wanted = Targets::new()
        .with_target("candle_signature", tracing::Level::DEBUG)
        .with_target("otel", tracing::Level::INFO);
    tracing_subscriber::registry()
        .with(wanted)
        .with(spans)
        .try_init()?;

    let model = ModelPool::embedded()
        .load_model(ModelPool::EMBEDDED)
        .await?;
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    // A span of the program's own, which those of its predictions are within.
    let asking = async {
        for question in ["Where does Ana live?", "Who lives in Rome?"] {
            let input = QAInput {
                passage: "Ana lives in Rome.".into(),
                question: question.into(),
            };
            QA::predict(&adapter, input).await?;
        }
        anyhow::Ok(())
    };
    asking
        .instrument(tracing::info_span!(target: "otel", "request"))
        .await?;
    provider.shutdown()?;
    Ok(())
}
