//! The GPU: whether there is one, and whether this build can use it.

use std::process::Command;

use super::{Check, State};

pub fn check() -> Check {
    let built = cfg!(feature = "cuda");
    match (cards(), built) {
        (Some(cards), true) => Check::new("gpu", State::Ok, cards),
        (Some(cards), false) => Check::new(
            "gpu",
            State::Slow,
            format!("{cards}, which this build does not use"),
        )
        .advise("build with `--features cuda` (docs/cuda.md)"),
        (None, true) => Check::new(
            "gpu",
            State::Bad,
            "built for CUDA, and there is no NVIDIA GPU or driver",
        )
        .advise("`nvidia-smi` must run and list a card; else build without `--features cuda`"),
        (None, false) => Check::new("gpu", State::Info, "none, and this build needs none"),
    }
}

/// Names and memory of the cards, as the driver's own tool lists them.
fn cards() -> Option<String> {
    let asked = Command::new("nvidia-smi")
        .args(["--query-gpu=name,memory.total", "--format=csv,noheader"])
        .stdin(std::process::Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&asked.stdout);
    let cards: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    (asked.status.success() && !cards.is_empty()).then(|| cards.join("; "))
}
