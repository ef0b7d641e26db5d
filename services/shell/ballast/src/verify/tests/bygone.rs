//! What compaction, retention and earlier lives have taken from the logs: noted, and no violation.

use super::*;

#[test]
fn compaction_excuses_missing_snapshots_and_nothing_else() {
    let given = Given { compacted: true, ..Given::default() };
    let without = |topic: &str| {
        let mut records = clean().records();
        let at = records.iter().enumerate().filter(|(_, r)| r.topic == topic).map(|(at, _)| at).nth(1).unwrap();
        records.remove(at);
        verify(records, &given)
    };
    let report = without("portfolio.snapshots.v1");
    assert!(report.passed(), "{report}");
    found(&without("portfolio.drift.v1"), "I5", &["missing [2]"]);
}

/// The history without the records of a topic before an offset, as retention deletes them.
fn cut(records: &mut Vec<SeenRecord<'static>>, given: &mut Given, topic: &str, start: i64) {
    records.retain(|record| record.topic != topic || record.offset >= start);
    given.starts.insert((topic.to_owned(), 0), start);
}

#[test]
fn what_retention_has_deleted_is_noted_and_not_missed() {
    let progress = "ballast.position-keeper.progress.v1";
    let offsets: Vec<i64> = clean().records().iter().filter(|r| r.topic == progress).map(|r| r.offset).collect();
    // At a BEGIN, at a DONE, and everything.
    for start in [offsets[2], offsets[3], offsets[5] + 1] {
        let (mut records, mut given) = (clean().records(), Given::default());
        cut(&mut records, &mut given, progress, start);
        cut(&mut records, &mut given, "ballast.frames.v1", 1);
        cut(&mut records, &mut given, "execution.fills.v1.dlq", 2);
        let report = verify(records.clone(), &given);
        assert!(report.passed(), "from {start}\n{report}");
        assert!(report.notes.iter().any(|note| note.contains("position-keeper lane 0 has")), "{report}");
        assert!(!verify(records, &Given::default()).passed(), "without retention it is missed");
    }
}

#[test]
fn books_whose_inputs_were_deleted_are_noted_and_a_fault_after_that_is_found() {
    let (mut records, mut given) = (clean().records(), Given::default());
    cut(&mut records, &mut given, "execution.fills.v1", 2);
    let report = verify(records.clone(), &given);
    assert!(report.passed() && report.notes.iter().any(|note| note.contains("execution.fills.v1/0 is kept from offset 2")), "{report}");
    records.retain(|record| record.topic != "rebalance.orders.v1");
    found(&verify(records, &given), "I5", &["rebalancer lane 0 step 1"]);
}

#[test]
fn a_life_begun_anew_counts_on_above_the_one_before() {
    let settings = || vec![domain::progress::Recorded { name: "max_lines".into(), value: "1500".into() }];
    let twice = |recorded: bool| {
        let mut story = clean();
        let again: Vec<Event> =
            story.events.iter().filter(|e| matches!(e, Event::Step(step) if step.role == super::super::seen::KEEPER)).cloned().collect();
        let (mut lives, mut first) =
            (vec![Event::Anew { role: super::super::seen::KEEPER, settings: if recorded { settings() } else { Vec::new() } }], 100);
        let mut whole = StoryStep {
            outputs: Vec::new(),
            ..match &again[0] {
                Event::Step(step) => step.clone(),
                _ => unreachable!(),
            }
        };
        for event in again {
            let Event::Step(step) = event else { unreachable!() };
            whole.outputs.extend(step.outputs.into_iter().filter(|o| !matches!(o, Output::Drift(_))));
        }
        for output in &mut whole.outputs {
            match output {
                Output::Ledger(ledger) => {
                    ledger.version = {
                        first += 1;
                        first
                    }
                }
                Output::Snapshot(snapshot) => snapshot.version += 100,
                _ => {}
            }
        }
        lives.push(Event::Step(whole));
        story.events.extend(lives);
        story
    };
    let report = passes(&twice(true));
    assert!(report.notes.iter().any(|note| note.contains("began anew at step 10")), "{report}");
    found(&run(&twice(false)), "I4", &["BEGIN 10 where step 4 was due"]);
}
