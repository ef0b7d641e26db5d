//! Bacon's example through rows of the tables, flows, gaps, currencies.

use super::*;
use postgres_store::Micros;
use serde_json::json;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A close of holdings (instrument, type, value) and cash.
fn close(day: i64, held: &[(&str, &str, i64)], cash: i64, flow: i64) -> ClosedDay {
    let position = |(id, kind, value): &(&str, &str, i64)| json!({"instrument_id": id, "quantity": "1", "price": value.to_string(), "fx_rate": "1", "value": value.to_string(), "type": kind});
    ClosedDay {
        date: format!("2026-01-{day:02}"),
        cut_at: Some(Micros(day)),
        base_currency: Some("USD".to_owned()),
        equity: Decimal::from(held.iter().map(|(_, _, value)| value).sum::<i64>() + cash),
        net_external_flow: Decimal::from(flow),
        positions: Value::Array(held.iter().map(position).collect()),
        complete: true,
        provisional: false,
    }
}

/// The profit of a day by sector and type alike.
fn record(day: i64, profits: &[(&str, i64)], total: i64) -> AttributionDay {
    let bucket = |(name, total): &(&str, i64)| json!({"name": name, "total": total.to_string()});
    let buckets: Vec<Value> = profits.iter().map(bucket).collect();
    let grouping = |grouping: &str| json!({"grouping": grouping, "buckets": buckets, "residual": "0", "total": total.to_string()});
    AttributionDay { as_of: Micros(day), attribution: json!([grouping("SECTOR"), grouping("INSTRUMENT_TYPE")]), provisional: false }
}

fn book(id: &str, days: Vec<ClosedDay>, records: Vec<AttributionDay>) -> Book {
    let sectors = [("uk", "UK"), ("jp", "JAPAN"), ("us", "US")].map(|(id, sector)| (id.to_owned(), sector.to_owned()));
    Book { id: id.to_owned(), days, records, sectors: BTreeMap::from(sectors) }
}

/// A day of equities in three countries: values at the start and what each earned, of a thousand.
fn three(id: &str, values: [i64; 3], earned: [i64; 3]) -> Book {
    let held = |values: [i64; 3]| [("uk", "EQUITY", values[0]), ("jp", "EQUITY", values[1]), ("us", "EQUITY", values[2])];
    let after = [values[0] + earned[0], values[1] + earned[1], values[2] + earned[2]];
    let profits = [("UK", earned[0]), ("JAPAN", earned[1]), ("US", earned[2])];
    let (before, after) = (held(values), held(after));
    book(id, vec![close(5, &before, 0, 0), close(6, &after, 0, 0)], vec![record(6, &profits, earned.iter().sum())])
}

fn near(text: &str, expected: f64) {
    let found: f64 = text.parse().unwrap();
    assert!((found - expected).abs() < 1e-14, "{found} is not {expected}");
}

#[test]
fn bacon_through_rows() {
    // Weights 0.4, 0.3, 0.3 and 0.4, 0.2, 0.4; returns 20, −5, 6 and 10, −4, 8 per cent.
    let (own, other) = (three("mine", [4000, 3000, 3000], [800, -150, 180]), three("model", [4000, 2000, 4000], [400, -80, 320]));
    let found = Against::of(&own, &other, "SECTOR", "2026-01-06").unwrap();
    near(&found.portfolio_return, 0.083);
    near(&found.benchmark_return, 0.064);
    near(&found.active_return, 0.019);
    let effects = |name: &str| &found.groups.iter().find(|of| of.group == name).unwrap().effects;
    for (name, allocation, selection, interaction) in
        [("UK", 0.0, 0.04, 0.0), ("JAPAN", -0.0104, -0.002, -0.001), ("US", -0.0016, -0.008, 0.002), ("CASH", 0.0, 0.0, 0.0)]
    {
        near(&effects(name).allocation, allocation);
        near(&effects(name).selection, selection);
        near(&effects(name).interaction, interaction);
    }
    near(&found.residual, 0.0);
    assert_eq!((found.days.len(), found.left_out.len(), found.benchmark.as_str()), (1, 0, "model"));
}

#[test]
fn days_that_one_of_both_lacks_are_named_and_left_out() {
    let mut own = three("mine", [4000, 3000, 3000], [800, -150, 180]);
    let other = three("model", [4000, 2000, 4000], [400, -80, 320]);
    own.days.push(close(7, &[("uk", "EQUITY", 10_830)], 0, 0));
    own.records.push(record(7, &[("UK", 0)], 0));
    let found = Against::of(&own, &other, "SECTOR", "2026-01-05").unwrap();
    let told: Vec<_> = found.left_out.iter().map(|day| (day.date.as_str(), day.reason.as_str())).collect();
    assert_eq!(told, [("2026-01-05", "mine has no close before it"), ("2026-01-07", "model has no close of it")]);
    own.records.remove(0);
    let why = Against::of(&own, &other, "SECTOR", "2026-01-06").unwrap_err();
    assert!(why.contains("no day in this span") && why.contains("mine has no record of its profit by SECTOR"), "{why}");
}

#[test]
fn a_day_that_is_measured_from_other_days_is_left_out() {
    let held = |value| [("uk", "EQUITY", value)];
    let days = |dates: &[i64]| dates.iter().map(|day| close(*day, &held(1000), 0, 0)).collect();
    let own = book("mine", days(&[5, 6, 7, 8]), (6..9).map(|day| record(day, &[("UK", 0)], 0)).collect());
    let other = book("model", days(&[5, 7, 8]), [7, 8].map(|day| record(day, &[("UK", 0)], 0)).to_vec());
    let found = Against::of(&own, &other, "SECTOR", "2026-01-06").unwrap();
    let told: Vec<_> = found.left_out.iter().map(|day| (day.date.as_str(), day.reason.as_str())).collect();
    let apart = "it is measured from the close of 2026-01-06 in mine, and of 2026-01-05 in model";
    assert_eq!(told, [("2026-01-06", "model has no close of it"), ("2026-01-07", apart)]);
    assert_eq!(found.days.len(), 1);
}

#[test]
fn currencies_must_be_one() {
    let (own, mut other) = (three("mine", [4000, 3000, 3000], [0, 0, 0]), three("model", [4000, 2000, 4000], [0, 0, 0]));
    other.days.iter_mut().for_each(|day| day.base_currency = Some("EUR".to_owned()));
    assert_eq!(
        Against::of(&own, &other, "SECTOR", "2026-01-06").unwrap_err(),
        "mine is kept in USD and model in EUR: a benchmark has the base currency of its portfolio"
    );
}

#[test]
fn flows_cash_and_types_stand_where_they_belong_and_days_are_linked() {
    // 2,000 flow in and buy UK, which earns 600 on its 6,000; cash of 1,000 earns 10; then a day that loses.
    let days = vec![
        close(5, &[("uk", "EQUITY", 4000), ("jp", "ETF", 5000)], 1000, 0),
        close(6, &[("uk", "EQUITY", 6600), ("jp", "ETF", 5000)], 1010, 2000),
        close(7, &[("uk", "EQUITY", 6270), ("jp", "ETF", 5000)], 1010, 0),
    ];
    let records = vec![record(6, &[("EQUITY", 600), ("ETF", 0), ("CASH", 10)], 610), record(7, &[("EQUITY", -330), ("ETF", 0)], -330)];
    let own = book("mine", days, records);
    let days = (5..8).map(|day| close(day, &[("uk", "EQUITY", 5000), ("jp", "ETF", 5000)], 0, 0)).collect();
    let other = book("model", days, vec![record(6, &[], 0), record(7, &[], 0)]);
    let found = Against::of(&own, &other, "INSTRUMENT_TYPE", "2026-01-06").unwrap();
    let first = &found.days[0];
    let side = |name: &str| first.groups.iter().find(|of| of.group == name).unwrap();
    near(&side("EQUITY").portfolio_weight, 0.5);
    near(&side("EQUITY").portfolio_return, 0.1);
    near(&side("CASH").portfolio_weight, 1000.0 / 12_000.0);
    near(&side("CASH").portfolio_return, 0.01);
    near(&first.portfolio_return, 610.0 / 12_000.0);
    let whole = (1.0 + 610.0 / 12_000.0) * (1.0 - 330.0 / 12_610.0) - 1.0;
    near(&found.portfolio_return, whole);
    near(&found.active_return, whole);
    near(&found.residual, 0.0);
    let sum: f64 = found.groups.iter().map(|of| of.effects.total.parse::<f64>().unwrap()).sum();
    near(&found.total.total, sum);
    near(&found.total.total, whole);
}

#[test]
fn a_future_weighs_its_notional() {
    let future = json!([{"instrument_id": "f", "quantity": "-2", "price": "50", "fx_rate": "1.1", "value": "3", "type": "FUTURE", "multiplier": "10"}]);
    let day = ClosedDay { positions: future, ..close(5, &[], 0, 0) };
    let found = values(&book("mine", Vec::new(), Vec::new()), &day, "INSTRUMENT_TYPE").unwrap();
    assert_eq!(found, BTreeMap::from([("FUTURE".to_owned(), d("-1100"))]));
}

#[test]
fn a_close_knows_the_sector_of_then_and_a_record_may_still_change() {
    let (mut own, other) = (three("mine", [4000, 3000, 3000], [800, -150, 180]), three("model", [4000, 2000, 4000], [400, -80, 320]));
    let plain = Against::of(&own, &other, "SECTOR", "2026-01-06").unwrap();
    assert!(!plain.provisional);
    // What was moved since, or sold, is where its close says.
    own.sectors.insert("uk".to_owned(), "ELSEWHERE".to_owned());
    own.sectors.remove("jp");
    for day in &mut own.days {
        for (position, sector) in day.positions.as_array_mut().unwrap().iter_mut().zip(["UK", "JAPAN"]) {
            position["sector"] = json!(sector);
        }
    }
    own.records[0].provisional = true;
    let found = Against::of(&own, &other, "SECTOR", "2026-01-06").unwrap();
    assert_eq!(serde_json::to_value(&found.groups).unwrap(), serde_json::to_value(&plain.groups).unwrap());
    assert!(found.provisional);
}
