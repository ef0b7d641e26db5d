//! How far each partition was read, is stored, and lags. Offsets only rise within one life.

use super::places::Place;
use domain::Timestamp;
use postgres_store::projections::{OffsetAdvance, StoredOffset};
use std::sync::Arc;
use telemetry::Metrics;
use telemetry::metrics::Gauge;

/// One partition.
pub(super) struct Cursor {
    /// Which.
    pub(super) place: Place,
    /// What Postgres holds; `None` when nothing is stored yet.
    stored: Option<i64>,
    /// Where this life began.
    first: i64,
    /// The next offset that is not in the batch at hand.
    next: i64,
    /// Whether everything below `next` is everything that there is.
    ended: bool,
    /// When the newest record read was appended.
    read_until: Timestamp,
    /// The moment that SQL shows.
    shown_until: Option<Timestamp>,
    lag_records: Arc<Gauge>,
    lag_seconds: Arc<Gauge>,
}

impl Cursor {
    /// A partition that is read from `first` on.
    pub(super) fn new(place: Place, stored: Option<i64>, first: i64, metrics: &Metrics) -> Self {
        let name = place.source.name();
        Self {
            place,
            stored,
            first,
            next: first,
            ended: false,
            read_until: Timestamp::MIN,
            shown_until: None,
            lag_records: metrics.projector_lag_records(name, place.partition),
            lag_seconds: metrics.projector_lag_seconds(name, place.partition),
        }
    }
    /// A record was taken into the batch.
    pub(super) fn took(&mut self, offset: i64, appended: Timestamp) {
        self.next = self.next.max(offset + 1);
        self.ended = false;
        self.read_until = self.read_until.max(appended);
    }
    /// The partition ended at an offset, transaction markers counted.
    pub(super) fn reached(&mut self, end: i64) {
        if end >= self.next {
            self.next = end;
            self.ended = true;
        }
    }
    /// Whether all that there is was read.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }
    /// The step from what is stored to what was read.
    pub(super) fn advance(&self) -> Option<OffsetAdvance> {
        let moved = self.next > self.stored.unwrap_or(self.first);
        moved.then(|| OffsetAdvance {
            topic: self.place.source.name().to_owned(),
            partition: self.place.partition,
            expected: self.stored,
            next: self.next,
        })
    }
    /// What was read is in SQL.
    pub(super) fn applied(&mut self, now: Timestamp) {
        if self.next > self.stored.unwrap_or(self.first) {
            self.stored = Some(self.next);
        }
        if self.ended {
            self.shown_until = Some(now);
            self.tell(0, now);
        } else if self.read_until != Timestamp::MIN {
            self.shown_until = self.shown_until.max(Some(self.read_until));
        }
    }
    /// Tells how far SQL is behind the partition's end.
    pub(super) fn measure(&self, end: i64, now: Timestamp) {
        self.tell(end.saturating_sub(self.stored.unwrap_or(self.first)).max(0), now);
    }

    #[allow(clippy::cast_precision_loss, clippy::float_arithmetic, reason = "a gauge for people")]
    fn tell(&self, records: i64, now: Timestamp) {
        let waiting = u64::try_from(records).unwrap_or(0);
        let age = self.shown_until.filter(|_| waiting > 0).map_or(0, |shown| now.since(shown).max(0));
        self.lag_records.set_count(waiting);
        self.lag_seconds.set(age as f64 / 1e6);
    }
}

/// Where to begin: what is stored of a place.
pub(super) fn stored_of(place: Place, stored: &[StoredOffset]) -> Option<i64> {
    let found = stored.iter().find(|at| at.topic == place.source.name() && at.partition == place.partition);
    found.map(|at| at.next_offset)
}

#[cfg(test)]
mod tests {
    use super::super::places::Source;
    use super::*;
    use domain::Topic;

    fn cursor(stored: Option<i64>, first: i64) -> Cursor {
        Cursor::new(Place { source: Source::Live(Topic::Ledger), partition: 2 }, stored, first, &Metrics::new())
    }

    #[test]
    fn an_advance_goes_from_what_is_stored_to_what_was_read() {
        let mut cursor = cursor(None, 5);
        assert_eq!(cursor.advance(), None);
        cursor.took(5, Timestamp::from_millis(1));
        cursor.took(9, Timestamp::from_millis(2));
        let step = cursor.advance().unwrap();
        assert_eq!((step.topic.as_str(), step.partition, step.expected, step.next), ("portfolio.ledger.v1", 2, None, 10));
        cursor.applied(Timestamp::from_millis(3));
        assert_eq!(cursor.advance(), None);
        cursor.reached(12);
        let step = cursor.advance().unwrap();
        assert_eq!((step.expected, step.next), (Some(10), 12), "markers are passed over");
    }

    #[test]
    fn an_end_that_was_overtaken_is_none() {
        let mut cursor = cursor(Some(7), 7);
        cursor.took(9, Timestamp::from_millis(1));
        cursor.reached(8);
        assert!(!cursor.ended());
        assert_eq!(cursor.advance().unwrap().next, 10);
    }

    #[test]
    fn lag_is_the_age_of_what_is_shown_while_records_wait() {
        let mut cursor = cursor(Some(0), 0);
        cursor.reached(0);
        cursor.applied(Timestamp::from_millis(1_000));
        assert_eq!((cursor.lag_records.get(), cursor.lag_seconds.get()), (0.0, 0.0));
        cursor.measure(40, Timestamp::from_millis(3_500));
        assert_eq!((cursor.lag_records.get(), cursor.lag_seconds.get()), (40.0, 2.5));
    }
}
