//! Later waves worked out by hand: a plan, what the book has become meanwhile, and what of the buys follows.

use crate::by_hand::{check, later, planned};
use domain::enums::RebalanceTrigger;

const SIXTY_FORTY: &str = r#""targets":[{"instrument_id":"STOCK","target_weight":"0.6"},{"instrument_id":"BOND","target_weight":"0.4"}],
    "band":{"kind":"SMALLER_OF","absolute":"0.05","relative":"0.25"}"#;

/// Sells raise what buys spend; the buys wait, and on the newer event they are cut to what came in.
#[test]
fn a_later_wave_spends_what_the_sells_brought() {
    let (plan, told) = planned(RebalanceTrigger::Threshold, &[], SIXTY_FORTY, "STOCK 660 @ 100\nBOND 340 @ 100");
    check(told, "SELL STOCK 60 DRIFT_SELL = 6000\nBUY BOND 60 DRIFT_BUY = 6000");
    assert!(plan.waits_for_sells);
    let wave = |text: &str| later(RebalanceTrigger::Threshold, &plan, SIXTY_FORTY, text);
    check(wave("STOCK 600 @ 100\nBOND 340 @ 100\ncash USD 6000"), "BUY BOND 60 DRIFT_BUY = 6000\nSKIP STOCK WITHIN_BAND");
    check(
        wave("STOCK 600 @ 100\nBOND 340 @ 100\ncash USD 5950"),
        "BUY BOND 59 DRIFT_BUY = 5900\nCUT BOND WITHIN_BAND\nSKIP STOCK WITHIN_BAND",
    );
    // The price of the buy fell: still 60, not more.
    check(wave("STOCK 600 @ 100\nBOND 340 @ 90\ncash USD 6000"), "BUY BOND 60 DRIFT_BUY = 5400\nSKIP STOCK WITHIN_BAND");
    // It doubled and is overweight now.
    check(wave("STOCK 600 @ 100\nBOND 340 @ 200\ncash USD 6000"), "NO_ACTION_NEEDED\nSKIP BOND OPEN_CYCLE\nSKIP STOCK OPEN_CYCLE");
}

/// 30 ± 5 each: A is above, B below, C inside and 2 below its target. While A is sold B comes inside by itself:
/// it had to go no further. C was to go to its target from the first, and goes.
#[test]
fn a_line_that_came_back_inside_is_not_bought_to_its_target() {
    let line = |id: &str| format!(r#"{{"instrument_id":"{id}","target_weight":"0.3"}}"#);
    let policy = |goal: &str| format!(r#""targets":[{},{},{}],"trigger":{{"goal":"{goal}"}}"#, line("A"), line("B"), line("C"));
    let (first, newer) = ("A 420 @ 1\nB 200 @ 1\nC 280 @ 1\ncash USD 100", "A 350 @ 1\nB 200 @ 1.3\nC 280 @ 1\ncash USD 110");
    for (goal, sold, bought) in [("BAND_EDGE", 70, 50), ("MIDPOINT", 95, 75)] {
        let (plan, told) = planned(RebalanceTrigger::Threshold, &[], &policy(goal), first);
        check(told, &format!("SELL A {sold} DRIFT_SELL = {sold}\nBUY B {bought} DRIFT_BUY = {bought}\nBUY C 20 DRIFT_BUY = 20"));
        let told = later(RebalanceTrigger::Threshold, &plan, &policy(goal), newer);
        check(told, "BUY C 20 DRIFT_BUY = 20\nSKIP A WITHIN_BAND\nSKIP B WITHIN_BAND");
        // Still below: on to the edge or half way, as on any newer book.
        let told = later(RebalanceTrigger::Threshold, &plan, &policy(goal), "A 350 @ 1\nB 200 @ 1\nC 280 @ 1\ncash USD 170");
        check(told, &format!("BUY B {bought} DRIFT_BUY = {bought}\nBUY C 20 DRIFT_BUY = 20\nSKIP A WITHIN_BAND"));
    }
    // A person asked for every line, and so does a goal of the target.
    let (plan, _) = planned(RebalanceTrigger::Manual, &[], &policy("BAND_EDGE"), first);
    let told = later(RebalanceTrigger::Manual, &plan, &policy("BAND_EDGE"), newer);
    check(told, "BUY B 30 DRIFT_BUY = 39\nBUY C 20 DRIFT_BUY = 20\nSKIP A WITHIN_BAND\nCUT B WITHIN_BAND");
    let (plan, _) = planned(RebalanceTrigger::Threshold, &[], &policy("TARGET"), first);
    let told = later(RebalanceTrigger::Threshold, &plan, &policy("TARGET"), newer);
    check(told, "BUY B 30 DRIFT_BUY = 39\nBUY C 20 DRIFT_BUY = 20\nSKIP A WITHIN_BAND\nCUT B WITHIN_BAND");
}

/// A short holding smaller than a lot stays outside its band: rounding keeps it there, and says so.
#[test]
fn a_lot_too_large_for_what_is_short_is_rounding() {
    let rules = r#""targets":[{"instrument_id":"A","target_weight":"0.1"}],"band":{"absolute":"0.5"},
        "trigger":{"goal":"BAND_EDGE","minimum_deviation":"0"},"orders":{"allow_short":true,"max_gross":"2"}"#;
    let (plan, _) = planned(RebalanceTrigger::Threshold, &[], rules, "A -28 @ 10 lot 10\ncash USD 780");
    assert_eq!(plan.buys().map(|leg| leg.quantity.to_string()).collect::<Vec<_>>(), ["10"]);
    let told = later(RebalanceTrigger::Threshold, &plan, rules, "A -8 @ 30 lot 10\ncash USD 740");
    assert_eq!(told, "NO_ACTION_NEEDED\nSKIP A ROUNDED_TO_ZERO");
}
