//! The engine's loop: admit, step, answer. Every step runs the new tokens of all running sequences at once.
//! A step that fails or panics costs the sequence that caused it, not the others.

use super::EngineOptions;
use super::life::Life;
use super::memory::Memory;
use super::request::{FinishReason, Job, Message};
use super::rows::fitting;
use super::sequence::Sequence;
use super::shares::shares;
use super::stats::Stats;
use crate::engine::{EngineError, Model, Row, TokenId};
use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

pub(super) struct Scheduler {
    pub model: Arc<Model>,
    pub options: EngineOptions,
    pub jobs: mpsc::Receiver<Message>,
    pub life: Arc<Life>,
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
    /// Ends with the handle, or when it is shut down. Replies that were not sent then tell their callers so.
    pub(super) fn run(mut self) {
        while self.receive() {
            self.drop_cancelled_and_late();
            self.admit();
            self.step();
        }
        self.waiting.clear();
        self.running.clear();
        self.settle();
    }

    /// Takes in what has arrived; sleeps while there is nothing to do.
    fn receive(&mut self) -> bool {
        if self.is_idle() && self.life.is_open() {
            match self.jobs.recv() {
                Ok(message) => self.take_in(message),
                Err(_) => return false,
            }
            self.wait_for_company();
        }
        while let Ok(message) = self.jobs.try_recv() {
            self.take_in(message);
        }
        match self.life.is_open() {
            true => true,
            false => !self.life.is_cancelled() && !self.is_idle(),
        }
    }

    fn is_idle(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty()
    }

    fn take_in(&mut self, message: Message) {
        if let Message::Job(job) = message {
            self.waiting.push_back(*job);
        }
    }

    /// Gives the first request of an idle engine the company that it wants to wait for.
    fn wait_for_company(&mut self) {
        let Some(first) = self.waiting.front() else {
            return;
        };
        let request = &first.request;
        let Some(rows) = request.batch_size else {
            return;
        };
        let now = Instant::now();
        let mut until = now.checked_add(request.batch_wait).unwrap_or(now);
        if let Some(deadline) = request.deadline {
            until = until.min(deadline);
        }
        while self.waiting.len() < rows && self.life.is_open() {
            let left = until.saturating_duration_since(Instant::now());
            match self.jobs.recv_timeout(left) {
                Ok(message) => self.take_in(message),
                Err(_) => return,
            }
        }
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
        while let Some(next) = self.waiting.front()
            && self.has_place_for(next)
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
                        max: self.memory.available(),
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

    /// Whether one more fits into the next pass, as all who are in it allow, and beside those who wait for readers.
    fn has_place_for(&self, job: &Job) -> bool {
        let active = self.running.iter().filter(|one| !one.is_waiting());
        let limits = active.map(|one| self.limit_of(&one.job));
        let all: Vec<usize> = limits.chain([self.limit_of(job)]).collect();
        fitting(all.iter().copied()) == all.len()
            && self.running.len() < self.limit_of(job).saturating_mul(WAITING_FOR_READERS)
    }

    /// Rows of the largest pass that a request takes part in.
    fn limit_of(&self, job: &Job) -> usize {
        let limit = job.request.batch_size.unwrap_or(self.options.max_rows);
        limit.max(1)
    }

    fn step(&mut self) {
        for sequence in &mut self.running {
            sequence.flush();
        }
        let all = std::mem::take(&mut self.running);
        let (mut waiting, mut running): (Vec<_>, Vec<_>) =
            all.into_iter().partition(Sequence::is_waiting);
        if running.is_empty() && !waiting.is_empty() {
            std::thread::sleep(READER_PATIENCE);
        }
        // Those whose readers have caught up may be more than fit: the rest goes on when others end.
        let fitting = fitting(running.iter().map(|one| self.limit_of(&one.job)));
        waiting.splice(..0, running.drain(fitting..));
        let chunk = self.options.prefill_chunk;
        self.running = step(&self.model, running, chunk, &mut self.memory, &self.stats);
        self.running.extend(waiting);
        self.settle();
    }

    fn settle(&mut self) {
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
        Ok(logits) => advance_all(model, running, logits, memory, stats),
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

/// Of each row the logits after its last token, and after each that was guessed; none while it is prefilled.
type Tails = Vec<Option<Vec<Vec<f32>>>>;

/// Runs the sequences' next tokens, as [`shares`] allots them, and returns the logits of those that have reached
/// their end.
fn forward(
    model: &Model,
    running: &mut [Sequence],
    chunk: usize,
    stats: &Stats,
) -> Result<Tails, EngineError> {
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
    let mut masks = Vec::with_capacity(count);
    let mut rows: Vec<Row<'_>> = Vec::with_capacity(count);
    for ((sequence, input), ended) in running.iter_mut().zip(&inputs).zip(
        shares
            .iter()
            .zip(&pending)
            .map(|(share, pending)| share == pending),
    ) {
        let request = &mut sequence.job.request;
        let wants_all = request.wants_all_logits();
        masks.push(request.mask.as_mut().filter(|_| !wants_all));
        rows.push(Row {
            tokens: input,
            logits: ended,
            cache: &mut sequence.cache,
        });
    }
    let guesses: usize = drafted.iter().sum();
    let network = model.network();
    let mut logits = if guesses > 0 {
        let tails: Vec<usize> = drafted.iter().map(|drafted| drafted + 1).collect();
        network.forward_tails(&mut rows, &tails)?.into_iter()
    } else {
        let few = |row: usize| masks[row].as_mut()?.few(FEW_TOKENS);
        let single = network.forward_for(&mut rows, few)?.into_iter();
        single
            .map(|logits| vec![logits])
            .collect::<Vec<_>>()
            .into_iter()
    };
    let computed: usize = shares.iter().sum();
    stats.count(|stats| {
        stats.steps += 1;
        stats.prefilled_tokens += computed.saturating_sub(chosen_before) as u64;
        stats.drafted_tokens += guesses as u64;
    });
    Ok(rows
        .iter()
        .map(|row| row.logits.then(|| logits.next()).flatten())
        .collect())
}

/// Chooses each sequence's next tokens, offers what is computed to others, and keeps those that go on.
fn advance_all(
    model: &Model,
    running: Vec<Sequence>,
    logits: Tails,
    memory: &mut Memory,
    stats: &Stats,
) -> Vec<Sequence> {
    let mut going_on = Vec::with_capacity(running.len());
    for (mut sequence, logits) in running.into_iter().zip(logits) {
        let end = match logits {
            Some(logits) => isolated(|| sequence.advance_over(model, logits)),
            None => Ok((0, 0, None)),
        };
        let (chosen, accepted, end) = match end {
            Ok(advanced) => advanced,
            Err(error) => {
                sequence.fail(error);
                continue;
            }
        };
        stats.count(|stats| {
            stats.decoded_tokens += chosen;
            stats.accepted_tokens += accepted;
        });
        offer(&mut sequence, memory);
        match end {
            None => going_on.push(sequence),
            Some(reason) => sequence.finish(reason),
        }
    }
    going_on
}

/// Offers a sequence's blocks to others, and to who wants them pinned.
fn offer(sequence: &mut Sequence, memory: &mut Memory) {
    if sequence.job.request.use_kv_cache {
        memory.offer(&sequence.tokens, &sequence.cache);
    }
    let prompt = &sequence.job.request.prompt;
    if sequence.cache.len() >= prompt.len()
        && let Some(pin) = sequence.job.pin.take()
    {
        drop(pin.send(memory.pin(prompt)));
    }
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
