//! Inputs = applied + duplicates + waiting + dead letters, counted from the lines that went in and came
//! out, for fills and cash entries; and every other line is at least not lost in silence when it is wrong.

use crate::core::{Told, cases, input, records, run};
use ballast::replay::Verdict;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Topic and offset.
type Place = (String, i64);

/// Records of a portfolio that were neither booked nor refused.
#[derive(Default)]
struct Left {
    /// Never booked before: they can only wait.
    unknown: i64,
    /// Repeats of booked ones: gone, or waiting behind others.
    repeats: i64,
    /// Those of them that name another record, which each may await by itself.
    naming: i64,
    /// Entries of a dividend that was announced, and what takes one back: they wait, or the action has booked it.
    perhaps: i64,
}

/// What must have become of the fills and cash entries of an input; says what did not.
pub fn holds(text: &str, told: &Told) -> Result<(), String> {
    let records = records(told);
    let booked = booked(&records)?;
    let (refused, unread) = refused(&records);
    let earned = earned(&records);
    let announced = announced(text);
    let (mut applied, mut waiting) = (BTreeSet::new(), BTreeMap::<String, Left>::new());
    let mut next: BTreeMap<String, i64> = BTreeMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        if unread.contains(&(number as i64 + 1)) {
            continue;
        }
        let record: Value = serde_json::from_str(line).map_err(|error| format!("line {} was taken for a record: {error}", number + 1))?;
        let topic = record["topic"].as_str().unwrap_or_default().to_owned();
        let offset = next.entry(topic.clone()).and_modify(|offset| *offset += 1).or_insert(0);
        if !matches!(topic.as_str(), "execution.fills.v1" | "treasury.cash.v1") {
            continue;
        }
        let place = (topic, *offset);
        match (booked.contains(&place), refused.contains(&place)) {
            (true, true) => return Err(format!("{place:?} is booked and refused")),
            (true, false) if !applied.insert(identity(&record)) => return Err(format!("{place:?} is booked a second time")),
            (true, false) | (false, true) => {}
            (false, false) => {
                let action = record["value"]["action_id"].as_str().unwrap_or_default();
                if record["value"]["kind"] == "DIVIDEND" && announced.contains(action) {
                    let portfolio = record["value"]["portfolio_id"].as_str().unwrap_or_default().to_owned();
                    waiting.entry(portfolio).or_default().perhaps += 1;
                    continue;
                }
                let known = applied.contains(&identity(&record)) || earned.contains(&dividend(&record["value"]));
                let portfolio = record["value"]["portfolio_id"].as_str().unwrap_or_default().to_owned();
                let left = waiting.entry(portfolio).or_default();
                left.unknown += i64::from(!known);
                left.repeats += i64::from(known);
                let names = ["exec_ref_id", "reverses"].iter().any(|field| !record["value"][*field].is_null());
                left.naming += i64::from(known && names);
            }
        }
    }
    let accounted: usize = booked.iter().chain(&refused).filter(|(topic, offset)| next.get(topic).is_none_or(|last| offset > last)).count();
    if accounted > 0 {
        return Err(format!("{accounted} bookings or dead letters name a record that was never sent"));
    }
    let any = !refused.is_empty() || !unread.is_empty();
    if any != (told.verdict == Verdict::SomeDeadLettered) {
        return Err("the verdict does not say whether something was dead-lettered".to_owned());
    }
    still_waiting(&records, &waiting)
}

/// What identifies a fill or a cash entry for its portfolio.
fn identity(record: &Value) -> String {
    let value = &record["value"];
    let cash = record["topic"] == "treasury.cash.v1";
    let id = if cash { &value["entry_id"] } else { &value["exec_id"] };
    let date = if cash { &Value::Null } else { &value["trade_date"] };
    format!("{}|{}|{}|{date}|{id}", record["topic"], value["portfolio_id"], value["source"])
}

/// Portfolio and action of an entry that pays a dividend.
fn dividend(value: &Value) -> (String, String) {
    let action = if value["kind"] == "DIVIDEND" { value["action_id"].as_str() } else { None };
    (value["portfolio_id"].as_str().unwrap_or_default().to_owned(), action.unwrap_or_default().to_owned())
}

/// Ids of the corporate actions that an input tells of.
fn announced(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let actions = lines.filter(|line| line["topic"] == "reference.corporate-actions.v1");
    actions.filter_map(|line| Some(line["value"]["action_id"].as_str()?.to_owned())).collect()
}

/// Dividends that their actions have booked: an entry of one is known already.
fn earned(records: &[Value]) -> BTreeSet<(String, String)> {
    let ledgers = records.iter().filter(|record| record["topic"] == "portfolio.ledger.v1").map(|record| &record["value"]);
    let entries = ledgers.flat_map(|ledger| ledger["entries"].as_array().into_iter().flatten().map(move |entry| (ledger, entry)));
    let told = |text: &Value| text.as_str().unwrap_or_default().to_owned();
    let of_actions = entries.filter(|(_, entry)| entry["kind"] == "DIVIDEND");
    of_actions.map(|(ledger, entry)| (told(&ledger["portfolio_id"]), told(&entry["cause"]["id"]))).collect()
}

fn booked(records: &[Value]) -> Result<BTreeSet<Place>, String> {
    let mut booked = BTreeSet::new();
    for ledger in records.iter().filter(|record| record["topic"] == "portfolio.ledger.v1") {
        // A restatement belongs to the cancel or correction that caused it.
        let entries = ledger["value"]["entries"].as_array().into_iter().flatten();
        // What a frame has caused is a corporate action's, and no input of a portfolio.
        let own = |entry: &&Value| entry["kind"] != "RESTATE" && entry["cause"]["topic"] != "ballast.frames.v1";
        for entry in entries.filter(own) {
            let place = place(&entry["cause"]);
            if !booked.insert(place.clone()) {
                return Err(format!("{place:?} is booked twice"));
            }
        }
    }
    Ok(booked)
}

/// Refused records by place, and lines that are no records by number.
fn refused(records: &[Value]) -> (BTreeSet<Place>, BTreeSet<i64>) {
    let letters = records.iter().filter(|record| record["topic"].as_str().is_some_and(|topic| topic.ends_with(".dlq")));
    let (lines, places): (Vec<_>, Vec<_>) = letters.map(|letter| &letter["value"]).partition(|value| value["offset"].is_null());
    (places.iter().map(|value| place(value)).collect(), lines.iter().filter_map(|value| value["line"].as_i64()).collect())
}

fn place(value: &Value) -> Place {
    (value["topic"].as_str().unwrap_or_default().to_owned(), value["offset"].as_i64().unwrap_or(-1))
}

/// The last snapshot of each portfolio counts what waits for it; a portfolio without a policy has none.
fn still_waiting(records: &[Value], waiting: &BTreeMap<String, Left>) -> Result<(), String> {
    let mut last = BTreeMap::new();
    for snapshot in records.iter().filter(|record| record["topic"] == "portfolio.snapshots.v1") {
        let value = &snapshot["value"];
        last.insert(value["portfolio_id"].as_str().unwrap_or_default().to_owned(), value["health"]["waiting"].as_i64().unwrap_or(-1));
    }
    for (portfolio, shown) in &last {
        let none = Left::default();
        let left = waiting.get(portfolio).unwrap_or(&none);
        let behind = left.unknown + left.perhaps > 0;
        let most = if behind { left.unknown + left.perhaps + left.repeats } else { left.naming };
        if !(left.unknown..=most).contains(shown) {
            return Err(format!("{portfolio}: {} records are neither booked, known nor refused, and {shown} wait", left.unknown));
        }
    }
    Ok(())
}

#[test]
fn every_case_balances() {
    let wrong: Vec<_> = cases()
        .into_iter()
        .filter_map(|case| holds(&input(&case), &run(&input(&case))).err().map(|why| format!("{case}: {why}")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_lost_and_a_doubled_booking_are_noticed() {
    let text = input("buy_and_sell");
    let told = run(&text);
    assert_eq!(holds(&text, &told), Ok(()));
    let ledger = told.text.lines().rfind(|line| line.contains("portfolio.ledger.v1")).expect("it books").to_owned();
    let lost = told.text.replace(&format!("{ledger}\n"), "");
    assert!(holds(&text, &Told { text: lost, verdict: told.verdict }).is_err());
    let doubled = format!("{}{ledger}\n", told.text);
    assert!(holds(&text, &Told { text: doubled, verdict: told.verdict }).is_err());
}
