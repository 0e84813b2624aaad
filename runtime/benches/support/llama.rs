//! llama.cpp through llama-cpp-python, where it is installed: a process beside the bench that answers a call a line.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

/// A running peer.
pub struct Llama {
    process: Child,
    calls: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub version: String,
}

/// What a call came to.
#[derive(Deserialize)]
pub struct Answer {
    /// From the call to the parsed value.
    pub ms: f64,
    pub valid: bool,
    pub tokens: usize,
}

/// Names the Python that has `llama_cpp`; unset, `python3` is tried.
pub const PYTHON: &str = "LLAMA_PYTHON";

impl Llama {
    /// Starts the peer on a model file, or says why there is none.
    pub fn start(model: &Path, threads: usize) -> Result<Self, String> {
        let python = std::env::var(PYTHON).unwrap_or_else(|_| "python3".into());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/bench/llama_schema.py");
        let absent = |what: &dyn std::fmt::Display| {
            format!(
                "no llama-cpp-python beside it ({what}): pip install llama-cpp-python, or set {PYTHON} to a Python that has it"
            )
        };
        let mut process = Command::new(&python)
            .arg(script)
            .arg(model)
            .arg(threads.to_string())
            // Its threads sleep between calls, so that they don't slow ours.
            .env("OMP_WAIT_POLICY", "passive")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| absent(&error))?;
        let (Some(calls), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(absent(&"it has no input or output"));
        };
        let mut llama = Llama {
            process,
            calls,
            answers: BufReader::new(answers),
            version: String::new(),
        };
        let hello = llama.line().map_err(|error| absent(&error))?;
        llama.version = hello["version"].as_str().unwrap_or("unknown").to_owned();
        Ok(llama)
    }

    /// A reply to a prompt, held to a schema.
    pub fn call(
        &mut self,
        prompt: &[u32],
        schema: &Value,
        max_tokens: usize,
    ) -> Result<Answer, Box<dyn Error>> {
        let request = json!({"prompt": prompt, "schema": schema, "max_tokens": max_tokens});
        writeln!(self.calls, "{request}")?;
        self.calls.flush()?;
        Ok(serde_json::from_value(self.line()?)?)
    }

    fn line(&mut self) -> Result<Value, Box<dyn Error>> {
        let mut line = String::new();
        match self.answers.read_line(&mut line)? {
            0 => Err("the process ended".into()),
            _ => Ok(serde_json::from_str(&line)?),
        }
    }
}

impl Drop for Llama {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
