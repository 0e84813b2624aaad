//! How to choose the next token: every knob, and which values no distribution can be made from.

use crate::engine::{EngineError, TokenId};

/// Bounds of the presence and frequency penalties, as OpenAI's API has them.
const PENALTIES: std::ops::RangeInclusive<f32> = -2.0..=2.0;
/// Bounds of a bias, as OpenAI's API has them: the ends as good as forbid or force a token.
const BIASES: std::ops::RangeInclusive<f32> = -100.0..=100.0;

/// How to choose the next token. The default is greedy.
///
/// Filters apply in the order of the fields, like Hugging Face's: penalties and biases, temperature, top-k, top-p,
/// min-p, each on the distribution that the one before has left.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingParams {
    /// Above 1 makes tokens of the prompt and the reply less likely; 1 is off.
    pub repetition_penalty: f32,
    /// Taken from the logit of every token that the reply holds; −2 to 2, 0 is off.
    pub presence_penalty: f32,
    /// Taken from a token's logit once for each time that the reply holds it; −2 to 2, 0 is off.
    pub frequency_penalty: f32,
    /// Added to these tokens' logits; −100 to 100 each. The last one counts where a token is named twice.
    pub logit_bias: Vec<(TokenId, f32)>,
    /// 0 is greedy: the likeliest token, the smallest id among equals.
    pub temperature: f32,
    /// Keeps the k likeliest tokens.
    pub top_k: Option<usize>,
    /// Keeps the fewest likeliest tokens whose probabilities reach this sum; 1 is off.
    pub top_p: f32,
    /// Keeps tokens with at least this share of the likeliest one's probability; 0 is off.
    pub min_p: f32,
    /// The same seed gives the same tokens on every machine; none is a new seed each time.
    pub seed: Option<u64>,
}

impl Default for SamplingParams {
    fn default() -> Self {
        Self {
            repetition_penalty: 1.0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            logit_bias: Vec::new(),
            temperature: 0.0,
            top_k: None,
            top_p: 1.0,
            min_p: 0.0,
            seed: None,
        }
    }
}

impl SamplingParams {
    /// Refuses values no distribution can be made from. Comparisons are written so that NaN is refused too.
    pub fn validate(&self) -> Result<(), EngineError> {
        let (penalty, temperature) = (self.repetition_penalty, self.temperature);
        check(
            penalty.is_finite() && penalty > 0.0,
            "repetition_penalty",
            format_args!("is {penalty}; it must be a positive number, 1 turns it off"),
        )?;
        for (name, value) in [
            ("presence_penalty", self.presence_penalty),
            ("frequency_penalty", self.frequency_penalty),
        ] {
            check(
                PENALTIES.contains(&value),
                name,
                format_args!("is {value}; it must be from -2 to 2, 0 turns it off"),
            )?;
        }
        for (token, bias) in &self.logit_bias {
            check(
                BIASES.contains(bias),
                "logit_bias",
                format_args!("of token {token} is {bias}; it must be from -100 to 100"),
            )?;
        }
        check(
            temperature.is_finite() && temperature >= 0.0,
            "temperature",
            format_args!("is {temperature}; it must be 0 (greedy) or a positive number"),
        )?;
        check(
            self.top_k != Some(0),
            "top_k",
            format_args!("is 0, which keeps no token; leave it out to turn it off"),
        )?;
        check(
            self.top_p > 0.0 && self.top_p <= 1.0,
            "top_p",
            format_args!(
                "is {}; it must be above 0 and at most 1, 1 turns it off",
                self.top_p
            ),
        )?;
        check(
            (0.0..=1.0).contains(&self.min_p),
            "min_p",
            format_args!("is {}; it must be from 0 to 1, 0 turns it off", self.min_p),
        )
    }
}

fn check(
    ok: bool,
    parameter: &'static str,
    problem: std::fmt::Arguments<'_>,
) -> Result<(), EngineError> {
    if ok {
        return Ok(());
    }
    let problem = problem.to_string();
    Err(EngineError::Sampling { parameter, problem })
}
