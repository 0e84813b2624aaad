//! Why a command failed, and the exit code that scripts see.

use std::error::Error as _;
use std::io;
use std::process::ExitCode;

use candle_signature::adapter::CandleAdapterError;
use candle_signature::engine::EngineError;
use candle_signature::hub::HubError;
use candle_signature::parse::ParseError;
use candle_signature::remote::RemoteError;
use serde_json::{Value as Json, json};

use crate::out::Out;
use crate::replies::field_errors;
use crate::style;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// What was typed or given makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A prediction or a check failed; its own message.
    #[error("{0}")]
    Failed(String),
    /// A reply that does not hold what the signature asks for.
    #[error("the reply can't be read: {0}")]
    Reply(Box<ParseError>),
    /// A model that can't be loaded.
    #[error("{0}")]
    Model(String),
    /// Something beyond this machine.
    #[error("{0}")]
    Network(String),
    /// A file or the system.
    #[error("{0}")]
    System(io::Error),
    /// Nobody reads standard output any more: no failure.
    #[error("standard output was closed")]
    Closed,
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl CliError {
    /// The exit code, as `docs/cli.md` and `--help` list them.
    pub fn code(&self) -> u8 {
        match self {
            CliError::Closed => 0,
            CliError::Failed(_) | CliError::Reply(_) => 1,
            CliError::Usage(_) => 2,
            CliError::Model(_) => 3,
            CliError::Network(_) => 4,
            CliError::System(_) => 5,
            CliError::Interrupted => 130,
        }
    }

    /// The word for it in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            CliError::Closed => "closed",
            CliError::Failed(_) => "failed",
            CliError::Reply(_) => "reply",
            CliError::Usage(_) => "usage",
            CliError::Model(_) => "model",
            CliError::Network(_) => "network",
            CliError::System(_) => "system",
            CliError::Interrupted => "interrupted",
        }
    }

    /// `{"kind", "message"}`, and of a reply its fields' errors, what could be read, and the reply.
    pub fn to_json(&self) -> Json {
        let mut json = json!({"kind": self.kind(), "message": self.to_string()});
        if let CliError::Reply(error) = self {
            json["fields"] = field_errors(error);
            json["partial"] = json!(error.partial);
            json["reply"] = json!(error.completion);
        }
        json
    }

    /// Says what went wrong, on standard error, and with `--json` on standard output too.
    pub fn report(&self, out: &mut Out) -> ExitCode {
        out.abandon();
        if !matches!(self, CliError::Closed) {
            if out.is_json() && !out.has_told_failures() {
                // Nobody is left to tell if this fails too.
                drop(out.json(&json!({"ok": false, "error": self.to_json()})));
                drop(out.flush());
            }
            let (red, reset) = (style::ERROR.render(), style::ERROR.render_reset());
            anstream::eprintln!("{red}error{reset}: {self}");
            if let CliError::Reply(error) = self {
                anstream::eprintln!("the reply was:\n{}", error.completion);
            }
        }
        ExitCode::from(self.code())
    }

    /// A file that was to be read.
    pub fn reading(path: &str, error: &io::Error) -> Self {
        CliError::Usage(format!("cannot read `{path}`: {error}"))
    }

    /// A file that was to be written.
    pub fn writing(path: &std::path::Path, error: &io::Error) -> Self {
        let text = format!("cannot write `{}`: {error}", path.display());
        CliError::System(io::Error::new(error.kind(), text))
    }
}

impl From<CandleAdapterError> for CliError {
    fn from(error: CandleAdapterError) -> Self {
        use CandleAdapterError as E;
        match error {
            E::ParseError(error) => CliError::Reply(error),
            E::ModelLoadError(_) => of_load(&error),
            E::InferenceFailed(_) if is_remote(&error) => CliError::Network(error.to_string()),
            E::ConfigError(_) | E::SignatureError(_) => CliError::Usage(error.to_string()),
            other => CliError::Failed(other.to_string()),
        }
    }
}

/// Where a model had to be fetched, it is the hub's error that tells.
fn of_load(error: &CandleAdapterError) -> CliError {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(hub) = cause.downcast_ref::<HubError>() {
            return of_hub(hub, error.to_string());
        }
        source = cause.source();
    }
    CliError::Model(error.to_string())
}

fn is_remote(error: &CandleAdapterError) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.is::<RemoteError>() {
            return true;
        }
        source = cause.source();
    }
    false
}

fn of_hub(error: &HubError, text: String) -> CliError {
    match error {
        HubError::Name { .. } | HubError::NotFound { .. } | HubError::NoModel { .. } => {
            CliError::Model(text)
        }
        HubError::NoCacheFolder | HubError::Endpoint { .. } => CliError::Usage(text),
        HubError::Io { .. } | HubError::DiskFull { .. } => CliError::System(io::Error::other(text)),
        _ => CliError::Network(text),
    }
}

/// Of a model's files; what could not be written is said so.
impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Write { .. } => CliError::System(io::Error::other(error)),
            other => CliError::Model(other.to_string()),
        }
    }
}

impl From<HubError> for CliError {
    fn from(error: HubError) -> Self {
        of_hub(&error, error.to_string())
    }
}

/// Of standard output: a reader that is gone is no failure.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => CliError::Closed,
            _ => CliError::System(error),
        }
    }
}
