//! End to end on a real broker: a backlog drained, prices that become drift, a process killed under load.
//!
//! It measures the executable in `BALLAST_BIN` from outside: its metrics, its processor time, the topics.
//! `BALLAST_BENCH_FILLS` sets the backlog, `BALLAST_BENCH_RATE` the fills a second of the steady load.
//! Fills carry no headers. Broker, service and load share this machine: the figures are of all of them.

#![allow(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "it shows times and rates")]

mod feeder;
mod gauge;
mod probe;
mod table;

#[allow(unused_imports, reason = "the benches of the core use more of it")]
#[path = "../fixture/mod.rs"]
mod fixture;

use feeder::{Feeder, Load};
use fixture::fills::BOOK;
use gauge::{Gauge, Usage};
use probe::Probe;
use std::time::{Duration, Instant};
use system_tests::service::{Service, now};
use system_tests::stack::Stack;
use system_tests::waiting::from_environment;
use table::{quantiles, show};

const LANES: usize = 4;
const MINUTE: Duration = Duration::from_secs(60);

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let fills = from_environment("BALLAST_BENCH_FILLS", 2_000_000);
    let rate = from_environment("BALLAST_BENCH_RATE", 20_000);
    let stack = Stack::quick("bench");
    let mut feeder = Feeder::open(&stack, BOOK);
    feeder.furnish();
    let mut probe = Probe::furnish(&stack, &feeder);
    let gauge = Gauge::at_a_free_port();
    let mut service = start(&stack, &gauge);
    service.await_lanes(LANES);
    feeder.publish_positions();
    gauge.await_fills(BOOK.positions(), 2 * MINUTE);
    drain(&stack, &mut service, &mut feeder, &gauge, fills);
    let load = Load::start(feeder, rate);
    std::thread::sleep(Duration::from_secs(3));
    show("under a load of fills, each second", rate as f64, "");
    let before = gauge.commits();
    latencies(&mut probe);
    gauge.commits().since(&before).show();
    recovery(&stack, &mut service, &mut probe);
    load.stop();
}

/// The service at its default pace, with its metrics where the gauge looks.
fn start(stack: &Stack, gauge: &Gauge) -> Service {
    Service::start(stack, &["position-keeper", "conflator"], "bench", &[&format!("telemetry.http_bind={}", gauge.address())])
}

/// The service stands still while the backlog is published, so that nothing but draining is measured.
fn drain(stack: &Stack, service: &mut Service, feeder: &mut Feeder, gauge: &Gauge, fills: u64) {
    let (booked, produced) = (gauge.fills(), Instant::now());
    service.signal("STOP");
    feeder.publish(fills);
    let published = produced.elapsed();
    let usage = || (Usage::of(service.pid()), Usage::of(stack.broker_pid()));
    let (ours, theirs) = usage();
    let start = Instant::now();
    service.signal("CONT");
    gauge.await_fills(booked + fills, 5 * MINUTE);
    let took = gauge.last_commit(5 * MINUTE).duration_since(start).as_secs_f64();
    let (ours_after, theirs_after) = usage();
    let millions = fills as f64 / 1e6;
    show("backlog of fills over 50,000 positions", fills as f64, "");
    show("  published, each second", fills as f64 / published.as_secs_f64(), "");
    show("  drained, each second", fills as f64 / took, "");
    show("  processor of the service, for a million", ours_after.cpu_since(&ours) / millions, "s");
    show("  processor of the broker, for a million", theirs_after.cpu_since(&theirs) / millions, "s");
    show("  memory of the service", ours_after.memory_mib(), "MiB");
}

fn latencies(probe: &mut Probe) {
    // Apart from each other, and never in step with the commits.
    let rest = || std::thread::sleep(Duration::from_millis(137));
    let ticks: Vec<_> = (0..60).map(|_| (rest(), probe.tick_to_drift()).1).collect();
    quantiles("  tick sent → drift committed and read", ticks);
    let fills: Vec<_> = (0..60).map(|_| (rest(), probe.fill_to_ledger()).1).collect();
    quantiles("  fill sent → ledger committed and read", fills);
}

fn recovery(stack: &Stack, service: &mut Service, probe: &mut Probe) {
    service.kill();
    let killed = now();
    service.restart(stack);
    let recovered = service.await_lanes(LANES);
    let last = recovered.iter().map(|lane| lane.at).max().expect("there are lanes");
    let replayed: u64 = recovered.iter().map(|lane| lane.replayed).sum();
    show("  SIGKILL → every lane runs again", last.since(killed) as f64 / 1e6, "s");
    show("    steps computed again", replayed as f64, "");
    probe.fill_to_ledger();
    show("  SIGKILL → a new fill is in the ledger", now().since(killed) as f64 / 1e6, "s");
}
