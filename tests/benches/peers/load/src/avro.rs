//! Reads Avro by the text of its schema. It knows what the topics of the benches use and nothing more: no maps, no floats,
//! no schemas that contain themselves.

use anyhow::{Context, Result, bail};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::rc::Rc;

/// The shape of a value.
#[derive(Debug, Clone)]
enum Shape {
    Null,
    Truth,
    Number,
    Text,
    Fixed(usize),
    Array(Rc<Shape>),
    Union(Rc<Vec<Shape>>),
    Record(Rc<Fields>),
}

/// Names of a record's fields, and their shapes.
#[derive(Debug)]
pub struct Fields(Vec<(String, Shape)>);

/// A schema.
pub struct Schema(Shape);

/// A value, whose texts and bytes lie where they were read.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// Null.
    Null,
    /// An integer, an enum's symbol or a truth: read over, since nobody asks for one.
    Number,
    /// A text.
    Text(&'a str),
    /// Bytes of a fixed length.
    Fixed(&'a [u8]),
    /// An array.
    List(Vec<Value<'a>>),
    /// A record.
    Record(Rc<Fields>, Vec<Value<'a>>),
}

impl Schema {
    /// A schema from its JSON.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self(shape(&serde_json::from_str(text)?, &mut HashMap::new())?))
    }

    /// One value, which must be all that `bytes` holds.
    pub fn read<'a>(&self, mut bytes: &'a [u8]) -> Result<Value<'a>> {
        let read = value(&self.0, &mut bytes)?;
        if !bytes.is_empty() {
            bail!("{} bytes are left after a record", bytes.len());
        }
        Ok(read)
    }
}

impl<'a> Value<'a> {
    /// A field of a record.
    pub fn field(&self, name: &str) -> Result<&Value<'a>> {
        let Self::Record(fields, values) = self else { bail!("{name} of what is no record") };
        let at = fields.0.iter().position(|(field, _)| field == name).with_context(|| format!("no field {name}"))?;
        Ok(&values[at])
    }
    /// The entries of a list.
    pub fn list(&self) -> Result<&[Value<'a>]> {
        if let Self::List(values) = self { Ok(values) } else { bail!("{self:?} is no list") }
    }
    /// A text.
    pub fn text(&self) -> Result<&'a str> {
        if let Self::Text(text) = self { Ok(text) } else { bail!("{self:?} is no text") }
    }
    /// A decimal's units.
    pub fn units(&self) -> Result<i128> {
        let Self::Fixed(bytes) = self else { bail!("{self:?} is no decimal") };
        let negative = bytes.first().is_some_and(|first| *first >= 0x80);
        let mut wide = [if negative { 0xff } else { 0 }; 16];
        wide[16 - bytes.len()..].copy_from_slice(bytes);
        Ok(i128::from_be_bytes(wide))
    }
}

fn shape(json: &Json, named: &mut HashMap<String, Shape>) -> Result<Shape> {
    if let Json::Array(parts) = json {
        let parts: Result<Vec<_>> = parts.iter().map(|part| shape(part, named)).collect();
        return Ok(Shape::Union(Rc::new(parts?)));
    }
    let kind = json.as_str().or_else(|| json["type"].as_str());
    let made = match kind {
        None => return shape(&json["type"], named),
        Some("null") => Shape::Null,
        Some("boolean") => Shape::Truth,
        Some("int" | "long" | "enum") => Shape::Number,
        Some("string") => Shape::Text,
        Some("fixed") => Shape::Fixed(usize::try_from(json["size"].as_u64().context("a fixed type has a size")?)?),
        Some("array") => Shape::Array(Rc::new(shape(&json["items"], named)?)),
        Some("record") => {
            let mut fields = Vec::new();
            for field in json["fields"].as_array().context("a record has fields")? {
                fields.push((field["name"].as_str().context("a field has a name")?.to_owned(), shape(&field["type"], named)?));
            }
            Shape::Record(Rc::new(Fields(fields)))
        }
        Some(name) => return named.get(name).cloned().with_context(|| format!("the type {name} is not known")),
    };
    if let Some(name) = json["name"].as_str() {
        named.insert(name.to_owned(), made.clone());
    }
    Ok(made)
}

fn value<'a>(shape: &Shape, bytes: &mut &'a [u8]) -> Result<Value<'a>> {
    Ok(match shape {
        Shape::Null => Value::Null,
        Shape::Truth => take(bytes, 1).map(|_| Value::Number)?,
        Shape::Number => long(bytes).map(|_| Value::Number)?,
        Shape::Text => Value::Text(std::str::from_utf8(length(bytes).and_then(|size| take(bytes, size))?)?),
        Shape::Fixed(size) => Value::Fixed(take(bytes, *size)?),
        Shape::Union(parts) => value(parts.get(length(bytes)?).context("no such part of a union")?, bytes)?,
        Shape::Array(items) => list(items, bytes)?,
        Shape::Record(fields) => {
            let values: Result<Vec<_>> = fields.0.iter().map(|(_, shape)| value(shape, bytes)).collect();
            Value::Record(Rc::clone(fields), values?)
        }
    })
}

fn list<'a>(items: &Shape, bytes: &mut &'a [u8]) -> Result<Value<'a>> {
    let mut values = Vec::new();
    loop {
        let mut count = long(bytes)?;
        if count == 0 {
            return Ok(Value::List(values));
        }
        if count < 0 {
            long(bytes)?;
            count = -count;
        }
        for _ in 0..count {
            values.push(value(items, bytes)?);
        }
    }
}

fn length(bytes: &mut &[u8]) -> Result<usize> {
    Ok(usize::try_from(long(bytes)?)?)
}

fn take<'a>(bytes: &mut &'a [u8], size: usize) -> Result<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(size).context("a record ends too early")?;
    *bytes = rest;
    Ok(taken)
}

fn long(bytes: &mut &[u8]) -> Result<i64> {
    let mut read = 0_u64;
    for place in 0..10 {
        let byte = take(bytes, 1)?[0];
        read |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Ok((read >> 1).cast_signed() ^ -(read & 1).cast_signed());
        }
    }
    bail!("a number of more than ten bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fills::Stream;

    #[test]
    fn a_written_fill_is_read_by_its_schema() {
        let schema = Schema::parse(include_str!("../../../../../schemas/execution.fills.v1.avsc")).expect("a schema");
        let (stream, mut bytes) = (Stream::new(3, 50), Vec::new());
        stream.write(60, &mut bytes);
        let value = schema.read(&bytes[10..]).expect("a fill");
        let units = value.field("quantity").and_then(Value::units).expect("a quantity");
        assert_eq!(units, i128::from(stream.fill(60).units.unsigned_abs()) * 100_000_000);
        assert_eq!(value.field("exec_id").and_then(Value::text).expect("an id"), "E000000000060");
        assert!(schema.read(&bytes[10..bytes.len() - 1]).is_err());
    }

    #[test]
    fn a_written_tick_is_read_by_its_schema() {
        let schema = Schema::parse(include_str!("../../../../../schemas/marketdata.ticks.v1.avsc")).expect("a schema");
        let mut bytes = Vec::new();
        Stream::new(3, 50).write_tick(501, &mut bytes);
        let value = schema.read(&bytes[10..]).expect("a tick");
        assert_eq!(value.field("instrument_id").and_then(Value::text).expect("an id"), "US000000001");
        assert!(value.field("last").and_then(Value::units).expect("a price") >= 100_000_000_000);
    }
}
