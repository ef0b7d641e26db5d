//! I7: the engine replays a lane's steps and holds each against its DONE: from the lane's genesis where the log
//! still holds all that it read, else from a checkpoint. What neither reaches is said, and is no violation.

use crate::worker::ports::{Checkpoints, LoadError, Past, PortError};
use crate::worker::recovery::{LaneHalt, Target, partition_of, replay, restore, teach};
use domain::progress::{Begin, Done, Progress};
use domain::{SmolStr, Topic};
use engine::recovery::{Halt, compare};
use engine::{Codec, Lane, RULES_VERSION, Role};
use std::collections::BTreeSet;

/// What came of a lane.
#[derive(Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Steps that were replayed, each to its digest.
    pub steps: u64,
    /// Which steps were not, and why.
    pub left: Option<String>,
}

/// The closed steps of a lane's newest life.
#[derive(Default)]
struct Steps {
    closed: Vec<(Begin, Done)>,
    /// Whether the life's first step is among them.
    whole: bool,
}

/// Replays what can be replayed of a lane.
pub fn replayed<R: Role + Default>(
    target: Target,
    codec: &mut dyn Codec,
    past: &mut dyn Past,
    checkpoints: Option<&mut dyn Checkpoints>,
) -> Result<Replayed, LaneHalt> {
    let (first, _) = past.bounds(R::PROGRESS, target.lane)?;
    let steps = Steps::read(past.progress(first)?, first == 0);
    let Some((begin, _)) = steps.closed.last() else { return Ok(Replayed { steps: 0, left: None }) };
    if begin.lanes != target.lanes {
        return Err(Halt::LaneCount { recorded: begin.lanes, found: target.lanes }.into());
    }
    let bar = bar(&steps, past)?;
    let start = match (&bar, checkpoints) {
        (None, _) => Some(genesis::<R>(target, &steps)),
        (Some(bar), Some(checkpoints)) => from_checkpoint(target, bar.step, checkpoints)?,
        (Some(_), None) => None,
    };
    let Some(mut lane) = start else {
        let why = bar.map(|bar| bar.why).unwrap_or_default();
        return Ok(Replayed {
            steps: 0,
            left: Some(format!("its steps are not recomputable ({why}), and no checkpoint reaches the rest")),
        });
    };
    teach(codec, &lane)?;
    let base = lane.step();
    let rest = steps.closed.iter().filter(|(begin, _)| begin.step > base);
    let mut count = 0;
    for (begin, done) in rest {
        let step = replay(&mut lane, begin, codec, past)?;
        compare(done, &step.done)?;
        count += 1;
    }
    let left = bar.map(|bar| format!("steps up to {base} are not recomputable ({}); replayed from the checkpoint of step {base}", bar.why));
    Ok(Replayed { steps: count, left })
}

impl Steps {
    fn read(progress: Vec<Progress>, whole: bool) -> Self {
        let mut steps = Self { whole, ..Self::default() };
        let (mut open, mut last, mut settings): (Option<Begin>, Option<i64>, BTreeSet<SmolStr>) = (None, None, BTreeSet::new());
        for record in progress {
            match record {
                Progress::Begin(begin) => {
                    // A life that begins anew goes on above the last number and records every setting again.
                    let recorded = |name: &SmolStr| begin.settings.iter().any(|setting| setting.name == *name);
                    let above = last.is_some_and(|last| begin.step > last + 1) && !begin.settings.is_empty();
                    if above && settings.iter().all(recorded) {
                        steps = Self { closed: Vec::new(), whole: true };
                    }
                    settings.extend(begin.settings.iter().map(|setting| setting.name.clone()));
                    last = Some(begin.step);
                    open = Some(begin);
                }
                Progress::Done(done) => {
                    last = last.max(Some(done.step));
                    // A step of a transaction that hung stands twice, unchanged: that it is unchanged is I4's.
                    let again = steps.closed.last().is_some_and(|(begin, _)| begin.step == done.step);
                    let closed = open.take().filter(|begin| begin.step == done.step && !again);
                    steps.closed.extend(closed.map(|begin| (begin, done)));
                }
            }
        }
        steps
    }
}

/// The newest step behind which a replay may start only.
struct Bar {
    step: i64,
    why: String,
}

fn bar(steps: &Steps, past: &mut dyn Past) -> Result<Option<Bar>, PortError> {
    let mut bar = None;
    if let Some((begin, _)) = steps.closed.first().filter(|_| !steps.whole) {
        bar = Some(Bar { step: begin.step - 1, why: format!("progress is kept from step {} on", begin.step) });
    }
    for (begin, _) in &steps.closed {
        if begin.rules_version != RULES_VERSION {
            let why = format!("rules version {} made step {}, this build has {RULES_VERSION}", begin.rules_version, begin.step);
            bar = Some(Bar { step: begin.step, why });
        } else if let Some((topic, start)) = gone(begin, past)? {
            bar = Some(Bar { step: begin.step, why: format!("{topic} is kept from offset {start} on") });
        }
    }
    Ok(bar)
}

/// An input of a step that is not there any more.
fn gone(begin: &Begin, past: &mut dyn Past) -> Result<Option<(Topic, i64)>, PortError> {
    for range in begin.windows.iter().flat_map(|window| &window.ranges).filter(|range| range.from < range.to) {
        let (start, _) = past.bounds(range.topic, range.partition)?;
        if range.from < start {
            return Ok(Some((range.topic, start)));
        }
    }
    Ok(None)
}

/// A lane before its life's first step, at the first offsets that the life has read.
fn genesis<R: Role + Default>(target: Target, steps: &Steps) -> Lane<R> {
    let mut lane = Lane::new(R::default(), target.lane, target.lanes);
    lane.begin_after(steps.closed.first().map_or(0, |(begin, _)| begin.step - 1));
    let ranges = || steps.closed.iter().flat_map(|(begin, _)| &begin.windows).flat_map(|window| &window.ranges);
    for topic in R::INPUTS {
        let partition = partition_of(*topic, target.lane);
        let first = ranges().find(|range| range.topic == *topic && range.partition == partition);
        if let Some(range) = first.filter(|range| range.from > 0) {
            lane.begin_at(*topic, partition, range.from);
        }
    }
    lane
}

/// The oldest checkpoint that stands behind the bar: it leaves most steps to be replayed.
fn from_checkpoint<R: Role + Default>(target: Target, bar: i64, checkpoints: &mut dyn Checkpoints) -> Result<Option<Lane<R>>, LaneHalt> {
    for generation in [1, 0] {
        let image = match checkpoints.load(generation) {
            Ok(Some(image)) if image.step >= bar => image,
            Ok(_) => continue,
            Err(LoadError::Store(error)) => return Err(error.into()),
            Err(LoadError::Corrupt(error)) => {
                tracing::warn!(lane = target.lane, error, "a checkpoint cannot be read");
                continue;
            }
        };
        match restore(target, R::default(), &image) {
            Ok(lane) => return Ok(Some(lane)),
            Err(error) => tracing::warn!(lane = target.lane, %error, "a checkpoint cannot be put back"),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::avro::AvroCodec;
    use crate::journeys::traded;
    use crate::memory::cluster::{Cluster, ClusterSettings};
    use crate::memory::{MemoryCheckpoints, MemoryPast};
    use crate::worker::ports::CheckpointImage;
    use engine::{Image, RecordRef};
    use position_keeper::PositionKeeper;
    use std::path::Path;

    /// A past of which retention has deleted the beginnings.
    struct Cut {
        past: MemoryPast,
        starts: Vec<(Topic, i64)>,
    }

    impl Past for Cut {
        fn bounds(&mut self, topic: Topic, partition: i32) -> Result<(i64, i64), PortError> {
            let (_, end) = self.past.bounds(topic, partition)?;
            Ok((self.starts.iter().find(|(cut, _)| *cut == topic).map_or(0, |(_, start)| *start), end))
        }
        fn range(
            &mut self,
            topic: Topic,
            partition: i32,
            from: i64,
            to: i64,
            take: &mut dyn FnMut(&dyn RecordRef),
        ) -> Result<(), PortError> {
            let (start, _) = self.bounds(topic, partition)?;
            self.past.range(topic, partition, from.max(start), to, take)
        }
        fn frames_start(&mut self) -> Result<i64, PortError> {
            self.past.frames_start()
        }
        fn progress(&mut self, from: i64) -> Result<Vec<Progress>, PortError> {
            self.past.progress(from)
        }
    }

    const LANES: i32 = 1;

    fn target() -> Target {
        Target { lane: 0, lanes: LANES, genesis: false }
    }

    fn cluster() -> Cluster {
        let mut cluster = Cluster::new(ClusterSettings { lanes: LANES, ..ClusterSettings::default() });
        let days = traded::days(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/data")).unwrap();
        for day in days.iter().take(20) {
            for dated in &day.inputs {
                cluster.publish(&dated.input, dated.time).unwrap();
            }
            cluster.run_until_quiet().unwrap();
        }
        cluster
    }

    fn check(cluster: &Cluster, starts: &[(Topic, i64)], checkpoints: Option<&mut dyn Checkpoints>) -> Replayed {
        let past = MemoryPast::new::<PositionKeeper>(cluster.log().clone(), 0);
        let mut past = Cut { past, starts: starts.to_vec() };
        replayed::<PositionKeeper>(target(), &mut AvroCodec::default(), &mut past, checkpoints).unwrap()
    }

    /// A checkpoint of that step, from a replay up to it.
    fn checkpoint(cluster: &Cluster, step: i64) -> MemoryCheckpoints {
        let mut past = MemoryPast::new::<PositionKeeper>(cluster.log().clone(), 0);
        let steps = Steps::read(past.progress(0).unwrap(), true);
        let mut lane = genesis::<PositionKeeper>(target(), &steps);
        for (begin, _) in steps.closed.iter().filter(|(begin, _)| begin.step <= step) {
            replay(&mut lane, begin, &mut AvroCodec::default(), &mut past).unwrap();
        }
        let shared = lane.shared_image();
        let keys = lane.image().entity_keys();
        let changed = keys.into_iter().map(|key| (key.clone(), lane.image().entity(&key))).collect();
        let mut kept = MemoryCheckpoints::default();
        kept.save(CheckpointImage { step, parent: None, progress_from: 0, shared, changed, full_bucket: None });
        kept
    }

    #[test]
    fn a_whole_past_is_replayed_from_its_genesis() {
        let cluster = cluster();
        let all = check(&cluster, &[], None);
        assert!(all.steps > 20 && all.left.is_none(), "{all:?}");
    }

    #[test]
    fn a_step_that_was_sent_again_is_replayed_once() {
        let mut past = MemoryPast::new::<PositionKeeper>(cluster().log().clone(), 0);
        let mut progress = past.progress(0).unwrap();
        let all = Steps::read(progress.clone(), true).closed;
        let again = progress[2..4].to_vec();
        progress.splice(4..4, again);
        assert_eq!(Steps::read(progress, true).closed, all);
    }

    #[test]
    fn a_past_whose_beginning_is_gone_is_replayed_from_the_checkpoint_or_left_out() {
        let cluster = cluster();
        let all = check(&cluster, &[], None).steps;
        for starts in [[(Topic::Frames, 3)], [(Topic::PositionKeeperProgress, 6)]] {
            let none = check(&cluster, &starts, None);
            assert_eq!(none.steps, 0);
            assert!(none.left.is_some_and(|text| text.contains("not recomputable") && text.contains("kept from")));
            let behind = check(&cluster, &starts, Some(&mut checkpoint(&cluster, 10)));
            assert_eq!(behind.steps, all - 10);
            assert!(behind.left.is_some_and(|text| text.contains("steps up to 10")));
        }
        // A checkpoint from before what is gone does not help.
        let early = check(&cluster, &[(Topic::PositionKeeperProgress, 30)], Some(&mut checkpoint(&cluster, 2)));
        assert_eq!(early.steps, 0);
    }
}
