//! Structs, maps and enums with data: from objects in JSON, or `key: value` lines.

use crate::signature::{EnumSpec, FieldSpec, FieldType, Payload, Value};

use super::super::distinct::Keys;
use super::super::error::{ErrorKind, Fault};
use super::super::names::{self, Match};
use super::super::tree::{Entries, Node, NodeKind};
use super::super::{RepairKind, constraint};
use super::embedded::own_entry;
use super::lines::key_lines;
use super::variant::name_of;
use super::{Coercer, Source, describe, json_source, wrong_kind};

impl Coercer<'_> {
    pub(super) fn object_text(
        &mut self,
        ty: &FieldType,
        source: Source<'_>,
    ) -> Result<Value, Fault> {
        let source = self.unfenced(source);
        if let Some((own, notes)) = own_entry(source.text, self.field)
            && matches!(own.node().kind, NodeKind::Map { .. })
            && !self.has_own_key(ty)
        {
            self.note_all(&notes, source.at);
            self.note(RepairKind::Wrapped, source.at);
            return self.node(ty, &own.node(), source.at);
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
        let mut keys = Keys::of(entries.len());
        let twice = |(key, _): &(&str, &str)| keys.known(key, |at| entries[at].0).is_some();
        if entries.iter().any(twice) {
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
        let (entries, closed) = match (node.kind, ty) {
            (NodeKind::Map { entries, closed }, _) => (entries, closed),
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

    pub(super) fn map(
        &mut self,
        item: &FieldType,
        entries: Entries<'_>,
        base: usize,
    ) -> Result<Value, Fault> {
        let mut values: Vec<(String, Value)> = Vec::with_capacity(entries.len());
        let mut keys = Keys::of(entries.len());
        for (key, node) in entries.iter() {
            let value = self
                .node(item, &node, base)
                .map_err(|fault| fault.within(key))?;
            match keys.known(key, |at| &values[at].0) {
                None => values.push((key.to_owned(), value)),
                Some(known) => self.same(&values[known].1, &value, key, base + node.at)?,
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
        entries: Entries<'_>,
        closed: bool,
        skip: Option<&str>,
        at: usize,
        base: usize,
    ) -> Result<Vec<(String, Value)>, Fault> {
        // Most objects have their keys in the order of the fields; `later` has those that come before their turn.
        let mut values: Vec<(String, Value)> = Vec::with_capacity(fields.len());
        let mut later: Vec<Option<Value>> = Vec::new();
        let mut cut_short = false;
        for (key, node) in entries.iter() {
            cut_short = matches!(node.kind, NodeKind::Bare(_));
            if skip == Some(key) {
                continue;
            }
            let Some(index) = self.field_of(fields, key, values.len(), base + node.at) else {
                continue;
            };
            let field = &fields[index];
            let mut value = self.node(&field.ty, &node, base);
            if !field.constraints.is_empty() {
                value = value
                    .and_then(|value| constraint::check(&field.constraints, value, base + node.at));
            }
            let value = value.map_err(|fault| fault.within(&field.name))?;
            let known = values.get(index).map(|(_, value)| value);
            match known.or_else(|| later.get(index)?.as_ref()) {
                Some(known) => self.same(known, &value, &field.name, base + node.at)?,
                None if index == values.len() => values.push((field.name.to_string(), value)),
                None => {
                    later.resize(fields.len(), None);
                    later[index] = Some(value);
                }
            }
        }
        let there = |index: usize| later.get(index).is_some_and(Option::is_some);
        let all_there = (values.len()..fields.len()).all(there);
        self.must_be_closed(closed || (all_there && !cut_short), at, "an object")?;
        for (index, field) in fields.iter().enumerate().skip(values.len()) {
            let value = later.get_mut(index).and_then(Option::take);
            let value = value.map_or_else(|| left_out(field, at), Ok)?;
            values.push((field.name.to_string(), value));
        }
        Ok(values)
    }

    /// The field that a key names; none where it is unknown. `expected` is the place of the likely one.
    fn field_of(
        &mut self,
        fields: &[FieldSpec],
        key: &str,
        expected: usize,
        at: usize,
    ) -> Option<usize> {
        if fields.get(expected).is_some_and(|field| field.name == key) {
            return Some(expected);
        }
        match names::find(key, fields.iter().map(|field| field.name.as_ref())) {
            Some(Match::Exact(index)) => Some(index),
            Some(Match::Folded(index)) => {
                self.note(RepairKind::KeySpelling, at);
                Some(index)
            }
            None => {
                self.note(RepairKind::UnknownKey, at);
                None
            }
        }
    }

    /// `{"type": "Circle", ...}`, or `{"Circle": {...}}`.
    fn tagged(
        &mut self,
        spec: &EnumSpec,
        ty: &FieldType,
        node: &Node<'_>,
        entries: Entries<'_>,
        closed: bool,
        base: usize,
    ) -> Result<Value, Fault> {
        let at = base + node.at;
        let Some(tag_node) = entries.get(&spec.tag) else {
            if let Some((key, inner)) = entries.single()
                && let Some((index, _)) = name_of(spec, json_source(key, at))?
            {
                self.note(RepairKind::Wrapped, at);
                return self.payload(spec, index, entries, Some(inner), closed, at, base);
            }
            let message = format!("missing key `{}`, which names the variant", spec.tag);
            return Err(Fault::new(ErrorKind::Type, at, message));
        };
        let name = match tag_node.kind {
            NodeKind::Text(text) | NodeKind::Bare(text) => text,
            _ => return Err(wrong_kind(ty, &tag_node, base + tag_node.at).within(&spec.tag)),
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
        entries: Entries<'_>,
        inner: Option<Node<'_>>,
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
                values.push(("value".into(), self.node(ty, &inner, base)?));
            }
            (Payload::Value(ty), None) => {
                self.must_be_closed(closed, at, "an object")?;
                let node = entries.get("value").ok_or_else(|| missing("value"))?;
                let value = self.node(ty, &node, base).map_err(|f| f.within("value"))?;
                values.push(("value".into(), value));
            }
            (Payload::Fields(fields), Some(inner)) => match inner.kind {
                NodeKind::Map { entries, closed } => {
                    values.extend(self.fields(fields, entries, closed, None, at, base)?);
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
