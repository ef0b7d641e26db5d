//! Whether one schema's records can be read by another, and the rule for releases: FULL_TRANSITIVE.
//! A released schema and every later one of the same topic read each other's records.

use crate::error::CodecError;
use crate::store::parse;
use apache_avro::Schema;
use apache_avro::schema_compatibility::SchemaCompatibility;

/// That records of `writer` can be read as records of `reader`.
pub(crate) fn readable(writer: &Schema, reader: &Schema) -> Result<(), CodecError> {
    SchemaCompatibility::can_read(writer, reader).map(|_| ()).map_err(|error| CodecError::Schema { message: error.to_string() })
}

/// That both schemas, given as `.avsc` texts, read each other's records: the rule between a released schema and
/// each later one.
///
/// # Errors
/// [`CodecError::Schema`] that names the first difference which breaks the rule.
pub fn fully_compatible(older: &str, newer: &str) -> Result<(), CodecError> {
    let (older, newer) = (parse(older)?, parse(newer)?);
    readable(&older, &newer)?;
    readable(&newer, &older)
}
