//! The hashes of refused values, by place: a command may carry back in what was refused there, and nothing else.
//! The newest so many are known, for so long. It keeps no bytes, and it hashes neither key nor headers, because
//! nothing is booked of them.

use domain::{SmolStr, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;

/// Refusals whose hash a lane knows: they stand in the part of an image that every checkpoint holds.
pub const KNOWN: usize = 10_000;
/// Days that a hash is known: the dead letters with the bytes are kept no longer by default.
pub const KNOWN_DAYS: i64 = 30;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    at: Timestamp,
    place: SmolStr,
    hash: [u8; 32],
}

/// The newest refusals of a lane, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Refused {
    entries: VecDeque<Entry>,
}

/// What bytes are that claim to be those refused at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// They are.
    True,
    /// Other bytes were refused there.
    False,
    /// Nothing is known of that place any more.
    Forgotten,
}

impl Refused {
    /// Remembers what was refused at a place, and lets the oldest go.
    pub fn keep(&mut self, place: SmolStr, value: Option<&[u8]>, now: Timestamp) {
        while self.entries.front().is_some_and(|oldest| is_old(oldest, now)) || self.entries.len() >= KNOWN {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { at: now, place, hash: hash(value) });
    }
    /// Compares bytes with those refused at a place. Few are ever compared: they are looked for one by one.
    pub fn judge(&self, place: &str, value: Option<&[u8]>, now: Timestamp) -> Claim {
        let kept = self.entries.iter().rev().find(|entry| entry.place == place).filter(|entry| !is_old(entry, now));
        match kept {
            None => Claim::Forgotten,
            Some(entry) if entry.hash == hash(value) => Claim::True,
            Some(_) => Claim::False,
        }
    }
}

fn is_old(entry: &Entry, now: Timestamp) -> bool {
    entry.at.plus_seconds(KNOWN_DAYS * 24 * 3600) < now
}

fn hash(value: Option<&[u8]>) -> [u8; 32] {
    Sha256::digest(value.unwrap_or_default()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i64) -> Timestamp {
        Timestamp::default().plus_seconds(n * 24 * 3600)
    }

    #[test]
    fn the_bytes_of_a_place_are_known_from_others() {
        let mut refused = Refused::default();
        refused.keep("a/0@1".into(), Some(b"one"), day(0));
        refused.keep("a/0@2".into(), None, day(0));
        let judge = |place: &str, value: &[u8]| refused.judge(place, Some(value), day(1));
        assert_eq!((judge("a/0@1", b"one"), judge("a/0@1", b"onf"), judge("a/0@1", b"")), (Claim::True, Claim::False, Claim::False));
        assert_eq!((judge("a/0@2", b"one"), judge("a/0@3", b"one")), (Claim::False, Claim::Forgotten));
    }

    #[test]
    fn the_newest_are_known_and_none_for_longer_than_its_days() {
        let mut refused = Refused::default();
        let place = |n: usize| SmolStr::new(format!("a/0@{n}"));
        (0..=KNOWN).for_each(|n| refused.keep(place(n), Some(b"x"), day(0)));
        let judge = |refused: &Refused, n: usize, at| refused.judge(&place(n), Some(b"x"), at);
        assert_eq!((judge(&refused, 0, day(0)), judge(&refused, 1, day(0))), (Claim::Forgotten, Claim::True));
        let (last, over) = (day(KNOWN_DAYS), day(KNOWN_DAYS).plus_micros(1));
        assert_eq!((judge(&refused, KNOWN, last), judge(&refused, KNOWN, over)), (Claim::True, Claim::Forgotten));
        refused.keep(place(KNOWN + 1), Some(b"x"), over);
        assert_eq!(refused.entries.len(), 1);
    }
}
