//! What the tests of our own endpoint and of a real llama-server both ask.

use candle_signature::CandleSignature;
use candle_signature::adapter::{Backend as _, CandleAdapterError, Completion, CompletionRequest};
use candle_signature::remote::{RemoteBackend, RemoteError};
use futures::StreamExt as _;

/// Answer the question from the passage.
#[derive(CandleSignature)]
pub struct QA {
    /// Text to read.
    #[input]
    pub passage: String,
    #[input]
    pub question: String,
    /// A short answer.
    #[output]
    pub answer: String,
}

pub fn nora() -> QAInput {
    QAInput {
        passage: "Nora is a baker from Lisbon.".into(),
        question: "Where is Nora from?".into(),
    }
}

/// Every byte of a reply belongs to a token, of the whole reply and of the streamed one, and tokens come with 3 rivals. Gives
/// the reply, whole and streamed.
pub async fn logprobs_cover_the_text(
    remote: &RemoteBackend,
    ask: impl Fn() -> CompletionRequest,
) -> (Completion, Completion) {
    let whole = remote.complete(ask()).await.expect("a reply");
    let sum: usize = whole.tokens.iter().map(|token| token.bytes).sum();
    assert_eq!(sum, whole.text.len());
    assert!(
        whole
            .tokens
            .iter()
            .any(|token| token.logprob.is_some() && token.top.len() == 3)
    );
    let mut stream = remote.stream(ask()).await;
    let (mut text, mut tokens) = (String::new(), Vec::new());
    while let Some(piece) = stream.next().await {
        text += &piece.expect("text");
        tokens.extend(stream.take_tokens());
    }
    assert_eq!(text, whole.text);
    let sum: usize = tokens.iter().map(|token| token.bytes).sum();
    assert_eq!(sum, text.len());
    let streamed = stream.completion().expect("an end").clone();
    (whole, streamed)
}

/// The remote error behind an adapter's.
pub fn cause(error: &CandleAdapterError) -> &RemoteError {
    let text = match error {
        CandleAdapterError::InferenceFailed(text) | CandleAdapterError::ConfigError(text) => text,
        other => panic!("not from a server: {other:?}"),
    };
    let cause = text.cause().expect("a cause");
    cause.downcast_ref().expect("a remote error")
}
