//! What a plan does to the risk, and targets that the event scales.

use crate::book;
use crate::by_hand::{check, input, told};
use domain::drift::Drift;
use domain::enums::RebalanceTrigger;
use domain::reason::ReasonCode;
use domain::target_risk::TargetRisk;
use rebalancer::plan::{HaltView, Plan, plan};
use rebalancer::plan_check::plan_check;

const BOOK: &str = "A 50 @ 10\nB 20 @ 10\ncash USD 300";

fn policy(targets: &str, more: &str) -> String {
    format!(r#""target_risk":"0.1","targets":[{targets}],"band":{{"absolute":"0.01"}},{more}"orders":{{"rounding":"TRUNCATE"}}"#)
}

fn line(name: &str, weight: &str) -> String {
    format!(r#"{{"instrument_id":"{name}","target_weight":"{weight}"}}"#)
}

fn made(policy: &str, book: &str, risk: Option<TargetRisk>) -> Plan {
    let drift = Drift { risk: risk.map(Box::new), ..book::drift(book::policy(policy), book) };
    let halted = HaltView::default();
    let input = input(RebalanceTrigger::Manual, &drift, &halted);
    let plan = plan(&input);
    assert_eq!(plan_check(&input, &plan), Ok(()));
    plan
}

fn scaled(by: &str) -> Option<TargetRisk> {
    Some(TargetRisk { scale: Some(by.parse().unwrap()), ..book::target_risk("0.1", Some("0.1")) })
}

#[test]
fn a_plan_that_leads_away_from_the_target_is_named() {
    let more = policy(&format!("{},{}", line("A", "0.6"), line("B", "0.3")), "");
    let less = policy(&format!("{},{}", line("A", "0.4"), line("B", "0.1")), "");
    let same = policy(&format!("{},{}", line("A", "0.4"), line("B", "0.3")), "");
    for (policy, realised, code) in [
        (&more, "0.100000000001", Some(ReasonCode::RiskAwayFromTarget)),
        (&more, "0.1", None),
        (&more, "0.05", None),
        (&less, "0.099999999999", Some(ReasonCode::RiskAwayFromTarget)),
        (&less, "0.1", None),
        (&less, "0.2", None),
        (&same, "0.2", None),
        (&same, "0.05", None),
    ] {
        let plan = made(policy, BOOK, Some(book::target_risk("0.1", Some(realised))));
        let risk = plan.risk.as_ref().unwrap();
        assert_eq!(risk.code, code, "{realised} under {policy}");
        assert_eq!(risk.gross_before.unwrap().to_string(), "0.7");
        assert_eq!(risk.text.is_some(), code.is_some());
    }
    let plan = made(&more, BOOK, Some(book::target_risk("0.1", Some("0.25"))));
    let risk = plan.risk.unwrap();
    assert_eq!(risk.gross_after.unwrap().to_string(), "0.9");
    assert_eq!(risk.text.unwrap(), "realised risk 0.25 stands above target_risk 0.1, and the plan raises gross exposure from 0.7 to 0.9");
    assert!(!plan.legs.is_empty(), "it is said, and holds nothing back");
}

#[test]
fn a_short_that_is_covered_lowers_the_exposure() {
    let policy = r#""target_risk":"0.1","targets":[{"instrument_id":"A","target_weight":"-0.2"}],"orders":{"allow_short":true}"#;
    let plan = made(policy, "A -50 @ 10\ncash USD 1500", Some(book::target_risk("0.1", Some("0.05"))));
    let risk = plan.risk.unwrap();
    assert_eq!((risk.gross_before.unwrap().to_string(), risk.gross_after.unwrap().to_string()), ("0.5".to_owned(), "0.2".to_owned()));
    assert_eq!(risk.code, Some(ReasonCode::RiskAwayFromTarget));
}

#[test]
fn a_figure_that_counts_as_none_is_said_and_without_a_target_nothing_is() {
    let policy = policy(&line("A", "0.6"), "");
    let risk = made(&policy, BOOK, Some(book::target_risk("0.1", None))).risk.unwrap();
    assert_eq!((risk.code, risk.text.as_deref()), (Some(ReasonCode::DataGap), Some("against target_risk 0.1: no figures")));
    // What leads away is said first, what is missing with it.
    let both = TargetRisk { notice: Some("no scale".into()), ..book::target_risk("0.1", Some("0.01")) };
    let risk = made(&policy, BOOK, Some(both)).risk.unwrap();
    assert_eq!(risk.code, Some(ReasonCode::RiskAwayFromTarget));
    assert!(risk.text.unwrap().ends_with("from 0.7 to 0.6; against target_risk 0.1: no scale"));
    assert_eq!(made(&policy, BOOK, None).risk, None);
}

#[test]
fn scaled_targets_leave_the_rest_to_cash() {
    let policy = policy(&format!("{},{}", line("A", "0.5"), line("B", "0.3")), "");
    let plan = made(&policy, BOOK, scaled("0.5"));
    check(told(&plan), "SELL A 25 DRIFT_SELL = 250\nSELL B 5 DRIFT_SELL = 50");
    assert_eq!(plan.explanation[0].target.to_string(), "0.25");
    assert_eq!(plan.drift_after.unwrap().to_string(), "0");
    let number = |name: &str| plan.explanation[1].numbers.iter().find(|number| number.name == name).map(|number| number.value.to_string());
    assert_eq!(plan.risk.as_ref().and_then(|risk| risk.scale).map(|scale| scale.to_string()).as_deref(), Some("0.5"));
    assert_eq!((number("lower").as_deref(), number("upper").as_deref()), (Some("0.14"), Some("0.16")));
    assert_eq!(told(&made(&policy, BOOK, scaled("1"))), told(&made(&policy, BOOK, None)));
}

#[test]
fn bounds_of_a_line_and_groups_are_scaled_with_it() {
    let bounded = r#"{"instrument_id":"A","target_weight":"0.5","min_weight":"0.2","max_weight":"0.6"}"#;
    let plan = made(&policy(bounded, r#""trigger":{"goal":"BAND_EDGE"},"#), "A 50 @ 10\ncash USD 500", scaled("0.5"));
    check(told(&plan), "SELL A 20 DRIFT_SELL = 200");
    // One that shares a third of its target is cut once as a group and once as a member.
    let group = r#"{"group":"TECH","target_weight":"0.6"}"#;
    let plan = made(&policy(group, ""), "A 20 @ 10 sector TECH\nB 40 @ 10 sector TECH\ncash USD 400", scaled("0.333333333333"));
    assert_eq!(plan.explanation.iter().map(|line| line.target.to_string()).collect::<Vec<_>>(), ["0.066666666666", "0.133333333332"]);
    // Members' targets add up to their group's as the policy has them; cut by scaling they need not any more.
    let own = format!(r#"{{"group":"TECH","target_weight":"0.6"}},{},{}"#, line("A", "0.2"), line("B", "0.4"));
    let plan = made(&policy(&own, ""), "A 20 @ 10 sector TECH\nB 40 @ 10 sector TECH\ncash USD 400", scaled("0.333333333333"));
    assert_eq!(plan.explanation.iter().map(|line| line.target.to_string()).collect::<Vec<_>>(), ["0.066666666666", "0.133333333333"]);
    let wrong = format!(r#"{{"group":"TECH","target_weight":"0.6"}},{}"#, line("A", "0.2"));
    let plan = made(&policy(&wrong, ""), "A 20 @ 10 sector TECH\nB 40 @ 10 sector TECH\ncash USD 400", scaled("0.5"));
    assert!(told(&plan).starts_with("INVALID_ALLOCATION: the targets of group TECH's members add up to 0.2"), "{}", told(&plan));
}

#[test]
fn an_event_that_scales_by_nonsense_is_planned_on_by_nobody() {
    for scale in ["0", "-0.5", "1.000000000001"] {
        let plan = made(&policy(&line("A", "0.5"), ""), BOOK, scaled(scale));
        assert!(told(&plan).starts_with(&format!("DATA_GAP: the drift event scales targets by {scale}")), "{}", told(&plan));
    }
}
