//! Appends the fields of one record to a buffer. The first value that no reader of ours would accept
//! is remembered with its field, and the whole record is refused at the end.

use crate::fault::{Fault, FaultKind};

/// A record being written.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    field: &'static str,
    fault: Option<Fault>,
}

impl<'a> Writer<'a> {
    /// A writer that appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, field: "", fault: None }
    }
    /// Names the field that comes next, for the fault that it may have.
    #[inline]
    pub fn field(&mut self, name: &'static str) {
        self.field = name;
    }
    /// Remembers that the present field cannot be written; the first fault counts.
    #[cold]
    pub fn refuse(&mut self, kind: FaultKind) {
        self.fault.get_or_insert(Fault { kind, field: self.field });
    }
    /// Whether every field could be written.
    pub fn finish(self) -> Result<(), Fault> {
        self.fault.map_or(Ok(()), Err)
    }
    /// Bytes as they are.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }
    /// One byte.
    #[inline]
    pub fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }
    /// A zigzag varint.
    #[inline(always)]
    pub fn long(&mut self, value: i64) {
        let raw = ((value << 1) ^ (value >> 63)).cast_unsigned();
        if raw < 0x80 { self.byte(low_bits(raw)) } else { self.long_of_bytes(raw) }
    }
    #[inline(never)]
    fn long_of_bytes(&mut self, raw: u64) {
        let length = (70 - raw.leading_zeros()) / 7;
        if length > 8 {
            return self.long_by_bytes(raw);
        }
        // Every byte but the last says that another one follows.
        let word = spread(raw) | ENDS & ((1 << (8 * (length - 1))) - 1);
        let end = self.out.len() + length as usize;
        self.raw(&word.to_le_bytes());
        self.out.truncate(end);
    }
    #[cold]
    fn long_by_bytes(&mut self, mut raw: u64) {
        while raw >= 0x80 {
            self.byte(low_bits(raw) | 0x80);
            raw >>= 7;
        }
        self.byte(low_bits(raw));
    }
    /// A length or a count, within `limit`.
    #[inline]
    pub fn length(&mut self, length: usize, limit: usize, over: FaultKind) {
        match i64::try_from(length) {
            Ok(value) if length <= limit => self.long(value),
            _ => self.refuse(over),
        }
    }
    /// Bytes behind their length, at most `limit` of them.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8], limit: usize) {
        self.length(bytes.len(), limit, FaultKind::Length);
        self.raw(bytes);
    }
}

/// The top bit of each byte of a word.
const ENDS: u64 = 0x8080_8080_8080_8080;

/// Eight groups of 7 bits, each in a byte of its own.
const fn spread(raw: u64) -> u64 {
    let fours = (raw & 0x0000_0000_0fff_ffff) | ((raw & 0x00ff_ffff_f000_0000) << 4);
    let pairs = (fours & 0x0000_3fff_0000_3fff) | ((fours & 0x0fff_c000_0fff_c000) << 2);
    (pairs & 0x007f_007f_007f_007f) | ((pairs & 0x3f80_3f80_3f80_3f80) << 1)
}

const fn low_bits(raw: u64) -> u8 {
    raw.to_le_bytes()[0] & 0x7f
}
