//! A regular expression for the integers of a range, exact to the last digit.

/// Matches the decimal integers from `min` to `max` without leading zeros; `-0` is not one. `None` if there is none.
pub(super) fn int_range(min: i128, max: Bound) -> Option<String> {
    let mut choices = Vec::new();
    if min < 0 {
        // The negative part: magnitudes from |min(max, -1)| up to |min|.
        let least = match max {
            Bound::Signed(max) if max < 0 => max.unsigned_abs(),
            _ => 1,
        };
        choices.extend(magnitudes(least, min.unsigned_abs()).map(|digits| format!("-({digits})")));
    }
    let greatest = match max {
        Bound::Signed(max) => u128::try_from(max).ok(),
        Bound::Unsigned(max) => Some(max),
    };
    if let Some(greatest) = greatest {
        choices.extend(magnitudes(u128::try_from(min).unwrap_or(0), greatest));
    }
    (!choices.is_empty()).then(|| choices.join("|"))
}

/// An upper bound, which may be negative or above `i128::MAX`.
#[derive(Clone, Copy)]
pub(super) enum Bound {
    Signed(i128),
    Unsigned(u128),
}

/// Matches the numbers from `low` to `high`, grouped by their count of digits.
fn magnitudes(low: u128, high: u128) -> Option<String> {
    if low > high {
        return None;
    }
    let (shortest, longest) = (low.to_string().len(), high.to_string().len());
    let choices = (shortest..=longest).map(|digits| {
        let from = if digits == shortest {
            low.to_string()
        } else {
            format!("1{}", "0".repeat(digits - 1))
        };
        let to = if digits == longest {
            high.to_string()
        } else {
            "9".repeat(digits)
        };
        same_length(from.as_bytes(), to.as_bytes())
    });
    Some(choices.collect::<Vec<_>>().join("|"))
}

/// Matches the digit strings from `low` to `high`, both of one length.
fn same_length(low: &[u8], high: &[u8]) -> String {
    let (Some((&first, low_rest)), Some((&last, high_rest))) =
        (low.split_first(), high.split_first())
    else {
        return String::new();
    };
    let count = low_rest.len();
    let any_rest = match count {
        0 => String::new(),
        1 => "[0-9]".into(),
        _ => format!("[0-9]{{{count}}}"),
    };
    let from_zero = low_rest.iter().all(|digit| *digit == b'0');
    let to_nine = high_rest.iter().all(|digit| *digit == b'9');
    if first == last && !(from_zero && to_nine) {
        return format!(
            "{}({})",
            char::from(first),
            same_length(low_rest, high_rest)
        );
    }
    let mut choices = Vec::new();
    let (mut first, mut last) = (first, last);
    if !from_zero {
        let rest = same_length(low_rest, "9".repeat(count).as_bytes());
        choices.push(format!("{}({rest})", char::from(first)));
        first += 1;
    }
    if !to_nine {
        last -= 1;
    }
    if first <= last {
        choices.push(format!("{}{any_rest}", digit_class(first, last)));
    }
    if !to_nine {
        let rest = same_length("0".repeat(count).as_bytes(), high_rest);
        choices.push(format!("{}({rest})", char::from(last + 1)));
    }
    choices.join("|")
}

fn digit_class(first: u8, last: u8) -> String {
    if first == last {
        char::from(first).into()
    } else {
        format!("[{}-{}]", char::from(first), char::from(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(min: i128, max: Bound) -> regex::Regex {
        let body = int_range(min, max).expect("a range");
        regex::Regex::new(&format!("^(?:{body})$")).expect("a regex")
    }

    #[test]
    fn every_small_range_is_exact() {
        for (min, max) in [
            (0, 0),
            (-1, 1),
            (7, 8),
            (0, 255),
            (-128, 127),
            (19, 1203),
            (-45, -12),
            (99, 101),
            (-1000, 1000),
        ] {
            let regex = matcher(min, Bound::Signed(max));
            for n in -1500..1500 {
                assert_eq!(
                    regex.is_match(&n.to_string()),
                    (min..=max).contains(&n),
                    "{n} in {min}..={max}"
                );
            }
            for odd in ["", "-", "-0", "00", "01", "+1", "1.0", " 1"] {
                assert!(!regex.is_match(odd), "{odd:?}");
            }
        }
    }

    #[test]
    fn the_widest_types_end_at_their_ends() {
        let u128s = matcher(0, Bound::Unsigned(u128::MAX));
        assert!(u128s.is_match(&u128::MAX.to_string()));
        assert!(!u128s.is_match("340282366920938463463374607431768211456"));
        let i128s = matcher(i128::MIN, Bound::Signed(i128::MAX));
        assert!(i128s.is_match(&i128::MIN.to_string()) && i128s.is_match(&i128::MAX.to_string()));
        assert!(!i128s.is_match("170141183460469231731687303715884105728"));
        assert!(!i128s.is_match("-170141183460469231731687303715884105729"));
        assert!(int_range(2, Bound::Signed(1)).is_none());
    }
}
