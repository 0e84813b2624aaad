//! Who takes part in a forward pass, where requests bound its rows.

/// How many of these, from the first on, fit into one pass: none takes part in one with more rows than it allows.
pub(super) fn fitting(limits: impl IntoIterator<Item = usize>) -> usize {
    let mut least = usize::MAX;
    let mut count = 0;
    for limit in limits {
        least = least.min(limit);
        if count + 1 > least {
            break;
        }
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn nobody_is_in_a_larger_pass_than_allowed() {
        assert_eq!(fitting([]), 0);
        assert_eq!(fitting([1, 8, 8]), 1);
        assert_eq!(fitting([8, 1]), 1);
        assert_eq!(fitting([3, 3, 3, 3]), 3);
        assert_eq!(fitting([8, 8, 2, 8]), 2);
    }
}
