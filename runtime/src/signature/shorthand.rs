//! A signature in one line, as DSPy writes it: `"passage, question -> answer: int"`.
//!
//! The inputs, an arrow, the outputs; a field is a name, or a name, a colon and a type. Errors know their place in the line.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::spec_json::usable_name;
use super::{FieldSpec, FieldType, SignatureSpec};

/// Why a line is no signature, and where. Shown with the line and a caret below the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ShorthandError {
    text: String,
    span: Range<usize>,
    message: String,
}

impl ShorthandError {
    /// What is wrong, in one sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where: bytes of the line.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

impl fmt::Display for ShorthandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A line break or tab would move the caret away from what it points to.
        let line = self.text.replace(char::is_control, " ");
        let before = line[..self.span.start].chars().count();
        let length = line[self.span.clone()].chars().count().max(1);
        writeln!(f, "{}", self.message)?;
        writeln!(f, "  {line}")?;
        write!(f, "  {:before$}{}", "", "^".repeat(length))
    }
}

impl SignatureSpec {
    /// A signature from one line: inputs, `->`, outputs, parted by commas. A field without a type is a `String`; types are those
    /// of [`FieldType::from_type_str`].
    ///
    /// ```
    /// use candle_signature::signature::SignatureSpec;
    ///
    /// let spec = SignatureSpec::from_shorthand("ticket -> urgency: Literal['low', 'high'], tags: Vec<String>")?;
    /// assert_eq!((spec.inputs.len(), spec.outputs.len()), (1, 2));
    ///
    /// let error = SignatureSpec::from_shorthand("question -> answer: itn").unwrap_err();
    /// assert_eq!(error.span(), 20..23);
    /// # Ok::<(), candle_signature::signature::ShorthandError>(())
    /// ```
    ///
    /// # Errors
    /// A missing arrow or output, a name that is none, one that is used twice, a type that can't be read.
    pub fn from_shorthand(line: &str) -> Result<Self, ShorthandError> {
        let whole = Piece {
            line,
            at: 0..line.len(),
        };
        let arrows = whole.arrows();
        let (inputs, outputs) = match arrows.as_slice() {
            [] => {
                let message = "there is no `->`: a signature is `inputs -> outputs`, such as `question -> answer: int`";
                return Err(whole.trimmed().error(message));
            }
            [arrow] => (
                whole.part(0..arrow.start),
                whole.part(arrow.end..line.len()),
            ),
            [_, second, ..] => {
                let message = "a second `->`: a signature has one, between inputs and outputs";
                return Err(whole.part(second.clone()).error(message));
            }
        };
        let inputs = match inputs.text().trim() {
            "" => Vec::new(),
            _ => fields(&inputs)?,
        };
        if outputs.text().trim().is_empty() {
            let message = "there is no output after `->`: name at least one, such as `answer`";
            return Err(whole.part(line.len()..line.len()).error(message));
        }
        let outputs = fields(&outputs)?;
        for (at, (name, _)) in inputs.iter().chain(&outputs).enumerate() {
            let mut earlier = inputs.iter().chain(&outputs).take(at);
            if earlier.any(|(other, _)| other.text() == name.text()) {
                let message = format!("two fields are named `{}`", name.text());
                return Err(name.error(message));
            }
        }
        let specs = |fields: Vec<(Piece<'_>, FieldSpec)>| -> Vec<FieldSpec> {
            fields.into_iter().map(|(_, spec)| spec).collect()
        };
        Ok(SignatureSpec {
            name: "Signature".into(),
            instruction: "".into(),
            inputs: specs(inputs).into(),
            outputs: specs(outputs).into(),
            format: super::PromptFormat::Chat,
        })
    }
}

impl FromStr for SignatureSpec {
    type Err = ShorthandError;

    fn from_str(line: &str) -> Result<Self, ShorthandError> {
        SignatureSpec::from_shorthand(line)
    }
}

/// A part of the line that knows where it stands.
#[derive(Clone)]
struct Piece<'l> {
    line: &'l str,
    at: Range<usize>,
}

impl<'l> Piece<'l> {
    fn text(&self) -> &'l str {
        &self.line[self.at.clone()]
    }

    /// A part by its place in the line.
    fn part(&self, at: Range<usize>) -> Self {
        Piece {
            line: self.line,
            at,
        }
    }

    fn trimmed(&self) -> Self {
        let text = self.text();
        let start = self.at.start + (text.len() - text.trim_start().len());
        self.part(start..start + text.trim().len())
    }

    fn error(&self, message: impl Into<String>) -> ShorthandError {
        ShorthandError {
            text: self.line.to_owned(),
            span: self.at.clone(),
            message: message.into(),
        }
    }

    /// Where the arrows stand that are in no brackets or quotes.
    fn arrows(&self) -> Vec<Range<usize>> {
        let text = self.text();
        let outside = |at: &usize| text[*at..].starts_with("->");
        let places = top_level(text).into_iter().filter(outside);
        places
            .map(|at| self.at.start + at..self.at.start + at + 2)
            .collect()
    }

    /// The parts between the commas that are in no brackets or quotes.
    fn by_commas(&self) -> Vec<Self> {
        let text = self.text();
        let commas = top_level(text)
            .into_iter()
            .filter(|at| text[*at..].starts_with(','));
        let mut start = self.at.start;
        let mut parts = Vec::new();
        for comma in commas {
            parts.push(self.part(start..self.at.start + comma));
            start = self.at.start + comma + 1;
        }
        parts.push(self.part(start..self.at.end));
        parts
    }
}

/// The places of the characters that are in no brackets and no quotes.
pub(super) fn top_level(text: &str) -> Vec<usize> {
    let (mut depth, mut quote, mut last) = (0usize, None, ' ');
    let mut places = Vec::new();
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open && last != '\\' => quote = None,
            (Some(_), _) => {}
            (None, '"') => quote = Some(c),
            // An apostrophe opens a quote only where Python's `Literal` has one.
            (None, '\'') if depth > 0 => quote = Some(c),
            (None, '[' | '(' | '<' | '{') => depth += 1,
            // That of an arrow closes nothing.
            (None, '>') if last == '-' => {}
            (None, ']' | ')' | '>' | '}') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 => places.push(at),
            (None, _) => {}
        }
        last = c;
    }
    places
}

fn fields<'l>(half: &Piece<'l>) -> Result<Vec<(Piece<'l>, FieldSpec)>, ShorthandError> {
    half.by_commas().iter().map(field).collect()
}

fn field<'l>(part: &Piece<'l>) -> Result<(Piece<'l>, FieldSpec), ShorthandError> {
    let part = part.trimmed();
    let (name, ty) = match part.text().find(':') {
        None => (part.clone(), None),
        Some(colon) => {
            let colon = part.at.start + colon;
            let ty = part.part(colon + 1..part.at.end).trimmed();
            (part.part(part.at.start..colon).trimmed(), Some(ty))
        }
    };
    if name.text().is_empty() {
        return Err(part.error("a field needs a name: is there a comma too many?"));
    }
    let is_word = name.text().chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_word {
        let message = format!(
            "`{}` is no field name: use letters, digits and `_`, and commas between fields",
            name.text()
        );
        return Err(name.error(message));
    }
    usable_name(name.text()).map_err(|error| name.error(error.to_string()))?;
    let of = match &ty {
        None => FieldType::String,
        Some(ty) if ty.text().is_empty() => {
            return Err(ty.error(format!("a type is missing after `{}:`", name.text())));
        }
        Some(ty) => {
            FieldType::from_type_str(ty.text()).map_err(|error| ty.error(error.to_string()))?
        }
    };
    let spec = FieldSpec::owned(name.text(), "", of);
    Ok((name, spec))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        let spec: SignatureSpec = line.parse().expect("a signature");
        let field = |field: &FieldSpec| format!("{} {:?}", field.name, field.ty);
        let half = |fields: &[FieldSpec]| fields.iter().map(field).collect::<Vec<_>>().join("; ");
        format!("{} -> {}", half(&spec.inputs), half(&spec.outputs))
    }

    #[test]
    fn fields_have_names_and_types() {
        for (line, expected) in [
            ("question -> answer", "question String -> answer String"),
            (" a ,b:bool->c : f64 ", "a String; b Bool -> c Float(F64)"),
            (
                "-> n: HashMap<String, Vec<u8>>",
                " -> n Map<List<Int(IntType { signed: false, bits: 8 })>>",
            ),
            (
                "t -> l: list[str], o: Optional[str]",
                "t String -> l List<String>; o Option<String>",
            ),
            (
                "t -> d: dict[str, bool], s: str | None",
                "t String -> d Map<Bool>; s Option<String>",
            ),
            (
                "t -> x: Literal['a, b', \"c->d\"], y: enum:P|Q",
                "t String -> x Enum(Enum); y Enum(Enum)",
            ),
            (
                r#"t -> p: struct:{"a": "u8", "b": "bool"}"#,
                "t String -> p Struct(Object)",
            ),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    #[test]
    fn errors_point_to_the_place() {
        for (line, under, said) in [
            ("question", "question", "there is no `->`"),
            ("a -> b -> c", "->", "a second `->`"),
            ("a ->", "", "no output"),
            ("a, -> b", "", "a field needs a name"),
            ("a -> b: itn", "itn", "unknown type `itn`"),
            ("a -> b:", "", "a type is missing"),
            ("a b -> c", "a b", "`a b` is no field name"),
            ("a -> completed", "completed", "reserved"),
            ("a -> b: list[itn]", "list[itn]", "unknown type `itn`"),
            ("é -> é", "é", "two fields are named `é`"),
            ("a -> b, c, b: u8", "b", "two fields are named `b`"),
            ("a -> (b", "(b", "`(b` is no field name"),
        ] {
            let error = SignatureSpec::from_shorthand(line).expect_err(line);
            assert_eq!(&line[error.span()], under, "{line}: {error}");
            assert!(error.message().contains(said), "{line}: {error}");
        }
    }

    #[test]
    fn the_caret_stands_below_the_fault() {
        let error = SignatureSpec::from_shorthand("é -> b: itn").expect_err("no type");
        let lines: Vec<_> = error.to_string().lines().map(str::to_owned).collect();
        assert_eq!(lines[lines.len() - 2..], ["  é -> b: itn", "          ^^^"]);
    }
}
