//! Memory for weights: page-aligned and, where the system offers them, on huge pages. Streaming through half a
//! gigabyte a token touches a new small page every 4 KiB otherwise, and looking it up costs more than reading it.

use memmap2::MmapMut;

/// Bytes that are written once and then read.
pub(super) enum Memory {
    Mapped(MmapMut),
    /// Where the system refuses to map.
    Heap(Vec<u8>),
}

impl Memory {
    pub(super) fn zeroed(length: usize) -> Self {
        match MmapMut::map_anon(length.max(1)) {
            Ok(map) => {
                // Advice only: without it the same bytes are read more slowly.
                #[cfg(target_os = "linux")]
                drop(map.advise(memmap2::Advice::HugePage));
                Self::Mapped(map)
            }
            Err(_) => Self::Heap(vec![0; length.max(1)]),
        }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Heap(bytes) => bytes,
        }
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Heap(bytes) => bytes,
        }
    }
}
