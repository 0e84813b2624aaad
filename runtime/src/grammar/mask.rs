//! A grammar under way, as the engine sees it: what is forced, what may follow, and how to end in time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, PoisonError};

use toktrie::SimpleVob;

use crate::engine::{LogitsMask, MaskEnd, MaskError, MaskStep, TokenId};

use super::close::Closer;
use super::compiler::Spare;
use super::guarded::Guarded;

/// States that are kept of a grammar.
const MOST_SPARE: usize = 8;

/// A state that computes its own mask while the engine runs the forward pass.
pub(super) struct GrammarMask {
    state: State,
    helper: Option<Helper>,
    closer: Arc<Closer>,
    spare: Spare,
    /// Tokens of the shortest reply.
    least: usize,
    /// While more tokens are left than this, there is a way to end: the last one that was found leaves so much room.
    safe_above: usize,
}

enum State {
    Here(Guarded),
    /// With the helper, which computes the mask of it.
    Away,
    /// Back, with its mask.
    Masked(Guarded, SimpleVob),
}

impl GrammarMask {
    pub(super) fn new(start: Guarded, closer: Arc<Closer>, spare: Spare) -> Self {
        GrammarMask {
            state: State::Here(start),
            helper: Helper::start(),
            closer,
            spare,
            least: 0,
            safe_above: usize::MAX,
        }
    }

    /// Whether the way to end may be longer than the budget: then it has to be looked for.
    fn is_scarce(&self, state: &Guarded, budget: usize) -> bool {
        // What the next token opens counts too. A byte takes a token at most, and some vocabularies have no longer ones here.
        let open = state.rest() + state.growth();
        budget <= self.safe_above && budget <= self.least + 64 + 2 * open
    }

    /// A way to end was found that leaves `spare` of `rest` tokens: while they last, it can't be lost.
    fn found(&mut self, state: &Guarded, rest: usize, spare: usize) {
        self.safe_above = rest - spare / (state.growth() + 2);
    }

    /// The matcher, awaited if it is away.
    fn take(&mut self) -> Result<Guarded, MaskError> {
        match std::mem::replace(&mut self.state, State::Away) {
            State::Here(matcher) | State::Masked(matcher, _) => Ok(matcher),
            State::Away => {
                let helper = self.helper.as_ref().ok_or_else(gone)?;
                helper
                    .done
                    .recv()
                    .map(|(matcher, _)| matcher)
                    .map_err(|_| gone())
            }
        }
    }

    /// What `use_it` makes of the mask, which is awaited or computed if it is not there.
    fn masked<T>(&mut self, use_it: impl FnOnce(&SimpleVob) -> T) -> Result<T, MaskError> {
        let (matcher, mask) = match std::mem::replace(&mut self.state, State::Away) {
            State::Masked(matcher, mask) => (matcher, mask),
            State::Here(mut matcher) => {
                let mask = matcher.mask().map_err(MaskError::Failed)?;
                (matcher, mask)
            }
            State::Away => {
                let helper = self.helper.as_ref().ok_or_else(gone)?;
                let (matcher, mask) = helper.done.recv().map_err(|_| gone())?;
                (matcher, mask?)
            }
        };
        let made = use_it(&mask);
        self.state = State::Masked(matcher, mask);
        Ok(made)
    }

    /// Sends the matcher to the helper; without one the mask is computed at once.
    fn put(&mut self, mut matcher: Guarded) {
        self.state = match &self.helper {
            Some(helper) => match helper.work.send(matcher) {
                Ok(()) => State::Away,
                Err(back) => State::Here(back.0),
            },
            None => match matcher.mask() {
                Ok(mask) => State::Masked(matcher, mask),
                // The error comes again when the mask is applied.
                Err(_) => State::Here(matcher),
            },
        };
    }

    /// Ends by the shortest way, from a state in which there is one.
    fn closed(&mut self, from: &Guarded, most: usize) -> Option<MaskStep> {
        let tokens = self.closer.close(from, most)?;
        Some(MaskStep {
            tokens: tokens.into_iter().map(TokenId).collect(),
            end: Some(MaskEnd::Closed),
        })
    }
}

/// The state serves the next reply: what it has learned of the automaton need not be found again.
impl Drop for GrammarMask {
    fn drop(&mut self) {
        let state = match std::mem::replace(&mut self.state, State::Away) {
            State::Here(state) | State::Masked(state, _) => state,
            // With the helper still, which nobody waits for.
            State::Away => return,
        };
        if let Some(state) = state.rewound() {
            let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
            if spare.len() < MOST_SPARE {
                spare.push(state);
            }
        }
    }
}

impl LogitsMask for GrammarMask {
    fn start(&mut self, budget: usize) -> Result<MaskStep, MaskError> {
        let mut matcher = self.take()?;
        let end = self.closer.close(&matcher, usize::MAX).unwrap_or_default();
        let least = end.len();
        if least > budget {
            return Err(MaskError::BudgetTooSmall {
                needed: least,
                budget,
            });
        }
        self.least = least;
        let forced = matcher.take_forced().map_err(MaskError::Failed)?;
        let tokens: Vec<_> = forced.into_iter().map(TokenId).collect();
        let end = ended(&matcher)?;
        self.put(matcher);
        Ok(MaskStep { tokens, end })
    }

    fn accept(&mut self, token: TokenId, budget: usize) -> Result<MaskStep, MaskError> {
        let mut matcher = self.take()?;
        let before = self.is_scarce(&matcher, budget).then(|| matcher.clone());
        matcher.take(token.0).map_err(MaskError::Failed)?;
        let mut tokens = vec![token];
        let forced = matcher.take_forced().map_err(MaskError::Failed)?;
        tokens.extend(forced.into_iter().map(TokenId));
        let end = ended(&matcher)?;
        if let Some(before) = before {
            let rest = budget.checked_sub(tokens.len());
            let way = rest.filter(|_| end.is_none()).and_then(|rest| {
                let way = self.closer.close(&matcher, rest)?;
                Some((rest, rest - way.len()))
            });
            if let Some((rest, spare)) = way {
                self.found(&matcher, rest, spare);
            }
            let can_end = way.is_some() || (end.is_some() && rest.is_some());
            if !can_end && let Some(step) = self.closed(&before, budget) {
                return Ok(step);
            }
        }
        match end {
            None => self.put(matcher),
            Some(_) => self.state = State::Here(matcher),
        }
        Ok(MaskStep { tokens, end })
    }

    fn few(&mut self, most: usize) -> Option<Vec<TokenId>> {
        if let State::Away = self.state {
            // What is not done yet is asked for later.
            let (matcher, mask) = self.helper.as_ref()?.done.try_recv().ok()?;
            self.state = match mask {
                Ok(mask) => State::Masked(matcher, mask),
                // The error comes again when the mask is applied.
                Err(_) => State::Here(matcher),
            };
        }
        let State::Masked(_, mask) = &self.state else {
            return None;
        };
        (mask.num_set() <= most).then(|| mask.iter().map(TokenId).collect())
    }

    fn apply(&mut self, logits: &mut [f32]) -> Result<(), MaskError> {
        self.masked(|mask| rule_out(mask, logits))
    }

    fn bits(&mut self, _vocabulary: usize) -> Result<Option<Vec<u32>>, MaskError> {
        self.masked(|mask| Some(mask.as_slice().to_vec()))
    }
}

/// Sets what the mask does not allow to minus infinity.
fn rule_out(mask: &SimpleVob, logits: &mut [f32]) {
    for (word, logits) in mask.as_slice().iter().zip(logits.chunks_mut(32)) {
        match *word {
            0 => logits.fill(f32::NEG_INFINITY),
            u32::MAX => {}
            word => {
                for (bit, logit) in logits.iter_mut().enumerate() {
                    if word & (1 << bit) == 0 {
                        *logit = f32::NEG_INFINITY;
                    }
                }
            }
        }
    }
    // The mask ends where the last token does; nothing is allowed beyond it.
    let width = mask.as_slice().len() * 32;
    if let Some(beyond) = logits.get_mut(width..) {
        beyond.fill(f32::NEG_INFINITY);
    }
}

/// Whether nothing can follow.
fn ended(matcher: &Guarded) -> Result<Option<MaskEnd>, MaskError> {
    match matcher.error() {
        Some(error) => Err(MaskError::Failed(error)),
        None => Ok(matcher.is_stopped().then_some(MaskEnd::Complete)),
    }
}

fn gone() -> MaskError {
    MaskError::Failed("the thread that computes masks is gone".into())
}

/// A thread that computes masks beside the forward pass. Ends when its mask is dropped.
struct Helper {
    work: Sender<Guarded>,
    done: Receiver<(Guarded, Result<SimpleVob, MaskError>)>,
    _place: Place,
}

/// One of as many as this process has processors: more helpers would only wait for one another, and their masks cost less
/// where a batch's tokens are taken in, which several threads share.
struct Place;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

impl Place {
    fn take() -> Option<Self> {
        let most = std::thread::available_parallelism().map_or(1, usize::from);
        let one_more = |taken| (taken < most).then_some(taken + 1);
        TAKEN
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .ok()
            .map(|_| Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        TAKEN.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Helper {
    /// `None` if there is no place, or the system gives no thread: masks are then computed when a token is taken in.
    fn start() -> Option<Self> {
        let place = Place::take()?;
        let (work, jobs) = channel::<Guarded>();
        let (results, done) = channel();
        let run = move || {
            for mut matcher in jobs {
                let mask = matcher.mask().map_err(MaskError::Failed);
                if results.send((matcher, mask)).is_err() {
                    return;
                }
            }
        };
        let name = "candle-signature-mask".to_owned();
        std::thread::Builder::new().name(name).spawn(run).ok()?;
        Some(Helper {
            work,
            done,
            _place: place,
        })
    }
}
