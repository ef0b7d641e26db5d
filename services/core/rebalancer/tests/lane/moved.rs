//! Corporate actions under an open rebalance: what waits in old units, or under an old name, never leaves. The lane's twin
//! is put together from its image on the way.

use crate::harness::{self, House, drift_mut, explained, proposal, tell, words};
use domain::enums::{CommandKind, DriftKind, PriceFlag};
use domain::{Input, InstrumentId, Output};

const KEPT_BACK: &str = "THRESHOLD FAILED ORDER_FAILED [SELL 200 AAA]";

/// A house with a proposal that waits, SELL 200 AAA and BUY 200 BBB, and the fields that name it.
fn proposed() -> (House, String) {
    let mut house = House::approval();
    let open = house.drift(DriftKind::Open);
    let named = proposal(&house.window(vec![open]));
    house.restore_twin();
    (house, named)
}

/// An approval and the book's answer to it; what came of it.
fn approve(house: &mut House, named: &str) -> Vec<Output> {
    let approve = house.command(CommandKind::Approve, named);
    let answer = house.answer(&approve);
    house.window(vec![approve, answer])
}

/// The proposal with 150 AAA to sell and 100 BBB to buy, as ann wrote it.
fn edited(house: &mut House, named: &str) -> String {
    let orders = r#""orders":[{"instrument_id":"AAA","quantity":"150"},{"instrument_id":"BBB","quantity":"100"}]"#;
    let edit = house.command(CommandKind::Edit, &format!("{named},{orders}"));
    let answer = house.answer(&edit);
    proposal(&house.window(vec![edit, answer]))
}

/// The first line of what came of it.
fn first(outputs: &[Output]) -> String {
    tell(outputs).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_buy_that_waits_is_kept_back_by_a_split_and_by_a_new_name() {
    for (id, parts) in [("split", 4), ("rename", 1)] {
        let mut house = House::automatic().opened();
        house.restore_twin();
        house.book.split("BBB", parts);
        let action = house.action(id, "BBB");
        assert_eq!(house.told(vec![action]), "", "{id}: the sell is of another instrument");
        house.restore_twin();
        let ended = house.fill(0);
        assert_eq!(tell(&ended), KEPT_BACK, "{id}");
        assert_eq!(words(&ended, 0), "buys were kept back: 200 BBB (ORDER_FAILED)");
        assert_eq!(explained(&ended, 0), "AAA ORDER DRIFT_SELL, BBB SKIP ORDER_FAILED");
        assert_eq!(house.left.len(), 1);
        assert_eq!(house.lane.next_due(), None, "nothing is left to wait for");
    }
}

#[test]
fn a_buy_is_kept_back_whose_book_was_asked_for_already() {
    let mut house = House::automatic().opened();
    let asked = house.fill(0);
    assert_eq!(tell(&asked), "refresh");
    house.restore_twin();
    house.book.split("BBB", 4);
    // The answer and the action are heard of in one window, in either order.
    for answer_first in [true, false] {
        let mut house = House::automatic().opened();
        let asked = house.fill(0);
        let before = house.refreshed(&asked);
        house.book.split("BBB", 4);
        let (action, after) = (house.action("split", "BBB"), house.refreshed(&asked));
        let heard = if answer_first { vec![before, action] } else { vec![action, after] };
        assert_eq!(house.told(heard), KEPT_BACK);
    }
    let action = house.action("split", "BBB");
    assert_eq!(house.told(vec![action]), KEPT_BACK);
    let late = house.refreshed(&asked);
    assert_eq!(house.told(vec![late]), "", "nothing asks for it any more");
}

#[test]
fn the_buys_of_other_instruments_follow() {
    let mut house = House::automatic();
    house.book.price("CCC", "100");
    house.book.hold(&[("AAA", "700"), ("BBB", "150"), ("CCC", "150")], "0");
    let targets = &mut house.book.policy.as_mut().unwrap().targets;
    targets[1].target_weight = "0.25".parse().unwrap();
    targets.push(targets[1].clone());
    targets[2].instrument_id = InstrumentId::new("CCC").ok();
    let mut house = house.opened();
    house.book.split("BBB", 4);
    let action = house.action("split", "BBB");
    assert_eq!(house.told(vec![action]), "");
    let asked = house.fill(0);
    let answer = house.refreshed(&asked);
    let followed = house.window(vec![answer]);
    assert_eq!(tell(&followed), "THRESHOLD RELEASED [BUY 100 CCC]\n  wave 2 NEW [BUY 100 CCC]");
    assert_eq!(explained(&followed, 0), "AAA SKIP WITHIN_BAND, BBB SKIP ORDER_FAILED, CCC ORDER DRIFT_BUY");
    let ended = house.fill(1);
    assert_eq!(tell(&ended), "THRESHOLD FAILED ORDER_FAILED [SELL 200 AAA, BUY 100 CCC]");
    assert_eq!(words(&ended, 0), "buys were kept back: 100 BBB (ORDER_FAILED)");
    assert_eq!(explained(&ended, 0), "AAA ORDER DRIFT_SELL, BBB SKIP ORDER_FAILED, CCC ORDER DRIFT_BUY");
}

#[test]
fn an_instrument_that_the_rebalance_does_not_name_changes_nothing() {
    let mut house = House::automatic().opened();
    let action = house.action("split", "ZZZ");
    assert_eq!(house.told(vec![action]), "");
    let asked = house.fill(0);
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), "THRESHOLD RELEASED [BUY 200 BBB]\n  wave 2 NEW [BUY 200 BBB]");
    assert_eq!(tell(&house.fill(1)), "THRESHOLD COMPLETED [SELL 200 AAA, BUY 200 BBB]");
    for is_edited in [false, true] {
        let (mut house, mut named) = proposed();
        if is_edited {
            named = edited(&mut house, &named);
        }
        let action = house.action("split", "ZZZ");
        assert_eq!(house.told(vec![action]), "");
        assert!(first(&approve(&mut house, &named)).starts_with("THRESHOLD APPROVED"));
    }
}

#[test]
fn a_proposal_is_planned_anew_in_new_units() {
    let (mut house, old) = proposed();
    house.book.split("BBB", 4);
    let action = house.action("split", "BBB");
    let outputs = house.window(vec![action]);
    assert_eq!(tell(&outputs), "THRESHOLD PENDING_APPROVAL [SELL 200 AAA, BUY 800 BBB]");
    house.restore_twin();
    assert_eq!(tell(&approve(&mut house, &old)), "MANUAL REFUSED STALE_PROPOSAL by c1");
    assert!(first(&approve(&mut house, &proposal(&outputs))).starts_with("THRESHOLD APPROVED by c2 [SELL 200 AAA, BUY 800 BBB]"));
}

#[test]
fn an_approval_of_the_same_moment_does_not_let_old_units_go() {
    // So small a change that the price stays within what an approval bears.
    let (mut house, old) = proposed();
    let approve = house.command(CommandKind::Approve, &old);
    let answer = house.answer(&approve);
    house.book.price("BBB", "99.7");
    house.book.hold(&[("AAA", "700"), ("BBB", "301")], "0");
    let action = house.action("stock dividend", "BBB");
    let outputs = house.window(vec![approve, answer, action]);
    assert_eq!(tell(&outputs), "THRESHOLD PENDING_APPROVAL [SELL 199 AAA, BUY 199 BBB]\nMANUAL REFUSED STALE_PROPOSAL by c1");
    assert!(house.left.is_empty());
}

#[test]
fn a_proposal_that_cannot_be_planned_anew_expires() {
    let (mut house, old) = proposed();
    house.book.split("BBB", 4);
    let mut action = house.action("split", "BBB");
    drift_mut(&mut action).lines[1].price_flag = PriceFlag::Stale;
    let outputs = house.window(vec![action]);
    assert_eq!(tell(&outputs), "THRESHOLD EXPIRED STALE_PROPOSAL");
    assert_eq!(words(&outputs, 0), "corporate action split of BBB: the proposal was made before it; ask for a rebalance again");
    assert_eq!(explained(&outputs, 0), "AAA SKIP STALE_PROPOSAL, BBB SKIP STALE_PROPOSAL");
    assert_eq!(tell(&approve(&mut house, &old)), "MANUAL REFUSED NOTHING_TO_DO by c1");
    assert!(house.left.is_empty());
}

#[test]
fn what_a_person_wrote_expires() {
    for (id, parts) in [("split", 4), ("rename", 1)] {
        let (mut house, named) = proposed();
        let named = edited(&mut house, &named);
        house.book.split("BBB", parts);
        let action = house.action(id, "BBB");
        let outputs = house.window(vec![action]);
        assert_eq!(tell(&outputs), "THRESHOLD EXPIRED STALE_PROPOSAL", "{id}");
        assert_eq!(tell(&approve(&mut house, &named)), "MANUAL REFUSED NOTHING_TO_DO by c2");
        assert!(house.left.is_empty());
    }
}

#[test]
fn a_new_name_alone_leaves_a_proposal_that_nobody_wrote() {
    let (mut house, named) = proposed();
    let action = house.action("rename", "BBB");
    assert_eq!(house.told(vec![action]), "", "the same orders at the same prices");
    assert!(first(&approve(&mut house, &named)).starts_with("THRESHOLD APPROVED"));
}

#[test]
fn a_command_is_not_followed_on_the_book_of_before_it() {
    let mut house = House::approval();
    let rebalance = house.command(CommandKind::Rebalance, "");
    let answer = house.answer(&rebalance);
    house.book.split("AAA", 4);
    let action = house.action("split", "AAA");
    let asked = house.window(vec![rebalance, answer, action]);
    assert_eq!(tell(&asked), "refresh");
    house.restore();
    let answer: Input = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), "MANUAL PENDING_APPROVAL by c1 [SELL 800 AAA, BUY 200 BBB]");
    assert_eq!(house.lane.role().desk(harness::PORTFOLIO).unwrap().cycles, 1);
}
