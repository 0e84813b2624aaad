//! Text while it is generated.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::sync::mpsc::Receiver;

use crate::engine::{DecodeStream, EngineError, Generation, StreamedToken, TokenId, Tokenizer};

use super::tokens::top_tokens;
use super::{CandleAdapterError, Completion, CompletionToken};

/// Text while it is generated: whole characters, in order; an error is the last item.
///
/// Reading slowly holds up this generation alone, dropping it cancels it.
pub struct TextStream {
    pieces: Pin<Box<dyn Stream<Item = Result<TextPiece, CandleAdapterError>> + Send>>,
    /// Tokens of text that was delivered, until somebody asks.
    tokens: Vec<CompletionToken>,
    completion: Option<Completion>,
    ended: bool,
}

/// What a backend tells while it generates.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TextPiece {
    /// More of the text.
    Text(String),
    /// A token of the text that the next pieces complete, with its log-probability.
    Token(CompletionToken),
    /// The end. The text of the completion is that of all pieces, joined.
    End(Completion),
}

impl TextStream {
    /// A stream of a backend's own. Nothing is read after an end or an error.
    #[must_use]
    pub fn new(
        pieces: impl Stream<Item = Result<TextPiece, CandleAdapterError>> + Send + 'static,
    ) -> Self {
        TextStream {
            pieces: Box::pin(pieces),
            tokens: Vec::new(),
            completion: None,
            ended: false,
        }
    }

    /// A reply that comes in one piece.
    #[must_use]
    pub fn whole(reply: Result<Completion, CandleAdapterError>) -> Self {
        let pieces = match reply {
            Ok(completion) => vec![
                Ok(TextPiece::Text(completion.text.clone())),
                Ok(TextPiece::End(completion)),
            ],
            Err(error) => vec![Err(error)],
        };
        TextStream::new(futures_util::stream::iter(pieces))
    }

    /// A stream whose only item is an error.
    pub(super) fn failed(error: CandleAdapterError) -> Self {
        TextStream::whole(Err(error))
    }

    /// The text of a generation whose tokens come in while it runs.
    pub(super) fn generated(
        tokens: Receiver<StreamedToken>,
        tokenizer: &Arc<Tokenizer>,
        running: impl Future<Output = Result<Generation, EngineError>> + Send + 'static,
        finish: impl FnOnce(&Generation) -> Completion + Send + 'static,
    ) -> Self {
        TextStream::new(Generated {
            tokens,
            running: Some(Box::pin(running)),
            decoder: Some(tokenizer.decode_stream()),
            tokenizer: Arc::clone(tokenizer),
            pieces: VecDeque::new(),
            received: 0,
            finish: Some(Box::new(finish)),
            completion: None,
        })
    }

    /// The whole completion with its usage, once the stream has ended without an error.
    #[must_use]
    pub fn completion(&self) -> Option<&Completion> {
        self.completion.as_ref()
    }

    /// The tokens of the text delivered so far that were not taken before: their bytes add up to the text's. Without
    /// the last ones, which came only with the end; all are in the completion. None from a backend that does not tell.
    pub fn take_tokens(&mut self) -> Vec<CompletionToken> {
        std::mem::take(&mut self.tokens)
    }

    /// The whole completion, without a copy of it.
    pub(crate) fn take_completion(&mut self) -> Option<Completion> {
        self.completion.take()
    }
}

impl Stream for TextStream {
    type Item = Result<String, CandleAdapterError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while !self.ended {
            match ready!(self.pieces.as_mut().poll_next(context)) {
                Some(Ok(TextPiece::Text(text))) if text.is_empty() => {}
                Some(Ok(TextPiece::Text(text))) => return Poll::Ready(Some(Ok(text))),
                Some(Ok(TextPiece::Token(token))) => self.tokens.push(token),
                Some(Ok(TextPiece::End(completion))) => {
                    self.completion = Some(completion);
                    self.ended = true;
                }
                Some(Err(error)) => {
                    self.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => self.ended = true,
            }
        }
        Poll::Ready(None)
    }
}

impl fmt::Debug for TextStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextStream")
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

type Running = Pin<Box<dyn Future<Output = Result<Generation, EngineError>> + Send>>;

type Finisher = Box<dyn FnOnce(&Generation) -> Completion + Send>;

/// A generation of our own engine.
struct Generated {
    tokens: Receiver<StreamedToken>,
    tokenizer: Arc<Tokenizer>,
    running: Option<Running>,
    decoder: Option<DecodeStream>,
    /// What was decoded and not delivered yet.
    pieces: VecDeque<TextPiece>,
    received: usize,
    finish: Option<Finisher>,
    completion: Option<Completion>,
}

impl Generated {
    fn decode(&mut self, token: TokenId) -> String {
        self.received += 1;
        self.decoder
            .as_mut()
            .map(|decoder| decoder.push(token))
            .unwrap_or_default()
    }

    fn receive(&mut self, token: StreamedToken) {
        let text = self.decode(token.id);
        self.pieces.push_back(TextPiece::Token(CompletionToken {
            top: top_tokens(&self.tokenizer, &token.top),
            ..CompletionToken::new(text.len(), token.logprob)
        }));
        if !text.is_empty() {
            self.pieces.push_back(TextPiece::Text(text));
        }
    }

    /// The end: tokens that came only with it, and what was incomplete.
    fn end(&mut self, generation: &Generation) -> String {
        let late = generation.tokens.get(self.received..).unwrap_or_default();
        let mut text: String = late.iter().map(|token| self.decode(*token)).collect();
        let rest = self.decoder.take().map(DecodeStream::finish);
        text.push_str(&rest.unwrap_or_default());
        self.completion = self.finish.take().map(|finish| finish(generation));
        text
    }
}

impl Stream for Generated {
    type Item = Result<TextPiece, CandleAdapterError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                return Poll::Ready(Some(Ok(piece)));
            }
            if let Some(completion) = self.completion.take() {
                return Poll::Ready(Some(Ok(TextPiece::End(completion))));
            }
            match ready!(self.tokens.poll_recv(context)) {
                Some(token) => self.receive(token),
                None => break,
            }
        }
        let Some(running) = &mut self.running else {
            return Poll::Ready(None);
        };
        let result = ready!(running.as_mut().poll(context));
        self.running = None;
        Poll::Ready(Some(match result {
            Ok(generation) => Ok(TextPiece::Text(self.end(&generation))),
            Err(error) => Err(error.into()),
        }))
    }
}
