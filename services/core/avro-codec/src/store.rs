//! The writers' schemas that are known besides this build's own, by fingerprint.
//! It reads no files: texts are handed in. A schema is refused when it is taken in, not when its
//! first record arrives.

use crate::canonical;
use crate::error::CodecError;
use crate::limits::{MAX_RESOLVE_ALLOCATION, MAX_SCHEMA_TEXT};
use crate::resolve::Resolver;
use crate::schemas::{COMPILED, Compiled, EARLIER, Fingerprint};
use apache_avro::Schema;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// A schema that some writer uses, and how its records become ours.
#[derive(Debug, Clone)]
struct Writer {
    text: String,
    resolver: Resolver,
    /// Whether it is an earlier release's, which this build knows by itself.
    earlier: bool,
}

/// Every schema that may be read. Cheap to look into and to copy.
#[derive(Debug, Clone)]
pub struct SchemaStore {
    writers: BTreeMap<Fingerprint, Arc<Writer>>,
}

/// Texts of released schemas never change: they are read once.
static RELEASED: LazyLock<SchemaStore> = LazyLock::new(SchemaStore::released);

impl SchemaStore {
    /// This build's schemas, and those of earlier releases.
    ///
    /// # Panics
    /// When the text of a released schema is broken: a fault of the build, which the tests exclude.
    pub fn compiled() -> Self {
        RELEASED.clone()
    }

    fn released() -> Self {
        apache_avro::util::max_allocation_bytes(MAX_RESOLVE_ALLOCATION);
        let mut store = Self { writers: BTreeMap::new() };
        for text in EARLIER {
            store.take_in(text, true).expect("the texts of earlier releases are tested");
        }
        store
    }

    /// Takes in one more writer's schema, from the text of its `.avsc`. One that is known already changes nothing.
    ///
    /// # Errors
    /// [`CodecError::Schema`]: no schema, no record of ours by its name, not readable as ours, or
    /// of a shape that hostile bytes could exploit (recursive, too deep, arrays of empty items).
    pub fn add(&mut self, text: &str) -> Result<Fingerprint, CodecError> {
        self.take_in(text, false)
    }

    fn take_in(&mut self, text: &str, earlier: bool) -> Result<Fingerprint, CodecError> {
        if text.len() > MAX_SCHEMA_TEXT {
            return Err(CodecError::Schema { message: format!("its text has {} bytes and may have {MAX_SCHEMA_TEXT}", text.len()) });
        }
        let schema = parse(text)?;
        let fingerprint = fingerprint_of_text(text)?;
        let ours = ours_for(&schema)?;
        // Before the look-up: a fingerprint is blind to the scale of a decimal, this is not.
        let resolver = Resolver::new(schema, ours)?;
        if !self.contains(fingerprint) {
            self.writers.insert(fingerprint, Arc::new(Writer { text: text.to_owned(), resolver, earlier }));
        }
        Ok(fingerprint)
    }

    /// Whether records with this fingerprint can be read.
    pub fn contains(&self, fingerprint: Fingerprint) -> bool {
        is_compiled(fingerprint).is_some() || self.writers.contains_key(&fingerprint)
    }

    /// The schemas that were added to those which this build knows by itself, by fingerprint.
    pub fn texts(&self) -> impl Iterator<Item = (Fingerprint, &str)> {
        let added = self.writers.iter().filter(|(_, writer)| !writer.earlier);
        added.map(|(fingerprint, writer)| (*fingerprint, writer.text.as_str()))
    }

    pub(crate) fn resolver(&self, fingerprint: Fingerprint) -> Option<&Resolver> {
        self.writers.get(&fingerprint).map(|writer| &writer.resolver)
    }
}

impl Default for SchemaStore {
    fn default() -> Self {
        Self::compiled()
    }
}

/// The schema of this build with the fingerprint.
pub(crate) fn is_compiled(fingerprint: Fingerprint) -> Option<&'static Compiled> {
    COMPILED.iter().find(|ours| ours.fingerprint == fingerprint)
}

/// The schema of a text.
pub(crate) fn parse(text: &str) -> Result<Schema, CodecError> {
    Schema::parse_str(text).map_err(|error| CodecError::Schema { message: error.to_string() })
}

fn ours_for(schema: &Schema) -> Result<&'static Compiled, CodecError> {
    let name = schema.name().map_or("", |name| name.name());
    let found = COMPILED.iter().find(|ours| ours.record == name);
    found.ok_or_else(|| CodecError::Schema { message: format!("its record {name:?} is none of this service's") })
}

/// The fingerprint of a schema's text.
///
/// # Errors
/// [`CodecError::Schema`] when the text is no schema.
pub fn fingerprint_of_text(text: &str) -> Result<Fingerprint, CodecError> {
    let json = serde_json::from_str(text).map_err(|error| CodecError::Schema { message: error.to_string() })?;
    canonical::fingerprint(&json).ok_or_else(|| CodecError::Schema { message: "it is no Avro schema".to_owned() })
}
