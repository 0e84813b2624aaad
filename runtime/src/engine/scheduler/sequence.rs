//! One generation in progress: its tokens, its cache, and what came of each step.

use super::advance::Advanced;
use super::draft::Drafts;
use super::forward::Came;
use super::request::{FinishReason, Generation, Job, StreamedToken, Timings};
#[cfg(feature = "cuda")]
use crate::engine::cuda::choice::Chosen;
use crate::engine::kv::tree::agreement;
use crate::engine::sampler::{likeliest, log_sum_exp};
use crate::engine::{EngineError, KvCache, MaskEnd, Model, TokenId};
use std::time::Instant;

/// A generation in progress.
pub(super) struct Sequence {
    pub job: Job,
    /// The prompt and what was generated after it.
    pub tokens: Vec<TokenId>,
    /// The log-probability of each token of the reply; none for those that were forced.
    logprobs: Vec<Option<f32>>,
    /// The likeliest tokens in the place of each.
    top_logprobs: Vec<Vec<(TokenId, f32)>>,
    pub cache: KvCache,
    /// What it computes in this step.
    pub input: Vec<TokenId>,
    /// What has come of this step.
    pub came: Came,
    pub end: Advanced,
    /// Tokens that the cache held from the start.
    cached: usize,
    admitted: Instant,
    first_token: Option<Instant>,
    forced: usize,
    closed_at: Option<usize>,
    /// Whether a stop token was chosen: a mask can end a reply without one.
    chose_stop: bool,
    /// How many tokens of the reply its stream has taken.
    streamed: usize,
    /// Full blocks of the cache that others were offered.
    pub offered: usize,
    drafts: Drafts,
}

/// What the model made of a token that was chosen.
struct Scored {
    logprob: f32,
    top: Vec<(TokenId, f32)>,
}

impl Sequence {
    pub fn new(mut job: Job, cache: KvCache) -> Self {
        job.place = None;
        Self {
            tokens: job.request.prompt.clone(),
            logprobs: Vec::new(),
            top_logprobs: Vec::new(),
            cached: cache.len(),
            input: Vec::new(),
            came: Came::Nothing,
            end: Ok((0, 0, None)),
            job,
            cache,
            admitted: Instant::now(),
            first_token: None,
            forced: 0,
            closed_at: None,
            chose_stop: false,
            streamed: 0,
            offered: 0,
            drafts: Drafts::default(),
        }
    }

    /// Makes its next tokens to compute its input: so many of those that it has, and after the last one some that are guessed, where that
    /// is wanted of so many rows.
    pub fn prepare(&mut self, share: usize, rows: usize) {
        let pending = &self.tokens[self.cache.len()..];
        self.input.clear();
        self.input.extend(&pending[..share]);
        let request = &self.job.request;
        self.drafts.tokens.clear();
        if share == pending.len() && request.use_kv_cache && request.prompt_lookup > 0 {
            // The last token that may be chosen needs no guess after it.
            let left = (self.job.limit - self.generated().len()).saturating_sub(1);
            let most = (request.prompt_lookup / rows.max(1)).min(left);
            self.drafts.draw(&self.tokens, most);
            self.input.extend(&self.drafts.tokens);
        }
    }

    /// Tokens that are guessed in this step.
    pub fn drafted(&self) -> usize {
        self.drafts.tokens.len()
    }

    /// Chooses tokens from the logits `[tail, vocab_size]` after its last token and after each guessed one, for as long as
    /// what is chosen is what was guessed. Says how many were chosen, how many guesses were right, and whether the reply has ended.
    pub fn advance_over(
        &mut self,
        model: &Model,
        logits: &mut [f32],
    ) -> Result<(u64, u64, Option<FinishReason>), EngineError> {
        let known = self.tokens.len();
        let (mut chosen, mut end) = (0, None);
        // The logits after tokens that all came: masks may append several at a time.
        let mut at = 0;
        let size = model.config().vocab_size;
        while let Some(logits) = logits.chunks_exact_mut(size).nth(at) {
            end = self.advance(model, logits)?;
            chosen += 1;
            let came = &self.tokens[known..];
            if end.is_some()
                || came.len() == at
                || agreement(&self.drafts.tokens, came) < came.len()
            {
                break;
            }
            at = came.len();
        }
        let right = self.drafts.settle(&self.tokens[known..]);
        // Keys and values of what was guessed wrongly.
        self.cache.truncate(known + right);
        Ok((chosen, right as u64, end))
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
        while let Some(id) = self.tokens.get(prompt + self.streamed) {
            let Ok(place) = stream.try_reserve() else {
                return;
            };
            place.send(StreamedToken {
                id: *id,
                logprob: self.logprobs[self.streamed],
                top: self.top_logprobs[self.streamed].clone(),
            });
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
                Ok(self.append(&step.tokens, step.end, None))
            }
            None => Ok(None),
        }
    }

    /// Chooses the next token; says whether it was the last.
    pub fn advance(
        &mut self,
        model: &Model,
        logits: &mut [f32],
    ) -> Result<Option<FinishReason>, EngineError> {
        let logits = model.known(logits);
        // Before the mask and the penalties: what the model itself makes of the tokens.
        let scale = match self.is_scored() {
            true => log_sum_exp(logits),
            false => None,
        };
        let mut top = match scale {
            Some(_) => likeliest(logits, self.job.request.top_logprobs),
            None => Vec::new(),
        };
        if let Some(mask) = &mut self.job.request.mask {
            mask.apply(logits)?;
        }
        let sampler = &mut self.job.sampler;
        let token = sampler.sample(logits, self.tokens.len())?;
        let unpenalized = sampler.unpenalized(token);
        let logit = unpenalized.or_else(|| logits.get(token.0 as usize).copied());
        let scored = logit.zip(scale).map(|(logit, scale)| {
            top.iter_mut().for_each(|(_, logit)| *logit -= scale);
            let logprob = logit - scale;
            Scored { logprob, top }
        });
        self.take(token, scored)
    }

    /// Whether tokens get their log-probabilities.
    fn is_scored(&self) -> bool {
        let request = &self.job.request;
        request.wants_all_logits() || request.mask.is_none()
    }

    /// Goes on with a token that was chosen; says whether it was the last.
    fn take(
        &mut self,
        token: TokenId,
        scored: Option<Scored>,
    ) -> Result<Option<FinishReason>, EngineError> {
        let budget = self.job.limit - self.generated().len();
        self.first_token.get_or_insert_with(Instant::now);
        if self.job.request.stop_tokens.contains(&token) {
            self.chose_stop = true;
            return Ok(Some(FinishReason::Stop));
        }
        let Some(mask) = &mut self.job.request.mask else {
            return Ok(self.append(&[token], None, scored));
        };
        let step = mask.accept(token, budget)?;
        let chosen = step.tokens.first() == Some(&token);
        self.forced += step.tokens.len() - usize::from(chosen);
        Ok(self.append(&step.tokens, step.end, scored.filter(|_| chosen)))
    }

    /// Goes on with a token that the GPU has chosen; says whether it was the last.
    #[cfg(feature = "cuda")]
    pub fn take_chosen(&mut self, mut chosen: Chosen) -> Result<Option<FinishReason>, EngineError> {
        let scale = chosen.scale;
        chosen.top.iter_mut().for_each(|(_, logit)| *logit -= scale);
        let scored = Scored {
            logprob: chosen.logit - scale,
            top: chosen.top,
        };
        let is_scored = self.is_scored() && scored.logprob.is_finite();
        self.take(chosen.token, Some(scored).filter(|_| is_scored))
    }

    /// Appends tokens to the reply, of which the first may have been chosen; says whether they end it.
    fn append(
        &mut self,
        tokens: &[TokenId],
        end: Option<MaskEnd>,
        first: Option<Scored>,
    ) -> Option<FinishReason> {
        let at = self.generated().len();
        self.logprobs.resize(at + tokens.len(), None);
        self.top_logprobs.resize(at + tokens.len(), Vec::new());
        if let Some(scored) = first
            && at < self.logprobs.len()
        {
            self.logprobs[at] = Some(scored.logprob);
            self.top_logprobs[at] = scored.top;
        }
        for token in tokens {
            self.job.sampler.observe(*token);
        }
        self.tokens.extend(tokens);
        if end == Some(MaskEnd::Closed) {
            self.closed_at = Some(at);
        }
        self.flush();
        if end.is_some() {
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

    /// Whether it has chosen a token.
    pub fn has_begun(&self) -> bool {
        self.first_token.is_some()
    }

    pub fn finish(mut self, finish: FinishReason) {
        let now = Instant::now();
        let first_token = self.first_token.unwrap_or(now);
        let stop = usize::from(self.chose_stop);
        let generation = Generation {
            tokens: self.generated().to_vec(),
            logprobs: std::mem::take(&mut self.logprobs),
            top_logprobs: std::mem::take(&mut self.top_logprobs),
            finish,
            prompt_tokens: self.job.request.prompt.len(),
            cached_tokens: self.cached,
            completion_tokens: self.generated().len() + stop,
            forced_tokens: self.forced,
            closed_at: self.closed_at,
            timings: Timings {
                queue: self.admitted - self.job.queued,
                prefill: first_token - self.admitted,
                decode: now - first_token,
            },
        };
        self.job.reply.send(Ok(generation));
    }

    /// Tells its caller how it has ended.
    pub fn answer(mut self) {
        match std::mem::replace(&mut self.end, Ok((0, 0, None))) {
            Ok((.., Some(finish))) => self.finish(finish),
            // Those that go on are not answered.
            Ok((.., None)) => {}
            Err(error) => self.fail(error),
        }
    }

    pub fn fail(self, error: EngineError) {
        self.job.reply.send(Err(error));
    }

    /// The error of a sequence whose deadline has passed, with what it has generated.
    pub fn fail_late(self) {
        let error = self.job.late(self.generated().to_vec());
        self.fail(error);
    }
}
