//! Judges the values of a client by the types of the schema (specification, 3.4 to 3.12, "Input
//! Coercion"). A value in `variables` is JSON, one in the document is a literal: an enum is a text
//! in JSON, and only JSON may write the integer 2 as 2.0. The limits have bounded how deep values
//! are nested.

use std::fmt;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{BaseType, Type};
use async_graphql::{Name, Value};
use async_graphql_value::Value as Argument;

use super::types::{InputType, InputValue, SchemaTypes};
use crate::graphql::error::excerpt;

/// How many names an error lists.
const NAMES_SHOWN_MAX: usize = 20;

/// Where a value stands: `$input.fields[2].name`.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    segment: Segment<'a>,
}

#[derive(Clone, Copy)]
enum Segment<'a> {
    Variable(&'a str),
    Name(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    pub(super) const fn variable(name: &'a str) -> Self {
        Self { parent: None, segment: Segment::Variable(name) }
    }

    pub(super) const fn argument(name: &'a str) -> Self {
        Self { parent: None, segment: Segment::Name(name) }
    }

    const fn field(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), segment: Segment::Name(name) }
    }

    const fn item(&'a self, index: usize) -> Self {
        Self { parent: Some(self), segment: Segment::Index(index) }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut segments = Vec::new();
        let mut place = Some(self);
        while let Some(Place { parent, segment, .. }) = place {
            segments.push(*segment);
            place = *parent;
        }
        for (index, segment) in segments.into_iter().rev().enumerate() {
            match segment {
                Segment::Variable(name) => write!(formatter, "${}", excerpt(name))?,
                Segment::Name(name) if index == 0 => formatter.write_str(&excerpt(name))?,
                Segment::Name(name) => write!(formatter, ".{}", excerpt(name))?,
                Segment::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A variable in a value, and what the place expects of it.
pub(super) struct VariableUse<'a> {
    pub(super) name: &'a Name,
    pub(super) expected: &'a Type,
    /// Whether the variable must not be null, although the place may.
    pub(super) is_required: bool,
    /// Whether the place has a default, so that the variable may be null.
    pub(super) has_default: bool,
}

/// Coerces a value in `variables` to a type.
///
/// # Errors
///
/// The value does not fit. The text says where and why.
pub(super) fn coerce(types: &SchemaTypes, ty: &Type, value: Value, place: &Place<'_>) -> Result<Value, String> {
    if value == Value::Null {
        return if ty.nullable { Ok(value) } else { Err(null_problem(ty, place)) };
    }
    let name = match &ty.base {
        BaseType::List(item) => {
            // A single value is a list of one.
            let Value::List(values) = value else {
                return Ok(Value::List(vec![coerce(types, item, value, place)?]));
            };
            let values = values.into_iter().enumerate();
            return values.map(|(index, value)| coerce(types, item, value, &place.item(index))).collect();
        }
        BaseType::Named(name) => name,
    };
    match types.input(name) {
        // The library reports a type that does not exist.
        None => Ok(value),
        Some(InputType::Object { fields, is_one_of }) => {
            let Value::Object(mut values) = value else { return Err(wrong_type(name, "an object", &value, place)) };
            check_field_names(name, fields, values.keys(), place)?;
            let is_given = |field: &str| values.get(field).map(|value| *value != Value::Null);
            check_fields_given(name, fields, *is_one_of, is_given, place)?;
            let mut coerced = IndexMap::with_capacity(values.len());
            for (field, of_type) in fields {
                if let Some((field, value)) = values.swap_remove_entry(field.as_str()) {
                    let value = coerce(types, &of_type.ty, value, &place.field(&field))?;
                    coerced.insert(field, value);
                }
            }
            Ok(Value::Object(coerced))
        }
        Some(leaf) => coerce_leaf(name, leaf, value, Notation::Json, place),
    }
}

/// Checks a literal, and collects the variables in it.
///
/// # Errors
///
/// The literal does not fit. The text says where and why.
pub(super) fn check_literal<'a>(
    types: &'a SchemaTypes,
    input: &'a InputValue,
    value: &'a Argument,
    place: &Place<'_>,
    uses: &mut Vec<VariableUse<'a>>,
) -> Result<(), String> {
    if let Argument::Variable(name) = value {
        let has_default = input.has_default;
        uses.push(VariableUse { name, expected: &input.ty, is_required: false, has_default });
        return Ok(());
    }
    check_literal_of_type(types, &input.ty, value, place, uses)
}

fn check_literal_of_type<'a>(
    types: &'a SchemaTypes,
    ty: &'a Type,
    value: &'a Argument,
    place: &Place<'_>,
    uses: &mut Vec<VariableUse<'a>>,
) -> Result<(), String> {
    if let Argument::Variable(name) = value {
        uses.push(VariableUse { name, expected: ty, is_required: false, has_default: false });
        return Ok(());
    }
    if *value == Argument::Null {
        return if ty.nullable { Ok(()) } else { Err(null_problem(ty, place)) };
    }
    let name = match &ty.base {
        BaseType::List(item) => {
            let Argument::List(values) = value else { return check_literal_of_type(types, item, value, place, uses) };
            for (index, value) in values.iter().enumerate() {
                check_literal_of_type(types, item, value, &place.item(index), uses)?;
            }
            return Ok(());
        }
        BaseType::Named(name) => name,
    };
    match types.input(name) {
        None => Ok(()),
        Some(InputType::Object { fields, is_one_of }) => {
            let Argument::Object(values) = value else {
                return Err(wrong_type(name, "an object", &shown(value), place));
            };
            check_field_names(name, fields, values.keys(), place)?;
            let is_given = |field: &str| values.get(field).map(|value| *value != Argument::Null);
            check_fields_given(name, fields, *is_one_of, is_given, place)?;
            for (field, value) in values {
                let Some(of_type) = fields.get(field.as_str()) else { continue };
                let first = uses.len();
                check_literal(types, of_type, value, &place.field(field), uses)?;
                if *is_one_of && let (Argument::Variable(_), Some(of_field)) = (value, uses.get_mut(first)) {
                    of_field.is_required = true;
                }
            }
            Ok(())
        }
        Some(leaf) => coerce_leaf(name, leaf, shown(value), Notation::Literal, place).map(drop),
    }
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Notation {
    Json,
    Literal,
}

fn coerce_leaf(
    type_name: &str,
    ty: &InputType,
    value: Value,
    notation: Notation,
    place: &Place<'_>,
) -> Result<Value, String> {
    let expected = match (ty, &value) {
        (InputType::Int, Value::Number(number)) => {
            if let Some(integer) = integer(number, notation).and_then(|integer| i32::try_from(integer).ok()) {
                return Ok(integer.into());
            }
            "a whole number from -2147483648 to 2147483647".to_owned()
        }
        (InputType::Int, _) => "a whole number".to_owned(),
        (InputType::Float, Value::Number(_))
        | (InputType::String, Value::String(_))
        | (InputType::Boolean, Value::Boolean(_))
        | (InputType::Id, Value::String(_)) => return Ok(value),
        (InputType::Float, _) => "a number".to_owned(),
        (InputType::String, _) => "a text".to_owned(),
        (InputType::Boolean, _) => "true or false".to_owned(),
        (InputType::Id, Value::Number(number)) => match integer(number, notation) {
            Some(integer) => return Ok(Value::String(integer.to_string())),
            None => "a text".to_owned(),
        },
        (InputType::Id, _) => "a text".to_owned(),
        (InputType::Enum(names), Value::Enum(name)) if names.contains(name.as_str()) => return Ok(value),
        (InputType::Enum(names), Value::String(name))
            if notation == Notation::Json && names.contains(name.as_str()) =>
        {
            return Ok(Value::Enum(Name::new(name)));
        }
        (InputType::Enum(names), Value::String(name)) if names.contains(name.as_str()) => {
            format!("{name} without quotation marks")
        }
        (InputType::Enum(names), _) => format!("one of {}", list_names(names.iter().map(String::as_str))),
        (InputType::Scalar(parse), _) => match parse(&value) {
            Ok(()) => return Ok(value),
            Err(expected) => expected,
        },
        (InputType::Object { .. }, _) => "an object".to_owned(),
    };
    Err(wrong_type(type_name, &expected, &value, place))
}

/// The whole number that a number is. JSON has one kind of number, so 2.0 is 2 there.
fn integer(number: &serde_json::Number, notation: Notation) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|_| notation == Notation::Json && number.is_f64())?;
        // The text is exact: up to 2^53 a float has every whole number.
        let is_whole = float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0;
        is_whole.then(|| format!("{float:.0}").parse().ok())?
    })
}

/// A literal without what is nested in it, to judge and to show it.
fn shown(value: &Argument) -> Value {
    match value {
        Argument::Number(number) => Value::Number(number.clone()),
        Argument::String(text) => Value::String(text.clone()),
        Argument::Boolean(boolean) => Value::Boolean(*boolean),
        Argument::Enum(name) => Value::Enum(name.clone()),
        Argument::List(_) => Value::List(Vec::new()),
        Argument::Object(_) => Value::Object(IndexMap::new()),
        Argument::Null | Argument::Variable(_) | Argument::Binary(_) => Value::Null,
    }
}

fn check_field_names<'a>(
    type_name: &str,
    fields: &IndexMap<String, InputValue>,
    mut given: impl Iterator<Item = &'a Name>,
    place: &Place<'_>,
) -> Result<(), String> {
    let Some(unknown) = given.find(|name| !fields.contains_key(name.as_str())) else { return Ok(()) };
    let known = list_names(fields.keys().map(String::as_str));
    Err(format!("{place} has no field {:?}; the fields of {type_name} are {known}", excerpt(unknown)))
}

/// Checks that the fields which a type requires are given. `is_given` says whether a field is null.
fn check_fields_given(
    type_name: &str,
    fields: &IndexMap<String, InputValue>,
    is_one_of: bool,
    is_given: impl Fn(&str) -> Option<bool>,
    place: &Place<'_>,
) -> Result<(), String> {
    if is_one_of {
        let given: Vec<bool> = fields.keys().filter_map(|field| is_given(field)).collect();
        if given != [true] {
            let names = list_names(fields.keys().map(String::as_str));
            return Err(format!("{place} must have exactly one of the fields {names}, which must not be null"));
        }
    }
    let is_missing =
        |(name, field): &(&String, &InputValue)| !field.ty.nullable && !field.has_default && is_given(name).is_none();
    match fields.iter().find(is_missing) {
        Some((name, field)) => {
            Err(format!("{place} lacks the field {name} of type {}, which {type_name} requires", field.ty))
        }
        None => Ok(()),
    }
}

fn null_problem(ty: &Type, place: &Place<'_>) -> String {
    format!("{place} must be of type {ty}, it is null")
}

fn wrong_type(type_name: &str, expected: &str, value: &Value, place: &Place<'_>) -> String {
    let it_is = match value {
        Value::String(text) => format!("{:?}", excerpt(text)),
        Value::Null | Value::Number(_) | Value::Boolean(_) | Value::Enum(_) => excerpt(&value.to_string()).into_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Binary(_) => "binary".to_owned(),
    };
    format!("{place} must be of type {type_name}, {expected}; it is {it_is}")
}

fn list_names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    let more = if names.len() > NAMES_SHOWN_MAX { ", …" } else { "" };
    names.truncate(NAMES_SHOWN_MAX);
    names.join(", ") + more
}
