//! Limits that latch: one below, at and above each of them, what stands still afterwards, and what sets it going.

use crate::harness::{self, House, explained, proposal, tell, words};
use domain::enums::{CommandKind, DriftKind, Funding};
use domain::{Input, Output};
use engine::Role;

/// A house that would sell 200 AAA and buy 200 BBB, worth 20,000 each, under these limits.
fn house(daily: &str, per_minute: i32) -> House {
    let mut house = House::automatic();
    let limits = &mut house.book.policy.as_mut().unwrap().limits;
    limits.max_daily_notional = Some(daily.parse().unwrap());
    limits.max_orders_per_minute = Some(per_minute);
    house.restore_twin();
    house
}

fn latched(house: &House) -> bool {
    let stats = house.lane.role().stats(house.now);
    let desk = house.lane.role().desk(harness::PORTFOLIO).unwrap();
    assert_eq!(stats.latched_portfolios, Some(usize::from(desk.latch.is_some())), "as gauges show it");
    desk.latch.is_some()
}

/// The sells are filled and the buys are asked for; what follows, told.
fn sold(house: &mut House) -> String {
    let asked = house.fill(0);
    if tell(&asked) != "refresh" {
        return tell(&asked);
    }
    let answer = house.refreshed(&asked);
    house.told(vec![answer])
}

#[test]
fn below_and_at_a_limit_nothing_latches() {
    for (daily, per_minute) in [("40000.0000000001", 10), ("40000", 10), ("1000000", 3), ("1000000", 2)] {
        let mut house = house(daily, per_minute);
        assert_eq!(house.opening(), "THRESHOLD RELEASED [SELL 200 AAA]\n  wave 1 NEW [SELL 200 AAA]");
        assert!(!latched(&house), "{daily} {per_minute}");
        assert_eq!(sold(&mut house), "THRESHOLD RELEASED [BUY 200 BBB]\n  wave 2 NEW [BUY 200 BBB]");
        assert!(!latched(&house), "{daily} {per_minute}");
    }
}

#[test]
fn an_order_that_a_limit_keeps_back_is_the_last_word() {
    let day = "max_daily_notional 39999.9999999999 was met (0 released since the day cut, 40000 to be released)";
    let minute = "max_orders_per_minute 1 was met (0 orders in the last 60 s, 2 to be released)";
    for (daily, per_minute, met) in [("39999.9999999999", 10, day), ("1000000", 1, minute)] {
        let mut house = house(daily, per_minute);
        let open = house.drift(DriftKind::Open);
        let outputs = house.window(vec![open]);
        // What the limit leaves room for goes; it is the rest that does not.
        assert_eq!(tell(&outputs), "THRESHOLD RELEASED ORDER_LIMIT [SELL 200 AAA]\n  wave 1 NEW [SELL 200 AAA]");
        assert_eq!(explained(&outputs, 0), "AAA ORDER DRIFT_SELL, BBB SKIP ORDER_LIMIT");
        assert!(
            words(&outputs, 0).contains(met) && words(&outputs, 0).contains("RESUME it with scope PORTFOLIO"),
            "{}",
            words(&outputs, 0)
        );
        assert!(latched(&house));
        assert_eq!(sold(&mut house), "THRESHOLD COMPLETED [SELL 200 AAA]");
    }
}

#[test]
fn buys_that_wait_do_not_follow_until_a_person_resumes() {
    for resumed in [false, true] {
        let mut house = house("1000000", 2);
        house.book.price("CCC", "100");
        house.book.hold(&[("AAA", "1000"), ("BBB", "0"), ("CCC", "0")], "0");
        let targets = r#"[{"instrument_id":"AAA","target_weight":"0.5"},{"instrument_id":"BBB","target_weight":"0.3"},
            {"instrument_id":"CCC","target_weight":"0.2"}]"#;
        house.book.policy.as_mut().unwrap().targets = serde_json::from_str(targets).unwrap();
        assert_eq!(house.opening(), "THRESHOLD RELEASED ORDER_LIMIT [SELL 500 AAA]\n  wave 1 NEW [SELL 500 AAA]");
        assert!(latched(&house), "CCC was one order too many");
        if resumed {
            let resume = house.command(CommandKind::Resume, r#""scope":"PORTFOLIO""#);
            house.window(vec![resume]);
        }
        let told = sold(&mut house);
        let off = "THRESHOLD FAILED KILL_SWITCH [SELL 500 AAA]";
        assert_eq!(told, if resumed { "THRESHOLD RELEASED [BUY 300 BBB]\n  wave 2 NEW [BUY 300 BBB]" } else { off });
    }
}

#[test]
fn all_that_was_to_leave_may_be_kept_back() {
    let mut house = house("19999", 10);
    let open = house.drift(DriftKind::Open);
    let outputs = house.window(vec![open]);
    assert_eq!(tell(&outputs), "THRESHOLD REFUSED ORDER_LIMIT");
    assert_eq!(explained(&outputs, 0), "AAA SKIP ORDER_LIMIT, BBB SKIP ORDER_LIMIT");
    assert!(latched(&house));
}

/// A house whose releases are off, with nothing open.
fn shut() -> House {
    let mut house = house("19999", 10);
    house.opening();
    assert!(latched(&house));
    house.restore();
    house.book.policy.as_mut().unwrap().limits.max_daily_notional = Some("1000000".parse().unwrap());
    house
}

#[test]
fn everything_is_refused_until_a_resume_of_that_portfolio() {
    let mut house = shut();
    let worse = house.drift(DriftKind::Worse);
    let outputs = house.window(vec![worse]);
    assert_eq!(tell(&outputs), "THRESHOLD REFUSED KILL_SWITCH");
    let text = words(&outputs, 0);
    assert!(text.starts_with("releases of this portfolio are off since 2026-01-05T14:30:00Z: max_daily_notional 19999 was met"), "{text}");
    let worse = house.drift(DriftKind::Worse);
    assert_eq!(house.told(vec![worse]), "", "of an episode once");
    for mode in ["AUTOMATIC", "APPROVAL", "CHECK"] {
        let asked = house.command(CommandKind::Rebalance, &format!(r#""mode":"{mode}""#));
        let answer = house.answer(&asked);
        let told = house.told(vec![asked, answer]);
        assert!(told.starts_with("MANUAL REFUSED KILL_SWITCH by "), "{told}");
    }
    // A day later it is off as well: no time passes that would lift it.
    house.pass(86_400);
    assert!(house.rebalanced().contains("KILL_SWITCH"));
    for scope in [r#""scope":"INSTRUMENT","target":"AAA""#, r#""scope":"STRATEGY","target":"x""#] {
        let resume = house.command(CommandKind::Resume, scope);
        house.window(vec![resume]);
        assert!(latched(&house), "{scope}");
    }
    let mut firm = house.command(CommandKind::Resume, r#""scope":"FIRM""#);
    let Input::Command(command) = &mut firm else { unreachable!() };
    command.portfolio_id = None;
    house.window(vec![firm]);
    assert!(latched(&house), "a wider RESUME says nothing of what this portfolio has released");
    let resume = house.command(CommandKind::Resume, r#""scope":"PORTFOLIO""#);
    assert_eq!(house.told(vec![resume]), "");
    assert!(!latched(&house));
    assert!(house.rebalanced().starts_with("MANUAL RELEASED by "));
}

#[test]
fn a_resume_for_every_lane_names_the_portfolio() {
    let mut house = shut();
    for (target, still) in [("other", true), (harness::PORTFOLIO, false)] {
        let mut resume = house.command(CommandKind::Resume, &format!(r#""scope":"PORTFOLIO","target":"{target}""#));
        let Input::Command(command) = &mut resume else { unreachable!() };
        command.portfolio_id = None;
        house.window(vec![resume]);
        assert_eq!(latched(&house), still, "{target}");
    }
}

#[test]
fn a_limit_that_is_still_used_up_latches_again() {
    let mut house = house("30000", 10);
    house.opening();
    house.fill(0);
    let resume = house.command(CommandKind::Resume, r#""scope":"PORTFOLIO""#);
    house.window(vec![resume.clone()]);
    let letters = |outputs: &[Output]| outputs.iter().filter(|output| matches!(output, Output::DeadLetter(_))).count();
    assert_eq!(letters(&house.window(vec![resume.clone()])), 0, "a repeat of what holds");
    let told = house.rebalanced();
    assert!(told.starts_with("MANUAL REFUSED ORDER_LIMIT"), "{told}");
    assert!(latched(&house));
    // The same RESUME sets nothing free again, and does not go as if it had.
    assert_eq!((letters(&house.window(vec![resume])), latched(&house)), (1, true));
}

#[test]
fn what_persons_approve_and_a_limit_of_one_order_latch_nothing() {
    let mut house = house("30000", 10);
    let asked = house.command(CommandKind::Rebalance, r#""mode":"APPROVAL""#);
    let answer = house.answer(&asked);
    let put_up = house.window(vec![asked, answer]);
    assert_eq!(tell(&put_up), "MANUAL PENDING_APPROVAL by c1 [SELL 200 AAA]");
    let approve = house.command(CommandKind::Approve, &proposal(&put_up));
    let answer = house.answer(&approve);
    assert!(house.told(vec![approve, answer]).contains("RELEASED by c2 [SELL 200 AAA]"));
    assert!(!latched(&house));
    let mut house = House::automatic();
    house.book.policy.as_mut().unwrap().limits.max_order_notional = Some("19999".parse().unwrap());
    assert_eq!(house.opening(), "THRESHOLD NO_ACTION_NEEDED");
    assert!(!latched(&house));
}

#[test]
fn the_second_wave_meets_a_limit_of_its_own() {
    let mut house = house("40000", 10).opened();
    house.book.policy.as_mut().unwrap().limits.max_daily_notional = Some("39999".parse().unwrap());
    let asked = house.fill(0);
    let answer = house.refreshed(&asked);
    let outputs = house.window(vec![answer]);
    assert!(tell(&outputs).starts_with("THRESHOLD RELEASED ORDER_LIMIT\nTHRESHOLD FAILED ORDER_LIMIT"), "{}", tell(&outputs));
    assert!(words(&outputs, 0).contains("max_daily_notional 39999 was met (20000 released since the day cut, 20000 to be released)"));
    assert!(latched(&house));
}

#[test]
fn a_shadow_goes_on_and_latches_nothing() {
    let mut house = shut();
    let policy = house.book.policy.as_mut().unwrap();
    let mut shadow = domain::policy::Shadow { targets: policy.targets.clone(), ..Default::default() };
    shadow.limits.max_daily_notional = Some("30000".parse().unwrap());
    shadow.orders.funding = Funding::Together;
    policy.shadow = Some(Box::new(shadow));
    let mut open = house.drift(DriftKind::Open);
    harness::drift_mut(&mut open).shadow = true;
    assert_eq!(house.told(vec![open]), "THRESHOLD PROPOSED shadow [SELL 200 AAA]");
    let resume = house.command(CommandKind::Resume, r#""scope":"PORTFOLIO""#);
    let outputs = house.window(vec![resume]);
    assert!(!latched(&house) && !outputs.iter().any(|output| matches!(output, Output::OrderWave(_))));
}
