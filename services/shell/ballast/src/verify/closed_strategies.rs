//! I11, strategies of a close: with what they leave they are the position, each figure exactly, and each is worth what its
//! own numbers say at the position's price. Whether the units are theirs is asked of snapshots.

use super::closes::{named, worth};
use super::exact::{self, Exact, Published, near, show, zero};
use super::report::Check;
use super::seen::Seen;
use domain::InstrumentId;
use domain::portfolio_close::{ClosedPosition, ClosedStrategy, PortfolioClose};
use std::collections::BTreeMap;

pub(super) fn check(closes: &[&Seen<PortfolioClose>]) -> Check {
    let mut check = Check::new("I11", "Σ strategies + residual = the position, in each close, each worth what its own numbers say");
    for seen in closes {
        let positions: BTreeMap<_, _> = seen.record.positions.iter().map(|position| (&position.instrument_id, position)).collect();
        let mut lines: BTreeMap<&InstrumentId, Vec<&ClosedStrategy>> = BTreeMap::new();
        for row in seen.record.strategies.iter().flatten() {
            lines.entry(&row.instrument_id).or_default().push(row);
        }
        for (id, rows) in lines {
            let position = positions.get(id).copied();
            for (name, told, sum) in figures(position, &rows) {
                check.that(told == sum, || {
                    format!("{}: {name} of {id} is {}, its strategies have {}", named(seen), show(&told), show(&sum))
                });
            }
            for row in rows.into_iter().filter(|row| !row.residual) {
                let own = position.map(|position| ClosedPosition { quantity: row.quantity, cost: Some(row.cost), ..position.clone() });
                if let (Some((value, slack)), Some(told)) = (own.as_ref().and_then(worth), row.value) {
                    check.that(near(&value, &told.exact(), &slack), || {
                        format!("{}: {} of {id} of {:?} are worth {}, not {told}", named(seen), row.quantity, row.strategy, show(&value))
                    });
                }
            }
        }
    }
    check
}

/// Units, cost and value: of the position, and of its rows together. What is not valued is compared with nothing.
fn figures(position: Option<&ClosedPosition>, rows: &[&ClosedStrategy]) -> Vec<(&'static str, Exact, Exact)> {
    let sum = |of: &dyn Fn(&ClosedStrategy) -> Exact| exact::sum(rows.iter().map(|row| of(row)));
    let told = |of: &dyn Fn(&ClosedPosition) -> Exact| position.map_or_else(zero, of);
    let mut figures = vec![
        ("quantity", told(&|position| position.quantity.exact()), sum(&|row| row.quantity.exact())),
        ("cost", told(&|position| position.cost.map_or_else(zero, Published::exact)), sum(&|row| row.cost.exact())),
    ];
    if rows.iter().all(|row| row.value.is_some()) {
        let value = |row: &ClosedStrategy| row.value.map_or_else(zero, Published::exact);
        figures.push(("value", told(&|position| position.value.exact()), sum(&value)));
    }
    figures
}
