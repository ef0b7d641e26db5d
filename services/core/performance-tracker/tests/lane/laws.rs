//! Laws over random days: whatever order ledger and closes come in, however often the lane is restored, the last word of
//! each day and of all time is the one that a plain recount gives.

use crate::house::{House, Toy, day, every_day, figure, performances, whole};
use domain::ledger::ClosedTrades;
use domain::performance::{ALL, DAY, Performance};
use domain::{Date, Input, Money, Topic};
use engine::Settings;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What happens on one day.
#[derive(Debug, Clone)]
struct Happening {
    price: i64,
    flow: i64,
    trade: i64,
    fee: i64,
    /// Of how many days ago a trade becomes one that won so much.
    amended: Option<(usize, i64)>,
}

fn happening() -> impl Strategy<Value = Happening> {
    let amended = proptest::option::weighted(0.2, (0_usize..25, -9_i64..10));
    (5_i64..20, prop_oneof![3 => Just(0_i64), 2 => 1_i64..500, 1 => -50_i64..0], -5_i64..6, 0_i64..3, amended)
        .prop_map(|(price, flow, trade, fee, amended)| Happening { price, flow, trade, fee, amended })
}

/// A day as it is told: its date, its bookings, its close.
type Told = (Date, Vec<Input>, Input);

/// The days, and what a recount says of each: profit and growth.
fn world(days: &[Happening]) -> (Vec<Told>, Vec<(i64, f64)>) {
    let mut toy = Toy::default();
    let (mut told, mut counted, mut equity) = (Vec::new(), Vec::new(), 0);
    for (number, happening) in days.iter().enumerate() {
        let date = day("2026-01-05").plus_days(i32::try_from(number).unwrap());
        let mut booked = Vec::new();
        let flow = if number == 0 { 10_000 } else { happening.flow };
        // Valued at the flow, at the price of the day's end.
        let before = toy.equity(happening.price);
        if flow != 0 {
            booked.push(toy.flow(date, flow, Some(happening.price)));
        }
        if happening.trade != 0 {
            booked.push(toy.trade(date, happening.trade, happening.price, happening.fee));
        }
        if let Some((ago, net)) = happening.amended {
            let of = date.plus_days(-i32::try_from(ago.min(number)).unwrap());
            booked.push(toy.amended(date, &[ClosedTrades::one(of, whole(net))]));
        }
        let close = toy.close(date, happening.price);
        let end = toy.equity(happening.price);
        let growth = if number == 0 {
            end as f64 / 10_000.0
        } else if flow == 0 {
            end as f64 / equity as f64
        } else {
            before as f64 / equity as f64 * (end as f64 / (before + flow) as f64)
        };
        counted.push((end - equity - flow, growth));
        equity = end;
        told.push((date, booked, close));
    }
    (told, counted)
}

/// The newest word of every day, and of all time.
#[derive(Default)]
struct Newest {
    days: BTreeMap<Date, Performance>,
    all: Option<Performance>,
}

impl Newest {
    fn hear(&mut self, records: &[&Performance]) {
        for record in records {
            match record.timeframe.as_str() {
                DAY => _ = self.days.insert(record.date.unwrap(), (*record).clone()),
                ALL => self.all = Some((*record).clone()),
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn days_told_in_any_order_come_to_the_same(
        days in proptest::collection::vec(happening(), 2..40),
        lags in proptest::collection::vec((0_usize..4, 0_usize..4, any::<bool>()), 40),
    ) {
        let (told, counted) = world(&days);
        let mut house = House::new(Settings::default());
        house.window(day("2026-01-05").start_utc(), &[every_day()]);
        let mut newest = Newest::default();
        // Each day's bookings and its close come so many windows late, apart from each other.
        let mut windows: BTreeMap<usize, Vec<(Topic, Input, Date)>> = BTreeMap::new();
        for (number, ((date, booked, close), (ledger, closed, _))) in told.iter().zip(&lags).enumerate() {
            let at = windows.entry(number + ledger).or_default();
            at.extend(booked.iter().map(|input| (Topic::Ledger, input.clone(), *date)));
            windows.entry(number + closed).or_default().push((Topic::PortfolioCloses, close.clone(), *date));
        }
        for (number, inputs) in windows {
            // Records of one topic keep their order; each is stamped with its own day.
            let mut by_day: BTreeMap<Date, Vec<(Topic, Input)>> = BTreeMap::new();
            inputs.into_iter().for_each(|(topic, input, date)| by_day.entry(date).or_default().push((topic, input)));
            for (date, inputs) in by_day {
                let outputs = house.window(date.start_utc().plus_seconds(60_000), &inputs);
                newest.hear(&performances(&outputs));
            }
            if lags[number % lags.len()].2 {
                house = house.restored();
            }
        }
        prop_assert_eq!(newest.days.len(), told.len());
        let mut growth = 1.0;
        for ((date, _, _), (profit, grown)) in told.iter().zip(&counted) {
            let record = &newest.days[date];
            for grouping in &record.attribution {
                let sum: i128 = grouping.buckets.iter().map(|bucket| bucket.total.units()).sum();
                prop_assert_eq!(grouping.total, whole(*profit), "{} {}", date, grouping.grouping);
                prop_assert_eq!(sum + grouping.residual.units(), grouping.total.units());
            }
            prop_assert_eq!(record.attribution[1].residual, whole(0), "one stock and dollars leave nothing over");
            let found = figure(record, "time_weighted_return").unwrap();
            prop_assert!((found - (grown - 1.0)).abs() < 2e-12, "{}: {} and {}", date, found, grown - 1.0);
            growth *= grown;
        }
        let all = newest.all.unwrap();
        let mut trades = ClosedTrades::none(told[0].0);
        for input in told.iter().flat_map(|(_, booked, _)| booked) {
            let Input::Ledger(ledger) = input else { continue };
            ledger.entries.iter().flat_map(|entry| &entry.closed_trades).for_each(|one| trades.add(one, 1).unwrap());
        }
        let sums = [trades.gross_profit, trades.gross_loss].map(|sum| sum.units() as f64 / Money::ONE.units() as f64);
        let counts = [trades.winning + trades.losing + trades.even, trades.winning, trades.losing].map(|count| count as f64);
        let names = ["trades", "winning_trades", "losing_trades", "gross_profit", "gross_loss"];
        let expected: Vec<Option<f64>> = counts.into_iter().chain(sums).map(Some).collect();
        prop_assert_eq!(names.map(|name| figure(&all, name)).to_vec(), expected);
        let total: i64 = counted.iter().map(|(profit, _)| profit).sum();
        prop_assert_eq!(all.attribution[0].total, whole(total));
        let found = figure(&all, "time_weighted_return").unwrap();
        prop_assert!((found - (growth - 1.0)).abs() < 1e-10 * growth.max(1.0), "{} and {}", found, growth - 1.0);
    }

    #[test]
    fn a_restored_lane_is_the_lane(days in proptest::collection::vec(happening(), 1..30)) {
        let (told, _) = world(&days);
        let (mut live, mut other) = (House::new(Settings::default()), House::new(Settings::default()));
        [&mut live, &mut other].into_iter().for_each(|house| _ = house.window(day("2026-01-05").start_utc(), &[every_day()]));
        for (date, booked, close) in told {
            let mut inputs: Vec<_> = booked.into_iter().map(|input| (Topic::Ledger, input)).collect();
            inputs.push((Topic::PortfolioCloses, close));
            let now = date.plus_days(1).start_utc();
            let outputs = live.window(now, &inputs);
            prop_assert_eq!(&outputs, &other.window(now, &inputs));
            other = other.restored();
            prop_assert_eq!(live.image(), other.image());
        }
    }
}
