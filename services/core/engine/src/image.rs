//! The image of a state: what a checkpoint holds, cut into entities so that only what changed is written.
//! It says how a state is taken apart and put together; where the parts are kept is the shell's.

use domain::{Date, SmolStr};

/// Version of the form of images; it stands first in each. Raise it with any change of what is stored, or how:
/// nothing in the bytes names their fields, and those of another form could be read with another meaning. A release
/// that raises it brings the way from the old form.
pub const IMAGE_VERSION: i32 = 21;

/// A stored image cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the checkpoint holds {what} that this build cannot read ({why}): recover from an older one or with the build that wrote it")]
pub struct ImageError {
    /// The entity.
    pub what: String,
    /// The reader's words.
    pub why: String,
}

impl ImageError {
    /// An error about an entity.
    pub fn new(what: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self { what: what.into(), why: why.to_string() }
    }
}

/// A state that can be taken apart and put together: a shared part, written whole with every
/// checkpoint, and entities by key, written when they changed. Bytes are a pure function of the state.
pub trait Image {
    /// The shared part.
    fn shared(&self) -> Vec<u8>;
    /// Puts the shared part back; called first, on an empty state.
    fn restore_shared(&mut self, bytes: &[u8]) -> Result<(), ImageError>;
    /// Keys of every entity, ascending.
    fn entity_keys(&self) -> Vec<SmolStr>;
    /// The bytes of an entity; `None` when there is none of that key (any more).
    fn entity(&self, key: &str) -> Option<Vec<u8>>;
    /// Puts an entity back; called once for each key, in ascending order of keys.
    fn restore_entity(&mut self, key: &str, bytes: &[u8]) -> Result<(), ImageError>;
    /// Called after the last entity: rebuild what is derived (indices, sums).
    fn restored(&mut self) -> Result<(), ImageError> {
        Ok(())
    }
    /// Keys changed, made or removed since the last call, ascending.
    fn take_dirty(&mut self) -> Vec<SmolStr>;
}

/// Days are written in keys from this one on, so that they sort.
const FIRST_DAY: i64 = 50_000_000;

/// A day as it stands in the key of an entity: eight digits that sort as days do.
pub fn day_key(day: Date) -> String {
    format!("{:08}", i64::from(day.days()) + FIRST_DAY)
}

/// The day of such digits.
pub fn day_of_key(digits: &str) -> Option<Date> {
    let days = digits.parse::<i64>().ok()?.checked_sub(FIRST_DAY)?;
    i32::try_from(days).ok().map(Date::from_days)
}

/// Bytes of a serde value in the image's format.
pub fn to_bytes<T: serde::Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("an image is plain data: writing it to memory cannot fail")
}

/// Writes a serde value behind bytes.
pub fn append<T: serde::Serialize>(value: &T, bytes: Vec<u8>) -> Vec<u8> {
    postcard::to_extend(value, bytes).expect("an image is plain data: writing it to memory cannot fail")
}

/// The first serde value of bytes, and what stands behind it.
pub fn take<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<(T, &[u8])> {
    postcard::take_from_bytes(bytes).ok()
}

/// The serde value of such bytes, all of them.
pub fn from_bytes<T: serde::de::DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, ImageError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(ImageError::new(what, "bytes are left over")),
        Err(error) => Err(ImageError::new(what, error)),
    }
}

/// Bytes of a value with the image's version before them.
pub fn versioned<T: serde::Serialize>(value: &T) -> Vec<u8> {
    to_bytes(&(IMAGE_VERSION, value))
}

/// The value of such bytes; of another version they are refused by its number.
pub fn from_versioned<T: serde::de::DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, ImageError> {
    match take::<i32>(bytes) {
        Some((IMAGE_VERSION, rest)) => from_bytes(what, rest),
        found => {
            let found = found.map_or_else(|| "none".to_owned(), |(version, _)| version.to_string());
            Err(ImageError::new(what, format!("of image version {found}, this build has {IMAGE_VERSION}")))
        }
    }
}
