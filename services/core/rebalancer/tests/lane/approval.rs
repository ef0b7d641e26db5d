//! Proposals: put up, replaced, approved, rejected, expired; and what commands are answered.

use crate::harness::{self, House, by, explained, proposal, tell, words};
use domain::Output;
use domain::enums::{CommandKind, CommandMode, DriftCause, DriftKind, OrderState};

const BOTH: &str = "[SELL 200 AAA, BUY 200 BBB]";

/// A house with a proposal that waits, and the fields that name it.
fn proposed() -> (House, String) {
    let mut house = House::approval();
    let open = house.drift(DriftKind::Open);
    let outputs = house.window(vec![open]);
    assert_eq!(tell(&outputs), format!("THRESHOLD PENDING_APPROVAL {BOTH}"));
    let named = proposal(&outputs);
    (house, named)
}

#[test]
fn an_approval_is_rechecked_and_releases() {
    let (mut house, named) = proposed();
    let approve = house.command(CommandKind::Approve, &named);
    assert_eq!(house.told(vec![approve.clone()]), "", "it waits for its drift event");
    house.book.price("AAA", "99.9");
    let answer = house.answer(&approve);
    assert_eq!(
        house.told(vec![answer]),
        format!("THRESHOLD APPROVED by c1 {BOTH}\nTHRESHOLD RELEASED by c1 [SELL 200 AAA]\n  wave 1 NEW [SELL 200 AAA]")
    );
    let asked = house.fill(0);
    let answer = house.refreshed(&asked);
    let told = house.told(vec![answer]);
    assert_eq!(told, "THRESHOLD RELEASED [BUY 199 BBB]\n  wave 2 NEW [BUY 199 BBB]", "cut to the cash, not grown");
    assert_eq!(tell(&house.fill(1)), "THRESHOLD COMPLETED [SELL 200 AAA, BUY 199 BBB]");
}

#[test]
fn every_word_about_a_proposal_has_a_line_for_each_instrument() {
    let (mut house, named) = proposed();
    let approve = house.command(CommandKind::Approve, &named);
    let answer = house.answer(&approve);
    let outputs = house.window(vec![approve, answer]);
    for place in 0..2 {
        assert_eq!(explained(&outputs, place), "AAA ORDER DRIFT_SELL, BBB ORDER DRIFT_BUY");
    }
    let mut house = House::new(r#""trigger":{"mode":"APPROVAL"},"orders":{"do_not_buy":["BBB"]}"#);
    let open = house.drift(DriftKind::Open);
    let named = proposal(&house.window(vec![open]));
    let approve = house.command(CommandKind::Approve, &named);
    let answer = house.answer(&approve);
    let outputs = house.window(vec![approve, answer]);
    assert_eq!(explained(&outputs, 0), "AAA ORDER DRIFT_SELL, BBB SKIP DO_NOT_BUY", "the reason of what was not proposed stays");
    let (mut house, named) = proposed();
    let reject = house.command(CommandKind::Reject, &named);
    assert_eq!(explained(&house.window(vec![reject]), 0), "AAA ORDER DRIFT_SELL, BBB ORDER DRIFT_BUY");
    let (mut house, _) = proposed();
    let expired = house.pass(3600).window(Vec::new());
    assert_eq!(explained(&expired, 0), "AAA SKIP TIMED_OUT, BBB SKIP TIMED_OUT");
}

#[test]
fn an_approval_that_is_cut_says_why() {
    let (mut house, _) = proposed();
    house.book.policy.as_mut().unwrap().orders.funding = domain::enums::Funding::Together;
    house.pass(3600).idle();
    let open = house.drift(DriftKind::Rearm);
    let outputs = house.window(vec![open]);
    let named = proposal(&outputs);
    house.book.cash = "-1050".parse().unwrap();
    let approve = house.command(CommandKind::Approve, &named);
    let answer = house.answer(&approve);
    let outputs = house.window(vec![approve, answer]);
    assert_eq!(tell(&outputs).lines().next(), Some("THRESHOLD APPROVED by c1 [SELL 200 AAA, BUY 189 BBB]"));
    for place in 0..2 {
        assert_eq!(explained(&outputs, place), "AAA ORDER DRIFT_SELL, BBB CUT CASH_SHORTAGE");
    }
}

#[test]
fn a_sell_that_is_no_longer_wanted_expires_its_proposal_for_that_reason() {
    let (mut house, named) = proposed();
    house.book.hold(&[("AAA", "500"), ("BBB", "300")], "20000");
    let approve = house.command(CommandKind::Approve, &named);
    let answer = house.answer(&approve);
    let outputs = house.window(vec![approve, answer]);
    assert_eq!(tell(&outputs), "THRESHOLD EXPIRED WITHIN_BAND by c1");
    assert_eq!(explained(&outputs, 0), "AAA SKIP WITHIN_BAND, BBB SKIP WITHIN_BAND");
}

/// A correction of the book does not reach a proposal that waits, and may leave it far too large.
#[test]
fn what_would_lead_through_the_band_and_out_again_is_not_released() {
    // SELL 200 of 700 was proposed, the band is 45 to 55 %: of 630 it leaves 43 of 93, 46.2 %; of 600, 44.4 %.
    for (held, told) in [("630", "THRESHOLD APPROVED by c1"), ("600", "THRESHOLD EXPIRED STALE_PROPOSAL by c1")] {
        let (mut house, named) = proposed();
        house.book.hold(&[("AAA", held), ("BBB", "300")], "0");
        let approve = house.command(CommandKind::Approve, &named);
        let answer = house.answer(&approve);
        let outputs = house.window(vec![approve, answer]);
        assert!(tell(&outputs).starts_with(told), "{held}: {}", tell(&outputs));
        if held == "600" {
            assert_eq!(explained(&outputs, 0), "AAA SKIP STALE_PROPOSAL, BBB SKIP STALE_PROPOSAL");
            assert!(house.left.is_empty());
        }
    }
}

#[test]
fn a_buy_whose_price_has_left_its_approval_behind_does_not_follow() {
    for (price, told) in [("100.5", "THRESHOLD RELEASED [BUY 198 BBB]"), ("100.6", "THRESHOLD RELEASED")] {
        let (mut house, named) = proposed();
        let approve = house.command(CommandKind::Approve, &named);
        let answer = house.answer(&approve);
        house.window(vec![approve, answer]);
        let asked = house.fill(0);
        house.book.price("BBB", price);
        let answer = house.refreshed(&asked);
        let outputs = house.window(vec![answer]);
        assert_eq!(tell(&outputs).lines().next(), Some(told), "{price}");
        if price == "100.6" {
            assert_eq!(explained(&outputs, 0), "AAA SKIP WITHIN_BAND, BBB SKIP PRICE_OUTLIER");
        }
    }
}

#[test]
fn a_proposal_that_ends_leaves_the_orders_before_it_known() {
    let mut house = House::automatic().completed();
    let buy = house.order(1);
    house.book.policy.as_mut().unwrap().trigger.mode = domain::enums::PolicyMode::Approval;
    house.book.hold(&[("AAA", "700"), ("BBB", "300")], "0");
    let open = house.drift(DriftKind::Open);
    let outputs = house.window(vec![open]);
    let reject = house.command(CommandKind::Reject, &proposal(&outputs));
    assert_eq!(house.told(vec![reject]), "THRESHOLD REJECTED by c1");
    let again = house.report(&buy, OrderState::Filled, "200");
    assert_eq!(house.told(vec![again]), "", "it is known");
    let other = house.report(&buy, OrderState::Cancelled, "100");
    assert_eq!(house.told(vec![other]), "THRESHOLD STUCK UNRECONCILED");
}

#[test]
fn many_answers_may_come_before_their_commands() {
    let mut house = House::automatic();
    let checks: Vec<_> = (0..20).map(|_| house.command(CommandKind::Rebalance, r#""mode":"CHECK""#)).collect();
    let answers = checks.iter().map(|check| house.answer(check)).collect();
    assert_eq!(house.told(answers), "");
    assert_eq!(house.told(checks).matches("MANUAL PROPOSED").count(), 20);
}

#[test]
fn a_portfolio_that_nobody_knows_is_answered_by_the_position_keeper_alone() {
    let mut house = House::automatic();
    let rebalance = house.command(CommandKind::Rebalance, "");
    assert_eq!(house.told(vec![rebalance]), "");
    assert_eq!(house.pass(1_000_000).idle(), "", "its dead letter is the answer");
}

#[test]
fn the_answer_may_come_before_its_command() {
    let (mut house, named) = proposed();
    let approve = house.command(CommandKind::Approve, &named);
    let answer = house.answer(&approve);
    assert_eq!(house.told(vec![answer]), "", "it replaces no proposal");
    house.restore();
    let told = house.told(vec![approve.clone()]);
    assert!(told.contains("THRESHOLD RELEASED by c1"), "{told}");
    let again = house.answer(&approve);
    assert_eq!(house.told(vec![approve, again]), "", "it acts once");
}

#[test]
fn another_hash_is_stale_and_newer_drift_makes_one() {
    let (mut house, old) = proposed();
    house.book.price("AAA", "101");
    let worse = house.drift(DriftKind::Worse);
    let outputs = house.window(vec![worse.clone()]);
    assert_eq!(tell(&outputs), "THRESHOLD PENDING_APPROVAL [SELL 201 AAA, BUY 203 BBB]");
    let new = proposal(&outputs);
    assert_ne!(old, new);
    assert_eq!(house.told(vec![worse]), "", "the same orders on the same prices are the same proposal");
    let stale = house.command(CommandKind::Approve, &old);
    let stray = house.answer(&stale);
    let refused = house.window(vec![stale]);
    assert_eq!(tell(&refused), "MANUAL REFUSED STALE_PROPOSAL by c1");
    assert!(words(&refused, 0).contains("the proposal that waits has the hash"), "{}", words(&refused, 0));
    assert_eq!(house.told(vec![stray]), "", "its drift event is of no use any more");
    let approve = house.command(CommandKind::Approve, &new);
    let answer = house.answer(&approve);
    let told = house.told(vec![approve, answer]);
    assert!(told.contains("THRESHOLD RELEASED by c2 [SELL 201 AAA]"), "{told}");
    assert_eq!(house.order(0).order_id, rebalancer::orders::ids::order(&harness::portfolio(), 1, &house.order(0).instrument_id, 3));
}

#[test]
fn drift_that_needs_nothing_any_more_expires_the_proposal() {
    let (mut house, _) = proposed();
    house.book.hold(&[("AAA", "500"), ("BBB", "500")], "0");
    let clear = house.drift(DriftKind::Clear);
    assert_eq!(house.told(vec![clear]), "THRESHOLD EXPIRED WITHIN_BAND");
}

#[test]
fn nobody_in_time() {
    let (mut house, named) = proposed();
    assert_eq!(house.pass(3599).idle(), "");
    assert_eq!(house.pass(1).idle(), "THRESHOLD EXPIRED TIMED_OUT");
    let late = house.command(CommandKind::Approve, &named);
    assert_eq!(house.told(vec![late]), "MANUAL REFUSED NOTHING_TO_DO by c1");
    assert!(house.left.is_empty());
}

#[test]
fn an_approval_whose_recheck_fails_expires_the_proposal() {
    type Change = fn(&mut House);
    let cases: [(&str, Change); 6] = [
        ("PRICE_OUTLIER", |house| house.book.price("BBB", "100.6")),
        ("QUARANTINED", |house| house.book.health.quarantined = true),
        ("POLICY_CHANGED", |house| house.book.policy.as_mut().unwrap().policy_version = 2),
        ("POLICY_CHANGED", |house| house.book.policy = None),
        ("DO_NOT_SELL", |house| house.book.policy.as_mut().unwrap().orders.no_sells = true),
        ("KILL_SWITCH", |house| {
            let halt = house.command(CommandKind::Halt, r#""scope":"PORTFOLIO""#);
            house.window(vec![halt]);
        }),
    ];
    for (code, change) in cases {
        let (mut house, named) = proposed();
        change(&mut house);
        let approve = house.command(CommandKind::Approve, &named);
        let answer = house.answer(&approve);
        let told = house.told(vec![approve, answer]);
        let expired = told.lines().next().unwrap_or_default();
        assert!(expired.starts_with(&format!("THRESHOLD EXPIRED {code}")), "{code}: {told}");
        assert!(told.contains("by c"), "the person is answered: {told}");
        assert!(house.left.is_empty());
        let named = house.command(CommandKind::Approve, &named);
        let told = house.told(vec![named]);
        assert!(told.starts_with("MANUAL REFUSED NOTHING_TO_DO"), "{told}");
    }
}

#[test]
fn two_persons_are_two_persons() {
    let mut house = House::new(r#""trigger":{"mode":"APPROVAL","approval":{"approvers":2}}"#);
    let open = house.drift(DriftKind::Open);
    let outputs = house.window(vec![open]);
    let named = proposal(&outputs);
    let first = house.command(CommandKind::Approve, &named);
    let answer = house.answer(&first);
    assert_eq!(house.told(vec![first, answer]), "THRESHOLD PENDING_APPROVAL by c1");
    let same = house.command(CommandKind::Approve, &named);
    let answer = house.answer(&same);
    assert_eq!(house.told(vec![same, answer]), "MANUAL REFUSED NOTHING_TO_DO by c2");
    let second = by(house.command(CommandKind::Approve, &named), "bob");
    let answer = house.answer(&second);
    let told = house.told(vec![second, answer]);
    assert!(told.contains("THRESHOLD APPROVED by c3"), "{told}");
    assert_eq!(house.left.len(), 1);
}

#[test]
fn reject_and_cancel_end_a_proposal() {
    for kind in [CommandKind::Reject, CommandKind::Cancel] {
        let (mut house, named) = proposed();
        let end = house.command(kind, named.split(',').next().unwrap());
        assert_eq!(house.told(vec![end]), "THRESHOLD REJECTED by c1");
        let edit = house.command(CommandKind::Edit, &format!(r#"{named},"orders":[{{"instrument_id":"AAA","quantity":"1"}}]"#));
        assert_eq!(house.told(vec![edit]), "MANUAL REFUSED NOTHING_TO_DO by c2");
        let told = house.opening();
        assert!(told.starts_with("THRESHOLD PENDING_APPROVAL"), "the next cycle may open: {told}");
        assert_eq!(house.lane.role().desk(harness::PORTFOLIO).unwrap().cycles, 2);
    }
}

#[test]
fn a_policy_change_expires_the_proposal_at_once() {
    let (mut house, _) = proposed();
    house.book.policy.as_mut().unwrap().policy_version = 2;
    let mut changed = house.drift(DriftKind::Requested);
    harness::drift_mut(&mut changed).cause = Some(DriftCause::Policy);
    assert_eq!(house.told(vec![changed]), "THRESHOLD EXPIRED POLICY_CHANGED");
}

#[test]
fn the_stricter_mode_holds() {
    let cases = [
        (House::automatic as fn() -> House, None, "MANUAL RELEASED"),
        (House::automatic, Some(CommandMode::Automatic), "MANUAL RELEASED"),
        (House::automatic, Some(CommandMode::Approval), "MANUAL PENDING_APPROVAL"),
        (House::automatic, Some(CommandMode::Check), "MANUAL PROPOSED"),
        (House::approval, Some(CommandMode::Automatic), "MANUAL PENDING_APPROVAL"),
        (House::approval, Some(CommandMode::Check), "MANUAL PROPOSED"),
    ];
    for (house, mode, status) in cases {
        let mut house = house();
        let fields = mode.map(|mode| format!(r#""mode":"{mode}""#)).unwrap_or_default();
        let rebalance = house.command(CommandKind::Rebalance, &fields);
        let answer = house.answer(&rebalance);
        let outputs = house.window(vec![rebalance.clone(), answer]);
        assert!(tell(&outputs).starts_with(&format!("{status} by c1")), "{mode:?}: {}", tell(&outputs));
        let Output::RebalanceEvent(event) = &outputs[0] else { panic!("an event first") };
        assert_eq!(event.explanation.len(), 2, "every instrument has its line");
        assert_eq!(house.told(vec![rebalance]), "", "the same command acts once");
        let checked = mode == Some(CommandMode::Check);
        assert_eq!(house.lane.role().desk(harness::PORTFOLIO).unwrap().open.is_none(), checked, "a check opens no cycle");
    }
}

#[test]
fn a_rebalance_that_the_position_keeper_never_answers_is_refused() {
    let mut house = House::automatic();
    let known = house.filled();
    house.window(vec![known]);
    let rebalance = house.command(CommandKind::Rebalance, "");
    assert_eq!(house.told(vec![rebalance.clone()]), "");
    assert_eq!(house.pass(299).idle(), "");
    assert_eq!(house.pass(1).idle(), "MANUAL REFUSED DATA_GAP by c1");
    let late = house.answer(&rebalance);
    assert_eq!(house.told(vec![late]), "", "too late is too late");
}

#[test]
fn a_command_that_waited_while_behind_is_decided_on_a_newer_book() {
    let mut house = House::automatic();
    house.behind = true;
    let rebalance = house.command(CommandKind::Rebalance, "");
    let answer = house.answer(&rebalance);
    assert_eq!(house.told(vec![rebalance, answer]), "");
    house.pass(100);
    house.behind = false;
    let asked = house.window(Vec::new());
    assert_eq!(tell(&asked), "refresh");
    house.restore();
    let answer = house.refreshed(&asked);
    let told = house.told(vec![answer]);
    assert!(told.starts_with("MANUAL RELEASED by c1"), "{told}");
}

#[test]
fn a_newer_book_that_never_comes_is_awaited_no_longer_than_its_command() {
    let mut house = House::automatic();
    house.behind = true;
    let rebalance = house.command(CommandKind::Rebalance, "");
    let answer = house.answer(&rebalance);
    house.window(vec![rebalance, answer]);
    house.pass(100).behind = false;
    let asked = house.window(Vec::new());
    assert_eq!(tell(&asked), "refresh");
    assert_eq!(house.pass(300).idle(), "MANUAL REFUSED DATA_GAP by c1");
    assert!(house.lane.role().desk(harness::PORTFOLIO).unwrap().awaited.is_empty());
    let late = house.refreshed(&asked);
    assert_eq!(house.told(vec![late]), "", "too late is too late");
}

#[test]
fn too_many_commands_are_refused_and_each_is_answered_once() {
    let mut house = House::automatic();
    let commands: Vec<_> = (0..40).map(|_| house.command(CommandKind::Rebalance, "")).collect();
    let (first, last) = (commands[0].clone(), commands[39].clone());
    let told = house.told(commands);
    assert_eq!(told.matches("MANUAL REFUSED BACKLOG").count(), 8, "{told}");
    assert_eq!(house.told(vec![last.clone()]), "", "it was answered");
    let answer = house.answer(&first);
    let told = house.told(vec![answer]);
    assert!(told.starts_with("MANUAL RELEASED by c1"), "{told}");
    // The others find the cycle open, and there is room again.
    let again = house.command(CommandKind::Rebalance, "");
    assert_eq!(house.told(vec![again]), "MANUAL REFUSED OPEN_CYCLE by c41", "asked again later, under a new id");
    assert_eq!(house.told(vec![last]), "", "the position-keeper knows the first id too: nothing would answer it");
}

#[test]
fn commands_that_cannot_be_understood_are_dead_letters() {
    let mut house = House::automatic();
    let cases = [
        (CommandKind::Approve, r#""rebalance_id":"5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11""#),
        (CommandKind::Approve, r#""proposal_hash":"00""#),
        (CommandKind::Reject, ""),
        (CommandKind::Edit, r#""rebalance_id":"5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11""#),
        (CommandKind::Edit, r#""rebalance_id":"5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11","orders":[{"instrument_id":"AAA","quantity":"1"}]"#),
        (
            CommandKind::Edit,
            r#""rebalance_id":"5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11","proposal_hash":"00","orders":[{"instrument_id":"AAA","quantity":"-1"}]"#,
        ),
        (CommandKind::Edit, r#""rebalance_id":"5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11","proposal_hash":"00","orders":[{"quantity":"1"}]"#),
        (CommandKind::Halt, ""),
        (CommandKind::Halt, r#""scope":"FIRM""#),
        (CommandKind::Halt, r#""scope":"INSTRUMENT""#),
        (CommandKind::Halt, r#""scope":"PORTFOLIO","target":"other""#),
        (CommandKind::Reconcile, ""),
        (CommandKind::Reconcile, r#""orders":[{"instrument_id":"AAA","quantity":"1"}]"#),
    ];
    for (kind, fields) in cases {
        let command = house.command(kind, fields);
        assert_eq!(house.told(vec![command]), "dead letter INVALID_COMMAND", "{kind} {fields}");
    }
    let nobody = by(house.command(CommandKind::Rebalance, ""), "");
    assert_eq!(house.told(vec![nobody]), "dead letter INVALID_COMMAND");
    let strange = house.command(CommandKind::Rebalance, r#""mode":"NOW""#);
    assert_eq!(house.told(vec![strange]), "dead letter UNKNOWN_ENUM");
    let others = house.command(CommandKind::Release, "");
    assert_eq!(house.told(vec![others]), "", "the position-keeper's");
}

#[test]
fn reports_of_a_proposal_that_never_left_are_dead_letters() {
    let (mut house, _) = proposed();
    let desk = house.lane.role().desk(harness::PORTFOLIO).unwrap();
    let cycle = desk.open.as_ref().unwrap();
    let draft = &cycle.proposal.as_ref().unwrap().drafts[0];
    let order = cycle.terms.order(&harness::portfolio(), cycle.id, draft, house.now);
    let report = house.report(&order, OrderState::Filled, "200");
    assert_eq!(house.told(vec![report]), "dead letter INVALID_RECORD");
}
