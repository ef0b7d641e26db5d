//! From exact amounts to the numbers of statistics and back, and the figures that records and those who read them tell
//! in the same way.

use crate::returns::account::{FlowTiming, Valuation, owner_flows};
use crate::returns::dietz::{self, DayPart};
use crate::returns::money_weighted::xirr;
use crate::undefined::{Answer, Undefined};
use domain::enums::MetricUnit;
use domain::performance::Metric;
use domain::{Amount, Fraction, Money, SmolStr};

/// Days of a year, and of the timeframe `1Y`.
pub const YEAR_DAYS: i32 = 365;

/// One figure before it is written.
#[derive(Debug, Clone)]
pub struct Line {
    /// Name in the catalogue.
    pub id: &'static str,
    /// Its unit.
    pub unit: MetricUnit,
    /// Its value, or why there is none.
    pub value: Answer,
    /// Observations that it was computed from.
    pub observations: usize,
    /// The formula in words.
    pub method: &'static str,
    /// What is to be known of its value.
    pub note: Option<SmolStr>,
}

impl Line {
    /// A figure of which nothing else is to be known.
    pub const fn new(id: &'static str, unit: MetricUnit, value: Answer, observations: usize, method: &'static str) -> Self {
        Self { id, unit, value, observations, method, note: None }
    }
    /// As a record tells it, over a window such as `21D`.
    pub fn published(self, window: &SmolStr) -> Metric {
        let metric = metric(self.id, self.unit, self.value, self.observations, self.method);
        Metric { window: window.clone(), reason: metric.reason.or(self.note), ..metric }
    }
}

/// An amount as a figure: exact where it fits.
pub fn amount(id: &'static str, money: Money, method: &'static str, window: &SmolStr) -> Metric {
    let value = money.units().checked_mul(100).map(Fraction::from_units).filter(|value| value.fits_wire());
    let without = metric(id, MetricUnit::Money, Err(Undefined::OutOfRange), 1, method);
    let reason = without.reason.filter(|_| value.is_none());
    Metric { value, window: window.clone(), reason, ..without }
}

/// The modified Dietz return of an account, and its money-weighted return a year, which less than a year does not show.
pub fn money_weighted(rows: &[Valuation], observations: usize) -> [Line; 2] {
    let dietz = dietz::modified(rows, FlowTiming::Daily, DayPart::Start);
    let dietz = Line::new(
        "modified_dietz",
        MetricUnit::Fraction,
        dietz,
        observations,
        "gain / (begin + flows by the days that they worked, each from the start of its day)",
    );
    let days = rows.last().zip(rows.first()).map_or(0, |(last, first)| i64::from(last.date.days() - first.date.days()));
    let (yearly, note) = if days < i64::from(YEAR_DAYS) { (Err(Undefined::UnderOneYear { days }), None) } else { yearly_rate(rows) };
    let found = Line::new("money_weighted_return", MetricUnit::Fraction, yearly, observations, "XIRR, Actual/365, a year");
    [dietz, Line { note, ..found }]
}

/// The yearly rate of an account's flows, and whether it is one of several.
pub fn yearly_rate(rows: &[Valuation]) -> (Answer, Option<SmolStr>) {
    let flows: Vec<_> = owner_flows(rows, FlowTiming::Daily).into_iter().filter(|flow| flow.amount != 0.0).collect();
    match xirr(&flows) {
        Ok(rate) => {
            let note = || SmolStr::new_static("AMBIGUOUS: several rates bring the flows to zero");
            (Ok(rate.rate), rate.is_ambiguous().then(note))
        }
        Err(why) => (Err(why), None),
    }
}

/// An amount as a number, for statistics.
pub fn number(amount: Money) -> f64 {
    amount.units() as f64 / Money::ONE.units() as f64
}

/// A fraction as a number.
pub fn of_fraction(fraction: Fraction) -> f64 {
    fraction.units() as f64 / Fraction::ONE.units() as f64
}

/// Units of a number at a scale, rounded half-even; `None` beyond what a record holds.
#[allow(clippy::cast_possible_truncation, reason = "the range is checked before")]
pub fn units(value: f64, one: i128) -> Option<i128> {
    let units = (value * one as f64).round_ties_even();
    (units.abs() < domain::fixed::WIRE_LIMIT as f64).then_some(units as i128)
}

/// A number as it is published: twelve decimals.
pub fn fraction(value: f64) -> Option<Fraction> {
    units(value, Fraction::ONE.units()).map(Fraction::from_units)
}

/// A figure, or its reason, over as many days as it has observations.
pub fn metric(id: &'static str, unit: MetricUnit, value: Answer, observations: usize, method: &'static str) -> Metric {
    let found = value.and_then(|value| fraction(value).ok_or(Undefined::OutOfRange));
    Metric {
        id: SmolStr::new_static(id),
        value: found.ok(),
        unit,
        currency: None,
        window: smol_str::format_smolstr!("{observations}D"),
        observations: i32::try_from(observations).unwrap_or(i32::MAX),
        method: SmolStr::new_static(method),
        confidence: None,
        horizon_days: None,
        reason: found.err().map(|why| smol_str::format_smolstr!("{}: {why}", why.code())),
    }
}

/// A number as money.
pub fn money(value: f64) -> Option<Money> {
    units(value, Money::ONE.units()).map(Money::from_units)
}

/// An exact amount as money: rounded half-even, zero beyond the range.
pub fn exact(amount: Amount) -> Money {
    amount.to_money().ok().filter(|money| money.fits_wire()).unwrap_or_default()
}

/// `amount` multiplies by the difference of both scales.
const _: () = assert!(Fraction::ONE.units() == Money::ONE.units() * 100);
