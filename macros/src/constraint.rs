//! Constraints on a field: read, checked against each other and against the type's spelling.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Expr, ExprLit, ExprRange, ExprUnary, Ident, Lit, LitFloat, LitInt, LitStr, RangeLimits, Type,
    UnOp,
};

use crate::attr::{self, Entry};
use crate::ctxt::Ctxt;
use crate::shape::Shape;

/// The keys that are constraints.
pub(crate) const KEYS: [&str; 7] = ["min", "max", "len", "regex", "one_of", "one_line", "unique"];

/// One constraint and the key that gave it.
pub(crate) struct Constraint {
    pub(crate) key: Ident,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Min(Number),
    Max(Number),
    Len { min: usize, max: usize },
    Regex(LitStr),
    OneOf(Vec<LitStr>),
    OneLine,
    Unique,
}

/// A number as written.
#[derive(Clone)]
pub(crate) struct Number {
    pub(crate) tokens: TokenStream,
    pub(crate) shown: String,
    pub(crate) value: NumberValue,
}

#[derive(Clone, Copy)]
pub(crate) enum NumberValue {
    Int(i128),
    UInt(u128),
    Float(f64),
}

/// Reads an entry whose key is one of [`KEYS`].
pub(crate) fn read(cx: &Ctxt, entry: &Entry) -> Option<Constraint> {
    let kind = match entry.name().as_str() {
        "min" => Kind::Min(number(cx, entry)?),
        "max" => Kind::Max(number(cx, entry)?),
        "len" => length(cx, entry)?,
        "regex" => Kind::Regex(regex(cx, entry)?),
        "one_of" => Kind::OneOf(strings(cx, entry)?),
        "one_line" => entry.flag(cx).then_some(Kind::OneLine)?,
        _ => entry.flag(cx).then_some(Kind::Unique)?,
    };
    Some(Constraint {
        key: entry.key.clone(),
        kind,
    })
}

fn number(cx: &Ctxt, entry: &Entry) -> Option<Number> {
    let expr = entry.expr(cx, &format!("{} = 0", entry.key))?;
    let found = number_of(expr);
    if found.is_none() {
        cx.error(expr, format!("`{}` needs a number: `{0} = 0`", entry.key));
    }
    found
}

/// The number that a literal, with or without a sign, stands for.
pub(crate) fn number_of(expr: &Expr) -> Option<Number> {
    let (negative, lit) = match expr {
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => (true, &**expr),
        other => (false, other),
    };
    let Expr::Lit(ExprLit { lit, .. }) = lit else {
        return None;
    };
    let value = match lit {
        Lit::Int(int) if matches!(int.suffix(), "f32" | "f64") => {
            float(int.base10_digits(), negative)?
        }
        Lit::Int(int) => integer(int, negative)?,
        Lit::Float(digits) => float(LitFloat::base10_digits(digits), negative)?,
        _ => return None,
    };
    Some(Number {
        tokens: expr.to_token_stream(),
        shown: attr::shown(&expr.to_token_stream()).replace("- ", "-"),
        value,
    })
}

fn integer(int: &LitInt, negative: bool) -> Option<NumberValue> {
    let digits: u128 = int.base10_digits().parse().ok()?;
    match (negative, i128::try_from(digits)) {
        (false, Ok(n)) => Some(NumberValue::Int(n)),
        (false, Err(_)) => Some(NumberValue::UInt(digits)),
        (true, Ok(n)) => Some(NumberValue::Int(-n)),
        (true, Err(_)) => (digits == i128::MAX as u128 + 1).then_some(NumberValue::Int(i128::MIN)),
    }
}

fn float(digits: &str, negative: bool) -> Option<NumberValue> {
    let x: f64 = digits.parse().ok()?;
    x.is_finite()
        .then_some(NumberValue::Float(if negative { -x } else { x }))
}

fn length(cx: &Ctxt, entry: &Entry) -> Option<Kind> {
    const EXAMPLE: &str = "len = 1..=5";
    let expr = entry.expr(cx, EXAMPLE)?;
    let size = |expr: &Expr| match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Int(int), ..
        }) => int.base10_parse::<usize>().ok(),
        _ => None,
    };
    let wrong = || {
        cx.error(
            expr,
            format!("`len` needs a length or a range of lengths: `{EXAMPLE}`"),
        )
    };
    let Expr::Range(ExprRange {
        start, end, limits, ..
    }) = expr
    else {
        let exact = size(expr);
        if exact.is_none() {
            wrong();
        }
        return exact.map(|n| Kind::Len { min: n, max: n });
    };
    let min = start.as_deref().map_or(Some(0), size);
    let max = match (end.as_deref(), limits) {
        (None, _) => Some(usize::MAX),
        (Some(end), RangeLimits::Closed(_)) => size(end),
        (Some(end), RangeLimits::HalfOpen(_)) => size(end).map(|n| n.saturating_sub(1)),
    };
    let (Some(min), Some(max)) = (min, max) else {
        wrong();
        return None;
    };
    let empty = matches!(
        (end.as_deref().and_then(size), limits),
        (Some(0), RangeLimits::HalfOpen(_))
    );
    if min > max || empty {
        let range = attr::shown(&expr.to_token_stream()).replace(' ', "");
        cx.error(
            expr,
            format!("no length is in `{range}`: write the smaller first, as in `{EXAMPLE}`"),
        );
        return None;
    }
    Some(Kind::Len { min, max })
}

fn regex(cx: &Ctxt, entry: &Entry) -> Option<LitStr> {
    let pattern = entry.string(cx)?;
    match regex_syntax::parse(&pattern.value()) {
        Ok(_) => Some(pattern),
        Err(error) => {
            // The pattern and a caret below it come first; of them the compiler shows its own.
            let told = error.to_string();
            let reason = told.lines().last().unwrap_or_default();
            let reason = reason.trim_start_matches("error: ");
            cx.error(
                &pattern,
                format!(
                    "`{}` is not a regular expression: {reason}",
                    pattern.value()
                ),
            );
            None
        }
    }
}

fn strings(cx: &Ctxt, entry: &Entry) -> Option<Vec<LitStr>> {
    const EXAMPLE: &str = "one_of = [\"a\", \"b\"]";
    let expr = entry.expr(cx, EXAMPLE)?;
    let Expr::Array(array) = expr else {
        cx.error(
            expr,
            format!("`one_of` needs a list of strings: `{EXAMPLE}`"),
        );
        return None;
    };
    if array.elems.is_empty() {
        cx.error(expr, "`one_of` is empty: no value could ever be right");
        return None;
    }
    let mut choices: Vec<LitStr> = Vec::new();
    for item in &array.elems {
        let Expr::Lit(ExprLit {
            lit: Lit::Str(choice),
            ..
        }) = item
        else {
            cx.error(item, format!("`one_of` lists strings: `{EXAMPLE}`"));
            continue;
        };
        if choices.iter().any(|known| known.value() == choice.value()) {
            cx.error(choice, format!("`one_of` lists {:?} twice", choice.value()));
        }
        choices.push(choice.clone());
    }
    Some(choices)
}

/// Checks the constraints of one field against each other and the field's type.
pub(crate) fn check(cx: &Ctxt, constraints: &[Constraint], ty: &Type) {
    let shape = Shape::of(ty);
    for (at, constraint) in constraints.iter().enumerate() {
        if constraints[..at]
            .iter()
            .any(|before| before.key == constraint.key)
        {
            cx.error(
                &constraint.key,
                format!("`{}` is given twice", constraint.key),
            );
        }
        check_shape(cx, constraint, shape, ty);
    }
    let min = constraints.iter().find_map(|c| match &c.kind {
        Kind::Min(min) => Some(min),
        _ => None,
    });
    let max = constraints.iter().find_map(|c| match &c.kind {
        Kind::Max(max) => Some(max),
        _ => None,
    });
    if let (Some(min), Some(max)) = (min, max)
        && greater(min.value, max.value)
    {
        let (min, max, tokens) = (&min.shown, &max.shown, &max.tokens);
        cx.error(
            tokens,
            format!("no number is at least {min} and at most {max}: `min` must not be above `max`"),
        );
    }
}

fn check_shape(cx: &Ctxt, constraint: &Constraint, shape: Shape, ty: &Type) {
    let (needs, suits) = match &constraint.kind {
        Kind::Min(bound) | Kind::Max(bound) => {
            if let Some(range) = out_of_range(bound.value, shape) {
                let (key, shown, ty) = (&constraint.key, &bound.shown, attr::shown(ty));
                cx.error(
                    &bound.tokens,
                    format!("`{key} = {shown}` is out of the range of `{ty}`: {range}"),
                );
                return;
            }
            let suits = matches!(shape, Shape::Int { .. } | Shape::Float { .. });
            ("a number", suits)
        }
        Kind::Len { .. } => {
            let suits = matches!(shape, Shape::Text | Shape::List | Shape::Set | Shape::Map);
            ("a string, list, set or map", suits)
        }
        Kind::Regex(_) | Kind::OneOf(_) | Kind::OneLine => ("a string", shape == Shape::Text),
        Kind::Unique => ("a list", shape == Shape::List),
    };
    let Some(kind) = shape.described().filter(|_| !suits) else {
        return;
    };
    let (key, ty) = (&constraint.key, attr::shown(ty));
    let hint = match (&constraint.kind, shape) {
        (Kind::Unique, Shape::Set) => ", and distinct by itself",
        _ => "",
    };
    cx.error(
        key,
        format!("`{key}` needs {needs}; `{ty}` is {kind}{hint}"),
    );
}

fn greater(a: NumberValue, b: NumberValue) -> bool {
    use NumberValue::{Float, Int, UInt};
    match (a, b) {
        (Int(a), Int(b)) => a > b,
        (UInt(a), UInt(b)) => a > b,
        (UInt(_), Int(_)) => true,
        (Int(_), UInt(_)) => false,
        (a, b) => {
            let wide = |n| match n {
                Int(n) => n as f64,
                UInt(n) => n as f64,
                Float(x) => x,
            };
            wide(a) > wide(b)
        }
    }
}

/// The range that the bound is outside of.
fn out_of_range(bound: NumberValue, shape: Shape) -> Option<String> {
    match (shape, bound) {
        (Shape::Int { signed, bits }, bound) => {
            let least = if signed { i128::MIN >> (128 - bits) } else { 0 };
            let most = u128::MAX >> (128 - bits + u32::from(signed));
            let outside = match bound {
                NumberValue::Int(n) => n < least || u128::try_from(n).is_ok_and(|n| n > most),
                NumberValue::UInt(n) => n > most,
                NumberValue::Float(_) => return Some("it holds whole numbers".into()),
            };
            outside.then(|| format!("{least} to {most}"))
        }
        (Shape::Float { bits: 32 }, NumberValue::Float(x)) if (x as f32).is_infinite() => {
            Some(format!("{:?} to {:?}", f32::MIN, f32::MAX))
        }
        _ => None,
    }
}
