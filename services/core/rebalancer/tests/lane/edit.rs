//! Proposals that a person edits: what becomes of the quantities, who is named, and what is refused.

use crate::harness::{self, House, explained, proposal, tell, words};
use domain::enums::{CommandKind, DriftKind};
use domain::{Input, Output};

/// A house with a proposal of a policy with these fields: SELL 200 AAA, BUY 200 BBB, unless they say otherwise.
fn proposed(policy: &str) -> (House, String) {
    let mut house = House::new(&format!(r#""trigger":{{"mode":"APPROVAL"}}{policy}"#));
    let open = house.drift(DriftKind::Open);
    let outputs = house.window(vec![open]);
    assert!(tell(&outputs).starts_with("THRESHOLD PENDING_APPROVAL"), "{}", tell(&outputs));
    let named = proposal(&outputs);
    (house, named)
}

fn orders(orders: &[(&str, &str)]) -> String {
    let all: Vec<_> = orders.iter().map(|(id, units)| format!(r#"{{"instrument_id":"{id}","quantity":"{units}"}}"#)).collect();
    format!(r#""orders":[{}]"#, all.join(","))
}

/// An EDIT and the book's answer to it.
fn edit(house: &mut House, named: &str, orders: &str) -> Vec<Output> {
    let edit = house.command(CommandKind::Edit, &format!(r#"{named},"reason":"too much at once",{orders}"#));
    let answer = house.answer(&edit);
    house.window(vec![edit, answer])
}

fn approve(house: &mut House, named: &str) -> Vec<Output> {
    let approve = house.command(CommandKind::Approve, named);
    let answer = house.answer(&approve);
    house.window(vec![approve, answer])
}

#[test]
fn what_a_person_writes_becomes_the_proposal() {
    let (mut house, named) = proposed("");
    let outputs = edit(&mut house, &named, &orders(&[("AAA", "150"), ("BBB", "100")]));
    assert_eq!(tell(&outputs), "THRESHOLD PENDING_APPROVAL by c1 [SELL 150 AAA, BUY 100 BBB]");
    assert_eq!(explained(&outputs, 0), "AAA CUT EDITED, BBB CUT EDITED");
    let said = words(&outputs, 0);
    assert!(said.ends_with("; ann edited it: AAA 200 to 150, BBB 200 to 100 (too much at once)"), "{said}");
    let edited = proposal(&outputs);
    assert_ne!(edited, named);
    let old = approve(&mut house, &named);
    assert_eq!(tell(&old), "MANUAL REFUSED STALE_PROPOSAL by c2");
    let outputs = approve(&mut house, &edited);
    assert_eq!(
        tell(&outputs),
        "THRESHOLD APPROVED by c3 [SELL 150 AAA, BUY 100 BBB]\nTHRESHOLD RELEASED by c3 [SELL 150 AAA]\n  wave 1 NEW [SELL 150 AAA]"
    );
    assert_eq!(words(&outputs, 0), "as ann edited it");
    assert_eq!(explained(&outputs, 0), "AAA CUT EDITED, BBB CUT EDITED");
    let asked = house.fill(0);
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), "THRESHOLD RELEASED [BUY 100 BBB]\n  wave 2 NEW [BUY 100 BBB]");
}

#[test]
fn zero_strikes_an_order_out_and_nothing_left_is_a_reject() {
    let (mut house, named) = proposed("");
    let outputs = edit(&mut house, &named, &orders(&[("BBB", "0")]));
    assert_eq!(tell(&outputs), "THRESHOLD PENDING_APPROVAL by c1 [SELL 200 AAA]");
    assert_eq!(explained(&outputs, 0), "AAA ORDER DRIFT_SELL, BBB SKIP EDITED");
    let named = proposal(&outputs);
    let outputs = edit(&mut house, &named, &orders(&[("AAA", "0")]));
    assert_eq!(tell(&outputs), "MANUAL REFUSED NOTHING_TO_DO by c2");
    assert!(words(&outputs, 0).contains("send a REJECT"));
    let outputs = approve(&mut house, &named);
    assert!(tell(&outputs).ends_with("wave 1 NEW [SELL 200 AAA]"), "{}", tell(&outputs));
    assert_eq!(explained(&outputs, 0), "AAA ORDER DRIFT_SELL, BBB SKIP EDITED");
}

#[test]
fn an_order_is_raised_as_far_as_the_policy_would_go_and_the_cash_reaches() {
    // 200 of BBB are wanted, and a tenth of the equity stays in cash: 100 can be paid for.
    for (to, told) in
        [("100", "THRESHOLD PENDING_APPROVAL by c2 [SELL 200 AAA, BUY 100 BBB]"), ("101", "MANUAL REFUSED CASH_SHORTAGE by c2")]
    {
        let (mut house, named) = proposed(r#","orders":{"cash_reserve":"0.1"}"#);
        let lowered = edit(&mut house, &named, &orders(&[("BBB", "50")]));
        assert_eq!(tell(&lowered), "THRESHOLD PENDING_APPROVAL by c1 [SELL 200 AAA, BUY 50 BBB]");
        let outputs = edit(&mut house, &proposal(&lowered), &orders(&[("BBB", to)]));
        assert_eq!(tell(&outputs), told);
        if to == "100" {
            assert_eq!(explained(&outputs, 0), "AAA ORDER DRIFT_SELL, BBB ORDER EDITED");
        }
    }
    let (mut house, named) = proposed("");
    let outputs = edit(&mut house, &named, &orders(&[("AAA", "201")]));
    assert_eq!(tell(&outputs), "MANUAL REFUSED WITHIN_BAND by c1");
    assert_eq!(
        words(&outputs, 0),
        "of SELL 201 AAA only 200 would pass (WITHIN_BAND) by limits, cash, lots and the goal of the policy: nothing was changed"
    );
}

#[test]
fn a_limit_that_would_break_refuses_the_whole_edit_and_the_proposal_stays() {
    for (policy, changes, code) in [
        (r#","orders":{"min_notional":"5000"}"#, vec![("AAA", "49")], "BELOW_MIN_NOTIONAL"),
        ("", vec![("AAA", "10.5")], "ROUNDED_TO_ZERO"),
        ("", vec![("AAA", "100"), ("BBB", "150")], "CASH_SHORTAGE"),
        (r#","orders":{"funding":"TOGETHER","cash_reserve":"0.01"}"#, vec![("BBB", "191")], "CASH_SHORTAGE"),
    ] {
        let (mut house, named) = proposed(policy);
        let outputs = edit(&mut house, &named, &orders(&changes));
        assert_eq!(tell(&outputs), format!("MANUAL REFUSED {code} by c1"), "{policy} {changes:?}: {}", words(&outputs, 0));
        assert!(words(&outputs, 0).ends_with("nothing was changed"), "{}", words(&outputs, 0));
        let told = tell(&approve(&mut house, &named));
        assert!(told.starts_with("THRESHOLD APPROVED by c2 [SELL 200 AAA"), "{told}");
    }
}

#[test]
fn a_halt_an_unfit_book_and_a_changed_policy_refuse_it() {
    let (mut house, named) = proposed("");
    house.book.health.quarantined = true;
    let outputs = edit(&mut house, &named, &orders(&[("AAA", "100")]));
    assert_eq!(tell(&outputs), "MANUAL REFUSED QUARANTINED by c1");
    house.book.health.quarantined = false;
    let halt = house.command(CommandKind::Halt, r#""scope":"PORTFOLIO""#);
    house.window(vec![halt]);
    let outputs = edit(&mut house, &named, &orders(&[("AAA", "100")]));
    assert_eq!(tell(&outputs), "MANUAL REFUSED KILL_SWITCH by c3");
    house.book.policy.as_mut().unwrap().policy_version = 2;
    let outputs = edit(&mut house, &named, &orders(&[("AAA", "100")]));
    assert_eq!(tell(&outputs).lines().next(), Some("THRESHOLD EXPIRED POLICY_CHANGED"));
}

#[test]
fn what_it_names_must_be_there_once() {
    let (mut house, named) = proposed("");
    let desk = house.lane.role().desk(harness::PORTFOLIO).unwrap();
    let id = desk.open.as_ref().unwrap().proposal.as_ref().unwrap().drafts[0].order_id;
    let stranger = "5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11";
    for (orders, says) in [
        (orders(&[("CCC", "1")]), "the proposal has no order of CCC"),
        (format!(r#""orders":[{{"order_id":"{stranger}","quantity":"1"}}]"#), "the proposal has no order 5b9da7e6"),
        (format!(r#""orders":[{{"order_id":"{id}","instrument_id":"BBB","quantity":"1"}}]"#), "as an order of BBB"),
        (format!(r#""orders":[{{"order_id":"{id}","quantity":"1"}},{{"instrument_id":"AAA","quantity":"1"}}]"#), "is named twice"),
        (orders(&[("AAA", "200"), ("BBB", "200")]), "has these quantities already"),
    ] {
        let outputs = edit(&mut house, &named, &orders);
        assert!(tell(&outputs).starts_with("MANUAL REFUSED NOTHING_TO_DO"), "{}", tell(&outputs));
        assert!(words(&outputs, 0).contains(says), "{}", words(&outputs, 0));
    }
    let outputs = edit(
        &mut house,
        &named,
        &format!(r#""orders":[{{"order_id":"{id}","quantity":"120"}},{{"instrument_id":"BBB","quantity":"120"}}]"#),
    );
    assert_eq!(tell(&outputs), "THRESHOLD PENDING_APPROVAL by c6 [SELL 120 AAA, BUY 120 BBB]");
    let desk = house.lane.role().desk(harness::PORTFOLIO).unwrap();
    assert_eq!(desk.open.as_ref().unwrap().proposal.as_ref().unwrap().drafts[0].order_id, id, "an order keeps its id");
}

#[test]
fn an_edit_voids_the_approvals_before_it() {
    let (mut house, named) = proposed(r#","orders":{"funding":"TOGETHER"}"#);
    house.book.policy.as_mut().unwrap().trigger.approval.approvers = 2;
    house.pass(3600).idle();
    let again = house.drift(DriftKind::Rearm);
    let outputs = house.window(vec![again]);
    let first = proposal(&outputs);
    assert_ne!(first, named);
    assert_eq!(tell(&approve(&mut house, &first)), "THRESHOLD PENDING_APPROVAL by c1");
    let edited = proposal(&edit(&mut house, &first, &orders(&[("BBB", "10")])));
    assert_eq!(tell(&approve(&mut house, &edited)), "THRESHOLD PENDING_APPROVAL by c3", "one of two again");
    let mut bob = house.command(CommandKind::Approve, &edited);
    let Input::Command(command) = &mut bob else { panic!("a command") };
    command.actor = "bob".into();
    let answer = house.answer(&bob);
    let told = house.told(vec![bob, answer]);
    assert!(told.ends_with("wave 1 NEW [SELL 200 AAA, BUY 10 BBB]"), "{told}");
}

#[test]
fn newer_drift_does_not_replace_what_a_person_wrote() {
    let (mut house, named) = proposed("");
    house.restore_twin();
    let edited = proposal(&edit(&mut house, &named, &orders(&[("AAA", "100"), ("BBB", "100")])));
    house.restore_twin();
    house.book.price("AAA", "100.2");
    for kind in [DriftKind::Worse, DriftKind::Rearm, DriftKind::Clear] {
        let newer = house.drift(kind);
        assert_eq!(house.told(vec![newer]), "", "{kind}");
    }
    let told = tell(&approve(&mut house, &edited));
    assert!(told.ends_with("wave 1 NEW [SELL 100 AAA]"), "{told}");
}

#[test]
fn after_the_release_and_by_itself_nothing_is_edited() {
    let mut house = House::automatic().opened();
    let id = house.order(0).rebalance_id;
    let named = format!(r#""rebalance_id":"{id}","proposal_hash":"00""#);
    let outputs = edit(&mut house, &named, &orders(&[("AAA", "1")]));
    assert_eq!(tell(&outputs), "MANUAL REFUSED NOTHING_TO_DO by c1");
    // The command's own mode never releases, and a CHECK changes nothing.
    let (mut house, named) = proposed("");
    let outputs = edit(&mut house, &named, &format!(r#""mode":"CHECK",{}"#, orders(&[("BBB", "0")])));
    assert_eq!(tell(&outputs), "MANUAL PROPOSED by c1");
    assert_eq!(explained(&outputs, 0), "AAA ORDER DRIFT_SELL, BBB SKIP EDITED");
    let outputs = edit(&mut house, &named, &format!(r#""mode":"AUTOMATIC",{}"#, orders(&[("BBB", "0")])));
    assert_eq!(tell(&outputs), "THRESHOLD PENDING_APPROVAL by c2 [SELL 200 AAA]");
    assert!(house.left.is_empty());
}

#[test]
fn a_breach_that_is_said_while_it_waits_is_looked_at_when_it_has_ended() {
    for breached in [true, false] {
        let (mut house, named) = proposed("");
        let outputs = edit(&mut house, &named, &orders(&[("AAA", "150"), ("BBB", "100")]));
        house.book.hold(&[("AAA", "800"), ("BBB", "200")], "0");
        let heard = if breached { house.drift(DriftKind::Open) } else { house.filled() };
        assert_eq!(house.told(vec![heard]), "", "what a person wrote stands");
        house.restore();
        let reject = house.command(CommandKind::Reject, &proposal(&outputs));
        let mut outputs = house.window(vec![reject]);
        outputs.extend(house.pass(1).window(Vec::new()));
        if breached {
            assert_eq!(tell(&outputs), "THRESHOLD REJECTED by c2\nrefresh");
            let answer = house.refreshed(&outputs);
            assert_eq!(house.told(vec![answer]), "THRESHOLD PENDING_APPROVAL [SELL 300 AAA, BUY 300 BBB]");
        } else {
            assert_eq!(tell(&outputs), "THRESHOLD REJECTED by c2", "a person has decided about this breach");
        }
    }
}
