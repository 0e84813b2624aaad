//! One forward pass over the running sequences: who computes what, and what came of it for each.

use super::sequence::Sequence;
use super::shares::shares;
use super::stats::Stats;
#[cfg(feature = "cuda")]
use crate::engine::cuda::choice::{Asker, Chosen, Next, Question};
use crate::engine::{EngineError, LogitsMask, Model, Row, Sampler, TokenId};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Where a mask admits at most so many tokens, the output head is computed for them alone.
const FEW_TOKENS: usize = 1024;

/// What a pass has brought a sequence.
pub(super) enum Came {
    /// It is still prefilled.
    Nothing,
    /// The logits after its last token, and after each that was guessed.
    Logits(Vec<Vec<f32>>),
    /// Its next token, or why there is none.
    #[cfg(feature = "cuda")]
    Chosen(Result<Chosen, EngineError>),
}

/// What decides over a sequence's next token, beside the logits.
struct Chooser<'a> {
    mask: Option<&'a mut Box<dyn LogitsMask>>,
    wants_all: bool,
    /// Whether the next step is one of a single token, whatever token is chosen.
    #[cfg_attr(
        not(feature = "cuda"),
        expect(dead_code, reason = "only a GPU is asked to choose")
    )]
    goes_on: bool,
    #[cfg_attr(
        not(feature = "cuda"),
        expect(dead_code, reason = "only a GPU is asked to choose")
    )]
    sampler: &'a mut Sampler,
    #[cfg_attr(
        not(feature = "cuda"),
        expect(dead_code, reason = "only a GPU is asked to choose")
    )]
    top: usize,
    #[cfg_attr(
        not(feature = "cuda"),
        expect(dead_code, reason = "only a GPU is asked to choose")
    )]
    position: usize,
}

/// Runs the sequences' next tokens, as [`shares`] allots them.
pub(super) fn forward(
    model: &Model,
    running: &mut [Sequence],
    chunk: usize,
    stats: &Stats,
) -> Result<Vec<Came>, EngineError> {
    let pending: Vec<usize> = running
        .iter()
        .map(|sequence| sequence.tokens.len() - sequence.cache.len())
        .collect();
    let begun = running.iter().filter(|sequence| sequence.has_begun());
    let chosen_before = begun.count();
    let shares = shares(&pending, chunk);
    let count = running.len();
    let inputs: Vec<Vec<TokenId>> = running
        .iter_mut()
        .zip(&shares)
        .map(|(sequence, share)| sequence.input(*share, count))
        .collect();
    let drafted: Vec<usize> = running.iter().map(Sequence::drafted).collect();
    let mut choosers = Vec::with_capacity(count);
    let mut rows: Vec<Row<'_>> = Vec::with_capacity(count);
    for ((sequence, input), ended) in running.iter_mut().zip(&inputs).zip(
        shares
            .iter()
            .zip(&pending)
            .map(|(share, pending)| share == pending),
    ) {
        let request = &mut sequence.job.request;
        choosers.push(Chooser {
            goes_on: request.use_kv_cache
                && request.prompt_lookup == 0
                && sequence.tokens.len() + 1 < request.prompt.len() + sequence.job.limit,
            wants_all: request.wants_all_logits(),
            mask: request.mask.as_mut(),
            sampler: &mut sequence.job.sampler,
            top: request.top_logprobs,
            position: sequence.tokens.len(),
        });
        rows.push(Row {
            tokens: input,
            logits: ended,
            cache: &mut sequence.cache,
        });
    }
    let guesses: usize = drafted.iter().sum();
    let came = came(model, &mut rows, &mut choosers, &drafted)?;
    let computed: usize = running
        .iter()
        .zip(shares.iter().zip(&pending))
        .map(|(sequence, (share, pending))| {
            let held = sequence.tokens.len() - pending;
            (*share).min(sequence.cache.len() - held)
        })
        .sum();
    stats.count(|stats| {
        stats.steps += 1;
        stats.prefilled_tokens += computed.saturating_sub(chosen_before) as u64;
        stats.drafted_tokens += guesses as u64;
    });
    Ok(came)
}

fn came(
    model: &Model,
    rows: &mut [Row<'_>],
    choosers: &mut [Chooser<'_>],
    drafted: &[usize],
) -> Result<Vec<Came>, EngineError> {
    let network = model.network();
    if drafted.iter().any(|drafted| *drafted > 0) {
        let tails: Vec<usize> = drafted.iter().map(|drafted| drafted + 1).collect();
        let logits = network.forward_tails(rows, &tails)?;
        return Ok(of_rows(rows, logits));
    }
    #[cfg(feature = "cuda")]
    if let Some(cuda) = network.cuda() {
        let mut choosers = Choosers {
            choosers,
            vocabulary: network.config().vocab_size,
        };
        let outcomes = network.forward_choosing(cuda, rows, &mut choosers)?;
        let came = outcomes.into_iter().map(|outcome| match outcome.chosen {
            Some(chosen) => Came::Chosen(chosen),
            None => Came::Nothing,
        });
        return Ok(came.collect());
    }
    let few = |row: usize| choosers[row].few();
    let logits = network.forward_for(rows, few)?;
    Ok(of_rows(
        rows,
        logits.into_iter().map(|one| vec![one]).collect(),
    ))
}

/// Gives the rows that want logits theirs.
fn of_rows(rows: &[Row<'_>], logits: Vec<Vec<Vec<f32>>>) -> Vec<Came> {
    let mut logits = logits.into_iter();
    rows.iter()
        .map(|row| match row.logits.then(|| logits.next()).flatten() {
            Some(logits) => Came::Logits(logits),
            None => Came::Nothing,
        })
        .collect()
}

impl Chooser<'_> {
    /// The tokens that may come next, where they are known to be few and no other's logits are wanted.
    fn few(&mut self) -> Option<Vec<TokenId>> {
        let mask = self.mask.as_mut().filter(|_| !self.wants_all)?;
        mask.few(FEW_TOKENS)
    }

    #[cfg(feature = "cuda")]
    fn question(&mut self, vocabulary: usize) -> Result<Question, EngineError> {
        let mask = match &mut self.mask {
            Some(mask) => mask.bits(vocabulary)?,
            None => None,
        };
        Ok(Question {
            mask,
            top: self.top,
            ..self.sampler.question(self.position)
        })
    }

    #[cfg(feature = "cuda")]
    fn question_ahead(&self) -> Next {
        if !self.goes_on {
            return Next::Nothing;
        }
        match self.sampler.question_ahead(self.position + 1) {
            Some(question) if self.mask.is_none() => Next::Known(Question {
                top: self.top,
                ..question
            }),
            _ => Next::Later,
        }
    }
}

#[cfg(feature = "cuda")]
struct Choosers<'a, 'b> {
    choosers: &'a mut [Chooser<'b>],
    vocabulary: usize,
}

#[cfg(feature = "cuda")]
impl Asker for Choosers<'_, '_> {
    fn ask(&mut self, row: usize) -> Result<Question, EngineError> {
        isolated(|| self.choosers[row].question(self.vocabulary))
    }

    fn ask_ahead(&mut self, row: usize) -> Next {
        self.choosers[row].question_ahead()
    }
}

/// Turns a panic into an error. What a panicking step leaves half done is private to sequences that end with
/// it: caches count tokens only after a whole forward pass.
pub(super) fn isolated<T>(step: impl FnOnce() -> Result<T, EngineError>) -> Result<T, EngineError> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|panic| {
        Err(EngineError::Panicked {
            message: panic_message(&*panic),
        })
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "no message".to_owned()
    }
}
