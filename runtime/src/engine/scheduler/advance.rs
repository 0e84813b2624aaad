//! What sequences make of what a pass has brought them: choosing their next tokens, which several threads share.

use super::forward::{Came, isolated};
use super::request::FinishReason;
use super::sequence::Sequence;
use crate::engine::recycled::recycled;
use crate::engine::{EngineError, Logits, Model};

/// How many tokens were chosen, how many of them had been guessed, and whether the reply has ended.
pub(super) type Advanced = Result<(u64, u64, Option<FinishReason>), EngineError>;

/// Masks of a step that are few.
const FEW: usize = 4;

/// A sequence and the logits that it may choose from.
type Work<'a> = (&'a mut Sequence, &'a mut [f32]);

/// Room for work, kept between steps; empty, but for its memory.
#[derive(Default)]
pub(super) struct AdvanceRoom(Vec<Work<'static>>);

/// Lets every sequence go on by what came of it; each then knows its end.
pub(super) fn advance_all(
    model: &Model,
    running: &mut [Sequence],
    logits: &mut Logits,
    room: &mut AdvanceRoom,
) {
    let piece = if is_little(running) { running.len() } else { 1 };
    // Where a GPU has chosen all tokens, logits are none, or those of another pass.
    let is_here = running
        .iter()
        .any(|sequence| matches!(sequence.came, Came::Logits));
    let mut work: Vec<Work<'_>> = std::mem::take(&mut room.0);
    work.extend(running.iter_mut().map(|sequence| {
        let nothing: &mut [f32] = &mut [];
        (sequence, nothing)
    }));
    if is_here {
        logits.each_row(|row, logits| work[row].1 = logits);
    }
    // Choosing out of a large vocabulary is work too, and so are masks: the threads of the pass share it.
    let team = model.network().team();
    team.for_each_piece(&mut work, piece, |_, work| {
        for (sequence, logits) in work {
            sequence.end = advance(model, sequence, logits);
        }
    });
    room.0 = recycled(work);
}

/// Whether one thread does it sooner than others could be woken: a GPU has chosen the tokens, and few masks are to be computed.
fn is_little(running: &[Sequence]) -> bool {
    let masks = running
        .iter()
        .filter(|sequence| sequence.job.request.mask.is_some());
    let has_logits = |sequence: &Sequence| matches!(sequence.came, Came::Logits);
    masks.count() < FEW && !running.iter().any(has_logits)
}

fn advance(model: &Model, sequence: &mut Sequence, logits: &mut [f32]) -> Advanced {
    match std::mem::replace(&mut sequence.came, Came::Nothing) {
        Came::Nothing => Ok((0, 0, None)),
        Came::Logits => isolated(|| sequence.advance_over(model, logits)),
        #[cfg(feature = "cuda")]
        Came::Chosen(chosen) => chosen
            .and_then(|chosen| isolated(|| sequence.take_chosen(chosen)))
            .map(|end| (1, 0, end)),
    }
}
