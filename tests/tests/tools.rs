//! Tools of a program that go wrong in every way, and what the model is told of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use candle_signature::adapter::CandleAdapterError;
use candle_signature::program::{ReAct, ReActEnd, ReActed};
use candle_signature::signature::{FnTool, Tool, Value};
use candle_signature::{CandleSignature, candle_tool};
use candle_signature_tests::{Answers, Script};
use futures::executor::block_on;

/// Answer the question with the help of the tools.
#[derive(CandleSignature)]
struct Ask {
    #[input]
    question: String,
    #[output]
    answer: String,
}

const ANSWER: &str = "[[ ## answer ## ]]\nyes\n\n[[ ## completed ## ]]";

const FINISH: &str = "[[ ## next_thought ## ]]\nDone.\n\n[[ ## next_tool_name ## ]]\nfinish\n\n[[ ## next_tool_args ## ]]\n{}\n\n[[ ## completed ## ]]";

macro_rules! step {
    ($tool:literal, $args:literal) => {
        concat!(
            "[[ ## next_thought ## ]]\nThink.\n\n[[ ## next_tool_name ## ]]\n",
            $tool,
            "\n\n[[ ## next_tool_args ## ]]\n",
            $args,
            "\n\n[[ ## completed ## ]]"
        )
    };
}

fn question() -> AskInput {
    AskInput {
        question: "Is it so?".into(),
    }
}

fn run(program: &ReAct<Ask>, replies: &[&'static str]) -> ReActed<AskOutput> {
    block_on(program.call(&Script::new(replies), question())).expect("an answer")
}

fn seen(out: &ReActed<AskOutput>) -> Vec<&str> {
    let steps = out.trajectory().iter();
    steps.map(|step| step.observation.as_str()).collect()
}

/// Never returns.
#[candle_tool]
fn hang() -> i64 {
    loop {
        std::thread::park();
    }
}

/// Breaks.
#[candle_tool]
fn explode(fuse: i64) -> i64 {
    assert!(fuse < 0, "the fuse was {fuse}");
    fuse
}

#[test]
fn a_tool_that_hangs_is_given_up_and_the_program_goes_on() {
    let program = ReAct::new().with_tool(HangTool.within(Duration::from_millis(50)));
    let start = Instant::now();
    let out = run(&program, &[step!("hang", "{}"), FINISH, ANSWER]);
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(
        (out.answer.as_str(), out.end()),
        ("yes", ReActEnd::Finished)
    );
    assert_eq!(
        seen(&out)[0],
        "error: tool `hang` gave no answer within 50ms and was given up"
    );
}

#[test]
fn the_limit_of_the_program_holds_for_tools_without_one() {
    let program = ReAct::new()
        .with_tool(HangTool)
        .with_tool_limit(Duration::from_millis(20));
    let out = run(&program, &[step!("hang", "{}"), FINISH, ANSWER]);
    assert!(seen(&out)[0].contains("within 20ms"), "{:?}", seen(&out));
}

/// Says when it is dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn an_async_tool_is_stopped_at_its_limit() {
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&dropped);
    let wait = FnTool::new_async("wait", "Waits.", [], move || {
        let guard = Dropped(Arc::clone(&flag));
        async move {
            std::future::pending::<()>().await;
            drop(guard);
        }
    });
    let program = ReAct::new().with_tool(wait.within(Duration::from_millis(30)));
    let out = run(&program, &[step!("wait", "{}"), FINISH, ANSWER]);
    assert!(seen(&out)[0].contains("given up"), "{:?}", seen(&out));
    let start = Instant::now();
    while !dropped.load(Ordering::SeqCst) && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(
        dropped.load(Ordering::SeqCst),
        "the tool's future is still there"
    );
}

#[tokio::test]
async fn a_tool_may_use_the_timers_of_the_runtime() {
    let nap = FnTool::new_async("nap", "Sleeps.", ["ms"], |ms: u64| async move {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        "rested"
    });
    let program = ReAct::<Ask>::new().with_tool(nap);
    let script = Script::new(&[step!("nap", r#"{"ms": 10}"#), FINISH, ANSWER]);
    let out = program.call(&script, question()).await.unwrap();
    assert_eq!(seen(&out)[0], "rested");
}

#[test]
fn a_panic_of_a_tool_is_an_observation() {
    let program = ReAct::new().with_tool(ExplodeTool);
    let out = run(
        &program,
        &[
            step!("explode", r#"{"fuse": 7}"#),
            step!("explode", r#"{"fuse": -7}"#),
            FINISH,
            ANSWER,
        ],
    );
    assert_eq!(
        seen(&out),
        [
            "error: tool `explode` panicked: the fuse was 7",
            "-7",
            "done"
        ]
    );
}

#[test]
fn a_tool_that_is_not_there_is_named_and_the_program_goes_on() {
    let program = ReAct::new().with_tool(ExplodeTool);
    let out = run(
        &program,
        &[step!("search_the_web", r#"{"query": "x"}"#), FINISH, ANSWER],
    );
    assert_eq!(out.trajectory()[0].tool, "search_the_web");
    assert_eq!(
        seen(&out)[0],
        "error: there is no tool `search_the_web`: the tools are `explode`, `finish`"
    );
    assert_eq!(out.end(), ReActEnd::Finished);
}

#[test]
fn arguments_that_are_wrong_are_told_one_by_one() {
    let add = FnTool::new("add", "Adds.", ["a", "b"], |a: i64, b: i64| a + b);
    let program = ReAct::new().with_tool(add).with_max_steps(9);
    let out = run(
        &program,
        &[
            step!("add", r#"{"a": 2, "b": 3}"#),
            step!("add", r#"{"a": "two", "b": 3}"#),
            step!("add", r#"{"a": 2}"#),
            step!("add", r#"{"a": 2, "b": 3, "c": 4}"#),
            step!("add", "[1, 2]"),
            FINISH,
            ANSWER,
        ],
    );
    let seen = seen(&out);
    assert_eq!(seen[0], "5");
    assert!(
        seen[1].starts_with("error: ") && seen[1].contains("`a`"),
        "{seen:?}"
    );
    assert!(seen[2].contains("`b`: missing"), "{seen:?}");
    assert!(
        seen[3].contains("`c`") && seen[3].contains("`a`, `b`"),
        "{seen:?}"
    );
    assert!(seen[4].contains("next_tool_args"), "{seen:?}");
    assert_eq!(out.end(), ReActEnd::Finished);
}

#[test]
fn a_program_that_goes_in_circles_ends_at_its_step_limit_with_an_answer() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let look = FnTool::new("look", "Looks.", [], move || {
        count.fetch_add(1, Ordering::SeqCst);
        "nothing"
    });
    let program = ReAct::<Ask>::new().with_tool(look).with_max_steps(7);
    let circle = Answers::new(|request| {
        let asks_for_step = request.messages[0].content.contains("next_tool_name");
        let reply = if asks_for_step {
            step!("look", "{}")
        } else {
            ANSWER
        };
        Some(reply.to_owned())
    });
    let out = block_on(program.call(&circle, question())).unwrap();
    assert_eq!(
        (out.end(), out.trajectory().len()),
        (ReActEnd::StepLimit, 7)
    );
    assert_eq!(calls.load(Ordering::SeqCst), 7);
    assert_eq!(out.answer, "yes");
}

#[test]
fn what_a_tool_returns_is_bounded_and_says_so() {
    let long = FnTool::new("long", "Much.", [], || "é".repeat(100_000));
    let program = ReAct::new().with_tool(long).with_max_observation(10);
    let out = run(&program, &[step!("long", "{}"), FINISH, ANSWER]);
    assert_eq!(
        seen(&out)[0],
        format!("{} … (99990 characters more)", "é".repeat(10))
    );
}

#[test]
fn steps_that_no_longer_fit_are_left_out_of_the_prompt_but_not_of_the_result() {
    let program = ReAct::<Ask>::new()
        .with_tool(FnTool::new("page", "A page.", ["number"], |n: u8| {
            format!("page {n}")
        }))
        .with_max_steps(4);
    // Room for two steps.
    let small = Answers::new(|request| {
        let shown = request
            .messages
            .last()?
            .content
            .matches("\"observation\"")
            .count();
        let step = request.messages[0].content.contains("next_tool_name");
        Some(match (shown, step) {
            (3.., _) => return None,
            (_, true) => step!("page", r#"{"number": 1}"#).to_owned(),
            _ => ANSWER.to_owned(),
        })
    });
    struct Full<B>(B);
    impl<B: candle_signature::adapter::Backend> candle_signature::adapter::Backend for Full<B> {
        async fn complete(
            &self,
            request: candle_signature::adapter::CompletionRequest,
        ) -> Result<candle_signature::adapter::Completion, CandleAdapterError> {
            let full = CandleAdapterError::ContextTooLong { actual: 9, max: 8 };
            self.0.complete(request).await.map_err(|_| full)
        }
    }
    let out = block_on(program.call(&Full(small), question())).unwrap();
    assert_eq!(out.trajectory().len(), 4);
    assert_eq!(out.end(), ReActEnd::StepLimit);
    let never = Full(Answers::new(|_| None));
    let error = block_on(program.call(&never, question())).unwrap_err();
    assert!(
        matches!(error, CandleAdapterError::ContextTooLong { .. }),
        "{error}"
    );
}

#[test]
fn every_step_is_told_when_its_tool_has_returned() {
    let program = ReAct::<Ask>::new().with_tool(ExplodeTool);
    let script = Script::new(&[step!("explode", r#"{"fuse": -1}"#), FINISH, ANSWER]);
    let mut told = Vec::new();
    let watch = |step: &candle_signature::program::Step| told.push(step.observation.clone());
    block_on(program.call_watched(&script, question(), watch)).unwrap();
    assert_eq!(told, ["-1", "done"]);
}

#[test]
fn a_closure_is_a_typed_tool() {
    let offset = 3;
    let shift = FnTool::new("shift", "Adds.", ["number"], move |number: i64| {
        i64::checked_add(number, offset).ok_or("too large")
    });
    assert_eq!(shift.arguments()[0].name, "number");
    let call = |number: i128| {
        let arguments = [("number", Value::Int(number))].into_iter().collect();
        block_on(shift.call(arguments))
    };
    assert_eq!(call(4).unwrap(), Value::Int(7));
    let error = call(i64::MAX.into()).unwrap_err().to_string();
    assert_eq!(error, "tool `shift` failed: too large");
    let error = call(i128::MAX).unwrap_err().to_string();
    assert!(error.contains("`number`"), "{error}");
}
