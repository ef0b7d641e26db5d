//! Three instances of every role: they die, stand still and come back, and what that took is read from their logs.

use crate::e2e::crew::LANES;
use domain::Timestamp;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use system_tests::service::{Service, now};
use system_tests::stack::Stack;
use system_tests::waiting::{from_environment, until};

/// Roles that share lanes, then those of which one works and the others stand by.
pub const ROLES: [&str; 6] = ["position-keeper", "rebalancer", "paper-router", "performance-tracker", "conflator", "projector"];
/// How many of them share lanes.
pub const SHARING: usize = 4;
const INSTANCES: usize = 3;

/// How a process is now.
enum State {
    Runs,
    /// Killed; started again then.
    Dead(Instant),
    /// Stopped; goes on then.
    Still(Instant),
}

struct Member {
    service: Service,
    state: State,
    kills: Vec<Timestamp>,
    freezes: usize,
    /// Starts that ended because the broker was away.
    vain: usize,
}

impl Member {
    fn runs(&mut self) -> bool {
        matches!(self.state, State::Runs) && !self.service.gave_up_starting()
    }
}

/// All processes.
pub struct Fleet {
    members: Vec<Member>,
}

/// What the kills took.
#[derive(Debug, Default)]
pub struct Recoveries {
    /// Milliseconds from the kill of a lane's owner until somebody runs it again, ascending.
    pub took_ms: Vec<i64>,
    /// Steps that were computed again.
    pub replayed: u64,
}

impl Fleet {
    /// Starts all and waits until every lane of each role runs.
    pub fn start(stack: &Stack) -> Self {
        // Often, so that recovery from checkpoints is what is tested; a load of millions wants it more seldom.
        let checkpoints = format!("pacing.checkpoint_ms={}", from_environment("BALLAST_CHECKPOINT_MS", 2000));
        let member = |role: &str, instance: usize| Member {
            service: Service::start(stack, &[role], &instance.to_string(), &[&checkpoints]),
            state: State::Runs,
            kills: Vec::new(),
            freezes: 0,
            vain: 0,
        };
        let fleet = Self { members: ROLES.iter().flat_map(|role| (1..=INSTANCES).map(move |n| member(role, n))).collect() };
        fleet.await_lanes();
        fleet
    }

    fn await_lanes(&self) {
        until("every lane of every role runs", Duration::from_secs(120), || {
            let lanes = |role: usize| {
                let recovered = self.members[role * INSTANCES..][..INSTANCES].iter().flat_map(|member| member.service.recovered());
                recovered.map(|lane| lane.lane).collect::<std::collections::BTreeSet<_>>().len()
            };
            (0..SHARING).all(|role| lanes(role) == LANES).then_some(())
        });
    }

    /// How many processes there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// SIGKILL of one, which is started again after a while; whether it ran.
    pub fn kill(&mut self, at: usize, away: Duration) -> bool {
        let member = &mut self.members[at];
        if !member.runs() {
            return false;
        }
        member.service.kill();
        member.kills.push(now());
        member.state = State::Dead(Instant::now() + away);
        true
    }

    /// SIGSTOP of one, SIGCONT after a while; whether it ran.
    pub fn freeze(&mut self, at: usize, span: Duration) -> bool {
        let member = &mut self.members[at];
        if !member.runs() {
            return false;
        }
        member.service.signal("STOP");
        member.freezes += 1;
        member.state = State::Still(Instant::now() + span);
        true
    }

    /// Starts and lets go on whose time has come.
    pub fn tend(&mut self, stack: &Stack) {
        self.revive(stack, Instant::now());
    }

    /// Brings all back.
    pub fn gather(&mut self, stack: &Stack) {
        self.revive(stack, Instant::now() + Duration::from_secs(3600));
    }

    /// How many starts ended because the broker was away, which whoever supervises processes repeats.
    pub fn vain_starts(&self) -> usize {
        self.members.iter().map(|member| member.vain).sum()
    }

    fn revive(&mut self, stack: &Stack, until: Instant) {
        for member in &mut self.members {
            match member.state {
                State::Dead(then) if then <= until => member.service.restart(stack),
                State::Still(then) if then <= until => member.service.signal("CONT"),
                State::Dead(_) => continue,
                State::Runs | State::Still(_) if member.service.gave_up_starting() => {
                    member.vain += 1;
                    member.service.restart(stack);
                }
                State::Runs | State::Still(_) => {
                    // Nothing that happens to its surroundings may end a process that has begun.
                    member.service.assert_runs();
                    continue;
                }
            }
            member.state = State::Runs;
        }
    }

    /// Kills and freezes of a role.
    pub fn struck(&self, role: usize) -> (usize, usize) {
        let members = &self.members[role * INSTANCES..][..INSTANCES];
        (members.iter().map(|member| member.kills.len()).sum(), members.iter().map(|member| member.freezes).sum())
    }

    /// What took how long, from the logs of all lives.
    pub fn recoveries(&self) -> Recoveries {
        let mut recoveries = Recoveries::default();
        for role in 0..SHARING {
            let members = &self.members[role * INSTANCES..][..INSTANCES];
            let mut lanes = BTreeMap::<u64, Vec<(Timestamp, Turn)>>::new();
            for (instance, member) in members.iter().enumerate() {
                for lane in member.service.recovered_ever() {
                    recoveries.replayed += lane.replayed;
                    lanes.entry(lane.lane).or_default().push((lane.at, Turn::Runs(instance)));
                }
            }
            for turns in lanes.values_mut() {
                let kills = members
                    .iter()
                    .enumerate()
                    .flat_map(|(instance, member)| member.kills.iter().map(move |at| (*at, Turn::Dies(instance))));
                turns.extend(kills);
                turns.sort_unstable();
                recoveries.took_ms.extend(gaps(turns));
            }
        }
        recoveries.took_ms.sort_unstable();
        recoveries
    }

    /// Lines of the level ERROR of all lives.
    pub fn errors(&self) -> Vec<serde_json::Value> {
        self.members.iter().flat_map(|member| member.service.errors_of_all_lives()).collect()
    }
}

/// What happens to a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// An instance runs it from now on.
    Runs(usize),
    /// An instance dies.
    Dies(usize),
}

/// From each death of a lane's owner until the lane runs again, in milliseconds.
fn gaps(turns: &[(Timestamp, Turn)]) -> Vec<i64> {
    let (mut owner, mut since, mut gaps) = (None, None, Vec::new());
    for (at, turn) in turns {
        match turn {
            Turn::Runs(instance) => {
                owner = Some(*instance);
                gaps.extend(since.take().map(|since| at.since(since) / 1000));
            }
            Turn::Dies(instance) if owner == Some(*instance) => {
                owner = None;
                since = Some(*at);
            }
            Turn::Dies(_) => {}
        }
    }
    gaps
}
