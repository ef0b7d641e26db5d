//! The longest that can be said of a portfolio's risk against its target.

use super::{UNITS, last_day, long_text};
use domain::Fraction;
use domain::reason::ReasonCode;
use domain::target_risk::{PlannedRisk, TargetRisk};

pub fn target_risk() -> TargetRisk {
    let fraction = Some(Fraction::from_units(UNITS));
    TargetRisk {
        target: Fraction::from_units(UNITS),
        realised: fraction,
        realised_observations: i32::MAX,
        holdings: fraction,
        holdings_observations: i32::MAX,
        coverage: fraction,
        gross_exposure: fraction,
        date: Some(last_day()),
        close_version: Some(i64::MAX),
        window: Some(long_text()),
        scale: fraction,
        notice: Some(long_text()),
        scale_date: Some(last_day()),
        scale_version: Some(i64::MAX),
    }
}

pub fn planned_risk() -> PlannedRisk {
    let fraction = Some(Fraction::from_units(UNITS));
    PlannedRisk {
        target: Fraction::from_units(UNITS),
        realised: fraction,
        date: Some(last_day()),
        scale: fraction,
        gross_before: fraction,
        gross_after: fraction,
        code: Some(ReasonCode::RiskAwayFromTarget),
        text: Some(long_text()),
    }
}
