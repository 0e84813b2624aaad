//! An OpenAI-compatible server of a local model, until Ctrl-C:
//! `cargo run --release -p candle-signature-tests-serve --example serve -- [--address 127.0.0.1:8000] [--models FOLDER --model NAME]
//! [--api-key KEY] [--alias NAME] [--hold-dspy-replies]`. Without a folder it serves the embedded model.

use anyhow::{Context as _, bail};
use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
use candle_signature::serve::Server;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut address = "127.0.0.1:8000".to_owned();
    let mut model = ModelPool::EMBEDDED.to_owned();
    let (mut folder, mut keys, mut aliases) = (None, Vec::new(), Vec::new());
    let mut hold_dspy_replies = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--address" => address = value()?,
            "--models" => folder = Some(value()?),
            "--model" => model = value()?,
            "--api-key" => keys.push(value()?),
            "--alias" => aliases.push(value()?),
            "--hold-dspy-replies" => hold_dspy_replies = true,
            other => bail!("unknown argument `{other}`; the file's first lines list them"),
        }
    }
    let pool = folder.map_or_else(ModelPool::embedded, ModelPool::new);
    let loaded = pool.load_model(&model).await?;
    let adapter = CandleAdapter::from_loaded_model(loaded, CandleConfig::default())?;
    let mut builder = Server::builder(adapter).hold_dspy_replies(hold_dspy_replies);
    for alias in aliases {
        builder = builder.alias(alias);
    }
    for key in keys {
        builder = builder.api_key(key);
    }
    let server = builder.bind(address).await?;
    println!("{}", server.base_url());
    let handle = server.handle();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            handle.shutdown();
        }
    });
    server.run().await?;
    Ok(())
}
