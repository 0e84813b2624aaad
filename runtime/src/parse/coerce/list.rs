//! Lists, sets, arrays and tuples: JSON, Python literals, bullets, and bare lists of what can't hold a comma.

use crate::signature::{FieldType, ListKind, ListType, TypeRef, Value};

use super::super::RepairKind;
use super::super::distinct::{Distinct, distinct_of, has_order};
use super::super::error::{ErrorKind, Fault};
use super::super::loose::{Notes, read_items};
use super::super::tree::{Items, Node, NodeKind, Part};
use super::embedded::own_entry;
use super::lines::bullets;
use super::peel::quoted;
use super::scalar::PlainIntegers;
use super::{Coercer, Source, describe, find_json, syntax, whole_fence};

impl Coercer<'_> {
    pub(super) fn list_text(
        &mut self,
        ty: &FieldType,
        list: &ListType,
        source: Source<'_>,
    ) -> Result<Value, Fault> {
        let source = self.unfenced(source);
        let text = source.text;
        if let Some((own, notes)) = own_entry(text, self.field)
            && let NodeKind::List { .. } = own.node().kind
        {
            self.note_all(&notes, source.at);
            self.note(RepairKind::Wrapped, source.at);
            return self.node(ty, &own.node(), source.at);
        }
        if text.starts_with(['[', '(']) || (text.starts_with('{') && list.kind == ListKind::Set) {
            return self.json_among_prose(ty, source, &['[', '(', '{']);
        }
        if text.starts_with('{') {
            return self.objects(ty, list, source);
        }
        if let Some(items) = bullets(text, source.indent) {
            self.note(RepairKind::Bullets, source.at);
            let count = items.len();
            let items = items.into_iter().map(|item| source.part(item));
            return self.text_items(list, count, items);
        }
        if let Some(value) = self.attempt(|this| this.bare_list(ty, list, source))? {
            return Ok(value);
        }
        if text.contains('[') {
            return self.json_among_prose(ty, source, &['[']);
        }
        Err(Fault::expected(&describe(ty), text, source.at))
    }

    pub(super) fn tuple_text(
        &mut self,
        ty: &FieldType,
        source: Source<'_>,
    ) -> Result<Value, Fault> {
        let source = self.unfenced(source);
        match source.text.contains(['[', '(']) {
            true => self.json_among_prose(ty, source, &['[', '(']),
            false => Err(Fault::expected(&describe(ty), source.text, source.at)),
        }
    }

    pub(super) fn unfenced<'t>(&mut self, source: Source<'t>) -> Source<'t> {
        match whole_fence(source.text) {
            Some(inner) => {
                self.note(RepairKind::Fence, source.at);
                source.part(inner)
            }
            None => source,
        }
    }

    /// The one value of the type among the JSON of a text.
    pub(super) fn json_among_prose(
        &mut self,
        ty: &FieldType,
        source: Source<'_>,
        openers: &[char],
    ) -> Result<Value, Fault> {
        let json = find_json(source.text, openers);
        let whole_struct = matches!(ty, FieldType::Struct(_) | FieldType::Enum(_));
        let mut values: Vec<(Value, Vec<(RepairKind, usize)>)> = Vec::new();
        let mut first_fault = None;
        for found in &json.found {
            let known = self.notes.len();
            let node = found.tree.root();
            match self.attempt(|this| this.node(ty, &node, source.at)) {
                Ok(value) if found.placed || (whole_struct && !empty(&node)) => {
                    let mut notes = self.notes.split_off(known);
                    notes.extend(found.notes.iter().map(|(kind, at)| (kind, source.at + at)));
                    self.prose(source, node.at, node.end, &mut notes);
                    if !values.iter().any(|(same, _)| *same == value) {
                        values.push((value, notes));
                    }
                }
                Ok(_) => self.notes.truncate(known),
                Err(fault) => {
                    first_fault.get_or_insert(fault);
                }
            }
        }
        if values.len() > 1 {
            let candidates = values.iter().map(|(value, _)| shown(value)).collect();
            return Err(Fault::ambiguous(
                &describe(ty),
                candidates,
                source.text,
                source.at,
            ));
        }
        // Broken JSON beside a whole one may be the true value; a bracket in prose is not.
        if let Some(fault) = json
            .fault
            .filter(|fault| values.is_empty() || fault.deep || fault.at_end)
        {
            return Err(first_fault.unwrap_or_else(|| syntax(&fault, ty, source.at, source.text)));
        }
        match values.pop() {
            Some((value, notes)) => {
                for (kind, at) in notes {
                    self.note(kind, at);
                }
                Ok(value)
            }
            None => Err(first_fault
                .unwrap_or_else(|| Fault::expected(&describe(ty), source.text, source.at))),
        }
    }

    fn prose(
        &self,
        source: Source<'_>,
        start: usize,
        end: usize,
        notes: &mut Vec<(RepairKind, usize)>,
    ) {
        let (before, after) = (source.text[..start].trim(), source.text[end..].trim());
        let brackets = !after.is_empty()
            && after
                .chars()
                .all(|c| matches!(c, ']' | '}' | ')') || c.is_whitespace());
        if brackets {
            notes.push((RepairKind::ExtraBracket, source.at + end));
        } else if !before.is_empty() || !after.is_empty() {
            notes.push((RepairKind::ProseAroundJson, source.at));
        }
    }

    /// `{...}, {...}` or one object where a list of objects is wanted.
    fn objects(
        &mut self,
        ty: &FieldType,
        list: &ListType,
        source: Source<'_>,
    ) -> Result<Value, Fault> {
        let json = find_json(source.text, &['{']);
        if json.found.len() == 1 && json.fault.is_none() {
            let item = self.json_among_prose(&list.item, source, &['{'])?;
            self.note(RepairKind::SingleItem, source.at);
            return self.finish(list, vec![item], source.at);
        }
        let mut end = 0;
        for found in &json.found {
            let node = found.tree.root();
            let between = source.text[end..node.at].trim_matches([',', ' ', '\n', '\r', '\t']);
            if !between.is_empty() {
                return Err(Fault::expected(&describe(ty), source.text, source.at));
            }
            end = node.end;
        }
        if let Some(fault) = &json.fault {
            return Err(syntax(fault, ty, source.at, source.text));
        }
        if !source.text[end..].trim().is_empty() {
            return Err(Fault::expected(&describe(ty), source.text, source.at));
        }
        self.note(RepairKind::BareList, source.at);
        for found in &json.found {
            self.note_all(&found.notes, source.at);
        }
        let nodes = json.found.iter();
        let nodes = nodes.map(|found| Part::Node(found.tree.root()));
        self.items(list, json.found.len(), nodes, source.at, source.at)
    }

    /// `1, 2, 3`, `"x", "y"`, a line each, or a single value: where the type of the items leaves no doubt.
    fn bare_list(
        &mut self,
        ty: &FieldType,
        list: &ListType,
        source: Source<'_>,
    ) -> Result<Option<Value>, Fault> {
        let text = source.text;
        let scalar = holds_no_comma(&list.item);
        if scalar && text.contains('\n') {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let items = lines.map(|line| source.part(line.trim_end_matches(',')));
            self.note(RepairKind::BareList, source.at);
            // An upper bound: a line may be white space.
            let pairs = text.as_bytes().windows(2);
            let most = 1 + pairs
                .filter(|pair| pair[0] == b'\n' && pair[1] != b'\n')
                .count();
            let value = self.attempt(|this| this.text_items(list, most, items));
            return Ok(value.ok());
        }
        let mut notes = Notes::default();
        if let Ok(tree) = read_items(text, &mut notes)
            && let NodeKind::List { items, .. } = tree.root().kind
        {
            let in_quotes = items
                .iter()
                .all(|item| matches!(item.kind, NodeKind::Text(_)));
            let single = items.len() == 1;
            if in_quotes || (scalar && !single && !text.contains('\n')) {
                if !in_quotes && thousands(text) {
                    let split = text.replace(',', ", ");
                    let joined = text.replace(',', "");
                    let candidates = vec![format!("[{split}]"), format!("[{joined}]")];
                    return Err(Fault::ambiguous(&describe(ty), candidates, text, source.at));
                }
                let kind = if single {
                    RepairKind::SingleItem
                } else {
                    RepairKind::BareList
                };
                self.note(kind, source.at);
                self.note_all(&notes, source.at);
                return self
                    .items(list, items.len(), items.parts(), source.at, source.at)
                    .map(Some);
            }
        }
        if scalar && let Ok(item) = self.attempt(|this| this.text(&list.item, source)) {
            self.note(RepairKind::SingleItem, source.at);
            return self.finish(list, vec![item], source.at).map(Some);
        }
        Ok(None)
    }

    /// The list of at most so many items, each in a text of its own.
    fn text_items<'t>(
        &mut self,
        list: &ListType,
        most: usize,
        items: impl Iterator<Item = Source<'t>>,
    ) -> Result<Value, Fault> {
        let mut values = Vec::with_capacity(most);
        let mut place = None;
        let strings = matches!(*list.item, FieldType::String);
        for (at, item) in items.enumerate() {
            place.get_or_insert(item.at);
            // A quoted item of a list is the text in the quotes, as in YAML.
            let inner = strings.then(|| quoted(item.text)).flatten();
            let item = inner.map_or(item, |inner| item.part(inner));
            let value = self.text(&list.item, item);
            values.push(value.map_err(|fault| fault.within(at))?);
        }
        self.finish(list, values, place.unwrap_or(0))
    }

    /// The list of so many items.
    pub(super) fn items<'a>(
        &mut self,
        list: &ListType,
        count: usize,
        parts: impl Iterator<Item = Part<'a>>,
        at: usize,
        base: usize,
    ) -> Result<Value, Fault> {
        if list.kind == ListKind::Set && has_order(&list.item, 0) {
            // Dropped as they come: a long list of few values takes little memory.
            let mut distinct = Distinct::default();
            self.each_item(&list.item, parts, base, |value| distinct.push(value, None))?;
            if distinct.kept.len() < count {
                self.note(RepairKind::RepeatedItem, at);
            }
            return Ok(Value::List(distinct.kept));
        }
        let mut values = Vec::with_capacity(count);
        self.each_item(&list.item, parts, base, |value| values.push(value))?;
        self.finish(list, values, at)
    }

    fn each_item<'a>(
        &mut self,
        ty: &FieldType,
        parts: impl Iterator<Item = Part<'a>>,
        base: usize,
        mut add: impl FnMut(Value),
    ) -> Result<(), Fault> {
        let integers = match ty {
            FieldType::Int(int) => Some(PlainIntegers::of(*int)),
            _ => None,
        };
        let mut index = 0;
        for part in parts {
            match part {
                Part::Node(node) => {
                    let value = self.node(ty, &node, base);
                    add(value.map_err(|fault| fault.within(index))?);
                    index += 1;
                }
                // Long lists are lists of numbers, as a rule.
                Part::Numbers(numbers) => {
                    for (at, number) in numbers {
                        match integers.and_then(|integers| integers.read(number)) {
                            Some(n) => add(Value::Int(n.into())),
                            None => {
                                let value = self.node(ty, &Node::number(at, number), base);
                                add(value.map_err(|fault| fault.within(index))?);
                            }
                        }
                        index += 1;
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn tuple_node(
        &mut self,
        types: &[TypeRef],
        items: Items<'_>,
        closed: bool,
        at: usize,
        base: usize,
    ) -> Result<Value, Fault> {
        self.must_be_closed(closed, at, "a list")?;
        if items.len() != types.len() {
            let message = format!("expected {} values, found {}", types.len(), items.len());
            return Err(Fault::new(ErrorKind::Type, at, message));
        }
        let mut values = Vec::with_capacity(items.len());
        for (index, (ty, item)) in types.iter().zip(items.iter()).enumerate() {
            let value = self.node(ty, &item, base);
            values.push(value.map_err(|fault| fault.within(index))?);
        }
        Ok(Value::List(values))
    }

    /// What the kind of list asks of its items.
    fn finish(&mut self, list: &ListType, items: Vec<Value>, at: usize) -> Result<Value, Fault> {
        match list.kind {
            ListKind::List => Ok(Value::List(items)),
            ListKind::Set => {
                let count = items.len();
                let distinct = distinct_of(&list.item, items);
                if distinct.len() < count {
                    self.note(RepairKind::RepeatedItem, at);
                }
                Ok(Value::List(distinct))
            }
            ListKind::Array(length) if items.len() == length => Ok(Value::List(items)),
            ListKind::Array(length) => {
                let message = format!("expected {length} items, found {}", items.len());
                Err(Fault::new(ErrorKind::Type, at, message))
            }
        }
    }
}

fn empty(node: &Node<'_>) -> bool {
    match node.kind {
        NodeKind::Map { entries, .. } => entries.len() == 0,
        NodeKind::List { items, .. } => items.len() == 0,
        NodeKind::Bare(_) | NodeKind::Text(_) => false,
    }
}

/// Whether a comma can't be part of an item, so that commas part the items.
fn holds_no_comma(item: &FieldType) -> bool {
    match item {
        FieldType::Bool | FieldType::Int(_) | FieldType::Float(_) => true,
        FieldType::Enum(spec) => {
            spec.is_unit() && spec.variants.iter().all(|v| !v.name.contains(','))
        }
        _ => false,
    }
}

/// `1,234`: a list of two, or one number with a separator.
fn thousands(text: &str) -> bool {
    let mut groups = text.split(',').map(str::trim_end);
    let plain = |group: &str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit());
    let first = groups
        .next()
        .is_some_and(|g| plain(g) && g.len() <= 3 && !g.starts_with('0'));
    first && text.contains(',') && groups.all(|group| plain(group) && group.len() == 3)
}

/// A value in a message.
pub(in super::super) fn shown(value: &Value) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    super::super::error::excerpt(&json)
}
