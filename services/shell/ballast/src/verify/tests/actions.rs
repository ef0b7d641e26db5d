//! What the model makes of corporate actions that have done nothing yet, and of entries that name one.

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
fn an_action_whose_day_has_not_come_changes_nothing() {
    passes(&told_of("SPLIT"));
    let mut story = told_of("SPLIT");
    story.ledger(2).positions[0].quantity = v("80");
    found(&run(&story), "I2", &["quantity 80, the model 40"]);
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
