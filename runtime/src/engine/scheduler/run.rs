//! The engine's loop: admit, step, answer. Every step runs the new tokens of all running sequences at once.
//! A step that fails or panics costs the sequence that caused it, not the others.

use super::EngineOptions;
use super::memory::Memory;
use super::request::{FinishReason, Job};
use super::sequence::Sequence;
use super::shares::shares;
use super::stats::Stats;
use crate::engine::{EngineError, Model, Row};
use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

pub(super) struct Scheduler {
    pub model: Arc<Model>,
    pub options: EngineOptions,
    pub jobs: mpsc::UnboundedReceiver<Job>,
    pub stop: Arc<AtomicBool>,
    /// In the order of arrival.
    pub waiting: VecDeque<Job>,
    /// In the order of admission.
    pub running: Vec<Sequence>,
    pub memory: Memory,
    pub stats: Stats,
}

/// Sequences that wait for slow readers keep their place beside those that run; so many times the rows may be there.
const WAITING_FOR_READERS: usize = 4;

/// Where a mask admits at most so many tokens, the output head is computed for them alone.
const FEW_TOKENS: usize = 1024;

/// How long the loop sleeps while every sequence waits for its reader.
const READER_PATIENCE: Duration = Duration::from_millis(1);

impl Scheduler {
    /// Ends when the handle is gone. Replies that were not sent then tell their callers so.
    pub(super) fn run(mut self) {
        while self.receive() {
            self.drop_cancelled_and_late();
            self.admit();
            self.step();
        }
    }

    /// Takes in what has arrived; sleeps while there is nothing to do.
    fn receive(&mut self) -> bool {
        if self.running.is_empty() && self.waiting.is_empty() {
            match self.jobs.blocking_recv() {
                Some(job) => self.waiting.push_back(job),
                None => return false,
            }
        }
        while let Ok(job) = self.jobs.try_recv() {
            self.waiting.push_back(job);
        }
        !self.stop.load(Ordering::Relaxed)
    }

    /// Lets go of those whom nobody waits for any more, and fails those whose deadline has passed.
    fn drop_cancelled_and_late(&mut self) {
        self.running.retain(|sequence| !sequence.job.is_cancelled());
        self.waiting.retain(|job| !job.is_cancelled());
        let now = Instant::now();
        if self.waiting.iter().any(|job| job.request.is_late(now)) {
            let waiting = std::mem::take(&mut self.waiting);
            let (late, rest) = waiting
                .into_iter()
                .partition::<VecDeque<_>, _>(|job| job.request.is_late(now));
            self.waiting = rest;
            for job in late {
                let error = job.late(Vec::new());
                job.reply.send(Err(error));
            }
        }
        for sequence in self
            .running
            .extract_if(.., |sequence| sequence.job.request.is_late(now))
        {
            sequence.fail_late();
        }
    }

    /// Gives free places to those who wait, in their order.
    fn admit(&mut self) {
        self.memory.settle();
        while self.active() < self.options.max_rows
            && self.running.len() < self.options.max_rows * WAITING_FOR_READERS
            && let Some(job) = self.waiting.pop_front()
        {
            let nothing_to_do = job.limit == 0 && job.request.mask.is_none();
            let capacity = if nothing_to_do {
                0
            } else {
                job.request.prompt.len() + job.limit
            };
            let share = job.request.use_kv_cache && !nothing_to_do;
            let Some(cache) = self.memory.reserve(&job.request.prompt, capacity, share) else {
                // Those who run will give blocks back; without them there is nothing to wait for.
                if self.running.is_empty() {
                    let error = EngineError::CacheTooSmall {
                        actual: capacity,
                        max: self.memory.tokens(),
                    };
                    job.reply.send(Err(error));
                    continue;
                }
                self.waiting.push_front(job);
                return;
            };
            let mut sequence = Sequence::new(job, cache);
            if nothing_to_do {
                sequence.finish(FinishReason::Length);
                continue;
            }
            match isolated(|| sequence.start()) {
                Ok(None) => self.running.push(sequence),
                Ok(Some(reason)) => sequence.finish(reason),
                Err(error) => sequence.fail(error),
            }
        }
    }

    /// Sequences that do not wait for a reader.
    fn active(&self) -> usize {
        self.running
            .iter()
            .filter(|sequence| !sequence.is_waiting())
            .count()
    }

    fn step(&mut self) {
        for sequence in &mut self.running {
            sequence.flush();
        }
        let all = std::mem::take(&mut self.running);
        let (waiting, running): (Vec<_>, Vec<_>) = all.into_iter().partition(Sequence::is_waiting);
        if running.is_empty() && !waiting.is_empty() {
            std::thread::sleep(READER_PATIENCE);
        }
        let chunk = self.options.prefill_chunk;
        self.running = step(&self.model, running, chunk, &mut self.memory, &self.stats);
        self.running.extend(waiting);
        self.memory.settle();
        let running = self.running.len();
        self.stats.count(|stats| stats.running = running);
    }
}

/// One forward pass over all sequences; on failure one for each, to find the one at fault. Returns those that go on.
fn step(
    model: &Model,
    mut running: Vec<Sequence>,
    chunk: usize,
    memory: &mut Memory,
    stats: &Stats,
) -> Vec<Sequence> {
    if running.is_empty() {
        return running;
    }
    match isolated(|| forward(model, &mut running, chunk, stats)) {
        Ok(logits) => {
            for sequence in running.iter().filter(|one| one.job.request.use_kv_cache) {
                memory.offer(&sequence.tokens, &sequence.cache);
            }
            advance_all(model, running, logits)
        }
        Err(_) if running.len() > 1 => running
            .into_iter()
            .flat_map(|sequence| step(model, vec![sequence], chunk, memory, stats))
            .collect(),
        Err(error) => {
            if let Some(sequence) = running.pop() {
                sequence.fail(error);
            }
            running
        }
    }
}

/// Runs the sequences' next tokens, as [`shares`] allots them, and returns the logits of those that have reached
/// their end.
fn forward(
    model: &Model,
    running: &mut [Sequence],
    chunk: usize,
    stats: &Stats,
) -> Result<Vec<Option<Vec<f32>>>, EngineError> {
    let pending: Vec<usize> = running
        .iter()
        .map(|sequence| sequence.tokens.len() - sequence.cache.len())
        .collect();
    let begun = running.iter().filter(|sequence| sequence.has_begun());
    let chosen_before = begun.count() as u64;
    let mut masks = Vec::with_capacity(running.len());
    let mut rows: Vec<Row<'_>> = running
        .iter_mut()
        .zip(shares(&pending, chunk))
        .map(|(sequence, share)| {
            let pending = &sequence.tokens[sequence.cache.len()..];
            let request = &mut sequence.job.request;
            let wants_all = request.wants_all_logits();
            masks.push(request.mask.as_mut().filter(|_| !wants_all));
            Row {
                tokens: &pending[..share],
                logits: share == pending.len(),
                cache: &mut sequence.cache,
            }
        })
        .collect();
    let mut logits = model
        .network()
        .forward_for(&mut rows, |row| masks[row].as_mut()?.few(FEW_TOKENS))?
        .into_iter();
    let computed: usize = rows.iter().map(|row| row.tokens.len()).sum();
    stats.count(|stats| {
        stats.steps += 1;
        stats.prefilled_tokens += (computed as u64).saturating_sub(chosen_before);
        stats.decoded_tokens += logits.len() as u64;
    });
    Ok(rows
        .iter()
        .map(|row| row.logits.then(|| logits.next()).flatten())
        .collect())
}

/// Chooses each sequence's next token; keeps those that go on.
fn advance_all(
    model: &Model,
    running: Vec<Sequence>,
    logits: Vec<Option<Vec<f32>>>,
) -> Vec<Sequence> {
    let mut going_on = Vec::with_capacity(running.len());
    for (mut sequence, logits) in running.into_iter().zip(logits) {
        let Some(mut logits) = logits else {
            going_on.push(sequence);
            continue;
        };
        match isolated(|| sequence.advance(model, &mut logits)) {
            Ok(None) => going_on.push(sequence),
            Ok(Some(reason)) => sequence.finish(reason),
            Err(error) => sequence.fail(error),
        }
    }
    going_on
}

/// Turns a panic into an error. What a panicking step leaves half done is private to sequences that end with
/// it: caches count tokens only after a whole forward pass.
fn isolated<T>(step: impl FnOnce() -> Result<T, EngineError>) -> Result<T, EngineError> {
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
