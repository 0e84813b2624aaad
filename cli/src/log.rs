//! What the engine and the endpoint tell while they run: to standard error as text, or to standard output as JSON.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;

use crate::out::Out;

/// Which events are told where nothing is said.
const USUAL: &str = "warn,candle_signature=info";

/// Begins to tell; `CANDLE_SIGNATURE_LOG` says what, as `RUST_LOG` does elsewhere.
pub fn start(out: &Out) {
    let filter =
        EnvFilter::try_from_env("CANDLE_SIGNATURE_LOG").unwrap_or_else(|_| EnvFilter::new(USUAL));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_timer(SystemTime);
    // A program has one log: whoever was first keeps it.
    let started = match (out.is_json(), out.is_quiet()) {
        (true, _) => builder
            .json()
            .flatten_event(true)
            .with_writer(io::stdout)
            .try_init(),
        (false, true) => return,
        (false, false) => builder
            .with_ansi(out.shows_progress())
            .with_writer(io::stderr)
            .try_init(),
    };
    drop(started);
}
