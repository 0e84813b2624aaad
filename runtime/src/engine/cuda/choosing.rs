//! The next tokens of rows, chosen on the GPU. The step after that is begun before the host has read them: they are on the
//! GPU already. Where a mask or an end makes something else of a row, the others have what was begun all the same.

use super::ahead::{Ahead, Place, is_decoding};
use super::choice::{Asker, Next, Outcome, Question};
use super::pass::{Made, Pass};
use super::sample::Sampled;
use super::{CudaQwen2, Wanted, Work, gpu, pool};
use crate::engine::{EngineError, Row, Sampler, TokenId};

/// A token that [`CudaQwen2::sample`] has chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The token.
    pub token: TokenId,
    /// Natural logarithm of its probability before mask and penalties.
    pub logprob: f32,
    /// The likeliest tokens and theirs, the likeliest first.
    pub top: Vec<(TokenId, f32)>,
}

impl CudaQwen2 {
    /// Runs rows' new tokens, which `Qwen2` has checked and whose caches are of one pool, and chooses the next token of
    /// each that wants logits. Rows are asked about while the GPU is at work; a row that this fails for has that error,
    /// and no other is touched. The caller counts the tokens that were run as held.
    pub(crate) fn choose(
        &self,
        rows: &[Row<'_>],
        asker: &mut impl Asker,
    ) -> Result<Vec<Outcome>, EngineError> {
        if rows
            .windows(2)
            .any(|two| pool(two[0].cache) != pool(two[1].cache))
        {
            return Err(gpu::failed("choosing tokens")(
                "the rows' caches are of several pools: run them one after the other",
            ));
        }
        let mut work = self.lock();
        let work = &mut *work;
        let served = work.ahead.take().and_then(|ahead| {
            let served = ahead.serves(rows)?;
            Some((ahead, served))
        });
        let mut outcomes: Vec<Outcome> = rows.iter().map(|_| Outcome::default()).collect();
        // For each answer its row, if that is still there.
        let mut askers: Vec<Option<usize>>;
        let (running, is_whole) = match served {
            Some((mut running, served)) => {
                askers = vec![None; running.places.len()];
                let mut questions = Vec::new();
                for (row, at) in served.iter().enumerate() {
                    let Some(at) = *at else { continue };
                    outcomes[row].run = 1;
                    if !is_decoding(&rows[row]) {
                        continue;
                    }
                    // Asked even if it was answered before: each question takes a random number from its row.
                    match asker.ask(row) {
                        Ok(question) if running.questions.is_none() => {
                            askers[questions.len()] = Some(row);
                            questions.push((running.places[at].logits, question));
                        }
                        Ok(_) => askers[at] = Some(row),
                        Err(error) => outcomes[row].chosen = Some(Err(error)),
                    }
                }
                if running.questions.is_none() {
                    let from = self.sampled(work, &running.made);
                    work.sampling
                        .begin(&self.gpu, &from, &questions, running.slot)?;
                    running.questions = Some(questions);
                }
                let are_there = served.iter().all(Option::is_some) && rows.iter().all(is_decoding);
                let is_whole = are_there && served.len() == running.places.len();
                (running, is_whole)
            }
            None => {
                let running = self.begin(work, rows, asker, &mut outcomes)?;
                askers = running.places.iter().map(|place| Some(place.row)).collect();
                let is_whole = running.places.len() == rows.len() && rows.iter().all(is_decoding);
                (running, is_whole)
            }
        };
        let is_sound = outcomes.iter().all(|outcome| outcome.chosen.is_none());
        let next = match is_whole && is_sound {
            true => self.begin_next(work, rows, &running, asker)?,
            false => None,
        };
        let questions = running.questions.unwrap_or_default();
        let chosen = work.sampling.collect(running.slot, &questions)?;
        if questions.is_empty() {
            self.gpu.wait()?;
        }
        work.ahead = next;
        for (row, chosen) in askers.into_iter().zip(chosen) {
            let Some(row) = row else { continue };
            if let Some(ahead) = &mut work.ahead {
                ahead.places[row].token = chosen.as_ref().ok().map(|chosen| chosen.token);
            }
            outcomes[row].chosen = Some(chosen);
        }
        Ok(outcomes)
    }

    /// Runs rows that do not run yet, and begins to choose.
    fn begin(
        &self,
        work: &mut Work,
        rows: &[Row<'_>],
        asker: &mut impl Asker,
        outcomes: &mut [Outcome],
    ) -> Result<Ahead, EngineError> {
        let made = self.pass(work, rows, 0, Wanted::Last, true)?;
        let (mut questions, mut places) = (Vec::new(), Vec::new());
        let (mut tokens, mut wanted) = (0, 0);
        for (number, row) in rows.iter().enumerate() {
            outcomes[number].run = row.tokens.len();
            tokens += row.tokens.len();
            if !row.logits {
                continue;
            }
            wanted += 1;
            match asker.ask(number) {
                Ok(question) => {
                    // In a batch every token has logits.
                    let logits = match made.by {
                        Pass::Batch => tokens - 1,
                        _ => wanted - 1,
                    };
                    questions.push((logits, question));
                    places.push(Place::of(number, logits, row));
                }
                Err(error) => outcomes[number].chosen = Some(Err(error)),
            }
        }
        let slot = work.sampling.free_slot();
        let from = self.sampled(work, &made);
        work.sampling.begin(&self.gpu, &from, &questions, slot)?;
        Ok(Ahead {
            made,
            slot,
            places,
            questions: Some(questions),
        })
    }

    /// Begins the step after one that runs rows which all decode, if its tokens will be on the GPU; and to choose what
    /// comes after them, if that is known.
    fn begin_next(
        &self,
        work: &mut Work,
        rows: &[Row<'_>],
        running: &Ahead,
        asker: &mut impl Asker,
    ) -> Result<Option<Ahead>, EngineError> {
        let [first, ..] = rows else {
            return Ok(None);
        };
        let mut questions = Some(Vec::with_capacity(rows.len()));
        for row in 0..rows.len() {
            match asker.ask_ahead(row) {
                Next::Nothing => return Ok(None),
                Next::Later => questions = None,
                Next::Known(question) => {
                    if let Some(questions) = &mut questions {
                        questions.push((row, question));
                    }
                }
            }
        }
        let Some(made) = self.pass_again(work, first, running.made.by, rows.len())? else {
            return Ok(None);
        };
        let slot = 1 - running.slot;
        if let Some(questions) = &questions {
            let from = self.sampled(work, &made);
            work.sampling.begin(&self.gpu, &from, questions, slot)?;
        }
        let places = rows.iter().enumerate();
        Ok(Some(Ahead {
            made,
            slot,
            places: places.map(|(row, of)| Place::after(row, of)).collect(),
            questions,
        }))
    }

    /// Where the logits of a pass are, and where its tokens go for the next.
    fn sampled(&self, work: &Work, made: &Made) -> Sampled {
        Sampled {
            logits: made.address,
            vocabulary: self.config.vocab_size,
            next: match made.by {
                Pass::Step => work.step.as_ref().map(|step| (step.token(), 0)),
                Pass::Batch => work.batch.next(),
                Pass::General => None,
            },
        }
    }

    /// Chooses a token from each of these logits, which are on the host, as the engine does from those on the GPU: for
    /// comparing with [`Sampler::sample`]. A mask has a bit for each token that may be chosen; `top` likeliest tokens by the
    /// logits themselves are found beside it. Gives the token, its log-probability before mask and penalties, and those.
    ///
    /// # Errors
    /// As [`Sampler::sample`], each row for itself; and if logits are not as many as the vocabulary.
    pub fn sample(
        &self,
        logits: &[Vec<f32>],
        samplers: &mut [Sampler],
        masks: &[Option<Vec<u32>>],
        top: usize,
    ) -> Result<Vec<Result<Sample, EngineError>>, EngineError> {
        let vocabulary = self.config.vocab_size;
        if logits.iter().any(|row| row.len() != vocabulary) {
            return Err(gpu::failed("choosing tokens")(format!(
                "each row must have {vocabulary} logits, one for each token of the vocabulary"
            )));
        }
        let rows = samplers.iter_mut().zip(masks).take(logits.len());
        let questions: Vec<(usize, Question)> = rows
            .map(|(sampler, mask)| Question {
                mask: mask.clone(),
                top,
                ..sampler.question(0)
            })
            .enumerate()
            .collect();
        let mut work = self.lock();
        work.ahead = None;
        let uploaded = self.gpu.upload(&logits.concat())?;
        let from = Sampled {
            logits: uploaded.address,
            vocabulary,
            next: None,
        };
        let slot = work.sampling.free_slot();
        work.sampling.begin(&self.gpu, &from, &questions, slot)?;
        let chosen = work.sampling.collect(slot, &questions)?;
        let chosen = chosen.into_iter().map(|chosen| {
            let chosen = chosen?;
            let likely = |(id, logit): &(TokenId, f32)| (*id, logit - chosen.scale);
            Ok(Sample {
                token: chosen.token,
                logprob: chosen.logit - chosen.scale,
                top: chosen.top.iter().map(likely).collect(),
            })
        });
        Ok(chosen.collect())
    }
}
