//! The digest of a step's outputs: 128 bits over place, key and bytes of each, in order.
//! It detects a replay that differs; it is no defence against forgery.

use domain::SmolStr;
use xxhash_rust::xxh3::Xxh3;

/// A digest under way.
#[derive(Clone, Default)]
pub struct Digest {
    hash: Box<Xxh3>,
    head: Vec<u8>,
}

impl Digest {
    /// Takes the parts of a record in, each with its length, so that parts cannot run together. The last one is the
    /// longest.
    pub fn parts(&mut self, short: [Option<&[u8]>; 2], long: Option<&[u8]>) {
        let length = |bytes: Option<&[u8]>| bytes.map_or(u64::MAX, |b| b.len() as u64).to_le_bytes();
        // All that stands before the last part at once: the hash has its own work to do each time.
        self.head.clear();
        for part in short {
            self.head.extend_from_slice(&length(part));
            self.head.extend_from_slice(part.unwrap_or_default());
        }
        self.head.extend_from_slice(&length(long));
        self.hash.update(&self.head);
        self.hash.update(long.unwrap_or_default());
    }
    /// The digest so far, as 32 hexadecimal digits.
    pub fn text(&self) -> SmolStr {
        SmolStr::new(format!("{:032x}", self.hash.digest128()))
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

    fn of(parts: [Option<&[u8]>; 3]) -> SmolStr {
        let mut digest = Digest::default();
        digest.parts([parts[0], parts[1]], parts[2]);
        digest.text()
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(of([Some(b"t"), Some(b"ab"), Some(b"c")]), of([Some(b"t"), Some(b"a"), Some(b"bc")]));
        assert_ne!(of([Some(b"ab"), Some(b"c"), None]), of([Some(b"a"), Some(b"bc"), None]));
        assert_ne!(of([Some(b"t"), None, None]), of([Some(b"t"), None, Some(b"")]));
        assert_ne!(of([Some(b"t"), None, None]), of([Some(b"t"), Some(b""), None]));
        assert_eq!(of([Some(b"t"), None, Some(b"x")]), of([Some(b"t"), None, Some(b"x")]));
    }

    #[test]
    fn a_digest_is_the_hash_of_the_parts_behind_their_lengths() {
        let plain = [&1_u64.to_le_bytes()[..], b"t", &[0xff; 8], &2_u64.to_le_bytes(), b"xy"].concat();
        let expected = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&plain));
        assert_eq!(of([Some(b"t"), None, Some(b"xy")]), expected.as_str());
    }
}
