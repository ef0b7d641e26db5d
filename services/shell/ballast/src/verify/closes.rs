//! Closed days: I1 their units are the executions dated by then, I2 their cash is that of the ledger's entries dated by
//! then and their flows join, I11 equity is the sum of its parts, I12 versions count up and days rise.
//!
//! A close is compared with what its step had booked. Books with amendments, corporate actions or futures leave the
//! comparison of cash, lines that something else than a trade moved that of units: what a fold makes of them is not
//! known here. Prices are not compared: which one stood at a cut is known to the lane alone.

use super::closed_strategies;
use super::dated::{Dated, On, Running};
use super::exact::{self, Exact, Published, magnitude, near, ratio, show, whole, zero};
use super::executions::act_step;
use super::facts::Facts;
use super::fate::{Fates, at};
use super::history::History;
use super::lanes::Lanes;
use super::positions::{Booked, units};
use super::report::Check;
use super::seen::{Place, Seen, Stamp};
use domain::enums::{EntryKind, InstrumentType};
use domain::fill::Fill;
use domain::ledger::LedgerEntry;
use domain::portfolio_close::{ClosedPosition, PortfolioClose};
use domain::{Currency, Date, InstrumentId, Money, PortfolioId, Topic};
use std::collections::{BTreeMap, BTreeSet};

/// The rows about closes.
pub(super) fn check(history: &History, lanes: &Lanes, facts: &Facts, fates: &Fates, booked: &Booked<'_>) -> Vec<Check> {
    let closes: Vec<&Seen<PortfolioClose>> = history.closes.iter().filter(|seen| !seen.repeat && lanes.is_settled(seen.stamp)).collect();
    let mut rows = vec![units_of_days(facts, fates, booked, &closes), cash_of_days(history, lanes, &closes)];
    rows.extend(chain(history, lanes, &closes));
    rows.extend([parts(&closes), closed_strategies::check(&closes)]);
    rows
}

fn units_of_days(facts: &Facts, fates: &Fates, booked: &Booked<'_>, closes: &[&Seen<PortfolioClose>]) -> Check {
    let mut check = Check::new("I1", "units of a close = Σ signed distinct executions dated by its day");
    let mut running: BTreeMap<&PortfolioId, Running<&InstrumentId>> = BTreeMap::new();
    for (seen, step) in by_step(closes).filter(|(seen, _)| seen.record.complete) {
        let close = &seen.record;
        let executions =
            || Running::of(booked.trades(&close.portfolio_id).iter().filter_map(|fill| execution(facts, fates, fill)).collect());
        let sums = running.entry(&close.portfolio_id).or_insert_with(executions).by(close, step);
        let told: BTreeMap<&InstrumentId, Exact> = close.positions.iter().map(|p| (&p.instrument_id, p.quantity.exact())).collect();
        for id in sums.keys().chain(told.keys()).copied().collect::<BTreeSet<_>>() {
            if !booked.is_traded_only(facts, &close.portfolio_id, id) {
                continue;
            }
            let sum = sums.get(id).map_or_else(zero, |sum| sum.amount.clone());
            let quantity = told.get(id).cloned().unwrap_or_else(zero);
            check.that(sum == quantity, || {
                format!(
                    "{}: {} holds {} {id}, its executions by then add up to {}",
                    named(seen),
                    close.portfolio_id,
                    show(&quantity),
                    show(&sum)
                )
            });
        }
    }
    check
}

/// Closes in the order of the steps that made them.
fn by_step<'a>(closes: &[&'a Seen<PortfolioClose>]) -> impl Iterator<Item = (&'a Seen<PortfolioClose>, i64)> {
    let mut stamped: Vec<_> = closes.iter().filter_map(|seen| Some((*seen, seen.stamp?.step))).collect();
    stamped.sort_by_key(|(_, step)| *step);
    stamped.into_iter()
}

/// What an execution brings, from the step on that booked it.
fn execution<'a>(facts: &Facts, fates: &Fates, fill: &'a Seen<Fill>) -> Option<Dated<&'a InstrumentId>> {
    let (step, cause) = (act_step(fates, fill)?, at(fill.place));
    Some(Dated { step, cause, on: On::Day(fill.record.trade_date), of: &fill.record.instrument_id, amount: units(&fill.record, facts) })
}

pub(super) fn named(seen: &Seen<PortfolioClose>) -> String {
    format!("{}: version {} of {}", seen.place, seen.record.version, seen.record.date)
}

/// What entries of a ledger do to cash without anything else being folded again.
fn is_plain(entry: &LedgerEntry) -> bool {
    use EntryKind::{CashDeposit, CashFee, CashInterest, CashWithdrawal, Trade, TransferIn, TransferOut};
    matches!(entry.kind, Trade | CashDeposit | CashWithdrawal | CashFee | CashInterest | TransferIn | TransferOut)
        && entry.cause.topic != Topic::Frames
}

/// By what an entry belongs to a day.
fn on(entry: &LedgerEntry) -> Option<On> {
    match entry.kind {
        EntryKind::Trade => entry.trade_date.map(On::Day),
        _ => Some(On::Moment(entry.effective_at)),
    }
}

/// Cash legs by portfolio.
type Legs<'a> = BTreeMap<&'a PortfolioId, Vec<Dated<Currency>>>;

/// The cash legs of all portfolios, and those portfolios whose entries are not all plain.
fn legs<'a>(history: &'a History, lanes: &Lanes) -> (Legs<'a>, BTreeSet<&'a PortfolioId>) {
    let (mut legs, mut others) = (Legs::new(), BTreeSet::new());
    for seen in history.ledgers.iter().filter(|seen| !seen.repeat && lanes.is_settled(seen.stamp)) {
        let own = legs.entry(&seen.record.portfolio_id).or_default();
        for entry in &seen.record.entries {
            if !is_plain(entry) {
                others.insert(&seen.record.portfolio_id);
            }
            let (Some(on), Some(stamp)) = (on(entry), seen.stamp) else { continue };
            let cause = (entry.cause.topic, entry.cause.partition, entry.cause.offset);
            own.extend(entry.cash.iter().map(|leg| Dated { step: stamp.step, cause, on, of: leg.currency, amount: leg.amount.exact() }));
        }
    }
    (legs, others)
}

fn cash_of_days(history: &History, lanes: &Lanes, closes: &[&Seen<PortfolioClose>]) -> Check {
    let mut check = Check::new("I2", "cash of a close = Σ legs of the ledger's entries dated by its day");
    let (mut legs, mut others) = legs(history, lanes);
    others.extend(closes.iter().filter(|seen| has_future(&seen.record)).map(|seen| &seen.record.portfolio_id));
    let begun = |seen: &Seen<PortfolioClose>| history.start(Topic::Ledger, seen.place.partition) == 0 && !lanes.has_lived(seen.stamp);
    let compared = |seen: &Seen<PortfolioClose>| seen.record.complete && begun(seen) && !others.contains(&seen.record.portfolio_id);
    let mut running = BTreeMap::new();
    for (seen, step) in by_step(closes).filter(|(seen, _)| compared(seen)) {
        let close = &seen.record;
        let own = || Running::of(legs.remove(&close.portfolio_id).unwrap_or_default());
        let sums = running.entry(&close.portfolio_id).or_insert_with(own).by(close, step);
        let told: BTreeMap<Currency, Exact> = close.cash.iter().map(|cash| (cash.currency, cash.amount.exact())).collect();
        for currency in sums.keys().chain(told.keys()).copied().collect::<BTreeSet<_>>() {
            let (sum, legs) = sums.get(&currency).map_or_else(|| (zero(), 0), |sum| (sum.amount.clone(), sum.count));
            let cash = told.get(&currency).cloned().unwrap_or_else(zero);
            check.that(near(&sum, &cash, &ratio(legs + 1, 10)), || {
                format!("{}: {} has {} {currency}, the ledger by then {}", named(seen), close.portfolio_id, show(&cash), show(&sum))
            });
        }
    }
    check
}

fn has_future(close: &PortfolioClose) -> bool {
    close.positions.iter().any(|position| position.kind == InstrumentType::Future)
}

/// What is known of the days of a portfolio.
#[derive(Default)]
struct Days {
    newest: BTreeMap<Date, (i64, Place, Option<Stamp>, Option<Money>)>,
    last: Option<(Date, Option<Stamp>)>,
}

fn chain(history: &History, lanes: &Lanes, closes: &[&Seen<PortfolioClose>]) -> [Check; 3] {
    let mut versions = Check::new("I12", "versions of a close count from 1, and each names the one that it replaces");
    let mut rising = Check::new("I12", "days of a portfolio are closed in order");
    let mut flows = Check::new("I2", "flow of a close = its net flows − those of the close before");
    let mut days: BTreeMap<&PortfolioId, Days> = BTreeMap::new();
    for seen in closes {
        let close = &seen.record;
        let known = days.entry(&close.portfolio_id).or_default();
        let anew = |stamp: Option<Stamp>| !lanes.one_life(stamp, seen.stamp);
        let before = known.newest.get(&close.date);
        let (from, replaced) =
            before.filter(|(_, _, stamp, _)| !anew(*stamp)).map_or((0, None), |(version, ..)| (*version, Some(*version)));
        let unknown = before.is_none() && history.start(Topic::PortfolioCloses, seen.place.partition) > 0;
        let lived = unknown || lanes.has_lived(seen.stamp);
        // Whether both are of one life cannot be told where the step of the one before is not known any more.
        let perhaps = before.filter(|(_, _, stamp, _)| lanes.is_bygone(*stamp)).map(|(version, ..)| *version);
        let names = close.restates == replaced || perhaps.is_some() && close.restates == perhaps;
        versions.that(names || unknown, || {
            format!("{} of {} replaces {:?}, the one before is {replaced:?}", named(seen), close.portfolio_id, close.restates)
        });
        versions.that(close.version == from + 1 || (lived && from == 0 && close.version > 0), || {
            format!("{} of {} follows version {from}", named(seen), close.portfolio_id)
        });
        if close.restates.is_none() && !unknown {
            let last = known.last.filter(|(_, stamp)| !anew(*stamp)).map(|(date, _)| date);
            rising.that(last.is_none_or(|last| last < close.date), || {
                format!(
                    "{} of {} is closed first behind {}",
                    named(seen),
                    close.portfolio_id,
                    last.map_or_else(String::new, |day| day.to_string())
                )
            });
            known.last = Some((close.date, seen.stamp));
        }
        let earlier = known.newest.range(..close.date).next_back().map(|(_, (_, _, stamp, flows))| (*stamp, *flows));
        let begun = history.start(Topic::PortfolioCloses, seen.place.partition) == 0 && !lanes.has_lived(seen.stamp);
        let since = match earlier {
            Some((stamp, before)) => before.filter(|_| !anew(stamp)),
            None => Some(Money::ZERO).filter(|_| begun),
        };
        if let (Some(net), Some(since)) = (close.net_flows, since) {
            flows.that(close.net_external_flow.exact() == net.exact() - since.exact(), || {
                let (flow, net, since) = (close.net_external_flow, net, since);
                format!("{} of {}: the flow is {flow}, net flows are {net} after {since}", named(seen), close.portfolio_id)
            });
        }
        known.newest.insert(close.date, (close.version, seen.place, seen.stamp, close.net_flows));
    }
    [versions, rising, flows]
}

fn parts(closes: &[&Seen<PortfolioClose>]) -> Check {
    let mut check = Check::new("I11", "equity of a close is the sum of its values, each what its own numbers say");
    for seen in closes {
        let close = &seen.record;
        let of_cash = close.currencies.iter().flat_map(|value| [value.cash_value, value.receivables_value]);
        let sum = exact::sum(close.positions.iter().map(|position| position.value).chain(of_cash).map(Published::exact));
        check.that(sum == close.equity.exact(), || {
            format!("{}: equity is {}, its parts add up to {}", named(seen), close.equity, show(&sum))
        });
        for position in &close.positions {
            if let Some((value, slack)) = worth(position) {
                check.that(near(&value, &position.value.exact(), &slack), || {
                    format!(
                        "{}: {} of {} are worth {}, the record says {}",
                        named(seen),
                        position.quantity,
                        position.instrument_id,
                        show(&value),
                        position.value
                    )
                });
            }
        }
        for value in &close.currencies {
            let rate = value.fx_rate.map_or_else(zero, Published::exact);
            for (amounts, told) in [(&close.cash, value.cash_value), (&close.receivables, value.receivables_value)] {
                let amount = amounts.iter().find(|held| held.currency == value.currency).map_or(Money::ZERO, |held| held.amount);
                let slack = (whole(1) + &rate) * ratio(1, 10);
                check.that(near(&(amount.exact() * &rate), &told.exact(), &slack), || {
                    format!("{}: {amount} {} are not worth {told}", named(seen), value.currency)
                });
            }
        }
    }
    check
}

/// What a position's own numbers come to, and how far its published value may lie from that; `None` where it is not
/// priced.
pub(super) fn worth(position: &ClosedPosition) -> Option<(Exact, Exact)> {
    let (price, rate) = (position.price?.exact(), position.fx_rate?.exact());
    let accrued = position.accrued.map_or_else(zero, Published::exact);
    let value = position.quantity.exact() * (price + accrued) * position.multiplier?.exact();
    let cost = if position.kind == InstrumentType::Future { position.cost?.exact() } else { zero() };
    Some(((value - cost) * &rate, (whole(1) + magnitude(&rate)) * ratio(1, 10)))
}
