//! Whether an endpoint is asked: closed while it answers, open after failures in a row, half open for one probe.

use std::time::{Duration, Instant};

use super::config::Circuit;

/// The wait grows by powers of two, up to this many times the first one.
const MOST_COOLDOWNS: u32 = 16;

/// The state of one endpoint.
#[derive(Debug, Clone)]
pub(super) struct Breaker {
    rules: Circuit,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed { failures: usize },
    Open { until: Instant, times: u32 },
    Probing { times: u32 },
}

/// What a request finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// It may pass.
    Free,
    /// It may pass at this time.
    At(Instant),
    /// When the probe has returned.
    AfterProbe,
}

impl Breaker {
    pub fn new(rules: Circuit) -> Self {
        Breaker {
            rules,
            state: State::Closed { failures: 0 },
        }
    }

    pub fn gate(&self, now: Instant) -> Gate {
        match self.state {
            State::Closed { .. } => Gate::Free,
            State::Open { until, .. } if until > now => Gate::At(until),
            State::Open { .. } => Gate::Free,
            State::Probing { .. } => Gate::AfterProbe,
        }
    }

    /// A request passes: through an open circuit, whose time is up, as its probe.
    pub fn pass(&mut self) {
        if let State::Open { times, .. } = self.state {
            self.state = State::Probing { times };
        }
    }

    pub fn succeeded(&mut self) {
        self.state = State::Closed { failures: 0 };
    }

    pub fn failed(&mut self, now: Instant) {
        self.state = match self.state {
            State::Closed { failures } if failures + 1 < self.rules.failures => State::Closed {
                failures: failures + 1,
            },
            State::Closed { .. } => self.open(1, now),
            State::Probing { times } => self.open((times * 2).min(MOST_COOLDOWNS), now),
            // Of a request that was sent before it opened.
            open @ State::Open { .. } => open,
        };
    }

    /// A probe that was given up by its caller says nothing: the next request is one again.
    pub fn abandoned(&mut self, now: Instant) {
        if let State::Probing { times } = self.state {
            self.state = State::Open { until: now, times };
        }
    }

    /// Opens at once: the server said or was found to be down.
    pub fn trip(&mut self, now: Instant) {
        if let State::Closed { .. } = self.state {
            self.state = self.open(1, now);
        }
    }

    fn open(&self, times: u32, now: Instant) -> State {
        let wait = self.rules.cooldown.saturating_mul(times);
        let wait = wait.min(Duration::from_secs(3600));
        State::Open {
            until: now + wait,
            times,
        }
    }

    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    pub fn is_probing(&self) -> bool {
        matches!(self.state, State::Probing { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(failures: usize) -> Breaker {
        Breaker::new(Circuit {
            failures,
            cooldown: Duration::from_secs(10),
        })
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_does_not() {
        let now = Instant::now();
        let mut breaker = breaker(2);
        breaker.failed(now);
        breaker.succeeded();
        breaker.failed(now);
        assert_eq!(breaker.gate(now), Gate::Free);
        breaker.failed(now);
        assert_eq!(breaker.gate(now), Gate::At(now + Duration::from_secs(10)));
    }

    #[test]
    fn one_probe_passes_and_decides() {
        let now = Instant::now();
        let mut breaker = breaker(1);
        breaker.failed(now);
        let later = now + Duration::from_secs(10);
        assert_eq!(breaker.gate(later), Gate::Free);
        breaker.pass();
        assert_eq!(breaker.gate(later), Gate::AfterProbe);
        breaker.failed(later);
        assert_eq!(
            breaker.gate(later),
            Gate::At(later + Duration::from_secs(20))
        );
        let at_last = later + Duration::from_secs(20);
        breaker.pass();
        breaker.succeeded();
        assert!(breaker.is_closed());
        assert_eq!(breaker.gate(at_last), Gate::Free);
    }

    #[test]
    fn a_probe_that_nobody_waits_for_leaves_the_way_free() {
        let now = Instant::now();
        let mut breaker = breaker(1);
        breaker.failed(now);
        breaker.pass();
        breaker.abandoned(now);
        assert_eq!(breaker.gate(now), Gate::Free);
        breaker.pass();
        assert!(breaker.is_probing());
    }

    #[test]
    fn late_failures_do_not_prolong_it() {
        let now = Instant::now();
        let mut breaker = breaker(1);
        breaker.failed(now);
        breaker.failed(now + Duration::from_secs(5));
        assert_eq!(breaker.gate(now), Gate::At(now + Duration::from_secs(10)));
    }
}
