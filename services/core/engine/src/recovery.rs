//! How a lane comes back: from the checkpoint and the progress topic to the steps that must be
//! replayed, the one that must be executed, or the reason to halt. Facts in, a decision out.

use crate::settings::Settings;
use domain::Topic;
use domain::progress::{Begin, Done, Progress};
use std::collections::BTreeMap;

/// What is known before a lane runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Step of the checkpoint that was loaded.
    pub checkpoint: Option<i64>,
    /// Lanes that the checkpoint was made for.
    pub checkpoint_lanes: Option<i32>,
    /// Lanes that the topics have.
    pub lanes: i32,
    /// Every progress record after the checkpoint's step (earlier ones may stand among them).
    pub progress: Vec<Progress>,
    /// Every progress record that no transaction has decided, although the lane was taken over: brokers in
    /// trouble can lose the end of a transaction that they confirmed.
    pub undecided: Vec<Progress>,
    /// Whether the progress topic is still whole from offset 0.
    pub progress_whole: bool,
    /// First offset that each input still holds. Not looked at with a checkpoint.
    pub inputs: Inputs,
    /// What the role has written already, though nothing tells of its steps. Looked at where there is neither a
    /// checkpoint nor progress.
    pub written: Option<Written>,
    /// The operator allows to fold the inputs anew.
    pub genesis: bool,
}

/// An output of a life of which nothing else is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Topic and partition in which it stands.
    pub place: String,
    /// The highest step of which outputs were found.
    pub step: i64,
}

/// An offset of each input, by topic and partition.
pub type Inputs = BTreeMap<(Topic, i32), i64>;

/// The way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Steps to replay with outputs off, each with the digest to reach.
    pub replay: Vec<(Begin, Done)>,
    /// A step that is visible in part: execute it exactly so, and publish it.
    pub dangling: Option<Begin>,
    /// The last step of an earlier life that cannot be replayed: the lane began anew after it, or does so now.
    /// 0 otherwise.
    pub begin_after: i64,
}

impl Recovery {
    /// Where the recorded windows begin to read each input that they name.
    pub fn starts(&self) -> Inputs {
        starts(self.replay.iter().map(|(begin, _)| begin).chain(&self.dangling))
    }
}

fn starts<'a>(begins: impl Iterator<Item = &'a Begin>) -> Inputs {
    let mut starts = Inputs::new();
    for range in begins.flat_map(|begin| &begin.windows).flat_map(|window| &window.ranges) {
        starts.entry((range.topic, range.partition)).or_insert(range.from);
    }
    starts
}

/// Why a lane must not run. The text is for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// There is no checkpoint and an input does not start at 0.
    #[error(
        "GENESIS: there is no checkpoint, and {input} no longer holds its first records: restore the checkpoint, or start with --genesis to fold anew what is there"
    )]
    Genesis {
        /// The input.
        input: String,
    },
    /// There is neither a checkpoint nor progress, and outputs stand.
    #[error(
        "LOST_PROGRESS: there is no checkpoint and progress is empty, but {place} holds what this role has written: restore one of both, or empty the role's output topics, or start with --genesis to publish everything once more after step {step}"
    )]
    Written {
        /// Where.
        place: String,
        /// The highest step found.
        step: i64,
    },
    /// Progress ends before the checkpoint, or has a hole after it.
    #[error(
        "LOST_PROGRESS: the checkpoint stands at step {checkpoint}, progress goes on at step {found}: the progress topic was cut or recreated; restore it, or delete the checkpoint and start with --genesis"
    )]
    LostProgress {
        /// Step of the checkpoint, 0 without one.
        checkpoint: i64,
        /// First step found after it; 0 for none.
        found: i64,
    },
    /// Another number of lanes.
    #[error("LANE_COUNT: the state was made for {recorded} lanes, the topics have {found}: recreate the topics with {recorded} partitions")]
    LaneCount {
        /// Lanes recorded.
        recorded: i32,
        /// Lanes found.
        found: i32,
    },
    /// Two different steps of one number: something else wrote to the progress topic.
    #[error("progress holds two different records of step {step}: something other than this role wrote to it; keep it and report it")]
    Contradiction {
        /// Step.
        step: i64,
    },
    /// A replay made other outputs.
    #[error(
        "step {step} was published with digest {recorded} and replays to {replayed}: run the build that wrote it, keep the topics, and report it"
    )]
    Diverged {
        /// Step.
        step: i64,
        /// Digest in DONE.
        recorded: String,
        /// Digest of the replay.
        replayed: String,
    },
}

impl Halt {
    /// The code under which it is told; each has a page of its own for operators.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Genesis { .. } => "GENESIS",
            Self::Written { .. } | Self::LostProgress { .. } => "LOST_PROGRESS",
            Self::LaneCount { .. } => "LANE_COUNT",
            Self::Contradiction { .. } => "CONTRADICTION",
            Self::Diverged { .. } => "DIVERGED",
        }
    }
}

/// Decides how a lane comes back.
pub fn decide(facts: &Facts) -> Result<Recovery, Halt> {
    let base = facts.checkpoint.unwrap_or(0);
    let (begins, dones) = sorted(&facts.progress)?;
    let recorded = facts.checkpoint_lanes.or_else(|| begins.values().next_back().map(|b| b.lanes));
    if let Some(recorded) = recorded.filter(|recorded| *recorded != facts.lanes) {
        return Err(Halt::LaneCount { recorded, found: facts.lanes });
    }
    // Where the first step of all hangs, its outputs may stand before its progress does.
    let first_hangs = hanging(0, &facts.undecided).is_some();
    if let Some(Written { place, step }) = facts.written.clone().filter(|_| !first_hangs) {
        if !facts.genesis {
            return Err(Halt::Written { place, step });
        }
        let hangs = facts.undecided.iter().map(step_of).max().unwrap_or(0);
        return Ok(Recovery { replay: Vec::new(), dangling: None, begin_after: step.max(hangs) });
    }
    let begun_anew = begins.keys().next().is_some_and(|first| *first > 1);
    if facts.checkpoint.is_none() && (facts.cut().is_some() || !facts.progress_whole || begun_anew) {
        return match last_life(facts, &begins) {
            Some(begin_after) => {
                let mut way = replay_from(begin_after, &begins, &dones)?;
                let last_done = dones.keys().next_back().copied().unwrap_or(begin_after);
                way.dangling = way.dangling.or_else(|| hanging(last_done, &facts.undecided));
                Ok(Recovery { begin_after, ..way })
            }
            None => anew(facts, &begins, &dones),
        };
    }
    let last_done = dones.keys().next_back().copied().unwrap_or(0);
    if last_done < base {
        return Err(Halt::LostProgress { checkpoint: base, found: last_done });
    }
    let mut way = replay_from(base, &begins, &dones)?;
    way.dangling = way.dangling.or_else(|| hanging(last_done, &facts.undecided));
    Ok(way)
}

/// The step after the last one, begun in a transaction that hangs. The lane's next commit makes it visible, so
/// that commit must be this very step. The first record behind the last stable offset is its BEGIN; later ones
/// may have been aborted.
fn hanging(last: i64, undecided: &[Progress]) -> Option<Begin> {
    undecided.iter().find_map(|record| match record {
        Progress::Begin(begin) if begin.step == last + 1 => Some(begin.clone()),
        Progress::Begin(_) | Progress::Done(_) => None,
    })
}

impl Facts {
    /// An input, if any, whose first records are gone, as topic/partition.
    fn cut(&self) -> Option<String> {
        self.inputs.iter().find(|(_, first)| **first > 0).map(|((topic, partition), _)| format!("{topic}/{partition}"))
    }
}

/// The step before the newest life that began anew, if its inputs still hold all that it read: it needs no
/// checkpoint, and the operator's leave to begin anew is used up.
fn last_life(facts: &Facts, begins: &Begins) -> Option<i64> {
    let (first, _) = begins.iter().rev().find(|(_, begin)| Settings::names_all(&begin.settings))?;
    let starts = starts(begins.range(first..).map(|(_, begin)| begin));
    let held = |(place, still): (&(Topic, i32), &i64)| *still == 0 || starts.get(place).is_some_and(|from| from >= still);
    facts.inputs.iter().all(held).then_some(first - 1)
}

/// Neither state nor a whole past: only the operator may begin anew, and never with numbers used before.
fn anew(facts: &Facts, begins: &Begins, dones: &Dones) -> Result<Recovery, Halt> {
    let last = |steps: Option<&i64>| steps.copied().unwrap_or(0);
    match facts.cut() {
        _ if facts.genesis => {
            // A step that hangs becomes visible with this life's first commit: its number is used too.
            let hanging = facts.undecided.iter().map(step_of).max().unwrap_or(0);
            let begin_after = last(begins.keys().next_back()).max(last(dones.keys().next_back())).max(hanging);
            Ok(Recovery { replay: Vec::new(), dangling: None, begin_after })
        }
        Some(input) => Err(Halt::Genesis { input }),
        None => Err(Halt::LostProgress { checkpoint: 0, found: last(begins.keys().next()) }),
    }
}

fn step_of(record: &Progress) -> i64 {
    match record {
        Progress::Begin(begin) => begin.step,
        Progress::Done(done) => done.step,
    }
}

type Begins = BTreeMap<i64, Begin>;
type Dones = BTreeMap<i64, Done>;

fn sorted(progress: &[Progress]) -> Result<(Begins, Dones), Halt> {
    let (mut begins, mut dones) = (Begins::new(), Dones::new());
    for record in progress {
        let (step, same) = match record {
            Progress::Begin(begin) => (begin.step, begins.entry(begin.step).or_insert_with(|| begin.clone()) == begin),
            Progress::Done(done) => (done.step, dones.entry(done.step).or_insert_with(|| done.clone()) == done),
        };
        if !same {
            return Err(Halt::Contradiction { step });
        }
    }
    Ok((begins, dones))
}

fn replay_from(base: i64, begins: &Begins, dones: &Dones) -> Result<Recovery, Halt> {
    let mut replay = Vec::new();
    for (step, done) in dones.range(base + 1..) {
        let expected = base + 1 + i64::try_from(replay.len()).expect("a log holds fewer than 2^63 records");
        match begins.get(step) {
            Some(begin) if *step == expected => replay.push((begin.clone(), done.clone())),
            _ => return Err(Halt::LostProgress { checkpoint: base, found: *step }),
        }
    }
    let last = base + i64::try_from(replay.len()).expect("a log holds fewer than 2^63 records");
    match begins.range(last + 1..).next() {
        None => Ok(Recovery { replay, dangling: None, begin_after: 0 }),
        Some((step, begin)) if *step == last + 1 && begins.range(last + 2..).next().is_none() => {
            Ok(Recovery { replay, dangling: Some(begin.clone()), begin_after: 0 })
        }
        Some((step, _)) => Err(Halt::LostProgress { checkpoint: last, found: *step }),
    }
}

/// Holds a replayed step against its DONE.
pub fn compare(recorded: &Done, replayed: &Done) -> Result<(), Halt> {
    if recorded == replayed {
        return Ok(());
    }
    let shown = |done: &Done| format!("{} ({} outputs of {} inputs)", done.digest, done.outputs, done.inputs);
    Err(Halt::Diverged { step: recorded.step, recorded: shown(recorded), replayed: shown(replayed) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;
    use domain::progress::{Range, WindowRecord};

    #[test]
    fn outputs_without_progress_are_not_written_over() {
        let written = Some(Written { place: "portfolio.ledger.v1/2".to_owned(), step: 7 });
        let lost = Facts { written, ..facts(None, vec![]) };
        let told = decide(&lost).unwrap_err().to_string();
        assert!(told.starts_with("LOST_PROGRESS") && told.contains("portfolio.ledger.v1/2") && told.contains("--genesis"), "{told}");
        // A life that begins anew goes on above their numbers, and is found again by them.
        assert_eq!(decide(&Facts { genesis: true, ..lost }).unwrap().begin_after, 7);
    }

    #[test]
    fn outputs_of_a_first_step_that_hangs_are_its_own() {
        let written = Some(Written { place: "portfolio.ledger.v1/2".to_owned(), step: 1 });
        let hangs = Facts { written: written.clone(), undecided: vec![begin(1), done(1)], ..facts(None, vec![]) };
        assert_eq!(way(&hangs), (vec![], Some(1)));
        let other = Facts { undecided: vec![begin(8)], ..hangs };
        assert!(matches!(decide(&other), Err(Halt::Written { .. })), "what hangs is not the step that begins the lane");
    }

    fn begin(step: i64) -> Progress {
        Progress::Begin(Begin { step, rules_version: 1, lanes: 4, settings: vec![], schemas: vec![], windows: vec![] })
    }
    fn done(step: i64) -> Progress {
        Progress::Done(Done { step, digest: "d".into(), outputs: 0, inputs: 0 })
    }
    fn facts(checkpoint: Option<i64>, progress: Vec<Progress>) -> Facts {
        let checkpoint_lanes = checkpoint.map(|_| 4);
        let (undecided, inputs) = (Vec::new(), Inputs::new());
        Facts { checkpoint, checkpoint_lanes, lanes: 4, progress, undecided, progress_whole: true, inputs, written: None, genesis: false }
    }
    fn way(facts: &Facts) -> (Vec<i64>, Option<i64>) {
        let way = decide(facts).unwrap();
        (way.replay.iter().map(|(begin, _)| begin.step).collect(), way.dangling.map(|b| b.step))
    }

    #[test]
    fn a_fresh_lane_has_nothing_to_do() {
        assert_eq!(way(&facts(None, vec![])), (vec![], None));
    }

    #[test]
    fn steps_after_the_checkpoint_are_replayed_and_a_dangling_one_is_executed() {
        let log = vec![begin(1), done(1), begin(2), done(2), begin(3), done(3), begin(4)];
        assert_eq!(way(&facts(Some(1), log.clone())), (vec![2, 3], Some(4)));
        assert_eq!(way(&facts(None, log.clone())), (vec![1, 2, 3], Some(4)));
        assert_eq!(way(&facts(Some(3), log)), (vec![], Some(4)));
    }

    #[test]
    fn a_step_in_a_transaction_that_hangs_is_executed_again() {
        let hangs = |last: i64, undecided| Facts { undecided, ..facts(Some(1), (1..=last).flat_map(|n| [begin(n), done(n)]).collect()) };
        assert_eq!(way(&hangs(2, vec![begin(3), done(3)])), (vec![2], Some(3)));
        assert_eq!(way(&hangs(1, vec![begin(2), done(2), begin(3)])), (vec![], Some(2)), "the first one hangs, the others may be aborted");
        assert_eq!(way(&hangs(2, vec![begin(2), done(2)])), (vec![2], None), "what is visible already was sent again");
        assert_eq!(way(&hangs(2, vec![])), (vec![2], None));
        let mut torn = hangs(2, vec![begin(3)]);
        torn.progress.push(begin(3));
        assert_eq!(way(&torn), (vec![2], Some(3)));
    }

    #[test]
    fn a_torn_begin_sent_again_counts_once() {
        assert_eq!(way(&facts(Some(0), vec![begin(1), begin(1), done(1)])), (vec![1], None));
        let mut other = vec![begin(1), begin(1), done(1)];
        if let Progress::Begin(b) = &mut other[1] {
            b.lanes = 9;
        }
        assert_eq!(decide(&facts(Some(0), other)), Err(Halt::Contradiction { step: 1 }));
    }

    #[test]
    fn what_is_lost_halts_the_lane() {
        let lost = |f: &Facts| matches!(decide(f), Err(Halt::LostProgress { .. }));
        assert!(lost(&facts(Some(5), vec![begin(4), done(4)])));
        assert!(lost(&facts(Some(1), vec![begin(3), done(3)])));
        assert!(lost(&facts(None, vec![begin(1), done(1), done(2)])));
        assert!(lost(&Facts { progress_whole: false, ..facts(None, vec![begin(9), done(9)]) }));
        let cut = Facts { inputs: Inputs::from([((Topic::Fills, 0), 7)]), ..facts(None, vec![]) };
        assert!(matches!(decide(&cut), Err(Halt::Genesis { .. })));
        assert_eq!(way(&Facts { genesis: true, ..cut }), (vec![], None));
        let anew = Facts { progress: vec![begin(8), done(8), begin(9)], progress_whole: false, ..facts(None, vec![]) };
        assert!(lost(&anew));
        let hangs = Facts { genesis: true, undecided: vec![begin(10)], ..anew.clone() };
        assert_eq!(decide(&Facts { genesis: true, ..anew }).unwrap().begin_after, 9, "numbers go on above an earlier life's");
        assert_eq!(decide(&hangs).unwrap().begin_after, 10, "one that hangs is used too");
        let lanes = Facts { lanes: 8, ..facts(Some(1), vec![begin(1), done(1)]) };
        assert_eq!(decide(&lanes), Err(Halt::LaneCount { recorded: 4, found: 8 }));
    }

    /// The first step of a life that began to read the fills at an offset.
    fn opening(step: i64, from: i64) -> Progress {
        let ranges = vec![Range { topic: Topic::Fills, partition: 0, from, to: from + 1 }];
        let window = WindowRecord { ranges, now: Timestamp::MIN, behind: false };
        let settings = Settings::default().changes_since(None);
        Progress::Begin(Begin { step, rules_version: 1, lanes: 4, settings, schemas: vec![], windows: vec![window] })
    }

    #[test]
    fn a_life_that_began_anew_is_replayed_and_not_begun_again() {
        let log = vec![begin(7), done(7), begin(8), opening(9, 40), done(9), begin(10), done(10), begin(11)];
        let inputs = |first| Inputs::from([((Topic::Fills, 0), first)]);
        let cut = Facts { inputs: inputs(40), progress_whole: false, ..facts(None, log) };
        for genesis in [true, false] {
            let way = decide(&Facts { genesis, ..cut.clone() }).unwrap();
            let replayed: Vec<_> = way.replay.iter().map(|(begin, _)| begin.step).collect();
            assert_eq!((replayed, way.dangling.as_ref().map(|b| b.step), way.begin_after), (vec![9, 10], Some(11), 8));
            assert_eq!(way.starts(), inputs(40));
        }
        let torn = Facts { progress: vec![begin(8), opening(9, 40)], ..cut.clone() };
        assert_eq!(decide(&torn).unwrap().dangling.map(|b| b.step), Some(9), "torn before its first DONE");
        let whole: Vec<_> = cut.progress.iter().filter(|record| **record != begin(11)).cloned().collect();
        let hangs = Facts { progress: whole, undecided: vec![begin(11)], ..cut.clone() };
        assert_eq!(decide(&hangs).unwrap().dangling.map(|b| b.step), Some(11), "it becomes visible with the next commit");
        let trimmed = Facts { inputs: inputs(41), ..cut.clone() };
        assert!(matches!(decide(&trimmed), Err(Halt::Genesis { .. })), "what it has read is gone");
        let unread = Facts { inputs: Inputs::from([((Topic::Cash, 0), 3)]), ..cut };
        assert!(matches!(decide(&unread), Err(Halt::Genesis { .. })), "what it had not read yet is gone");
    }
}
