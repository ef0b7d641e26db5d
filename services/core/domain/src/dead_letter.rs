//! `<input>.dlq`: an input that could not be taken in, whole, with the reason.
//! On the topic its value is the original bytes and everything else stands in headers.

use crate::command::Header;
use crate::reason::DeadLetterCode;
use crate::{PortfolioId, SmolStr, Timestamp, Topic};
use serde::{Deserialize, Serialize};

/// A refused input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Topic that it came from.
    pub topic: Topic,
    /// Partition of that topic.
    pub partition: i32,
    /// Offset in that partition.
    pub offset: i64,
    /// Why.
    pub code: DeadLetterCode,
    /// What, where and what to do, in words.
    pub text: SmolStr,
    /// The portfolio that it would have concerned, where that is known.
    pub portfolio_id: Option<PortfolioId>,
    /// Original timestamp.
    pub timestamp: Timestamp,
    /// Original key.
    #[serde(with = "hex_option")]
    pub key: Option<Vec<u8>>,
    /// Original headers.
    pub headers: Vec<Header>,
    /// Original value.
    #[serde(with = "hex_option")]
    pub value: Option<Vec<u8>>,
}

/// Bytes as lower-case hexadecimal in JSON, as bytes elsewhere.
pub mod hex {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes bytes.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.serialize_str(&encode(bytes)) } else { serializer.serialize_bytes(bytes) }
    }
    /// Reads bytes.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            decode(&text).ok_or_else(|| D::Error::custom("expected bytes as hexadecimal digits"))
        } else {
            Vec::<u8>::deserialize(deserializer)
        }
    }
    /// Lower-case hexadecimal digits.
    pub fn encode(bytes: &[u8]) -> String {
        bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|n| char::from_digit(u32::from(n), 16).expect("a nibble is below 16")).collect()
    }
    /// The bytes of hexadecimal digits; `None` where they are none.
    pub fn decode(text: &str) -> Option<Vec<u8>> {
        let digit = |b: u8| char::from(b).to_digit(16).and_then(|n| u8::try_from(n).ok());
        if !text.len().is_multiple_of(2) {
            return None;
        }
        text.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
    }
}

/// [`hex`] for bytes that may be null.
pub mod hex_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Bytes(#[serde(with = "super::hex")] Vec<u8>);

    /// Writes bytes or null.
    pub fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        bytes.clone().map(Bytes).serialize(serializer)
    }
    /// Reads bytes or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
        Option::<Bytes>::deserialize(deserializer).map(|bytes| bytes.map(|b| b.0))
    }
}
