//! One generation in progress: its tokens, its cache, and what came of each step.

use super::request::{FinishReason, Generation, Job, Timings};
use crate::engine::sampler::log_sum_exp;
use crate::engine::{EngineError, KvCache, MaskEnd, MaskStep, Model, TokenId};
use std::time::Instant;

/// A generation in progress.
pub(super) struct Sequence {
    pub job: Job,
    /// The prompt and what was generated after it.
    pub tokens: Vec<TokenId>,
    /// The log-probability of each token of the reply; none for those that were forced.
    logprobs: Vec<Option<f32>>,
    pub cache: KvCache,
    admitted: Instant,
    first_token: Option<Instant>,
    forced: usize,
    closed_at: Option<usize>,
    /// Whether a stop token was chosen: a mask can end a reply without one.
    chose_stop: bool,
    /// How many tokens of the reply its stream has taken.
    streamed: usize,
}

impl Sequence {
    pub fn new(mut job: Job, cache: KvCache) -> Self {
        job.place = None;
        Self {
            tokens: job.request.prompt.clone(),
            logprobs: Vec::new(),
            job,
            cache,
            admitted: Instant::now(),
            first_token: None,
            forced: 0,
            closed_at: None,
            chose_stop: false,
            streamed: 0,
        }
    }

    fn generated(&self) -> &[TokenId] {
        &self.tokens[self.job.request.prompt.len()..]
    }

    /// Gives its stream the tokens that it has not taken, as far as there is room.
    pub fn flush(&mut self) {
        let Some(stream) = &self.job.request.stream else {
            return;
        };
        let prompt = self.job.request.prompt.len();
        for token in &self.tokens[prompt + self.streamed..] {
            if stream.try_send(*token).is_err() {
                return;
            }
            self.streamed += 1;
        }
    }

    /// Whether its reader is behind: what has not been taken is not added to.
    pub fn is_waiting(&self) -> bool {
        self.job.request.stream.is_some() && self.streamed < self.generated().len()
    }

    /// Appends what the mask forces at the very start: it is prefilled together with the prompt.
    pub fn start(&mut self) -> Result<Option<FinishReason>, EngineError> {
        let limit = self.job.limit;
        match &mut self.job.request.mask {
            Some(mask) => {
                let step = mask.start(limit)?;
                self.forced += step.tokens.len();
                Ok(self.append(step, None))
            }
            None => Ok(None),
        }
    }

    /// Chooses the next token; says whether it was the last.
    pub fn advance(
        &mut self,
        model: &Model,
        logits: &mut Vec<f32>,
    ) -> Result<Option<FinishReason>, EngineError> {
        model.mask_unknown(logits);
        let budget = self.job.limit - self.generated().len();
        // Before the mask and the penalty: what the model itself makes of the token.
        let request = &self.job.request;
        let scale = match request.all_logits || request.mask.is_none() {
            true => log_sum_exp(logits),
            false => None,
        };
        let penalized = scale.is_some() && self.job.sampler.penalizes();
        let unchanged = penalized.then(|| logits.clone());
        if let Some(mask) = &mut self.job.request.mask {
            mask.apply(logits)?;
        }
        let token = self.job.sampler.sample(logits, self.tokens.len())?;
        let logit = unchanged.as_ref().unwrap_or(logits).get(token.0 as usize);
        let logprob = logit.zip(scale).map(|(logit, scale)| logit - scale);
        self.first_token.get_or_insert_with(Instant::now);
        if self.job.request.stop_tokens.contains(&token) {
            self.chose_stop = true;
            return Ok(Some(FinishReason::Stop));
        }
        let step = match &mut self.job.request.mask {
            Some(mask) => mask.accept(token, budget)?,
            None => MaskStep {
                tokens: vec![token],
                end: None,
            },
        };
        let chosen = step.tokens.first() == Some(&token);
        self.forced += step.tokens.len() - usize::from(chosen);
        Ok(self.append(step, logprob.filter(|_| chosen)))
    }

    /// Appends tokens to the reply, of which the first has the log-probability; says whether they end it.
    fn append(&mut self, step: MaskStep, logprob: Option<f32>) -> Option<FinishReason> {
        let at = self.generated().len();
        self.logprobs.resize(at + step.tokens.len(), None);
        if let Some(first) = self.logprobs.get_mut(at) {
            *first = logprob;
        }
        for token in &step.tokens {
            self.job.sampler.observe(*token);
        }
        self.tokens.extend(step.tokens);
        if step.end == Some(MaskEnd::Closed) {
            self.closed_at = Some(at);
        }
        self.flush();
        if step.end.is_some() {
            return Some(FinishReason::Stop);
        }
        if self.generated().len() >= self.job.limit {
            return Some(FinishReason::Length);
        }
        if !self.job.request.use_kv_cache {
            self.cache.truncate(0);
        }
        None
    }

    /// A receiver that is gone has cancelled: nobody misses the answer.
    pub fn finish(mut self, finish: FinishReason) {
        let now = Instant::now();
        let first_token = self.first_token.unwrap_or(now);
        let stop = usize::from(self.chose_stop);
        let generation = Generation {
            tokens: self.generated().to_vec(),
            logprobs: std::mem::take(&mut self.logprobs),
            finish,
            prompt_tokens: self.job.request.prompt.len(),
            completion_tokens: self.generated().len() + stop,
            forced_tokens: self.forced,
            closed_at: self.closed_at,
            timings: Timings {
                queue: self.admitted - self.job.queued,
                prefill: first_token - self.admitted,
                decode: now - first_token,
            },
        };
        drop(self.job.reply.send(Ok(generation)));
    }

    pub fn fail(self, error: EngineError) {
        drop(self.job.reply.send(Err(error)));
    }
}
