//! Decimal numbers of a range, one text each: how many of them begin with given digits.

/// Numbers with up to `places` digits after the point, as multiples of `10^-places`. Zero is positive.
///
/// Without places they are integers; else each is written with a point, at least one digit behind it and no zeros beyond that.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Grid {
    pub places: u32,
    /// Magnitudes of the negative numbers, least and greatest; empty if the least is above.
    pub below_zero: (u128, u128),
    /// The others.
    pub from_zero: (u128, u128),
}

/// A range without numbers.
const EMPTY: (u128, u128) = (1, 0);

impl Grid {
    /// The multiples from `min` to `max`.
    pub fn signed(places: u32, min: i128, max: i128) -> Self {
        let below_zero = match min < 0 {
            true => (max.min(-1).unsigned_abs(), min.unsigned_abs()),
            false => EMPTY,
        };
        let from_zero = match max >= 0 {
            true => (min.max(0).unsigned_abs(), max.unsigned_abs()),
            false => EMPTY,
        };
        Grid {
            places,
            below_zero,
            from_zero,
        }
    }

    /// The integers from `min` to `max`.
    pub fn up_to(min: i128, max: u128) -> Self {
        Grid {
            from_zero: (min.max(0).unsigned_abs(), max),
            ..Grid::signed(0, min.min(0), -1)
        }
    }

    /// How many numbers there are.
    pub fn count(&self) -> u128 {
        size(self.below_zero).saturating_add(size(self.from_zero))
    }

    /// How many numbers' texts begin with `text`.
    pub fn beginning_with(&self, text: &[u8]) -> u128 {
        let (range, digits) = match text.split_first() {
            None => return self.count(),
            Some((b'-', digits)) => (self.below_zero, digits),
            Some(_) => (self.from_zero, text),
        };
        if digits.is_empty() {
            return size(range);
        }
        let mut parts = digits.splitn(2, |byte| *byte == b'.');
        let whole = parts.next().and_then(number);
        match (whole, parts.next()) {
            (None, _) => 0,
            (Some(whole), None) => self.with_whole(range, whole),
            (Some(whole), Some(fraction)) => self.with_fraction(range, whole, fraction),
        }
    }

    /// Whether `text` is one of the numbers, written as it must be.
    pub fn is_one(&self, text: &[u8]) -> bool {
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        let range = if digits.len() < text.len() {
            self.below_zero
        } else {
            self.from_zero
        };
        let mut parts = digits.splitn(2, |byte| *byte == b'.');
        let whole = parts.next().and_then(number);
        let value = match (whole, parts.next()) {
            (Some(whole), None) if self.places == 0 => Some(whole),
            (Some(whole), Some(fraction)) => {
                let shortest = fraction.len() == 1 || fraction.last() != Some(&b'0');
                let scaled = self.scaled(whole, fraction);
                scaled.filter(|_| shortest && self.places > 0 && !fraction.is_empty())
            }
            _ => None,
        };
        value.is_some_and(|value| (range.0..=range.1).contains(&value))
    }

    /// Numbers whose whole part begins with these digits.
    fn with_whole(&self, range: (u128, u128), whole: u128) -> u128 {
        let unit = 10u128.pow(self.places);
        let (mut low, mut width) = (whole, 1u128);
        let mut found = 0u128;
        loop {
            let Some(least) = low.checked_mul(unit) else {
                return found;
            };
            if least > range.1 {
                return found;
            }
            let most = least.saturating_add(width.saturating_mul(unit) - 1);
            found = found.saturating_add(overlap(range, (least, most)));
            // Nothing follows a leading zero.
            let (Some(next), false) = (low.checked_mul(10), whole == 0) else {
                return found;
            };
            low = next;
            width = width.saturating_mul(10);
        }
    }

    fn with_fraction(&self, range: (u128, u128), whole: u128, fraction: &[u8]) -> u128 {
        let (Some(least), true) = (self.scaled(whole, fraction), self.places > 0) else {
            return 0;
        };
        let width = 10u128.pow(self.places - fraction.len() as u32);
        let found = overlap(range, (least, least.saturating_add(width - 1)));
        // `1.50` is the beginning of `1.501`, but not of `1.5`.
        let shorter = fraction.len() > 1 && fraction.last() == Some(&b'0');
        match shorter && (range.0..=range.1).contains(&least) {
            true => found - 1,
            false => found,
        }
    }

    fn scaled(&self, whole: u128, fraction: &[u8]) -> Option<u128> {
        let missing = self.places.checked_sub(fraction.len() as u32)?;
        let fraction = if fraction.is_empty() {
            0
        } else {
            number(fraction)?
        };
        whole
            .checked_mul(10u128.pow(self.places))?
            .checked_add(fraction.checked_mul(10u128.pow(missing))?)
    }
}

fn number(digits: &[u8]) -> Option<u128> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn size((least, most): (u128, u128)) -> u128 {
    match least <= most {
        true => (most - least).saturating_add(1),
        false => 0,
    }
}

fn overlap(one: (u128, u128), other: (u128, u128)) -> u128 {
    size((one.0.max(other.0), one.1.min(other.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every beginning of every text against a count of the texts.
    fn check(grid: Grid, texts: &[String]) {
        assert_eq!(grid.count(), texts.len() as u128);
        for text in texts {
            assert!(grid.is_one(text.as_bytes()), "{text}");
            for end in 0..=text.len() {
                let begin = &text[..end];
                let found = texts.iter().filter(|text| text.starts_with(begin)).count();
                let counted = grid.beginning_with(begin.as_bytes());
                assert_eq!(counted, found as u128, "{begin:?}");
            }
        }
    }

    #[test]
    fn integers_are_counted_by_their_first_digits() {
        for (min, max) in [(0, 255), (-128, 127), (-30, -7), (7, 7), (95, 1203)] {
            let texts: Vec<_> = (min..=max).map(|n: i128| n.to_string()).collect();
            check(Grid::signed(0, min, max), &texts);
            if max >= 0 {
                check(Grid::up_to(min, max as u128), &texts);
            }
        }
    }

    #[test]
    fn decimals_are_counted_by_their_first_digits() {
        for (min, max) in [(-250, 1100), (3, 3), (990, 1010), (-20, -5)] {
            let texts: Vec<_> = (min..=max)
                .map(|n: i128| format!("{:?}", n as f64 / 100.0))
                .collect();
            check(Grid::signed(2, min, max), &texts);
        }
        let grid = Grid::signed(2, -1000, 1000);
        for wrong in ["1", "1.", "1.50", "1.555", "11.0", "-0.0", "", "-"] {
            assert!(!grid.is_one(wrong.as_bytes()), "{wrong}");
        }
        for dead in ["1.55", "1.550", "-0.00", "11.0", "1.500"] {
            let live = grid.beginning_with(dead.as_bytes()) > 0;
            assert_eq!(live, dead == "1.55", "{dead}");
        }
    }

    #[test]
    fn the_widest_integers_do_not_overflow() {
        let grid = Grid::up_to(i128::MIN, u128::MAX);
        assert_eq!(grid.count(), u128::MAX);
        assert_eq!(grid.beginning_with(u128::MAX.to_string().as_bytes()), 1);
        assert!(grid.is_one(i128::MIN.to_string().as_bytes()));
        assert!(!grid.is_one(b"340282366920938463463374607431768211456"));
        assert!(grid.beginning_with(b"3") > 1 << 100);
    }
}
