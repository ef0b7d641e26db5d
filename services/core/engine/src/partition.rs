//! Which lane a key belongs to: Kafka's default partitioner (murmur2), so that any producer agrees.

/// The lane of a key among `lanes`.
pub fn lane_of(key: &[u8], lanes: i32) -> i32 {
    (murmur2(key) & 0x7fff_ffff) % lanes.max(1)
}

/// MurmurHash2 as Kafka's clients compute it, seed 0x9747b28c.
#[allow(clippy::cast_possible_wrap, clippy::cast_possible_truncation, reason = "the hash is defined on wrapping 32-bit words")]
fn murmur2(data: &[u8]) -> i32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c_u32 ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        rest.iter().enumerate().for_each(|(i, byte)| hash ^= u32::from(*byte) << (8 * i));
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    (hash ^ (hash >> 15)) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_java_client() {
        // Vectors of Apache Kafka's own UtilsTest.
        let vectors = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ];
        for (text, hash) in vectors {
            assert_eq!(murmur2(text.as_bytes()), hash, "{text}");
        }
        assert_eq!(lane_of(b"abc", 4), 479_470_107 % 4);
    }
}
