//! Memory: how much there is, and how fast it is read, which bounds how fast tokens are made.

use std::time::Instant;

use candle_signature::engine::Machine;
use memmap2::MmapMut;

use super::{Check, State, system_file};
use crate::units::{Spread, bytes};

/// Bytes read in a pass: more than caches hold, little enough for small machines.
const PASS: usize = 512 << 20;

/// Bytes that a token of Qwen2.5-0.5B reads, by form: all weights once.
const READ_A_TOKEN: [(&str, f64); 2] = [("8 bits", 525e6), ("4 bits", 346e6)];

pub fn checks() -> Vec<Check> {
    let free = available();
    let mut checks: Vec<_> = free.map(amount).into_iter().collect();
    checks.extend(huge_pages());
    // What is measured must fit.
    checks.push(match free.is_none_or(|free| free > 2 * PASS as u64) {
        true => bandwidth(),
        false => Check::new(
            "bandwidth",
            State::Info,
            "not measured: too little memory is free",
        ),
    });
    checks
}

/// Bytes that can still be had: of the system, and of the control group where that has less.
fn available() -> Option<u64> {
    let info = system_file("/proc/meminfo")?;
    let system = info
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let system = system.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024;
    let group = || {
        let number = |path| system_file(path)?.parse::<u64>().ok();
        let limit = number("/sys/fs/cgroup/memory.max")?;
        Some(limit.saturating_sub(number("/sys/fs/cgroup/memory.current")?))
    };
    Some(group().map_or(system, |group| group.min(system)))
}

fn amount(free: u64) -> Check {
    let found = format!("{} free", bytes(free));
    match free {
        0..500_000_000 => Check::new("memory", State::Bad, found).advise(
            "Qwen2.5-0.5B needs 0.5 GB at 8 bits beside its cache: end other programs, raise the container's limit, or use the embedded model",
        ),
        500_000_000..1_500_000_000 => Check::new("memory", State::Slow, found)
            .advise("enough for 0.5B at 4 or 8 bits with a small cache; larger models need more"),
        _ => Check::new("memory", State::Ok, found),
    }
}

fn huge_pages() -> Option<Check> {
    let text = system_file("/sys/kernel/mm/transparent_hugepage/enabled")?;
    let chosen = text.split(['[', ']']).nth(1)?.to_owned();
    Some(match chosen.as_str() {
        "never" => Check::new("huge pages", State::Slow, chosen).advise(
            "on small pages memory is read at half the speed or less (docs/performance.md): `echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled`",
        ),
        _ => Check::new("huge pages", State::Ok, chosen),
    })
}

fn bandwidth() -> Check {
    let threads = Machine::detect().threads.get();
    let Some(rate) = read_rate(threads) else {
        return Check::new(
            "bandwidth",
            State::Info,
            "not measured: the memory could not be had",
        );
    };
    let speeds: Vec<_> = READ_A_TOKEN
        .iter()
        .map(|(form, size)| format!("{:.0} at {form}", rate.median / size))
        .collect();
    let found = format!(
        "{:.1} GB/s read by {threads} threads ({:.1} to {:.1}): it allows tokens of Qwen2.5-0.5B a second: {}",
        rate.median / 1e9,
        rate.min / 1e9,
        rate.max / 1e9,
        speeds.join(", "),
    );
    match rate.median {
        0.0..8e9 => Check::new("bandwidth", State::Slow, found).advise(
            "less than one channel of DDR3 gives: is other work reading memory, or is the machine shared? Several requests at once share each read of the weights",
        ),
        _ => Check::new("bandwidth", State::Ok, found),
    }
}

/// Bytes a second that these many threads read together, in three passes; none where the memory can't be had.
pub fn read_rate(threads: usize) -> Option<Spread> {
    let mut map = MmapMut::map_anon(PASS).ok()?;
    // Advice only, as the engine's weights have it.
    #[cfg(target_os = "linux")]
    drop(map.advise(memmap2::Advice::HugePage));
    map.fill(1);
    let words = map.as_chunks::<8>().0;
    let rates = [(); 3].map(|()| {
        let start = Instant::now();
        let total = std::thread::scope(|scope| {
            let parts: Vec<_> = words
                .chunks(words.len().div_ceil(threads.max(1)))
                .map(|part| scope.spawn(move || sum(part)))
                .collect();
            let sums = parts
                .into_iter()
                .map(|part| part.join().unwrap_or_default());
            sums.fold(0, u64::wrapping_add)
        });
        std::hint::black_box(total);
        PASS as f64 / start.elapsed().as_secs_f64()
    });
    Some(Spread::of(&rates))
}

/// Sums kept apart, so that no addition waits for the one before.
fn sum(part: &[[u8; 8]]) -> u64 {
    let mut sums = [0u64; 64];
    for chunk in part.as_chunks::<64>().0 {
        for (sum, word) in sums.iter_mut().zip(chunk) {
            *sum = sum.wrapping_add(u64::from_le_bytes(*word));
        }
    }
    sums.into_iter().fold(0, u64::wrapping_add)
}

/// Bytes of this process in memory, now and at most; none where the system does not say.
pub fn resident() -> Option<(u64, u64)> {
    let status = system_file("/proc/self/status")?;
    let figure = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    };
    Some((figure("VmRSS:")?, figure("VmHWM:")?))
}
