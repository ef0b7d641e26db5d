//! Closed days of the golden cases: honest ones pass, and each figure that was changed is found by its row.

use super::honest::{Log, cases, judged, lived, with};
use avro_codec::{SchemaStore, decode_output, encode};
use domain::portfolio_close::{ClosedStrategy, PortfolioClose};
use domain::{Money, Output, Quantity, Topic};

/// An invariant, the words of its row, and what is changed of a close.
type Change<'a> = (&'a str, &'a str, &'a dyn Fn(&mut PortfolioClose));

fn case(name: &str) -> Log {
    lived(&cases().into_iter().find(|(case, _)| case == name).unwrap().1)
}

/// The log with its closes changed; `change` hears their number.
fn with_closes(log: &Log, change: &mut dyn FnMut(usize, &mut PortfolioClose)) -> Log {
    let read = |bytes: &[u8]| match decode_output(&SchemaStore::compiled(), Topic::PortfolioCloses, bytes).unwrap() {
        Output::PortfolioClose(close) => *close,
        other => panic!("closes hold {other:?}"),
    };
    let write = |close| {
        let mut bytes = Vec::new();
        encode(&Output::PortfolioClose(Box::new(close)), &mut bytes).unwrap();
        bytes
    };
    let mut n = 0;
    let mut numbered = |close: &mut PortfolioClose| {
        change(n, close);
        n += 1;
    };
    with(log, Topic::PortfolioCloses, read, &mut numbered, write)
}

#[test]
fn honest_closes_pass_and_are_compared() {
    for name in ["close_at_four_in_new_york", "close_restated_by_a_late_fill", "close_restated_by_a_late_flow", "close_with_cash_abroad"] {
        let report = judged(&case(name));
        assert!(report.passed(), "{name}\n{report}");
        let idle: Vec<_> = report.checks.iter().filter(|check| check.what.contains("of a close") && check.checked == 0).collect();
        // Of what was taken back the ledger's legs have no day of their own.
        assert!(name == "close_restated_by_a_late_flow" || idle.is_empty(), "{name}: {idle:?}");
    }
}

#[test]
fn each_changed_figure_of_a_close_is_found() {
    let log = case("close_restated_by_a_late_fill");
    let units = |close: &mut PortfolioClose| {
        // Its own numbers still agree.
        close.positions[0].quantity = Quantity::from_whole(7).unwrap();
        let value = Money::from_units(close.positions[0].price.unwrap().units() * 7);
        close.equity = Money::from_units(close.equity.units() + value.units() - close.positions[0].value.units());
        close.positions[0].value = value;
    };
    let cash = |close: &mut PortfolioClose| {
        for amount in [&mut close.cash[0].amount, &mut close.currencies[0].cash_value, &mut close.equity] {
            *amount = Money::from_units(amount.units() + Money::ONE.units());
        }
    };
    let changes: [Change<'_>; 7] = [
        ("I1", "units of a close", &units),
        ("I2", "cash of a close", &cash),
        ("I2", "flow of a close", &|close| close.net_external_flow = Money::ONE),
        ("I11", "equity of a close", &|close| close.equity = Money::from_units(close.equity.units() + 1)),
        ("I11", "equity of a close", &|close| {
            close.positions[0].value = Money::from_units(close.positions[0].value.units() + Money::ONE.units());
            close.equity = Money::from_units(close.equity.units() + Money::ONE.units());
        }),
        ("I12", "versions of a close", &|close| close.version += 1),
        ("I12", "versions of a close", &|close| close.restates = Some(7)),
    ];
    for (id, what, change) in changes {
        for place in 0..3 {
            let changed = with_closes(&log, &mut |n, close| {
                if n == place {
                    change(close)
                }
            });
            let report = judged(&changed);
            let found = report.checks.iter().any(|check| check.id == id && check.what.contains(what) && !check.passed());
            assert!(found, "{what} of close {place}\n{report}");
        }
    }
    let mut unordered = log;
    let days = |n: usize| if n == 0 { "2026-01-07" } else { "2026-01-06" };
    unordered = with_closes(&unordered, &mut |n, close| close.date = if n < 2 { days(n).parse().unwrap() } else { close.date });
    assert!(judged(&unordered).checks.iter().any(|check| check.what.contains("are closed in order") && !check.passed()));
}

#[test]
fn each_changed_figure_of_a_strategy_in_a_close_is_found() {
    let log = case("performance_futures_of_strategies_abroad");
    let honest = judged(&log);
    assert!(honest.passed(), "{honest}");
    let row = |close: &mut PortfolioClose, change: &dyn Fn(&mut ClosedStrategy)| {
        let rows = close.strategies.iter_mut().flatten();
        rows.filter(|row| !row.residual).take(1).for_each(change);
    };
    let changes: [&dyn Fn(&mut ClosedStrategy); 3] = [
        &|row| row.quantity = Quantity::from_units(row.quantity.units() + 1),
        &|row| row.cost = Money::from_units(row.cost.units() + 1),
        &|row| row.value = row.value.map(|value| Money::from_units(value.units() + 1)),
    ];
    for change in changes {
        let changed = with_closes(&log, &mut |_, close| row(close, change));
        let report = judged(&changed);
        let found = report.checks.iter().any(|check| check.what.contains("the position, in each close") && !check.passed());
        assert!(found, "{report}");
    }
    // What no longer adds up to the position is found, and so is what adds up and is not worth that.
    let moved = with_closes(&log, &mut |_, close| {
        let rows: Vec<_> = close.strategies.iter_mut().flatten().take(2).collect();
        let by = [10_000_000_000, -10_000_000_000];
        rows.into_iter().zip(by).for_each(|(row, by)| row.value = row.value.map(|value| Money::from_units(value.units() + by)));
    });
    assert!(judged(&moved).checks.iter().any(|check| check.what.contains("the position, in each close") && !check.passed()));
}
