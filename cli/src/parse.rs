//! `parse`: what the parser makes of replies that were written elsewhere.

use candle_signature::parse::{ParseError, parse_reply};
use candle_signature::signature::SignatureSpec;
use clap::Args;
use serde_json::{Value as Json, json};

use crate::error::CliError;
use crate::out::Out;
use crate::reading::{lines, object_of, open, text_of};
use crate::signature::signature;
use crate::{replies, run, style};

const EXAMPLES: &str = "\
Examples:
  candle-signature parse --signature \"question -> answer: int\" reply.txt
  candle-signature parse --signature triage.json --json < reply.txt
  candle-signature parse --jsonl < replies.jsonl

With --signature alone the input is one reply. With --jsonl it is a JSON object a line: {\"id\", \"completion\"}, and without
--signature also \"fields\", a list of {\"name\", \"type\"}. The answers are lines {\"id\", \"ok\": true, \"values\"} or
{\"id\", \"ok\": false, \"errors\": [{\"field\", \"kind\", \"message\"}], \"partial\"}, and the exit code is 1 if any is not ok.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ParseArgs {
    /// The file with the reply, or with a reply a line; `-` is standard input
    #[arg(default_value = "-", value_name = "FILE")]
    file: String,
    /// A line such as "question -> answer: int", a JSON object, or a file with one of them
    #[arg(
        short,
        long,
        allow_hyphen_values = true,
        required_unless_present = "jsonl"
    )]
    signature: Option<String>,
    /// A reply a line, as JSON
    #[arg(long)]
    jsonl: bool,
}

pub async fn execute(args: ParseArgs, out: &mut Out) -> Result<(), CliError> {
    let spec = args.signature.as_deref().map(signature).transpose()?;
    match spec {
        Some(spec) if !args.jsonl => one(&spec, args.file, out).await,
        spec => many(spec.as_ref(), &args.file, out),
    }
}

async fn one(spec: &SignatureSpec, file: String, out: &mut Out) -> Result<(), CliError> {
    // A pipe whose writer takes its time must not hold up Ctrl-C.
    let text = tokio::task::spawn_blocking(move || text_of(&file)).await;
    let text = text.map_err(|error| CliError::System(std::io::Error::other(error)))??;
    let parsed = parse_reply(spec, &text).map_err(|error| CliError::Reply(Box::new(error)))?;
    if out.is_json() {
        return out.json(&json!({
            "ok": true,
            "values": parsed.values,
            "repairs": replies::repairs(&parsed.repairs),
            "completed": parsed.completed,
        }));
    }
    run::show_values(&parsed.values, out)?;
    for repair in &parsed.repairs {
        let field = repair.field.as_deref().unwrap_or("the reply");
        let text = format!("mended in {field}: {}", repair.kind.describe());
        out.remark(style::paint(style::DIM, text));
    }
    Ok(())
}

fn many(spec: Option<&SignatureSpec>, file: &str, out: &mut Out) -> Result<(), CliError> {
    let (mut total, mut failed) = (0usize, 0usize);
    for (number, line) in lines(open(file)?) {
        let answer = line
            .and_then(|line| answer(spec, &line))
            .unwrap_or_else(|problem| {
                let message = format!("line {number}: {problem}");
                json!({"id": null, "ok": false, "error": {"kind": "usage", "message": message}})
            });
        total += 1;
        failed += usize::from(answer["ok"] == false);
        out.json(&answer)?;
    }
    if failed > 0 {
        out.tell_failures();
        return Err(CliError::Failed(format!(
            "{failed} of {total} replies can't be read: their lines say why"
        )));
    }
    Ok(())
}

fn answer(spec: Option<&SignatureSpec>, line: &str) -> Result<Json, String> {
    let case = Json::Object(object_of(line)?);
    let own;
    let spec = match spec {
        Some(spec) => spec,
        None => {
            own = SignatureSpec::from_json(&json!({"outputs": case["fields"]}))
                .map_err(|error| format!("`fields`: {error}"))?;
            &own
        }
    };
    let completion = case["completion"]
        .as_str()
        .ok_or("`completion` must be a string")?;
    Ok(match parse_reply(spec, completion) {
        Ok(parsed) => json!({"id": case["id"], "ok": true, "values": parsed.values}),
        Err(error) => failure(&case["id"], &error),
    })
}

fn failure(id: &Json, error: &ParseError) -> Json {
    json!({
        "id": id,
        "ok": false,
        "errors": replies::field_errors(error),
        "partial": error.partial,
    })
}
