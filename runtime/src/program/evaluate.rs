//! How right a program is on a dataset: a score a record, their mean, a table, and a line of JSON each.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use crate::adapter::{Backend, CandleAdapterError, Usage};
use crate::prompt::plain_text;
use crate::signature::{Demo, FieldSet, FieldValues, Signature, Value};

use super::dataset::joined;
use super::{Batch, Predicted, Program};
use crate::file::write_atomically;

/// How right a prediction is: usually from 0 for wrong to 1 for right. What is no finite number counts as 0.
///
/// Every closure `Fn(&Demo<S>, &Predicted<S::Output>) -> f64` is one, and so is [`exact_match`].
pub trait Metric<S: Signature>: Send + Sync {
    /// The score of a prediction; the example holds the inputs and the outputs that are right.
    fn score(&self, example: &Demo<S>, prediction: &Predicted<S::Output>) -> f64;
}

impl<S, F> Metric<S> for F
where
    S: Signature,
    F: Fn(&Demo<S>, &Predicted<S::Output>) -> f64 + Send + Sync,
{
    fn score(&self, example: &Demo<S>, prediction: &Predicted<S::Output>) -> f64 {
        self(example, prediction)
    }
}

/// 1 where every output that the example has is predicted as it is there, else 0. An optional output that is left out is `null`.
#[must_use]
pub fn exact_match<S: Signature>(example: &Demo<S>, prediction: &Predicted<S::Output>) -> f64 {
    let expected = &example.values().outputs;
    let right = S::Output::FIELDS.iter().all(|field| {
        let Some(wanted) = expected.get(&field.name) else {
            return true;
        };
        prediction.values().get(&field.name).unwrap_or(&Value::Null) == wanted
    });
    f64::from(u8::from(right))
}

/// A record with what was predicted for it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Row {
    /// The inputs.
    pub inputs: FieldValues,
    /// The outputs that are right.
    pub expected: FieldValues,
    /// The values of the reply, those beside the outputs (`reasoning`) included; empty if there is none.
    pub predicted: FieldValues,
    /// The metric's score; 0 if there is no prediction.
    pub score: f64,
    /// Why there is no prediction.
    pub error: Option<String>,
    /// Tokens that it cost; none are known where there is no prediction.
    pub usage: Usage,
}

/// The rows of a dataset, in its order.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Evaluation {
    /// One row a record.
    pub rows: Vec<Row>,
}

/// Runs a program on every record, many at once, and scores what it predicts. A record that fails costs only itself.
pub async fn evaluate<P: Program, B: Backend + ?Sized>(
    program: &P,
    backend: &B,
    dataset: &[Demo<P::Signature>],
    metric: &impl Metric<P::Signature>,
    batch: &Batch<'_>,
) -> Evaluation {
    let predictions = predictions(program, backend, dataset, batch).await;
    let rows = dataset
        .iter()
        .zip(predictions)
        .map(|(example, prediction)| {
            let values = example.values();
            let row = Row {
                inputs: values.inputs.clone(),
                expected: values.outputs.clone(),
                predicted: FieldValues::new(),
                score: 0.0,
                error: None,
                usage: Usage::default(),
            };
            match prediction {
                Ok(predicted) => Row {
                    score: score(metric, example, &predicted),
                    usage: predicted.usage(),
                    predicted: predicted.values().clone(),
                    ..row
                },
                Err(error) => Row {
                    error: Some(error.to_string()),
                    ..row
                },
            }
        });
    Evaluation {
        rows: rows.collect(),
    }
}

pub(super) fn score<S: Signature>(
    metric: &impl Metric<S>,
    example: &Demo<S>,
    prediction: &Predicted<S::Output>,
) -> f64 {
    let score = metric.score(example, prediction);
    if score.is_finite() { score } else { 0.0 }
}

/// What a program predicts for each record.
pub(super) async fn predictions<P: Program, B: Backend + ?Sized>(
    program: &P,
    backend: &B,
    dataset: &[Demo<P::Signature>],
    batch: &Batch<'_>,
) -> Vec<Result<Predicted<<P::Signature as Signature>::Output>, CandleAdapterError>> {
    let call = |example: &Demo<P::Signature>| {
        let inputs = example.values().inputs.clone();
        async move {
            let input =
                <P::Signature as Signature>::Input::from_values(inputs).map_err(|errors| {
                    let text = format!("the record's inputs can't be read: {}", joined(&errors));
                    CandleAdapterError::SignatureError(text.into())
                })?;
            program.run(backend, input).await
        }
    };
    batch.each(dataset, call).await
}

impl Evaluation {
    /// The mean score; 0 of no record.
    #[must_use]
    pub fn score(&self) -> f64 {
        let sum: f64 = self.rows.iter().map(|row| row.score).sum();
        sum / self.rows.len().max(1) as f64
    }

    /// How many records have no prediction.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.rows.iter().filter(|row| row.error.is_some()).count()
    }

    /// Tokens of all predictions.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let usages = self.rows.iter().map(|row| row.usage);
        usages.fold(Usage::default(), |sum, usage| sum + usage)
    }

    /// A Markdown table of the first rows, and the mean below it.
    #[must_use]
    pub fn table(&self, rows: usize) -> String {
        Table {
            evaluation: self,
            rows,
        }
        .to_string()
    }

    /// Writes a line of JSON a record: `{"inputs", "expected", "predicted", "score", "error", "usage"}`.
    ///
    /// # Errors
    /// What the writer reports.
    pub fn write_jsonl(&self, mut to: impl Write) -> io::Result<()> {
        for row in &self.rows {
            let line = json!({
                "inputs": row.inputs,
                "expected": row.expected,
                "predicted": row.predicted,
                "score": row.score,
                "error": row.error,
                "usage": row.usage,
            });
            writeln!(to, "{line}")?;
        }
        Ok(())
    }

    /// Saves what [`Evaluation::write_jsonl`] writes: a file that is there whole or not at all.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn save_jsonl(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let mut lines = Vec::new();
        self.write_jsonl(&mut lines)?;
        write_atomically(path.as_ref(), &lines)
    }
}

struct Table<'e> {
    evaluation: &'e Evaluation,
    rows: usize,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Evaluation { rows } = self.evaluation;
        writeln!(f, "| # | inputs | expected | predicted | score |")?;
        writeln!(f, "|---|---|---|---|---|")?;
        for (number, row) in (1..).zip(rows).take(self.rows) {
            let predicted = match &row.error {
                Some(error) => cell(error),
                None => values(&row.predicted),
            };
            let (inputs, expected) = (values(&row.inputs), values(&row.expected));
            let score = row.score;
            writeln!(
                f,
                "| {number} | {inputs} | {expected} | {predicted} | {score:.2} |"
            )?;
        }
        if rows.len() > self.rows {
            writeln!(f, "| … | {} more | | | |", rows.len() - self.rows)?;
        }
        let failures = self.evaluation.failures();
        let mean = 100.0 * self.evaluation.score();
        write!(
            f,
            "\nmean {mean:.1} % of {} records, {failures} without a prediction",
            rows.len()
        )
    }
}

fn values(values: &FieldValues) -> String {
    let shown = values
        .iter()
        .map(|(name, value)| format!("{name}: {}", plain_text(value)));
    cell(&shown.collect::<Vec<_>>().join("; "))
}

/// Text that stays within its cell: one line, at most 60 characters.
fn cell(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short = match line.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    };
    short.replace('|', "\\|")
}
