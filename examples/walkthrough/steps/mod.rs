//! Runs the steps and makes the chapter of them: the words are a step's own `//!` lines, the code its file, the output what it wrote.

use std::fmt::Write as _;
use std::sync::Arc;

use candle_signature::adapter::{LoadedModel, ModelPool};

/// A step that was run.
pub struct Step {
    /// The name of its file.
    pub name: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// What it is for.
    pub text: String,
    /// Its code.
    pub code: &'static str,
    /// What it wrote.
    pub output: String,
}

macro_rules! steps {
    ($($name:ident)*) => {
        $(mod $name;)*

        /// Runs all steps in order, on the embedded model.
        pub async fn run() -> anyhow::Result<Vec<Step>> {
            let model = ModelPool::embedded().load_model(ModelPool::EMBEDDED).await?;
            let mut steps = Vec::new();
            $({
                let mut output = String::new();
                let model: Arc<LoadedModel> = Arc::clone(&model);
                $name::run(model, &mut output).await?;
                steps.push(step(stringify!($name), include_str!(concat!(stringify!($name), ".rs")), output));
            })*
            Ok(steps)
        }
    };
}

steps! {
    prompt
    predict
    types
    form
    demo
    stream
    reasoning
    tools
    many
    better
}

/// The words and the code of a step, out of its file: the first `//!` line is the title.
fn step(name: &'static str, source: &'static str, output: String) -> Step {
    let (words, code) = source.split_once("\n\n").unwrap_or((source, ""));
    let mut lines = words
        .lines()
        .map(|line| line.trim_start_matches("//!").trim());
    Step {
        name,
        title: lines.next().unwrap_or_default(),
        text: lines.collect::<Vec<_>>().join("\n").trim().to_owned(),
        code: code.trim(),
        output,
    }
}

/// The chapter.
pub fn markdown(steps: &[Step]) -> String {
    let mut page = String::from(
        "# A walk through it\n\nEach step is a file of `examples/walkthrough/steps/`, shown here with what it prints. `cargo run --release --example walkthrough` runs them all, on the \
         embedded model and without a network; `-- --markdown` prints this page, and a test compares the two.\n",
    );
    for (number, step) in steps.iter().enumerate() {
        // Writing to a string can't fail.
        let _ = write!(
            page,
            "\n## {}. {}\n\n{}\n\n`{}.rs`:\n\n```rust,ignore\n{}\n```\n\nIt prints\n\n```text\n{}\n```\n",
            number + 1,
            step.title,
            step.text,
            step.name,
            step.code,
            step.output.trim_end(),
        );
    }
    page
}
