//! The consumer group as a hint of who owns which lane.
//!
//! A member subscribes to a topic whose partitions are the lanes and reads nothing of it. Promises
//! to hold a revocation until the worker has let go (or two seconds), and that each lane of a group at rest is
//! somebody's. It protects nothing: what keeps two owners apart is the fencing of the lane's transactional id.

use crate::NO_PANIC;
use crate::callbacks::Callbacks;
use crate::client_config;
use crate::errors::{MembershipError, SettingsError};
use crate::message::TopicName;
use crate::settings::KafkaSettings;
use crate::unowned::Unowned;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientContext, TopicPartitionList};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tracing::subscriber::NoSubscriber;

/// One poll of the group; also how quickly `leave` and `stalled` are noticed.
const POLL: Duration = Duration::from_millis(50);
/// A member whose name is said to be taken joins again: after a broker's restart librdkafka may send a
/// heartbeat without its member id, which the broker takes for another process's. Two processes of one name
/// take it from each other as soon as either has it: so often in a row, each time so soon after it was
/// assigned its lanes, is the work of another process.
const TAKEN_IN_A_ROW: u32 = 4;
/// How soon.
const TAKEN_SOON: Duration = Duration::from_secs(15);
/// How long it stays away before.
const TAKEN_PAUSE: Duration = Duration::from_secs(1);

/// Who joins what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembershipSettings {
    /// The group ([`KafkaSettings::group_id`]).
    pub group: String,
    /// This process's own name in it: under the same name it has its lanes back at once after a
    /// restart.
    pub instance: String,
    /// The topic whose partitions are the lanes.
    pub topic: TopicName,
    /// Another topic that the role may read, for whoever joins only to have lanes shared out anew.
    pub beside: TopicName,
    /// After this silence the lanes go to others.
    pub session: Duration,
    /// Between two signs of life; also how late a member hears of a rebalance.
    pub heartbeat: Duration,
    /// How long a revocation waits for its [`Ack`].
    pub let_go_within: Duration,
}

impl MembershipSettings {
    /// The settings that were measured: session 6 s, heartbeat 0.5 s, two seconds to let go.
    #[must_use]
    pub fn new(group: String, instance: String, topic: TopicName, beside: TopicName) -> Self {
        Self {
            group,
            instance,
            topic,
            beside,
            session: Duration::from_millis(client_config::SESSION_MS.into()),
            heartbeat: Duration::from_millis(client_config::HEARTBEAT_MS.into()),
            let_go_within: Duration::from_secs(2),
        }
    }
}

/// What the group says. Lists hold lanes (partitions), rising.
#[derive(Debug)]
pub enum MembershipEvent {
    /// These lanes are ours as well: recover them, then `init` their producers. None: this process is a
    /// member, and others have what there is.
    Assigned(Vec<i32>),
    /// Finish the commit in flight, checkpoint, let these lanes go, then acknowledge.
    Revoked(Vec<i32>, Ack),
    /// These lanes may be somebody else's already: let go at once.
    Lost(Vec<i32>),
    /// The last word: this process is no member any more (its lanes were [`MembershipEvent::Lost`]).
    Failed(MembershipError),
}

/// Answers a revocation; dropping it answers too.
#[derive(Debug)]
pub struct Ack {
    _answer: SyncSender<()>,
}

impl Ack {
    /// The lanes are let go.
    pub fn done(self) {}

    fn pair() -> (Self, Receiver<()>) {
        let (answer, answered) = sync_channel(1);
        (Self { _answer: answer }, answered)
    }
}

/// A membership, on its own thread. Dropping it leaves.
pub struct Membership {
    leaving: Arc<AtomicBool>,
    stalled: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Membership {
    /// Joins the group. `tell` is called on the membership's thread and must not block.
    ///
    /// # Errors
    /// When no client can be made of the settings.
    pub fn join(
        settings: &KafkaSettings,
        membership: MembershipSettings,
        tell: impl Fn(MembershipEvent) + Send + Sync + 'static,
    ) -> Result<Self, MembershipError> {
        let config = config_of(settings, &membership)?;
        let (leaving, stalled) = (Arc::default(), Arc::default());
        let member = Member {
            config,
            membership: Arc::new(membership),
            tell: Arc::new(tell),
            leaving: Arc::clone(&leaving),
            stalled: Arc::clone(&stalled),
            assigned: Arc::default(),
        };
        let first = member.joined()?;
        let named = thread::Builder::new().name(format!("member {}", member.membership.instance));
        let thread = named.spawn(move || member.run(first)).map_err(|error| SettingsError::Refused { reason: error.to_string() })?;
        Ok(Self { leaving, stalled, thread: Some(thread) })
    }

    /// Says whether the worker has stalled. While it has, this process gives no sign of life, and
    /// its lanes go to others when the session ends; afterwards it joins again.
    pub fn set_stalled(&self, stalled: bool) {
        self.stalled.store(stalled, Ordering::Relaxed);
    }

    /// Ends the membership: lanes are revoked, and, the membership being static, kept for this
    /// name until the session ends.
    pub fn leave(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.leaving.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(target: "kafka", "the membership's thread panicked");
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.end();
    }
}

fn config_of(settings: &KafkaSettings, membership: &MembershipSettings) -> Result<ClientConfig, SettingsError> {
    let millis = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    let (session, heartbeat) = (millis(membership.session), millis(membership.heartbeat));
    client_config::member(settings, &membership.group, &membership.instance, session, heartbeat)
}

/// The thread's own state.
struct Member {
    config: ClientConfig,
    membership: Arc<MembershipSettings>,
    tell: Arc<dyn Fn(MembershipEvent) + Send + Sync>,
    leaving: Arc<AtomicBool>,
    stalled: Arc<AtomicBool>,
    /// When the group last answered with an assignment.
    assigned: Arc<Mutex<Option<Instant>>>,
}

impl Member {
    fn run(&self, first: BaseConsumer<Group>) {
        let mut consumer = Some(first);
        let mut taken = 0;
        let MembershipSettings { group, topic, beside, .. } = &*self.membership;
        let mut unowned = Unowned::of(&self.config, group, topic, beside);
        while !self.leaving.load(Ordering::Relaxed) {
            if self.stalled.load(Ordering::Relaxed) {
                if let Some(consumer) = consumer.take() {
                    consumer.context().lose();
                    let_go(consumer);
                }
                thread::sleep(POLL);
                continue;
            }
            let polled = match consumer.take() {
                Some(consumer) => Ok(consumer),
                None => self.joined(),
            };
            match polled.and_then(|consumer| self.polled(consumer)) {
                Ok(alive) => {
                    unowned.look(&alive, self.assigned_at());
                    consumer = Some(alive);
                }
                Err(MembershipError::DuplicateInstance { .. }) if taken < TAKEN_IN_A_ROW => {
                    taken = if self.was_just_assigned() { taken + 1 } else { 0 };
                    tracing::warn!(target: "kafka", instance = self.membership.instance, "the instance name is said to be taken; joining again");
                    thread::sleep(TAKEN_PAUSE);
                }
                Err(error) => return self.fail(error),
            }
        }
        if let Some(consumer) = consumer {
            let_go(consumer);
        }
    }

    fn assigned_at(&self) -> Option<Instant> {
        *self.assigned.lock().expect(NO_PANIC)
    }

    fn was_just_assigned(&self) -> bool {
        self.assigned_at().is_some_and(|at| at.elapsed() < TAKEN_SOON)
    }

    fn joined(&self) -> Result<BaseConsumer<Group>, MembershipError> {
        let refused = |error: KafkaError| SettingsError::Refused { reason: error.to_string() };
        let group = Group {
            callbacks: Callbacks::of(&self.config),
            let_go_within: self.membership.let_go_within,
            tell: Arc::clone(&self.tell),
            owned: Mutex::default(),
            assigned: Arc::clone(&self.assigned),
            lost: AtomicBool::new(false),
        };
        let consumer: BaseConsumer<Group> = self.config.create_with_context(group).map_err(refused)?;
        consumer.subscribe(&[self.membership.topic.as_str()]).map_err(refused)?;
        Ok(consumer)
    }

    fn polled(&self, consumer: BaseConsumer<Group>) -> Result<BaseConsumer<Group>, MembershipError> {
        let polled = consumer.poll(POLL);
        consumer.context().callbacks.mend(consumer.client());
        let code = match polled {
            Some(Err(error)) => error.rdkafka_error_code(),
            Some(Ok(_)) | None => None,
        };
        let fatal = consumer.client().fatal_error();
        let (code, reason) = match (fatal, code) {
            (Some((code, reason)), _) => (code, reason),
            (None, Some(code)) if is_final(code) => (code, code.to_string()),
            (None, _) => return Ok(consumer),
        };
        consumer.context().lose();
        let_go(consumer);
        Err(self.error_of(code, reason))
    }

    fn error_of(&self, code: RDKafkaErrorCode, reason: String) -> MembershipError {
        let group = self.membership.group.clone();
        if code == RDKafkaErrorCode::FencedInstanceId {
            let instance = self.membership.instance.clone();
            return MembershipError::DuplicateInstance { group, instance };
        }
        MembershipError::Fatal { group, reason }
    }

    fn fail(&self, error: MembershipError) {
        tracing::error!(target: "kafka", %error, "the membership ends");
        (self.tell)(MembershipEvent::Failed(error));
    }
}

/// Ends a client. One with a fatal error is no member any more and cannot leave its group, which rdkafka calls an error
/// of its own as it drops it: there is nothing in it that has not been told, and nothing to be done.
fn let_go(consumer: BaseConsumer<Group>) {
    let Some((_, reason)) = consumer.client().fatal_error() else { return drop(consumer) };
    tracing::info!(target: "kafka", reason, "the group has put this member out; its client is let go");
    tracing::subscriber::with_default(NoSubscriber::default(), || drop(consumer));
}

/// Errors after which librdkafka would not become a member again by itself.
fn is_final(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::FencedInstanceId
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::InconsistentGroupProtocol
            | RDKafkaErrorCode::InvalidSessionTimeout
            | RDKafkaErrorCode::Fatal
    )
}

/// What one consumer knows of the group.
struct Group {
    callbacks: Callbacks,
    let_go_within: Duration,
    tell: Arc<dyn Fn(MembershipEvent) + Send + Sync>,
    owned: Mutex<BTreeSet<i32>>,
    assigned: Arc<Mutex<Option<Instant>>>,
    lost: AtomicBool,
}

impl Group {
    /// Tells that everything is lost; what the closing consumer revokes is then no news.
    fn lose(&self) {
        self.lost.store(true, Ordering::Relaxed);
        let lanes: Vec<i32> = std::mem::take(&mut *self.owned()).into_iter().collect();
        if !lanes.is_empty() {
            (self.tell)(MembershipEvent::Lost(lanes));
        }
    }

    fn assigned(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) {
        if let Err(error) = consumer.pause(list) {
            tracing::warn!(target: "kafka", %error, "lanes could not be paused; their records are ignored");
        }
        *self.assigned.lock().expect(NO_PANIC) = Some(Instant::now());
        let lanes = lanes_of(list);
        self.owned().extend(&lanes);
        (self.tell)(MembershipEvent::Assigned(lanes));
    }

    fn revoked(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) {
        if consumer.assignment_lost() {
            return self.lose_some(list);
        }
        let mut lanes = lanes_of(list);
        {
            let mut owned = self.owned();
            lanes.retain(|lane| owned.remove(lane));
        }
        if lanes.is_empty() || self.lost.load(Ordering::Relaxed) {
            return;
        }
        let (ack, answered) = Ack::pair();
        let started = Instant::now();
        (self.tell)(MembershipEvent::Revoked(lanes, ack));
        // An answer and a dropped Ack both end the wait; heartbeats go on meanwhile.
        if answered.recv_timeout(self.let_go_within) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            let waited = started.elapsed();
            tracing::warn!(target: "kafka", ?waited, "lanes were let go before the worker said so");
        }
    }

    fn lose_some(&self, list: &TopicPartitionList) {
        let mut lanes = lanes_of(list);
        lanes.retain(|lane| self.owned().remove(lane));
        if !lanes.is_empty() {
            (self.tell)(MembershipEvent::Lost(lanes));
        }
    }

    fn owned(&self) -> std::sync::MutexGuard<'_, BTreeSet<i32>> {
        self.owned.lock().expect(NO_PANIC)
    }
}

impl ClientContext for Group {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.callbacks.on_log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.callbacks.on_error(&error, reason);
    }

    fn stats_raw(&self, json: &[u8]) {
        self.callbacks.on_statistics(json);
    }
}

impl ConsumerContext for Group {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(list) = rebalance {
            self.revoked(consumer, list);
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(list) => self.assigned(consumer, list),
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => {
                tracing::warn!(target: "kafka", %error, "a rebalance failed; the group tries again");
            }
        }
    }
}

fn lanes_of(list: &TopicPartitionList) -> Vec<i32> {
    let mut lanes: Vec<i32> = list.elements().iter().map(|element| element.partition()).collect();
    lanes.sort_unstable();
    lanes
}
