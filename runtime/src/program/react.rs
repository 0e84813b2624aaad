//! Reasoning and acting in turns (Yao et al. 2022): the model picks tools, they are run, their results are fed back.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument as _;

use crate::adapter::{Backend, CandleAdapterError, Completion, Constraint, Overrides, Usage};
use crate::signature::{Demo, FieldSet as _, FieldSpec, FieldValues, Signature, Tool};

use super::call::{Prompt, suited};
use super::observe::Observed;
use super::react_spec::{FINISH, final_spec, step_spec};
use super::react_step::{ReadStep, read_step, with_trajectory};
use super::retry::{call_checked, usual_retries};
use super::tool_run::run_tool;
use super::{Predicted, Program, ReActEnd, ReActed, Settings, Step, Tunable};

/// A program that may call tools before it answers.
///
/// Each step gives a thought, a tool and its arguments, held to the tools that are registered where the backend can. What a tool
/// returns, its error included, is fed back. After `finish`, or the last step that is allowed, the signature's outputs are asked for,
/// with all that was seen. Where the steps no longer fit the context the model is shown the latest ones only.
///
/// A tool runs on a thread of its own. One that takes longer than its limit is given up, one that panics has failed: the model
/// is told of both, and the program goes on.
pub struct ReAct<S: Signature> {
    settings: Settings<S>,
    tools: Vec<Arc<dyn Tool>>,
    max_steps: usize,
    tool_limit: Duration,
    max_observation: usize,
}

/// What happened so far.
#[derive(Default)]
struct Run {
    trajectory: Vec<Step>,
    /// Steps that the model is no longer shown, because the context is full.
    forgotten: usize,
    /// Tokens of a step that could not be read.
    unread: Usage,
}

impl<S: Signature> ReAct<S> {
    /// A program without tools that may take five steps.
    #[must_use]
    pub fn new() -> Self {
        ReAct {
            settings: Settings::new(),
            tools: Vec::new(),
            max_steps: 5,
            tool_limit: Duration::from_secs(60),
            max_observation: 4000,
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

    /// Bounds the time of a tool that has no limit of its own ([`Tool::within`]). Default a minute.
    #[must_use]
    pub fn with_tool_limit(mut self, limit: Duration) -> Self {
        self.tool_limit = limit;
        self
    }

    /// Bounds the characters that the model is shown of what a tool returns. Default 4000.
    #[must_use]
    pub fn with_max_observation(mut self, characters: usize) -> Self {
        self.max_observation = characters;
        self
    }

    /// Replaces the signature's instruction.
    #[must_use]
    pub fn with_instruction(mut self, instruction: impl Into<String>) -> Self {
        self.settings.instruction = instruction.into();
        self
    }

    /// Adds demos of the final answer. They show no trajectory, which the prompt says of them.
    #[must_use]
    pub fn with_demos(mut self, demos: impl IntoIterator<Item = Demo<S>>) -> Self {
        self.settings.demos.extend(demos);
        self
    }

    /// Changes the backend's configuration for steps and answer, instead of what was said before.
    #[must_use]
    pub fn with_overrides(mut self, overrides: Overrides) -> Self {
        self.settings.overrides = overrides;
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
        self.call_watched(backend, input, |_| ()).await
    }

    /// The same, and tells of each step once its tool has returned.
    ///
    /// # Errors
    /// As [`ReAct::call`].
    pub async fn call_watched<B: Backend + ?Sized>(
        &self,
        backend: &B,
        input: S::Input,
        mut watch: impl FnMut(&Step) + Send,
    ) -> Result<ReActed<S::Output>, CandleAdapterError> {
        let input = input.into_values();
        let mut run = Run::default();
        let end = self.steps(backend, &input, &mut run, &mut watch).await?;
        let answer = self.answer(backend, &input, &mut run).await?;
        Ok(ReActed::new(answer, run.trajectory, end, run.unread))
    }

    async fn answer<B: Backend + ?Sized>(
        &self,
        backend: &B,
        input: &FieldValues,
        run: &mut Run,
    ) -> Result<Predicted<S::Output>, CandleAdapterError> {
        let spec = suited(
            backend,
            final_spec(&self.settings.instructed(S::SPEC.clone())),
        );
        let prompt = Prompt::new(&spec, &self.settings);
        let checks = S::checks();
        let retries = usual_retries(backend, &checks);
        loop {
            let inputs = with_trajectory(input, &run.trajectory[run.forgotten..]);
            match call_checked(backend, &prompt, &inputs, &checks, retries).await {
                Err(CandleAdapterError::ContextTooLong { .. }) if run.forget() => {}
                result => return result,
            }
        }
    }

    async fn steps<B: Backend + ?Sized>(
        &self,
        backend: &B,
        input: &FieldValues,
        run: &mut Run,
        watch: &mut (impl FnMut(&Step) + Send),
    ) -> Result<ReActEnd, CandleAdapterError> {
        let spec = step_spec(&self.settings.instructed(S::SPEC.clone()), &self.tools);
        let spec = suited(backend, spec);
        let prompt = Prompt::bare(&spec, self.settings.overrides);
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
            let (completion, mut observed) = ask(backend, &prompt, &constraint, input, run).await?;
            let read = read_step(&spec, &completion);
            observed.step(&completion, &read);
            drop(observed);
            let mut step = match read {
                ReadStep::Nothing => {
                    run.unread = completion.usage;
                    return Ok(ReActEnd::UnreadableStep);
                }
                ReadStep::Faulty(step) => step,
                ReadStep::Whole(mut step) => {
                    step.observation = self.observe(&step).await;
                    step
                }
            };
            step.usage = completion.usage;
            watch(&step);
            let finished = step.tool == FINISH;
            run.trajectory.push(step);
            if finished {
                return Ok(ReActEnd::Finished);
            }
        }
        Ok(ReActEnd::StepLimit)
    }

    /// What the tool of a step returns, as the model reads it.
    async fn observe(&self, step: &Step) -> String {
        if step.tool == FINISH {
            return "done".into();
        }
        let Some(tool) = self.tools.iter().find(|tool| tool.name() == step.tool) else {
            return format!("error: there is no tool `{}`", step.tool);
        };
        let limit = tool.time_limit().unwrap_or(self.tool_limit);
        let seen = match run_tool(tool, step.args.clone(), limit).await {
            Ok(value) => crate::prompt::plain_text(&value),
            Err(error) => format!("error: {error}"),
        };
        cut(seen, self.max_observation)
    }
}

/// Asks for a step; while the prompt does not fit, with fewer of the steps before it.
async fn ask<B: Backend + ?Sized>(
    backend: &B,
    prompt: &Prompt<'_>,
    constraint: &Constraint,
    input: &FieldValues,
    run: &mut Run,
) -> Result<(Completion, Observed), CandleAdapterError> {
    loop {
        let inputs = with_trajectory(input, &run.trajectory[run.forgotten..]);
        let messages = prompt.messages(&inputs);
        let mut observed = Observed::begin(backend, prompt);
        observed.sends(&messages);
        let request = prompt.request(messages, constraint.clone());
        let span = observed.span().clone();
        match backend.complete(request).instrument(span).await {
            Ok(completion) => return Ok((completion, observed)),
            Err(error) => {
                observed.failed(&error, None, &[]);
                if !(matches!(error, CandleAdapterError::ContextTooLong { .. }) && run.forget()) {
                    return Err(error);
                }
            }
        }
    }
}

impl Run {
    /// Leaves the oldest step out of what the model is shown, if there is one.
    fn forget(&mut self) -> bool {
        let can = self.forgotten < self.trajectory.len();
        self.forgotten += usize::from(can);
        can
    }
}

/// A text of at most so many characters, and how many more there were.
fn cut(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => {
            let left = text[end..].chars().count();
            format!("{} … ({left} characters more)", &text[..end])
        }
        None => text,
    }
}

impl<S: Signature> Program for ReAct<S> {
    type Signature = S;

    async fn run<B: Backend + ?Sized>(
        &self,
        backend: &B,
        input: S::Input,
    ) -> Result<Predicted<S::Output>, CandleAdapterError> {
        let acted = self.call(backend, input).await?;
        Ok(acted.into_predicted())
    }
}

impl<S: Signature> Tunable for ReAct<S> {
    const KIND: &'static str = "ReAct";

    fn settings(&self) -> &Settings<S> {
        &self.settings
    }

    fn settings_mut(&mut self) -> &mut Settings<S> {
        &mut self.settings
    }
}

impl<S: Signature> Default for ReAct<S> {
    fn default() -> Self {
        ReAct::new()
    }
}

impl<S: Signature> Clone for ReAct<S> {
    fn clone(&self) -> Self {
        ReAct {
            settings: self.settings.clone(),
            tools: self.tools.clone(),
            ..*self
        }
    }
}

impl<S: Signature> fmt::Debug for ReAct<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tools: Vec<_> = self.tools.iter().map(|tool| tool.name()).collect();
        f.debug_struct("ReAct")
            .field("settings", &self.settings)
            .field("tools", &tools)
            .field("max_steps", &self.max_steps)
            .field("tool_limit", &self.tool_limit)
            .field("max_observation", &self.max_observation)
            .finish()
    }
}
