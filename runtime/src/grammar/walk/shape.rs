//! The types of a reply's values as the walker reads them: an arena of shapes, from the same spec as the grammar.

use std::collections::HashMap;

use serde_json::json;

use crate::signature::{
    Constraint, DateKind, EnumSpec, FieldSpec, FieldType, ListKind, Payload, TypeRef,
};

use super::super::GrammarError;
use super::super::bounds::{grid_of_float, grid_of_int, len_of, unsatisfiable};
use super::super::lark::StringShape;
use super::distinct::distinct_items;
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
    /// Bytes of a value's keys.
    pub(super) keys: Vec<usize>,
    /// Bytes that may be missing of a value under way, without those of the containers in it.
    pub(super) rests: Vec<usize>,
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
            let keys = key_bytes(fields);
            let fields = self.fields(fields, false)?;
            let id = self.add(Shape::Record(fields));
            self.keys[id] = keys;
            arguments.push((name.clone().into_bytes(), id));
        }
        self.watch(before, field, arguments, Content::Arguments)
    }

    /// Ends the plan: what follows the last section.
    pub fn end(mut self, after: &str) -> Self {
        self.text(after.to_owned());
        self
    }

    /// Whether anything has to be looked after.
    pub fn is_needed(&self) -> bool {
        self.needed
    }

    /// Bytes that may be missing at the end of a reply, where nothing contains itself.
    pub fn rest(&self) -> usize {
        self.rests.iter().sum()
    }

    /// Bytes by which what is missing may grow with a container that is opened.
    pub fn growth(&self) -> usize {
        self.rests.iter().copied().max().unwrap_or(0)
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
        self.keys.push(0);
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
                    let fields = plan.fields(&spec.fields, in_item)?;
                    Ok((Shape::Record(fields), key_bytes(&spec.fields)))
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
        shape: impl FnOnce(&mut Self) -> Result<(Shape, usize), GrammarError>,
    ) -> Result<Id, GrammarError> {
        if let Some(id) = self.named.get(&key) {
            return Ok(*id);
        }
        let id = self.add(Shape::Json);
        self.named.insert(key, id);
        (self.shapes[id], self.keys[id]) = shape(self)?;
        Ok(id)
    }

    fn tagged(&mut self, spec: &EnumSpec, in_item: bool) -> Result<(Shape, usize), GrammarError> {
        let mut variants = Vec::new();
        let mut keys = 0;
        for variant in &*spec.variants {
            let own = match &variant.payload {
                Payload::Fields(fields) => key_bytes(fields),
                _ => "value".len() + 6,
            };
            keys = keys.max(own + variant.name.len() + spec.tag.len() + 12);
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
        Ok((Shape::Tagged(tags, fields), keys))
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

/// Bytes of keys with all that stands around them.
fn key_bytes(fields: &[FieldSpec]) -> usize {
    fields.iter().map(|field| field.name.len() + 6).sum()
}
