//! What the parser had to overlook or put right in a reply. Repairs are data: they travel with the result.

use std::fmt;

use crate::signature::Str;

/// One leniency that a reply needed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repair {
    /// The field whose text needed it; `None` where it is the reply as a whole.
    pub field: Option<Str>,
    /// Which leniency.
    pub kind: RepairKind,
    /// Where in the reply, as a byte offset.
    pub at: usize,
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = &self.field {
            write!(f, "field `{field}`: ")?;
        }
        write!(f, "{} (byte {})", self.kind.describe(), self.at)
    }
}

macro_rules! repairs {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $told:literal;)*) => {
        /// The leniencies of the parser, each by its name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum RepairKind {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl RepairKind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [RepairKind] = &[$(RepairKind::$variant,)*];

            /// A stable name in snake case, for logs and metrics.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(RepairKind::$variant => $name,)*
                }
            }

            /// What was done, in a few words.
            #[must_use]
            pub const fn describe(self) -> &'static str {
                match self {
                    $(RepairKind::$variant => $told,)*
                }
            }
        }
    };
}

repairs! {
    /// A date or time in another notation than the prompt's.
    DateNotation = "date_notation", "a date or time in another notation was read";
    /// Text before the first section, or before the JSON of the reply.
    LeadingProse = "leading_prose", "text before the first field was ignored";
    /// Text after the value or after the end marker.
    TrailingProse = "trailing_prose", "text after the value was ignored";
    /// A `<think>` block.
    Thinking = "thinking", "a <think> block was ignored";
    /// A `<think>` that no `</think>` closes, before a reply that is complete.
    UnclosedThinking = "unclosed_thinking", "a <think> without an end was ignored";
    /// A section marker that is written otherwise: case, spaces, emphasis, brackets.
    MarkerSpelling = "marker_spelling", "a section marker was written otherwise";
    /// Several section markers on one line.
    InlineMarker = "inline_marker", "a section marker stood within a line";
    /// A section marker that the end of the reply cuts off.
    CutMarker = "cut_marker", "a marker that the end of the reply cuts off was ignored";
    /// A chat template's control token at the end of the reply.
    ControlToken = "control_token", "a control token at the end of the reply was ignored";
    /// The end marker is missing.
    MissingCompleted = "missing_completed", "the end marker `[[ ## completed ## ]]` is missing";
    /// A section that is no output field.
    UnknownSection = "unknown_section", "a section that is no output field was ignored";
    /// A field that is given more than once, with the same value.
    RepeatedField = "repeated_field", "the field was given twice with the same value";
    /// A code fence around the reply or the value.
    Fence = "fence", "a code fence was taken away";
    /// The reply is a JSON object instead of sections.
    JsonReply = "json_reply", "the reply is a JSON object instead of sections";
    /// The reply has `name: value` lines instead of sections.
    LabelledReply = "labelled_reply", "the reply has `name: value` lines instead of sections";
    /// The reply has `<name>value</name>` elements instead of sections.
    XmlReply = "xml_reply", "the reply has `<name>` elements instead of sections";
    /// The reply is the bare value of the only field.
    BareReply = "bare_reply", "the reply is the bare value of the only field";
    /// Bold, italics or backticks around a value.
    Emphasis = "emphasis", "emphasis around the value was taken away";
    /// Quotes around a value that is no string.
    Quotes = "quotes", "quotes around the value were taken away";
    /// Punctuation after a value.
    Punctuation = "punctuation", "punctuation after the value was taken away";
    /// Words such as `Answer:` before a value.
    Label = "label", "a label before the value was taken away";
    /// A value wrapped in an object under its field's own name.
    Wrapped = "wrapped", "the value was wrapped in an object under the field's name";
    /// Words after a value on its line.
    Explanation = "explanation", "words beside the value were ignored";
    /// Thousands separators in a number.
    Separators = "separators", "thousands separators were taken out of a number";
    /// A currency sign or code at a number.
    Currency = "currency", "a currency was taken away from a number";
    /// A percent sign at an integer.
    Percent = "percent", "a percent sign was taken away from an integer";
    /// A number in another notation than the type's: `3.0` or `1e3` for an integer, `0x1F`, `−5`.
    NumberNotation = "number_notation", "a number in another notation was read";
    /// Other words for a boolean: `Yes`, `False`, `0`.
    BoolWord = "bool_word", "another word for a boolean was read";
    /// Other words for `null`: `None`, `N/A`.
    NullWord = "null_word", "another word for `null` was read";
    /// An enum variant written otherwise: case, spaces, punctuation.
    VariantSpelling = "variant_spelling", "a variant's name was written otherwise";
    /// An alias of an enum variant.
    VariantAlias = "variant_alias", "an alias of a variant was read";
    /// Prose around JSON.
    ProseAroundJson = "prose_around_json", "text around the JSON was ignored";
    /// A bulleted or numbered list instead of JSON.
    Bullets = "bullets", "a bulleted or numbered list was read";
    /// A list without brackets.
    BareList = "bare_list", "a list without brackets was read";
    /// A single value instead of a list of one.
    SingleItem = "single_item", "a single value was read as a list of one";
    /// `key: value` lines instead of a JSON object.
    KeyLines = "key_lines", "`key: value` lines were read as an object";
    /// A comma too many in JSON.
    TrailingComma = "trailing_comma", "a comma too many was ignored";
    /// A comma missing in JSON.
    MissingComma = "missing_comma", "a missing comma was added";
    /// A bracket missing at the end of JSON.
    MissingBracket = "missing_bracket", "a missing closing bracket was added";
    /// A bracket too many after JSON.
    ExtraBracket = "extra_bracket", "a closing bracket too many was ignored";
    /// Quotes in JSON other than `"`.
    OtherQuotes = "other_quotes", "quotes other than \" were read";
    /// A key or string without quotes in JSON.
    Unquoted = "unquoted", "a key or string without quotes was read";
    /// A comment in JSON.
    Comment = "comment", "a comment in JSON was ignored";
    /// Python's `True`, `None`, tuples or sets in JSON.
    PythonLiteral = "python_literal", "a Python literal was read";
    /// A line break or control character inside a JSON string.
    RawControl = "raw_control", "a raw control character in a JSON string was kept";
    /// A quote inside a JSON string without its backslash.
    InnerQuote = "inner_quote", "a quote without its backslash was kept";
    /// A backslash in a JSON string that escapes nothing.
    StrayEscape = "stray_escape", "a backslash that escapes nothing was kept";
    /// A key given twice with the same value.
    RepeatedKey = "repeated_key", "a key was given twice with the same value";
    /// A key written otherwise: case, spaces, underscores.
    KeySpelling = "key_spelling", "a key was written otherwise";
    /// A key that the type lacks.
    UnknownKey = "unknown_key", "an unknown key was ignored";
    /// An item that a set already has.
    RepeatedItem = "repeated_item", "a repeated item of a set was dropped";
    /// A number in JSON where a string is wanted.
    NumberAsText = "number_as_text", "a number was read as text";
    /// Text that is no JSON where any JSON value is wanted.
    TextAsJson = "text_as_json", "plain text was read as a JSON string";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct() {
        let mut names: Vec<_> = RepairKind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RepairKind::ALL.len());
    }
}
