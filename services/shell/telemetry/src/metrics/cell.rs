//! One number of a metric: an atomic that a role writes and readers read.
//!
//! Promises: lock-free, and no floating-point sums: durations add up as whole nanoseconds.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;

use crate::names::Kind;

/// What a reader sees of a cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reading {
    Count(u64),
    /// A count that is not whole.
    Total(f64),
    Level(f64),
    /// Sum in seconds, and (upper bound in seconds, number) by bucket; the last bound is infinite.
    Spread {
        sum: f64,
        count: u64,
        buckets: Vec<(f64, u64)>,
    },
}

/// A duration recorded over OTLP as well, with the labels of its cell.
#[derive(Debug, Clone)]
pub(crate) struct Twin {
    pub(crate) histogram: Histogram<f64>,
    pub(crate) labels: Arc<[KeyValue]>,
}

/// A kind of cell.
pub(crate) trait Cell: std::fmt::Debug + Send + Sync + 'static {
    fn new(kind: Kind, twin: Option<Twin>) -> Self;
    fn read(&self) -> Reading;
}

/// Only rises.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// The number now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Cell for Counter {
    fn new(_: Kind, _: Option<Twin>) -> Self {
        Counter::default()
    }

    fn read(&self) -> Reading {
        Reading::Count(self.get())
    }
}

/// Goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Sets it.
    pub fn set(&self, level: f64) {
        self.0.store(level.to_bits(), Relaxed);
    }

    /// Sets it to a number of things.
    pub fn set_count(&self, count: u64) {
        // Exact up to 2^53 things.
        #[allow(clippy::cast_precision_loss)]
        self.set(count as f64);
    }

    /// The level now.
    #[must_use]
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }
}

impl Cell for Gauge {
    fn new(_: Kind, _: Option<Twin>) -> Self {
        Gauge::default()
    }

    fn read(&self) -> Reading {
        Reading::Level(self.get())
    }
}

static BORN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Time since something happened last, computed when it is read: a stuck role cannot freeze it.
#[derive(Debug)]
pub struct Age(AtomicU64);

impl Age {
    /// It happened now.
    pub fn mark(&self) {
        self.mark_ago(Duration::ZERO);
    }

    /// It happened this long ago, at the earliest when this process began to count.
    pub fn mark_ago(&self, ago: Duration) {
        self.0.store(nanos(BORN.elapsed().saturating_sub(ago)), Relaxed);
    }

    /// How long ago it happened.
    #[must_use]
    pub fn get(&self) -> Duration {
        let then = Duration::from_nanos(self.0.load(Relaxed));
        BORN.elapsed().saturating_sub(then)
    }
}

impl Cell for Age {
    fn new(_: Kind, _: Option<Twin>) -> Self {
        Age(AtomicU64::new(nanos(BORN.elapsed())))
    }

    fn read(&self) -> Reading {
        Reading::Level(self.get().as_secs_f64())
    }
}

/// A histogram of durations.
#[derive(Debug)]
pub struct Timer {
    bounds_micros: &'static [u64],
    /// One more than the bounds: the last takes what is above them all.
    counts: Vec<AtomicU64>,
    sum_nanos: AtomicU64,
    twin: Option<Twin>,
}

impl Timer {
    /// Records a duration.
    pub fn observe(&self, duration: Duration) {
        let bucket = self.bounds_micros.partition_point(|bound| Duration::from_micros(*bound) < duration);
        self.counts[bucket].fetch_add(1, Relaxed);
        self.sum_nanos.fetch_add(nanos(duration), Relaxed);
        if let Some(twin) = &self.twin {
            twin.histogram.record(duration.as_secs_f64(), &twin.labels);
        }
    }

    /// How many durations were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|c| c.load(Relaxed)).sum()
    }
}

impl Cell for Timer {
    fn new(kind: Kind, twin: Option<Twin>) -> Self {
        let bounds_micros = match kind {
            Kind::Histogram(bounds) => bounds,
            Kind::Counter | Kind::Gauge => &[],
        };
        Timer { bounds_micros, counts: (0..=bounds_micros.len()).map(|_| AtomicU64::new(0)).collect(), sum_nanos: AtomicU64::new(0), twin }
    }

    fn read(&self) -> Reading {
        let bounds = self.bounds_micros.iter().map(|b| Duration::from_micros(*b).as_secs_f64()).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(self.counts.iter().map(|c| c.load(Relaxed))).collect();
        Reading::Spread {
            sum: Duration::from_nanos(self.sum_nanos.load(Relaxed)).as_secs_f64(),
            count: buckets.iter().map(|(_, n)| n).sum(),
            buckets,
        }
    }
}

/// A histogram of parts of one.
#[derive(Debug)]
pub struct Spread(Timer);

impl Spread {
    /// Records a part of one, in millionths.
    pub fn observe(&self, millionths: u64) {
        // A millionth of one is kept as a timer keeps a millionth of a second.
        self.0.observe(Duration::from_micros(millionths));
    }
}

impl Cell for Spread {
    fn new(kind: Kind, twin: Option<Twin>) -> Self {
        Spread(Timer::new(kind, twin))
    }

    fn read(&self) -> Reading {
        self.0.read()
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let timer = Timer::new(Kind::Histogram(&[1_000, 2_000]), None);
        for micros in [500, 1_000, 1_001, 2_000, 9_000] {
            timer.observe(Duration::from_micros(micros));
        }
        let Reading::Spread { sum, count, buckets } = timer.read() else {
            panic!("a timer reads as a spread");
        };
        assert_eq!(buckets, [(0.001, 2), (0.002, 2), (f64::INFINITY, 1)]);
        assert_eq!(count, 5);
        assert_eq!(sum, 0.013_501);
    }

    #[test]
    fn an_age_grows_by_itself() {
        let age = Age::new(Kind::Gauge, None);
        age.mark();
        std::thread::sleep(Duration::from_millis(5));
        assert!(age.get() >= Duration::from_millis(5));
    }
}
