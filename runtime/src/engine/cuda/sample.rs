//! Choosing tokens on the GPU, `sample.cu`: what comes to the host is an id and two numbers a row.

use super::choice::{Change, Chosen, Question};
use super::gpu::Argument::{Address, Int};
use super::gpu::{Buffer, File, Gpu, failed};
use super::transfer::{Landing, Outbox};
use crate::engine::{EngineError, TokenId};
use candle_core::cuda_backend::cudarc::driver::{
    CudaEvent, CudaFunction, DeviceRepr, ValidAsZeroBits,
};

/// These agree with `sample.cu`.
const PARTS: usize = 32;
const PART_WORDS: usize = 6;
const SURVEYORS: u32 = 256;
const CHOOSERS: u32 = 1024;
const MOST_TOP: usize = 20;
const CHOSEN: u32 = 0;
const NOTHING_ALLOWED: u32 = 1;

/// `Ask` of `sample.cu`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
struct Ask {
    random: u64,
    row: u32,
    is_masked: u32,
    mask: u32,
    changes: u32,
    change_count: u32,
    top: u32,
    top_k: u32,
    temperature: f32,
    top_p: f32,
    min_p: f32,
    repetition: f32,
    place: u32,
}

/// `Answer` of `sample.cu`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
struct Answer {
    id: u32,
    status: u32,
    logit: f32,
    scale: f32,
}

/// A likely token: its id and its logit's bits.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
struct Top {
    id: u32,
    logit: f32,
}

// SAFETY: plain words in the order and with the sizes of the kernels' structures, of which any bits are values.
unsafe impl DeviceRepr for Ask {}
// SAFETY: as above.
unsafe impl ValidAsZeroBits for Ask {}
// SAFETY: as above.
unsafe impl DeviceRepr for Answer {}
// SAFETY: as above.
unsafe impl ValidAsZeroBits for Answer {}
// SAFETY: as above.
unsafe impl DeviceRepr for Top {}
// SAFETY: as above.
unsafe impl ValidAsZeroBits for Top {}
// SAFETY: as above.
unsafe impl DeviceRepr for Change {}
// SAFETY: as above.
unsafe impl ValidAsZeroBits for Change {}

/// The kernels and their memory, which grows with the largest batch. Two steps may be under way at once: each has a slot.
#[derive(Debug)]
pub(super) struct Sampling {
    survey: CudaFunction,
    likeliest: CudaFunction,
    adjust: CudaFunction,
    choose: CudaFunction,
    /// A bit for each id that stands for a token.
    known: Buffer<u32>,
    slots: [Slot; 2],
    last: usize,
}

/// What one step is asked and what it answers.
#[derive(Debug)]
struct Slot {
    asks: Buffer<Ask>,
    masks: Buffer<u32>,
    changes: Buffer<Change>,
    out: (Outbox<Ask>, Outbox<u32>, Outbox<Change>),
    parts: Buffer<u64>,
    before: Buffer<f32>,
    tops: Buffer<Top>,
    answers: Buffer<Answer>,
    answered: Landing<Answer>,
    topped: Landing<Top>,
    has_top: bool,
    done: Option<CudaEvent>,
}

/// Rows of logits on the GPU, and where the next step reads ids and positions, if it does; no address is 0.
pub(super) struct Sampled {
    pub logits: u64,
    pub vocabulary: usize,
    pub next: Option<(u64, u64)>,
}

impl Sampling {
    /// For a vocabulary of which every id stands for a token, until [`Self::know`] is told otherwise.
    pub(super) fn new(gpu: &Gpu, vocabulary: usize) -> Result<Self, EngineError> {
        let words = vocabulary.div_ceil(32);
        Ok(Self {
            survey: gpu.function(File::Sample, "survey")?,
            likeliest: gpu.function(File::Sample, "likeliest")?,
            adjust: gpu.function(File::Sample, "adjust")?,
            choose: gpu.function(File::Sample, "choose")?,
            known: gpu.upload(&vec![u32::MAX; words])?,
            slots: [Slot::new(gpu)?, Slot::new(gpu)?],
            last: 0,
        })
    }

    /// The ids that stand for tokens, a bit each.
    pub(super) fn know(&mut self, gpu: &Gpu, known: &[u32]) -> Result<(), EngineError> {
        let count = known.len().min(self.known.slice.len());
        gpu.write(&mut self.known, 0, &known[..count])
    }

    /// The slot that was not used last.
    pub(super) fn free_slot(&self) -> usize {
        1 - self.last
    }

    /// Begins to choose a token for each question from the row of logits beside it. Changes the logits.
    pub(super) fn begin(
        &mut self,
        gpu: &Gpu,
        from: &Sampled,
        questions: &[(usize, Question)],
        slot: usize,
    ) -> Result<(), EngineError> {
        self.last = slot;
        let slot = &mut self.slots[slot];
        slot.done = None;
        if questions.is_empty() {
            return Ok(());
        }
        let rows = questions.len();
        let has_changes = slot.put(gpu, from.vocabulary, questions)?;
        let vocabulary = Int(from.vocabulary as i32);
        let (asks, logits) = (Address(slot.asks.address), Address(from.logits));
        let (known, masks) = (Address(self.known.address), Address(slot.masks.address));
        let parts = Address(slot.parts.address);
        let survey = |scales: i32| {
            let arguments = [asks, logits, known, masks, parts, vocabulary, Int(scales)];
            // SAFETY: `put` has made room for so many rows and checked that their logits, masks and changes are there.
            unsafe { gpu.launch_of(&self.survey, (PARTS, rows, 1), SURVEYORS, &arguments) }
        };
        survey(1)?;
        if slot.has_top {
            let arguments = [asks, logits, known, Address(slot.tops.address), vocabulary];
            // SAFETY: as above.
            unsafe { gpu.launch_of(&self.likeliest, (rows, 1, 1), CHOOSERS, &arguments) }?;
        }
        let (changes, before) = (Address(slot.changes.address), Address(slot.before.address));
        if has_changes {
            let arguments = [asks, logits, changes, before, vocabulary];
            // SAFETY: as above; the ids of changes are in the vocabulary.
            unsafe { gpu.launch(&self.adjust, (rows, 1, 1), &arguments) }?;
            survey(0)?;
        }
        let (ids, positions) = from.next.unwrap_or((0, 0));
        let arguments = [
            asks,
            logits,
            known,
            masks,
            parts,
            changes,
            before,
            Address(slot.answers.address),
            Address(ids),
            Address(positions),
            vocabulary,
        ];
        // SAFETY: as above; a place is the row's in the batch whose ids and positions these are.
        unsafe { gpu.launch_of(&self.choose, (rows, 1, 1), CHOOSERS, &arguments) }?;
        gpu.fetch(&slot.answers, rows, &mut slot.answered)?;
        if slot.has_top {
            gpu.fetch(&slot.tops, rows * MOST_TOP, &mut slot.topped)?;
        }
        slot.done = Some(gpu.mark()?);
        Ok(())
    }

    /// Waits for what [`Self::begin`] was asked in this slot.
    pub(super) fn collect(
        &mut self,
        slot: usize,
        questions: &[(usize, Question)],
    ) -> Result<Vec<Result<Chosen, EngineError>>, EngineError> {
        let slot = &mut self.slots[slot];
        let Some(done) = slot.done.take() else {
            return Ok(Vec::new());
        };
        done.synchronize().map_err(failed("running the network"))?;
        let rows = questions.len();
        let answers = slot.answered.values(rows)?;
        let tops = match slot.has_top {
            true => slot.topped.values(rows * MOST_TOP)?,
            false => &[],
        };
        let mut tops = tops.chunks(MOST_TOP);
        let pairs = answers.iter().zip(questions);
        Ok(pairs
            .map(|(answer, (_, question))| answer.read(question, tops.next().unwrap_or(&[])))
            .collect())
    }
}

impl Slot {
    fn new(gpu: &Gpu) -> Result<Self, EngineError> {
        Ok(Self {
            asks: gpu.buffer(1)?,
            masks: gpu.buffer(1)?,
            changes: gpu.buffer(1)?,
            out: Default::default(),
            parts: gpu.buffer(1)?,
            before: gpu.buffer(1)?,
            tops: gpu.buffer(1)?,
            answers: gpu.buffer(1)?,
            answered: Landing::default(),
            topped: Landing::default(),
            has_top: false,
            done: None,
        })
    }

    /// Puts questions before the kernels; says whether any has changes.
    fn put(
        &mut self,
        gpu: &Gpu,
        vocabulary: usize,
        questions: &[(usize, Question)],
    ) -> Result<bool, EngineError> {
        let words = vocabulary.div_ceil(32);
        let (mut asks, mut masks, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for (row, question) in questions {
            let params = &question.params;
            let first = changes.len();
            let inside = |change: &&Change| (change.id as usize) < vocabulary;
            changes.extend(question.changes.iter().filter(inside));
            asks.push(Ask {
                random: question.random,
                row: *row as u32,
                is_masked: u32::from(question.mask.is_some()),
                mask: masks.len() as u32,
                changes: first as u32,
                change_count: (changes.len() - first) as u32,
                top: question.top.min(MOST_TOP) as u32,
                top_k: params.top_k.map_or(0, |k| k.clamp(1, vocabulary) as u32),
                temperature: params.temperature,
                top_p: params.top_p,
                min_p: params.min_p,
                repetition: params.repetition_penalty,
                place: *row as u32,
            });
            if let Some(mask) = &question.mask {
                let end = masks.len() + words;
                masks.extend(mask.iter().take(words));
                masks.resize(end, 0);
            }
        }
        let rows = questions.len();
        reserve(gpu, &mut self.asks, rows)?;
        reserve(gpu, &mut self.answers, rows)?;
        reserve(gpu, &mut self.parts, rows * PARTS * PART_WORDS / 2)?;
        reserve(gpu, &mut self.masks, masks.len())?;
        reserve(gpu, &mut self.changes, changes.len())?;
        reserve(gpu, &mut self.before, changes.len())?;
        self.has_top = asks.iter().any(|ask| ask.top > 0);
        if self.has_top {
            reserve(gpu, &mut self.tops, rows * MOST_TOP)?;
        }
        gpu.send(&asks, &mut self.out.0, &mut self.asks)?;
        gpu.send(&masks, &mut self.out.1, &mut self.masks)?;
        gpu.send(&changes, &mut self.out.2, &mut self.changes)?;
        Ok(!changes.is_empty())
    }
}

/// Makes a buffer as large as this, if it is not.
fn reserve<T: DeviceRepr + ValidAsZeroBits>(
    gpu: &Gpu,
    buffer: &mut Buffer<T>,
    len: usize,
) -> Result<(), EngineError> {
    if len > buffer.slice.len() {
        *buffer = gpu.buffer(len.next_power_of_two())?;
    }
    Ok(())
}

impl Answer {
    fn read(&self, question: &Question, top: &[Top]) -> Result<Chosen, EngineError> {
        let position = question.position;
        match self.status {
            CHOSEN => {
                let there = top
                    .iter()
                    .take(question.top)
                    .filter(|top| top.id != u32::MAX);
                let mut top: Vec<_> = there.map(|top| (TokenId(top.id), top.logit)).collect();
                top.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                Ok(Chosen {
                    token: TokenId(self.id),
                    logit: self.logit,
                    scale: self.scale,
                    top,
                })
            }
            NOTHING_ALLOWED => Err(EngineError::NothingToSample { position }),
            _ => Err(EngineError::LogitsNotFinite {
                value: self.logit,
                position,
            }),
        }
    }
}
