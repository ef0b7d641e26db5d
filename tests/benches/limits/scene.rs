//! A stack, a book and every role but the paper router in one process, as all scenes have them.

use crate::feeder::{Feeder, kafka, message};
use crate::fixture::fills::{INSTRUMENTS, Shape, instrument};
use crate::gauge::{Gauge, Usage};
use crate::probe::Probe;
use domain::{Input, Timestamp, Topic};
use kafka_log::{Producer, TopicName};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use system_tests::books::tick;
use system_tests::service::{Service, now};
use system_tests::stack::Stack;
use system_tests::waiting::until;

const ROLES: [&str; 5] = ["position-keeper", "conflator", "rebalancer", "performance-tracker", "projector"];
/// Lanes of the three roles that have lanes.
const LANES: usize = 12;
/// Fills in the ledger.
const BOOKED: &str = "SELECT count(*) FROM ledger_entries WHERE cause_topic = 'execution.fills.v1'";
/// Fills of a portion, small beside what the producer's queue takes.
const PORTION: u64 = 10_000;

/// What a scene is played with.
pub struct Scene {
    pub stack: Stack,
    pub gauge: Gauge,
    pub service: Service,
    feeder: Feeder,
    probe: Probe,
    shape: Shape,
    /// Fills that were sent, the first of the probe among them.
    sent: u64,
    /// Whether the process still counts all of them.
    first_life: bool,
}

impl Scene {
    /// Servers, instruments, policies, and the service.
    pub fn open(name: &str, shape: Shape, settings: &[&str]) -> Self {
        Self::open_at(name, shape, settings, now())
    }

    /// The same at another time.
    pub fn open_at(name: &str, shape: Shape, settings: &[&str], time: Timestamp) -> Self {
        let stack = Stack::quick(name);
        let mut feeder = Feeder::open(&stack, shape);
        feeder.move_to(time);
        feeder.furnish();
        let probe = Probe::furnish(&stack, &feeder);
        let gauge = Gauge::at_a_free_port();
        let bind = format!("telemetry.http_bind={}", gauge.address());
        let mut service = Service::start(&stack, &ROLES, "limits", &[&[bind.as_str()], settings].concat());
        service.await_lanes(LANES);
        Self { stack, gauge, service, feeder, probe, shape, sent: 1, first_life: true }
    }

    /// A first fill for each position, booked.
    pub fn fill_book(&mut self, limit: Duration) {
        self.publish(self.shape.positions());
        self.await_booked(limit);
    }

    /// Sends the next fills.
    pub fn publish(&mut self, fills: u64) {
        for from in (0..fills).step_by(usize::try_from(PORTION).expect("a small number")) {
            self.feeder.publish(PORTION.min(fills - from));
        }
        self.sent += fills;
    }

    /// What follows is of another moment.
    pub fn move_to(&mut self, time: Timestamp) {
        self.feeder.move_to(time);
        for n in 0..INSTRUMENTS {
            let Input::Tick(mut price) = tick(&instrument(n), 1_050 + n) else { unreachable!("a tick was made") };
            price.event_time = time;
            self.feeder.send(Topic::Ticks, &Input::Tick(price));
        }
    }

    /// Waits until every fill that was sent stands in the ledger; when the last one was committed, or seen in SQL by who
    /// does not know what earlier lives have read.
    pub fn await_booked(&self, limit: Duration) -> Instant {
        if self.first_life {
            self.gauge.await_fills(self.sent, limit);
            return self.gauge.last_commit(limit);
        }
        self.await_table(BOOKED, self.sent, limit);
        Instant::now()
    }

    /// Waits until a question of the tables is answered by this number.
    pub fn await_table(&self, question: &str, answer: u64, limit: Duration) {
        until(&format!("{question}: {answer}"), limit, || {
            let is = self.stack.control(&["sql", question]).trim() == answer.to_string();
            // It reads whole tables.
            (!is).then(|| std::thread::sleep(Duration::from_millis(500)));
            is.then_some(())
        });
    }

    /// How long a backlog takes that came while the service stood still.
    pub fn drain(&mut self, fills: u64) -> Duration {
        self.service.signal("STOP");
        self.publish(fills);
        let began = Instant::now();
        self.service.signal("CONT");
        self.await_booked(Duration::from_secs(600)) - began
    }

    /// What is measured again and again while so many fills come.
    pub fn during(&mut self, fills: u64, measure: fn(&mut Self) -> Duration) -> Vec<Duration> {
        let mut took = Vec::new();
        for from in (0..fills).step_by(usize::try_from(PORTION).expect("a small number")) {
            self.publish(PORTION.min(fills - from));
            took.push(measure(self));
        }
        self.await_booked(Duration::from_secs(600));
        took
    }

    pub fn tick_to_drift(&mut self) -> Duration {
        self.probe.tick_to_drift()
    }

    pub fn fill_to_ledger(&mut self) -> Duration {
        self.sent += 1;
        self.probe.fill_to_ledger()
    }

    /// Starts the process again and waits for its lanes.
    pub fn restart(&mut self) {
        self.first_life = false;
        self.service.restart(&self.stack);
        self.service.await_lanes(LANES);
    }

    /// Resident memory of the process in MiB.
    pub fn memory(&self) -> f64 {
        Usage::of(self.service.pid()).memory_mib()
    }

    /// Every fill that was sent is booked once, and nothing was refused.
    pub fn books_are_whole(mut self) {
        self.await_table(BOOKED, self.sent, Duration::from_secs(1200));
        self.await_table("SELECT count(*) FROM dead_letters", 0, Duration::from_secs(1));
        self.service.assert_runs();
        let errors = self.service.errors();
        assert!(errors.is_empty(), "{} errors were logged, the first: {:?}", errors.len(), errors.first());
    }
}

/// Prices of all instruments, as fast as a thread can send them.
pub struct Prices {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Prices {
    pub fn pour(stack: &Stack) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, count) = (Arc::clone(&stop), Arc::clone(&sent));
        let producer = Producer::open(&kafka(stack), "prices").expect("settings");
        let thread = std::thread::spawn(move || {
            let topic = TopicName::from(Topic::Ticks.name());
            while !stopped.load(Ordering::Relaxed) {
                let round = count.load(Ordering::Relaxed) / INSTRUMENTS;
                for n in 0..INSTRUMENTS {
                    let price = tick(&instrument(n), 1_050 + n + round % 50);
                    producer.send(message(topic.clone(), &price)).expect("there is room in the queue");
                }
                count.fetch_add(INSTRUMENTS, Ordering::Relaxed);
            }
            producer.flush(Duration::from_secs(120)).expect("everything is delivered");
        });
        Self { stop, sent, thread }
    }

    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Ends it; how many were sent.
    pub fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the load has not failed");
        self.sent.load(Ordering::Relaxed)
    }
}
