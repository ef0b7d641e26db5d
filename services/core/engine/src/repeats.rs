//! Our own outputs seen again: a step that was published in part and then whole stands twice in a
//! topic. The headers step and index, rising per source, tell the second copy from the first, in the topics in which
//! nobody else writes. Others may hand our headers on, with records of their own: those are known by the ids that they bear.

use crate::role::RecordRef;
use domain::{SmolStr, Topic};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Header with the writer: role and lane.
pub const SOURCE: &str = "ce_source";
/// What every source of ours begins with.
pub const OURS: &str = "/ballast/";
/// Header with the step's number, in decimal digits.
pub const STEP: &str = "step";
/// Header with the output's place in its step, in decimal digits.
pub const INDEX: &str = "index";

/// The newest (step, index) seen of each source in each partition.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Repeats {
    seen: BTreeMap<(Topic, i32), BTreeMap<SmolStr, (i64, i64)>>,
}

impl Repeats {
    /// Whether the record is one of ours that was seen before. Records without the headers never are, nor is one of a
    /// topic that others write.
    pub fn is_repeat(&mut self, topic: Topic, partition: i32, record: &dyn RecordRef) -> bool {
        if topic.is_from_outside() {
            return false;
        }
        let Some(at) = place(record) else { return false };
        let source = record.header(SOURCE).and_then(|bytes| std::str::from_utf8(bytes).ok());
        // Others may have headers of these names too; what they mean by them is theirs.
        let Some(source) = source.filter(|source| source.starts_with(OURS)) else { return false };
        let sources = self.seen.entry((topic, partition)).or_default();
        match sources.get_mut(source) {
            Some(newest) if at <= *newest => true,
            Some(newest) => {
                *newest = at;
                false
            }
            None => {
                sources.insert(SmolStr::new(source), at);
                false
            }
        }
    }
}

fn place(record: &dyn RecordRef) -> Option<(i64, i64)> {
    let number = |name| std::str::from_utf8(record.header(name)?).ok()?.parse().ok();
    Some((number(STEP)?, number(INDEX)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::RawRecord;
    use domain::Timestamp;
    use domain::command::Header;

    fn record(source: &str, step: i64, index: i64) -> RawRecord {
        let header = |name: &str, value: String| Header { name: name.into(), value: value.into_bytes() };
        RawRecord {
            topic: Topic::Drift,
            partition: 0,
            offset: 0,
            timestamp: Timestamp::default(),
            key: None,
            headers: vec![header(SOURCE, source.to_owned()), header(STEP, step.to_string()), header(INDEX, index.to_string())],
            value: None,
        }
    }

    #[test]
    fn a_step_published_in_part_and_then_whole_counts_once() {
        let mut repeats = Repeats::default();
        let mut seen = |source: &str, step, index| repeats.is_repeat(Topic::Drift, 0, &record(source, step, index));
        let copies = [(7, 0, false), (8, 0, false), (8, 1, false), (8, 0, true), (8, 1, true), (8, 2, false), (9, 0, false)];
        for (step, index, repeat) in copies {
            assert_eq!(seen("/ballast/a/0", step, index), repeat, "{step}.{index}");
        }
        assert!(!seen("/ballast/b/0", 8, 0), "another source counts apart");
        for _ in 0..2 {
            assert!(!seen("/oms", 8, 0), "what others mean by these headers is theirs");
        }
        assert_eq!(repeats.seen[&(Topic::Drift, 0)].len(), 2, "nothing is kept of others");
        for _ in 0..2 {
            assert!(
                !repeats.is_repeat(Topic::Fills, 0, &record("/ballast/a/0", 1, 0)),
                "whoever hands headers on sends records of his own"
            );
        }
    }
}
