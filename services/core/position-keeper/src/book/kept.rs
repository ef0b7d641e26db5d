//! The bytes in which the history keeps a booking, with what its line held before it where that stands with it.
//!
//! Nearly all are executions, and those are written short: a head says which fields there are and how long each
//! number is, zeros before a number are left out, and so is what follows from other fields, such as a gross amount of
//! quantity × price or the value of a fee in its own currency. Every other booking is written whole, in the image's
//! own form. Any bytes may be read: they are a booking or nothing.

mod usual;

use super::booking::Booking;
use super::execution::{Charge, Execution, Form};
use super::holding::{Holding, Standing};
use crate::prices::InstrumentIx;
use domain::ids::small_text;
use domain::{Amount, Currency, Date, FxRate, Money, OrderId, Price, Quantity, StrategyId, Uuid};
use engine::image::{append, take};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// The bits of a head.
const WHOLE: u16 = 1;
const BEFORE: u16 = 1 << 1;
const FUTURE: u16 = 1 << 2;
const ID: u16 = 1 << 3;
const ORDER: u16 = 1 << 4;
const STRATEGY: u16 = 1 << 5;
const SETTLES: u16 = 1 << 6;
/// The quantity counts whole units.
const WHOLE_UNITS: u16 = 1 << 7;
/// The price has four decimals at most.
const SHORT_PRICE: u16 = 1 << 8;
/// The gross amount is quantity × price.
const PLAIN_GROSS: u16 = 1 << 9;
/// The currency's code has three letters.
const SHORT_CODE: u16 = 1 << 10;
/// Every fee is in the execution's currency.
const OWN_FEES: u16 = 1 << 11;
/// Above these bits stands the number of fees.
const FEES: u32 = 12;
const MOST_FEES: usize = 15;

/// The bits of a fee, above the length of its amount.
const HELD: u8 = 1 << 4;
const SHORT_AMOUNT: u8 = 1 << 5;
/// Its value in the instrument's currency is the amount.
const PLAIN_LOCAL: u8 = 1 << 6;
/// Its value in base is that in the instrument's currency.
const PLAIN_BOOK: u8 = 1 << 7;

/// The head: its bits, and a length of four bits for each of eight numbers.
const HEAD: usize = 6;
/// Bytes that the head, its numbers, a code and one fee take at most.
const ROOM: usize = 224;
/// Bytes that one fee takes at most.
const FEE_ROOM: usize = 64;
const UNIT: i64 = 100_000_000;
const SHORT: i64 = 1_000_000;
/// Dates are counted from 2020-01-01.
const FIRST_DAY: i64 = 18_262;

#[derive(Serialize)]
struct Written<'a> {
    before: Option<Standing<'a>>,
    booking: &'a Booking,
}

/// A booking that was read back.
#[derive(Deserialize)]
pub struct Read {
    /// What its line held before it, where that was written with it.
    pub before: Option<Holding>,
    /// The booking.
    pub booking: Booking,
}

/// Writes a booking behind the bytes.
pub fn write(before: Option<Standing<'_>>, booking: &Booking, bytes: &mut Vec<u8>) {
    let start = bytes.len();
    if let Booking::Execution(execution) = booking
        && (usual::write(execution, before.is_some(), bytes).is_some() || write_short(execution, before.is_some(), bytes).is_some())
    {
        if let Some(standing) = before {
            *bytes = append(&standing, std::mem::take(bytes));
        }
        return;
    }
    bytes.truncate(start);
    write_whole(before, booking, bytes);
}

#[cold]
fn write_whole(before: Option<Standing<'_>>, booking: &Booking, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&WHOLE.to_le_bytes());
    *bytes = append(&Written { before, booking }, std::mem::take(bytes));
}

/// Reads the first booking of bytes; what stands behind it.
pub fn read(bytes: &[u8]) -> Option<(Read, &[u8])> {
    let (flags, rest) = bytes.split_first_chunk::<2>()?;
    let flags = u16::from_le_bytes(*flags);
    if flags == WHOLE {
        return take(rest);
    }
    let mut cursor = Cursor { rest, lengths: 0 };
    let booking = Booking::Execution(cursor.execution(flags)?);
    if flags & BEFORE == 0 {
        return Some((Read { before: None, booking }, cursor.rest));
    }
    let (before, rest) = take(cursor.rest)?;
    Some((Read { before: Some(before), booking }, rest))
}

/// Writes an execution short; `None` where it has no such form. Bytes may have been written then.
fn write_short(execution: &Execution, before: bool, bytes: &mut Vec<u8>) -> Option<()> {
    let mut flags = if before { BEFORE } else { 0 };
    match execution.form {
        Form::Paid => {}
        Form::Future => flags |= FUTURE,
        Form::Exchange { .. } => return None,
    }
    let start = bytes.len();
    let mut pen = Pen { bytes, room: [0; ROOM], end: HEAD, lengths: 0, shift: 0 };
    pen.number(i128::from(execution.instrument.0))?;
    pen.number(i128::from(i64::from(execution.trade_date.days()) - FIRST_DAY))?;
    flags |= pen.number_or_short(execution.quantity.units(), UNIT, WHOLE_UNITS)?;
    flags |= pen.number_or_short(execution.price.units(), SHORT, SHORT_PRICE)?;
    pen.number(execution.rate.units().checked_sub(FxRate::ONE.units())?)?;
    let plain = execution.quantity.abs().times(execution.price) == Ok(execution.gross);
    pen.number(if plain { 0 } else { execution.gross.units() })?;
    flags |= if plain { PLAIN_GROSS } else { 0 };
    pen.number(execution.accrued.units())?;
    let days = |date: Date| i128::from(date.days()) - i128::from(execution.trade_date.days());
    pen.number(execution.settles.map_or(0, days))?;
    flags |= execution.settles.map_or(0, |_| SETTLES);
    flags |= pen.code(execution.currency);
    flags |= pen.fees(execution)?;
    flags |= pen.names(execution)?;
    let lengths = pen.lengths;
    bytes[start..start + 2].copy_from_slice(&flags.to_le_bytes());
    bytes[start + 2..start + HEAD].copy_from_slice(&lengths.to_le_bytes());
    Some(())
}

/// Writes behind the bytes, but first into a room of its own: what it writes there has a place whose size is known.
struct Pen<'a> {
    bytes: &'a mut Vec<u8>,
    room: [u8; ROOM],
    end: usize,
    lengths: u32,
    shift: u32,
}

impl Pen<'_> {
    /// Writes a number of the head; one of 16 bytes has no short form.
    fn number(&mut self, value: i128) -> Option<()> {
        let length = self.digits(value)?;
        self.lengths |= u32::from(length) << self.shift;
        self.shift += 4;
        Some(())
    }
    /// Writes a number of the head divided by `by`, where that leaves no rest; the bit that says so.
    #[inline(always)]
    fn number_or_short(&mut self, value: i128, by: i64, bit: u16) -> Option<u16> {
        match short(value, by) {
            Some(short) => self.number(short).map(|()| bit),
            None => self.number(value).map(|()| 0),
        }
    }
    /// Writes the bytes of a number without zeros before it, the sign in its lowest bit; how many they are.
    fn digits(&mut self, value: i128) -> Option<u8> {
        if value == 0 {
            return Some(0);
        }
        if let Ok(small) = i64::try_from(value) {
            return self.small_digits(small);
        }
        let raw = ((value << 1) ^ (value >> 127)).cast_unsigned();
        let length = 16 - raw.leading_zeros() / 8;
        // What comes next is written over the zeros.
        self.put(raw.to_le_bytes());
        self.end -= 16 - length as usize;
        u8::try_from(length).ok().filter(|length| *length < 16)
    }
    /// The same of a number that 64 bits hold, as nearly all do.
    #[inline(always)]
    fn small_digits(&mut self, value: i64) -> Option<u8> {
        let raw = ((value << 1) ^ (value >> 63)).cast_unsigned();
        let length = 8 - raw.leading_zeros() / 8;
        self.put(raw.to_le_bytes());
        self.end -= 8 - length as usize;
        u8::try_from(length).ok()
    }
    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        self.room[self.end..][..N].copy_from_slice(&bytes);
        self.end += N;
    }
    fn flush(&mut self) {
        self.bytes.extend_from_slice(&self.room[..self.end]);
        self.end = 0;
    }
    fn code(&mut self, currency: Currency) -> u16 {
        let code = currency.padded();
        if code[2] != 0 && code[3] == 0 {
            self.put([code[0], code[1], code[2]]);
            return SHORT_CODE;
        }
        self.put(code);
        0
    }
    fn fees(&mut self, execution: &Execution) -> Option<u16> {
        let count = u16::try_from(execution.fees.len()).ok().filter(|count| usize::from(*count) <= MOST_FEES)?;
        let own = execution.fees.iter().all(|fee| fee.currency == execution.currency);
        execution.fees.iter().try_for_each(|fee| self.fee(fee, own))?;
        Some(count << FEES | if own { OWN_FEES } else { 0 })
    }
    fn fee(&mut self, fee: &Charge, own: bool) -> Option<()> {
        // What a holding pays follows from the amount; where it did not, the execution would be written whole.
        if fee.held.is_some_and(|units| units != Quantity::of_amount(fee.amount)) {
            return None;
        }
        if self.end + FEE_ROOM > ROOM {
            self.flush();
        }
        let head = self.end;
        self.put([0]);
        let shorter = short(fee.amount.units(), SHORT);
        let mut bits = self.digits(shorter.unwrap_or(fee.amount.units()))?;
        bits |= if shorter.is_some() { SHORT_AMOUNT } else { 0 } | if fee.held.is_some() { HELD } else { 0 };
        if fee.local == Amount::from(fee.amount) {
            bits |= PLAIN_LOCAL;
        } else {
            self.put(fee.local.units().to_le_bytes());
        }
        if fee.book == fee.local {
            bits |= PLAIN_BOOK;
        } else {
            self.put(fee.book.units().to_le_bytes());
        }
        if !own {
            self.put(fee.currency.padded());
        }
        self.room[head] = bits;
        Some(())
    }
    fn names(&mut self, execution: &Execution) -> Option<u16> {
        self.flush();
        let mut bits = 0;
        if let Some(id) = &execution.id {
            self.text(id)?;
            bits |= ID;
        }
        if let Some(order) = &execution.order {
            self.bytes.extend_from_slice(order.0.as_bytes());
            bits |= ORDER;
        }
        if let Some(strategy) = &execution.strategy {
            self.text(strategy.as_str())?;
            bits |= STRATEGY;
        }
        Some(bits)
    }
    fn text(&mut self, text: &str) -> Option<()> {
        self.bytes.push(u8::try_from(text.len()).ok()?);
        self.bytes.extend_from_slice(text.as_bytes());
        Some(())
    }
}

/// A number divided by another, where both are small and nothing is left.
#[inline(always)]
fn short(value: i128, by: i64) -> Option<i128> {
    let value = i64::try_from(value).ok()?;
    (value % by == 0).then(|| i128::from(value / by))
}

fn date(from: i128, days: i128) -> Option<Date> {
    i32::try_from(from.checked_add(days)?).ok().map(Date::from_days)
}

/// Money that a record can have brought.
fn money(units: i128) -> Option<Money> {
    Some(Money::from_units(units)).filter(|money| money.fits_wire())
}

struct Cursor<'a> {
    rest: &'a [u8],
    lengths: u32,
}

impl<'a> Cursor<'a> {
    fn execution(&mut self, flags: u16) -> Option<Execution> {
        self.lengths = u32::from_le_bytes(*self.array()?);
        let instrument = InstrumentIx(u32::try_from(self.number()?).ok()?);
        let trade_date = date(FIRST_DAY.into(), self.number()?)?;
        let quantity = Quantity::from_units(self.scaled(flags & WHOLE_UNITS != 0, UNIT)?);
        let price = Price::from_units(self.scaled(flags & SHORT_PRICE != 0, SHORT)?);
        let rate = FxRate::from_units(self.number()?.checked_add(FxRate::ONE.units())?);
        let gross = Amount::from_units(self.number()?);
        let gross = if flags & PLAIN_GROSS != 0 { quantity.abs().times(price).ok()? } else { gross };
        let accrued = money(self.number()?)?;
        let settles = self.number()?;
        let settles = if flags & SETTLES != 0 { Some(date(i128::from(trade_date.days()), settles)?) } else { None };
        let currency = self.code(flags & SHORT_CODE != 0)?;
        let own = (flags & OWN_FEES != 0).then_some(currency);
        let fees: Option<SmallVec<_>> = (0..flags >> FEES).map(|_| self.fee(own)).collect();
        let fees = fees?;
        let id = if flags & ID != 0 { Some(small_text(self.text()?)) } else { None };
        let order = if flags & ORDER != 0 { Some(OrderId(Uuid::from_bytes(*self.array()?))) } else { None };
        let strategy = if flags & STRATEGY != 0 { Some(StrategyId::new(self.text()?).ok()?) } else { None };
        let form = if flags & FUTURE != 0 { Form::Future } else { Form::Paid };
        Some(Execution {
            id,
            instrument,
            trade_date,
            quantity,
            price,
            currency,
            rate,
            gross,
            form,
            accrued,
            fees,
            settles,
            order,
            strategy,
        })
    }
    fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(first)
    }
    fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (first, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(first)
    }
    fn number(&mut self) -> Option<i128> {
        let length = self.lengths & 15;
        self.lengths >>= 4;
        self.digits(length as usize)
    }
    fn digits(&mut self, length: usize) -> Option<i128> {
        let mut raw = [0; 16];
        raw[..length].copy_from_slice(self.slice(length)?);
        let raw = u128::from_le_bytes(raw);
        Some((raw >> 1).cast_signed() ^ -((raw & 1).cast_signed()))
    }
    fn scaled(&mut self, is_short: bool, by: i64) -> Option<i128> {
        let value = self.number()?;
        if is_short { value.checked_mul(i128::from(by)) } else { Some(value) }
    }
    fn code(&mut self, is_short: bool) -> Option<Currency> {
        let code = if is_short { self.slice(3)? } else { self.array::<12>()?.as_slice() };
        let length = code.iter().position(|byte| *byte == 0).unwrap_or(code.len());
        Currency::from_ascii(&code[..length])
    }
    fn fee(&mut self, own: Option<Currency>) -> Option<Charge> {
        let [bits] = *self.array()?;
        let amount = self.digits(usize::from(bits & 15))?;
        let amount = money(if bits & SHORT_AMOUNT != 0 { amount.checked_mul(i128::from(SHORT))? } else { amount })?;
        let local = if bits & PLAIN_LOCAL != 0 { Amount::from(amount) } else { self.amount()? };
        let book = if bits & PLAIN_BOOK != 0 { local } else { self.amount()? };
        let currency = match own {
            Some(currency) => currency,
            None => self.code(false)?,
        };
        Some(Charge { currency, amount, local, book, held: (bits & HELD != 0).then(|| Quantity::of_amount(amount)) })
    }
    fn amount(&mut self) -> Option<Amount> {
        Some(Amount::from_units(i128::from_le_bytes(*self.array()?)))
    }
    fn text(&mut self) -> Option<&'a str> {
        let [length] = *self.array()?;
        std::str::from_utf8(self.slice(usize::from(length))?).ok()
    }
}

#[cfg(test)]
mod tests;
