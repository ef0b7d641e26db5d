//! Time that only goes forward, for pace and patience: when a step has been open long enough, how long an answer
//! may take. It is never the time that a window computes with.

use std::time::{Duration, Instant};

/// A clock that nobody sets. What a worker waits for passes on it, so that a simulation can let it pass at once.
pub trait Steady {
    /// Time since some fixed moment.
    fn elapsed(&self) -> Duration;
    /// Waits so long.
    fn sleep(&self, span: Duration);
}

/// The machine's.
#[derive(Debug, Clone, Copy)]
pub struct MachineTime(Instant);

impl Default for MachineTime {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Steady for MachineTime {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
    fn sleep(&self, span: Duration) {
        std::thread::sleep(span);
    }
}
