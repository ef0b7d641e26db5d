//! Risk against a policy's `target_risk`: what a drift event carries of it, and what a plan says of it.
//! The figures are those of `portfolio.risk.v1`, as they were published: at twelve decimals, and nothing finer.

use crate::policy::RiskControl;
use crate::reason::ReasonCode;
use crate::{Date, Fraction, SmolStr};
use serde::{Deserialize, Serialize};

/// The risk of a portfolio against its policy's target, and what targets are scaled by. Volatilities are yearly, as
/// fractions of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetRisk {
    /// Volatility that the policy aims at.
    pub target: Fraction,
    /// Volatility of the portfolio's own days; null where none counts.
    pub realised: Option<Fraction>,
    /// Daily returns behind `realised`.
    pub realised_observations: i32,
    /// Volatility that what was held at the close would have had, at its gross exposure; null where none counts.
    pub holdings: Option<Fraction>,
    /// Daily returns behind `holdings`.
    pub holdings_observations: i32,
    /// Part of the gross value of what was held whose history is known; null where nothing was held.
    pub coverage: Option<Fraction>,
    /// Gross exposure at the close ÷ equity; null when equity was not above zero.
    pub gross_exposure: Option<Fraction>,
    /// Day of the close; null where no record was read yet.
    pub date: Option<Date>,
    /// Version of that close.
    pub close_version: Option<i64>,
    /// The days that the record covers at most, such as 500D.
    pub window: Option<SmolStr>,
    /// What targets and bounds of lines and groups are multiplied by, each cut toward zero: min(1, target × gross_exposure
    /// × coverage ÷ (holdings × Σ |target|)), cut at its last decimal; null where the policy scales nothing or no figures
    /// ever sufficed. It is by the last with enough returns and coverage, however old.
    pub scale: Option<Fraction>,
    /// Which figures count as none, and why; null where all that are needed count.
    pub notice: Option<SmolStr>,
    /// Day of the close whose figures `scale` follows from; earlier than `date` where the newest do not suffice.
    #[serde(default)]
    pub scale_date: Option<Date>,
    /// Version of that close.
    #[serde(default)]
    pub scale_version: Option<i64>,
}

impl TargetRisk {
    /// Why targets that are to follow the risk do not follow the newest figures; `None` where they do, or are to follow none.
    pub fn unfollowed(&self, control: &RiskControl) -> Option<&SmolStr> {
        self.notice.as_ref().filter(|_| control.scale_targets && self.holdings.is_none())
    }
}

/// What a plan does to the risk of a portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedRisk {
    /// Yearly volatility that the policy aims at.
    pub target: Fraction,
    /// Yearly volatility of the portfolio's own days; null where none counts.
    pub realised: Option<Fraction>,
    /// Day of the close that it is of.
    pub date: Option<Date>,
    /// What targets were scaled by; null where they were not.
    pub scale: Option<Fraction>,
    /// Σ |value| ÷ equity before.
    pub gross_before: Option<Fraction>,
    /// Σ |value| ÷ equity that the plan leads to.
    pub gross_after: Option<Fraction>,
    /// RISK_AWAY_FROM_TARGET where the plan leads further from the target, DATA_GAP where a figure that is needed counts
    /// as none.
    pub code: Option<ReasonCode>,
    /// The same in words.
    pub text: Option<SmolStr>,
}
