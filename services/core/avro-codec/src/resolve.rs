//! Reads a record that was written with another schema: by the Avro library, field by field by name,
//! into bytes of our schema, which the fast path then reads like any other. Slow, bounded, rare.

use crate::compatibility;
use crate::error::CodecError;
use crate::limits::MAX_SCHEMA_DEPTH;
use crate::schemas::Compiled;
use crate::store::parse;
use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::writer::datum::GenericDatumWriter;
use std::io::{self, Read};
use std::sync::Arc;

/// A writer's schema beside ours.
#[derive(Debug, Clone)]
pub(crate) struct Resolver {
    pub(crate) ours: &'static Compiled,
    schemas: Arc<(Schema, Schema)>,
}

impl Resolver {
    /// Checks that records of `writer` can be read as `ours`.
    pub(crate) fn new(writer: Schema, ours: &'static Compiled) -> Result<Self, CodecError> {
        harmless(&writer, &mut Vec::new(), 0).map_err(|message| CodecError::Schema { message })?;
        let reader = parse(ours.text)?;
        compatibility::readable(&writer, &reader)?;
        Ok(Self { ours, schemas: Arc::new((writer, reader)) })
    }

    /// The body of a record, as a body of our schema.
    pub(crate) fn resolve(&self, body: &[u8]) -> Result<Vec<u8>, String> {
        let (writer, reader) = &*self.schemas;
        let mut bytes = Exact { rest: body };
        let words = |error: apache_avro::Error| error.to_string();
        let value =
            GenericDatumReader::builder(writer).reader_schema(reader).build().map_err(words)?.read_value(&mut bytes).map_err(words)?;
        if !bytes.rest.is_empty() {
            return Err(format!("{} bytes are left over behind the record", bytes.rest.len()));
        }
        GenericDatumWriter::builder(reader).build().map_err(words)?.write_value_to_vec(value).map_err(words)
    }
}

/// Bytes whose end is an error of its own: the Avro library takes `UnexpectedEof` inside a record for null.
struct Exact<'a> {
    rest: &'a [u8],
}

impl Read for Exact<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.read_exact(into).map(|()| into.len())
    }
    fn read_exact(&mut self, into: &mut [u8]) -> io::Result<()> {
        let Some((first, rest)) = self.rest.split_at_checked(into.len()) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the record is cut off"));
        };
        into.copy_from_slice(first);
        self.rest = rest;
        Ok(())
    }
}

/// Refuses schemas of which a few bytes can claim unbounded memory or stack.
fn harmless(schema: &Schema, open: &mut Vec<String>, depth: usize) -> Result<(), String> {
    if depth > MAX_SCHEMA_DEPTH {
        return Err(format!("it nests deeper than {MAX_SCHEMA_DEPTH}"));
    }
    match schema {
        Schema::Record(record) => {
            open.push(record.name.to_string());
            record.fields.iter().try_for_each(|field| harmless(&field.schema, open, depth + 1))?;
            open.pop();
            Ok(())
        }
        Schema::Ref { name } if open.contains(&name.to_string()) => Err(format!("its record {name} contains itself")),
        Schema::Union(union) => union.variants().iter().try_for_each(|variant| harmless(variant, open, depth + 1)),
        Schema::Array(array) => items(&array.items, open, depth),
        Schema::Map(map) => items(&map.types, open, depth),
        _ => Ok(()),
    }
}

fn items(schema: &Schema, open: &mut Vec<String>, depth: usize) -> Result<(), String> {
    if may_be_empty(schema) {
        return Err("an array or map has items that take no bytes".to_owned());
    }
    harmless(schema, open, depth + 1)
}

/// Whether a value of the schema can have no bytes at all. A reference counts as such only where
/// what it names does, which was looked at where that stood first.
fn may_be_empty(schema: &Schema) -> bool {
    match schema {
        Schema::Null => true,
        Schema::Fixed(fixed) => fixed.size == 0,
        Schema::Record(record) => record.fields.iter().all(|field| may_be_empty(&field.schema)),
        _ => false,
    }
}
