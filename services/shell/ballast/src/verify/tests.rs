//! Every check is shown able to fail: one fault is planted in a true history, and the row that names
//! the invariant must find it, with a counter-example that says where.

use super::seen::{REBALANCER, SeenRecord};
use super::story::*;
use super::{Checkpoint, Given, Report, verify};
use domain::command::Command;
use domain::enums::{CommandKind, Decision, EntryKind, HaltScope, PriceFlag, RebalanceStatus, Side};
use domain::progress::{Range, WindowRecord};
use domain::{Input, Money, Output, RebalanceId, Topic, Uuid};

mod actions;
mod amendments;
mod bygone;
mod closes;
mod commands;
mod cycles;
mod honest;
mod lots;
mod mixed;
mod performance;
mod scaled;
mod settled;
mod strategies;
mod tales;

fn run(story: &Story) -> Report {
    verify(story.records(), &Given::default())
}

/// The history with one fault: rows of `id` must find it and say `words`.
#[track_caller]
fn finds(id: &str, words: &[&str], fault: impl FnOnce(&mut Story)) {
    let mut story = clean();
    fault(&mut story);
    found(&run(&story), id, words);
}

#[track_caller]
fn found(report: &Report, id: &str, words: &[&str]) {
    let failed: Vec<_> = report.checks.iter().filter(|check| check.id == id && !check.passed()).collect();
    let says = |check: &&super::Check| words.iter().all(|word| check.first.as_ref().is_some_and(|first| first.contains(word)));
    assert!(failed.iter().any(says), "{id} does not say {words:?}:\n{report}");
    assert_eq!(report.exit_status(), 1);
}

#[track_caller]
fn passes(story: &Story) -> Report {
    let report = run(story);
    assert!(report.passed(), "{report}");
    report
}

fn command(id: &str, kind: CommandKind, scope: Option<HaltScope>) -> Event {
    let command = Command { scope, ..Command::new(kind, id.into(), Some(v("P1")), "ops".into(), moment(0)) };
    Event::Input(Box::new(Input::Command(Box::new(command))))
}

#[test]
fn a_true_history_passes_and_its_inputs_balance() {
    let report = passes(&clean());
    assert!(
        report.checks.iter().all(|check| check.checked > 0
            || check.id == "I6"
            || check.what.contains("twice")
            || check.what.contains("known id")
            || check.what.contains("corporate actions")
            || check.what.contains("shadow rules")
            || check.what.contains("of a close")
            || check.what.contains("are closed")
            || check.what.contains("strateg")
            || check.what.contains("answered")
            // Its policy has no target risk.
            || check.what.contains("figures of risk")
            || check.what.contains("(volatility")
            // Its tracker has told nothing.
            || check.what.contains("performance")
            || check.what.contains("timeframe")
            // Its drift events tell of no orders.
            || check.what.contains("executed units")
            // Its rebalances tell of no plan.
            || check.what.contains("than was planned")),
        "{report}"
    );
    let fills = report.balances["execution.fills.v1"];
    assert_eq!((fills.inputs, fills.applied, fills.duplicate, fills.dead_lettered, fills.lost), (5, 3, 1, 1, 0), "{report}");
    assert_eq!(report.exit_status(), 0);
}

#[test]
fn i1_a_position_that_is_not_the_sum_of_its_executions() {
    finds("I1", &["portfolio.ledger.v1/0@4", "holds 41 AAPL", "add up to 40"], |story| story.ledger(2).positions[0].quantity = v("41"));
    finds("I1", &["portfolio.snapshots.v1/0@4", "version 3", "holds 39 AAPL", "add up to 40"], |story| {
        story.snapshot(2).allocations[0].quantity = v("39");
    });
}

#[test]
fn i1_an_execution_that_was_never_booked_is_missed_in_the_position() {
    finds("I1", &["holds 49 AAPL", "add up to 40"], |story| {
        story.ledger(2).entries.clear();
        story.ledger(2).positions[0].quantity = v("49");
    });
}

#[test]
fn i2_cash_profit_and_cost() {
    finds("I2", &["portfolio.ledger.v1/0@4", "holds 6089 USD", "6088"], |story| story.ledger(2).cash[0].amount = v("6089"));
    finds("I2", &["cash legs", "-3000", "-3001"], |story| story.ledger(0).entries[1].cash[0].amount = v("-3000"));
    finds("I2", &["realized 91", "the model 90"], |story| story.ledger(2).entries[0].realized_gross = v("91"));
    finds("I2", &["realized_gross 89.9999999999", "the model 90"], |story| {
        story.ledger(2).positions[0].realized_gross = v("89.9999999999")
    });
    finds("I2", &["cost 4001", "the model 4000"], |story| story.ledger(2).positions[0].cost = v("4001"));
    finds("I2", &["fees: USD"], |story| story.ledger(2).positions[0].fees[0].amount = v("3"));
    finds("I2", &["do not balance"], |story| {
        story.ledger(1).entries[0].fees = vec![domain::ledger::CurrencyAmount { currency: usd(), amount: v("1") }].into()
    });
}

#[test]
fn i2_the_snapshot_ties_out() {
    finds("I2", &["version 2", "total_pnl"], |story| story.snapshot(1).metrics.unrealized = v("5"));
    finds("I2", &["realized_net", "its parts"], |story| story.snapshot(1).metrics.fees = v("7"));
    finds("I2", &["total_value", "its parts"], |story| story.snapshot(1).allocations[0].value = v("4901"));
    finds("I2", &["version 3", "net_flows 10001", "add up to 10000"], |story| story.snapshot(2).metrics.net_flows = v("10001"));
    finds("I2", &["version 3", "fees 3", "add up to 2"], |story| story.snapshot(2).metrics.fees = v("3"));
    finds("I2", &["external_flow 9", "the model 10000"], |story| story.ledger(0).entries[0].external_flow = v("9"));
    finds("I2", &["version 3", "has 6087 USD", "6088"], |story| story.snapshot(2).cash[0].trade_date = v("6087"));
}

#[test]
fn i3_an_execution_that_acts_twice() {
    finds("I3", &["e3", "booked again", "portfolio.ledger.v1/0@4"], |story| {
        let again = story.ledger(2).entries[0].clone();
        story.ledger(2).entries.push(again);
    });
    // The duplicate at offset 1 acts too.
    finds("I3", &["execution.fills.v1/0@1", "booked again"], |story| {
        let mut again = story.ledger(0).entries[1].clone();
        again.cause.offset = 1;
        story.ledger(1).entries.push(again);
    });
}

#[test]
fn i3_an_execution_that_is_lost_or_invented() {
    finds("I3", &["execution.fills.v1/0@5", "e3 of P1 is lost"], |story| story.ledger(2).entries.clear());
    finds("I3", &["treasury.cash.v1/0@0", "d1 of P1 is lost"], |story| _ = story.ledger(0).entries.remove(0));
    finds("I3", &["execution.fills.v1/0@17", "where no input of it stands"], |story| story.ledger(2).entries[0].cause.offset = 17);
}

#[test]
fn i3_a_known_id_with_other_content_may_not_be_passed_over() {
    finds("I3", &["execution.fills.v1/0@1", "passed over as execution.fills.v1/0@0"], |story| {
        let second = story
            .events
            .iter_mut()
            .filter_map(|e| if let Event::Input(i) = e { Some(i) } else { None })
            .filter_map(|i| if let Input::Fill(f) = &mut **i { Some(f) } else { None })
            .nth(1);
        second.unwrap().quantity = v("31");
    });
}

#[test]
fn i3_executions_are_booked_in_log_order() {
    finds("I3", &["e1", "at offset 0 is booked behind offset 3"], |story| {
        // Both in one step of one window, the later one first.
        let late = story.ledger(1).entries.remove(0);
        story.ledger(0).entries.insert(0, late);
    });
}

#[test]
fn i3_a_record_may_wait_only_for_what_is_missing() {
    let mut story = clean();
    let unknown = domain::fill::Fill { instrument_id: v("NVDA"), ..fill("e9", Side::Buy, "1", "1", "0", None) };
    let last = story.events.len() - 2;
    story.events.insert(last, Event::Input(Box::new(Input::Fill(Box::new(unknown)))));
    let report = passes(&story);
    assert_eq!(report.balances["execution.fills.v1"].waiting, 1, "{report}");
    // The instrument comes, in a frame that the lane reads: now it may not wait any more.
    let nvda = domain::frame::Frame { instruments: vec![instrument("NVDA")], ..frame((1, 1), (1, 2)) };
    story.events.insert(last, Event::Frame(nvda));
    story.events.insert(last, Event::Input(Box::new(Input::Instrument(Box::new(instrument("NVDA"))))));
    found(&run(&story), "I3", &["e9 of P1 is lost"]);
}

#[test]
fn behind_a_waiting_record_the_others_of_its_portfolio_wait_too() {
    let mut story = clean();
    let at = story.events.len() - 2;
    let unknown = domain::fill::Fill { instrument_id: v("NVDA"), ..fill("e9", Side::Buy, "1", "1", "0", None) };
    for fill in [unknown, fill("e10", Side::Buy, "1", "1", "0", None)] {
        story.events.insert(at, Event::Input(Box::new(Input::Fill(Box::new(fill)))));
    }
    assert_eq!(passes(&story).balances["execution.fills.v1"].waiting, 2);
}

#[test]
fn what_no_step_has_read_is_unread_not_lost() {
    let mut story = clean();
    story.events.push(Event::Input(Box::new(Input::Fill(Box::new(fill("e9", Side::Buy, "1", "1", "0", None))))));
    assert_eq!(passes(&story).balances["execution.fills.v1"].unread, 1);
}

#[test]
fn i4_steps_and_ranges() {
    finds("I4", &["ballast.position-keeper.progress.v1/0@0", "DONE 1 follows BEGIN None"], |story| story.steps()[0].begin = false);
    finds("I4", &["BEGIN 2 follows BEGIN 1"], |story| story.steps()[0].done = false);
    let window = |from, seconds| WindowRecord {
        ranges: vec![Range { topic: Topic::Fills, partition: 0, from, to: 5 }],
        now: moment(seconds),
        behind: false,
    };
    finds("I4", &["reads execution.fills.v1/0 from 4 to 5", "ended at 3"], |story| story.steps()[3].windows = vec![window(4, 20)]);
    finds("I4", &["step 2: the clock goes back"], |story| story.steps()[3].windows = vec![window(3, 1)]);
}

#[test]
fn i4_numbers_start_at_one_and_have_no_gap() {
    let mut records = clean().records();
    let progress = Topic::PositionKeeperProgress.name();
    let third: Vec<usize> = records.iter().enumerate().filter(|(_, r)| r.topic == progress).map(|(at, _)| at).collect();
    records.drain(third[2]..=third[3]);
    found(&verify(records, &Given::default()), "I4", &["BEGIN 3 where step 2 was due"]);
}

#[test]
fn i5_outputs_and_their_steps() {
    let without = |topic: &'static str, nth: usize| {
        let mut records = clean().records();
        let at = records.iter().enumerate().filter(|(_, r)| r.topic == topic).map(|(at, _)| at).nth(nth).unwrap();
        records.remove(at);
        verify(records, &Given::default())
    };
    found(&without("portfolio.snapshots.v1", 1), "I5", &["position-keeper lane 0 step 2", "3 outputs, 2 are visible", "missing [1]"]);
    found(&without("rebalance.orders.v1", 0), "I5", &["rebalancer lane 0 step 1", "missing [1]"]);
    finds("I5", &["DONE 1 has no BEGIN"], |story| story.steps()[0].begin = false);
    finds("I5", &["portfolio.ledger.v1/0@0", "BEGIN 1 is not"], |story| story.steps()[0].begin = false);
    let mut records = clean().records();
    let ledger = records.iter_mut().find(|r| r.topic == "portfolio.ledger.v1").unwrap();
    ledger.headers.clear();
    found(&verify(records, &Given::default()), "I5", &["portfolio.ledger.v1/0@0", "without the headers of a step"]);
    let mut records = clean().records();
    records.iter_mut().find(|r| r.topic == "portfolio.snapshots.v1").unwrap().value = Some(b"broken".to_vec());
    found(&verify(records, &Given::default()), "I5", &["portfolio.snapshots.v1/0@0"]);
}

/// The clean story, in which the keeper's last step stands in part or whole before it stands again.
fn repeated(part: usize, change: &dyn Fn(&mut StoryStep)) -> Story {
    let mut story = clean();
    let at = story.events.iter().rposition(|e| matches!(e, Event::Step(step) if step.role != REBALANCER)).unwrap();
    let Event::Step(mut first) = story.events[at].clone() else { unreachable!() };
    change(&mut first);
    story.events.insert(at, Event::Torn(first, part));
    story
}

#[test]
fn i5_a_torn_step_may_stand_twice_only_with_identical_bytes() {
    let report = passes(&repeated(2, &|_| {}));
    assert_eq!(report.checks.iter().find(|c| c.what.contains("twice")).unwrap().checked, 2);
    let other = repeated(2, &|step| {
        if let Output::Ledger(ledger) = &mut step.outputs[0] {
            ledger.cash[0].amount = Money::ONE;
        }
    });
    found(&run(&other), "I5", &["portfolio.ledger.v1/0@4 and portfolio.ledger.v1/0@6", "other bytes"]);
    found(&run(&repeated(2, &|step| step.behind = true)), "I4", &["BEGIN 3 stands twice, with other windows"]);
}

#[test]
fn a_whole_step_may_stand_twice_only_unchanged() {
    passes(&repeated(usize::MAX, &|_| {}));
    found(&run(&repeated(usize::MAX, &|step| step.behind = true)), "I4", &["BEGIN 3 where step 4 was due"]);
    found(&run(&repeated(usize::MAX, &|step| drop(step.outputs.pop()))), "I4", &["DONE 3 stands twice"]);
}

#[test]
fn a_step_torn_at_the_end_of_the_log_is_no_violation() {
    let mut story = clean();
    let at = story.events.iter().rposition(|e| matches!(e, Event::Step(step) if step.role != REBALANCER)).unwrap();
    let Event::Step(last) = story.events[at].clone() else { unreachable!() };
    story.events[at] = Event::Torn(last, 1);
    let report = passes(&story);
    assert_eq!(report.balances["execution.fills.v1"].unread, 1, "{report}");
}

#[test]
fn i6_a_checkpoint_ahead_of_the_log() {
    let given = |step| Given { checkpoints: Some(vec![Checkpoint { role: "position-keeper".into(), lane: 0, step }]), ..Given::default() };
    assert!(verify(clean().records(), &given(3)).passed());
    found(&verify(clean().records(), &given(4)), "I6", &["position-keeper lane 0", "holds step 4", "last DONE is 3"]);
}

#[test]
fn i7_is_added_by_who_ran_it() {
    let mut report = run(&clean());
    let mut check = super::Check::new("I7", "replayed digests = live digests");
    check.that(false, || "step 3".to_owned());
    report.add(check);
    found(&report, "I7", &["step 3"]);
}

#[test]
fn i9_prices() {
    finds("I9", &["rebalance.orders.v1/0@0", "its price is STALE"], |story| story.drift(0).lines[0].price_flag = PriceFlag::Stale);
    finds("I9", &["at 101", "the drift event portfolio.drift.v1/0@0"], |story| story.wave().orders[0].reference_price = price("101"));
    finds("I9", &["no tick gave that price"], |story| {
        story.wave().orders[0].reference_time = moment(2);
        story.drift(0).lines[0].price_time = Some(moment(2));
    });
    finds("I9", &["µs old", "allowed are 300 s"], |story| story.drift(0).as_of = moment(302));
}

#[test]
fn i9_the_state_of_the_book() {
    finds("I9", &["quarantined true"], |story| story.drift(0).health.quarantined = true);
    finds("I9", &["unreconciled true"], |story| story.drift(0).health.unreconciled = true);
    finds("I9", &["complete false"], |story| story.drift(0).health.complete = false);
    finds("I9", &["anomalies 1"], |story| {
        let (kind, bound) = (domain::enums::AnomalyKind::DailyReturn, "0.1".parse().expect("a fraction"));
        story.drift(0).health.anomalies.push(domain::snapshot::Anomaly { kind, instrument_id: None, value: bound, bound });
    });
    finds("I9", &["stands on no drift event with snapshot version Some(5)"], |story| story.wave().orders[0].snapshot_version = 5);
    finds("I9", &["which was behind"], |story| story.steps()[1].behind = true);
    finds("I9", &["is explained nowhere"], |story| story.event(0).explanation[0].decision = Decision::Skip);
}

#[test]
fn i9_a_step_may_read_more_after_the_window_that_decided() {
    let mut story = clean();
    let mut later = story.drift(0).clone();
    let policy = later.policy.as_mut().expect("an event carries its policy");
    policy.policy_version += 1;
    story.steps()[0].outputs.insert(3, Output::Drift(Box::new(later)));
    passes(&story);
    story.wave().policy_version += 2;
    found(&run(&story), "I9", &["names policy version"]);
}

#[test]
fn i9_an_approval_is_checked_again() {
    let approved = |quarantined: bool| {
        let mut story = clean();
        let Output::RebalanceEvent(mut said) = event(RebalanceStatus::Approved, false) else { unreachable!() };
        said.command_id = Some("yes-1".into());
        story.steps()[1].outputs.insert(0, Output::RebalanceEvent(said));
        let mut answer = story.drift(0).clone();
        answer.cause = Some(domain::enums::DriftCause::Command);
        answer.cause_id = Some("yes-1".into());
        answer.health.quarantined = quarantined;
        story.steps()[0].outputs.insert(3, Output::Drift(Box::new(answer)));
        story.events.insert(4, command("yes-1", CommandKind::Approve, None));
        story
    };
    passes(&approved(false));
    found(&run(&approved(true)), "I9", &["was approved by yes-1", "portfolio.drift.v1/0@0"]);
    finds("I9", &["was approved by yes-2", "no drift event"], |story| {
        let Output::RebalanceEvent(mut said) = event(RebalanceStatus::Approved, false) else { unreachable!() };
        said.command_id = Some("yes-2".into());
        story.steps()[1].outputs.insert(0, Output::RebalanceEvent(said));
    });
}

#[test]
fn i10_inputs_balance() {
    // Nobody dead-letters the unreadable execution.
    finds("I10", &["execution.fills.v1/0@2", "read, not dead-lettered"], |story| _ = story.steps()[0].outputs.remove(1));
    finds("I10", &["has other bytes than the input"], |story| story.letter().value = Some(b"other".to_vec()));
    finds("I10", &["names a record that is not there"], |story| story.letter().offset = 99);
    finds("I10", &["execution.fills.v1/0@2 stands at"], |story| story.steps()[0].outputs.push(refused(2)));
    finds("I10", &["execution.fills.v1/0@5: booked and dead-lettered"], |story| {
        let mut records = story.records();
        let sold = records.iter_mut().find(|r| r.topic == "execution.fills.v1" && r.offset == 5).unwrap();
        let Output::DeadLetter(mut letter) = refused(5) else { unreachable!() };
        letter.key.clone_from(&sold.key);
        letter.value.clone_from(&sold.value);
        story.steps()[4].outputs.push(Output::DeadLetter(letter));
    });
}

#[test]
fn i10_a_misfiled_execution_must_be_refused() {
    let mut records = clean().records();
    records.iter_mut().find(|r| r.topic == "execution.fills.v1" && r.offset == 1).unwrap().key = Some(b"P2".to_vec());
    let report = verify(records, &Given::default());
    found(&report, "I10", &["execution.fills.v1/0@1", "its key \"P2\" is not its portfolio"]);
}

#[test]
fn i10_steps_count_their_inputs() {
    let mut records: Vec<SeenRecord<'_>> = clean().records();
    let at = records.iter().position(|r| r.topic == "execution.fills.v1" && r.offset == 1).unwrap();
    records.remove(at);
    found(&verify(records, &Given::default()), "I10", &["position-keeper lane 0 step 1", "DONE counts", "its ranges hold"]);
}

fn frame_of(story: &mut Story) -> &mut domain::frame::Frame {
    story.events.iter_mut().find_map(|e| if let Event::Frame(frame) = e { Some(frame) } else { None }).unwrap()
}

#[test]
fn i10_frames_tell_of_each_broadcast_input() {
    finds("I10", &["marketdata.ticks.v1/0@0: of AAPL, and no counting frame names AAPL"], |story| frame_of(story).prices.clear());
    let broken = |story: &mut Story| {
        let at = story.events.iter().position(|e| matches!(e, Event::Frame(_))).unwrap();
        story.events.insert(at, Event::Bytes { topic: Topic::Ticks, key: "AAPL", value: b"garbage" });
        let source = frame_of(story).sources.iter_mut().find(|s| s.topic == Topic::Ticks).unwrap();
        source.to = 2;
    };
    finds("I10", &["marketdata.ticks.v1/0@1: unreadable", "not refused by the conflator"], broken);
    finds("I10", &["marketdata.ticks.v1/0@1: refused in frame 0, not dead-lettered"], |story| {
        broken(story);
        let Output::DeadLetter(letter) = refused(1) else { unreachable!() };
        frame_of(story).rejected.push(domain::dead_letter::DeadLetter { topic: Topic::Ticks, ..*letter });
    });
}

#[test]
fn a_frame_of_an_overtaken_writer_does_not_count() {
    let mut story = clean();
    let at = story.events.iter().position(|e| matches!(e, Event::Frame(_))).unwrap();
    let mut stray = first_frame();
    stray.prices[0].last = Some(v("999"));
    story.events.insert(at + 1, Event::Frame(stray));
    passes(&story);
    // Its price, ordered on, is a price that no tick gave.
    let moved = |line: &mut domain::drift::DriftLine| line.price = Some(v("999"));
    moved(&mut story.drift(0).lines[0]);
    story.wave().orders[0].reference_price = v("999");
    found(&run(&story), "I9", &["no tick gave that price"]);
}

#[test]
fn i10_policies_and_requests() {
    finds("I10", &["P1 has policy version Some(2)"], |story| {
        let next = domain::policy::Policy { policy_version: 2, ..policy() };
        story.events.insert(4, Event::Input(Box::new(Input::Policy(Box::new(next)))));
    });
    finds("I10", &["REBALANCE now-1 has no answer"], |story| story.events.insert(4, command("now-1", CommandKind::Rebalance, None)));
    let mut answered = clean();
    answered.events.insert(4, command("now-1", CommandKind::Rebalance, None));
    let drift = answered.drift(0);
    drift.cause = Some(domain::enums::DriftCause::Command);
    drift.cause_id = Some("now-1".into());
    passes(&answered);
}

#[test]
fn i11_weights() {
    finds("I11", &["MISSING beside its price"], |story| story.drift(0).lines[0].price_flag = PriceFlag::Missing);
    finds("I11", &["portfolio.snapshots.v1/0@2", "add up to"], |story| story.snapshot(1).allocations[0].percentage = Some(v("49")));
    finds("I11", &["portfolio.drift.v1/0@2", "add up to"], |story| story.drift(1).lines[0].weight = Some(v("0.49")));
    finds("I11", &["value 4900.01", "its numbers 4900"], |story| story.drift(1).lines[0].value = v("4900.01"));
    finds("I11", &["drift", "weight − target"], |story| story.drift(1).lines[0].drift = Some(v("0.1")));
}

#[test]
fn i12_versions() {
    finds("I12", &["portfolio.snapshots.v1/0@4", "version 4 of P1 follows version 2"], |story| story.snapshot(2).version = 4);
    finds("I12", &["portfolio.ledger.v1/0@2", "version 1 of P1 follows version 1"], |story| story.ledger(1).version = 1);
}

#[test]
fn i2_an_action_is_the_cause_of_its_entries_and_of_no_others() {
    finds("I2", &["(e3) has SPLIT of which it is not the cause"], |story| story.ledger(2).entries[0].kind = EntryKind::Split);
    finds("I2", &["the action e3, of which no frame tells"], |story| {
        let entry = &mut story.ledger(2).entries[0];
        (entry.kind, entry.cause.topic) = (EntryKind::Split, Topic::Frames);
    });
}
