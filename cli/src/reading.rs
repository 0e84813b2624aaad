//! Files and standard input: whole, or line by line.

use std::io::{self, BufRead, BufReader, Read as _};

use serde_json::{Map, Value as Json};

use crate::error::CliError;

/// A line of a file with its number, from 1; or why it is none.
pub type Line = (usize, Result<String, String>);

/// The text of a file; `-` is standard input.
pub fn text_of(path: &str) -> Result<String, CliError> {
    let mut text = String::new();
    let read = match path {
        "-" => io::stdin().read_to_string(&mut text),
        path => std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text)),
    };
    match read {
        Ok(_) => Ok(text),
        Err(error) => Err(CliError::reading(name_of(path), &error)),
    }
}

/// What a path is called in messages.
pub fn name_of(path: &str) -> &str {
    match path {
        "-" => "standard input",
        path => path,
    }
}

/// A file to be read line by line; `-` is standard input.
pub fn open(path: &str) -> Result<Box<dyn BufRead + Send>, CliError> {
    if path == "-" {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let opened = std::fs::File::open(path).and_then(|file| match file.metadata()?.is_dir() {
        // A folder opens, and can't be read.
        true => Err(io::ErrorKind::IsADirectory.into()),
        false => Ok(file),
    });
    match opened {
        Ok(file) => Ok(Box::new(BufReader::new(file))),
        Err(error) => Err(CliError::reading(path, &error)),
    }
}

/// The lines that hold something, in order. One that is no UTF-8 is an error of its own, after one of the system nothing follows.
pub fn lines(mut from: Box<dyn BufRead + Send>) -> impl Iterator<Item = Line> + Send {
    let (mut number, mut ended) = (0, false);
    std::iter::from_fn(move || {
        while !ended {
            let mut bytes = Vec::new();
            number += 1;
            match from.read_until(b'\n', &mut bytes) {
                Ok(0) => ended = true,
                Ok(_) => match String::from_utf8(bytes) {
                    Ok(text) if text.trim().is_empty() => {}
                    Ok(text) => return Some((number, Ok(text))),
                    Err(_) => return Some((number, Err("it is not UTF-8".to_owned()))),
                },
                Err(error) => {
                    ended = true;
                    return Some((number, Err(format!("it can't be read: {error}"))));
                }
            }
        }
        None
    })
}

/// The object that a text is.
pub fn object_of(text: &str) -> Result<Map<String, Json>, String> {
    match serde_json::from_str(text) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(other) => Err(format!("expected a JSON object, found {}", kind_of(&other))),
        Err(error) => Err(format!("not JSON: {error}")),
    }
}

fn kind_of(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_numbers_and_their_faults() {
        let text: &[u8] = b"a\n\n  \nb\r\n\xff\nc";
        let found: Vec<_> = lines(Box::new(text)).collect();
        let good = |text: &str| Ok(text.to_owned());
        assert_eq!(
            found,
            [
                (1, good("a\n")),
                (4, good("b\r\n")),
                (5, Err("it is not UTF-8".to_owned())),
                (6, good("c"))
            ]
        );
    }
}
