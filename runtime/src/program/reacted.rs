//! What a ReAct program gives: the answer, and the way to it.

use std::ops::Deref;

use crate::adapter::Usage;
use crate::signature::{FieldValues, Value};

use super::Predicted;
use super::react_spec::{NEXT_ARGS, NEXT_THOUGHT, NEXT_TOOL};

/// One step: what was thought, called, and seen.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// What the model thought.
    pub thought: String,
    /// The tool that it chose; `finish` for none. Without a grammar it may be one that there is not.
    pub tool: String,
    /// The arguments that it gave.
    pub args: FieldValues,
    /// What the tool returned, or what went wrong.
    pub observation: String,
    /// Tokens of the step's prompt and reply.
    pub usage: Usage,
}

impl Step {
    /// What the model wrote of it, by the fields of a step.
    pub(super) fn fields(&self) -> FieldValues {
        let args = self.args.iter();
        let args = args.map(|(name, value)| (name.to_owned(), value.clone()));
        let mut fields = FieldValues::new();
        fields.insert(NEXT_THOUGHT, Value::String(self.thought.clone()));
        fields.insert(NEXT_TOOL, Value::String(self.tool.clone()));
        fields.insert(NEXT_ARGS, Value::Map(args.collect()));
        fields
    }
}

/// Why no more tools were called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReActEnd {
    /// The model finished.
    Finished,
    /// It would have gone on: [`super::ReAct::with_max_steps`].
    StepLimit,
    /// A step in which no tool was named at all, which a grammar prevents.
    UnreadableStep,
}

/// An answer with the way to it; reads as the output itself.
#[derive(Debug, Clone)]
pub struct ReActed<O> {
    answer: Predicted<O>,
    trajectory: Vec<Step>,
    end: ReActEnd,
    usages: Vec<Usage>,
}

impl<O> ReActed<O> {
    pub(super) fn new(
        answer: Predicted<O>,
        trajectory: Vec<Step>,
        end: ReActEnd,
        unread: Usage,
    ) -> Self {
        let steps = trajectory.iter().map(|step| step.usage);
        let unread = (end == ReActEnd::UnreadableStep).then_some(unread);
        let usages = steps.chain(unread).chain([answer.usage()]).collect();
        ReActed {
            answer,
            trajectory,
            end,
            usages,
        }
    }

    /// The bare output.
    #[must_use]
    pub fn into_inner(self) -> O {
        self.answer.into_inner()
    }

    /// The final prediction, whose usage holds that of all steps.
    #[must_use]
    pub fn into_predicted(self) -> Predicted<O> {
        let steps = self.usages.iter().rev().skip(1);
        let cost = steps.fold(Usage::default(), |sum, usage| sum + *usage);
        self.answer.after_steps(cost)
    }

    /// The final prediction.
    #[must_use]
    pub fn answer(&self) -> &Predicted<O> {
        &self.answer
    }

    /// The steps, in order.
    #[must_use]
    pub fn trajectory(&self) -> &[Step] {
        &self.trajectory
    }

    /// Why no more tools were called.
    #[must_use]
    pub fn end(&self) -> ReActEnd {
        self.end
    }

    /// Tokens of each step, and of the final answer.
    #[must_use]
    pub fn usages(&self) -> &[Usage] {
        &self.usages
    }
}

impl<O> Deref for ReActed<O> {
    type Target = O;

    fn deref(&self) -> &O {
        &self.answer
    }
}
