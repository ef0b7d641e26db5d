//! The catalogue held to kept Python libraries, over the series that `tests/golden/metrics/derive.py` made.
//! Where a library counts otherwise, the README beside that script says how.

#![allow(clippy::unwrap_used, clippy::float_arithmetic, reason = "a test that cannot go on has failed, and figures are floats")]

use domain::Date;
use performance_tracker::metrics::catalogue::find;
use performance_tracker::metrics::rolling::rolling;
use performance_tracker::numeric::{normal, quantile};
use performance_tracker::returns::money_weighted::{CashFlow, irr, present_value, xirr};
use performance_tracker::risk::{component, covariance};
use performance_tracker::{Sample, Settings};
use serde_json::Value;

/// Relative distance that is rounding.
const NEAR: f64 = 1e-10;

fn file(name: &str) -> String {
    let path = format!("{}/../../../tests/golden/metrics/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn expected(name: &str) -> Value {
    serde_json::from_str(&file(&format!("expected/{name}.json"))).unwrap()
}

fn near(found: f64, expected: f64, what: &str) {
    let distance = (found - expected).abs();
    assert!(distance <= NEAR * expected.abs().max(1e-6), "{what}: {found} is not {expected}, by {distance:e}");
}

/// Columns of a series by name.
fn series(name: &str) -> (Vec<Date>, Vec<Vec<f64>>) {
    let text = file(&format!("series/{name}.csv"));
    let mut lines = text.lines();
    let width = lines.next().unwrap().split(',').count();
    let (mut dates, mut columns) = (Vec::new(), vec![Vec::new(); width - 1]);
    for line in lines {
        let mut cells = line.split(',');
        dates.push(cells.next().unwrap().parse().unwrap());
        columns.iter_mut().zip(cells).for_each(|(column, cell)| column.push(cell.parse().unwrap()));
    }
    (dates, columns)
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|one| one.as_f64().unwrap()).collect()
}

/// The settings of one expected figure.
fn settings(of: &Value, periods: f64) -> Settings {
    let number = |name: &str, default: f64| of[name].as_f64().unwrap_or(default);
    Settings {
        periods_per_year: periods,
        risk_free_annual: number("risk_free_annual", 0.0),
        minimum_acceptable: number("mar", 0.0),
        confidence: number("confidence", 0.95),
        horizon: 1.0,
    }
}

fn held_to(name: &str, at_least: usize) {
    let (dates, columns) = series(name);
    let expected = expected(name);
    let figures = expected["figures"].as_array().unwrap();
    assert!(figures.len() >= at_least, "{name} has {} figures", figures.len());
    for figure in figures {
        let settings = settings(&figure["settings"], expected["periods_per_year"].as_f64().unwrap());
        let constant = figure["settings"]["risk_free_period"].as_f64().map(|rate| vec![rate; dates.len()]);
        let rates = if figure["settings"]["risk_free"] == "series" { Some(columns[2].clone()) } else { constant };
        let mut sample = Sample::new(&columns[0]).unwrap().dated(&dates).unwrap().with(settings).unwrap();
        if let Some(benchmark) = columns.get(1) {
            sample = sample.against(benchmark).unwrap();
        }
        if let Some(rates) = &rates {
            sample = sample.with_risk_free(rates).unwrap();
        }
        let id = figure["id"].as_str().unwrap();
        let found = find(id).unwrap_or_else(|| panic!("there is no {id}")).of_sample(&sample).unwrap();
        let what = format!("{name} {id} {} by {}", figure["settings"], figure["function"]);
        near(found.value.unwrap_or_else(|reason| panic!("{what}: {reason}")), figure["value"].as_f64().unwrap(), &what);
    }
}

#[test]
fn two_years_of_days() {
    held_to("daily", 70);
}

#[test]
fn seven_years_of_months() {
    held_to("monthly", 70);
}

#[test]
fn fat_tails_of_every_calendar_day() {
    held_to("fat_tails", 70);
}

#[test]
fn three_weeks() {
    held_to("short", 70);
}

#[test]
fn the_traded_book_of_pyfolio() {
    held_to("pyfolio", 50);
}

#[test]
fn rolling_windows() {
    let (_, columns) = series("daily");
    let expected = &expected("daily")["rolling"];
    let sample = Sample::new(&columns[0][..60]).unwrap().against(&columns[1][..60]).unwrap();
    for id in ["volatility", "max_drawdown", "sharpe", "beta"] {
        let found = rolling(find(id).unwrap(), &sample, 20);
        let wanted = numbers(&expected[id]);
        assert_eq!((found.len(), wanted.len()), (41, 41), "{id}");
        found.iter().zip(wanted).for_each(|(one, wanted)| near(one.value.unwrap(), wanted, id));
    }
}

#[test]
fn covariances_correlations_and_components() {
    let (_, columns) = series("daily");
    let expected = &expected("daily")["matrices"];
    let weights = numbers(&expected["weights"]);
    let sample = covariance::sample(&columns).unwrap();
    let matrices = [
        ("covariance", sample.clone()),
        ("correlation", covariance::correlation(&columns).unwrap()),
        ("exponential_0.94", covariance::exponential(&columns, 0.94).unwrap()),
    ];
    for (name, matrix) in matrices {
        for (row, wanted) in matrix.iter().zip(expected[name].as_array().unwrap()) {
            row.iter().zip(numbers(wanted)).for_each(|(one, wanted)| {
                assert!((one - wanted).abs() <= NEAR * wanted.abs().max(1e-9), "{name}: {one} is not {wanted}");
            });
        }
    }
    let means: Vec<f64> = columns.iter().map(|column| performance_tracker::numeric::mean(column).unwrap()).collect();
    let found = component::parametric(&sample, &means, &weights, 0.95, 1.0).unwrap();
    near(found.total, expected["book_var_0.95"].as_f64().unwrap(), "the book's value at risk");
    found.parts.iter().zip(numbers(&expected["component_var_0.95"])).for_each(|(one, wanted)| near(*one, wanted, "a component"));
}

#[test]
fn rates_of_cash_flows() {
    let expected = expected("cash_flows");
    let cases = expected["dated"].as_array().unwrap();
    assert!(cases.len() >= 20, "{}", cases.len());
    for case in cases {
        let flow = |row: &Value| CashFlow { date: row[0].as_str().unwrap().parse().unwrap(), amount: row[1].as_f64().unwrap() };
        let flows: Vec<CashFlow> = case["flows"].as_array().unwrap().iter().map(flow).collect();
        let wanted = case["xirr"].as_f64().unwrap();
        let found = xirr(&flows).unwrap();
        // Of several roots the library gives the one that its search meets.
        let nearest = found.roots.iter().copied().reduce(|a, b| if (b - wanted).abs() < (a - wanted).abs() { b } else { a });
        near(nearest.unwrap(), wanted, "xirr");
        near(present_value(&flows, 0.1).unwrap(), case["xnpv_10"].as_f64().unwrap(), "xnpv");
    }
    for case in expected["periodic"].as_array().unwrap() {
        near(irr(&numbers(&case["flows"])).unwrap().rate, case["irr"].as_f64().unwrap(), "irr");
    }
}

#[test]
fn quantiles_of_the_normal_distribution_and_of_samples() {
    let expected = expected("quantiles");
    let pairs = numbers(&expected["probabilities"]).into_iter().zip(numbers(&expected["quantiles"]));
    pairs.for_each(|(probability, wanted)| near(normal::quantile(probability).unwrap(), wanted, "a normal quantile"));
    let sample = numbers(&expected["sample"]);
    let pairs = numbers(&expected["steps"]).into_iter().zip(numbers(&expected["type_7"]));
    pairs.for_each(|(step, wanted)| near(quantile(&sample, step).unwrap(), wanted, "a quantile"));
}
