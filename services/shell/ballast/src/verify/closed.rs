//! Closed trades, I2: what an execution in the base currency closes comes to what it realised less its fees, and those of
//! all time in performance are those of the ledger's entries, each counted once. Which executions close units is asked
//! where bookings are explained.

use super::exact::{self, Exact, Published, near, show, slack, zero};
use super::history::History;
use super::lanes::Lanes;
use super::performance::{named, of_all_time, windows};
use super::report::Check;
use super::seen::Seen;
use domain::enums::EntryKind;
use domain::ledger::{ClosedTrades, Ledger, LedgerEntry, PositionState};
use domain::performance::{ALL, Metric, Performance};
use domain::{Currency, Date, Money, PortfolioId, Topic};
use std::collections::BTreeMap;

/// The rows about closed trades.
pub(super) fn check(history: &History, lanes: &Lanes, told: &BTreeMap<&PortfolioId, Vec<&Seen<Performance>>>) -> Vec<Check> {
    let mut single = Check::new("I2", "a closed trade = realized − fees of its execution, where both are in the base currency");
    let bases = bases(history);
    for seen in history.ledgers.iter().filter(|seen| !seen.repeat) {
        let Some(base) = bases.get(&seen.record.portfolio_id).copied().flatten() else { continue };
        for entry in seen.record.entries.iter().filter(|entry| entry.kind == EntryKind::Trade) {
            match seen.record.positions.iter().find(|position| Some(&position.instrument_id) == entry.instrument_id.as_ref()) {
                Some(line) if is_in_base(entry, line, base) => adds_up(entry, line, seen, &mut single),
                _ => {}
            }
        }
    }
    vec![single, counted(history, lanes, told)]
}

/// The base currency of each portfolio; none where it had several.
fn bases(history: &History) -> BTreeMap<&PortfolioId, Option<Currency>> {
    let mut bases = BTreeMap::new();
    for (portfolio, policy) in history.policies.iter().map(|seen| &seen.record) {
        let Some(base) = policy.as_ref().map(|policy| policy.base_currency) else { continue };
        let known = bases.entry(portfolio).or_insert(Some(base));
        *known = known.filter(|known| *known == base);
    }
    bases
}

/// Whether all amounts of an execution are in the base currency.
fn is_in_base(entry: &LedgerEntry, line: &PositionState, base: Currency) -> bool {
    line.currency == base && entry.fees.iter().all(|fee| fee.currency == base)
}

fn adds_up(entry: &LedgerEntry, line: &PositionState, seen: &Seen<Ledger>, check: &mut Check) {
    // Where the line ended on the side of the execution it may have opened units too: of its fees some are theirs. Where it
    // stood between several entries nobody tells.
    let alone = seen.record.entries.iter().filter(|other| other.instrument_id == entry.instrument_id).count() == 1;
    let may_flip = !alone || line.quantity.signum() == entry.quantity_change.signum();
    let (realized, fees) = (entry.realized_gross.exact(), exact::sum(entry.fees.iter().map(|fee| fee.amount.exact())));
    for trades in &entry.closed_trades {
        let net = &realized - &fees;
        let sum = trades.gross_profit.exact() + trades.gross_loss.exact();
        let is_one = (trades.winning, trades.losing, trades.even) == counts(&sum) && Some(trades.trade_date) == entry.trade_date;
        let beside = &sum - &net;
        let is_part = may_flip && (zero() <= beside) == (zero() <= fees) && exact::magnitude(&beside) <= exact::magnitude(&fees);
        check.that(is_one && (near(&sum, &net, &slack(2, 1)) || is_part), || {
            let (sum, net) = (show(&sum), show(&net));
            format!("{}: {} closes a trade that came to {sum}, it realised {net} after fees", seen.place, entry.cause.id)
        });
    }
}

fn counts(net: &Exact) -> (i64, i64, i64) {
    (i64::from(*net > zero()), i64::from(*net < zero()), i64::from(*net == zero()))
}

/// Names of figures, and what they are of all trades.
const NAMES: [&str; 5] = ["trades", "winning_trades", "losing_trades", "gross_profit", "gross_loss"];

fn figures(all: &ClosedTrades) -> [Exact; 5] {
    let count = |trades: i64| exact::whole(i128::from(trades));
    let trades = count(all.winning + all.losing + all.even);
    [trades, count(all.winning), count(all.losing), all.gross_profit.exact(), all.gross_loss.exact()]
}

fn counted(history: &History, lanes: &Lanes, told: &BTreeMap<&PortfolioId, Vec<&Seen<Performance>>>) -> Check {
    let mut check = Check::new("I2", "closed trades of all time in performance = Σ of the ledger's entries, each once");
    for (last, date, ledgers) in of_all_time(history, lanes, told) {
        let Some(said) = said(&last.record) else { continue };
        let (mut sum, mut found) = (ClosedTrades::none(date), false);
        let mut unread = ledgers.iter().peekable();
        for window in windows(lanes, last, Topic::Ledger) {
            while let Some(seen) = unread.next_if(|seen| seen.place.offset < window) {
                take(&mut sum, &seen.record, date);
            }
            found |= figures(&sum) == said;
        }
        check.that(found, || {
            let sum = figures(&sum);
            let differs = (0..NAMES.len()).find(|at| sum[*at] != said[*at]).unwrap_or(0);
            let (told, sum) = (show(&said[differs]), show(&sum[differs]));
            format!("{}: {} is {told}, the entries add up to {sum}", named(last), NAMES[differs])
        });
    }
    check
}

/// The figures of a record that are compared.
pub(super) fn compared(record: &Performance) -> Vec<Metric> {
    let is_named = |metric: &&Metric| record.timeframe == ALL && NAMES.contains(&metric.id.as_str());
    record.metrics.iter().filter(is_named).cloned().collect()
}

/// Adds the trades of a ledger record that were closed until a date.
fn take(sum: &mut ClosedTrades, ledger: &Ledger, date: Date) {
    for trades in ledger.entries.iter().flat_map(|entry| &entry.closed_trades).filter(|trades| trades.trade_date <= date) {
        let sums = (sum.gross_profit.units() + trades.gross_profit.units(), sum.gross_loss.units() + trades.gross_loss.units());
        (sum.gross_profit, sum.gross_loss) = (Money::from_units(sums.0), Money::from_units(sums.1));
        sum.winning += trades.winning;
        sum.losing += trades.losing;
        sum.even += trades.even;
    }
}

/// What a record says of its trades; `None` where it has no such figures, as of builds before they were told.
fn said(record: &Performance) -> Option<[Exact; 5]> {
    let figure = |name: &str| Some(record.metrics.iter().find(|metric| metric.id == name)?.value?.exact());
    let [trades, winning, losing, profit, loss] = NAMES.map(figure);
    Some([trades?, winning?, losing?, profit?, loss?])
}
