//! Server-sent events: a response while its replies are generated.

use std::collections::VecDeque;
use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::stream::unfold;
use serde_json::Value as Json;

use crate::adapter::{ReplyPiece, Usage};

use super::generation::Choices;

/// Makes events of what comes in.
pub(super) trait EventWriter: Send + 'static {
    /// Events before all others.
    fn begin(&mut self, choices: usize) -> Vec<Json>;

    /// Events of a piece of a reply.
    fn piece(&mut self, choice: usize, piece: ReplyPiece) -> Vec<Json>;

    /// Events after all others.
    fn end(&mut self, usage: Usage) -> Vec<Json>;
}

struct Events<W> {
    choices: Choices,
    writer: W,
    ready: VecDeque<String>,
    ended: bool,
}

/// A response of events. The replies are cancelled when the client is gone.
pub(super) fn response(choices: Choices, mut writer: impl EventWriter) -> Response {
    let begin = writer.begin(choices.count());
    let events = Events {
        ready: begin.iter().map(event).collect(),
        choices,
        writer,
        ended: false,
    };
    let body = unfold(events, |mut events| async move {
        let event = events.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(event)), events))
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

impl<W: EventWriter> Events<W> {
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.ended {
                return None;
            }
            let events = match self.choices.next().await {
                Some(Ok((choice, piece))) => self.writer.piece(choice, piece),
                Some(Err(error)) => {
                    self.ended = true;
                    vec![error.body()]
                }
                None => {
                    self.ended = true;
                    let events = self.writer.end(self.choices.usage());
                    self.ready.extend(events.iter().map(event));
                    self.ready.push_back("data: [DONE]\n\n".to_owned());
                    continue;
                }
            };
            self.ready.extend(events.iter().map(event));
        }
    }
}

/// JSON has no line breaks of its own.
fn event(json: &Json) -> String {
    format!("data: {json}\n\n")
}
