//! The paper router in its lane: waves and frames in, fills and reports out.
#![allow(clippy::unwrap_used, reason = "what cannot go on in a test fails it")]

mod harness;

use domain::enums::{OrderState, OrderType, Side, TimeInForce, WaveKind};
use domain::frame::FramePrice;
use domain::ids::uuid_of;
use domain::instrument::Instrument;
use domain::order::Order;
use domain::{Money, OrderId, Output, PortfolioId, Quantity};
use engine::{Image, Settings};
use harness::{DAY, House, at, buy, last, limit, order, order_id, price, told, wave};
use proptest::prelude::*;
use std::collections::BTreeMap;

const NOTHING: [&str; 0] = [];

/// A bond whose price is per 100 of face value.
fn bond() -> Instrument {
    serde_json::from_str(r#"{"instrument_id":"AAA","type":"BOND","currency":"USD","multiplier":"10"}"#).unwrap()
}

fn accrued(outputs: &[Output]) -> Option<String> {
    let fill = outputs.iter().find_map(|output| if let Output::Fill(fill) = output { Some(fill) } else { None });
    fill.unwrap().accrued_interest.map(|interest| interest.to_string())
}

#[test]
fn who_trades_a_bond_pays_what_it_has_accrued() {
    let mut house = House::plain();
    house.facts = vec![bond()];
    house.window(0, true, &[FramePrice { accrued: "1.25".parse().ok(), ..last("99") }], &[wave(WaveKind::New, &[buy(1)])]);
    let mut house = house.restored(&Settings::default());
    assert_eq!(accrued(&house.window(1, false, &[last("99")], &[])), Some("1250".to_owned()), "a tick without it keeps it");
    house.orders(2, &[order(2, Side::Sell, "0.5")]);
    let newer = FramePrice { accrued: "1.26".parse().ok(), ..last("99") };
    assert_eq!(accrued(&house.window(3, false, &[newer], &[])), Some("6.3".to_owned()));
    // Of a share, a tick's accrued interest says nothing.
    let mut house = House::plain();
    house.orders(0, &[buy(1)]);
    assert_eq!(accrued(&house.window(1, false, &[FramePrice { accrued: "1.25".parse().ok(), ..last("99") }], &[])), None);
}

#[test]
fn an_order_is_filled_at_the_next_price_not_at_one_of_its_own_window() {
    let mut house = House::plain();
    let outputs = house.window(0, false, &[last("9")], &[wave(WaveKind::New, &[buy(1)])]);
    assert_eq!(told(&outputs), ["ACKNOWLEDGED 0+100"]);
    assert_eq!(house.price(1, FramePrice { last: "5".parse().ok(), ..price("BBB") }), NOTHING, "another instrument");
    let outputs = house.window(2, false, &[last("10.5")], &[]);
    assert_eq!(told(&outputs), ["fill 100 @ 10.5 of 100", "FILLED 100+0"]);
    let Output::Fill(fill) = &outputs[0] else { panic!() };
    assert_eq!((fill.source.as_str(), fill.order_id, fill.transact_time), ("paper-router", Some(order_id(1)), at(2)));
    assert_eq!((fill.trade_date, fill.venue.as_deref(), fill.fees.len()), (at(2).date_utc(), Some("XNYS"), 0));
    assert_eq!(fill.exec_id.as_str(), uuid_of(&[order_id(1).0.as_bytes(), &1_u32.to_be_bytes()]).to_string());
    assert_eq!(house.price(3, last("11")), NOTHING);
}

#[test]
fn the_price_is_the_last_else_the_middle_else_the_mark_else_the_quote() {
    let field = |text: &str| text.parse().ok();
    let cases = [
        (FramePrice { last: field("1"), bid: field("2"), ask: field("3"), mark: field("4"), ..price("AAA") }, Some("4")),
        (FramePrice { last: field("1"), bid: field("2"), ask: field("3"), ..price("AAA") }, Some("2.5")),
        (FramePrice { last: field("1"), bid: field("2"), ..price("AAA") }, Some("1")),
        (FramePrice { bid: field("2"), mark: field("4"), ..price("AAA") }, Some("4")),
        (FramePrice { ask: field("3"), ..price("AAA") }, Some("3")),
        (FramePrice { bid: field("3"), ..price("AAA") }, None),
        (FramePrice { accrued: field("3"), ..price("AAA") }, None),
        (FramePrice { last: field("0"), ..price("AAA") }, None),
        (FramePrice { last: field("-2"), ..price("AAA") }, None),
    ];
    for (at, expected) in cases {
        let mut house = House::plain();
        house.orders(0, &[buy(1)]);
        let fill = expected.map(|price| format!("fill 100 @ {price} of 100"));
        assert_eq!(house.price(1, at).first().cloned(), fill);
    }
}

#[test]
fn a_limit_order_waits_for_its_price_or_a_better_one() {
    let mut house = House::plain();
    house.orders(0, &[limit(1, Side::Buy, "10"), limit(2, Side::Sell, "12")]);
    assert_eq!(house.price(1, last("11")), NOTHING);
    assert_eq!(house.price(2, last("9")), ["fill 100 @ 9 of 100", "FILLED 100+0"]);
    assert_eq!(house.price(3, last("12")), ["fill 100 @ 12 of 100", "FILLED 100+0"]);
}

#[test]
fn an_order_may_come_late_but_is_never_executed_late() {
    let mut house = House::plain();
    house.orders(0, &[buy(1), limit(2, Side::Buy, "1")]);
    assert_eq!(house.price(300, last("10")), ["fill 100 @ 10 of 100", "FILLED 100+0"], "valid_until itself is in time");
    assert_eq!(house.price(301, last("1")), ["EXPIRED 0+0 TIMED_OUT"]);
    assert_eq!(house.orders(302, &[buy(3)]), ["EXPIRED 0+0 TIMED_OUT"]);
    assert_eq!(house.price(303, last("1")), NOTHING);
}

#[test]
fn delays_pass_before_the_answer() {
    let mut house = House::new(Settings { paper_delay_ms: 10_000, ..Settings::default() });
    assert_eq!(house.orders(0, &[buy(1)]), NOTHING);
    assert_eq!(house.price(4, last("10")), NOTHING, "not acknowledged yet");
    let due = house.lane.next_due().unwrap();
    assert!(due >= at(5) && due <= at(10), "{due}");
    assert_eq!(house.idle(10), ["ACKNOWLEDGED 0+100"]);
    assert_eq!(house.price(11, last("10")), ["fill 100 @ 10 of 100", "FILLED 100+0"]);
    assert_eq!(house.lane.next_due(), None);
}

#[test]
fn fees_and_parts_are_as_configured() {
    let mut house = House::new(Settings { paper_fee_bp: 25, paper_partial_bp: 10_000, ..Settings::default() });
    house.orders(0, &[buy(1)]);
    let (mut filled, mut states, mut fees, mut ids) = (Quantity::ZERO, Vec::new(), Vec::new(), Vec::new());
    for seconds in 1..5 {
        for output in house.window(seconds, false, &[last("10")], &[]) {
            match output {
                Output::Fill(fill) => {
                    filled = filled.checked_add(fill.quantity).unwrap();
                    assert_eq!(fill.cum_qty, Some(filled));
                    assert_eq!(fill.quantity.units() % Quantity::ONE.units(), 0, "whole units");
                    assert_eq!((fill.fees[0].kind.as_str(), fill.fees[0].currency.as_str()), ("commission", "USD"));
                    fees.push(fill.fees[0].amount.units());
                    ids.push(fill.exec_id.clone());
                }
                Output::OrderStatus(status) => states.push(status.status),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(filled, "100".parse().unwrap());
    assert_eq!(fees.iter().sum::<i128>(), "2.5".parse::<Money>().unwrap().units(), "25 bp of 1000");
    assert_eq!((states.first(), states.last()), (Some(&OrderState::PartFilled), Some(&OrderState::Filled)));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), states.len());
    assert!(ids.len() >= 2);
}

#[test]
fn rejections_say_why() {
    let mut house = House::new(Settings { paper_reject_bp: 10_000, ..Settings::default() });
    assert_eq!(house.orders(0, &[buy(1)]), ["REJECTED 0+0 PAPER_REJECT"]);
    let mut house = House::plain();
    let cases = [
        (order(1, Side::Buy, "0"), "INVALID_QUANTITY"),
        (order(2, Side::Buy, "-1"), "INVALID_QUANTITY"),
        (order(3, Side::Unknown, "1"), "UNKNOWN_SIDE"),
        (Order { order_type: OrderType::Limit, ..buy(4) }, "INVALID_LIMIT"),
        (Order { order_type: OrderType::Unknown, ..buy(5) }, "UNKNOWN_ORDER_TYPE"),
        (Order { time_in_force: TimeInForce::AtClose, ..buy(6) }, "UNSUPPORTED"),
        (Order { time_in_force: TimeInForce::Unknown, ..buy(7) }, "UNKNOWN_TIME_IN_FORCE"),
        (Order { valid_until: at(91 * DAY), ..buy(8) }, "VALID_TOO_LONG"),
    ];
    for (order, code) in cases {
        assert_eq!(house.orders(0, &[order]), [format!("REJECTED 0+0 {code}")]);
    }
    assert_eq!(house.price(1, last("10")), NOTHING);
    let huge = Order { quantity: "99999999999999999999".parse().unwrap(), ..buy(9) };
    house.orders(1, &[huge]);
    assert_eq!(house.price(2, last("999999999999")), ["CANCELLED 0+0 OUT_OF_RANGE"]);
}

#[test]
fn immediate_orders_take_the_first_price_or_nothing() {
    let tif = |order: Order, time_in_force| Order { time_in_force, ..order };
    let mut house = House::new(Settings { paper_partial_bp: 10_000, ..Settings::default() });
    house.orders(0, &[tif(buy(1), TimeInForce::Ioc), tif(buy(2), TimeInForce::Fok), tif(limit(3, Side::Buy, "1"), TimeInForce::Fok)]);
    let told = house.price(1, last("10"));
    assert!(told[0].starts_with("fill ") && told[1].starts_with("PART_FILLED ") && told[2].ends_with("+0 IMMEDIATE"), "{told:?}");
    assert_eq!(told[3..], ["fill 100 @ 10 of 100", "FILLED 100+0", "CANCELLED 0+0 IMMEDIATE"]);
    assert_eq!(house.price(2, last("1")), NOTHING);
}

#[test]
fn cancels_end_what_is_open_and_what_never_came() {
    let mut house = House::plain();
    house.orders(0, &[buy(1)]);
    assert_eq!(house.cancel(1, &[buy(1), buy(2)]), ["CANCELLED 0+0 CANCEL_REQUEST", "CANCELLED 0+0 CANCEL_REQUEST"]);
    assert_eq!(house.cancel(2, &[buy(1)]), NOTHING);
    assert_eq!(house.orders(3, &[buy(1), buy(2)]), NOTHING, "cancelled before it came");
    assert_eq!(house.price(4, last("10")), NOTHING);
    assert_eq!(house.lane.totals().duplicates, 3);
}

#[test]
fn a_wave_sent_twice_is_executed_once() {
    let mut house = House::plain();
    house.orders(0, &[buy(1), buy(1)]);
    assert_eq!(house.orders(1, &[buy(1)]), NOTHING);
    assert_eq!(house.price(2, last("10")), ["fill 100 @ 10 of 100", "FILLED 100+0"]);
    assert_eq!(house.orders(3, &[buy(1)]), NOTHING);
    // Remembered for a day after valid_until; after that it is nobody's to answer.
    assert_eq!(house.orders(300 + DAY, &[buy(1)]), NOTHING);
    assert_eq!(house.orders(301 + DAY, &[buy(1)]), ["dead letter INVALID_RECORD"]);
    assert_eq!(house.lane.role().orders(), (0, 0), "forgotten");
    assert_eq!(house.cancel(302 + DAY, &[buy(1)]), ["dead letter INVALID_RECORD"]);
    assert_eq!(house.price(303 + DAY, last("10")), NOTHING);
}

#[test]
fn waves_that_contradict_are_dead_lettered() {
    let mut house = House::plain();
    house.orders(0, &[buy(1)]);
    assert_eq!(house.orders(0, &[order(1, Side::Buy, "101")]), ["dead letter DUPLICATE_CONFLICT"]);
    let stranger = Order { portfolio_id: PortfolioId::new("other").unwrap(), ..buy(2) };
    assert_eq!(house.orders(0, &[buy(3), stranger]), ["dead letter INVALID_RECORD"]);
    assert_eq!(told(&house.window(0, false, &[], &[wave(WaveKind::Unknown, &[buy(4)])])), ["dead letter UNKNOWN_ENUM"]);
    assert_eq!(house.price(1, last("10")), ["fill 100 @ 10 of 100", "FILLED 100+0"]);
}

#[test]
fn a_lane_that_is_behind_trades_nothing() {
    let mut house = House::plain();
    house.orders(0, &[buy(1)]);
    assert_eq!(told(&house.window(1, true, &[last("10")], &[])), NOTHING);
    assert_eq!(house.price(2, last("11")), ["fill 100 @ 11 of 100", "FILLED 100+0"]);
}

#[derive(Debug, Clone)]
enum Event {
    New(u32),
    Cancel(u32),
    Price(i64),
    Idle,
    Restart,
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0_u32..12).prop_map(Event::New),
        1 => (0_u32..12).prop_map(Event::Cancel),
        4 => (5_i64..15).prop_map(Event::Price),
        1 => Just(Event::Idle),
        2 => Just(Event::Restart),
    ]
}

/// Twelve orders of every kind.
fn order_of(n: u32) -> Order {
    let side = if n.is_multiple_of(2) { Side::Buy } else { Side::Sell };
    let kind = if n.is_multiple_of(3) { limit(n, side, "10") } else { order(n, side, "7.25") };
    let time_in_force = [TimeInForce::Day, TimeInForce::Ioc, TimeInForce::Fok, TimeInForce::Gtc][n as usize % 4];
    Order { time_in_force, valid_until: at(i64::from(n) * 20 + 20), ..kind }
}

fn run(settings: &Settings, events: &[(Event, i64)], restarts: bool) -> Vec<Vec<Output>> {
    let (mut house, mut now, mut all) = (House::new(settings.clone()), 0, Vec::new());
    for (event, pause) in events {
        now += pause;
        let outputs = match event {
            Event::New(n) => house.window(now, false, &[], &[wave(WaveKind::New, &[order_of(*n), order_of((n + 5) % 12)])]),
            Event::Cancel(n) => house.window(now, false, &[], &[wave(WaveKind::Cancel, &[order_of(*n)])]),
            Event::Price(units) => house.window(now, false, &[last(&units.to_string())], &[]),
            Event::Idle => house.window(now, false, &[], &[]),
            Event::Restart => {
                if restarts {
                    house = house.restored(settings);
                }
                Vec::new()
            }
        };
        all.push(outputs);
    }
    all
}

#[derive(Default)]
struct Life {
    cum: Quantity,
    acknowledged: bool,
    ended: bool,
}

proptest! {
    #[test]
    fn orders_live_as_they_should_and_restarts_change_nothing(
        events in prop::collection::vec((any_event(), 0_i64..25), 1..60),
        delay in prop::sample::select(vec![0_i64, 30_000]),
        bp in (0_u32..=10_000, 0_u32..4_000),
    ) {
        let settings = Settings { paper_delay_ms: delay, paper_partial_bp: bp.0, paper_reject_bp: bp.1, paper_fee_bp: 7, ..Settings::default() };
        let all = run(&settings, &events, true);
        prop_assert_eq!(&all, &run(&settings, &events, false));
        let mut lives: BTreeMap<OrderId, Life> = BTreeMap::new();
        for output in all.iter().flatten() {
            match output {
                Output::Fill(fill) => {
                    let id = fill.order_id.unwrap();
                    let life = lives.entry(id).or_default();
                    prop_assert!(life.acknowledged && !life.ended);
                    life.cum = life.cum.checked_add(fill.quantity).unwrap();
                    let order = (0..12).map(order_of).find(|order| order.order_id == id).unwrap();
                    prop_assert!(fill.quantity.is_positive() && life.cum <= order.quantity);
                    prop_assert!(fill.transact_time <= order.valid_until);
                    prop_assert_eq!((fill.cum_qty, fill.side), (Some(life.cum), order.side));
                    if let Some(limit) = order.limit_price {
                        let better = if order.side == Side::Buy { fill.price <= limit } else { fill.price >= limit };
                        prop_assert!(better);
                    }
                }
                Output::OrderStatus(status) => {
                    let life = lives.entry(status.order_id).or_default();
                    prop_assert!(!life.ended, "a report after the last one");
                    prop_assert_eq!(status.cum_qty, life.cum);
                    match status.status {
                        OrderState::Acknowledged => prop_assert!(!std::mem::replace(&mut life.acknowledged, true)),
                        OrderState::PartFilled => prop_assert!(status.leaves_qty.is_positive()),
                        _ => {
                            life.ended = true;
                            prop_assert!(status.leaves_qty.is_zero());
                        }
                    }
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}

#[test]
fn only_what_changed_is_dirty() {
    let mut house = House::plain();
    house.orders(0, &[buy(1), order(2, Side::Sell, "1")]);
    assert_eq!(house.lane.image().take_dirty().len(), 2);
    house.cancel(1, &[buy(1)]);
    assert_eq!(house.lane.image().take_dirty(), [order_id(1).to_string()]);
    house.idle(2 * DAY);
    let dirty = house.lane.image().take_dirty();
    assert_eq!(dirty.len(), 2, "one expired, one forgotten");
    assert_eq!(house.lane.image().entity(&order_id(1).to_string()), None);
}
