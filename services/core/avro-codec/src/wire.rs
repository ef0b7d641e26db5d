//! How each type of the domain stands on the wire: one trait, one implementation a type.
//! A value that is read is valid; a value that cannot be read back is refused when it is written.

use crate::fault::{Fault, FaultKind};
use crate::limits::{FIRST_ITEMS, MAX_ITEMS, MAX_SCHEMA_TEXT, MAX_TEXT};
use crate::reader::Reader;
use crate::writer::Writer;
use domain::fixed::WIRE_LIMIT;
use domain::ids::small_text;
use domain::{Bps, Currency, Date, Fraction, FxRate, InstrumentId, Money, OrderId, Percent, PortfolioId, Price, Quantity};
use domain::{RebalanceId, StrategyId, Timestamp, Topic};
use smallvec::SmallVec;
use smol_str::SmolStr;
use uuid::Uuid;

/// A value with a place in a schema.
pub trait Wire: Sized {
    /// Appends the value; what no reader would accept is left to [`Writer::refuse`].
    fn write(&self, writer: &mut Writer<'_>);
    /// The value that stands next.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault>;
}

/// A value that may be an item of an array. Not for `u8`: bytes are a type of their own in Avro.
pub trait Item: Wire {}

impl Wire for bool {
    #[inline(always)]
    fn write(&self, writer: &mut Writer<'_>) {
        writer.byte(u8::from(*self));
    }
    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        match reader.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Fault::new(FaultKind::Boolean)),
        }
    }
}

impl Wire for i32 {
    #[inline(always)]
    fn write(&self, writer: &mut Writer<'_>) {
        writer.long(i64::from(*self));
    }
    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        reader.int()
    }
}

impl Wire for i64 {
    #[inline(always)]
    fn write(&self, writer: &mut Writer<'_>) {
        writer.long(*self);
    }
    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        reader.long()
    }
}

/// The moments that are read and written.
const MOMENTS: std::ops::RangeInclusive<i64> = Timestamp::FIRST.micros()..=Timestamp::LAST.micros();
/// 0001-01-01 and 9999-12-31.
const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;

impl Wire for Timestamp {
    #[inline(always)]
    fn write(&self, writer: &mut Writer<'_>) {
        if !MOMENTS.contains(&self.micros()) {
            writer.refuse(FaultKind::Time);
        }
        writer.long(self.micros());
    }
    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let micros = reader.long()?;
        if MOMENTS.contains(&micros) { Ok(Self::from_micros(micros)) } else { Err(Fault::new(FaultKind::Time)) }
    }
}

impl Wire for Date {
    #[inline(always)]
    fn write(&self, writer: &mut Writer<'_>) {
        if !DAYS.contains(&self.days()) {
            writer.refuse(FaultKind::Day);
        }
        writer.long(i64::from(self.days()));
    }
    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let days = reader.int()?;
        if DAYS.contains(&days) { Ok(Self::from_days(days)) } else { Err(Fault::new(FaultKind::Day)) }
    }
}

/// Whether units have 28 digits at most: both bounds in one comparison.
#[inline(always)]
const fn fits(units: i128) -> bool {
    units.wrapping_add(WIRE_LIMIT - 1).cast_unsigned() <= (2 * (WIRE_LIMIT - 1)).cast_unsigned()
}

/// Units as 12 bytes, big-endian two's complement.
#[inline(always)]
fn write_units(units: i128, writer: &mut Writer<'_>) {
    if !fits(units) {
        return writer.refuse(FaultKind::Decimal);
    }
    let [_, _, _, _, rest @ ..] = units.to_be_bytes();
    writer.array::<12>(rest);
}

#[inline(always)]
fn read_units(reader: &mut Reader<'_>) -> Result<i128, Fault> {
    let [a, b, c, d, rest @ ..] = *reader.array::<12>()?;
    let high = i128::from(i32::from_be_bytes([a, b, c, d]));
    let units = (high << 64) | i128::from(u64::from_be_bytes(rest));
    if !fits(units) {
        return Err(Fault::new(FaultKind::Decimal));
    }
    Ok(units)
}

macro_rules! decimals {
    ($($name:ident),+) => { $(
        impl Wire for $name {
            #[inline(always)]
            fn write(&self, writer: &mut Writer<'_>) { write_units(self.units(), writer); }
            #[inline(always)]
            fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> { read_units(reader).map(Self::from_units) }
        }
    )+ };
}
decimals!(Quantity, Price, Money, FxRate, Fraction, Percent, Bps);

impl Wire for SmolStr {
    #[inline(always)]
    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes(self.as_bytes(), MAX_TEXT);
    }
    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        reader.text(reader.texts()).map(small_text)
    }
}

/// A long text: the text of a schema, the value of a setting.
impl Wire for String {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes(self.as_bytes(), MAX_SCHEMA_TEXT);
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        reader.text(MAX_SCHEMA_TEXT).map(Self::from)
    }
}

/// Bytes; a record's limit is theirs.
impl Wire for Vec<u8> {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes(self, usize::MAX);
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        reader.bytes(usize::MAX).map(<[u8]>::to_vec)
    }
}

macro_rules! text_ids {
    ($($name:ident),+) => { $(
        impl Wire for $name {
            #[inline(always)]
            fn write(&self, writer: &mut Writer<'_>) { writer.bytes(self.as_str().as_bytes(), MAX_TEXT); }
            #[inline(always)]
            fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
                let text = reader.text(MAX_TEXT)?;
                Self::new(text).map_err(|_| Fault::new(FaultKind::Id))
            }
        }
    )+ };
}
text_ids!(PortfolioId, InstrumentId, StrategyId);

impl Wire for Currency {
    #[inline(always)]
    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes(self.as_ascii(), MAX_TEXT);
    }
    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        Self::from_ascii(reader.bytes(MAX_TEXT)?).ok_or_else(|| Fault::new(FaultKind::Currency))
    }
}

impl Wire for Topic {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes(self.name().as_bytes(), MAX_TEXT);
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        Self::from_name(reader.text(MAX_TEXT)?).ok_or_else(|| Fault::new(FaultKind::Topic))
    }
}

impl Wire for Uuid {
    #[inline(always)]
    fn write(&self, writer: &mut Writer<'_>) {
        let mut text = [0; 36];
        self.hyphenated().encode_lower(&mut text);
        writer.bytes(&text, MAX_TEXT);
    }
    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let text = reader.bytes(MAX_TEXT)?;
        let uuid = if text.len() == 36 { Self::try_parse_ascii(text).ok() } else { None };
        uuid.ok_or_else(|| Fault::new(FaultKind::Uuid))
    }
}

macro_rules! own_ids {
    ($($name:ident),+) => { $(
        impl Wire for $name {
            #[inline(always)]
            fn write(&self, writer: &mut Writer<'_>) { self.0.write(writer); }
            #[inline(always)]
            fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> { Uuid::read(reader).map(Self) }
        }
    )+ };
}
own_ids!(OrderId, RebalanceId);

impl<T: Wire> Wire for Option<T> {
    #[inline(always)]
    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            None => writer.byte(0),
            Some(value) => {
                writer.byte(2);
                value.write(writer);
            }
        }
    }
    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        if reader.branch()? == 0 { Ok(None) } else { T::read(reader).map(Some) }
    }
}

impl<T: Wire> Wire for Box<T> {
    fn write(&self, writer: &mut Writer<'_>) {
        T::write(self, writer);
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        T::read(reader).map(Self::new)
    }
}

impl Item for SmolStr {}
impl Item for InstrumentId {}

#[inline]
fn write_items<T: Item>(items: &[T], writer: &mut Writer<'_>) {
    if !items.is_empty() {
        writer.length(items.len(), MAX_ITEMS, FaultKind::Items);
        for item in items {
            item.write(writer);
        }
    }
    writer.byte(0);
}

/// A list that items are pushed to.
trait List<T>: Default {
    fn reserve(&mut self, room: usize);
    fn push(&mut self, item: T);
}
impl<T> List<T> for Vec<T> {
    fn reserve(&mut self, room: usize) {
        Self::reserve(self, room);
    }
    fn push(&mut self, item: T) {
        Self::push(self, item);
    }
}
impl<T, const N: usize> List<T> for SmallVec<[T; N]> {
    #[inline]
    fn reserve(&mut self, room: usize) {
        Self::reserve(self, room);
    }
    #[inline]
    fn push(&mut self, item: T) {
        Self::push(self, item);
    }
}

/// Reads the blocks of an array. A count is believed only as far as the bytes could fill it.
#[inline]
fn read_items<T: Item, L: List<T>>(reader: &mut Reader<'_>) -> Result<L, Fault> {
    let mut items = L::default();
    let mut total = 0;
    loop {
        let count = reader.long()?;
        if count == 0 {
            return Ok(items);
        }
        let end = if count < 0 { Some(block_end(reader)?) } else { None };
        let count = usize::try_from(count.unsigned_abs()).map_err(|_| Fault::new(FaultKind::Items))?;
        // No item is empty, so there cannot be more of them than bytes.
        if count > reader.left() || count > MAX_ITEMS - total {
            return Err(Fault::new(FaultKind::Items));
        }
        total += count;
        items.reserve(count.min(FIRST_ITEMS));
        for _ in 0..count {
            items.push(T::read(reader)?);
        }
        if end.is_some_and(|end| end != reader.left()) {
            return Err(Fault::new(FaultKind::Block));
        }
    }
}

/// The bytes that are left behind a block, from the size that stands before it.
fn block_end(reader: &mut Reader<'_>) -> Result<usize, Fault> {
    let size = reader.long()?;
    let size = usize::try_from(size).map_err(|_| Fault::new(FaultKind::Block))?;
    reader.left().checked_sub(size).ok_or_else(|| Fault::new(FaultKind::Block))
}

impl<T: Item> Wire for Vec<T> {
    fn write(&self, writer: &mut Writer<'_>) {
        write_items(self, writer);
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        read_items(reader)
    }
}

impl<T: Item, const N: usize> Wire for SmallVec<[T; N]> {
    #[inline(always)]
    fn write(&self, writer: &mut Writer<'_>) {
        write_items(self, writer);
    }
    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        read_items(reader)
    }
}
