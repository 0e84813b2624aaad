//! Counts by family, printed as a table.

use std::fmt;

/// Counts by family, in the order in which families came up.
#[derive(Default)]
pub struct Scores(Vec<Score>);

struct Score {
    family: String,
    records: usize,
    exact: usize,
    parsed: usize,
    too_long: usize,
}

impl Scores {
    pub fn add(&mut self, family: &str, exact: bool, parsed: bool) {
        let score = self.of(family);
        score.records += 1;
        score.exact += usize::from(exact);
        score.parsed += usize::from(parsed);
    }

    /// A record whose prompt does not fit the context: neither parsed nor right.
    pub fn add_too_long(&mut self, family: &str) {
        let score = self.of(family);
        score.records += 1;
        score.too_long += 1;
    }

    fn of(&mut self, family: &str) -> &mut Score {
        let at = self
            .0
            .iter()
            .position(|score| score.family == family)
            .unwrap_or_else(|| {
                let family = family.to_owned();
                self.0.push(Score {
                    family,
                    records: 0,
                    exact: 0,
                    parsed: 0,
                    too_long: 0,
                });
                self.0.len() - 1
            });
        &mut self.0[at]
    }
}

impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| family | records | exact match | parses | too long |")?;
        write!(f, "|---|---|---|---|---|")?;
        for score in &self.0 {
            let percent = |count: usize| 100.0 * count as f64 / score.records.max(1) as f64;
            write!(
                f,
                "\n| {} | {} | {:.1} % | {:.1} % | {} |",
                score.family,
                score.records,
                percent(score.exact),
                percent(score.parsed),
                score.too_long
            )?;
        }
        Ok(())
    }
}
