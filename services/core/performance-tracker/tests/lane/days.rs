//! One rule at a time.

use crate::house::{House, Toy, day, every_day, figure, frame, money, performances, policy, risks, whole};
use domain::performance::{ALL, DAY, MTD, YTD};
use domain::{Input, Output, Topic};
use engine::Settings;

fn closes(inputs: Vec<Input>) -> Vec<(Topic, Input)> {
    inputs.into_iter().map(|input| (topic(&input), input)).collect()
}

fn topic(input: &Input) -> Topic {
    match input {
        Input::Ledger(_) => Topic::Ledger,
        Input::PortfolioClose(_) => Topic::PortfolioCloses,
        Input::Policy(_) => Topic::Policies,
        _ => Topic::Frames,
    }
}

fn told(outputs: &[Output], timeframe: &str) -> Vec<(String, f64)> {
    let of = performances(outputs).into_iter().filter(|record| record.timeframe == timeframe);
    of.map(|record| (record.date.unwrap().to_string(), figure(record, "time_weighted_return").unwrap_or(f64::NAN))).collect()
}

fn begun() -> (House, Toy) {
    let mut house = House::new(Settings::default());
    house.window(day("2025-01-01").start_utc(), &[every_day()]);
    (house, Toy::default())
}

#[test]
fn bookings_that_are_read_before_their_policy_wait_for_it() {
    let (mut house, mut toy) = (House::new(Settings::default()), Toy::default());
    let first = day("2026-01-05");
    let booked = vec![toy.flow(first, 100, Some(10)), toy.trade(first, 5, 10, 2)];
    let close = toy.close(first, 10);
    assert!(house.window(first.start_utc().plus_seconds(57_600), &closes(booked)).is_empty());
    assert!(house.window(first.plus_days(1).start_utc(), &closes(vec![close])).is_empty(), "its policy is on its way");
    let mut house = house.restored();
    let outputs = house.window(first.plus_days(1).start_utc(), &[every_day()]);
    let told: Vec<_> = performances(&outputs)
        .iter()
        .map(|record| (record.timeframe.to_string(), record.attribution.first().map(|one| one.total)))
        .collect();
    assert_eq!(told[0], (DAY.to_owned(), Some(whole(-2))));
}

#[test]
fn a_day_is_time_weighted_at_its_flows_once_they_are_told() {
    let (mut house, mut toy) = begun();
    let (first, second) = (day("2026-01-05"), day("2026-01-06"));
    let flow = toy.flow(first, 100, Some(10));
    let trade = toy.trade(first, 10, 10, 0);
    house.window(first.start_utc().plus_seconds(57_600), &closes(vec![flow, trade]));
    let close = toy.close(first, 10);
    let outputs = house.window(second.start_utc(), &closes(vec![close]));
    assert_eq!(told(&outputs, DAY), [("2026-01-05".to_owned(), 0.0)]);
    // At 11, 110 come in; at the end of the day the stock stands at 9.
    let flow = toy.flow(second, 110, Some(11));
    let close = toy.close(second, 9);
    let early = house.window(second.plus_days(1).start_utc(), &closes(vec![close]));
    let rule: Vec<f64> = told(&early, DAY).into_iter().map(|(_, value)| value).collect();
    assert!((rule[0] - (200.0 / 210.0 - 1.0)).abs() < 1e-11, "the close came first: by the daily rule {rule:?}");
    // The ledger record was made on its day and is read after the close of that day.
    let late = house.window(second.start_utc().plus_seconds(60_000), &closes(vec![flow]));
    let exact = told(&late, DAY);
    assert!((exact[0].1 - (1.1 * 200.0 / 220.0 - 1.0)).abs() < 1e-11, "{exact:?}");
    assert_eq!(performances(&late).len(), 5, "the day, and every timeframe that ends with it");
}

#[test]
fn what_is_told_again_without_news_says_nothing() {
    let (mut house, mut toy) = begun();
    let first = day("2026-01-05");
    let flow = toy.flow(first, 100, Some(0));
    let close = toy.close(first, 10);
    assert!(!house.window(first.plus_days(1).start_utc(), &closes(vec![flow, close.clone()])).is_empty());
    assert!(house.window(first.plus_days(1).start_utc(), &closes(vec![close])).is_empty(), "the same version");
    let again = toy.close(first, 10);
    let outputs = house.window(first.plus_days(1).start_utc(), &closes(vec![again]));
    assert_eq!(told(&outputs, DAY).len(), 1, "another version is named");
}

/// Timeframes with the day that they end with, and whether each is provisional.
fn standing(outputs: &[Output]) -> Vec<String> {
    let text = |provisional| if provisional { "provisional" } else { "final" };
    let of = performances(outputs).into_iter().map(|one| format!("{} {} {}", one.timeframe, one.date.unwrap(), text(one.provisional)));
    of.filter(|told| [DAY, MTD, ALL].iter().any(|name| told.starts_with(name))).collect()
}

#[test]
fn what_stands_on_a_provisional_day_is_provisional_until_that_is_final() {
    let (mut house, mut toy) = begun();
    let provisional = |input: Input| match input {
        Input::PortfolioClose(mut close) => {
            close.provisional = true;
            Input::PortfolioClose(close)
        }
        other => other,
    };
    let [last, first, second, third] = ["2026-01-30", "2026-02-02", "2026-02-03", "2026-02-04"].map(day);
    let flow = toy.flow(last, 100, Some(10));
    let close = provisional(toy.close(last, 10));
    let outputs = house.window(last.plus_days(1).start_utc(), &closes(vec![flow, close]));
    assert_eq!(standing(&outputs), ["DAY 2026-01-30 provisional", "MTD 2026-01-30 provisional", "ALL 2026-01-30 provisional"]);
    // The first day of February, and its month, are measured from it; the second day is not.
    let close = toy.close(first, 11);
    let outputs = house.window(first.plus_days(1).start_utc(), &closes(vec![close]));
    assert_eq!(standing(&outputs), ["DAY 2026-02-02 provisional", "MTD 2026-02-02 provisional", "ALL 2026-02-02 provisional"]);
    let close = toy.close(second, 12);
    let outputs = house.window(second.plus_days(1).start_utc(), &closes(vec![close]));
    assert_eq!(standing(&outputs), ["DAY 2026-02-03 final", "MTD 2026-02-03 provisional", "ALL 2026-02-03 provisional"]);
    let mut house = house.restored();
    let close = toy.close(last, 10);
    let outputs = house.window(second.plus_days(1).start_utc().plus_seconds(60), &closes(vec![close]));
    let told = ["DAY 2026-01-30 final", "DAY 2026-02-02 final", "MTD 2026-02-03 final", "ALL 2026-02-03 final"];
    assert_eq!(standing(&outputs), told);
    let close = toy.close(third, 13);
    let outputs = house.window(third.plus_days(1).start_utc(), &closes(vec![close]));
    assert_eq!(standing(&outputs), ["DAY 2026-02-04 final", "MTD 2026-02-04 final", "ALL 2026-02-04 final"]);
}

#[test]
fn months_and_years_begin_with_their_first_day() {
    let (mut house, mut toy) = begun();
    let days = ["2025-11-28", "2025-12-30", "2025-12-31", "2026-01-02", "2026-01-30", "2026-02-02", "2026-02-03"];
    let prices = [10, 11, 12, 11, 13, 14, 12];
    let mut last = Vec::new();
    for (date, price) in days.iter().map(|text| day(text)).zip(prices) {
        let mut inputs = Vec::new();
        if toy.cash == 0 && toy.units == 0 {
            inputs.push(toy.flow(date, 100, Some(price)));
            inputs.push(toy.trade(date, 10, price, 0));
        }
        inputs.push(toy.close(date, price));
        last = house.window(date.plus_days(1).start_utc(), &closes(inputs));
        house = house.restored();
    }
    let of = |timeframe: &str| performances(&last).into_iter().find(|record| record.timeframe == timeframe).unwrap().clone();
    let value = |timeframe: &str| figure(&of(timeframe), "time_weighted_return").unwrap();
    assert!((value(MTD) - (12.0 / 13.0 - 1.0)).abs() < 1e-11);
    assert!((value(YTD) - (12.0 / 12.0 - 1.0)).abs() < 1e-11);
    assert!((value(ALL) - (12.0 / 10.0 - 1.0)).abs() < 1e-11);
    assert_eq!(
        (of(MTD).from_date, of(YTD).from_date, of(ALL).from_date),
        (day("2026-02-01").into(), day("2026-01-01").into(), day("2025-11-28").into())
    );
    let profit = |timeframe: &str| of(timeframe).attribution[0].total;
    assert_eq!((profit(MTD), profit(YTD), profit(ALL)), (whole(-10), whole(0), whole(20)));
    assert_eq!(figure(&of(ALL), "max_drawdown").map(|value| (value * 1e9).round() / 1e9), Some(-0.142857143));
}

#[test]
fn sums_of_older_days_outlast_their_details() {
    let (mut house, mut toy) = begun();
    let first = day("2026-01-05");
    let mut last = Vec::new();
    for number in 0..60 {
        let date = first.plus_days(number);
        let mut inputs = Vec::new();
        if number == 0 {
            inputs.push(toy.flow(date, 1000, Some(0)));
        }
        inputs.push(toy.trade(date, 1, 10, 1));
        inputs.push(toy.close(date, 10));
        last = house.window(date.plus_days(1).start_utc(), &closes(inputs));
        if number % 7 == 3 {
            house = house.restored();
        }
    }
    // 60 trades of a fee of one each; the last day is 2026-03-05.
    let of = |timeframe: &str| performances(&last).into_iter().find(|record| record.timeframe == timeframe).unwrap().clone();
    let totals = [MTD, YTD, ALL].map(|timeframe| of(timeframe).attribution.iter().map(|grouping| grouping.total).collect::<Vec<_>>());
    assert_eq!(totals, [vec![whole(-5); 4], vec![whole(-60); 4], vec![whole(-60); 4]]);
    let fees = of(ALL).attribution[3].buckets[0].clone();
    assert_eq!((fees.name.as_str(), fees.fees, fees.total), ("15:00-16:00", whole(60), whole(-60)));
}

#[test]
fn the_benchmark_counts_from_when_its_prices_are_told() {
    let (mut house, mut toy) = (House::new(Settings::default()), Toy::default());
    let first = day("2026-01-05");
    house.window(first.start_utc(), &[(Topic::Policies, Input::Policy(Box::new(policy(1, Some("SPX")))))]);
    let mut last = Vec::new();
    for (number, (price, benchmark)) in [(10, 100.0), (11, 102.0), (12, 101.0)].into_iter().enumerate() {
        let date = first.plus_days(i32::try_from(number).unwrap());
        let mut inputs = vec![frame(i64::try_from(number).unwrap(), date.start_utc().plus_seconds(80_000), &[("SPX", benchmark)])];
        if number == 0 {
            inputs.push(toy.flow(date, 100, Some(price)));
            inputs.push(toy.trade(date, 10, price, 0));
        }
        inputs.push(toy.close(date, price));
        last = house.window(date.plus_days(1).start_utc(), &closes(inputs));
    }
    let all = performances(&last).into_iter().find(|record| record.timeframe == ALL).unwrap();
    assert!((figure(all, "benchmark_return").unwrap() - 0.01).abs() < 1e-11);
    // Two pairs: (0.1, 0.02) and (1/11, -1/102); they go together fully.
    assert!((figure(all, "correlation").unwrap() - 1.0).abs() < 1e-9);
    let risk = risks(&last)[0];
    assert_eq!(risk.sector_exposure[0].value, money("120"));
}
