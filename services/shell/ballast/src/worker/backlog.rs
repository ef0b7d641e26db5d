//! How far a lane's reading stands behind its logs: partition by partition, because a fresh record of one
//! says nothing of another. It counts no records, and judges nothing: what is too far is the pacing's.

use domain::{Timestamp, Topic};
use std::collections::BTreeMap;

/// How far a partition, or the worst of several, has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nothing was read yet, and its end was not seen: it may hold anything.
    Unread,
    /// Not to its end; the newest record read was appended then, by the broker's clock.
    ReadTo(Timestamp),
    /// To its end, as far as is known.
    AtEnd,
}

/// The partitions of one assignment.
#[derive(Debug, Clone, Default)]
pub struct Backlog {
    places: BTreeMap<(Topic, i32), Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    standing: Standing,
    /// Whether its end was seen since it was assigned.
    ended: bool,
}

impl Backlog {
    /// Begins anew with these partitions, of which nothing is known.
    pub fn assign(&mut self, places: impl Iterator<Item = (Topic, i32)>) {
        self.places = places.map(|place| (place, Place { standing: Standing::Unread, ended: false })).collect();
    }
    /// Records of a partition were read, the newest appended then.
    pub fn read(&mut self, topic: Topic, partition: i32, newest: Timestamp) {
        if let Some(place) = self.places.get_mut(&(topic, partition)) {
            place.standing = Standing::ReadTo(newest);
        }
    }
    /// A partition was read to its end.
    pub fn end(&mut self, topic: Topic, partition: i32) {
        if let Some(place) = self.places.get_mut(&(topic, partition)) {
            *place = Place { standing: Standing::AtEnd, ended: true };
        }
    }
    /// Whether the end of every partition was seen since the assignment.
    pub fn all_ended(&self) -> bool {
        self.places.values().all(|place| place.ended)
    }
    /// The worst standing of all partitions.
    pub fn standing(&self) -> Standing {
        self.places.values().map(|place| place.standing).min().unwrap_or(Standing::AtEnd)
    }
    /// The worst standing of each topic.
    pub fn by_topic(&self) -> BTreeMap<Topic, Standing> {
        let mut worst = BTreeMap::new();
        for ((topic, _), place) in &self.places {
            let held = worst.entry(*topic).or_insert(Standing::AtEnd);
            *held = place.standing.min(*held);
        }
        worst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn the_worst_partition_counts_and_fresh_frames_hide_no_old_fills() {
        let mut backlog = Backlog::default();
        assert_eq!(backlog.standing(), Standing::AtEnd);
        backlog.assign([(Topic::Frames, 0), (Topic::Fills, 3)].into_iter());
        assert_eq!((backlog.standing(), backlog.all_ended()), (Standing::Unread, false));
        backlog.read(Topic::Frames, 0, at(1000));
        assert_eq!(backlog.standing(), Standing::Unread);
        backlog.read(Topic::Fills, 3, at(5));
        assert_eq!(backlog.standing(), Standing::ReadTo(at(5)));
        backlog.end(Topic::Fills, 3);
        assert_eq!((backlog.standing(), backlog.all_ended()), (Standing::ReadTo(at(1000)), false));
        backlog.end(Topic::Frames, 0);
        assert_eq!((backlog.standing(), backlog.all_ended()), (Standing::AtEnd, true));
        backlog.read(Topic::Fills, 3, at(1001));
        assert_eq!((backlog.standing(), backlog.all_ended()), (Standing::ReadTo(at(1001)), true), "an end seen stays seen");
        assert_eq!(backlog.by_topic(), BTreeMap::from([(Topic::Frames, Standing::AtEnd), (Topic::Fills, Standing::ReadTo(at(1001)))]));
        backlog.assign([(Topic::Fills, 3)].into_iter());
        assert_eq!(backlog.standing(), Standing::Unread);
    }
}
