//! Why a grammar can't be made.

/// A constraint that can't be compiled into a grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrammarError {
    /// No value satisfies the field's type and constraints.
    #[error("field `{field}`: no value satisfies its constraints: {problem}")]
    Unsatisfiable {
        /// The field.
        field: String,
        /// Which constraints exclude each other.
        problem: String,
    },
    /// The grammar compiler refused the grammar: as a rule, a regular expression beyond what it supports.
    #[error("the grammar does not compile: {0}")]
    Compile(String),
}
