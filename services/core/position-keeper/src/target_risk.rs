//! Risk against a policy's `target_risk`: which published figures count, and what targets are scaled by for them.
//! It reads decimals as they were published and computes exactly; it measures no risk itself, and plans nothing.
//!
//! Targets are scaled by the volatility of what was held, at the gross exposure that it was held at, and not by that of the
//! portfolio's own days: those remember for months at which scale they were lived through, and a scale that follows from
//! its own past swings. A scale outlasts the figures that it follows from: where those that come after do not suffice, or
//! none come, what was scaled down is not bought back for want of a figure. Nor do figures that are old when they are first
//! read leave targets whole: old ones are told to be old, and scale.

use crate::book::Portfolio;
use crate::drift::Rules;
use crate::drift::groups::gross_target;
use crate::prices::Market;
use domain::day::{day_of_cut, last_day_cut, next_day_cut};
use domain::enums::MetricUnit;
use domain::policy::{Policy, RiskControl};
use domain::risk::Risk;
use domain::target_risk::TargetRisk;
use domain::wide::ratio_of_products_truncate;
use domain::{Date, Fraction, SmolStr, Timestamp, TradingDays};
use serde::{Deserialize, Serialize};

/// A published volatility with the daily returns behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Volatility {
    value: Option<Fraction>,
    observations: i32,
}

/// What the newest record of risk says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Figures {
    date: Date,
    version: i64,
    window: SmolStr,
    realised: Volatility,
    holdings: Volatility,
    coverage: Option<Fraction>,
    gross: Option<Fraction>,
}

impl Figures {
    /// Those of a record; `None` where it names no close.
    fn of(record: &Risk) -> Option<Self> {
        let metric = |id: &str| record.metrics.iter().find(|metric| metric.id == id && metric.unit == MetricUnit::Fraction);
        let value = |id: &str| metric(id).and_then(|metric| metric.value).filter(|value| !value.is_negative());
        let volatility = |id: &str| Volatility { value: value(id), observations: metric(id).map_or(0, |metric| metric.observations) };
        Some(Self {
            date: record.date?,
            version: record.close_version?,
            window: record.timeframe.clone(),
            realised: volatility("realised_risk"),
            holdings: volatility("holdings_volatility"),
            coverage: value("history_coverage"),
            gross: value("gross_exposure"),
        })
    }
    /// Why a volatility counts as none, by its own numbers.
    fn gap(of: Volatility, name: &str, control: &RiskControl) -> Option<String> {
        let (have, need) = (of.observations, control.min_observations);
        match of.value {
            None => Some(format!("{name} has no value")),
            Some(_) if have < need => Some(format!("{name} has {have} observations, orders.risk.min_observations asks for {need}")),
            Some(_) => None,
        }
    }
    /// The same of that of the holdings, which needs more.
    fn gap_of_holdings(&self, control: &RiskControl) -> Option<String> {
        let few = Self::gap(self.holdings, "holdings_volatility", control);
        let (covered, least) = (self.coverage.unwrap_or_default(), control.min_coverage);
        let uncovered = || (covered < least).then(|| format!("history_coverage is {covered}, orders.risk.min_coverage asks for {least}"));
        let flat = || self.gross.is_none_or(|gross| !gross.is_positive()).then(|| "gross_exposure is not above zero".to_owned());
        few.or_else(uncovered).or_else(flat)
    }
}

/// The newest figures of a portfolio, and how they stand against its target.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RiskWatch {
    newest: Option<Figures>,
    /// The last from which a scale may follow, however old it is by now.
    counted: Option<Figures>,
    standing: Option<Box<TargetRisk>>,
    /// Until when the standing holds by itself; derived.
    #[serde(skip)]
    until: Option<Timestamp>,
}

impl RiskWatch {
    /// How the newest figures stand against the policy's target; `None` where it has none.
    pub fn standing(&self) -> Option<&TargetRisk> {
        self.standing.as_deref()
    }
    /// Whether a record is of a later day or a later version of its close than the newest that is known; of one version the
    /// last record holds.
    pub fn is_newer(&self, record: &Risk) -> bool {
        let Some(found) = record.date.zip(record.close_version) else { return false };
        self.newest.as_ref().is_none_or(|known| found >= (known.date, known.version))
    }
    /// Takes a newer record over; by the rules of the policy, if it has a target, the figures may count before the next do
    /// not, even in one window.
    pub fn take(&mut self, record: &Risk, policy: Option<&Policy>) {
        self.newest = Figures::of(record);
        if let Some(policy) = policy.filter(|policy| policy.target_risk.is_some()) {
            self.count(&policy.orders.risk);
        }
        self.until = None;
    }
    /// Keeps the newest figures where a scale may follow from them by these rules.
    fn count(&mut self, control: &RiskControl) {
        if self.newest.as_ref().is_some_and(|newest| newest.gap_of_holdings(control).is_none()) {
            self.counted.clone_from(&self.newest);
        }
    }
    /// Another policy holds, or none.
    pub fn begin(&mut self) {
        (self.standing, self.until) = (None, None);
    }
    /// The same figures for other rules.
    pub fn of_others(&self) -> Self {
        Self { newest: self.newest.clone(), counted: self.counted.clone(), standing: None, until: None }
    }
    /// The rules of a policy, scaled as they stand.
    pub fn laid(&self, policy: &Policy, mut rules: Rules) -> Rules {
        if let Some(scale) = self.standing.as_ref().and_then(|standing| standing.scale) {
            rules.scale(policy, scale);
        }
        rules
    }
}

impl Portfolio {
    /// Weighs the newest figures against the policy's target and scales the rules by what comes out; whether anything of
    /// that has changed.
    pub fn weigh_risk(&mut self, market: &Market, now: Timestamp) -> bool {
        let Some(policy) = self.policy.as_deref().filter(|policy| policy.target_risk.is_some()) else {
            return false;
        };
        // Which group's target counts hangs on the facts of instruments.
        let regrouped = policy.orders.risk.scale_targets && !self.rules.groups.is_empty();
        if self.risk.until.is_some_and(|until| now < until) && !regrouped {
            return false;
        }
        self.risk.count(&policy.orders.risk);
        let until = next_day_cut(&policy.time_zone, &policy.day_cut, now).unwrap_or(now);
        let standing = policy.target_risk.map(|target| Box::new(self.standing_against(target, policy, market, now)));
        let scale = standing.as_ref().and_then(|standing| standing.scale).unwrap_or(Fraction::ONE);
        if scale != self.rules.scale {
            self.rules.scale(policy, scale);
        }
        self.risk.until = Some(until);
        let changed = standing != self.risk.standing;
        self.risk.standing = standing;
        changed
    }

    fn standing_against(&self, target: Fraction, policy: &Policy, market: &Market, now: Timestamp) -> TargetRisk {
        let control = &policy.orders.risk;
        let Some(figures) = &self.risk.newest else { return nothing_known(target) };
        let old = too_old(figures.date, policy, now);
        let realised = old.clone().or_else(|| Figures::gap(figures.realised, "realised_risk", control));
        let holdings = old.clone().or_else(|| figures.gap_of_holdings(control));
        let by = self.risk.counted.as_ref().filter(|_| control.scale_targets);
        let unscaled = |gap: &String| match by {
            Some(last) => format!("{gap}: targets stay scaled by the figures of {}", last.date),
            None => format!("{gap}: targets are not scaled"),
        };
        let mut notices: Vec<String> = match &old {
            Some(old) if control.scale_targets => vec![unscaled(old)],
            _ => realised.iter().cloned().collect(),
        };
        notices.extend(holdings.iter().filter(|_| control.scale_targets && old.is_none()).map(unscaled));
        TargetRisk {
            target,
            realised: figures.realised.value.filter(|_| realised.is_none()),
            realised_observations: figures.realised.observations,
            holdings: figures.holdings.value.filter(|_| holdings.is_none()),
            holdings_observations: figures.holdings.observations,
            coverage: figures.coverage,
            gross_exposure: figures.gross,
            date: Some(figures.date),
            close_version: Some(figures.version),
            window: Some(figures.window.clone()),
            scale: by.map(|figures| scale(target, figures, gross_target(policy, self, market))),
            notice: (!notices.is_empty()).then(|| SmolStr::new(notices.join("; "))),
            scale_date: by.map(|figures| figures.date),
            scale_version: by.map(|figures| figures.version),
        }
    }
}

fn nothing_known(target: Fraction) -> TargetRisk {
    TargetRisk {
        target,
        realised: None,
        realised_observations: 0,
        holdings: None,
        holdings_observations: 0,
        coverage: None,
        gross_exposure: None,
        date: None,
        close_version: None,
        window: None,
        scale: None,
        scale_date: None,
        scale_version: None,
        notice: Some(SmolStr::new_static("no figures of risk were read yet: they follow from the first closed day")),
    }
}

/// Why figures of a day are too old by now, in days of the portfolio that were cut since.
fn too_old(date: Date, policy: &Policy, now: Timestamp) -> Option<String> {
    let most = policy.orders.risk.max_age_days;
    let ended = last_day_cut(&policy.time_zone, &policy.day_cut, now).and_then(|cut| day_of_cut(&policy.time_zone, cut))?;
    let (days, bound) = (TradingDays::of(policy), usize::try_from(most).unwrap_or(0));
    let since = (date.days() + 1..=ended.days()).map(Date::from_days).filter(|day| days.count(*day)).take(bound + 1).count();
    (since > bound)
        .then(|| format!("the newest figures of risk are of {date}, and more days than orders.risk.max_age_days {most} were cut since"))
}

/// min(1, target × gross × coverage ÷ (volatility × Σ |target|)), cut at its last decimal: the volatility is that of the
/// holdings whose history is known, which are that share of the gross. Never zero.
fn scale(target: Fraction, figures: &Figures, wanted: Fraction) -> Fraction {
    let (Some(volatility), Some(gross), Some(known)) = (figures.holdings.value, figures.gross, figures.coverage) else {
        return Fraction::ONE;
    };
    if volatility.is_zero() || wanted.is_zero() {
        return Fraction::ONE;
    }
    let units = ratio_of_products_truncate(known.units(), (target.units(), gross.units()), (volatility.units(), wanted.units()));
    units.map_or(Fraction::ONE, |units| Fraction::from_units(units.max(1)).min(Fraction::ONE))
}
