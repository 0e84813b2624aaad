//! The replies to one request, side by side: started together, read as one stream, counted.

use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, select_all};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout_at;

use crate::adapter::{
    CandleAdapter, CandleAdapterError, Finish, ReplyEnd, ReplyOptions, ReplyPiece, ReplyToken,
    TokenId, Usage,
};

use super::api_error::ApiError;
use super::metrics::Metrics;

/// A request to the engine. Each prompt is answered once by each adapter.
pub(super) struct Job {
    pub prompts: Vec<Vec<TokenId>>,
    pub adapters: Vec<CandleAdapter>,
    pub options: ReplyOptions,
}

/// A place among the requests that are answered at a time.
pub(super) struct Place {
    /// Given back with the place.
    pub _permit: OwnedSemaphorePermit,
    pub started: Instant,
    pub deadline: Instant,
    pub metrics: Arc<Metrics>,
}

/// The replies while they are generated. Dropping it cancels all.
pub(super) struct Choices {
    replies: BoxStream<'static, (usize, Result<ReplyPiece, CandleAdapterError>)>,
    /// Read before the response began.
    first: Option<(usize, ReplyPiece)>,
    /// When each choice got its last token.
    last: Vec<Option<Instant>>,
    /// So many choices belong to each prompt.
    per_prompt: usize,
    ended: usize,
    usage: Usage,
    place: Place,
}

/// A whole reply.
#[derive(Debug, Default)]
pub(super) struct Whole {
    pub tokens: Vec<ReplyToken>,
    pub end: Option<ReplyEnd>,
}

impl Whole {
    pub fn text(&self) -> String {
        self.tokens
            .iter()
            .map(|token| token.text.as_str())
            .collect()
    }

    pub fn finish_reason(&self) -> &'static str {
        self.end.map_or("length", |end| finish_reason(&end))
    }
}

/// As OpenAI names it.
pub(super) fn finish_reason(end: &ReplyEnd) -> &'static str {
    match end.finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
    }
}

impl Choices {
    /// Starts all and waits for the first piece: what can't be answered at all fails here, before a response has begun.
    pub async fn start(job: Job, place: Place) -> Result<Self, ApiError> {
        let deadline = place.deadline;
        let started = Self::queue(job, place);
        timeout_at(deadline.into(), started)
            .await
            .unwrap_or_else(|_| Err(late()))
    }

    async fn queue(job: Job, place: Place) -> Result<Self, ApiError> {
        let mut replies = Vec::with_capacity(job.prompts.len() * job.adapters.len());
        for prompt in &job.prompts {
            for adapter in &job.adapters {
                let mut options = job.options.clone();
                options.deadline = Some(place.deadline);
                let index = replies.len();
                let reply = adapter.reply(prompt.clone(), options).await?;
                replies.push(reply.map(move |piece| (index, piece)));
            }
        }
        let mut choices = Choices {
            last: vec![None; replies.len()],
            replies: select_all(replies).boxed(),
            first: None,
            per_prompt: job.adapters.len(),
            ended: 0,
            usage: Usage::default(),
            place,
        };
        choices.first = choices.read().await.transpose()?;
        Ok(choices)
    }

    pub fn count(&self) -> usize {
        self.last.len()
    }

    /// The next piece of any of them; an error ends all.
    pub async fn next(&mut self) -> Option<Result<(usize, ReplyPiece), ApiError>> {
        match self.first.take() {
            Some(first) => Some(Ok(first)),
            None => self.read().await,
        }
    }

    async fn read(&mut self) -> Option<Result<(usize, ReplyPiece), ApiError>> {
        if self.ended == self.last.len() {
            return None;
        }
        let next = timeout_at(self.place.deadline.into(), self.replies.next()).await;
        let (index, piece) = match next {
            Ok(next) => next?,
            Err(_) => return Some(Err(late())),
        };
        Some(match piece {
            Ok(piece) => {
                self.count_piece(index, &piece);
                Ok((index, piece))
            }
            Err(error) => Err(error.into()),
        })
    }

    fn count_piece(&mut self, index: usize, piece: &ReplyPiece) {
        let metrics = &self.place.metrics;
        match piece {
            ReplyPiece::Token(_) => {
                let now = Instant::now();
                match self.last[index].replace(now) {
                    None => metrics.first_token.observe(now - self.place.started),
                    Some(before) => metrics.between_tokens.observe(now - before),
                }
            }
            ReplyPiece::End(end) => {
                self.ended += 1;
                let mut usage = end.usage;
                // A prompt counts once, however many replies it has.
                if !index.is_multiple_of(self.per_prompt) {
                    (usage.prompt_tokens, usage.cached_tokens) = (0, 0);
                }
                self.usage = self.usage + usage;
                metrics.count_usage(usage);
            }
        }
    }

    /// Tokens of all that have ended.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// All of them, in their order.
    pub async fn whole(&mut self) -> Result<Vec<Whole>, ApiError> {
        let mut replies: Vec<Whole> = (0..self.count()).map(|_| Whole::default()).collect();
        while let Some(piece) = self.next().await {
            match piece? {
                (index, ReplyPiece::Token(token)) => replies[index].tokens.push(token),
                (index, ReplyPiece::End(end)) => replies[index].end = Some(end),
            }
        }
        Ok(replies)
    }
}

/// Counted here, whichever way the request ends.
impl Drop for Place {
    fn drop(&mut self) {
        self.metrics.duration.observe(self.started.elapsed());
    }
}

fn late() -> ApiError {
    ApiError::late(
        "the request took longer than this server allows: lower max_tokens, or send fewer requests at a time",
    )
}
