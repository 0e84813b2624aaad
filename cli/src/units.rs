//! Numbers as people read them.

/// Bytes in decimal units, as disks and networks count.
pub fn bytes(bytes: u64) -> String {
    scaled(bytes as f64, &["B", "kB", "MB", "GB", "TB", "PB"])
}

/// A count of things.
pub fn count(count: u64) -> String {
    scaled(count as f64, &["", "thousand", "million", "billion"])
}

fn scaled(number: f64, units: &[&str]) -> String {
    let (mut number, mut at) = (number, 0);
    // What would be shown as 1000 is one of the next unit.
    while number >= 999.5 && at + 1 < units.len() {
        number /= 1e3;
        at += 1;
    }
    let digits = usize::from(at > 0 && number < 99.95);
    format!("{number:.digits$} {}", units[at])
        .trim_end()
        .to_owned()
}

/// Figures of several rounds: the middle one, the least and the most.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    /// Of at least one figure; zeros of none.
    pub fn of(figures: &[f64]) -> Self {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |at: usize| sorted.get(at).copied().unwrap_or_default();
        Spread {
            median: at(sorted.len() / 2),
            min: at(0),
            max: at(sorted.len().saturating_sub(1)),
        }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = if self.median < 10.0 { 2 } else { 1 };
        let (median, min, max) = (self.median, self.min, self.max);
        write!(f, "{median:.digits$} ({min:.digits$} to {max:.digits$})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_unit_that_suits_them() {
        for (number, shown) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (12_288, "12.3 kB"),
            (999_950, "1.0 MB"),
            (525_000_000, "525 MB"),
            (u64::MAX, "18447 PB"),
        ] {
            assert_eq!(bytes(number), shown);
        }
        assert_eq!(count(494_032_768), "494 million");
    }

    #[test]
    fn the_middle_stands_between_the_extremes() {
        let spread = Spread::of(&[3.0, 1.0, 20.0]);
        assert_eq!(spread.to_string(), "3.00 (1.00 to 20.00)");
        assert_eq!(Spread::of(&[]).median, 0.0);
    }
}
