//! The end of a cooldown: a breach that was refused within it is looked at again then, on the book of that moment,
//! once, and where it is gone nothing is said.

use crate::harness::{self, House, tell, words};
use domain::enums::{CommandKind, DriftKind};

/// A house whose first cycle has ended this moment and whose book is out again, which was refused.
fn refused_within_ten_minutes() -> House {
    let mut house = House::automatic();
    house.book.policy.as_mut().unwrap().trigger.cooldown_seconds = 600;
    let mut house = house.completed();
    house.book.hold(&[("AAA", "700"), ("BBB", "300")], "0");
    house.book.episode = 2;
    assert_eq!(house.opening(), "THRESHOLD REFUSED COOLDOWN");
    house
}

const PLANNED: &str = "THRESHOLD RELEASED [SELL 200 AAA]\n  wave 1 NEW [SELL 200 AAA]";

#[test]
fn it_is_asked_for_at_the_end_and_planned_on_the_answer() {
    for late in [0, 1] {
        let mut house = refused_within_ten_minutes();
        assert_eq!(house.pass(599).idle(), "", "one second before");
        let asked = house.pass(1 + late).window(Vec::new());
        assert_eq!(tell(&asked), "refresh", "{late} seconds after the end");
        assert_eq!(house.pass(1).idle(), "", "it is asked once");
        let answer = house.refreshed(&asked);
        assert_eq!(house.told(vec![answer]), PLANNED);
        assert_eq!(house.pass(1).idle(), "");
    }
}

#[test]
fn a_restart_forgets_neither_the_end_nor_the_question() {
    let mut house = refused_within_ten_minutes();
    house.restore();
    assert_eq!(house.pass(599).idle(), "");
    house.restore();
    let asked = house.pass(1).window(Vec::new());
    assert_eq!(tell(&asked), "refresh");
    house.restore();
    assert_eq!(house.idle(), "");
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), PLANNED);
}

#[test]
fn a_lane_that_is_behind_asks_when_it_is_not() {
    let mut house = refused_within_ten_minutes();
    house.behind = true;
    assert_eq!(house.pass(700).idle(), "");
    house.behind = false;
    assert_eq!(house.pass(1).idle(), "refresh");
}

#[test]
fn what_is_gone_by_then_is_nothing_to_speak_of() {
    // It went without a word, since it stopped inside its bounds and outside its clear level.
    let mut house = refused_within_ten_minutes();
    let asked = house.pass(600).window(Vec::new());
    house.book.hold(&[("AAA", "545"), ("BBB", "455")], "0");
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), "");
    // It was cleared before, or between question and answer.
    for asked_first in [false, true] {
        let mut house = refused_within_ten_minutes();
        let asked = if asked_first { house.pass(600).window(Vec::new()) } else { Vec::new() };
        house.book.hold(&[("AAA", "500"), ("BBB", "500")], "0");
        let clear = house.drift(DriftKind::Clear);
        assert_eq!(house.told(vec![clear]), "");
        assert_eq!(house.pass(600).idle(), "");
        if asked_first {
            let answer = house.refreshed(&asked);
            assert_eq!(house.told(vec![answer]), "");
        }
    }
}

#[test]
fn a_breach_that_is_said_at_the_end_is_planned_once() {
    let mut house = refused_within_ten_minutes();
    house.pass(600);
    let worse = house.drift(DriftKind::Worse);
    assert_eq!(house.told(vec![worse]), PLANNED);
    // Said between the question and its answer.
    let mut house = refused_within_ten_minutes();
    let asked = house.pass(600).window(Vec::new());
    let rearm = house.drift(DriftKind::Rearm);
    assert_eq!(house.told(vec![rearm]), PLANNED);
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), "");
}

#[test]
fn another_policy_says_what_is_out_by_its_rules_itself() {
    let mut house = refused_within_ten_minutes();
    house.book.policy.as_mut().unwrap().policy_version = 2;
    let requested = house.drift(DriftKind::Requested);
    assert_eq!(house.told(vec![requested]), "");
    assert_eq!(house.pass(600).idle(), "");
    // One that takes all targets away would make a plan that sells everything.
    let mut house = refused_within_ten_minutes();
    let asked = house.pass(600).window(Vec::new());
    let policy = house.book.policy.as_mut().unwrap();
    policy.policy_version = 2;
    policy.targets.clear();
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), "");
    let mut house = refused_within_ten_minutes();
    house.book.policy = None;
    let closed = house.drift(DriftKind::Requested);
    assert_eq!(house.told(vec![closed]), "");
    assert_eq!(house.pass(600).idle(), "");
}

#[test]
fn a_cycle_in_between_begins_another_cooldown() {
    let mut house = refused_within_ten_minutes();
    house.pass(300);
    let rebalance = house.command(CommandKind::Rebalance, r#""mode":"APPROVAL""#);
    let answer = house.answer(&rebalance);
    let put_up = house.window(vec![rebalance, answer]);
    assert!(tell(&put_up).starts_with("MANUAL PENDING_APPROVAL"), "{}", tell(&put_up));
    assert_eq!(house.pass(300).idle(), "", "a proposal waits");
    let reject = house.command(CommandKind::Reject, &harness::proposal(&put_up));
    assert!(house.told(vec![reject]).starts_with("MANUAL REJECTED"));
    assert_eq!(house.pass(599).idle(), "");
    let asked = house.pass(1).window(Vec::new());
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), PLANNED);
}

#[test]
fn a_book_that_cannot_be_planned_then_is_told_so_once() {
    let mut house = refused_within_ten_minutes();
    let asked = house.pass(600).window(Vec::new());
    house.book.health.quarantined = true;
    let answer = house.refreshed(&asked);
    let refused = house.window(vec![answer]);
    assert_eq!(tell(&refused), "THRESHOLD REFUSED QUARANTINED");
    assert_eq!(house.pass(600).idle(), "", "the next look is at the next breach that is said");
    assert!(!words(&refused, 0).is_empty());
}

#[test]
fn an_answer_that_comes_too_late_is_asked_for_anew() {
    let mut house = refused_within_ten_minutes();
    let asked = house.pass(600).window(Vec::new());
    let answer = house.refreshed(&asked);
    let again = house.pass(120).window(vec![answer]);
    assert_eq!(tell(&again), "refresh", "the process was down in between");
    let answer = house.refreshed(&again);
    assert_eq!(house.told(vec![answer]), PLANNED);
}

#[test]
fn what_is_refused_for_another_reason_meanwhile_is_looked_at_too() {
    let mut house = refused_within_ten_minutes();
    house.pass(300).book.health.quarantined = true;
    let worse = house.drift(DriftKind::Worse);
    assert_eq!(house.told(vec![worse]), "", "of an episode one refusal is told");
    house.book.health.quarantined = false;
    assert_eq!(house.pass(299).idle(), "");
    let asked = house.pass(1).window(Vec::new());
    assert_eq!(tell(&asked), "refresh");
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), PLANNED);
}
