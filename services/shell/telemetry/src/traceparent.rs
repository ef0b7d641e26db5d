//! W3C trace context: where a record's story began.
//!
//! Promises: pure; hostile bytes are `None`, never a panic; the parent of an output is derived from
//! its cause and its place alone, so that a replay writes identical bytes. Does not sample: the
//! flag travels as it came.

use std::fmt;

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use xxhash_rust::xxh3::xxh3_64;

/// A parsed `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Traceparent {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    flags: u8,
}

/// Length of version 00.
const LENGTH: usize = 55;
const SAMPLED: u8 = 1;

impl Traceparent {
    /// From its parts; `None` when an id is all zero.
    #[must_use]
    pub fn new(trace_id: [u8; 16], span_id: [u8; 8], sampled: bool) -> Option<Self> {
        let valid = trace_id != [0; 16] && span_id != [0; 8];
        valid.then_some(Traceparent { trace_id, span_id, flags: if sampled { SAMPLED } else { 0 } })
    }

    /// From a header's bytes; `None` when they are no traceparent. A later version is read as far as
    /// version 00 goes, as the standard asks.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (known, rest) = bytes.split_at_checked(LENGTH)?;
        let [version] = hex(&known[..2])?;
        let well_ended = match version {
            0 => rest.is_empty(),
            0xFF => false,
            _ => rest.is_empty() || rest[0] == b'-',
        };
        let dashes = known[2] == b'-' && known[35] == b'-' && known[52] == b'-';
        if !well_ended || !dashes {
            return None;
        }
        let [flags] = hex(&known[53..])?;
        Self::new(hex(&known[3..35])?, hex(&known[36..52])?, flags & SAMPLED == SAMPLED)
    }

    /// Whether the story is recorded.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED == SAMPLED
    }

    /// The traceparent of an output that this record caused: same trace, and a span id that depends
    /// on nothing but this record and the output's place.
    #[must_use]
    pub fn child(&self, lane: u32, step: u64, index: u32) -> Self {
        let mut seed = Vec::with_capacity(40);
        seed.extend_from_slice(&self.trace_id);
        seed.extend_from_slice(&self.span_id);
        seed.extend_from_slice(&lane.to_le_bytes());
        seed.extend_from_slice(&step.to_le_bytes());
        seed.extend_from_slice(&index.to_le_bytes());
        // Zero is no id; one in 2^64 becomes one.
        let span_id = xxh3_64(&seed).max(1).to_be_bytes();
        Traceparent { span_id, ..*self }
    }

    /// As OpenTelemetry has it.
    #[must_use]
    pub fn span_context(&self) -> SpanContext {
        SpanContext::new(
            TraceId::from_bytes(self.trace_id),
            SpanId::from_bytes(self.span_id),
            TraceFlags::new(self.flags),
            true,
            TraceState::default(),
        )
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("00-")?;
        self.trace_id.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
        f.write_str("-")?;
        self.span_id.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
        write!(f, "-{:02x}", self.flags)
    }
}

/// Lower-case hexadecimal, as the standard asks.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_parsed_is_printed_again() {
        let parsed = Traceparent::parse(GOOD.as_bytes()).unwrap();
        assert!(parsed.is_sampled());
        assert_eq!(parsed.to_string(), GOOD);
        let later = format!("01{}-more", &GOOD[2..]);
        assert_eq!(Traceparent::parse(later.as_bytes()), Some(parsed));
    }

    #[test]
    fn hostile_bytes_are_none() {
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Traceparent::parse(bad.as_bytes()), None, "{bad}");
        }
        for i in 0..GOOD.len() {
            let mut bytes = GOOD.as_bytes().to_vec();
            bytes[i] = 0xFF;
            assert_eq!(Traceparent::parse(&bytes), None, "byte {i}");
            assert_eq!(Traceparent::parse(&GOOD.as_bytes()[..i]), None, "cut {i}");
        }
    }

    #[test]
    fn a_child_is_the_same_for_ever_and_of_its_own_place() {
        let parent = Traceparent::parse(GOOD.as_bytes()).unwrap();
        let child = parent.child(2, 77, 3);
        // Written down: a changed derivation would break the replay of recorded digests.
        assert_eq!(child.to_string(), CHILD);
        assert_ne!(child, parent.child(2, 77, 4));
        assert_ne!(child, parent.child(2, 78, 3));
        assert_ne!(child, parent.child(3, 77, 3));
        assert_eq!(Traceparent::parse(child.to_string().as_bytes()), Some(child));
    }

    const CHILD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-74d008d4496b2a38-01";
}
