//! Whether a band is broken, by the lines of a plan and what the policy says of bands. It plans nothing, and judges no
//! band that the lines do not show.

use domain::Fraction;
use domain::enums::RebalanceTrigger;
use domain::policy::Policy;
use domain::rebalance_event::ExplanationLine;
use rust_decimal::Decimal;
use serde_json::Value;

/// What the policy in force says of bands; of one that is not known nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::commands) struct Bands {
    /// Whether the bound itself breaches.
    inclusive: bool,
    /// Whether the lines of a plan show every band: neither cash nor a group has one.
    are_all_of_lines: bool,
}

impl Bands {
    /// Those of a policy as it is stored.
    pub(in crate::commands) fn of(policy: &Value) -> Self {
        serde_json::from_value::<Policy>(policy.clone()).map_or_else(
            |_| Self::default(),
            |policy| {
                let grouped = policy.targets.iter().any(|target| target.group.is_some());
                Self { inclusive: policy.band.inclusive, are_all_of_lines: !grouped && policy.trigger.cash_band.is_none() }
            },
        )
    }

    /// Whether a line stands outside its band; `None` where its numbers do not tell it.
    pub(super) fn outside(&self, line: &ExplanationLine) -> Option<bool> {
        let number = |name: &str| line.numbers.iter().find(|number| number.name == name)?.value.parse::<Decimal>().ok();
        let bounds = (number("lower")?, number("upper")?, line.target.to_decimal()?);
        // Value against bound x equity where both are told: a weight is a quotient that was rounded.
        let scaled = |(lower, upper, target): (Decimal, Decimal, Decimal), equity: Decimal| {
            Some((lower.checked_mul(equity)?, upper.checked_mul(equity)?, target.checked_mul(equity)?))
        };
        let amounts = number("value").zip(number("equity")).filter(|(_, equity)| *equity > Decimal::ZERO);
        let by_amounts = amounts.and_then(|(value, equity)| Some((value, scaled(bounds, equity)?)));
        let (at, (lower, upper, target)) = match by_amounts {
            Some(found) => found,
            None => (line.weight.and_then(Fraction::to_decimal)?, bounds),
        };
        // A line of no width at its very target is not out.
        let touched = self.inclusive && (at == lower || at == upper) && at != target;
        Some(at < lower || at > upper || touched)
    }

    /// Whether a band is broken; `None` where the lines do not tell it. A breach of a group or of cash, which no line shows,
    /// is known by what it has triggered.
    pub(super) fn breached(&self, trigger: RebalanceTrigger, lines: &[ExplanationLine]) -> Option<bool> {
        let told: Vec<bool> = lines.iter().filter_map(|line| self.outside(line)).collect();
        if told.contains(&true) {
            return Some(true);
        }
        if self.are_all_of_lines && !lines.is_empty() && told.len() == lines.len() {
            return Some(false);
        }
        (trigger == RebalanceTrigger::Threshold).then_some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(value: &str) -> ExplanationLine {
        let numbers = json!([{"name": "equity", "value": "1000"}, {"name": "value", "value": value}, {"name": "lower", "value": "0.25"},
            {"name": "upper", "value": "0.35"}]);
        let line = json!({"instrument_id": "A", "weight": "0.35", "target": "0.3", "drift": "0.05", "decision": "ORDER",
            "reason": "DRIFT_SELL", "numbers": numbers});
        serde_json::from_value(line).unwrap()
    }
    fn bands(rest: &str) -> Bands {
        Bands::of(&serde_json::from_str(&format!(r#"{{"portfolio_id":"p","policy_version":1,"base_currency":"USD"{rest}}}"#)).unwrap())
    }

    #[test]
    fn a_line_is_out_by_its_value_and_at_its_bound_where_the_policy_says_so() {
        let of = |rest: &str, value: &str| bands(rest).outside(&line(value));
        assert_eq!((of("", "350.0000000001"), of("", "350"), of("", "250")), (Some(true), Some(false), Some(false)));
        assert_eq!((of("", "249.9999999999"), of(r#","band":{"inclusive":true}"#, "350")), (Some(true), Some(true)));
        assert_eq!(bands("").outside(&ExplanationLine { numbers: Vec::new(), ..line("400") }), None);
    }

    #[test]
    fn a_band_that_no_line_shows_is_not_said_to_hold() {
        let of = |rest: &str, trigger, value: &str| bands(rest).breached(trigger, &[line(value)]);
        let (manual, threshold) = (RebalanceTrigger::Manual, RebalanceTrigger::Threshold);
        assert_eq!((of("", manual, "330"), of("", manual, "360")), (Some(false), Some(true)));
        let cash = r#","trigger":{"cash_band":"0.05"}"#;
        assert_eq!((of(cash, manual, "330"), of(cash, threshold, "330"), of(cash, manual, "360")), (None, Some(true), Some(true)));
        assert_eq!(of(r#","targets":[{"group":"TECH","target_weight":"0.3"}]"#, manual, "330"), None);
        assert_eq!(bands("").breached(manual, &[]), None);
        assert_eq!(Bands::default().breached(manual, &[line("330")]), None, "without a policy");
    }
}
