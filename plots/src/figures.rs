//! The figures of one run, as they lie in a file.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// The figures of one run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// What is compared.
    pub title: String,
    /// What the numbers count.
    pub unit: String,
    /// The command that printed them.
    pub command: String,
    /// The machine, the day and the commit of the run.
    pub run: String,
    /// What was measured, one group of bars each.
    pub groups: Vec<String>,
    /// Who was measured, one bar in each group.
    pub series: Vec<Series>,
}

/// One who was measured.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// A value for each group; `null` where it was not measured.
    pub values: Vec<Option<f64>>,
}

impl Figures {
    /// Reads and checks a file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let figures: Figures = serde_json::from_str(text)?;
        ensure!(
            !figures.groups.is_empty(),
            "`groups` is empty: name what was measured"
        );
        ensure!(
            !figures.series.is_empty(),
            "`series` is empty: name who was measured"
        );
        for series in &figures.series {
            ensure!(
                series.values.len() == figures.groups.len(),
                "`{}` has {} values for {} groups: write null for what was not measured",
                series.name,
                series.values.len(),
                figures.groups.len()
            );
            let sound = series
                .values
                .iter()
                .flatten()
                .all(|value| value.is_finite() && *value > 0.0);
            ensure!(sound, "`{}` has a value that is not above 0", series.name);
        }
        Ok(figures)
    }

    /// The largest value.
    pub fn most(&self) -> f64 {
        let values = self
            .series
            .iter()
            .flat_map(|series| series.values.iter().flatten());
        values.fold(0.0, |most, value| value.max(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(series: &str) -> anyhow::Result<Figures> {
        Figures::parse(&format!(
            r#"{{"title": "t", "unit": "u", "command": "c", "run": "r", "groups": ["a", "b"], "series": [{series}]}}"#
        ))
    }

    #[test]
    fn what_was_not_measured_is_null_and_everything_else_is_a_number() {
        let figures = with(r#"{"name": "x", "values": [1.5, null]}"#).expect("sound");
        assert_eq!(figures.most(), 1.5);
        for (series, word) in [
            (r#"{"name": "x", "values": [1.5]}"#, "1 values for 2 groups"),
            (r#"{"name": "x", "values": [0, 1]}"#, "not above 0"),
            ("", "`series` is empty"),
        ] {
            let error = with(series).expect_err(series).to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
