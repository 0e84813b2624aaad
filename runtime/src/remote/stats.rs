//! What is counted of one endpoint.

use std::collections::VecDeque;
use std::time::Duration;

use crate::adapter::Usage;

/// Latencies that percentiles are taken of: the latest.
const LATENCIES: usize = 512;

/// What one endpoint has done so far, and how it is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EndpointStats {
    /// Its address.
    pub endpoint: String,
    /// The model's name there.
    pub model: String,
    /// Whether it is asked.
    pub state: EndpointState,
    /// Requests that are under way.
    pub outstanding: usize,
    /// Requests that were sent; one that is sent again counts again.
    pub requests: u64,
    /// Requests that ended in an error.
    pub failures: u64,
    /// Requests that were sent because one before, here or at another endpoint, had failed.
    pub retries: u64,
    /// Requests that were given up by their callers.
    pub cancelled: u64,
    /// Tokens read and written, as the server counts them.
    pub usage: Usage,
    /// The time from sending to the last byte that half of the latest 512 replies took less than.
    pub p50: Option<Duration>,
    /// The time that 95 of 100 of them took less than.
    pub p95: Option<Duration>,
}

/// Whether an endpoint is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointState {
    /// It answers.
    Healthy,
    /// It failed too often in a row, or a probe did not find it: it is left alone for a while.
    Open,
    /// One request tries it.
    Probing,
    /// The server asked to be left alone for a while.
    Paused,
}

/// The numbers behind [`EndpointStats`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub requests: u64,
    pub failures: u64,
    pub retries: u64,
    pub cancelled: u64,
    pub usage: Usage,
    latencies: VecDeque<Duration>,
}

impl Counters {
    /// Remembers how long a reply took.
    pub fn took(&mut self, latency: Duration) {
        if self.latencies.len() == LATENCIES {
            self.latencies.pop_front();
        }
        self.latencies.push_back(latency);
    }

    /// The nearest rank of so many in a hundred.
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        let mut sorted: Vec<_> = self.latencies.iter().copied().collect();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_latest_replies() {
        let mut counters = Counters::default();
        assert_eq!(counters.percentile(50), None);
        for ms in 1..=2000 {
            counters.took(Duration::from_millis(ms));
        }
        // The latest 512 are 1489..=2000.
        assert_eq!(counters.percentile(50), Some(Duration::from_millis(1744)));
        assert_eq!(counters.percentile(95), Some(Duration::from_millis(1975)));
        assert_eq!(counters.percentile(100), Some(Duration::from_millis(2000)));
    }
}
