//! What a policy may say of costs, and of what they are weighed against.

use super::{MOST_BASIS_POINTS, Problems};
use crate::policy::CostModel;

/// Longest time over which drift is weighed, in days: ten years.
const MOST_BENEFIT_DAYS: i32 = 3650;
/// Basis points within all of a price, days within their bounds, and nothing weighed of which a part is left out.
pub(super) fn check(at: &str, costs: &CostModel, problems: &mut Problems) {
    for (value, field) in [(costs.half_spread_bp, "half_spread_bp"), (costs.impact_bp, "impact_bp"), (costs.benefit_bp, "benefit_bp")] {
        let beyond = value.filter(|value| value.is_negative() || *value > MOST_BASIS_POINTS);
        problems.policy(beyond.is_some(), || {
            let shown = beyond.unwrap_or_default();
            format!("{at}orders.costs.{field} is {shown}, it lies between 0 and {MOST_BASIS_POINTS} basis points")
        });
    }
    problems.policy(!(1..=MOST_BENEFIT_DAYS).contains(&costs.benefit_days), || {
        format!("{at}orders.costs.benefit_days is {}, it lies between 1 and {MOST_BENEFIT_DAYS}", costs.benefit_days)
    });
    problems.policy(costs.benefit_bp.is_some() && costs.impact_bp.is_none(), || {
        format!("{at}orders.costs.benefit_bp needs {at}orders.costs.impact_bp: 0 says that impact costs nothing")
    });
}

#[cfg(test)]
mod tests {
    use crate::policy::validate::tests::{HEAD, codes};
    use crate::reason::DeadLetterCode;

    #[test]
    fn costs_are_basis_points_and_weighed_whole() {
        for (fields, words) in [
            (r#""half_spread_bp":"-0.0001""#, "half_spread_bp is -0.0001"),
            (r#""half_spread_bp":"10000.0001""#, "between 0 and 10000"),
            (r#""impact_bp":"10000.0001""#, "impact_bp is 10000.0001"),
            (r#""impact_bp":"0","benefit_bp":"-1""#, "benefit_bp is -1"),
            (r#""benefit_days":0"#, "benefit_days is 0"),
            (r#""benefit_days":3651"#, "benefit_days is 3651"),
            (r#""benefit_bp":"100""#, "benefit_bp needs orders.costs.impact_bp"),
        ] {
            let found = codes(&format!(r#"{{{HEAD},"orders":{{"costs":{{{fields}}}}}}}"#));
            assert!(matches!(&found[..], [(DeadLetterCode::InvalidPolicy, text)] if text.contains(words)), "{fields}: {found:?}");
        }
        for fields in [r#""half_spread_bp":"10000","impact_bp":"0","benefit_bp":"0","benefit_days":1"#, r#""benefit_days":3650"#] {
            assert_eq!(codes(&format!(r#"{{{HEAD},"orders":{{"costs":{{{fields}}}}}}}"#)), vec![], "{fields}");
        }
        let found = codes(&format!(r#"{{{HEAD},"orders":{{"urgency":"WHENEVER"}}}}"#));
        assert!(matches!(&found[..], [(DeadLetterCode::UnknownEnum, text)] if text.contains("LOW, NORMAL, HIGH")), "{found:?}");
    }
}
