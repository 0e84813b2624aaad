//! Structs, maps, enums with data, and any JSON: from objects in JSON, or `key: value` lines.

use std::borrow::Cow;

use crate::signature::{EnumSpec, FieldSpec, FieldType, Payload, Value};

use super::super::error::{ErrorKind, Fault};
use super::super::loose::{Node, NodeKind};
use super::super::names::{self, Match};
use super::super::{RepairKind, constraint};
use super::embedded::own_entry;
use super::lines::key_lines;
use super::variant::name_of;
use super::{Coercer, Literal, Source, describe, json_source, wrong_kind};

type Entry<'t> = (Cow<'t, str>, Node<'t>);

impl Coercer<'_> {
    pub(super) fn object_text(
        &mut self,
        ty: &FieldType,
        source: Source<'_>,
    ) -> Result<Value, Fault> {
        let source = self.unfenced(source);
        if let Some((node, notes)) = own_entry(source.text, self.field)
            && matches!(node.kind, NodeKind::Map { .. })
            && !self.has_own_key(ty)
        {
            self.note_all(&notes, source.at);
            self.note(RepairKind::Wrapped, source.at);
            return self.node(ty, &node, source.at);
        }
        if source.text.contains('{') {
            return self.json_among_prose(ty, source, &['{', '[']);
        }
        if let FieldType::Enum(spec) = ty
            && let Some(value) = unit_of(spec, source)?
        {
            return Ok(value);
        }
        match self.attempt(|this| this.key_lines(ty, source))? {
            Some(value) => Ok(value),
            None => Err(Fault::expected(&describe(ty), source.text, source.at)),
        }
    }

    /// Whether a key named as the field is the type's own, so that nothing is wrapped in it.
    fn has_own_key(&self, ty: &FieldType) -> bool {
        match ty {
            FieldType::Struct(spec) => {
                let keys = spec.fields.iter().map(|field| field.name.as_ref());
                names::find(self.field, keys).is_some()
            }
            FieldType::Map(item) => !matches!(
                **item,
                FieldType::Int(_) | FieldType::Float(_) | FieldType::Bool
            ),
            _ => false,
        }
    }

    fn key_lines(&mut self, ty: &FieldType, source: Source<'_>) -> Result<Option<Value>, Fault> {
        let Some(entries) = key_lines(source.text) else {
            return Ok(None);
        };
        let keys = entries.iter().map(|(key, _)| *key);
        let mut sorted: Vec<&str> = keys.collect();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Ok(None);
        }
        let mut values = Vec::with_capacity(entries.len());
        match ty {
            // `Note: nothing was found` would be an entry.
            FieldType::Map(item) if super::free_text(item) => return Ok(None),
            FieldType::Map(item) => {
                for (key, text) in &entries {
                    let value = self
                        .text(item, source.part(text))
                        .map_err(|f| f.within(key))?;
                    values.push(((*key).to_owned(), value));
                }
            }
            FieldType::Struct(spec) => {
                for field in spec.fields.iter() {
                    let alike = entries.iter().find(|(key, _)| {
                        names::find(key, std::iter::once(field.name.as_ref())).is_some()
                    });
                    let value = match alike {
                        Some((_, text)) => self
                            .text(&field.ty, source.part(text))
                            .map_err(|fault| fault.within(&field.name))?,
                        None => left_out(field, source.at)?,
                    };
                    values.push((field.name.to_string(), value));
                }
                let unknown = entries.iter().any(|(key, _)| {
                    names::find(key, spec.fields.iter().map(|field| field.name.as_ref())).is_none()
                });
                if unknown {
                    return Ok(None);
                }
            }
            _ => return Ok(None),
        }
        self.note(RepairKind::KeyLines, source.at);
        Ok(Some(Value::Map(values)))
    }

    pub(super) fn object_node(
        &mut self,
        ty: &FieldType,
        node: &Node<'_>,
        base: usize,
    ) -> Result<Value, Fault> {
        let at = base + node.at;
        let (entries, closed) = match (&node.kind, ty) {
            (NodeKind::Map { entries, closed }, _) => (entries, *closed),
            (NodeKind::Text(text), FieldType::Enum(spec)) => {
                return unit_of(spec, json_source(text, at))?
                    .ok_or_else(|| wrong_kind(ty, node, at));
            }
            _ => return Err(wrong_kind(ty, node, at)),
        };
        match ty {
            FieldType::Struct(spec) => {
                let values = self.fields(&spec.fields, entries, closed, None, at, base)?;
                Ok(Value::Map(values))
            }
            FieldType::Map(item) => {
                self.must_be_closed(closed, at, "an object")?;
                self.map(item, entries, base)
            }
            FieldType::Enum(spec) => self.tagged(spec, ty, node, entries, closed, base),
            _ => Err(wrong_kind(ty, node, at)),
        }
    }

    fn map(
        &mut self,
        item: &FieldType,
        entries: &[Entry<'_>],
        base: usize,
    ) -> Result<Value, Fault> {
        let mut values: Vec<(String, Value)> = Vec::with_capacity(entries.len());
        let mut places = std::collections::HashMap::with_capacity(entries.len());
        for (key, node) in entries {
            let value = self
                .node(item, node, base)
                .map_err(|fault| fault.within(key))?;
            match places.get(key.as_ref()) {
                None => {
                    places.insert(key.as_ref(), values.len());
                    values.push((key.clone().into_owned(), value));
                }
                Some(known) => self.same(&values[*known].1, &value, key, base + node.at)?,
            }
        }
        Ok(Value::Map(values))
    }

    fn same(&mut self, one: &Value, other: &Value, key: &str, at: usize) -> Result<(), Fault> {
        if one == other {
            self.note(RepairKind::RepeatedKey, at);
            return Ok(());
        }
        let candidates = vec![super::list::shown(one), super::list::shown(other)];
        Err(Fault::ambiguous("one value", candidates, "", at).within(key))
    }

    /// The values of declared fields, `skip` (the tag of an enum) left out of account.
    fn fields(
        &mut self,
        fields: &[FieldSpec],
        entries: &[Entry<'_>],
        closed: bool,
        skip: Option<&str>,
        at: usize,
        base: usize,
    ) -> Result<Vec<(String, Value)>, Fault> {
        let mut values: Vec<Option<Value>> = vec![None; fields.len()];
        for (key, node) in entries {
            if skip == Some(key.as_ref()) {
                continue;
            }
            let index = match names::find(key, fields.iter().map(|field| field.name.as_ref())) {
                Some(Match::Exact(index)) => index,
                Some(Match::Folded(index)) => {
                    self.note(RepairKind::KeySpelling, base + node.at);
                    index
                }
                None => {
                    self.note(RepairKind::UnknownKey, base + node.at);
                    continue;
                }
            };
            let field = &fields[index];
            let value = self
                .node(&field.ty, node, base)
                .and_then(|value| constraint::check(&field.constraints, value, base + node.at))
                .map_err(|fault| fault.within(&field.name))?;
            match &values[index] {
                None => values[index] = Some(value),
                Some(known) => {
                    let known = known.clone();
                    self.same(&known, &value, &field.name, base + node.at)?;
                }
            }
        }
        let all_there = values.iter().all(Option::is_some);
        let cut_short = entries
            .last()
            .is_some_and(|(_, node)| matches!(node.kind, NodeKind::Bare(_)));
        self.must_be_closed(closed || (all_there && !cut_short), at, "an object")?;
        fields
            .iter()
            .zip(values)
            .map(|(field, value)| {
                let value = value.map_or_else(|| left_out(field, at), Ok)?;
                Ok((field.name.to_string(), value))
            })
            .collect()
    }

    /// `{"type": "Circle", ...}`, or `{"Circle": {...}}`.
    fn tagged(
        &mut self,
        spec: &EnumSpec,
        ty: &FieldType,
        node: &Node<'_>,
        entries: &[Entry<'_>],
        closed: bool,
        base: usize,
    ) -> Result<Value, Fault> {
        let at = base + node.at;
        let tag = entries.iter().find(|(key, _)| *key == spec.tag);
        let Some((_, tag_node)) = tag else {
            if let [(key, inner)] = entries
                && let Some((index, _)) = name_of(spec, json_source(key, at))?
            {
                self.note(RepairKind::Wrapped, at);
                return self.payload(spec, index, &[], Some(inner), closed, at, base);
            }
            let message = format!("missing key `{}`, which names the variant", spec.tag);
            return Err(Fault::new(ErrorKind::Type, at, message));
        };
        let name = match &tag_node.kind {
            NodeKind::Text(text) => text.as_ref(),
            NodeKind::Bare(word) => word,
            _ => return Err(wrong_kind(ty, tag_node, base + tag_node.at).within(&spec.tag)),
        };
        let Some((index, spelling)) = name_of(spec, json_source(name, base + tag_node.at))? else {
            let expected = describe(ty);
            return Err(Fault::expected(&expected, name, base + tag_node.at).within(&spec.tag));
        };
        if let Some(kind) = spelling {
            self.note(kind, base + tag_node.at);
        }
        self.payload(spec, index, entries, None, closed, at, base)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "two shapes of one object meet here"
    )]
    fn payload(
        &mut self,
        spec: &EnumSpec,
        index: usize,
        entries: &[Entry<'_>],
        inner: Option<&Node<'_>>,
        closed: bool,
        at: usize,
        base: usize,
    ) -> Result<Value, Fault> {
        let variant = &spec.variants[index];
        let tag = (
            spec.tag.to_string(),
            Value::String(variant.name.to_string()),
        );
        let missing = |key: &str| Fault::new(ErrorKind::Type, at, format!("missing key `{key}`"));
        let mut values = vec![tag];
        match (&variant.payload, inner) {
            (Payload::Unit, _) => self.must_be_closed(closed, at, "an object")?,
            (Payload::Value(ty), Some(inner)) => {
                values.push(("value".into(), self.node(ty, inner, base)?));
            }
            (Payload::Value(ty), None) => {
                self.must_be_closed(closed, at, "an object")?;
                let value = entries.iter().find(|(key, _)| key == "value");
                let (_, node) = value.ok_or_else(|| missing("value"))?;
                let value = self.node(ty, node, base).map_err(|f| f.within("value"))?;
                values.push(("value".into(), value));
            }
            (Payload::Fields(fields), Some(inner)) => match &inner.kind {
                NodeKind::Map { entries, closed } => {
                    values.extend(self.fields(fields, entries, *closed, None, at, base)?);
                }
                _ => {
                    let message =
                        format!("expected an object with the fields of `{}`", variant.name);
                    return Err(Fault::new(ErrorKind::Type, at, message));
                }
            },
            (Payload::Fields(fields), None) => {
                values.extend(self.fields(fields, entries, closed, Some(&spec.tag), at, base)?);
            }
        }
        Ok(Value::Map(values))
    }

    pub(super) fn json_text(&mut self, source: Source<'_>) -> Result<Value, Fault> {
        let source = self.unfenced(source);
        let text = source.text;
        if text.starts_with(['{', '[']) {
            return self.json_among_prose(&FieldType::Json, source, &['{', '[']);
        }
        if let Ok(json) = serde_json::from_str::<serde_json::Value>(text) {
            return Ok(Value::from(json));
        }
        if text.contains(['{', '['])
            && let Ok(value) =
                self.attempt(|this| this.json_among_prose(&FieldType::Json, source, &['{', '[']))
        {
            return Ok(value);
        }
        match Literal::of(text) {
            Literal::Word => {
                self.note(RepairKind::TextAsJson, source.at);
                Ok(Value::String(text.to_owned()))
            }
            _ => self.json_bare(text, source.at),
        }
    }

    pub(super) fn json_node(&mut self, node: &Node<'_>, base: usize) -> Result<Value, Fault> {
        let at = base + node.at;
        match &node.kind {
            NodeKind::Text(text) => Ok(Value::String(text.clone().into_owned())),
            NodeKind::Bare(word) => self.json_bare(word, at),
            NodeKind::List { items, closed } => {
                self.must_be_closed(*closed, at, "a list")?;
                let values = items.iter().enumerate().map(|(index, item)| {
                    self.node(&FieldType::Json, item, base)
                        .map_err(|f| f.within(index))
                });
                Ok(Value::List(values.collect::<Result<_, _>>()?))
            }
            NodeKind::Map { entries, closed } => {
                self.must_be_closed(*closed, at, "an object")?;
                self.map(&FieldType::Json, entries, base)
            }
        }
    }

    fn json_bare(&mut self, word: &str, at: usize) -> Result<Value, Fault> {
        let value = match Literal::of(word) {
            Literal::Null => Value::Null,
            Literal::Bool(b) => Value::Bool(b),
            Literal::Word => {
                self.note(RepairKind::Unquoted, at);
                return Ok(Value::String(word.to_owned()));
            }
            Literal::Number => match serde_json::from_str::<serde_json::Value>(word) {
                Ok(json) => Value::from(json),
                Err(_) => self.text(
                    &FieldType::Float(crate::signature::FloatType::F64),
                    json_source(word, at),
                )?,
            },
        };
        if matches!(word, "None" | "True" | "False") {
            self.note(RepairKind::PythonLiteral, at);
        }
        Ok(value)
    }
}

fn unit_of(spec: &EnumSpec, source: Source<'_>) -> Result<Option<Value>, Fault> {
    let found = name_of(spec, source)?;
    let unit = found.filter(|(at, _)| matches!(spec.variants[*at].payload, Payload::Unit));
    // Beside variants with data, one without is an object too.
    Ok(unit.map(|(at, _)| {
        let name = Value::String(spec.variants[at].name.to_string());
        Value::Map(vec![(spec.tag.to_string(), name)])
    }))
}

/// The value of a key that is not there.
fn left_out(field: &FieldSpec, at: usize) -> Result<Value, Fault> {
    match (&field.default, field.ty.is_option()) {
        (Some(default), _) => Ok(default.get()),
        (None, true) => Ok(Value::Null),
        (None, false) => {
            let message = format!("missing key `{}`", field.name);
            Err(Fault::new(ErrorKind::Type, at, message))
        }
    }
}
