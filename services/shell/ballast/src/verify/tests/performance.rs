//! What was earned: each row is shown able to fail on two days of one portfolio, of which the tracker has read all.

use super::*;
use crate::verify::history::History;
use crate::verify::lanes::Lanes;
use crate::verify::performance;
use crate::verify::seen::{KEEPER, Place, Seen, Stamp, TRACKER};
use domain::enums::EntryKind;
use domain::ledger::{ClosedTrades, Ledger};
use domain::performance::{ALL, DAY, Performance};
use domain::portfolio_close::PortfolioClose;
use domain::progress::{Begin, Done, Progress};
use serde_json::{Value, json};

const MONDAY: &str = "2026-01-05";
const TUESDAY: &str = "2026-01-06";

fn seen<T>(topic: Topic, role: &'static str, index: i64, record: T) -> Seen<T> {
    let place = Place { topic, partition: 0, offset: index, dead: false };
    Seen { place, stamp: Some(Stamp { role, lane: 0, step: 1, index }), repeat: false, misfiled: false, record }
}

fn close(date: &str, version: i64, equity: &str, flow: &str) -> PortfolioClose {
    serde_json::from_value(json!({"portfolio_id": "P1", "date": date, "version": version, "equity": equity, "net_external_flow": flow,
        "positions": [], "cash": [], "complete": true, "incomplete_reason": null, "provisional": false, "restates": null}))
    .unwrap()
}

/// An entry of a day: what it realised, and its fee.
fn entry(date: &str, realized: &str, fee: &str) -> Value {
    let leg = |amount: &str| json!([{"currency": "USD", "amount": amount}]);
    let cause = json!({"topic": "execution.fills.v1", "partition": 0, "offset": 0, "id": "e"});
    json!({"kind": "TRADE", "cause": cause, "instrument_id": "AAPL", "strategy": null, "venue": null, "trade_date": date,
        "effective_at": format!("{date}T15:00:00Z"), "transact_time": null, "quantity_change": "-1", "price": "10", "fx_rate": null,
        "cash": leg("10"), "realized_gross": realized, "fees": leg(fee), "income": "0", "external_flow": "0", "equity_before": null})
}

fn ledger(version: i64, entries: Vec<Value>) -> Ledger {
    serde_json::from_value(
        json!({"portfolio_id": "P1", "version": version, "policy_version": 1, "entries": entries, "positions": [], "cash": []}),
    )
    .unwrap()
}

/// A record until Tuesday whose only bucket has realised 7, paid 2 and gained the rest.
fn told(timeframe: &str, from: &str, total: &str, unrealized: &str, residual: &str) -> Performance {
    let in_bucket = json!({"name": "EQUITY", "realized_gross": "7", "fees": "2", "income": "0", "unrealized": unrealized,
        "total": v::<Money>("5").checked_add(v(unrealized)).unwrap().to_string(), "allocation": null, "selection": null, "interaction": null});
    let group = json!({"grouping": "INSTRUMENT_TYPE", "buckets": [in_bucket], "residual": residual, "total": total});
    serde_json::from_value(json!({"portfolio_id": "P1", "as_of": format!("{TUESDAY}T22:00:00Z"), "timeframe": timeframe, "base_currency": "USD",
        "provisional": false, "metrics": [], "attribution": [group], "date": TUESDAY, "from_date": from, "close_version": 1, "policy_version": 1}))
    .unwrap()
}

/// Two days: 1,000 paid in and 10 earned, then 100 paid out and 13 earned. What was dated after them is not theirs.
fn two_days() -> History {
    let mut history = History::default();
    let closes = [close(MONDAY, 1, "1008", "1000"), close(MONDAY, 2, "1010", "1000"), close(TUESDAY, 1, "923", "-100")];
    let ledgers = [
        ledger(1, vec![entry(MONDAY, "4", "1"), entry("2026-01-07", "50", "9")]),
        ledger(2, vec![entry(MONDAY, "3", "1")]),
        ledger(3, vec![entry(TUESDAY, "5", "0")]),
    ];
    let days = [told(DAY, TUESDAY, "13", "6", "2"), told(ALL, MONDAY, "23", "18", "0")];
    history.closes.extend((0..).zip(closes).map(|(at, close)| seen(Topic::PortfolioCloses, KEEPER, at, close)));
    history.ledgers.extend((0..).zip(ledgers).map(|(at, ledger)| seen(Topic::Ledger, KEEPER, at, ledger)));
    history.performances.extend((0..).zip(days).map(|(at, day)| seen(Topic::Performance, TRACKER, at, day)));
    let policy = (v("P1"), Some(Box::new(policy())));
    history.policies.push(seen(Topic::Policies, KEEPER, 0, policy));
    // The third record of the ledger is read in no window.
    read(&mut history, &[[2, 2], [3, 2]]);
    history
}

/// The tracker has read so much of closes and ledger at the ends of the windows of its step.
fn read(history: &mut History, ends: &[[i64; 2]]) {
    let mut from = [0, 0];
    let mut windows = Vec::new();
    for to in ends {
        let range = |at: usize, topic| Range { topic, partition: 0, from: from[at], to: to[at] };
        let ranges = vec![range(0, Topic::PortfolioCloses), range(1, Topic::Ledger)];
        windows.push(WindowRecord { now: moment(0), behind: false, ranges });
        from = *to;
    }
    let begin = Begin { step: 1, rules_version: 1, lanes: 1, settings: Vec::new(), schemas: Vec::new(), windows };
    let done = Done { step: 1, digest: "".into(), outputs: 2, inputs: 0 };
    let steps = [Progress::Begin(begin), Progress::Done(done)];
    let marked = (0..).zip(steps).map(|(at, step)| seen(Topic::PerformanceTrackerProgress, TRACKER, at, (step, 0)));
    history.progress.insert((TRACKER, 0), marked.collect());
}

/// What the rows compared, and what they found first.
fn rows(change: impl FnOnce(&mut History)) -> Vec<(u64, String)> {
    let mut history = two_days();
    change(&mut history);
    let rows = performance::check(&history, &Lanes::of(&history));
    rows.into_iter().map(|row| (row.checked, row.first.unwrap_or_default())).collect()
}

#[test]
fn what_was_earned_is_compared() {
    let none = String::new;
    assert_eq!(rows(|_| {}), [(4, none()), (2, none()), (1, none()), (0, none()), (0, none())]);
    assert_eq!(rows(|history| read(history, &[[3, 2]]))[1..3], [(2, none()), (1, none())], "in one window");
    let earlier = rows(|history| history.performances[1].record.close_version = Some(2));
    assert_eq!(earlier[1], (1, none()), "a version that is not read is not judged");
}

#[test]
fn i11_parts_that_do_not_add_up() {
    let first = |change: fn(&mut Performance)| rows(|history| change(&mut history.performances[1].record))[0].1.clone();
    let found = first(|all| all.attribution[0].buckets[0].fees = v("3"));
    assert!(found.ends_with("ALL of P1 until 2026-01-06: INSTRUMENT_TYPE EQUITY: total 23, its parts 22"), "{found}");
    let found = first(|all| all.attribution[0].residual = v("1"));
    assert!(found.ends_with("INSTRUMENT_TYPE: total 23, buckets and residual 24"), "{found}");
}

#[test]
fn i2_a_total_that_equity_does_not_bear_out() {
    let first = |change: fn(&mut History)| rows(change)[1].1.clone();
    let found = first(|history| history.performances[0].record.attribution[0].total = v("14"));
    assert!(found.ends_with("DAY of P1 until 2026-01-06: total 14, equity less flows grew by 13"), "{found}");
    let found = first(|history| history.closes[1].record.net_external_flow = v("999"));
    assert!(found.ends_with("ALL of P1 until 2026-01-06: total 23, equity less flows grew by 24"), "{found}");
    let found = first(|history| read(history, &[[3, 2]]));
    assert_eq!(found, "");
}

#[test]
fn i2_a_booking_that_counts_twice_or_not_at_all() {
    let first = |change: fn(&mut History)| rows(change)[2].1.clone();
    let twice = first(|history| {
        let bucket = &mut history.performances[1].record.attribution[0].buckets[0];
        (bucket.realized_gross, bucket.fees) = (v("10"), v("3"));
    });
    assert!(twice.ends_with("ALL of P1 until 2026-01-06: realized_gross is 10, the entries add up to 7"), "{twice}");
    let unread = first(|history| read(history, &[[3, 3]]));
    assert!(unread.ends_with("realized_gross is 7, the entries add up to 12"), "{unread}");
    assert_eq!(first(|history| history.ledgers[1].repeat = true), unread.replace("12", "4"));
    assert_eq!(rows(|history| history.ledgers[0].record.entries[0].fees[0].currency = v("EUR"))[2].0, 0, "another currency is left out");
}

/// The two days with closed trades: Monday's won 3 and 2, that of a later day is not in the record, and an amendment has
/// made one of Monday a loss of 1.
fn with_trades(history: &mut History) {
    let won = |date: &str, net: &str| ClosedTrades::one(v(date), v(net));
    let line = json!({"instrument_id": "AAPL", "currency": "USD", "quantity": "1", "cost": "0", "average_price": null, "realized_gross": "0",
        "fees": [], "income": "0", "realized_net": "0", "cycle_realized_gross": "0", "cycle_fees": "0", "cycle_income": "0", "lots": []});
    let mut trades = [vec![won(MONDAY, "3"), won("2026-01-07", "41")], vec![won(MONDAY, "2")]].into_iter();
    for seen in &mut history.ledgers[..2] {
        seen.record.positions.push(serde_json::from_value(line.clone()).unwrap());
        for (entry, closed) in seen.record.entries.iter_mut().zip(trades.next().unwrap()) {
            entry.fx_rate = Some(v("1"));
            entry.closed_trades.push(closed);
        }
    }
    let mut amended = won(MONDAY, "-1");
    amended.add(&won(MONDAY, "2"), -1).unwrap();
    let mut restated = history.ledgers[1].record.entries[0].clone();
    (restated.kind, restated.trade_date, restated.closed_trades) = (EntryKind::Restate, None, vec![amended].into());
    (restated.realized_gross, restated.fees) = (v("0"), Vec::new().into());
    history.ledgers[1].record.entries.push(restated);
    let figure = |(id, value): (&str, &str)| {
        json!({"id": id, "value": value, "unit": "COUNT", "currency": null, "window": "2D", "observations": 2, "method": "m",
            "confidence": null, "horizon_days": null, "reason": null})
    };
    let figures =
        [("trades", "2"), ("winning_trades", "1"), ("losing_trades", "1"), ("gross_profit", "3"), ("gross_loss", "-1")].map(figure);
    history.performances[1].record.metrics = serde_json::from_value(json!(figures)).unwrap();
}

#[test]
fn i2_closed_trades_that_are_not_those_of_their_executions_and_of_the_ledger() {
    let first = |row: usize, change: fn(&mut History)| {
        rows(|history| {
            with_trades(history);
            change(history);
        })
        .swap_remove(row)
    };
    assert_eq!((first(3, |_| {}), first(4, |_| {})), ((3, String::new()), (1, String::new())));
    let (_, other) = first(3, |history| history.ledgers[0].record.entries[0].closed_trades[0].gross_profit = v("5"));
    assert!(other.ends_with("e closes a trade that came to 5, it realised 3 after fees"), "{other}");
    let flips = |fee: &'static str| {
        move |history: &mut History| {
            let ledger = &mut history.ledgers[0].record;
            ledger.positions[0].quantity = v("-1");
            ledger.entries[0].closed_trades[0].gross_profit = v(fee);
        }
    };
    let found = |change: &dyn Fn(&mut History)| {
        rows(|history| {
            with_trades(history);
            change(history);
        })
        .swap_remove(3)
        .1
    };
    assert_eq!(
        (found(&flips("3.5")), found(&flips("4.5")).is_empty()),
        (String::new(), false),
        "some of the fee of 1 is of what it opened"
    );
    assert_eq!(
        found(&|history| history.ledgers[0].record.positions[0].currency = v("USDT")),
        "",
        "what rates did to its cost is realised too"
    );
    let (_, other) = first(3, |history| history.ledgers[0].record.entries[0].closed_trades[0].trade_date = v(TUESDAY));
    assert!(other.ends_with("e closes a trade that came to 3, it realised 3 after fees"), "{other}");
    let (_, other) = first(3, |history| {
        let told = &mut history.ledgers[0].record.entries[0].closed_trades[0];
        (told.winning, told.even) = (0, 1);
    });
    assert!(other.contains("came to 3"), "a trade that won is none that came to nothing: {other}");
    let (_, twice) = first(4, |history| history.performances[1].record.metrics[0].value = Some(v("3")));
    assert!(twice.ends_with("ALL of P1 until 2026-01-06: trades is 3, the entries add up to 2"), "{twice}");
    let (_, lost) = first(4, |history| _ = history.ledgers[1].record.entries.pop());
    assert!(lost.ends_with("winning_trades is 1, the entries add up to 2"), "{lost}");
}
