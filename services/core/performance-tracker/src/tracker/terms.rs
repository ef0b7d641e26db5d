//! What of a policy the tracker needs: the days of its portfolio, and what they are compared with.

use domain::day::{day_of_cut, next_day_cut};
use domain::policy::Policy;
use domain::{Currency, Date, Fraction, InstrumentId, SmolStr, Timestamp, TradingDays};
use serde::{Deserialize, Serialize};

/// The terms of one version of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Version of the policy.
    pub version: i64,
    /// Base currency.
    pub base: Currency,
    /// Instrument to compare with.
    pub benchmark: Option<InstrumentId>,
    /// Yearly risk-free rate.
    pub risk_free: Option<Fraction>,
    /// Instrument whose returns are the risk-free ones.
    pub risk_free_instrument: Option<InstrumentId>,
    /// Yearly volatility aimed at.
    pub target_risk: Option<Fraction>,
    time_zone: SmolStr,
    day_cut: SmolStr,
    days: TradingDays,
}

impl From<&Policy> for Terms {
    fn from(policy: &Policy) -> Self {
        Self {
            version: policy.policy_version,
            base: policy.base_currency,
            benchmark: policy.benchmark.clone(),
            risk_free: policy.risk_free_rate,
            risk_free_instrument: policy.risk_free_instrument.clone(),
            target_risk: policy.target_risk,
            time_zone: policy.time_zone.clone(),
            day_cut: policy.day_cut.clone(),
            days: TradingDays::of(policy),
        }
    }
}

impl Terms {
    /// Terms of a portfolio whose policy was never read.
    pub fn unknown(base: Currency) -> Self {
        let (time_zone, day_cut) = (SmolStr::new_static("UTC"), SmolStr::new_static("00:00"));
        let days = TradingDays::default();
        Self { version: 0, base, benchmark: None, risk_free: None, risk_free_instrument: None, target_risk: None, time_zone, day_cut, days }
    }
    /// Days of a year on which it has a return, by the convention of the trade: that two portfolios can be compared matters
    /// more than that one exchange has some holidays more.
    pub fn days_a_year(&self) -> f64 {
        if self.days.are_all() { 365.0 } else { 252.0 }
    }
    /// The date to which a moment belongs: that of the next cut, on a weekend or a holiday too.
    pub fn day_of(&self, moment: Timestamp) -> Date {
        let cut = next_day_cut(&self.time_zone, &self.day_cut, moment);
        cut.and_then(|cut| day_of_cut(&self.time_zone, cut)).unwrap_or_else(|| moment.date_utc())
    }
    /// The day that counts a date: itself, or the first one after it.
    pub fn counted(&self, date: Date) -> Date {
        self.days.counted(date)
    }
}
