//! Many seeds at once, on every core: what failed, and what all of them have seen together.

use crate::coverage::Coverage;
use crate::play::{Script, play};
use crate::shrink::{shown, shrink};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Failures that are shown with their shortest cause.
const SHOWN: usize = 3;

/// What came of many plays.
#[derive(Debug, Default)]
pub struct Run {
    /// Plays.
    pub count: u64,
    /// What they have in common.
    like: Script,
    /// Seeds that went wrong, and how.
    pub failed: Vec<(u64, Vec<String>)>,
    /// What was seen.
    pub coverage: Coverage,
    /// Moments played.
    pub moments: u64,
    /// How long it took.
    pub took: Duration,
}

/// A number from the environment, or its usual value.
pub fn from_environment(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number, and not {text:?}")))
}

/// The first of so many seeds that goes wrong, and how, where faults are many or not; those behind it are not played, nor
/// are those that are known to.
pub fn first_wrong(count: u64, harsh: bool, known: &BTreeSet<u64>) -> Option<(u64, String)> {
    let (next, end) = (AtomicU64::new(1), AtomicU64::new(count + 1));
    let one = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end.load(Ordering::Relaxed) {
                return None;
            }
            if known.contains(&seed) {
                continue;
            }
            let outcome = play(&Script { seed, harsh, ..Script::default() });
            if let Some(wrong) = outcome.wrongs.into_iter().next() {
                end.fetch_min(seed, Ordering::Relaxed);
                return Some((seed, wrong));
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads()).map(|_| scope.spawn(one)).collect();
        // Seeds before the first that was found were handed out before it, and are played to their end.
        threads.into_iter().filter_map(|thread| thread.join().expect("a play catches what goes wrong in it")).min()
    })
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

impl Run {
    /// Plays so many seeds from the first one on, otherwise all alike.
    pub fn of(first: u64, count: u64, like: &Script) -> Self {
        let (started, next) = (Instant::now(), AtomicU64::new(0));
        let one = || {
            let mut run = Self { like: like.clone(), ..Self::default() };
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return run;
                }
                run.take(first + number);
            }
        };
        let mut all = Self { count, like: like.clone(), ..Self::default() };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads()).map(|_| scope.spawn(one)).collect();
            for thread in threads {
                all.add(thread.join().expect("a play catches what goes wrong in it"));
            }
        });
        all.failed.sort();
        all.took = started.elapsed();
        all
    }

    fn take(&mut self, seed: u64) {
        let outcome = play(&Script { seed, ..self.like.clone() });
        self.coverage.add(&outcome.coverage);
        self.moments += outcome.moments;
        if !outcome.wrongs.is_empty() {
            println!("seed {seed}: {}", outcome.wrongs[0]);
            self.failed.push((seed, outcome.wrongs));
        }
    }

    fn add(&mut self, other: Self) {
        self.failed.extend(other.failed);
        self.coverage.add(&other.coverage);
        self.moments += other.moments;
    }

    /// Fails with the shortest causes of the first failures.
    pub fn assert_sound(&self) {
        for (seed, _) in self.failed.iter().take(SHOWN) {
            println!("{}\n", shown(&shrink(&Script { seed: *seed, ..self.like.clone() })));
        }
        let failed: Vec<_> = self.failed.iter().map(|(seed, wrongs)| format!("{seed}: {}", wrongs[0])).collect();
        assert!(failed.is_empty(), "{} of {} seeds go wrong:\n{}", failed.len(), self.count, failed.join("\n"));
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.coverage)?;
        write!(f, "{} seeds, {} moments in {:.1?}, {} went wrong", self.count, self.moments, self.took, self.failed.len())
    }
}
