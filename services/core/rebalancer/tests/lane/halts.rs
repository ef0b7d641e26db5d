//! Halts by their scopes: what each stops, what it asks back, and what ends it.

use crate::harness::{House, tell, words};
use domain::enums::CommandKind::{self, Halt, Resume};
use domain::enums::{DriftKind, Funding};
use domain::{Input, Output};

/// A command for every lane, or for this portfolio only.
fn wide(house: &mut House, kind: CommandKind, scope: &str, own: bool) -> Input {
    let mut input = house.command(kind, scope);
    let Input::Command(command) = &mut input else { unreachable!() };
    command.portfolio_id = command.portfolio_id.take().filter(|_| own);
    input
}

/// The dead letters of a window that reads this, as codes and texts.
fn letters(house: &mut House, input: Input) -> Vec<String> {
    let letter = |output: &Output| match output {
        Output::DeadLetter(letter) => Some(format!("{}: {}", letter.code, letter.text)),
        _ => None,
    };
    house.window(vec![input]).iter().filter_map(letter).collect()
}

const FIRM: &str = r#""scope":"FIRM""#;
const PORTFOLIO: &str = r#""scope":"PORTFOLIO","target":"growth""#;
const STRATEGY: &str = r#""scope":"STRATEGY","target":"momentum""#;
const AAA: &str = r#""scope":"INSTRUMENT","target":"AAA""#;
const SCOPES: [&str; 4] = [FIRM, PORTFOLIO, STRATEGY, AAA];

/// Both orders left at once and are open.
fn both_open() -> House {
    let mut house = House::automatic();
    house.book.policy.as_mut().unwrap().orders.funding = Funding::Together;
    house.restore_twin();
    house.opened()
}

/// What of them a halt of a scope asks back.
fn asked_back(scope: &str) -> &'static str {
    if scope == AAA { "  wave 2 CANCEL [SELL 200 AAA]" } else { "  wave 2 CANCEL [SELL 200 AAA, BUY 200 BBB]" }
}

#[test]
fn open_orders_in_its_scope_are_asked_back_and_no_others() {
    for scope in SCOPES {
        let mut house = both_open();
        let halt = wide(&mut house, Halt, scope, false);
        assert_eq!(house.told(vec![halt]), asked_back(scope), "{scope}");
        let again = wide(&mut house, Halt, scope, false);
        assert_eq!(house.told(vec![again]), "", "what was asked back is not asked back twice");
        let resume = wide(&mut house, Resume, scope, false);
        assert_eq!(house.told(vec![resume]), "", "and goes on its way");
    }
}

#[test]
fn open_orders_are_asked_back_while_the_lane_is_behind() {
    for scope in SCOPES {
        let mut house = both_open();
        house.behind = true;
        let halt = wide(&mut house, Halt, scope, false);
        assert_eq!(house.told(vec![halt]), asked_back(scope), "{scope}: a backlog of prices holds no halt up");
        assert_eq!(house.told(vec![]), "");
        house.behind = false;
        assert_eq!(house.told(vec![]), "", "what was asked back is not asked back twice");
    }
}

#[test]
fn a_halt_of_any_strategy_stops_every_book_that_it_reaches() {
    for own in [false, true] {
        let mut house = House::automatic();
        let halt = wide(&mut house, Halt, STRATEGY, own);
        house.window(vec![halt]);
        let open = house.drift(DriftKind::Open);
        let outputs = house.window(vec![open]);
        assert_eq!(tell(&outputs), "THRESHOLD REFUSED KILL_SWITCH", "{own}");
        assert!(words(&outputs, 0).contains("a halt of the strategy momentum is in force"), "{}", words(&outputs, 0));
        for other in [PORTFOLIO, FIRM, r#""scope":"STRATEGY","target":"value""#] {
            let resume = wide(&mut house, Resume, other, false);
            house.window(vec![resume]);
            assert!(house.rebalanced().contains("KILL_SWITCH"), "{other} ends it not");
        }
        let resume = wide(&mut house, Resume, STRATEGY, own);
        house.window(vec![resume]);
        assert!(house.rebalanced().starts_with("MANUAL RELEASED"));
    }
    // One that was set for another portfolio reaches no further.
    let mut house = House::automatic();
    let mut halt = wide(&mut house, Halt, STRATEGY, true);
    let Input::Command(command) = &mut halt else { unreachable!() };
    command.portfolio_id = Some("other".parse().unwrap());
    house.window(vec![halt]);
    assert!(house.opening().starts_with("THRESHOLD RELEASED"));
}

#[test]
fn a_resume_ends_the_halt_of_its_own_scope_and_target() {
    for halted in SCOPES {
        let mut house = House::automatic();
        let halt = wide(&mut house, Halt, halted, false);
        house.window(vec![halt]);
        for other in SCOPES.into_iter().filter(|scope| *scope != halted) {
            let resume = wide(&mut house, Resume, other, false);
            house.window(vec![resume]);
        }
        let lifted = |told: String| told.contains("SELL 200 AAA");
        assert!(!lifted(house.rebalanced()), "{halted} stands");
        house.restore();
        let mut house = {
            let mut fresh = House::automatic();
            let (halt, again) = (wide(&mut fresh, Halt, halted, false), wide(&mut fresh, Halt, halted, false));
            let resume = wide(&mut fresh, Resume, halted, false);
            fresh.window(vec![halt, again, resume]);
            fresh
        };
        assert!(lifted(house.rebalanced()), "one RESUME ends {halted}, however often it was set");
        let resume = wide(&mut house, Resume, halted, false);
        assert_eq!(house.told(vec![resume]), "", "what is not halted is resumed without harm");
    }
}

#[test]
fn halts_of_two_scopes_are_ended_one_by_one() {
    let mut house = House::automatic();
    let (firm, own) = (wide(&mut house, Halt, FIRM, false), wide(&mut house, Halt, PORTFOLIO, true));
    house.window(vec![firm, own]);
    house.restore();
    let firm = wide(&mut house, Resume, FIRM, false);
    house.window(vec![firm]);
    assert!(house.rebalanced().contains("KILL_SWITCH"), "the portfolio's stands");
    let own = wide(&mut house, Resume, PORTFOLIO, true);
    house.window(vec![own]);
    assert!(house.rebalanced().starts_with("MANUAL RELEASED"));
}

#[test]
fn a_repeat_of_what_was_lifted_since_is_refused_and_changes_nothing() {
    for scope in SCOPES {
        let mut house = House::automatic();
        let (halt, resume) = (wide(&mut house, Halt, scope, false), wide(&mut house, Resume, scope, false));
        house.window(vec![halt.clone()]);
        assert_eq!(letters(&mut house, halt.clone()), Vec::<String>::new(), "{scope}: it stands");
        assert_eq!(letters(&mut house, resume.clone()), Vec::<String>::new());
        assert_eq!(letters(&mut house, resume.clone()), Vec::<String>::new(), "{scope}: it was lifted");
        let refused = letters(&mut house, halt);
        assert!(
            matches!(&refused[..], [one] if one.starts_with("DUPLICATE_CONFLICT: HALT \"c1\" was read before")),
            "{scope}: {refused:?}"
        );
        assert!(house.rebalanced().starts_with("MANUAL RELEASED"), "{scope}");
        let again = wide(&mut house, Halt, scope, false);
        house.window(vec![again]);
        let refused = letters(&mut house, resume);
        assert!(matches!(&refused[..], [one] if one.starts_with("DUPLICATE_CONFLICT: RESUME \"c2\"")), "{scope}: {refused:?}");
        assert_eq!(house.lane.role().halts().in_force().count(), 1, "{scope}: the later halt stands");
    }
}

#[test]
fn more_halts_than_a_lane_holds_are_refused_but_for_one_of_the_firm() {
    let mut house = House::automatic();
    let halt = |house: &mut House, n: u32| {
        let halt = wide(house, Halt, &format!(r#""scope":"INSTRUMENT","target":"X{n}""#), false);
        letters(house, halt)
    };
    for n in 0..10_000 {
        assert_eq!(halt(&mut house, n), Vec::<String>::new());
    }
    assert!(halt(&mut house, 10_000)[0].starts_with("OUT_OF_RANGE: 10000 halts are in force"));
    assert_eq!(halt(&mut house, 9_999), Vec::<String>::new(), "one of those that hold is no further one");
    let resume = wide(&mut house, Resume, r#""scope":"INSTRUMENT","target":"X3""#, false);
    assert_eq!(letters(&mut house, resume), Vec::<String>::new());
    assert_eq!(halt(&mut house, 10_001), Vec::<String>::new());
    let firm = wide(&mut house, Halt, FIRM, false);
    assert_eq!(letters(&mut house, firm), Vec::<String>::new());
    assert!(house.rebalanced().contains("KILL_SWITCH"));
}
