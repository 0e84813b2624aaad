//! Standard output: text in colours where they show, JSON where it was asked for. Writing never panics.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anstream::AutoStream;
use anstream::adapter::strip_str;
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::args::Global;
use crate::error::CliError;

/// Where output goes.
enum Sink {
    Stdout(AutoStream<io::Stdout>),
    /// Beside its place, until it is whole; dropped, it is gone.
    File(io::BufWriter<NamedTempFile>, PathBuf),
}

/// Where output goes, and how it is to be written.
pub struct Out {
    sink: Sink,
    json: bool,
    quiet: bool,
    told: bool,
}

impl Out {
    pub fn new(global: &Global) -> Self {
        Out {
            sink: Sink::Stdout(anstream::stdout()),
            json: global.json,
            quiet: global.quiet,
            told: false,
        }
    }

    /// Whether JSON was asked for.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether remarks are unwanted.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether a person reads along.
    pub fn is_terminal(&self) -> bool {
        matches!(self.sink, Sink::Stdout(_)) && io::stdout().is_terminal()
    }

    /// Columns of the terminal that a person reads on; none where it is no terminal, or does not say.
    pub fn width(&self) -> Option<usize> {
        let size = self.is_terminal().then(terminal_width).flatten();
        size.filter(|columns| *columns > 0)
    }

    /// Whether progress may be shown on standard error.
    pub fn shows_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// The failures of records stand in the output already.
    pub fn tell_failures(&mut self) {
        self.told = true;
    }

    pub fn has_told_failures(&self) -> bool {
        self.told
    }

    /// Writes to a file from here on, which is there when [`Out::commit`] has been called.
    pub fn write_to(&mut self, path: &Path) -> Result<(), CliError> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let file = beside(folder.unwrap_or(Path::new(".")))
            .map_err(|error| CliError::writing(path, &error))?;
        self.sink = Sink::File(io::BufWriter::new(file), path.to_owned());
        Ok(())
    }

    /// All is written: a file gets its name.
    pub fn commit(&mut self) -> Result<(), CliError> {
        self.flush()?;
        if let Sink::File(file, path) = self.take_sink() {
            let file = file.into_inner();
            let file = file.map_err(|error| CliError::writing(&path, error.error()))?;
            file.persist(&path)
                .map_err(|error| CliError::writing(&path, &error.error))?;
        }
        Ok(())
    }

    /// What was written to a file is forgotten; what follows goes to standard output.
    pub fn abandon(&mut self) {
        drop(self.take_sink());
    }

    fn take_sink(&mut self) -> Sink {
        std::mem::replace(&mut self.sink, Sink::Stdout(anstream::stdout()))
    }

    fn write(&mut self, text: &str) -> Result<(), CliError> {
        match &mut self.sink {
            Sink::Stdout(stream) => Ok(stream.write_all(text.as_bytes())?),
            Sink::File(file, path) => {
                write!(file, "{}", strip_str(text)).map_err(|error| CliError::writing(path, &error))
            }
        }
    }

    /// Text without a line break after it, seen at once.
    pub fn text(&mut self, text: &str) -> Result<(), CliError> {
        self.write(text)?;
        self.flush()
    }

    /// A line of text.
    pub fn line(&mut self, line: impl std::fmt::Display) -> Result<(), CliError> {
        self.write(&format!("{line}\n"))
    }

    /// A line of JSON.
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string(value).map_err(|error| CliError::System(error.into()))?;
        self.line(text)
    }

    pub fn flush(&mut self) -> Result<(), CliError> {
        match &mut self.sink {
            Sink::Stdout(stream) => Ok(stream.flush()?),
            Sink::File(file, path) => file
                .flush()
                .map_err(|error| CliError::writing(path, &error)),
        }
    }

    /// A remark on standard error, unless `--quiet`.
    pub fn remark(&self, text: impl std::fmt::Display) {
        if !self.quiet {
            anstream::eprintln!("{text}");
        }
    }
}

/// A spinner on standard error, where a person sees it.
pub fn spinner(out: &Out, message: String) -> indicatif::ProgressBar {
    if !out.shows_progress() {
        return indicatif::ProgressBar::hidden();
    }
    let spinner = indicatif::ProgressBar::new_spinner().with_message(message);
    spinner.enable_steady_tick(std::time::Duration::from_millis(100));
    spinner
}

/// A hidden file in a folder, with the rights that a new file has there.
fn beside(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".candle-signature-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Less the umask, as for any new file.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(unix)]
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(size.ws_col.into())
}

#[cfg(not(unix))]
fn terminal_width() -> Option<usize> {
    None
}
