//! How a lane comes back: from the checkpoint and the progress topic to the steps that must be
//! replayed, the one that must be executed, or the reason to halt. Facts in, a decision out.

mod halt;

pub use halt::Halt;

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
    /// What the role has written already. Looked at without a checkpoint, where there is no progress either or the
    /// operator allows to fold the inputs anew.
    pub written: Option<Written>,
    /// The operator allows to fold the inputs anew.
    pub genesis: bool,
}

/// An output that stands, and how far the numbers of the role's steps have come by its outputs.
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

/// Decides how a lane comes back.
pub fn decide(facts: &Facts) -> Result<Recovery, Halt> {
    let (begins, dones) = sorted(&facts.progress)?;
    let recorded = facts.checkpoint_lanes.or_else(|| begins.values().next_back().map(|b| b.lanes));
    if let Some(recorded) = recorded.filter(|recorded| *recorded != facts.lanes) {
        return Err(Halt::LaneCount { recorded, found: facts.lanes });
    }
    match facts.checkpoint {
        Some(checkpoint) => from_checkpoint(checkpoint, facts, &begins, &dones),
        None => from_progress(facts, &begins, &dones),
    }
}

fn from_checkpoint(checkpoint: i64, facts: &Facts, begins: &Begins, dones: &Dones) -> Result<Recovery, Halt> {
    let last = last(dones);
    if last < checkpoint {
        return Err(Halt::LostProgress { checkpoint, after: last, found: 0 });
    }
    follow(checkpoint, facts, begins, dones).map_err(|Gap { after, found }| Halt::LostProgress { checkpoint, after, found })
}

/// Without a checkpoint a lane follows its progress from the first step of all, or from that of the newest life that
/// began anew. Where neither can be, the operator may let it begin anew, once: that life is followed from then on.
fn from_progress(facts: &Facts, begins: &Begins, dones: &Dones) -> Result<Recovery, Halt> {
    // Where the first step of all hangs, its outputs may stand before its progress does.
    let first_hangs = hanging(0, &facts.undecided).is_some();
    let nothing = facts.progress.is_empty() && !first_hangs;
    if let Some(Written { place, step }) = facts.written.clone().filter(|_| nothing) {
        return if facts.genesis { Ok(anew(facts, begins, dones)) } else { Err(Halt::Written { place, step }) };
    }
    let first = begins.keys().chain(dones.keys()).next().copied().unwrap_or(0);
    let whole = facts.cut().is_none() && facts.progress_whole && first <= 1;
    let mut gap = Gap { after: 0, found: first };
    if whole {
        match follow(0, facts, begins, dones) {
            Ok(way) => return Ok(way),
            Err(found) => gap = found,
        }
    }
    // The leave to begin anew is used up by the life that began so.
    let life = last_life(facts, begins).filter(|begin_after| !whole || *begin_after > 0);
    if let Some(begin_after) = life {
        match follow(begin_after, facts, begins, dones) {
            Ok(way) => return Ok(Recovery { begin_after, ..way }),
            Err(found) => gap = found,
        }
    }
    match facts.cut() {
        _ if facts.genesis => Ok(anew(facts, begins, dones)),
        Some(input) if life.is_none() => Err(Halt::Genesis { input }),
        _ => Err(Halt::Hole { after: gap.after, found: gap.found }),
    }
}

/// The steps after one, and what hangs behind them.
fn follow(base: i64, facts: &Facts, begins: &Begins, dones: &Dones) -> Result<Recovery, Gap> {
    let mut way = replay_from(base, begins, dones)?;
    let last = way.replay.last().map_or(base, |(begin, _)| begin.step);
    way.dangling = way.dangling.or_else(|| hanging(last, &facts.undecided));
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

/// A life that begins anew, never with numbers used before.
fn anew(facts: &Facts, begins: &Begins, dones: &Dones) -> Recovery {
    // A step that hangs becomes visible with this life's first commit: its number is used too.
    let hanging = facts.undecided.iter().map(step_of).max().unwrap_or(0);
    let written = facts.written.as_ref().map_or(0, |written| written.step);
    let begin_after = last(begins).max(last(dones)).max(hanging).max(written);
    Recovery { replay: Vec::new(), dangling: None, begin_after }
}

/// The highest step; 0 for none.
fn last<T>(steps: &BTreeMap<i64, T>) -> i64 {
    steps.keys().next_back().copied().unwrap_or(0)
}

fn step_of(record: &Progress) -> i64 {
    match record {
        Progress::Begin(begin) => begin.step,
        Progress::Done(done) => done.step,
    }
}

type Begins = BTreeMap<i64, Begin>;
type Dones = BTreeMap<i64, Done>;

/// Where steps do not follow one another: the last that does, and the one found behind it; 0 for none.
#[derive(Clone, Copy)]
struct Gap {
    after: i64,
    found: i64,
}

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

fn replay_from(base: i64, begins: &Begins, dones: &Dones) -> Result<Recovery, Gap> {
    let mut replay = Vec::new();
    let mut after = base;
    for (step, done) in dones.range(base + 1..) {
        match begins.get(step) {
            Some(begin) if *step == after + 1 => replay.push((begin.clone(), done.clone())),
            _ => return Err(Gap { after, found: *step }),
        }
        after = *step;
    }
    match begins.range(after + 1..).next() {
        None => Ok(Recovery { replay, dangling: None, begin_after: 0 }),
        Some((step, begin)) if *step == after + 1 && begins.range(after + 2..).next().is_none() => {
            Ok(Recovery { replay, dangling: Some(begin.clone()), begin_after: 0 })
        }
        Some((found, _)) => Err(Gap { after, found: *found }),
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
        let behind = decide(&facts(Some(5), vec![begin(4), done(4)]));
        assert_eq!(behind, Err(Halt::LostProgress { checkpoint: 5, after: 4, found: 0 }));
        let hole = decide(&facts(Some(1), vec![begin(3), done(3)]));
        assert_eq!(hole, Err(Halt::LostProgress { checkpoint: 1, after: 1, found: 3 }));
        let lost = |f: &Facts| matches!(decide(f), Err(Halt::Hole { .. }));
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

    #[test]
    fn what_is_lost_is_told_as_it_is() {
        let told = |f: &Facts| {
            let halt = decide(f).unwrap_err();
            assert_eq!(halt.code(), "LOST_PROGRESS");
            let text = halt.to_string();
            text.split(": ").nth(1).unwrap().to_owned()
        };
        let steps = |numbers: &[i64]| numbers.iter().flat_map(|step| [begin(*step), done(*step)]).collect::<Vec<_>>();
        let with = |numbers: &[i64]| facts(Some(5), steps(numbers));
        assert_eq!(told(&with(&[])), "the checkpoint stands at step 5, and progress holds no step");
        assert_eq!(told(&with(&[3, 4])), "the checkpoint stands at step 5, and progress ends at step 4");
        assert_eq!(told(&with(&[5, 6, 9])), "the checkpoint stands at step 5, and progress has a hole between steps 6 and 9");
        let without = |numbers: &[i64]| facts(None, steps(numbers));
        assert_eq!(told(&without(&[1, 2, 5])), "there is no checkpoint, and progress has a hole between steps 2 and 5");
        assert_eq!(told(&without(&[4, 5])), "there is no checkpoint, and progress begins at step 4");
        let torn = facts(None, vec![begin(1), done(1), begin(2), begin(3)]);
        assert_eq!(told(&torn), "there is no checkpoint, and progress does not hold the whole of step 2");
        let emptied = Facts { progress_whole: false, ..facts(None, vec![]) };
        assert_eq!(told(&emptied), "there is no checkpoint, and progress holds no step");
    }

    #[test]
    fn the_operator_may_begin_anew_where_whole_inputs_cannot_be_replayed() {
        let log = vec![begin(1), done(1), begin(2), done(2), begin(5), done(5), begin(6)];
        let hole = facts(None, log);
        assert_eq!(decide(&hole), Err(Halt::Hole { after: 2, found: 5 }));
        let begun = |f: &Facts| {
            let way = decide(&Facts { genesis: true, ..f.clone() }).unwrap();
            assert_eq!((way.replay.len(), way.dangling), (0, None));
            way.begin_after
        };
        assert_eq!(begun(&hole), 6, "above every number that progress knows");
        assert_eq!(begun(&Facts { undecided: vec![begin(7)], ..hole.clone() }), 7, "one that hangs is used too");
        let written = Some(Written { place: "rebalance.orders.v1/2".to_owned(), step: 9 });
        assert_eq!(begun(&Facts { written: written.clone(), ..hole.clone() }), 9, "and so is one that outputs alone tell of");
        // What can be replayed is, whatever the flag says and outputs stand.
        let whole = Facts { written, genesis: true, ..facts(None, vec![begin(1), done(1), begin(2)]) };
        assert_eq!(way(&whole), (vec![1], Some(2)));
    }

    #[test]
    fn a_life_that_began_anew_behind_a_hole_is_followed_and_not_begun_again() {
        let log = vec![begin(1), done(1), begin(5), done(5), opening(6, 0), done(6), begin(7), done(7), begin(8)];
        for genesis in [true, false] {
            let life = decide(&Facts { genesis, ..facts(None, log.clone()) }).unwrap();
            let replayed: Vec<_> = life.replay.iter().map(|(begin, _)| begin.step).collect();
            assert_eq!((replayed, life.dangling.map(|b| b.step), life.begin_after), (vec![6, 7], Some(8), 5));
        }
        let torn = Facts { undecided: vec![begin(7)], ..facts(None, vec![begin(1), done(1), begin(5), opening(6, 0), done(6)]) };
        assert_eq!(way(&torn), (vec![6], Some(7)), "what hangs behind it is executed");
        let mut twice = log;
        twice.extend([begin(12), done(12)]);
        let twice = facts(None, twice);
        assert_eq!(decide(&twice), Err(Halt::Hole { after: 7, found: 12 }), "a hole in that life too");
        assert_eq!(decide(&Facts { genesis: true, ..twice }).unwrap().begin_after, 12);
        // The first life records all settings as well; a hole in it is none behind a new beginning.
        let first = facts(None, vec![opening(1, 0), done(1), begin(4), done(4)]);
        assert_eq!(decide(&first), Err(Halt::Hole { after: 1, found: 4 }));
    }
}
