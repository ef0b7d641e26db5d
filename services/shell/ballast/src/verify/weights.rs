//! I11: weights add up to one, and each value is what its own numbers say.

use super::exact::{self, Exact, Published, magnitude, near, ratio, show, whole, zero};
use super::history::History;
use super::report::Check;
use super::seen::Seen;
use domain::Currency;
use domain::drift::{Drift, DriftLine};
use domain::enums::{InstrumentType, PriceFlag};
use domain::snapshot::{Allocation, Snapshot};
use std::collections::BTreeMap;

/// The rows of I11.
pub(super) fn check(history: &History) -> Vec<Check> {
    let mut snapshots = Check::new("I11", "Σ percentages + cash = 100 % in each complete snapshot");
    let mut drifts = Check::new("I11", "Σ weights + cash = 1 in each complete drift event");
    let mut lines = Check::new("I11", "value = quantity × price × multiplier × rate; weight = value ÷ equity; drift = weight − target");
    history.snapshots.iter().filter(|seen| !seen.repeat).for_each(|seen| snapshot(seen, &mut snapshots));
    for seen in history.drifts.iter().filter(|seen| !seen.repeat) {
        drift(seen, &mut drifts);
        seen.record.lines.iter().for_each(|line| own_numbers(seen, line, &mut lines));
    }
    vec![snapshots, drifts, lines]
}

/// What roundings to ten decimals do to a sum of weights: each amount's own, that of the equity under
/// all of them (`gross`: Σ of their magnitudes), and each weight's.
fn weight_slack(terms: usize, gross: &Exact, equity: &Exact) -> Exact {
    let terms = whole(i128::try_from(terms).unwrap_or(i128::MAX) + 2);
    (&terms + gross / equity) * ratio(1, 10) / equity + terms * ratio(1, 12)
}

fn snapshot(seen: &Seen<Snapshot>, check: &mut Check) {
    let snapshot = &seen.record;
    let equity = snapshot.total_value.exact();
    let foreign = snapshot.receivables.iter().any(|r| r.currency != snapshot.base_currency && !r.amount.is_zero());
    if equity <= zero() || !snapshot.health.unpriced.is_empty() || foreign {
        return;
    }
    let cash = snapshot.cash_value.exact() + exact::sum(snapshot.receivables.iter().map(|r| r.amount.exact()));
    // The weight of a future is that of its notional; its part of equity is its value.
    let part = |a: &Allocation| {
        if a.kind == InstrumentType::Future { Some(a.value.exact() / &equity * whole(100)) } else { Some(a.percentage?.exact()) }
    };
    let weights: Option<Vec<Exact>> = snapshot.allocations.iter().map(part).collect();
    let gross = exact::sum(snapshot.allocations.iter().map(|a| magnitude(&a.value.exact()))) + magnitude(&cash);
    let sum = weights.map(|weights| exact::sum(weights.into_iter()) + cash / &equity * whole(100));
    let slack = weight_slack(snapshot.allocations.len(), &gross, &equity) * whole(100);
    check.that(sum.as_ref().is_some_and(|sum| near(sum, &whole(100), &slack)), || {
        let shown = sum.as_ref().map_or("unknown: a percentage is missing".to_owned(), show);
        format!("{}: version {} of {}: percentages and cash add up to {shown}", seen.place, snapshot.version, snapshot.portfolio_id)
    });
}

fn drift(seen: &Seen<Drift>, check: &mut Check) {
    let drift = &seen.record;
    let equity = drift.equity.exact();
    let Some(cash) = cash_in_base(drift) else { return };
    let priced = drift.lines.iter().all(|line| line.price.is_some() && line.fx_rate.is_some());
    if equity <= zero() || !drift.health.unpriced.is_empty() || !priced {
        return;
    }
    // The weight of a future is that of its notional; its part of equity is its value.
    let weight = |line: &DriftLine| {
        if line.kind == InstrumentType::Future { Some(line.value.exact() / &equity) } else { Some(line.weight?.exact()) }
    };
    let weights: Option<Vec<Exact>> = drift.lines.iter().map(weight).collect();
    let sum = weights.map(|weights| exact::sum(weights.into_iter()) + &cash.0 / &equity);
    let gross = exact::sum(drift.lines.iter().map(|line| magnitude(&line.value.exact()))) + magnitude(&cash.0);
    let slack = weight_slack(drift.lines.len(), &gross, &equity) + cash.1 / &equity;
    check.that(sum.as_ref().is_some_and(|sum| near(sum, &whole(1), &slack)), || {
        let shown = sum.as_ref().map_or("unknown: a weight is missing".to_owned(), show);
        format!("{}: {} at {}: weights and cash add up to {shown}", seen.place, drift.portfolio_id, drift.as_of)
    });
}

/// Cash and receivables in base, and what their roundings may add up to; `None` where a rate is missing.
fn cash_in_base(drift: &Drift) -> Option<(Exact, Exact)> {
    let rates: BTreeMap<Currency, Option<Exact>> = drift.fx_rates.iter().map(|r| (r.currency, r.fx_rate.map(Published::exact))).collect();
    let base = drift.policy.as_ref().map(|policy| policy.base_currency);
    let cash = drift.cash.iter().map(|c| (c.currency, c.trade_date)).chain(drift.receivables.iter().map(|r| (r.currency, r.amount)));
    let (mut sum, mut slack) = (zero(), zero());
    for (currency, amount) in cash.filter(|(_, amount)| !amount.is_zero()) {
        let rate = match rates.get(&currency) {
            Some(Some(rate)) => rate.clone(),
            _ if Some(currency) == base => whole(1),
            _ => return None,
        };
        sum += amount.exact() * &rate;
        slack += rate * ratio(1, 10) + magnitude(&amount.exact()) * ratio(1, 12);
    }
    Some((sum, slack))
}

fn own_numbers(seen: &Seen<Drift>, line: &DriftLine, check: &mut Check) {
    let at = || format!("{}: {} {}", seen.place, seen.record.portfolio_id, line.instrument_id);
    let (Some(price), Some(rate)) = (line.price, line.fx_rate) else { return };
    let units = line.quantity.exact() * line.multiplier.exact() * rate.exact();
    let average = line.average_price.map_or_else(zero, Published::exact);
    let (unit, rounded) = match line.kind {
        InstrumentType::Future => (price.exact() - average, magnitude(&units)),
        InstrumentType::Bond => (price.exact() + line.accrued.map_or_else(zero, Published::exact), zero()),
        _ => (price.exact(), zero()),
    };
    let value = unit * &units;
    if line.price_flag == PriceFlag::Missing {
        // A price is there: then what it makes of the units, on the way to base or there, is too much for a sum of values. Of
        // how many parts that is, a digit is left to those that are not published.
        let parts = seen.record.lines.len() + seen.record.cash.len() + seen.record.receivables.len();
        let most = whole(10_i128.pow(17)) / whole(4 * (i128::try_from(parts).unwrap_or(i128::MAX >> 3) + 1));
        let notional = price.exact() * line.quantity.exact();
        let ways = [magnitude(&notional), magnitude(&(notional * line.multiplier.exact())), magnitude(&value)];
        check.that(line.value.is_zero() && ways.iter().any(|way| *way > most), || {
            format!("{}: MISSING beside its price {price}, with value {} where its numbers say {}", at(), line.value, show(&value))
        });
        return;
    }
    // A future's average is published rounded, and rates are; the rest is one rounding of the value.
    let slack = ratio(1, 10) + (rounded + whole(1)) * ratio(1, 10);
    check.that(near(&value, &line.value.exact(), &slack), || format!("{}: value {}, its numbers {}", at(), line.value, show(&value)));
    let (equity, Some(weight)) = (seen.record.equity.exact(), line.weight) else { return };
    if line.kind != InstrumentType::Future && equity > zero() {
        let share = line.value.exact() / &equity;
        check.that(near(&share, &weight.exact(), &weight_slack(1, &magnitude(&line.value.exact()), &equity)), || {
            format!("{}: weight {weight}, its value ÷ equity {}", at(), show(&share))
        });
    }
    let apart = weight.exact() - line.target.exact();
    let told = line.drift.map_or_else(|| whole(1_000_000), Published::exact);
    check.that(near(&apart, &told, &ratio(1, 12)), || format!("{}: drift {:?}, weight − target {}", at(), line.drift, show(&apart)));
}
