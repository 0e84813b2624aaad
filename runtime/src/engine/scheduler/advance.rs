//! What sequences make of what a pass has brought them: choosing their next tokens, which several threads share.

use super::forward::{Came, isolated};
use super::request::FinishReason;
use super::sequence::Sequence;
use crate::engine::{EngineError, Model};

/// How many tokens were chosen, how many of them had been guessed, and whether the reply has ended.
type Advanced = Result<(u64, u64, Option<FinishReason>), EngineError>;

/// Masks of a step that are few.
const FEW: usize = 4;

/// Every sequence, with what came of it.
pub(super) fn advanced(
    model: &Model,
    running: Vec<Sequence>,
    came: Vec<Came>,
) -> Vec<(Sequence, Advanced)> {
    let piece = if is_little(&running, &came) {
        running.len()
    } else {
        1
    };
    let mut all: Vec<_> = running
        .into_iter()
        .zip(came)
        .map(|(sequence, came)| (sequence, came, Ok((0, 0, None))))
        .collect();
    // Choosing out of a large vocabulary is work too, and so are masks: the threads of the pass share it.
    let team = model.network().team();
    team.for_each_piece(&mut all, piece, |_, all| {
        for (sequence, came, end) in all {
            *end = advance(model, sequence, std::mem::replace(came, Came::Nothing));
        }
    });
    all.into_iter()
        .map(|(sequence, _, end)| (sequence, end))
        .collect()
}

/// Whether one thread does it sooner than others could be woken: a GPU has chosen the tokens, and few masks are to be computed.
fn is_little(running: &[Sequence], came: &[Came]) -> bool {
    let masks = running
        .iter()
        .filter(|sequence| sequence.job.request.mask.is_some());
    masks.count() < FEW && !came.iter().any(|came| matches!(came, Came::Logits(_)))
}

fn advance(model: &Model, sequence: &mut Sequence, came: Came) -> Advanced {
    match came {
        Came::Nothing => Ok((0, 0, None)),
        Came::Logits(logits) => isolated(|| sequence.advance_over(model, logits)),
        #[cfg(feature = "cuda")]
        Came::Chosen(chosen) => chosen
            .and_then(|chosen| isolated(|| sequence.take_chosen(chosen)))
            .map(|end| (1, 0, end)),
    }
}
