//! Counters and histograms in Prometheus' text format, version 0.0.4.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::adapter::Usage;

use super::state::Served;

/// What a server counts.
#[derive(Debug)]
pub(super) struct Metrics {
    /// By path and status.
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    prompt_tokens: AtomicU64,
    cached_tokens: AtomicU64,
    completion_tokens: AtomicU64,
    pub first_token: Histogram,
    pub between_tokens: Histogram,
    pub duration: Histogram,
}

/// Upper bounds in seconds: from a step of a small model to a long request.
const LONG: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
];
const SHORT: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            requests: Mutex::default(),
            prompt_tokens: AtomicU64::new(0),
            cached_tokens: AtomicU64::new(0),
            completion_tokens: AtomicU64::new(0),
            first_token: Histogram::new(LONG),
            between_tokens: Histogram::new(SHORT),
            duration: Histogram::new(LONG),
        }
    }
}

impl Metrics {
    pub fn count_request(&self, path: &'static str, status: u16) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((path, status)).or_default() += 1;
    }

    pub fn count_usage(&self, usage: Usage) {
        let add = |counter: &AtomicU64, tokens: usize| {
            counter.fetch_add(tokens as u64, Ordering::Relaxed);
        };
        add(&self.prompt_tokens, usage.prompt_tokens);
        add(&self.cached_tokens, usage.cached_tokens);
        add(&self.completion_tokens, usage.completion_tokens);
    }

    /// All of it as text.
    pub fn text(&self, models: &[Served], active: usize) -> String {
        let mut page = Page::default();
        page.family(
            "requests_total",
            "counter",
            "Requests that were answered, by path and status.",
        );
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for ((path, status), count) in requests.iter() {
            page.value(
                "requests_total",
                &format!("path=\"{path}\",status=\"{status}\""),
                *count as f64,
            );
        }
        drop(requests);
        page.single(
            "requests_active",
            "gauge",
            "Requests that generate or wait for the engine.",
            active as f64,
        );
        let tokens = [
            (
                "prompt_tokens_total",
                "Tokens of prompts.",
                &self.prompt_tokens,
            ),
            (
                "cached_prompt_tokens_total",
                "Tokens of prompts that the prefix cache had.",
                &self.cached_tokens,
            ),
            (
                "completion_tokens_total",
                "Tokens generated.",
                &self.completion_tokens,
            ),
        ];
        for (name, help, counter) in tokens {
            page.single(
                name,
                "counter",
                help,
                counter.load(Ordering::Relaxed) as f64,
            );
        }
        let times = [
            (
                "time_to_first_token_seconds",
                "From a request to the first token of each reply.",
                &self.first_token,
            ),
            (
                "inter_token_seconds",
                "Between two tokens of a reply.",
                &self.between_tokens,
            ),
            (
                "request_seconds",
                "From a request to its end.",
                &self.duration,
            ),
        ];
        for (name, help, histogram) in times {
            page.histogram(name, help, histogram);
        }
        page.engines(models);
        page.text
    }
}

/// Durations by size.
#[derive(Debug)]
pub(super) struct Histogram {
    bounds: &'static [f64],
    /// One more than bounds: the last has no bound.
    counts: Vec<AtomicU64>,
    nanoseconds: AtomicU64,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        Histogram {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            nanoseconds: AtomicU64::new(0),
        }
    }

    pub fn observe(&self, time: Duration) {
        let seconds = time.as_secs_f64();
        let bucket = self.bounds.partition_point(|bound| *bound < seconds);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

/// A page of metrics. Writing to a string does not fail.
#[derive(Default)]
struct Page {
    text: String,
}

const PREFIX: &str = "candle_signature_";

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {PREFIX}{name} {help}");
        let _ = writeln!(self.text, "# TYPE {PREFIX}{name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &str, value: f64) {
        let _ = match labels {
            "" => writeln!(self.text, "{PREFIX}{name} {value}"),
            labels => writeln!(self.text, "{PREFIX}{name}{{{labels}}} {value}"),
        };
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        self.value(name, "", value);
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.family(name, "histogram", help);
        let mut total = 0;
        let bounds = histogram.bounds.iter().map(f64::to_string);
        let bounds = bounds.chain(["+Inf".to_owned()]);
        for (bound, count) in bounds.zip(&histogram.counts) {
            total += count.load(Ordering::Relaxed);
            self.value(
                &format!("{name}_bucket"),
                &format!("le=\"{bound}\""),
                total as f64,
            );
        }
        let seconds = histogram.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9;
        self.value(&format!("{name}_sum"), "", seconds);
        self.value(&format!("{name}_count"), "", total as f64);
    }

    /// What the engines know of themselves.
    fn engines(&mut self, models: &[Served]) {
        let stats: Vec<_> = models
            .iter()
            .map(|model| (model.label(), model.adapter.model().engine().stats()))
            .collect();
        let mut family = |name: &str, kind: &str, help: &str, values: Vec<f64>| {
            self.family(name, kind, help);
            for ((label, _), value) in stats.iter().zip(values) {
                self.value(name, &format!("model=\"{label}\""), value);
            }
        };
        macro_rules! families {
            ($(($name:literal, $kind:literal, $help:literal, |$one:ident| $value:expr)),* $(,)?) => {$(
                family($name, $kind, $help, stats.iter().map(|(_, $one)| $value as f64).collect());
            )*};
        }
        families![
            (
                "queue_requests",
                "gauge",
                "Replies that wait for a place among the rows.",
                |s| s.queued
            ),
            (
                "running_rows",
                "gauge",
                "Replies that are being generated.",
                |s| s.running
            ),
            ("steps_total", "counter", "Forward passes.", |s| s.steps),
            (
                "prefilled_tokens_total",
                "counter",
                "Tokens of prompts that were computed.",
                |s| s.prefilled_tokens
            ),
            (
                "decoded_tokens_total",
                "counter",
                "Tokens that the model chose.",
                |s| s.decoded_tokens
            ),
            (
                "cache_hits_total",
                "counter",
                "Prompts of which the prefix cache had a part.",
                |s| s.cache.hits
            ),
            (
                "cache_misses_total",
                "counter",
                "Prompts of which it had none.",
                |s| s.cache.misses
            ),
            (
                "cache_reused_tokens_total",
                "counter",
                "Tokens of prompts that were not computed again.",
                |s| s.cache.reused_tokens
            ),
            (
                "cache_hit_rate",
                "gauge",
                "Share of all prompt tokens that the prefix cache had.",
                |s| {
                    let (reused, computed) =
                        (s.cache.reused_tokens as f64, s.prefilled_tokens as f64);
                    if reused > 0.0 {
                        reused / (reused + computed)
                    } else {
                        0.0
                    }
                }
            ),
            ("cache_blocks", "gauge", "Blocks of the KV cache.", |s| s
                .cache
                .blocks_total),
            (
                "cache_blocks_in_use",
                "gauge",
                "Blocks that rows or kept prefixes hold.",
                |s| s.cache.blocks_in_use
            ),
            ("cache_bytes", "gauge", "Bytes of the blocks in use.", |s| s
                .cache
                .bytes),
            (
                "cache_evictions_total",
                "counter",
                "Blocks of kept prefixes that were given up.",
                |s| s.cache.evictions
            ),
        ];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_up_to_each_bound() {
        let histogram = Histogram::new(&[0.01, 0.1]);
        for milliseconds in [10, 11, 500] {
            histogram.observe(Duration::from_millis(milliseconds));
        }
        let mut page = Page::default();
        page.histogram("t_seconds", "Times.", &histogram);
        let lines: Vec<_> = page.text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "candle_signature_t_seconds_bucket{le=\"0.01\"} 1",
                "candle_signature_t_seconds_bucket{le=\"0.1\"} 2",
                "candle_signature_t_seconds_bucket{le=\"+Inf\"} 3",
                "candle_signature_t_seconds_sum 0.521",
                "candle_signature_t_seconds_count 3",
            ]
        );
    }
}
