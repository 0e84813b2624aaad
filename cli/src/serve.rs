//! `serve`: the OpenAI-compatible endpoint, until Ctrl-C.

use std::path::PathBuf;
use std::time::Duration;

use candle_signature::adapter::CandleAdapter;
use candle_signature::serve::{Limits, ServeError, Server};
use clap::Args;
use serde_json::json;

use crate::error::CliError;
use crate::interrupt::Interrupts;
use crate::model::LoadingArgs;
use crate::out::Out;
use crate::sampling::SamplingArgs;
use crate::style::{self, paint};

const EXAMPLES: &str = "\
Examples:
  candle-signature serve
  candle-signature serve --model Qwen2.5-0.5B-Instruct --alias gpt-4o-mini --port 0
  candle-signature serve --model small=embedded --model large=./models/Qwen2.5-1.5B-Instruct
  CANDLE_SIGNATURE_API_KEY=sk-local candle-signature serve --host 0.0.0.0 --json

When it listens it prints its URL, and with --json {\"event\": \"ready\", \"base_url\", \"models\"} and then a line of JSON for each
request. Ctrl-C lets requests under way end, a second one does not. What is answered: docs/serve.md.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ServeArgs {
    /// A model, or NAME=MODEL to serve it under another name; may be given several times
    #[arg(
        short,
        long,
        default_value = "embedded",
        env = "CANDLE_SIGNATURE_MODEL",
        value_name = "[NAME=]MODEL"
    )]
    model: Vec<String>,
    /// Another name for the first model, for clients that insist on one of their own
    #[arg(long, value_name = "NAME")]
    alias: Vec<String>,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    host: String,
    /// The port; 0 is any free one
    #[arg(short, long, default_value = "8000")]
    port: u16,
    /// A key that clients must bring (in the environment others of this machine do not see it)
    #[arg(
        long,
        env = "CANDLE_SIGNATURE_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    api_key: Vec<String>,
    /// A file with a key a line
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Let other machines in without a key
    #[arg(long)]
    open: bool,
    /// Another name that clients call this machine by
    #[arg(long, value_name = "NAME")]
    host_name: Vec<String>,
    /// Hold replies to prompts of DSPy to the fields and types that they list
    #[arg(long)]
    hold_dspy_replies: bool,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    loading: LoadingArgs,
    #[command(flatten)]
    sampling: SamplingArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
struct LimitArgs {
    /// Requests that generate or wait at a time [default: 256]
    #[arg(long, value_name = "N")]
    max_requests: Option<usize>,
    /// Open connections [default: 1024]
    #[arg(long, value_name = "N")]
    max_connections: Option<usize>,
    /// Bytes of a request's body [default: 2097152]
    #[arg(long, value_name = "BYTES")]
    max_body: Option<usize>,
    /// Seconds for a request from its head to the last token [default: 600]
    #[arg(long, value_name = "SECONDS")]
    request_time: Option<u64>,
    /// Seconds that requests under way have to end after Ctrl-C [default: 30]
    #[arg(long, value_name = "SECONDS")]
    shutdown_time: Option<u64>,
}

impl LimitArgs {
    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        let seconds = |seconds: Option<u64>, usual| seconds.map_or(usual, Duration::from_secs);
        limits.requests = self.max_requests.unwrap_or(limits.requests);
        limits.connections = self.max_connections.unwrap_or(limits.connections);
        limits.body_bytes = self.max_body.unwrap_or(limits.body_bytes);
        limits.request_time = seconds(self.request_time, limits.request_time);
        limits.shutdown_time = seconds(self.shutdown_time, limits.shutdown_time);
        limits
    }
}

pub async fn execute(args: Box<ServeArgs>, out: &mut Out) -> Result<(), CliError> {
    let keys = keys(&args)?;
    crate::log::start(out);
    let config = args.sampling.config()?;
    let mut interrupts = Interrupts::listen();
    let mut named = Vec::new();
    for text in &args.model {
        let (name, model) = match text.split_once('=') {
            Some((name, model)) => (Some(name.to_owned()), model),
            None => (None, text.as_str()),
        };
        let loaded = tokio::select! {
            loaded = args.loading.load(model, out) => loaded?,
            () = interrupts.next() => return Err(CliError::Interrupted),
        };
        let name = name.unwrap_or_else(|| loaded.name().to_owned());
        let adapter = CandleAdapter::from_loaded_model(loaded, config.clone())?;
        named.push((name, adapter));
    }
    let names: Vec<_> = named.iter().map(|(name, _)| name.clone()).collect();
    let secret = keys.is_empty();
    let server = builder(&args, named, keys)?;
    let server = server.bind(format!("{}:{}", args.host, args.port)).await?;
    ready(&server, &names, !secret, out)?;
    let handle = server.handle();
    let mut running = std::pin::pin!(server.run());
    tokio::select! {
        ended = &mut running => return Ok(ended?),
        () = interrupts.next() => handle.shutdown(),
    }
    out.remark("shutting down: requests under way may end; Ctrl-C again to stop at once");
    tokio::select! {
        ended = running => Ok(ended?),
        () = interrupts.next() => Err(CliError::Interrupted),
    }
}

fn builder(
    args: &ServeArgs,
    named: Vec<(String, CandleAdapter)>,
    keys: Vec<String>,
) -> Result<candle_signature::serve::ServerBuilder, CliError> {
    let mut named = named.into_iter();
    let Some((first, adapter)) = named.next() else {
        return Err(CliError::Usage("give a model: --model embedded".into()));
    };
    let own = adapter.model().name().to_owned();
    let mut builder = Server::builder(adapter);
    if first != own {
        builder = builder.alias(first);
    }
    for alias in &args.alias {
        builder = builder.alias(alias);
    }
    for (name, adapter) in named {
        builder = builder.model(name, adapter);
    }
    for key in keys {
        builder = builder.api_key(key);
    }
    for name in &args.host_name {
        builder = builder.host(name);
    }
    if args.open {
        builder = builder.open_to_the_network();
    }
    Ok(builder
        .limits(args.limits.limits())
        .hold_dspy_replies(args.hold_dspy_replies))
}

fn keys(args: &ServeArgs) -> Result<Vec<String>, CliError> {
    let mut keys = args.api_key.clone();
    if let Some(path) = &args.api_key_file {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| CliError::reading(&path.to_string_lossy(), &error))?;
        let read: Vec<_> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        if read.is_empty() {
            // An empty file must not open the door.
            return Err(CliError::Usage(format!(
                "`{}` holds no key: write one a line",
                path.display()
            )));
        }
        keys.extend(read.into_iter().map(str::to_owned));
    }
    Ok(keys)
}

fn ready(server: &Server, names: &[String], keyed: bool, out: &mut Out) -> Result<(), CliError> {
    let url = server.base_url();
    if out.is_json() {
        out.json(&json!({"event": "ready", "base_url": url, "models": names}))?;
        return out.flush();
    }
    out.line(format!("listening on {}", paint(style::NAME, &url)))?;
    let key = if keyed {
        " -H \"Authorization: Bearer $KEY\""
    } else {
        ""
    };
    let body = json!({"model": names[0], "messages": [{"role": "user", "content": "Hello"}]});
    let curl = format!(
        "try: curl {url}/chat/completions -H 'Content-Type: application/json'{key} -d '{body}'"
    );
    out.line(paint(style::DIM, curl))?;
    out.flush()
}

impl From<ServeError> for CliError {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Bind { .. } => CliError::System(std::io::Error::other(error)),
            ServeError::Open { address } => CliError::Usage(format!(
                "`{address}` can be reached from other machines and no API key is set: give --api-key, listen on 127.0.0.1, or say --open \
                 if all who can reach it may use it"
            )),
            ServeError::SameName { name } => CliError::Usage(format!(
                "two models are served as `{name}`: give one of them another name by --model NAME=MODEL"
            )),
            other => CliError::Usage(other.to_string()),
        }
    }
}
