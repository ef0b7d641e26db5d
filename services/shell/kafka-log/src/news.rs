//! What of the client library's words is news. While no broker answers, every client of a process says the same
//! many times a second: the first time it is told at once, then once in a while, with the number that was left out.
//!
//! It is shared by all clients of the process. Bounded; reads no clock of its own and writes no log.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two lines of one trouble.
pub(crate) const TROUBLE_EVERY: Duration = Duration::from_secs(60);
/// Between two lines of one kind that are no trouble.
pub(crate) const NOTICE_EVERY: Duration = Duration::from_secs(1);
/// Kinds that are known; beyond them all are forgotten, and told anew.
const MOST_KINDS: usize = 512;

/// What was told lately.
#[derive(Debug)]
pub(crate) struct News(Mutex<BTreeMap<String, Told>>);

#[derive(Debug)]
struct Told {
    at: Instant,
    left_out: u64,
}

impl News {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Whether a line is to be told now, and how many of its kind were left out since the last one that was.
    pub(crate) fn take(&self, what: &str, line: &str, every: Duration, now: Instant) -> Option<u64> {
        let kind = kind_of(what, line);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KINDS && !known.contains_key(&kind) {
            known.clear();
        }
        match known.get_mut(&kind) {
            Some(told) if now.saturating_duration_since(told.at) < every => {
                told.left_out += 1;
                None
            }
            Some(told) => Some(std::mem::replace(told, Told { at: now, left_out: 0 }).left_out),
            None => {
                known.insert(kind, Told { at: now, left_out: 0 });
                Some(0)
            }
        }
    }
}

/// Lines of one kind differ in their numbers only: durations, counts, ports.
fn kind_of(what: &str, line: &str) -> String {
    let words = line.split(" (").next().unwrap_or_default();
    let letters = words.chars().filter(|letter| !letter.is_ascii_digit()).take(200);
    what.chars().chain([' ']).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_and_then_one_a_minute_with_the_number_left_out() {
        let (news, start) = (News::new(), Instant::now());
        let say = |ms: u64, line: &str| news.take("FAIL", line, TROUBLE_EVERY, start + Duration::from_millis(ms));
        assert_eq!(say(0, "localhost:9092: Connect failed: refused (after 0ms in state CONNECT)"), Some(0));
        for n in 1..600 {
            let line = format!("localhost:9092: Connect failed: refused (after {n}ms in state CONNECT, {n} identical errors suppressed)");
            assert_eq!(say(n * 100, &line), None);
        }
        assert_eq!(say(1000, "localhost:9092: Receive failed: Disconnected"), Some(0), "another trouble is told at once");
        assert_eq!(say(60_000, "localhost:9092: Connect failed: refused (after 7ms in state CONNECT)"), Some(599));
    }

    #[test]
    fn what_is_known_is_bounded() {
        let (news, now) = (News::new(), Instant::now());
        for n in 0..3 * MOST_KINDS {
            let word: String = n.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
            assert_eq!(news.take("FAIL", &word, TROUBLE_EVERY, now), Some(0));
        }
        assert!(news.0.lock().unwrap().len() <= MOST_KINDS);
    }
}
