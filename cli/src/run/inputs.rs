//! Where the inputs of `run` come from.

use std::io::{self, IsTerminal as _, Read as _};

use candle_signature::prompt::type_name;
use candle_signature::signature::{FieldSpec, FieldType, SignatureSpec};
use clap::Args;
use serde_json::{Map, Value as Json};

use crate::error::CliError;
use crate::reading::{Line, lines, name_of, object_of, open, text_of};

#[derive(Debug, Args)]
#[command(next_help_heading = "Inputs")]
pub struct InputArgs {
    /// An input: text, JSON where its type asks for it, or the text of a file (`@-` is standard input, `@@` an `@` itself)
    #[arg(short, long = "input", value_name = "NAME=VALUE|NAME=@FILE")]
    pub input: Vec<String>,
    /// A file with a JSON object of inputs; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "jsonl")]
    pub inputs: Option<String>,
    /// A file with a JSON object a line, a prediction each; `-` is standard input. --input holds for all of them
    #[arg(long, value_name = "FILE")]
    pub jsonl: Option<String>,
    /// Leave out what a record of JSON lines has beside the inputs, instead of refusing it
    #[arg(long)]
    pub ignore_extra: bool,
}

/// The lines of a file, on whatever thread reads them.
pub type Lines = Box<dyn Iterator<Item = Line> + Send>;

/// What was given.
pub enum Given {
    /// The inputs of one prediction.
    One(Map<String, Json>),
    /// Records, and the inputs that all of them share.
    Many {
        lines: Lines,
        shared: Map<String, Json>,
    },
}

/// Finds the inputs. Standard input is read where something is missing that no option gives.
pub async fn given(args: &InputArgs, spec: &SignatureSpec) -> Result<Given, CliError> {
    let mut typed = Map::new();
    for text in &args.input {
        let (name, value) = option(text, spec)?;
        if typed.insert(name.clone(), value).is_some() {
            return Err(CliError::Usage(format!("--input {name} is given twice")));
        }
    }
    let many = |path: &str, shared| {
        let lines: Lines = Box::new(lines(open(path)?));
        Ok(Given::Many { lines, shared })
    };
    match (&args.jsonl, &args.inputs) {
        (Some(path), _) => many(path, typed),
        (None, Some(path)) if path.ends_with(".jsonl") => many(path, typed),
        (None, Some(path)) => {
            let object = object_of(&text_of(path)?)
                .map_err(|problem| CliError::Usage(format!("{}: {problem}", name_of(path))))?;
            Ok(Given::One(object.into_iter().chain(typed).collect()))
        }
        (None, None) => {
            let missing = missing(spec, &typed);
            if missing.is_empty() {
                return Ok(Given::One(typed));
            }
            if io::stdin().is_terminal() {
                return Err(absent(&missing));
            }
            let text_field = text_field(&missing);
            let names = absent(&missing);
            // A pipe whose writer takes its time must not hold up Ctrl-C.
            let read = tokio::task::spawn_blocking(move || from_stdin(typed, text_field, names));
            read.await
                .map_err(|error| CliError::System(io::Error::other(error)))?
        }
    }
}

/// The one input that is missing, if it is text.
fn text_field(missing: &[&FieldSpec]) -> Option<String> {
    match missing {
        [field] if matches!(*field.ty, FieldType::String) => Some(field.name.to_string()),
        _ => None,
    }
}

fn missing<'s>(spec: &'s SignatureSpec, typed: &Map<String, Json>) -> Vec<&'s FieldSpec> {
    let fields = spec.inputs.iter();
    fields
        .filter(|field| !field.may_be_missing() && !typed.contains_key(&*field.name))
        .collect()
}

fn absent(missing: &[&FieldSpec]) -> CliError {
    let names: Vec<_> = missing
        .iter()
        .map(|field| format!("`{}`", field.name))
        .collect();
    let (first, inputs) = (
        &missing[0].name,
        if names.len() == 1 { "input" } else { "inputs" },
    );
    CliError::Usage(format!(
        "the {inputs} {} {} missing: give --input {first}=..., --input {first}=@FILE, or a JSON object by --inputs FILE or on standard input",
        names.join(", "),
        if names.len() == 1 { "is" } else { "are" },
    ))
}

/// A JSON object, JSON lines, or a text.
fn from_stdin(
    typed: Map<String, Json>,
    text_field: Option<String>,
    absent: CliError,
) -> Result<Given, CliError> {
    let fault = |line: usize, problem: &str| {
        CliError::Usage(format!("standard input, line {line}: {problem}"))
    };
    let mut from = open("-")?;
    let mut first = String::new();
    let mut blank = 0;
    loop {
        let read = io::BufRead::read_line(&mut from, &mut first);
        match read.map_err(|error| CliError::reading("standard input", &error))? {
            0 => return Err(absent),
            _ if first.trim().is_empty() => blank += 1,
            _ => break,
        }
    }
    let line = first.trim_start_matches(char::is_whitespace).to_owned();
    if !line.starts_with('{') {
        let Some(field) = text_field else {
            return Err(match absent {
                CliError::Usage(text) => {
                    CliError::Usage(format!("{text}; standard input holds no JSON object"))
                }
                other => other,
            });
        };
        let mut text = first;
        let rest = from.read_to_string(&mut text);
        rest.map_err(|error| CliError::reading("standard input", &error))?;
        let mut object = typed;
        object.insert(field, Json::String(without_end(&text).to_owned()));
        return Ok(Given::One(object));
    }
    match object_of(&line) {
        Ok(object) => {
            let mut rest = lines(from).map(move |(number, line)| (number + blank + 1, line));
            match rest.next() {
                None => Ok(Given::One(object.into_iter().chain(typed).collect())),
                Some(second) => {
                    let first: Line = (blank + 1, Ok(line));
                    let lines: Lines = Box::new([first, second].into_iter().chain(rest));
                    Ok(Given::Many {
                        lines,
                        shared: typed,
                    })
                }
            }
        }
        Err(_) => {
            let mut text = line;
            let rest = from.read_to_string(&mut text);
            rest.map_err(|error| CliError::reading("standard input", &error))?;
            let object = object_of(&text).map_err(|problem| fault(blank + 1, &problem))?;
            Ok(Given::One(object.into_iter().chain(typed).collect()))
        }
    }
}

/// `name=value` as name and JSON.
fn option(text: &str, spec: &SignatureSpec) -> Result<(String, Json), CliError> {
    let fault = |problem: String| CliError::Usage(format!("--input {text}: {problem}"));
    let Some((name, value)) = text.split_once('=') else {
        return Err(fault(
            "write NAME=VALUE, or NAME=@FILE for the text of a file".into(),
        ));
    };
    let Some(field) = spec.inputs.iter().find(|field| field.name == name) else {
        let names: Vec<_> = spec
            .inputs
            .iter()
            .map(|field| format!("`{}`", field.name))
            .collect();
        let there = match names.is_empty() {
            true => "it has none".to_owned(),
            false => format!("it has {}", names.join(", ")),
        };
        return Err(fault(format!(
            "the signature has no input `{name}`: {there}"
        )));
    };
    let read;
    let value = match value.strip_prefix('@') {
        Some(escaped) if escaped.starts_with('@') => escaped,
        Some(path) => {
            read = text_of(path)?;
            without_end(&read)
        }
        None => value,
    };
    let json = of_type(&field.ty, value).map_err(|problem| {
        fault(format!(
            "the input `{name}` is of the type `{}`: {problem}",
            type_name(&field.ty)
        ))
    })?;
    Ok((name.to_owned(), json))
}

/// An editor's last line break is no part of a text.
fn without_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

fn of_type(ty: &FieldType, text: &str) -> Result<Json, String> {
    match ty {
        FieldType::String | FieldType::Char | FieldType::Date(_) => Ok(text.into()),
        FieldType::Enum(spec) if spec.is_unit() => Ok(text.into()),
        FieldType::Option(_) if text == "null" => Ok(Json::Null),
        FieldType::Option(inner) => of_type(inner, text),
        FieldType::Json => Ok(serde_json::from_str(text).unwrap_or_else(|_| text.into())),
        _ => serde_json::from_str(text).map_err(|error| format!("`{text}` is not JSON: {error}")),
    }
}
