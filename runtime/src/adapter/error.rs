//! The one error type at the boundary.

use std::error::Error;
use std::fmt;
use std::ops::Deref;

use crate::engine::{EngineError, MaskError};
use crate::grammar::GrammarError;
use crate::parse::ParseError;

use super::ChatTemplateError;

/// Why a model could not be loaded, or a prediction not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CandleAdapterError {
    /// The engine failed while it computed a reply.
    #[error("inference failed: {0}")]
    InferenceFailed(#[source] ErrorText),
    /// The prompt could not be rendered or turned into tokens.
    #[error("tokenization failed: {0}")]
    TokenizationFailed(#[source] ErrorText),
    /// The prompt does not fit the context.
    #[error(
        "the prompt has {actual} tokens, but only {max} fit: shorten the inputs, use fewer demos, \
         or raise context_length (or max_cache_size, if set)"
    )]
    ContextTooLong {
        /// Tokens of the prompt.
        actual: usize,
        /// Tokens that fit.
        max: usize,
    },
    /// The signature can't be used as it is.
    #[error("signature: {0}")]
    SignatureError(#[source] ErrorText),
    /// The reply does not hold what the signature asks for. Carries the raw completion, what did parse, and
    /// each field's error.
    #[error("{0}")]
    ParseError(#[source] Box<ParseError>),
    /// A reply that could be read, but fails a check that it must pass.
    #[error("the reply fails {}: {}", if problems.len() == 1 { "a check" } else { "checks" }, problems.join("; "))]
    CheckFailed {
        /// The messages of the checks that it fails.
        problems: Vec<String>,
        /// The raw reply.
        completion: String,
    },
    /// A configuration that can't work.
    #[error("configuration: {0}")]
    ConfigError(#[source] ErrorText),
    /// A model could not be loaded.
    #[error("model load failed: {0}")]
    ModelLoadError(#[source] ErrorText),
}

/// Who is at fault for an error, and so what helps: another request, waiting, more time, or none of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// What was asked for can't be done: the same request fails again.
    Request,
    /// Too much is asked for at a time: the same request may succeed later.
    Busy,
    /// The deadline has passed.
    Deadline,
    /// Model or engine failed.
    Engine,
}

impl CandleAdapterError {
    /// Who is at fault.
    #[must_use]
    pub fn fault(&self) -> Fault {
        use CandleAdapterError as E;
        match self {
            E::InferenceFailed(text) => {
                text.fault.unwrap_or_else(|| match text.source.as_deref() {
                    Some(source) => source.downcast_ref().map_or(Fault::Engine, engine_fault),
                    None => Fault::Engine,
                })
            }
            E::TokenizationFailed(_)
            | E::ContextTooLong { .. }
            | E::SignatureError(_)
            | E::ConfigError(_) => Fault::Request,
            E::ParseError(_) | E::CheckFailed { .. } | E::ModelLoadError(_) => Fault::Engine,
        }
    }
}

fn engine_fault(error: &EngineError) -> Fault {
    match error {
        EngineError::QueueFull { .. } => Fault::Busy,
        EngineError::DeadlinePassed { .. } => Fault::Deadline,
        EngineError::Mask(MaskError::BudgetTooSmall { .. })
        | EngineError::EmptyPrompt
        | EngineError::TokenOutOfRange { .. }
        | EngineError::Sampling { .. }
        | EngineError::ContextTooLong { .. }
        | EngineError::CacheTooSmall { .. }
        | EngineError::Encode { .. } => Fault::Request,
        _ => Fault::Engine,
    }
}

/// A message, with the error that caused it where there is one.
///
/// Reads as a `str`; made of a `String`, a `&str` or an error.
#[derive(Debug)]
pub struct ErrorText {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    /// Said by a backend whose errors are not known here.
    fault: Option<Fault>,
}

impl ErrorText {
    /// The message of an error, which is kept as the source.
    pub fn caused_by(source: impl Error + Send + Sync + 'static) -> Self {
        ErrorText {
            message: source.to_string(),
            source: Some(Box::new(source)),
            fault: None,
        }
    }

    /// The same, with who is at fault: a backend of one's own says so what helps.
    #[must_use]
    pub fn by_fault_of(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// The error that caused it, if there is one.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }
}

impl Deref for ErrorText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ErrorText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A bare message has no source; one that was caused shows the cause's own sources.
impl Error for ErrorText {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

impl From<String> for ErrorText {
    fn from(message: String) -> Self {
        ErrorText {
            message,
            source: None,
            fault: None,
        }
    }
}

impl From<&str> for ErrorText {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

impl PartialEq<str> for ErrorText {
    fn eq(&self, other: &str) -> bool {
        self.message == other
    }
}

impl PartialEq<&str> for ErrorText {
    fn eq(&self, other: &&str) -> bool {
        self.message == *other
    }
}

impl From<ParseError> for CandleAdapterError {
    fn from(error: ParseError) -> Self {
        CandleAdapterError::ParseError(Box::new(error))
    }
}

impl From<ChatTemplateError> for CandleAdapterError {
    fn from(error: ChatTemplateError) -> Self {
        CandleAdapterError::TokenizationFailed(ErrorText::caused_by(error))
    }
}

/// A constraint that can't be kept is a fault of the signature.
impl From<GrammarError> for CandleAdapterError {
    fn from(error: GrammarError) -> Self {
        CandleAdapterError::SignatureError(ErrorText::caused_by(error))
    }
}

/// An error of a running engine; loading turns its own into [`CandleAdapterError::ModelLoadError`].
impl From<EngineError> for CandleAdapterError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::ContextTooLong { actual, max }
            | EngineError::CacheTooSmall { actual, max } => {
                CandleAdapterError::ContextTooLong { actual, max }
            }
            EngineError::Encode { .. } => {
                CandleAdapterError::TokenizationFailed(ErrorText::caused_by(error))
            }
            other => CandleAdapterError::InferenceFailed(ErrorText::caused_by(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_chain_is_kept() {
        let cause = EngineError::EmptyPrompt;
        let shown = cause.to_string();
        let error = anyhow_like(cause.into());
        assert_eq!(error.source().map(ToString::to_string), Some(shown.clone()));
        assert_eq!(error.to_string(), format!("inference failed: {shown}"));
        assert!(
            error
                .source()
                .and_then(Error::source)
                .is_some_and(<dyn Error>::is::<EngineError>)
        );
    }

    fn anyhow_like(error: CandleAdapterError) -> Box<dyn Error + Send + Sync> {
        Box::new(error)
    }

    #[test]
    fn a_message_reads_as_text() {
        let text = ErrorText::from("no such file");
        assert!(text == "no such file" && text.contains("file") && text.source().is_none());
        assert!(text == *"no such file" && text.cause().is_none());
        let caused = ErrorText::caused_by(EngineError::EmptyPrompt);
        assert!(
            caused
                .cause()
                .is_some_and(|cause| cause.is::<EngineError>())
        );
    }

    #[test]
    fn errors_of_the_parts_become_the_kind_that_tells_what_to_change() {
        for (error, shown) in [
            (
                EngineError::CacheTooSmall { actual: 9, max: 8 }.into(),
                "the prompt has 9 tokens, but only 8 fit: shorten the inputs, use fewer demos, or raise context_length (or max_cache_size, if set)",
            ),
            (
                EngineError::Encode {
                    problem: "no merges".into(),
                }
                .into(),
                "tokenization failed: cannot tokenize the text: no merges",
            ),
            (
                ChatTemplateError::NoFreeCharacter.into(),
                "tokenization failed: chat template: the messages use every private character of Unicode; remove some",
            ),
            (
                GrammarError::Compile("too large".into()).into(),
                "signature: the grammar does not compile: too large",
            ),
            (
                failed(vec!["too short".into()]),
                "the reply fails a check: too short",
            ),
            (
                failed(vec!["too short".into(), "no verb".into()]),
                "the reply fails checks: too short; no verb",
            ),
        ] {
            let error: CandleAdapterError = error;
            assert_eq!(error.to_string(), shown);
        }
    }

    fn failed(problems: Vec<String>) -> CandleAdapterError {
        CandleAdapterError::CheckFailed {
            problems,
            completion: String::new(),
        }
    }

    #[test]
    fn an_error_tells_who_is_at_fault() {
        use CandleAdapterError as E;
        let request = [
            EngineError::EmptyPrompt,
            EngineError::TokenOutOfRange {
                id: 9,
                vocab_size: 8,
            },
            EngineError::Sampling {
                parameter: "top_p",
                problem: "is above 1".into(),
            },
            EngineError::ContextTooLong { actual: 9, max: 8 },
            EngineError::Encode {
                problem: String::new(),
            },
            MaskError::BudgetTooSmall {
                needed: 9,
                budget: 8,
            }
            .into(),
        ];
        for error in request {
            assert_eq!(E::from(error).fault(), Fault::Request);
        }
        let late = EngineError::DeadlinePassed {
            waited: std::time::Duration::from_secs(1),
            tokens: Vec::new(),
        };
        let text = || ErrorText::from("why");
        for (error, fault) in [
            (E::from(EngineError::QueueFull { max: 1 }), Fault::Busy),
            (late.into(), Fault::Deadline),
            (
                EngineError::from(MaskError::Failed(String::new())).into(),
                Fault::Engine,
            ),
            (E::InferenceFailed(text()), Fault::Engine),
            (
                E::InferenceFailed(text().by_fault_of(Fault::Busy)),
                Fault::Busy,
            ),
            (
                E::InferenceFailed(ErrorText::caused_by(fmt::Error)),
                Fault::Engine,
            ),
            (E::TokenizationFailed(text()), Fault::Request),
            (E::SignatureError(text()), Fault::Request),
            (E::ConfigError(text()), Fault::Request),
            (E::ModelLoadError(text()), Fault::Engine),
            (failed(Vec::new()), Fault::Engine),
        ] {
            assert_eq!(error.fault(), fault, "{error}");
        }
    }
}
