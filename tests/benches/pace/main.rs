//! The deterministic floor by the clock, on one core: the same work as the instruction counts, over and over.
//! The best of all rounds is shown: what the code takes where nothing disturbs it. Prints one table.

#![allow(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "it shows times")]

#[path = "../fixture/mod.rs"]
mod fixture;

use domain::{Amount, Topic};
use engine::Codec;
use fixture::days::Tracked;
use fixture::fills::{Book, WINDOW};
use fixture::plans::Drifted;
use fixture::{Avro, NOW};
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 60;

fn main() {
    println!("{:<52} {:>12} {:>14}", "on one core", "ns each", "each second");
    fills();
    holders();
    days();
    for lines in [20, 200] {
        let drifted = Drifted::of(lines);
        show(&format!("a plan of {lines} lines"), 1, best(ROUNDS, || drop(black_box(rebalancer::plan::plan(&drifted.input())))));
    }
}

fn days() {
    for (days, what) in [(250, "a close of 20 lines after a year of days"), (2_500, "a close of 20 lines after ten years of days")] {
        let mut tracked = Tracked::of(days);
        show(what, 1, best(ROUNDS, || assert_eq!(tracked.close(), 6)));
    }
}

fn fills() {
    let mut book = Book::open();
    let (mut decode, mut apply, mut close) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let fills = book.next_window();
        let mut codec = Avro::new();
        decode = decode.min(timed(|| {
            for fill in &fills {
                assert!(black_box(codec.decode(Topic::Fills, fill.key.as_deref(), fill.value.as_deref())).is_ok());
            }
        }));
        apply = apply.min(timed(|| book.keeper.window(Topic::Fills, &fills)));
        close = close.min(timed(|| drop(black_box(book.keeper.close()))));
    }
    assert_eq!(book.keeper.lane.totals().dead_letters, 0);
    show("a fill: decode alone", WINDOW, decode);
    show("a fill: decode, apply, decide", WINDOW, apply);
    show("a fill: close the step, encode the ledger", WINDOW, close);
    show("a fill, all of it", WINDOW, apply + close);
}

fn holders() {
    let keeper = Book::open().keeper;
    let role = keeper.lane.role();
    let mut equities: Vec<Amount> = Vec::new();
    let mut lines = 0;
    let took = best(ROUNDS, || lines = position_keeper::revalue_all(role.portfolios(), role.market(), NOW, &mut equities));
    show("a holder, revalued", lines as u64, took);
}

fn best(rounds: usize, mut act: impl FnMut()) -> Duration {
    (0..rounds).map(|_| timed(&mut act)).min().expect("there is a round")
}

fn timed(act: impl FnOnce()) -> Duration {
    let start = Instant::now();
    act();
    start.elapsed()
}

fn show(what: &str, pieces: u64, took: Duration) {
    let each = took.as_secs_f64() / pieces as f64;
    println!("{what:<52} {:>12.2} {:>14.0}", each * 1e9, 1.0 / each);
}
