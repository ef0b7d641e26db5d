//! The portfolio as one query, and the commands on it, through the executable alone: shown, checked, proposed, rejected,
//! halted, approved, cancelled, looked at as of a moment before and after a correction, and over days; and how each ends.

use crate::e2e::smoke::tick;
use domain::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;
use system_tests::service::{Service, now};
use system_tests::stack::{Ended, Stack};
use system_tests::waiting::until;

const SOON: Duration = Duration::from_secs(30);

/// A command of the executable, with its answer as JSON where it has one.
pub struct Told {
    /// Exit status.
    pub code: Option<i32>,
    /// What it printed.
    pub json: Value,
    /// Standard error.
    pub err: String,
}

/// Runs one.
pub fn ask(stack: &Stack, arguments: &[&str]) -> Told {
    let Ended { code, out, err } = stack.ballast(&[arguments, &["-o", "json"]].concat());
    Told { code, json: serde_json::from_str(&out).unwrap_or(Value::Null), err }
}

fn prices(stack: &Stack) {
    stack.publish(&(tick("ACME", "100") + &tick("BOLT", "50")));
}

/// The text of a field by its path, such as `exposure.net`.
fn text<'a>(json: &'a Value, path: &str) -> &'a str {
    path.split('.').fold(json, |at, name| at.get(name).unwrap_or(&Value::Null)).as_str().unwrap_or_default()
}

/// HH:MM of the first minute that begins at least so many seconds from now.
fn minute_in(seconds: i64) -> String {
    let at = now().plus_seconds(seconds + 59).to_string();
    at[11..16].to_owned()
}

fn opening(cut: &str) -> String {
    let now = now();
    let day = now.date_utc();
    [
        r#"{"topic":"reference.instruments.v1","value":{"instrument_id":"ACME","symbol":"ACM","type":"EQUITY","currency":"USD","sector":"Industry"}}"#.to_owned(),
        r#"{"topic":"reference.instruments.v1","value":{"instrument_id":"BOLT","type":"EQUITY","currency":"USD","sector":"Power"}}"#.to_owned(),
        format!(
            r#"{{"topic":"portfolio.policies.v1","value":{{"portfolio_id":"growth","policy_version":1,"base_currency":"USD","session_id":"session-1","name":"Growth","type":"BALANCED","target_risk":"0.12","calendar":"24/7","day_cut":"{cut}","targets":[{{"instrument_id":"ACME","target_weight":"0.6"}},{{"instrument_id":"BOLT","target_weight":"0.3"}}]}}}}"#
        ),
        format!(
            r#"{{"topic":"treasury.cash.v1","value":{{"source":"bank","entry_id":"1","portfolio_id":"growth","kind":"DEPOSIT","currency":"USD","amount":"70000","effective_at":"{now}"}}}}"#
        ),
        fill("1", "TRADE", "null", &day.to_string(), "600", "100", now),
    ]
    .join("\n")
        + "\n"
}

fn fill(id: &str, kind: &str, of: &str, day: &str, quantity: &str, price: &str, at: Timestamp) -> String {
    format!(
        r#"{{"topic":"execution.fills.v1","value":{{"source":"oms","exec_id":"{id}","exec_type":"{kind}","exec_ref_id":{of},"trade_date":"{day}","portfolio_id":"growth","instrument_id":"ACME","side":"BUY","quantity":"{quantity}","price":"{price}","currency":"USD","transact_time":"{at}"}}}}"#
    )
}

/// The portfolio once its newest snapshot says so.
fn await_portfolio(stack: &Stack, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    until(what, SOON, || {
        let told = ask(stack, &["portfolio", "growth"]);
        (told.code == Some(0) && is(&told.json)).then_some(told.json)
    })
}

#[test]
fn a_portfolio_is_asked_checked_proposed_decided_and_looked_back_at() {
    let stack = Stack::ready("portfolio-commands");
    let mut all = Service::start(&stack, &["all"], "1", &[]);
    all.await_lanes(12);
    let cut = minute_in(45);
    stack.publish(&opening(&cut));
    prices(&stack);
    // The two prices may come in two frames, with a snapshot between them that still lacks one.
    let shown =
        await_portfolio(&stack, "a priced portfolio", |json| text(json, "total_value") == "70000" && json["freshness"]["complete"] == true);
    shows_every_part(&shown);
    by_its_session(&stack);
    rejected(&stack);
    halted(&stack);
    checked(&stack);
    let before = approved(&stack);
    looked_back_at(&stack, &before);
    over_days(&stack);
    answered_late(&stack, &mut all);
    assert_eq!(all.errors(), Vec::<Value>::new());
}

fn shows_every_part(shown: &Value) {
    assert_eq!((text(shown, "type"), text(shown, "target_risk"), text(shown, "freshness.source")), ("BALANCED", "0.12", "SNAPSHOT"));
    let line = &shown["allocations"][0];
    assert_eq!((text(line, "symbol"), text(line, "value"), text(line, "sector")), ("ACM", "60000", "Industry"), "{line}");
    assert!(text(line, "percentage").starts_with("85.714") && text(line, "drift").starts_with("0.257"), "{line}");
    assert_eq!((text(shown, "exposure.long"), text(&shown["cash"][0], "trade_date")), ("60000", "10000"));
    assert_eq!(text(shown, "metrics.profit.net_flows"), "70000");
    assert_eq!(text(shown, "risk.concentration.hhi"), "1");
}

fn by_its_session(stack: &Stack) {
    assert_eq!(text(&ask(stack, &["portfolio", "session-1"]).json, "portfolio_id"), "growth");
    let absent = ask(stack, &["portfolio", "nobody"]);
    assert!(absent.code == Some(4) && absent.err.contains("there is no portfolio \"nobody\""), "{}", absent.err);
}

/// The breach has put up a proposal by itself.
fn rejected(stack: &Stack) {
    until("a check beside the proposal", SOON, || {
        let told = ask(stack, &["rebalance", "growth", "--check"]);
        assert_eq!((told.code, text(&told.json, "status")), (Some(0), "PROPOSED"), "{}", told.err);
        text(&told.json, "text").contains("is PENDING_APPROVAL beside it").then_some(())
    });
    let open = ask(stack, &["rebalance", "growth", "--mode", "manual", "--actor", "ann"]);
    assert_eq!((open.code, text(&open.json, "status"), text(&open.json, "code")), (Some(3), "REFUSED", "OPEN_CYCLE"));
    let told = until("the proposal in the tables", SOON, || {
        let told = ask(stack, &["reject", "growth", "--actor", "ann", "--reason", "not today"]);
        (told.code != Some(4)).then_some(told)
    });
    assert_eq!((told.code, text(&told.json, "status")), (Some(0), "REJECTED"), "{}", told.err);
    until("nothing to decide", SOON, || (ask(stack, &["approve", "growth", "--actor", "ann"]).code == Some(4)).then_some(()));
}

/// The emergency stop holds from when its lanes have read it until each scope is resumed.
fn halted(stack: &Stack) {
    let order = |arguments: &[&str]| {
        let told = ask(stack, &[arguments, &["--actor", "ann"]].concat());
        assert_eq!(
            (told.code, &told.json["not_read_by"]),
            (Some(0), &Value::Array(Vec::new())),
            "{arguments:?}: {} {}",
            told.json,
            told.err
        );
        told.json["read_by"].as_array().map_or(0, Vec::len)
    };
    let refused = || {
        prices(stack);
        let told = ask(stack, &["rebalance", "growth", "--check"]);
        assert_eq!((told.code, text(&told.json, "code")), (Some(3), "KILL_SWITCH"), "{} {}", told.json, told.err);
    };
    assert_eq!(order(&["halt", "--portfolio", "growth", "--reason", "prices look wrong"]), 1);
    refused();
    assert_eq!(order(&["halt", "--firm", "--command-id", "firm-1"]), 4);
    assert_eq!(order(&["halt", "--firm", "--command-id", "firm-1"]), 4, "the same again");
    let listed = ask(stack, &["halts"]).json["halts"].clone();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    assert_eq!((text(&listed[0], "scope"), text(&listed[0], "command_id"), &listed[0]["lanes"]), ("FIRM", "firm-1", &json!([0, 1, 2, 3])));
    assert_eq!((text(&listed[1], "target"), text(&listed[1], "actor"), text(&listed[1], "reason")), ("growth", "ann", "prices look wrong"));
    assert_eq!(listed[1]["lanes"].as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(order(&["resume", "--portfolio", "growth"]), 1);
    refused();
    assert_eq!(order(&["resume", "--firm"]), 4);
    assert_eq!(ask(stack, &["halts"]).json["halts"], json!([]));
    let repeated = ask(stack, &["halt", "--firm", "--command-id", "firm-1", "--actor", "ann"]);
    assert!(repeated.code == Some(3) && repeated.err.contains("send a new command_id"), "{:?}: {}", repeated.code, repeated.err);
    assert_eq!(ask(stack, &["halts"]).json["halts"], json!([]), "what was ended is not in force again");
    halted_wrongly(stack);
}

/// Where it cannot hold it says so, and why.
fn halted_wrongly(stack: &Stack) {
    for (code, arguments, told) in [
        (2, &["halt"][..], "required arguments"),
        (2, &["halt", "--portfolio", ""], "portfolio"),
        (2, &["halt", "--instrument", "A\u{1}"], "control"),
        (1, &["halt", "--firm", "--set", "lanes=2"], "has 4 partitions"),
        (1, &["halts", "--set", "lanes=2"], "has 4 partitions"),
        (1, &["halt", "--firm", "--wait", "1", "--set", "kafka.brokers=127.0.0.1:1"], "127.0.0.1:1"),
    ] {
        let ended = ask(stack, arguments);
        assert!(ended.code == Some(code) && ended.err.contains(told), "{arguments:?}: {:?} {}", ended.code, ended.err);
    }
}

fn checked(stack: &Stack) {
    prices(stack);
    let told = ask(stack, &["rebalance", "growth", "--check"]);
    assert_eq!(
        (told.code, text(&told.json, "status"), &told.json["needs_rebalance"]),
        (Some(0), "PROPOSED", &Value::Bool(true)),
        "{}",
        told.err
    );
    let first = &told.json["recommendations"][0];
    let said = (text(first, "symbol"), text(first, "action"), text(first, "quantity"), text(first, "expected_value"));
    assert_eq!(said, ("ACM", "SELL", "180", "18000"));
    assert!(text(&told.json["deviations"][0], "deviation").starts_with("25.71"), "{}", told.json);
    assert_eq!(ask(stack, &["approve", "growth", "--actor", "ann"]).code, Some(4), "a check leaves nothing open");
}

/// A proposal, approved by the command's own id twice; the moment before anything left.
fn approved(stack: &Stack) -> Timestamp {
    let asked = ["rebalance", "growth", "--mode", "manual", "--actor", "ann", "--command-id", "m-1"];
    let told = ask(stack, &asked);
    assert_eq!((told.code, text(&told.json, "status")), (Some(0), "PENDING_APPROVAL"), "{}", told.err);
    let id = text(&told.json, "rebalance_id").to_owned();
    until("the proposal in the tables", SOON, || (ask(stack, &asked).json["rebalance_id"] == id.as_str()).then_some(()));
    let wrong = ask(stack, &["approve", &id, "--actor", "ann", "--proposal-hash", "0000"]);
    assert_eq!((wrong.code, text(&wrong.json, "code")), (Some(3), "STALE_PROPOSAL"), "{}", wrong.err);
    let own = ask(stack, &["approve", &id, "--actor", "Ann"]);
    assert!(own.code == Some(3) && text(&own.json, "text").contains("another person"), "{:?} {}", own.code, own.json);
    prices(stack);
    let before = now();
    let told = ask(stack, &["approve", "session-1", "--actor", "bob", "--command-id", "a-1"]);
    assert_eq!((told.code, text(&told.json, "status")), (Some(0), "RELEASED"), "{}", told.err);
    until("the rebalance completes", SOON, || {
        prices(stack);
        let again = ask(stack, &["approve", "growth", "--actor", "bob", "--command-id", "a-1"]);
        (again.json["status_now"] == "COMPLETED").then_some(())
    });
    // The id is that of an approval for ever: another command under it is none that was answered.
    let other = ask(stack, &["cancel", "growth", "--actor", "bob", "--command-id", "a-1"]);
    assert!(other.code == Some(3) && other.err.contains("DUPLICATE_CONFLICT"), "{:?} {} {}", other.code, other.json, other.err);
    let nobody = ask(stack, &["resume", "--portfolio", "grwoth", "--actor", "ann"]);
    assert!(nobody.code == Some(4) && nobody.err.contains("know no portfolio \"grwoth\""), "{:?} {}", nobody.code, nobody.err);
    let done = ask(stack, &["rebalance", "growth", "--mode", "automatic"]);
    assert_eq!((done.code, text(&done.json, "status"), &done.json["needs_rebalance"]), (Some(0), "NO_ACTION_NEEDED", &Value::Bool(false)));
    assert_eq!(done.json["left_alone"].as_array().map(Vec::len), Some(2), "each with its reason: {}", done.json);
    assert_eq!(ask(stack, &["cancel", "growth", "--actor", "ann"]).code, Some(4));
    before
}

/// As of a moment before the orders, and after a correction as it was known before and after it.
fn looked_back_at(stack: &Stack, before: &Timestamp) {
    let units = |told: &Told| {
        let lines = told.json["allocations"].as_array().cloned().unwrap_or_default();
        lines.iter().find(|line| line["instrument_id"] == "ACME").map(|line| text(line, "quantity").to_owned()).unwrap_or_default()
    };
    let then = ask(stack, &["portfolio", "growth", "--as-of", &before.to_string()]);
    assert_eq!(
        (units(&then).as_str(), text(&then.json, "total_value"), text(&then.json, "freshness.source")),
        ("600", "70000", "SNAPSHOT")
    );
    let known = now();
    let correction = fill("2", "CORRECT", "\"1\"", &now().date_utc().to_string(), "600", "99", now());
    stack.publish(&(correction + "\n"));
    prices(stack);
    // 600 of them were a dollar cheaper.
    await_portfolio(stack, "the correction", |json| text(json, "total_value") == "70600");
    let moment = now().to_string();
    let after = until("the correction in the tables", SOON, || {
        let told = ask(stack, &["portfolio", "growth", "--as-of", &moment]);
        (text(&told.json["cash"][0], "trade_date") == "7600").then_some(told)
    });
    assert_eq!((units(&after).as_str(), text(&after.json, "total_value")), ("420", "70600"), "{}", after.json);
    let earlier = ask(stack, &["portfolio", "growth", "--as-of", &moment, "--known-at", &known.to_string()]);
    assert_eq!((text(&earlier.json["cash"][0], "trade_date"), text(&earlier.json, "total_value")), ("7000", "70000"), "{}", earlier.json);
}

fn over_days(stack: &Stack) {
    let told = until("a closed day", Duration::from_secs(120), || {
        prices(stack);
        let told = ask(stack, &["performance", "growth"]);
        assert!(matches!(told.code, Some(0 | 4)), "{}", told.err);
        // A day that was cut before the correction is closed again with it.
        (text(&told.json["returns"]["daily"][0], "total_value") == "70600").then_some(told)
    });
    let day = &told.json["returns"]["daily"][0];
    assert_eq!(text(day, "net_external_flow"), "70000", "{day}");
    let told = until("the day's record", SOON, || {
        let told = ask(stack, &["performance", "growth"]);
        let day = &told.json["returns"]["daily"][0];
        (text(day, "source") == "RECORD" && text(day, "return").starts_with("0.00857142857")).then_some(told)
    });
    // 600 earned on the 70,000 that came within the day.
    assert_eq!(
        (text(&told.json, "returns.total_return"), &told.json["drawdown"]["maximum"]),
        ("0.008571428571", &Value::Null),
        "{}",
        told.json
    );
    let grouped = until("the day's figures", SOON, || {
        let told = ask(stack, &["performance", "growth", "--by", "sector"]);
        (told.json["attribution"]["days"] == 1).then_some(told.json)
    });
    assert_eq!((&grouped["attribution"]["grouping"], text(&grouped, "attribution.total")), (&Value::from("SECTOR"), "600"), "{grouped}");
    assert!(grouped["metrics"].as_array().is_some_and(|sets| sets.iter().any(|set| set["timeframe"] == "ALL")), "{grouped}");
    let whole = ask(stack, &["portfolio", "growth"]).json;
    let sets = |part: &Value| part.as_array().is_some_and(|sets| !sets.is_empty());
    assert!(sets(&whole["metrics"]["performance"]) && sets(&whole["risk"]["figures"]), "{whole}");
    assert_eq!(ask(stack, &["performance", "growth", "--to", "2000-01-01"]).code, Some(4));
    assert_eq!(ask(stack, &["performance", "growth", "--from", "2026-02-01", "--to", "2026-01-01"]).code, Some(2));
    let closed = until("the book as of the cut", SOON, || {
        let told = ask(stack, &["portfolio", "growth", "--as-of", &now().to_string()]);
        (told.json["freshness"]["complete"] == true).then_some(told)
    });
    assert_eq!(text(&closed.json, "total_value"), "70600");
}

/// Without the service there is no answer; when it is back the same id has one.
fn answered_late(stack: &Stack, all: &mut Service) {
    all.terminate();
    let asked = ["rebalance", "growth", "--check", "--command-id", "late-1"];
    let told = ask(stack, &[&asked[..], &["--wait", "2"]].concat());
    assert!(told.code == Some(5) && told.err.contains("--command-id late-1"), "{}", told.err);
    all.restart(stack);
    all.await_lanes(12);
    prices(stack);
    let told = until("the answer", SOON, || {
        let told = ask(stack, &[&asked[..], &["--wait", "5"]].concat());
        (told.code != Some(5)).then_some(told)
    });
    // Whatever it found: it was answered once, and the same is told again.
    let again = ask(stack, &asked);
    assert_eq!((told.code, &told.json["rebalance_id"]), (again.code, &again.json["rebalance_id"]), "{} {}", told.json, told.err);
}
