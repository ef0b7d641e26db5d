//! Books in lots: a true history passes, cost, profit and lots that are wrong are found, and a method stays.

use super::super::story::*;
use super::{Report, Story, found, passes, run};
use crate::verify::{SeenRecord, verify};
use domain::Input;
use domain::enums::CostMethod;
use domain::ledger::Lot;
use domain::policy::Policy;

fn lot(id: &str, quantity: &str, cost: &str) -> Lot {
    Lot { exec_id: id.into(), trade_date: v("2023-11-14"), quantity: v(quantity), cost: v(cost) }
}

fn by(method: CostMethod, version: i64) -> Event {
    let mut kept = Policy { policy_version: version, ..policy() };
    kept.book.cost_method = method;
    Event::Input(Box::new(Input::Policy(Box::new(kept))))
}

/// The clean story, its book kept by a method, with these lots at the end.
fn kept(method: CostMethod, last: Vec<Lot>) -> Story {
    let mut story = clean();
    let at = story.events.iter().position(|e| matches!(e, Event::Input(input) if matches!(**input, Input::Policy(_)))).unwrap();
    story.events[at] = by(method, 1);
    story.ledger(0).positions[0].lots = vec![lot("e1", "30", "3000")];
    story.ledger(1).positions[0].lots = vec![lot("e1", "30", "3000"), lot("e2", "19", "1900")];
    story.ledger(2).positions[0].lots = last;
    story
}

fn fifo() -> Story {
    kept(CostMethod::Fifo, vec![lot("e1", "21", "2100"), lot("e2", "19", "1900")])
}

fn finds(words: &[&str], fault: impl FnOnce(&mut Story)) {
    let mut story = fifo();
    fault(&mut story);
    found(&run(&story), "I2", words);
}

#[test]
fn books_in_lots_are_judged() {
    let compared = |report: &Report| !report.notes.iter().any(|note| note.contains("not compared"));
    assert!(compared(&passes(&fifo())));
    let newest = || vec![lot("e1", "30", "3000"), lot("e2", "10", "1000")];
    assert!(compared(&passes(&kept(CostMethod::Lifo, newest()))));
    assert!(compared(&passes(&kept(CostMethod::Hifo, vec![lot("e1", "21", "2100"), lot("e2", "19", "1900")]))));
    found(&run(&kept(CostMethod::Fifo, newest())), "I2", &["lot 0: e1", "30", "the model e1", "21"]);
    found(&run(&kept(CostMethod::Average, newest())), "I2", &["1 lots, the model 0"]);
}

#[test]
fn what_is_wrong_with_lots_is_found() {
    finds(&["1 lots, the model 2"], |story| _ = story.ledger(1).positions[0].lots.pop());
    finds(&["lot 1: e3 of", "the model e2 of"], |story| story.ledger(2).positions[0].lots[1].exec_id = "e3".into());
    finds(&["of 2023-11-15", "of 2023-11-14"], |story| story.ledger(2).positions[0].lots[1].trade_date = v("2023-11-15"));
    finds(&["for 2100.01", "with 21 for 2100"], |story| story.ledger(2).positions[0].lots[0].cost = v("2100.01"));
    finds(&["realized 91", "the model 90"], |story| story.ledger(2).entries[0].realized_gross = v("91"));
    finds(&["cost 4001", "the model 4000"], |story| story.ledger(2).positions[0].cost = v("4001"));
}

#[test]
fn a_method_stays_once_something_is_booked() {
    // Before the first booking it may change; the last one before it holds.
    let mut early = fifo();
    let at = early.events.iter().position(|e| matches!(e, Event::Input(input) if matches!(**input, Input::Policy(_)))).unwrap();
    early.events.insert(at, by(CostMethod::Average, 0));
    passes(&early);
    let mut late = fifo();
    let last = late.events.len() - 2;
    late.events.insert(last, by(CostMethod::Lifo, 2));
    found(&run(&late), "I2", &["portfolio.policies.v1/0@1", "another method than FIFO"]);
}

#[test]
fn a_method_that_cannot_be_told_is_not_guessed() {
    let without = |r: &SeenRecord<'_>| r.topic != "portfolio.policies.v1";
    let records: Vec<_> = fifo().records().into_iter().filter(without).collect();
    let report = verify(records, &super::Given::default());
    assert!(report.notes.iter().any(|note| note.contains("their cost method is not known")), "{report}");
    assert!(report.checks.iter().filter(|check| check.id == "I2").all(|check| check.passed()), "{report}");
}
