//! Where a product goes.

/// Rows that receive a product, `[rows, outputs]`.
#[derive(Debug)]
pub(crate) struct Output<'a> {
    pub values: &'a mut [f32],
    pub store: Store<'a>,
}

/// What becomes of the sums of a product.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Store<'a> {
    /// Added to each row of sums, one for each output.
    pub bias: Option<&'a [f32]>,
    /// Whether they are added to what is there, or take its place.
    pub adds: bool,
}

impl Store<'_> {
    /// Stores the sums of the outputs from number `first` on, as many as there is room for.
    #[inline(always)]
    pub(super) fn store(self, sums: &[f32], first: usize, out: &mut [f32]) {
        match self.bias {
            None if self.adds => {
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out += sum;
                }
            }
            None => out.copy_from_slice(&sums[..out.len()]),
            Some(bias) => {
                for ((out, sum), bias) in out.iter_mut().zip(sums).zip(&bias[first..]) {
                    let sum = sum + bias;
                    *out = if self.adds { *out + sum } else { sum };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_set_or_added_with_or_without_a_bias() {
        let bias = [0.0, 10.0, 20.0];
        for (bias, adds, expected) in [
            (None, false, [1.0, 2.0]),
            (None, true, [101.0, 202.0]),
            (Some(&bias[..]), false, [11.0, 22.0]),
            (Some(&bias[..]), true, [111.0, 222.0]),
        ] {
            let mut out = [100.0, 200.0];
            Store { bias, adds }.store(&[1.0, 2.0, 3.0], 1, &mut out);
            assert_eq!(out, expected);
        }
    }
}
