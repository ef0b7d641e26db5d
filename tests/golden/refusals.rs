//! Bad input, a line each: `refusals.jsonl` names what is wrong, the line, and what must follow. Every
//! refusal has a code, words that say what is wrong and where, and a defined outcome, and the service goes on:
//! a good fill after it is booked, or waits behind what waits. Adding a case is adding a line.

use crate::balance;
use crate::core::{folder, records, run};
use ballast::replay::Verdict;
use serde_json::Value;

/// A portfolio P in USD that holds 10 AAA, and the prices of AAA and BBB.
const BEFORE: [&str; 7] = [
    r#"{"topic":"reference.instruments.v1","timestamp":"2026-01-05T14:00:00Z","value":{"instrument_id":"AAA","type":"EQUITY","currency":"USD"}}"#,
    r#"{"topic":"reference.instruments.v1","value":{"instrument_id":"BBB","type":"EQUITY","currency":"USD"}}"#,
    r#"{"topic":"marketdata.ticks.v1","value":{"instrument_id":"AAA","last":"100","event_time":"2026-01-05T14:00:00Z"}}"#,
    r#"{"topic":"marketdata.ticks.v1","value":{"instrument_id":"BBB","last":"50","event_time":"2026-01-05T14:00:00Z"}}"#,
    r#"{"topic":"portfolio.policies.v1","value":{"portfolio_id":"P","policy_version":1,"base_currency":"USD"}}"#,
    r#"{"topic":"treasury.cash.v1","value":{"source":"BANK","entry_id":"c1","portfolio_id":"P","kind":"DEPOSIT","currency":"USD","amount":"10000","effective_at":"2026-01-05T14:00:00Z"}}"#,
    r#"{"topic":"execution.fills.v1","value":{"source":"BROKER","exec_id":"e1","trade_date":"2026-01-05","exec_type":"TRADE","portfolio_id":"P","instrument_id":"AAA","side":"BUY","quantity":"10","price":"100","currency":"USD","transact_time":"2026-01-05T14:00:00Z"}}"#,
];

const GOOD: &str = r#"{"topic":"execution.fills.v1","timestamp":"2026-01-05T14:00:10Z","value":{"source":"BROKER","exec_id":"good","trade_date":"2026-01-05","exec_type":"TRADE","portfolio_id":"P","instrument_id":"AAA","side":"BUY","quantity":"1","price":"100","currency":"USD","transact_time":"2026-01-05T14:00:10Z"}}"#;
const RELEASE: &str = r#"{"topic":"portfolio.commands.v1","timestamp":"2026-01-05T14:00:20Z","value":{"command_id":"release","portfolio_id":"P","kind":"RELEASE","actor":"ann","issued_at":"2026-01-05T14:00:20Z"}}"#;

#[test]
fn every_bad_record_has_its_code_its_words_and_its_outcome() {
    let text = std::fs::read_to_string(folder().join("refusals.jsonl")).expect("the cases are part of the source");
    let cases: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("each case is a line of JSON")).collect();
    assert!(cases.len() >= 60, "cases are missing: {}", cases.len());
    let wrong: Vec<_> = cases.iter().filter_map(|case| judge(case).err().map(|why| format!("{}: {why}", case["what"]))).collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn judge(case: &Value) -> Result<(), String> {
    // `line` is a record; `text` is bytes as they are, where the line is no record at all.
    let line = case["text"].as_str().map_or_else(|| case["line"].to_string(), str::to_owned);
    let mut input: Vec<&str> = BEFORE.to_vec();
    input.extend([line.as_str(), GOOD]);
    let told = run(&input.join("\n"));
    balance::holds(&input.join("\n"), &told)?;
    let records = records(&told);
    let letters: Vec<_> = records.iter().filter(|record| is_letter(record)).map(|record| &record["value"]).collect();
    match case["code"].as_str() {
        Some(code) => refused(case, code, &letters, told.verdict)?,
        None if letters.is_empty() => {}
        None => return Err(format!("it is refused: {}", letters[0])),
    }
    let last = records.iter().rfind(|record| record["topic"] == "portfolio.snapshots.v1").ok_or("no snapshot")?;
    let health = &last["value"]["health"];
    let quarantines = case["quarantines"].as_bool().unwrap_or(false);
    check("quarantined", &health["quarantined"], &quarantines.into())?;
    let waits = case["waits"].as_i64().unwrap_or(0);
    check("waiting", &health["waiting"], &waits.into())?;
    if waits == 0 && !told.text.contains(r#""id":"good""#) {
        return Err("the good fill after it was not booked".to_owned());
    }
    if quarantines { releases(&input) } else { Ok(()) }
}

fn is_letter(record: &Value) -> bool {
    record["topic"].as_str().is_some_and(|topic| topic.ends_with(".dlq"))
}

fn refused(case: &Value, code: &str, letters: &[&Value], verdict: Verdict) -> Result<(), String> {
    if letters.len() != 1 || verdict != Verdict::SomeDeadLettered {
        return Err(format!("{} dead letters instead of one: {letters:?}", letters.len()));
    }
    check("code", &letters[0]["code"], &code.into())?;
    let text = letters[0]["text"].as_str().unwrap_or_default();
    let unsaid: Vec<_> =
        case["says"].as_array().into_iter().flatten().filter_map(Value::as_str).filter(|word| !text.contains(word)).collect();
    if !unsaid.is_empty() || text.len() < 15 {
        return Err(format!("its text does not say {unsaid:?}: {text:?}"));
    }
    if !case["line"]["value"].is_null() && letters[0]["original"].is_null() && letters[0]["original_hex"].is_null() {
        return Err("its original is lost".to_owned());
    }
    Ok(())
}

fn releases(input: &[&str]) -> Result<(), String> {
    let mut input = input.to_vec();
    input.push(RELEASE);
    let records = records(&run(&input.join("\n")));
    let last = records.iter().rfind(|record| record["topic"] == "portfolio.snapshots.v1").ok_or("no snapshot")?;
    check("quarantined after RELEASE", &last["value"]["health"]["quarantined"], &false.into())
}

fn check(what: &str, found: &Value, expected: &Value) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what} is {found}, not {expected}")) }
}

#[test]
fn a_wrong_expectation_is_noticed() {
    let line: Value = serde_json::from_str(GOOD).unwrap();
    let case = |code: &str| serde_json::json!({"what": "planted", "line": line, "code": code});
    assert!(judge(&case("OUT_OF_RANGE")).is_err(), "a good fill passes for a bad one");
    let mut bad = case("OUT_OF_RANGE");
    bad["line"]["value"]["quantity"] = "-1".into();
    bad["line"]["value"]["exec_id"] = "e9".into();
    assert!(judge(&bad).is_err(), "an unexpected quarantine goes unnoticed");
    bad["quarantines"] = true.into();
    assert_eq!(judge(&bad), Ok(()));
    bad["says"] = serde_json::json!(["words that it does not say"]);
    assert!(judge(&bad).is_err(), "missing words go unnoticed");
}
