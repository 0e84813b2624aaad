//! The threads that share each operation's work. They spin for a moment between operations, because the next one is
//! microseconds away while a model runs, and sleep when nothing comes.
//!
//! Why it is sound: a job is a borrowed closure, published by the release that opens `state` and read only by a
//! worker whose compare-and-swap on the open `state` counted it in. The caller closes `state`, after which nobody
//! can be counted in, and returns only when the count is back at zero: no worker can hold the closure then.
//! A worker that was late is never waited for.

use std::any::Any;
use std::cell::UnsafeCell;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Rounds of spinning before a worker sleeps: about a tenth of a millisecond.
const SPINS: u32 = 4_000;
/// Rounds of spinning before a waiting caller lets other threads run.
const CALLER_SPINS: u32 = 2_000;

/// In `state`: the number of workers inside the job, whether more may enter, and the job's number.
const COUNT: u64 = (1 << 16) - 1;
const OPEN: u64 = 1 << 16;
const NEXT_JOB: u64 = 1 << 17;

/// A team of threads, the calling one included.
pub struct Team {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Held while a job runs. A second caller does its work alone rather than wait.
    caller: Mutex<()>,
}

struct Shared {
    state: AtomicU64,
    job: UnsafeCell<Option<Job>>,
    /// The next part nobody has taken.
    next: AtomicUsize,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    stop: AtomicBool,
    /// Workers asleep, or on their way to be.
    sleepers: AtomicUsize,
    sleep: Mutex<()>,
    wake: Condvar,
}

#[derive(Clone, Copy)]
struct Job {
    work: *const (dyn Fn(usize) + Sync),
    parts: usize,
}

// SAFETY: `job` is written by the caller only while `state` is closed with a count of zero, and read by workers
// only while they are counted in; the pointer in it is to a `Sync` closure. Everything else is `Sync` by itself.
unsafe impl Sync for Shared {}
// SAFETY: as above; the closure outlives every use, whichever thread that is on.
unsafe impl Send for Shared {}

/// How many physical cores this process may use.
pub(crate) fn usual_threads() -> NonZeroUsize {
    let allowed = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = num_cpus::get_physical().clamp(1, allowed);
    NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN)
}

impl Team {
    /// A team of this many threads in all. Fewer start where the system refuses them.
    #[must_use]
    pub fn new(threads: NonZeroUsize) -> Self {
        let shared = Arc::new(Shared {
            state: AtomicU64::new(0),
            job: UnsafeCell::new(None),
            next: AtomicUsize::new(0),
            panic: Mutex::new(None),
            stop: AtomicBool::new(false),
            sleepers: AtomicUsize::new(0),
            sleep: Mutex::new(()),
            wake: Condvar::new(),
        });
        let start = |_| {
            let shared = shared.clone();
            let thread = std::thread::Builder::new().name("candle-signature-worker".to_owned());
            thread.spawn(move || shared.work()).ok()
        };
        Self {
            workers: (1..threads.get().min(COUNT as usize))
                .map_while(start)
                .collect(),
            shared,
            caller: Mutex::new(()),
        }
    }

    /// A thread for each physical core that this process may use.
    #[must_use]
    pub fn of_physical_cores() -> Self {
        Self::new(usual_threads())
    }

    /// Threads in the team, the caller's included.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `work` once with each number below `parts`, on any of the threads, and returns when all are done.
    /// A panic in one of them is passed on.
    pub(crate) fn run(&self, parts: usize, work: &(dyn Fn(usize) + Sync)) {
        let caller = match self.caller.try_lock() {
            Ok(guard) if parts > 1 && !self.workers.is_empty() => guard,
            _ => return (0..parts).for_each(work),
        };
        let shared = &*self.shared;
        let open = shared.publish(work, parts);
        // Closes and waits even when the caller's own part panics: workers may still be using what it borrows.
        let closing = Closing { shared, open };
        shared.take_parts(work, parts);
        drop(closing);
        let panic = lock(&shared.panic).take();
        drop(caller);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        drop(lock(&self.shared.sleep));
        self.shared.wake.notify_all();
        for worker in self.workers.drain(..) {
            // A worker catches the panics of jobs and has none of its own.
            drop(worker.join());
        }
    }
}

impl std::fmt::Debug for Team {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Team")
            .field("threads", &self.threads())
            .finish_non_exhaustive()
    }
}

/// Ends a job when dropped.
struct Closing<'a> {
    shared: &'a Shared,
    open: u64,
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let state = &self.shared.state;
        state.fetch_and(!OPEN, Ordering::AcqRel);
        let mut spins = 0;
        while state.load(Ordering::Acquire) != self.open & !OPEN {
            spins += 1;
            if spins < CALLER_SPINS {
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }
}

impl Shared {
    /// Opens a job to the workers. The caller must keep `work` borrowed until the job is closed and empty.
    fn publish(&self, work: &(dyn Fn(usize) + Sync), parts: usize) -> u64 {
        // SAFETY: only the lifetime changes; `Closing` outlives every use.
        let work: *const (dyn Fn(usize) + Sync + 'static) =
            unsafe { std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), _>(work) };
        // SAFETY: `state` is closed with a count of zero and `Team::caller` is held: nobody reads or writes this.
        unsafe { *self.job.get() = Some(Job { work, parts }) };
        self.next.store(0, Ordering::Relaxed);
        let open = (self.state.load(Ordering::Relaxed) + NEXT_JOB) | OPEN;
        self.state.store(open, Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            drop(lock(&self.sleep));
            self.wake.notify_all();
        }
        open
    }

    fn take_parts(&self, work: &(dyn Fn(usize) + Sync), parts: usize) {
        loop {
            let part = self.next.fetch_add(1, Ordering::Relaxed);
            if part >= parts {
                return;
            }
            work(part);
        }
    }

    /// A worker's life.
    fn work(&self) {
        let mut done = 0;
        while let Some(job) = self.await_job(done) {
            done = job & !COUNT;
            if self.enter(job) {
                self.help();
                self.state.fetch_sub(1, Ordering::Release);
            }
        }
    }

    /// Counts this worker into an open job; fails when it has been closed meanwhile.
    fn enter(&self, mut seen: u64) -> bool {
        let job = seen & !COUNT;
        while seen & !COUNT == job {
            match self.state.compare_exchange_weak(
                seen,
                seen + 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    fn help(&self) {
        // SAFETY: this worker is counted in: the job was published before and stays until it is counted out.
        let Some(Job { work, parts }) = (unsafe { *self.job.get() }) else {
            return;
        };
        // SAFETY: as above, the closure is borrowed by the caller until then.
        let work = unsafe { &*work };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.take_parts(work, parts))) {
            lock(&self.panic).get_or_insert(panic);
        }
    }

    /// The state of an open job other than the one that is done; none when the team is dissolved.
    fn await_job(&self, done: u64) -> Option<u64> {
        let fresh = || {
            let state = self.state.load(Ordering::SeqCst);
            (state & OPEN != 0 && state & !COUNT != done).then_some(state)
        };
        for _ in 0..SPINS {
            if let Some(state) = fresh() {
                return Some(state);
            }
            std::hint::spin_loop();
        }
        let mut guard = lock(&self.sleep);
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        // Whoever publishes after this count sees it, takes the lock and wakes; whoever published before is seen here.
        let found = loop {
            if self.stop.load(Ordering::SeqCst) {
                break None;
            }
            if let Some(state) = fresh() {
                break Some(state);
            }
            guard = self
                .wake
                .wait(guard)
                .unwrap_or_else(PoisonError::into_inner);
        };
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
        found
    }
}

/// No lock here guards anything that a panic could leave half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn team(threads: usize) -> Team {
        Team::new(NonZeroUsize::new(threads).unwrap())
    }

    #[test]
    fn every_part_is_done_once_in_thousands_of_jobs() {
        for threads in [1, 2, 5] {
            let team = team(threads);
            for job in 0..3_000 {
                let counts: Vec<AtomicUsize> = (0..job % 37).map(|_| AtomicUsize::new(0)).collect();
                team.run(counts.len(), &|part| {
                    counts[part].fetch_add(1, Ordering::Relaxed);
                });
                assert!(
                    counts
                        .iter()
                        .all(|count| count.load(Ordering::Relaxed) == 1)
                );
            }
        }
    }

    #[test]
    fn workers_that_went_to_sleep_are_woken() {
        let team = team(3);
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(20));
            // Every thread must take a part before any part ends.
            let here = AtomicUsize::new(0);
            team.run(3, &|_| {
                here.fetch_add(1, Ordering::SeqCst);
                while here.load(Ordering::SeqCst) < 3 {
                    std::thread::yield_now();
                }
            });
        }
    }

    #[test]
    fn callers_at_the_same_time_do_not_disturb_each_other() {
        let team = Arc::new(team(3));
        let calls = |caller: usize| {
            let team = team.clone();
            move || {
                for _ in 0..500 {
                    let mut out = vec![0; 50];
                    team.for_each_piece(&mut out, 7, |piece, out| out.fill(caller * 100 + piece));
                    assert!(
                        out.iter()
                            .enumerate()
                            .all(|(i, v)| *v == caller * 100 + i / 7)
                    );
                }
            }
        };
        // Joined one by one: the end of a scope is nothing that a sanitizer knows.
        let callers: Vec<_> = (0..4)
            .map(|caller| std::thread::spawn(calls(caller)))
            .collect();
        for caller in callers {
            caller.join().expect("no panic");
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_team_works_on() {
        let team = team(3);
        for _ in 0..50 {
            let result = catch_unwind(AssertUnwindSafe(|| {
                team.run(9, &|part| assert_ne!(part, 4))
            }));
            assert!(result.is_err());
            let sum = AtomicUsize::new(0);
            team.run(10, &|part| {
                sum.fetch_add(part, Ordering::Relaxed);
            });
            assert_eq!(sum.into_inner(), 45);
        }
    }
}
