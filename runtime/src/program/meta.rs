//! What is known of how one field came about: its text, its repairs, how sure the model was of its tokens.

use std::ops::Range;

use crate::adapter::{Completion, Finish};
use crate::parse::{Parsed, Repair};

/// How a field came about.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FieldMeta<'p> {
    /// Its text as the model wrote it; none where it was left out.
    pub raw: Option<&'p str>,
    /// What the parser had to mend in it.
    pub repairs: Vec<&'p Repair>,
    /// The mean log-probability of the tokens of its text that the model chose: natural logarithms, by the model alone, before
    /// grammar, repetition penalty, temperature and filters. None where all were forced, or the backend does not tell: ours does
    /// under a grammar only with [`log_probabilities`](crate::adapter::CandleConfig::log_probabilities).
    pub mean_logprob: Option<f32>,
    /// The least of them.
    pub min_logprob: Option<f32>,
    /// Whether a grammar held the reply to the field's type.
    pub constrained: bool,
    /// Whether the reply was cut short in it or before it, so that its value is not all the model had to say.
    pub truncated: bool,
}

impl<'p> FieldMeta<'p> {
    pub(super) fn of(
        field: &str,
        completion: &'p Completion,
        parsed: &'p Parsed,
        truncated_in: Option<&str>,
    ) -> Self {
        let span = parsed.spans.iter().find(|(name, _)| name == field);
        let span = span.map(|(_, span)| span.clone());
        let about = |repair: &&Repair| repair.field.as_deref() == Some(field);
        let (mean_logprob, min_logprob) = match &span {
            Some(span) => certainty(completion, span),
            None => (None, None),
        };
        FieldMeta {
            raw: span.clone().and_then(|span| completion.text.get(span)),
            repairs: parsed.repairs.iter().filter(about).collect(),
            mean_logprob,
            min_logprob,
            constrained: completion.constrained,
            truncated: truncated_in == Some(field)
                || span.is_some_and(|span| is_cut(completion, parsed, &span)),
        }
    }
}

/// Whether the text begins after the place where the reply was cut short, or ends there.
fn is_cut(completion: &Completion, parsed: &Parsed, span: &Range<usize>) -> bool {
    match completion.closed_at {
        Some(at) => span.start >= at,
        None => {
            let last = parsed.spans.iter().all(|(_, other)| other.end <= span.end);
            completion.finish == Finish::Length && !parsed.completed && last
        }
    }
}

/// The mean and the least log-probability of the tokens that were chosen in a part of the text.
fn certainty(completion: &Completion, span: &Range<usize>) -> (Option<f32>, Option<f32>) {
    let (mut sum, mut count, mut least) = (0.0f64, 0u32, f32::INFINITY);
    let mut begin = 0;
    for token in &completion.tokens {
        let end = begin + token.bytes;
        // A token that begins a character shows no text of its own, but stands where the character does.
        let inside = begin < span.end && (end > span.start || begin == span.start);
        begin = end;
        if let Some(logprob) = token.logprob.filter(|_| inside) {
            sum += f64::from(logprob);
            count += 1;
            least = least.min(logprob);
        }
    }
    match count {
        0 => (None, None),
        count => (Some((sum / f64::from(count)) as f32), Some(least)),
    }
}
