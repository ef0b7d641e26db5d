//! What a fill did, as a generic Avro value, and read back when the service starts again.

use crate::book::{Book, Position};
use crate::fill::{Fill, units};
use anyhow::{Result, bail};
use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::{Record, Value};
use apache_avro::writer::datum::GenericDatumWriter;
use rust_decimal::{Decimal, RoundingStrategy};
use std::collections::HashMap;

/// Books the fill and writes what it did.
pub fn write(schema: &Schema, writer: &GenericDatumWriter<'_>, fill: &Fill, book: &mut Book) -> Result<Vec<u8>> {
    let (realized, position, cash) = book.trade(fill);
    let mut record = Record::new(schema).ok_or_else(|| anyhow::anyhow!("a booking is a record"))?;
    record.put("exec_id", fill.exec_id.as_str());
    record.put("portfolio_id", fill.portfolio.as_str());
    record.put("instrument_id", fill.instrument.as_str());
    record.put("quantity_change", fixed(fill.quantity, 8, 12));
    record.put("realized_gross", fixed(realized, 10, 12));
    record.put("fee", fixed(fill.fees, 10, 12));
    record.put("quantity", fixed(position.quantity, 8, 12));
    record.put("cost", fixed(position.cost, 18, 16));
    record.put("realized_total", fixed(position.realized, 18, 16));
    record.put("fees_total", fixed(position.fees, 10, 12));
    record.put("cash", fixed(cash, 10, 12));
    Ok(writer.write_value_to_vec(record)?)
}

/// Takes over how position and portfolio stood after a booking.
pub fn restore(reader: &GenericDatumReader<'_>, mut value: &[u8], book: &mut Book) -> Result<()> {
    let Value::Record(fields) = reader.read_value(&mut value)? else { bail!("a booking is a record") };
    let mut fields: HashMap<String, Value> = fields.into_iter().collect();
    let mut text = |name: &str| match fields.remove(name) {
        Some(Value::String(text)) => Ok(text),
        other => bail!("{name} is a text, not {other:?}"),
    };
    let (portfolio, instrument) = (text("portfolio_id")?, text("instrument_id")?);
    let decimal = |name: &str, scale| match fields.get(name) {
        Some(Value::Fixed(_, bytes)) => Ok(Decimal::try_from_i128_with_scale(units(bytes), scale)?),
        other => bail!("{name} is a decimal, not {other:?}"),
    };
    let position = Position {
        quantity: decimal("quantity", 8)?,
        cost: decimal("cost", 18)?,
        realized: decimal("realized_total", 18)?,
        fees: decimal("fees_total", 10)?,
    };
    book.cash.insert(portfolio.clone(), decimal("cash", 10)?);
    book.positions.insert((portfolio, instrument), position);
    Ok(())
}

fn fixed(value: Decimal, scale: u32, size: usize) -> Value {
    let mut rounded = value.round_dp_with_strategy(scale, RoundingStrategy::MidpointNearestEven);
    rounded.rescale(scale);
    let bytes = rounded.mantissa().to_be_bytes();
    Value::Fixed(size, bytes[bytes.len() - size..].to_vec())
}
