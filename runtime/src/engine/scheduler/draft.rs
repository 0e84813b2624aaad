//! Guessing what comes next by looking where the text has been before: what followed the same few tokens then. A guess
//! costs little, because it is checked in the pass that computes the next token anyway, and it changes nothing: each
//! token is still chosen from its own logits, and a guess only counts where it is the token that was chosen.

use crate::engine::TokenId;
use crate::engine::kv::tree::agreement;

/// Lengths of the endings that are looked for, the surest first.
const ENDINGS: [usize; 3] = [4, 3, 2];
/// Steps without a guess after several in vain, at most.
const LONGEST_PAUSE: usize = 8;

/// The guesses of one sequence.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    /// What is being checked.
    pub tokens: Vec<TokenId>,
    misses: usize,
    pause: usize,
}

impl Drafts {
    /// Guesses up to `most` tokens after these; none for a while after guesses in vain.
    pub fn draw(&mut self, tokens: &[TokenId], most: usize) {
        self.tokens.clear();
        if self.pause > 0 {
            self.pause -= 1;
        } else {
            self.tokens.extend(lookup(tokens, most));
        }
    }

    /// How many of the guessed tokens are those that came, and the end of this guess.
    pub fn settle(&mut self, came: &[TokenId]) -> usize {
        let right = agreement(&self.tokens, came);
        if !self.tokens.is_empty() {
            self.misses = if right == 0 { self.misses + 1 } else { 0 };
            self.pause = self.misses.min(LONGEST_PAUSE);
        }
        self.tokens.clear();
        right
    }
}

/// What followed the latest earlier place that ends as these tokens do, up to `most` tokens.
fn lookup(tokens: &[TokenId], most: usize) -> &[TokenId] {
    if most == 0 {
        return &[];
    }
    for length in ENDINGS {
        let Some((before, ending)) = tokens.split_at_checked(tokens.len().wrapping_sub(length))
        else {
            continue;
        };
        let found = tokens[..tokens.len() - 1]
            .windows(length)
            .take(before.len())
            .rposition(|window| window == ending);
        if let Some(at) = found {
            let start = at + length;
            return &tokens[start..(start + most).min(tokens.len())];
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[u32]) -> Vec<TokenId> {
        ids.iter().copied().map(TokenId).collect()
    }

    #[test]
    fn what_followed_the_same_ending_last_is_guessed() {
        let text = ids(&[1, 2, 3, 9, 1, 2, 4, 8, 7, 1, 2]);
        assert_eq!(lookup(&text, 3), ids(&[4, 8, 7]));
        assert_eq!(lookup(&text, 1), ids(&[4]));
        assert_eq!(lookup(&text, 99), ids(&[4, 8, 7, 1, 2]));
        // A longer ending is surer than a later one.
        let text = ids(&[5, 1, 2, 3, 1, 2, 4, 5, 1, 2]);
        assert_eq!(lookup(&text, 1), ids(&[3]));
        // A repetition continues into itself.
        assert_eq!(lookup(&ids(&[6, 6, 6]), 4), ids(&[6]));
    }

    #[test]
    fn nothing_is_guessed_of_new_or_short_text() {
        for text in [&[][..], &[1], &[1, 2], &[1, 2, 3], &[1, 2, 3, 2, 1]] {
            assert!(lookup(&ids(text), 4).is_empty(), "{text:?}");
        }
        assert!(lookup(&ids(&[1, 2, 1, 2]), 0).is_empty());
    }

    #[test]
    fn guesses_in_vain_make_pauses_and_right_ones_end_them() {
        let text = ids(&[1, 2, 3, 1, 2]);
        let mut drafts = Drafts::default();
        let mut guesses = |came: u32, steps: usize| {
            let mut count = 0;
            for _ in 0..steps {
                drafts.draw(&text, 1);
                count += drafts.tokens.len();
                drafts.settle(&ids(&[came]));
            }
            count
        };
        assert_eq!(guesses(3, 10), 10);
        // After the first, second, third in vain: one, two, three steps without.
        assert_eq!(guesses(9, 10), 4);
        // Then four to seven, and eight from there on: steps 5, 11, 18, 26, and every ninth from 35.
        assert_eq!(guesses(9, 90), 11);
    }
}
