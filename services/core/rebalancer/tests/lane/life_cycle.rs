//! The life of a released rebalance, edge by edge: events in, outputs told.

use crate::harness::{self, House, drift_mut, explained, tell, units, words};
use domain::command::Command;
use domain::enums::{CommandKind, DriftCause, DriftKind, OrderState};
use domain::{Input, Output};

#[test]
fn sells_leave_first_and_the_buys_follow_on_the_cash_that_came() {
    let mut house = House::automatic();
    assert_eq!(house.opening(), "THRESHOLD RELEASED [SELL 200 AAA]\n  wave 1 NEW [SELL 200 AAA]");
    let asked = house.fill(0);
    assert_eq!(tell(&asked), "refresh");
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), "THRESHOLD RELEASED [BUY 200 BBB]\n  wave 2 NEW [BUY 200 BBB]");
    let ended = house.fill(1);
    assert_eq!(tell(&ended), "THRESHOLD COMPLETED [SELL 200 AAA, BUY 200 BBB]");
    assert_eq!(house.lane.next_due(), None, "nothing is left to wait for");
    assert_eq!(house.pass(1_000_000).idle(), "");
}

#[test]
fn an_order_carries_what_a_router_needs() {
    let house = House::automatic().opened();
    let order = house.order(0);
    assert_eq!(order.valid_until, house.now.plus_seconds(300));
    assert_eq!(order.block_key, "AAA|SELL|2026-01-05T14");
    assert_eq!(order.expected_value.to_string(), "20000");
    assert_eq!(order.order_id, rebalancer::orders::ids::order(&harness::portfolio(), 1, &order.instrument_id, 1));
    assert_eq!(order.rebalance_id, rebalancer::orders::ids::rebalance(&harness::portfolio(), 1));
}

#[test]
fn together_means_one_wave() {
    let mut house = House::automatic();
    house.book.policy.as_mut().unwrap().orders.funding = domain::enums::Funding::Together;
    let both = "[SELL 200 AAA, BUY 200 BBB]";
    assert_eq!(house.opening(), format!("THRESHOLD RELEASED {both}\n  wave 1 NEW {both}"));
    assert_eq!(tell(&house.fill(0)), "");
    assert_eq!(tell(&house.fill(1)), format!("THRESHOLD COMPLETED {both}"));
}

#[test]
fn a_corporate_action_asks_back_the_orders_in_its_instrument_and_no_others() {
    let mut house = House::automatic();
    house.book.policy.as_mut().unwrap().orders.funding = domain::enums::Funding::Together;
    house.opening();
    let event = house.action("split", "BBB");
    let outputs = house.window(vec![event.clone()]);
    assert_eq!(tell(&outputs), "  wave 2 CANCEL [BUY 200 BBB]");
    let Output::OrderWave(wave) = &outputs[0] else { panic!("a wave") };
    assert_eq!(wave.funding_note.as_deref(), Some("corporate action split of BBB"));
    assert_eq!(tell(&house.window(vec![event])), "", "it is asked for once");
}

#[test]
fn buys_shrink_to_the_cash_of_a_sell_that_was_cut_short() {
    let mut house = House::automatic().opened();
    let sell = house.order(0);
    house.book.apply(&sell, units("50"));
    let inputs = vec![house.report(&sell, OrderState::Cancelled, "50"), house.filled()];
    let asked = house.window(inputs);
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), "THRESHOLD RELEASED [BUY 50 BBB]\n  wave 2 NEW [BUY 50 BBB]");
    assert_eq!(tell(&house.fill(1)), "THRESHOLD FAILED ORDER_FAILED [SELL 200 AAA, BUY 50 BBB]");
}

#[test]
fn a_rejected_sell_leaves_nothing_to_buy_with() {
    let mut house = House::automatic().opened();
    let rejected = vec![house.report(&house.order(0), OrderState::Rejected, "0")];
    let asked = house.window(rejected);
    let answer = house.refreshed(&asked);
    let ended = house.window(vec![answer]);
    assert_eq!(tell(&ended), "THRESHOLD RELEASED\nTHRESHOLD FAILED ORDER_FAILED [SELL 200 AAA]");
    let Output::RebalanceEvent(event) = &ended[1] else { panic!("an event") };
    let numbers: Vec<_> = event.explanation[0].numbers.iter().map(|n| format!("{}={}", n.name, n.value)).collect();
    assert_eq!(numbers, ["ordered=200", "executed=0", "applied=0"]);
    // AAA stands where it stood, outside its band: its order failed.
    assert_eq!(explained(&ended, 0), "AAA SKIP ORDER_FAILED, BBB SKIP INSUFFICIENT_FUNDS");
    assert_eq!(explained(&ended, 1), "AAA ORDER ORDER_FAILED, BBB SKIP INSUFFICIENT_FUNDS");
}

#[test]
fn what_short_sales_bring_buys_nothing() {
    let mut house = House::automatic();
    house.book.price("CCC", "100");
    house.book.hold(&[("AAA", "0"), ("BBB", "800"), ("CCC", "200")], "0");
    let policy = house.book.policy.as_mut().unwrap();
    (policy.orders.allow_short, policy.orders.max_gross) = (true, "2".parse().unwrap());
    (policy.targets[0].target_weight, policy.targets[1].target_weight) = ("-0.2".parse().unwrap(), "1".parse().unwrap());
    let sells = "[SELL_SHORT 200 AAA, SELL 200 CCC]";
    assert_eq!(house.opening(), format!("THRESHOLD RELEASED {sells}\n  wave 1 NEW {sells}"));
    let rejected = house.report(&house.order(1), OrderState::Rejected, "0");
    house.window(vec![rejected]);
    let asked = house.fill(0);
    let answer = house.refreshed(&asked);
    let ended = house.window(vec![answer]);
    assert_eq!(tell(&ended), format!("THRESHOLD RELEASED\nTHRESHOLD FAILED ORDER_FAILED {sells}"), "the cash there is was lent");
    assert_eq!(explained(&ended, 0), "AAA SKIP WITHIN_BAND, BBB SKIP INSUFFICIENT_FUNDS, CCC SKIP ORDER_FAILED");
}

#[test]
fn the_buys_go_no_further_than_the_book_needs_now() {
    let mut house = House::automatic().opened();
    let asked = house.fill(0);
    house.book.price("BBB", "110");
    let answer = house.refreshed(&asked);
    // 103,000 of equity: 51,500 of BBB are 18,500 more, though there is cash for 181.
    assert_eq!(house.told(vec![answer]), "THRESHOLD RELEASED [BUY 168 BBB]\n  wave 2 NEW [BUY 168 BBB]");
}

#[test]
fn buys_that_never_leave_get_their_reason() {
    let mut house = House::automatic().opened();
    house.book.policy.as_mut().unwrap().policy_version = 2;
    let ended = house.fill(0);
    assert_eq!(tell(&ended), "THRESHOLD FAILED POLICY_CHANGED [SELL 200 AAA]");
    assert_eq!(explained(&ended, 0), "AAA ORDER DRIFT_SELL, BBB SKIP POLICY_CHANGED");
}

#[test]
fn the_buys_wait_until_the_book_has_applied_the_sells() {
    let mut house = House::automatic().opened();
    let sell = house.order(0);
    let filled = house.report(&sell, OrderState::Filled, "200");
    assert_eq!(house.told(vec![filled]), "", "terminal, not applied");
    house.book.apply(&sell, units("120"));
    let part = house.filled();
    assert_eq!(house.told(vec![part]), "", "applied in part");
    house.book.apply(&sell, units("80"));
    let whole = house.filled();
    assert_eq!(house.told(vec![whole]), "refresh");
}

#[test]
fn an_answer_that_cannot_be_planned_on_is_asked_for_again_and_not_for_ever() {
    let mut house = House::automatic().opened();
    let mut asked = house.fill(0);
    house.book.health.quarantined = true;
    for again in 0..5 {
        let answer = house.refreshed(&asked);
        assert_eq!(house.told(vec![answer]), "", "try {again}");
        asked = house.pass(60).window(Vec::new());
    }
    assert_eq!(tell(&asked), "THRESHOLD FAILED QUARANTINED [SELL 200 AAA]");
}

#[test]
fn a_silent_order_is_asked_back_then_stuck_and_only_a_terminal_word_frees_it() {
    let mut house = House::automatic().opened();
    assert_eq!(house.pass(299).idle(), "");
    assert_eq!(house.pass(1).idle(), "  wave 2 CANCEL [SELL 200 AAA]");
    assert_eq!(house.pass(59).idle(), "");
    assert_eq!(house.pass(1).idle(), "THRESHOLD STUCK TIMED_OUT [SELL 200 AAA]");
    let stats = engine::Role::stats(house.lane.role(), house.now);
    assert_eq!((stats.open_cycles, stats.stuck_orders), (Some(1), Some(1)), "as gauges show it");
    assert_eq!(house.pass(1_000_000).idle(), "", "no order and no word follows a time-out");
    let worse = house.drift(DriftKind::Worse);
    assert_eq!(house.told(vec![worse]), "", "the cycle is open");
    let late = vec![house.report(&house.order(0), OrderState::Cancelled, "0")];
    let asked = house.window(late);
    let answer = house.refreshed(&asked);
    let ended = house.window(vec![answer]);
    assert_eq!(tell(&ended), "THRESHOLD RELEASED\nTHRESHOLD FAILED ORDER_FAILED [SELL 200 AAA]\nrefresh");
    let answer = house.refreshed(&ended);
    let planned = house.told(vec![answer]);
    assert!(planned.starts_with("THRESHOLD RELEASED [SELL 200 AAA]"), "what was worse meanwhile is planned by the book of now: {planned}");
}

#[test]
fn a_person_may_settle_what_is_stuck() {
    let mut house = House::automatic().opened();
    house.pass(300).idle();
    house.pass(60).idle();
    let sell = house.order(0);
    let unknown = house.command(CommandKind::Reconcile, &format!(r#""orders":[{{"order_id":"{}","quantity":"1"}}]"#, sell.rebalance_id));
    assert_eq!(house.told(vec![unknown]), "MANUAL REFUSED NOTHING_TO_DO by c1");
    let much = house.command(CommandKind::Reconcile, &format!(r#""orders":[{{"order_id":"{}","quantity":"201"}}]"#, sell.order_id));
    assert_eq!(house.told(vec![much]), "MANUAL REFUSED UNRECONCILED by c2");
    let right = house.command(CommandKind::Reconcile, &format!(r#""orders":[{{"order_id":"{}","quantity":"30"}}]"#, sell.order_id));
    assert_eq!(house.told(vec![right]), "THRESHOLD RELEASED by c3", "the executions of 30 are still to be booked");
    house.book.apply(&sell, units("30"));
    let booked = house.filled();
    assert_eq!(house.told(vec![booked]), "refresh");
    let cash = house.command(CommandKind::Reconcile, r#""cash":[{"currency":"USD","amount":"1"}]"#);
    assert_eq!(house.told(vec![cash.clone()]), "", "an outside book waits for the drift event in which it was compared");
    let answer = house.answer(&cash);
    assert_eq!(house.told(vec![answer]), "MANUAL NO_ACTION_NEEDED by c4");
}

#[test]
fn nobody_settles_what_is_in_no_doubt() {
    let mut house = House::automatic().opened();
    let sell = house.order(0);
    let early = house.reconcile(&sell, "0");
    let outputs = house.window(vec![early]);
    assert_eq!(tell(&outputs), "MANUAL REFUSED NOTHING_TO_DO by c1");
    assert!(words(&outputs, 0).contains("at work and not stuck"), "{}", words(&outputs, 0));
    house.fill(0);
    let late = house.reconcile(&sell, "200");
    let outputs = house.window(vec![late]);
    assert_eq!(tell(&outputs), "MANUAL REFUSED NOTHING_TO_DO by c2");
    assert!(words(&outputs, 0).contains("nothing contradicts"), "{}", words(&outputs, 0));
}

#[test]
fn a_policy_change_lets_open_orders_run_out_and_no_others_follow() {
    let mut house = House::automatic().opened();
    house.book.policy.as_mut().unwrap().policy_version = 2;
    let changed = house.filled();
    assert_eq!(house.told(vec![changed]), "");
    assert_eq!(tell(&house.fill(0)), "THRESHOLD FAILED POLICY_CHANGED [SELL 200 AAA]");
}

#[test]
fn a_halt_asks_back_what_it_covers_and_stops_what_follows() {
    for (scope, binds) in [
        (r#""scope":"FIRM""#, true),
        (r#""scope":"PORTFOLIO","target":"growth""#, true),
        (r#""scope":"STRATEGY","target":"momentum""#, true),
        (r#""scope":"INSTRUMENT","target":"AAA""#, true),
        (r#""scope":"INSTRUMENT","target":"BBB""#, false),
        (r#""scope":"PORTFOLIO","target":"income""#, false),
    ] {
        let mut house = House::automatic().opened();
        let mut halt = house.command(CommandKind::Halt, scope);
        let Input::Command(command) = &mut halt else { panic!("a command") };
        command.portfolio_id = None;
        let told = house.told(vec![halt.clone()]);
        assert_eq!(told, if binds { "  wave 2 CANCEL [SELL 200 AAA]" } else { "" }, "{scope}");
        assert_eq!(house.told(vec![halt]), "", "the same command acts once");
    }
}

#[test]
fn nothing_leaves_under_a_halt_and_resume_ends_it() {
    let mut house = House::automatic();
    let halt = house.command(CommandKind::Halt, r#""scope":"PORTFOLIO""#);
    assert_eq!(house.told(vec![halt]), "");
    assert_eq!(house.opening(), "THRESHOLD REFUSED KILL_SWITCH");
    let worse = house.drift(DriftKind::Worse);
    assert_eq!(house.told(vec![worse]), "", "said once in an episode");
    let other = house.command(CommandKind::Resume, r#""scope":"INSTRUMENT","target":"AAA""#);
    let resume = house.command(CommandKind::Resume, r#""scope":"PORTFOLIO""#);
    house.told(vec![other]);
    let worse = house.drift(DriftKind::Worse);
    assert_eq!(house.told(vec![worse]), "", "another halt was ended");
    house.told(vec![resume]);
    let told = house.opening();
    assert!(told.starts_with("THRESHOLD RELEASED"), "{told}");
}

#[test]
fn cancel_asks_back_and_frees_nothing_before_the_terminal_state() {
    let mut house = House::automatic().opened();
    let cancel = house.command(CommandKind::Cancel, "");
    assert_eq!(house.told(vec![cancel]), "  wave 2 CANCEL [SELL 200 AAA]\nTHRESHOLD RELEASED by c1");
    let rebalance = house.command(CommandKind::Rebalance, "");
    assert_eq!(house.told(vec![rebalance]), "MANUAL REFUSED OPEN_CYCLE by c2");
    let sell = house.order(0);
    house.book.apply(&sell, units("10"));
    let inputs = vec![house.filled(), house.report(&sell, OrderState::Cancelled, "10")];
    assert_eq!(house.told(inputs), "THRESHOLD FAILED ORDER_FAILED [SELL 200 AAA]");
    let nothing = house.command(CommandKind::Cancel, "");
    assert_eq!(house.told(vec![nothing]), "MANUAL REFUSED NOTHING_TO_DO by c3");
}

#[test]
fn a_cooldown_holds_back_thresholds_and_no_person() {
    let mut house = House::automatic();
    house.book.policy.as_mut().unwrap().trigger.cooldown_seconds = 600;
    let mut house = house.opened();
    let asked = house.fill(0);
    let answer = house.refreshed(&asked);
    house.window(vec![answer]);
    house.fill(1);
    house.book.hold(&[("AAA", "700"), ("BBB", "300")], "0");
    house.book.episode = 2;
    let open = house.drift(DriftKind::Open);
    let refused = house.window(vec![open]);
    assert_eq!(tell(&refused), "THRESHOLD REFUSED COOLDOWN");
    assert_eq!(explained(&refused, 0), "AAA SKIP COOLDOWN, BBB SKIP COOLDOWN");
    house.pass(599);
    assert_eq!(house.opening(), "", "said once in an episode");
    let check = house.command(CommandKind::Rebalance, r#""mode":"CHECK""#);
    let answer = house.answer(&check);
    assert_eq!(house.told(vec![check, answer]), "MANUAL PROPOSED by c1 [SELL 200 AAA, BUY 200 BBB]");
    let told = house.pass(1).opening();
    assert!(told.starts_with("THRESHOLD RELEASED"), "{told}");
}

#[test]
fn a_threshold_that_cannot_be_planned_is_said_once_and_a_person_is_always_answered() {
    let mut house = House::automatic();
    house.book.health.quarantined = true;
    assert_eq!(house.opening(), "THRESHOLD REFUSED QUARANTINED");
    let worse = house.drift(DriftKind::Worse);
    assert_eq!(house.told(vec![worse]), "");
    for number in 1..3 {
        let rebalance = house.command(CommandKind::Rebalance, "");
        let answer = house.answer(&rebalance);
        assert_eq!(house.told(vec![rebalance, answer]), format!("MANUAL REFUSED QUARANTINED by c{number}"));
    }
    house.book.episode = 2;
    assert_eq!(house.opening(), "THRESHOLD REFUSED QUARANTINED", "another episode");
    house.book.policy = None;
    house.book.episode = 3;
    assert_eq!(house.opening(), "THRESHOLD REFUSED DATA_GAP");
}

#[test]
fn a_book_in_balance_needs_nothing() {
    let mut house = House::automatic();
    house.book.hold(&[("AAA", "500"), ("BBB", "500")], "0");
    assert_eq!(house.opening(), "THRESHOLD NO_ACTION_NEEDED");
}

#[test]
fn nothing_is_decided_while_behind_and_old_drift_is_asked_for_anew() {
    let mut house = House::automatic();
    house.behind = true;
    assert_eq!(house.opening(), "");
    assert_eq!(house.pass(10).idle(), "");
    house.restore();
    house.behind = false;
    let told = house.idle();
    assert!(told.starts_with("THRESHOLD RELEASED"), "ten seconds are not old: {told}");

    let mut house = House::automatic();
    house.behind = true;
    house.opening();
    house.pass(61);
    house.behind = false;
    let asked = house.window(Vec::new());
    assert_eq!(tell(&asked), "refresh");
    let mut answer = house.refreshed(&asked);
    drift_mut(&mut answer).event = DriftKind::Requested;
    let told = house.told(vec![answer]);
    assert!(told.starts_with("THRESHOLD RELEASED"), "{told}");
}

#[test]
fn a_cleared_breach_that_was_held_opens_nothing() {
    let mut house = House::automatic();
    house.behind = true;
    house.opening();
    house.book.hold(&[("AAA", "500"), ("BBB", "500")], "0");
    let clear = house.drift(DriftKind::Clear);
    house.told(vec![clear]);
    house.behind = false;
    assert_eq!(house.idle(), "");
}

#[test]
fn held_drift_from_before_the_last_cycle_was_applied_opens_no_other() {
    let mut house = House::with_cash();
    house.opening();
    let buy = house.order(0);
    house.behind = true;
    let stale = house.drift(DriftKind::Worse);
    house.book.apply(&buy, units("200"));
    let inputs = vec![stale, house.report(&buy, OrderState::Filled, "200")];
    assert_eq!(house.told(inputs), "");
    // The execution is heard of by the answer to a command, so that the breach stays the newest drift.
    let rebalance = house.command(CommandKind::Rebalance, "");
    let answer = house.answer(&rebalance);
    house.told(vec![rebalance, answer]);
    house.behind = false;
    let told = house.idle();
    assert_eq!(told, "THRESHOLD COMPLETED [BUY 200 BBB]\nMANUAL NO_ACTION_NEEDED by c1\nrefresh");
}

#[test]
fn schedules_plan_every_line() {
    let mut house = House::automatic();
    let mut due = house.drift(DriftKind::Requested);
    drift_mut(&mut due).cause = Some(DriftCause::Schedule);
    let told = house.told(vec![due]);
    assert!(told.starts_with("SCHEDULED RELEASED"), "{told}");
}

#[test]
fn the_day_and_the_minute_are_counted() {
    let mut house = House::automatic();
    house.book.policy.as_mut().unwrap().limits.max_orders_per_minute = Some(1);
    house.book.policy.as_mut().unwrap().orders.funding = domain::enums::Funding::Together;
    let told = house.opening();
    assert_eq!(told.matches("SELL").count() + told.matches("BUY").count(), 2, "one order in event and wave: {told}");
}

#[test]
fn a_known_command_id_with_other_content_is_refused() {
    let mut house = House::with_cash();
    let otherwise = |input: &Input| {
        let Input::Command(command) = input else { unreachable!() };
        Input::Command(Box::new(Command { actor: "bob".into(), ..(**command).clone() }))
    };
    let halt = house.command(CommandKind::Halt, r#""scope":"PORTFOLIO""#);
    let Input::Command(command) = &halt else { unreachable!() };
    let resume = Input::Command(Box::new(Command { kind: CommandKind::Resume, ..(**command).clone() }));
    for kind in [CommandKind::Release, CommandKind::Cancel] {
        let asked = house.command(kind, "");
        house.window(vec![asked.clone()]);
        let duplicates = house.lane.totals().duplicates;
        assert_eq!(house.told(vec![asked.clone()]), "");
        assert_eq!(house.lane.totals().duplicates, duplicates + 1);
        assert_eq!(house.told(vec![otherwise(&asked)]), "dead letter DUPLICATE_CONFLICT");
    }
    assert_eq!(house.told(vec![halt, resume]), "dead letter DUPLICATE_CONFLICT");
    let told = house.rebalanced();
    assert!(told.contains("KILL_SWITCH"), "the halt stands: {told}");
}
