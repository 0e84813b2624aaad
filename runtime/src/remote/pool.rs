//! Which endpoint a request goes to: the one with the fewest under way, of those that may be asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::sync::{Mutex, Notify};
use tokio::time::sleep_until;

use super::lease::Lease;
use super::slot::{Ready, Slot};
use super::{Endpoint, RemoteConfig, RemoteError};

/// All endpoints of a backend.
pub(super) struct Pool {
    pub slots: Vec<Slot>,
    /// Held by the one who waits longest: those behind it come in their order.
    turn: Mutex<()>,
    freed: Notify,
    /// Where the last tie was broken.
    latest: AtomicUsize,
}

/// What a request wants of the pool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// Tokens that it will cost.
    pub cost: f64,
    pub deadline: Instant,
    /// The endpoint of the attempt before, which is asked again only where no other is free.
    pub avoid: Option<usize>,
    pub is_retry: bool,
}

impl Pool {
    pub fn new(endpoints: Vec<Endpoint>, config: &RemoteConfig) -> Result<Self, RemoteError> {
        let slots = endpoints
            .into_iter()
            .map(|endpoint| Slot::new(endpoint, config))
            .collect::<Result<Vec<_>, _>>()?;
        if slots.is_empty() {
            let problem = "there are none: give at least one";
            return Err(RemoteError::setting("endpoints", problem));
        }
        Ok(Pool {
            slots,
            turn: Mutex::default(),
            freed: Notify::new(),
            latest: AtomicUsize::new(0),
        })
    }

    /// A place at an endpoint, as soon as there is one.
    pub async fn lease(self: &Arc<Self>, wish: Wish) -> Result<Lease, RemoteError> {
        let waiting = tokio::time::timeout_at(wish.deadline.into(), self.turn.lock());
        let Ok(_turn) = waiting.await else {
            return Err(self.unavailable(wish));
        };
        loop {
            // Made before looking: a place that is freed in between is not missed.
            let freed = self.freed.notified();
            let until = match self.pick(wish) {
                Ok(lease) => return Ok(lease),
                Err(until) => until,
            };
            match until {
                // Who can't get a place in time learns so at once.
                Some(until) if until >= wish.deadline => {
                    let may_be_freed = self.slots.iter().any(|slot| slot.state().outstanding > 0);
                    if !may_be_freed {
                        return Err(self.unavailable(wish));
                    }
                }
                _ => {}
            }
            let until = until.map_or(wish.deadline, |until| until.min(wish.deadline));
            tokio::select! {
                () = freed => {}
                () = sleep_until(until.into()) => {
                    if Instant::now() >= wish.deadline {
                        return Err(self.unavailable(wish));
                    }
                }
            }
        }
    }

    /// A place now, or when to look again; none if only a request that ends can help.
    fn pick(self: &Arc<Self>, wish: Wish) -> Result<Lease, Option<Instant>> {
        let now = Instant::now();
        let count = self.slots.len();
        let first = self.latest.load(Ordering::Relaxed) + 1;
        let mut best = None;
        let mut until: Option<Instant> = None;
        for at in (0..count).map(|step| (first + step) % count) {
            let mut state = self.slots[at].state();
            match state.ready(wish.cost, now) {
                Ready::Now => {
                    let rank = (wish.avoid == Some(at), state.outstanding);
                    if best.is_none_or(|(known, _)| rank < known) {
                        best = Some((rank, at));
                    }
                }
                Ready::At(time, _) => until = Some(until.map_or(time, |until| until.min(time))),
                Ready::WhenFreed(_) => {}
            }
        }
        let Some((_, at)) = best else {
            return Err(until);
        };
        self.latest.store(at, Ordering::Relaxed);
        // Only the holder of the turn begins requests: what was free a moment ago still is.
        self.slots[at].state().begin(wish.cost, wish.is_retry);
        Ok(Lease::new(Arc::clone(self), at, wish.cost))
    }

    pub fn free(&self) {
        self.freed.notify_waiters();
    }

    fn unavailable(&self, wish: Wish) -> RemoteError {
        let now = Instant::now();
        let states = self.slots.iter().map(|slot| {
            let why = match slot.state().ready(wish.cost, now) {
                Ready::Now => "has other requests before this one",
                Ready::At(_, why) | Ready::WhenFreed(why) => why,
            };
            format!("{} {why}", slot.endpoint.base_url())
        });
        RemoteError::Unavailable {
            states: states.collect::<Vec<_>>().join(", "),
        }
    }
}
