//! Field types as rules in llguidance's dialect of Lark: exact values, free text that opens no marker.
//!
//! Text only, nothing is compiled here. Values are written as the prompt writes them: JSON on one line with `", "` and
//! `": "`, struct fields in declared order and all present.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::json;

use crate::signature::{
    Bound as Limit, Constraint, EnumSpec, FieldSpec, FieldType, FloatType, IntType, ListKind,
    Payload, TypeRef,
};

use super::GrammarError;
use super::int_range::{Bound, int_range};

/// Characters that end a line for some reader, as a class body.
const BREAKS: &str = r"\n\r\x0b\x0c\u{85}\u{2028}\u{2029}";

/// The rules written so far.
#[derive(Default)]
pub(super) struct Rules {
    pub text: String,
    /// Rule of each named type, so that a type within itself refers to its own rule.
    named: HashMap<String, String>,
    /// Rule of each definition, so that equal ones are written once.
    known: HashMap<String, String>,
}

impl Rules {
    /// Writes a definition and gives its name; terminals are in upper case.
    pub fn define(&mut self, is_terminal: bool, definition: String) -> String {
        if let Some(name) = self.known.get(&definition) {
            return name.clone();
        }
        let number = self.known.len() + self.named.len();
        let name = if is_terminal {
            format!("T{number}")
        } else {
            format!("r{number}")
        };
        let _ = writeln!(self.text, "{name}: {definition}");
        self.known.insert(definition, name.clone());
        name
    }

    fn terminal(&mut self, regex: &str) -> String {
        self.define(true, slashed(regex))
    }

    /// The value of a section: strings stand plain, everything else is JSON.
    pub fn section_value(&mut self, field: &FieldSpec) -> Result<String, GrammarError> {
        self.plain_value(&field.ty, field)
    }

    fn plain_value(&mut self, ty: &FieldType, field: &FieldSpec) -> Result<String, GrammarError> {
        match ty {
            FieldType::String => self.plain_text(field),
            FieldType::Char => Ok(self.terminal(r"[^\s\x00-\x20\x7f]")),
            FieldType::Enum(spec) if spec.is_unit() => self.choice(
                spec.variants.iter().map(|variant| literal(&variant.name)),
                field,
            ),
            FieldType::Option(inner) => {
                let value = self.plain_value(inner, field)?;
                Ok(self.define(false, format!("\"null\" | {value}")))
            }
            _ => self.json_value(ty, field),
        }
    }

    /// Free text. A bound on its length or shape makes it one line, since lines are separate lexemes.
    fn plain_text(&mut self, field: &FieldSpec) -> Result<String, GrammarError> {
        let shape = StringShape::of(field)?;
        if let Some(options) = shape.options {
            return self.choice(options.iter().map(|option| literal(option)), field);
        }
        // A line that opens a marker is the only thing that no line may be.
        let marker = slashed(r"[\s*_`>#-]*\[\[\s*#(?s:.)*");
        let line = format!("{} & ~{marker}", slashed(&format!("[^{BREAKS}]+")));
        // The parser trims a value: its ends are no white space, so that lengths and patterns hold of what remains.
        let first = slashed(&format!(r"[^{BREAKS}]*[^\s{BREAKS}][^{BREAKS}]*"));
        let mut single = format!("{line} & {first}");
        let bounded = shape.len.is_some() || shape.regex.is_some();
        if bounded {
            let _ = write!(single, " & {}", slashed(r"\S((?s:.)*\S)?"));
        }
        if let Some((min, max)) = shape.len {
            let max = max.map_or(String::new(), |max| max.to_string());
            let _ = write!(single, " & {}", slashed(&format!("(?s:.){{{min},{max}}}")));
        }
        if let Some(regex) = shape.regex {
            let _ = write!(single, " & {}", slashed(regex));
        }
        let single = self.define(true, single);
        if bounded || shape.one_line {
            return Ok(single);
        }
        let line = self.define(true, line);
        Ok(self.define(false, format!("{single} (NL+ {line})*")))
    }

    /// A value as JSON.
    pub fn json_value(
        &mut self,
        ty: &FieldType,
        field: &FieldSpec,
    ) -> Result<String, GrammarError> {
        match ty {
            FieldType::String => self.json_string(field),
            FieldType::Char => Ok(self.terminal(r#""[^"\\\x00-\x1f\x7f]""#)),
            FieldType::Bool => Ok("(\"true\" | \"false\")".into()),
            FieldType::Int(int) => self.integer(*int, field),
            FieldType::Float(float) => self.float(*float, field),
            FieldType::Json => Ok(self.define(false, "%json {}".into())),
            FieldType::Option(inner) => {
                let value = self.json_value(inner, field)?;
                Ok(self.define(false, format!("\"null\" | {value}")))
            }
            FieldType::List(list) => {
                let item = self.bare_json(&list.item, field)?;
                let (min, max) = match list.kind {
                    ListKind::Array(len) => (len, Some(len)),
                    ListKind::List | ListKind::Set => len_of(field).unwrap_or((0, None)),
                };
                Ok(self.repeated("[", &item, "]", min, max))
            }
            FieldType::Tuple(items) => {
                let items: Vec<_> = items
                    .iter()
                    .map(|item| self.bare_json(item, field))
                    .collect::<Result<_, _>>()?;
                Ok(self.define(false, format!("\"[\" {} \"]\"", items.join(" \", \" "))))
            }
            FieldType::Map(value) => {
                let key = self.json_text();
                let value = self.bare_json(value, field)?;
                let entry = self.define(false, format!("{key} \": \" {value}"));
                let (min, max) = len_of(field).unwrap_or((0, None));
                Ok(self.repeated("{", &entry, "}", min, max))
            }
            FieldType::Struct(spec) => {
                self.named_rule(&spec.name, |rules| rules.object(None, &spec.fields))
            }
            FieldType::Enum(spec) if spec.is_unit() => {
                let quoted = |name: &str| literal(&json!(name).to_string());
                self.choice(
                    spec.variants.iter().map(|variant| quoted(&variant.name)),
                    field,
                )
            }
            FieldType::Enum(spec) => self.tagged(spec),
        }
    }

    /// A value inside a container, to which the field's own constraints do not apply.
    fn bare_json(&mut self, ty: &TypeRef, field: &FieldSpec) -> Result<String, GrammarError> {
        let inner = FieldSpec::owned(field.name.to_string(), "", ty.clone());
        self.json_value(ty, &inner)
    }

    fn tagged(&mut self, spec: &EnumSpec) -> Result<String, GrammarError> {
        self.named_rule(&spec.name, |rules| {
            let mut variants = Vec::new();
            for variant in &*spec.variants {
                let tag = Some((&*spec.tag, &*variant.name));
                variants.push(match &variant.payload {
                    Payload::Unit => rules.object(tag, &[])?,
                    Payload::Fields(fields) => rules.object(tag, fields)?,
                    Payload::Value(ty) => {
                        rules.object(tag, &[FieldSpec::owned("value", "", ty.clone())])?
                    }
                });
            }
            Ok(variants.join(" | "))
        })
    }

    pub fn object(
        &mut self,
        tag: Option<(&str, &str)>,
        fields: &[FieldSpec],
    ) -> Result<String, GrammarError> {
        let mut parts = Vec::new();
        if let Some((key, name)) = tag {
            parts.push(literal(&format!("{}: {}", json!(key), json!(name))));
        }
        for field in fields {
            let value = self.json_value(&field.ty, field)?;
            parts.push(format!(
                "{} {value}",
                literal(&format!("{}: ", json!(field.name)))
            ));
        }
        if parts.is_empty() {
            return Ok(literal("{}"));
        }
        Ok(format!("\"{{\" {} \"}}\"", parts.join(" \", \" ")))
    }

    /// The rule of a named type. It is known before its body is written: the body may refer to it.
    fn named_rule(
        &mut self,
        name: &str,
        body: impl FnOnce(&mut Self) -> Result<String, GrammarError>,
    ) -> Result<String, GrammarError> {
        if let Some(rule) = self.named.get(name) {
            return Ok(rule.clone());
        }
        let rule = format!("n{}", self.known.len() + self.named.len());
        self.named.insert(name.to_owned(), rule.clone());
        let body = body(self)?;
        let _ = writeln!(self.text, "{rule}: {body}");
        Ok(rule)
    }

    fn repeated(
        &mut self,
        open: &str,
        item: &str,
        close: &str,
        min: usize,
        max: Option<usize>,
    ) -> String {
        let (open, close) = (literal(open), literal(close));
        if max == Some(0) {
            return format!("{open} {close}");
        }
        let more_max = max.map_or(String::new(), |max| (max - 1).to_string());
        let items = format!("{item} (\", \" {item}){{{},{more_max}}}", min.max(1) - 1);
        let items = if min == 0 {
            format!("({items})?")
        } else {
            items
        };
        self.define(false, format!("{open} {items} {close}"))
    }

    fn choice(
        &mut self,
        options: impl Iterator<Item = String>,
        field: &FieldSpec,
    ) -> Result<String, GrammarError> {
        let options: Vec<_> = options.collect();
        if options.is_empty() {
            return Err(unsatisfiable(field, "there is nothing to choose from"));
        }
        Ok(self.define(false, options.join(" | ")))
    }

    fn json_string(&mut self, field: &FieldSpec) -> Result<String, GrammarError> {
        let shape = StringShape::of(field)?;
        if let Some(options) = shape.options {
            return self.choice(
                options
                    .iter()
                    .map(|option| literal(&json!(option).to_string())),
                field,
            );
        }
        if shape.len.is_none() && shape.regex.is_none() {
            return Ok(if shape.one_line {
                self.terminal(r#""([^"\\\x00-\x1f\x7f]|\\["\\\/t])*""#)
            } else {
                self.json_text()
            });
        }
        let mut schema = json!({"type": "string"});
        if let Some((min, max)) = shape.len {
            schema["minLength"] = min.into();
            if let Some(max) = max {
                schema["maxLength"] = max.into();
            }
        }
        if let Some(regex) = shape.regex {
            schema["pattern"] = format!("^(?:{regex})$").into();
        }
        Ok(self.define(false, format!("%json {schema}")))
    }

    fn json_text(&mut self) -> String {
        self.terminal(r#""([^"\\\x00-\x1f\x7f]|\\["\\\/nt])*""#)
    }

    fn integer(&mut self, int: IntType, field: &FieldSpec) -> Result<String, GrammarError> {
        let (mut min, mut max) = (int.min(), int.max());
        let mut max_below_zero = None;
        for constraint in &*field.constraints {
            match constraint {
                Constraint::Min(limit) => match *limit {
                    Limit::Int(n) => min = min.max(n),
                    Limit::UInt(_) => min = i128::MAX,
                    Limit::Float(x) => min = min.max(x.ceil() as i128),
                },
                Constraint::Max(limit) => match *limit {
                    Limit::Int(n) if n < 0 => max_below_zero = Some(n),
                    Limit::Int(n) => max = max.min(n.unsigned_abs()),
                    Limit::UInt(n) => max = max.min(n),
                    Limit::Float(x) if x < 0.0 => max_below_zero = Some(x.floor() as i128),
                    Limit::Float(x) => max = max.min(x.floor() as u128),
                },
                _ => {}
            }
        }
        let max = max_below_zero.map_or(Bound::Unsigned(max), Bound::Signed);
        let range = int_range(min, max).ok_or_else(|| unsatisfiable(field, "min is above max"))?;
        Ok(self.terminal(&range))
    }

    fn float(&mut self, float: FloatType, field: &FieldSpec) -> Result<String, GrammarError> {
        let mut schema = json!({"type": "number"});
        for constraint in &*field.constraints {
            let (key, limit) = match constraint {
                Constraint::Min(limit) => ("minimum", limit),
                Constraint::Max(limit) => ("maximum", limit),
                _ => continue,
            };
            schema[key] = match *limit {
                Limit::Int(n) => (n as f64).into(),
                Limit::UInt(n) => (n as f64).into(),
                Limit::Float(x) => x.into(),
            };
        }
        if schema.as_object().is_some_and(|schema| schema.len() > 1) {
            return Ok(self.define(false, format!("%json {schema}")));
        }
        // Digits are bounded, so that no number overflows its type.
        let exponent = match float {
            FloatType::F32 => "",
            FloatType::F64 => r"([eE][+-]?[0-9]{1,2})?",
        };
        Ok(self.terminal(&format!(
            r"-?(0|[1-9][0-9]{{0,17}})(\.[0-9]{{1,17}})?{exponent}"
        )))
    }
}

/// What the constraints of a string field ask for.
struct StringShape<'a> {
    options: Option<Vec<&'a str>>,
    regex: Option<&'a str>,
    len: Option<(usize, Option<usize>)>,
    one_line: bool,
}

impl<'a> StringShape<'a> {
    fn of(field: &'a FieldSpec) -> Result<Self, GrammarError> {
        let mut shape = StringShape {
            options: None,
            regex: None,
            len: len_of(field),
            one_line: false,
        };
        for constraint in &*field.constraints {
            match constraint {
                Constraint::OneOf(options) => {
                    shape.options = Some(options.iter().map(|option| &**option).collect());
                }
                Constraint::Regex(regex) => shape.regex = Some(regex),
                Constraint::OneLine => shape.one_line = true,
                _ => {}
            }
        }
        if shape
            .len
            .is_some_and(|(min, max)| max.is_some_and(|max| max < min.max(1)))
        {
            return Err(unsatisfiable(
                field,
                "its length must be at least 1 and at most its bound",
            ));
        }
        Ok(shape)
    }
}

fn len_of(field: &FieldSpec) -> Option<(usize, Option<usize>)> {
    field
        .constraints
        .iter()
        .find_map(|constraint| match constraint {
            Constraint::Len { min, max } => Some((*min, (*max != usize::MAX).then_some(*max))),
            _ => None,
        })
}

fn unsatisfiable(field: &FieldSpec, problem: &str) -> GrammarError {
    GrammarError::Unsatisfiable {
        field: field.name.to_string(),
        problem: problem.into(),
    }
}

/// A Lark string: JSON's escapes are Lark's.
pub(super) fn literal(text: &str) -> String {
    json!(text).to_string()
}

/// A Lark regular expression. A slash would end it.
fn slashed(regex: &str) -> String {
    let mut escaped = String::with_capacity(regex.len() + 2);
    let mut after_backslash = false;
    for c in regex.chars() {
        match c {
            '/' if !after_backslash => escaped.push_str("\\/"),
            '\n' => escaped.push_str("\\n"),
            other => escaped.push(other),
        }
        after_backslash = c == '\\' && !after_backslash;
    }
    format!("/{escaped}/")
}
