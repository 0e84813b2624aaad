//! A prediction for each JSON line: side by side in the engine's batches, told in the order of the records.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value as Json, json};
use tokio::sync::mpsc;

use crate::error::CliError;
use crate::out::Out;
use crate::reading::{Line, object_of};
use crate::replies;

use super::inputs::Lines;
use super::{Run, one};

/// Lines that wait for a place among the running.
const WAITING: usize = 64;

pub async fn run(
    run: &Run<'_>,
    lines: Lines,
    shared: &Map<String, Json>,
    ignore_extra: bool,
    parallel: usize,
    out: &mut Out,
) -> Result<(), CliError> {
    let bar = progress(out);
    let record = |line: Line| async move {
        let number = line.0;
        let (id, result) = record(run, line.1, shared, ignore_extra).await;
        answer(number, id, result)
    };
    // Twice the rows of a pass: while the oldest reply is waited for, those behind it fill the batch.
    let mut answers = std::pin::pin!(received(lines).map(record).buffered(2 * parallel));
    let (mut total, mut failed) = (0usize, 0usize);
    while let Some(answer) = answers.next().await {
        total += 1;
        failed += usize::from(answer["ok"] == false);
        bar.set_message(format!("{failed} failed"));
        bar.inc(1);
        bar.suspend(|| out.json(&answer))?;
    }
    bar.finish_and_clear();
    out.commit()?;
    if failed > 0 {
        out.tell_failures();
        let records = if total == 1 { "record" } else { "records" };
        return Err(CliError::Failed(format!(
            "{failed} of {total} {records} failed: their lines say why"
        )));
    }
    Ok(())
}

fn progress(out: &Out) -> ProgressBar {
    if !out.shows_progress() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    // A template that a test of this file compiles.
    if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

const TEMPLATE: &str = "{spinner} {pos} done, {msg}, {per_sec}, {elapsed}";

/// The lines as a thread of its own reads them.
fn received(lines: Lines) -> impl stream::Stream<Item = Line> {
    let (sender, receiver) = mpsc::channel(WAITING);
    // Not awaited: a terminal's next line may never come.
    std::thread::spawn(move || {
        for line in lines {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|line| (line, receiver))
    })
}

/// The id of a record, and what came of it.
async fn record(
    run: &Run<'_>,
    line: Result<String, String>,
    shared: &Map<String, Json>,
    ignore_extra: bool,
) -> (Option<Json>, Result<Json, CliError>) {
    let mut object = match line.and_then(|line| object_of(&line)) {
        Ok(object) => object,
        Err(problem) => return (None, Err(CliError::Usage(problem))),
    };
    let fields = &run.predict.spec().inputs;
    let is_input = |name: &str| fields.iter().any(|field| field.name == name);
    let id = match is_input("id") {
        true => None,
        false => object.shift_remove("id"),
    };
    if ignore_extra {
        object.retain(|name, _| is_input(name));
    }
    for (name, value) in shared {
        object.entry(name.clone()).or_insert_with(|| value.clone());
    }
    (id, predicted(run, object).await)
}

async fn predicted(run: &Run<'_>, object: Map<String, Json>) -> Result<Json, CliError> {
    let inputs = run.predict.inputs(&Json::Object(object))?;
    if run.output.show_prompt {
        one::show_prompt(&run.predict.messages(&inputs));
    }
    let start = Instant::now();
    let predicted = run.predict.call(&run.backend, inputs).await?;
    let mut json = json!({"values": predicted.values()});
    if run.output.stats {
        json["meta"] = replies::meta(&predicted, start.elapsed().as_secs_f64());
    }
    Ok(json)
}

/// The line of a record: `{"line", "id", "ok", "values", "meta"}` or `{"line", "id", "ok", "error"}`.
fn answer(number: usize, id: Option<Json>, result: Result<Json, CliError>) -> Json {
    let mut answer = Map::new();
    answer.insert("line".into(), number.into());
    if let Some(id) = id {
        answer.insert("id".into(), id);
    }
    answer.insert("ok".into(), result.is_ok().into());
    match result {
        Ok(Json::Object(entries)) => answer.extend(entries),
        Ok(_) => {}
        Err(error) => {
            answer.insert("error".into(), error.to_json());
        }
    }
    Json::Object(answer)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_template_of_the_progress_compiles() {
        assert!(super::ProgressStyle::with_template(super::TEMPLATE).is_ok());
    }
}
