//! I5: what a step says that it published stands in the log, and what stands there was announced.

use super::history::{History, OURS};
use super::lanes::Lanes;
use super::report::Check;
use super::seen::{Place, Stamp};
use std::collections::BTreeSet;

/// The rows of I5. Of each lane of a role so many outputs may be missing as are `forgiven`, by compaction.
pub(super) fn check(history: &History, lanes: &Lanes, forgiven: &dyn Fn(&str, i32) -> u64) -> Vec<Check> {
    vec![whole_steps(history, lanes, forgiven), announced(history, lanes), copies(history), readable(history)]
}

fn whole_steps(history: &History, lanes: &Lanes, forgiven: &dyn Fn(&str, i32) -> u64) -> Check {
    let mut check = Check::new("I5", "every DONE has its BEGIN, and each of its outputs is visible");
    for ((role, number), lane) in lanes.iter() {
        let mut spare = forgiven(role, *number);
        let gone = newest_gone(history, role, *number);
        for (step, done) in lane.done.iter().filter(|(step, _)| !lane.is_bygone(**step)) {
            check.that(lane.begun.contains(step), || format!("{role} lane {number}: DONE {step} has no BEGIN"));
            let at = |index| Stamp { role, lane: *number, step: *step, index };
            let visible: BTreeSet<i64> = history.stamps.range(at(0)..=at(i64::MAX)).map(|(stamp, _)| stamp.index).collect();
            let missing: Vec<i64> = (0..i64::from(done.outputs)).filter(|index| !visible.contains(index)).collect();
            let extra = visible.iter().find(|index| **index >= i64::from(done.outputs));
            let excused = *step <= gone || missing.len() as u64 <= spare;
            spare -= if excused && *step > gone { missing.len() as u64 } else { 0 };
            check.that(excused && extra.is_none(), || {
                let found = visible.len();
                format!(
                    "{role} lane {number} step {step}: DONE names {} outputs, {found} are visible; missing {missing:?}, beyond {extra:?}",
                    done.outputs
                )
            });
        }
    }
    check
}

/// The newest step of a lane of which retention may have deleted an output: no later one than the first that is
/// left in a topic that was cut.
fn newest_gone(history: &History, role: &str, lane: i32) -> i64 {
    let ours = |name: &str| OURS.iter().any(|topic| topic.name() == name) || name.ends_with(".dlq");
    let cut = history.cut().filter(|(name, _)| ours(name));
    cut.map(|(name, partition)| {
        let there = |place: &Place| place.partition == partition && name.strip_suffix(".dlq").unwrap_or(name) == place.topic.name();
        let written = history.stamps.iter().filter(|(stamp, _)| stamp.role == role && stamp.lane == lane);
        let left = written.filter(|(_, (place, _))| there(place) && place.dead == name.ends_with(".dlq"));
        left.map(|(stamp, _)| stamp.step).min().unwrap_or(i64::MAX)
    })
    .max()
    .unwrap_or(0)
}

fn announced(history: &History, lanes: &Lanes) -> Check {
    let mut check = Check::new("I5", "every visible output has its BEGIN");
    for (stamp, (place, _)) in &history.stamps {
        let begun = lanes.get(stamp.role, stamp.lane).is_some_and(|lane| lane.begun.contains(&stamp.step));
        check.that(begun || lanes.is_bygone(Some(*stamp)), || format!("{place}: {stamp} is visible, BEGIN {} is not", stamp.step));
    }
    check
}

fn copies(history: &History) -> Check {
    let mut check = Check::new("I5", "an output that stands twice has identical bytes");
    for copy in &history.copies {
        check.that(copy.same, || format!("{} and {}: {} with other bytes", copy.first, copy.second, copy.stamp));
    }
    check
}

fn readable(history: &History) -> Check {
    let mut check = Check::new("I5", "our topics hold our records only, and each can be read");
    check.checked = history.stamps.len() as u64;
    for (place, why) in &history.strange {
        check.that(false, || format!("{place}: {why}"));
    }
    check
}
