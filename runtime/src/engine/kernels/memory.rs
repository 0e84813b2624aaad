//! Memory for weights and for keys and values: zeroed, on cache lines and, where the system offers them, on huge pages.
//! Streaming through half a gigabyte a token touches a new small page every 4 KiB otherwise, and looking it up costs
//! more than reading it. Small matrices share a slab: a huge page is larger than many of them.

use half::f16;
use memmap2::{MmapMut, MmapRaw};
use std::sync::{Arc, Mutex, PoisonError};

/// The size of a huge page, and what slabs begin on.
const HUGE_PAGE: usize = 2 << 20;
/// Bytes of a slab; more where one request needs more. The system gives memory when it is first touched.
const SLAB: usize = 64 << 20;
const CACHE_LINE: usize = 64;

/// Hands out memory from slabs. What it has handed out is given back to the system when all of a slab is dropped.
#[derive(Default)]
pub(crate) struct Arena {
    current: Mutex<Option<(Arc<Slab>, usize)>>,
}

/// A part of a slab that nobody else has.
pub(crate) struct Memory {
    slab: Arc<Slab>,
    start: usize,
    length: usize,
}

struct Slab {
    base: *mut u8,
    length: usize,
    /// Keeps the bytes at `base`.
    _owner: Owner,
}

enum Owner {
    Mapped {
        _map: MmapRaw,
    },
    /// Where the system refuses to map.
    Heap {
        _lines: Vec<Line>,
    },
}

#[derive(Default)]
#[repr(align(64))]
struct Line {
    _words: [u64; CACHE_LINE / 8],
}

// SAFETY: a slab is plain bytes that live as long as it does. Who may read and write which of them is decided by
// `Memory`: each has a range of its own and gives it out by the usual rules of references.
unsafe impl Send for Slab {}
// SAFETY: as above.
unsafe impl Sync for Slab {}

impl Arena {
    /// Zeros, beginning on a cache line.
    pub(crate) fn zeroed(&self, length: usize) -> Memory {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let (slab, start) = match current.take() {
            Some((slab, used)) if slab.length - used >= length => (slab, used),
            _ => (Arc::new(Slab::new(length)), 0),
        };
        let used = (start + length)
            .next_multiple_of(CACHE_LINE)
            .min(slab.length);
        *current = Some((slab.clone(), used));
        Memory {
            slab,
            start,
            length,
        }
    }
}

impl std::fmt::Debug for Arena {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arena").finish_non_exhaustive()
    }
}

impl Slab {
    /// Of at least this many bytes.
    fn new(least: usize) -> Self {
        Self::mapped(least.max(SLAB)).unwrap_or_else(|| {
            let mut lines = Vec::new();
            lines.resize_with(least.div_ceil(CACHE_LINE), Line::default);
            Self::of_lines(lines)
        })
    }

    fn mapped(length: usize) -> Option<Self> {
        // Room to begin on a huge page; what lies before and after is never touched and takes no memory.
        let length = length.checked_next_multiple_of(HUGE_PAGE)?;
        let map = MmapMut::map_anon(length.checked_add(HUGE_PAGE)?).ok()?;
        // Advice only: without it the same bytes are read more slowly.
        #[cfg(target_os = "linux")]
        drop(map.advise(memmap2::Advice::HugePage));
        let map = MmapRaw::from(map);
        let before = map.as_ptr().align_offset(HUGE_PAGE).min(HUGE_PAGE);
        Some(Self {
            base: map.as_mut_ptr().wrapping_add(before),
            length,
            _owner: Owner::Mapped { _map: map },
        })
    }

    fn of_lines(mut lines: Vec<Line>) -> Self {
        Self {
            base: lines.as_mut_ptr().cast(),
            length: lines.len() * CACHE_LINE,
            _owner: Owner::Heap { _lines: lines },
        }
    }
}

/// Numbers that any bytes are.
pub(crate) trait Plain: Copy {}
impl Plain for f32 {}
impl Plain for f16 {}

impl Memory {
    /// Zeros in a slab of their own; none where the system does not have so many.
    pub(crate) fn alone(length: usize) -> Option<Self> {
        let slab = Slab::mapped(length).or_else(|| {
            let (mut lines, count) = (Vec::new(), length.div_ceil(CACHE_LINE));
            lines.try_reserve_exact(count).ok()?;
            lines.resize_with(count, Line::default);
            Some(Slab::of_lines(lines))
        })?;
        Some(Self {
            slab: Arc::new(slab),
            start: 0,
            length,
        })
    }

    /// As numbers; bytes beyond the last whole one are left out.
    pub(crate) fn values<T: Plain>(&self) -> &[T] {
        let bytes = self.as_slice();
        // SAFETY: memory begins on a cache line, which suits every `Plain`, and any bytes are one.
        unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / size_of::<T>()) }
    }

    /// As numbers that may be written.
    pub(crate) fn values_mut<T: Plain>(&mut self) -> &mut [T] {
        let bytes = self.as_mut_slice();
        let count = bytes.len() / size_of::<T>();
        // SAFETY: as above, and `&mut self` makes this the only reference.
        unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), count) }
    }

    /// Where it begins. Bytes `0..len()` from here are this value's.
    fn as_ptr(&self) -> *mut u8 {
        self.slab.base.wrapping_add(self.start)
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        // SAFETY: the slab has these bytes, initialized, and lives as long as `self`; no other `Memory` has them, and
        // writing takes `&mut self`.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.length) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `&mut self` makes this the only reference.
        unsafe { std::slice::from_raw_parts_mut(self.as_ptr(), self.length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_zeroed_aligned_and_apart() {
        let arena = Arena::default();
        let lengths = [
            0,
            1,
            63,
            64,
            65,
            1000,
            SLAB,
            5,
            SLAB + 1,
            7,
            SLAB - 64,
            64,
            1,
        ];
        let mut parts: Vec<Memory> = lengths.iter().map(|length| arena.zeroed(*length)).collect();
        for (index, part) in parts.iter_mut().enumerate() {
            assert_eq!(part.len(), lengths[index]);
            assert!(part.as_ptr().cast::<Line>().is_aligned());
            assert!(part.as_slice().iter().all(|byte| *byte == 0), "{index}");
            part.as_mut_slice().fill(index as u8 + 1);
        }
        drop(arena);
        parts.extend(Memory::alone(3).map(|mut alone| {
            alone.as_mut_slice().fill(lengths.len() as u8 + 1);
            alone
        }));
        assert_eq!(parts.len(), lengths.len() + 1);
        for (index, part) in parts.iter().enumerate() {
            let own = index as u8 + 1;
            assert!(part.as_slice().iter().all(|byte| *byte == own), "{index}");
        }
    }

    #[test]
    fn bytes_are_numbers_and_too_many_are_refused() {
        let mut memory = Memory::alone(11).unwrap();
        memory.values_mut::<f32>().copy_from_slice(&[1.0, -2.5]);
        assert_eq!(memory.values::<f32>(), [1.0, -2.5]);
        assert_eq!(memory.values::<f16>().len(), 5);
        assert_eq!(memory.values::<f16>()[3], f16::from_f32(-2.0625));
        for length in [usize::MAX, usize::MAX - HUGE_PAGE, 1 << 62] {
            assert!(Memory::alone(length).is_none());
        }
    }
}
