//! Grammars compiled once for a model's vocabulary, and shared.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use llguidance::api::TopLevelGrammar;
use llguidance::{Matcher, ParserFactory};
use toktrie::InferenceCapabilities;

use crate::engine::{LogitsMask, TokenId, Tokenizer};

use super::cache::Cache;
use super::close::Closer;
use super::constraint::Source;
use super::guarded::Guarded;
use super::mask::GrammarMask;
use super::vocabulary::{Marks, vocabulary};
use super::walk::Plan;
use super::{Constraint, GrammarError};

/// Compiles grammars for one model's vocabulary. Equal grammars are compiled once.
pub struct GrammarCompiler {
    factory: ParserFactory,
    closer: Arc<Closer>,
    marks: Marks,
    compiled: Mutex<Cache>,
}

impl GrammarCompiler {
    /// A compiler for a vocabulary of `size` ids. `end` is the token that ends a reply.
    ///
    /// Builds a trie of the whole vocabulary: about 100 ms for 150,000 tokens.
    ///
    /// # Errors
    /// [`GrammarError::Compile`] if the vocabulary can't be used.
    pub fn new(tokenizer: Arc<Tokenizer>, size: usize, end: TokenId) -> Result<Self, GrammarError> {
        let vocabulary = vocabulary(tokenizer, size, end);
        let capabilities = InferenceCapabilities {
            ff_tokens: true,
            ..Default::default()
        };
        let mut factory = ParserFactory::new(&vocabulary, capabilities, &slices())
            .map_err(|error| GrammarError::Compile(error.to_string()))?;
        factory.quiet();
        factory.limits_mut().verbose_errors = false;
        Ok(GrammarCompiler {
            factory,
            closer: Arc::new(Closer::new(&vocabulary)),
            marks: Marks::new(vocabulary),
            compiled: Mutex::default(),
        })
    }

    /// What was compiled of this constraint before, if anything.
    #[must_use]
    pub fn compiled(&self, constraint: &Constraint) -> Option<Grammar> {
        self.cache().get(constraint)
    }

    /// Compiles a constraint, or returns what was compiled before.
    ///
    /// # Errors
    /// If no value satisfies the constraint, or the grammar does not compile.
    pub fn compile(&self, constraint: &Constraint) -> Result<Grammar, GrammarError> {
        if let Some(grammar) = self.compiled(constraint) {
            return Ok(grammar);
        }
        let (source, plan) = constraint.source()?;
        let grammar = self.build(&source, plan)?;
        self.cache().keep(constraint, grammar.clone());
        Ok(grammar)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn build(&self, source: &Source, plan: Option<Arc<Plan>>) -> Result<Grammar, GrammarError> {
        let refused = |error: &dyn fmt::Display| GrammarError::Compile(error.to_string());
        let top = match source {
            Source::Lark(grammar) => TopLevelGrammar::from_lark(grammar.clone()),
            Source::Regex(regex) => TopLevelGrammar::from_regex(regex),
            Source::JsonSchema(schema) => TopLevelGrammar::from_json_schema(
                serde_json::from_str(schema).map_err(|error| refused(&error))?,
            ),
        };
        let matcher = Matcher::new(self.factory.create_parser(top));
        if let Some(error) = matcher.get_error() {
            return Err(refused(&error));
        }
        let start = Guarded::new(matcher, plan, self.marks.clone());
        Ok(Grammar {
            start: Arc::new(Mutex::new(start)),
            spare: Arc::default(),
            closer: Arc::clone(&self.closer),
        })
    }
}

/// Kinds of tokens that are let in as a whole where a lexeme takes all of the kind: the more of the vocabulary they
/// cover, the less of it has to be walked. Widest last.
fn slices() -> Vec<String> {
    // No text of JSON strings or of lines ends or escapes anything with these.
    const PLAIN: &str = r#"[^"\\\x00-\x1F\x7F\u{85}\u{2028}\u{2029}]"#;
    vec![
        format!("{PLAIN}{{1,10}}"),
        format!("{PLAIN}{{1,30}}"),
        // Nor does a line that begins so open a marker. Letters of other scripts would make the comparison too dear.
        format!(" ?[a-zA-Z0-9]{PLAIN}*"),
        format!("{PLAIN}+"),
    ]
}

impl fmt::Debug for GrammarCompiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrammarCompiler").finish_non_exhaustive()
    }
}

/// A compiled grammar. Cheap to clone.
#[derive(Clone)]
pub struct Grammar {
    start: Arc<Mutex<Guarded>>,
    /// States that replies are done with, for the next ones.
    spare: Spare,
    closer: Arc<Closer>,
}

/// States at the start of a grammar that know the automaton's states already.
pub(super) type Spare = Arc<Mutex<Vec<Guarded>>>;

impl Grammar {
    /// A mask at the grammar's start, for one reply.
    #[must_use]
    pub fn mask(&self) -> Box<dyn LogitsMask> {
        let spare = self
            .spare
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let start = spare.unwrap_or_else(|| self.state());
        Box::new(GrammarMask::new(
            start,
            Arc::clone(&self.closer),
            Arc::clone(&self.spare),
        ))
    }

    /// Whether the whole text is a valid reply.
    #[must_use]
    pub fn accepts(&self, text: &str) -> bool {
        let mut state = self.state();
        let tokens = state.tokenize(text);
        state.try_take(&tokens) && state.is_complete()
    }

    fn state(&self) -> Guarded {
        self.start
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .separate()
    }
}

impl fmt::Debug for Grammar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grammar").finish_non_exhaustive()
    }
}
