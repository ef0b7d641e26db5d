//! I2 in snapshots: the parts of the profit add up, equity is cash plus holdings, and cash is what the
//! ledger says.

use super::exact::{self, Published, near, show, slack};
use super::history::History;
use super::lanes::Lanes;
use super::positions::last_snapshots;
use super::positions::read_to;
use super::report::Check;
use super::seen::Seen;
use domain::ledger::Ledger;
use domain::snapshot::Snapshot;
use domain::{Currency, Money, PortfolioId};
use std::collections::{BTreeMap, BTreeSet};

/// The rows of I2 that concern snapshots.
pub(super) fn check(history: &History, lanes: &Lanes) -> Vec<Check> {
    let mut pnl = Check::new("I2", "P&L ties out: realized_net + unrealized + fx_cash − transferred = total_pnl = equity − flows");
    let mut parts = Check::new("I2", "equity = cash + receivables + Σ values, in each complete snapshot");
    for seen in history.snapshots.iter().filter(|seen| !seen.repeat) {
        ties_out(seen, &mut pnl);
        adds_up(seen, &mut parts);
    }
    let (cash, sums) = against_ledger(history, lanes);
    vec![pnl, parts, cash, sums]
}

fn priced(snapshot: &Snapshot) -> bool {
    snapshot.health.unpriced.is_empty()
}

fn ties_out(seen: &Seen<Snapshot>, check: &mut Check) {
    let (m, slack) = (&seen.record.metrics, slack(4, 0));
    let at = || format!("{}: version {} of {}", seen.place, seen.record.version, seen.record.portfolio_id);
    let net = m.realized_gross.exact() - m.fees.exact() + m.income.exact();
    check.that(near(&net, &m.realized_net.exact(), &slack), || {
        format!("{}: realized_net {}, its parts {}", at(), m.realized_net, show(&net))
    });
    let total = m.realized_net.exact() + m.unrealized.exact() + m.fx_cash.exact() - m.transferred.exact();
    check.that(near(&total, &m.total_pnl.exact(), &slack), || format!("{}: total_pnl {}, its parts {}", at(), m.total_pnl, show(&total)));
    if priced(&seen.record) {
        let gained = seen.record.total_value.exact() - m.net_flows.exact();
        check.that(near(&gained, &m.total_pnl.exact(), &slack), || {
            format!("{}: total_pnl {}, equity less flows {}", at(), m.total_pnl, show(&gained))
        });
    }
}

fn adds_up(seen: &Seen<Snapshot>, check: &mut Check) {
    let snapshot = &seen.record;
    // Receivables in other currencies would need rates, which a snapshot does not carry.
    let foreign = snapshot.receivables.iter().any(|r| r.currency != snapshot.base_currency && !r.amount.is_zero());
    if !priced(snapshot) || foreign {
        return;
    }
    let values = snapshot.allocations.iter().map(|a| a.value).chain(snapshot.receivables.iter().map(|r| r.amount));
    let sum = snapshot.cash_value.exact() + exact::sum(values.map(Published::exact));
    let slack = slack(snapshot.allocations.len() as u64 + snapshot.receivables.len() as u64 + 2, 0);
    check.that(near(&sum, &snapshot.total_value.exact(), &slack), || {
        format!(
            "{}: version {} of {}: total_value {}, its parts {}",
            seen.place,
            snapshot.version,
            snapshot.portfolio_id,
            snapshot.total_value,
            show(&sum)
        )
    });
}

/// The last snapshot against the ledger records that it contains: cash, flows, and where all is in one
/// currency the parts of the profit.
fn against_ledger(history: &History, lanes: &Lanes) -> (Check, Check) {
    let mut check = Check::new("I2", "cash in the last snapshot = cash in the ledger record before it");
    let mut sums = Check::new("I2", "flows and realized, fees, income in the last snapshot = Σ of the ledger's entries");
    let mut ledgers: BTreeMap<&PortfolioId, Vec<&Seen<Ledger>>> = BTreeMap::new();
    for seen in history.ledgers.iter().filter(|seen| !seen.repeat && lanes.is_settled(seen.stamp)) {
        ledgers.entry(&seen.record.portfolio_id).or_default().push(seen);
    }
    for (portfolio, seen) in last_snapshots(history, lanes) {
        let Some(step) = seen.stamp.map(|stamp| stamp.step) else { continue };
        let before = |ledger: &&&Seen<Ledger>| ledger.stamp.is_some_and(|stamp| stamp.step <= step);
        let contained: Vec<_> = ledgers.get(portfolio).into_iter().flatten().filter(before).collect();
        let Some(ledger) = contained.last() else { continue };
        if ledger.stamp.is_some_and(|stamp| stamp.step == step) && !contains(&seen.record, &ledger.record) {
            continue;
        }
        let told: BTreeMap<Currency, Money> = seen.record.cash.iter().map(|c| (c.currency, c.trade_date)).collect();
        let booked: BTreeMap<Currency, Money> = ledger.record.cash.iter().map(|c| (c.currency, c.amount)).collect();
        for currency in told.keys().chain(booked.keys()).collect::<BTreeSet<_>>() {
            let of = |amounts: &BTreeMap<Currency, Money>| amounts.get(currency).copied().unwrap_or(Money::ZERO);
            check.that(of(&told) == of(&booked), || {
                let (version, told, booked) = (seen.record.version, of(&told), of(&booked));
                format!("{}: version {version} of {portfolio} has {told} {currency}, the ledger ({}) {booked}", seen.place, ledger.place)
            });
        }
        sum_up(seen, &contained, &mut sums);
    }
    (check, sums)
}

/// Flows are in base always; the parts of the profit only where the ledger names no other currency.
fn sum_up(seen: &Seen<Snapshot>, ledgers: &[&&Seen<Ledger>], check: &mut Check) {
    let base = seen.record.base_currency;
    let entries: Vec<_> = ledgers.iter().flat_map(|ledger| &ledger.record.entries).collect();
    let states = ledgers.iter().flat_map(|ledger| &ledger.record.positions).all(|state| state.currency == base);
    let one = states && entries.iter().flat_map(|e| e.cash.iter().chain(&e.fees)).all(|amount| amount.currency == base);
    let metrics = &seen.record.metrics;
    let slack = slack(entries.len() as u64 * 2 + 1, entries.len() as u64);
    let mut compare = |name: &str, told: Money, parts: Vec<Money>| {
        let sum = exact::sum(parts.into_iter().map(Published::exact));
        check.that(near(&told.exact(), &sum, &slack), || {
            format!(
                "{}: version {} of {}: {name} {told}, the entries add up to {}",
                seen.place,
                seen.record.version,
                seen.record.portfolio_id,
                show(&sum)
            )
        });
    };
    compare("net_flows", metrics.net_flows, entries.iter().map(|e| e.external_flow).collect());
    if one {
        compare("realized_gross", metrics.realized_gross, entries.iter().map(|e| e.realized_gross).collect());
        compare("fees", metrics.fees, entries.iter().flat_map(|e| e.fees.iter().map(|fee| fee.amount)).collect());
        compare("income", metrics.income, entries.iter().map(|e| e.income).collect());
    }
}

/// Whether a snapshot was taken behind every entry of a ledger record of its own step.
pub(super) fn contains(snapshot: &Snapshot, ledger: &Ledger) -> bool {
    let read = |topic, partition| read_to(&snapshot.input_offsets, topic, partition);
    snapshot.health.waiting == 0 && ledger.entries.iter().all(|e| e.cause.offset < read(e.cause.topic, e.cause.partition))
}
