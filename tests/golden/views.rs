//! The ways of asking: `--final`, `--only`, `--strict` and `--window` show less, stop sooner or group
//! lines, and none of them changes what is booked.

use crate::core::{cases, input};
use ballast::replay::{Options, ReplayError, Verdict, replay};
use serde_json::Value;
use std::collections::BTreeMap;

fn told(text: &str, options: &Options) -> Result<(Vec<Value>, Verdict), ReplayError> {
    let mut output = Vec::new();
    let verdict = replay(text.as_bytes(), &mut output, options)?.verdict;
    let text = String::from_utf8(output).expect("every printed line is text");
    Ok((text.lines().map(|line| serde_json::from_str(line).expect("every printed line is JSON")).collect(), verdict))
}

fn whole(text: &str, options: &Options) -> Vec<Value> {
    told(text, options).expect("the cases can be replayed").0
}

fn last_positions(records: &[Value]) -> BTreeMap<(String, String), Value> {
    let mut last = BTreeMap::new();
    for record in records.iter().filter(|record| record["topic"] == "portfolio.ledger.v1") {
        for position in record["value"]["positions"].as_array().into_iter().flatten() {
            last.insert((record["value"]["portfolio_id"].to_string(), position["instrument_id"].to_string()), position.clone());
        }
    }
    last
}

#[test]
fn the_final_view_is_the_end_of_the_whole() {
    for case in cases() {
        let text = input(&case);
        let all = whole(&text, &Options::default());
        let last = whole(&text, &Options { last: true, ..Options::default() });
        let expected = last_positions(&all);
        let shown: Vec<_> = last.iter().filter(|record| record["topic"] == "portfolio.ledger.v1").map(|record| &record["value"]).collect();
        assert_eq!(shown.len(), expected.len(), "{case}");
        for position in shown {
            let key = (position["portfolio_id"].to_string(), position["instrument_id"].to_string());
            let mut position = position.clone();
            position.as_object_mut().expect("a position is an object").remove("portfolio_id");
            assert_eq!(&position, &expected[&key], "{case}");
        }
        for snapshot in last.iter().filter(|record| record["topic"] == "portfolio.snapshots.v1") {
            let own = |record: &&Value| {
                record["topic"] == snapshot["topic"] && record["value"]["portfolio_id"] == snapshot["value"]["portfolio_id"]
            };
            assert_eq!(all.iter().rfind(own), Some(snapshot), "{case}");
        }
    }
}

#[test]
fn windows_change_no_booking() {
    for case in cases() {
        let text = input(&case);
        let alone = last_positions(&whole(&text, &Options::default()));
        for window in [1, 50_000, 5_000_000] {
            let grouped = last_positions(&whole(&text, &Options { window: Some(window), ..Options::default() }));
            // Lines that a window groups may change price before a fill is booked; what is held never changes.
            let held = |positions: &BTreeMap<(String, String), Value>| -> Vec<_> {
                positions.iter().map(|(key, value)| (key.clone(), value["quantity"].clone(), value["cost"].clone())).collect()
            };
            assert_eq!(held(&alone), held(&grouped), "{case} in windows of {window} µs");
        }
    }
}

#[test]
fn one_topic_alone_shows_the_same_records() {
    let text = input("cycle_sells_then_buys");
    let all = whole(&text, &Options::default());
    for topic in ["portfolio.ledger.v1", "portfolio.drift.v1", "rebalance.orders.v1", "rebalance.events.v1"] {
        let only = whole(&text, &Options { only: Some(topic.to_owned()), ..Options::default() });
        let expected: Vec<_> = all.iter().filter(|record| record["topic"] == topic).cloned().collect();
        assert!(!expected.is_empty(), "{topic}");
        assert_eq!(only, expected, "{topic}");
    }
}

#[test]
fn strict_stops_at_the_line() {
    let good = input("buy_and_sell");
    let strict = Options { strict: true, ..Options::default() };
    assert_eq!(told(&good, &strict).expect("nothing is wrong").1, Verdict::Applied);
    let bad = format!("{}\n{}", good.trim_end(), r#"{"topic":"execution.fills.v1","value":{"colour":"red"}}"#);
    let lines = i64::try_from(bad.lines().count()).expect("a case is short");
    match told(&bad, &strict) {
        Err(ReplayError::WrongLine { number, text }) => assert!(number == lines && text.contains("colour"), "{number}: {text}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn lines_without_a_moment_happen_at_the_first_that_is_named() {
    let timed = input("buy_and_sell");
    let first = r#""timestamp":"2026-01-05T14:00:00Z","#;
    let timeless = timed.replace(first, "");
    let ledger = |text: &str| last_positions(&whole(text, &Options::default()));
    assert!(timeless.len() < timed.len());
    assert_eq!(ledger(&timeless), ledger(&timed));
}

#[test]
fn a_window_begins_with_the_first_line_that_has_a_timestamp() {
    let timed = input("buy_and_sell");
    let first = r#""timestamp":"2026-01-05T14:00:00Z","#;
    let options = Options { window: Some(50_000), ..Options::default() };
    assert_eq!(whole(&timed.replacen(first, "", 1), &options), whole(&timed, &options));
}

#[test]
fn strict_names_the_wrong_line_of_a_group() {
    let strict = Options { strict: true, window: Some(3_600_000_000), ..Options::default() };
    let good = input("buy_and_sell");
    let wrong = r#"{"topic":"reference.instruments.v1","value":{"instrument_id":"A","type":"NOPE","currency":"USD"}}"#;
    let number = |text: &str| match told(text, &strict) {
        Err(ReplayError::WrongLine { number, .. }) => number,
        other => panic!("{other:?}"),
    };
    let lines = i64::try_from(good.lines().count()).expect("a case is short");
    assert_eq!(number(&format!("{}\n{wrong}\njunk\n", good.trim_end())), lines + 1);
    assert_eq!(number(&format!("{wrong}\njunk\n")), 1, "lines without a moment keep their order");
}

#[test]
fn line_ends_and_marks_mean_nothing() {
    let plain = input("buy_and_sell");
    let from_an_editor = format!("\u{feff}{}", plain.replace('\n', "\r\n \r\n"));
    assert_eq!(whole(&from_an_editor, &Options::default()), whole(&plain, &Options::default()));
}

#[test]
fn unreadable_lines_stand_in_order_and_split_no_group() {
    let text = "{\"topic\":\"treasury.cash.v1\",\"value\":{}}\njunk\n";
    let topics: Vec<_> = whole(text, &Options::default()).into_iter().map(|record| record["topic"].clone()).collect();
    assert_eq!(topics, ["treasury.cash.v1.dlq", "lines.dlq"]);
    let good = input("buy_and_sell");
    let options = Options { window: Some(5_000_000), ..Options::default() };
    let with_junk: Vec<_> = good.lines().flat_map(|line| [line, "junk"]).collect();
    let mut shown = whole(&with_junk.join("\n"), &options);
    shown.retain(|record| record["topic"] != "lines.dlq");
    assert_eq!(shown, whole(&good, &options));
}

#[test]
fn what_still_waits_at_the_end_is_not_applied() {
    let good = input("buy_and_sell");
    let waits = good.lines().filter(|line| !line.contains("reference.instruments.v1")).collect::<Vec<_>>().join("\n");
    assert_eq!(told(&waits, &Options::default()).expect("it can be replayed").1, Verdict::SomeWait);
}

#[test]
fn each_line_that_holds_others_up_is_named_with_what_it_waits_for() {
    let held = |case: &str, left_out: &[&str]| -> Vec<String> {
        let text = input(case);
        let lines: Vec<_> = text.lines().map(|line| if left_out.iter().any(|word| line.contains(word)) { "" } else { line }).collect();
        let ended = replay(lines.join("\n").as_bytes(), &mut Vec::new(), &Options::default()).expect("it can be replayed");
        ended.held.iter().map(ToString::to_string).collect()
    };
    assert_eq!(held("discard_what_waits", &[]), Vec::<String>::new());
    let place = "(execution.fills.v1, portfolio \"P\") still waits for";
    let rate = format!("line 5 {place} a rate of UDS in USD (a price of UDS/USD, its inverse, or one cross); 4 more wait behind it");
    assert_eq!(held("discard_what_waits", &["DISCARD"]), [rate]);
    let never = format!("line 8 {place} execution \"never\" of \"BROKER\"");
    assert_eq!(held("discard_what_waits", &["\"d2\""]), [never]);
    let facts = format!("line 6 {place} reference data of instrument \"AAA\"; 1 more waits behind it");
    assert_eq!(held("discard_what_waits", &["reference.instruments", "\"typo\"", "DISCARD", "\"x1\""]), [facts]);
}
