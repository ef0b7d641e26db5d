//! The bytes of a segment: entities, framed, compressed, summed.
//!
//! Promises: the sum covers the frame (step, bucket, kind) as well, so that a segment in the wrong
//! place is as corrupt as a changed one; reading never allocates beyond the sizes that were written
//! and never panics. Does not know the database.

use super::Entity;
use crate::StoreError;

/// Most bytes of one entity, key and value together.
pub const MAX_ENTITY_BYTES: usize = 64 << 20;

/// A segment is closed when its entities reach this size before compression.
const SEGMENT_BYTES: usize = 8 << 20;
/// Speed before size: segments are written often and read seldom.
const ZSTD_LEVEL: i32 = 1;
const MAGIC: &[u8; 4] = b"BSG1";
const TOMBSTONE: u32 = u32::MAX;

/// Delta or full image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Changes since the parent.
    Delta,
    /// Every entity of the bucket.
    Full,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Delta => "delta",
            Kind::Full => "full",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "delta" => Some(Kind::Delta),
            "full" => Some(Kind::Full),
            _ => None,
        }
    }
}

/// Where a segment belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) step: u64,
    pub(super) bucket: u16,
    pub(super) kind: Kind,
    pub(super) part: u32,
}

/// Bytes with what is needed to check them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) body: Vec<u8>,
    pub(super) raw_bytes: usize,
    pub(super) crc32: u32,
}

/// Compresses and sums.
pub(super) fn pack(raw: &[u8]) -> Result<Packed, StoreError> {
    let body = zstd::bulk::compress(raw, ZSTD_LEVEL).map_err(|e| StoreError::invalid(format!("a segment cannot be compressed: {e}")))?;
    Ok(Packed { crc32: crc32fast::hash(&body), raw_bytes: raw.len(), body })
}

/// Checks and decompresses; the error is what is wrong with it.
pub(super) fn unpack(packed: &Packed) -> Result<Vec<u8>, String> {
    let found = crc32fast::hash(&packed.body);
    if found != packed.crc32 {
        return Err(format!("checksum {found:08x} where {:08x} was stored", packed.crc32));
    }
    let raw = zstd::bulk::decompress(&packed.body, packed.raw_bytes).map_err(|e| format!("cannot be decompressed: {e}"))?;
    if raw.len() != packed.raw_bytes {
        return Err(format!("{} bytes where {} were stored", raw.len(), packed.raw_bytes));
    }
    Ok(raw)
}

/// How many of `entities` fill one segment; at least one.
pub(super) fn fitting(entities: &[&Entity]) -> Result<usize, StoreError> {
    let mut bytes = 0;
    for (i, entity) in entities.iter().enumerate() {
        let size = entity.key.len() + entity.value.as_ref().map_or(0, Vec::len);
        if size > MAX_ENTITY_BYTES {
            return Err(StoreError::invalid(format!("an entity of {size} bytes; at most {MAX_ENTITY_BYTES}")));
        }
        bytes += size + 8;
        if bytes > SEGMENT_BYTES && i > 0 {
            return Ok(i);
        }
    }
    Ok(entities.len())
}

/// The bytes of a segment before compression.
pub(super) fn encode(frame: Frame, entities: &[&Entity]) -> Vec<u8> {
    let mut raw = header(frame);
    for entity in entities {
        put_length(&mut raw, entity.key.len());
        match &entity.value {
            Some(value) => {
                put_length(&mut raw, value.len());
                raw.extend_from_slice(&entity.key);
                raw.extend_from_slice(value);
            }
            None => {
                raw.extend_from_slice(&TOMBSTONE.to_le_bytes());
                raw.extend_from_slice(&entity.key);
            }
        }
    }
    raw
}

/// A key and its new value, or `None` when it is gone.
pub(super) type Change<'a> = (&'a [u8], Option<&'a [u8]>);

/// The entities of a segment, as slices of its bytes; the error is what is wrong with it.
pub(super) fn decode(frame: Frame, raw: &[u8]) -> Result<Vec<Change<'_>>, String> {
    let mut rest = raw.strip_prefix(header(frame).as_slice()).ok_or("it belongs to another place")?;
    let mut entities = Vec::new();
    while !rest.is_empty() {
        let key_length = take_length(&mut rest)?;
        let value_length = take_length(&mut rest)?;
        let key = take(&mut rest, key_length)?;
        let value = match value_length {
            TOMBSTONE => None,
            length => Some(take(&mut rest, length)?),
        };
        entities.push((key, value));
    }
    Ok(entities)
}

fn header(frame: Frame) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&frame.step.to_le_bytes());
    bytes.extend_from_slice(&frame.bucket.to_le_bytes());
    bytes.push(u8::from(frame.kind == Kind::Full));
    bytes.extend_from_slice(&frame.part.to_le_bytes());
    bytes
}

fn put_length(raw: &mut Vec<u8>, length: usize) {
    let length = u32::try_from(length).expect("an entity's size was checked");
    raw.extend_from_slice(&length.to_le_bytes());
}

fn take_length(rest: &mut &[u8]) -> Result<u32, String> {
    let (length, tail) = rest.split_first_chunk::<4>().ok_or("it ends early")?;
    *rest = tail;
    Ok(u32::from_le_bytes(*length))
}

fn take<'a>(rest: &mut &'a [u8], length: u32) -> Result<&'a [u8], String> {
    let length = usize::try_from(length).map_err(|_| "a length is absurd")?;
    let (bytes, tail) = rest.split_at_checked(length).ok_or("it ends early")?;
    *rest = tail;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame { step: 7, bucket: 3, kind: Kind::Delta, part: 0 };

    fn entity(key: &str, value: Option<&str>) -> Entity {
        Entity { key: key.into(), value: value.map(Into::into) }
    }

    #[test]
    fn entities_come_back_with_their_tombstones() {
        let written = [entity("a", Some("1")), entity("b", None), entity("", Some(""))];
        let raw = encode(FRAME, &written.iter().collect::<Vec<_>>());
        let packed = pack(&raw).unwrap();
        let unpacked = unpack(&packed).unwrap();
        let read = decode(FRAME, &unpacked).unwrap();
        let expected: Vec<Change<'_>> = written.iter().map(|e| (e.key.as_slice(), e.value.as_deref())).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_noticed() {
        let one = entity("key", Some("a value of some length"));
        let packed = pack(&encode(FRAME, &[&one])).unwrap();
        for i in 0..packed.body.len() {
            let mut torn = packed.clone();
            torn.body[i] ^= 1;
            assert!(unpack(&torn).is_err(), "byte {i}");
            torn.body.truncate(i);
            assert!(unpack(&torn).is_err(), "cut at {i}");
        }
    }

    #[test]
    fn hostile_bytes_are_errors() {
        let raw = encode(FRAME, &[&entity("key", Some("value"))]);
        for cut in 0..raw.len() {
            let read = decode(FRAME, &raw[..cut]);
            // A cut between two entities leaves a shorter segment; the stored size catches that.
            assert!(read.is_err() || cut == header(FRAME).len());
        }
        let mut absurd = header(FRAME);
        absurd.extend_from_slice(&[0xFE; 8]);
        assert!(decode(FRAME, &absurd).is_err());
        let elsewhere = Frame { bucket: 4, ..FRAME };
        assert!(decode(elsewhere, &raw).is_err());
    }

    #[test]
    fn segments_close_at_their_size() {
        let big = entity("k", Some(&"x".repeat(SEGMENT_BYTES / 2)));
        assert_eq!(fitting(&[&big, &big, &big]).unwrap(), 1);
        let small = entity("k", Some("x"));
        assert_eq!(fitting(&[&small, &small]).unwrap(), 2);
        let huge = entity("k", Some(&"x".repeat(MAX_ENTITY_BYTES)));
        assert!(fitting(&[&huge]).is_err());
    }
}
