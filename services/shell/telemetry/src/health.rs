//! Health: what must hold before this process is ready, and who must show signs of life.
//!
//! Promises: ready means that every named condition says so, and that there is one; alive means that
//! no heartbeat is older than its limit. A condition or heartbeat that is dropped no longer counts, nor
//! does a heartbeat at rest.
//! Does not probe anything itself.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The health of this process; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Health {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    next_id: u64,
    /// `Err` holds why it is not ready.
    conditions: BTreeMap<(String, u64), Result<(), String>>,
    heartbeats: BTreeMap<(String, u64), Beat>,
}

#[derive(Debug)]
struct Beat {
    /// `None` at rest.
    last: Option<Instant>,
    limit: Duration,
}

impl Beat {
    fn is_late(&self) -> bool {
        self.last.is_some_and(|last| last.elapsed() > self.limit)
    }
}

/// A named condition of being ready; not ready until it says so.
#[derive(Debug)]
pub struct Condition {
    health: Health,
    key: (String, u64),
}

/// A sign of life that must come within its limit.
#[derive(Debug)]
pub struct Heartbeat {
    health: Health,
    key: (String, u64),
}

impl Health {
    /// Without conditions: alive, not ready.
    #[must_use]
    pub fn new() -> Self {
        Health::default()
    }

    /// A new condition, not ready for the reason `starting`.
    #[must_use = "the condition goes when it is dropped"]
    pub fn condition(&self, name: &str) -> Condition {
        let mut state = self.lock();
        let key = state.key(name);
        state.conditions.insert(key.clone(), Err("starting".to_owned()));
        Condition { health: self.clone(), key }
    }

    /// A new heartbeat, beating now.
    #[must_use = "the heartbeat goes when it is dropped"]
    pub fn heartbeat(&self, name: &str, limit: Duration) -> Heartbeat {
        let mut state = self.lock();
        let key = state.key(name);
        let last = Some(Instant::now());
        state.heartbeats.insert(key.clone(), Beat { last, limit });
        Heartbeat { health: self.clone(), key }
    }

    /// Whether every condition is ready, and one line for each.
    #[must_use]
    pub fn readiness(&self) -> (bool, String) {
        let state = self.lock();
        let mut lines = String::new();
        for ((name, _), condition) in &state.conditions {
            let word = match condition {
                Ok(()) => "ready",
                Err(reason) => &format!("not ready: {reason}"),
            };
            writeln!(lines, "{name}: {word}").expect("writing to a string cannot fail");
        }
        if state.conditions.is_empty() {
            return (false, "nothing has started yet\n".to_owned());
        }
        (state.conditions.values().all(Result::is_ok), lines)
    }

    /// Whether every heartbeat is within its limit, and one line for each.
    #[must_use]
    pub fn liveness(&self) -> (bool, String) {
        let state = self.lock();
        let mut alive = true;
        let mut lines = String::from("process: alive\n");
        for ((name, _), beat) in &state.heartbeats {
            let Some(last) = beat.last else {
                writeln!(lines, "{name}: at rest").expect("writing to a string cannot fail");
                continue;
            };
            alive &= !beat.is_late();
            let word = if beat.is_late() { "silent" } else { "alive" };
            let age = last.elapsed();
            writeln!(lines, "{name}: {word}, {age:.1?} of {:?}", beat.limit).expect("writing to a string cannot fail");
        }
        (alive, lines)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn key(&mut self, name: &str) -> (String, u64) {
        self.next_id += 1;
        (name.to_owned(), self.next_id)
    }
}

impl Condition {
    /// It holds.
    pub fn set_ready(&self) {
        self.set(Ok(()));
    }

    /// It does not hold, and why.
    pub fn set_not_ready(&self, reason: impl Into<String>) {
        self.set(Err(reason.into()));
    }

    fn set(&self, value: Result<(), String>) {
        self.health.lock().conditions.insert(self.key.clone(), value);
    }
}

impl Drop for Condition {
    fn drop(&mut self) {
        self.health.lock().conditions.remove(&self.key);
    }
}

impl Heartbeat {
    /// A sign of life.
    pub fn beat(&self) {
        if let Some(beat) = self.health.lock().heartbeats.get_mut(&self.key) {
            beat.last = Some(Instant::now());
        }
    }

    /// Nothing is expected until the next beat: what comes now may take as long as it takes.
    pub fn rest(&self) {
        if let Some(beat) = self.health.lock().heartbeats.get_mut(&self.key) {
            beat.last = None;
        }
    }

    /// Whether the last beat is older than its limit.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.health.lock().heartbeats.get(&self.key).is_some_and(Beat::is_late)
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.health.lock().heartbeats.remove(&self.key);
    }
}
