//! A post: of all processes of a role one holds it and works, the others stand by.
//!
//! The consumer group of a single place says who. Like the lanes' it is a hint: what keeps two holders
//! apart is what the work itself checks (frames that count, stored offsets). Who gives no sign of life
//! for long loses the post, as if the process had died.

use crate::config::Config;
use kafka_log::{Membership, MembershipEvent, MembershipSettings, TopicName};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;
use telemetry::{Condition, Heartbeat};

/// Between two looks at the holder's signs of life.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Between two looks at the stop sign while standing by.
const STAND_BY: Duration = Duration::from_millis(100);

/// A place in the queue for a post; dropping it leaves.
pub struct Post {
    role: &'static str,
    // Dropped before the membership: nobody is left then to answer a revocation, which must not wait.
    hear: Receiver<MembershipEvent>,
    _membership: Arc<Membership>,
    standing: Standing,
}

/// What the group said last.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    Joining,
    Waiting,
    Held,
    Ended(String),
}

impl Post {
    /// Queues for the post of a role: the one partition of `place`. While `heartbeat` is silent the post
    /// goes to others. `beside` is another topic that the role reads.
    pub fn queue_for(
        config: &Config,
        role: &'static str,
        [place, beside]: [TopicName; 2],
        heartbeat: &Arc<Heartbeat>,
    ) -> anyhow::Result<Self> {
        let name = format!("{}.{role}.{}", config.kafka.deployment, config.instance);
        let settings = MembershipSettings::new(config.kafka.group_id(role), name, place, beside);
        let (tell, hear) = channel();
        let membership = Arc::new(Membership::join(&config.kafka, settings, move |event| {
            // After the role has stopped nobody listens.
            let _ = tell.send(event);
        })?);
        let (watched, heartbeat) = (Arc::downgrade(&membership), heartbeat.clone());
        std::thread::Builder::new().name(format!("{role} post")).spawn(move || watch(&watched, &heartbeat))?;
        Ok(Self { role, hear, _membership: membership, standing: Standing::Joining })
    }

    /// Whether the post is ours; waits up to `wait` for news of it. An error: this process can hold it no more.
    pub fn is_held(&mut self, wait: Duration) -> anyhow::Result<bool> {
        let mut wait = wait;
        loop {
            match self.hear.recv_timeout(wait) {
                Ok(event) => self.take(event),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    let ended = Standing::Ended(format!("the membership of {} has ended", self.role));
                    self.standing = if matches!(self.standing, Standing::Ended(_)) { self.standing.clone() } else { ended };
                    break;
                }
            }
            wait = Duration::ZERO;
        }
        match &self.standing {
            Standing::Ended(why) => anyhow::bail!("{why}"),
            standing => Ok(*standing == Standing::Held),
        }
    }

    /// Waits for the post; whether it is ours. Who stands by as a member is ready.
    pub fn stand_by(&mut self, condition: &Condition) -> anyhow::Result<bool> {
        let held = self.is_held(STAND_BY)?;
        match self.standing {
            Standing::Joining => condition.set_not_ready("joining its group"),
            _ if !held => condition.set_ready(),
            _ => {}
        }
        Ok(held)
    }

    fn take(&mut self, event: MembershipEvent) {
        let before = self.standing.clone();
        self.standing = match event {
            MembershipEvent::Assigned(places) if places.is_empty() && before == Standing::Held => Standing::Held,
            MembershipEvent::Assigned(places) if places.is_empty() => Standing::Waiting,
            MembershipEvent::Assigned(_) => Standing::Held,
            MembershipEvent::Revoked(_, ack) => {
                ack.done();
                Standing::Waiting
            }
            MembershipEvent::Lost(_) => Standing::Joining,
            MembershipEvent::Failed(error) => Standing::Ended(error.to_string()),
        };
        if self.standing != before {
            tracing::info!(role = self.role, standing = ?self.standing, "the group has spoken");
        }
    }
}

fn watch(membership: &Weak<Membership>, heartbeat: &Heartbeat) {
    while let Some(membership) = membership.upgrade() {
        membership.set_stalled(heartbeat.is_silent());
        drop(membership);
        std::thread::sleep(LOOK_EVERY);
    }
}
