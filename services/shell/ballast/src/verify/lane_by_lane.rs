//! Which records the checks of one lane need. A lane reads and writes its own partitions, reads every frame, and may bury
//! what it read of those in dead letters that all lanes share; so that a history can be checked one lane after another,
//! as whole lanes, in the memory that one of them takes.

use super::facts::BROADCAST;
use super::seen::SeenRecord;
use domain::Topic;

/// Whether a partition may hold records that concern a lane, the first of which is 0.
pub fn may_concern(topic: &str, partition: i32, lane: i32, lanes: i32) -> bool {
    if is_for_all(topic) {
        true
    } else if is_common(topic) {
        // The conflator reads it; that frames tell of it is asked once.
        lane == 0
    } else {
        partition % lanes == lane
    }
}

/// Whether any lane may read or write a topic's records, whatever its partition.
pub fn is_for_all(topic: &str) -> bool {
    topic == Topic::Frames.name() || are_letters_of_common(topic)
}

/// Whether a record concerns a lane.
pub fn concerns(record: &SeenRecord<'_>, lane: i32, lanes: i32) -> bool {
    if are_letters_of_common(record.topic) {
        // What no lane has signed is nobody's, and is to be told once.
        return record.stamp().map_or(0, |stamp| stamp.lane) == lane;
    }
    may_concern(record.topic, record.partition, lane, lanes)
}

/// Whether a topic is not keyed by portfolio.
fn is_common(topic: &str) -> bool {
    topic == Topic::Frames.name() || BROADCAST.iter().any(|broadcast| topic == broadcast.name())
}

fn are_letters_of_common(topic: &str) -> bool {
    topic.strip_suffix(".dlq").is_some_and(is_common)
}
