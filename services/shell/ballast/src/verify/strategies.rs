//! Sub-positions by strategy: with what they leave they are the line, in each snapshot and in each entry, and the units
//! of each are those of the executions that name it. What strategies earn at averages of their own is not worked out.

use super::exact::{self, Exact, Published, show, zero};
use super::facts::Facts;
use super::fate::Fates;
use super::history::History;
use super::lanes::Lanes;
use super::positions::{Booked, contained, last_snapshots, units};
use super::report::Check;
use super::seen::Seen;
use domain::fill::Fill;
use domain::ledger::{Ledger, LedgerEntry, StrategyChange};
use domain::snapshot::{Allocation, Snapshot, StrategyPosition};
use domain::{InstrumentId, Money, StrategyId};
use std::collections::{BTreeMap, BTreeSet};

/// Strategies of a line that are told apart, at most: of one with more the model does not say whose a booking is.
const MOST: usize = 64;
/// A snapshot of so many rows may tell of further lines together.
pub(super) const FULL: usize = 15_000;

/// The rows that concern strategies.
pub(super) fn check(history: &History, lanes: &Lanes, facts: &Facts, fates: &Fates, booked: &Booked<'_>) -> Vec<Check> {
    let mut lines = Check::new("I2", "Σ strategies + residual = the line, in each snapshot");
    let mut entries = Check::new("I2", "Σ strategies + residual = the units of the entry, where it tells of them");
    let mut amounts = Check::new("I2", "Σ strategies + residual = the entry in the base currency, where it tells of them");
    history.snapshots.iter().filter(|seen| !seen.repeat).for_each(|seen| add_up(seen, &mut lines));
    for seen in history.ledgers.iter().filter(|seen| !seen.repeat) {
        for entry in seen.record.entries.iter().filter(|entry| !entry.by_strategy.is_empty()) {
            let sum = exact::sum(entry.by_strategy.iter().map(|part| part.quantity_change.exact()));
            let once = is_once(entry.by_strategy.iter().map(|part| (part.residual, part.strategy.as_ref())));
            entries.that(once && sum == entry.quantity_change.exact(), || {
                format!(
                    "{}: {} of {}: its strategies move {}, it {}",
                    seen.place,
                    entry.kind,
                    named(entry),
                    show(&sum),
                    entry.quantity_change
                )
            });
            in_base(seen, entry, &mut amounts);
        }
    }
    vec![lines, entries, amounts, against_executions(history, lanes, facts, fates, booked)]
}

fn in_base(seen: &Seen<Ledger>, entry: &LedgerEntry, check: &mut Check) {
    let Some(told) = entry.in_base.as_deref().copied().or_else(|| entry.as_it_stands()) else { return };
    let sum = |of: fn(&StrategyChange) -> Option<Money>| {
        let parts: Option<Vec<Exact>> = entry.by_strategy.iter().map(|part| of(part).map(Published::exact)).collect();
        parts.map(|parts| exact::sum(parts.into_iter()))
    };
    let figures = [
        ("realized_gross", told.realized_gross, sum(|part| Some(part.realized_gross))),
        ("fees", told.fees, sum(|part| Some(part.fees))),
        ("income", told.income, sum(|part| Some(part.income))),
        ("proceeds", told.proceeds, sum(|part| part.proceeds)),
    ];
    // Entries of earlier builds tell no proceeds.
    for (name, told, sum) in figures.into_iter().filter_map(|(name, told, sum)| Some((name, told, sum?))) {
        check.that(sum == told.exact(), || {
            format!("{}: {} of {}: {name} of its strategies is {}, its own {told}", seen.place, entry.kind, named(entry), show(&sum))
        });
    }
}

fn named(entry: &LedgerEntry) -> &str {
    entry.cause.id.as_str()
}

/// Whether each strategy stands once, and the residual too.
fn is_once<'a>(parts: impl Iterator<Item = (bool, Option<&'a StrategyId>)>) -> bool {
    let mut known = BTreeSet::new();
    let mut parts = parts;
    parts.all(|part| known.insert(part) && !(part.0 && part.1.is_some()))
}

fn add_up(seen: &Seen<Snapshot>, check: &mut Check) {
    let snapshot = &seen.record;
    let at = |row: &StrategyPosition| {
        let id = row.instrument_id.as_ref().map_or("what is gone", InstrumentId::as_str);
        format!("{}: version {} of {}: {id}", seen.place, snapshot.version, snapshot.portfolio_id)
    };
    let mut by_line: BTreeMap<Option<&InstrumentId>, Vec<&StrategyPosition>> = BTreeMap::new();
    for row in &snapshot.strategies {
        let net = row.realized_gross.exact() - row.fees.exact() + row.income.exact();
        let gain = row.value.exact() - row.cost.exact();
        check.that(net == row.realized_net.exact() && gain == row.unrealized.exact(), || {
            format!(
                "{} by {:?}: realized_net {} or unrealized {} is not what its parts are",
                at(row),
                row.strategy,
                row.realized_net,
                row.unrealized
            )
        });
        by_line.entry(row.instrument_id.as_ref()).or_default().push(row);
    }
    let full = snapshot.strategies.len() >= FULL;
    for (id, rows) in by_line.into_iter().filter(|(id, _)| id.is_some() || !full) {
        let line = snapshot.allocations.iter().find(|line| Some(&line.instrument_id) == id);
        let once = is_once(rows.iter().map(|row| (row.residual, row.strategy.as_ref())));
        check.that(once, || format!("{}: a strategy stands twice", at(rows[0])));
        for (name, sum, told) in figures(&rows, line) {
            // Of what is gone only the gains are left, and no line tells those.
            let told = told.or_else(|| (name != "realized").then(zero));
            check.that(told.is_none_or(|told| told == sum), || format!("{}: {name} of its strategies is {}", at(rows[0]), show(&sum)));
        }
    }
}

/// What rows come to, beside what their line says.
fn figures(rows: &[&StrategyPosition], line: Option<&Allocation>) -> [(&'static str, Exact, Option<Exact>); 4] {
    let sum = |of: fn(&StrategyPosition) -> Exact| exact::sum(rows.iter().map(|row| of(row)));
    [
        ("quantity", sum(|row| row.quantity.exact()), line.map(|line| line.quantity.exact())),
        ("value", sum(|row| row.value.exact()), line.map(|line| line.value.exact())),
        ("unrealized", sum(|row| row.unrealized.exact()), line.map(|line| line.unrealized.exact())),
        ("realized", sum(|row| row.realized_net.exact()), line.map(|line| line.realized.exact())),
    ]
}

type Holding<'a> = (&'a InstrumentId, Option<&'a StrategyId>);

/// Units of each strategy in the last snapshot, where nothing but executions moved the line.
fn against_executions(history: &History, lanes: &Lanes, facts: &Facts, fates: &Fates, booked: &Booked<'_>) -> Check {
    let mut check = Check::new("I1", "units of a strategy = Σ signed executions that name it, in the last snapshot");
    for (portfolio, seen) in last_snapshots(history, lanes) {
        if seen.record.strategies.len() >= FULL {
            continue;
        }
        let Some(contained) = contained(seen, booked.trades(portfolio), fates) else { continue };
        let sums = sums(&contained, facts);
        let mut names: BTreeMap<&InstrumentId, usize> = BTreeMap::new();
        sums.keys().filter(|(_, strategy)| strategy.is_some()).for_each(|(id, _)| *names.entry(id).or_default() += 1);
        let rows = seen.record.strategies.iter().filter(|row| !row.residual);
        let told: BTreeMap<Holding<'_>, &StrategyPosition> =
            rows.filter_map(|row| Some(((row.instrument_id.as_ref()?, row.strategy.as_ref()), row))).collect();
        for holding in sums.keys().chain(told.keys()).collect::<BTreeSet<_>>() {
            let told_apart = names.get(holding.0).is_some_and(|names| *names <= MOST);
            if !told_apart || !booked.is_traded_only(facts, portfolio, holding.0) {
                continue;
            }
            let sum = sums.get(holding).cloned().unwrap_or_else(zero);
            let units = told.get(holding).map_or_else(zero, |row| row.quantity.exact());
            check.that(units == sum, || {
                let name = holding.1.map_or("no strategy", StrategyId::as_str);
                let (place, version) = (seen.place, seen.record.version);
                format!(
                    "{place}: version {version} of {portfolio} has {} {} of {name}, its executions add up to {}",
                    show(&units),
                    holding.0,
                    show(&sum)
                )
            });
        }
    }
    check
}

fn sums<'a>(fills: &[&'a Fill], facts: &Facts) -> BTreeMap<Holding<'a>, Exact> {
    let mut sums = BTreeMap::new();
    for fill in fills {
        *sums.entry((&fill.instrument_id, fill.strategy.as_ref())).or_insert_with(zero) += units(fill, facts);
    }
    sums
}
