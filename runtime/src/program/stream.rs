//! A prediction that is told while it is generated.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::adapter::{Backend, CandleAdapterError, Completion, Constraint, TextStream};
use crate::parse::{FieldEvent, ReplyParser, typed};
use crate::prompt::Message;
use crate::signature::{FieldValues, ValueError};

use super::call::Prompt;
use super::observe::Observed;
use super::retry::{Check, accept};
use super::{Predicted, StreamEvent};

type Starting<'b> = Pin<Box<dyn Future<Output = TextStream> + Send + 'b>>;

type FromValues<O> = fn(FieldValues) -> Result<O, Vec<ValueError>>;

/// A prediction that is told while it is generated: a stream of [`StreamEvent`]s, whose last item is
/// [`StreamEvent::Finished`] or an error.
///
/// Text is taken from the backend only when all that it told has been read: reading slowly holds up this prediction
/// alone, dropping the stream cancels it.
///
/// ```
/// use candle_signature::CandleSignature;
/// use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
/// use candle_signature::program::StreamEvent;
/// use futures_util::StreamExt as _;
///
/// /// Answer the question from the passage.
/// #[derive(CandleSignature)]
/// struct QA {
///     #[input]
///     passage: String,
///     #[input]
///     question: String,
///     #[output]
///     answer: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), candle_signature::adapter::CandleAdapterError> {
/// # let model = ModelPool::embedded().load_model(ModelPool::EMBEDDED).await?;
/// let config = CandleConfig { enable_streaming: true, ..CandleConfig::default() };
/// let adapter = CandleAdapter::from_loaded_model(model, config)?;
/// let input = QAInput { passage: "Ana lives in Rome.".into(), question: "Where does Ana live?".into() };
/// let mut events = QA::stream(&adapter, input);
/// let mut shown = String::new();
/// while let Some(event) = events.next().await {
///     match event? {
///         StreamEvent::Text { delta, .. } => shown.push_str(&delta),
///         StreamEvent::Finished(out) => assert_eq!(out.answer, shown),
///         _ => {}
///     }
/// }
/// assert_eq!(shown, "Rome");
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct PredictStream<'b, O> {
    state: State<'b>,
    /// What was told and not yet read.
    told: VecDeque<Result<StreamEvent<O>, CandleAdapterError>>,
    from_values: FromValues<O>,
    checks: Vec<Check<O>>,
    observed: Observed,
}

enum State<'b> {
    Starting(Starting<'b>, ReplyParser),
    Running(TextStream, ReplyParser),
    Ended,
}

impl<'b, O> PredictStream<'b, O> {
    pub(super) fn new<B: Backend + ?Sized>(
        backend: &'b B,
        prompt: &Prompt<'_>,
        messages: Vec<Message>,
        from_values: FromValues<O>,
        checks: Vec<Check<O>>,
    ) -> Self {
        let spec = prompt.spec;
        let mut observed = Observed::begin(backend, prompt);
        observed.sends(&messages);
        let request = prompt.request(messages, Constraint::Signature(spec.clone()));
        let starting = Box::pin(async move { backend.stream(request).await });
        PredictStream {
            state: State::Starting(starting, ReplyParser::new(spec.clone())),
            told: VecDeque::new(),
            from_values,
            checks,
            observed,
        }
    }

    fn tell(&mut self, events: Vec<FieldEvent>) {
        let events = events.into_iter().map(|event| Ok(event.into()));
        self.told.extend(events);
    }

    fn finish(
        &mut self,
        parser: ReplyParser,
        completion: Option<Completion>,
    ) -> Result<Predicted<O>, CandleAdapterError> {
        let broken = |what: &str| CandleAdapterError::InferenceFailed(what.into());
        let completion = completion.ok_or_else(|| {
            broken("the stream of the reply ended without its completion: send the request again")
        })?;
        if parser.text() != completion.text {
            return Err(broken(
                "the backend streamed another text than that of its completion",
            ));
        }
        let (events, parsed) = parser.finish();
        self.tell(events);
        let read = parsed.and_then(|parsed| typed(&completion.text, parsed, self.from_values));
        let reply = self.observed.listens().then(|| completion.clone());
        let accepted = match read {
            Ok((output, parsed)) => accept(output, completion, parsed, &self.checks),
            Err(error) => Err(error.into()),
        };
        match &accepted {
            Ok(out) => self.observed.accepted(out),
            Err(error) => self.observed.failed(error, reply.as_ref(), &[]),
        }
        accepted
    }
}

// Nothing of it is ever pinned but what is boxed.
impl<O> Unpin for PredictStream<'_, O> {}

impl<O> Stream for PredictStream<'_, O> {
    type Item = Result<StreamEvent<O>, CandleAdapterError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let span = self.observed.span().clone();
        let _within = span.enter();
        loop {
            if let Some(told) = self.told.pop_front() {
                return Poll::Ready(Some(told));
            }
            self.state = match std::mem::replace(&mut self.state, State::Ended) {
                State::Starting(mut starting, parser) => match starting.as_mut().poll(context) {
                    Poll::Ready(text) => State::Running(text, parser),
                    Poll::Pending => {
                        self.state = State::Starting(starting, parser);
                        return Poll::Pending;
                    }
                },
                State::Running(mut text, mut parser) => {
                    match Pin::new(&mut text).poll_next(context) {
                        Poll::Ready(Some(Ok(piece))) => {
                            self.tell(parser.feed(&piece));
                            State::Running(text, parser)
                        }
                        Poll::Ready(Some(Err(error))) => {
                            self.observed.failed(&error, None, &[]);
                            self.told.push_back(Err(error));
                            State::Ended
                        }
                        Poll::Ready(None) => {
                            let end = self.finish(parser, text.take_completion());
                            if let Err(error) = &end {
                                // What has no completion was not told yet.
                                self.observed.failed(error, None, &[]);
                            }
                            let end = end.map(|out| StreamEvent::Finished(Box::new(out)));
                            self.told.push_back(end);
                            State::Ended
                        }
                        Poll::Pending => {
                            self.state = State::Running(text, parser);
                            return Poll::Pending;
                        }
                    }
                }
                State::Ended => return Poll::Ready(None),
            };
        }
    }
}

impl<O> fmt::Debug for PredictStream<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Starting(..) => "starting",
            State::Running(..) => "running",
            State::Ended => "ended",
        };
        f.debug_struct("PredictStream")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
