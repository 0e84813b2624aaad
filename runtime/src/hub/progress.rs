//! What a caller hears while files come: events, and two listeners: progress bars, and nobody.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

/// What happens to a file while it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PullEvent<'a> {
    /// It begins to come.
    Begins {
        /// The file's name in the repository.
        file: &'a str,
        /// Its size in bytes.
        size: u64,
        /// Bytes that an earlier try has left, and that do not come again.
        have: u64,
    },
    /// More of it has come.
    Received {
        /// The file's name in the repository.
        file: &'a str,
        /// Bytes that are there now.
        have: u64,
    },
    /// Another process fetches the same file; this one waits for it.
    Waits {
        /// The file's name in the repository.
        file: &'a str,
    },
    /// The connection failed; it is tried again, where that makes sense from where it stopped.
    Retries {
        /// The file's name in the repository.
        file: &'a str,
        /// What happened.
        problem: &'a str,
    },
    /// It is there and checked.
    Done {
        /// The file's name in the repository.
        file: &'a str,
    },
}

/// Who listens to a pull. Any `Fn(PullEvent)` does.
pub trait Progress: Send + Sync {
    /// Called for each event, on the thread that pulls.
    fn on(&self, event: PullEvent<'_>);
}

impl<F: Fn(PullEvent<'_>) + Send + Sync> Progress for F {
    fn on(&self, event: PullEvent<'_>) {
        self(event);
    }
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn on(&self, _: PullEvent<'_>) {}
}

/// A bar for each file on stderr: bytes, speed, time left. Silent where stderr is no terminal, or
/// `HF_HUB_DISABLE_PROGRESS_BARS` is set.
#[derive(Debug)]
pub struct Bars {
    all: MultiProgress,
    bars: Mutex<HashMap<String, ProgressBar>>,
}

impl Bars {
    /// Bars on stderr.
    #[must_use]
    pub fn stderr() -> Self {
        let disabled = std::env::var("HF_HUB_DISABLE_PROGRESS_BARS")
            .is_ok_and(|value| super::env::is_true(&value));
        Self::on_target(match std::io::stderr().is_terminal() && !disabled {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        })
    }

    fn on_target(target: ProgressDrawTarget) -> Self {
        Bars {
            all: MultiProgress::with_draw_target(target),
            bars: Mutex::default(),
        }
    }

    fn bar(&self, file: &str) -> ProgressBar {
        // A panic elsewhere leaves the map sound: it is only ever inserted into.
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let bar = self.all.add(ProgressBar::new(0));
            bar.set_style(style());
            bar.set_prefix(short(file));
            bar
        };
        bars.entry(file.to_owned()).or_insert_with(new).clone()
    }
}

impl Progress for Bars {
    fn on(&self, event: PullEvent<'_>) {
        match event {
            PullEvent::Begins { file, size, have } => {
                let bar = self.bar(file);
                bar.set_length(size);
                bar.set_position(have);
                // Speed and time left are those of what comes now.
                bar.reset_eta();
                bar.set_message("");
            }
            PullEvent::Received { file, have } => self.bar(file).set_position(have),
            PullEvent::Waits { file } => {
                self.bar(file)
                    .set_message("waiting for another process that fetches it");
            }
            PullEvent::Retries { file, problem } => {
                self.bar(file).set_message(format!("again: {problem}"));
            }
            PullEvent::Done { file } => self.bar(file).finish_with_message("done"),
        }
    }
}

const TEMPLATE: &str = "{prefix:30} {bar:24} {binary_bytes:>10}/{binary_total_bytes:10} {binary_bytes_per_sec:>12} {eta:>4} {msg}";

fn style() -> ProgressStyle {
    ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The end of a long name says more than its beginning.
fn short(file: &str) -> String {
    let count = file.chars().count();
    match count > 30 {
        true => format!("…{}", file.chars().skip(count - 29).collect::<String>()),
        false => file.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_follows_its_file() {
        let bars = Bars::on_target(ProgressDrawTarget::hidden());
        let file = "model-00001-of-00002.safetensors";
        let size = 100;
        bars.on(PullEvent::Waits { file });
        assert!(bars.bar(file).message().contains("another process"));
        bars.on(PullEvent::Begins {
            file,
            size,
            have: 40,
        });
        assert_eq!(bars.bar(file).message(), "");
        bars.on(PullEvent::Received { file, have: 70 });
        assert_eq!(
            (bars.bar(file).position(), bars.bar(file).length()),
            (70, Some(100))
        );
        assert_eq!(bars.bar(file).prefix(), "…el-00001-of-00002.safetensors");
        bars.on(PullEvent::Done { file });
        assert!(bars.bar(file).is_finished());
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
