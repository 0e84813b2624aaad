//! Reasoning and acting in turns (Yao et al. 2022): the model picks tools, they are run, their results are fed back.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::adapter::{Backend, CandleAdapterError, Constraint, Usage};
use crate::signature::{
    FieldSet, FieldSpec, FieldValue, FieldValues, Signature, SignatureSpec, Tool, Value,
};

use super::Predicted;
use super::call::{Prompt, call_held_to};
use super::react_spec::{FINISH, TRAJECTORY, final_spec, step_spec};
use super::retry::{call_checked, usual_retries};

/// A program that may call tools before it answers.
///
/// Each step gives a thought, a tool and its arguments, held to the tools that are registered where the backend can. What a tool
/// returns, its error included, is fed back. After `finish`, or the last step that is allowed, the signature's outputs are asked for,
/// with all that was seen.
#[derive(Clone)]
pub struct ReAct<S> {
    spec: SignatureSpec,
    tools: Vec<Arc<dyn Tool>>,
    max_steps: usize,
    signature: std::marker::PhantomData<fn() -> S>,
}

/// One step: what was thought, called, and seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What the model thought.
    pub thought: String,
    /// The tool that it chose; `finish` for none.
    pub tool: String,
    /// The arguments that it gave.
    pub args: FieldValues,
    /// What the tool returned, or its error.
    pub observation: String,
}

/// Why no more tools were called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReActEnd {
    /// The model finished.
    Finished,
    /// It would have gone on: [`ReAct::with_max_steps`].
    StepLimit,
    /// A step could not be read, which a grammar prevents.
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

impl<S: Signature> ReAct<S> {
    /// A program without tools that may take five steps.
    #[must_use]
    pub fn new() -> Self {
        ReAct {
            spec: S::SPEC.clone(),
            tools: Vec::new(),
            max_steps: 5,
            signature: std::marker::PhantomData,
        }
    }

    /// Registers a tool. One of a name that is registered already, takes its place; `finish` is the program's own.
    #[must_use]
    pub fn with_tool(mut self, tool: impl Tool + 'static) -> Self {
        self.tools.retain(|known| known.name() != tool.name());
        if tool.name() != FINISH {
            self.tools.push(Arc::new(tool));
        }
        self
    }

    /// Bounds the number of steps.
    #[must_use]
    pub fn with_max_steps(mut self, max_steps: usize) -> Self {
        self.max_steps = max_steps;
        self
    }

    /// Runs the program.
    ///
    /// # Errors
    /// What the backend reports, or that the final answer could not be read. A tool's error is no error of the program.
    pub async fn call<B: Backend + ?Sized>(
        &self,
        backend: &B,
        input: S::Input,
    ) -> Result<ReActed<S::Output>, CandleAdapterError> {
        let input = input.into_values();
        let mut trajectory = Vec::new();
        let mut usages = Vec::new();
        let end = self
            .steps(backend, &input, &mut trajectory, &mut usages)
            .await?;
        let spec = final_spec(&self.spec);
        let prompt = Prompt {
            spec: &spec,
            demos: Vec::new(),
        };
        let inputs = with_trajectory(&input, &trajectory);
        let checks = S::checks();
        let retries = usual_retries(&checks);
        let answer = call_checked(backend, &prompt, &inputs, &checks, retries).await?;
        usages.push(answer.usage());
        Ok(ReActed {
            answer,
            trajectory,
            end,
            usages,
        })
    }

    async fn steps<B: Backend + ?Sized>(
        &self,
        backend: &B,
        input: &FieldValues,
        trajectory: &mut Vec<Step>,
        usages: &mut Vec<Usage>,
    ) -> Result<ReActEnd, CandleAdapterError> {
        let spec = step_spec(&self.spec, &self.tools);
        let choices = self
            .tools
            .iter()
            .map(|tool| (tool.name().to_owned(), tool.arguments().to_vec()));
        let choices: Vec<(String, Vec<FieldSpec>)> =
            choices.chain([(FINISH.to_owned(), Vec::new())]).collect();
        let constraint = Constraint::ToolStep {
            spec: spec.clone(),
            tools: choices,
        };
        for _ in 0..self.max_steps {
            let prompt = Prompt {
                spec: &spec,
                demos: Vec::new(),
            };
            let inputs = with_trajectory(input, trajectory);
            let chosen = match call_held_to(
                backend,
                &prompt,
                &inputs,
                constraint.clone(),
                read_step,
            )
            .await
            {
                Ok(chosen) => chosen,
                Err(CandleAdapterError::ParseError(_)) => return Ok(ReActEnd::UnreadableStep),
                Err(error) => return Err(error),
            };
            usages.push(chosen.usage());
            let mut step = chosen.into_inner();
            let finished = step.tool == FINISH;
            step.observation = if finished {
                "done".into()
            } else {
                self.observe(&step).await
            };
            trajectory.push(step);
            if finished {
                return Ok(ReActEnd::Finished);
            }
        }
        Ok(ReActEnd::StepLimit)
    }

    /// What the tool of a step returns, as the model reads it.
    async fn observe(&self, step: &Step) -> String {
        let Some(tool) = self.tools.iter().find(|tool| tool.name() == step.tool) else {
            return format!("error: there is no tool `{}`", step.tool);
        };
        match tool.call(step.args.clone()).await {
            Ok(value) => crate::prompt::plain_text(&value),
            Err(error) => format!("error: {error}"),
        }
    }
}

impl<S: Signature> Default for ReAct<S> {
    fn default() -> Self {
        ReAct::new()
    }
}

impl<S> fmt::Debug for ReAct<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tools: Vec<_> = self.tools.iter().map(|tool| tool.name()).collect();
        f.debug_struct("ReAct")
            .field("tools", &tools)
            .field("max_steps", &self.max_steps)
            .finish()
    }
}

impl<O> ReActed<O> {
    /// The bare output.
    #[must_use]
    pub fn into_inner(self) -> O {
        self.answer.into_inner()
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

fn read_step(mut values: FieldValues) -> Result<Step, Vec<crate::signature::ValueError>> {
    let mut text = |name: &str| match values.take(name) {
        Some(value) => String::from_value(value).map_err(|error| error.at(name)),
        None => Err(crate::signature::ValueError::missing(name)),
    };
    let (thought, tool) = (text("next_thought"), text("next_tool_name"));
    let args = match values.take("next_tool_args") {
        Some(Value::Map(entries)) => entries.into_iter().collect(),
        _ => FieldValues::new(),
    };
    match (thought, tool) {
        (Ok(thought), Ok(tool)) => Ok(Step {
            thought,
            tool,
            args,
            observation: String::new(),
        }),
        (thought, tool) => Err([thought.err(), tool.err()].into_iter().flatten().collect()),
    }
}

fn with_trajectory(input: &FieldValues, trajectory: &[Step]) -> FieldValues {
    let mut inputs = input.clone();
    let steps = trajectory.iter().map(|step| {
        let text = |text: &str| Value::String(text.to_owned());
        let args = step
            .args
            .iter()
            .map(|(name, value)| (name.to_owned(), value.clone()));
        Value::Map(vec![
            ("thought".into(), text(&step.thought)),
            ("tool".into(), text(&step.tool)),
            ("args".into(), Value::Map(args.collect())),
            ("observation".into(), text(&step.observation)),
        ])
    });
    inputs.insert(TRAJECTORY, Value::List(steps.collect()));
    inputs
}
