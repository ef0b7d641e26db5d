//! Days of two portfolios in money, attributed and linked, held to exact fractions that a script of the golden tests has
//! worked out (`tests/golden/metrics/brinson_days.py`, from the root).

#![allow(clippy::unwrap_used, clippy::float_arithmetic, reason = "a test that cannot go on has failed, and figures are floats")]

use performance_tracker::attribution::brinson::{Holding, Model, Side, brinson};
use performance_tracker::attribution::carino::linked;
use performance_tracker::attribution::day::{Group, Whole, sides};
use serde_json::Value;
use std::collections::BTreeMap;

fn number(of: &Value, name: &str) -> f64 {
    of[name].as_str().unwrap().parse().unwrap()
}

fn side(told: &Value) -> BTreeMap<String, Side> {
    let (whole, groups) = (&told["whole"], told["groups"].as_array().unwrap());
    let whole = Whole { begin: number(whole, "begin"), flow: number(whole, "flow"), profit: number(whole, "profit") };
    let group = |of: &Value| Group {
        name: of["name"].as_str().unwrap().to_owned(),
        begin: number(of, "begin"),
        end: number(of, "end"),
        profit: number(of, "profit"),
    };
    sides(whole, &groups.iter().map(group).collect::<Vec<_>>()).unwrap().into_iter().collect()
}

fn near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < 1e-13, "{what}: {found} is not {expected}");
}

#[test]
fn days_in_money_are_attributed_and_linked_as_exact_fractions_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/golden/metrics/expected/brinson_days.json");
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let period = |day: &Value| {
        let (own, other) = (side(&day[0]), side(&day[1]));
        let row =
            |(sector, portfolio): (&String, &Side)| Holding { sector: sector.clone(), portfolio: *portfolio, benchmark: other[sector] };
        brinson(&own.iter().map(row).collect::<Vec<_>>(), Model::Fachler).unwrap()
    };
    let periods: Vec<_> = expected["days"].as_array().unwrap().iter().map(period).collect();
    assert_eq!(periods.len(), 40);
    let found = linked(&periods).unwrap();
    near(found.portfolio_return, number(&expected, "portfolio_return"), "portfolio");
    near(found.benchmark_return, number(&expected, "benchmark_return"), "benchmark");
    near(found.residual(), 0.0, "residual");
    assert_eq!(found.sectors.len(), 4);
    for (name, parts) in expected["linked"].as_object().unwrap() {
        let effects = found.sectors[name];
        for (at, (part, what)) in
            [(effects.allocation, "allocation"), (effects.selection, "selection"), (effects.interaction, "interaction")]
                .into_iter()
                .enumerate()
        {
            near(part, parts[at].as_str().unwrap().parse().unwrap(), &format!("{name} {what}"));
        }
    }
}
