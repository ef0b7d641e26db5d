//! From exact amounts to the numbers of statistics and back, in one place each.

use crate::undefined::{Answer, Undefined};
use domain::enums::MetricUnit;
use domain::performance::Metric;
use domain::{Amount, Fraction, Money, SmolStr};

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
