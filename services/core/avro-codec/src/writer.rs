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
    #[inline]
    pub fn long(&mut self, value: i64) {
        let mut raw = ((value << 1) ^ (value >> 63)).cast_unsigned();
        if raw < 0x80 {
            return self.byte(low_bits(raw));
        }
        let (mut bytes, mut length) = ([0_u8; 10], 0);
        while raw >= 0x80 {
            bytes[length] = low_bits(raw) | 0x80;
            length += 1;
            raw >>= 7;
        }
        bytes[length] = low_bits(raw);
        self.raw(&bytes[..=length]);
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

const fn low_bits(raw: u64) -> u8 {
    raw.to_le_bytes()[0] & 0x7f
}
