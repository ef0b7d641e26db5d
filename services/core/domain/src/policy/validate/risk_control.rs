//! What a policy may say of the figures of risk that count, and of scaling by them.

use super::Problems;
use crate::Fraction;
use crate::policy::RiskControl;
use std::ops::RangeInclusive;

/// Days that a figure may be old: the day that was cut last has none before its close was worked up.
const AGE_DAYS: RangeInclusive<i32> = 1..=366;
/// Daily returns that may be asked for: of one alone nothing varies.
const OBSERVATIONS: RangeInclusive<i32> = 2..=10_000;

/// Counts within their bounds, and nothing scaled to a target that is not there.
pub(super) fn check(at: &str, risk: &RiskControl, target: Option<Fraction>, problems: &mut Problems) {
    for (value, bounds, field) in [(risk.max_age_days, AGE_DAYS, "max_age_days"), (risk.min_observations, OBSERVATIONS, "min_observations")]
    {
        problems.policy(!bounds.contains(&value), || {
            format!("{at}orders.risk.{field} is {value}, it lies between {} and {}", bounds.start(), bounds.end())
        });
    }
    let covered = risk.min_coverage;
    problems.policy(!covered.is_positive() || covered > Fraction::ONE, || {
        format!("{at}orders.risk.min_coverage is {covered}; it is a fraction of the gross value of holdings above 0 and at most 1: 90 per cent is 0.9")
    });
    problems.policy(risk.scale_targets && target.is_none(), || {
        format!("{at}orders.risk.scale_targets needs target_risk, the yearly volatility that targets are scaled to: 12 per cent is 0.12")
    });
}

#[cfg(test)]
mod tests {
    use crate::policy::validate::tests::{HEAD, codes};
    use crate::reason::DeadLetterCode;

    #[test]
    fn figures_of_risk_count_within_bounds_and_scale_to_a_target() {
        for (fields, words) in [
            (r#""max_age_days":0"#, "max_age_days is 0, it lies between 1 and 366"),
            (r#""max_age_days":367"#, "max_age_days is 367"),
            (r#""min_observations":1"#, "min_observations is 1, it lies between 2 and 10000"),
            (r#""min_observations":10001"#, "min_observations is 10001"),
            (r#""min_coverage":"0""#, "min_coverage is 0"),
            (r#""min_coverage":"-0.5""#, "min_coverage is -0.5"),
            (r#""min_coverage":"1.000000000001""#, "min_coverage is 1.000000000001"),
            (r#""scale_targets":true"#, "scale_targets needs target_risk"),
        ] {
            let found = codes(&format!(r#"{{{HEAD},"orders":{{"risk":{{{fields}}}}}}}"#));
            assert!(matches!(&found[..], [(DeadLetterCode::InvalidPolicy, text)] if text.contains(words)), "{fields}: {found:?}");
            let found = codes(&format!(r#"{{{HEAD},"shadow":{{"orders":{{"risk":{{{fields}}}}}}}}}"#));
            assert!(matches!(&found[..], [(_, text)] if text.starts_with("shadow.orders.risk.")), "{fields}: {found:?}");
        }
        let fields = r#""scale_targets":true,"max_age_days":1,"min_observations":2,"min_coverage":"1""#;
        assert_eq!(codes(&format!(r#"{{{HEAD},"target_risk":"0.12","orders":{{"risk":{{{fields}}}}}}}"#)), vec![]);
    }
}
