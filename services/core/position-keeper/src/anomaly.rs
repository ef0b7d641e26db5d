//! Figures beyond the policy's bounds: what the day has returned, and how far prices have moved the weight of a line, both
//! since the last day cut. Today's holdings, cash and rules are measured at both ends, so that no trade, flow, split or
//! other policy is an anomaly. It holds no plan back; who plans reads it in the health of a portfolio.

use crate::book::Portfolio;
use crate::drift::measure::weight;
use crate::prices::{Cuts, InstrumentIx, Market};
use crate::valuation::{Appraisal, worth};
use domain::enums::AnomalyKind;
use domain::snapshot::Anomaly;
use domain::wide::{compare_products, ratios_differ_by_more};
use domain::{Amount, Currency, Fraction, FxRate};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// Anomalies that are told of one portfolio.
pub const TOLD: usize = 20;
/// Largest amount that is compared, in units: that of a valuation.
const LARGEST: u128 = 10_u128.pow(36);
/// What stands for a fraction that the wire cannot hold, in units: a thousand million times the whole.
const LARGEST_SHARE: i128 = 10_i128.pow(21);

/// A figure that somebody has accepted; it counts until the day is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    kind: AnomalyKind,
    line: Option<InstrumentIx>,
    value: Fraction,
}

/// What is known of a portfolio's anomalies.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Vigil {
    accepted: Vec<Accepted>,
    /// Whether there were some when it was looked at last.
    pub held: bool,
}

impl Vigil {
    /// A day was cut: figures begin anew.
    pub fn begin_day(&mut self) {
        self.accepted.clear();
    }
    /// Somebody accepts what was found.
    pub fn accept(&mut self, found: &[Found]) {
        for found in found {
            self.accepted.retain(|known| (known.kind, known.line) != (found.kind, found.line));
            self.accepted.push(Accepted { kind: found.kind, line: found.line, value: found.value });
        }
    }
    /// Whether a figure lies within its bound of one that was accepted.
    fn bears(&self, found: &Found) -> bool {
        let known = self.accepted.iter().find(|known| (known.kind, known.line) == (found.kind, found.line));
        known.is_some_and(|known| found.value.checked_sub(known.value).is_ok_and(|apart| apart.abs() <= found.bound))
    }
}

/// A figure that is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    kind: AnomalyKind,
    line: Option<InstrumentIx>,
    value: Fraction,
    bound: Fraction,
}

/// What figures are measured with.
pub struct Measured<'a> {
    /// The portfolio.
    pub portfolio: &'a Portfolio,
    /// Its value of now.
    pub appraisal: &'a Appraisal,
    /// Prices of now.
    pub market: &'a Market,
    /// Prices at the day cuts.
    pub cuts: &'a Cuts,
}

impl Measured<'_> {
    /// Every figure that is out and not accepted. A book without all of its prices, or without
    /// equity, has no figure that could be judged; nothing is planned on it either.
    pub fn found(&self) -> Vec<Found> {
        let Some(policy) = self.portfolio.policy.as_deref() else { return Vec::new() };
        if !self.appraisal.unpriced.is_empty() {
            return Vec::new();
        }
        let day = policy.book.max_daily_return.and_then(|bound| self.day(bound));
        let weights = policy.book.max_weight_jump.map(|bound| self.weights(bound)).unwrap_or_default();
        day.into_iter().chain(weights).filter(|found| !self.portfolio.vigil.bears(found)).collect()
    }

    /// The return of the day: what was gained beyond flows, on the equity of the cut and what has flowed in since.
    fn day(&self, bound: Fraction) -> Option<Found> {
        let base = self.portfolio.day?;
        let flows = self.portfolio.sums.net_flows.checked_sub(base.net_flows).ok()?;
        let gain = self.appraisal.equity.checked_sub(base.equity).and_then(|gain| gain.checked_sub(flows)).ok()?;
        let whole = base.equity.checked_add(flows.max(Amount::ZERO)).ok().filter(|whole| whole.is_positive())?;
        let beyond = compare_products(gain.units().abs(), Fraction::ONE.units(), whole.units(), bound.units()) == Ordering::Greater;
        beyond.then(|| Found { kind: AnomalyKind::DailyReturn, line: None, value: share(gain, whole), bound })
    }

    /// The weights of today's holdings at the prices of now, against those at the prices of the cut.
    fn weights(&self, bound: Fraction) -> Vec<Found> {
        let equity = self.appraisal.equity;
        let Some((then, whole)) = self.then().filter(|_| equity.is_positive()) else { return Vec::new() };
        let mut found = Vec::new();
        for (((_, line), now), then) in self.portfolio.lines.counting().zip(&self.appraisal.lines).zip(then) {
            let (of_now, of_then) = ((now.weighed.units(), equity.units()), (then.units(), whole.units()));
            if ratios_differ_by_more(Fraction::ONE.units(), bound.units(), of_now, of_then) {
                let value = share(now.weighed, equity).checked_sub(share(then, whole)).unwrap_or(Fraction::ZERO);
                found.push(Found { kind: AnomalyKind::WeightJump, line: Some(line.instrument), value, bound });
            }
        }
        found
    }

    /// What each line of today weighs at the prices of the last cut, and the equity of then, which is above zero; `None`
    /// where a price or a rate of then is missing. Before the first cut the first price of an instrument counts.
    fn then(&self) -> Option<(Vec<Amount>, Amount)> {
        let rules = &self.portfolio.rules;
        let price = |ix| self.cuts.close((&rules.cut, &rules.days), ix, self.market);
        let rate = |of: Currency| self.market.rate_by(price, of, self.portfolio.base).map(|found| found.rate);
        let (mut weighed, mut equity) = (Vec::new(), Amount::ZERO);
        for (_, line) in self.portfolio.lines.counting() {
            if line.position.quantity.is_zero() {
                weighed.push(Amount::ZERO);
                continue;
            }
            let slot = self.market.slot(line.instrument);
            let facts = slot.facts.as_deref()?;
            let held = (line.position.quantity, line.position.cost);
            let (value, weight) = worth(held, facts, price(line.instrument)?, slot.accrued, rate(facts.currency)?).ok()?;
            weighed.push(weight);
            equity = equity.checked_add(value).ok()?;
        }
        let balances = self.portfolio.cash.balances().iter().chain(self.portfolio.receivables.balances());
        for balance in balances.filter(|balance| !balance.amount.is_zero()) {
            let rate = if balance.currency == self.portfolio.base { FxRate::ONE } else { rate(balance.currency)? };
            equity = balance.amount.convert(rate).and_then(|value| equity.checked_add(value)).ok()?;
        }
        let fits = |amount: &Amount| amount.units().unsigned_abs() <= LARGEST;
        (equity.is_positive() && fits(&equity) && weighed.iter().all(fits)).then_some((weighed, equity))
    }

    /// What is found as it is published: the first of many.
    pub fn told(&self) -> Vec<Anomaly> {
        let id = |ix: InstrumentIx| self.market.slot(ix).id.clone();
        let told = |found: &Found| Anomaly { kind: found.kind, instrument_id: found.line.map(id), value: found.value, bound: found.bound };
        let mut all: Vec<Anomaly> = self.found().iter().map(told).collect();
        all.sort_by(|a, b| a.instrument_id.cmp(&b.instrument_id));
        all.truncate(TOLD);
        all
    }
}

/// A part of a whole above zero, rounded half-even; what no fraction can hold is told as the largest.
fn share(part: Amount, whole: Amount) -> Fraction {
    let most = if part.is_negative() { -LARGEST_SHARE } else { LARGEST_SHARE };
    weight(part, whole).unwrap_or(Fraction::from_units(most))
}
