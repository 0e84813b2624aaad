//! Who computes how many tokens in a step. Short work goes first, so that nobody waits long for little; the oldest
//! has half of the step for itself, so that much work ends as well.

/// For each sequence, by the tokens that it still has to compute and in order of arrival, how many it may: one in any
/// case, which is all that a sequence choosing its next token needs; those who need more have `chunk` together.
pub(super) fn shares(pending: &[usize], chunk: usize, shares: &mut Vec<usize>) {
    shares.clear();
    shares.extend(pending.iter().map(|tokens| (*tokens).min(1)));
    let wants_more = |index: &usize| pending[*index] > 1;
    let mut left = chunk.saturating_sub((0..pending.len()).filter(wants_more).count());
    let oldest = (0..pending.len()).find(wants_more);
    let mut give = |index: usize, most: usize, left: &mut usize| {
        let wanted = pending[index].min(most);
        let more = wanted.saturating_sub(shares[index]).min(*left);
        shares[index] += more;
        *left -= more;
    };
    if let Some(oldest) = oldest {
        give(oldest, chunk / 2, &mut left);
    }
    let mut others: Vec<usize> = (0..pending.len()).filter(wants_more).collect();
    others.sort_by_key(|index| pending[*index]);
    for index in others {
        give(index, usize::MAX, &mut left);
    }
}

#[cfg(test)]
mod tests {
    fn shares(pending: &[usize], chunk: usize) -> Vec<usize> {
        let mut shares = vec![99; 3];
        super::shares(pending, chunk, &mut shares);
        shares
    }

    #[test]
    fn a_sequence_alone_has_the_whole_step() {
        assert_eq!(shares(&[1000], 256), [256]);
        assert_eq!(shares(&[100], 256), [100]);
        assert_eq!(shares(&[3], 1), [1]);
        assert!(shares(&[], 256).is_empty());
    }

    #[test]
    fn those_who_choose_their_next_token_always_do() {
        assert_eq!(shares(&[1, 1, 1], 1), [1, 1, 1]);
        let shares = shares(&[4000, 1, 1, 4000], 256);
        assert_eq!((shares[1], shares[2]), (1, 1));
    }

    #[test]
    fn little_work_is_done_beside_much() {
        let shares = shares(&[4000, 5, 20, 3000], 256);
        assert_eq!(shares[1..3], [5, 20]);
        assert!(shares[0] >= 128, "{shares:?}");
    }

    #[test]
    fn the_oldest_is_not_starved_by_those_after_it() {
        let shares = shares(&[4000, 200, 200, 200], 256);
        assert!(shares[0] >= 128, "{shares:?}");
    }

    #[test]
    fn a_step_keeps_to_its_size() {
        for chunk in [1, 2, 7, 256] {
            for pending in [
                vec![9, 9, 9],
                vec![1, 300, 2, 300],
                vec![5; 20],
                vec![1; 20],
            ] {
                let shares = shares(&pending, chunk);
                let total: usize = shares.iter().sum();
                assert!(
                    total <= chunk.max(1) + pending.len(),
                    "{chunk} {pending:?}: {shares:?}"
                );
                assert!(
                    shares
                        .iter()
                        .zip(&pending)
                        .all(|(share, all)| (1..=*all).contains(share))
                );
            }
        }
    }
}
