//! The engine's loop: admit, step, answer. Every step runs the new tokens of all running sequences at once.
//! A step that fails or panics costs the sequence that caused it, not the others.

use super::EngineOptions;
use super::advance::{AdvanceRoom, advance_all};
use super::forward::{PassRoom, forward, isolated};
use super::life::Life;
use super::memory::Memory;
use super::request::{FinishReason, Job, Message};
use super::rows::fitting;
use super::sequence::Sequence;
use super::stats::Stats;
use crate::engine::kv::pool::BLOCK_TOKENS;
use crate::engine::{EngineError, Model};
use std::collections::VecDeque;
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
    pub room: Room,
    /// How many ran when the memory was last settled, unless others have come since.
    pub settled_for: Option<usize>,
    pub stats: Stats,
}

/// Sequences that wait for slow readers keep their place beside those that run; so many times the rows may be there.
const WAITING_FOR_READERS: usize = 4;

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
        #[cfg(feature = "cuda")]
        if let Some(cuda) = self.model.network().cuda() {
            cuda.settle();
        }
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
        if !self.waiting.is_empty() {
            self.memory.settle();
        }
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
            self.settled_for = None;
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
        let mut waiting: Vec<Sequence> = self
            .running
            .extract_if(.., |sequence| sequence.is_waiting())
            .collect();
        if self.running.is_empty() && !waiting.is_empty() {
            std::thread::sleep(READER_PATIENCE);
        }
        // Those whose readers have caught up may be more than fit: the rest goes on when others end.
        let fitting = fitting(self.running.iter().map(|one| self.limit_of(&one.job)));
        waiting.splice(..0, self.running.drain(fitting..));
        let mut pass = Pass {
            model: &self.model,
            chunk: self.options.prefill_chunk,
            memory: &mut self.memory,
            room: &mut self.room,
            stats: &self.stats,
        };
        pass.run(&mut self.running);
        self.running.extend(waiting);
        // Decoding moves blocks only where a sequence begins or ends.
        if self.settled_for != Some(self.running.len()) || self.is_idle() {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.memory.settle();
        let running = self.running.len();
        self.settled_for = Some(running);
        self.stats.count(|stats| stats.running = running);
    }
}

/// What steps work in, kept between them.
#[derive(Default)]
pub(super) struct Room {
    pass: PassRoom,
    advance: AdvanceRoom,
}

/// What a pass needs beside sequences.
struct Pass<'a> {
    model: &'a Model,
    /// Most prompt tokens.
    chunk: usize,
    memory: &'a mut Memory,
    room: &'a mut Room,
    stats: &'a Stats,
}

impl Pass<'_> {
    /// One forward pass over all sequences; on failure one for each, to find the one at fault. Those that go on stay.
    fn run(&mut self, running: &mut Vec<Sequence>) {
        if running.is_empty() {
            return;
        }
        let room = &mut self.room.pass;
        match isolated(|| forward(self.model, running, self.chunk, room, self.stats)) {
            Ok(()) => self.advance(running),
            // Memory is short for the whole pass: who came last makes room for the others.
            Err(error @ EngineError::GpuMemory { .. }) if running.len() > 1 => {
                if let Some(newest) = running.pop() {
                    newest.fail(error);
                }
                self.run(running);
            }
            Err(_) if running.len() > 1 => {
                for sequence in std::mem::take(running) {
                    let mut alone = vec![sequence];
                    self.run(&mut alone);
                    running.append(&mut alone);
                }
            }
            Err(error) => {
                if let Some(sequence) = running.pop() {
                    sequence.fail(error);
                }
            }
        }
    }

    /// Chooses each sequence's next tokens, offers what is computed to others, and keeps those that go on.
    fn advance(&mut self, running: &mut Vec<Sequence>) {
        let Room { pass, advance } = &mut *self.room;
        advance_all(self.model, running, &mut pass.logits, advance);
        let mut counted = (0, 0);
        for sequence in &mut *running {
            if let Ok((chosen, accepted, _)) = sequence.end {
                counted = (counted.0 + chosen, counted.1 + accepted);
                offer(sequence, self.memory);
            }
        }
        // Before an answer is sent.
        self.stats.count(|stats| {
            stats.decoded_tokens += counted.0;
            stats.accepted_tokens += counted.1;
        });
        for sequence in running.extract_if(.., |sequence| !matches!(sequence.end, Ok((.., None)))) {
            sequence.answer();
        }
    }
}

/// Offers a sequence's blocks to others as they become full, and to who wants them pinned.
fn offer(sequence: &mut Sequence, memory: &mut Memory) {
    let full = sequence.cache.len() / BLOCK_TOKENS;
    if sequence.job.request.use_kv_cache && full > sequence.offered {
        memory.offer(&sequence.tokens, &sequence.cache);
        sequence.offered = full;
    }
    let prompt = &sequence.job.request.prompt;
    if sequence.cache.len() >= prompt.len()
        && let Some(pin) = sequence.job.pin.take()
    {
        drop(pin.send(memory.pin(prompt)));
    }
}
