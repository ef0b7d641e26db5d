//! Which partition a key belongs to: the hash of Java's default partitioner.
//!
//! Promises the same partition as every producer that partitions by murmur2 (Java's default,
//! librdkafka's `murmur2_random`), so that any upstream system lands on the right lane. Chooses
//! nothing for a record without a key.

const SEED: u32 = 0x9747_b28c;
const MULTIPLIER: u32 = 0x5bd1_e995;
const ROTATION: u32 = 24;

/// The 32-bit murmur2 hash of `key`, as Java's `Utils.murmur2` computes it (there it is signed).
#[must_use]
pub fn murmur2(key: &[u8]) -> u32 {
    // Java's length is an `int`; a key longer than 2 GiB cannot be in a record.
    let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
    let (words, tail) = key.as_chunks::<4>();
    let mut hash = SEED ^ length;
    for word in words {
        hash = hash.wrapping_mul(MULTIPLIER) ^ mixed(u32::from_le_bytes(*word));
    }
    finished(with_tail(hash, tail))
}

/// The partition of `key` among `partitions`; 0 when there is none to choose from.
#[must_use]
pub fn murmur2_partition(key: &[u8], partitions: u32) -> u32 {
    (murmur2(key) & 0x7fff_ffff).checked_rem(partitions).unwrap_or(0)
}

fn mixed(word: u32) -> u32 {
    let word = word.wrapping_mul(MULTIPLIER);
    (word ^ (word >> ROTATION)).wrapping_mul(MULTIPLIER)
}

fn with_tail(hash: u32, tail: &[u8]) -> u32 {
    if tail.is_empty() {
        return hash;
    }
    let rest = tail.iter().rev().fold(0, |rest, byte| rest << 8 | u32::from(*byte));
    (hash ^ rest).wrapping_mul(MULTIPLIER)
}

fn finished(hash: u32) -> u32 {
    let hash = (hash ^ (hash >> 13)).wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of Apache Kafka's own `UtilsTest.testMurmur2`.
    #[test]
    fn hashes_as_java_does() {
        let vectors: [(&str, i32); 6] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ];
        for (key, hash) in vectors {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
    }

    #[test]
    fn partition_is_the_positive_hash_modulo_their_number() {
        assert_eq!(murmur2_partition(b"abc", 4), 479_470_107 % 4);
        assert_eq!(murmur2_partition(b"21", 7), (murmur2(b"21") & 0x7fff_ffff) % 7);
        assert_eq!(murmur2_partition(b"abc", 0), 0);
    }
}
