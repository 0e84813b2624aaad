//! The trait behind which an engine sits: this machine's, or a remote one.

use std::future::Future;

use serde::{Deserialize, Serialize};

use crate::engine::Timings;
use crate::grammar::Constraint;
use crate::prompt::Message;
use crate::signature::PromptFormat;

use super::{CandleAdapterError, History, Overrides, TextStream};

/// Whatever turns messages into a reply.
pub trait Backend: Send + Sync {
    /// Generates the reply to a conversation.
    fn complete(
        &self,
        request: CompletionRequest,
    ) -> impl Future<Output = Result<Completion, CandleAdapterError>> + Send;

    /// The same, as text while it is generated. A backend that can't do so gives the reply in one piece at its end.
    fn stream(&self, request: CompletionRequest) -> impl Future<Output = TextStream> + Send {
        async { TextStream::whole(self.complete(request).await) }
    }

    /// What a program should know of the backend before it asks. By default nothing: a program does as its signature says.
    fn preferences(&self) -> Preferences {
        Preferences::default()
    }

    /// Where programs put what they predicted with this backend. By default nowhere.
    fn history(&self) -> Option<&History> {
        None
    }
}

/// What a backend would rather be asked than what the signature says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Preferences {
    /// The layout of prompt and reply; none for the signature's own. A server that holds replies to a JSON schema wants JSON.
    pub format: Option<PromptFormat>,
    /// How often a program that has no checks asks again for a reply that can't be read. A backend that holds replies to a
    /// grammar needs none.
    pub parse_retries: usize,
}

impl Preferences {
    /// These, with another layout.
    #[must_use]
    pub fn with_format(mut self, format: Option<PromptFormat>) -> Self {
        self.format = format;
        self
    }

    /// These, with another number of retries.
    #[must_use]
    pub fn with_parse_retries(mut self, retries: usize) -> Self {
        self.parse_retries = retries;
        self
    }
}

/// What a backend is asked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CompletionRequest {
    /// The conversation; its last message is the user's.
    pub messages: Vec<Message>,
    /// What the reply is held to, by backends that can and are not told otherwise by their configuration.
    pub constraint: Option<Constraint>,
    /// What this call changes of the backend's configuration.
    pub overrides: Overrides,
}

impl CompletionRequest {
    /// A request for the reply to these messages.
    #[must_use]
    pub fn new(messages: Vec<Message>) -> Self {
        CompletionRequest {
            messages,
            constraint: None,
            overrides: Overrides::default(),
        }
    }

    /// Holds the reply to a grammar.
    #[must_use]
    pub fn held_to(mut self, constraint: Constraint) -> Self {
        self.constraint = Some(constraint);
        self
    }

    /// Changes the backend's configuration for this call.
    #[must_use]
    pub fn with_overrides(mut self, overrides: Overrides) -> Self {
        self.overrides = overrides;
        self
    }
}

/// What a backend answers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Completion {
    /// The reply, without control tokens.
    pub text: String,
    /// Tokens read and written.
    pub usage: Usage,
    /// Why the reply ended.
    pub finish: Finish,
    /// Tokens of the completion that a grammar forced, so that the model did not have to choose them.
    pub forced_tokens: usize,
    /// Byte of the text from which on the grammar ended the reply, because no more tokens were allowed.
    pub closed_at: Option<usize>,
    /// Whether the reply was held to a grammar.
    pub constrained: bool,
    /// The tokens of the text, in order; empty where the backend does not tell.
    pub tokens: Vec<CompletionToken>,
    /// Where the time went; none where the backend does not tell.
    pub timings: Option<Timings>,
    /// How often the backend had to send the request again before it got this reply.
    pub resends: usize,
}

/// A token of a reply.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CompletionToken {
    /// Bytes of the text that it completes: 0 for a token that is only the beginning of a character.
    pub bytes: usize,
    /// The natural logarithm of its probability by the model alone: over the whole vocabulary, before grammar, penalties,
    /// temperature and filters. None for a token that the grammar forced, and where the backend does
    /// not tell.
    pub logprob: Option<f32>,
    /// The likeliest tokens in its place, the likeliest first: as many as
    /// [`CandleConfig::top_logprobs`](super::CandleConfig::top_logprobs) asks for, and none where there is no
    /// log-probability.
    pub top: Vec<TopToken>,
}

/// A token that might have been chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct TopToken {
    /// Its bytes; they need not be whole characters. A control token's are its name.
    pub bytes: Vec<u8>,
    /// As [`CompletionToken::logprob`].
    pub logprob: f32,
}

impl CompletionToken {
    /// A token that completes so many bytes.
    #[must_use]
    pub fn new(bytes: usize, logprob: Option<f32>) -> Self {
        CompletionToken {
            bytes,
            logprob,
            top: Vec::new(),
        }
    }
}

impl Completion {
    /// A reply.
    #[must_use]
    pub fn new(text: impl Into<String>, usage: Usage, finish: Finish) -> Self {
        Completion {
            text: text.into(),
            usage,
            finish,
            forced_tokens: 0,
            closed_at: None,
            constrained: false,
            tokens: Vec::new(),
            timings: None,
            resends: 0,
        }
    }
}

/// Tokens of one prediction, or of several added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Those of them that did not have to be computed, because an earlier prompt began alike.
    #[serde(default)]
    pub cached_tokens: usize,
    /// Tokens generated.
    pub completion_tokens: usize,
}

impl Usage {
    /// Prompt and completion together.
    #[must_use]
    pub fn total_tokens(self) -> usize {
        self.prompt_tokens + self.completion_tokens
    }
}

impl std::ops::Add for Usage {
    type Output = Usage;

    fn add(self, other: Usage) -> Usage {
        Usage {
            prompt_tokens: self.prompt_tokens + other.prompt_tokens,
            cached_tokens: self.cached_tokens + other.cached_tokens,
            completion_tokens: self.completion_tokens + other.completion_tokens,
        }
    }
}

/// Why a reply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finish {
    /// The model ended it.
    Stop,
    /// `max_tokens`, the context or the cache was used up.
    Length,
}
