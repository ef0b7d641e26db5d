//! Performs a recovery: loads the checkpoint, reads progress, replays, and hands back a lane that
//! stands where its predecessor stood. What to do is decided in `engine::recovery`.

use super::ports::{Checkpoints, LoadError, LoadedImage, Past, PortError, Publisher};
use domain::Topic;
use domain::progress::{Begin, Recorded};
use engine::lane::{LaneError, Slice};
use engine::recovery::{self, Facts, Halt};
use engine::repeats::STEP;
use engine::{Codec, Image, ImageError, Lane, RawRecord, Role, Step};
use std::collections::BTreeSet;

/// The lane must not run; the text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LaneHalt {
    /// Recovery found the logs or the state unfit.
    #[error(transparent)]
    Recovery(#[from] Halt),
    /// A step does not follow or cannot be written.
    #[error(transparent)]
    Lane(#[from] LaneError),
    /// Something outside failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// An input is not the log that the lane has read.
    #[error(
        "MADE_ANEW: {topic}/{partition} was made anew: what stands below offset {offset}, to which this lane had read it, was appended after the lane's last step; going on would skip it. Restore the topic, or start with --genesis, as the runbook says"
    )]
    MadeAnew {
        /// The input.
        topic: Topic,
        /// Its partition.
        partition: i32,
        /// Where the lane stands in it.
        offset: i64,
    },
    /// An assertion of the service does not hold, such as that a sum stays within its width.
    #[error("PANICKED: {text}; the lane stops where it stands. It is a defect: keep the topics, and report it with the log around it")]
    Panicked {
        /// What the assertion says.
        text: String,
    },
    /// Nobody wants the lane any more; it was not recovered.
    #[error("the lane was let go while it was being recovered")]
    LetGo,
    /// Neither generation of the checkpoint can be read.
    #[error("no checkpoint can be read: {newest}; and the one before: {older}")]
    Checkpoints {
        /// What is wrong with the newest.
        newest: String,
        /// What is wrong with the older one.
        older: String,
    },
}

impl LaneHalt {
    /// Every code of [`LaneHalt::code`]; each has a page of its own for operators.
    pub const CODES: [&'static str; 14] = [
        "GENESIS",
        "LOST_PROGRESS",
        "LANE_COUNT",
        "CONTRADICTION",
        "DIVERGED",
        "UNENCODABLE",
        "GAP",
        "RULES",
        "FRAMES",
        "SETTING",
        "PORT",
        "MADE_ANEW",
        "CHECKPOINTS",
        "PANICKED",
    ];

    /// The code under which it is told; `None` where nobody wants the lane any more.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Recovery(halt) => Some(halt.code()),
            Self::Lane(error) => Some(error.code()),
            Self::Port(_) => Some("PORT"),
            Self::MadeAnew { .. } => Some("MADE_ANEW"),
            Self::Checkpoints { .. } => Some("CHECKPOINTS"),
            Self::Panicked { .. } => Some("PANICKED"),
            Self::LetGo => None,
        }
    }
    /// Whether recovering the lane again may help. Logs and state that contradict each other do not pass.
    pub fn passes(&self) -> bool {
        match self {
            Self::Port(error) => error.retry,
            Self::Recovery(_) | Self::Lane(_) | Self::MadeAnew { .. } | Self::LetGo | Self::Checkpoints { .. } | Self::Panicked { .. } => {
                false
            }
        }
    }
}

/// What a recovery needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Number of the lane.
    pub lane: i32,
    /// Number of lanes of the topics.
    pub lanes: i32,
    /// Whether the operator allows to fold the inputs anew.
    pub genesis: bool,
}

/// A recovered lane.
pub struct Recovered<R: Role> {
    /// The lane, at its last published step.
    pub lane: Lane<R>,
    /// Step of the checkpoint that it came from and that the next one builds upon.
    pub checkpoint: Option<i64>,
    /// The last step of an earlier life after which this one began; 0 otherwise.
    pub begin_after: i64,
    /// Where progress was read from: a checkpoint of a later step may name the same place.
    pub progress_from: i64,
    /// Steps replayed.
    pub replayed: u64,
    /// A step that was visible in part, or whose outputs hang: publish it first.
    pub dangling: Option<Step>,
}

/// Brings a lane back. `fresh` makes an empty role; `let_go` says when nobody wants the lane any more.
pub fn recover<R: Role>(
    target: Target,
    fresh: &dyn Fn() -> R,
    codec: &mut dyn Codec,
    past: &mut dyn Past,
    checkpoints: &mut dyn Checkpoints,
    publisher: &mut dyn Publisher,
    let_go: &dyn Fn() -> bool,
) -> Result<Recovered<R>, LaneHalt> {
    let heed = || if let_go() { Err(LaneHalt::LetGo) } else { Ok(()) };
    let restored = newest_readable(target, fresh, checkpoints)?;
    // Whoever was let go meanwhile would fence the new owner.
    heed()?;
    publisher.take_over(let_go)?;
    let (lane, progress_from) = match restored {
        Some(Restored { lane, progress_from, older }) => {
            if older {
                checkpoints.discard_newer(lane.step())?;
            }
            (Some(lane), progress_from)
        }
        None => (None, 0),
    };
    let facts = facts(target, lane.as_ref(), progress_from, past)?;
    let way = recovery::decide(&facts)?;
    let checkpoint = facts.checkpoint;
    let mut lane = match lane {
        Some(lane) => lane,
        None => at_genesis(target, fresh(), &way, past)?,
    };
    teach(codec, &lane)?;
    let mut last = None;
    for (begin, done) in &way.replay {
        heed()?;
        let step = replay(&mut lane, begin, codec, past)?;
        recovery::compare(done, &step.done)?;
        last = Some(step);
    }
    let dangling = match way.dangling {
        Some(begin) => Some(replay(&mut lane, &begin, codec, past)?),
        None => last.map_or(Ok(None), |step| hanging(step, past))?,
    };
    is_what_was_read(&lane, past)?;
    Ok(Recovered { lane, checkpoint, begin_after: way.begin_after, progress_from, replayed: way.replay.len() as u64, dangling })
}

/// The last step, if an output of it hangs while its progress is visible: only a record of the lane's own frees it, and the
/// lane may never write there again. No checkpoint holds such a step, since none is kept before its outputs are visible.
fn hanging(step: Step, past: &mut dyn Past) -> Result<Option<Step>, PortError> {
    let places: BTreeSet<_> = step.outputs.iter().map(|output| (output.name(), output.partition)).collect();
    Ok(past.hangs(&places)?.then_some(step))
}

/// Whether each input is still the log that the lane has read. Frames say so by themselves.
fn is_what_was_read<R: Role>(lane: &Lane<R>, past: &mut dyn Past) -> Result<(), LaneHalt> {
    for topic in R::INPUTS.iter().copied().filter(|topic| *topic != Topic::Frames) {
        let partition = partition_of(topic, lane.lane());
        let offset = lane.position(topic, partition);
        if offset > 0 && past.made_anew(topic, partition, offset)? {
            return Err(LaneHalt::MadeAnew { topic, partition, offset });
        }
    }
    Ok(())
}

/// A lane before its first step: where that step is recorded, at the records that it began with, else at the
/// first ones that its inputs still hold. Frames are followed from one that is known to count.
fn at_genesis<R: Role>(target: Target, role: R, way: &recovery::Recovery, past: &mut dyn Past) -> Result<Lane<R>, LaneHalt> {
    let mut lane = Lane::new(role, target.lane, target.lanes);
    lane.begin_after(way.begin_after);
    let recorded = way.starts();
    for topic in R::INPUTS {
        let partition = partition_of(*topic, target.lane);
        let start = match recorded.get(&(*topic, partition)) {
            Some(start) => *start,
            None => match past.bounds(*topic, partition)?.0 {
                first if first > 0 && *topic == Topic::Frames => past.frames_start()?,
                first => first,
            },
        };
        if start > 0 {
            lane.begin_at(*topic, partition, start);
        }
    }
    Ok(lane)
}

/// A lane as a checkpoint holds it.
struct Restored<R: Role> {
    lane: Lane<R>,
    progress_from: i64,
    older: bool,
}

fn newest_readable<R: Role>(
    target: Target,
    fresh: &dyn Fn() -> R,
    checkpoints: &mut dyn Checkpoints,
) -> Result<Option<Restored<R>>, LaneHalt> {
    let mut load = |generation: u8| {
        let Some(image) = checkpoints.load(generation)? else { return Ok(None) };
        let lane = restore(target, fresh(), &image).map_err(|error| LoadError::Corrupt(error.to_string()))?;
        Ok(Some(Restored { lane, progress_from: image.progress_from, older: generation > 0 }))
    };
    let newest = match load(0) {
        Ok(found) => return Ok(found),
        Err(LoadError::Store(error)) => return Err(error.into()),
        Err(LoadError::Corrupt(newest)) => newest,
    };
    tracing::error!(
        lane = target.lane,
        newest,
        "the newest checkpoint cannot be read; recovering from the one before, with a longer replay"
    );
    match load(1) {
        Ok(Some(found)) => Ok(Some(found)),
        Ok(None) => Err(LaneHalt::Checkpoints { newest, older: "there is none".to_owned() }),
        Err(LoadError::Store(error)) => Err(error.into()),
        Err(LoadError::Corrupt(older)) => Err(LaneHalt::Checkpoints { newest, older }),
    }
}

/// Puts a lane back from a checkpoint.
pub fn restore<R: Role>(target: Target, role: R, image: &LoadedImage) -> Result<Lane<R>, ImageError> {
    let mut lane = Lane::restore(role, target.lane, &image.shared)?;
    for (key, bytes) in &image.entities {
        lane.image().restore_entity(key, bytes)?;
    }
    lane.image().restored()?;
    if lane.step() != image.step {
        return Err(ImageError::new("the shared part", format!("it stands at step {}, the checkpoint says {}", lane.step(), image.step)));
    }
    Ok(lane)
}

fn facts<R: Role>(target: Target, lane: Option<&Lane<R>>, progress_from: i64, past: &mut dyn Past) -> Result<Facts, LaneHalt> {
    let (first, _) = past.bounds(R::PROGRESS, target.lane)?;
    let mut inputs = recovery::Inputs::new();
    if lane.is_none() {
        for topic in R::INPUTS {
            let partition = partition_of(*topic, target.lane);
            inputs.insert((*topic, partition), past.bounds(*topic, partition)?.0);
        }
    }
    let progress = past.progress(progress_from.max(first))?;
    let undecided = past.undecided()?;
    let nothing = progress.is_empty();
    // A life that begins anew goes on above the numbers of all outputs, whatever progress still knows of them.
    let written = if lane.is_none() && (nothing || target.genesis) { written::<R>(target.lane, past)? } else { None };
    // Whoever was stopped between the two looks finds what the next owner has written meanwhile.
    if nothing && written.is_some() && !past.progress(first)?.is_empty() {
        return Err(PortError::later("another owner has begun the lane meanwhile: it is recovered from its progress").into());
    }
    Ok(Facts {
        checkpoint: lane.map(Lane::step),
        checkpoint_lanes: lane.map(Lane::lanes),
        lanes: target.lanes,
        progress,
        undecided,
        progress_whole: first == 0,
        inputs,
        written,
        genesis: target.genesis,
    })
}

/// Offsets of an output that are searched at once, from its end on, for what an earlier life wrote.
const SEARCHED: i64 = 200;

/// What the lane's own outputs hold, and of which step the newest is.
fn written<R: Role>(lane: i32, past: &mut dyn Past) -> Result<Option<recovery::Written>, LaneHalt> {
    let mut written: Option<recovery::Written> = None;
    for topic in R::OWN_OUTPUTS {
        let (first, mut end) = past.bounds(*topic, lane)?;
        let mut found: Option<i64> = None;
        // What was aborted leaves offsets without records.
        while found.is_none() && end > first {
            let from = first.max(end - SEARCHED);
            past.range(*topic, lane, from, end, &mut |record| {
                let step = record.header(STEP).and_then(|step| std::str::from_utf8(step).ok()?.parse().ok()).unwrap_or(0);
                found = found.max(Some(step));
            })?;
            end = from;
        }
        if let Some(step) = found {
            let written = written.get_or_insert_with(|| recovery::Written { place: format!("{topic}/{lane}"), step });
            written.step = written.step.max(step);
        }
    }
    Ok(written)
}

/// The partition of a topic that a lane reads: its own, or the only one of the frames.
pub fn partition_of(topic: Topic, lane: i32) -> i32 {
    if topic == Topic::Frames { 0 } else { lane }
}

/// Computes a recorded step again, from its recorded windows.
pub fn replay<R: Role>(lane: &mut Lane<R>, begin: &Begin, codec: &mut dyn Codec, past: &mut dyn Past) -> Result<Step, LaneHalt> {
    lane.expect(begin)?;
    for schema in &begin.schemas {
        learn(codec, schema)?;
    }
    for window in &begin.windows {
        let mut read = Vec::with_capacity(window.ranges.len());
        for range in &window.ranges {
            let mut records = Vec::new();
            past.range(range.topic, range.partition, range.from, range.to, &mut |record| {
                records.push(owned(range.topic, range.partition, record));
            })?;
            read.push((range, records));
        }
        let slices: Vec<_> =
            read.iter().map(|(range, records)| Slice { topic: range.topic, partition: range.partition, to: range.to, records }).collect();
        if !lane.window(window.now, window.behind, &slices, codec)? {
            return Err(PortError::of(format!("a window of step {} ends before the end that is recorded of it", begin.step)).into());
        }
    }
    let step = lane.close(codec)?.ok_or_else(|| PortError::of(format!("step {} is recorded without windows", begin.step)))?;
    Ok(step)
}

/// Lets a codec know the schemas that a lane stands for: those by which its records were read before.
pub fn teach<R: Role>(codec: &mut dyn Codec, lane: &Lane<R>) -> Result<(), LaneHalt> {
    lane.schemas().try_for_each(|schema| learn(codec, &schema))
}

fn learn(codec: &mut dyn Codec, schema: &Recorded) -> Result<(), LaneHalt> {
    Ok(codec.learn(schema).map_err(|refusal| PortError::of(refusal.text))?)
}

fn owned(topic: Topic, partition: i32, record: &dyn engine::RecordRef) -> RawRecord {
    engine::Origin { topic, partition, record }.to_raw()
}
