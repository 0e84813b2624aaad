//! dspy-rs's optimizers, held to the promise that a program is never worse for them.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;

use dspy_rs::{Evaluator, Example, Module, Optimizable};
use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _};

use super::DspyError;

/// What came of an optimizer.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Optimized {
    /// The metric's mean before.
    pub before: f32,
    /// The metric's mean after: of what is kept.
    pub after: f32,
    /// Whether the optimizer's instructions are kept; else the module has those that it had.
    pub kept: bool,
}

/// Runs an optimizer on a module and keeps its instructions only if the metric's mean over the examples is better for them: where it is the
/// same, what a person wrote is more likely to make sense elsewhere.
///
/// Of dspy-rs 0.7.3's optimizers MIPROv2 never compares its candidates with the instruction that was there, and all of them panic where
/// one prediction fails. Here a prediction that fails counts 0, and an optimizer that fails or panics leaves the module as it was.
///
/// ```no_run
/// # use candle_signature::dspy::{DspyError, keep_best};
/// # use dspy_rs::{COPRO, Evaluator, Example, Module, Optimizable, Optimizer};
/// # async fn example<M: Module + Optimizable + Evaluator>(module: &mut M, trainset: Vec<Example>) -> Result<(), DspyError> {
/// let copro = COPRO::builder().breadth(4).depth(1).build();
/// let gain = keep_best(module, &trainset, async |module| copro.compile(module, trainset.clone()).await).await?;
/// println!("{} -> {}", gain.before, gain.after);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`DspyError::Optimizer`] if the optimizer fails or panics.
pub async fn keep_best<M, O, T>(
    module: &mut M,
    examples: &[Example],
    optimizer: O,
) -> Result<Optimized, DspyError>
where
    M: Module + Optimizable + Evaluator,
    O: AsyncFnOnce(&mut M) -> anyhow::Result<T>,
{
    let before = score(module, examples).await;
    let instructions = instructions(module);
    let run = AssertUnwindSafe(optimizer(&mut *module))
        .catch_unwind()
        .await;
    let problem = match run {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(format!("{error:#}")),
        Err(panic) => Some(format!("it panicked: {}", panic_text(&*panic))),
    };
    if let Some(problem) = problem {
        restore(module, &instructions)?;
        return Err(DspyError::Optimizer(problem));
    }
    let after = score(module, examples).await;
    if after > before {
        return Ok(Optimized {
            before,
            after,
            kept: true,
        });
    }
    restore(module, &instructions)?;
    Ok(Optimized {
        before,
        after: before,
        kept: false,
    })
}

/// The metric's mean. A prediction that fails counts 0, unlike in `Evaluator::evaluate`, which panics.
pub async fn score<M: Module + Evaluator>(module: &M, examples: &[Example]) -> f32 {
    let scores =
        stream::iter(examples).map(
            async |example| match module.forward(example.clone()).await {
                Ok(prediction) => module.metric(example, &prediction).await,
                Err(error) => {
                    tracing::warn!(%error, "a prediction failed and counts 0");
                    0.0
                }
            },
        );
    let scores: Vec<f32> = scores.buffered(M::MAX_CONCURRENCY.max(1)).collect().await;
    scores.iter().sum::<f32>() / scores.len().max(1) as f32
}

fn instructions<M: Optimizable>(module: &mut M) -> HashMap<String, String> {
    let parameters = module.parameters();
    let instruction = |(name, parameter): (&String, &&mut dyn Optimizable)| {
        (name.clone(), parameter.get_signature().instruction())
    };
    parameters.iter().map(instruction).collect()
}

fn restore<M: Optimizable>(
    module: &mut M,
    instructions: &HashMap<String, String>,
) -> Result<(), DspyError> {
    for (name, parameter) in module.parameters() {
        if let Some(instruction) = instructions.get(&name) {
            let restored = parameter.update_signature_instruction(instruction.clone());
            restored.map_err(|error| {
                DspyError::Optimizer(format!("`{name}` can't be set back: {error:#}"))
            })?;
        }
    }
    Ok(())
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}
