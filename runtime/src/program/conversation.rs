//! Several turns of one signature: what was said before stands in the prompt, typed, and in the cache.

use std::fmt;
use std::path::Path;

use serde_json::{Value as Json, json};

use crate::adapter::{Backend, CandleAdapterError};
use crate::prompt::Message;
use crate::signature::{Demo, FieldSet as _, PartialDemo, Signature, SignatureSpec, Value};

use super::call::{Prompt, suited};
use super::demo_json::{Accept, read_demo, write_demo};
use super::retry::{call_checked, usual_retries};
use super::state::{StateError, read_text, write_text};
use super::{Predict, Predicted, Settings, Tunable as _};

/// A conversation: each turn is an input and the outputs that were given to it, and every turn sees those before it.
///
/// Earlier turns are shown just as they were sent, so that the engine's prefix cache holds them and a turn costs only its own
/// text. Where they no longer fit the context the oldest are left out, and [`Turned::dropped`] says how many.
///
/// ```
/// use candle_signature::CandleSignature;
/// use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
/// use candle_signature::program::Conversation;
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
/// let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
/// let mut talk = Conversation::<QA>::new();
/// for (question, answer) in [("Where does Ana live?", "Rome"), ("Who lives in Rome?", "Ana")] {
///     let input = QAInput { passage: "Ana lives in Rome.".into(), question: question.into() };
///     assert_eq!(talk.say(&adapter, input).await?.answer, answer);
/// }
/// assert_eq!(talk.turns().len(), 2);
/// # Ok(())
/// # }
/// ```
pub struct Conversation<S: Signature> {
    settings: Settings<S>,
    turns: Vec<Demo<S>>,
}

/// A turn's prediction; reads as the output itself.
#[derive(Debug, Clone)]
pub struct Turned<O> {
    predicted: Predicted<O>,
    dropped: usize,
}

impl<S: Signature> Conversation<S> {
    /// A conversation in which nothing was said yet.
    #[must_use]
    pub fn new() -> Self {
        Conversation::of(&Predict::new())
    }

    /// A conversation with the instruction, demos and overrides of a predictor.
    #[must_use]
    pub fn of(predict: &Predict<S>) -> Self {
        Conversation {
            settings: predict.settings().clone(),
            turns: Vec::new(),
        }
    }

    /// What was said, oldest first: inputs, and the outputs that were given.
    #[must_use]
    pub fn turns(&self) -> &[Demo<S>] {
        &self.turns
    }

    /// Adds a turn that was made elsewhere.
    pub fn push(&mut self, turn: impl Into<Demo<S>>) {
        self.turns.push(turn.into());
    }

    /// Forgets all but the latest turns.
    pub fn keep_latest(&mut self, turns: usize) {
        let drop = self.turns.len().saturating_sub(turns);
        self.turns.drain(..drop);
    }

    /// The messages that [`Conversation::say`] sends first for this input to a backend that prefers no layout of its own.
    #[must_use]
    pub fn messages(&self, input: S::Input) -> Vec<Message> {
        let spec = self.spec();
        let shown = self.shown(0);
        self.prompt(&spec, &shown).messages(&input.into_values())
    }

    /// Says something, and remembers it with what was answered. A turn that fails is not remembered.
    ///
    /// # Errors
    /// As [`Predict::call`]; [`CandleAdapterError::ContextTooLong`] if the input does not fit without any earlier turn.
    pub async fn say<B: Backend + ?Sized>(
        &mut self,
        backend: &B,
        input: S::Input,
    ) -> Result<Turned<S::Output>, CandleAdapterError> {
        let (spec, inputs) = (suited(backend, self.spec()), input.into_values());
        let checks = S::checks();
        let retries = usual_retries(backend, &checks);
        let mut dropped = 0;
        let predicted = loop {
            let shown = self.shown(dropped);
            let prompt = self.prompt(&spec, &shown);
            match call_checked(backend, &prompt, &inputs, &checks, retries).await {
                Err(CandleAdapterError::ContextTooLong { .. }) if dropped < self.turns.len() => {
                    dropped += 1;
                }
                result => break result?,
            }
        };
        self.turns.drain(..dropped);
        let mut outputs = predicted.values().clone();
        for field in spec.outputs.iter() {
            if outputs.get(&field.name).is_none() {
                // The value that leaving the field out means.
                let default = field
                    .default
                    .as_ref()
                    .map_or(Value::Null, |value| value.get());
                outputs.insert(field.name.clone(), default);
            }
        }
        self.turns
            .push(Demo::from_partial(PartialDemo { inputs, outputs }));
        Ok(Turned { predicted, dropped })
    }

    fn spec(&self) -> SignatureSpec {
        self.settings.instructed(S::SPEC.clone())
    }

    fn shown(&self, dropped: usize) -> Vec<PartialDemo> {
        let turns = self.turns[dropped..].iter();
        turns.map(|turn| turn.values().clone()).collect()
    }

    fn prompt<'p>(&self, spec: &'p SignatureSpec, turns: &'p [PartialDemo]) -> Prompt<'p> {
        Prompt {
            turns,
            ..Prompt::new(spec, &self.settings)
        }
    }

    /// What was said, as a list of records with the fields of inputs and outputs.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let turns: Vec<_> = self
            .turns
            .iter()
            .map(|turn| write_demo(turn.values()))
            .collect();
        json!({ VERSION_KEY: VERSION, "turns": turns })
    }

    /// The same conversation with turns that were saved instead of its own.
    ///
    /// # Errors
    /// A turn that does not fit the signature, by its number and fields.
    pub fn with_turns_of(mut self, json: &Json) -> Result<Self, StateError> {
        if json[VERSION_KEY] != VERSION {
            let problem = format!("expected the version {VERSION} of a saved conversation");
            return Err(StateError::layout(VERSION_KEY, problem));
        }
        let accept = Accept {
            extra: &[],
            ignored: &[],
            partial: false,
        };
        let Some(turns) = json["turns"].as_array() else {
            return Err(StateError::layout("turns", "expected a list of turns"));
        };
        let turns = (1..).zip(turns).map(|(number, turn)| {
            let problem =
                || StateError::layout(format!("turns.{}", number - 1), "expected a JSON object");
            let turn = turn.as_object().ok_or_else(problem)?;
            read_demo::<S>(turn, accept).map_err(|errors| StateError::Turn { number, errors })
        });
        self.turns = turns.collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Saves what was said: a file that is there whole or not at all.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), StateError> {
        write_text(path.as_ref(), &self.to_json())
    }

    /// The same conversation with the turns of a saved file instead of its own.
    ///
    /// # Errors
    /// As [`Conversation::with_turns_of`], and a file that can't be read or is no JSON.
    pub fn load(self, path: impl AsRef<Path>) -> Result<Self, StateError> {
        self.with_turns_of(&read_text(path.as_ref())?)
    }
}

const VERSION_KEY: &str = "candle_signature_conversation";

const VERSION: u64 = 1;

impl<S: Signature> Default for Conversation<S> {
    fn default() -> Self {
        Conversation::new()
    }
}

impl<S: Signature> Clone for Conversation<S> {
    fn clone(&self) -> Self {
        Conversation {
            settings: self.settings.clone(),
            turns: self.turns.clone(),
        }
    }
}

impl<S: Signature> fmt::Debug for Conversation<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("settings", &self.settings)
            .field("turns", &self.turns)
            .finish()
    }
}

impl<O> Turned<O> {
    /// How many of the oldest turns were forgotten, because they no longer fit the context.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// The prediction, with what is known of how it came about.
    #[must_use]
    pub fn predicted(&self) -> &Predicted<O> {
        &self.predicted
    }

    /// The bare output.
    #[must_use]
    pub fn into_inner(self) -> O {
        self.predicted.into_inner()
    }
}

impl<O> std::ops::Deref for Turned<O> {
    type Target = O;

    fn deref(&self) -> &O {
        &self.predicted
    }
}
