//! A cursor over the bytes of one record. It never reads past them and allocates nothing.

use crate::fault::{Fault, FaultKind};
#[cfg(test)]
use crate::limits::MAX_TEXT;
use ascii::AsAsciiStr;

/// What is left of a record.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
    texts: usize,
}

impl<'a> Reader<'a> {
    /// A cursor at the start of `bytes`, whose texts may have as many bytes as any.
    #[cfg(test)]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self::within(bytes, MAX_TEXT)
    }
    /// A cursor at the start of `bytes`, whose texts have at most `texts` bytes.
    pub const fn within(bytes: &'a [u8], texts: usize) -> Self {
        Self { rest: bytes, texts }
    }
    /// The most bytes of a text.
    #[inline(always)]
    pub const fn texts(&self) -> usize {
        self.texts
    }
    /// Bytes that are left.
    pub const fn left(&self) -> usize {
        self.rest.len()
    }
    /// One byte.
    #[inline(always)]
    pub fn byte(&mut self) -> Result<u8, Fault> {
        let (first, rest) = self.rest.split_first().ok_or_else(|| Fault::new(FaultKind::Short))?;
        self.rest = rest;
        Ok(*first)
    }
    /// As many bytes as the array has.
    #[inline(always)]
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Fault> {
        let (first, rest) = self.rest.split_first_chunk().ok_or_else(|| Fault::new(FaultKind::Short))?;
        self.rest = rest;
        Ok(first)
    }
    /// So many bytes.
    #[inline(always)]
    pub fn slice(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let (first, rest) = self.rest.split_at_checked(length).ok_or_else(|| Fault::new(FaultKind::Short))?;
        self.rest = rest;
        Ok(first)
    }
    /// A zigzag varint of up to 64 bits. A padded one is refused: every value has one spelling.
    #[inline(always)]
    pub fn long(&mut self) -> Result<i64, Fault> {
        let raw = match *self.rest {
            [first, ref rest @ ..] if first < 0x80 => {
                self.rest = rest;
                u64::from(first)
            }
            _ => {
                // By value: what is left of the record then stays in registers.
                let (raw, rest) = long_tail(self.rest)?;
                self.rest = rest;
                raw
            }
        };
        Ok((raw >> 1).cast_signed() ^ -((raw & 1).cast_signed()))
    }
    /// A zigzag varint of up to 32 bits.
    #[inline(always)]
    pub fn int(&mut self) -> Result<i32, Fault> {
        i32::try_from(self.long()?).map_err(|_| Fault::new(FaultKind::Integer))
    }
    /// Bytes behind their length, at most `limit` of them.
    #[inline(always)]
    pub fn bytes(&mut self, limit: usize) -> Result<&'a [u8], Fault> {
        let length = self.long()?;
        match usize::try_from(length) {
            Ok(length) if length <= limit => self.slice(length),
            _ => Err(Fault::new(FaultKind::Length)),
        }
    }
    /// A text behind its length, at most `limit` bytes of it.
    #[inline(always)]
    pub fn text(&mut self, limit: usize) -> Result<&'a str, Fault> {
        let bytes = self.bytes(limit)?;
        // Nearly every text is ASCII, which takes far fewer looks than what UTF-8 may be.
        match bytes.as_ascii_str() {
            Ok(text) => Ok(text.as_str()),
            Err(_) => std::str::from_utf8(bytes).map_err(|_| Fault::new(FaultKind::Utf8)),
        }
    }
    /// The branch of a union.
    #[inline(always)]
    pub fn branch(&mut self) -> Result<u8, Fault> {
        // Every union of ours has two branches, whose varints are 0 and 2.
        match self.byte()? {
            0 => Ok(0),
            2 => Ok(1),
            _ => Err(Fault::new(FaultKind::Branch)),
        }
    }
    /// That nothing is left.
    #[inline(always)]
    pub fn end(&self) -> Result<(), Fault> {
        if self.rest.is_empty() { Ok(()) } else { Err(Fault::new(FaultKind::Trailing)) }
    }
}

/// A varint of several bytes, up to eight at once, else one by one; what stands behind it.
#[inline(never)]
fn long_tail(bytes: &[u8]) -> Result<(u64, &[u8]), Fault> {
    const ENDS: u64 = 0x8080_8080_8080_8080;
    if let Some(chunk) = bytes.first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let ends = !word & ENDS;
        if ends != 0 {
            // The bytes up to the first whose top bit is clear, without their top bits.
            let kept = word & (ends ^ (ends - 1)) & !ENDS;
            let length = ends.trailing_zeros() / 8 + 1;
            if kept >> (8 * (length - 1)) == 0 {
                return Err(Fault::new(FaultKind::Integer));
            }
            return Ok((packed(kept), &bytes[length as usize..]));
        }
    }
    long_by_bytes(bytes)
}

fn long_by_bytes(bytes: &[u8]) -> Result<(u64, &[u8]), Fault> {
    let (mut raw, mut rest) = (0, bytes);
    for shift in (0..64).step_by(7) {
        let (byte, behind) = rest.split_first().ok_or_else(|| Fault::new(FaultKind::Short))?;
        rest = behind;
        if *byte < 0x80 {
            // The tenth byte has room for one bit; a last byte of zero adds nothing.
            if (*byte == 0 && shift > 0) || (shift == 63 && *byte > 1) {
                break;
            }
            return Ok((raw | u64::from(*byte) << shift, rest));
        }
        raw |= u64::from(*byte & 0x7f) << shift;
    }
    Err(Fault::new(FaultKind::Integer))
}

/// Eight groups of 7 bits in 8 bytes, pushed together.
const fn packed(word: u64) -> u64 {
    let pairs = (word & 0x007f_007f_007f_007f) | ((word & 0x7f00_7f00_7f00_7f00) >> 1);
    let fours = (pairs & 0x0000_3fff_0000_3fff) | ((pairs & 0x3fff_0000_3fff_0000) >> 2);
    (fours & 0x0000_0000_0fff_ffff) | ((fours & 0x0fff_ffff_0000_0000) >> 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writer::{ROOM, Writer};

    #[test]
    fn integers_of_every_length_have_one_spelling() {
        let near = |power: u32| [-2, -1, 0, 1, 2].map(|step| (1_i64 << power).wrapping_add(step));
        for value in (0..64).flat_map(near).flat_map(|value| [value, value.wrapping_neg()]) {
            let mut bytes = Vec::new();
            let mut room = [0; ROOM];
            let mut writer = Writer::new(&mut bytes, &mut room);
            writer.long(value);
            writer.finish().unwrap();
            for room in [0, 9] {
                let mut padded = bytes.clone();
                padded.resize(bytes.len() + room, 0x80);
                let mut reader = Reader::new(&padded);
                assert_eq!(reader.long(), Ok(value));
                assert_eq!(reader.left(), room);
                // The same value with a byte more than it needs.
                let mut longer = bytes.clone();
                *longer.last_mut().unwrap() |= 0x80;
                longer.push(0);
                longer.resize(longer.len() + room, 1);
                assert_eq!(Reader::new(&longer).long().unwrap_err().kind, FaultKind::Integer, "{value}");
            }
        }
        let mut eleven = Reader::new(&[0xff; 11]);
        assert_eq!(eleven.long().unwrap_err().kind, FaultKind::Integer);
        let mut beyond = Reader::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]);
        assert_eq!(beyond.long().unwrap_err().kind, FaultKind::Integer);
        assert_eq!(Reader::new(&[0x80, 0x80]).long().unwrap_err().kind, FaultKind::Short);
    }
}
