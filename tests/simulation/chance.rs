//! Chance from a seed, by question: the n-th question of a name has one answer, whatever else was asked before. So a
//! run in which one thing is left out stays as it was in most others. It remembers what struck.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A question by name, and which of that name it was.
pub type Asked = (&'static str, u64);

/// Chance.
pub struct Chance {
    seed: u64,
    counts: RefCell<BTreeMap<&'static str, u64>>,
    /// What may not strike.
    spared: BTreeSet<Asked>,
    struck: RefCell<Vec<Asked>>,
    calm: Cell<bool>,
}

impl Chance {
    /// Chance of a seed, without what is to be spared.
    pub fn new(seed: u64, spared: BTreeSet<Asked>) -> Self {
        Self { seed, counts: RefCell::default(), spared, struck: RefCell::default(), calm: Cell::new(false) }
    }
    /// Nothing strikes any more.
    pub fn calm_down(&self) {
        self.calm.set(true);
    }
    /// Whether nothing strikes any more.
    pub fn is_calm(&self) -> bool {
        self.calm.get()
    }
    /// What has struck.
    pub fn struck(&self) -> Vec<Asked> {
        self.struck.borrow().clone()
    }
    fn ask(&self, name: &'static str) -> (u64, u64) {
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(name).or_default();
        *count += 1;
        (*count, xxh3_64_with_seed(name.as_bytes(), self.seed ^ count.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }
    /// Any number.
    pub fn roll(&self, name: &'static str) -> u64 {
        self.ask(name).1
    }
    /// A number below `bound`, which is above zero.
    pub fn below(&self, name: &'static str, bound: u64) -> u64 {
        self.roll(name) % bound
    }
    /// A number from `least` to `most`.
    pub fn between(&self, name: &'static str, least: u64, most: u64) -> u64 {
        least + self.below(name, most - least + 1)
    }
    /// True so many times in ten thousand.
    pub fn often(&self, name: &'static str, of_ten_thousand: u64) -> bool {
        self.below(name, 10_000) < of_ten_thousand
    }
    /// One of these.
    pub fn pick<'a, T>(&self, name: &'static str, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(name, from.len() as u64)).expect("an index of a slice")]
    }
    /// Whether something harmful strikes, so many times in ten thousand: never in a calm, nor where it is spared.
    pub fn strikes(&self, name: &'static str, of_ten_thousand: u64) -> bool {
        if of_ten_thousand == 0 || self.calm.get() {
            return false;
        }
        let (count, rolled) = self.ask(name);
        if rolled % 10_000 >= of_ten_thousand || self.spared.contains(&(name, count)) {
            return false;
        }
        self.struck.borrow_mut().push((name, count));
        true
    }
}
