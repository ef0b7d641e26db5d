//! What the report says of an event, and of a command that was answered before.

use super::*;
use crate::sheet::{Format, text};

fn event(status: &str) -> RebalanceEvent {
    let line = |instrument: &str, weight: &str, drift: &str, decision: &str, reason: &str| {
        format!(
            r#"{{"instrument_id":"{instrument}","weight":"{weight}","target":"0.3","drift":"{drift}","decision":"{decision}","reason":"{reason}",
            "numbers":[{{"name":"lower","value":"0.25"}},{{"name":"upper","value":"0.35"}}]}}"#
        )
    };
    let order = r#"{"order_id":"0852ac70-a4f5-534f-8c54-eaffb9c33414","rebalance_id":"11bb26b9-4189-53bb-8208-e34f1bc0a323","portfolio_id":"P",
        "instrument_id":"AAA","side":"SELL_SHORT","quantity":"34","order_type":"MARKET","limit_price":null,"time_in_force":"DAY","currency":"USD",
        "reference_price":"37.3","reference_time":"2026-01-05T14:00:00Z","expected_value":"1268.2","reason":"DRIFT_SELL","numbers":[],
        "policy_version":2,"snapshot_version":2,"valid_until":"2026-01-05T14:05:10Z","block_key":"k"}"#;
    let orders = if status == "PROPOSED" { order } else { "" };
    let json = format!(
        r#"{{"rebalance_id":"11bb26b9-4189-53bb-8208-e34f1bc0a323","portfolio_id":"P","trigger":"MANUAL","status":"{status}","code":null,"text":null,
        "shadow":false,"proposal_hash":null,"as_of":"2026-01-05T14:00:10Z","old_allocations":[],"new_allocations":[],"orders":[{orders}],
        "explanation":[{},{}],"expected_fees":"0","turnover":"0.0126","drift_before":"0.01","drift_after":"0.002","policy_version":2,
        "drift_episode":1,"actor":"ann","command_id":"k1"}}"#,
        line("AAA", "0.36", "0.06", "ORDER", "DRIFT_SELL"),
        line("BBB", "0.2975", "-0.0025", "SKIP", "BELOW_MINIMUM_DEVIATION")
    );
    serde_json::from_str(&json).unwrap()
}

/// Bands that the lines show: neither of cash nor of a group.
fn of_lines() -> Bands {
    Bands::of(&serde_json::json!({"portfolio_id": "P", "policy_version": 1, "base_currency": "USD"}))
}

#[test]
fn deviations_are_in_points_and_every_instrument_left_alone_has_its_reason() {
    let names = BTreeMap::from([("AAA".to_owned(), "AcmeA".to_owned())]);
    let report = RebalanceReport::of_event(CommandKind::Rebalance, "k1", &event("PROPOSED")).named(names, of_lines());
    assert_eq!((report.needs_rebalance, report.breached), (Some(true), Some(true)));
    let deviations: Vec<_> =
        report.deviations.iter().flatten().map(|line| (line.symbol.as_str(), line.deviation.as_deref(), line.outside_band)).collect();
    assert_eq!(deviations, [("AcmeA", Some("6"), Some(true)), ("BBB", Some("-0.25"), Some(false))]);
    let (order, left_alone) = (&report.recommendations.as_ref().unwrap()[0], report.left_alone.as_ref().unwrap());
    assert_eq!((order.action, order.quantity.as_str(), order.expected_value.as_str()), ("SELL", "34", "1268.2"));
    assert_eq!((left_alone[0].symbol.as_str(), left_alone[0].reason.as_str()), ("BBB", "BELOW_MINIMUM_DEVIATION"));
    assert_eq!(left_alone.len(), 1);
}

#[test]
fn nothing_to_do_needs_no_rebalance_and_a_refusal_says_neither() {
    let needs = |status: &str| RebalanceReport::of_event(CommandKind::Rebalance, "k1", &event(status)).needs_rebalance;
    assert_eq!((needs("NO_ACTION_NEEDED"), needs("REFUSED")), (Some(false), None));
}

#[test]
fn the_three_forms_say_the_same() {
    let report = RebalanceReport::of_event(CommandKind::Rebalance, "k1", &event("PROPOSED"));
    let json: Value = serde_json::from_str(&text(&report, Format::Json)).unwrap();
    assert_eq!((&json["status"], &json["recommendations"][0]["action"]), (&Value::from("PROPOSED"), &Value::from("SELL")));
    let csv = text(&report, Format::Csv);
    assert!(csv.contains("recommendations,AAA,SELL,34,1268.2,DRIFT_SELL,0852ac70"), "{csv}");
    let table = text(&report, Format::Table);
    assert!(table.contains("needs a rebalance") && table.contains("1,268.20") && table.contains("36.00 %"), "{table}");
}

#[test]
fn an_answer_of_before_says_where_the_rebalance_is_now() {
    let answer = AnswerView {
        rebalance_id: "r".to_owned(),
        status: "RELEASED".to_owned(),
        code: None,
        reason: Some("sells first".to_owned()),
        answered_at: postgres_store::Micros(0),
    };
    let event = event("PROPOSED");
    let row = RebalanceView {
        rebalance_id: "r".to_owned(),
        portfolio_id: "P".to_owned(),
        began_at: postgres_store::Micros(0),
        trigger: "MANUAL".to_owned(),
        status: "COMPLETED".to_owned(),
        code: None,
        metrics: Some(serde_json::json!({"turnover": "0.5"})),
        explanation: serde_json::to_value(&event.explanation).unwrap(),
        orders: serde_json::to_value(&event.orders).unwrap(),
        proposal_hash: None,
        actor: None,
        updated_at: postgres_store::Micros(1),
    };
    let report = RebalanceReport::of_before(CommandKind::Rebalance, "k1", "P", &answer, Some(&row));
    assert_eq!((report.status, report.status_now), (RebalanceStatus::Released, Some(RebalanceStatus::Completed)));
    let [deviations, recommendations] = [report.deviations.map(|lines| lines.len()), report.recommendations.map(|lines| lines.len())];
    assert_eq!((deviations, recommendations, report.turnover.as_deref()), (Some(2), Some(1), Some("0.5")));
}

/// A proposal as the tables have it, and its newest event: the first of two approvals, which tells no orders.
fn approved_once() -> (RebalanceView, RebalanceEvent) {
    let told = RebalanceEvent {
        proposal_hash: Some("h1".into()),
        text: Some("approved by 1 of 2 persons".into()),
        expected_fees: None,
        turnover: None,
        ..event("PENDING_APPROVAL")
    };
    let stored = RebalanceView {
        rebalance_id: told.rebalance_id.to_string(),
        portfolio_id: "P".to_owned(),
        began_at: postgres_store::Micros(0),
        trigger: "MANUAL".to_owned(),
        status: "PENDING_APPROVAL".to_owned(),
        code: None,
        metrics: Some(serde_json::json!({"expected_fees": "1.5", "turnover": "0.5"})),
        explanation: serde_json::to_value(&told.explanation).unwrap(),
        orders: serde_json::to_value(&event("PROPOSED").orders).unwrap(),
        proposal_hash: Some("h1".to_owned()),
        actor: Some("ann".to_owned()),
        updated_at: postgres_store::Micros(1),
    };
    (stored, told)
}

#[test]
fn the_first_of_two_approvals_waits_for_another_person() {
    let (stored, told) = approved_once();
    let report = RebalanceReport::of_event(CommandKind::Approve, "k1", &told);
    assert!(report.lacks_its_proposal());
    let whole = report.clone().with_proposal(Some(&stored)).named(BTreeMap::new(), of_lines());
    let json: Value = serde_json::from_str(&text(&whole, Format::Json)).unwrap();
    assert_eq!((&json["needs_rebalance"], &json["status"]), (&Value::Bool(true), &Value::from("PENDING_APPROVAL")));
    assert_eq!((&json["recommendations"][0]["quantity"], &json["expected_fees"]), (&Value::from("34"), &Value::from("1.5")));
    let table = text(&whole, Format::Table);
    assert!(
        table.contains("approved by 1 of 2 persons") && table.contains("the orders wait until another person approves them"),
        "{table}"
    );
    assert!(!table.contains("needs no rebalance") && !table.contains(": none"), "{table}");
    // Before the tables have it: no list that says that nothing is ordered.
    let another = RebalanceView { proposal_hash: Some("h2".to_owned()), ..stored };
    for report in [report.clone().with_proposal(None), report.with_proposal(Some(&another))] {
        let report = report.named(BTreeMap::new(), of_lines());
        let json: Value = serde_json::from_str(&text(&report, Format::Json)).unwrap();
        assert_eq!((&json["needs_rebalance"], &json["recommendations"]), (&Value::Bool(true), &Value::Null));
        let (table, csv) = (text(&report, Format::Table), text(&report, Format::Csv));
        assert!(!table.contains("recommendations") && !csv.contains("recommendations") && csv.contains("deviations,AAA"), "{table}{csv}");
    }
}

#[test]
fn whatever_is_no_plan_has_no_empty_lists() {
    for status in ["REJECTED", "EXPIRED", "FAILED", "COMPLETED", "STUCK", "APPROVED", "RELEASED", "REFUSED"] {
        let told = RebalanceEvent { explanation: Vec::new(), ..event(status) };
        let report = RebalanceReport::of_event(CommandKind::Cancel, "k1", &told);
        let json: Value = serde_json::from_str(&text(&report, Format::Json)).unwrap();
        for key in ["needs_rebalance", "breached", "deviations", "recommendations", "left_alone"] {
            assert!(json[key].is_null(), "{status}: {key} {}", json[key]);
        }
        let table = text(&report, Format::Table);
        assert!(!table.contains(": none") && !table.contains("needs"), "{table}");
        assert_eq!(table.contains("no plan was made"), status == "REFUSED", "{table}");
    }
    let nothing = RebalanceEvent { explanation: Vec::new(), ..event("NO_ACTION_NEEDED") };
    let table = text(&RebalanceReport::of_event(CommandKind::Rebalance, "k1", &nothing), Format::Table);
    assert!(table.contains("needs no rebalance") && table.contains("recommendations: none"), "{table}");
}

#[test]
fn a_check_inside_its_bands_says_that_it_would_order_and_that_no_band_is_broken() {
    let mut told = event("PROPOSED");
    told.explanation[0].weight = "0.33".parse().ok();
    let report = RebalanceReport::of_event(CommandKind::Rebalance, "k1", &told).named(BTreeMap::new(), of_lines());
    let json: Value = serde_json::from_str(&text(&report, Format::Json)).unwrap();
    assert_eq!((&json["needs_rebalance"], &json["breached"]), (&Value::Bool(true), &Value::Bool(false)));
    assert_eq!(json["deviations"][0]["outside_band"], false);
    let table = text(&report, Format::Table);
    assert!(table.contains("orders would be made, though no band is broken: what is asked for plans every line"), "{table}");
    let csv = text(&report, Format::Csv);
    assert!(csv.starts_with("part,rebalance_id,status,code,proposal_hash,needs_rebalance,command_id,breached,text\n"), "{csv}");
    assert!(csv.contains(",PROPOSED,,,true,k1,false,\n"), "{csv}");
}

#[test]
fn risk_against_its_target_stands_in_all_three_forms() {
    let risk = r#"{"target":"0.1","realised":"0.25","date":"2026-01-02","scale":"0.5","gross_before":"0.4","gross_after":"0.45",
        "code":"RISK_AWAY_FROM_TARGET","text":"realised risk stands above"}"#;
    let plain = || event("PROPOSED");
    let told = RebalanceEvent { risk: serde_json::from_str(risk).unwrap(), ..plain() };
    let report = RebalanceReport::of_event(CommandKind::Rebalance, "k1", &told);
    let json: Value = serde_json::from_str(&text(&report, Format::Json)).unwrap();
    assert_eq!((&json["risk"]["code"], &json["risk"]["scale"]), (&Value::from("RISK_AWAY_FROM_TARGET"), &Value::from("0.5")));
    let csv = text(&report, Format::Csv);
    assert!(csv.contains("risk,0.1,0.25,2026-01-02,0.5,0.4,0.45,RISK_AWAY_FROM_TARGET"), "{csv}");
    let table = text(&report, Format::Table);
    let words = "risk a year: target 10.00 %, realised 25.00 % (of 2026-01-02), targets scaled by 0.5; gross exposure 40.00 % before, 45.00 % after";
    assert!(table.contains(words), "{table}");
    assert!(!text(&RebalanceReport::of_event(CommandKind::Rebalance, "k1", &plain()), Format::Csv).contains("risk,"));
}
