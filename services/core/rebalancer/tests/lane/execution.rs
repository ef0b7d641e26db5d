//! How well the orders of a rebalance were executed, worked out by hand.

use crate::harness::{House, proposal, units};
use domain::Output;
use domain::enums::{CommandKind, DriftKind, OrderState};
use domain::execution::{Execution, OrderExecution};

fn execution(outputs: &[Output]) -> Execution {
    let ended = outputs.iter().rev().find_map(|output| match output {
        Output::RebalanceEvent(event) => event.execution.clone(),
        _ => None,
    });
    *ended.expect("no execution was told")
}

fn text(value: Option<impl std::fmt::Display>) -> String {
    value.map_or("null".to_owned(), |value| value.to_string())
}

/// `SELL 200/200 at 99.5: slippage 100 (50), arrival 100 (50), fees 3, 2000000 to 2000000`.
fn told(line: &OrderExecution) -> String {
    format!(
        "{} {}/{} at {}: slippage {} ({}), arrival {} ({}), fees {}, {} to {}",
        line.side,
        line.filled,
        line.ordered,
        text(line.average_price),
        text(line.slippage),
        text(line.slippage_bp),
        text(line.arrival_slippage),
        text(line.arrival_slippage_bp),
        text(line.fees),
        text(line.first_fill_us),
        text(line.last_fill_us)
    )
}

/// The price of the next executions, so many seconds from now.
fn trade_at(house: &mut House, id: &str, price: &str, seconds: i64) {
    house.book.price(id, price);
    house.book.traded_at = house.now.plus_seconds(seconds);
    house.book.fee = "3".parse().unwrap();
}

#[test]
fn a_sell_below_and_a_buy_above_their_prices_cost() {
    let mut house = House::automatic();
    house.opening();
    // Sold 200 in two parts at 99.5 and 99: 19,850 in place of 20,000.
    let sell = house.order(0);
    trade_at(&mut house, "AAA", "99.5", 2);
    house.book.apply(&sell, units("100"));
    trade_at(&mut house, "AAA", "99", 5);
    house.book.apply(&sell, units("100"));
    house.pass(10);
    let inputs = vec![house.report(&sell, OrderState::Filled, "200"), house.filled()];
    let asked = house.window(inputs);
    // The buys were planned at 100, and leave at 101.
    house.book.price("BBB", "101");
    let answer = house.refreshed(&asked);
    house.window(vec![answer]);
    let buy = house.order(1);
    let quantity = buy.quantity.to_string();
    assert_eq!(quantity, "193", "what the goal of now asks for");
    trade_at(&mut house, "BBB", "101.5", -1);
    let ended = house.fill(1);
    let all = execution(&ended);
    assert_eq!(told(&all.lines[0]), "SELL 200/200 at 99.25: slippage 150 (75), arrival 150 (75), fees 6, 2000000 to 5000000");
    // 193 × 1.5 = 289.5 against 19,300, and 193 × 0.5 = 96.5 against 19,493; the router's clock is a second slow.
    assert_eq!(told(&all.lines[1]), "BUY 193/193 at 101.5: slippage 289.5 (150), arrival 96.5 (49.505), fees 3, -1000000 to -1000000");
    assert_eq!((all.lines[1].reference_price.to_string(), all.lines[1].arrival_price.to_string()), ("100".into(), "101".into()));
    assert_eq!((all.orders, all.filled_orders, all.lines[1].wave_number), (2, 2, 2));
    // 20,000 + 193 × 101 expected; 19,850 + 193 × 101.5 traded.
    assert_eq!((all.ordered_value.to_string(), text(all.traded_value)), ("39493".into(), "39439.5".into()));
    assert_eq!((text(all.slippage), text(all.fees), text(all.cost)), ("439.5".into(), "9".into(), "448.5".into()));
    // 439.5 ÷ (20,000 + 19,300), 246.5 ÷ (20,000 + 19,493) and 448.5 ÷ 39,439.5.
    assert_eq!(
        (text(all.slippage_bp), text(all.arrival_slippage_bp), text(all.cost_bp)),
        ("111.8321".into(), "62.4161".into(), "113.7185".into())
    );
    assert_eq!((text(all.first_fill_us), text(all.last_fill_us)), ("2000000".into(), "9000000".into()));
    assert_eq!((text(all.fill_rate), all.reason), ("1".into(), None));
}

#[test]
fn a_better_price_is_a_negative_cost() {
    let mut house = House::automatic();
    house.opening();
    trade_at(&mut house, "AAA", "101", 0);
    let asked = house.fill(0);
    let answer = house.refreshed(&asked);
    house.window(vec![answer]);
    let ended = house.fill(1);
    let line = &execution(&ended).lines[0];
    assert_eq!((text(line.slippage), text(line.slippage_bp)), ("-200".into(), "-100".into()));
}

#[test]
fn what_a_person_approved_keeps_its_price_and_arrives_at_another() {
    let mut house = House::approval();
    let open = house.drift(DriftKind::Open);
    let named = proposal(&house.window(vec![open]));
    house.book.price("AAA", "99.8");
    let approve = house.command(CommandKind::Approve, &named);
    let answer = house.answer(&approve);
    house.window(vec![approve, answer]);
    trade_at(&mut house, "AAA", "99.7", 1);
    let asked = house.fill(0);
    let answer = house.refreshed(&asked);
    house.window(vec![answer]);
    let ended = house.fill(1);
    let line = &execution(&ended).lines[0];
    assert_eq!((line.reference_price.to_string(), line.arrival_price.to_string()), ("100".into(), "99.8".into()));
    assert_eq!((text(line.slippage), text(line.arrival_slippage)), ("60".into(), "20".into()));
}

#[test]
fn each_slice_is_held_against_the_plan_and_against_its_own_release() {
    let mut house = House::sliced(r#""waves":2"#);
    house.opening();
    trade_at(&mut house, "AAA", "99", 1);
    house.fill(0);
    let asked = house.pass(60).window(Vec::new());
    let answer = house.refreshed(&asked);
    house.window(vec![answer]);
    let cancel = house.command(CommandKind::Cancel, "");
    house.window(vec![cancel]);
    let second = house.order(1);
    let ended = house.report(&second, OrderState::Cancelled, "0");
    let all = execution(&house.window(vec![ended]));
    assert_eq!(told(&all.lines[0]), "SELL 100/100 at 99: slippage 100 (100), arrival 100 (100), fees 3, 1000000 to 1000000");
    assert_eq!(told(&all.lines[1]), "SELL 0/98 at null: slippage null (null), arrival null (null), fees null, null to null");
    assert_eq!((all.lines[1].reference_price.to_string(), all.lines[1].arrival_price.to_string()), ("100".into(), "99".into()));
    assert_eq!((text(all.fill_rate), text(all.slippage), all.filled_orders), ("0.507562683991".into(), "100".into(), 1));
}

#[test]
fn what_cannot_be_told_is_null_with_a_reason() {
    let mut house = House::automatic().opened();
    let rejected = vec![house.report(&house.order(0), OrderState::Rejected, "0")];
    let asked = house.window(rejected);
    let answer = house.refreshed(&asked);
    let all = execution(&house.window(vec![answer]));
    assert_eq!((all.reason.as_deref(), text(all.cost), text(all.fill_rate)), (Some("nothing was executed"), "null".into(), "0".into()));
    // A book of an earlier build keeps no prices of executions.
    let mut house = House::automatic().opened();
    let sell = house.order(0);
    house.book.apply(&sell, sell.quantity);
    house.book.executed.get_mut(&sell.order_id).unwrap().notional = None;
    let cancel = house.command(CommandKind::Cancel, "");
    let inputs = vec![cancel, house.report(&sell, OrderState::Filled, "200"), house.filled()];
    let all = execution(&house.window(inputs));
    assert_eq!(all.reason.unwrap(), format!("the book does not tell at which prices order {} was executed", sell.order_id));
    assert_eq!(
        (all.lines[0].filled.to_string(), text(all.lines[0].average_price), text(all.slippage)),
        ("200".into(), "null".into(), "null".into())
    );
}

#[test]
fn only_the_last_word_of_a_released_rebalance_tells_it() {
    let mut house = House::automatic();
    let open = house.drift(DriftKind::Open);
    let outputs = house.window(vec![open]);
    let Output::RebalanceEvent(event) = &outputs[0] else { panic!("no event") };
    assert_eq!(event.execution, None);
}
