//! Regular expressions for the decimal numbers up to and from a bound, exact to the last digit of its shortest decimal.

use super::int_range::{Bound, int_range};

/// Whole digits of a number where its bounds ask for no more.
const WHOLE: usize = 18;
/// Digits behind the point, likewise.
const PLACES: usize = 17;
/// Bounds with more whole digits are beyond what can be compared.
const MOST_WHOLE: usize = 36;

/// Expressions that all match exactly the numbers from `min` to `max`; `None` if a bound has too many digits.
pub(super) fn float_range(min: Option<f64>, max: Option<f64>) -> Option<Vec<String>> {
    let bounds: Vec<Decimal> = [min, max]
        .into_iter()
        .flatten()
        .map(Decimal::of)
        .collect::<Option<_>>()?;
    let whole = bounds.iter().map(|bound| bound.whole.to_string().len() + 1);
    let digits = Digits {
        whole: whole.chain([WHOLE]).max().unwrap_or(WHOLE),
        places: bounds
            .iter()
            .map(|bound| bound.fraction.len() + 1)
            .chain([PLACES])
            .max()
            .unwrap_or(PLACES),
    };
    let mut all = vec![format!("-?{}", digits.any())];
    if let Some(min) = min {
        let bound = Decimal::of(min)?;
        all.push(match min > 0.0 {
            true => digits.from(&bound)?,
            false => format!("-({})|{}", digits.up_to(&bound)?, digits.any()),
        });
    }
    if let Some(max) = max {
        let bound = Decimal::of(max)?;
        all.push(match max < 0.0 {
            true => format!("-({})", digits.from(&bound)?),
            false => format!("-{}|{}", digits.any(), digits.up_to(&bound)?),
        });
    }
    Some(all)
}

/// A bound's magnitude in decimal; no zeros at the fraction's end.
struct Decimal {
    whole: u128,
    fraction: String,
}

impl Decimal {
    fn of(x: f64) -> Option<Self> {
        let text = x.abs().to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        if whole.len() > MOST_WHOLE {
            return None;
        }
        Some(Decimal {
            whole: whole.parse().ok()?,
            fraction: fraction.trim_end_matches('0').to_owned(),
        })
    }
}

/// How many digits numbers have at most.
struct Digits {
    whole: usize,
    places: usize,
}

impl Digits {
    /// Any magnitude.
    fn any(&self) -> String {
        format!(r"(0|[1-9][0-9]{{0,{}}}){}", self.whole - 1, self.fraction())
    }

    fn fraction(&self) -> String {
        format!(r"(\.[0-9]{{1,{}}})?", self.places)
    }

    fn rest(&self, used: usize) -> String {
        format!("[0-9]{{0,{}}}", self.places - used)
    }

    /// Magnitudes up to the bound.
    fn up_to(&self, bound: &Decimal) -> Option<String> {
        let mut fractions: Vec<String> = Vec::new();
        for (at, digit) in bound.fraction.char_indices() {
            let same = &bound.fraction[..at];
            if digit > '0' {
                let below = char::from_u32(u32::from(digit) - 1)?;
                fractions.push(format!("{same}[0-{below}]{}", self.rest(at + 1)));
            }
            fractions.push(bound.fraction[..=at].to_owned());
        }
        fractions.push(format!(
            "{}0{{1,{}}}",
            bound.fraction,
            self.places - bound.fraction.len()
        ));
        let equal = format!(r"{}(\.({}))?", bound.whole, fractions.join("|"));
        let Some(below) = bound.whole.checked_sub(1) else {
            return Some(format!("({equal})"));
        };
        let below = int_range(0, Bound::Unsigned(below))?;
        Some(format!("(({below}){}|{equal})", self.fraction()))
    }

    /// Magnitudes from the bound.
    fn from(&self, bound: &Decimal) -> Option<String> {
        let most = 10u128.checked_pow(self.whole as u32)? - 1;
        let above = int_range(i128::try_from(bound.whole + 1).ok()?, Bound::Unsigned(most))?;
        let above = format!("({above}){}", self.fraction());
        if bound.fraction.is_empty() {
            return Some(format!("({above}|{}{})", bound.whole, self.fraction()));
        }
        let mut fractions: Vec<String> = Vec::new();
        for (at, digit) in bound
            .fraction
            .char_indices()
            .filter(|(_, digit)| *digit < '9')
        {
            let above = char::from_u32(u32::from(digit) + 1)?;
            fractions.push(format!(
                "{}[{above}-9]{}",
                &bound.fraction[..at],
                self.rest(at + 1)
            ));
        }
        fractions.push(format!(
            "{}{}",
            bound.fraction,
            self.rest(bound.fraction.len())
        ));
        Some(format!(
            r"({above}|{}\.({}))",
            bound.whole,
            fractions.join("|")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(min: Option<f64>, max: Option<f64>) -> impl Fn(&str) -> bool {
        let all: Vec<_> = float_range(min, max)
            .unwrap()
            .iter()
            .map(|one| regex::Regex::new(&format!("^(?:{one})$")).unwrap())
            .collect();
        move |text| all.iter().all(|one| one.is_match(text))
    }

    #[test]
    fn decimals_within_the_bounds_are_taken_and_no_others() {
        let bounds = [
            -1e30, -12.5, -1.0, -0.25, -0.0009, 0.0, 0.0009, 0.1, 0.25, 0.99, 1.0, 9.95, 10.0,
            120.0, 1e30,
        ];
        let texts: Vec<String> = (-3000..3000)
            .flat_map(|n| {
                let x = f64::from(n) / 100.0;
                [
                    format!("{x}"),
                    format!("{x:.1}"),
                    format!("{x:.4}"),
                    format!("{:.5}", x / 100.0),
                ]
            })
            .collect();
        for (at, min) in bounds.iter().enumerate() {
            for max in &bounds[at..] {
                let both = takes(Some(*min), Some(*max));
                let (from, up_to) = (takes(Some(*min), None), takes(None, Some(*max)));
                for text in &texts {
                    let x: f64 = text.parse().unwrap();
                    assert_eq!(
                        both(text),
                        *min <= x && x <= *max,
                        "{text} in {min}..={max}"
                    );
                    assert_eq!(from(text), *min <= x, "{text} from {min}");
                    assert_eq!(up_to(text), x <= *max, "{text} to {max}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_plain_decimal_is_not_taken() {
        let any = takes(Some(-5.0), Some(5.0));
        for text in [
            "", "-", ".5", "1.", "01", "+1", "1e0", "NaN", "--1", "1.2.3",
        ] {
            assert!(!any(text), "{text}");
        }
        assert!(float_range(Some(1e300), None).is_none());
    }
}
