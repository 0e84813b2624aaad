//! What lets the host run ahead of a GPU: copies that it does not wait for, and work captured as graphs.

use super::gpu::{Buffer, Gpu, failed};
use crate::engine::EngineError;
use candle_core::cuda_backend::cudarc::driver::{
    CudaEvent, CudaGraph, DeviceRepr, PinnedHostSlice, ValidAsZeroBits, sys,
};

/// Memory of the host that copies from the GPU reach without a detour; grows with the largest.
#[derive(Debug)]
pub(super) struct Landing<T>(Option<PinnedHostSlice<T>>);

/// Memory of the host that copies to the GPU start from, and the mark of the last one.
#[derive(Debug)]
pub(super) struct Outbox<T> {
    memory: Landing<T>,
    sent: Option<CudaEvent>,
}

/// A captured graph. It belongs to one stream and is used by one thread at a time.
pub(super) struct Graph(CudaGraph);

// SAFETY: graphs may be used from any thread as long as the calls do not overlap, and all go through the network's lock.
unsafe impl Send for Graph {}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Graph")
    }
}

impl<T> Default for Landing<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Default for Outbox<T> {
    fn default() -> Self {
        Self {
            memory: Landing::default(),
            sent: None,
        }
    }
}

impl Gpu {
    /// Begins to copy values to the GPU, and waits for nothing but the copy before from the same memory of the host.
    pub(super) fn send<T: DeviceRepr + ValidAsZeroBits + Copy>(
        &self,
        values: &[T],
        outbox: &mut Outbox<T>,
        to: &mut Buffer<T>,
    ) -> Result<(), EngineError> {
        if values.is_empty() {
            return Ok(());
        }
        let failed = failed("copying to the GPU");
        if let Some(sent) = outbox.sent.take() {
            sent.synchronize().map_err(&failed)?;
        }
        self.land(&mut outbox.memory, values.len())?;
        let Some(memory) = &mut outbox.memory.0 else {
            return Ok(());
        };
        let from = &mut memory.as_mut_slice().map_err(&failed)?[..values.len()];
        from.copy_from_slice(values);
        let mut view = to.slice.slice_mut(0..values.len());
        self.stream.memcpy_htod(from, &mut view).map_err(&failed)?;
        outbox.sent = Some(self.mark()?);
        Ok(())
    }

    /// Makes room for so many values of the host.
    fn land<T: DeviceRepr + ValidAsZeroBits>(
        &self,
        landing: &mut Landing<T>,
        count: usize,
    ) -> Result<(), EngineError> {
        if landing.0.as_ref().is_none_or(|memory| memory.len() < count) {
            let context = self.stream.context();
            // SAFETY: values are written before they are read.
            let memory = unsafe { context.alloc_pinned_with_flags(count.max(1), 0) };
            landing.0 = Some(memory.map_err(failed("allocating memory of the host"))?);
        }
        Ok(())
    }

    /// Begins to copy the first `count` values to the host, where they are after [`Self::wait`].
    pub(super) fn fetch<T: DeviceRepr + ValidAsZeroBits>(
        &self,
        from: &Buffer<T>,
        count: usize,
        landing: &mut Landing<T>,
    ) -> Result<(), EngineError> {
        let failed = failed("copying from the GPU");
        self.land(landing, count)?;
        let Some(memory) = landing.0.as_mut().filter(|_| count > 0) else {
            return Ok(());
        };
        // As long as what is copied: the copy is as long as where it goes.
        let to = &mut memory.as_mut_slice().map_err(&failed)?[..count];
        self.stream
            .memcpy_dtoh(&from.slice.slice(0..count), to)
            .map_err(failed)
    }

    /// Captures what `work` asks of the stream, to be replayed at once.
    pub(super) fn capture(
        &self,
        work: impl FnOnce() -> Result<(), EngineError>,
    ) -> Result<Option<Graph>, EngineError> {
        let capturing = failed("capturing a graph");
        let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        self.stream.begin_capture(mode).map_err(&capturing)?;
        let done = work();
        let flags = sys::CUgraphInstantiate_flags::CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH;
        let graph = self.stream.end_capture(flags).map_err(capturing)?;
        done?;
        Ok(graph.map(Graph))
    }
}

impl Graph {
    pub(super) fn replay(&self) -> Result<(), EngineError> {
        self.0.launch().map_err(failed("replaying a graph"))
    }
}

impl<T: DeviceRepr + ValidAsZeroBits> Landing<T> {
    /// The first `count` values; fewer where less was fetched.
    pub(super) fn values(&self, count: usize) -> Result<&[T], EngineError> {
        let Some(memory) = &self.0 else {
            return Ok(&[]);
        };
        let values = memory.as_slice().map_err(failed("copying from the GPU"))?;
        Ok(&values[..count.min(values.len())])
    }
}
