//! What answers: a model in this process, or a server elsewhere.

use candle_signature::adapter::{
    Backend, CandleAdapter, CandleAdapterError, CandleConfig, Completion, CompletionRequest,
    Preferences, TextStream,
};
use candle_signature::remote::{Endpoint, RemoteBackend, RemoteConfig};
use clap::Args;

use crate::error::CliError;
use crate::model::ModelArgs;
use crate::out::Out;

#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub struct ServerArgs {
    /// Ask an OpenAI-compatible server instead, such as http://127.0.0.1:8000/v1; --model is then its name there. Several share
    /// the requests
    #[arg(long, value_name = "URL")]
    pub endpoint: Vec<String>,
    /// The key that the servers ask for
    #[arg(
        long,
        env = "OPENAI_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub endpoint_key: Option<String>,
}

/// A model in this process, or a server elsewhere.
pub enum Answering {
    Here(CandleAdapter),
    Elsewhere(RemoteBackend),
}

impl Answering {
    /// What was asked for.
    pub async fn new(
        server: &ServerArgs,
        model: &ModelArgs,
        config: CandleConfig,
        out: &Out,
    ) -> Result<Self, CliError> {
        if server.endpoint.is_empty() {
            let loaded = model.load(out).await?;
            return Ok(Answering::Here(CandleAdapter::from_loaded_model(
                loaded, config,
            )?));
        }
        let key = server.endpoint_key.as_deref().filter(|key| !key.is_empty());
        let endpoint = |url: &String| {
            let endpoint = Endpoint::new(url, model.model.as_str())?;
            match key {
                Some(key) => endpoint.with_api_key(key),
                None => Ok(endpoint),
            }
        };
        let endpoints = server
            .endpoint
            .iter()
            .map(endpoint)
            .collect::<Result<Vec<_>, _>>();
        let remote = endpoints
            .and_then(|endpoints| RemoteBackend::balanced(endpoints, RemoteConfig::default()));
        Ok(Answering::Elsewhere(
            remote.map_err(CandleAdapterError::from)?,
        ))
    }
}

impl Backend for Answering {
    async fn complete(&self, request: CompletionRequest) -> Result<Completion, CandleAdapterError> {
        match self {
            Answering::Here(adapter) => adapter.complete(request).await,
            Answering::Elsewhere(remote) => remote.complete(request).await,
        }
    }

    async fn stream(&self, request: CompletionRequest) -> TextStream {
        match self {
            Answering::Here(adapter) => adapter.stream(request).await,
            Answering::Elsewhere(remote) => remote.stream(request).await,
        }
    }

    fn preferences(&self) -> Preferences {
        match self {
            Answering::Here(adapter) => adapter.preferences(),
            Answering::Elsewhere(remote) => remote.preferences(),
        }
    }
}
