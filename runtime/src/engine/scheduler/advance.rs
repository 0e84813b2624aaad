//! What sequences make of what a pass has brought them: choosing their next tokens, which several threads share.

use super::forward::{Came, isolated};
use super::request::FinishReason;
use super::sequence::Sequence;
use crate::engine::{EngineError, Model};

/// How many tokens were chosen, how many of them had been guessed, and whether the reply has ended.
type Advanced = Result<(u64, u64, Option<FinishReason>), EngineError>;

/// Masked sequences that one thread takes in sooner than another could be started.
#[cfg(feature = "cuda")]
const FEW: usize = 4;

/// Every sequence, with what came of it.
pub(super) fn advanced(
    model: &Model,
    running: Vec<Sequence>,
    came: Vec<Came>,
) -> Vec<(Sequence, Advanced)> {
    #[cfg(feature = "cuda")]
    if model.network().cuda().is_some() {
        return after_gpu(model, running, came);
    }
    let mut all: Vec<_> = running
        .into_iter()
        .zip(came)
        .map(|(sequence, came)| (sequence, came, Ok((0, 0, None))))
        .collect();
    // Choosing out of a large vocabulary is work too: the threads of the pass share it.
    let team = model.network().team();
    team.for_each_piece(&mut all, 1, |_, all| {
        for (sequence, came, end) in all {
            *end = advance(model, sequence, std::mem::replace(came, Came::Nothing));
        }
    });
    all.into_iter()
        .map(|(sequence, _, end)| (sequence, end))
        .collect()
}

/// Tokens that a GPU has chosen are taken in by several threads where masks make that work.
#[cfg(feature = "cuda")]
fn after_gpu(model: &Model, running: Vec<Sequence>, came: Vec<Came>) -> Vec<(Sequence, Advanced)> {
    let dear = |(sequence, came): (&Sequence, &Came)| {
        sequence.job.request.mask.is_some() && matches!(came, Came::Chosen(_))
    };
    let masked = running.iter().zip(&came).filter(|pair| dear(*pair)).count();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(masked / FEW);
    if threads < 2 {
        return one_by_one(model, running, came);
    }
    let share = running.len().div_ceil(threads);
    let (mut running, mut came) = (running.into_iter(), came.into_iter());
    let parts: Vec<(Vec<_>, Vec<_>)> = (0..threads)
        .map(|_| {
            (
                running.by_ref().take(share).collect(),
                came.by_ref().take(share).collect(),
            )
        })
        .collect();
    let done: Vec<Vec<_>> = std::thread::scope(|scope| {
        let begun: Vec<_> = parts
            .into_iter()
            .map(|(running, came)| scope.spawn(|| one_by_one(model, running, came)))
            .collect();
        // A panic is an error of its sequence: none comes as far as this, and its sequences would tell their callers.
        begun
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .collect()
    });
    done.into_iter().flatten().collect()
}

#[cfg(feature = "cuda")]
fn one_by_one(model: &Model, running: Vec<Sequence>, came: Vec<Came>) -> Vec<(Sequence, Advanced)> {
    let all = running.into_iter().zip(came);
    all.map(|(mut sequence, came)| {
        let end = advance(model, &mut sequence, came);
        (sequence, end)
    })
    .collect()
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
