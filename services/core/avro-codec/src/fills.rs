//! A fill read where it lies: its texts stay in the bytes of its record, and nothing is allocated for the usual one.
//! Whatever is unusual about the bytes is left to [`crate::decode`], which tells what it is.

use crate::fault::{Fault, FaultKind};
use crate::limits::{MAX_TEXT, record_limit, text_limit};
use crate::reader::Reader;
use crate::schemas::{Fingerprint, fingerprint};
use crate::wire::Wire;
use domain::Topic;
use domain::fill::{FeeRef, FillRef};
use smallvec::SmallVec;

/// Fees that are read in one block of their array.
const MOST_FEES: i64 = 15;

/// The fill that the value of a record holds, its ids checked as [`crate::decode`] checks them. `None` says nothing of
/// the record: of another writer's schema, with many fees, or unreadable, it is to be decoded.
pub fn view_fill(value: &[u8]) -> Option<FillRef<'_>> {
    let Some(([0xc3, 0x01, written @ ..], body)) = value.split_first_chunk::<10>() else { return None };
    if Fingerprint::from_wire(*written) != fingerprint(Topic::Fills) || value.len() > record_limit(Topic::Fills) {
        return None;
    }
    let mut reader = Reader::within(body, text_limit(Topic::Fills));
    let fill = fill(&mut reader).ok()?;
    reader.end().ok()?;
    Some(fill)
}

/// The fields, in the order of the schema.
#[inline(always)]
fn fill<'a>(reader: &mut Reader<'a>) -> Result<FillRef<'a>, Fault> {
    Ok(FillRef {
        source: text(reader)?,
        exec_id: text(reader)?,
        trade_date: Wire::read(reader)?,
        exec_type: Wire::read(reader)?,
        exec_ref_id: optional(reader)?,
        portfolio_id: id(reader)?,
        instrument_id: id(reader)?,
        venue: optional(reader)?,
        side: Wire::read(reader)?,
        quantity: Wire::read(reader)?,
        price: Wire::read(reader)?,
        currency: Wire::read(reader)?,
        fees: fees(reader)?,
        settle_date: Wire::read(reader)?,
        fx_rate: Wire::read(reader)?,
        order_id: Wire::read(reader)?,
        strategy: Wire::read(reader)?,
        cum_qty: Wire::read(reader)?,
        gross_amount: Wire::read(reader)?,
        accrued_interest: Wire::read(reader)?,
        transact_time: Wire::read(reader)?,
        received_at: Wire::read(reader)?,
    })
}

#[inline(always)]
fn text<'a>(reader: &mut Reader<'a>) -> Result<&'a str, Fault> {
    reader.text(reader.texts())
}

#[inline(always)]
fn id<'a>(reader: &mut Reader<'a>) -> Result<&'a str, Fault> {
    let text = reader.text(MAX_TEXT)?;
    if domain::ids::is_id(text) { Ok(text) } else { Err(Fault::new(FaultKind::Id)) }
}

#[inline(always)]
fn optional<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a str>, Fault> {
    if reader.branch()? == 0 { Ok(None) } else { text(reader).map(Some) }
}

/// One block of them, as this service and the Avro library write it.
#[inline(always)]
fn fees<'a>(reader: &mut Reader<'a>) -> Result<SmallVec<[FeeRef<'a>; 1]>, Fault> {
    let mut fees = SmallVec::new();
    let count = reader.long()?;
    if count == 0 {
        return Ok(fees);
    }
    if !(0..=MOST_FEES).contains(&count) {
        return Err(Fault::new(FaultKind::Items));
    }
    for _ in 0..count {
        fees.push(FeeRef { kind: text(reader)?, amount: Wire::read(reader)?, currency: Wire::read(reader)? });
    }
    if reader.long()? == 0 { Ok(fees) } else { Err(Fault::new(FaultKind::Items)) }
}
