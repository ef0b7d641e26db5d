//! Who may approve a proposal: nobody who asked for it or has edited it, and as many others as the policy says.

use crate::harness::{self, House, by, proposal, tell, words};
use domain::enums::{CommandKind, DriftKind};
use domain::{Output, SmolStr};

/// What an approval is refused with whose person is none of the others.
const REFUSED: &str = "MANUAL REFUSED NOTHING_TO_DO";

/// A house whose policy asks so many persons, with a rebalance that ann asked for; the fields that name its proposal.
fn asked_by_ann(approvers: u32) -> (House, String) {
    let mut house = House::new(&format!(r#""trigger":{{"mode":"APPROVAL","approval":{{"approvers":{approvers}}}}}"#));
    let asked = house.command(CommandKind::Rebalance, "");
    let answer = house.answer(&asked);
    let named = proposal(&house.window(vec![asked, answer]));
    house.restore_twin();
    (house, named)
}

/// An EDIT of somebody to so many BBB, and what came of it.
fn edit(house: &mut House, named: &str, actor: &str, units: u32) -> Vec<Output> {
    let fields = format!(r#"{named},"orders":[{{"instrument_id":"BBB","quantity":"{units}"}}]"#);
    let edit = by(house.command(CommandKind::Edit, &fields), actor);
    let answer = house.answer(&edit);
    let outputs = house.window(vec![edit, answer]);
    house.restore_twin();
    outputs
}

/// An APPROVE of somebody, and what came of it.
fn approve(house: &mut House, named: &str, actor: &str) -> Vec<Output> {
    let approve = by(house.command(CommandKind::Approve, named), actor);
    let answer = house.answer(&approve);
    house.window(vec![approve, answer])
}

/// Somebody's approval is refused, with that text.
fn refuses(house: &mut House, named: &str, actor: &str, text: &str) {
    let outputs = approve(house, named, actor);
    assert!(tell(&outputs).starts_with(REFUSED), "{actor}: {}", tell(&outputs));
    assert_eq!(words(&outputs, 0), text);
    assert!(house.left.is_empty());
}

/// So many others are enough, and needed.
fn others_pass(house: &mut House, named: &str, approvers: u32) {
    if approvers == 2 {
        let outputs = approve(house, named, "dan");
        assert!(tell(&outputs).starts_with("MANUAL PENDING_APPROVAL"), "{}", tell(&outputs));
        assert_eq!(words(&outputs, 0), "approved by 1 of 2 persons");
        refuses(house, named, "Dan", "Dan has approved already: 2 different persons are needed");
    }
    let outputs = approve(house, named, "eve");
    assert!(tell(&outputs).starts_with("MANUAL APPROVED"), "{}", tell(&outputs));
}

#[test]
fn who_asked_does_not_approve_whoever_has_edited_since() {
    for approvers in [1, 2] {
        for edits in [0, 1] {
            let (mut house, mut named) = asked_by_ann(approvers);
            if edits == 1 {
                named = proposal(&edit(&mut house, &named, "ben", 100));
                refuses(&mut house, &named, "Ben", "Ben edited the proposal: another person approves it");
            }
            refuses(&mut house, &named, "Ann", "Ann asked for the rebalance: another person approves it");
            others_pass(&mut house, &named, approvers);
        }
    }
}

#[test]
fn who_edited_does_not_approve_whoever_has_edited_after_them() {
    for approvers in [1, 2] {
        let (mut house, named) = asked_by_ann(approvers);
        let named = proposal(&edit(&mut house, &named, "ben", 100));
        let named = proposal(&edit(&mut house, &named, "cat", 50));
        for actor in ["ben", "cat"] {
            refuses(&mut house, &named, actor, &format!("{actor} edited the proposal: another person approves it"));
        }
        refuses(&mut house, &named, "ann", "ann asked for the rebalance: another person approves it");
        others_pass(&mut house, &named, approvers);
    }
}

#[test]
fn what_nobody_asked_for_has_no_author_but_its_editors() {
    let mut house = House::approval();
    let open = house.drift(DriftKind::Open);
    let named = proposal(&house.window(vec![open]));
    let named = proposal(&edit(&mut house, &named, "ann", 100));
    refuses(&mut house, &named, "Ann", "Ann edited the proposal: another person approves it");
    let outputs = approve(&mut house, &named, "ben");
    assert!(tell(&outputs).starts_with("THRESHOLD APPROVED"), "{}", tell(&outputs));
}

#[test]
fn an_approval_counts_until_its_person_edits() {
    let (mut house, named) = asked_by_ann(2);
    assert!(tell(&approve(&mut house, &named, "ben")).starts_with("MANUAL PENDING_APPROVAL"));
    let named = proposal(&edit(&mut house, &named, "ben", 100));
    refuses(&mut house, &named, "ben", "ben edited the proposal: another person approves it");
    others_pass(&mut house, &named, 2);
}

#[test]
fn who_edited_last_is_named_and_edits_of_one_person_are_of_one() {
    let (mut house, named) = asked_by_ann(1);
    let mut named = named;
    for (actor, units) in [("ben", 100), ("cat", 50), ("Ben", 40), ("ben", 30)] {
        named = proposal(&edit(&mut house, &named, actor, units));
    }
    let desk = house.lane.role().desk(harness::PORTFOLIO).unwrap();
    let editors: Vec<SmolStr> = desk.open.as_ref().unwrap().proposal.as_ref().unwrap().editors.clone();
    assert_eq!(editors, ["cat", "ben"]);
    let outputs = approve(&mut house, &named, "eve");
    assert_eq!(words(&outputs, 0), "as ben edited it");
}

#[test]
fn a_proposal_has_sixteen_editors_and_no_more() {
    let (mut house, mut named) = asked_by_ann(1);
    for number in 0..16 {
        let outputs = edit(&mut house, &named, &format!("p{number}"), 100 + number);
        assert!(tell(&outputs).starts_with("MANUAL PENDING_APPROVAL"), "{}", tell(&outputs));
        named = proposal(&outputs);
    }
    let outputs = edit(&mut house, &named, "p16", 50);
    assert!(tell(&outputs).starts_with(REFUSED), "{}", tell(&outputs));
    let says = "16 persons have edited the proposal, and no more may: one of them edits it, or another approves or rejects it";
    assert_eq!(words(&outputs, 0), says);
    named = proposal(&edit(&mut house, &named, "P0", 50));
    refuses(&mut house, &named, "p0", "p0 edited the proposal: another person approves it");
    let outputs = approve(&mut house, &named, "p16");
    assert!(tell(&outputs).starts_with("MANUAL APPROVED"), "what was refused is no edit: {}", tell(&outputs));
}
