//! The life of one lane on its thread: open the ports, recover, run, let go.

use super::{SILENCE, World};
use crate::avro::AvroCodec;
use crate::checkpoints::PostgresCheckpoints;
use crate::clock;
use crate::kafka::{KafkaPast, KafkaPublisher, KafkaReader};
use crate::observe::LaneObserver;
use crate::worker::pacing::Clock;
use crate::worker::steady::MachineTime;
use crate::worker::{LaneHalt, LaneWorker, Ports, Target, Turn, recover};
use domain::Topic;
use engine::Role;
use kafka_log::{Leaving, TopicName};
use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use telemetry::{Condition, Heartbeat, LaneState};

/// Between two tries after something outside failed.
const AGAIN: Duration = Duration::from_millis(500);
/// How long a lane that is let go waits for its commit in flight; what is not confirmed by then is looked up
/// by whoever has the lane next.
const CLOSE: Duration = Duration::from_millis(200);
/// How long a lane that was fenced stays away.
const AWAY: Duration = Duration::from_secs(10);

/// What the threads of a role's lanes share.
pub(super) struct Deps<R> {
    world: Arc<World>,
    fresh: fn() -> R,
    /// Producers of earlier lives of each lane that have not ended yet.
    leaving: Mutex<BTreeMap<i32, Vec<Leaving>>>,
}

impl<R> Deps<R> {
    pub(super) fn new(world: Arc<World>, fresh: fn() -> R) -> Arc<Self> {
        Arc::new(Self { world, fresh, leaving: Mutex::default() })
    }

    fn leave(&self, lane: i32, producer: Option<Leaving>) {
        let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        leaving.entry(lane).or_default().extend(producer);
    }

    /// Whether no producer of an earlier life of the lane is left in this process: it would fence its
    /// successor, or be fenced by it with a step in doubt.
    fn is_free(&self, lane: i32) -> bool {
        let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        let of_lane = leaving.entry(lane).or_default();
        of_lane.retain(|producer| !producer.has_ended());
        of_lane.is_empty()
    }
}

/// What a lane's thread is asked to do; milliseconds above zero are the time to finish in.
struct Wish(AtomicU64);

const GO_ON: u64 = 0;
const DROP: u64 = u64::MAX;

impl Wish {
    fn is(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// How a lane's life ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    LetGo,
    Fenced,
    Halted,
}

/// A lane's thread.
pub(super) struct LaneHandle {
    wish: Arc<Wish>,
    thread: JoinHandle<End>,
    heartbeat: Arc<Heartbeat>,
    /// When its end was first seen.
    ended: Option<Instant>,
}

impl LaneHandle {
    pub(super) fn spawn<R: Role + 'static>(deps: &Arc<Deps<R>>, lane: i32) -> Self {
        let wish = Arc::new(Wish(AtomicU64::new(GO_ON)));
        let heartbeat = Arc::new(deps.world.health.heartbeat(&format!("{} lane {lane}", R::NAME), SILENCE));
        heartbeat.rest();
        let (deps, own, beat) = (deps.clone(), wish.clone(), heartbeat.clone());
        let thread = std::thread::Builder::new()
            .name(format!("{}-{lane}", R::NAME))
            .spawn(move || live(&deps, lane, &own, &beat))
            .expect("the system has room for a thread per lane");
        Self { wish, thread, heartbeat, ended: None }
    }
    /// Whether the lane runs and gives no sign of life.
    pub(super) fn is_silent(&self) -> bool {
        self.is_running() && self.heartbeat.is_silent()
    }
    /// Whether the thread has not ended.
    pub(super) fn is_running(&self) -> bool {
        !self.thread.is_finished()
    }
    pub(super) fn ask_to_finish(&self, limit: Duration) {
        let millis = u64::try_from(limit.as_millis()).unwrap_or(1).clamp(1, DROP - 1);
        self.wish.0.store(millis, Ordering::Release);
    }
    pub(super) fn ask_to_drop(&self) {
        self.wish.0.store(DROP, Ordering::Release);
    }
    /// Whether the lane was fenced so long ago that the group must have told if another process owns it.
    /// A halted lane's thread does not end by itself: it stays halted.
    pub(super) fn may_restart(&mut self) -> bool {
        self.thread.is_finished() && self.ended.get_or_insert_with(Instant::now).elapsed() > AWAY
    }
    pub(super) fn join(self) {
        match self.thread.join() {
            Ok(end) => tracing::debug!(?end, "a lane's thread has ended"),
            Err(_) => tracing::error!("a lane's thread has panicked; the lane will be recovered"),
        }
    }
}

fn live<R: Role>(deps: &Deps<R>, lane: i32, wish: &Wish, heartbeat: &Heartbeat) -> End {
    let condition = deps.world.health.condition(&format!("{} lane {lane}", R::NAME));
    let state = deps.world.metrics.lane_state(R::NAME, lane);
    state.begin(&LaneHalt::CODES);
    loop {
        condition.set_not_ready("recovering");
        state.set("recovering");
        let lived = halting(|| one_life(deps, lane, wish, (&condition, heartbeat, &state)));
        // Recovery, and waiting for what is away, may take as long as they take.
        heartbeat.rest();
        match lived {
            Ok(end) => return end,
            Err(_) if wish.is() != GO_ON => return End::LetGo,
            Err(halt) if halt.passes() => {
                tracing::warn!(role = R::NAME, lane, error = %halt, "the lane is recovered again");
                condition.set_not_ready(format!("waiting: {halt}"));
                state.set("waiting");
                if wait_or_wish(wish) {
                    return End::LetGo;
                }
            }
            Err(halt) => {
                tracing::error!(role = R::NAME, lane, error = %halt, "the lane is halted");
                condition.set_not_ready(format!("halted: {halt}"));
                state.halt(halt.code().unwrap_or("PORT"));
                while wish.is() == GO_ON {
                    std::thread::sleep(Duration::from_millis(50));
                }
                return End::Halted;
            }
        }
    }
}

/// What a life comes to; a panic halts its lane, and the others of the process run on. Nothing of a life outlasts it but
/// what its lane has published: the next owner begins from there.
fn halting(life: impl FnOnce() -> Result<End, LaneHalt>) -> Result<End, LaneHalt> {
    panic::catch_unwind(AssertUnwindSafe(life)).unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| cause.downcast_ref::<String>().cloned());
        Err(LaneHalt::Panicked { text: text.unwrap_or_default() })
    })
}

fn wait_or_wish(wish: &Wish) -> bool {
    let end = Instant::now() + AGAIN;
    while Instant::now() < end {
        if wish.is() != GO_ON {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// What a lane's thread is judged by.
type Signs<'a> = (&'a Condition, &'a Heartbeat, &'a LaneState);

fn one_life<R: Role>(deps: &Deps<R>, lane: i32, wish: &Wish, signs: Signs<'_>) -> Result<End, LaneHalt> {
    while !deps.is_free(lane) {
        signs.0.set_not_ready("waiting for the end of the lane's producer before");
        if wait_or_wish(wish) {
            return Ok(End::LetGo);
        }
    }
    let mut publisher = KafkaPublisher::open::<R>(&deps.world.config.kafka, lane, &topic_names())?;
    let end = lead(deps, lane, wish, signs, &mut publisher);
    // A lane that was dropped or failed leaves its step in doubt to the next life.
    let limit = if matches!(end, Ok(End::LetGo)) && wish.is() != DROP { CLOSE } else { Duration::ZERO };
    deps.leave(lane, publisher.close(limit));
    end
}

/// Recovers the lane and runs it until it is let go.
fn lead<R: Role>(
    deps: &Deps<R>,
    lane: i32,
    wish: &Wish,
    (condition, heartbeat, state): Signs<'_>,
    publisher: &mut KafkaPublisher,
) -> Result<End, LaneHalt> {
    let started = Instant::now();
    let world = &*deps.world;
    let config = &world.config;
    let mut codec = AvroCodec::replaying(world.schemas.clone());
    let own = u32::try_from(lane).expect("a partition number is not negative");
    let lanes = u32::try_from(config.lanes).expect("checked with the configuration");
    let mut checkpoints =
        PostgresCheckpoints::new(world.store.clone(), world.runtime.clone(), &config.kafka.deployment, R::NAME, own, lanes);
    let mut past = KafkaPast::open::<R>(&config.kafka, lane)?;
    let target = Target { lane, lanes: config.lanes, genesis: world.genesis };
    let let_go = || wish.is() != GO_ON;
    let recovered = recover(target, &deps.fresh, &mut codec, &mut past, &mut checkpoints, publisher, &let_go)?;
    drop(past);
    let ahead = (config.pacing.clock == Clock::Event).then_some(config.core.future_tick_seconds);
    let mut reader = KafkaReader::open(&config.kafka, &format!("{}-{lane}", R::NAME), ahead)?;
    let steady = MachineTime::default();
    let mut ports = Ports { reader: &mut reader, publisher, checkpoints: &mut checkpoints, codec: &mut codec, steady: &steady };
    let observer = LaneObserver::new::<R>(&world.metrics, own, started.elapsed(), config.telemetry.waiting_warn_seconds);
    let mut worker = LaneWorker::start(recovered, &config.core, config.pacing.clone(), Box::new(observer), &mut ports)?;
    condition.set_ready();
    state.set("live");
    loop {
        heartbeat.beat();
        match wish.is() {
            GO_ON => {
                if worker.turn(clock::now(), &mut ports)? == Turn::Fenced {
                    tracing::warn!(role = R::NAME, lane, "another owner has the lane; it is let go at once");
                    return Ok(End::Fenced);
                }
            }
            DROP => return Ok(End::LetGo),
            millis => {
                let whole = worker.finish(Duration::from_millis(millis), &mut ports)?;
                tracing::info!(role = R::NAME, lane, step = worker.confirmed(), whole, "let the lane go");
                return Ok(End::LetGo);
            }
        }
    }
}

fn topic_names() -> Vec<TopicName> {
    Topic::ALL.iter().map(|topic| TopicName::from(topic.name())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_that_panics_halts_its_lane_and_says_why() {
        let said = |text: &str| Err(LaneHalt::Panicked { text: text.to_owned() });
        assert_eq!(halting(|| panic!("a sum of {} amounts leaves its width", 3)), said("a sum of 3 amounts leaves its width"));
        assert_eq!(halting(|| panic!("never")), said("never"));
        assert_eq!(halting(|| panic::panic_any(7)), said(""));
        assert_eq!(halting(|| Ok(End::LetGo)), Ok(End::LetGo));
        let halt = halting(|| panic!("never")).unwrap_err();
        assert_eq!((halt.code(), halt.passes()), (Some("PANICKED"), false));
    }
}
