//! The thinnest line through the whole: JSON lines in, a position, a breach, orders, paper fills, back in band.

use domain::enums::{DriftKind, RebalanceStatus};
use domain::{Fraction, Output, Topic};
use serde_json::Value;
use std::time::Duration;
use system_tests::service::{Service, now};
use system_tests::stack::Stack;
use system_tests::topic::outputs;
use system_tests::waiting::until;

/// What `topics tail` prints of a topic.
pub fn lines(stack: &Stack, topic: &str) -> Vec<Value> {
    let ended = stack.ballast(&["topics", "tail", topic, "--from-start", "--until-end"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.out.lines().map(|line| serde_json::from_str(line).expect("tail prints JSON lines")).collect()
}

fn line(topic: &str, value: &str) -> String {
    format!("{}\n", format_args!(r#"{{"topic":"{topic}","timestamp":"{}","value":{value}}}"#, now()))
}

/// A price of now.
pub fn tick(instrument: &str, price: &str) -> String {
    line("marketdata.ticks.v1", &format!(r#"{{"instrument_id":"{instrument}","last":"{price}","event_time":"{}"}}"#, now()))
}

/// Two instruments with prices, and cash.
pub fn opening() -> String {
    let mut text = String::new();
    for instrument in ["ACME", "BETA"] {
        let value = format!(r#"{{"instrument_id":"{instrument}","type":"EQUITY","currency":"USD"}}"#);
        text += &line("reference.instruments.v1", &value);
    }
    text += &line(
        "treasury.cash.v1",
        &format!(
            r#"{{"source":"bank","entry_id":"1","portfolio_id":"growth","kind":"DEPOSIT","currency":"USD","amount":"40000","effective_at":"{}"}}"#,
            now()
        ),
    );
    text + &tick("ACME", "100") + &tick("BETA", "50")
}

/// What the portfolio should hold.
pub fn policy() -> String {
    let value = r#"{"portfolio_id":"growth","policy_version":1,"base_currency":"USD",
        "targets":[{"instrument_id":"ACME","target_weight":"0.6"},{"instrument_id":"BETA","target_weight":"0.3"}],
        "trigger":{"mode":"AUTOMATIC"},
        "limits":{"max_order_notional":"1000000","max_daily_notional":"1000000","price_collar_bp":"1000"}}"#;
    line("portfolio.policies.v1", &value.replace('\n', " "))
}

/// 350 of ACME for 35,000.
pub fn fill() -> String {
    let value = format!(
        r#"{{"source":"oms","exec_id":"e-1","trade_date":"{}","exec_type":"TRADE","portfolio_id":"growth","instrument_id":"ACME","side":"BUY","quantity":"350","price":"100","currency":"USD","transact_time":"{}"}}"#,
        now().date_utc(),
        now()
    );
    line("execution.fills.v1", &value)
}

/// The newest weights of the portfolio, as its snapshots say.
fn weights(stack: &Stack) -> Vec<(String, Fraction)> {
    let newest = outputs(stack, Topic::Snapshots).into_iter().filter_map(|output| match output {
        Output::Snapshot(snapshot) => Some(snapshot),
        _ => None,
    });
    let Some(newest) = newest.max_by_key(|snapshot| snapshot.version) else { return Vec::new() };
    let weight = |line: domain::snapshot::Allocation| {
        let drift = line.drift?;
        Some((line.instrument_id.to_string(), drift))
    };
    newest.allocations.into_iter().filter_map(weight).collect()
}

#[test]
fn a_fill_becomes_a_position_a_breach_an_order_and_a_portfolio_in_its_bands() {
    let stack = Stack::ready("smoke");
    let mut all = Service::start(&stack, &["all"], "1", &[]);
    all.await_lanes(12);
    // Cash and fill wait for the policy and are booked together.
    stack.publish(&(opening() + &fill()));
    stack.publish(&policy());

    let waves =
        until("an order wave", Duration::from_secs(20), || Some(lines(&stack, Topic::Orders.name())).filter(|waves| !waves.is_empty()));
    // 35,000 of 40,000 in ACME, whose target is 60 %: 110 units too many.
    let first = &waves[0]["value"]["orders"][0];
    assert_eq!((first["instrument_id"].as_str(), first["side"].as_str()), (Some("ACME"), Some("SELL")), "{first}");
    assert_eq!(first["quantity"].as_str(), Some("110"), "{first}");

    let completed = |output: &Output| matches!(output, Output::RebalanceEvent(event) if event.status == RebalanceStatus::Completed);
    until("a completed rebalance", Duration::from_secs(30), || {
        // The router fills at the next price; the first waves are sells, the second buys.
        stack.publish(&(tick("ACME", "100") + &tick("BETA", "50")));
        outputs(&stack, Topic::RebalanceEvents).iter().any(completed).then_some(())
    });
    let fills = lines(&stack, Topic::Fills.name());
    assert_eq!(fills.len(), 3, "ours, and the router's of a sell and a buy: {fills:?}");
    let orders: Vec<_> = lines(&stack, Topic::Orders.name())
        .iter()
        .flat_map(|wave| wave["value"]["orders"].as_array().cloned().unwrap_or_default())
        .collect();
    for order in &orders {
        let filled = fills.iter().filter(|fill| fill["value"]["order_id"] == order["order_id"]).count();
        assert_eq!(filled, 1, "{order}");
    }
    let events = outputs(&stack, Topic::Drift).into_iter().filter_map(|output| match output {
        Output::Drift(drift) => Some(drift.event),
        _ => None,
    });
    let events: Vec<_> = events.collect();
    let position = |wanted| events.iter().position(|event| *event == wanted);
    assert!(position(DriftKind::Open) < position(DriftKind::Clear) && position(DriftKind::Open).is_some(), "{events:?}");
    let five = Fraction::from_units(Fraction::ONE.units() / 20);
    let last = until("a snapshot inside the bands", Duration::from_secs(10), || {
        Some(weights(&stack)).filter(|lines| lines.len() == 2 && lines.iter().all(|(_, drift)| drift.abs() < five))
    });
    println!("drift after the cycle: {last:?}");
    assert_eq!(lines(&stack, Topic::Fills.dead_letters()), Vec::<Value>::new());
    assert_eq!(all.errors(), Vec::<Value>::new());
    crate::e2e::crew::verify(&stack);
}
