//! Grammars compiled once for a model's vocabulary, and shared.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use llguidance::api::TopLevelGrammar;
use llguidance::{Matcher, ParserFactory};
use toktrie::InferenceCapabilities;

use crate::engine::{LogitsMask, TokenId, Tokenizer};

use super::close::Closer;
use super::constraint::Source;
use super::mask::GrammarMask;
use super::vocabulary::vocabulary;
use super::{Constraint, GrammarError};

/// Compiled grammars are small, but a server may be asked for ever new ones.
const MOST_KEPT: usize = 256;

/// Compiles grammars for one model's vocabulary. Equal grammars are compiled once.
pub struct GrammarCompiler {
    factory: ParserFactory,
    closer: Arc<Closer>,
    compiled: Mutex<HashMap<Source, Grammar>>,
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
        let slices = llguidance::earley::SlicedBiasComputer::general_slices();
        let mut factory = ParserFactory::new(&vocabulary, capabilities, &slices)
            .map_err(|error| GrammarError::Compile(error.to_string()))?;
        factory.quiet();
        factory.limits_mut().verbose_errors = false;
        Ok(GrammarCompiler {
            factory,
            closer: Arc::new(Closer::new(&vocabulary)),
            compiled: Mutex::default(),
        })
    }

    /// What was compiled of this constraint before, if anything.
    ///
    /// # Errors
    /// If no value satisfies the constraint.
    pub fn compiled(&self, constraint: &Constraint) -> Result<Option<Grammar>, GrammarError> {
        Ok(self.known(&constraint.source()?))
    }

    /// Compiles a constraint, or returns what was compiled before.
    ///
    /// # Errors
    /// If no value satisfies the constraint, or the grammar does not compile.
    pub fn compile(&self, constraint: &Constraint) -> Result<Grammar, GrammarError> {
        let source = constraint.source()?;
        if let Some(grammar) = self.known(&source) {
            return Ok(grammar);
        }
        let grammar = self.build(&source)?;
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if compiled.len() >= MOST_KEPT {
            compiled.clear();
        }
        compiled.insert(source, grammar.clone());
        Ok(grammar)
    }

    fn known(&self, source: &Source) -> Option<Grammar> {
        self.compiled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(source)
            .cloned()
    }

    fn build(&self, source: &Source) -> Result<Grammar, GrammarError> {
        let refused = |error: &dyn fmt::Display| GrammarError::Compile(error.to_string());
        let top = match source {
            Source::Lark(grammar) => TopLevelGrammar::from_lark(grammar.clone()),
            Source::Regex(regex) => TopLevelGrammar::from_regex(regex),
            Source::JsonSchema(schema) => TopLevelGrammar::from_json_schema(
                serde_json::from_str(schema).map_err(|error| refused(&error))?,
            ),
        };
        let matcher = Matcher::new(self.factory.create_parser(top));
        match matcher.get_error() {
            Some(error) => Err(refused(&error)),
            None => Ok(Grammar {
                start: Arc::new(Mutex::new(matcher)),
                closer: Arc::clone(&self.closer),
            }),
        }
    }
}

impl fmt::Debug for GrammarCompiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrammarCompiler").finish_non_exhaustive()
    }
}

/// A compiled grammar. Cheap to clone.
#[derive(Clone)]
pub struct Grammar {
    start: Arc<Mutex<Matcher>>,
    closer: Arc<Closer>,
}

impl Grammar {
    /// A mask at the grammar's start, for one reply.
    #[must_use]
    pub fn mask(&self) -> Box<dyn LogitsMask> {
        let start = self
            .start
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .deep_clone();
        Box::new(GrammarMask::new(start, Arc::clone(&self.closer)))
    }

    /// Whether the whole text is a reply of the grammar.
    #[must_use]
    pub fn accepts(&self, text: &str) -> bool {
        let mut matcher = self
            .start
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .deep_clone();
        let Ok(environment) = matcher.tok_env() else {
            return false;
        };
        let tokens = environment.tokenize(text);
        matcher
            .try_consume_tokens(&tokens)
            .is_ok_and(|taken| taken == tokens.len())
            && (matcher.is_stopped() || matcher.is_accepting().unwrap_or(false))
    }
}

impl fmt::Debug for Grammar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grammar").finish_non_exhaustive()
    }
}
