//! "Did you mean", by constant evaluation.

use super::super::FieldSpec;
use super::{same, str_of};

/// Longer names are not compared.
const LONGEST: usize = 64;

/// The field whose name is so near to `name` that it was probably meant.
pub(super) const fn nearest(
    name: &str,
    inputs: &'static [FieldSpec],
    outputs: &'static [FieldSpec],
) -> Option<&'static str> {
    let limit = match name.len() {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    let mut best = None;
    let mut best_distance = limit + 1;
    let mut at = 0;
    while at < inputs.len() + outputs.len() {
        let field = if at < inputs.len() {
            &inputs[at]
        } else {
            &outputs[at - inputs.len()]
        };
        let known = str_of(&field.name);
        let distance = distance(name, known);
        if distance < best_distance && distance < known.len() {
            best = Some(known);
            best_distance = distance;
        }
        at += 1;
    }
    best
}

/// Bytes to insert, delete or replace: Levenshtein's distance, one row of the table at a time.
const fn distance(a: &str, b: &str) -> usize {
    if same(a, b) {
        return 0;
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() > LONGEST || b.len() > LONGEST {
        return usize::MAX;
    }
    let mut row = [0; LONGEST + 1];
    let mut column = 0;
    while column <= b.len() {
        row[column] = column;
        column += 1;
    }
    let mut line = 0;
    while line < a.len() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        let mut column = 0;
        while column < b.len() {
            let replaced = diagonal + (a[line] != b[column]) as usize;
            diagonal = row[column + 1];
            let moved = 1 + if row[column] < diagonal {
                row[column]
            } else {
                diagonal
            };
            row[column + 1] = if replaced < moved { replaced } else { moved };
            column += 1;
        }
        line += 1;
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances_are_levenshteins() {
        for (a, b, far) in [
            ("", "", 0),
            ("", "abc", 3),
            ("urgncy", "urgency", 1),
            ("kitten", "sitting", 3),
            ("abc", "cab", 2),
        ] {
            assert_eq!(distance(a, b), far, "{a} to {b}");
            assert_eq!(distance(b, a), far, "{b} to {a}");
        }
    }
}
