//! What a client may use up.

use std::time::Duration;

use tokio::sync::Semaphore;

use super::error::ServeError;

/// Bounds on what clients can use up. The defaults suit one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a request's body. Default 2 MiB.
    pub body_bytes: usize,
    /// Requests that generate or wait for the engine at a time; more are told to come again. Default 256.
    pub requests: usize,
    /// Open connections; more wait to be accepted. Default 1024.
    pub connections: usize,
    /// Time for a request from its head to the last token. Default 10 minutes.
    pub request_time: Duration,
    /// Time for a client to send the head of a request, and again for its body. Default 30 seconds.
    pub read_time: Duration,
    /// Time in which a client that is sent something must take some of it. Default 30 seconds.
    pub write_time: Duration,
    /// Time that requests under way have to end after a shutdown. Default 30 seconds.
    pub shutdown_time: Duration,
    /// Most replies to one request (`n`). Default 16.
    pub choices: usize,
    /// Most prompts of one plain completion. Default 64.
    pub prompts: usize,
    /// Most bytes of JSON schema that one request may hold its reply to. Default 64 KiB.
    pub schema_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body_bytes: 2 << 20,
            requests: 256,
            connections: 1024,
            request_time: Duration::from_secs(600),
            read_time: Duration::from_secs(30),
            write_time: Duration::from_secs(30),
            shutdown_time: Duration::from_secs(30),
            choices: 16,
            prompts: 64,
            schema_bytes: 64 << 10,
        }
    }
}

/// As good as for ever, and still a time that clocks can tell.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

impl Limits {
    /// The same within what clocks and counters can do; what would let nobody in is refused.
    pub(super) fn checked(mut self) -> Result<Self, ServeError> {
        for (what, most) in [
            ("requests", self.requests),
            ("connections", self.connections),
        ] {
            if most == 0 {
                return Err(ServeError::Setting {
                    what,
                    problem: "is 0: at least 1 must be let in".into(),
                });
            }
        }
        for most in [&mut self.requests, &mut self.connections] {
            *most = (*most).min(Semaphore::MAX_PERMITS);
        }
        for time in [
            &mut self.request_time,
            &mut self.read_time,
            &mut self.write_time,
            &mut self.shutdown_time,
        ] {
            *time = (*time).min(LONGEST);
        }
        Ok(self)
    }
}
