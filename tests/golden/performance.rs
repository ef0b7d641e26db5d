//! Laws of performance and risk that hold whatever a case is about: each close has its day, profits and groupings add
//! up to the last unit, days link to the whole, and a figure without a value has a reason. What each figure must be is
//! the model's to say (`oracle.rs`); here nothing is worked out anew.

use crate::core::{Told, cases, input, records, run};
use serde_json::Value;
use std::collections::BTreeMap;

/// Decimals of a figure.
const SCALE: i128 = 1_000_000_000_000;

/// What the newest records say, by portfolio and date.
#[derive(Default)]
struct Said {
    closes: BTreeMap<(String, String), Value>,
    days: BTreeMap<(String, String), Value>,
    wholes: BTreeMap<String, Value>,
}

impl Said {
    fn take(&mut self, topic: &str, value: &Value) -> Result<(), String> {
        let key = (text(&value["portfolio_id"]), text(&value["date"]));
        match topic {
            "portfolio.closes.v1" => {
                self.closes.insert(key, value.clone());
            }
            "portfolio.performance.v1" => {
                adds_up(value)?;
                if value["timeframe"] == "DAY" {
                    self.profit_is_the_closes(&key, value)?;
                    self.days.insert(key, value.clone());
                } else if value["timeframe"] == "ALL" {
                    self.wholes.insert(key.0, value.clone());
                }
            }
            "portfolio.risk.v1" => {}
            _ => return Ok(()),
        }
        every_figure_has_a_value_or_a_reason(value)
    }

    /// A day has earned its equity − that of the day before − what flowed, and flows are those of the closes.
    fn profit_is_the_closes(&self, key: &(String, String), day: &Value) -> Result<(), String> {
        let own = self.closes.get(key).ok_or("it has no close")?;
        let before = self.closes.range(..key.clone()).next_back().filter(|((portfolio, _), _)| *portfolio == key.0).map(|(_, close)| close);
        let of = |close: Option<&Value>, field: &str| close.map_or(0, |close| units(&close[field]));
        let flow = units(&own["net_flows"]) - of(before, "net_flows");
        let profit = units(&own["equity"]) - of(before, "equity") - flow;
        for (id, expected) in [("net_external_flow", flow), ("profit", profit), ("total_value", units(&own["equity"]))] {
            let found = figure(day, id).map_or(0, |metric| units(&metric["value"]));
            if found != expected {
                return Err(format!("{id} is {found} and the closes have {expected} (in 10^-12)"));
            }
        }
        Ok(())
    }

    /// Every close that still holds has a day that was made of it.
    fn every_close_has_its_day(&self) -> Result<(), String> {
        for (key, close) in &self.closes {
            let version = self.days.get(key).map(|day| &day["close_version"]);
            if version != Some(&close["version"]) {
                return Err(format!("{key:?} was closed as version {} and its day is of {version:?}", close["version"]));
            }
        }
        Ok(())
    }

    /// The days since the last total loss link to what ALL says, but for what each of them was rounded by.
    fn days_link_to_the_whole(&self) -> Result<(), String> {
        for (portfolio, whole) in &self.wholes {
            let days: Vec<_> = self.days.iter().filter(|((owner, _), _)| owner == portfolio).map(|(_, day)| day).collect();
            let lost = days.iter().rposition(|day| reason(day, "time_weighted_return").starts_with("TOTAL_LOSS"));
            let linked: Vec<_> =
                days.iter().skip(lost.map_or(0, |at| at + 1)).filter_map(|day| value(day, "time_weighted_return")).collect();
            let (found, expected) = (value(whole, "time_weighted_return"), product(&linked));
            let why = match (found, expected) {
                (Some(found), Some((expected, rounding))) if !linked.is_empty() => {
                    let fits = (found - expected).abs() <= rounding;
                    (!fits).then(|| format!("ALL is {found} and its days link to {expected} (in 10^-12)"))
                }
                (Some(_), Some(_)) => Some("ALL has a return and no day has".to_owned()),
                (None, _) if lost.is_none() && !linked.is_empty() => Some("days have returns and ALL has none".to_owned()),
                _ => None,
            };
            if let Some(why) = why {
                return Err(format!("{portfolio}: {why}"));
            }
        }
        Ok(())
    }
}

/// What returns link to, and how far off it may be: each was rounded once. None where the numbers are too large.
fn product(returns: &[i128]) -> Option<(i128, i128)> {
    let mut index = SCALE;
    for one in returns {
        index = index.checked_mul(SCALE + one)? / SCALE;
    }
    let mut rounding = 2;
    for one in returns {
        rounding += index / (SCALE + one).max(1) + 2 + index / SCALE;
    }
    Some((index - SCALE, rounding))
}

/// Buckets and residual are the total in every grouping, and the parts of a bucket are its total.
fn adds_up(record: &Value) -> Result<(), String> {
    for group in record["attribution"].as_array().into_iter().flatten() {
        let mut sum = units(&group["residual"]);
        for bucket in group["buckets"].as_array().into_iter().flatten() {
            let part = |name: &str| units(&bucket[name]);
            if part("total") != part("realized_gross") - part("fees") + part("income") + part("unrealized") {
                return Err(format!("{} {}: the parts are not the total", group["grouping"], bucket["name"]));
            }
            sum += part("total");
        }
        let profit = figure(record, "profit").map(|metric| units(&metric["value"]));
        if sum != units(&group["total"]) || profit.is_some_and(|profit| profit != sum) {
            return Err(format!(
                "{}: buckets and residual are {sum}, the total {}, the profit {profit:?}",
                group["grouping"], group["total"]
            ));
        }
    }
    Ok(())
}

fn every_figure_has_a_value_or_a_reason(record: &Value) -> Result<(), String> {
    let metrics = record["metrics"].as_array().into_iter().flatten();
    let mut silent = metrics.filter(|metric| metric["value"].is_null() && text(&metric["reason"]).is_empty());
    silent.next().map_or(Ok(()), |metric| Err(format!("{} of {} has neither a value nor a reason", metric["id"], record["timeframe"])))
}

fn figure<'a>(record: &'a Value, id: &str) -> Option<&'a Value> {
    record["metrics"].as_array()?.iter().find(|metric| metric["id"] == id)
}

fn value(record: &Value, id: &str) -> Option<i128> {
    figure(record, id).map(|metric| &metric["value"]).filter(|value| !value.is_null()).map(units)
}

fn reason(record: &Value, id: &str) -> String {
    figure(record, id).map(|metric| text(&metric["reason"])).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A decimal in units of its twelfth decimal.
fn units(value: &Value) -> i128 {
    let whole = text(value);
    let (sign, digits) = whole.strip_prefix('-').map_or((1, whole.as_str()), |digits| (-1, digits));
    let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
    let padded = format!("{before}{after:0<12}");
    sign * padded.parse::<i128>().unwrap_or_else(|_| panic!("{value} is no decimal of twelve places"))
}

/// Says which law does not hold, and where.
fn laws(told: &Told) -> Result<usize, String> {
    let mut said = Said::default();
    for (number, record) in records(told).iter().enumerate() {
        said.take(&text(&record["topic"]), &record["value"]).map_err(|why| format!("line {}: {why}", number + 1))?;
    }
    said.every_close_has_its_day()?;
    said.days_link_to_the_whole()?;
    Ok(said.days.len())
}

#[test]
fn the_laws_hold_in_every_case() {
    let (mut days, mut wrong) = (0, Vec::new());
    for case in cases() {
        match laws(&run(&input(&case))) {
            Ok(found) => days += found,
            Err(why) => wrong.push(format!("{case}: {why}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(days >= 100, "only {days} days were closed");
}

/// Figures changed by hand: each law must notice one.
#[test]
fn a_broken_law_is_noticed() {
    let told = run(&input("performance_several_flows_in_a_day"));
    assert!(laws(&told).is_ok_and(|days| days > 0));
    let day = "\"timeframe\":\"DAY\"";
    let changes = [
        ("\"close_version\":1", "\"close_version\":7"),
        ("{\"id\":\"profit\",\"value\":\"", "{\"id\":\"profit\",\"value\":\"1"),
        ("\"residual\":\"", "\"residual\":\"1"),
        ("{\"id\":\"time_weighted_return\",\"value\":\"0.", "{\"id\":\"time_weighted_return\",\"value\":\"0.1"),
        ("{\"id\":\"total_value\",\"value\":\"", "{\"id\":\"total_value\",\"value\":\"2"),
    ];
    for (from, to) in changes {
        let line =
            told.text.lines().rfind(|line| line.contains(day) && line.contains(from)).unwrap_or_else(|| panic!("no day holds {from}"));
        let text = told.text.replace(line, &line.replacen(from, to, 1));
        assert!(laws(&Told { text, verdict: told.verdict }).is_err(), "{from} → {to} went unnoticed");
    }
    let silent =
        told.text.replace("\"reason\":\"NO_DRAWDOWN", "\"reason\":\"").replace(": the index never fell below an earlier peak\"", "\"");
    assert_ne!(silent, told.text, "a figure has no value");
    assert!(laws(&Told { text: silent, verdict: told.verdict }).is_err());
}
