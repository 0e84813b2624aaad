//! Tools made of closures, with argument types taken from the closure's own.

use std::fmt;
use std::future::Future;

use super::reader::Reader;
use super::tool::{check_arguments, tool_arguments, tool_result};
use super::{
    FieldSpec, FieldValue, FieldValues, Tool, ToolError, ToolFuture, ToolOutput, TypeRef,
    ValueError,
};

/// A tool made of a closure.
///
/// ```
/// use candle_signature::signature::FnTool;
///
/// let offset = 3;
/// let shift = FnTool::new("shift", "Adds the offset.", ["number"], move |number: i64| number + offset);
/// let half = FnTool::new("half", "Half of a number.", ["number"], |number: i64| match number % 2 {
///     0 => Ok(number / 2),
///     _ => Err("the number is odd"),
/// });
/// let later = FnTool::new_async("later", "Repeats a text.", ["text", "times"], |text: String, times: u8| async move {
///     text.repeat(times.into())
/// });
/// # let _ = (shift, half, later);
/// ```
pub struct FnTool {
    name: String,
    description: String,
    arguments: Vec<FieldSpec>,
    call: Box<Call>,
}

type Call = dyn Fn(FieldValues) -> ToolFuture<'static> + Send + Sync;

impl FnTool {
    /// A tool that calls a closure. The names are those of its arguments, in order.
    pub fn new<A, F>(
        name: impl Into<String>,
        description: impl Into<String>,
        arguments: F::Names,
        function: F,
    ) -> Self
    where
        F: ToolFn<A>,
        F::Returns: ToolOutput,
    {
        let (name, arguments) = (name.into(), F::arguments(arguments));
        let (tool, fields) = (name.clone(), arguments.clone());
        let call = move |values: FieldValues| -> ToolFuture<'static> {
            // Called within the future, so that it runs where the future is polled.
            let function = function.clone();
            let (tool, fields) = (tool.clone(), fields.clone());
            Box::pin(async move {
                let returned = returned(&function, &tool, &fields, values)?;
                tool_result(&tool, returned)
            })
        };
        FnTool {
            name,
            description: description.into(),
            arguments,
            call: Box::new(call),
        }
    }

    /// The same with a closure that returns a future.
    pub fn new_async<A, F>(
        name: impl Into<String>,
        description: impl Into<String>,
        arguments: F::Names,
        function: F,
    ) -> Self
    where
        F: ToolFn<A>,
        F::Returns: Future<Output: ToolOutput> + Send,
    {
        let (name, arguments) = (name.into(), F::arguments(arguments));
        let (tool, fields) = (name.clone(), arguments.clone());
        let call = move |values: FieldValues| -> ToolFuture<'static> {
            let function = function.clone();
            let (tool, fields) = (tool.clone(), fields.clone());
            Box::pin(async move {
                let returned = returned(&function, &tool, &fields, values)?;
                tool_result(&tool, returned.await)
            })
        };
        FnTool {
            name,
            description: description.into(),
            arguments,
            call: Box::new(call),
        }
    }
}

/// What a function returns for arguments that are checked first.
fn returned<A, F: ToolFn<A>>(
    function: &F,
    tool: &str,
    fields: &[FieldSpec],
    values: FieldValues,
) -> Result<F::Returns, ToolError> {
    check_arguments(tool, &values, fields)?;
    let returned = function.apply(Reader::strict(values, fields));
    returned.map_err(|errors| tool_arguments(tool, errors))
}

impl Tool for FnTool {
    fn name(&self) -> &str {
        &self.name
    }

    fn description(&self) -> &str {
        &self.description
    }

    fn arguments(&self) -> &[FieldSpec] {
        &self.arguments
    }

    fn call(&self, arguments: FieldValues) -> ToolFuture<'_> {
        (self.call)(arguments)
    }
}

impl fmt::Debug for FnTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnTool")
            .field("name", &self.name)
            .field("arguments", &self.arguments)
            .finish_non_exhaustive()
    }
}

/// Closures of up to four arguments, each of a field type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a tool",
    note = "a tool takes up to four arguments, each of a field type, and is `Clone + Send + Sync + 'static`"
)]
pub trait ToolFn<A>: Clone + Send + Sync + 'static {
    /// A name for each argument.
    type Names;
    /// What it returns.
    type Returns;

    /// Its arguments as data.
    fn arguments(names: Self::Names) -> Vec<FieldSpec>;

    /// Calls it with arguments read from values.
    ///
    /// # Errors
    /// One error an argument that is missing or wrong.
    #[doc(hidden)]
    fn apply(&self, read: Reader<'_>) -> Result<Self::Returns, Vec<ValueError>>;
}

macro_rules! tool_fn {
    ($count:literal: $($argument:ident $value:ident),*) => {
        impl<F, R, $($argument: FieldValue),*> ToolFn<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> R + Clone + Send + Sync + 'static,
        {
            type Names = [&'static str; $count];
            type Returns = R;

            fn arguments(names: Self::Names) -> Vec<FieldSpec> {
                let types: [TypeRef; $count] = [$(TypeRef::of::<$argument>()),*];
                let named = names.into_iter().zip(types);
                named.map(|(name, ty)| FieldSpec::owned(name, "", ty)).collect()
            }

            #[allow(unused_mut)]
            fn apply(&self, mut read: Reader<'_>) -> Result<R, Vec<ValueError>> {
                $(let $value = read.take($argument::from_value);)*
                let ($($value,)*) = read.all(|| Some(($($value?,)*)))?;
                Ok(self($($value),*))
            }
        }
    };
}

tool_fn!(0:);
tool_fn!(1: A a);
tool_fn!(2: A a, B b);
tool_fn!(3: A a, B b, C c);
tool_fn!(4: A a, B b, C c, D d);
