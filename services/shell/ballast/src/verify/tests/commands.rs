//! What the model makes of commands: halts in force, and repeats of an id. Other requests are judged beside
//! the rest of I10.

use super::super::seen::KEEPER;
use super::*;
use domain::reason::ReasonCode;

#[test]
fn i9_halts() {
    let halted = |scope, resumed: bool| {
        let mut story = clean();
        let idle = || step(REBALANCER, &[Topic::Commands], Vec::new());
        let at = story.events.iter().position(|e| matches!(e, Event::Step(step) if step.role == REBALANCER)).unwrap();
        let mut before = vec![command("halt-1", CommandKind::Halt, Some(scope)), idle()];
        if resumed {
            before.extend([command("resume-1", CommandKind::Resume, Some(scope)), idle()]);
        }
        story.events.splice(at..at, before);
        story
    };
    found(&run(&halted(HaltScope::Firm, false)), "I9", &["left in step 2 under halt halt-1"]);
    found(&run(&halted(HaltScope::Portfolio, false)), "I9", &["under halt halt-1"]);
    found(&run(&halted(HaltScope::Strategy, false)), "I9", &["under halt halt-1"]);
    passes(&halted(HaltScope::Firm, true));
    passes(&halted(HaltScope::Strategy, true));
}

/// A history in which a limit was met by an event before the wave, and these commands were read in between.
fn latched(between: &[(&str, CommandKind, HaltScope)], code: ReasonCode, shadow: bool) -> Report {
    let mut story = clean();
    let at = story.events.iter().position(|e| matches!(e, Event::Step(step) if step.role == REBALANCER)).unwrap();
    let Output::RebalanceEvent(mut said) = event(RebalanceStatus::Refused, false) else { unreachable!() };
    (said.code, said.shadow, said.rebalance_id) = (Some(code), shadow, RebalanceId(Uuid::from_u128(1)));
    let mut before = vec![step(REBALANCER, &[Topic::Commands], vec![Output::RebalanceEvent(said)])];
    for (id, kind, scope) in between {
        before.extend([command(id, *kind, Some(*scope)), step(REBALANCER, &[Topic::Commands], Vec::new())]);
    }
    story.events.splice(at..at, before);
    run(&story)
}

#[test]
fn i9_a_limit_that_was_met() {
    let resume = |scope| [("resume-1", CommandKind::Resume, scope)];
    let left = ["left though a limit was met at rebalance.events.v1/0@0", "nobody has resumed it"];
    found(&latched(&[], ReasonCode::OrderLimit, false), "I9", &left);
    found(&latched(&resume(HaltScope::Firm), ReasonCode::OrderLimit, false), "I9", &left);
    for report in [
        latched(&resume(HaltScope::Portfolio), ReasonCode::OrderLimit, false),
        latched(&[], ReasonCode::Cooldown, false),
        latched(&[], ReasonCode::OrderLimit, true),
    ] {
        assert!(report.passed(), "{report}");
    }
}

#[test]
fn i8_what_shadow_rules_come_to_ends_there() {
    finds("I8", &["is of shadow rules, and is RELEASED"], |story| story.event(0).shadow = true);
}

#[test]
fn i9_a_repeated_halt_counts_once() {
    let told = |said: &[(&str, CommandKind)]| {
        let mut story = clean();
        let at = story.events.iter().position(|e| matches!(e, Event::Step(step) if step.role == REBALANCER)).unwrap();
        let idle = || step(REBALANCER, &[Topic::Commands], Vec::new());
        let before = said.iter().flat_map(|(id, kind)| [command(id, *kind, Some(HaltScope::Firm)), idle()]);
        story.events.splice(at..at, before);
        story
    };
    let (halt, resume) = (("halt-1", CommandKind::Halt), ("resume-1", CommandKind::Resume));
    passes(&told(&[halt, resume, halt]));
    found(&run(&told(&[halt, resume, ("halt-2", CommandKind::Halt), resume])), "I9", &["under halt halt-2"]);
}

/// A history in which these REBALANCE commands came, the first one refused for want of a policy.
fn asked(commands: Vec<Event>, refused: &[i64]) -> Story {
    let mut story = clean();
    story.events.splice(4..4, commands);
    let records = story.records();
    for offset in refused {
        let command = records.iter().find(|r| r.topic == "portfolio.commands.v1" && r.offset == *offset).unwrap();
        let Output::DeadLetter(mut letter) = super::refused(0) else { unreachable!() };
        (letter.topic, letter.offset) = (Topic::Commands, *offset);
        letter.key.clone_from(&command.key);
        letter.value.clone_from(&command.value);
        story.steps()[0].outputs.push(Output::DeadLetter(letter));
    }
    story
}

fn changed(event: Event, change: impl FnOnce(&mut Command)) -> Event {
    let Event::Input(mut input) = event else { unreachable!() };
    let Input::Command(command) = &mut *input else { unreachable!() };
    change(command);
    Event::Input(input)
}

#[test]
fn i10_a_repeated_request_has_the_answer_of_its_first() {
    let ask = || command("now-1", CommandKind::Rebalance, None);
    let later = || changed(ask(), |command| command.issued_at = moment(9));
    let other = || changed(ask(), |command| command.actor = "somebody else".into());
    passes(&asked(vec![ask(), ask(), later()], &[0]));
    // Other content under a known id must be refused itself.
    passes(&asked(vec![ask(), other()], &[0, 1]));
    found(&run(&asked(vec![ask(), other()], &[0])), "I10", &["portfolio.commands.v1/0@1", "REBALANCE now-1 has no answer"]);
}

#[test]
fn i10_what_nobody_can_read_of_two_roles_inputs_one_reports() {
    let broken = |rebalancer_reads: bool| {
        let mut story = clean();
        story.events.push(Event::Bytes { topic: Topic::Commands, key: "P1", value: b"garbage" });
        story.events.push(step(KEEPER, &[Topic::Commands], Vec::new()));
        if rebalancer_reads {
            story.events.push(step(REBALANCER, &[Topic::Commands], Vec::new()));
        }
        run(&story)
    };
    found(&broken(true), "I10", &["portfolio.commands.v1/0@0", "read, not dead-lettered"]);
    let report = broken(false);
    assert!(report.passed(), "the rebalancer has not come to it: {report}");
    assert_eq!(report.balances["portfolio.commands.v1"].unread, 1, "{report}");
}
