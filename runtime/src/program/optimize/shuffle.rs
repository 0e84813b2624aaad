//! Reproducible choice of examples.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng as _};

/// The numbers below `count` in an order that the seed gives (Fisher and Yates).
pub(super) fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..count).collect();
    for at in (1..count).rev() {
        order.swap(at, below(&mut random, at + 1));
    }
    order
}

/// A number below `bound`. The remainder's bias is below one in 2^32 for any list that fits memory.
fn below(random: &mut ChaCha8Rng, bound: usize) -> usize {
    (random.next_u64() % bound as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_occurs_once_and_the_seed_decides() {
        let order = shuffled(50, 3);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
        assert_eq!(order, shuffled(50, 3));
        assert_ne!(order, shuffled(50, 4));
        assert!(shuffled(0, 1).is_empty());
    }
}
