//! A tokenizer that splits text in a way of its own, told by llama.cpp's means: nearly the same tokens, from a program that
//! knows no such split.
//!
//! llama.cpp has a fixed list of splits. The one of SuperBPE is none, but for numbers: there the merges alone say where a token
//! ends. So merges are kept where all that they join is of one kind (letters, marks, spaces), which a split by kinds would not have
//! parted; and what the split takes together across kinds (` the`, `": "`, a prompt's fixed phrase) is joined last, or looked for in the
//! text before anything else, as llama.cpp does with tokens that users define. It can't be exact: neither way sees what stands
//! around, so that ` waste` begins with ` was`.

use std::collections::HashSet;

use regex::Regex;

use super::vocabulary::Vocabulary;
use crate::engine::load::gguf_tokenizer::kind;
use crate::engine::{EngineError, TokenId, Tokenizer};

/// llama.cpp's name of the split that parts numbers and nothing else.
const NO_SPLIT: &str = "superbpe";

/// Of so many tokens at most one may join kinds. Where words come with their space this is the most of them, and
/// nothing is won.
const MOST_JOINED: usize = 16;

/// How a byte-level vocabulary writes a space.
const SPACE: &str = "Ġ";

/// How a token that joins kinds is made of its text.
enum Joined {
    /// By a merge, once all others are made.
    Last(String),
    /// By looking for this text first.
    First(String),
}

/// Rewrites merges and kinds so that llama.cpp comes near to the tokenizer; changes nothing where it can't.
pub(super) fn come_near(
    vocabulary: &mut Vocabulary,
    tokenizer: &Tokenizer,
) -> Result<(), EngineError> {
    let kinds = Kinds::new()?;
    let (mut first, mut last) = (Vec::new(), Vec::new());
    // Of one kind, or a part of a character, which is of its kind whichever that is.
    let mut plain = HashSet::new();
    for id in 0..vocabulary.tokens.len() {
        if i64::from(vocabulary.kinds[id]) != kind::NORMAL {
            continue;
        }
        let Some(text) = text(tokenizer, id).filter(|text| !kinds.one.is_match(text)) else {
            plain.insert(vocabulary.tokens[id].clone());
            continue;
        };
        match joined(vocabulary, tokenizer, &kinds, id, &text)? {
            Some(Joined::Last(merge)) => last.push(merge),
            Some(Joined::First(text)) => first.push((id, text)),
            None => {}
        }
    }
    let joined = first.len() + last.len();
    if joined == 0 || joined * MOST_JOINED > vocabulary.tokens.len() {
        return Ok(());
    }
    vocabulary
        .merges
        .retain(|merge| plain.contains(&merge.replace(' ', "")));
    // In `): the` the space is the mark's.
    last.sort_by_key(|merge| merge.starts_with(SPACE));
    vocabulary.merges.extend(last);
    for (id, text) in first {
        vocabulary.tokens[id] = text;
        vocabulary.kinds[id] = kind::USER_DEFINED as i32;
    }
    vocabulary.split = NO_SPLIT;
    Ok(())
}

/// How a token that joins kinds comes about; none where the tokenizer never makes it.
fn joined(
    vocabulary: &Vocabulary,
    tokenizer: &Tokenizer,
    kinds: &Kinds,
    id: usize,
    text: &str,
) -> Result<Option<Joined>, EngineError> {
    let one = |text: &str| -> Result<Option<usize>, EngineError> {
        let ids = tokenizer.encode_text(text)?;
        Ok(match ids.as_slice() {
            [TokenId(id)] => Some(*id as usize),
            _ => None,
        })
    };
    if one(text)? != Some(id) {
        return Ok(None);
    }
    // A word or a run of marks, and one space: by a merge, which comes about where the word or the run ends with this part.
    let parts = match (text.strip_prefix(' '), text.strip_suffix(' ')) {
        (Some(word), _) if kinds.word.is_match(word) => Some((word, true)),
        (_, Some(marks)) if kinds.marks.is_match(marks) => Some((marks, false)),
        _ => None,
    };
    if let Some((part, after_space)) = parts
        && let Some(part) = one(part)?
    {
        let part = &vocabulary.tokens[part];
        return Ok(Some(Joined::Last(match after_space {
            true => format!("{SPACE} {part}"),
            false => format!("{part} {SPACE}"),
        })));
    }
    Ok(Some(Joined::First(text.to_owned())))
}

/// The text of a token; none where it is a part of a character.
fn text(tokenizer: &Tokenizer, id: usize) -> Option<String> {
    let bytes = tokenizer.token_bytes(TokenId(u32::try_from(id).ok()?))?;
    String::from_utf8(bytes).ok()
}

/// What text is made of.
struct Kinds {
    word: Regex,
    marks: Regex,
    one: Regex,
}

impl Kinds {
    fn new() -> Result<Self, EngineError> {
        let whole = |kinds: &str| {
            Regex::new(&format!("^(?:{kinds})$")).map_err(|error| EngineError::Tokenizer {
                place: "the kinds of characters".to_owned(),
                problem: error.to_string(),
            })
        };
        let (word, marks) = (r"[\p{L}\p{M}]+", r"[^\s\p{L}\p{M}\p{N}]+");
        Ok(Kinds {
            word: whole(word)?,
            marks: whole(marks)?,
            one: whole(&format!(r"{word}|{marks}|\p{{N}}+|[\r\n]+| +|\s"))?,
        })
    }
}
