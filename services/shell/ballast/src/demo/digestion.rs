//! Whether a day is digested, seen from outside: by what BEGIN and DONE say was read, and by whether all
//! that those steps published has been seen too. It waits for nothing by the clock.
//!
//! A step counts once its BEGIN, its DONE and as many of its outputs as DONE names have been seen, in
//! whatever order the partitions bring them. What is digested is then closed under cause and effect.

use crate::journeys::Observed;
use crate::stored::StoredRecord;
use avro_codec::{SchemaStore, decode_frame, decode_progress};
use domain::progress::{Progress, Range};
use domain::{SmolStr, Topic};
use engine::repeats::{INDEX, SOURCE, STEP};
use engine::{RecordRef, Role};
use paper_router::PaperRouter;
use position_keeper::PositionKeeper;
use rebalancer::Rebalancer;
use std::collections::{BTreeMap, BTreeSet};

/// The source that the demo's own records name.
pub(super) const OWN: &str = "/ballast/demo";

#[derive(Default)]
struct SeenStep {
    begin: Option<Vec<Range>>,
    done: Option<usize>,
    outputs: BTreeSet<i64>,
}

/// What was sent, what was seen, and what every lane has read.
#[derive(Default)]
pub(super) struct Digestion {
    schemas: SchemaStore,
    sent: BTreeMap<&'static str, u64>,
    seen: BTreeMap<&'static str, u64>,
    ends: BTreeMap<(Topic, i32), i64>,
    framed: BTreeMap<(Topic, i32), i64>,
    steps: BTreeMap<(SmolStr, i64), SeenStep>,
    /// Steps seen whole, by role's lane; partitions are read at their own pace, so that a later one may be first.
    finished: BTreeMap<SmolStr, BTreeSet<i64>>,
    read: BTreeMap<(SmolStr, Topic, i32), i64>,
}

impl Digestion {
    /// A record of a topic was sent.
    pub(super) fn sent(&mut self, topic: &'static str) {
        *self.sent.entry(topic).or_default() += 1;
    }

    /// A record was seen.
    pub(super) fn take(&mut self, name: &str, partition: i32, record: &StoredRecord) -> anyhow::Result<()> {
        let text = |header| record.header(header).map(String::from_utf8_lossy);
        let source = text(SOURCE).or_else(|| text("dlq_source")).map(SmolStr::new).unwrap_or_default();
        let topic = Topic::from_name(name);
        if let Some(topic) = topic {
            self.ends.insert((topic, partition), record.offset + 1);
            if source == OWN {
                *self.seen.entry(topic.name()).or_default() += 1;
                return Ok(());
            }
        }
        let value = record.value.as_deref().unwrap_or_default();
        if topic == Some(Topic::Frames) {
            for part in decode_frame(&self.schemas, value)?.sources {
                let framed = self.framed.entry((part.topic, part.partition)).or_default();
                *framed = part.to.max(*framed);
            }
        } else if name.contains(".progress.") {
            match decode_progress(&self.schemas, value)? {
                Progress::Begin(begin) => {
                    let step = begin.step;
                    self.step(&source, step, |seen| {
                        seen.begin = Some(begin.windows.into_iter().flat_map(|window| window.ranges).collect())
                    });
                }
                Progress::Done(done) => self.step(&source, done.step, |seen| seen.done = usize::try_from(done.outputs).ok()),
            }
        } else if let (Some(Ok(step)), Some(Ok(index))) = (text(STEP).map(|t| t.parse()), text(INDEX).map(|t| t.parse())) {
            self.step(&source, step, |seen| {
                seen.outputs.insert(index);
            });
        }
        Ok(())
    }

    fn step(&mut self, source: &SmolStr, step: i64, learn: impl FnOnce(&mut SeenStep)) {
        if self.finished.get(source).is_some_and(|finished| finished.contains(&step)) {
            return;
        }
        let key = (source.clone(), step);
        let seen = self.steps.entry(key.clone()).or_default();
        learn(seen);
        if seen.begin.is_none() || seen.done != Some(seen.outputs.len()) {
            return;
        }
        let Some(SeenStep { begin: Some(ranges), .. }) = self.steps.remove(&key) else { return };
        for range in ranges {
            let read = self.read.entry((source.clone(), range.topic, range.partition)).or_default();
            *read = range.to.max(*read);
        }
        self.finished.entry(source.clone()).or_default().insert(step);
    }

    /// Behind the last record of a partition that was seen.
    pub(super) fn end_of(&self, topic: &str, partition: i32) -> i64 {
        Topic::from_name(topic).and_then(|topic| self.ends.get(&(topic, partition))).copied().unwrap_or(0)
    }

    /// The newest step of a role's lane that was seen whole.
    pub(super) fn newest_step(&self, source: &str) -> i64 {
        self.finished.get(source).and_then(|finished| finished.last().copied()).unwrap_or(0)
    }

    /// Records that a role's lane has not read yet.
    fn unread<R: Role>(&self, lane: i32, topics: impl Fn(Topic) -> bool) -> i64 {
        let source = source_of::<R>(lane);
        let of = |topic: Topic| {
            let partition = crate::worker::partition_of(topic, lane);
            let end = self.ends.get(&(topic, partition)).copied().unwrap_or(0);
            (end - self.read.get(&(source.clone(), topic, partition)).copied().unwrap_or(0)).max(0)
        };
        R::INPUTS.iter().copied().filter(|topic| topics(*topic)).map(of).sum()
    }

    /// Records that the lane of a portfolio has not read yet, over the roles that answer each other. Whoever measures
    /// may be behind them.
    pub(super) fn lag(&self, lane: i32, open_orders: usize) -> i64 {
        // A lane that has nothing to say of what it reads commits that up to a second later: a router of frames without
        // open orders, a position-keeper of the risk of portfolios without a target for it.
        let trading = |topic| topic != Topic::Frames || open_orders > 0;
        let moving = |topic| topic != Topic::Risk;
        self.unread::<PositionKeeper>(lane, moving) + self.unread::<Rebalancer>(lane, |_| true) + self.unread::<PaperRouter>(lane, trading)
    }

    /// Whether all that was sent has been seen, is in the frames where it belongs there, and was read and
    /// answered by every role of these portfolios' lanes. (A lane that a day says nothing about reads its
    /// frames too, and commits that a second later.)
    pub(super) fn is_digested(&self, portfolios: &[(&str, i32)], observed: &Observed) -> bool {
        let arrived = self.sent.iter().all(|(topic, sent)| self.seen.get(topic) == Some(sent));
        let market = |topic: Topic| conflator::SOURCES.contains(&topic);
        let framed = self.ends.iter().filter(|((topic, _), _)| market(*topic)).all(|(place, end)| self.framed.get(place) >= Some(end));
        arrived && framed && portfolios.iter().all(|(name, lane)| self.lag(*lane, observed.open_orders(name)) == 0)
    }
}

/// How the outputs of a role's lane name their source.
pub(super) fn source_of<R: Role>(lane: i32) -> SmolStr {
    SmolStr::new(format!("/ballast/{}/{lane}", R::NAME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journeys::traded;
    use crate::memory::cluster::{Cluster, ClusterSettings};
    use crate::messages::input_message;
    use std::path::Path;

    #[test]
    fn a_day_is_digested_only_when_its_last_output_was_seen() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/data");
        let day = traded::days(&data).unwrap().remove(0);
        let (mut cluster, mut digestion, mut observed) = (Cluster::new(ClusterSettings::default()), Digestion::default(), Observed::new());
        let portfolios = [(traded::PORTFOLIO, cluster.lane_of(traded::PORTFOLIO))];
        for dated in &day.inputs {
            let message = input_message(&dated.input, dated.time, OWN, "1", 4).unwrap();
            digestion.sent(message.topic);
            cluster.log().append(message);
        }
        assert!(!digestion.is_digested(&portfolios, &observed));
        cluster.run_until_quiet().unwrap();
        let news = cluster.news();
        for (count, (topic, partition, record)) in news.iter().enumerate().rev() {
            assert!(!digestion.is_digested(&portfolios, &observed), "digested with {count} records unseen");
            digestion.take(topic, *partition, record).unwrap();
            observed.take(topic, *partition, record);
        }
        assert!(digestion.is_digested(&portfolios, &observed));
    }
}
