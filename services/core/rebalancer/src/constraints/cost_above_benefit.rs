//! An order whose expected cost is more than what the drift that it takes away is worth to the policy is not made:
//! COST_ABOVE_BENEFIT. Both sides are amounts in the base currency: the cost is fee + half spread + impact of its legs,
//! the benefit drift removed × `benefit_bp` × `benefit_days` ÷ 365, rounded down. What costs an amount that nobody knows
//! does not pass: DATA_GAP without a spread, ILLIQUID without a volume.
//!
//! Exits are exempt with `exit_exempt`, sells that raise cash always: they are made for another reason than drift. What a
//! person asked for is not weighed, nor what was proposed or has begun; its numbers stand beside it.

use super::{Draft, Ruling};
use crate::plan::costs::{benefit, drift_removed, of_order};
use crate::plan::desk::Wish;
use crate::plan::exact::narrow;
use domain::Money;
use domain::reason::ReasonCode;

/// The rule.
pub(super) fn rule(draft: &Draft, wish: &mut Wish) -> Option<Ruling> {
    let orders = draft.desk.input.rules.orders;
    let rate = orders.costs.benefit_bp?;
    let removed = drift_removed(draft.desk, draft.index, draft.quantity);
    let benefit = narrow(benefit(removed, rate, orders.costs.benefit_days)).map_or(Money::from_units(i128::MAX), Money::from_units);
    let costs = of_order(draft.desk, draft.index, draft.quantity);
    let cost = costs.and_then(|costs| costs.total());
    wish.weighed = Some((cost, benefit));
    let exempt = draft.is_exit() && orders.exit_exempt || draft.purpose() == ReasonCode::CashRaise;
    if exempt || !draft.desk.weighs || cost.is_some_and(|cost| cost <= benefit) {
        return None;
    }
    Some(Ruling::Skip(match costs {
        Some(costs) if costs.spread.is_none() => ReasonCode::DataGap,
        Some(costs) if costs.impact.is_none() => ReasonCode::Illiquid,
        _ => ReasonCode::CostAboveBenefit,
    }))
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::Case;
    use domain::Money;
    use domain::enums::RebalanceTrigger;

    /// 100 units of drift are taken away; a year of that at 100 bp is worth 1.
    const BOOK: &str = "A 60 @ 10 volume 1000\ncash USD 400";

    fn case(costs: &str, more: &str, book: &str) -> Case {
        let policy = format!(
            r#""targets":[{{"instrument_id":"A","target_weight":"0.5"}}],"orders":{{"costs":{{"benefit_bp":"100",{costs}}}{more}}}"#
        );
        Case::new(&policy, book).trigger(RebalanceTrigger::Scheduled)
    }
    fn decision(costs: &str, more: &str) -> String {
        case(costs, more, BOOK).decision("A")
    }

    #[test]
    fn an_order_that_costs_its_benefit_passes() {
        let (made, left) = ("ORDER DRIFT_SELL -10", "SKIP COST_ABOVE_BENEFIT");
        for (fee, said) in [("0.9999999999", made), ("1", made), ("1.0000000001", left)] {
            let fees = format!(r#","fees":{{"fixed":"{fee}"}}"#);
            assert_eq!(decision(r#""half_spread_bp":"0","impact_bp":"0""#, &fees), said, "{fee}");
        }
        // Half a spread of 100 bp of 100 units is 1.
        for (bp, said) in [("99.9999", made), ("100", made), ("100.0001", left)] {
            assert_eq!(decision(&format!(r#""half_spread_bp":"{bp}","impact_bp":"0""#), ""), said, "{bp}");
        }
        // A hundredth of the volume: a tenth of the coefficient.
        for (bp, said) in [("999.9999", made), ("1000", made), ("1000.0001", left)] {
            assert_eq!(decision(&format!(r#""half_spread_bp":"0","impact_bp":"{bp}""#), ""), said, "{bp}");
        }
        for (days, said) in [(364, left), (365, made)] {
            assert_eq!(decision(&format!(r#""half_spread_bp":"100","impact_bp":"0","benefit_days":{days}"#), ""), said, "{days}");
        }
    }

    #[test]
    fn the_second_opinion_notices_one_unit_and_an_order_that_is_too_dear() {
        let told = case(r#""half_spread_bp":"3","impact_bp":"7""#, "", BOOK);
        let plan = told.plan();
        assert_eq!(told.broken(&plan), Vec::<&str>::new());
        for by in [-1, 1] {
            let more = |money: &mut Option<Money>| *money = money.map(|money| Money::from_units(money.units() + by));
            let mut wrong = plan.clone();
            more(&mut wrong.legs[0].costs.spread);
            assert!(told.broken(&wrong).contains(&"a leg's spread"), "{by}");
            let mut wrong = plan.clone();
            more(&mut wrong.legs[0].costs.impact);
            assert!(told.broken(&wrong).contains(&"a leg's impact"), "{by}");
            let mut wrong = plan.clone();
            more(&mut wrong.expected_impact);
            assert_eq!(told.broken(&wrong), ["expected_impact"], "{by}");
        }
        let dear = case(r#""half_spread_bp":"101","impact_bp":"0""#, "", BOOK);
        let asked = case(r#""half_spread_bp":"101","impact_bp":"0""#, "", BOOK).trigger(RebalanceTrigger::Manual);
        assert_eq!(dear.broken(&asked.plan()), ["orders are worth what they cost"]);
    }

    #[test]
    fn the_quote_goes_before_the_default() {
        let costs = r#""half_spread_bp":"0","impact_bp":"0""#;
        for (ask, said) in [("10.1", "ORDER DRIFT_SELL -10"), ("10.1000000001", "SKIP COST_ABOVE_BENEFIT")] {
            assert_eq!(case(costs, "", &format!("A 60 @ 10 bid 9.9 ask {ask}\ncash USD 400")).decision("A"), said, "{ask}");
        }
        // A quote wider than its price says nothing.
        assert_eq!(case(costs, "", "A 60 @ 10 bid 1 ask 11.0000000001\ncash USD 400").decision("A"), "ORDER DRIFT_SELL -10");
        assert_eq!(case(costs, "", "A 60 @ 10 bid 1 ask 11\ncash USD 400").decision("A"), "SKIP COST_ABOVE_BENEFIT");
    }

    #[test]
    fn what_costs_an_unknown_amount_does_not_pass() {
        assert_eq!(decision(r#""impact_bp":"0""#, ""), "SKIP DATA_GAP");
        let unknown = case(r#""half_spread_bp":"0","impact_bp":"1""#, "", "A 60 @ 10\ncash USD 400");
        assert_eq!(unknown.decision("A"), "SKIP ILLIQUID");
        assert!(unknown.plan().unknown_costs.is_some_and(|text| text.contains("no impact is known of A")));
        assert_eq!(case(r#""half_spread_bp":"0","impact_bp":"0""#, "", "A 60 @ 10\ncash USD 400").decision("A"), "ORDER DRIFT_SELL -10");
    }

    #[test]
    fn exits_cash_raises_and_persons_are_not_held_to_it() {
        let dear = r#""costs":{"benefit_bp":"0","impact_bp":"0","half_spread_bp":"100"}"#;
        let scheduled = |policy: &str, book: &str| Case::new(policy, book).trigger(RebalanceTrigger::Scheduled).decision("A");
        assert_eq!(scheduled(&format!(r#""orders":{{{dear}}}"#), BOOK), "ORDER EXIT -60");
        assert_eq!(scheduled(&format!(r#""orders":{{{dear},"exit_exempt":false}}"#), BOOK), "SKIP COST_ABOVE_BENEFIT");
        let half = r#""targets":[{"instrument_id":"A","target_weight":"0.5"}]"#;
        let asked = Case::new(&format!(r#"{half},"orders":{{{dear}}}"#), BOOK);
        assert_eq!(asked.decision("A"), "ORDER DRIFT_SELL -10", "a person asked");
        let raise = format!(r#"{half},"band":{{"absolute":"0.9"}},"trigger":{{"cash_band":"0.05"}},"orders":{{{dear}}}"#);
        assert_eq!(Case::new(&raise, BOOK).trigger(RebalanceTrigger::Threshold).decision("A"), "ORDER CASH_RAISE -10");
    }

    #[test]
    fn what_funding_has_made_too_small_is_weighed_again() {
        // All of the buy would be worth its fixed fee, the part that there is cash for is not.
        let policy = |fixed: &str| {
            format!(
                r#""targets":[{{"instrument_id":"A","target_weight":"0.5"}},{{"instrument_id":"B","target_weight":"0.5"}}],
                "orders":{{"no_sells":true,"fees":{{"fixed":"{fixed}"}},"costs":{{"benefit_bp":"100","impact_bp":"0","half_spread_bp":"0"}}}}"#
            )
        };
        let said =
            |fixed| Case::new(&policy(fixed), "A 90 @ 10\nB 0 @ 10\ncash USD 100").trigger(RebalanceTrigger::Scheduled).decision("B");
        assert_eq!(said("0.9"), "CUT CASH_SHORTAGE 9");
        assert_eq!(said("0.91"), "SKIP COST_ABOVE_BENEFIT");
        assert_eq!(said("5.1"), "SKIP COST_ABOVE_BENEFIT");
    }
}
