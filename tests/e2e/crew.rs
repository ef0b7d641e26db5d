//! Every role as a process of its own, under a steady load.

use domain::Topic;
use std::time::{Duration, Instant};
use system_tests::accounts::{self, Counts};
use system_tests::feed::Feed;
use system_tests::load::Load;
use system_tests::service::Service;
use system_tests::stack::Stack;
use system_tests::waiting::{from_environment, until};

/// Lanes of a deployment, unless configured.
pub const LANES: usize = 4;
/// Between two portions of the load.
const BEAT: Duration = Duration::from_millis(20);
/// Between two prices of an instrument.
const TICK: Duration = Duration::from_millis(250);
/// Between two pushes out of the bands.
const PUSH: Duration = Duration::from_millis(500);
/// How long everything sent may take to be booked after the load has stopped.
const SETTLE: Duration = Duration::from_secs(120);
/// Records that may take a second more: they are read again and again until they are whole.
const READ_A_SECOND: u64 = 5_000;

/// Checkpoints often, so that recovery from them is what is tested.
pub const SETTINGS: &[&str] = &["pacing.checkpoint_ms=2000"];

/// Each role and how many lanes of it report their recovery.
const ROLES: [(&str, usize); 6] = [
    ("conflator", 0),
    ("position-keeper", LANES),
    ("rebalancer", LANES),
    ("paper-router", LANES),
    ("performance-tracker", LANES),
    ("projector", 0),
];

/// Starts every role in a process of its own.
pub fn hire(stack: &Stack) -> Vec<Service> {
    hire_with(stack, SETTINGS)
}

/// The same with other settings.
pub fn hire_with(stack: &Stack, settings: &[&str]) -> Vec<Service> {
    let mut crew: Vec<_> = ROLES.iter().map(|(role, _)| Service::start(stack, &[role], "1", settings)).collect();
    for (service, (_, lanes)) in crew.iter_mut().zip(ROLES) {
        service.await_lanes(lanes);
    }
    crew
}

/// Lanes of the crew's member.
pub fn lanes_of(member: usize) -> usize {
    ROLES[member].1
}

/// A load that runs beside what a test does to the service.
pub struct Shift {
    /// What is sent, and what must come of it.
    pub load: Load,
    feed: Feed,
    per_beat: usize,
    last_tick: Instant,
    last_push: Instant,
}

impl Shift {
    /// Publishes the opening and a first portion, then what that portion had to wait for.
    pub fn begin(stack: &Stack, seed: u64) -> Self {
        println!("seed {seed}");
        let mut load = Load::new(seed, 40, 6);
        let mut feed = Feed::open(stack);
        feed.send_all(&load.opening());
        feed.send_all(&load.fills(50));
        feed.flush();
        feed.send_all(&load.late_opening());
        feed.flush();
        let per_second = from_environment("BALLAST_LOAD_FILLS", 500);
        let per_beat = usize::try_from(per_second * 20 / 1000).expect("a small number").max(1);
        Self { load, feed, per_beat, last_tick: Instant::now(), last_push: Instant::now() }
    }

    /// Goes on for a while.
    pub fn work(&mut self, span: Duration) {
        let end = Instant::now() + span;
        while Instant::now() < end {
            let next = Instant::now() + BEAT;
            self.feed.send_all(&self.load.fills(self.per_beat));
            self.keep_prices();
            if self.last_push.elapsed() >= PUSH {
                self.last_push = Instant::now();
                self.feed.send(&self.load.push());
            }
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }

    /// Goes on until something has happened.
    pub fn work_until<T>(&mut self, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
        until(what, Duration::from_secs(60), || {
            self.work(Duration::from_millis(100));
            ask()
        })
    }

    fn keep_prices(&mut self) {
        if self.last_tick.elapsed() >= TICK {
            self.last_tick = Instant::now();
            self.feed.send_all(&self.load.ticks());
        }
    }

    /// Stops the load, waits until everything is booked and ended, and checks it: by the load's own
    /// model, and by the service's checker.
    pub fn settle(mut self, stack: &Stack) -> Counts {
        self.feed.flush();
        let (frozen, feed, mut market) = (self.load, self.feed, Load::new(1, 0, 0));
        let within = SETTLE + Duration::from_secs(frozen.sent / READ_A_SECOND);
        let counts = accounts::settle(stack, &frozen, within, || feed.send_all(&market.ticks()));
        counts.assert_whole();
        let sent = frozen.sent;
        println!(
            "sent {sent} records of {} executions, {} of them taken back or corrected, {} repeats; the client gave up and sent again {}",
            frozen.model.executions.len(),
            frozen.amended,
            frozen.repeats,
            feed.sent_again()
        );
        println!("{counts}");
        assert!(counts.executions >= frozen.model.executions.len() && counts.orders > 0, "the load did something: {counts}");
        verify(stack);
        counts
    }
}

/// The service's own checker, over every topic.
pub fn verify(stack: &Stack) {
    let ended = stack.ballast(&["verify"]);
    println!("{}", ended.out);
    assert_eq!(ended.code, Some(0), "ballast verify: {}", ended.err);
}

/// Steps that the position-keeper's lanes have committed, by the ledger's length: for "it goes on".
pub fn ledger_length(stack: &Stack) -> usize {
    system_tests::topic::records(stack, Topic::Ledger.name()).len()
}
