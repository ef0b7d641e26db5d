//! A price from its generic Avro value.

use crate::fill::{decimal, text};
use anyhow::{Context, Result, bail};
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use rust_decimal::Decimal;
use std::collections::HashMap;

/// Bytes before the body: a mark and the schema's fingerprint.
const HEADER: usize = 10;

/// The instrument and its last price, where the tick has one.
pub fn read(reader: &GenericDatumReader<'_>, value: &[u8]) -> Result<(String, Option<Decimal>)> {
    let mut body = value.get(HEADER..).context("a tick has a header")?;
    let Value::Record(fields) = reader.read_value(&mut body)? else { bail!("a tick is a record") };
    let mut fields: HashMap<String, Value> = fields.into_iter().collect();
    let last = match fields.remove("last") {
        Some(Value::Union(1, last)) => Some(decimal(Some(&*last), 10)?),
        _ => None,
    };
    Ok((text(fields.remove("instrument_id"))?, last))
}
