//! Orders that leave in slices, edge by edge: events in, outputs told. The lane's twin is put together from its image
//! before every window.

use crate::harness::{self, House, explained, proposal, tell, units, words};
use domain::enums::{CommandKind, DriftKind, Funding, MarketState, OrderState};
use domain::{InstrumentId, Output};

/// Fills the newest order, waits a minute, and answers what was asked; the outputs of the answer.
fn next(house: &mut House) -> Vec<Output> {
    house.restore_twin();
    let ended = house.fill(house.left.len() - 1);
    assert_eq!(tell(&ended), "", "the next slice waits for its time");
    due(house)
}

/// A minute later.
fn due(house: &mut House) -> Vec<Output> {
    house.restore_twin();
    let asked = house.pass(60).window(Vec::new());
    let answer = house.refreshed(&asked);
    house.restore_twin();
    house.window(vec![answer])
}

/// Something that happens in a house.
type Act = fn(&mut House) -> domain::Input;

fn instrument(id: &str) -> InstrumentId {
    InstrumentId::new(id).unwrap()
}

#[test]
fn a_large_order_leaves_in_waves_and_then_the_buys_do() {
    let mut house = House::sliced(r#""waves":3"#);
    assert_eq!(house.opening(), "THRESHOLD RELEASED [SELL 67 AAA]\n  wave 1 NEW [SELL 67 AAA]");
    let asked = house.fill(0);
    assert_eq!(tell(&asked), "", "the next slice waits for its time");
    assert_eq!(house.pass(59).idle(), "");
    let asked = house.pass(1).window(Vec::new());
    assert_eq!(tell(&asked), "refresh");
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), "THRESHOLD RELEASED [SELL 67 AAA]\n  wave 2 NEW [SELL 67 AAA]");
    assert_eq!(tell(&next(&mut house)), "THRESHOLD RELEASED [SELL 66 AAA]\n  wave 3 NEW [SELL 66 AAA]");
    // The last slice has left: the buys are asked for at once, and leave in slices as well.
    let asked = house.fill(2);
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), "THRESHOLD RELEASED [BUY 67 BBB]\n  wave 4 NEW [BUY 67 BBB]");
    next(&mut house);
    assert_eq!(tell(&next(&mut house)), "THRESHOLD RELEASED [BUY 66 BBB]\n  wave 6 NEW [BUY 66 BBB]");
    let ended = house.fill(5);
    assert!(tell(&ended).starts_with("THRESHOLD COMPLETED [SELL 67 AAA, SELL 67 AAA, SELL 66 AAA, BUY 67 BBB"), "{}", tell(&ended));
    assert_eq!(house.lane.next_due(), None, "nothing is left to wait for");
    let ids: std::collections::BTreeSet<_> = house.left.iter().map(|order| order.order_id).collect();
    assert_eq!(ids.len(), 6, "each slice is an order of its own");
}

#[test]
fn a_share_of_the_volume_is_the_size_of_a_slice_and_the_last_takes_the_rest() {
    let mut house = House::sliced(r#""participation":"0.0809""#);
    assert_eq!(house.opening(), "THRESHOLD RELEASED [SELL 80 AAA]\n  wave 1 NEW [SELL 80 AAA]");
    next(&mut house);
    assert_eq!(tell(&next(&mut house)), "THRESHOLD RELEASED [SELL 40 AAA]\n  wave 3 NEW [SELL 40 AAA]");
}

#[test]
fn an_order_of_the_bound_is_not_large_and_without_a_volume_none_is() {
    for (volume, told) in [(Some("2000"), "SELL 200 AAA"), (Some("1999.99999999"), "SELL 67 AAA"), (None, "SELL 200 AAA")] {
        let mut house = House::sliced(r#""waves":3"#);
        house.book.volumes.clear();
        volume.into_iter().for_each(|volume| house.book.volume("AAA", volume));
        assert_eq!(house.opening(), format!("THRESHOLD RELEASED [{told}]\n  wave 1 NEW [{told}]"), "{volume:?}");
    }
}

#[test]
fn together_means_slices_of_both_sides_in_one_wave() {
    let mut house = House::sliced(r#""waves":2"#);
    house.book.policy.as_mut().unwrap().orders.funding = Funding::Together;
    let both = "[SELL 100 AAA, BUY 100 BBB]";
    assert_eq!(house.opening(), format!("THRESHOLD RELEASED {both}\n  wave 1 NEW {both}"));
    house.fill(0);
    assert_eq!(house.pass(100).idle(), "", "a slice is at work still, and its time is not up");
    let asked = house.fill(1);
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), format!("THRESHOLD RELEASED {both}\n  wave 2 NEW {both}"));
}

#[test]
fn the_plan_of_slices_is_told_with_its_numbers() {
    let mut house = House::sliced(r#""waves":3"#);
    let open = house.drift(DriftKind::Open);
    let outputs = house.window(vec![open]);
    let Output::RebalanceEvent(event) = &outputs[0] else { panic!("no event") };
    let number = |name: &str| event.explanation[0].numbers.iter().find(|number| number.name == name).unwrap().value.clone();
    assert_eq!([number("ordered"), number("slices"), number("slice"), number("slice_interval_seconds")], ["-200", "3", "67", "60"]);
    assert_eq!([number("average_daily_volume"), number("above_volume")], ["1000", "0.1"]);
    assert!(words(&outputs, 0).ends_with("large orders leave in slices, the next no sooner than 2026-01-05T14:31:00Z"));
    assert_eq!(house.order(0).expected_value.to_string(), "6700");
}

#[test]
fn fees_are_expected_for_each_slice() {
    let mut house = House::sliced(r#""waves":3"#);
    house.book.policy.as_mut().unwrap().orders.fees.fixed = "1".parse().unwrap();
    let open = house.drift(DriftKind::Open);
    let outputs = house.window(vec![open]);
    let Output::RebalanceEvent(event) = &outputs[0] else { panic!("no event") };
    assert_eq!(event.expected_fees.unwrap().to_string(), "6", "three of the sell and three of the buy");
}

#[test]
fn each_slice_has_its_own_deadline_and_a_stuck_one_stops_the_next() {
    let mut house = House::sliced(r#""waves":3"#);
    house.opening();
    next(&mut house);
    let second = house.order(1);
    assert_eq!(second.valid_until, house.now.plus_seconds(300));
    assert_eq!(house.pass(299).idle(), "");
    assert_eq!(house.pass(1).idle(), "  wave 3 CANCEL [SELL 67 AAA]");
    let stuck = house.pass(60).idle();
    assert!(stuck.starts_with("THRESHOLD STUCK TIMED_OUT"), "{stuck}");
    assert_eq!(house.pass(3600).idle(), "");
    let settled = house.reconcile(&second, "0");
    let outputs = house.window(vec![settled]);
    assert!(tell(&outputs).ends_with("refresh"), "a person settles it, and the next slice is asked for: {}", tell(&outputs));
    let answer = house.refreshed(&outputs);
    assert_eq!(house.told(vec![answer]), "THRESHOLD RELEASED [SELL 66 AAA]\n  wave 4 NEW [SELL 66 AAA]", "no more than was planned");
}

#[test]
fn a_slice_that_ended_short_is_not_made_up_for() {
    let mut house = House::sliced(r#""waves":3"#);
    house.opening();
    let first = house.order(0);
    house.book.apply(&first, units("20"));
    let ended = vec![house.report(&first, OrderState::Expired, "20"), house.filled()];
    assert_eq!(house.told(ended), "");
    assert_eq!(tell(&due(&mut house)), "THRESHOLD RELEASED [SELL 67 AAA]\n  wave 2 NEW [SELL 67 AAA]");
    assert_eq!(tell(&next(&mut house)), "THRESHOLD RELEASED [SELL 66 AAA]\n  wave 3 NEW [SELL 66 AAA]");
}

#[test]
fn a_router_that_refuses_a_slice_gets_no_other() {
    let mut house = House::sliced(r#""waves":3"#);
    house.book.policy.as_mut().unwrap().orders.funding = Funding::Together;
    house.opening();
    let (sell, buy) = (house.order(0), house.order(1));
    house.book.apply(&buy, buy.quantity);
    let inputs = vec![house.report(&sell, OrderState::Rejected, "0"), house.report(&buy, OrderState::Filled, "67"), house.filled()];
    house.window(inputs);
    let outputs = due(&mut house);
    assert_eq!(tell(&outputs).lines().next(), Some("THRESHOLD RELEASED"), "nothing was sold: there is no cash for the buys");
    assert!(tell(&outputs).contains("FAILED ORDER_FAILED"), "{}", tell(&outputs));
    let Some(Output::RebalanceEvent(event)) = outputs.last() else { panic!("no event") };
    let told = event.explanation[0].numbers.iter().map(|n| format!("{}={}", n.name, n.value)).collect::<Vec<_>>().join(" ");
    assert_eq!(told, "ordered=67 executed=0 applied=0 kept_back=133");
}

#[test]
fn what_the_market_forbids_in_the_middle_is_kept_back_and_told() {
    for (state, code) in [(MarketState::Halted, "HALTED"), (MarketState::Closed, "MARKET_CLOSED")] {
        let mut house = House::sliced(r#""waves":3"#);
        house.book.policy.as_mut().unwrap().orders.funding = Funding::Together;
        house.opening();
        house.fill(0);
        house.fill(1);
        house.book.markets.insert(instrument("AAA"), state);
        let outputs = due(&mut house);
        let told = tell(&outputs);
        assert_eq!(explained(&outputs, 0), format!("AAA SKIP {code}, BBB SKIP INSUFFICIENT_FUNDS"));
        assert!(told.contains(&format!("THRESHOLD FAILED {code}")), "{told}");
        assert_eq!(words(&outputs, 1), format!("slices were kept back: 133 AAA ({code}), 133 BBB (INSUFFICIENT_FUNDS)"));
    }
}

#[test]
fn a_collar_and_limits_hold_for_each_slice() {
    let mut house = House::sliced(r#""waves":3"#);
    house.book.policy.as_mut().unwrap().limits.max_order_notional = Some("6700".parse().unwrap());
    assert_eq!(house.opening(), "THRESHOLD RELEASED [SELL 67 AAA]\n  wave 1 NEW [SELL 67 AAA]", "the whole order would be 20,000");
    house.fill(0);
    house.book.price("AAA", "101");
    let outputs = due(&mut house);
    assert_eq!(explained(&outputs, 0), "AAA SKIP ORDER_LIMIT, BBB SKIP OPEN_CYCLE");
    let mut house = House::sliced(r#""waves":3"#);
    house.opening();
    house.fill(0);
    house.book.price("AAA", "111");
    assert_eq!(explained(&due(&mut house), 0), "AAA SKIP PRICE_OUTLIER, BBB SKIP OPEN_CYCLE");
}

#[test]
fn a_limit_of_a_day_that_a_slice_meets_turns_releases_off() {
    let mut house = House::sliced(r#""waves":2"#);
    let policy = house.book.policy.as_mut().unwrap();
    (policy.limits.max_daily_notional, policy.orders.funding) = (Some("40000".parse().unwrap()), Funding::Together);
    assert_eq!(house.opening().lines().next(), Some("THRESHOLD RELEASED [SELL 100 AAA, BUY 100 BBB]"));
    house.fill(0);
    house.fill(1);
    // The slices that are left are worth 21,000 by now, and the day has 20,000 left.
    house.book.price("AAA", "105");
    house.book.price("BBB", "105");
    let outputs = due(&mut house);
    assert!(tell(&outputs).starts_with("THRESHOLD RELEASED ORDER_LIMIT"), "{}", tell(&outputs));
    assert!(words(&outputs, 0).starts_with("releases of this portfolio are off since"), "{}", words(&outputs, 0));
    assert_eq!(explained(&outputs, 0), "AAA ORDER DRIFT_SELL, BBB SKIP ORDER_LIMIT");
    assert!(house.lane.role().desk(harness::PORTFOLIO).unwrap().latch.is_some());
}

#[test]
fn a_goal_that_is_reached_ends_the_slices_well() {
    let mut house = House::sliced(r#""waves":3"#);
    house.opening();
    house.fill(0);
    // AAA fell so far that 67 sold are enough.
    house.book.price("AAA", "50");
    let outputs = due(&mut house);
    assert_eq!(tell(&outputs).lines().next(), Some("THRESHOLD RELEASED"));
    assert!(!tell(&outputs).contains("FAILED"), "{}", tell(&outputs));
}

#[test]
fn what_stops_a_cycle_stops_its_slices() {
    let stops: [(&str, Act); 3] = [
        ("ORDER_FAILED by c1", |house| house.command(CommandKind::Cancel, "")),
        ("KILL_SWITCH", |house| house.command(CommandKind::Halt, r#""scope":"PORTFOLIO""#)),
        ("POLICY_CHANGED", |house| {
            house.book.policy.as_mut().unwrap().policy_version = 2;
            house.drift(DriftKind::Requested)
        }),
    ];
    for (code, stop) in stops {
        let mut house = House::sliced(r#""waves":3"#);
        house.opening();
        house.fill(0);
        house.restore_twin();
        let input = stop(&mut house);
        let told = house.told(vec![input]);
        let failed = format!("THRESHOLD FAILED {}", code.split(' ').next().unwrap());
        assert!(told.contains(&failed), "{code}: {told}");
        assert_eq!(house.pass(100_000).idle(), "", "nothing follows");
        assert_eq!(house.left.len(), 1);
    }
}

#[test]
fn a_slice_at_work_is_asked_back_when_its_instrument_is_halted_and_none_follows() {
    let mut house = House::sliced(r#""waves":3"#);
    house.opening();
    let halt = house.command(CommandKind::Halt, r#""scope":"INSTRUMENT","target":"AAA""#);
    assert_eq!(house.told(vec![halt]), "  wave 2 CANCEL [SELL 67 AAA]");
    let first = house.order(0);
    let ended = house.report(&first, OrderState::Cancelled, "0");
    house.window(vec![ended]);
    let outputs = due(&mut house);
    assert_eq!(explained(&outputs, 0), "AAA SKIP KILL_SWITCH, BBB SKIP OPEN_CYCLE");
}

#[test]
fn slices_of_an_instrument_that_a_corporate_action_has_changed_leave_no_more() {
    let mut house = House::sliced(r#""waves":3"#);
    house.opening();
    house.fill(0);
    let event = house.action("split", "AAA");
    let asked = house.window(vec![event]);
    assert_eq!(tell(&asked), "refresh", "the buys follow what was sold");
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]).lines().next(), Some("THRESHOLD RELEASED [BUY 67 BBB]"));
    let ended = house.fill(1);
    assert_eq!(tell(&ended), "THRESHOLD FAILED ORDER_FAILED [SELL 67 AAA, BUY 67 BBB]");
    assert_eq!(words(&ended, 0), "slices were kept back: 133 AAA (ORDER_FAILED)");
}

#[test]
fn a_person_approves_the_whole_with_its_slices() {
    let mut house = House::approval();
    house.slice(r#""waves":3"#);
    let open = house.drift(DriftKind::Open);
    let put_up = house.window(vec![open]);
    assert_eq!(tell(&put_up), "THRESHOLD PENDING_APPROVAL [SELL 200 AAA, BUY 200 BBB]");
    let Output::RebalanceEvent(event) = &put_up[0] else { panic!("no event") };
    let numbers = &event.orders[0].numbers;
    assert!(numbers.iter().any(|number| number.name == "slices" && number.value == "3"), "{numbers:?}");
    assert!(
        words(&put_up, 0).ends_with("; in slices, 60 s apart at least: SELL 200 AAA by 67, BUY 200 BBB by 67"),
        "{}",
        words(&put_up, 0)
    );
    let named = proposal(&put_up);
    let approve = house.command(CommandKind::Approve, &named);
    let answer = house.answer(&approve);
    let told = house.told(vec![approve, answer]);
    assert!(told.ends_with("  wave 1 NEW [SELL 67 AAA]"), "{told}");
    assert_eq!(tell(&next(&mut house)), "THRESHOLD RELEASED [SELL 67 AAA]\n  wave 2 NEW [SELL 67 AAA]");
    // The third would leave further from the approved price than the approval bears.
    house.fill(1);
    house.book.price("AAA", "101");
    let outputs = due(&mut house);
    assert_eq!(explained(&outputs, 0), "AAA SKIP PRICE_OUTLIER, BBB SKIP OPEN_CYCLE");
}

#[test]
fn another_size_of_slices_is_another_proposal() {
    let mut house = House::approval();
    house.slice(r#""participation":"0.08""#);
    let open = house.drift(DriftKind::Open);
    let first = proposal(&house.window(vec![open]));
    house.book.volume("AAA", "900");
    let worse = house.drift(DriftKind::Worse);
    let second = proposal(&house.window(vec![worse]));
    assert_ne!(first, second);
}

#[test]
fn more_orders_than_a_rebalance_has_are_refused_with_what_to_do() {
    let mut house = House::sliced(r#""participation":"0.00001""#);
    house.book.hold(&[("AAA", "7000"), ("BBB", "3000")], "0");
    let open = house.drift(DriftKind::Open);
    let outputs = house.window(vec![open]);
    assert_eq!(tell(&outputs), "THRESHOLD REFUSED ORDER_LIMIT");
    assert!(words(&outputs, 0).contains("raise orders.slicing.participation"), "{}", words(&outputs, 0));
    assert!(words(&outputs, 0).contains("4000 orders"), "{}", words(&outputs, 0));
}
