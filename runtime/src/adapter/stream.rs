//! Text while it is generated.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::sync::mpsc::{Receiver, channel};

use crate::engine::{DecodeStream, EngineError, Generation, TokenId};

use super::{CandleAdapterError, Completion};

type Running = Pin<Box<dyn Future<Output = Result<Generation, EngineError>> + Send>>;

type Finisher = Box<dyn Fn(&Generation) -> Completion + Send + Sync>;

/// Text while it is generated: whole characters, in order; an error is the last item.
///
/// Reading slowly holds up this generation alone, dropping it cancels it.
pub struct TextStream {
    tokens: Receiver<TokenId>,
    running: Option<Running>,
    decoder: Option<DecodeStream>,
    received: usize,
    finish: Option<Finisher>,
    completion: Option<Completion>,
    failed: Option<CandleAdapterError>,
}

impl TextStream {
    /// A stream whose only item is an error.
    pub(super) fn failed(error: CandleAdapterError) -> Self {
        TextStream {
            tokens: channel(1).1,
            running: None,
            decoder: None,
            received: 0,
            finish: None,
            completion: None,
            failed: Some(error),
        }
    }

    pub(super) fn new(
        tokens: Receiver<TokenId>,
        running: impl Future<Output = Result<Generation, EngineError>> + Send + 'static,
        decoder: DecodeStream,
        finish: impl Fn(&Generation) -> Completion + Send + Sync + 'static,
    ) -> Self {
        TextStream {
            tokens,
            running: Some(Box::pin(running)),
            decoder: Some(decoder),
            received: 0,
            finish: Some(Box::new(finish)),
            completion: None,
            failed: None,
        }
    }

    /// The whole completion with its usage, once the stream has ended without an error.
    #[must_use]
    pub fn completion(&self) -> Option<&Completion> {
        self.completion.as_ref()
    }

    fn decode(&mut self, tokens: &[TokenId]) -> String {
        self.received += tokens.len();
        let Some(decoder) = &mut self.decoder else {
            return String::new();
        };
        tokens.iter().map(|token| decoder.push(*token)).collect()
    }

    /// The end: tokens that came only with it, and what was incomplete.
    fn end(&mut self, generation: &Generation) -> String {
        let rest = generation
            .tokens
            .get(self.received..)
            .unwrap_or_default()
            .to_vec();
        let mut text = self.decode(&rest);
        text.push_str(
            &self
                .decoder
                .take()
                .map(DecodeStream::finish)
                .unwrap_or_default(),
        );
        self.completion = self.finish.take().map(|finish| finish(generation));
        text
    }
}

impl Stream for TextStream {
    type Item = Result<String, CandleAdapterError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Some(Err(error)));
        }
        while let Some(token) = ready!(self.tokens.poll_recv(context)) {
            let text = self.decode(&[token]);
            if !text.is_empty() {
                return Poll::Ready(Some(Ok(text)));
            }
        }
        let Some(running) = &mut self.running else {
            return Poll::Ready(None);
        };
        let result = ready!(running.as_mut().poll(context));
        self.running = None;
        Poll::Ready(match result {
            Ok(generation) => Some(self.end(&generation))
                .filter(|text| !text.is_empty())
                .map(Ok),
            Err(error) => Some(Err(error.into())),
        })
    }
}

impl fmt::Debug for TextStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextStream")
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}
