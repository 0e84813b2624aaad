//! Evaluation and optimizers, on replies made for the case and on the embedded model.

use std::sync::atomic::{AtomicUsize, Ordering};

use candle_signature::CandleSignature;
use candle_signature::adapter::{CandleAdapter, CandleConfig, CompletionRequest, ModelPool};
use candle_signature::program::optimize::{
    BootstrapFewShot, InstructionSearch, LabeledFewShot, RandomSearch,
};
use candle_signature::program::{
    Batch, ChainOfThought, DatasetError, Predict, Predicted, Tunable as _, evaluate, exact_match,
    parse_dataset, read_dataset,
};
use candle_signature::prompt::Role;
use candle_signature::signature::{Demo, Value};
use candle_signature_tests::Answers;
use futures::executor::block_on;
use serde_json::Value as Json;

#[derive(CandleSignature)]
struct Bare {
    #[input]
    passage: String,
    #[input]
    question: String,
    #[output]
    answer: String,
}

/// Twice the number.
#[derive(CandleSignature)]
struct Twice {
    #[input]
    number: i64,
    #[output]
    doubled: i64,
}

fn numbers(numbers: impl IntoIterator<Item = i64>) -> Vec<Demo<Twice>> {
    let demo = |number| {
        Demo::new(
            TwiceInput { number },
            TwiceOutput {
                doubled: 2 * number,
            },
        )
    };
    numbers.into_iter().map(demo).collect()
}

/// The number that a request asks for.
fn number(request: &CompletionRequest) -> Option<i64> {
    let last = &request.messages.last()?.content;
    let line = last
        .lines()
        .skip_while(|line| *line != "[[ ## number ## ]]")
        .nth(1)?;
    line.parse().ok()
}

fn doubled(value: i64) -> Option<String> {
    Some(format!(
        "[[ ## doubled ## ]]\n{value}\n\n[[ ## completed ## ]]"
    ))
}

fn demos_of(request: &CompletionRequest) -> usize {
    let is_reply = |role| role == Role::Assistant;
    request
        .messages
        .iter()
        .filter(|one| is_reply(one.role))
        .count()
}

#[test]
fn an_evaluation_scores_every_record_and_a_failure_is_a_zero() {
    let backend = Answers::new(|request| match number(request)? {
        2 => None,
        3 => Some("no field".into()),
        4 => doubled(0),
        n => doubled(2 * n),
    });
    let data = numbers(1..6);
    let done = AtomicUsize::new(0);
    let batch = Batch::new().on_progress(|progress| done.store(progress.done, Ordering::SeqCst));
    let evaluation = block_on(evaluate(
        &Predict::<Twice>::new(),
        &backend,
        &data,
        &exact_match,
        &batch,
    ));
    let scores: Vec<_> = evaluation.rows.iter().map(|row| row.score).collect();
    assert_eq!(scores, [1.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!((evaluation.score(), evaluation.failures()), (0.4, 2));
    assert_eq!(done.load(Ordering::SeqCst), 5);
    assert_eq!(evaluation.usage().total_tokens(), 45);
    let table = evaluation.table(3);
    assert!(
        table.contains("| 1 | number: 1 | doubled: 2 | doubled: 2 | 1.00 |"),
        "{table}"
    );
    assert!(
        table.contains("2 more")
            && table.ends_with("mean 40.0 % of 5 records, 2 without a prediction"),
        "{table}"
    );

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    evaluation.save_jsonl(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let rows: Vec<Json> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 5);
    assert_eq!(rows[3]["predicted"]["doubled"], 0);
    assert_eq!(rows[3]["expected"]["doubled"], 8);
    assert!(
        rows[1]["error"]
            .as_str()
            .unwrap()
            .contains("no answer to this")
    );
}

#[test]
fn a_metric_is_any_function_and_no_number_counts_as_nothing() {
    let backend = Answers::new(|request| doubled(number(request)?));
    let near = |example: &Demo<Twice>, out: &Predicted<TwiceOutput>| match example
        .values()
        .outputs
        .get("doubled")
    {
        Some(Value::Int(2)) => f64::NAN,
        Some(Value::Int(right)) => 1.0 / (1.0 + (*right as f64 - out.doubled as f64).abs()),
        _ => 0.0,
    };
    let program = Predict::<Twice>::new();
    let evaluation = block_on(evaluate(
        &program,
        &backend,
        &numbers([1, 3]),
        &near,
        &Batch::new(),
    ));
    let scores: Vec<_> = evaluation.rows.iter().map(|row| row.score).collect();
    assert_eq!(scores, [0.0, 0.25]);
    let empty = block_on(evaluate(
        &program,
        &backend,
        &[],
        &exact_match,
        &Batch::new(),
    ));
    assert_eq!(empty.score(), 0.0);
}

#[test]
fn a_dataset_is_typed_by_its_signature() {
    let good = "{\"number\": 1, \"doubled\": 2}\n\n{\"doubled\": 4, \"number\": 2}\n";
    assert_eq!(parse_dataset::<Twice>(good).unwrap(), numbers([1, 2]));
    let message = |text: &str| parse_dataset::<Twice>(text).unwrap_err().to_string();
    let error = message("{\"number\": 1, \"doubled\": 2}\n{\"number\": \"one\", \"dubled\": 2}");
    for part in [
        "line 2",
        "`Twice`",
        "`number`: expected an integer",
        "`dubled`",
        "`doubled`",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert!(message("[1]").contains("line 1"));
    assert!(message("{\"number\": 1,").contains("line 1"));
    let error = read_dataset::<Twice>("/no/such/file.jsonl").unwrap_err();
    assert!(matches!(error, DatasetError::Io { .. }), "{error}");
}

#[test]
fn labelled_demos_are_drawn_by_the_seed_and_each_at_most_once() {
    let train = numbers(1..20);
    let compile =
        |seed, demos| LabeledFewShot::new(demos, seed).compile(&Predict::<Twice>::new(), &train);
    assert_eq!(compile(1, 4).demos(), compile(1, 4).demos());
    assert_ne!(compile(1, 4).demos(), compile(2, 4).demos());
    let all = compile(1, 99);
    assert_eq!(all.demos().len(), 19);
    assert!(train.iter().all(|demo| all.demos().contains(demo)));
}

#[test]
fn bootstrapped_demos_are_those_that_the_teacher_solved_with_its_reasoning() {
    // Right for even numbers only.
    let backend = Answers::new(|request| {
        let n = number(request)?;
        let doubled = if n % 2 == 0 { 2 * n } else { 0 };
        Some(format!(
            "[[ ## reasoning ## ]]\n{n} and {n}\n\n[[ ## doubled ## ]]\n{doubled}\n\n[[ ## completed ## ]]"
        ))
    });
    let program = ChainOfThought::<Twice>::new();
    let train = numbers(1..20);
    let few = BootstrapFewShot::new(4, 2, 7);
    let batch = Batch::new();
    let compiled = block_on(few.compile(&program, &backend, &train, &exact_match, &batch));
    let demos = &compiled.settings().demos;
    assert_eq!(demos.len(), 6);
    for demo in &demos[..4] {
        let Some(Value::Int(n)) = demo.values().inputs.get("number") else {
            panic!("{demo:?}")
        };
        assert_eq!(n % 2, 0, "only what was right");
        let reasoning = demo.values().outputs.get("reasoning");
        assert_eq!(reasoning, Some(&Value::String(format!("{n} and {n}"))));
    }
    assert!(
        demos[4..]
            .iter()
            .all(|demo| demo.values().outputs.get("reasoning").is_none())
    );
    let inputs: Vec<_> = demos
        .iter()
        .map(|demo| demo.values().inputs.get("number"))
        .collect();
    let twice = inputs
        .iter()
        .enumerate()
        .any(|(at, one)| inputs[..at].contains(one));
    assert!(!twice, "an example is shown once: {inputs:?}");

    let broken = Answers::new(|_| None);
    let none = block_on(few.compile(&program, &broken, &train, &exact_match, &batch));
    assert_eq!(none.settings().demos.len(), 2, "labelled ones are left");
}

#[test]
fn random_search_keeps_the_best_and_never_less_than_what_it_was_given() {
    // Right only with two demos or more.
    let backend = Answers::new(|request| {
        let n = number(request)?;
        doubled(if demos_of(request) >= 2 || n == 1 {
            2 * n
        } else {
            0
        })
    });
    let (train, dev) = (numbers(1..10), numbers(20..25));
    let program = Predict::<Twice>::new();
    let batch = Batch::new();
    let search = RandomSearch::new(4, 1, 3);
    let found = block_on(search.compile(&program, &backend, &train, &dev, &exact_match, &batch));
    assert_eq!((found.trials[0].score, found.score), (0.0, 1.0));
    assert_eq!(found.trials.len(), 5);
    assert!(found.program.demos().len() >= 2);

    // Demos only do harm here.
    let spoilt = Answers::new(|request| {
        let n = number(request)?;
        doubled(if demos_of(request) == 0 { 2 * n } else { 0 })
    });
    let found = block_on(search.compile(&program, &spoilt, &train, &dev, &exact_match, &batch));
    assert_eq!(found.score, 1.0);
    assert!(found.program.demos().is_empty());
}

#[test]
fn instructions_are_given_or_proposed_and_the_best_is_kept() {
    let backend = Answers::new(|request| {
        if request.messages[0].content.contains("better_instruction") {
            let shown = &request.messages.last()?.content;
            assert!(
                shown.contains("`number` (int) -> `doubled` (int)"),
                "{shown}"
            );
            assert!(
                shown.contains("Twice the number.\nScore: 0 of 100"),
                "{shown}"
            );
            assert!(shown.contains("(and not doubled: 0)"), "{shown}");
            assert!(request.overrides.temperature > Some(0.0));
            // The second proposal fails.
            let fails = request.overrides.seed? % 2 == 1;
            return (!fails).then(|| {
                "[[ ## better_instruction ## ]]\nDouble it well.\n\n[[ ## completed ## ]]"
                    .to_owned()
            });
        }
        let n = number(request)?;
        let told = request.messages[0].content.contains("Double it well.");
        doubled(if told { 2 * n } else { 0 })
    });
    let program = Predict::<Twice>::new();
    let (train, dev) = (numbers(1..5), numbers(5..9));
    let search = InstructionSearch::new()
        .with_candidates(["Triple it.", " Triple it. ", ""])
        .with_proposals(2, 1);
    let found = block_on(search.compile(
        &program,
        &backend,
        &backend,
        &train,
        &dev,
        &exact_match,
        &Batch::new(),
    ));
    let tried: Vec<_> = found
        .trials
        .iter()
        .map(|trial| trial.what.as_str())
        .collect();
    assert_eq!(
        tried,
        [
            "as it was",
            "given: Triple it.",
            "proposed: Double it well."
        ]
    );
    assert_eq!(found.program.settings().instruction, "Double it well.");
    assert_eq!(found.score, 1.0);
}

fn data(name: &str) -> Vec<Demo<Bare>> {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data/unanswered");
    read_dataset(folder.join(name)).expect("the data")
}

#[test]
fn the_sets_of_the_example_share_no_passage() {
    let sets = ["train.jsonl", "dev.jsonl", "heldout.jsonl"].map(data);
    let mut passages = std::collections::HashSet::new();
    for record in sets.iter().flatten() {
        let passage = record
            .values()
            .inputs
            .get("passage")
            .map(|value| format!("{value:?}"));
        assert!(passages.insert(passage), "{record:?}");
    }
    assert_eq!(passages.len(), 200);
}

#[test]
fn a_bare_program_gets_better_on_data_that_it_was_not_chosen_by() {
    let model = block_on(ModelPool::embedded().load_model(ModelPool::EMBEDDED)).expect("it loads");
    let config = CandleConfig {
        max_tokens: 64,
        ..CandleConfig::default()
    };
    let adapter = CandleAdapter::from_loaded_model(model, config).unwrap();
    let (train, dev, mut heldout) = (
        data("train.jsonl"),
        data("dev.jsonl"),
        data("heldout.jsonl"),
    );
    heldout.truncate(20);
    let batch = Batch::new();
    let bare = Predict::<Bare>::new();
    let search = InstructionSearch::new().with_candidates([
        "Answer the question from the passage. If the text does not say, answer \"n/a\".",
    ]);
    let found = block_on(search.compile(
        &bare,
        &adapter,
        &adapter,
        &train,
        &dev[..10],
        &exact_match,
        &batch,
    ));
    let score =
        |program| block_on(evaluate(program, &adapter, &heldout, &exact_match, &batch)).score();
    let (before, after) = (score(&bare), score(&found.program));
    assert!(after >= before + 0.1, "{before} before, {after} after");
}

#[test]
fn the_proposer_may_be_the_model_itself() {
    let model = block_on(ModelPool::embedded().load_model(ModelPool::EMBEDDED)).expect("it loads");
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default()).unwrap();
    let (train, dev) = (data("train.jsonl"), data("dev.jsonl"));
    let search = InstructionSearch::new().with_proposals(2, 1);
    let bare = Predict::<Bare>::new();
    let (train, dev, batch) = (&train[..4], &dev[..4], Batch::new());
    let found =
        block_on(search.compile(&bare, &adapter, &adapter, train, dev, &exact_match, &batch));
    let proposed = |what: &str| what.starts_with("proposed: ");
    assert!(
        found.trials.iter().any(|trial| proposed(&trial.what)),
        "{:?}",
        found.trials
    );
    assert!(found.score >= found.trials[0].score);
}
