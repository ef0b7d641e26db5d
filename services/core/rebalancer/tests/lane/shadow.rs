//! The shadow beside the policy's own rules: what it says, and that nothing else hears of it.

use crate::harness::{House, drift_mut, explained, tell, words};
use domain::enums::{CommandKind, DriftCause, DriftKind};
use domain::policy::Shadow;
use domain::{Input, Output};

/// A house that releases by itself, and whose shadow has the same targets and these further changes.
fn house(change: impl FnOnce(&mut Shadow)) -> House {
    let mut house = House::automatic();
    let policy = house.book.policy.as_mut().unwrap();
    let mut shadow = Shadow { targets: policy.targets.clone(), ..Shadow::default() };
    change(&mut shadow);
    policy.shadow = Some(Box::new(shadow));
    house.restore_twin();
    house
}

fn drift(house: &House, event: DriftKind) -> Input {
    let mut drift = house.drift(event);
    drift_mut(&mut drift).shadow = true;
    drift
}

const PROPOSED: &str = "THRESHOLD PROPOSED shadow [SELL 200 AAA, BUY 200 BBB]";

#[test]
fn it_is_planned_and_never_ordered() {
    let mut house = house(|_| {});
    let open = drift(&house, DriftKind::Open);
    assert_eq!(house.told(vec![open]), PROPOSED);
    assert!(house.left.is_empty());
    let told = house.opening();
    assert!(told.starts_with("THRESHOLD RELEASED"), "{told}");
}

#[test]
fn no_cycle_is_in_its_way_and_it_is_in_no_cycles_way() {
    let mut house = house(|_| {}).opened();
    let worse = drift(&house, DriftKind::Worse);
    // By its rules no order would be under way.
    assert_eq!(house.told(vec![worse]), PROPOSED);
    let mut due = drift(&house, DriftKind::Requested);
    drift_mut(&mut due).cause = Some(DriftCause::Schedule);
    assert_eq!(house.told(vec![due]), PROPOSED.replace("THRESHOLD", "SCHEDULED"));
    let asked = house.fill(0);
    let answer = house.refreshed(&asked);
    assert_eq!(house.told(vec![answer]), "THRESHOLD RELEASED [BUY 200 BBB]\n  wave 2 NEW [BUY 200 BBB]");
}

#[test]
fn a_request_of_a_policy_starts_nothing() {
    let mut house = house(|_| {});
    let mut asked = drift(&house, DriftKind::Requested);
    drift_mut(&mut asked).cause = Some(DriftCause::Policy);
    assert_eq!(house.told(vec![asked]), "");
}

#[test]
fn it_has_its_own_rules() {
    let mut house = house(|shadow| {
        shadow.orders.fees.fixed = "7".parse().unwrap();
        shadow.orders.do_not_buy = vec!["BBB".parse().unwrap()];
    });
    let open = drift(&house, DriftKind::Open);
    let outputs = house.window(vec![open]);
    assert_eq!(tell(&outputs), "THRESHOLD PROPOSED shadow [SELL 200 AAA]");
    assert_eq!(explained(&outputs, 0), "AAA ORDER DRIFT_SELL, BBB SKIP DO_NOT_BUY");
    let Output::RebalanceEvent(event) = &outputs[0] else { panic!("an event") };
    assert_eq!(event.expected_fees.unwrap().to_string(), "7");
}

#[test]
fn its_cooldown_runs_from_its_own_proposals() {
    let mut house = house(|shadow| shadow.trigger.cooldown_seconds = 60);
    let open = drift(&house, DriftKind::Open);
    assert_eq!(house.told(vec![open]), PROPOSED);
    house.pass(59);
    let worse = drift(&house, DriftKind::Worse);
    let outputs = house.window(vec![worse]);
    assert_eq!(tell(&outputs), "THRESHOLD REFUSED shadow COOLDOWN");
    assert!(words(&outputs, 0).contains("2026-01-05T14:31:00Z"), "{}", words(&outputs, 0));
    house.pass(1);
    let worse = drift(&house, DriftKind::Worse);
    assert_eq!(house.told(vec![worse]), PROPOSED);
}

#[test]
fn its_limits_count_what_it_has_proposed_once_an_episode() {
    let mut house = house(|shadow| shadow.limits.max_daily_notional = Some("80000".parse().unwrap()));
    let (own, open) = (house.drift(DriftKind::Open), drift(&house, DriftKind::Open));
    let told = house.told(vec![own, open]);
    assert!(
        told.contains("RELEASED [SELL 200 AAA]") && told.ends_with(PROPOSED),
        "what the policy's own rules released is not its: {told}"
    );
    let worse = drift(&house, DriftKind::Worse);
    assert_eq!(house.told(vec![worse]), PROPOSED, "the same episode");
    house.book.episode = 2;
    let next = drift(&house, DriftKind::Open);
    assert_eq!(house.told(vec![next]), PROPOSED, "counted a second time, up to the limit");
    house.book.episode = 3;
    let next = drift(&house, DriftKind::Open);
    let outputs = house.window(vec![next]);
    assert_eq!(tell(&outputs), "THRESHOLD NO_ACTION_NEEDED shadow");
    assert_eq!(explained(&outputs, 0), "AAA SKIP ORDER_LIMIT, BBB SKIP ORDER_LIMIT");
}

#[test]
fn a_halt_stops_it_and_a_reason_is_said_once() {
    let mut house = house(|_| {});
    let halt = house.command(CommandKind::Halt, r#""scope":"PORTFOLIO""#);
    house.window(vec![halt]);
    let open = drift(&house, DriftKind::Open);
    assert_eq!(house.told(vec![open]), "THRESHOLD REFUSED shadow KILL_SWITCH");
    let worse = drift(&house, DriftKind::Worse);
    assert_eq!(house.told(vec![worse]), "", "of an episode once");
    let resume = house.command(CommandKind::Resume, r#""scope":"PORTFOLIO""#);
    let rearm = drift(&house, DriftKind::Rearm);
    assert_eq!(house.told(vec![resume, rearm]), PROPOSED);
}

#[test]
fn what_is_over_or_old_is_not_planned() {
    let mut house = house(|_| {});
    let (open, clear) = (drift(&house, DriftKind::Open), drift(&house, DriftKind::Clear));
    assert_eq!(house.told(vec![open.clone(), clear]), "");
    assert_eq!(house.pass(61).told(vec![open]), "THRESHOLD REFUSED shadow BACKLOG");
    let mut without = drift(&house, DriftKind::Open);
    drift_mut(&mut without).policy.as_mut().unwrap().shadow = None;
    assert_eq!(house.told(vec![without]), "THRESHOLD REFUSED shadow DATA_GAP");
}

#[test]
fn what_it_says_changes_nothing_that_others_say() {
    let story = |with: bool| {
        let mut house = house(|shadow| shadow.trigger.minimum_deviation = "50".parse().unwrap());
        let mut said = Vec::new();
        for n in 0..4 {
            let shadow = drift(&house, DriftKind::Open);
            let check = house.command(CommandKind::Rebalance, r#""mode":"CHECK""#);
            let (answer, open) = (house.answer(&check), house.drift(DriftKind::Worse));
            let inputs: Vec<Input> = if n == 2 { vec![open] } else { vec![check, answer] };
            said.extend(house.window(if with { [vec![shadow], inputs].concat() } else { inputs }));
            house.pass(5);
        }
        said.retain(|output| !matches!(output, Output::RebalanceEvent(event) if event.shadow));
        said
    };
    assert_eq!(story(true), story(false), "the same records with the same ids");
    assert!(story(true).len() > 4);
}
