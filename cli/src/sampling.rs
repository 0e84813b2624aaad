//! How tokens are chosen, as options.

use candle_signature::adapter::{CandleConfig, Overrides};
use clap::Args;

#[derive(Debug, Args)]
#[command(next_help_heading = "Sampling")]
pub struct SamplingArgs {
    /// Most tokens of a reply [default: 512]
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<usize>,
    /// 0 takes the likeliest token, 1 samples from the model's own distribution [default: 0]
    #[arg(short, long, value_name = "T")]
    pub temperature: Option<f32>,
    /// Sample only from the likeliest tokens whose probabilities sum to this
    #[arg(long, value_name = "P")]
    pub top_p: Option<f32>,
    /// Sample only from the so many likeliest tokens
    #[arg(long, value_name = "K")]
    pub top_k: Option<usize>,
    /// Sample only from tokens at least this fraction as likely as the likeliest
    #[arg(long, value_name = "P")]
    pub min_p: Option<f32>,
    /// Divide the logits of tokens that occurred by this
    #[arg(long, value_name = "R")]
    pub repetition_penalty: Option<f32>,
    /// Seed of sampling: the same seed and prompt give the same reply [default: 42]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Most seconds for a reply
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<f64>,
}

impl SamplingArgs {
    /// What was typed, over what a saved program says.
    pub fn over(&self, saved: Overrides) -> Overrides {
        let timeout = self.timeout.map(|seconds| (seconds * 1e3).round() as u64);
        Overrides {
            max_tokens: self.max_tokens.or(saved.max_tokens),
            temperature: self.temperature.or(saved.temperature),
            top_p: self.top_p.or(saved.top_p),
            top_k: self.top_k.or(saved.top_k),
            min_p: self.min_p.or(saved.min_p),
            seed: self.seed.or(saved.seed),
            repetition_penalty: self.repetition_penalty.or(saved.repetition_penalty),
            timeout_ms: timeout.or(saved.timeout_ms),
            ..saved
        }
    }

    /// The configuration of an adapter that serves others: what they leave out is as typed here.
    pub fn config(&self) -> Result<CandleConfig, crate::error::CliError> {
        let config = self.over(Overrides::default());
        Ok(config.applied_to(&CandleConfig::default())?.into_owned())
    }
}
