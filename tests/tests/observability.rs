//! What is told of a prediction: spans to a real subscriber, records to a history.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, Once};

use candle_signature::adapter::{
    Backend, CandleAdapter, CandleAdapterError, CandleConfig, Completion, CompletionRequest,
    History, LoadedModel, ModelPool, TextStream,
};
use candle_signature::program::{ChainOfThought, Predict, ReAct};
use candle_signature::signature::Value;
use candle_signature::{CandleSignature, candle_tool};
use candle_signature_tests::{Pieces, Script};
use futures::StreamExt as _;
use futures::executor::block_on;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

static MODEL: LazyLock<Arc<LoadedModel>> = LazyLock::new(|| {
    block_on(ModelPool::embedded().load_model(ModelPool::EMBEDDED))
        .expect("the embedded model loads")
});

/// Answer the question from the passage.
#[derive(CandleSignature)]
struct QA {
    #[input]
    passage: String,
    #[input]
    question: String,
    #[output]
    answer: String,
}

fn nora() -> QAInput {
    QAInput {
        passage: "Nora is a baker from Lisbon.".into(),
        question: "Where is Nora from?".into(),
    }
}

fn adapter(config: CandleConfig) -> CandleAdapter {
    CandleAdapter::from_loaded_model(Arc::clone(&MODEL), config).expect("an adapter")
}

const ANSWER: &str = "[[ ## answer ## ]]\nLisbon\n\n[[ ## completed ## ]]";

type Fields = BTreeMap<String, String>;

/// The spans of predictions that one test closed, by their fields.
type Spans = Arc<Mutex<Vec<Fields>>>;

thread_local! {
    /// Where the spans that this thread opens are kept once they close.
    static KEPT: RefCell<Spans> = RefCell::default();
}

/// Keeps each span for the thread that opened it: one subscriber for the whole process. With one for each test, what a call site has cached can be wrong for a subscriber that comes while another thread registers the site.
struct Closed;

struct Reader<'f>(&'f mut Fields);

impl Visit for Reader<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        self.0
            .insert(field.name().to_owned(), text.trim_matches('"').to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Closed {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target() == "candle_signature::prediction"
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::new();
        attributes.record(&mut Reader(&mut fields));
        let span = context.span(id).expect("a span");
        fields.insert("name".into(), span.name().into());
        let mut extensions = span.extensions_mut();
        extensions.insert(fields);
        extensions.insert(KEPT.with_borrow(Arc::clone));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).expect("a span");
        let mut extensions = span.extensions_mut();
        values.record(&mut Reader(extensions.get_mut().expect("fields")));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).expect("a span");
        let mut extensions = span.extensions_mut();
        let fields = extensions.remove().expect("fields");
        let kept: Spans = extensions.remove().expect("whose it is");
        kept.lock().expect("no panic").push(fields);
    }
}

/// The spans of predictions that this opens and closes.
fn spans(run: impl FnOnce()) -> Vec<Fields> {
    static SUBSCRIBER: Once = Once::new();
    SUBSCRIBER.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Closed);
        tracing::subscriber::set_global_default(subscriber).expect("the first");
    });
    let kept = Spans::default();
    KEPT.set(Arc::clone(&kept));
    run();
    kept.lock().expect("no panic").clone()
}

fn number(fields: &Fields, name: &str) -> f64 {
    let text = fields
        .get(name)
        .unwrap_or_else(|| panic!("no {name}: {fields:?}"));
    text.parse().unwrap_or_else(|_| panic!("{name} is {text}"))
}

#[test]
fn a_prediction_tells_its_tokens_and_times() {
    let adapter = adapter(CandleConfig::default());
    let mut usage = None;
    let spans = spans(|| usage = Some(block_on(QA::predict(&adapter, nora())).expect("an answer")));
    let out = usage.expect("an answer");
    let [span] = &spans[..] else {
        panic!("{spans:?}");
    };
    assert_eq!(span["name"], "prediction");
    assert_eq!((&*span["signature"], &*span["outcome"]), ("QA", "ok"));
    assert_eq!((&*span["finish"], &*span["constrained"]), ("stop", "true"));
    assert_eq!(
        number(span, "prompt_tokens"),
        out.usage().prompt_tokens as f64
    );
    assert_eq!(
        number(span, "completion_tokens"),
        out.usage().completion_tokens as f64
    );
    assert_eq!(number(span, "forced_tokens"), out.forced_tokens() as f64);
    assert!(out.forced_tokens() > 0);
    assert_eq!(
        (number(span, "retries"), number(span, "resends")),
        (0.0, 0.0)
    );
    let parts = ["queue_ms", "prefill_ms", "decode_ms"].map(|name| number(span, name));
    let whole = number(span, "total_ms");
    assert!(
        parts[1] > 0.0 && parts[2] > 0.0 && parts.iter().sum::<f64>() <= whole,
        "{span:?}"
    );
    assert!(!span.contains_key("truncated") && !span.contains_key("error"));
}

#[test]
fn a_prompt_that_was_read_before_tells_what_was_cached() {
    let adapter = adapter(CandleConfig::default());
    let spans = spans(|| {
        for _ in 0..2 {
            block_on(QA::predict(&adapter, nora())).expect("an answer");
        }
    });
    assert!(number(&spans[1], "cached_tokens") >= 16.0, "{spans:?}");
}

/// Solve the word problem.
#[derive(CandleSignature)]
struct Sum {
    #[input]
    problem: String,
    #[output]
    answer: i64,
}

#[test]
fn a_reply_that_is_cut_short_tells_where() {
    let adapter = adapter(CandleConfig {
        max_tokens: 24,
        ..CandleConfig::default()
    });
    let input = SumInput {
        problem: "Tom has 12 apples. He buys 7 more apples. How many apples does Tom have now?"
            .into(),
    };
    let spans = spans(|| {
        let thinks = ChainOfThought::<Sum>::new();
        block_on(thinks.call(&adapter, input)).expect("a thought");
    });
    assert_eq!(&*spans[0]["truncated"], "reasoning");
}

#[test]
fn retries_and_what_they_cost_are_in_one_span() {
    let script = Script::new(&["nothing of it", ANSWER]);
    let spans = spans(|| {
        let twice = Predict::<QA>::new().with_retries(1);
        block_on(twice.call(&script, nora())).expect("the second");
    });
    let [span] = &spans[..] else {
        panic!("{spans:?}");
    };
    assert_eq!(
        (number(span, "retries"), number(span, "prompt_tokens")),
        (1.0, 20.0)
    );
    assert!(!span.contains_key("queue_ms"), "a script tells no times");
}

#[test]
fn what_fails_says_why() {
    let script = Script::new(&["nothing of it"]);
    let spans = spans(|| drop(block_on(QA::predict(&script, nora()))));
    assert_eq!(spans[0]["outcome"], "error");
    assert!(spans[0]["error"].contains("answer"), "{spans:?}");
    assert_eq!(number(&spans[0], "completion_tokens"), 5.0);
}

#[test]
fn a_stream_has_one_span_too_and_one_that_is_dropped_says_so() {
    let told = spans(|| {
        let pieces = Pieces::new(&[ANSWER], 3);
        block_on(QA::stream(&pieces, nora()).for_each(|_| async {}));
        let pieces = Pieces::new(&[ANSWER], 3);
        let mut stream = QA::stream(&pieces, nora());
        drop(block_on(stream.next()));
        drop(stream);
    });
    let outcomes: Vec<_> = told.iter().map(|span| span["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["ok", "cancelled"]);
}

/// The weather in a city.
#[candle_tool]
fn weather(city: String) -> String {
    format!("It is rainy in {city}.")
}

#[test]
fn every_step_of_a_program_with_tools_is_told() {
    let step = "[[ ## next_thought ## ]]\nThink.\n\n[[ ## next_tool_name ## ]]\nweather\n\n[[ ## next_tool_args ## ]]\n{\"city\": \"Oslo\"}\n\n[[ ## completed ## ]]";
    let script = Script::new(&[step, ANSWER]);
    let history = History::of_latest(5);
    let backend = Watched(script, history.clone());
    let spans = spans(|| {
        let program = ReAct::<QA>::new().with_tool(WeatherTool).with_max_steps(1);
        block_on(program.call(&backend, nora())).expect("an answer");
    });
    assert_eq!(spans.len(), 2);
    let records = history.latest(5);
    let tool = records[0].fields.get("next_tool_name");
    assert_eq!(tool, Some(&Value::String("weather".into())));
    assert!(
        records[1]
            .messages
            .iter()
            .any(|one| one.content.contains("rainy in Oslo"))
    );
}

/// A backend of one's own with a history.
struct Watched(Script, History);

impl Backend for Watched {
    async fn complete(&self, request: CompletionRequest) -> Result<Completion, CandleAdapterError> {
        self.0.complete(request).await
    }

    async fn stream(&self, request: CompletionRequest) -> TextStream {
        self.0.stream(request).await
    }

    fn history(&self) -> Option<&History> {
        Some(&self.1)
    }
}

#[test]
fn a_history_keeps_the_latest_and_shows_them() {
    let history = History::of_latest(2);
    let adapter = adapter(CandleConfig::default()).with_history(&history);
    assert!(history.is_empty());
    for _ in 0..3 {
        block_on(QA::predict(&adapter, nora())).expect("an answer");
    }
    let numbers: Vec<_> = history
        .latest(9)
        .iter()
        .map(|record| record.number)
        .collect();
    assert_eq!((history.len(), numbers), (2, vec![2, 3]));
    let latest = &history.latest(1)[0];
    assert_eq!(
        latest.fields.get("answer"),
        Some(&Value::String("Lisbon".into()))
    );
    let plain = latest.to_string();
    for part in [
        "QA",
        "system:",
        "user:",
        "Where is Nora from?",
        "reply:",
        "answer = Lisbon",
        "cached",
        "prefill",
    ] {
        assert!(plain.contains(part), "{part}: {plain}");
    }
    assert!(!plain.contains('\u{1b}'));
    assert!(latest.render(true).contains("\u{1b}[1manswer\u{1b}[0m"));
    // Another configuration of the adapter keeps the history.
    let other = adapter
        .with_config(CandleConfig::default())
        .expect("an adapter");
    block_on(QA::predict(&other, nora())).expect("an answer");
    assert_eq!(history.latest(1)[0].number, 4);
    history.clear();
    assert!(history.is_empty() && history.inspect(1).is_empty());
}

#[test]
fn a_reply_can_not_steer_the_terminal() {
    let history = History::of_latest(1);
    let reply = "[[ ## answer ## ]]\nred \u{1b}[31m\u{7}\n\n[[ ## completed ## ]]";
    let backend = Watched(Script::new(&[reply]), history.clone());
    block_on(QA::predict(&backend, nora())).expect("an answer");
    let shown = history.latest(1)[0].to_string();
    assert!(
        !shown.contains('\u{1b}') && shown.contains("\\u{1b}[31m"),
        "{shown}"
    );
}

#[test]
fn failures_are_in_the_history() {
    let history = History::of_latest(3);
    let backend = Watched(Script::new(&["nothing of it"]), history.clone());
    drop(block_on(QA::predict(&backend, nora())));
    let record = &history.latest(1)[0];
    assert_eq!(record.reply.as_deref(), Some("nothing of it"));
    assert!(
        record
            .error
            .as_deref()
            .is_some_and(|error| error.contains("answer"))
    );
    assert!(record.to_string().contains("error:"));
}
