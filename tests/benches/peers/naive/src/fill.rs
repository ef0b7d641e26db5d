//! A fill from its generic Avro value. Corrections and cancels are not part of the benches' job and are refused.

use anyhow::{Context, Result, bail};
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use rust_decimal::Decimal;
use std::collections::HashMap;

/// Bytes before the body: a mark and the schema's fingerprint.
const HEADER: usize = 10;

/// A trade; its quantity is signed.
pub struct Fill {
    pub exec_id: String,
    pub portfolio: String,
    pub instrument: String,
    pub quantity: Decimal,
    pub price: Decimal,
    pub fees: Decimal,
}

/// Reads one.
pub fn read(reader: &GenericDatumReader<'_>, value: &[u8]) -> Result<Fill> {
    let mut body = value.get(HEADER..).context("a fill has a header")?;
    let Value::Record(fields) = reader.read_value(&mut body)? else { bail!("a fill is a record") };
    let mut fields: HashMap<String, Value> = fields.into_iter().collect();
    if !matches!(fields.get("exec_type"), Some(Value::Enum(_, symbol)) if symbol == "TRADE") {
        bail!("a fill that is no trade");
    }
    let buy = matches!(fields.get("side"), Some(Value::Enum(_, symbol)) if symbol == "BUY");
    let quantity = decimal(fields.get("quantity"), 8)?;
    Ok(Fill {
        exec_id: text(fields.remove("exec_id"))?,
        portfolio: text(fields.remove("portfolio_id"))?,
        instrument: text(fields.remove("instrument_id"))?,
        quantity: if buy { quantity } else { -quantity },
        price: decimal(fields.get("price"), 10)?,
        fees: fees(fields.get("fees"))?,
    })
}

fn fees(value: Option<&Value>) -> Result<Decimal> {
    let Some(Value::Array(fees)) = value else { bail!("fees are a list") };
    let mut sum = Decimal::ZERO;
    for fee in fees {
        let Value::Record(fields) = fee else { bail!("a fee is a record") };
        sum += decimal(fields.iter().find(|(name, _)| name == "amount").map(|(_, value)| value), 10)?;
    }
    Ok(sum)
}

/// A text.
pub fn text(value: Option<Value>) -> Result<String> {
    match value {
        Some(Value::String(text)) => Ok(text),
        other => bail!("a text, not {other:?}"),
    }
}

/// A decimal, whose type the library knows or which it leaves as bytes.
pub fn decimal(value: Option<&Value>, scale: u32) -> Result<Decimal> {
    let bytes = match value {
        Some(Value::Decimal(decimal)) => <Vec<u8>>::try_from(decimal)?,
        Some(Value::Fixed(_, bytes)) => bytes.clone(),
        other => bail!("a decimal, not {other:?}"),
    };
    Ok(Decimal::try_from_i128_with_scale(units(&bytes), scale)?)
}

/// Two's complement, big-endian.
pub fn units(bytes: &[u8]) -> i128 {
    let sign = bytes.first().is_some_and(|first| *first >= 0x80);
    let mut wide = [if sign { 0xff } else { 0 }; 16];
    let start = wide.len().saturating_sub(bytes.len());
    wide[start..].copy_from_slice(&bytes[bytes.len().saturating_sub(16)..]);
    i128::from_be_bytes(wide)
}
