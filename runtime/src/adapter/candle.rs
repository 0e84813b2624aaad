//! A loaded model with a configuration: messages in, text out.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::engine::{
    CacheStats, FinishReason, GenerateRequest, Generation, PinnedPrefix, SamplingParams, TokenId,
    Tokenizer,
};
use crate::grammar::{Constraint, Grammar};
use crate::prompt::Message;

use super::chat_template::ChatTemplate;
use super::error::ErrorText;
use super::limits::{refuse, suits_model};
use super::thread::on_a_thread;
use super::tokens::completion_tokens;
use super::{
    Backend, CandleAdapterError, CandleConfig, Completion, CompletionRequest, Finish, History,
    LoadedModel, TextStream, Usage,
};

/// A loaded model with a configuration. Cheap to clone; many adapters can share one model.
#[derive(Debug, Clone)]
pub struct CandleAdapter {
    model: Arc<LoadedModel>,
    config: Arc<CandleConfig>,
    template: Arc<ChatTemplate>,
    stop_tokens: Arc<[TokenId]>,
    history: Option<History>,
}

impl CandleAdapter {
    /// Joins a model and a configuration.
    ///
    /// # Errors
    /// [`CandleAdapterError::ConfigError`] if the configuration can't work, by itself or with this model.
    pub fn from_loaded_model(
        model: Arc<LoadedModel>,
        config: CandleConfig,
    ) -> Result<Self, CandleAdapterError> {
        Self::join(model, config, None)
    }

    /// The same model with another configuration. Cheap: a chat template that stays the same is not compiled again.
    ///
    /// # Errors
    /// As [`CandleAdapter::from_loaded_model`].
    pub fn with_config(&self, config: CandleConfig) -> Result<Self, CandleAdapterError> {
        let same = config.chat_template == self.config.chat_template;
        let template = same.then(|| Arc::clone(&self.template));
        let adapter = Self::join(Arc::clone(&self.model), config, template)?;
        Ok(CandleAdapter {
            history: self.history.clone(),
            ..adapter
        })
    }

    fn join(
        model: Arc<LoadedModel>,
        config: CandleConfig,
        template: Option<Arc<ChatTemplate>>,
    ) -> Result<Self, CandleAdapterError> {
        config.validate()?;
        let inner = model.engine().model();
        suits_model(&config, inner.config())?;
        let tokenizer = inner.tokenizer();
        let mut stop_tokens = inner.end_tokens().to_vec();
        for text in &config.chat_stop_tokens {
            let token = tokenizer.control_token(text).ok_or_else(|| {
                refuse(format!(
                    "chat_stop_tokens: `{text}` is no control token of this model; it has {}",
                    tokenizer
                        .control_tokens()
                        .map(|(text, _)| format!("`{text}`"))
                        .collect::<Vec<_>>()
                        .join(", ")
                ))
            })?;
            stop_tokens.push(token);
        }
        let template = match template {
            Some(template) => template,
            None => {
                let source = config.chat_template.as_deref();
                let source = source.unwrap_or(model.chat_template());
                let control = tokenizer.control_tokens().map(|(text, _)| text);
                let template = ChatTemplate::new(source, control).map_err(|error| {
                    CandleAdapterError::ConfigError(ErrorText::caused_by(error))
                })?;
                Arc::new(template)
            }
        };
        Ok(CandleAdapter {
            config: Arc::new(config),
            template,
            stop_tokens: stop_tokens.into(),
            model,
            history: None,
        })
    }

    /// The same, and what programs predict with it is put into this history.
    #[must_use]
    pub fn with_history(mut self, history: &History) -> Self {
        self.history = Some(history.clone());
        self
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &CandleConfig {
        &self.config
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Arc<LoadedModel> {
        &self.model
    }

    pub(super) fn template(&self) -> &ChatTemplate {
        &self.template
    }

    pub(super) fn tokenizer(&self) -> &Arc<Tokenizer> {
        self.model.engine().model().tokenizer()
    }

    /// What the model's KV cache holds and has saved, for all adapters of the model together.
    #[must_use]
    pub fn cache_stats(&self) -> CacheStats {
        self.model.engine().stats().cache
    }

    /// Continues a plain text, without a chat template: the text, and the tokens of prompt and completion.
    ///
    /// Control tokens are not read out of the prompt; to chat, send messages through [`Backend::complete`].
    ///
    /// # Errors
    /// If the prompt is empty, does not fit, or the engine fails.
    pub async fn generate(
        &self,
        prompt: &str,
    ) -> Result<(String, usize, usize), CandleAdapterError> {
        let tokens = self
            .model
            .engine()
            .model()
            .tokenizer()
            .encode_text(prompt)?;
        let completion = self.run(&self.config, tokens, None).await?;
        let Usage {
            prompt_tokens,
            completion_tokens,
            ..
        } = completion.usage;
        Ok((completion.text, prompt_tokens, completion_tokens))
    }

    /// Continues a plain text by a reply that is held to a constraint, whatever the configuration says.
    ///
    /// # Errors
    /// As [`CandleAdapter::generate`], and if the constraint does not compile or no reply fits `max_tokens`.
    pub async fn generate_with(
        &self,
        prompt: &str,
        constraint: &Constraint,
    ) -> Result<Completion, CandleAdapterError> {
        let tokens = self
            .model
            .engine()
            .model()
            .tokenizer()
            .encode_text(prompt)?;
        let grammar = self.compile(constraint).await?;
        self.run(&self.config, tokens, Some(grammar)).await
    }

    /// Compiles a constraint, on a thread of its own if it is new: that takes milliseconds.
    pub(super) async fn compile(
        &self,
        constraint: &Constraint,
    ) -> Result<Grammar, CandleAdapterError> {
        let grammars = self.model.grammars();
        if let Some(grammar) = grammars.compiled(constraint) {
            return Ok(grammar);
        }
        let (grammars, constraint) = (Arc::clone(grammars), constraint.clone());
        Ok(on_a_thread("candle-signature-grammar", move || {
            grammars.compile(&constraint)
        })
        .await??)
    }

    /// The tokens of a conversation, as the model gets them.
    ///
    /// # Errors
    /// [`CandleAdapterError::TokenizationFailed`] if the chat template refuses the messages.
    pub fn prompt_tokens(&self, messages: &[Message]) -> Result<Vec<TokenId>, CandleAdapterError> {
        self.tokens_of(messages, true)
    }

    /// The tokens of messages, with the opening of the reply after them if that is asked for.
    fn tokens_of(
        &self,
        messages: &[Message],
        opening: bool,
    ) -> Result<Vec<TokenId>, CandleAdapterError> {
        let json = serde_json::to_value(messages)
            .map_err(|error| CandleAdapterError::TokenizationFailed(ErrorText::caused_by(error)))?;
        self.rendered(&json, None, opening)
    }

    /// Keeps the beginning of conversations in the KV cache, for as long as what it gives is held: a system message, or
    /// the system message and demos of a signature, which are its messages but the last.
    ///
    /// # Errors
    /// As [`Backend::complete`].
    pub async fn pin(&self, beginning: &[Message]) -> Result<PinnedPrefix, CandleAdapterError> {
        let tokens = self.tokens_of(beginning, false)?;
        Ok(self.model.engine().pin(tokens).await?)
    }

    /// Continues a plain text and delivers the text while it is generated, if the configuration enables
    /// streaming; otherwise in one piece at its end. Whatever goes wrong is said in the stream.
    #[must_use]
    pub fn generate_stream(&self, prompt: &str) -> TextStream {
        match self.model.engine().model().tokenizer().encode_text(prompt) {
            Ok(tokens) => self.text_stream(&self.config, tokens, None),
            Err(error) => TextStream::failed(error.into()),
        }
    }

    /// The reply to a conversation, delivered as [`CandleAdapter::generate_stream`] does.
    pub async fn complete_stream(&self, request: CompletionRequest) -> TextStream {
        match self.prepared(&request).await {
            Ok((config, prompt, grammar)) => self.text_stream(&config, prompt, grammar),
            Err(error) => TextStream::failed(error),
        }
    }

    /// What a call runs with: its configuration, the prompt's tokens, and the grammar if it is held to one.
    async fn prepared(
        &self,
        request: &CompletionRequest,
    ) -> Result<(Cow<'_, CandleConfig>, Vec<TokenId>, Option<Grammar>), CandleAdapterError> {
        let config = request.overrides.applied_to(&self.config)?;
        if let Cow::Owned(config) = &config {
            suits_model(config, self.model.engine().model().config())?;
        }
        let prompt = self.prompt_tokens(&request.messages)?;
        Ok((config, prompt, self.grammar_of(request).await?))
    }

    fn text_stream(
        &self,
        config: &CandleConfig,
        prompt: Vec<TokenId>,
        grammar: Option<Grammar>,
    ) -> TextStream {
        let engine = self.model.engine();
        let (sender, receiver) = mpsc::channel(config.stream_buffer_size);
        let stream = config.enable_streaming.then_some(sender);
        let constrained = grammar.is_some();
        let request = GenerateRequest {
            stream,
            ..self.request(config, prompt, grammar)
        };
        let model = Arc::clone(&self.model);
        let finish = move |generation: &Generation| completion(&model, generation, constrained);
        let tokenizer = engine.model().tokenizer();
        TextStream::generated(receiver, tokenizer, engine.generate(request), finish)
    }

    async fn run(
        &self,
        config: &CandleConfig,
        prompt: Vec<TokenId>,
        grammar: Option<Grammar>,
    ) -> Result<Completion, CandleAdapterError> {
        let constrained = grammar.is_some();
        let request = self.request(config, prompt, grammar);
        let generation = self.model.engine().generate(request).await?;
        Ok(completion(&self.model, &generation, constrained))
    }

    async fn grammar_of(
        &self,
        request: &CompletionRequest,
    ) -> Result<Option<Grammar>, CandleAdapterError> {
        match &request.constraint {
            Some(constraint) if self.config.constrain_output => {
                self.compile(constraint).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    pub(super) fn request(
        &self,
        config: &CandleConfig,
        prompt: Vec<TokenId>,
        grammar: Option<Grammar>,
    ) -> GenerateRequest {
        GenerateRequest {
            prompt,
            max_tokens: config.max_tokens,
            sampling: SamplingParams {
                temperature: config.temperature,
                top_k: config.top_k,
                top_p: config.top_p,
                min_p: config.min_p,
                repetition_penalty: config.repetition_penalty,
                presence_penalty: config.presence_penalty,
                frequency_penalty: config.frequency_penalty,
                logit_bias: config
                    .logit_bias
                    .iter()
                    .map(|(id, bias)| (TokenId(*id), *bias))
                    .collect(),
                seed: Some(config.seed),
            },
            stop_tokens: self.stop_tokens.to_vec(),
            context_length: config.context_length.unwrap_or(usize::MAX),
            use_kv_cache: config.enable_kv_cache,
            max_cache_tokens: config.max_cache_size,
            all_logits: config.log_probabilities,
            prompt_lookup: config.prompt_lookup,
            batch_size: config.batch_size,
            batch_wait: Duration::from_millis(config.batch_timeout_ms),
            top_logprobs: config.top_logprobs,
            // A time beyond what the clock can say is as good as none.
            deadline: config
                .timeout_ms
                .and_then(|ms| Instant::now().checked_add(Duration::from_millis(ms))),
            mask: grammar.map(|grammar| grammar.mask()),
            stream: None,
        }
    }
}

/// A generation as text, with true counts.
fn completion(model: &LoadedModel, generation: &Generation, constrained: bool) -> Completion {
    let tokenizer = model.engine().model().tokenizer();
    let usage = Usage {
        prompt_tokens: generation.prompt_tokens,
        cached_tokens: generation.cached_tokens,
        completion_tokens: generation.completion_tokens,
    };
    let finish = match generation.finish {
        FinishReason::Stop => Finish::Stop,
        FinishReason::Length => Finish::Length,
    };
    let closed_at = generation
        .closed_at
        .map(|at| tokenizer.decode(&generation.tokens[..at]).len());
    Completion {
        forced_tokens: generation.forced_tokens,
        closed_at,
        constrained,
        tokens: completion_tokens(tokenizer, generation),
        timings: Some(generation.timings),
        ..Completion::new(tokenizer.decode(&generation.tokens), usage, finish)
    }
}

impl Backend for CandleAdapter {
    async fn complete(&self, request: CompletionRequest) -> Result<Completion, CandleAdapterError> {
        let (config, prompt, grammar) = self.prepared(&request).await?;
        self.run(&config, prompt, grammar).await
    }

    async fn stream(&self, request: CompletionRequest) -> TextStream {
        self.complete_stream(request).await
    }

    fn history(&self) -> Option<&History> {
        self.history.as_ref()
    }
}
