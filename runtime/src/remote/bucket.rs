//! A token bucket: so many a minute, at most a minute's share at once.

use std::time::{Duration, Instant};

/// What may still be taken; below 0 where more was used than expected.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    per_minute: f64,
    left: f64,
    filled: Instant,
}

impl Bucket {
    /// A full one.
    pub fn new(per_minute: u32, now: Instant) -> Self {
        Bucket {
            per_minute: f64::from(per_minute),
            left: f64::from(per_minute),
            filled: now,
        }
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.left = (self.left + passed * self.per_minute / 60.0).min(self.per_minute);
        self.filled = now;
    }

    /// When so many can be taken. Who wants more than the bucket holds gets it when it is full.
    pub fn ready_at(&mut self, wanted: f64, now: Instant) -> Instant {
        self.fill(now);
        let missing = wanted.min(self.per_minute) - self.left;
        if missing <= 0.0 {
            return now;
        }
        // A little more, so that rounding makes nobody come too early.
        now + Duration::from_secs_f64(missing * 60.0 / self.per_minute) + Duration::from_millis(1)
    }

    /// Takes so many; a negative number gives back.
    pub fn take(&mut self, amount: f64) {
        self.left = (self.left - amount).min(self.per_minute);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fills_by_the_minute_and_holds_a_minute() {
        let start = Instant::now();
        let mut bucket = Bucket::new(60, start);
        for _ in 0..60 {
            assert_eq!(bucket.ready_at(1.0, start), start);
            bucket.take(1.0);
        }
        let wait = bucket.ready_at(1.0, start) - start;
        assert!(
            wait >= Duration::from_secs(1) && wait < Duration::from_millis(1100),
            "{wait:?}"
        );
        let later = start + Duration::from_secs(3600);
        assert_eq!(bucket.ready_at(60.0, later), later);
        bucket.take(60.0);
        assert!(bucket.ready_at(1.0, later) > later);
    }

    #[test]
    fn a_wish_beyond_the_bucket_waits_for_a_full_one() {
        let start = Instant::now();
        let mut bucket = Bucket::new(100, start);
        assert_eq!(bucket.ready_at(1e9, start), start);
        bucket.take(1000.0);
        let wait = bucket.ready_at(1.0, start) - start;
        assert!(
            wait > Duration::from_secs(500),
            "a debt is paid first: {wait:?}"
        );
        bucket.take(-950.0);
        assert_eq!(bucket.ready_at(50.0, start), start);
    }
}
