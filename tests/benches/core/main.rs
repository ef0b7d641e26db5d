//! Instruction counts of the deterministic floor, by callgrind: they do not depend on the machine's mood.
//!
//! Fills: 50,000 positions of 2,000 portfolios, a window and step of 5,000 fills: divide by 5,000. They are plain trades;
//! decoded in place of viewed, they take the way of all others.
//! Watched: the same where every line has a target. Snapshots: every price moves, and each of the 2,000 portfolios has one.
//! Holders: one revaluation of all 50,000. Plans: one plan of so many lines.

#![allow(unused_qualifications, reason = "the macros of the harness write them")]
#![allow(missing_docs, clippy::needless_pass_by_value, reason = "the harness's macros make items, and hand over what was set up")]

#[path = "../fixture/mod.rs"]
mod fixture;

use domain::{Amount, Topic};
use engine::{Codec, RawRecord, Step};
use fixture::days::Tracked;
use fixture::fills::Book;
use fixture::plans::Drifted;
use fixture::{Avro, Keeper, NOW};
use gungraun::{LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use rebalancer::plan::Plan;
use std::hint::black_box;

const PLAIN_COPIES: &str = "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM";

fn window() -> (Keeper, Vec<RawRecord>) {
    let mut book = Book::open();
    let fills = book.next_window();
    (book.keeper, fills)
}

fn decoding_window() -> (Keeper, Vec<RawRecord>) {
    let (mut keeper, fills) = window();
    keeper.codec.views = false;
    (keeper, fills)
}

fn open_step() -> Keeper {
    let (mut keeper, fills) = window();
    keeper.window(Topic::Fills, &fills);
    keeper
}

fn watched_window() -> (Keeper, Vec<RawRecord>) {
    let mut book = Book::watched(Keeper::new());
    let fills = book.next_window();
    (book.keeper, fills)
}

fn all_prices() -> (Keeper, Vec<RawRecord>) {
    let mut book = Book::watched(Keeper::with_snapshots_every(0));
    let prices = book.next_prices();
    (book.keeper, prices)
}

fn values() -> (Avro, Vec<RawRecord>) {
    (Avro::new(), window().1)
}

fn holders() -> (Keeper, Vec<Amount>) {
    let keeper = Book::open().keeper;
    let equities = Vec::with_capacity(keeper.lane.role().portfolios().len());
    (keeper, equities)
}

#[library_benchmark(setup = values)]
fn decode_5000((mut codec, fills): (Avro, Vec<RawRecord>)) -> Avro {
    for fill in &fills {
        let input = codec.decode(Topic::Fills, fill.key.as_deref(), fill.value.as_deref());
        assert!(black_box(input).is_ok());
    }
    codec
}

#[library_benchmark(setup = values)]
fn view_5000((mut codec, fills): (Avro, Vec<RawRecord>)) -> Avro {
    for fill in &fills {
        assert!(black_box(codec.view_fill(fill.value.as_deref().unwrap_or_default())).is_some());
    }
    codec
}

#[library_benchmark(setup = decoding_window)]
fn decode_and_apply_5000((mut keeper, fills): (Keeper, Vec<RawRecord>)) -> (Keeper, Vec<RawRecord>) {
    keeper.window(Topic::Fills, &fills);
    (keeper, fills)
}

#[library_benchmark(setup = window)]
fn view_and_apply_5000((mut keeper, fills): (Keeper, Vec<RawRecord>)) -> (Keeper, Vec<RawRecord>) {
    keeper.window(Topic::Fills, &fills);
    (keeper, fills)
}

#[library_benchmark(setup = watched_window)]
fn view_apply_and_watch_5000((mut keeper, fills): (Keeper, Vec<RawRecord>)) -> (Keeper, Vec<RawRecord>) {
    keeper.window(Topic::Fills, &fills);
    (keeper, fills)
}

#[library_benchmark(setup = all_prices)]
fn snapshots_2000((mut keeper, prices): (Keeper, Vec<RawRecord>)) -> (Keeper, Step) {
    keeper.window(Topic::Frames, &prices);
    let step = keeper.close();
    assert_eq!(step.outputs.len(), 2_000);
    (keeper, step)
}

#[library_benchmark(setup = open_step)]
fn close_and_encode_5000(mut keeper: Keeper) -> (Keeper, Step) {
    let step = keeper.close();
    (keeper, step)
}

#[library_benchmark(setup = holders)]
fn revalue_50000((keeper, mut equities): (Keeper, Vec<Amount>)) -> (Keeper, Vec<Amount>) {
    let role = keeper.lane.role();
    let lines = position_keeper::revalue_all(role.portfolios(), role.market(), NOW, &mut equities);
    assert_eq!(lines, 50_000);
    (keeper, equities)
}

#[library_benchmark(setup = Drifted::of)]
#[bench::of_20_lines(20)]
#[bench::of_200_lines(200)]
fn plan(drifted: Drifted) -> (Drifted, Plan) {
    let plan = rebalancer::plan::plan(&drifted.input());
    (drifted, plan)
}

#[library_benchmark(setup = Tracked::of)]
#[bench::after_250_days(250)]
#[bench::after_2500_days(2500)]
fn close_of_a_day(mut tracked: Tracked) -> Tracked {
    assert_eq!(black_box(tracked.close()), 6);
    tracked
}

library_benchmark_group!(
    name = fills,
    benchmarks = [
        view_5000,
        decode_5000,
        view_and_apply_5000,
        decode_and_apply_5000,
        view_apply_and_watch_5000,
        close_and_encode_5000,
        snapshots_2000
    ]
);
library_benchmark_group!(name = holders_and_plans, benchmarks = [revalue_50000, plan]);
library_benchmark_group!(name = days, benchmarks = [close_of_a_day]);
main!(
    // The C library picks its copies by the processor; these are the ones that every processor has.
    config = LibraryBenchmarkConfig::default().env("GLIBC_TUNABLES", PLAIN_COPIES),
    library_benchmark_groups = [fills, holders_and_plans, days]
);
