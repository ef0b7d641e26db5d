//! What may happen to a fleet and its servers: one list, and what each does.

use crate::e2e::fleet::Fleet;
use std::time::{Duration, Instant};
use system_tests::dice::Dice;
use system_tests::proxy::Proxy;
use system_tests::stack::Stack;

/// Longer than a session of the consumer groups, so that others take over what stands still.
const BEYOND_SESSION: Duration = Duration::from_secs(8);

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// SIGKILL of a process, which is back at once or after its lanes have gone to others.
    Kill,
    /// SIGSTOP of a process beyond its session, then SIGCONT.
    Freeze,
    /// SIGKILL of the broker.
    BrokerKilled,
    /// An orderly restart of the broker.
    BrokerRestarted,
    /// SIGSTOP of the broker for a while.
    BrokerStill,
    /// Postgres ends at once, with its connections.
    PostgresKilled,
    /// SIGSTOP of Postgres for a while.
    PostgresStill,
    /// The broker's disk is full for a while, which ends it.
    BrokerFull,
    /// Postgres' disk is full for a while.
    PostgresFull,
    /// Every connection to the broker is cut.
    Cut,
    /// Replies of the broker come late for a while.
    Late,
    /// The replies of some commits never come.
    Unheard,
}

/// Faults and how often each is drawn among a hundred.
pub const FAULTS: [(Fault, u64); 12] = [
    (Fault::Kill, 74),
    (Fault::Freeze, 5),
    (Fault::BrokerKilled, 1),
    (Fault::BrokerRestarted, 1),
    (Fault::BrokerStill, 2),
    (Fault::PostgresKilled, 2),
    (Fault::PostgresStill, 2),
    (Fault::BrokerFull, 1),
    (Fault::PostgresFull, 1),
    (Fault::Cut, 3),
    (Fault::Late, 3),
    (Fault::Unheard, 5),
];

/// A fault by its share.
pub fn drawn(dice: &mut Dice) -> Fault {
    let mut at = dice.below(FAULTS.iter().map(|(_, share)| share).sum());
    for (fault, share) in FAULTS {
        match at.checked_sub(share) {
            Some(rest) => at = rest,
            None => return fault,
        }
    }
    Fault::Kill
}

/// The servers under their faults.
pub struct Servers<'a> {
    stack: &'a Stack,
    proxy: Proxy,
    broker_still: Option<Instant>,
    postgres_still: Option<Instant>,
    broker_full: Option<Instant>,
    postgres_full: Option<Instant>,
    late: Option<Instant>,
}

impl<'a> Servers<'a> {
    /// Sound servers.
    pub fn new(stack: &'a Stack, proxy: Proxy) -> Self {
        Self { stack, proxy, broker_still: None, postgres_still: None, broker_full: None, postgres_full: None, late: None }
    }

    /// Whether a fault can ever happen to these servers.
    pub fn may(&self, fault: Fault) -> bool {
        !matches!(fault, Fault::BrokerFull | Fault::PostgresFull) || self.stack.volumes().is_some()
    }

    /// Lets a fault happen; whether it could.
    pub fn strike(&mut self, fault: Fault, fleet: &mut Fleet, dice: &mut Dice) -> bool {
        let member = usize::try_from(dice.below(fleet.len() as u64)).expect("an index");
        let while_ = Duration::from_millis(1000 + dice.below(5000));
        match fault {
            Fault::Kill => {
                let away = if dice.one_in(4) { BEYOND_SESSION } else { Duration::from_millis(dice.below(800)) };
                return fleet.kill(member, away);
            }
            Fault::Freeze => return fleet.freeze(member, BEYOND_SESSION),
            // A process that stands still, or has no room, is neither killed in order nor started again.
            Fault::BrokerKilled | Fault::BrokerRestarted | Fault::BrokerStill | Fault::BrokerFull if self.broker_is_struck() => {
                return false;
            }
            Fault::PostgresKilled | Fault::PostgresStill | Fault::PostgresFull if self.postgres_is_struck() => return false,
            Fault::BrokerKilled => {
                self.stack.control(&["kill-broker", "--signal", "KILL"]);
                std::thread::sleep(while_ / 2);
                self.stack.control(&["restart-broker"]);
            }
            Fault::BrokerRestarted => _ = self.stack.control(&["restart-broker", "--signal", "TERM"]),
            Fault::BrokerStill => {
                self.stack.control(&["kill-broker", "--signal", "STOP"]);
                self.broker_still = Some(Instant::now() + while_);
            }
            Fault::PostgresKilled => _ = self.stack.control(&["restart-postgres", "--signal", "QUIT"]),
            Fault::PostgresStill => {
                self.stack.control(&["stop-postgres", "--signal", "STOP"]);
                self.postgres_still = Some(Instant::now() + while_);
            }
            Fault::BrokerFull | Fault::PostgresFull => {
                let Some(volumes) = self.stack.volumes() else { return false };
                let (volume, until) = match fault {
                    Fault::BrokerFull => (&volumes.broker, &mut self.broker_full),
                    _ => (&volumes.postgres, &mut self.postgres_full),
                };
                volume.fill();
                *until = Some(Instant::now() + while_);
            }
            Fault::Cut => self.proxy.cut(),
            Fault::Late => {
                self.proxy.delay(Duration::from_millis(20 + dice.below(200)));
                self.late = Some(Instant::now() + while_);
            }
            Fault::Unheard => self.proxy.swallow(1 + dice.below(4)),
        }
        true
    }

    /// Ends what has lasted its time.
    pub fn tend(&mut self) {
        self.end(Instant::now());
    }

    /// Ends everything.
    pub fn calm(&mut self) -> u64 {
        self.end(Instant::now() + Duration::from_secs(3600));
        self.proxy.calm();
        self.proxy.swallowed()
    }

    fn broker_is_struck(&self) -> bool {
        self.broker_still.is_some() || self.broker_full.is_some()
    }

    fn postgres_is_struck(&self) -> bool {
        self.postgres_still.is_some() || self.postgres_full.is_some()
    }

    fn end(&mut self, until: Instant) {
        if let Some(volumes) = self.stack.volumes() {
            // What has ended for want of room is started again by whoever has made room.
            if self.broker_full.take_if(|then| *then <= until).is_some() {
                volumes.broker.free();
                self.stack.control(&["restart-broker"]);
            }
            if self.postgres_full.take_if(|then| *then <= until).is_some() {
                volumes.postgres.free();
                self.stack.control(&["restart-postgres"]);
            }
        }
        if self.broker_still.take_if(|then| *then <= until).is_some() {
            self.stack.control(&["kill-broker", "--signal", "CONT"]);
        }
        if self.postgres_still.take_if(|then| *then <= until).is_some() {
            self.stack.control(&["stop-postgres", "--signal", "CONT"]);
        }
        if self.late.take_if(|then| *then <= until).is_some() {
            self.proxy.delay(Duration::ZERO);
        }
    }
}
