//! What the machine is and can do: its name, the rate at which its memory is read, and this process's share of it.
#![allow(
    dead_code,
    reason = "each bench compiles its own copy and uses a part of it"
)]

use memmap2::{Advice, MmapMut};
use std::error::Error;
use std::time::Instant;

/// Bytes that are read in a pass: far more than any cache holds.
const BYTES: usize = 1 << 30;

/// Sorts the figures and prints the median with the least and the most; the median is then in the middle.
pub fn spread(figures: &mut [f64]) -> String {
    figures.sort_by(f64::total_cmp);
    let (least, median, most) = (
        figures[0],
        figures[figures.len() / 2],
        figures[figures.len() - 1],
    );
    format!("{median:.1} ({least:.1} to {most:.1})")
}

/// Memory on huge pages, as the engine's weights have it, to read from.
pub struct Source(MmapMut);

impl Source {
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let mut map = MmapMut::map_anon(BYTES)?;
        #[cfg(target_os = "linux")]
        map.advise(Advice::HugePage)?;
        map.fill(1);
        Ok(Self(map))
    }

    /// Bytes a second that these many threads read together, in one pass.
    pub fn rate(&self, threads: usize) -> f64 {
        let words = self.0.as_chunks::<8>().0;
        let start = Instant::now();
        let total = std::thread::scope(|scope| {
            let parts: Vec<_> = words
                .chunks(words.len().div_ceil(threads))
                .map(|part| scope.spawn(move || sum(part)))
                .collect();
            let sums = parts
                .into_iter()
                .map(|part| part.join().unwrap_or_default());
            sums.fold(0, u64::wrapping_add)
        });
        std::hint::black_box(total);
        BYTES as f64 / start.elapsed().as_secs_f64()
    }
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

/// A figure of this process in megabytes (`VmRSS`, `VmHWM`); 0 where the system does not say.
pub fn memory(figure: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(figure));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kibibytes.unwrap_or_default() * 1.024e-3
}

/// Begins [`memory`]'s peak `VmHWM` anew.
pub fn forget_peak() {
    // Where the system has no such file, the peak is not known either.
    drop(std::fs::write("/proc/self/clear_refs", "5"));
}

/// The processor by name.
pub fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    name.map_or("unknown processor".to_owned(), |name| {
        name.trim_start_matches(['\t', ':', ' ']).to_owned()
    })
}
