//! Runs the program with an environment of its own.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value as Json;

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The one line of JSON on standard output.
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Every line of standard output as JSON.
    pub fn lines(&self) -> Vec<Json> {
        let line =
            |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.out.lines().map(line).collect()
    }

    /// Fails unless the exit code is this and standard error holds the text.
    #[track_caller]
    pub fn fails(&self, code: i32, said: &str) {
        assert_eq!(self.code, code, "{self:#?}");
        assert!(self.err.contains(said), "{said:?} is not said: {self:#?}");
    }

    /// Fails unless all went well.
    #[track_caller]
    pub fn good(self) -> Self {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }
}

/// The program, with no setting of whoever runs the tests; it asks no hub.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_candle-signature"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CANDLE_SIGNATURE_")
            || text.starts_with("HF_")
            || text.starts_with("OPENAI_")
            || text.starts_with("CLICOLOR")
        {
            command.env_remove(&name);
        }
    }
    command
        .env_remove("NO_COLOR")
        .env("HF_HUB_OFFLINE", "1")
        .env(
            "HF_HOME",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-hub"),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs it to its end.
pub fn run(arguments: &[&str]) -> Ran {
    finish(command().args(arguments).spawn().expect("it starts"))
}

/// Runs `run` with the question about Ana, and these arguments.
pub fn run_qa(more: &[&str]) -> Ran {
    run(&[&["run", QA, "-i", PASSAGE, "-i", QUESTION][..], more].concat())
}

/// The same as [`run`] with this on standard input.
pub fn run_with(arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = command()
        .args(arguments)
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    // It may end without having read all.
    let writing = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let ran = finish(child);
    writing.join().expect("no panic");
    ran
}

pub fn finish(child: Child) -> Ran {
    #[cfg(unix)]
    let _guard = EndsInTime::of(&child);
    let output = child.wait_with_output().expect("it ends");
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Kills a process that has not ended within minutes, so that a test fails where it would hang.
#[cfg(unix)]
pub struct EndsInTime {
    ended: std::sync::mpsc::Sender<()>,
}

#[cfg(unix)]
impl EndsInTime {
    /// Hold it until the process has been waited for.
    pub fn of(child: &Child) -> Self {
        let pid = rustix::process::Pid::from_child(child);
        let (ended, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            if told.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                eprintln!("a process is ended that did not end by itself in {PATIENCE:?}");
                // It may have ended just now.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        });
        Self { ended }
    }
}

#[cfg(unix)]
impl Drop for EndsInTime {
    fn drop(&mut self) {
        // The thread may have ended before.
        let _ = self.ended.send(());
    }
}

#[cfg(unix)]
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(300);

/// Waits until this is so.
#[cfg(unix)]
#[track_caller]
pub fn until(mut so: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "it does not come about");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Names of the files in a folder, hidden ones too.
pub fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

/// Presses Ctrl-C.
#[cfg(unix)]
pub fn interrupt(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
}

pub const QA: &str = "passage, question -> answer";
pub const PASSAGE: &str = "passage=Ana lives in Rome.";
pub const QUESTION: &str = "question=Where does Ana live?";
