//! The measurements: one request alone, the same again, and several at once.

use std::time::{Duration, Instant};

use candle_signature::adapter::{LoadedModel, TokenId};
use candle_signature::engine::{GenerateRequest, Generation};
use futures_util::future::try_join_all;

use crate::doctor;
use crate::error::CliError;
use crate::out::Out;
use crate::units::Spread;

/// What is measured.
pub struct Plan {
    pub prompt: usize,
    pub reply: usize,
    pub parallel: usize,
    pub rounds: usize,
}

/// What came out.
pub struct Figures {
    /// Prompt tokens a second, alone.
    pub prefill: Spread,
    /// Reply tokens a second, alone.
    pub decode: Spread,
    /// Milliseconds to the first token.
    pub first_token: Spread,
    /// The same where the prompt is in the cache.
    pub first_token_cached: Spread,
    /// Prompt tokens that the cache had, of one prompt.
    pub cached_tokens: usize,
    /// Reply tokens a second of all requests at once, each from its first token on, added up.
    pub decode_parallel: Spread,
    /// Prompt and reply tokens a second of all requests at once.
    pub total_parallel: Spread,
    /// Bytes a second that this machine's memory is read with the model's threads.
    pub read_rate: Option<Spread>,
    /// Bytes of this process in memory, after the rounds and at most.
    pub memory: Option<(u64, u64)>,
}

pub async fn measure(model: &LoadedModel, plan: &Plan, out: &Out) -> Result<Figures, CliError> {
    let mut prompts = Prompts::of(model);
    let spinner = crate::out::spinner(out, "warming up".to_owned());
    // The first request touches memory that the others find ready.
    generate(model, prompts.next(plan.prompt), plan.reply).await?;
    let mut rounds = Rounds::default();
    for round in 1..=plan.rounds {
        spinner.set_message(format!("round {round} of {}", plan.rounds));
        rounds.one(model, plan, &mut prompts).await?;
    }
    spinner.set_message("measuring how fast memory is read");
    // Before this program's own measurements take memory.
    let memory = doctor::resident();
    let threads = model.engine().model().network().threads();
    let rate = tokio::task::spawn_blocking(move || doctor::read_rate(threads)).await;
    spinner.finish_and_clear();
    Ok(rounds.figures(rate.ok().flatten(), memory))
}

/// The figures of each round.
#[derive(Default)]
struct Rounds {
    prefill: Vec<f64>,
    decode: Vec<f64>,
    first: Vec<f64>,
    again: Vec<f64>,
    cached: usize,
    decode_parallel: Vec<f64>,
    total_parallel: Vec<f64>,
}

impl Rounds {
    async fn one(
        &mut self,
        model: &LoadedModel,
        plan: &Plan,
        prompts: &mut Prompts,
    ) -> Result<(), CliError> {
        let prompt = prompts.next(plan.prompt);
        let alone = generate(model, prompt.clone(), plan.reply).await?;
        let timings = alone.timings;
        self.prefill.push(rate(plan.prompt, timings.prefill));
        self.decode
            .push(rate(alone.tokens.len().saturating_sub(1), timings.decode));
        self.first
            .push((timings.queue + timings.prefill).as_secs_f64() * 1e3);

        let again = generate(model, prompt, plan.reply).await?;
        self.cached = again.cached_tokens;
        self.again
            .push((again.timings.queue + again.timings.prefill).as_secs_f64() * 1e3);

        let all: Vec<_> = (0..plan.parallel)
            .map(|_| prompts.next(plan.prompt))
            .collect();
        let start = Instant::now();
        let all = try_join_all(
            all.into_iter()
                .map(|prompt| generate(model, prompt, plan.reply)),
        )
        .await?;
        let wall = start.elapsed();
        let replies: usize = all.iter().map(|one| one.tokens.len()).sum();
        // Each by its own clock, from its first token on; prompts that are read beside it slow it, as they do in use.
        let decoding: f64 = all
            .iter()
            .map(|one| rate(one.tokens.len().saturating_sub(1), one.timings.decode))
            .sum();
        self.decode_parallel.push(decoding);
        self.total_parallel
            .push(rate(replies + plan.parallel * plan.prompt, wall));
        Ok(())
    }

    fn figures(&self, read_rate: Option<Spread>, memory: Option<(u64, u64)>) -> Figures {
        Figures {
            prefill: Spread::of(&self.prefill),
            decode: Spread::of(&self.decode),
            first_token: Spread::of(&self.first),
            first_token_cached: Spread::of(&self.again),
            cached_tokens: self.cached,
            decode_parallel: Spread::of(&self.decode_parallel),
            total_parallel: Spread::of(&self.total_parallel),
            read_rate,
            memory,
        }
    }
}

fn rate(tokens: usize, time: Duration) -> f64 {
    tokens as f64 / time.as_secs_f64().max(1e-9)
}

async fn generate(
    model: &LoadedModel,
    prompt: Vec<TokenId>,
    tokens: usize,
) -> Result<Generation, CliError> {
    let request = GenerateRequest::greedy(prompt, tokens);
    let generated = model.engine().generate(request).await;
    generated.map_err(|error| CliError::Failed(error.to_string()))
}

/// Random prompts, the same ones in every run.
struct Prompts {
    state: u64,
    ids: u64,
}

impl Prompts {
    fn of(model: &LoadedModel) -> Self {
        let largest = model.engine().model().tokenizer().largest_id();
        Prompts {
            state: 1,
            ids: largest.map_or(1, |id| u64::from(id.0).max(1)),
        }
    }

    fn next(&mut self, tokens: usize) -> Vec<TokenId> {
        let mut token = || {
            // SplitMix64 (Steele et al. 2014).
            self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            TokenId(((mixed ^ (mixed >> 31)) % self.ids) as u32)
        };
        (0..tokens).map(|_| token()).collect()
    }
}
