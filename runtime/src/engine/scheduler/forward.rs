//! One forward pass over the running sequences: who computes what, and what came of it for each.

use super::sequence::Sequence;
use super::shares::shares as allot;
use super::stats::Stats;
#[cfg(feature = "cuda")]
use crate::engine::cuda::choice::{Asker, Chosen, Next, Outcome, Question};
use crate::engine::recycled::recycled;
use crate::engine::{EngineError, Logits, LogitsMask, Model, Row, Sampler, TokenId};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Where a mask admits at most so many tokens, the output head is computed for them alone.
const FEW_TOKENS: usize = 1024;

/// What a pass has brought a sequence.
pub(super) enum Came {
    /// It is still prefilled.
    Nothing,
    /// The logits after its last token, and after each that was guessed: they are where those of its row are.
    Logits,
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

/// Room of passes, kept between them.
#[derive(Default)]
pub(super) struct PassRoom {
    pub logits: Logits,
    pending: Vec<usize>,
    shares: Vec<usize>,
    tails: Vec<usize>,
    /// These two are empty, but for their memory.
    rows: Vec<Row<'static>>,
    choosers: Vec<Chooser<'static>>,
}

/// Runs the sequences' next tokens, as [`shares`] allots them. Each then has what came of it.
pub(super) fn forward(
    model: &Model,
    running: &mut [Sequence],
    chunk: usize,
    room: &mut PassRoom,
    stats: &Stats,
) -> Result<(), EngineError> {
    let PassRoom {
        logits,
        pending,
        shares,
        tails,
        ..
    } = room;
    pending.clear();
    pending.extend(
        running
            .iter()
            .map(|sequence| sequence.tokens.len() - sequence.cache.len()),
    );
    let begun = running.iter().filter(|sequence| sequence.has_begun());
    let chosen_before = begun.count();
    allot(pending, chunk, shares);
    let count = running.len();
    tails.clear();
    for (sequence, share) in running.iter_mut().zip(&*shares) {
        sequence.prepare(*share, count);
        tails.push(sequence.drafted() + 1);
    }
    let mut choosers: Vec<Chooser<'_>> = std::mem::take(&mut room.choosers);
    let mut rows: Vec<Row<'_>> = std::mem::take(&mut room.rows);
    for (sequence, (share, pending)) in running.iter_mut().zip(shares.iter().zip(&*pending)) {
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
            tokens: &sequence.input,
            logits: share == pending,
            cache: &mut sequence.cache,
        });
    }
    let chosen = run(model, &mut rows, &mut choosers, tails, logits)?;
    room.rows = recycled(rows);
    room.choosers = recycled(choosers);
    let mut computed = 0;
    for (sequence, (share, pending)) in running.iter_mut().zip(shares.iter().zip(&*pending)) {
        let held = sequence.tokens.len() - pending;
        computed += (*share).min(sequence.cache.len() - held);
        sequence.came = match share == pending {
            true => Came::Logits,
            false => Came::Nothing,
        };
    }
    take_chosen(running, chosen);
    let guesses: usize = tails.iter().map(|tail| tail - 1).sum();
    stats.count(|stats| {
        stats.steps += 1;
        stats.prefilled_tokens += computed.saturating_sub(chosen_before) as u64;
        stats.drafted_tokens += guesses as u64;
    });
    Ok(())
}

/// What a GPU has chosen; none where the tokens are to be chosen from logits.
#[cfg(feature = "cuda")]
type Choices = Option<Vec<Outcome>>;
#[cfg(not(feature = "cuda"))]
type Choices = Option<std::convert::Infallible>;

#[cfg(feature = "cuda")]
fn take_chosen(running: &mut [Sequence], choices: Choices) {
    for (sequence, outcome) in running.iter_mut().zip(choices.into_iter().flatten()) {
        sequence.came = match outcome.chosen {
            Some(chosen) => Came::Chosen(chosen),
            None => Came::Nothing,
        };
    }
}

#[cfg(not(feature = "cuda"))]
fn take_chosen(_running: &mut [Sequence], _choices: Choices) {}

fn run(
    model: &Model,
    rows: &mut [Row<'_>],
    choosers: &mut [Chooser<'_>],
    tails: &[usize],
    logits: &mut Logits,
) -> Result<Choices, EngineError> {
    let network = model.network();
    #[cfg(feature = "cuda")]
    if let Some(cuda) = network.cuda()
        && tails.iter().all(|tail| *tail == 1)
    {
        let mut choosers = Choosers {
            choosers,
            vocabulary: network.config().vocab_size,
        };
        return Ok(Some(network.forward_choosing(cuda, rows, &mut choosers)?));
    }
    let few = |row: usize| choosers[row].few();
    network.forward_into(rows, tails, few, logits)?;
    Ok(None)
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
