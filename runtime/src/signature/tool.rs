//! A tool: a function that a program may call for the model, described by data. `#[candle_tool]` makes one.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::{FieldSpec, FieldValue, FieldValues, Value, ValueError};

/// What [`Tool::call`] returns.
pub type ToolFuture<'t> = Pin<Box<dyn Future<Output = Result<Value, ToolError>> + Send + 't>>;

/// A function that the model may ask to be called.
pub trait Tool: Send + Sync {
    /// The name by which the model calls it.
    fn name(&self) -> &str;

    /// What it does, for the prompt; may be empty.
    fn description(&self) -> &str;

    /// Its arguments, in order.
    fn arguments(&self) -> &[FieldSpec];

    /// Calls it.
    fn call(&self, arguments: FieldValues) -> ToolFuture<'_>;

    /// How long a call may take; `None` for what the program allows.
    fn time_limit(&self) -> Option<Duration> {
        None
    }

    /// The same tool with a limit on the time of a call.
    #[must_use]
    fn within(self, limit: Duration) -> Within<Self>
    where
        Self: Sized,
    {
        Within { tool: self, limit }
    }
}

/// A tool with a limit on the time of a call: [`Tool::within`].
#[derive(Debug, Clone, Copy)]
pub struct Within<T> {
    tool: T,
    limit: Duration,
}

impl<T: Tool> Tool for Within<T> {
    fn name(&self) -> &str {
        self.tool.name()
    }

    fn description(&self) -> &str {
        self.tool.description()
    }

    fn arguments(&self) -> &[FieldSpec] {
        self.tool.arguments()
    }

    fn call(&self, arguments: FieldValues) -> ToolFuture<'_> {
        self.tool.call(arguments)
    }

    fn time_limit(&self) -> Option<Duration> {
        Some(self.limit)
    }
}

/// Why a call of a tool has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum ToolError {
    /// The arguments are not those of the tool.
    Arguments {
        /// The tool's name.
        tool: String,
        /// One error an argument.
        errors: Vec<ValueError>,
    },
    /// The tool ran and failed.
    Failed {
        /// The tool's name.
        tool: String,
        /// Its own error.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The tool did not return in time.
    TimedOut {
        /// The tool's name.
        tool: String,
        /// How long it was given.
        limit: Duration,
    },
    /// The tool panicked.
    Panicked {
        /// The tool's name.
        tool: String,
        /// What it said.
        message: String,
    },
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ToolError::Arguments { tool, errors } => {
                write!(f, "tool `{tool}`: ")?;
                for (at, error) in errors.iter().enumerate() {
                    write!(f, "{}argument {error}", if at == 0 { "" } else { "; " })?;
                }
                Ok(())
            }
            ToolError::Failed { tool, source } => write!(f, "tool `{tool}` failed: {source}"),
            ToolError::TimedOut { tool, limit } => {
                write!(
                    f,
                    "tool `{tool}` gave no answer within {limit:?} and was given up"
                )
            }
            ToolError::Panicked { tool, message } => write!(f, "tool `{tool}` panicked: {message}"),
        }
    }
}

impl Error for ToolError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ToolError::Failed { source, .. } => Some(&**source),
            _ => None,
        }
    }
}

/// What a tool's function may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the result of a tool",
    label = "not a tool's result",
    note = "return a field type, `()`, or a `Result` of one of them whose error converts into `Box<dyn Error + Send + Sync>`"
)]
pub trait ToolOutput {
    /// The result as a value.
    ///
    /// # Errors
    /// The function's own error.
    fn into_output(self) -> Result<Value, Box<dyn Error + Send + Sync>>;
}

#[diagnostic::do_not_recommend]
impl<T: FieldValue> ToolOutput for T {
    fn into_output(self) -> Result<Value, Box<dyn Error + Send + Sync>> {
        Ok(self.into_value())
    }
}

impl ToolOutput for () {
    fn into_output(self) -> Result<Value, Box<dyn Error + Send + Sync>> {
        Ok(Value::Null)
    }
}

impl ToolOutput for &'static str {
    fn into_output(self) -> Result<Value, Box<dyn Error + Send + Sync>> {
        Ok(Value::String(self.to_owned()))
    }
}

impl<T: ToolOutput, E: Into<Box<dyn Error + Send + Sync>>> ToolOutput for Result<T, E> {
    fn into_output(self) -> Result<Value, Box<dyn Error + Send + Sync>> {
        self.map_err(Into::into)?.into_output()
    }
}

/// The result of a tool's function.
///
/// # Errors
/// [`ToolError::Failed`] with the function's own error.
pub fn tool_result(tool: &str, output: impl ToolOutput) -> Result<Value, ToolError> {
    output.into_output().map_err(|source| ToolError::Failed {
        tool: tool.to_owned(),
        source,
    })
}

/// Arguments that are wrong.
#[must_use]
pub fn tool_arguments(tool: &str, errors: Vec<ValueError>) -> ToolError {
    ToolError::Arguments {
        tool: tool.to_owned(),
        errors,
    }
}

/// Refuses arguments that the tool does not have: the model should hear of its slip.
///
/// # Errors
/// [`ToolError::Arguments`] with every name that is none of `fields`.
pub fn check_arguments(
    tool: &str,
    values: &FieldValues,
    fields: &[FieldSpec],
) -> Result<(), ToolError> {
    let known: Vec<_> = fields
        .iter()
        .map(|field| format!("`{}`", field.name))
        .collect();
    let known = if known.is_empty() {
        "it has none".into()
    } else {
        format!("it has {}", known.join(", "))
    };
    let errors: Vec<_> = values
        .iter()
        .filter(|(name, _)| !fields.iter().any(|field| field.name == *name))
        .map(|(name, _)| ValueError::new(format!("unknown; {known}")).at(name))
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(tool_arguments(tool, errors))
    }
}
