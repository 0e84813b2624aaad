//! A walk through the crate in numbered steps: what each is for, and what it printed just now, on the embedded model.
//!
//! `cargo run --release --example walkthrough`; with `-- --markdown` the chapter `docs/walkthrough.md`, code included.

mod steps;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let run = steps::run().await?;
    if std::env::args().any(|argument| argument == "--markdown") {
        print!("{}", steps::markdown(&run));
        return Ok(());
    }
    for (number, step) in run.iter().enumerate() {
        let title = format!("{}. {}", number + 1, step.title);
        println!("{title}\n{}\n\n{}\n", "=".repeat(title.len()), step.text);
        for line in step.output.lines() {
            println!("    {line}");
        }
        println!("\nThe code: examples/walkthrough/steps/{}.rs\n", step.name);
    }
    Ok(())
}
