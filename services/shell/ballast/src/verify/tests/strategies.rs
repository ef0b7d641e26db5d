//! Strategies: a true history passes, and sub-positions that are not those of the executions, or that do not add up to
//! their line, are found.

use super::super::story::*;
use super::{Story, found, passes, run};
use domain::Input;
use domain::ledger::StrategyChange;
use domain::snapshot::StrategyPosition;

fn row(strategy: Option<&str>, quantity: &str, cost: &str, realized: &str, fees: &str, net: &str) -> StrategyPosition {
    StrategyPosition {
        instrument_id: Some(v("AAPL")),
        strategy: strategy.map(v),
        residual: false,
        quantity: v(quantity),
        average_price: Some(price("100")),
        cost: v(cost),
        value: v(cost),
        realized_gross: v(realized),
        fees: v(fees),
        income: v("0"),
        realized_net: v(net),
        unrealized: v("0"),
    }
}

fn part(strategy: Option<&str>, quantity: &str, realized: &str, fees: &str) -> StrategyChange {
    let (strategy, quantity_change) = (strategy.map(v), v(quantity));
    StrategyChange {
        strategy,
        residual: false,
        quantity_change,
        realized_gross: v(realized),
        fees: v(fees),
        income: v("0"),
        proceeds: None,
    }
}

/// The clean story: its own executions are of a strategy, that of the order is of none.
fn kept() -> Story {
    let mut story = clean();
    for event in &mut story.events {
        if let Event::Input(input) = event
            && let Input::Fill(fill) = &mut **input
        {
            fill.strategy = Some(v("growth"));
        }
    }
    for (n, entry, told) in
        [(0, 1, part(Some("growth"), "30", "0", "1")), (1, 0, part(None, "19", "0", "0")), (2, 0, part(Some("growth"), "-9", "90", "1"))]
    {
        let entry = &mut story.ledger(n).entries[entry];
        entry.strategy.clone_from(&told.strategy);
        entry.by_strategy = vec![told];
    }
    story.snapshot(0).strategies = vec![row(Some("growth"), "30", "3000", "0", "1", "-1")];
    let none = || row(None, "19", "1900", "0", "0", "0");
    story.snapshot(1).strategies = vec![none(), row(Some("growth"), "30", "3000", "0", "1", "-1")];
    story.snapshot(2).strategies = vec![none(), row(Some("growth"), "21", "2100", "90", "2", "88")];
    story
}

fn finds(id: &str, words: &[&str], fault: impl FnOnce(&mut Story)) {
    let mut story = kept();
    fault(&mut story);
    found(&run(&story), id, words);
}

#[test]
fn a_true_history_of_strategies_passes() {
    passes(&kept());
}

#[test]
fn strategies_that_are_not_their_line_are_found() {
    finds("I2", &["AAPL: quantity", "is 39"], |story| story.snapshot(2).strategies[1].quantity = v("20"));
    finds("I2", &["AAPL: realized", "is 87"], |story| {
        let row = &mut story.snapshot(2).strategies[1];
        (row.fees, row.realized_net) = (v("3"), v("87"));
    });
    finds("I2", &["is not what its parts are"], |story| story.snapshot(1).strategies[1].realized_net = v("1"));
    finds("I2", &["AAPL: value", "is 4900.0000000001"], |story| {
        let row = &mut story.snapshot(1).strategies[0];
        (row.value, row.unrealized) = (v("1900.0000000001"), v("0.0000000001"));
    });
    finds("I2", &["stands twice"], |story| story.snapshot(1).strategies[0].strategy = Some(v("growth")));
    finds("I2", &["its strategies move 8"], |story| story.ledger(1).entries[0].by_strategy[0].quantity_change = v("8"));
}

#[test]
fn units_of_another_strategy_than_the_executions_name_are_found() {
    finds("I1", &["has 0 AAPL of growth", "add up to 21"], |story| {
        story.snapshot(2).strategies[1].strategy = Some(v("value"));
    });
    finds("I1", &["of no strategy", "add up to 19"], |story| {
        let rows = &mut story.snapshot(2).strategies;
        (rows[0].quantity, rows[1].quantity) = (v("20"), v("20"));
    });
    finds("I1", &["has 0 AAPL of no strategy", "add up to 19"], |story| story.snapshot(2).strategies.clear());
}

#[test]
fn what_the_ledger_says_of_a_strategy_and_the_snapshot_does_not_is_found() {
    finds("I2", &["fees of growth in AAPL is 2", "add up to 3"], |story| story.ledger(2).entries[0].by_strategy[0].fees = v("2"));
    finds("I2", &["realized_gross of no strategy in AAPL is 0", "add up to 5"], |story| {
        story.ledger(1).entries[0].by_strategy[0].realized_gross = v("5");
    });
}
