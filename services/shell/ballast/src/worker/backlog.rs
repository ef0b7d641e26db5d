//! How far a lane's reading stands behind its logs: partition by partition, because a fresh record of one
//! says nothing of another. It judges nothing: what is too far is the pacing's.

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
    /// Where it ended when that was looked up.
    end: Option<i64>,
    /// How many offsets are not read yet, where somebody counts them.
    left: Option<i64>,
}

impl Backlog {
    /// Begins anew with these partitions, of which nothing is known.
    pub fn assign(&mut self, places: impl Iterator<Item = (Topic, i32)>) {
        self.places = places.map(|place| (place, Place { standing: Standing::Unread, ended: false, end: None, left: None })).collect();
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
            *place = Place { standing: Standing::AtEnd, ended: true, left: Some(0), ..*place };
        }
    }
    /// So many offsets of a partition are not read yet.
    pub fn left(&mut self, topic: Topic, partition: i32, offsets: i64) {
        if let Some(place) = self.places.get_mut(&(topic, partition)) {
            place.left = Some(if place.standing == Standing::AtEnd { 0 } else { offsets.max(0) });
        }
    }
    /// How many offsets of each topic are not read yet, of those that somebody counts.
    pub fn left_by_topic(&self) -> BTreeMap<Topic, i64> {
        let mut sums = BTreeMap::new();
        for ((topic, _), place) in &self.places {
            if let Some(left) = place.left {
                *sums.entry(*topic).or_insert(0) += left;
            }
        }
        sums
    }
    /// A partition whose end is neither seen nor looked up.
    pub fn unknown_end(&self) -> Option<(Topic, i32)> {
        self.places.iter().find(|(_, place)| !place.ended && place.end.is_none()).map(|(at, _)| *at)
    }
    /// A partition ended there when it was looked up. Reading to that place is seeing its end, however much is
    /// appended meanwhile: a log that never rests shows no other one.
    pub fn ends_at(&mut self, topic: Topic, partition: i32, end: i64) {
        if let Some(place) = self.places.get_mut(&(topic, partition)) {
            place.end = Some(end);
        }
    }
    /// Everything of a partition below an offset was read.
    pub fn read_to(&mut self, topic: Topic, partition: i32, offset: i64) {
        if let Some(place) = self.places.get_mut(&(topic, partition)) {
            place.ended |= place.end.is_some_and(|end| offset >= end);
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

    #[test]
    fn what_is_left_is_counted_where_somebody_counts_and_nothing_is_left_at_an_end() {
        let mut backlog = Backlog::default();
        backlog.assign([(Topic::Fills, 0), (Topic::Frames, 0), (Topic::Cash, 0)].into_iter());
        assert!(backlog.left_by_topic().is_empty());
        backlog.left(Topic::Fills, 0, 40);
        backlog.left(Topic::Frames, 0, -1);
        assert_eq!(backlog.left_by_topic(), BTreeMap::from([(Topic::Fills, 40), (Topic::Frames, 0)]));
        backlog.end(Topic::Fills, 0);
        backlog.left(Topic::Fills, 0, 2);
        assert_eq!(backlog.left_by_topic()[&Topic::Fills], 0, "markers of transactions may stand behind an end");
    }

    #[test]
    fn a_log_that_never_rests_has_ended_where_it_ended_when_it_was_looked_up() {
        let mut backlog = Backlog::default();
        backlog.assign([(Topic::Frames, 0), (Topic::Policies, 3)].into_iter());
        assert_eq!(backlog.unknown_end(), Some((Topic::Policies, 3)));
        backlog.end(Topic::Policies, 3);
        assert_eq!(backlog.unknown_end(), Some((Topic::Frames, 0)), "an end that was seen is not looked up");
        backlog.ends_at(Topic::Frames, 0, 7);
        assert_eq!(backlog.unknown_end(), None);
        backlog.read(Topic::Frames, 0, at(5));
        backlog.read_to(Topic::Frames, 0, 6);
        assert!(!backlog.all_ended());
        backlog.read_to(Topic::Frames, 0, 9);
        assert_eq!((backlog.all_ended(), backlog.standing()), (true, Standing::ReadTo(at(5))), "it goes on meanwhile");
    }
}
