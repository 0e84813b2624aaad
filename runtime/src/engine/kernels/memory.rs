//! Memory for weights and for keys and values: zeroed, on cache lines and, where the system offers them, on huge pages.
//! Streaming through half a gigabyte a token touches a new small page every 4 KiB otherwise, and looking it up costs
//! more than reading it. Small matrices share a slab: a huge page is larger than many of them.

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

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line {
    _bytes: [u8; CACHE_LINE],
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
            _ => (Arc::new(Slab::new(length.max(SLAB))), 0),
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
    fn new(length: usize) -> Self {
        // Room to begin on a huge page; what lies before and after is never touched and takes no memory.
        let length = length.next_multiple_of(HUGE_PAGE);
        match MmapMut::map_anon(length + HUGE_PAGE) {
            Ok(map) => {
                // Advice only: without it the same bytes are read more slowly.
                #[cfg(target_os = "linux")]
                drop(map.advise(memmap2::Advice::HugePage));
                let map = MmapRaw::from(map);
                let before = map.as_ptr().align_offset(HUGE_PAGE).min(HUGE_PAGE);
                Self {
                    base: map.as_mut_ptr().wrapping_add(before),
                    length,
                    _owner: Owner::Mapped { _map: map },
                }
            }
            Err(_) => {
                let mut lines = vec![
                    Line {
                        _bytes: [0; CACHE_LINE]
                    };
                    length / CACHE_LINE
                ];
                Self {
                    base: lines.as_mut_ptr().cast(),
                    length,
                    _owner: Owner::Heap { _lines: lines },
                }
            }
        }
    }
}

impl Memory {
    /// Where it begins. Bytes `0..len()` from here are this value's.
    pub(crate) fn as_ptr(&self) -> *mut u8 {
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
        for (index, part) in parts.iter().enumerate() {
            let own = index as u8 + 1;
            assert!(part.as_slice().iter().all(|byte| *byte == own), "{index}");
        }
    }
}
