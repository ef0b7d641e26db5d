//! Names of things, each a type of its own so that no two can be mistaken for one another.
//! An id is 1 to 128 bytes without control characters; it is never parsed for meaning.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// The longest id, in bytes.
pub const MAX_ID_BYTES: usize = 128;

/// A text is no id or no currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Empty, too long, or with control characters.
    #[error("an id has 1 to 128 bytes and no control characters, got {0:?}")]
    Id(String),
    /// Not 2 to 12 characters of A–Z and 0–9.
    #[error("a currency has 2 to 12 characters of A-Z and 0-9, such as USD, got {0:?}")]
    Currency(String),
}

/// Whether the text may be an id.
#[inline]
pub fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ID_BYTES && !has_controls(text.as_bytes())
}

/// Whether a byte is a control character. Every byte is looked at, eight at once and without a way out in between: that
/// is faster on short texts.
#[inline]
fn has_controls(bytes: &[u8]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // A top bit is set where a byte is below the bound, which is 128 at most; above such a byte others may be set too.
    let below = |word: u64, bound: u64| word.wrapping_sub(bound * EACH) & !word & (0x80 * EACH);
    // What is no delete character differs from it.
    let controls = |word: u64| below(word, 0x20) | below(word ^ (0x7f * EACH), 1);
    let Some(last) = bytes.last_chunk::<8>() else {
        return bytes.iter().fold(false, |found, byte| found | (*byte < 0x20) | (*byte == 0x7f));
    };
    // The last eight may have been looked at in part.
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().fold(controls(u64::from_le_bytes(*last)), |found, word| found | controls(u64::from_le_bytes(*word))) != 0
}

/// The same text as `SmolStr::new` gives, with fewer moves where it is short.
#[inline]
pub fn small_text(text: &str) -> SmolStr {
    if text.len() <= 23 { SmolStr::new_inline(text) } else { SmolStr::new(text) }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(SmolStr);

        impl $name {
            /// The id, or why the text is none.
            #[inline]
            pub fn new(text: &str) -> Result<Self, IdError> {
                if is_id(text) { Ok(Self(small_text(text))) } else { Err(IdError::Id(text.chars().take(32).collect())) }
            }
            /// The text.
            #[inline]
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> { Self::new(text) }
        }
        impl std::borrow::Borrow<str> for $name {
            #[inline]
            fn borrow(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(&self.0) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{:?}", self.0.as_str()) }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = SmolStr::deserialize(deserializer)?;
                if is_id(&text) { Ok(Self(text)) } else { Err(D::Error::custom(IdError::Id(text.chars().take(32).collect()))) }
            }
        }
    };
}

text_id! {
    /// A portfolio: the key of every portfolio-keyed topic.
    PortfolioId
}
text_id! {
    /// An instrument, as the reference data names it.
    InstrumentId
}
impl InstrumentId {
    /// The currencies of the id of a pair, such as `EUR/USD`, which quotes USD per EUR.
    pub fn pair(&self) -> Option<(Currency, Currency)> {
        let (of, quoted) = self.as_str().split_once('/')?;
        let pair = (Currency::new(of).ok()?, Currency::new(quoted).ok()?);
        (pair.0 != pair.1).then_some(pair)
    }
}
text_id! {
    /// A strategy, to which executions may be attributed.
    StrategyId
}

macro_rules! own_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}", self.0) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}", self.0) }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> { Uuid::parse_str(text).map(Self) }
        }
    };
}

own_id! {
    /// An order of ours, one for ever: UUIDv5 of portfolio, cycle, instrument and leg.
    OrderId
}
own_id! {
    /// A rebalance cycle of ours: UUIDv5 of portfolio and cycle.
    RebalanceId
}

/// The namespace of every UUIDv5 that the service makes. Fixed for ever: changing it changes order ids.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x5b9d_a7e6_3c55_4a0b_9f0e_42a1_1a57_ba11);

/// UUIDv5 over length-prefixed parts, so that no two lists of parts share a name.
pub fn uuid_of(parts: &[&[u8]]) -> Uuid {
    let mut name = Vec::with_capacity(parts.iter().map(|p| p.len() + 4).sum());
    for part in parts {
        let length = u32::try_from(part.len()).expect("a part of an id is far below 4 GiB");
        name.extend_from_slice(&length.to_be_bytes());
        name.extend_from_slice(part);
    }
    Uuid::new_v5(&NAMESPACE, &name)
}

/// A currency code, kept inline: 2 to 12 characters of A–Z and 0–9.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 12]);

impl Currency {
    /// The currency of a code, or why it is none.
    #[inline]
    pub fn new(code: &str) -> Result<Self, IdError> {
        Self::from_ascii(code.as_bytes()).ok_or_else(|| IdError::Currency(code.chars().take(16).collect()))
    }
    /// The currency of a code given as bytes; `None` where it is none.
    #[inline]
    pub fn from_ascii(code: &[u8]) -> Option<Self> {
        let is_good = |byte: u8| byte.is_ascii_uppercase() | byte.is_ascii_digit();
        // Nearly all have three.
        if let [a, b, c] = *code {
            return (is_good(a) & is_good(b) & is_good(c)).then_some(Self([a, b, c, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        }
        if !(2..=12).contains(&code.len()) {
            return None;
        }
        let mut inline = [0; 12];
        let mut good = true;
        for (place, byte) in inline.iter_mut().zip(code) {
            good &= is_good(*byte);
            *place = *byte;
        }
        good.then_some(Self(inline))
    }
    /// The code as bytes, zeros behind it.
    #[inline]
    pub const fn padded(&self) -> [u8; 12] {
        self.0
    }
    /// The code as bytes.
    #[inline]
    pub fn as_ascii(&self) -> &[u8] {
        &self.0[..self.0.iter().position(|b| *b == 0).unwrap_or(12)]
    }
    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_ascii()).expect("a currency is ASCII by construction")
    }
}

impl FromStr for Currency {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::new(text)
    }
}
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SmolStr::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_refuse_nothing_and_too_much() {
        assert!(PortfolioId::new("").is_err());
        assert!(PortfolioId::new("a\nb").is_err());
        for (length, at) in (1..40).flat_map(|length| (0..length).map(move |at| (length, at))) {
            for (byte, is_good) in [(0, false), (0x1f, false), (0x20, true), (0x7e, true), (0x7f, false)] {
                let mut text = vec![b'x'; length];
                text[at] = byte;
                let text = String::from_utf8(text).unwrap();
                assert_eq!(is_id(&text), is_good, "{text:?}");
            }
            assert!(is_id(&("é".repeat(length) + "\u{80}\u{ff}")), "bytes above ASCII are none");
        }
        assert!(PortfolioId::new(&"x".repeat(129)).is_err());
        assert_eq!(PortfolioId::new("growth/7 ü").unwrap().as_str(), "growth/7 ü");
        for bad in ["", "U", "usd", "US D", "ABCDEFGHIJKLM"] {
            assert!(Currency::new(bad).is_err(), "{bad}");
        }
        assert_eq!(Currency::new("USD").unwrap().to_string(), "USD");
    }

    #[test]
    fn uuid_parts_do_not_run_together() {
        assert_ne!(uuid_of(&[b"ab", b"c"]), uuid_of(&[b"a", b"bc"]));
        assert_eq!(uuid_of(&[b"ab"]).get_version_num(), 5);
    }
}
