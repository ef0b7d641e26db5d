//! I1: a position is the sum of its distinct executions, counted from the fills alone.

use super::effect::signed_quantity;
use super::exact::{self, Exact, Published, show, zero};
use super::executions::act_step;
use super::facts::Facts;
use super::fate::{Fate, Fates, at, books, fill_key};
use super::history::History;
use super::lanes::Lanes;
use super::report::Check;
use super::seen::{Place, Seen};
use domain::enums::{EntryKind, ExecType, InstrumentType};
use domain::fill::Fill;
use domain::snapshot::{InputOffset, Snapshot};
use domain::{InstrumentId, PortfolioId, Quantity, Topic};
use std::collections::{BTreeMap, BTreeSet};

type Holding = (PortfolioId, InstrumentId);

/// Distinct trades that were booked, and what else moved a holding.
pub(super) struct Booked<'a> {
    trades: BTreeMap<&'a PortfolioId, Vec<&'a Seen<Fill>>>,
    moved: BTreeSet<Holding>,
}

impl<'a> Booked<'a> {
    /// Those of all portfolios.
    pub(super) fn of(history: &'a History, lanes: &Lanes, fates: &'a Fates) -> Self {
        let mut trades: BTreeMap<&PortfolioId, Vec<&Seen<Fill>>> = BTreeMap::new();
        for (seen, _) in distinct(history, fates).into_iter().filter(|(_, fate)| *fate == Fate::Applied) {
            trades.entry(&seen.record.portfolio_id).or_default().push(seen);
        }
        Self { trades, moved: moved_otherwise(history, lanes, fates) }
    }
    /// The trades of a portfolio.
    pub(super) fn trades(&self, portfolio: &PortfolioId) -> &[&'a Seen<Fill>] {
        self.trades.get(portfolio).map_or(&[][..], Vec::as_slice)
    }
    /// Whether nothing but trades moved a holding, as far as is known.
    pub(super) fn is_traded_only(&self, facts: &Facts, portfolio: &PortfolioId, id: &InstrumentId) -> bool {
        !self.moved.contains(&(portfolio.clone(), id.clone())) && !facts.is_forgotten(id) && !facts.is_split(id)
    }
}

/// The rows of I1.
pub(super) fn check(history: &History, lanes: &Lanes, facts: &Facts, fates: &Fates, booked: &Booked<'_>) -> Vec<Check> {
    vec![against_ledger(history, lanes, facts, fates, booked), against_snapshots(history, lanes, facts, fates, booked)]
}

/// Distinct trades that were booked, or should have been.
fn distinct<'a>(history: &'a History, fates: &'a Fates) -> Vec<(&'a Seen<Fill>, Fate)> {
    let mut known = BTreeSet::new();
    let counts = |(seen, fate): &(&Seen<Fill>, &Fate)| matches!(fate, Fate::Applied | Fate::Lost) && !seen.misfiled && is_trade(seen);
    let fills = history.fills.iter().zip(&fates.fills).filter(counts);
    fills.filter(|(seen, _)| known.insert(fill_key(&seen.record))).map(|(seen, fate)| (seen, *fate)).collect()
}

/// Signed units that an execution brings: none for a pair, less a fee paid in the units themselves.
pub(super) fn units(fill: &Fill, facts: &Facts) -> Exact {
    let Some(instrument) = facts.instrument(&fill.instrument_id, i64::MAX) else { return signed_quantity(fill) };
    match instrument.kind {
        InstrumentType::Fx => zero(),
        InstrumentType::Future => signed_quantity(fill),
        _ => {
            let in_units = fill.fees.iter().filter(|fee| instrument.base_asset == Some(fee.currency));
            signed_quantity(fill) - exact::sum(in_units.map(|fee| fee.amount.exact()))
        }
    }
}

fn sums(fills: &[&Fill], facts: &Facts) -> BTreeMap<Holding, Exact> {
    let mut sums = BTreeMap::new();
    for fill in fills {
        let held = sums.entry((fill.portfolio_id.clone(), fill.instrument_id.clone())).or_insert_with(zero);
        *held += units(fill, facts);
    }
    sums
}

/// Holdings that something else than a trade moved: transfers, splits, corrections.
fn moved_otherwise(history: &History, lanes: &Lanes, fates: &Fates) -> BTreeSet<Holding> {
    let mut moved = BTreeSet::new();
    for seen in history.ledgers.iter().filter(|seen| lanes.is_settled(seen.stamp)) {
        for entry in seen
            .record
            .entries
            .iter()
            .filter(|e| !books(e) || matches!(e.kind, EntryKind::Cancel | EntryKind::Correct) || is_transfer(e.kind))
        {
            if let Some(id) = &entry.instrument_id {
                moved.insert((seen.record.portfolio_id.clone(), id.clone()));
            }
        }
    }
    // One that waits, was refused or was taken out moved nothing.
    let others = history.fills.iter().filter(|seen| !is_trade(seen) && fates.acted(at(seen.place)));
    moved.extend(others.map(|seen| (seen.record.portfolio_id.clone(), seen.record.instrument_id.clone())));
    moved
}

fn is_trade(seen: &Seen<Fill>) -> bool {
    seen.record.exec_type == ExecType::Trade
}

fn is_transfer(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::TransferIn | EntryKind::TransferOut)
}

fn against_ledger(history: &History, lanes: &Lanes, facts: &Facts, fates: &Fates, booked: &Booked<'_>) -> Check {
    let mut check = Check::new("I1", "position = Σ signed distinct executions, in the last ledger state");
    let mut states: BTreeMap<Holding, (Place, Quantity)> = BTreeMap::new();
    for seen in history.ledgers.iter().filter(|seen| !seen.repeat && lanes.is_settled(seen.stamp)) {
        for state in &seen.record.positions {
            states.insert((seen.record.portfolio_id.clone(), state.instrument_id.clone()), (seen.place, state.quantity));
        }
    }
    let fills: Vec<&Fill> = distinct(history, fates).into_iter().map(|(seen, _)| &seen.record).collect();
    let sums = sums(&fills, facts);
    for holding in sums.keys().chain(states.keys()).collect::<BTreeSet<_>>() {
        if !booked.is_traded_only(facts, &holding.0, &holding.1) {
            continue;
        }
        let sum = sums.get(holding).cloned().unwrap_or_else(zero);
        let state = states.get(holding);
        let told = state.map_or(Quantity::ZERO, |(_, quantity)| *quantity);
        check.that(told.exact() == sum, || {
            let place = state.map_or("no ledger record".to_owned(), |(place, _)| place.to_string());
            format!("{place}: {} holds {told} {}, its executions add up to {}", holding.0, holding.1, show(&sum))
        });
    }
    check
}

fn against_snapshots(history: &History, lanes: &Lanes, facts: &Facts, fates: &Fates, booked: &Booked<'_>) -> Check {
    let mut check = Check::new("I1", "position = Σ signed distinct executions, in the last snapshot");
    for (portfolio, seen) in last_snapshots(history, lanes) {
        let Some(contained) = contained(seen, booked.trades(portfolio), fates) else { continue };
        let sums = sums(&contained, facts);
        let told: BTreeMap<&InstrumentId, Quantity> = seen.record.allocations.iter().map(|a| (&a.instrument_id, a.quantity)).collect();
        let mut instruments: BTreeSet<&InstrumentId> = sums.keys().map(|(_, id)| id).collect();
        instruments.extend(told.keys());
        for id in instruments {
            if !booked.is_traded_only(facts, portfolio, id) {
                continue;
            }
            let sum = sums.get(&(portfolio.clone(), id.clone())).cloned().unwrap_or_else(zero);
            let quantity = told.get(id).copied().unwrap_or(Quantity::ZERO);
            check.that(quantity.exact() == sum, || {
                format!(
                    "{}: version {} of {portfolio} holds {quantity} {id}, its executions add up to {}",
                    seen.place,
                    seen.record.version,
                    show(&sum)
                )
            });
        }
    }
    check
}

/// The newest snapshot of each portfolio.
pub(super) fn last_snapshots<'a>(history: &'a History, lanes: &Lanes) -> BTreeMap<&'a PortfolioId, &'a Seen<Snapshot>> {
    let settled = history.snapshots.iter().filter(|seen| !seen.repeat && lanes.is_settled(seen.stamp));
    settled.map(|seen| (&seen.record.portfolio_id, seen)).collect()
}

/// How far a record of ours had read a topic when it was made.
pub(super) fn read_to(offsets: &[InputOffset], topic: Topic, partition: i32) -> i64 {
    offsets.iter().find(|read| read.topic == topic && read.partition == partition).map_or(0, |read| read.offset)
}

/// The fills that a snapshot contains: booked in an earlier step, or in its own and read before it.
/// `None` where that cannot be told: something waited, and its own step booked.
pub(super) fn contained<'a>(seen: &Seen<Snapshot>, fills: &[&'a Seen<Fill>], fates: &Fates) -> Option<Vec<&'a Fill>> {
    let step = seen.stamp?.step;
    let mut contained = Vec::new();
    for fill in fills {
        let act = act_step(fates, fill).unwrap_or(i64::MAX);
        if act == step && seen.record.health.waiting > 0 {
            return None;
        }
        if act < step || (act == step && fill.place.offset < read_to(&seen.record.input_offsets, Topic::Fills, fill.place.partition)) {
            contained.push(&fill.record);
        }
    }
    Some(contained)
}
