//! Helpers shared by the integration tests.

use std::sync::{Mutex, PoisonError};

use candle_signature::adapter::{
    Backend, CandleAdapterError, Completion, CompletionRequest, Finish, Usage,
};

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
        };
        reply
            .map(|reply| Completion::new(reply, usage, Finish::Stop))
            .ok_or_else(|| {
                CandleAdapterError::InferenceFailed("the script has no reply left".into())
            })
    }
}
