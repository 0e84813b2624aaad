//! Helpers shared by the integration tests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use candle_signature::adapter::{
    Backend, CandleAdapterError, Completion, CompletionRequest, Finish, TextPiece, TextStream,
    Usage,
};
use futures::StreamExt as _;

/// A backend whose replies were written beforehand: for what a program does with replies that no model gives on command.
#[derive(Debug, Default)]
pub struct Script {
    replies: Mutex<Vec<&'static str>>,
    requests: Mutex<Vec<CompletionRequest>>,
}

impl Script {
    /// A backend that gives these replies, in order. Each costs 10 prompt and 5 completion tokens.
    #[must_use]
    pub fn new(replies: &[&'static str]) -> Self {
        let replies = Mutex::new(replies.iter().rev().copied().collect());
        Script {
            replies,
            requests: Mutex::default(),
        }
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<CompletionRequest> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The last message of the last request.
    #[must_use]
    pub fn last_prompt(&self) -> String {
        let requests = self.requests();
        let last = requests.last().and_then(|request| request.messages.last());
        last.map(|message| message.content.clone())
            .unwrap_or_default()
    }
}

impl Backend for Script {
    async fn complete(&self, request: CompletionRequest) -> Result<Completion, CandleAdapterError> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request);
        let reply = self
            .replies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let usage = Usage {
            prompt_tokens: 10,
            completion_tokens: 5,
            ..Usage::default()
        };
        reply
            .map(|reply| Completion::new(reply, usage, Finish::Stop))
            .ok_or_else(|| {
                CandleAdapterError::InferenceFailed("the script has no reply left".into())
            })
    }
}

/// A backend that streams the replies of a script in pieces.
#[derive(Debug)]
pub struct Pieces {
    script: Script,
    size: usize,
    taken: Arc<AtomicUsize>,
}

impl Pieces {
    /// A backend that streams these replies in pieces of so many characters.
    #[must_use]
    pub fn new(replies: &[&'static str], size: usize) -> Self {
        Pieces {
            script: Script::new(replies),
            size: size.max(1),
            taken: Arc::default(),
        }
    }

    /// How many pieces were taken so far.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Backend for Pieces {
    async fn complete(&self, request: CompletionRequest) -> Result<Completion, CandleAdapterError> {
        self.script.complete(request).await
    }

    async fn stream(&self, request: CompletionRequest) -> TextStream {
        let completion = match self.complete(request).await {
            Ok(completion) => completion,
            Err(error) => return TextStream::whole(Err(error)),
        };
        let characters: Vec<char> = completion.text.chars().collect();
        let pieces = characters
            .chunks(self.size)
            .map(|piece| piece.iter().collect());
        let mut pieces: Vec<_> = pieces.map(TextPiece::Text).collect();
        pieces.push(TextPiece::End(completion));
        let taken = Arc::clone(&self.taken);
        TextStream::new(futures::stream::iter(pieces).map(move |piece| {
            taken.fetch_add(1, Ordering::Relaxed);
            Ok(piece)
        }))
    }
}
