//! The digest of a step's outputs: 128 bits over place, key and bytes of each, in order.
//! It detects a replay that differs; it is no defence against forgery.

use domain::SmolStr;
use xxhash_rust::xxh3::Xxh3;

/// A digest under way.
#[derive(Clone, Default)]
pub struct Digest(Box<Xxh3>);

impl Digest {
    /// Takes one part in, with its length, so that parts cannot run together.
    pub fn part(&mut self, bytes: Option<&[u8]>) {
        let length = bytes.map_or(u64::MAX, |b| b.len() as u64);
        self.0.update(&length.to_le_bytes());
        self.0.update(bytes.unwrap_or_default());
    }
    /// The digest so far, as 32 hexadecimal digits.
    pub fn text(&self) -> SmolStr {
        SmolStr::new(format!("{:032x}", self.0.digest128()))
    }
}

/// The fingerprint of one entity of an image. Those of a whole state are joined by exclusive or, so that
/// a change of one entity changes the state's without reading the others.
pub fn entity_fingerprint(key: &str, bytes: &[u8]) -> u128 {
    let mut hasher = Xxh3::new();
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key.as_bytes());
    hasher.update(bytes);
    hasher.digest128()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parts: &[Option<&[u8]>]) -> SmolStr {
        let mut digest = Digest::default();
        parts.iter().for_each(|part| digest.part(*part));
        digest.text()
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(of(&[Some(b"ab"), Some(b"c")]), of(&[Some(b"a"), Some(b"bc")]));
        assert_ne!(of(&[None]), of(&[Some(b"")]));
        assert_eq!(of(&[Some(b"x")]), of(&[Some(b"x")]));
    }
}
