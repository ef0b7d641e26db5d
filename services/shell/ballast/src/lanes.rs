//! Runs the lanes of a role in this process: the group says which are ours, each has a thread of its
//! own that recovers it, runs it, and lets it go. Restarts what may be restarted, halts what must not run.

mod life;

use crate::config::Config;
use crate::stop::Stop;
use avro_codec::SchemaStore;
use engine::Role;
use kafka_log::{Membership, MembershipEvent, MembershipSettings, TopicName};
use life::{Deps, LaneHandle};
use postgres_store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use telemetry::{Health, Metrics};
use tokio::runtime::Handle;

/// How long a lane may take to let go when it is revoked or the process stops.
const LET_GO: Duration = Duration::from_millis(1900);
/// How long lanes may take to finish when the process stops.
const FINISH: Duration = Duration::from_secs(4);

/// A role or lane that gives no sign of life for so long is stuck: `/livez` fails, and the group gives
/// its lanes to others. Far above what a busy machine or a broker's restart takes.
pub(crate) const SILENCE: Duration = Duration::from_secs(60);

/// What every lane of the process shares.
pub struct World {
    /// Configuration.
    pub config: Config,
    /// Postgres.
    pub store: Store,
    /// Where its calls run.
    pub runtime: Handle,
    /// Metrics.
    pub metrics: Metrics,
    /// Health.
    pub health: Health,
    /// Schemas that may be read.
    pub schemas: SchemaStore,
    /// The operator allows to fold inputs anew.
    pub genesis: bool,
}

/// Runs a role until told to stop.
pub fn run<R: Role + 'static>(world: &Arc<World>, fresh: fn() -> R, stop: &Stop) -> anyhow::Result<()> {
    let kafka = &world.config.kafka;
    let settings = MembershipSettings::new(
        kafka.group_id(R::NAME),
        format!("{}.{}.{}", kafka.deployment, R::NAME, world.config.instance),
        TopicName::from(R::PROGRESS.name()),
        TopicName::from(R::INPUTS[0].name()),
    );
    let condition = world.health.condition(R::NAME);
    condition.set_not_ready("joining its group");
    let heartbeat = world.health.heartbeat(R::NAME, SILENCE);
    let told = world.metrics.role(R::NAME);
    told.lanes().set_count(world.config.lanes.unsigned_abs().into());
    // A series that begins with its first event shows no rise.
    ["assigned", "revoked", "lost"].iter().for_each(|change| told.group_changes(change).add(0));
    let changed = |change: &str, lanes: &[i32]| told.group_changes(change).add(lanes.len() as u64);
    let (tell, hear) = channel();
    let membership = Membership::join(kafka, settings, move |event| {
        // After the role has stopped nobody listens.
        let _ = tell.send(event);
    })?;
    let mut lanes = Lanes { deps: Deps::new(world.clone(), fresh), running: BTreeMap::new(), stuck: Vec::new() };
    while !stop.asked() {
        heartbeat.beat();
        match hear.recv_timeout(Duration::from_millis(50)) {
            Ok(MembershipEvent::Assigned(assigned)) => {
                changed("assigned", &assigned);
                lanes.start(&assigned);
                // Each lane has a condition of its own; who has none stands by.
                condition.set_ready();
            }
            Ok(MembershipEvent::Revoked(revoked, ack)) => {
                changed("revoked", &revoked);
                lanes.finish(&revoked, LET_GO);
                ack.done();
            }
            Ok(MembershipEvent::Lost(lost)) => {
                condition.set_not_ready("its lanes were lost; joining its group again");
                changed("lost", &lost);
                lanes.drop_now(&lost);
            }
            Ok(MembershipEvent::Failed(error)) => return Err(error.into()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => anyhow::bail!("the membership of {} has ended", R::NAME),
        }
        lanes.tend();
        membership.set_stalled(lanes.is_stalled());
    }
    let all: Vec<_> = lanes.running.keys().copied().collect();
    lanes.finish(&all, FINISH);
    // Nobody is left to answer the revocation that leaving brings: it must not wait for an answer.
    drop(hear);
    membership.leave();
    Ok(())
}

struct Lanes<R> {
    deps: Arc<Deps<R>>,
    running: BTreeMap<i32, LaneHandle>,
    /// Threads that were asked to end and gave no sign of life.
    stuck: Vec<LaneHandle>,
}

impl<R: Role + 'static> Lanes<R> {
    fn start(&mut self, lanes: &[i32]) {
        for lane in lanes {
            if !self.running.contains_key(lane) {
                self.running.insert(*lane, LaneHandle::spawn(&self.deps, *lane));
            }
        }
    }

    fn finish(&mut self, lanes: &[i32], limit: Duration) {
        for lane in lanes {
            if let Some(handle) = self.running.get(lane) {
                handle.ask_to_finish(limit);
            }
        }
        self.part_from(lanes);
    }

    fn drop_now(&mut self, lanes: &[i32]) {
        for lane in lanes {
            if let Some(handle) = self.running.get(lane) {
                handle.ask_to_drop();
            }
        }
        self.part_from(lanes);
    }

    /// Waits for the threads to end, except for those that are stuck.
    fn part_from(&mut self, lanes: &[i32]) {
        for handle in lanes.iter().filter_map(|lane| self.running.remove(lane)) {
            if handle.is_silent() { self.stuck.push(handle) } else { handle.join() }
        }
    }

    /// Whether a lane's thread gives no sign of life: while it does not, the group counts us as gone.
    fn is_stalled(&mut self) -> bool {
        self.stuck.retain(LaneHandle::is_running);
        !self.stuck.is_empty() || self.running.values().any(LaneHandle::is_silent)
    }

    /// A lane that was fenced although the group still says that it is ours is taken up again after a
    /// while: the other owner has died, or the group will tell.
    fn tend(&mut self) {
        let ended: Vec<_> = self.running.iter_mut().filter_map(|(lane, handle)| handle.may_restart().then_some(*lane)).collect();
        for lane in ended {
            if let Some(handle) = self.running.remove(&lane) {
                handle.join();
                self.start(&[lane]);
            }
        }
    }
}
