//! The latest predictions, kept to be looked at: what was asked, what came back, what it cost. `render` shows them.

mod render;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::prompt::Message;
use crate::signature::FieldValues;

use super::{Finish, Timings, Usage};

/// The latest predictions of the backends that it is given to. Cheap to clone: all clones are the same history.
///
/// Off unless a backend is given one. It holds prompts and replies whole, in memory, as many as it was made for; of a backend's
/// configuration, and so of its keys, it holds nothing.
///
/// ```
/// use candle_signature::CandleSignature;
/// use candle_signature::adapter::{CandleAdapter, CandleConfig, History, ModelPool};
///
/// /// Answer the question from the passage.
/// #[derive(CandleSignature)]
/// struct QA {
///     #[input]
///     passage: String,
///     #[input]
///     question: String,
///     #[output]
///     answer: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), candle_signature::adapter::CandleAdapterError> {
/// # let model = ModelPool::embedded().load_model(ModelPool::EMBEDDED).await?;
/// let history = History::of_latest(20);
/// let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?.with_history(&history);
/// let input = QAInput { passage: "Ana lives in Rome.".into(), question: "Where does Ana live?".into() };
/// QA::predict(&adapter, input).await?;
/// println!("{}", history.inspect(1)); // the prompt's turns, the reply, the fields, usage and times
/// assert_eq!(history.latest(1)[0].signature, "QA");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct History {
    inner: Arc<Inner>,
}

struct Inner {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    records: VecDeque<Record>,
    /// How many there have ever been.
    count: u64,
}

/// One prediction, as it was.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// Its place among all that the history was told, from 1 on.
    pub number: u64,
    /// When it ended.
    pub at: SystemTime,
    /// How long it took, with all its attempts.
    pub took: Duration,
    /// The signature's name.
    pub signature: String,
    /// What was sent last: the prompt's turns, those that complain of replies before included.
    pub messages: Vec<Message>,
    /// The reply; none where there was none.
    pub reply: Option<String>,
    /// The fields that were read of it.
    pub fields: FieldValues,
    /// Tokens of all attempts.
    pub usage: Usage,
    /// Tokens of the last reply that a grammar forced.
    pub forced_tokens: usize,
    /// Where the time of the last attempt went; none where the backend does not tell.
    pub timings: Option<Timings>,
    /// Why the reply ended.
    pub finish: Option<Finish>,
    /// The field in which it was cut short.
    pub truncated: Option<String>,
    /// Replies before it that were not accepted.
    pub retries: usize,
    /// What the parser had to mend.
    pub repairs: Vec<String>,
    /// Why there is no result, or what checks the result fails.
    pub error: Option<String>,
}

impl Record {
    /// A prediction of which nothing but the beginning is known.
    #[must_use]
    pub(crate) fn begun(signature: &str, messages: Vec<Message>) -> Self {
        Record {
            number: 0,
            at: SystemTime::now(),
            took: Duration::ZERO,
            signature: signature.to_owned(),
            messages,
            reply: None,
            fields: FieldValues::new(),
            usage: Usage::default(),
            forced_tokens: 0,
            timings: None,
            finish: None,
            truncated: None,
            retries: 0,
            repairs: Vec::new(),
            error: None,
        }
    }

    /// The record as text for a terminal: with colours, or plain.
    #[must_use]
    pub fn render(&self, colours: bool) -> String {
        render::record(self, colours)
    }
}

/// Plain text.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl History {
    /// Of so many predictions; 0 counts as 1.
    #[must_use]
    pub fn of_latest(predictions: usize) -> Self {
        let inner = Inner {
            most: predictions.max(1),
            kept: Mutex::default(),
        };
        History {
            inner: Arc::new(inner),
        }
    }

    /// The latest so many of those that are kept, oldest first.
    #[must_use]
    pub fn latest(&self, predictions: usize) -> Vec<Record> {
        let kept = self.kept();
        let skipped = kept.records.len().saturating_sub(predictions);
        kept.records.iter().skip(skipped).cloned().collect()
    }

    /// The latest so many as text: in colours where standard output is a terminal and `NO_COLOR` is not set.
    #[must_use]
    pub fn inspect(&self, predictions: usize) -> String {
        let colours = render::wants_colours();
        let records = self.latest(predictions);
        records
            .iter()
            .map(|record| record.render(colours))
            .collect()
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept().records.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all.
    pub fn clear(&self) {
        self.kept().records.clear();
    }

    pub(crate) fn push(&self, mut record: Record) {
        let mut kept = self.kept();
        kept.count += 1;
        record.number = kept.count;
        if kept.records.len() == self.inner.most {
            kept.records.pop_front();
        }
        kept.records.push_back(record);
    }

    /// Records are sound whoever panicked while holding them.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.inner
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History")
            .field("most", &self.inner.most)
            .field("kept", &self.len())
            .finish()
    }
}
