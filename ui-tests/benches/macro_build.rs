//! Build time of 100 signatures of 6 fields, beside the same structs deriving serde's `Serialize` and `Deserialize`.
//!
//! `cargo bench -p candle-signature-ui-tests --bench macro_build --profile dev`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

const STRUCTS: usize = 100;
const ROUNDS: usize = 7;

/// What the structs of a crate derive.
#[derive(Clone, Copy)]
enum Derives {
    Nothing,
    Serde,
    Signature,
}

impl Derives {
    fn name(self) -> &'static str {
        match self {
            Derives::Nothing => "nothing",
            Derives::Serde => "Serialize + Deserialize",
            Derives::Signature => "CandleSignature",
        }
    }

    fn source(self) -> String {
        let fields = [
            ("ticket", "String", "input"),
            ("history", "Vec<String>", "input"),
            ("limit", "u32", "input"),
            ("answer", "String", "output"),
            ("owner", "Option<String>", "output"),
            ("confidence", "f64", "output"),
        ];
        let mut source = String::from("#![allow(dead_code)]\n");
        for at in 0..STRUCTS {
            let derive = match self {
                Derives::Nothing => "",
                Derives::Serde => "#[derive(serde::Serialize, serde::Deserialize)]\n",
                Derives::Signature => "#[derive(candle_signature::CandleSignature)]\n",
            };
            let _ = writeln!(
                source,
                "/// Sort the ticket.\n{derive}pub struct Triage{at} {{"
            );
            for (name, ty, role) in fields {
                let role = if matches!(self, Derives::Signature) {
                    format!("#[{role}] ")
                } else {
                    String::new()
                };
                let _ = writeln!(
                    source,
                    "    /// What `{name}` is.\n    {role}pub {name}: {ty},"
                );
            }
            source.push_str("}\n");
        }
        source
    }
}

/// The newest library of a crate among this bench's own dependencies.
fn library(deps: &Path, name: &str) -> PathBuf {
    let prefix = format!("lib{name}-");
    std::fs::read_dir(deps)
        .expect("the folder of dependencies")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "rlib")
        })
        .filter(|path| {
            path.file_name()
                .is_some_and(|file| file.to_string_lossy().starts_with(&prefix))
        })
        .max_by_key(|path| {
            path.metadata()
                .and_then(|data| data.modified())
                .unwrap_or(SystemTime::UNIX_EPOCH)
        })
        .unwrap_or_else(|| panic!("no library of {name} in {}", deps.display()))
}

fn build(folder: &Path, deps: &Path, source: &Path) -> Duration {
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args([
        "--edition",
        "2024",
        "--crate-type",
        "lib",
        "--emit",
        "metadata,link",
        "-C",
        "debuginfo=line-tables-only",
    ]);
    rustc
        .arg("--out-dir")
        .arg(folder)
        .arg("-L")
        .arg(format!("dependency={}", deps.display()));
    for name in ["candle_signature", "serde"] {
        rustc
            .arg("--extern")
            .arg(format!("{name}={}", library(deps, name).display()));
    }
    let start = Instant::now();
    let status = rustc.arg(source).status().expect("rustc runs");
    assert!(status.success(), "{} does not build", source.display());
    start.elapsed()
}

/// Least, median and greatest.
fn spread(mut times: Vec<Duration>) -> (Duration, Duration, Duration) {
    times.sort();
    (times[0], times[times.len() / 2], times[times.len() - 1])
}

fn main() {
    let exe = std::env::current_exe().expect("the path of this program");
    let deps = exe.parent().expect("a folder").to_owned();
    let folder = tempfile::tempdir().expect("a folder for the crates");
    let all = [Derives::Nothing, Derives::Serde, Derives::Signature];
    let sources = all.map(|derives| {
        let path = folder.path().join(format!("crate_{}.rs", derives as u8));
        std::fs::write(&path, derives.source()).expect("the source is written");
        path
    });
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    // Taken in turns, so that a busy machine slows all of them.
    for round in 0..=ROUNDS {
        for (at, source) in sources.iter().enumerate() {
            let time = build(folder.path(), &deps, source);
            // The first round warms the disk cache.
            if round > 0 {
                times[at].push(time);
            }
        }
    }
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "rustc of {STRUCTS} structs of 6 fields, {ROUNDS} rounds, {cpus} CPUs, {}",
        std::env::consts::ARCH
    );
    let medians: Vec<_> = all
        .iter()
        .zip(times)
        .map(|(derives, times)| {
            let (least, median, most) = spread(times);
            println!(
                "{:>24}: {median:>8.2?}  ({least:.2?} to {most:.2?})",
                derives.name()
            );
            median.as_secs_f64()
        })
        .collect();
    println!(
        "ratio to serde: {:.2} whole, {:.2} without the bare structs",
        medians[2] / medians[1],
        (medians[2] - medians[0]) / (medians[1] - medians[0])
    );
}
