//! A tokenizer as llguidance sees it: the bytes of each token in a trie, and canonical tokenization.

use std::sync::Arc;

use toktrie::{TokEnv, TokRxInfo, TokTrie, TokenizerEnv};

use crate::engine::{TokenId, Tokenizer};

/// The vocabulary of a model: `size` ids, of which `end` ends a reply.
pub(super) fn vocabulary(tokenizer: Arc<Tokenizer>, size: usize, end: TokenId) -> TokEnv {
    let words: Vec<Vec<u8>> = (0..size as u32)
        .map(|id| {
            let token = TokenId(id);
            let bytes = tokenizer.token_bytes(token).unwrap_or_default();
            if tokenizer.is_control(token) {
                // Marked so that no text ever matches it.
                [&[TokTrie::SPECIAL_TOKEN_MARKER], bytes.as_slice()].concat()
            } else {
                bytes
            }
        })
        .collect();
    let trie = TokTrie::from(&TokRxInfo::new(size as u32, end.0), &words);
    Arc::new(Vocabulary { tokenizer, trie })
}

struct Vocabulary {
    tokenizer: Arc<Tokenizer>,
    trie: TokTrie,
}

impl TokenizerEnv for Vocabulary {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<toktrie::TokenId> {
        let encoded = std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| self.tokenizer.encode_text(text).ok());
        let tokens: Vec<_> = encoded.into_iter().flatten().map(|token| token.0).collect();
        // Cut inside a character, or changed by the tokenizer's normalization: the longest tokens of the trie spell any bytes.
        if self.trie.decode_raw(&tokens) == bytes {
            tokens
        } else {
            self.trie.greedy_tokenize(bytes)
        }
    }
}

/// What is known of a vocabulary's tokens beforehand. Cheap to clone.
#[derive(Clone)]
pub(super) struct Marks {
    vocabulary: TokEnv,
    quotes: Arc<[toktrie::TokenId]>,
}

impl Marks {
    pub fn new(vocabulary: TokEnv) -> Self {
        let trie = vocabulary.tok_trie();
        let quotes = (0..trie.vocab_size() as u32)
            .filter(|token| !trie.is_special_token(*token) && trie.token(*token).contains(&b'"'))
            .collect();
        Marks { vocabulary, quotes }
    }

    pub fn trie(&self) -> &TokTrie {
        self.vocabulary.tok_trie()
    }

    pub fn tokenize(&self, text: &str) -> Vec<toktrie::TokenId> {
        self.vocabulary.tokenize(text)
    }

    /// The tokens with a `"`.
    pub fn quotes(&self) -> &[toktrie::TokenId] {
        &self.quotes
    }
}
