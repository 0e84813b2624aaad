//! What can be tuned of a program without touching its code: instruction, demos and overrides; what is saved and loaded.

use std::fmt;
use std::future::Future;

use crate::adapter::{Backend, CandleAdapterError, Overrides};
use crate::signature::{Demo, Signature, SignatureSpec, Str};

use super::Predicted;

/// What can be tuned of a program: what optimizers change, and what is saved and loaded.
pub struct Settings<S: Signature> {
    /// What the model is asked to do; empty for the default sentence.
    pub instruction: String,
    /// Shown to the model in front of the request, in order.
    pub demos: Vec<Demo<S>>,
    /// What the program changes of its backend's configuration.
    pub overrides: Overrides,
}

impl<S: Signature> Settings<S> {
    /// The signature's own instruction, no demos, nothing overridden.
    #[must_use]
    pub fn new() -> Self {
        Settings {
            instruction: S::SPEC.instruction.clone().into_owned(),
            demos: Vec::new(),
            overrides: Overrides::default(),
        }
    }

    /// A spec of the signature with this instruction.
    pub(super) fn instructed(&self, spec: SignatureSpec) -> SignatureSpec {
        SignatureSpec {
            instruction: Str::Owned(self.instruction.clone()),
            ..spec
        }
    }
}

impl<S: Signature> Clone for Settings<S> {
    fn clone(&self) -> Self {
        Settings {
            instruction: self.instruction.clone(),
            demos: self.demos.clone(),
            overrides: self.overrides,
        }
    }
}

impl<S: Signature> PartialEq for Settings<S> {
    fn eq(&self, other: &Self) -> bool {
        self.instruction == other.instruction
            && self.demos == other.demos
            && self.overrides == other.overrides
    }
}

impl<S: Signature> fmt::Debug for Settings<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("instruction", &self.instruction)
            .field("demos", &self.demos)
            .field("overrides", &self.overrides)
            .finish()
    }
}

impl<S: Signature> Default for Settings<S> {
    fn default() -> Self {
        Settings::new()
    }
}

/// Anything that makes outputs of inputs with a backend: what is evaluated.
///
/// Implement it for a program composed of others: `run` is plain Rust.
pub trait Program: Send + Sync {
    /// What goes in and comes out.
    type Signature: Signature;

    /// Runs the program once.
    fn run<B: Backend + ?Sized>(
        &self,
        backend: &B,
        input: <Self::Signature as Signature>::Input,
    ) -> impl Future<
        Output = Result<Predicted<<Self::Signature as Signature>::Output>, CandleAdapterError>,
    > + Send;
}

/// A program with settings: what is optimized, saved ([`super::save`]) and loaded ([`super::load`]).
pub trait Tunable: Program + Clone {
    /// What kind of program it is, as a saved state says it.
    const KIND: &'static str;

    /// The settings.
    fn settings(&self) -> &Settings<Self::Signature>;

    /// The settings, to change them.
    fn settings_mut(&mut self) -> &mut Settings<Self::Signature>;

    /// Names of outputs that its demos may show beside the signature's own.
    #[must_use]
    fn extra_outputs() -> &'static [&'static str] {
        &[]
    }

    /// The same program with other settings.
    #[must_use]
    fn with_settings(mut self, settings: Settings<Self::Signature>) -> Self {
        *self.settings_mut() = settings;
        self
    }
}
