//! Text to numbers: exactly, and only where the text has one reading.

use super::RepairKind;
use super::separators::{Parts, separate};

/// A number as written: `digits × 10^scale`, the digits without leading or trailing zeros.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Number {
    Finite {
        negative: bool,
        digits: String,
        scale: i64,
    },
    /// Of a hexadecimal, octal or binary literal.
    Whole {
        negative: bool,
        magnitude: u128,
    },
    Infinite {
        negative: bool,
    },
    Nan,
}

/// Why a text is no number.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NumberFault {
    /// It is none.
    NotOne,
    /// It could be several.
    Ambiguous(Vec<String>),
    /// It is one, but beyond every type.
    TooLarge,
}

/// What a number is read for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Wanted {
    Integer,
    Float,
}

const CURRENCY_SIGNS: &[char] = &[
    '$', '€', '£', '¥', '₹', '₩', '₽', '₺', '₫', '฿', '₴', '₪', '₱', '₦',
];
const CURRENCY_CODES: &[&str] = &[
    "USD", "EUR", "GBP", "JPY", "CNY", "INR", "CHF", "CAD", "AUD", "NZD", "SEK", "NOK", "DKK",
    "KRW", "BRL", "MXN", "PLN", "CZK", "HUF", "TRY", "ZAR", "SGD", "HKD", "US$", "CA$", "AU$",
];

/// Reads a number. In JSON a point is always the decimal point.
pub(super) fn read(
    text: &str,
    wanted: Wanted,
    in_json: bool,
    notes: &mut Vec<RepairKind>,
) -> Result<Number, NumberFault> {
    let mut text = text.trim();
    let mut negative = take_sign(&mut text, notes);
    let currency = take_currency(&mut text, notes);
    if negative.is_none() && currency {
        negative = take_sign(&mut text, notes);
    }
    let signed = negative.is_some();
    let negative = negative.unwrap_or(false);
    if let Some(rest) = text.strip_suffix('%') {
        let body = rest.trim_end();
        return percent(body, negative, wanted, in_json, currency, notes);
    }
    if let Some(special) = special(text, negative, signed) {
        return match currency {
            false => Ok(special),
            true => Err(NumberFault::NotOne),
        };
    }
    if let Some(magnitude) = radix_literal(text) {
        notes.push(RepairKind::NumberNotation);
        return magnitude
            .map(|magnitude| Number::Whole {
                negative,
                magnitude,
            })
            .ok_or(NumberFault::TooLarge);
    }
    decimal(text, negative, wanted, in_json, notes)
}

fn percent(
    body: &str,
    negative: bool,
    wanted: Wanted,
    in_json: bool,
    currency: bool,
    notes: &mut Vec<RepairKind>,
) -> Result<Number, NumberFault> {
    if currency {
        return Err(NumberFault::NotOne);
    }
    let number = decimal(body, negative, wanted, in_json, notes)?;
    match wanted {
        // An integer can only mean the count of hundredths.
        Wanted::Integer => {
            notes.push(RepairKind::Percent);
            Ok(number)
        }
        Wanted::Float => Err(NumberFault::Ambiguous(vec![
            body.to_owned(),
            format!("{body} / 100"),
        ])),
    }
}

fn take_sign(text: &mut &str, notes: &mut Vec<RepairKind>) -> Option<bool> {
    let mut chars = text.chars();
    let negative = match chars.next()? {
        '-' => true,
        '+' => false,
        '\u{2212}' => {
            notes.push(RepairKind::NumberNotation);
            true
        }
        _ => return None,
    };
    *text = chars.as_str().trim_start_matches(' ');
    Some(negative)
}

fn take_currency(text: &mut &str, notes: &mut Vec<RepairKind>) -> bool {
    let before = *text;
    for code in CURRENCY_CODES {
        if let Some(rest) = text.strip_prefix(code) {
            *text = rest.trim_start();
            break;
        }
        if let Some(rest) = text.strip_suffix(code) {
            *text = rest.trim_end();
            break;
        }
    }
    if *text == before {
        if let Some(rest) = text.strip_prefix(CURRENCY_SIGNS) {
            *text = rest.trim_start();
        }
        if let Some(rest) = text.strip_suffix(CURRENCY_SIGNS) {
            *text = rest.trim_end();
        }
    }
    let taken = *text != before;
    if taken {
        notes.push(RepairKind::Currency);
    }
    taken
}

fn special(text: &str, negative: bool, signed: bool) -> Option<Number> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("nan") && !signed {
        return Some(Number::Nan);
    }
    let infinite = is("inf") || is("infinity") || text == "∞";
    infinite.then_some(Number::Infinite { negative })
}

/// The magnitude of `0x1F`, `0o17`, `0b101`; `Some(None)` if it is too large.
fn radix_literal(text: &str) -> Option<Option<u128>> {
    let (radix, digits) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &text[2..]),
        [b'0', b'o' | b'O', ..] => (8, &text[2..]),
        [b'0', b'b' | b'B', ..] => (2, &text[2..]),
        _ => return None,
    };
    let plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    plain.then(|| u128::from_str_radix(digits, radix).ok())
}

fn decimal(
    text: &str,
    negative: bool,
    wanted: Wanted,
    in_json: bool,
    notes: &mut Vec<RepairKind>,
) -> Result<Number, NumberFault> {
    let (body, exponent) = split_exponent(text)?;
    let Parts {
        whole,
        fraction,
        separators,
    } = separate(body, wanted, in_json)?;
    if separators {
        notes.push(RepairKind::Separators);
    }
    if exponent.is_some() && wanted == Wanted::Integer {
        notes.push(RepairKind::NumberNotation);
    }
    let mut digits = whole;
    digits.push_str(&fraction);
    let mut scale = exponent.unwrap_or(0).saturating_sub(fraction.len() as i64);
    let kept = digits.trim_end_matches('0').len();
    scale = scale.saturating_add((digits.len() - kept) as i64);
    digits.truncate(kept);
    let digits = digits.trim_start_matches('0').to_owned();
    if digits.is_empty() {
        scale = 0;
    }
    Ok(Number::Finite {
        negative,
        digits,
        scale,
    })
}

/// The text before an exponent, and the exponent.
fn split_exponent(text: &str) -> Result<(&str, Option<i64>), NumberFault> {
    let Some(at) = text.find(['e', 'E']) else {
        return Ok((text, None));
    };
    let exponent = &text[at + 1..];
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NumberFault::NotOne);
    }
    // Any exponent beyond this has one meaning, zero or too large, whatever the digits of a 2 MB reply.
    let bounded = exponent
        .parse::<i64>()
        .unwrap_or(match exponent.starts_with('-') {
            true => i64::MIN / 4,
            false => i64::MAX / 4,
        });
    Ok((&text[..at], Some(bounded.clamp(i64::MIN / 4, i64::MAX / 4))))
}

/// An integer within 128 bits.
pub(super) enum Integer {
    Signed(i128),
    Unsigned(u128),
}

impl Number {
    /// The integer that the number is: `Ok(None)` if it is none, `Err` if it is beyond 128 bits.
    pub(super) fn integer(&self) -> Result<Option<Integer>, ()> {
        let (negative, magnitude) = match self {
            Number::Infinite { .. } | Number::Nan => return Ok(None),
            Number::Whole {
                negative,
                magnitude,
            } => (*negative, *magnitude),
            Number::Finite { digits, .. } if digits.is_empty() => (false, 0),
            Number::Finite { scale, .. } if *scale < 0 => return Ok(None),
            Number::Finite {
                negative,
                digits,
                scale,
            } => {
                if digits.len() > 39 || *scale > 39 {
                    return Err(());
                }
                let digits: u128 = digits.parse().map_err(|_| ())?;
                let power = 10u128.checked_pow(*scale as u32).ok_or(())?;
                (*negative, digits.checked_mul(power).ok_or(())?)
            }
        };
        Ok(Some(match (negative, i128::try_from(magnitude)) {
            (false, Ok(n)) => Integer::Signed(n),
            (false, Err(_)) => Integer::Unsigned(magnitude),
            (true, Ok(n)) => Integer::Signed(-n),
            (true, Err(_)) if magnitude == 1 << 127 => Integer::Signed(i128::MIN),
            (true, Err(_)) => return Err(()),
        }))
    }

    /// The decimal text that Rust parses to the nearest float of any width.
    pub(super) fn float_text(&self) -> String {
        match self {
            Number::Nan => "NaN".into(),
            Number::Infinite { negative } => sign(*negative).to_owned() + "inf",
            Number::Whole {
                negative,
                magnitude,
            } => format!("{}{magnitude}", sign(*negative)),
            Number::Finite {
                negative,
                digits,
                scale,
            } => {
                let digits = if digits.is_empty() { "0" } else { digits };
                format!("{}{digits}e{scale}", sign(*negative))
            }
        }
    }
}

fn sign(negative: bool) -> &'static str {
    if negative { "-" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(text: &str) -> Option<f64> {
        let number = read(text, Wanted::Float, false, &mut Vec::new()).ok()?;
        number.float_text().parse().ok()
    }

    #[test]
    fn separators_are_told_by_their_place() {
        for (text, wanted) in [
            ("1,234", Some(1234.0)),
            ("1,234.5", Some(1234.5)),
            ("1.234,5", Some(1234.5)),
            ("1.234.567", Some(1_234_567.0)),
            ("1_000.25", Some(1000.25)),
            ("1'234", Some(1234.0)),
            ("1\u{a0}234", Some(1234.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("-$5", Some(-5.0)),
            ("$-5", Some(-5.0)),
            ("5 €", Some(5.0)),
            ("USD 1,000", Some(1000.0)),
            ("-2.5e-3", Some(-0.0025)),
            ("3,14", None),
            ("0,123", None),
            ("1,23,456", None),
            ("1.23.4", None),
            ("1 234", None),
            ("12 km", None),
            ("50%", None),
            ("1/2", None),
            ("--5", None),
            ("e5", None),
            ("5e", None),
            (".", None),
            ("", None),
            ("(5)", None),
            ("1_", None),
            ("$5M", None),
        ] {
            assert_eq!(float(text), wanted, "{text:?}");
        }
    }
}
