//! What happens at the limits, on a real broker and a real Postgres: very many portfolios, one that nearly everybody trades
//! in, more prices than can be handled, a long absence, and days that go by. Each says what it took, and fails where a fill
//! is lost, where fills wait because of prices, or where memory grows with time.
//!
//! It watches the executable in `BALLAST_BIN` from outside. `BALLAST_LIMITS` names some of the scenes, parted by commas;
//! `BALLAST_LIMITS_PORTFOLIOS`, `…_FILLS`, `…_DAYS` set their size. Broker, database, service and load share this machine.

#![allow(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "it shows times and rates")]

#[path = "../broker/feeder.rs"]
mod feeder;
#[allow(unused_imports, reason = "the benches of the core use more of it")]
#[path = "../fixture/mod.rs"]
mod fixture;
#[path = "../broker/gauge.rs"]
mod gauge;
#[path = "../broker/probe.rs"]
mod probe;
mod scene;
#[path = "../broker/table.rs"]
mod table;

use domain::Timestamp;
use fixture::fills::{BOOK, Shape};
use scene::{Prices, Scene};
use std::time::{Duration, Instant};
use system_tests::service::now;
use system_tests::waiting::{from_environment, until};
use table::{quantiles, show};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: i64 = 86_400_000_000;
/// How much slower fills may be at their worst while prices come faster than they can be handled. The broker and the load
/// share the processors, so that some of it is theirs.
const SLOWER: u32 = 20;
/// How much memory may grow, in per cent, once every window of days is full.
const GROWTH: f64 = 10.0;

const SCENES: [(&str, fn()); 5] = [("many", many), ("hot", hot), ("flood", flood), ("away", away), ("days", days)];

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let asked = std::env::var("BALLAST_LIMITS").unwrap_or_else(|_| SCENES.map(|(name, _)| name).join(","));
    for name in asked.split(',') {
        let (_, play) =
            SCENES.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("there is no scene {name:?} in {SCENES:?}"));
        println!("{name}");
        play();
    }
}

/// A hundred thousand portfolios and a million positions.
fn many() {
    let shape = Shape { portfolios: from_environment("BALLAST_LIMITS_PORTFOLIOS", 100_000), lines: 10, hot: 0 };
    let mut scene = Scene::open("limits-many", shape, &[]);
    show("  memory of all roles before", scene.memory(), "MiB");
    let began = Instant::now();
    scene.fill_book(20 * MINUTE);
    show("  portfolios", shape.portfolios as f64, "");
    show("  positions", shape.positions() as f64, "");
    show("  opened, each second", shape.positions() as f64 / began.elapsed().as_secs_f64(), "");
    show("  memory of all roles", scene.memory(), "MiB");
    let began = Instant::now();
    // That of the probe beside them.
    scene.await_table("SELECT count(*) FROM positions WHERE quantity = 1000", shape.positions() + 1, 20 * MINUTE);
    show("  until SQL shows the last of them", began.elapsed().as_secs_f64(), "s");
    let prices: Vec<_> = (0..20).map(|_| scene.tick_to_drift()).collect();
    quantiles("  tick sent → drift committed and read", prices);
    let killed = now();
    scene.service.kill();
    scene.restart();
    show("  SIGKILL → every lane runs again", now().since(killed) as f64 / 1e6, "s");
    show("  memory of all roles after it", scene.memory(), "MiB");
    scene.books_are_whole();
}

/// Nine fills of ten are those of one portfolio.
fn hot() {
    let mut scene = Scene::open("limits-hot", Shape { hot: 90, ..BOOK }, &[]);
    scene.fill_book(5 * MINUTE);
    let fills = from_environment("BALLAST_LIMITS_FILLS", 500_000);
    let took = scene.drain(fills);
    show("  fills, 90 % of them of one portfolio", fills as f64, "");
    show("  drained, each second", fills as f64 / took.as_secs_f64(), "");
    quantiles("  of another portfolio meanwhile: fill sent → ledger read", scene.during(fills, Scene::fill_to_ledger));
    scene.books_are_whole();
}

/// Prices as fast as they can be sent, while fills come.
fn flood() {
    let mut scene = Scene::open("limits-flood", BOOK, &[]);
    scene.fill_book(5 * MINUTE);
    let calm: Vec<_> = (0..20).map(|_| scene.fill_to_ledger()).collect();
    let worst = *calm.iter().max().expect("twenty");
    quantiles("  calm: fill sent → ledger committed and read", calm);
    let prices = Prices::pour(&scene.stack);
    std::thread::sleep(Duration::from_secs(5));
    let (sent, since) = (prices.sent(), Instant::now());
    let before = scene.gauge.total("ballast_ticks_conflated_total", "");
    let pressed: Vec<_> = (0..20).map(|_| scene.fill_to_ledger()).collect();
    let drifts: Vec<_> = (0..20).map(|_| scene.tick_to_drift()).collect();
    let seconds = since.elapsed().as_secs_f64();
    show("  flood: prices sent, each second", (prices.sent() - sent) as f64 / seconds, "");
    show(
        "  flood: prices folded into frames, each second",
        (scene.gauge.total("ballast_ticks_conflated_total", "") - before) as f64 / seconds,
        "",
    );
    show("  flood: memory of all roles", scene.memory(), "MiB");
    let slowest = *pressed.iter().max().expect("twenty");
    quantiles("  flood: fill sent → ledger committed and read", pressed);
    quantiles("  flood: tick sent → drift committed and read", drifts);
    assert!(slowest < (worst * SLOWER).max(Duration::from_secs(5)), "fills waited for prices: {slowest:?}, {worst:?} when it was calm");
    let sent = prices.stop();
    show("  flood: prices sent in all", sent as f64, "");
    scene.books_are_whole();
}

/// The service is away while a day's worth of fills and prices comes in.
fn away() {
    let mut scene = Scene::open("limits-away", BOOK, &[]);
    scene.fill_book(5 * MINUTE);
    let fills = from_environment("BALLAST_LIMITS_FILLS", 500_000);
    scene.service.kill();
    let prices = Prices::pour(&scene.stack);
    scene.publish(fills);
    until("four prices for each fill", 10 * MINUTE, || (prices.sent() >= 4 * fills).then_some(()));
    show("  fills while it was away", fills as f64, "");
    show("  prices while it was away", prices.stop() as f64, "");
    let began = Instant::now();
    scene.restart();
    let booked = scene.await_booked(10 * MINUTE);
    show("  back until SQL shows every fill", (booked - began).as_secs_f64(), "s");
    show("  memory of all roles", scene.memory(), "MiB");
    quantiles("  then: tick sent → drift committed and read", (0..10).map(|_| scene.tick_to_drift()).collect());
    scene.books_are_whole();
}

/// Days go by at the speed at which their fills are booked.
fn days() {
    let past = from_environment("BALLAST_LIMITS_DAYS", 40);
    let each = from_environment("BALLAST_LIMITS_FILLS", 50_000);
    let first = now().micros() - i64::try_from(past + 2).expect("a number of days") * DAY;
    let first = Timestamp::from_micros(first - first.rem_euclid(DAY) + DAY / 2);
    let mut scene = Scene::open_at("limits-days", BOOK, &["pacing.clock=event", "core.dedup_trade_dates=5"], first);
    scene.fill_book(5 * MINUTE);
    let mut memory = Vec::new();
    for day in 1..=past {
        let at = Timestamp::from_micros(first.micros() + i64::try_from(day).expect("a day") * DAY);
        scene.move_to(at);
        scene.publish(each);
        scene.await_booked(5 * MINUTE);
        memory.push(scene.memory());
        if day % 5 == 0 {
            show(&format!("  memory of all roles after {day} days of {each} fills"), scene.memory(), "MiB");
        }
    }
    // By the middle every window of days is full.
    let of = |days: &[f64]| days.iter().copied().fold(0.0, f64::max);
    let (middle, end) = (of(&memory[..memory.len() / 2]), of(&memory[memory.len() / 2..]));
    show("  most memory in the first half", middle, "MiB");
    show("  most memory in the second half", end, "MiB");
    assert!(end < middle * (1.0 + GROWTH / 100.0), "memory grows with time: {memory:?}");
    scene.books_are_whole();
}
