//! Typed streams over scripted backends: what is told, when text is taken, and how a stream ends.

use candle_signature::adapter::{
    Backend, CandleAdapterError, Completion, CompletionRequest, TextPiece, TextStream,
};
use candle_signature::program::{ChainOfThought, Predict, PredictStream, StreamEvent};
use candle_signature::{CandleSignature, CandleValue};
use candle_signature_tests::{Pieces, Script};
use futures::StreamExt as _;
use futures::executor::block_on;

/// Sort the ticket.
#[derive(CandleSignature)]
struct Triage {
    #[input]
    ticket: String,
    #[output]
    summary: String,
    #[output]
    urgency: Urgency,
    #[output]
    tags: Vec<String>,
    #[output]
    owner: Option<String>,
}

#[derive(CandleValue, Debug, Clone, PartialEq)]
enum Urgency {
    Low,
    High,
}

/// Sort the ticket.
#[derive(CandleSignature)]
#[signature(format = "json")]
struct JsonTriage {
    #[input]
    ticket: String,
    #[output]
    summary: String,
    #[output]
    tags: Vec<String>,
}

const REPLY: &str = "[[ ## summary ## ]]\nThe server is down.\n\n[[ ## urgency ## ]]\nhigh\n\n[[ ## tags ## ]]\n[\"server\", \"outage\"]\n\n[[ ## owner ## ]]\nnull\n\n[[ ## completed ## ]]\n";

fn input() -> TriageInput {
    TriageInput {
        ticket: "Help!".into(),
    }
}

type Item<O> = Result<StreamEvent<O>, CandleAdapterError>;

fn all<O>(stream: PredictStream<'_, O>) -> Vec<Item<O>> {
    block_on(stream.collect())
}

fn errors<O>(items: &[Item<O>]) -> Vec<String> {
    let errors = items.iter().filter_map(|item| item.as_ref().err());
    errors.map(ToString::to_string).collect()
}

#[test]
fn events_are_typed_and_end_with_the_prediction() {
    for size in [1, 7, 1000] {
        let backend = Pieces::new(&[REPLY], size);
        let (mut summary, mut tags, mut urgency, mut owner, mut finished) =
            (String::new(), Vec::new(), None, None, None);
        let items = all(Triage::stream(&backend, input()));
        let last = items.len() - 1;
        for (at, event) in items.into_iter().enumerate() {
            let event = event.unwrap();
            assert_eq!(event.name().is_none(), at == last);
            summary.push_str(event.text("summary").unwrap_or_default());
            tags.extend(event.element::<String>("tags").unwrap());
            urgency = event.field::<Urgency>("urgency").unwrap().or(urgency);
            owner = event.field::<Option<String>>("owner").unwrap().or(owner);
            if let StreamEvent::Finished(out) = event {
                finished = Some(out);
            }
        }
        assert_eq!(summary, "The server is down.");
        assert_eq!(tags, [(0, "server".to_owned()), (1, "outage".to_owned())]);
        assert_eq!((urgency, owner), (Some(Urgency::High), Some(None)));
        let out = finished.expect("the last event");
        assert_eq!(out.summary, summary);
        assert_eq!(out.tags, ["server", "outage"]);
        assert_eq!((out.usage().total_tokens(), out.raw()), (15, REPLY));
    }
}

#[test]
fn another_type_than_the_fields_is_an_error() {
    let items = all(Triage::stream(&Pieces::new(&[REPLY], 9), input()));
    let mut wrong = items
        .iter()
        .flatten()
        .filter_map(|event| event.field::<u8>("urgency").err());
    assert!(wrong.next().is_some() && wrong.next().is_none());
}

#[test]
fn a_field_is_told_before_the_reply_has_ended() {
    let backend = Pieces::new(&[REPLY], 1);
    let mut stream = Triage::stream(&backend, input());
    let mut at = Vec::new();
    block_on(async {
        while let Some(event) = stream.next().await {
            if let StreamEvent::Done { field, .. } = event.unwrap() {
                at.push((field, backend.taken()));
            }
        }
    });
    // Each as soon as the line of the next marker has ended.
    let line = |marker: &str| REPLY.find(marker).map(|at| at + marker.len() + 1);
    for ((field, taken), next) in at.iter().zip(["urgency", "tags", "owner", "completed"]) {
        let marker = format!("[[ ## {next} ## ]]");
        assert_eq!(Some(*taken), line(&marker), "{field}");
    }
    assert_eq!(at.len(), 4);
}

#[test]
fn nothing_is_taken_before_it_is_wanted() {
    let backend = Pieces::new(&[REPLY], 1);
    let mut stream = Triage::stream(&backend, input());
    assert_eq!(backend.taken(), 0);
    let first = block_on(stream.next()).unwrap().unwrap();
    assert_eq!(first.name(), Some("summary"));
    // The marker and its line break: no character more.
    assert_eq!(backend.taken(), "[[ ## summary ## ]]\n".len());
    drop(stream);
    assert_eq!(backend.taken(), "[[ ## summary ## ]]\n".len());
}

#[test]
fn one_piece_that_tells_much_is_read_event_by_event() {
    let backend = Pieces::new(&[REPLY], 1000);
    let mut stream = Triage::stream(&backend, input());
    for _ in 0..5 {
        block_on(stream.next()).unwrap().unwrap();
        assert_eq!(backend.taken(), 1);
    }
}

#[test]
fn a_json_reply_is_told_too() {
    const JSON: &str = "{\n  \"summary\": \"It is \\\"down\\\".\",\n  \"tags\": [\"server\"]\n}";
    let backend = Pieces::new(&[JSON], 2);
    let input = JsonTriageInput {
        ticket: "Help!".into(),
    };
    let events: Vec<_> = all(JsonTriage::stream(&backend, input));
    let events: Vec<_> = events.into_iter().map(Result::unwrap).collect();
    let texts: Vec<_> = events
        .iter()
        .filter_map(|event| event.text("summary"))
        .collect();
    assert_eq!(texts.concat(), "It is \"down\".");
    assert!(texts.len() > 4, "{texts:?}");
    assert!(matches!(events.last(), Some(StreamEvent::Finished(out)) if out.tags == ["server"]));
}

#[test]
fn reasoning_is_told_first() {
    let reply: &'static str =
        Box::leak(format!("[[ ## reasoning ## ]]\nIt can't wait.\n\n{REPLY}").into_boxed_str());
    let backend = Pieces::new(&[reply], 3);
    let thinking = ChainOfThought::<Triage>::new();
    let events: Vec<_> = all(thinking.stream(&backend, input()));
    let events: Vec<_> = events.into_iter().map(Result::unwrap).collect();
    assert_eq!(events[0].name(), Some("reasoning"));
    let text: String = events
        .iter()
        .filter_map(|event| event.text("reasoning"))
        .collect();
    assert_eq!(text, "It can't wait.");
    let Some(StreamEvent::Finished(out)) = events.last() else {
        panic!("{events:?}");
    };
    assert_eq!(
        (out.reasoning.as_str(), &out.urgency),
        ("It can't wait.", &Urgency::High)
    );
}

#[test]
fn a_backend_that_does_not_stream_tells_all_at_its_end() {
    let whole = all(Triage::stream(&Script::new(&[REPLY]), input()));
    let pieces = all(Triage::stream(&Pieces::new(&[REPLY], 1000), input()));
    let names = |items: &[Item<_>]| -> Vec<String> {
        let events = items.iter().flatten();
        events
            .map(|event: &StreamEvent<TriageOutput>| event.name().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(names(&whole), names(&pieces));
    assert!(matches!(whole.last(), Some(Ok(StreamEvent::Finished(_)))));
}

#[test]
fn an_unreadable_reply_is_the_error_of_predict() {
    const BAD: &str =
        "[[ ## summary ## ]]\nDown.\n\n[[ ## urgency ## ]]\nperhaps\n\n[[ ## tags ## ]]\n[]\n";
    let items = all(Triage::stream(&Pieces::new(&[BAD], 4), input()));
    let predicted = block_on(Triage::predict(&Script::new(&[BAD]), input())).unwrap_err();
    assert_eq!(errors(&items), [predicted.to_string()]);
    let Some(Err(CandleAdapterError::ParseError(error))) = items.last() else {
        panic!("{items:?}");
    };
    assert_eq!(error.completion, BAD);
    assert_eq!(
        error.partial.get("summary").map(|v| v.kind()),
        Some("a string")
    );
}

#[test]
fn a_backends_error_ends_the_stream() {
    let items = all(Triage::stream(&Pieces::new(&[], 4), input()));
    assert_eq!(
        errors(&items),
        ["inference failed: the script has no reply left"]
    );
    assert_eq!(items.len(), 1);
}

#[test]
fn checks_are_made_at_the_end() {
    let low = |out: &TriageOutput| out.urgency == Urgency::Low;
    let checked = Predict::<Triage>::new().check("must be low", low);
    let items = all(checked.stream(&Pieces::new(&[REPLY], 4), input()));
    let Some(Ok(StreamEvent::Finished(out))) = items.last() else {
        panic!("{items:?}");
    };
    assert_eq!(out.failed_checks(), ["must be low"]);
    let asserted = Predict::<Triage>::new()
        .assert("must be low", low)
        .with_retries(3);
    let items = all(asserted.stream(&Pieces::new(&[REPLY], 4), input()));
    assert!(
        matches!(items.last(), Some(Err(CandleAdapterError::CheckFailed { problems, completion })) if problems == &["must be low"] && completion == REPLY),
        "{items:?}"
    );
    assert_eq!(errors(&items).len(), 1);
}

/// Streams one text, and completes with another or not at all.
struct Liar(Option<&'static str>);

impl Backend for Liar {
    async fn complete(&self, request: CompletionRequest) -> Result<Completion, CandleAdapterError> {
        Script::new(&[REPLY]).complete(request).await
    }

    async fn stream(&self, request: CompletionRequest) -> TextStream {
        let mut pieces = vec![Ok(TextPiece::Text(REPLY.into()))];
        if let (Some(text), Ok(mut completion)) = (self.0, self.complete(request).await) {
            completion.text = text.into();
            pieces.push(Ok(TextPiece::End(completion)));
        }
        TextStream::new(futures::stream::iter(pieces))
    }
}

#[test]
fn a_stream_that_contradicts_itself_is_an_error() {
    for (text, message) in [
        (None, "without its completion"),
        (Some("other"), "another text"),
    ] {
        let items = all(Triage::stream(&Liar(text), input()));
        assert!(errors(&items).concat().contains(message), "{items:?}");
    }
    let items = all(Triage::stream(&Liar(Some(REPLY)), input()));
    assert!(matches!(items.last(), Some(Ok(StreamEvent::Finished(_)))));
}

#[test]
fn a_stream_may_be_read_on_another_thread() {
    let backend = Pieces::new(&[REPLY], 5);
    let stream = Triage::stream(&backend, input());
    let items = std::thread::scope(|scope| scope.spawn(|| all(stream)).join());
    assert!(matches!(
        items.expect("no panic").last(),
        Some(Ok(StreamEvent::Finished(_)))
    ));
}
