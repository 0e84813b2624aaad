//! A reply token by token, for those who show tokens: prompts as JSON messages or plain text, stop texts, log-probabilities.
//! Programs have no need of it; they call the adapter as a backend.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use futures_core::Stream;
use serde_json::Value as Json;
use tokio::sync::mpsc::{self, Receiver};

use crate::engine::{
    DecodeStream, EngineError, FinishReason, GenerateRequest, Generation, Segment, StreamedToken,
    Timings, TokenId, Tokenizer,
};
use crate::grammar::Constraint;

use super::chat_template::Piece;
use super::stop::{StopMask, StopTexts};
use super::{CandleAdapter, CandleAdapterError, Finish, TopToken, Usage};

/// Tokens that may wait for a slow reader before its row waits.
const BUFFERED_TOKENS: usize = 64;

/// What is asked of one reply beside its prompt and the adapter's configuration.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ReplyOptions {
    /// What the reply is held to, whatever the configuration says.
    pub constraint: Option<Constraint>,
    /// Texts at which the reply ends; they are not part of it.
    pub stop: Vec<String>,
    /// Log-probabilities of the chosen tokens, and of so many of the likeliest in each place (at most 20).
    pub logprobs: Option<usize>,
    /// When the reply is given up.
    pub deadline: Option<Instant>,
}

/// A reply while it is generated: its tokens, then its end. An error is the last item.
///
/// Reading slowly holds up this reply alone, dropping it cancels it.
pub struct Reply {
    tokens: Receiver<StreamedToken>,
    running: Option<Running>,
    decoder: Option<DecodeStream>,
    tokenizer: Arc<Tokenizer>,
    stop: Option<StopTexts>,
    /// Tokens whose text may belong to a stop text.
    held: VecDeque<ReplyToken>,
    /// Their text.
    held_text: String,
    ready: VecDeque<ReplyToken>,
    received: usize,
    stopped: bool,
    end: Option<ReplyEnd>,
}

type Running = Pin<Box<dyn Future<Output = Result<Generation, EngineError>> + Send>>;

/// An item of a [`Reply`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ReplyPiece {
    /// A token of the reply.
    Token(ReplyToken),
    /// The end.
    End(ReplyEnd),
}

/// A token of a reply.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReplyToken {
    /// The text that it completes: whole characters, up to a stop text.
    pub text: String,
    /// The bytes that it stands for.
    pub bytes: Vec<u8>,
    /// The natural logarithm of its probability by the model alone; none for a token that the grammar forced, and where it was not asked for.
    pub logprob: Option<f32>,
    /// The likeliest tokens in its place, likeliest first.
    pub top: Vec<TopToken>,
}

/// What is known when a reply has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ReplyEnd {
    /// Tokens read and written.
    pub usage: Usage,
    /// Why it ended. A reply that its grammar had to close for want of room ended by its length.
    pub finish: Finish,
    /// Where the time went.
    pub timings: Timings,
}

impl CandleAdapter {
    /// The tokens of a conversation in the form that chat templates take: objects with `role`, `content` and what else the template reads,
    /// and the JSON of tools. No text in them makes a control token.
    ///
    /// # Errors
    /// [`CandleAdapterError::TokenizationFailed`] if the chat template refuses the messages.
    pub fn chat_tokens(
        &self,
        messages: &Json,
        tools: Option<&Json>,
    ) -> Result<Vec<TokenId>, CandleAdapterError> {
        self.rendered(messages, tools, true)
    }

    /// The same, with the opening of the reply after it if that is asked for.
    pub(super) fn rendered(
        &self,
        messages: &Json,
        tools: Option<&Json>,
        opening: bool,
    ) -> Result<Vec<TokenId>, CandleAdapterError> {
        let tokenizer = self.tokenizer();
        let pieces = self.template().render(messages, tools, opening)?;
        let segments: Vec<Segment<'_>> = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => Segment::Text(text),
                Piece::Control(text) => tokenizer
                    .control_token(text)
                    .map_or(Segment::Text(text), Segment::Control),
            })
            .collect();
        Ok(tokenizer.encode_segments(&segments)?)
    }

    /// The tokens of a plain text, in which control tokens are plain text as well.
    ///
    /// # Errors
    /// [`CandleAdapterError::TokenizationFailed`] if the tokenizer fails.
    pub fn text_tokens(&self, text: &str) -> Result<Vec<TokenId>, CandleAdapterError> {
        Ok(self.tokenizer().encode_text(text)?)
    }

    /// The text of tokens: those that are marked special are left out.
    #[must_use]
    pub fn text_of(&self, tokens: &[TokenId]) -> String {
        self.tokenizer().decode(tokens)
    }

    /// Whether the model's chat template writes tools into the prompt when it is given some.
    #[must_use]
    pub fn template_knows_tools(&self) -> bool {
        let messages = serde_json::json!([{"role": "user", "content": "hello"}]);
        let name = "a_tool_that_the_template_may_show";
        let tools = serde_json::json!([{
            "type": "function",
            "function": {"name": name, "description": "", "parameters": {"type": "object", "properties": {}}},
        }]);
        let pieces = self.template().render(&messages, Some(&tools), true);
        pieces.is_ok_and(|pieces| {
            pieces
                .iter()
                .any(|piece| matches!(piece, Piece::Text(text) if text.contains(name)))
        })
    }

    /// Whether the model has a control token of this text, such as Qwen's `<tool_call>`.
    #[must_use]
    pub fn has_control_token(&self, text: &str) -> bool {
        self.tokenizer().control_token(text).is_some()
    }

    /// The model's context in tokens, or that of the configuration if it is less.
    #[must_use]
    pub fn context_length(&self) -> usize {
        let limit = self.model().engine().model().config().max_positions;
        self.config()
            .context_length
            .map_or(limit, |set| set.min(limit))
    }

    /// Queues a reply at once; it waits for its reader when that one is far behind.
    ///
    /// # Errors
    /// If the constraint does not compile. What else is wrong is the reply's first item.
    pub async fn reply(
        &self,
        prompt: Vec<TokenId>,
        options: ReplyOptions,
    ) -> Result<Reply, CandleAdapterError> {
        let grammar = match &options.constraint {
            Some(constraint) => Some(self.compile(constraint).await?),
            None => None,
        };
        let tokenizer = Arc::clone(self.tokenizer());
        let stop = StopTexts::new(&options.stop);
        let (sender, tokens) = mpsc::channel(BUFFERED_TOKENS);
        let mut request = self.request(self.config(), prompt, grammar);
        request = GenerateRequest {
            stream: Some(sender),
            all_logits: request.all_logits || options.logprobs.is_some(),
            top_logprobs: options.logprobs.unwrap_or(0),
            deadline: options.deadline,
            ..request
        };
        if let Some(stop) = &stop {
            let mask = StopMask::new(stop.clone(), &tokenizer, request.mask.take());
            request.mask = Some(Box::new(mask));
        }
        Ok(Reply {
            tokens,
            running: Some(Box::pin(self.model().engine().generate(request))),
            decoder: Some(tokenizer.decode_stream()),
            tokenizer,
            stop,
            held: VecDeque::new(),
            held_text: String::new(),
            ready: VecDeque::new(),
            received: 0,
            stopped: false,
            end: None,
        })
    }
}

impl Reply {
    fn take(&mut self, token: StreamedToken) {
        self.received += 1;
        let text = match &mut self.decoder {
            Some(decoder) => decoder.push(token.id),
            None => String::new(),
        };
        let bytes = |id| self.tokenizer.token_bytes(id).unwrap_or_default();
        let top = token.top.into_iter().map(|(id, logprob)| TopToken {
            bytes: bytes(id),
            logprob,
        });
        let token = ReplyToken {
            text,
            bytes: bytes(token.id),
            logprob: token.logprob,
            top: top.collect(),
        };
        self.hold(token);
    }

    /// Lets through what belongs to no stop text.
    fn hold(&mut self, token: ReplyToken) {
        if self.stopped {
            return;
        }
        let Some(stop) = &self.stop else {
            self.ready.push_back(token);
            return;
        };
        self.held_text.push_str(&token.text);
        self.held.push_back(token);
        if let Some(at) = stop.find(&self.held_text) {
            self.stopped = true;
            self.release(at);
            self.held.clear();
            return;
        }
        let free = self.held_text.len() - stop.begun(&self.held_text);
        let mut done = 0;
        while let Some(first) = self.held.front()
            && done + first.text.len() <= free
        {
            done += first.text.len();
            self.ready.extend(self.held.pop_front());
        }
        self.held_text.drain(..done);
    }

    /// Lets through so many bytes of what is held: the token in which they end is cut there.
    fn release(&mut self, bytes: usize) {
        let mut left = bytes;
        while left > 0
            && let Some(mut token) = self.held.pop_front()
        {
            // A stop text begins at the border of a character, and so does what is before it.
            let keep = token.text.len().min(left);
            token.text.truncate(keep);
            left -= keep;
            self.ready.push_back(token);
        }
    }

    /// The end: tokens that came only with it, and what was incomplete.
    fn finish(&mut self, generation: &Generation) {
        for at in self.received..generation.tokens.len() {
            self.take(StreamedToken {
                id: generation.tokens[at],
                logprob: generation.logprobs.get(at).copied().flatten(),
                top: generation.top_logprobs.get(at).cloned().unwrap_or_default(),
            });
        }
        let rest = self.decoder.take().map(DecodeStream::finish);
        self.ready.append(&mut self.held);
        // A character that was never completed is shown all the same.
        if let Some(rest) = rest.filter(|rest| !rest.is_empty() && !self.stopped) {
            let (bytes, logprob, top) = (Vec::new(), None, Vec::new());
            match self.ready.back_mut() {
                Some(last) => last.text.push_str(&rest),
                None => self.ready.push_back(ReplyToken {
                    text: rest,
                    bytes,
                    logprob,
                    top,
                }),
            }
        }
        self.end = Some(ReplyEnd {
            usage: Usage {
                prompt_tokens: generation.prompt_tokens,
                completion_tokens: generation.completion_tokens,
                cached_tokens: generation.cached_tokens,
            },
            finish: match (generation.finish, generation.closed_at) {
                (FinishReason::Stop, None) => Finish::Stop,
                _ => Finish::Length,
            },
            timings: generation.timings,
        });
    }
}

impl Stream for Reply {
    type Item = Result<ReplyPiece, CandleAdapterError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(token) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(ReplyPiece::Token(token))));
            }
            if let Some(end) = self.end.take() {
                return Poll::Ready(Some(Ok(ReplyPiece::End(end))));
            }
            if let Some(token) = ready!(self.tokens.poll_recv(context)) {
                self.take(token);
                continue;
            }
            let Some(running) = &mut self.running else {
                return Poll::Ready(None);
            };
            let result = ready!(running.as_mut().poll(context));
            self.running = None;
            match result {
                Ok(generation) => self.finish(&generation),
                Err(error) => return Poll::Ready(Some(Err(error.into()))),
            }
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("received", &self.received)
            .field("stopped", &self.stopped)
            .finish_non_exhaustive()
    }
}
