//! The types of a reply's values as the walker reads them: an arena of shapes, from the same spec as the grammar.

use std::collections::HashMap;

use serde_json::json;

use crate::signature::{
    Constraint, DateKind, EnumSpec, FieldSpec, FieldType, ListKind, Payload, TypeRef,
};

use super::super::GrammarError;
use super::super::bounds::{grid_of_float, grid_of_int, len_of, unsatisfiable};
use super::super::lark::StringShape;
use super::{Grid, MOST_NESTING};

/// A shape in its plan's arena.
pub(super) type Id = usize;

/// A type as JSON on one line.
#[derive(Debug)]
pub(super) enum Shape {
    /// A string of so many characters; `escapes` are those behind a backslash.
    Text {
        min: usize,
        max: Option<usize>,
        escapes: &'static [u8],
    },
    /// A string of one character without escapes.
    Char,
    /// A string or number that is never counted.
    Other,
    /// One of these texts, in order and distinct.
    Names(Vec<Vec<u8>>),
    Number(Grid),
    /// A date in quotes, without a fraction of a second.
    Date(DateKind),
    /// `null`, or a shape that is not.
    Option(Id),
    List {
        item: Id,
        min: usize,
        max: Option<usize>,
        distinct: bool,
    },
    Tuple(Vec<Id>),
    Map {
        value: Id,
        min: usize,
    },
    Record(Vec<Id>),
    /// The tags in order, and the fields that follow each.
    Tagged(Vec<Vec<u8>>, Vec<Vec<Id>>),
    Json,
}

/// What stands in a section.
#[derive(Debug)]
pub(super) enum Content {
    /// Nothing to look after.
    Any,
    Value(Id),
    /// The arguments of the tool that the section before names.
    Arguments(Vec<(Vec<u8>, Id)>),
}

#[derive(Debug)]
pub(super) struct Section {
    /// What stands before it, byte for byte.
    pub before: Vec<u8>,
    pub content: Content,
}

/// What a walker must know of a reply.
#[derive(Debug, Default)]
pub(in super::super) struct Plan {
    pub(super) shapes: Vec<Shape>,
    /// Least nesting of a value.
    pub(super) heights: Vec<usize>,
    pub(super) sections: Vec<Section>,
    named: HashMap<(String, usize), Id>,
    /// Whether any section has to be looked after.
    pub(super) needed: bool,
}

const ESCAPES: &[u8] = b"\"\\/nt";
const ESCAPES_OF_LINES: &[u8] = b"\"\\/t";

impl Plan {
    /// Adds the section of a field, behind these bytes.
    pub fn section(&mut self, before: String, field: &FieldSpec) -> Result<(), GrammarError> {
        let value = self.field(field, false)?;
        self.watch(before, field, vec![(Vec::new(), value)], |values| {
            values
                .into_iter()
                .next()
                .map_or(Content::Any, |(_, value)| Content::Value(value))
        })
    }

    /// Adds a section of text that needs no looking after.
    pub fn text(&mut self, before: String) {
        self.sections.push(Section {
            before: before.into(),
            content: Content::Any,
        });
    }

    /// Adds the section with the arguments of one of the tools.
    pub fn arguments(
        &mut self,
        before: String,
        field: &FieldSpec,
        tools: &[(String, Vec<FieldSpec>)],
    ) -> Result<(), GrammarError> {
        let mut arguments = Vec::new();
        for (name, fields) in tools {
            let fields = self.fields(fields, false)?;
            arguments.push((name.clone().into_bytes(), self.add(Shape::Record(fields))));
        }
        self.watch(before, field, arguments, Content::Arguments)
    }

    /// Ends the plan: what follows the last section. `None` if nothing has to be looked after.
    pub fn end(mut self, after: &str) -> Option<Self> {
        self.text(after.to_owned());
        self.needed.then_some(self)
    }

    fn watch(
        &mut self,
        before: String,
        field: &FieldSpec,
        values: Vec<(Vec<u8>, Id)>,
        content: impl FnOnce(Vec<(Vec<u8>, Id)>) -> Content,
    ) -> Result<(), GrammarError> {
        self.measure();
        if values
            .iter()
            .any(|(_, id)| self.heights[*id] > MOST_NESTING)
        {
            let problem = format!("each of its values is nested more than {MOST_NESTING} deep");
            return Err(unsatisfiable(field, &problem));
        }
        let watched = values.iter().any(|(_, id)| self.matters(*id));
        self.needed |= watched;
        self.sections.push(Section {
            before: before.into(),
            content: if watched {
                content(values)
            } else {
                Content::Any
            },
        });
        Ok(())
    }

    fn add(&mut self, shape: Shape) -> Id {
        self.shapes.push(shape);
        self.shapes.len() - 1
    }

    fn field(&mut self, field: &FieldSpec, in_item: bool) -> Result<Id, GrammarError> {
        self.value(&field.ty, field, in_item)
    }

    fn fields(&mut self, fields: &[FieldSpec], in_item: bool) -> Result<Vec<Id>, GrammarError> {
        fields
            .iter()
            .map(|field| self.field(field, in_item))
            .collect()
    }

    fn bare(&mut self, ty: &TypeRef, field: &FieldSpec, in_item: bool) -> Result<Id, GrammarError> {
        let bare = FieldSpec::owned(field.name.to_string(), "", ty.clone());
        self.value(ty, &bare, in_item)
    }

    fn value(
        &mut self,
        ty: &FieldType,
        field: &FieldSpec,
        in_item: bool,
    ) -> Result<Id, GrammarError> {
        let shape = match ty {
            FieldType::String => text(field)?,
            FieldType::Char => Shape::Char,
            FieldType::Bool => names([b"true".to_vec(), b"false".to_vec()]),
            FieldType::Int(int) => Shape::Number(grid_of_int(*int, field)),
            FieldType::Float(float) if in_item => Shape::Number(grid_of_float(*float, field)),
            FieldType::Float(_) => Shape::Other,
            FieldType::Date(kind) => Shape::Date(*kind),
            FieldType::Json => Shape::Json,
            FieldType::Option(inner) => {
                let inner = self.value(inner, field, in_item)?;
                if matches!(self.shapes[inner], Shape::Option(_)) {
                    return Ok(inner);
                }
                Shape::Option(inner)
            }
            FieldType::List(list) => {
                let distinct = distinct_items(list, field)?;
                let item = self.bare(&list.item, field, in_item || distinct)?;
                let (min, max) = match list.kind {
                    ListKind::Array(len) => (len, Some(len)),
                    ListKind::List | ListKind::Set => len_of(field).unwrap_or((0, None)),
                };
                if distinct && self.count(item) < min as u128 {
                    let problem = format!(
                        "{min} items must differ and only {} values exist",
                        self.count(item)
                    );
                    return Err(unsatisfiable(field, &problem));
                }
                Shape::List {
                    item,
                    min,
                    max,
                    distinct,
                }
            }
            FieldType::Tuple(items) => Shape::Tuple(
                items
                    .iter()
                    .map(|item| self.bare(item, field, in_item))
                    .collect::<Result<_, _>>()?,
            ),
            FieldType::Map(value) => Shape::Map {
                value: self.bare(value, field, in_item)?,
                min: len_of(field).map_or(0, |(min, _)| min),
            },
            FieldType::Struct(spec) => {
                let key = (
                    format!("{} {in_item}", spec.name),
                    spec.fields.as_ptr() as usize,
                );
                return self.named(key, |plan| {
                    Ok(Shape::Record(plan.fields(&spec.fields, in_item)?))
                });
            }
            FieldType::Enum(spec) if spec.is_unit() => {
                names(spec.variants.iter().map(|variant| quoted(&variant.name)))
            }
            FieldType::Enum(spec) => {
                let key = (
                    format!("{} {in_item}", spec.name),
                    spec.variants.as_ptr() as usize,
                );
                return self.named(key, |plan| plan.tagged(spec, in_item));
            }
        };
        Ok(self.add(shape))
    }

    /// A shape that may refer to itself.
    fn named(
        &mut self,
        key: (String, usize),
        shape: impl FnOnce(&mut Self) -> Result<Shape, GrammarError>,
    ) -> Result<Id, GrammarError> {
        if let Some(id) = self.named.get(&key) {
            return Ok(*id);
        }
        let id = self.add(Shape::Json);
        self.named.insert(key, id);
        self.shapes[id] = shape(self)?;
        Ok(id)
    }

    fn tagged(&mut self, spec: &EnumSpec, in_item: bool) -> Result<Shape, GrammarError> {
        let mut variants = Vec::new();
        for variant in &*spec.variants {
            let fields = match &variant.payload {
                Payload::Unit => Vec::new(),
                Payload::Fields(fields) => self.fields(fields, in_item)?,
                Payload::Value(ty) => {
                    vec![self.bare(ty, &FieldSpec::owned("value", "", ty.clone()), in_item)?]
                }
            };
            variants.push((quoted(&variant.name), fields));
        }
        let (tags, fields) = variants.into_iter().unzip();
        Ok(Shape::Tagged(tags, fields))
    }

    /// Finds each shape's least nesting: again and again until nothing changes, as a shape may refer to itself.
    fn measure(&mut self) {
        let mut heights = vec![usize::MAX; self.shapes.len()];
        loop {
            let mut changed = false;
            for id in 0..self.shapes.len() {
                let deepest = |ids: &[Id]| ids.iter().map(|id| heights[*id]).max().unwrap_or(0);
                let height = match &self.shapes[id] {
                    Shape::List { item, min, .. } if *min > 0 => heights[*item].saturating_add(1),
                    Shape::Map { value, min } if *min > 0 => heights[*value].saturating_add(1),
                    Shape::List { .. } | Shape::Map { .. } => 1,
                    Shape::Tuple(ids) | Shape::Record(ids) => deepest(ids).saturating_add(1),
                    Shape::Tagged(_, variants) => {
                        let least = variants.iter().map(|ids| deepest(ids)).min();
                        least.unwrap_or(0).saturating_add(1)
                    }
                    _ => 0,
                };
                changed |= height != heights[id];
                heights[id] = height;
            }
            if !changed {
                break;
            }
        }
        self.heights = heights;
    }

    /// Whether values of this shape need a walker: something in it must differ, or it may nest without end.
    fn matters(&self, root: Id) -> bool {
        let mut open = vec![root];
        let mut seen = vec![false; self.shapes.len()];
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut seen[id], true) {
                continue;
            }
            match &self.shapes[id] {
                Shape::Json | Shape::Map { .. } | Shape::List { distinct: true, .. } => {
                    return true;
                }
                Shape::Option(inner) | Shape::List { item: inner, .. } => open.push(*inner),
                Shape::Tuple(ids) | Shape::Record(ids) => {
                    if self.reaches(id, ids) {
                        return true;
                    }
                    open.extend(ids);
                }
                Shape::Tagged(_, variants) => {
                    if variants.iter().any(|ids| self.reaches(id, ids)) {
                        return true;
                    }
                    open.extend(variants.iter().flatten());
                }
                _ => {}
            }
        }
        false
    }

    /// Whether a shape contains itself.
    fn reaches(&self, goal: Id, from: &[Id]) -> bool {
        let mut open = from.to_vec();
        let mut seen = vec![false; self.shapes.len()];
        while let Some(id) = open.pop() {
            if id == goal {
                return true;
            }
            if std::mem::replace(&mut seen[id], true) {
                continue;
            }
            match &self.shapes[id] {
                Shape::Option(inner) | Shape::List { item: inner, .. } => open.push(*inner),
                Shape::Map { value, .. } => open.push(*value),
                Shape::Tuple(ids) | Shape::Record(ids) => open.extend(ids),
                Shape::Tagged(_, variants) => open.extend(variants.iter().flatten()),
                _ => {}
            }
        }
        false
    }
}

fn text(field: &FieldSpec) -> Result<Shape, GrammarError> {
    let (min, max) = len_of(field).unwrap_or((0, None));
    let mut escapes = ESCAPES;
    if let Some(options) = StringShape::of(field)?.options {
        return Ok(names(options.into_iter().map(quoted)));
    }
    for constraint in &*field.constraints {
        match constraint {
            Constraint::Regex(_) => return Ok(Shape::Other),
            Constraint::OneLine => escapes = ESCAPES_OF_LINES,
            _ => {}
        }
    }
    Ok(Shape::Text { min, max, escapes })
}

fn names(texts: impl IntoIterator<Item = Vec<u8>>) -> Shape {
    let mut texts: Vec<_> = texts.into_iter().collect();
    texts.sort();
    texts.dedup();
    Shape::Names(texts)
}

fn quoted(name: &str) -> Vec<u8> {
    json!(name).to_string().into_bytes()
}

/// Whether the items of a list are kept apart by the walker.
///
/// # Errors
/// If they must differ and can't be.
pub(in super::super) fn distinct_items(
    list: &crate::signature::ListType,
    field: &FieldSpec,
) -> Result<bool, GrammarError> {
    let unique = field.constraints.contains(&Constraint::Unique);
    let set = list.kind == ListKind::Set;
    if !unique && !set {
        return Ok(false);
    }
    if countable(&list.item) {
        return Ok(true);
    }
    // The parser drops equal items of a set, so there may be fewer than the reply has.
    let least = len_of(field).map_or(0, |(min, _)| min);
    if unique || least > 1 {
        return Err(unsatisfiable(
            field,
            "its items can't be kept apart while they are written: they hold sets, maps, JSON, \
             strings with a `regex`, or themselves",
        ));
    }
    Ok(false)
}

/// Whether the values of a type can be counted while one is written, and equal ones have one order.
fn countable(ty: &FieldType) -> bool {
    counts(ty, &[], &mut Vec::new())
}

fn counts(ty: &FieldType, constraints: &[Constraint], open: &mut Vec<usize>) -> bool {
    let fields = |fields: &[FieldSpec], open: &mut Vec<usize>| {
        fields
            .iter()
            .all(|field| counts(&field.ty, &field.constraints, open))
    };
    let mut within = |address: usize, all: &mut dyn FnMut(&mut Vec<usize>) -> bool| {
        if open.contains(&address) {
            return false;
        }
        open.push(address);
        let all = all(open);
        open.pop();
        all
    };
    match ty {
        FieldType::String => !constraints
            .iter()
            .any(|one| matches!(one, Constraint::Regex(_))),
        FieldType::Char
        | FieldType::Bool
        | FieldType::Int(_)
        | FieldType::Float(_)
        | FieldType::Date(_) => true,
        FieldType::Json | FieldType::Map(_) => false,
        FieldType::Option(inner) => counts(inner, constraints, open),
        FieldType::List(list) => {
            list.kind != ListKind::Set
                && !constraints.contains(&Constraint::Unique)
                && counts(&list.item, &[], open)
        }
        FieldType::Tuple(items) => items.iter().all(|item| counts(item, &[], open)),
        FieldType::Struct(spec) => within(spec.fields.as_ptr() as usize, &mut |open| {
            fields(&spec.fields, open)
        }),
        FieldType::Enum(spec) => within(spec.variants.as_ptr() as usize, &mut |open| {
            spec.variants.iter().all(|variant| match &variant.payload {
                Payload::Unit => true,
                Payload::Value(ty) => counts(ty, &[], open),
                Payload::Fields(all) => fields(all, open),
            })
        }),
    }
}
