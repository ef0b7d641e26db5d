//! What the figures of a series are computed with, each with its unit. Settings are arguments: nothing is read
//! from anywhere.

use crate::sample::InvalidSeries;

/// Parameters of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Periods in a year: 252 for daily returns, 365 for what trades every day, 12 for monthly ones.
    pub periods_per_year: f64,
    /// Risk-free rate, a fraction a year; a period's is (1 + annual)^(1/periods) - 1. A series of its own comes first.
    pub risk_free_annual: f64,
    /// Minimum acceptable return, a fraction a period.
    pub minimum_acceptable: f64,
    /// Confidence of value at risk, between 0 and 1.
    pub confidence: f64,
    /// Horizon of value at risk in periods.
    pub horizon: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { periods_per_year: 252.0, risk_free_annual: 0.0, minimum_acceptable: 0.0, confidence: 0.95, horizon: 1.0 }
    }
}

impl Settings {
    /// Itself where every parameter lies in its range; else the error names the one that does not.
    pub fn checked(self) -> Result<Self, InvalidSeries> {
        let rules = [
            ("periods_per_year", self.periods_per_year, self.periods_per_year > 0.0),
            ("risk_free", self.risk_free_annual, self.risk_free_annual > -1.0),
            ("minimum_acceptable", self.minimum_acceptable, true),
            ("confidence", self.confidence, self.confidence > 0.0 && self.confidence < 1.0),
            ("horizon", self.horizon, self.horizon > 0.0),
        ];
        match rules.into_iter().find(|(_, value, holds)| !value.is_finite() || !holds) {
            Some((name, value, _)) => Err(InvalidSeries::Setting { name, value }),
            None => Ok(self),
        }
    }
}
