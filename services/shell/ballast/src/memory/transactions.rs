//! Transactions of the log in memory, one call of the broker at a time: an id is taken over, partitions are added,
//! records are appended, the end is decided, and then markers are written, partition by partition.
//!
//! It is the broker of clients without KIP-890's second part, as librdkafka is one: an epoch lasts over transactions,
//! so that an end that arrives late decides whatever its producer has open by then. It sends nothing again, waits for
//! nothing and loses nothing by itself.

use super::MemoryLog;
use super::partition::Fate;
use crate::messages::OutMessage;
use domain::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// A producer's hold on a transactional id: the newest one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProducerEpoch(u64);

/// Why the coordinator or a partition refused a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Somebody newer has the id: PRODUCER_FENCED, INVALID_PRODUCER_EPOCH.
    #[error("a newer producer has the transactional id")]
    Fenced,
    /// The markers of the last transaction are not all written: CONCURRENT_TRANSACTIONS. To be asked again.
    #[error("the transaction before is not complete yet")]
    Concurrent,
    /// There is no such transaction: INVALID_TXN_STATE.
    #[error("the producer has no transaction in which this could be done")]
    InvalidState,
}

type Place = (SmolStr, i32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Empty,
    Ongoing,
    /// Decided; markers are still to be written.
    Prepared {
        commit: bool,
    },
    Complete {
        commit: bool,
    },
}

#[derive(Debug, Default)]
struct Producer {
    epoch: u64,
    state: State,
    places: BTreeSet<Place>,
}

/// Every transactional id.
#[derive(Debug, Default)]
pub(super) struct Coordinator {
    producers: BTreeMap<SmolStr, Producer>,
}

impl MemoryLog {
    /// Takes an id over: producers before are fenced, and what they left open is aborted.
    ///
    /// # Errors
    /// [`Refused::Concurrent`] until the last transaction's markers are written.
    pub fn take_over(&self, id: &str) -> Result<ProducerEpoch, Refused> {
        let mut shared = self.0.borrow_mut();
        let producer = shared.coordinator.producers.entry(SmolStr::new(id)).or_default();
        match producer.state {
            State::Prepared { .. } => Err(Refused::Concurrent),
            State::Ongoing => {
                producer.epoch += 1;
                producer.state = State::Prepared { commit: false };
                Err(Refused::Concurrent)
            }
            State::Empty | State::Complete { .. } => {
                producer.epoch += 1;
                producer.state = State::Empty;
                Ok(ProducerEpoch(producer.epoch))
            }
        }
    }

    /// Whether an id's holder is still the newest.
    pub fn holds(&self, id: &str, epoch: ProducerEpoch) -> bool {
        self.0.borrow().coordinator.producers.get(id).is_some_and(|producer| producer.epoch == epoch.0)
    }

    /// Adds a partition to the transaction; the first one begins it.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn add_partition(&self, id: &str, epoch: ProducerEpoch, topic: &str, partition: i32) -> Result<(), Refused> {
        let mut shared = self.0.borrow_mut();
        let producer = shared.coordinator.of(id, epoch)?;
        if let State::Prepared { .. } = producer.state {
            return Err(Refused::Concurrent);
        }
        if producer.state != State::Ongoing {
            producer.places.clear();
            producer.state = State::Ongoing;
        }
        producer.places.insert((SmolStr::new(topic), partition));
        Ok(())
    }

    /// Appends a record to the transaction; its offset.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn append_in(&self, id: &str, epoch: ProducerEpoch, message: OutMessage) -> Result<i64, Refused> {
        let mut shared = self.0.borrow_mut();
        let producer = shared.coordinator.of(id, epoch)?;
        let place = (SmolStr::new_static(message.topic), message.partition);
        if producer.state != State::Ongoing || !producer.places.contains(&place) {
            return Err(Refused::InvalidState);
        }
        Ok(shared.append(message, Fate::Open(SmolStr::new(id))))
    }

    /// Decides the transaction that the id has open. The answer comes before any marker stands.
    ///
    /// # Errors
    /// See [`Refused`]; deciding the same once more is none.
    pub fn end_transaction(&self, id: &str, epoch: ProducerEpoch, commit: bool) -> Result<(), Refused> {
        let mut shared = self.0.borrow_mut();
        let producer = shared.coordinator.of(id, epoch)?;
        match producer.state {
            State::Ongoing => producer.state = State::Prepared { commit },
            State::Prepared { commit: decided } if decided == commit => return Err(Refused::Concurrent),
            State::Complete { commit: decided } if decided == commit => {}
            State::Empty | State::Prepared { .. } | State::Complete { .. } => return Err(Refused::InvalidState),
        }
        Ok(())
    }

    /// Whether an id's decided transaction lacks markers.
    pub fn lacks_markers(&self, id: &str) -> bool {
        let shared = self.0.borrow();
        shared.coordinator.producers.get(id).is_some_and(|producer| matches!(producer.state, State::Prepared { .. }))
    }

    /// Writes the next marker of an id's decided transaction, or loses it, as brokers in trouble do: then the
    /// partition's readers stand still until another transaction of the id is decided there. Whether more are to come.
    pub fn write_marker(&self, id: &str, lose: bool) -> bool {
        let mut shared = self.0.borrow_mut();
        let Some(producer) = shared.coordinator.producers.get_mut(id) else { return false };
        let State::Prepared { commit } = producer.state else { return false };
        let place = producer.places.pop_first();
        let more = !producer.places.is_empty();
        if !more {
            producer.state = State::Complete { commit };
        }
        if let Some(place) = place.filter(|_| !lose) {
            shared.partitions.entry(place).or_default().mark(&SmolStr::new(id), commit);
        }
        more
    }

    /// The brokers lose patience with an open transaction: it is aborted and its producer fenced. Whether one was open.
    pub fn time_out(&self, id: &str) -> bool {
        let mut shared = self.0.borrow_mut();
        let Some(producer) = shared.coordinator.producers.get_mut(id) else { return false };
        let open = producer.state == State::Ongoing;
        if open {
            producer.epoch += 1;
            producer.state = State::Prepared { commit: false };
        }
        open
    }
}

impl Coordinator {
    fn of(&mut self, id: &str, epoch: ProducerEpoch) -> Result<&mut Producer, Refused> {
        self.producers.get_mut(id).filter(|producer| producer.epoch == epoch.0).ok_or(Refused::Fenced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored::StoredRecord;

    const TOPIC: &str = "execution.fills.v1";

    fn record(text: &str) -> OutMessage {
        OutMessage { topic: TOPIC, partition: 0, key: None, value: Some(text.as_bytes().to_vec()), headers: Vec::new() }
    }
    fn begun(log: &MemoryLog, id: &str, epoch: ProducerEpoch, texts: &[&str]) {
        log.add_partition(id, epoch, TOPIC, 0).unwrap();
        texts.iter().for_each(|text| {
            log.append_in(id, epoch, record(text)).unwrap();
        });
    }
    fn complete(log: &MemoryLog, id: &str) {
        while log.write_marker(id, false) {}
    }
    fn seen(log: &MemoryLog) -> Vec<String> {
        let text = |record: StoredRecord| String::from_utf8(record.value.unwrap()).unwrap();
        log.read(TOPIC, 0, 0).into_iter().map(text).collect()
    }

    #[test]
    fn readers_stop_at_the_first_open_transaction_and_skip_what_was_aborted() {
        let log = MemoryLog::new();
        let (a, b) = (log.take_over("a").unwrap(), log.take_over("b").unwrap());
        begun(&log, "a", a, &["a1"]);
        begun(&log, "b", b, &["b1"]);
        log.append(record("free"));
        log.end_transaction("b", b, true).unwrap();
        assert_eq!((log.stable_end(TOPIC, 0), log.end(TOPIC, 0)), (0, 3));
        complete(&log, "b");
        assert_eq!((seen(&log), log.stable_end(TOPIC, 0)), (vec![], 0), "a is open before them");
        log.end_transaction("a", a, false).unwrap();
        complete(&log, "a");
        assert_eq!(seen(&log), ["b1", "free"]);
        assert_eq!(log.some(TOPIC, 0, 0, 9).1, 5, "a reader comes past the markers");
    }

    #[test]
    fn who_takes_an_id_over_aborts_what_is_open_and_fences_whoever_had_it() {
        let log = MemoryLog::new();
        let old = log.take_over("a").unwrap();
        begun(&log, "a", old, &["lost"]);
        assert_eq!(log.take_over("a"), Err(Refused::Concurrent));
        assert_eq!(log.append_in("a", old, record("late")), Err(Refused::Fenced));
        complete(&log, "a");
        let new = log.take_over("a").unwrap();
        assert_eq!(log.end_transaction("a", old, true), Err(Refused::Fenced));
        begun(&log, "a", new, &["kept"]);
        log.end_transaction("a", new, true).unwrap();
        complete(&log, "a");
        assert_eq!(seen(&log), ["kept"]);
    }

    #[test]
    fn a_late_end_tears_the_next_transaction_of_its_producer() {
        let log = MemoryLog::new();
        let epoch = log.take_over("a").unwrap();
        begun(&log, "a", epoch, &["1"]);
        log.end_transaction("a", epoch, true).unwrap();
        complete(&log, "a");
        begun(&log, "a", epoch, &["2"]);
        log.end_transaction("a", epoch, true).unwrap();
        complete(&log, "a");
        assert_eq!(log.append_in("a", epoch, record("rest")), Err(Refused::InvalidState));
        assert_eq!(seen(&log), ["1", "2"]);
    }

    #[test]
    fn a_lost_marker_hides_all_behind_it_until_the_ids_next_transaction_is_decided() {
        let log = MemoryLog::new();
        let epoch = log.take_over("a").unwrap();
        begun(&log, "a", epoch, &["1"]);
        log.end_transaction("a", epoch, true).unwrap();
        log.write_marker("a", true);
        log.append(record("free"));
        assert_eq!(seen(&log), Vec::<String>::new());
        assert_eq!(log.uncommitted(TOPIC, 0, 0).len(), 2);
        begun(&log, "a", epoch, &["1 again"]);
        log.end_transaction("a", epoch, true).unwrap();
        complete(&log, "a");
        assert_eq!(seen(&log), ["1", "free", "1 again"]);
    }
}
