//! What a worker tells of itself while it runs; the real listener counts and traces, others ignore it.

use super::backlog::Backlog;
use super::ports::{Polled, Saved};
use domain::{Output, Timestamp, Topic};
use engine::waiting::Waiter;
use engine::{Stats, Step};
use std::time::Duration;

/// Hears what a worker does. Every method may do nothing.
pub trait Observer: Send {
    /// The lane was recovered to a step, so many steps replayed.
    fn recovered(&self, _step: i64, _replayed: u64) {}
    /// Logs were asked for records, whether or not a window comes of it.
    fn reads(&self, _backlog: &Backlog) {}
    /// A window has run, and took so long; `next` tells where the lane stands now in an input: it may have folded less
    /// than was polled.
    fn window(&self, _polled: &Polled<'_>, _took: Duration, _behind: bool, _next: &dyn Fn(Topic, i32) -> i64) {}
    /// A step that is closing publishes this.
    fn output(&self, _output: &Output) {}
    /// A step was closed, which took so long.
    fn step(&self, _step: &Step, _took: Duration) {}
    /// So many steps are visible that no checkpoint holds.
    fn unsaved(&self, _steps: i64) {}
    /// A step became visible; whether its producer was lost over it.
    fn confirmed(&self, _step: i64, _took: Duration, _recycled: bool) {}
    /// A checkpoint ended.
    fn saved(&self, _saved: &Saved) {}
    /// A turn begins at that moment of the lane's clock; `look` tells how the role's state stands, and is not free.
    fn turn(&self, _now: Timestamp, _look: &dyn Fn() -> (Stats, Vec<Waiter>)) {}
}

/// Hears and does nothing.
pub struct Silent;

impl Observer for Silent {}
