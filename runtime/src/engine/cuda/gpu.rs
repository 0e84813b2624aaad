//! One GPU as the network sees it: a stream, the compiled kernels, memory by its address, graphs, and cuBLAS products.
//! What it passes to kernels is checked by its callers, room by room.

use crate::engine::EngineError;
use candle_core::cuda_backend::CudaDType;
use candle_core::cuda_backend::cudarc::cublas::{CudaBlas, result as blas, sys as blas_sys};
use candle_core::cuda_backend::cudarc::driver::{
    CudaEvent, CudaFunction, CudaModule, CudaSlice, CudaStream, DevicePtr, DeviceRepr, DriverError,
    LaunchConfig, PushKernelArg, ValidAsZeroBits, sys,
};
use candle_core::cuda_backend::cudarc::nvrtc::Ptx;
use candle_core::{CudaDevice, Device, Storage, Tensor};
use std::ffi::c_void;
use std::sync::Arc;

/// Threads of a block in `general.cu`.
const THREADS: u32 = 128;
/// What cuBLAS may use beside its operands, as NVIDIA advises for Hopper. Its own would be allocated during a capture.
const BLAS_BYTES: usize = 32 << 20;

/// What a step of the network needs of a GPU.
#[derive(Debug)]
pub(super) struct Gpu {
    pub stream: Arc<CudaStream>,
    pub multiprocessors: usize,
    blas: CudaBlas,
    general: Arc<CudaModule>,
    attend: Arc<CudaModule>,
    sample: Arc<CudaModule>,
    /// Only cuBLAS reads and writes it.
    _workspace: Buffer<u8>,
}

/// Which of the compiled files a kernel is in.
#[derive(Debug, Clone, Copy)]
pub(super) enum File {
    General,
    Attend,
    Sample,
}

/// Memory of a GPU, by its address.
#[derive(Debug)]
pub(super) struct Buffer<T> {
    pub slice: CudaSlice<T>,
    pub address: u64,
}

/// A kernel's argument of one word.
#[derive(Clone, Copy)]
pub(super) enum Argument {
    Address(u64),
    Int(i32),
    Long(i64),
    Float(f32),
}

/// Says what was being done when the driver or a library refused.
pub(super) fn failed<E: std::fmt::Display>(doing: &'static str) -> impl Fn(E) -> EngineError {
    move |problem| EngineError::Gpu {
        doing,
        problem: problem.to_string(),
    }
}

fn allocation(bytes: usize) -> impl Fn(DriverError) -> EngineError {
    move |problem| match problem.0 {
        sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY => EngineError::GpuMemory { bytes },
        _ => failed("allocating memory")(problem),
    }
}

impl Gpu {
    /// A stream of its own on the device, whose work up to here is waited for.
    pub(super) fn new(device: &Device) -> Result<Self, EngineError> {
        let device: &CudaDevice = device.as_cuda_device()?;
        let context = device.cuda_stream().context().clone();
        let stream = context.new_stream().map_err(failed("making a stream"))?;
        let load = |image: &[u8]| {
            context
                .load_module(Ptx::from_binary(image.to_vec()))
                .map_err(failed("loading the kernels"))
        };
        let count = sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
        let asked = failed("asking for the device's properties");
        let multiprocessors = context.attribute(count).map_err(asked)? as usize;
        let blas = CudaBlas::new(stream.clone()).map_err(failed("starting cuBLAS"))?;
        let workspace = zeroed(&stream, BLAS_BYTES)?;
        // SAFETY: the memory is as large as is said, and lives as long as the handle.
        unsafe {
            let memory = workspace.address as *mut c_void;
            blas_sys::cublasSetWorkspace_v2(*blas.handle(), memory, BLAS_BYTES)
        }
        .result()
        .map_err(failed("giving cuBLAS its memory"))?;
        Ok(Self {
            blas,
            general: load(include_bytes!(concat!(env!("OUT_DIR"), "/general.fatbin")))?,
            attend: load(include_bytes!(concat!(env!("OUT_DIR"), "/attend.fatbin")))?,
            sample: load(include_bytes!(concat!(env!("OUT_DIR"), "/sample.fatbin")))?,
            multiprocessors,
            stream,
            _workspace: workspace,
        })
    }

    /// Zeroed memory for `len` values.
    pub(super) fn buffer<T: DeviceRepr + ValidAsZeroBits>(
        &self,
        len: usize,
    ) -> Result<Buffer<T>, EngineError> {
        zeroed(&self.stream, len)
    }

    /// Memory with these values.
    pub(super) fn upload<T: DeviceRepr + ValidAsZeroBits>(
        &self,
        values: &[T],
    ) -> Result<Buffer<T>, EngineError> {
        let mut buffer = self.buffer(values.len())?;
        self.write(&mut buffer, 0, values)?;
        Ok(buffer)
    }

    /// Writes values into memory from value `at` on.
    pub(super) fn write<T: DeviceRepr>(
        &self,
        buffer: &mut Buffer<T>,
        at: usize,
        values: &[T],
    ) -> Result<(), EngineError> {
        if values.is_empty() {
            return Ok(());
        }
        let mut view = buffer.slice.slice_mut(at..at + values.len());
        self.stream
            .memcpy_htod(values, &mut view)
            .map_err(failed("copying to the GPU"))
    }

    /// Waits for the stream and returns the first `count` values.
    pub(super) fn read<T: DeviceRepr + Clone + Default>(
        &self,
        buffer: &Buffer<T>,
        count: usize,
    ) -> Result<Vec<T>, EngineError> {
        let mut values = vec![T::default(); count];
        if count > 0 {
            self.stream
                .memcpy_dtoh(&buffer.slice.slice(0..count), &mut values)
                .map_err(failed("copying from the GPU"))?;
        }
        self.wait()?;
        Ok(values)
    }

    /// What has been asked of the stream up to here, to be waited for.
    pub(super) fn mark(&self) -> Result<CudaEvent, EngineError> {
        self.stream
            .record_event(None)
            .map_err(failed("marking a step"))
    }

    /// Waits until all that was asked of the stream is done.
    pub(super) fn wait(&self) -> Result<(), EngineError> {
        self.stream
            .synchronize()
            .map_err(failed("running the network"))
    }

    /// A kernel by its name.
    pub(super) fn function(&self, file: File, name: &str) -> Result<CudaFunction, EngineError> {
        let module = match file {
            File::General => &self.general,
            File::Attend => &self.attend,
            File::Sample => &self.sample,
        };
        module
            .load_function(name)
            .map_err(failed("finding a kernel"))
    }

    /// Runs a kernel on a grid of blocks of 128 threads.
    ///
    /// # Safety
    /// The arguments are those that the kernel declares, and its accesses stay inside the memory they name.
    pub(super) unsafe fn launch(
        &self,
        function: &CudaFunction,
        grid: (usize, usize, usize),
        arguments: &[Argument],
    ) -> Result<(), EngineError> {
        // SAFETY: the caller's.
        unsafe { self.launch_of(function, grid, THREADS, arguments) }
    }

    /// Runs a kernel on a grid of blocks of so many threads.
    ///
    /// # Safety
    /// As [`Self::launch`].
    pub(super) unsafe fn launch_of(
        &self,
        function: &CudaFunction,
        grid: (usize, usize, usize),
        threads: u32,
        arguments: &[Argument],
    ) -> Result<(), EngineError> {
        let mut launch = self.stream.launch_builder(function);
        for argument in arguments {
            match argument {
                Argument::Address(value) => launch.arg(value),
                Argument::Int(value) => launch.arg(value),
                Argument::Long(value) => launch.arg(value),
                Argument::Float(value) => launch.arg(value),
            };
        }
        let config = LaunchConfig {
            grid_dim: (grid.0 as u32, grid.1 as u32, grid.2 as u32),
            block_dim: (threads, 1, 1),
            shared_mem_bytes: 0,
        };
        // SAFETY: the caller's.
        unsafe { launch.launch(config) }
            .map(drop)
            .map_err(failed("starting a kernel"))
    }

    /// `out = x weight^T`, or added to what is there: `x` is `[tokens, inputs]`, `weight` `[outputs, inputs]`, both bf16,
    /// `out` `[tokens, outputs]` in f32.
    ///
    /// # Safety
    /// The addresses are those of memory with that many values.
    pub(super) unsafe fn multiply(
        &self,
        (weight, outputs, inputs): (u64, usize, usize),
        x: u64,
        tokens: usize,
        out: u64,
        add: bool,
    ) -> Result<(), EngineError> {
        let (one, before) = (1f32, if add { 1f32 } else { 0f32 });
        // SAFETY: the caller's; cuBLAS reads and writes column-major matrices of these sizes, the transposes of ours.
        unsafe {
            blas::gemm_ex(
                *self.blas.handle(),
                blas_sys::cublasOperation_t::CUBLAS_OP_T,
                blas_sys::cublasOperation_t::CUBLAS_OP_N,
                outputs as i32,
                tokens as i32,
                inputs as i32,
                (&raw const one).cast::<c_void>(),
                weight as *const c_void,
                blas_sys::cudaDataType::CUDA_R_16BF,
                inputs as i32,
                x as *const c_void,
                blas_sys::cudaDataType::CUDA_R_16BF,
                inputs as i32,
                (&raw const before).cast::<c_void>(),
                out as *mut c_void,
                blas_sys::cudaDataType::CUDA_R_32F,
                outputs as i32,
                blas_sys::cublasComputeType_t::CUBLAS_COMPUTE_32F,
                blas_sys::cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT,
            )
        }
        .map_err(failed("multiplying matrices"))
    }

    /// Where a contiguous tensor of this device and these values lies. The tensor must outlive every use of the address.
    pub(super) fn address<T: CudaDType>(&self, tensor: &Tensor) -> Result<u64, EngineError> {
        let (storage, layout) = tensor.storage_and_layout();
        let Storage::Cuda(storage) = &*storage else {
            return Err(failed("looking for a tensor")("it is not on the GPU"));
        };
        if !layout.is_contiguous() {
            return Err(failed("looking for a tensor")("it is not contiguous"));
        }
        let slice = storage.as_cuda_slice::<T>()?;
        let (address, guard) = slice.device_ptr(&self.stream);
        drop(guard);
        Ok(address + (layout.start_offset() * size_of::<T>()) as u64)
    }
}

fn zeroed<T: DeviceRepr + ValidAsZeroBits>(
    stream: &Arc<CudaStream>,
    len: usize,
) -> Result<Buffer<T>, EngineError> {
    let bytes = len.max(1) * size_of::<T>();
    let slice = stream
        .alloc_zeros::<T>(len.max(1))
        .map_err(allocation(bytes))?;
    let (address, guard) = slice.device_ptr(stream);
    drop(guard);
    Ok(Buffer { slice, address })
}
