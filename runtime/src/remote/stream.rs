//! A reply that comes as events.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::Value as Json;

use crate::adapter::{
    CandleAdapterError, Completion, CompletionToken, Finish, TextPiece, TextStream, Timings, Usage,
};

use super::RemoteError;
use super::http::{Bounds, read};
use super::lease::Lease;
use super::refusal::{excerpt, refusal_within};
use super::reply::{finish, tokens, usage, whole};
use super::sse::{BadEvents, Events};

/// A reply while it comes. Dropping it closes the connection, by which the server learns that nobody waits.
pub(super) struct Reading {
    response: Response,
    lease: Lease,
    bounds: Bounds,
    events: Events,
    /// What was read and not yet told.
    pieces: VecDeque<TextPiece>,
    text: String,
    tokens: Vec<CompletionToken>,
    /// Their bytes together.
    token_bytes: usize,
    /// How many of them were told.
    told: usize,
    usage: Usage,
    finish: Option<Finish>,
    bytes: usize,
    first_text: Option<Instant>,
    ended: bool,
    facts: Facts,
}

/// What is known of a reply before it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub constrained: bool,
    pub resends: usize,
    /// How long the request waited for a place.
    pub queued: Duration,
}

impl Reading {
    pub fn new(response: Response, lease: Lease, bounds: Bounds, facts: Facts) -> Self {
        Reading {
            response,
            lease,
            bounds,
            events: Events::default(),
            pieces: VecDeque::new(),
            text: String::new(),
            tokens: Vec::new(),
            token_bytes: 0,
            told: 0,
            usage: Usage::default(),
            finish: None,
            bytes: 0,
            first_text: None,
            ended: false,
            facts,
        }
    }

    /// Reads up to the first text: until then nothing was delivered, and the request may be sent again.
    pub async fn begin(&mut self) -> Result<(), RemoteError> {
        while self.pieces.is_empty() && !self.ended {
            self.advance()
                .await
                .inspect_err(|error| self.lease.fail(error))?;
        }
        Ok(())
    }

    /// All of it.
    pub async fn whole(mut self) -> Result<Completion, RemoteError> {
        loop {
            match self.next().await {
                Ok(TextPiece::End(completion)) => return Ok(completion),
                Ok(_) => {}
                Err(error) => {
                    self.lease.fail(&error);
                    return Err(error);
                }
            }
        }
    }

    /// The rest of it as a stream.
    pub fn into_stream(self) -> TextStream {
        let pieces = futures_util::stream::unfold(Some(Box::new(self)), |reading| async move {
            let mut reading = reading?;
            match reading.next().await {
                Ok(TextPiece::End(completion)) => Some((Ok(TextPiece::End(completion)), None)),
                Ok(piece) => Some((Ok(piece), Some(reading))),
                Err(error) => {
                    reading.lease.fail(&error);
                    Some((Err(CandleAdapterError::from(error)), None))
                }
            }
        });
        TextStream::new(pieces)
    }

    async fn next(&mut self) -> Result<TextPiece, RemoteError> {
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                return Ok(piece);
            }
            if self.ended {
                return Ok(TextPiece::End(self.completion()));
            }
            self.advance().await?;
        }
    }

    /// Takes in the next bytes.
    async fn advance(&mut self) -> Result<(), RemoteError> {
        let endpoint = &self.lease.slot().endpoint;
        let chunk = read(endpoint, &mut self.response, self.bounds).await?;
        let events = match &chunk {
            Some(chunk) => {
                self.bytes += chunk.len();
                // Every event of a token carries some hundred bytes around it.
                let most = self.bounds.most_bytes.saturating_mul(64);
                if self.bytes > most {
                    return Err(self.too_long("a stream", most));
                }
                self.events.feed(chunk)
            }
            None => self
                .events
                .finish()
                .map(|event| event.into_iter().collect()),
        };
        let events = events.map_err(|bad| match bad {
            BadEvents::TooLong(most) => self.too_long("one event", most),
            BadEvents::NoText => self.bad("an event is no UTF-8".into()),
        })?;
        for event in events {
            if self.ended {
                break;
            }
            self.take(&event)?;
        }
        if chunk.is_none() && !self.ended {
            // Some servers end without their mark; a reply without a reason to end was cut.
            if self.finish.is_none() {
                return Err(RemoteError::Broken {
                    endpoint: self.lease.slot().endpoint.base_url().to_owned(),
                    problem: "the stream ended before the reply did".into(),
                });
            }
            self.ended = true;
        }
        Ok(())
    }

    fn take(&mut self, event: &str) -> Result<(), RemoteError> {
        if event.trim() == "[DONE]" {
            self.ended = true;
            return Ok(());
        }
        let json: Json = serde_json::from_str(event).map_err(|error| {
            let shown = excerpt(event, 80);
            self.bad(format!("an event is no JSON ({error}): {shown:?}"))
        })?;
        let endpoint = &self.lease.slot().endpoint;
        if let Some(error) = refusal_within(endpoint, &json) {
            return Err(error);
        }
        if !json.is_object() {
            return Err(self.bad(format!("an event is no object: {:?}", excerpt(event, 80))));
        }
        if let Some(usage) = usage(&json["usage"]) {
            self.usage = usage;
        }
        let Some(choice) = json["choices"].get(0) else {
            return Ok(());
        };
        if let Some(finish) = finish(endpoint, &choice["finish_reason"])? {
            self.finish = Some(finish);
        }
        let tokens = tokens(&choice["logprobs"]);
        if let Some(text) = choice["delta"]["content"].as_str() {
            self.take_text(text, tokens)?;
        }
        Ok(())
    }

    fn take_text(&mut self, text: &str, tokens: Vec<CompletionToken>) -> Result<(), RemoteError> {
        if self.text.len() + text.len() > self.bounds.most_bytes {
            return Err(self.too_long("a reply", self.bounds.most_bytes));
        }
        self.text.push_str(text);
        let bytes = tokens.iter().map(|token| token.bytes);
        self.token_bytes = bytes.fold(self.token_bytes, usize::saturating_add);
        self.tokens.extend(tokens);
        if text.is_empty() {
            return Ok(());
        }
        self.first_text.get_or_insert_with(Instant::now);
        // Tokens are told where they are those of the text so far: else the server does not tell.
        let new = &self.tokens[self.told..];
        if self.token_bytes == self.text.len() {
            let new = new.iter().cloned().map(TextPiece::Token);
            self.pieces.extend(new);
            self.told = self.tokens.len();
        }
        self.pieces.push_back(TextPiece::Text(text.to_owned()));
        Ok(())
    }

    /// The end. What it used is counted here.
    fn completion(&mut self) -> Completion {
        self.lease.succeed(self.usage);
        let text = std::mem::take(&mut self.text);
        let tokens = whole(std::mem::take(&mut self.tokens), &text);
        let elapsed = self.lease.elapsed();
        let first = self.first_text.map_or(Duration::ZERO, |at| at.elapsed());
        let finish = self.finish.unwrap_or(Finish::Stop);
        let mut completion = Completion::new(text, self.usage, finish);
        completion.tokens = tokens;
        completion.constrained = self.facts.constrained;
        completion.resends = self.facts.resends;
        completion.timings = Some(Timings {
            queue: self.facts.queued,
            prefill: elapsed.saturating_sub(first),
            decode: first,
        });
        completion
    }

    fn too_long(&self, what: &'static str, most: usize) -> RemoteError {
        RemoteError::TooLong {
            endpoint: self.lease.slot().endpoint.base_url().to_owned(),
            what,
            most,
        }
    }

    fn bad(&self, problem: String) -> RemoteError {
        RemoteError::Reply {
            endpoint: self.lease.slot().endpoint.base_url().to_owned(),
            problem,
        }
    }
}
