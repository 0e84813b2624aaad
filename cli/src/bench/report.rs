//! The figures of a bench, as a table or JSON.

use candle_signature::adapter::LoadedModel;
use candle_signature::engine::Machine;
use serde_json::json;

use crate::doctor;
use crate::error::CliError;
use crate::out::Out;
use crate::style::{self, paint};
use crate::units::bytes;

use super::measure::{Figures, Plan};

/// Weights that no processor's cache holds.
const LARGE: usize = 200_000_000;

pub fn tell(
    name: &str,
    model: &LoadedModel,
    plan: &Plan,
    figures: &Figures,
    out: &mut Out,
) -> Result<(), CliError> {
    let network = model.engine().model().network();
    let (threads, weights) = (network.threads(), network.weight_bytes());
    let machine = Machine::detect();
    let memory = figures.memory;
    let cache = model.engine().stats().cache.bytes;
    // A step reads every weight once: what the memory gives bounds it, unless a cache holds them all. The best pass is nearest to it.
    let rate = figures.read_rate.filter(|_| weights > LARGE);
    let limit = rate.map(|rate| rate.max / weights as f64);
    let share = limit.map(|limit| figures.decode.median / limit);
    if out.is_json() {
        return out.json(&json!({
            "machine": {
                "processor": doctor::processor_name(),
                "threads": threads,
                "quantized_kernels": machine.quantized_kernels,
                "f32_kernels": machine.f32_kernels,
                "read_bytes_per_second": figures.read_rate,
            },
            "model": {"name": name, "weight_bytes": weights},
            "plan": {
                "prompt_tokens": plan.prompt,
                "reply_tokens": plan.reply,
                "parallel": plan.parallel,
                "rounds": plan.rounds,
            },
            "prefill_tokens_per_second": figures.prefill,
            "decode_tokens_per_second": figures.decode,
            "decode_limit_tokens_per_second": limit,
            "decode_share_of_limit": share,
            "first_token_ms": figures.first_token,
            "first_token_cached_ms": figures.first_token_cached,
            "cached_tokens": figures.cached_tokens,
            "parallel_decode_tokens_per_second": figures.decode_parallel,
            "parallel_total_tokens_per_second": figures.total_parallel,
            "memory": {
                "resident_bytes": memory.map(|(now, _)| now),
                "peak_bytes": memory.map(|(_, peak)| peak),
                "cache_bytes": cache,
            },
        }));
    }
    out.line(format!(
        "{}\n{}, {threads} threads, {} kernels\n{} of weights; prompts of {} tokens, replies of {}, {} rounds\n",
        paint(style::NAME, name),
        doctor::processor_name(),
        machine.quantized_kernels,
        bytes(weights as u64),
        plan.prompt,
        plan.reply,
        plan.rounds,
    ))?;
    let mut row = |label: &str, value: String, unit: &str| {
        out.line(format!("{label:34} {value:>28}  {unit}"))
    };
    row("prefill", figures.prefill.to_string(), "tokens/s")?;
    row("decode", figures.decode.to_string(), "tokens/s")?;
    row("first token", figures.first_token.to_string(), "ms")?;
    let label = format!(
        "first token, {} of {} cached",
        figures.cached_tokens, plan.prompt
    );
    row(&label, figures.first_token_cached.to_string(), "ms")?;
    row(
        &format!("decode, {} at once", plan.parallel),
        figures.decode_parallel.to_string(),
        "tokens/s",
    )?;
    row(
        &format!("prompts and replies, {} at once", plan.parallel),
        figures.total_parallel.to_string(),
        "tokens/s",
    )?;
    if let (Some(limit), Some(share), Some(rate)) = (limit, share, figures.read_rate) {
        let text = format!(
            "memory is read at {:.1} GB/s, which bounds decode at {limit:.1} tokens/s: {:.0} % of it is reached",
            rate.max / 1e9,
            share * 100.0
        );
        out.line(format!("\n{}", paint(style::DIM, text)))?;
    }
    if let Some((now, peak)) = memory {
        let text = format!(
            "memory {} (at most {}), of it {} cache",
            bytes(now),
            bytes(peak),
            bytes(cache as u64)
        );
        out.line(paint(style::DIM, text))?;
    }
    Ok(())
}
