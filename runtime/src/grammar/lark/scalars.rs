//! Strings and numbers as JSON, within their constraints.

use serde_json::json;

use crate::signature::{Constraint, FieldSpec, FloatType, IntType};

use super::super::GrammarError;
use super::super::bounds::{
    float_bounds, float_digits, grid_of_float, int_bounds, len_of, unsatisfiable,
};
use super::super::float_range::float_range;
use super::super::int_range::int_range;
use super::{Rules, literal, slashed};

/// A number with so few digits that none is out of range.
pub(super) const JSON_NUMBER: &str =
    r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?([eE][+-]?[0-9]{1,2})?";

impl Rules {
    pub(super) fn json_string(&mut self, field: &FieldSpec) -> Result<String, GrammarError> {
        let shape = StringShape::of(field)?;
        if let Some(options) = shape.options {
            return self.choice(
                options
                    .iter()
                    .map(|option| literal(&json!(option).to_string())),
                field,
            );
        }
        // Escapes of a control character's number are left out, so that a character has one text; `\/` is the exception.
        let escapes = if shape.one_line { "t" } else { "nt" };
        if let Some(regex) = shape.regex {
            let mut schema = json!({
                "type": "string",
                "pattern": format!("^(?:{regex})$"),
                "x-guidance": {"json_allowed_escapes": format!("\"\\{escapes}")},
            });
            if let Some((min, max)) = shape.len {
                schema["minLength"] = min.into();
                if let Some(max) = max {
                    schema["maxLength"] = max.into();
                }
            }
            return Ok(self.define(false, format!("%json {schema}")));
        }
        Ok(match shape.len {
            None => self.json_chars(escapes, "*"),
            Some((min, max)) => {
                let max = max.map_or(String::new(), |max| max.to_string());
                self.json_chars(escapes, &format!("{{{min},{max}}}"))
            }
        })
    }

    pub(super) fn json_text(&mut self) -> String {
        self.json_chars("nt", "*")
    }

    fn json_chars(&mut self, escapes: &str, times: &str) -> String {
        self.text_terminal(slashed(&format!(
            r#""([^"\\\x00-\x1f\x7f]|\\["\\\/{escapes}]){times}""#
        )))
    }

    pub(super) fn integer(
        &mut self,
        int: IntType,
        field: &FieldSpec,
    ) -> Result<String, GrammarError> {
        let (min, max) = int_bounds(int, field);
        let range = int_range(min, max).ok_or_else(|| unsatisfiable(field, "min is above max"))?;
        Ok(self.terminal(&range))
    }

    pub(super) fn float(
        &mut self,
        float: FloatType,
        field: &FieldSpec,
    ) -> Result<String, GrammarError> {
        if self.in_item {
            if grid_of_float(float, field).count() == 0 {
                return Err(unsatisfiable(
                    field,
                    "no number of few digits, as items that must differ have, lies between min and max",
                ));
            }
            let (whole, places) = float_digits(float);
            return Ok(self.terminal(&format!(
                r"-?(0|[1-9][0-9]{{0,{}}})\.[0-9]{{1,{places}}}",
                whole - 1
            )));
        }
        let (min, max) = float_bounds(field);
        if min.is_none() && max.is_none() {
            // Digits are bounded, so that no number overflows its type.
            let exponent = match float {
                FloatType::F32 => "",
                FloatType::F64 => r"([eE][+-]?[0-9]{1,2})?",
            };
            return Ok(self.terminal(&format!(
                r"-?(0|[1-9][0-9]{{0,17}})(\.[0-9]{{1,17}})?{exponent}"
            )));
        }
        let (min, max) = match float {
            FloatType::F64 => (min, max),
            FloatType::F32 => (min.map(least_f32), max.map(greatest_f32)),
        };
        let nan = |bound: Option<f64>| bound.is_some_and(f64::is_nan);
        let crossed = matches!((min, max), (Some(min), Some(max)) if min > max);
        if nan(min) || nan(max) || crossed {
            return Err(unsatisfiable(field, "min is above max"));
        }
        let all = float_range(min, max)
            .ok_or_else(|| unsatisfiable(field, "a bound has more than 36 whole digits"))?;
        let all: Vec<String> = all.iter().map(|one| slashed(one)).collect();
        Ok(self.define(true, all.join(" & ")))
    }
}

/// An `f32` as its shortest decimal says, which is how the parser reads it.
fn shortest(x: f32) -> f64 {
    x.to_string().parse().unwrap_or(f64::NAN)
}

/// The greatest `f32` that is read as at most `max`: what rounds to more would break the bound.
fn greatest_f32(max: f64) -> f64 {
    let mut x = (max as f32).clamp(f32::MIN, f32::MAX);
    while shortest(x) > max && x > f32::MIN {
        x = x.next_down();
    }
    shortest(x)
}

/// The least `f32` that is read as at least `min`.
fn least_f32(min: f64) -> f64 {
    -greatest_f32(-min)
}

/// What the constraints of a string field ask for.
pub(in super::super) struct StringShape<'a> {
    pub options: Option<Vec<&'a str>>,
    pub regex: Option<&'a str>,
    pub len: Option<(usize, Option<usize>)>,
    pub one_line: bool,
}

impl<'a> StringShape<'a> {
    pub fn of(field: &'a FieldSpec) -> Result<Self, GrammarError> {
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
        if let Some(options) = &mut shape.options {
            let regex = shape
                .regex
                .map(|regex| regex::Regex::new(&format!("^(?:{regex})$")));
            options.retain(|option| {
                let chars = option.chars().count();
                let fits = shape
                    .len
                    .is_none_or(|(min, max)| min <= chars && max.is_none_or(|max| chars <= max));
                let matches = match &regex {
                    Some(Ok(regex)) => regex.is_match(option),
                    _ => true,
                };
                fits && matches && !(shape.one_line && option.contains(['\n', '\r']))
            });
        }
        if shape.options.is_none()
            && shape
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
