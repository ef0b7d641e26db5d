//! Dead letters that stand twice: a step that was published in part and then whole. Other rows carry a
//! version or an id that a repeat has too; a dead letter's row is named by its own offset.
//!
//! Lives as long as one life of the projector, which begins at a stored offset: what is read again
//! after a step back is not taken for a repeat. A pair that a restart parts stands in SQL twice.

use engine::RecordRef;
use engine::repeats::{INDEX, STEP};
use std::collections::BTreeMap;

/// Header of a dead letter with its writer: role and lane.
const WRITER: &str = "dlq_source";

/// The newest (step, index) seen of each writer in each partition.
#[derive(Debug, Default)]
pub(super) struct Repeats(BTreeMap<(usize, Vec<u8>), (i64, i64)>);

impl Repeats {
    /// Whether the dead letter at a place was seen before. Without the headers it never was.
    pub(super) fn is_repeat(&mut self, place: usize, record: &dyn RecordRef) -> bool {
        let number = |name| std::str::from_utf8(record.header(name)?).ok()?.parse::<i64>().ok();
        let (Some(writer), Some(step), Some(index)) = (record.header(WRITER), number(STEP), number(INDEX)) else { return false };
        let newest = self.0.entry((place, writer.to_vec())).or_insert((i64::MIN, i64::MIN));
        let repeat = (step, index) <= *newest;
        *newest = (*newest).max((step, index));
        repeat
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored::StoredRecord;
    use domain::Timestamp;
    use domain::command::Header;

    fn letter(writer: &str, step: i64, index: i64) -> StoredRecord {
        let header = |name: &str, value: String| Header { name: name.into(), value: value.into_bytes() };
        let headers = vec![header(WRITER, writer.to_owned()), header(STEP, step.to_string()), header(INDEX, index.to_string())];
        StoredRecord { offset: 0, appended: Timestamp::default(), key: None, value: None, headers }
    }

    #[test]
    fn a_second_copy_of_a_step_is_a_repeat() {
        let mut repeats = Repeats::default();
        let mut seen = |place, writer: &str, step, index| repeats.is_repeat(place, &letter(writer, step, index));
        assert!(!seen(0, "/a", 8, 0));
        assert!(seen(0, "/a", 8, 0));
        assert!(!seen(0, "/a", 8, 1));
        assert!(!seen(1, "/a", 8, 0), "another partition counts apart");
        assert!(!seen(0, "/b", 8, 0), "another writer counts apart");
    }
}
