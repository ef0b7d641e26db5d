//! Closed trades: each counts on its own day, whenever what became of it is told, and in every timeframe that has the day.

use crate::house::{House, Toy, day, every_day, figure, performances, whole};
use domain::ledger::ClosedTrades;
use domain::performance::{ALL, DAY, MTD, YTD};
use domain::{Date, Input, Output, Topic};
use engine::Settings;

fn begun() -> (House, Toy) {
    let mut house = House::new(Settings::default());
    house.window(day("2025-01-01").start_utc(), &[every_day()]);
    (house, Toy::default())
}

fn send(house: &mut House, at: Date, inputs: Vec<Input>) -> Vec<Output> {
    let topic = |input: &Input| if matches!(input, Input::Ledger(_)) { Topic::Ledger } else { Topic::PortfolioCloses };
    let inputs: Vec<_> = inputs.into_iter().map(|input| (topic(&input), input)).collect();
    house.window(at.start_utc(), &inputs)
}

/// Trades, those that won, gross profit, gross loss, win rate; of the last record of a timeframe.
fn told(outputs: &[Output], timeframe: &str) -> Option<[Option<f64>; 5]> {
    let record = performances(outputs).into_iter().rfind(|record| record.timeframe == timeframe)?;
    Some(["trades", "winning_trades", "gross_profit", "gross_loss", "win_rate"].map(|id| figure(record, id)))
}

/// Two days of January and one of February: a trade that lost 3, one that lost 2, one that came to nothing.
fn three_trades() -> (House, Toy, Vec<Output>) {
    let (mut house, mut toy) = begun();
    let days = [day("2026-01-29"), day("2026-01-30"), day("2026-02-02")];
    let mut outputs = Vec::new();
    for (date, fee) in days.into_iter().zip([3, 2, 0]) {
        let deeds = [toy.flow(date, 1_000, None), toy.trade(date, 10, 10, 0), toy.trade(date, -5, 10, fee), toy.close(date, 10)];
        outputs.extend(send(&mut house, date.plus_days(1), deeds.into()));
    }
    (house, toy, outputs)
}

#[test]
fn a_timeframe_counts_the_trades_of_its_days() {
    let (_, _, outputs) = three_trades();
    let some = |all: [f64; 5]| Some(all.map(Some));
    assert_eq!(told(&outputs, MTD), some([1.0, 0.0, 0.0, 0.0, 0.0]));
    assert_eq!(told(&outputs, YTD), some([3.0, 0.0, 0.0, -5.0, 0.0]));
    let days: Vec<_> =
        performances(&outputs).into_iter().filter(|record| record.timeframe == DAY).map(|one| figure(one, "gross_loss")).collect();
    assert_eq!(days, [Some(-3.0), Some(-2.0), Some(0.0)]);
}

#[test]
fn what_an_amendment_says_counts_on_the_day_of_the_trade() {
    let (house, mut toy, _) = three_trades();
    let mut house = house.restored();
    let first = day("2026-01-29");
    // The trade of the first day won 7: the record that tells it comes with the day of an amendment of now.
    let mut change = ClosedTrades::one(first, whole(7));
    change.add(&ClosedTrades::one(first, whole(-3)), -1).unwrap();
    let (now, next) = (day("2026-02-03"), day("2026-02-04"));
    let amended = toy.amended(now, &[change]);
    let outputs = send(&mut house, next, vec![amended, toy.close(now, 10)]);
    let told_now = told(&outputs, ALL).unwrap();
    assert_eq!(told_now[..4], [Some(3.0), Some(1.0), Some(7.0), Some(-2.0)]);
    assert!((told_now[4].unwrap() - 1.0 / 3.0).abs() < 1e-11);
    assert_eq!(told(&outputs, MTD).unwrap()[..2], [Some(1.0), Some(0.0)], "of January it is none of this month's");
    let days: Vec<_> = performances(&outputs).into_iter().filter(|record| record.timeframe == DAY).map(|one| one.date.unwrap()).collect();
    assert_eq!(days, [first, now], "days on which nothing changed are not told again");
}

#[test]
fn a_day_that_is_told_no_more_still_counts_in_every_timeframe() {
    let (mut house, mut toy, _) = three_trades();
    let mut last = day("2026-02-03");
    for _ in 0..15 {
        send(&mut house, last.plus_days(1), vec![toy.close(last, 10)]);
        last = last.plus_days(1);
    }
    let mut house = house.restored();
    let mut gone = ClosedTrades::none(day("2026-01-30"));
    gone.add(&ClosedTrades::one(gone.trade_date, whole(-2)), -1).unwrap();
    let amended = toy.amended(last, &[gone]);
    let outputs = send(&mut house, last.plus_days(1), vec![amended, toy.close(last, 10)]);
    assert_eq!(told(&outputs, ALL).unwrap()[..4], [Some(2.0), Some(0.0), Some(0.0), Some(-3.0)]);
    let restored = send(&mut house.restored(), last.plus_days(2), vec![toy.close(last.plus_days(1), 11)]);
    assert_eq!(told(&restored, YTD).unwrap()[..4], [Some(2.0), Some(0.0), Some(0.0), Some(-3.0)]);
}

#[test]
fn every_day_of_many_that_come_at_once_is_told() {
    let (mut house, mut toy) = begun();
    let first = day("2026-01-05");
    let mut inputs = vec![toy.flow(first, 1_000, None)];
    inputs.extend((0..40).map(|n| toy.close(first.plus_days(n), 10)));
    let outputs = send(&mut house, first.plus_days(41), inputs);
    let days = performances(&outputs).into_iter().filter(|record| record.timeframe == DAY).count();
    assert_eq!((days, performances(&outputs).len()), (40, 44));
}
