//! Reports and fills that contradict each other or an order: what they stop, and who settles them.

use crate::harness::{self, House, tell, units, words};
use domain::drift::RecentOrder;
use domain::enums::{CommandKind, DriftKind, OrderState, Side};
use domain::order::Order;

#[test]
fn fills_that_contradict_each_other_are_settled_by_a_person() {
    let mut house = House::automatic().opened();
    let sell = house.order(0);
    house.book.apply(&sell, units("200"));
    house.book.executed.get_mut(&sell.order_id).unwrap().contradicted = true;
    house.book.health.unreconciled = true;
    let stranger = rebalancer::orders::ids::order(&harness::portfolio(), 7, &sell.instrument_id, 1);
    let mut other = house.book.executed[&sell.order_id].clone();
    other.order_id = stranger;
    house.book.executed.insert(stranger, other);
    let inputs = vec![house.report(&sell, OrderState::Filled, "200"), house.filled()];
    let asked = house.window(inputs);
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), "", "no plan on a book that contradicts itself");
    let settle = house.reconcile(&sell, "200");
    assert_eq!(house.told(vec![settle]), "THRESHOLD RELEASED by c1");
    let unknown = house.command(CommandKind::Reconcile, &format!(r#""orders":[{{"order_id":"{stranger}","quantity":"200"}}]"#));
    assert_eq!(house.told(vec![unknown]), "MANUAL NO_ACTION_NEEDED by c2", "one that only the book remembers");
    for executed in house.book.executed.values_mut() {
        executed.contradicted = false;
    }
    house.book.health.unreconciled = false;
    let asked = house.pass(60).window(Vec::new());
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), "THRESHOLD RELEASED [BUY 200 BBB]\n  wave 2 NEW [BUY 200 BBB]");
}

#[test]
fn what_the_book_has_settled_first_is_settled() {
    for together in [true, false] {
        let mut house = House::automatic().completed();
        let buy = house.order(1);
        house.book.executed.get_mut(&buy.order_id).unwrap().contradicted = true;
        let disputed = house.filled();
        house.window(vec![disputed]);
        house.book.executed.get_mut(&buy.order_id).unwrap().contradicted = false;
        let settle = house.reconcile(&buy, "200");
        let answer = house.answer(&settle);
        let told = if together {
            house.told(vec![settle, answer])
        } else {
            house.window(vec![answer]);
            house.told(vec![settle])
        };
        assert_eq!(told, "THRESHOLD COMPLETED by c1");
        let again = house.reconcile(&buy, "200");
        assert_eq!(house.told(vec![again]), "MANUAL REFUSED NOTHING_TO_DO by c2");
    }
}

#[test]
fn an_execution_of_another_side_or_instrument_is_none_of_the_order() {
    for (side, instrument, strange) in [(Side::Buy, "AAA", true), (Side::Sell, "BBB", true), (Side::SellShort, "AAA", false)] {
        let mut house = House::automatic().opened();
        let sell = house.order(0);
        house.book.apply(&sell, units("200"));
        let executed = house.book.executed.get_mut(&sell.order_id).unwrap();
        (executed.side, executed.instrument_id) = (side, domain::InstrumentId::new(instrument).ok());
        let inputs = vec![house.report(&sell, OrderState::Filled, "200"), house.filled()];
        if !strange {
            assert_eq!(house.told(inputs), "refresh", "a router may not tell the two apart");
            continue;
        }
        assert_eq!(house.told(inputs), "THRESHOLD STUCK UNRECONCILED", "{side} {instrument}");
        assert_eq!(house.pass(60).idle(), "THRESHOLD STUCK DATA_GAP", "nothing of the order was executed");
        let settle = house.reconcile(&sell, "200");
        assert_eq!(house.told(vec![settle]), "THRESHOLD RELEASED by c1");
        let booked = house.filled();
        assert_eq!(house.told(vec![booked]), "THRESHOLD FAILED UNRECONCILED [SELL 200 AAA]", "said and settled once");
        let told = house.rebalanced();
        assert!(!told.contains("UNRECONCILED"), "{told}");
    }
}

/// A house whose sell the book has whole, and what it says of it.
fn sold() -> (House, Order, RecentOrder) {
    let mut house = House::automatic().opened();
    let sell = house.order(0);
    house.book.apply(&sell, units("200"));
    let right = house.book.executed[&sell.order_id].clone();
    (house, sell, right)
}

#[test]
fn a_strange_execution_that_the_book_takes_back_contradicts_nothing_any_more() {
    let (mut house, sell, right) = sold();
    let executed = house.book.executed.get_mut(&sell.order_id).unwrap();
    (executed.side, executed.contradicted) = (Side::Buy, true);
    let strange = house.filled();
    assert_eq!(house.told(vec![strange]), "THRESHOLD STUCK UNRECONCILED");
    house.book.executed.insert(sell.order_id, right);
    let taken_back = house.filled();
    assert_eq!(house.told(vec![taken_back]), "THRESHOLD RELEASED");
    let filled = house.report(&sell, OrderState::Filled, "200");
    let told = house.told(vec![filled]);
    assert_eq!(told, "THRESHOLD FAILED UNRECONCILED [SELL 200 AAA]", "the cycle that met it ends there");
    let told = house.rebalanced();
    assert!(!told.contains("UNRECONCILED"), "{told}");
}

#[test]
fn what_is_strange_for_a_moment_within_one_window_is_said() {
    let (mut house, sell, right) = sold();
    house.book.executed.get_mut(&sell.order_id).unwrap().executed_quantity = units("207");
    let beyond = house.filled();
    house.book.executed.insert(sell.order_id, right);
    let taken_back = house.filled();
    assert_eq!(house.told(vec![beyond, taken_back]), "THRESHOLD STUCK UNRECONCILED\nTHRESHOLD RELEASED");
}

#[test]
fn executions_beyond_an_order_that_the_book_takes_back_contradict_nothing_any_more() {
    let mut house = House::automatic().completed();
    let buy = house.order(1);
    house.book.apply(&buy, units("1"));
    let beyond = house.filled();
    assert_eq!(house.told(vec![beyond]), "THRESHOLD STUCK UNRECONCILED");
    house.book.executed.get_mut(&buy.order_id).unwrap().executed_quantity = units("200");
    let taken_back = house.filled();
    assert_eq!(house.told(vec![taken_back]), "THRESHOLD COMPLETED");
    let told = house.rebalanced();
    assert!(!told.contains("UNRECONCILED"), "{told}");
}

#[test]
fn a_contradiction_outlives_the_next_cycle_and_can_be_settled() {
    for by_person in [true, false] {
        let mut house = House::automatic().completed();
        let buy = house.order(1);
        house.book.hold(&[("AAA", "700"), ("BBB", "300")], "0");
        house.opening();
        let late = house.report(&buy, OrderState::Cancelled, "100");
        assert_eq!(house.told(vec![late]), "THRESHOLD STUCK UNRECONCILED");
        assert_eq!(tell(&house.fill(2)), "THRESHOLD FAILED UNRECONCILED [SELL 200 AAA]");
        house.restore();
        assert_eq!(house.rebalanced(), "MANUAL REFUSED UNRECONCILED by c1");
        if by_person {
            let settle = house.reconcile(&buy, "200");
            assert_eq!(house.told(vec![settle]), "THRESHOLD COMPLETED by c2");
        } else {
            let again = house.report(&buy, OrderState::Filled, "200");
            assert_eq!(house.told(vec![again]), "THRESHOLD COMPLETED", "reports and book agree after all");
        }
        let told = house.rebalanced();
        assert!(told.starts_with("MANUAL RELEASED"), "{told}");
        assert!(house.lane.role().desk(harness::PORTFOLIO).unwrap().unsettled.is_empty());
    }
}

#[test]
fn executions_beyond_an_order_of_the_cycle_before_can_be_settled() {
    let mut house = House::automatic().completed();
    let buy = house.order(1);
    house.book.hold(&[("AAA", "700"), ("BBB", "300")], "0");
    house.opening();
    house.book.apply(&buy, units("1"));
    let more = house.filled();
    assert_eq!(house.told(vec![more]), "THRESHOLD STUCK UNRECONCILED");
    house.fill(2);
    let filled = house.report(&buy, OrderState::Filled, "200");
    assert_eq!(house.told(vec![filled]), "", "a report settles no fills");
    let settle = house.reconcile(&buy, "200");
    assert_eq!(house.told(vec![settle]), "THRESHOLD COMPLETED by c1");
    let told = house.rebalanced();
    assert!(told.starts_with("MANUAL RELEASED"), "{told}");
}

#[test]
fn a_contradicted_cycle_is_said_to_be_stuck() {
    let mut house = House::automatic().opened();
    let much = house.report(&house.order(0), OrderState::PartFilled, "201");
    assert_eq!(house.told(vec![much]), "THRESHOLD STUCK UNRECONCILED");
    let rebalance = house.command(CommandKind::Rebalance, "");
    let outputs = house.window(vec![rebalance]);
    assert_eq!(tell(&outputs), "MANUAL REFUSED OPEN_CYCLE by c1");
    assert!(words(&outputs, 0).ends_with("is STUCK: settle it with RECONCILE first"), "{}", words(&outputs, 0));
    let cancel = house.command(CommandKind::Cancel, "");
    assert!(house.told(vec![cancel]).ends_with("THRESHOLD STUCK by c2"));
    // Asked once more there is nothing to ask back, and a person hears what helps.
    let cancel = house.command(CommandKind::Cancel, "");
    let outputs = house.window(vec![cancel]);
    assert_eq!(tell(&outputs), "MANUAL REFUSED NOTHING_TO_DO by c3");
    assert!(words(&outputs, 0).ends_with("each order was asked back or has ended; RECONCILE settles it"), "{}", words(&outputs, 0));
}

#[test]
fn a_halt_that_ends_while_the_lane_is_behind_has_asked_back() {
    let mut house = House::automatic().opened();
    house.behind = true;
    let halt = house.command(CommandKind::Halt, r#""scope":"PORTFOLIO""#);
    let resume = house.command(CommandKind::Resume, r#""scope":"PORTFOLIO""#);
    assert_eq!(house.told(vec![halt]), "  wave 2 CANCEL [SELL 200 AAA]");
    house.restore();
    assert_eq!(house.told(vec![resume]), "");
    house.behind = false;
    assert_eq!(house.idle(), "");
    let cancelled = house.report(&house.order(0), OrderState::Cancelled, "0");
    assert_eq!(house.told(vec![cancelled]), "THRESHOLD FAILED KILL_SWITCH [SELL 200 AAA]", "no buys follow");
}

#[test]
fn executions_that_the_book_never_sees_call_a_person_and_late_ones_end_the_cycle() {
    let mut house = House::with_cash();
    assert_eq!(house.opening(), "THRESHOLD RELEASED [BUY 200 BBB]\n  wave 1 NEW [BUY 200 BBB]");
    let buy = house.order(0);
    let filled = house.report(&buy, OrderState::Filled, "200");
    assert_eq!(house.told(vec![filled]), "");
    assert_eq!(house.pass(60).idle(), "THRESHOLD STUCK DATA_GAP");
    assert_eq!(house.pass(600).idle(), "");
    house.book.apply(&buy, units("200"));
    let booked = house.filled();
    assert_eq!(house.told(vec![booked]), "THRESHOLD COMPLETED [BUY 200 BBB]");
}

#[test]
fn reports_may_repeat_and_come_in_any_order() {
    let mut house = House::automatic().opened();
    let sell = house.order(0);
    house.book.apply(&sell, units("200"));
    let mut inputs = Vec::new();
    for (state, cum) in [
        (OrderState::PartFilled, "150"),
        (OrderState::Acknowledged, "0"),
        (OrderState::PartFilled, "50"),
        (OrderState::PartFilled, "150"),
        (OrderState::Filled, "200"),
        (OrderState::PartFilled, "199"),
        (OrderState::Filled, "200"),
        (OrderState::Acknowledged, "0"),
    ] {
        inputs.push(house.report(&sell, state, cum));
    }
    inputs.push(house.filled());
    assert_eq!(house.told(inputs), "refresh");
    assert_eq!(house.lane.totals().duplicates, 6);
}

#[test]
fn contradictions_stop_all_plans_until_a_person_has_looked() {
    for (first, second) in [
        ((OrderState::Cancelled, "100"), (OrderState::Filled, "200")),
        ((OrderState::Cancelled, "100"), (OrderState::PartFilled, "150")),
        ((OrderState::PartFilled, "150"), (OrderState::Cancelled, "100")),
        ((OrderState::PartFilled, "150"), (OrderState::PartFilled, "201")),
        ((OrderState::Acknowledged, "0"), (OrderState::Filled, "199")),
    ] {
        let mut house = House::automatic().opened();
        let sell = house.order(0);
        let inputs = vec![house.report(&sell, first.0, first.1), house.report(&sell, second.0, second.1)];
        assert_eq!(house.told(inputs), "THRESHOLD STUCK UNRECONCILED", "{first:?} {second:?}");
        house.book.apply(&sell, units("150"));
        let settle = house.command(CommandKind::Reconcile, &format!(r#""orders":[{{"order_id":"{}","quantity":"150"}}]"#, sell.order_id));
        let told = house.told(vec![settle]);
        assert!(told.starts_with("THRESHOLD RELEASED by c1"), "{told}");
        let booked = house.filled();
        assert_eq!(house.told(vec![booked]), "THRESHOLD FAILED UNRECONCILED [SELL 200 AAA]", "{first:?} {second:?}");
        let rearm = house.drift(DriftKind::Rearm);
        let told = house.told(vec![rearm]);
        assert!(told.starts_with("THRESHOLD RELEASED"), "{told}");
    }
}

#[test]
fn executions_beyond_the_order_stop_all_plans() {
    let mut house = House::automatic().opened();
    let sell = house.order(0);
    house.book.apply(&sell, units("201"));
    let booked = house.filled();
    assert_eq!(house.told(vec![booked]), "THRESHOLD STUCK UNRECONCILED");
    let filled = house.report(&sell, OrderState::Filled, "200");
    // The report alone contradicts the book as well: the order stays open until a person settles it.
    assert_eq!(house.told(vec![filled]), "");
    let rebalance = house.command(CommandKind::Rebalance, "");
    assert_eq!(house.told(vec![rebalance]), "MANUAL REFUSED OPEN_CYCLE by c1");
    let settle = house.command(CommandKind::Reconcile, &format!(r#""orders":[{{"order_id":"{}","quantity":"200"}}]"#, sell.order_id));
    let told = house.told(vec![settle]);
    assert_eq!(told, "THRESHOLD RELEASED by c2\nTHRESHOLD FAILED UNRECONCILED [SELL 200 AAA]");
    let rebalance = house.command(CommandKind::Rebalance, "");
    let answer = house.answer(&rebalance);
    let told = house.told(vec![rebalance, answer]);
    assert!(told.starts_with("MANUAL RELEASED by c3"), "{told}");
}

#[test]
fn a_late_contradiction_about_the_cycle_before_blocks_the_next() {
    let mut house = House::automatic().opened();
    let asked = house.fill(0);
    let answer = house.refreshed(&asked);
    house.window(vec![answer]);
    house.fill(1);
    let late = house.report(&house.order(1), OrderState::Cancelled, "100");
    assert_eq!(house.told(vec![late]), "THRESHOLD STUCK UNRECONCILED");
    house.book.hold(&[("AAA", "700"), ("BBB", "300")], "0");
    let open = house.drift(DriftKind::Open);
    assert_eq!(house.told(vec![open.clone()]), "THRESHOLD REFUSED UNRECONCILED");
    assert_eq!(house.told(vec![open.clone()]), "", "said once");
    let settle = format!(r#""orders":[{{"order_id":"{}","quantity":"200"}}]"#, house.order(1).order_id);
    let settle = house.command(CommandKind::Reconcile, &settle);
    assert_eq!(house.told(vec![settle]), "THRESHOLD COMPLETED by c1");
    let told = house.told(vec![open]);
    assert!(told.starts_with("THRESHOLD RELEASED"), "{told}");
}

#[test]
fn reports_of_no_order_of_ours_are_dead_letters() {
    let mut house = House::automatic().opened();
    let mut strange = house.order(0);
    strange.order_id = rebalancer::orders::ids::order(&harness::portfolio(), 7, &strange.instrument_id, 1);
    let mut unknown = house.report(&strange, OrderState::Filled, "1");
    assert_eq!(house.told(vec![unknown.clone()]), "dead letter INVALID_RECORD");
    strange.rebalance_id = rebalancer::orders::ids::rebalance(&harness::portfolio(), 7);
    unknown = house.report(&strange, OrderState::Filled, "1");
    assert_eq!(house.told(vec![unknown]), "dead letter INVALID_RECORD");
    let cycles = house.lane.role().desk(harness::PORTFOLIO).unwrap().cycles;
    assert_eq!(cycles, 7, "a cycle that another life has opened is not opened again");
    strange.portfolio_id = domain::PortfolioId::new("nobody").unwrap();
    unknown = house.report(&strange, OrderState::Filled, "1");
    assert_eq!(house.told(vec![unknown]), "dead letter INVALID_RECORD");
    assert!(house.lane.role().desk("nobody").is_none(), "strangers leave no state behind");
    let negative = house.report(&house.order(0), OrderState::PartFilled, "-1");
    assert_eq!(house.told(vec![negative]), "dead letter OUT_OF_RANGE");
    let nonsense = house.report(&house.order(0), OrderState::Unknown, "1");
    assert_eq!(house.told(vec![nonsense]), "dead letter UNKNOWN_ENUM");
}

#[test]
fn orders_that_no_rebalance_made_are_counted_and_ours_stay_ours() {
    use engine::Role as _;
    let mut house = House::automatic().completed();
    let strange = |house: &House| house.lane.role().stats(house.now).strange_orders;
    let ours = house.order(0);
    let stranger = rebalancer::orders::ids::order(&harness::portfolio(), 7, &ours.instrument_id, 1);
    let mut other = house.book.executed[&ours.order_id].clone();
    other.order_id = stranger;
    house.book.executed.insert(stranger, other);
    assert_eq!(strange(&house), Some(0));
    let told = house.filled();
    house.window(vec![told]);
    assert_eq!(strange(&house), Some(1));
    // Ours stay ours when a later rebalance has taken the place of theirs.
    for n in [2, 4] {
        house.book.hold(&[("AAA", "700"), ("BBB", "300")], "0");
        house.book.episode += 1;
        let told = house.pass(120).opening();
        assert!(told.contains("RELEASED"), "{told}");
        let asked = house.fill(n);
        let answer = house.refreshed(&asked);
        house.window(vec![answer]);
        house.fill(n + 1);
    }
    let told = house.filled();
    house.window(vec![told]);
    assert_eq!(strange(&house), Some(1));
    house.restore();
    assert_eq!(strange(&house), Some(1), "it is part of the image");
    house.book.executed.remove(&stranger);
    let told = house.filled();
    house.window(vec![told]);
    assert_eq!(strange(&house), Some(0), "its fills have left the window");
}
