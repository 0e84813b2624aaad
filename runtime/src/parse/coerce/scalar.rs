//! Booleans, numbers and characters out of text.

use crate::signature::{DateKind, FieldType, FloatType, IntType, Value};

use super::super::RepairKind;
use super::super::date;
use super::super::error::{ErrorKind, Fault};
use super::super::number::{self, Integer, Number, NumberFault, Wanted};
use super::super::tree::{Node, NodeKind};
use super::embedded::own_entry;
use super::peel::peel_once;
use super::{Coercer, Source, describe};

/// Words that take back what stands before them.
const RETRACTIONS: &[&str] = &[
    "actually",
    "correction",
    "instead",
    "wait",
    "sorry",
    "mistake",
    "or",
    "rather",
    "alternatively",
];

/// A longer text is no scalar with a word of explanation.
pub(super) const MAX_SCALAR_TEXT: usize = 16 * 1024;

/// What a strict reading of a text gave.
enum Reading {
    Value(Value, Vec<RepairKind>),
    /// It is no value of the type; a looser reading may find one.
    No,
    /// It is one, but it can't be taken.
    Refused(Fault),
}

impl Coercer<'_> {
    pub(super) fn scalar_text(
        &mut self,
        ty: &FieldType,
        source: Source<'_>,
    ) -> Result<Value, Fault> {
        if source.text.len() > MAX_SCALAR_TEXT {
            return Err(Fault::expected(&describe(ty), source.text, source.at));
        }
        if let Some(value) = self.peeled(ty, source)? {
            return Ok(value);
        }
        if let Some(value) = self.wrapped(ty, source) {
            return value;
        }
        if !source.in_json
            && let Some(value) = self.with_prose(ty, source)?
        {
            return Ok(value);
        }
        Err(Fault::expected(&describe(ty), source.text, source.at))
    }

    /// Reads the text, then what is inside its emphasis, quotes and the like.
    fn peeled(&mut self, ty: &FieldType, source: Source<'_>) -> Result<Option<Value>, Fault> {
        let mut source = source.trimmed();
        let mut layers = Vec::new();
        for _ in 0..10 {
            match strict(ty, source) {
                Reading::Value(value, notes) => {
                    for kind in layers.into_iter().chain(notes) {
                        self.note(kind, source.at);
                    }
                    return Ok(Some(value));
                }
                Reading::Refused(fault) => return Err(fault),
                Reading::No => {}
            }
            match peel_once(source.text, self.field) {
                Some((inner, kind)) => {
                    layers.push(kind);
                    source = source.part(inner);
                }
                None => break,
            }
        }
        Ok(None)
    }

    /// `{"rank": 3}` in the section `rank`.
    fn wrapped(&mut self, ty: &FieldType, source: Source<'_>) -> Option<Result<Value, Fault>> {
        if source.in_json {
            return None;
        }
        let (own, notes) = own_entry(source.text, self.field)?;
        let node = own.node();
        let at = source.at + node.at;
        let value = self.attempt(|this| this.node(ty, &node, source.at));
        if value.is_ok() {
            self.note_all(&notes, source.at);
            self.note(RepairKind::Wrapped, at);
        }
        Some(value)
    }

    /// A value on the first line with an explanation below, or on the last below an introduction that ends in a colon.
    fn with_prose(&mut self, ty: &FieldType, source: Source<'_>) -> Result<Option<Value>, Fault> {
        if let Some((first, rest)) = source.text.split_once('\n') {
            let value = self.attempt(|this| this.peeled(ty, source.part(first)))?;
            if let Some(value) = value.filter(|value| !competes(rest, value)) {
                self.note(RepairKind::TrailingProse, source.at + first.len());
                return Ok(Some(value));
            }
        }
        if let Some((before, last)) = source.text.rsplit_once('\n')
            && before.trim_end().trim_end_matches('*').ends_with(':')
        {
            let value = self.attempt(|this| this.peeled(ty, source.part(last)))?;
            if let Some(value) = value.filter(|value| !competes(before, value)) {
                self.note(RepairKind::LeadingProse, source.at);
                return Ok(Some(value));
            }
        }
        if matches!(ty, FieldType::Bool) {
            return Ok(self.explained_bool(source));
        }
        Ok(None)
    }

    /// `Yes, because ...`: a first word that says it, and nothing after it that takes it back.
    fn explained_bool(&mut self, source: Source<'_>) -> Option<Value> {
        let text = source.text.trim_start_matches(['*', '_', '`', '"']);
        let end = text.find(|c: char| !c.is_alphanumeric())?;
        let (word, rest) = text.split_at(end);
        let (value, _) = bool_word(word)?;
        let rest = rest.trim_start_matches(['*', '_', '`', '"']);
        let separated = rest
            .trim_start()
            .starts_with([',', '.', ';', ':', '-', '–', '—', '(', '!'])
            && word.len() > 1;
        let conditions = [
            "if",
            "but",
            "unless",
            "except",
            "maybe",
            "perhaps",
            "though",
            "although",
            "however",
            "depends",
            "partly",
            "partially",
        ];
        let doubtful = words(rest).any(|word| conditions.contains(&word.as_str()));
        let value = Value::Bool(value);
        if !separated || doubtful || competes(rest, &value) {
            return None;
        }
        self.note(RepairKind::Explanation, source.part(rest).at);
        Some(value)
    }

    /// `{"$float": "NaN"}`: how floats that JSON lacks are written inside of JSON.
    pub(super) fn float_object(
        &mut self,
        ty: &FieldType,
        node: &Node<'_>,
        at: usize,
    ) -> Result<Value, Fault> {
        if let NodeKind::Map { entries, .. } = node.kind
            && entries.len() == 1
            && let Some(NodeKind::Text(text)) = entries.get("$float").map(|node| node.kind)
        {
            return self.scalar_text(ty, super::json_source(text, at));
        }
        Err(super::wrong_kind(ty, node, at))
    }
}

fn strict(ty: &FieldType, source: Source<'_>) -> Reading {
    match ty {
        FieldType::Bool => match bool_word(source.text) {
            Some((value, exact)) => {
                let notes = if exact {
                    vec![]
                } else {
                    vec![RepairKind::BoolWord]
                };
                Reading::Value(Value::Bool(value), notes)
            }
            None => Reading::No,
        },
        FieldType::Int(int) => integer(*int, source),
        FieldType::Float(float) => floating(*float, source),
        FieldType::Date(kind) => moment(*kind, source),
        _ => character(source),
    }
}

fn moment(kind: DateKind, source: Source<'_>) -> Reading {
    match date::read(kind, source.text) {
        date::Reading::Date(text, differs) => {
            let notes = if differs {
                vec![RepairKind::DateNotation]
            } else {
                vec![]
            };
            Reading::Value(Value::String(text), notes)
        }
        date::Reading::Ambiguous(candidates) => Reading::Refused(Fault::ambiguous(
            &describe(&FieldType::Date(kind)),
            candidates.to_vec(),
            source.text,
            source.at,
        )),
        date::Reading::No(_) => Reading::No,
    }
}

fn character(source: Source<'_>) -> Reading {
    let mut chars = source.text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Reading::Value(Value::String(c.into()), vec![]),
        _ => Reading::No,
    }
}

/// The boolean that a word says, and whether it is JSON's own word.
fn bool_word(word: &str) -> Option<(bool, bool)> {
    Some(match word {
        "true" => (true, true),
        "false" => (false, true),
        _ => match word.to_ascii_lowercase().as_str() {
            "true" | "yes" | "y" | "t" | "1" | "on" => (true, false),
            "false" | "no" | "n" | "f" | "0" | "off" => (false, false),
            _ => return None,
        },
    })
}

fn number_of(
    source: Source<'_>,
    wanted: Wanted,
    what: &str,
) -> Result<(Number, Vec<RepairKind>), Reading> {
    let mut notes = Vec::new();
    match number::read(source.text, wanted, source.in_json, &mut notes) {
        Ok(number) => Ok((number, notes)),
        Err(NumberFault::NotOne) => Err(Reading::No),
        Err(NumberFault::TooLarge) => Err(Reading::Refused(out_of_range("128 bits", source))),
        Err(NumberFault::Ambiguous(candidates)) => Err(Reading::Refused(Fault::ambiguous(
            what,
            candidates,
            source.text,
            source.at,
        ))),
    }
}

fn integer(int: IntType, source: Source<'_>) -> Reading {
    if let Some(value) = plain_integer(int, source.text) {
        return Reading::Value(value, Vec::new());
    }
    let (number, mut notes) = match number_of(source, Wanted::Integer, "an integer") {
        Ok(read) => read,
        Err(reading) => return reading,
    };
    let range = || format!("{} to {}", int.min(), int.max());
    let value = match number.integer() {
        Ok(Some(Integer::Signed(n))) if n >= int.min() && (n < 0 || n as u128 <= int.max()) => {
            Value::Int(n)
        }
        Ok(Some(Integer::Unsigned(n))) if n <= int.max() => Value::UInt(n),
        Ok(None) => {
            return Reading::Refused(Fault::expected("an integer", source.text, source.at));
        }
        _ => return Reading::Refused(out_of_range(&range(), source)),
    };
    if notes.is_empty() && source.text.contains('.') {
        notes.push(RepairKind::NumberNotation);
    }
    Reading::Value(value, notes)
}

/// Reads integers of digits alone, as most replies have them: the way through [`number::read`] costs ten times as much.
#[derive(Clone, Copy)]
pub(super) struct PlainIntegers {
    least: i64,
    greatest: i64,
}

impl PlainIntegers {
    pub(super) fn of(int: IntType) -> Self {
        PlainIntegers {
            least: i64::try_from(int.min()).unwrap_or(i64::MIN),
            greatest: i64::try_from(int.max()).unwrap_or(i64::MAX),
        }
    }

    #[inline]
    pub(super) fn read(self, text: &str) -> Option<i64> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !(1..=18).contains(&digits.len()) {
            return None;
        }
        let mut magnitude = 0i64;
        for byte in digits.bytes() {
            if !byte.is_ascii_digit() {
                return None;
            }
            magnitude = magnitude * 10 + i64::from(byte - b'0');
        }
        let signed = digits.len() < text.len();
        let n = if signed { -magnitude } else { magnitude };
        (self.least <= n && n <= self.greatest).then_some(n)
    }
}

pub(super) fn plain_integer(int: IntType, text: &str) -> Option<Value> {
    let n = PlainIntegers::of(int).read(text)?;
    Some(Value::Int(n.into()))
}

fn floating(float: FloatType, source: Source<'_>) -> Reading {
    let (number, notes) = match number_of(source, Wanted::Float, "a number") {
        Ok(read) => read,
        Err(reading) => return reading,
    };
    let text = number.float_text();
    // An f32 is written as its own shortest decimal, as `into_value` does it.
    let value = match float {
        FloatType::F64 => text.parse::<f64>().ok(),
        FloatType::F32 => text
            .parse::<f32>()
            .ok()
            .and_then(|x| x.to_string().parse().ok()),
    };
    let Some(value) = value else {
        return Reading::No;
    };
    let finite = matches!(number, Number::Finite { .. } | Number::Whole { .. });
    if finite && !value.is_finite() {
        let width = if float == FloatType::F32 {
            "a 32-bit float"
        } else {
            "a 64-bit float"
        };
        return Reading::Refused(out_of_range(width, source));
    }
    Reading::Value(Value::Float(value), notes)
}

fn out_of_range(range: &str, source: Source<'_>) -> Fault {
    let message = format!("expected a number in the range of {range}");
    Fault::new(ErrorKind::OutOfRange, source.at, message).showing(source.text)
}

/// Whether prose beside a value could mean another one.
fn competes(prose: &str, value: &Value) -> bool {
    let taken_back = words(prose).any(|word| RETRACTIONS.contains(&word.as_str()));
    let other = match value {
        Value::Bool(b) => words(prose).any(|word| {
            matches!(bool_word(&word), Some((other, _)) if other != *b) && word.len() > 1
        }),
        Value::String(_) => false,
        _ => prose.chars().any(char::is_numeric),
    };
    taken_back || other
}

pub(super) fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}
