//! Risk against a policy's target: which figures count, for how long, what targets are scaled by, and that nothing but the
//! bands of the portfolio moves for it.

use crate::harness::*;
use domain::Output;
use domain::drift::Drift;
use domain::enums::{DriftCause, DriftKind};
use domain::target_risk::TargetRisk;
use serde_json::{Value, json};

const REQUEST: &str = "5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11";
const DAY: i64 = 86_400;
const ENOUGH: i32 = 60;

fn rules(risk: &Value) -> Value {
    json!({"targets": [{"instrument_id": "A", "target_weight": "0.5"}], "band": {"absolute": "0.1"}, "target_risk": "0.1",
        "orders": {"risk": risk}})
}

/// 50 of A at 10 and 500 in cash, half of it aimed at, on the Monday.
fn book(risk: Value) -> Book {
    let mut book = Book::new();
    book.policy(1, rules(&risk)).instrument("A", json!({})).price("A", "10").cash("d", "DEPOSIT", "USD", "1000");
    book.fill("1", "BUY", "50", "10", json!({})).run();
    book
}

/// What a drift event says, asked for at once.
fn asked(book: &mut Book) -> Drift {
    let outputs = book.refresh(REQUEST).run();
    let found = drifts(&outputs).into_iter().find(|drift| drift.event == DriftKind::Requested && !drift.shadow).expect("an answer");
    found.clone()
}

fn told(book: &mut Book) -> TargetRisk {
    *asked(book).risk.expect("the policy has a target")
}

fn target(book: &mut Book) -> String {
    asked(book).lines[0].target.to_string()
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// Realised, volatility of what is held, scale, and whether something is noticed.
fn figures(book: &mut Book) -> (String, String, String, bool) {
    let risk = told(book);
    (shown(risk.realised), shown(risk.holdings), shown(risk.scale), risk.notice.is_some())
}

fn of(realised: &str, holdings: &str, scale: &str, noticed: bool) -> (String, String, String, bool) {
    (realised.to_owned(), holdings.to_owned(), scale.to_owned(), noticed)
}

#[test]
fn targets_are_scaled_by_what_is_held_at_its_own_exposure() {
    // target 0.1 × gross ÷ (volatility × 0.5): what has 0.2 at a gross of a half has 0.4 at one, so that a quarter bears 0.1.
    for (volatility, gross, scale, weight) in [
        ("0.2", "0.5", "0.5", "0.25"),
        ("0.1", "0.5", "1", "0.5"),
        ("0.100000000001", "0.5", "0.99999999999", "0.499999999995"),
        ("0", "0.5", "1", "0.5"),
        // Held at a quarter as scaled, it has half the volatility: the scale stays where it was.
        ("0.1", "0.25", "0.5", "0.25"),
        ("0.3", "0.5", "0.333333333333", "0.166666666666"),
        ("1000000000000000", "0.0001", "0.000000000001", "0"),
    ] {
        let mut book = book(json!({"scale_targets": true}));
        book.risk("2026-01-05", 1, ("0.05", ENOUGH), (volatility, ENOUGH), "1", gross).run();
        let drift = asked(&mut book);
        let found = (shown(drift.risk.as_ref().and_then(|risk| risk.scale)), drift.lines[0].target.to_string());
        assert_eq!(found, (scale.to_owned(), weight.to_owned()), "{volatility} at {gross}");
    }
}

#[test]
fn bands_lie_around_scaled_targets_and_a_breach_is_said() {
    let mut book = book(json!({"scale_targets": true}));
    let outputs = book.at(second(10)).risk("2026-01-05", 1, ("0.05", ENOUGH), ("0.2", ENOUGH), "1", "0.5").run();
    assert_eq!(events(&outputs), [DriftKind::Open], "0.5 against 0.25 ± 0.1");
    let causes: Vec<_> = drifts(&outputs).iter().map(|drift| (drift.event, drift.cause, drift.cause_id.as_deref())).collect();
    let told = (DriftKind::Requested, Some(DriftCause::Risk), Some("2026-01-05"));
    assert_eq!(causes, [told, (DriftKind::Open, None, None)], "other targets are told, whether anything is out or not");
    let drift = drifts(&outputs)[1].clone();
    let line = &drift.lines[0];
    assert_eq!([line.target, line.lower, line.upper].map(|weight| weight.to_string()), ["0.25", "0.15", "0.35"]);
    assert_eq!(snapshots(&outputs).last().unwrap().allocations[0].target_weight.unwrap().to_string(), "0.25");
    assert_eq!(drift.policy.as_ref().unwrap().targets[0].target_weight.to_string(), "0.5", "the policy stands as it was sent");
    // Half of |0.5 − 0.25| and of cash: 0.5 against 0.75.
    assert_eq!(drift.half_sum_abs_drift.unwrap().to_string(), "0.25");
    assert!(
        !outputs.iter().any(|output| matches!(output, Output::PortfolioClose(_) | Output::Ledger(_))),
        "what follows from a close ends here"
    );
    assert!(book.run().is_empty(), "and all is at rest");
}

#[test]
fn what_is_not_scaled_is_told_and_moves_nothing() {
    let mut book = book(json!({}));
    let outputs = book.risk("2026-01-05", 1, ("0.2", ENOUGH), ("0.4", ENOUGH), "1", "0.5").run();
    assert!(outputs.is_empty(), "{outputs:?}");
    assert_eq!(figures(&mut book), of("0.2", "0.4", "-", false));
    let risk = told(&mut book);
    assert_eq!((shown(risk.date), risk.close_version, shown(risk.window)), ("2026-01-05".to_owned(), Some(1), "500D".to_owned()));
}

#[test]
fn without_a_target_nothing_is_told_and_no_offset_of_risk_either() {
    let mut with = Book::new();
    let mut without = Book::new();
    for book in [&mut with, &mut without] {
        book.policy(1, json!({"targets": [{"instrument_id": "A", "target_weight": "0.5"}]})).instrument("A", json!({})).price("A", "10");
        book.cash("d", "DEPOSIT", "USD", "1000").run();
    }
    assert!(with.risk("2026-01-05", 1, ("0.2", ENOUGH), ("0.4", ENOUGH), "1", "0.5").run().is_empty());
    without.run();
    let told = |book: &mut Book| book.refresh(REQUEST).price("A", "11").run();
    assert_eq!(told(&mut with), told(&mut without));
}

#[test]
fn older_records_and_versions_replace_nothing_and_a_day_made_anew_does() {
    let mut book = book(json!({"max_age_days": 20}));
    let send = |book: &mut Book, date: &str, version: i64, realised: &str| {
        book.risk(date, version, (realised, ENOUGH), ("0.4", ENOUGH), "1", "0.5").run();
        told(book).realised.unwrap().to_string()
    };
    assert_eq!(send(&mut book, "2026-01-05", 2, "0.2"), "0.2");
    assert_eq!(send(&mut book, "2026-01-05", 1, "0.3"), "0.2", "a lower version");
    assert_eq!(send(&mut book, "2026-01-02", 9, "0.3"), "0.2", "an older day");
    assert_eq!(send(&mut book, "2026-01-05", 2, "0.25"), "0.25", "the same close worked up anew");
    assert_eq!(send(&mut book, "2026-01-05", 3, "0.35"), "0.35", "the day was closed again");
    assert_eq!(send(&mut book, "2026-01-06", 1, "0.1"), "0.1", "a later day");
    book.lane = restored(&mut book.lane);
    assert_eq!(send(&mut book, "2026-01-05", 4, "0.5"), "0.1", "also after an image");
}

#[test]
fn figures_count_by_their_own_numbers() {
    let mut book = book(json!({"scale_targets": true, "min_observations": 30, "min_coverage": "0.8"}));
    assert_eq!(figures(&mut book), of("-", "-", "-", true), "none was read");
    let cases = [
        (("0.2", 30), ("0.2", 30), "0.8", "0.5", of("0.2", "0.2", "0.4", false), ""),
        (
            ("0.2", 29),
            ("0.2", 30),
            "0.8",
            "0.5",
            of("-", "0.2", "0.4", true),
            "realised_risk has 29 observations, orders.risk.min_observations asks for 30",
        ),
        (("none", 30), ("0.2", 30), "0.8", "0.5", of("-", "0.2", "0.4", true), "realised_risk has no value"),
        (("-0.2", 30), ("0.2", 30), "0.8", "0.5", of("-", "0.2", "0.4", true), "realised_risk has no value"),
        (("0.2", 30), ("0.2", 29), "0.8", "0.5", of("0.2", "-", "0.4", true), "holdings_volatility has 29 observations"),
        (
            ("0.2", 30),
            ("none", 30),
            "0.8",
            "0.5",
            of("0.2", "-", "0.4", true),
            "holdings_volatility has no value: targets stay scaled by the figures of 2026-01-08",
        ),
        (
            ("0.2", 30),
            ("0.2", 30),
            "0.799999999999",
            "0.5",
            of("0.2", "-", "0.4", true),
            "history_coverage is 0.799999999999, orders.risk.min_coverage asks for 0.8",
        ),
        (("0.2", 30), ("0.2", 30), "none", "0.5", of("0.2", "-", "0.4", true), "history_coverage is 0"),
        (("0.2", 30), ("0.2", 30), "1", "0", of("0.2", "-", "0.4", true), "gross_exposure is not above zero"),
        (("0.2", 30), ("0.2", 30), "1", "none", of("0.2", "-", "0.4", true), "gross_exposure is not above zero"),
    ];
    for (day, (realised, holdings, coverage, gross, expected, words)) in (5..).zip(cases) {
        book.risk(&format!("2026-01-{day:02}"), 1, realised, holdings, coverage, gross).run();
        assert_eq!(figures(&mut book), expected, "{words}");
        let notice = told(&mut book).notice.unwrap_or_default();
        assert!(notice.contains(words) && notice.is_empty() == words.is_empty(), "{notice}");
    }
}

#[test]
fn figures_are_old_by_the_days_of_the_portfolio() {
    let mut book = book(json!({"scale_targets": true, "max_age_days": 3}));
    book.risk("2026-01-05", 1, ("0.2", ENOUGH), ("0.2", ENOUGH), "1", "0.5").run();
    // Tuesday to Friday are cut at the midnights that follow them: with the end of Friday four days were cut since the Monday.
    for (now, weight) in [(4 * DAY, "0.25"), (5 * DAY - 1, "0.25")] {
        book.run_at(second(now));
        assert_eq!(target(&mut book), weight, "at {now}");
    }
    book.lane = restored(&mut book.lane);
    let outputs = book.run_at(second(5 * DAY));
    let drift = only(drifts(&outputs)).clone();
    assert_eq!(
        (drift.event, drift.cause, drift.lines[0].target.to_string()),
        (DriftKind::Requested, Some(DriftCause::Risk), "0.25".into())
    );
    let risk = told(&mut book);
    assert_eq!((risk.realised, risk.holdings, shown(risk.scale), shown(risk.scale_date)), (None, None, "0.5".into(), "2026-01-05".into()));
    let notice = risk.notice.unwrap();
    assert_eq!(
        notice,
        "the newest figures of risk are of 2026-01-05, and more days than orders.risk.max_age_days 3 were cut since: \
         targets stay scaled by the figures of 2026-01-05"
    );
    // A weekend is no day of this portfolio.
    book.at(second(7 * DAY)).risk("2026-01-07", 1, ("0.2", ENOUGH), ("0.4", ENOUGH), "1", "0.5").run();
    assert_eq!(target(&mut book), "0.125");
    book.run_at(second(8 * DAY));
    assert!(told(&mut book).notice.is_none(), "Thursday, Friday and Monday");
    book.run_at(second(9 * DAY));
    assert_eq!((told(&mut book).notice.is_some(), target(&mut book)), (true, "0.125".to_owned()));
}

/// Whether the scale follows from figures before the newest, which do not count.
fn is_held(risk: &TargetRisk) -> bool {
    risk.scale.is_some() && risk.holdings.is_none()
}

#[test]
fn a_scale_outlasts_its_figures_and_follows_another_policy() {
    let scaled = json!({"scale_targets": true});
    let mut book = book(scaled.clone());
    book.risk("2026-01-05", 1, ("0.2", ENOUGH), ("0.2", ENOUGH - 1), "1", "0.5").run();
    let risk = told(&mut book);
    assert_eq!((risk.scale, risk.scale_date), (None, None), "none ever counted");
    assert!(risk.notice.unwrap().ends_with("targets are not scaled"));
    book.risk("2026-01-05", 2, ("0.2", ENOUGH), ("0.2", ENOUGH), "1", "0.5").run();
    let outputs = book.risk("2026-01-06", 1, ("0.2", ENOUGH), ("none", ENOUGH), "1", "0.5").run();
    let drift = only(drifts(&outputs)).clone();
    let risk = drift.risk.as_ref().unwrap();
    assert!(is_held(risk) && drift.cause == Some(DriftCause::Risk), "that it is held is told, though no target moves");
    let by = (shown(risk.date), shown(risk.scale_date), risk.scale_version, shown(risk.scale));
    assert_eq!(by, ("2026-01-06".to_owned(), "2026-01-05".to_owned(), Some(2), "0.5".to_owned()));
    book.lane = restored(&mut book.lane);
    let mut calmer = rules(&scaled);
    calmer["target_risk"] = json!("0.05");
    book.policy(2, calmer).run();
    assert_eq!((shown(told(&mut book).scale), target(&mut book)), ("0.25".to_owned(), "0.125".to_owned()), "0.05 × 0.5 ÷ (0.2 × 0.5)");
    book.policy(3, rules(&json!({}))).run();
    assert_eq!((told(&mut book).scale, target(&mut book)), (None, "0.5".to_owned()));
    book.policy(4, rules(&scaled)).run();
    assert_eq!(target(&mut book), "0.25");
    let outputs = book.risk("2026-01-07", 1, ("0.2", ENOUGH), ("0.2", ENOUGH), "1", "0.5").run();
    let told_again = only(drifts(&outputs)).risk.clone().unwrap();
    assert_eq!((is_held(&told_again), told_again.notice, shown(told_again.scale_date)), (false, None, "2026-01-07".to_owned()));
}

/// As a lane finds them that begins anew, on a topic that keeps the newest record of each portfolio.
#[test]
fn figures_that_are_old_when_they_are_first_read_scale_all_the_same() {
    let mut late = book(json!({"scale_targets": true, "max_age_days": 3}));
    late.at(second(20 * DAY)).risk("2026-01-05", 1, ("0.2", ENOUGH), ("0.2", ENOUGH), "1", "0.5").run();
    let risk = told(&mut late);
    assert_eq!((risk.realised, shown(risk.scale), shown(risk.scale_date)), (None, "0.5".to_owned(), "2026-01-05".to_owned()));
    assert!(risk.notice.unwrap().ends_with("targets stay scaled by the figures of 2026-01-05"));
    // A policy that asks for it first when they have grown old.
    let mut asked = book(json!({"max_age_days": 3}));
    asked.risk("2026-01-05", 1, ("0.2", ENOUGH), ("0.2", ENOUGH), "1", "0.5").run();
    asked.run_at(second(20 * DAY));
    asked.policy(2, rules(&json!({"scale_targets": true, "max_age_days": 3}))).run();
    assert_eq!(target(&mut asked), "0.25");
    // Two records in one window, of which the second suffices no more.
    let mut caught_up = book(json!({"scale_targets": true}));
    caught_up.risk("2026-01-05", 1, ("0.2", ENOUGH), ("0.2", ENOUGH), "1", "0.5");
    caught_up.risk("2026-01-06", 1, ("0.2", ENOUGH), ("none", ENOUGH), "1", "0.5").run();
    assert_eq!(target(&mut caught_up), "0.25");
    // What is too little to follow is so at any age.
    let mut little = book(json!({"scale_targets": true, "max_age_days": 3}));
    little.at(second(20 * DAY)).risk("2026-01-05", 1, ("0.2", ENOUGH), ("0.2", ENOUGH - 1), "1", "0.5").run();
    assert_eq!((told(&mut little).scale, target(&mut little)), (None, "0.5".to_owned()));
}

#[test]
fn another_policy_is_weighed_by_the_figures_that_are_known() {
    let mut book = book(json!({}));
    book.risk("2026-01-05", 1, ("0.2", ENOUGH), ("0.2", ENOUGH), "1", "0.5").run();
    book.policy(2, rules(&json!({"scale_targets": true}))).run();
    assert_eq!(target(&mut book), "0.25");
    let plain = json!({"targets": [{"instrument_id": "A", "target_weight": "0.5"}], "band": {"absolute": "0.1"}});
    let outputs = book.policy(3, plain).run();
    assert!(drifts(&outputs).iter().all(|drift| drift.risk.is_none() && drift.lines[0].target.to_string() == "0.5"));
    book.close_policy("p").run();
    book.policy(4, rules(&json!({"scale_targets": true}))).run();
    assert_eq!(target(&mut book), "0.25");
}

#[test]
fn a_shadow_is_scaled_by_its_own_rules_alone() {
    let mut policy = rules(&json!({}));
    policy["shadow"] = json!({"targets": [{"instrument_id": "A", "target_weight": "0.5"}], "band": {"absolute": "0.1"},
        "orders": {"risk": {"scale_targets": true}}});
    let mut book = book(json!({}));
    book.policy(2, policy).run();
    let outputs = book.risk("2026-01-05", 1, ("0.2", ENOUGH), ("0.2", ENOUGH), "1", "0.5").run();
    let drift = only(drifts(&outputs));
    assert!(drift.shadow && drift.event == DriftKind::Open);
    let scale = drift.risk.as_ref().unwrap().scale.map(|scale| scale.to_string());
    assert_eq!((drift.lines[0].target.to_string(), scale.as_deref()), ("0.25".to_owned(), Some("0.5")));
    assert_eq!(target(&mut book), "0.5");
}

#[test]
fn risk_of_nobody_changes_nothing_and_nonsense_refuses_its_policy() {
    let mut book = Book::new();
    assert!(book.risk("2026-01-05", 1, ("0.2", ENOUGH), ("0.2", ENOUGH), "1", "0.5").run().is_empty());
    let outputs = book.policy(1, json!({"orders": {"risk": {"scale_targets": true}}})).run();
    assert!(letters(&outputs)[0].1.contains("orders.risk.scale_targets needs target_risk"), "{:?}", letters(&outputs));
}
