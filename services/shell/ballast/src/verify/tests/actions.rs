//! What the model makes of corporate actions: it does not book them, says so, and accuses nobody.

use super::*;
use domain::cash::CashEntry;
use domain::corporate_action::CorporateAction;
use domain::enums::CashKind;

/// The clean story, in whose first frame an action of AAPL is announced.
fn told_of(kind: &str) -> Story {
    let mut story = clean();
    let json = format!(
        r#"{{"action_id":"a1","instrument_id":"AAPL","status":"NEW","kind":"{kind}","ratio_new":"2","ratio_old":"1","amount_per_share":"1","ex_date":"2026-01-06"}}"#
    );
    let action: CorporateAction = serde_json::from_str(&json).unwrap();
    for event in &mut story.events {
        if let Event::Frame(frame) = event {
            frame.actions.push(action.clone());
        }
    }
    story
}

#[test]
fn a_holding_that_was_split_is_not_compared_and_that_is_said() {
    let mut story = told_of("SPLIT");
    story.ledger(2).positions[0].quantity = v("80");
    story.snapshot(2).allocations[0].quantity = v("80");
    let report = run(&story);
    assert!(report.checks.iter().filter(|check| check.id == "I1").all(|check| check.passed()), "{report}");
    assert!(report.to_string().contains("which is not modelled"), "{report}");
    found(
        &run(&{
            let mut story = clean();
            story.ledger(2).positions[0].quantity = v("80");
            story
        }),
        "I1",
        &["holds 80 AAPL"],
    );
}

#[test]
fn an_entry_of_a_dividend_that_was_announced_is_not_lost() {
    let entry = CashEntry { kind: CashKind::Dividend, action_id: Some("a1".into()), ..deposit("d9", "5") };
    let with = |mut story: Story| {
        let at = story.events.len() - 2;
        story.events.insert(at, Event::Input(Box::new(Input::Cash(Box::new(entry.clone())))));
        run(&story)
    };
    let cash = with(told_of("CASH_DIVIDEND")).balances["treasury.cash.v1"];
    assert_eq!((cash.duplicate, cash.lost), (1, 0));
    found(&with(clean()), "I3", &["d9 of P1 is lost"]);
}
