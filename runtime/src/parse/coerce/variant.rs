//! Enums: a variant by its name, and the one variant that a short explanation names.

use crate::signature::{EnumSpec, Value};

use super::super::RepairKind;
use super::super::error::{ErrorKind, Fault};
use super::super::names::folded;
use super::embedded::own_entry;
use super::peel::peel_once;
use super::scalar::MAX_SCALAR_TEXT;
use super::{Coercer, NodeKind, Source, json_source};

/// Words that may turn a sentence around.
const NEGATIONS: &[&str] = &[
    "not", "no", "never", "neither", "nor", "without", "except", "but", "unlikely", "isn't",
    "aren't", "wasn't", "don't", "doesn't", "cannot", "can't", "or", "either", "between", "rather",
    "than", "instead", "actually", "non", "anything", "unless", "if",
];

impl Coercer<'_> {
    pub(super) fn unit_variant(
        &mut self,
        spec: &EnumSpec,
        source: Source<'_>,
    ) -> Result<Value, Fault> {
        if source.text.len() > MAX_SCALAR_TEXT {
            let expected = super::describe_enum(spec);
            return Err(Fault::expected(&expected, source.text, source.at));
        }
        let mut part = source.trimmed();
        let mut layers = Vec::new();
        for _ in 0..10 {
            if let Some(value) = self.named(spec, part, &layers)? {
                return Ok(value);
            }
            match peel_once(part.text, self.field) {
                Some((inner, kind)) => {
                    layers.push(kind);
                    part = part.part(inner);
                }
                None => break,
            }
        }
        if !source.in_json
            && let Some((own, _)) = own_entry(source.text, self.field)
        {
            let node = own.node();
            let at = source.at + node.at;
            if let NodeKind::Text(text) = node.kind {
                self.note(RepairKind::Wrapped, at);
                return self.unit_variant(spec, json_source(text, at));
            }
        }
        self.mentioned(spec, source)
    }

    /// The variant that the text is the name of.
    fn named(
        &mut self,
        spec: &EnumSpec,
        source: Source<'_>,
        layers: &[RepairKind],
    ) -> Result<Option<Value>, Fault> {
        let Some((at, spelling)) = name_of(spec, source)? else {
            return Ok(None);
        };
        for kind in layers.iter().copied().chain(spelling) {
            self.note(kind, source.at);
        }
        Ok(Some(variant(spec, at)))
    }

    /// The only variant that a longer text names, where the text plainly chooses it.
    fn mentioned(&mut self, spec: &EnumSpec, source: Source<'_>) -> Result<Value, Fault> {
        let expected = super::describe_enum(spec);
        if source.text.starts_with(['[', '{']) {
            return Err(Fault::expected(&expected, source.text, source.at));
        }
        let mentions = mentions(spec, source.text);
        let mut variants: Vec<usize> = mentions.iter().map(|mention| mention.variant).collect();
        variants.sort_unstable();
        variants.dedup();
        let [only] = variants.as_slice() else {
            return Err(match variants.is_empty() {
                true => Fault::expected(&expected, source.text, source.at),
                false => {
                    let names = variants
                        .iter()
                        .map(|at| spec.variants[*at].name.to_string());
                    Fault::ambiguous(&expected, names.collect(), source.text, source.at)
                }
            });
        };
        let chosen = mentions.iter().any(|m| self.chooses(spec, source.text, m));
        if !chosen {
            let message = format!("expected {expected} and nothing else");
            return Err(Fault::new(ErrorKind::Type, source.at, message).showing(source.text));
        }
        self.note(RepairKind::Explanation, source.at);
        Ok(variant(spec, *only))
    }

    /// Whether the text says nothing but this variant and why: it comes first and is set apart, or comes last
    /// after `is` or a colon, or is the text's only emphasis; and no word turns it around.
    fn chooses(&self, spec: &EnumSpec, text: &str, mention: &Mention) -> bool {
        let before = &text[..mention.start];
        let after = &text[mention.end..];
        let prefix = before.trim_matches(is_wrapping);
        let open_after = after.trim_start_matches(['*', '_', '`', '"', '\'']);
        let turned =
            |part: &str| super::scalar::words(part).any(|word| NEGATIONS.contains(&word.as_str()));
        let first =
            prefix.is_empty() && (set_apart(open_after) || self.names_type(spec, open_after));
        if first {
            // `Teal, not blue` still chooses teal; `Teal or so`, `Teal, if ...` do not.
            let doubts = [
                "or", "if", "unless", "between", "instead", "actually", "either", "rather",
            ];
            return !super::scalar::words(after).any(|word| doubts.contains(&word.as_str()));
        }
        let last = open_after
            .trim_matches(|c: char| is_wrapping(c) || matches!(c, '.' | '!'))
            .is_empty();
        let lead = prefix.trim_end();
        let introduced = lead.ends_with([':', '='])
            || lead.ends_with(" is")
            || lead.ends_with(" as")
            || lead == "is";
        let emphasised = ["**", "`", "\""].iter().any(|sign| {
            before.ends_with(sign) && after.starts_with(sign) && text.matches(sign).count() == 2
        });
        let short = text.len() <= 400;
        short && ((last && introduced) || emphasised) && !turned(before) && (last || !turned(after))
    }

    /// `High urgency` where the field or the enum is called urgency.
    fn names_type(&self, spec: &EnumSpec, after: &str) -> bool {
        let word = folded(after);
        let word = word.as_ref();
        !word.is_empty() && (word == folded(self.field) || word == folded(&spec.name))
    }
}

fn is_wrapping(c: char) -> bool {
    c.is_whitespace() || matches!(c, '*' | '_' | '`' | '"' | '\'' | '-' | '•')
}

/// Whether what follows a name is plainly an explanation.
fn set_apart(after: &str) -> bool {
    let trimmed = after.trim_start_matches([' ', '\t']);
    trimmed.starts_with([',', '.', ':', ';', '(', '–', '—', '\n', '\r', '!'])
        || (trimmed.starts_with("- ") && trimmed.len() < after.len())
        || ["because ", "since ", "due to "]
            .iter()
            .any(|word| trimmed.starts_with(word))
}

fn variant(spec: &EnumSpec, at: usize) -> Value {
    Value::String(spec.variants[at].name.to_string())
}

/// The variant of a name or alias, and which leniency that took.
pub(super) fn name_of(
    spec: &EnumSpec,
    source: Source<'_>,
) -> Result<Option<(usize, Option<RepairKind>)>, Fault> {
    let text = source.text;
    if let Some(at) = spec.variants.iter().position(|v| v.name == text) {
        return Ok(Some((at, None)));
    }
    if let Some(at) = spec
        .variants
        .iter()
        .position(|v| v.aliases.iter().any(|a| a == text))
    {
        return Ok(Some((at, Some(RepairKind::VariantAlias))));
    }
    let mut alike = alike(spec, text);
    if alike.is_empty() {
        // `Urgency.High` and `Urgency::High`.
        let tail = text.rsplit_once("::").or_else(|| text.rsplit_once('.'));
        let path = |path: &str| {
            path.chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '.'))
        };
        if let Some((_, name)) = tail.filter(|(head, _)| !head.is_empty() && path(head)) {
            alike = self::alike(spec, name);
        }
    }
    match alike.as_slice() {
        [] => Ok(None),
        [at] => Ok(Some((*at, Some(RepairKind::VariantSpelling)))),
        several => {
            let names = several.iter().map(|at| spec.variants[*at].name.to_string());
            Err(Fault::ambiguous(
                "one variant",
                names.collect(),
                text,
                source.at,
            ))
        }
    }
}

/// The variants that are equal but for case, and only if there is none, those equal but for spaces and punctuation.
fn alike(spec: &EnumSpec, text: &str) -> Vec<usize> {
    let spellings = |at: usize| {
        let v = &spec.variants[at];
        std::iter::once(&v.name).chain(v.aliases.iter())
    };
    let all = 0..spec.variants.len();
    let lower = text.to_lowercase();
    let by_case: Vec<usize> = all
        .clone()
        .filter(|at| spellings(*at).any(|name| name.to_lowercase() == lower))
        .collect();
    if !by_case.is_empty() {
        return by_case;
    }
    let wanted = folded(text);
    if wanted.is_empty()
        || text.len() > 4 * wanted.len() + 8
        || signed(text)
        || text.contains(['[', '{'])
    {
        return Vec::new();
    }
    all.filter(|at| spellings(*at).any(|name| folded(name) == wanted && !signed(name)))
        .collect()
}

/// `C++`, `+1`, `-5`: signs that tell names apart.
fn signed(name: &str) -> bool {
    name.contains(['+', '#', '<', '>', '=', '%', '$', '&'])
        || name
            .strip_prefix(['-', '−'])
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// A place where a text names a variant as a word.
struct Mention {
    variant: usize,
    start: usize,
    end: usize,
}

/// Every mention, the longest name where several begin at one place.
fn mentions(spec: &EnumSpec, text: &str) -> Vec<Mention> {
    // A long text is no choice of a variant, and searching it for many names would cost.
    if text.len() > 4 * 1024 {
        return Vec::new();
    }
    let mut found: Vec<Mention> = Vec::new();
    let starts = text
        .char_indices()
        .filter(|(at, c)| c.is_alphanumeric() && !text[..*at].ends_with(char::is_alphanumeric));
    for (start, _) in starts {
        if found.last().is_some_and(|last| last.end > start) {
            continue;
        }
        let longest = (spec.variants.iter().enumerate())
            .flat_map(|(variant, v)| {
                let names = std::iter::once(&v.name).chain(v.aliases.iter());
                names.filter_map(move |name| Some((variant, spelled_at(text, start, name)?)))
            })
            .max_by_key(|(_, end)| *end);
        if let Some((variant, end)) = longest {
            found.push(Mention {
                variant,
                start,
                end,
            });
        }
    }
    found
}

/// Where a name ends that is spelled out at `start`, case and punctuation aside.
fn spelled_at(text: &str, start: usize, name: &str) -> Option<usize> {
    let mut wanted = name
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .peekable();
    wanted.peek()?;
    let mut end = start;
    for (at, c) in text[start..].char_indices() {
        if wanted.peek().is_none() {
            break;
        }
        if c.is_alphanumeric() {
            for lower in c.to_lowercase() {
                if wanted.next() != Some(lower) {
                    return None;
                }
            }
            end = start + at + c.len_utf8();
        } else if !matches!(c, ' ' | '-' | '_' | '.' | '/' | '\'') {
            return None;
        }
    }
    let whole = wanted.peek().is_none() && !text[end..].starts_with(char::is_alphanumeric);
    whole.then_some(end)
}
