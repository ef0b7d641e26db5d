//! What each strategy holds and has earned in the last snapshot is what the ledger's entries say of it, one after the
//! other: an entry that names no parts is all its own strategy's. Whether the parts are right is not asked here.

use super::exact::{self, Exact, Published, near, show, slack, zero};
use super::history::History;
use super::lanes::Lanes;
use super::metrics::contains;
use super::positions::last_snapshots;
use super::report::Check;
use super::seen::{Seen, by_portfolio};
use super::strategies::FULL;
use domain::ledger::{Ledger, LedgerEntry};
use domain::snapshot::{Snapshot, StrategyPosition};
use domain::{Currency, InstrumentId, StrategyId};
use std::collections::{BTreeMap, BTreeSet};

/// Whether it is the residual, and whose it is.
type Who<'a> = (bool, Option<&'a StrategyId>);

/// Units, realized gross, fees, income.
type Figures = [Exact; 4];

const NAMES: [&str; 4] = ["units", "realized_gross", "fees", "income"];

/// The row of I2.
pub(super) fn check(history: &History, lanes: &Lanes) -> Check {
    let mut check = Check::new("I2", "units, realized, fees, income of a strategy in the last snapshot = Σ of the ledger's parts");
    let settled = history.ledgers.iter().filter(|seen| !seen.repeat && lanes.is_settled(seen.stamp));
    let ledgers = by_portfolio(settled, |ledger| &ledger.portfolio_id);
    for (portfolio, seen) in last_snapshots(history, lanes) {
        let Some(step) = seen.stamp.map(|stamp| stamp.step).filter(|_| seen.record.strategies.len() < FULL) else { continue };
        let before = |ledger: &&&Seen<Ledger>| ledger.stamp.is_some_and(|stamp| stamp.step <= step);
        let contained: Vec<_> = ledgers.get(portfolio).into_iter().flatten().filter(before).collect();
        let last = contained.last().filter(|last| usize::try_from(last.record.version) == Ok(contained.len()));
        let Some(last) = last else { continue };
        if last.stamp.is_some_and(|stamp| stamp.step == step) && !contains(&seen.record, &last.record) {
            continue;
        }
        let lines: BTreeSet<&InstrumentId> = seen.record.strategies.iter().filter_map(|row| row.instrument_id.as_ref()).collect();
        for line in lines {
            let entries =
                contained.iter().flat_map(|ledger| &ledger.record.entries).filter(|entry| entry.instrument_id.as_ref() == Some(line));
            let entries: Vec<_> = entries.collect();
            let plain = contained.iter().flat_map(|ledger| &ledger.record.positions).filter(|state| state.instrument_id == *line);
            let own = plain.map(|state| state.currency).all(|currency| currency == seen.record.base_currency);
            if let Some(sums) = sums(&entries, seen.record.base_currency, own) {
                compare(seen, line, &sums, entries.len() as u64, &mut check);
            }
        }
    }
    check
}

/// What entries come to by strategy; `None` where one without parts is in another currency than the base.
fn sums<'a>(entries: &[&'a LedgerEntry], base: Currency, own: bool) -> Option<BTreeMap<Who<'a>, Figures>> {
    let mut sums: BTreeMap<Who<'a>, Figures> = BTreeMap::new();
    let mut add = |who, figures: Figures| {
        let sum = sums.entry(who).or_insert_with(|| [zero(), zero(), zero(), zero()]);
        sum.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure);
    };
    for entry in entries {
        if entry.by_strategy.is_empty() {
            if !own || entry.fees.iter().any(|fee| fee.currency != base) {
                return None;
            }
            let fees = exact::sum(entry.fees.iter().map(|fee| fee.amount.exact()));
            let figures = [entry.quantity_change.exact(), entry.realized_gross.exact(), fees, entry.income.exact()];
            add((false, entry.strategy.as_ref()), figures);
        }
        for part in &entry.by_strategy {
            let figures = [part.quantity_change.exact(), part.realized_gross.exact(), part.fees.exact(), part.income.exact()];
            add((part.residual, part.strategy.as_ref()), figures);
        }
    }
    Some(sums)
}

fn compare(seen: &Seen<Snapshot>, line: &InstrumentId, sums: &BTreeMap<Who<'_>, Figures>, entries: u64, check: &mut Check) {
    let rows = seen.record.strategies.iter().filter(|row| row.instrument_id.as_ref() == Some(line));
    let rows: BTreeMap<Who<'_>, &StrategyPosition> = rows.map(|row| ((row.residual, row.strategy.as_ref()), row)).collect();
    // Each part is rounded by itself, and what a row shows follows from roundings.
    let slack = slack(entries * 2 + 8, entries);
    for who in rows.keys().chain(sums.keys()).collect::<BTreeSet<_>>() {
        let told = rows.get(who).map_or_else(
            || [zero(), zero(), zero(), zero()],
            |row| [row.quantity.exact(), row.realized_gross.exact(), row.fees.exact(), row.income.exact()],
        );
        for (at, told) in told.iter().enumerate() {
            let sum = sums.get(who).map_or_else(zero, |sum| sum[at].clone());
            check.that(if at == 0 { *told == sum } else { near(told, &sum, &slack) }, || {
                let name = if who.0 { "the residual" } else { who.1.map_or("no strategy", StrategyId::as_str) };
                let (version, portfolio) = (seen.record.version, &seen.record.portfolio_id);
                format!(
                    "{}: version {version} of {portfolio}: {} of {name} in {line} is {}, the ledger's parts add up to {}",
                    seen.place,
                    NAMES[at],
                    show(told),
                    show(&sum)
                )
            });
        }
    }
}
