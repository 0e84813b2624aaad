//! Thousands of mixed requests against one small engine: random lengths, cancellations, a tiny cache, a full queue, bad
//! parameters, slow and leaving readers, deadlines, masks that fail or panic, pins. At the end every block is back,
//! every request is accounted for, and memory has not grown. `SOAK_REQUESTS=10000 cargo test --test soak` for the long run.

mod engine_support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_signature::engine::{
    Engine, EngineError, EngineOptions, EngineStats, GenerateRequest, LogitsMask, MaskError,
    MaskStep, SamplingParams, Shutdown, TokenId,
};
use engine_support::tiny_model;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::channel;

/// Requests of an ordinary test run.
const REQUESTS: u64 = 600;
/// Callers at a time: more than the queue has places.
const CALLERS: usize = 46;
const WAITING: usize = 40;
/// Memory that may be gained between the first quarter and the end.
const GROWTH_KB: u64 = 24 << 10;

struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(end)) as u32
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }
}

/// What a mask does at its fifth token.
#[derive(Clone, Copy)]
enum Turn {
    GoesOn,
    Fails,
    Panics,
    Poisons,
}

struct Moody(usize, Turn);

impl LogitsMask for Moody {
    fn start(&mut self, _budget: usize) -> Result<MaskStep, MaskError> {
        let tokens = vec![TokenId(1), TokenId(2)];
        Ok(MaskStep { tokens, end: None })
    }

    fn apply(&mut self, logits: &mut [f32]) -> Result<(), MaskError> {
        self.0 += 1;
        match self.1 {
            Turn::Fails if self.0 == 5 => return Err(MaskError::Failed("on purpose".to_owned())),
            Turn::Panics if self.0 == 5 => panic!("on purpose"),
            Turn::Poisons if self.0 == 5 => logits[3] = f32::NAN,
            _ => logits[..100].fill(f32::NEG_INFINITY),
        }
        Ok(())
    }

    fn accept(&mut self, token: TokenId, budget: usize) -> Result<MaskStep, MaskError> {
        let mut tokens = vec![token, TokenId(9)];
        tokens.truncate(budget.max(1));
        Ok(MaskStep { tokens, end: None })
    }
}

fn prompt(seed: u32, length: u32) -> Vec<TokenId> {
    (0..length)
        .map(|i| TokenId((i * 53 + seed * 31) % 320))
        .collect()
}

fn request(random: &mut Random) -> GenerateRequest {
    let sampling = SamplingParams {
        temperature: random.below(3) as f32 / 2.0,
        top_k: random.one_in(3).then_some(5),
        // One in forty is impossible.
        top_p: if random.one_in(40) { -1.0 } else { 0.9 },
        presence_penalty: random.below(3) as f32 / 2.0,
        frequency_penalty: random.below(2) as f32 / 2.0,
        seed: Some(random.below(9).into()),
        ..SamplingParams::default()
    };
    let mask = random.one_in(4).then(|| {
        let turns = [Turn::GoesOn, Turn::Fails, Turn::Panics, Turn::Poisons];
        Box::new(Moody(0, turns[random.below(4) as usize])) as Box<dyn LogitsMask>
    });
    let length = match random.below(20) {
        0 => 0,
        1 => 700,
        2..5 => 1 + random.below(300),
        _ => 1 + random.below(60),
    };
    let prompt = prompt(random.below(4), length);
    GenerateRequest {
        sampling,
        mask,
        use_kv_cache: !random.one_in(10),
        max_cache_tokens: random.one_in(10).then_some(50),
        context_length: if random.one_in(10) { 40 } else { usize::MAX },
        stop_tokens: (0..random.below(30)).map(|at| TokenId(at * 7)).collect(),
        top_logprobs: random.below(25).saturating_sub(3) as usize,
        prompt_lookup: random.below(9) as usize,
        batch_size: random.one_in(4).then(|| random.below(7) as usize),
        batch_wait: Duration::from_millis(random.below(3).into()),
        deadline: random
            .one_in(6)
            .then(|| Instant::now() + Duration::from_millis(random.below(40).into())),
        ..GenerateRequest::greedy(prompt, random.below(40) as usize)
    }
}

/// How a request ended, from where its caller stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Answered,
    Refused,
    Failed,
    GivenUp,
    NoRoom,
}

async fn caller(engine: Arc<Engine>, seed: u64) -> End {
    let mut random = Random(seed);
    if random.one_in(50) {
        // Counts as an ordinary request; held for a moment.
        let pinned = engine.pin(prompt(random.below(4), 48)).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
        return end_of(pinned.map(drop));
    }
    let mut request = request(&mut random);
    let wants = request.max_tokens;
    let reader = random.one_in(4).then(|| {
        let (sender, mut stream) = channel(1 + random.below(4) as usize);
        request.stream = Some(sender);
        let (pause, leaves) = (random.below(3), random.one_in(4));
        tokio::spawn(async move {
            let mut read = 0;
            while stream.recv().await.is_some() {
                read += 1;
                tokio::time::sleep(Duration::from_millis(pause.into())).await;
                if leaves && read == 3 {
                    return;
                }
            }
        })
    });
    let running = engine.generate(request);
    let end = if random.one_in(5) {
        let patience = Duration::from_micros(random.below(20_000).into());
        match tokio::time::timeout(patience, running).await {
            Ok(result) => checked(result, wants),
            Err(_) => End::GivenUp,
        }
    } else {
        checked(running.await, wants)
    };
    if let Some(reader) = reader {
        reader.await.expect("a reader does not panic");
    }
    end
}

fn checked(result: Result<candle_signature::engine::Generation, EngineError>, wants: usize) -> End {
    if let Ok(generation) = &result {
        assert!(generation.tokens.len() <= wants + 2);
        assert_eq!(generation.logprobs.len(), generation.tokens.len());
        assert_eq!(generation.top_logprobs.len(), generation.tokens.len());
        assert!(generation.cached_tokens < generation.prompt_tokens);
    }
    end_of(result.map(drop))
}

fn end_of(result: Result<(), EngineError>) -> End {
    match result {
        Ok(()) => End::Answered,
        Err(
            EngineError::QueueFull { .. }
            | EngineError::Sampling { .. }
            | EngineError::EmptyPrompt
            | EngineError::ContextTooLong { .. },
        ) => End::Refused,
        // Refused at once, or failed once it is known that what is pinned leaves no room.
        Err(EngineError::CacheTooSmall { .. }) => End::NoRoom,
        Err(EngineError::Stopped) => End::GivenUp,
        Err(
            EngineError::DeadlinePassed { .. }
            | EngineError::Panicked { .. }
            | EngineError::Mask(_)
            | EngineError::LogitsNotFinite { .. },
        ) => End::Failed,
        Err(other) => panic!("{other}"),
    }
}

/// Resident memory of this process in kilobytes; none where the system does not say.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

async fn settled(engine: &Engine) -> EngineStats {
    let start = Instant::now();
    loop {
        let stats = engine.stats();
        let busy = stats.queued + stats.running + stats.cache.blocks_in_use;
        if busy == 0 || start.elapsed() > Duration::from_secs(60) {
            return stats;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mixed_requests_leave_nothing_behind() {
    let count = std::env::var("SOAK_REQUESTS").map_or(REQUESTS, |count| {
        count.parse().expect("SOAK_REQUESTS is a number")
    });
    // Panics on purpose would fill the output.
    std::panic::set_hook(Box::new(|info| {
        let payload = info.payload().downcast_ref::<&str>();
        if payload != Some(&"on purpose") {
            eprintln!("{info}");
        }
    }));
    let engine = Engine::start(
        Arc::new(tiny_model(320)),
        EngineOptions {
            max_rows: 4,
            prefill_chunk: 48,
            cache_tokens: Some(768),
            max_waiting: WAITING,
        },
    );
    let engine = Arc::new(engine.expect("starts"));
    let callers = Arc::new(Semaphore::new(CALLERS));
    let mut tasks = Vec::new();
    let mut at_first = None;
    let mut ends = Vec::new();
    for seed in 0..count {
        let place = callers.clone().acquire_owned().await.expect("open");
        let engine = engine.clone();
        tasks.push(tokio::spawn(async move {
            let end = caller(engine, seed * 7919).await;
            if end == End::Refused {
                // Else those who are refused would be nearly all.
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            drop(place);
            end
        }));
        if seed == count / 4 {
            for task in tasks.drain(..) {
                ends.push(task.await.expect("no caller panics"));
            }
            at_first = resident();
        }
    }
    for task in tasks {
        ends.push(task.await.expect("no caller panics"));
    }
    // It still works. Blocks are counted at each step: a pin that was the last to go is counted until this one.
    let fine = engine.generate(GenerateRequest::greedy(prompt(1, 20), 5));
    assert_eq!(fine.await.expect("lives on").tokens.len(), 5);
    let stats = settled(&engine).await;
    let of = |end: End| ends.iter().filter(|one| **one == end).count() as u64;
    println!(
        "{count} requests: {} answered, {} refused, {} failed, {} given up, {} without room; {stats:?}; resident {at_first:?} to {:?} kB",
        of(End::Answered),
        of(End::Refused),
        of(End::Failed),
        of(End::GivenUp),
        of(End::NoRoom),
        resident()
    );
    assert_eq!((stats.queued, stats.running), (0, 0), "{stats:?}");
    assert_eq!(stats.cache.blocks_in_use, 0, "{stats:?}");
    assert!(stats.cache.blocks_kept <= stats.cache.blocks_total);
    // Some were answered just when their callers gave up.
    assert!(stats.finished >= of(End::Answered), "{stats:?}");
    // But for the last one.
    let known = stats.finished - 1 + stats.failed + stats.cancelled + of(End::Refused);
    assert!(
        (count - of(End::NoRoom)..=count).contains(&known),
        "{known} of {count} are accounted for: {stats:?}"
    );
    for end in [End::Answered, End::Refused, End::Failed, End::GivenUp] {
        assert!(of(end) * 100 > count, "the mix has enough of each: {end:?}");
    }
    if let (Some(first), Some(last)) = (at_first, resident()) {
        assert!(last < first + GROWTH_KB, "{first} kB grew to {last} kB");
    }
    engine.shutdown(Shutdown::Drain).await;
}
