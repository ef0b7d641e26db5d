//! Appends the fields of one record to a buffer. The first value that no reader of ours would accept
//! is remembered with its field, and the whole record is refused at the end.

use crate::fault::{Fault, FaultKind};

/// Bytes that are gathered before they are appended.
pub const ROOM: usize = 1024;

/// A record being written. Its bytes are gathered in a room of its own: between two fields the compiler then knows where
/// the next one goes.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    room: &'a mut [u8; ROOM],
    end: usize,
    /// A reference to the name, so that noting it is one move.
    field: &'static &'static str,
    fault: Option<Fault>,
}

impl<'a> Writer<'a> {
    /// A writer that appends to `out`, and has done so when it is finished.
    pub fn new(out: &'a mut Vec<u8>, room: &'a mut [u8; ROOM]) -> Self {
        Self { out, room, end: 0, field: &"", fault: None }
    }
    /// Names the field that comes next, for the fault that it may have.
    #[inline(always)]
    pub fn field(&mut self, name: &'static &'static str) {
        self.field = name;
    }
    /// Remembers that the present field cannot be written; the first fault counts.
    #[cold]
    pub fn refuse(&mut self, kind: FaultKind) {
        self.fault.get_or_insert(Fault { kind, field: self.field });
    }
    /// Appends what is left, and says whether every field could be written.
    pub fn finish(mut self) -> Result<(), Fault> {
        self.flush();
        self.fault.map_or(Ok(()), Err)
    }
    #[cold]
    fn flush(&mut self) {
        self.out.extend_from_slice(&self.room[..self.end]);
        self.end = 0;
    }
    /// As many bytes as the array has.
    #[inline(always)]
    pub fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        const { assert!(N <= ROOM) };
        if self.end > ROOM - N {
            self.flush();
        }
        self.room[self.end..][..N].copy_from_slice(&bytes);
        self.end += N;
    }
    /// Bytes as they are.
    #[inline(always)]
    pub fn raw(&mut self, bytes: &[u8]) {
        match self.room[self.end..].get_mut(..bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.end += bytes.len();
            }
            None => self.append(bytes),
        }
    }
    #[cold]
    fn append(&mut self, bytes: &[u8]) {
        self.flush();
        self.out.extend_from_slice(bytes);
    }
    /// One byte.
    #[inline(always)]
    pub fn byte(&mut self, byte: u8) {
        self.array([byte]);
    }
    /// A zigzag varint.
    #[inline(always)]
    pub fn long(&mut self, value: i64) {
        let raw = ((value << 1) ^ (value >> 63)).cast_unsigned();
        if raw < 0x80 { self.byte(low_bits(raw)) } else { self.long_of_bytes(raw) }
    }
    #[inline]
    fn long_of_bytes(&mut self, raw: u64) {
        let length = (70 - raw.leading_zeros()) / 7;
        if length > 8 {
            return self.long_by_bytes(raw);
        }
        // Every byte but the last says that another one follows; what comes next is written over the rest of the word.
        let word = spread(raw) | ENDS & ((1 << (8 * (length - 1))) - 1);
        self.array(word.to_le_bytes());
        self.end -= 8 - length as usize;
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
    #[inline(always)]
    pub fn length(&mut self, length: usize, limit: usize, over: FaultKind) {
        match i64::try_from(length) {
            Ok(value) if length <= limit => self.long(value),
            _ => self.refuse(over),
        }
    }
    /// Bytes behind their length, at most `limit` of them.
    #[inline(always)]
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
