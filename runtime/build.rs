//! Compiles the CUDA kernels when the feature `cuda` asks for them; does nothing otherwise.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const FOLDER: &str = "src/engine/kernels/cuda";

/// The kernels for any shape run from the A100 on: machine code for two generations, and PTX for later ones.
const GENERAL: &[&str] = &[
    "arch=compute_80,code=sm_80",
    "arch=compute_90,code=sm_90",
    "arch=compute_90,code=compute_90",
];

/// The decode step needs Hopper's bulk copies.
const DECODE: &[&str] = &[
    "arch=compute_90,code=sm_90",
    "arch=compute_90,code=compute_90",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return;
    }
    println!("cargo::rerun-if-changed={FOLDER}");
    println!("cargo::rerun-if-env-changed=NVCC");
    println!("cargo::rerun-if-env-changed=CUDA_HOME");
    for (name, targets) in [
        ("general", GENERAL),
        ("attend", GENERAL),
        ("sample", GENERAL),
        ("decode", DECODE),
    ] {
        if let Err(problem) = compile(name, targets) {
            println!("cargo::error={problem}");
            return;
        }
    }
}

fn compile(name: &str, targets: &[&str]) -> Result<(), String> {
    let nvcc = nvcc();
    let source = Path::new(FOLDER).join(name).with_extension("cu");
    let folder = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run this through cargo")?;
    let output = PathBuf::from(folder).join(name).with_extension("fatbin");
    let mut command = Command::new(&nvcc);
    command.args(["-fatbin", "-O3", "-std=c++17", "-o"]);
    command.arg(&output).arg(&source);
    for target in targets {
        command.args(["-gencode", target]);
    }
    let done = command.output().map_err(|error| {
        format!(
            "feature `cuda`: cannot run `{}` ({error}); install CUDA 13 or run \
             `eval \"$(bash scripts/cuda/setup_cuda_toolchain.sh)\"`, which needs no GPU",
            nvcc.display()
        )
    })?;
    if done.status.success() {
        return Ok(());
    }
    let report = String::from_utf8_lossy(&done.stderr).replace('\n', " | ");
    Err(format!(
        "nvcc cannot compile `{}`: {report}",
        source.display()
    ))
}

/// `$NVCC`, `$CUDA_HOME/bin/nvcc`, or the one on the path.
fn nvcc() -> PathBuf {
    if let Some(nvcc) = env::var_os("NVCC") {
        return nvcc.into();
    }
    match env::var_os("CUDA_HOME") {
        Some(home) => PathBuf::from(home).join("bin/nvcc"),
        None => "nvcc".into(),
    }
}
