//! The hashes of refused values, by place: a command may carry back in what was refused there, and nothing else.
//! The newest so many are known, for so long. It keeps no bytes, and it hashes neither key nor headers, because
//! nothing is booked of them.

use domain::{PortfolioId, SmolStr, Timestamp};
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
    portfolio: PortfolioId,
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
    /// Remembers what of a portfolio was refused at a place, and lets the oldest go.
    pub fn keep(&mut self, portfolio: &PortfolioId, place: SmolStr, value: Option<&[u8]>, now: Timestamp) {
        while self.entries.front().is_some_and(|oldest| is_old(oldest, now)) || self.entries.len() >= KNOWN {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { at: now, portfolio: portfolio.clone(), place, hash: hash(value) });
    }
    /// Forgets a place whose refusal is settled: nothing is carried back in there a second time.
    pub fn forget(&mut self, place: &str) {
        self.entries.retain(|entry| entry.place != place);
    }
    /// Forgets all places of a portfolio.
    pub fn forget_all(&mut self, portfolio: &PortfolioId) {
        self.entries.retain(|entry| entry.portfolio != *portfolio);
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

    fn p() -> PortfolioId {
        PortfolioId::new("p").expect("an id")
    }
    fn day(n: i64) -> Timestamp {
        Timestamp::default().plus_seconds(n * 24 * 3600)
    }

    #[test]
    fn the_bytes_of_a_place_are_known_from_others() {
        let mut refused = Refused::default();
        refused.keep(&p(), "a/0@1".into(), Some(b"one"), day(0));
        refused.keep(&p(), "a/0@2".into(), None, day(0));
        let judge = |place: &str, value: &[u8]| refused.judge(place, Some(value), day(1));
        assert_eq!((judge("a/0@1", b"one"), judge("a/0@1", b"onf"), judge("a/0@1", b"")), (Claim::True, Claim::False, Claim::False));
        assert_eq!((judge("a/0@2", b"one"), judge("a/0@3", b"one")), (Claim::False, Claim::Forgotten));
    }

    #[test]
    fn what_is_settled_is_forgotten() {
        let mut refused = Refused::default();
        (1..=3).for_each(|n| refused.keep(&p(), SmolStr::new(format!("a/0@{n}")), Some(b"x"), day(0)));
        refused.forget("a/0@2");
        let judge = |refused: &Refused, place: &str| refused.judge(place, Some(b"x"), day(0));
        assert_eq!((judge(&refused, "a/0@1"), judge(&refused, "a/0@2")), (Claim::True, Claim::Forgotten));
        refused.forget_all(&PortfolioId::new("q").expect("an id"));
        assert_eq!(judge(&refused, "a/0@3"), Claim::True);
        refused.forget_all(&p());
        assert_eq!(judge(&refused, "a/0@3"), Claim::Forgotten);
    }

    #[test]
    fn the_newest_are_known_and_none_for_longer_than_its_days() {
        let mut refused = Refused::default();
        let place = |n: usize| SmolStr::new(format!("a/0@{n}"));
        (0..=KNOWN).for_each(|n| refused.keep(&p(), place(n), Some(b"x"), day(0)));
        let judge = |refused: &Refused, n: usize, at| refused.judge(&place(n), Some(b"x"), at);
        assert_eq!((judge(&refused, 0, day(0)), judge(&refused, 1, day(0))), (Claim::Forgotten, Claim::True));
        let (last, over) = (day(KNOWN_DAYS), day(KNOWN_DAYS).plus_micros(1));
        assert_eq!((judge(&refused, KNOWN, last), judge(&refused, KNOWN, over)), (Claim::True, Claim::Forgotten));
        refused.keep(&p(), place(KNOWN + 1), Some(b"x"), over);
        assert_eq!(refused.entries.len(), 1);
    }
}
