//! Plans worked out by hand: a policy and a book in, the plan out, as text.

use crate::book;
use crate::by_hand::{check, input, planned, told};
use domain::Quantity;
use domain::enums::{RebalanceTrigger, Side};
use rebalancer::plan::{HaltView, OpenOrder, PlanInput, plan};
use rebalancer::plan_check::plan_check;

/// What a person's request makes of a book.
fn asked(policy: &str, text: &str) -> String {
    planned(RebalanceTrigger::Manual, &[], policy, text).1
}

/// What a drift event makes of a book.
fn drifted(policy: &str, text: &str) -> String {
    planned(RebalanceTrigger::Threshold, &[], policy, text).1
}

const SIXTY_FORTY: &str = r#""targets":[{"instrument_id":"STOCK","target_weight":"0.6"},{"instrument_id":"BOND","target_weight":"0.4"}],
    "band":{"kind":"SMALLER_OF","absolute":"0.05","relative":"0.25"}"#;

/// 60/40 with the 5/25 rule: five points of weight, or a quarter of the target, whichever is smaller.
#[test]
fn sixty_forty_at_five_twentyfive() {
    check(drifted(SIXTY_FORTY, "STOCK 650 @ 100\nBOND 350 @ 100"), "NO_ACTION_NEEDED\nSKIP BOND WITHIN_BAND\nSKIP STOCK WITHIN_BAND");
    check(drifted(SIXTY_FORTY, "STOCK 660 @ 100\nBOND 340 @ 100"), "SELL STOCK 60 DRIFT_SELL = 6000\nBUY BOND 60 DRIFT_BUY = 6000");
    // One share of 100 beyond the bound breaches it; inclusive, the bound itself does.
    check(drifted(SIXTY_FORTY, "STOCK 65001 @ 1\nBOND 34999 @ 1"), "SELL STOCK 5001 DRIFT_SELL = 5001\nBUY BOND 5001 DRIFT_BUY = 5001");
    let inclusive = SIXTY_FORTY.replace(r#""kind""#, r#""inclusive":true,"kind""#);
    check(drifted(&inclusive, "STOCK 650 @ 100\nBOND 350 @ 100"), "SELL STOCK 50 DRIFT_SELL = 5000\nBUY BOND 50 DRIFT_BUY = 5000");
    // A target of 8 per cent breaches at a quarter of itself: 2 points.
    let small =
        r#""targets":[{"instrument_id":"A","target_weight":"0.08"}],"band":{"kind":"SMALLER_OF","absolute":"0.05","relative":"0.25"}"#;
    check(drifted(small, "A 100 @ 1\ncash USD 900"), "NO_ACTION_NEEDED\nSKIP A WITHIN_BAND");
    check(drifted(small, "A 101 @ 1\ncash USD 899"), "SELL A 21 DRIFT_SELL = 21");
}

/// Goals after a breach of 66 against 60 ± 5: the target, the middle of target and edge, the edge.
#[test]
fn goals_reach_the_target_the_middle_or_the_edge() {
    for (goal, scope, said) in [
        ("TARGET", "BREACHED_LINES", "SELL STOCK 60 DRIFT_SELL = 6000\nSKIP BOND NOT_BREACHED"),
        ("MIDPOINT", "BREACHED_LINES", "SELL STOCK 35 DRIFT_SELL = 3500\nSKIP BOND NOT_BREACHED"),
        ("BAND_EDGE", "BREACHED_LINES", "SELL STOCK 10 DRIFT_SELL = 1000\nSKIP BOND NOT_BREACHED"),
    ] {
        let policy = format!(
            r#""targets":[{{"instrument_id":"STOCK","target_weight":"0.6"}},{{"instrument_id":"BOND","target_weight":"0.4","min_weight":"0"}}],
            "trigger":{{"goal":"{goal}","scope":"{scope}"}}"#
        );
        check(drifted(&policy, "STOCK 660 @ 100\nBOND 340 @ 100"), said);
    }
}

/// 66.1 against an edge of 65 in lots of 2: 11 are too many by one, 10 stop outside, so 12 go.
#[test]
fn at_the_band_edge_one_lot_more_stops_inside() {
    let policy = r#""targets":[{"instrument_id":"A","target_weight":"0.6"}],"trigger":{"goal":"BAND_EDGE"}"#;
    check(drifted(policy, "A 661 @ 100 lot 2\ncash USD 33900"), "SELL A 12 DRIFT_SELL = 1200");
    check(drifted(policy, "A 660 @ 100 lot 2\ncash USD 34000"), "SELL A 10 DRIFT_SELL = 1000");
    // Inclusive, stopping on the edge is outside.
    let inclusive = format!(r#"{policy},"band":{{"inclusive":true}}"#);
    check(drifted(&inclusive, "A 660 @ 100 lot 2\ncash USD 34000"), "SELL A 12 DRIFT_SELL = 1200");
}

/// A holding outside the policy goes whole, odd lot and all; a target of zero likewise.
#[test]
fn exits_sell_odd_lots() {
    check(asked("", "A 37.5 @ 10 lot 100\ncash USD 625"), "SELL A 37.5 EXIT = 375");
    check(asked(r#""targets":[{"instrument_id":"A","target_weight":"0"}]"#, "A 137 @ 10 lot 100\ncash USD 1"), "SELL A 137 EXIT = 1370");
    // Whatever the goal of breached lines: none stops at the edge of a target of zero.
    let (plan, told) = planned(RebalanceTrigger::Threshold, &[], r#""trigger":{"goal":"BAND_EDGE"}"#, "A 10 @ 10\ncash USD 900");
    check(told, "SELL A 10 EXIT = 100");
    let goal = plan.legs[0].numbers.iter().find(|number| number.name == "goal_weight").map(|number| number.value.as_str());
    assert_eq!(goal, Some("0"));
    // A short outside the policy is covered.
    let policy = r#""orders":{"allow_short":true}"#;
    check(asked(policy, "A -7 @ 10 lot 5\ncash USD 1000"), "BUY A 7 EXIT = 70");
}

/// Buys of 400 and 200 want 600, the cash is 301: one factor for both, or the largest underweight first.
#[test]
fn buys_share_too_little_cash() {
    let policy = |shortage: &str| {
        format!(
            r#""targets":[{{"instrument_id":"A","target_weight":"0.4"}},{{"instrument_id":"B","target_weight":"0.2"}},
            {{"instrument_id":"OLD","target_weight":"0.4"}}],
            "orders":{{"shortage":"{shortage}","do_not_sell":["OLD"]}}"#
        )
    };
    let book = "A 0 @ 10\nB 0 @ 10\nOLD 699 @ 1\ncash USD 301";
    check(
        asked(&policy("PRO_RATA"), book),
        "BUY A 20 DRIFT_BUY = 200\nBUY B 10 DRIFT_BUY = 100\nCUT A CASH_SHORTAGE\nCUT B CASH_SHORTAGE\nSKIP OLD DO_NOT_SELL",
    );
    check(asked(&policy("PRIORITY"), book), "BUY A 30 DRIFT_BUY = 300\nCUT A CASH_SHORTAGE\nSKIP B CASH_SHORTAGE\nSKIP OLD DO_NOT_SELL");
    let none = "A 0 @ 10\nB 0 @ 10\nOLD 1000 @ 1\ncash USD 0";
    check(asked(&policy("PRO_RATA"), none), "NO_ACTION_NEEDED\nSKIP A INSUFFICIENT_FUNDS\nSKIP B INSUFFICIENT_FUNDS\nSKIP OLD DO_NOT_SELL");
}

/// 1,000 of cash, 5 a trade and 1 per cent: a buy of everything leaves room for its own fees.
#[test]
fn fees_and_the_reserve_come_off_the_cash() {
    let policy = |more: &str| {
        format!(r#""targets":[{{"instrument_id":"A","target_weight":"1"}}],"orders":{{"fees":{{"rate":"0.01","fixed":"5"}}{more}}}"#)
    };
    // (1000 − 5) / 1.01 = 985.14…
    let (plan, told) = planned(RebalanceTrigger::Manual, &[], &policy(""), "A 0 @ 1\ncash USD 1000");
    check(told, "BUY A 985 DRIFT_BUY = 985\nCUT A CASH_SHORTAGE");
    assert_eq!(plan.expected_fees, Some("14.85".parse().unwrap()));
    // (1000 − 100 − 5) / 1.01 = 886.13…
    check(asked(&policy(r#","cash_reserve":"0.1""#), "A 0 @ 1\ncash USD 1000"), "BUY A 886 DRIFT_BUY = 886\nCUT A CASH_SHORTAGE");
    // Scaled goals aim at 900 from the first, and fees still count.
    check(
        asked(&policy(r#","cash_reserve":"0.1","reserve_scales_targets":true"#), "A 0 @ 1\ncash USD 1000"),
        "BUY A 886 DRIFT_BUY = 886\nCUT A CASH_SHORTAGE",
    );
}

/// Settled cash of 300 with 1,000 by trade date.
#[test]
fn the_cash_basis_says_which_cash() {
    let policy = |basis: &str| format!(r#""targets":[{{"instrument_id":"A","target_weight":"1"}}],"orders":{{"cash_basis":"{basis}"}}"#);
    check(asked(&policy("TRADE_DATE"), "A 0 @ 1\ncash USD 1000 settled 300"), "BUY A 1000 DRIFT_BUY = 1000");
    check(asked(&policy("SETTLED"), "A 0 @ 1\ncash USD 1000 settled 300"), "BUY A 300 DRIFT_BUY = 300\nCUT A CASH_SHORTAGE");
}

/// OLD brings 700 by trade date; settled are 300, before the sale and after it.
#[test]
fn what_a_sale_brings_buys_nothing_before_it_has_settled() {
    let policy = |basis: &str, funding: &str| {
        format!(
            r#""targets":[{{"instrument_id":"A","target_weight":"1"}}],"orders":{{"cash_basis":"{basis}","funding":"{funding}","fees":{{"fixed":"2"}}}}"#
        )
    };
    let book = "A 0 @ 1\nOLD 700 @ 1\ncash USD 300";
    for funding in ["WAIT_FOR_SELLS", "TOGETHER"] {
        let told = asked(&policy("TRADE_DATE", funding), book);
        check(told, "SELL OLD 700 EXIT = 700\nBUY A 996 DRIFT_BUY = 996\nCUT A CASH_SHORTAGE");
        // The sale's fee is paid at once.
        check(asked(&policy("SETTLED", funding), book), "SELL OLD 700 EXIT = 700\nBUY A 296 DRIFT_BUY = 296\nCUT A CASH_SHORTAGE");
        let none = "A 0 @ 1\nOLD 1000 @ 1\ncash USD 0";
        check(asked(&policy("SETTLED", funding), none), "SELL OLD 1000 EXIT = 1000\nSKIP A INSUFFICIENT_FUNDS");
    }
}

/// A future sold at 100 too little: the loss comes off the settled cash, a gain adds nothing to it.
#[test]
fn a_future_that_loses_takes_settled_cash() {
    let policy = |basis: &str| format!(r#""targets":[{{"instrument_id":"A","target_weight":"1"}}],"orders":{{"cash_basis":"{basis}"}}"#);
    let book = |average: &str| format!("A 0 @ 1\nF 10 @ 90 type FUTURE average {average}\ncash USD 1000");
    check(asked(&policy("SETTLED"), &book("100")), "SELL F 10 EXIT = 900\nBUY A 900 DRIFT_BUY = 900");
    check(asked(&policy("SETTLED"), &book("80")), "SELL F 10 EXIT = 900\nBUY A 1000 DRIFT_BUY = 1000\nCUT A CASH_SHORTAGE");
    check(asked(&policy("TRADE_DATE"), &book("80")), "SELL F 10 EXIT = 900\nBUY A 1100 DRIFT_BUY = 1100");
}

/// From 10 long to 20 short: what is held is sold, the rest is sold short, and its proceeds buy nothing.
#[test]
fn an_order_across_zero_is_two_legs() {
    let policy = r#""targets":[{"instrument_id":"A","target_weight":"-0.2"},{"instrument_id":"B","target_weight":"1"}],
        "orders":{"allow_short":true,"max_gross":"1.2"}"#;
    check(
        asked(policy, "A 10 @ 10\nB 0 @ 10\ncash USD 900"),
        "SELL A 10 DRIFT_SELL = 100\nSELL_SHORT A 20 DRIFT_SELL = 200\nBUY B 100 DRIFT_BUY = 1000",
    );
    let more = policy.replace(r#""1"}"#, r#""1.2"}"#).replace(r#""max_gross":"1.2""#, r#""max_gross":"1.4""#);
    check(
        asked(&more, "A 10 @ 10\nB 0 @ 10\ncash USD 900"),
        "SELL A 10 DRIFT_SELL = 100\nSELL_SHORT A 20 DRIFT_SELL = 200\nBUY B 100 DRIFT_BUY = 1000\nCUT B CASH_SHORTAGE",
    );
}

/// EUR at 1.1: 100 shares of 10 EUR are 1,100 USD; cash in both currencies counts in one.
#[test]
fn currencies_meet_in_the_base() {
    let policy = r#""targets":[{"instrument_id":"EU","target_weight":"0.5"},{"instrument_id":"US","target_weight":"0.5"}]"#;
    let book = "EU 100 @ 10 currency EUR fx 1.1\nUS 10 @ 10\ncash USD -100\ncash EUR 1000 fx 1.1";
    // Equity 1,100 + 100 − 100 + 1,100 = 2,200; each line goes to 1,100.
    check(asked(policy, book), "BUY US 100 DRIFT_BUY = 1000\nSKIP EU BELOW_MINIMUM_DEVIATION");
    let (plan, _) = planned(RebalanceTrigger::Manual, &[], policy, book);
    assert_eq!(plan.drift_before, Some("0.454545454545".parse().unwrap()));
    assert_eq!(plan.drift_after, Some("0".parse().unwrap()));
    assert_eq!(plan.turnover, Some("0.454545454545".parse().unwrap()));
}

/// Only cash left its band: every line is planned, and the reasons say what for.
#[test]
fn the_cash_band_plans_every_line() {
    let policy = r#""targets":[{"instrument_id":"A","target_weight":"0.5"},{"instrument_id":"B","target_weight":"0.4"}],
        "trigger":{"cash_band":"0.02","scope":"BREACHED_LINES"}"#;
    check(drifted(policy, "A 48 @ 10\nB 40 @ 10\ncash USD 120"), "NO_ACTION_NEEDED\nSKIP A WITHIN_BAND\nSKIP B WITHIN_BAND");
    check(drifted(policy, "A 47 @ 10\nB 40 @ 10\ncash USD 130"), "BUY A 3 CASH_INVEST = 30\nSKIP B BELOW_MINIMUM_DEVIATION");
    check(drifted(policy, "A 53 @ 10\nB 40 @ 10\ncash USD 70"), "SELL A 3 CASH_RAISE = 30\nSKIP B BELOW_MINIMUM_DEVIATION");
}

/// What is on its way is not ordered again, and open buys hold their cash.
#[test]
fn open_orders_count() {
    let policy = r#""targets":[{"instrument_id":"A","target_weight":"0.5"},{"instrument_id":"B","target_weight":"0.5"}]"#;
    let order = |id: &str, side, remaining: &str, value: &str| OpenOrder {
        instrument_id: id.parse().unwrap(),
        side,
        remaining: remaining.parse().unwrap(),
        expected_value: value.parse().unwrap(),
    };
    let told = |open: &[OpenOrder], text: &str| planned(RebalanceTrigger::Manual, open, policy, text).1;
    let book = "A 20 @ 10\nB 0 @ 10\ncash USD 800";
    check(told(&[order("A", Side::Buy, "30", "300")], book), "BUY B 50 DRIFT_BUY = 500\nSKIP A ROUNDED_TO_ZERO");
    check(told(&[order("A", Side::Buy, "30", "400")], book), "BUY B 40 DRIFT_BUY = 400\nSKIP A ROUNDED_TO_ZERO\nCUT B CASH_SHORTAGE");
    // 60 of 100 are being sold: 40 are left to sell, 10 of them are wanted.
    let sold = "A 100 @ 10\nB 20 @ 10\ncash USD 0";
    check(told(&[order("A", Side::Sell, "-30", "300")], sold), "SELL A 10 DRIFT_SELL = 100\nBUY B 10 DRIFT_BUY = 100\nCUT B CASH_SHORTAGE");
}

/// A sector of two at 50 ± 5 per cent: its breach plans both, by their value.
#[test]
fn a_group_shares_its_target_by_value() {
    let policy = r#""targets":[{"group":"TECH","target_weight":"0.5"},{"instrument_id":"C","target_weight":"0.3"}],
        "trigger":{"scope":"BREACHED_LINES"}"#;
    let book = |a: i32, b: i32, cash: i32| format!("A {a} @ 10 sector TECH\nB {b} @ 10 sector TECH\nC 30 @ 10\ncash USD {cash}");
    check(drifted(policy, &book(30, 25, 150)), "NO_ACTION_NEEDED\nSKIP A WITHIN_BAND\nSKIP B WITHIN_BAND\nSKIP C WITHIN_BAND");
    check(drifted(policy, &book(40, 20, 100)), "SELL A 6 DRIFT_SELL = 60\nSELL B 3 DRIFT_SELL = 30\nSKIP C NOT_BREACHED");
    let own = r#""targets":[{"group":"TECH","target_weight":"0.5"},{"instrument_id":"A","target_weight":"0.3"},
        {"instrument_id":"B","target_weight":"0.2"}],"band":{"absolute":"0.09"},"trigger":{"scope":"BREACHED_LINES"}"#;
    check(drifted(own, "A 36 @ 10 sector TECH\nB 24 @ 10 sector TECH\ncash USD 400"), "SELL A 6 DRIFT_SELL = 60\nSELL B 4 DRIFT_SELL = 40");
    let wrong = own.replace("0.2\"", "0.1\"");
    check(
        drifted(&wrong, "A 36 @ 10 sector TECH\nB 24 @ 10 sector TECH\ncash USD 400"),
        "INVALID_ALLOCATION: the targets of group TECH's members add up to 0.4, its own is 0.5",
    );
}

/// A future's weight is its notional and its equity is its gain; buying one takes no cash but the fee.
#[test]
fn futures_go_by_notional() {
    let policy = r#""targets":[{"instrument_id":"F","target_weight":"0.5"}]"#;
    // One contract is 50 × 100 = 5,000; equity is 100,000 + 2 × 50 × 10 = 101,000.
    check(asked(policy, "F 2 @ 100 type FUTURE average 90 multiplier 50\ncash USD 100000"), "BUY F 8 DRIFT_BUY = 40000");
    check(asked(policy, "F 0 @ 100 type FUTURE multiplier 50\ncash USD 8000"), "NO_ACTION_NEEDED\nSKIP F ROUNDED_TO_ZERO");
}

/// Accrued interest is part of a bond's weight and cash; its expected value is at its clean price.
#[test]
fn bonds_cost_their_accrued_interest() {
    let policy = r#""targets":[{"instrument_id":"B","target_weight":"1"}]"#;
    check(asked(policy, "B 0 @ 99 type BOND accrued 1\ncash USD 1000"), "BUY B 10 DRIFT_BUY = 990");
    check(asked(policy, "B 0 @ 99 type BOND accrued 1.01\ncash USD 1000"), "BUY B 9 DRIFT_BUY = 891");
}

/// Nearest lots, halves away from zero; no lots at all.
#[test]
fn rounding_follows_the_policy() {
    let policy =
        |rounding: &str| format!(r#""targets":[{{"instrument_id":"A","target_weight":"0.5"}}],"orders":{{"rounding":"{rounding}"}}"#);
    for (rounding, held, said) in [
        ("TRUNCATE", 24, "BUY A 20 DRIFT_BUY = 200\nSKIP"),
        ("NEAREST", 24, "BUY A 30 DRIFT_BUY = 300\nSKIP"),
        ("NEAREST", 25, "BUY A 30 DRIFT_BUY = 300\nSKIP"),
        ("NEAREST", 26, "BUY A 20 DRIFT_BUY = 200\nSKIP"),
        ("NEAREST", 75, "SELL A 30 DRIFT_SELL = 300\nSKIP"),
        ("NONE", 24, "BUY A 26 DRIFT_BUY = 260\nSKIP"),
    ] {
        let book = format!("A {held} @ 10 lot 10\ncash USD {}", 1000 - held * 10);
        let told = asked(&policy(rounding), &book);
        assert_eq!(told, said.replace("\nSKIP", ""), "{rounding} {held}");
    }
    // Rounding up never sells what is not there.
    let tiny = r#""targets":[{"instrument_id":"A","target_weight":"0.01"}],"orders":{"rounding":"NEAREST"}"#;
    check(asked(tiny, "A 7 @ 10 lot 10\ncash USD 930"), "NO_ACTION_NEEDED\nSKIP A ROUNDED_TO_ZERO");
}

/// Limit prices keep the offset and fall on the cautious side of the tick.
#[test]
fn limit_prices_lie_on_the_tick() {
    let policy = |offset: &str| {
        format!(
            r#""targets":[{{"instrument_id":"A","target_weight":"0.5"}},{{"instrument_id":"B","target_weight":"0.5"}}],
            "orders":{{"order_type":"LIMIT","limit_offset_bp":"{offset}"}}"#
        )
    };
    for (offset, sell, buy) in [("0", "9.99", "9.99"), ("25", "9.97", "10.01"), ("-25", "10.02", "9.96")] {
        let (plan, _) = planned(RebalanceTrigger::Manual, &[], &policy(offset), "A 80 @ 9.99 tick 0.01\nB 20 @ 9.99 tick 0.01");
        let prices: Vec<_> = plan.legs.iter().map(|leg| leg.limit_price.unwrap().to_string()).collect();
        assert_eq!(prices, [sell, buy], "{offset}");
    }
}

/// A share of a group's band that no decimal shows: one third of 390 is 130, and no lot beyond it is sold.
#[test]
fn a_share_of_a_band_ends_exactly_at_its_edge() {
    let policy = r#""targets":[{"group":"T","target_weight":"0.6"}],"trigger":{"goal":"BAND_EDGE"}"#;
    let book = "X 150 @ 1 sector T\nY 300 @ 1 sector T\ncash USD 150";
    let (mut plan, told) = planned(RebalanceTrigger::Threshold, &[], policy, book);
    check(told, "SELL X 20 DRIFT_SELL = 20\nSELL Y 40 DRIFT_SELL = 40");
    let inclusive = policy.replace(r#""trigger""#, r#""band":{"inclusive":true},"trigger""#);
    check(drifted(&inclusive, book), "SELL X 21 DRIFT_SELL = 21\nSELL Y 41 DRIFT_SELL = 41");
    // The second opinion would have seen the lot too many.
    plan.legs[0].quantity = "21".parse().unwrap();
    let (drift, halted) = (book::drift(book::policy(policy), book), HaltView::default());
    let input = input(RebalanceTrigger::Threshold, &drift, &halted);
    let found = plan_check(&input, &plan).unwrap_err();
    assert!(found.iter().any(|violation| violation.law == "no lot beyond the edge"), "{found:?}");
}

/// A group outside its band that has no member: the book is planned, as far as the scope reaches, and it is said.
#[test]
fn a_group_without_members_is_spoken_of() {
    let policy = |scope: &str| {
        format!(
            r#""targets":[{{"instrument_id":"A","target_weight":"0.8"}},{{"group":"ENERGY","target_weight":"0.2"}}],"trigger":{{"scope":"{scope}"}}"#
        )
    };
    for (scope, book, expected) in [
        ("WHOLE_BOOK", "A 84 @ 10\ncash USD 160", "SELL A 4 DRIFT_SELL = 40"),
        ("WHOLE_BOOK", "A 80 @ 10\ncash USD 200", "NO_ACTION_NEEDED\nSKIP A BELOW_MINIMUM_DEVIATION"),
        ("BREACHED_LINES", "A 84 @ 10\ncash USD 160", "NO_ACTION_NEEDED\nSKIP A NOT_BREACHED"),
    ] {
        let (plan, told) = planned(RebalanceTrigger::Threshold, &[], &policy(scope), book);
        check(told, expected);
        let note = plan.note.unwrap();
        assert!(note.starts_with("group ENERGY stands outside its band and has no member"), "{note}");
    }
    let (plan, _) = planned(RebalanceTrigger::Threshold, &[], &policy("WHOLE_BOOK"), "A 80 @ 10\nOIL 20 @ 10 sector ENERGY\ncash USD 0");
    assert_eq!(plan.note, None);
}

/// A buy may cost its limit: that is what it is funded at, not the reference.
#[test]
fn limit_buys_are_funded_at_their_limit() {
    for (offset, expected) in [("100", "BUY A 99 DRIFT_BUY = 990\nCUT A CASH_SHORTAGE"), ("-100", "BUY A 100 DRIFT_BUY = 1000")] {
        let policy = format!(
            r#""targets":[{{"instrument_id":"A","target_weight":"1"}}],"orders":{{"order_type":"LIMIT","limit_offset_bp":"{offset}"}}"#
        );
        check(asked(&policy, "A 0 @ 10\ncash USD 1000"), expected);
    }
}

/// Makes a book unfit.
type Spoil = fn(&mut domain::drift::Drift);

/// Books on which no plan is made, each with its code.
#[test]
fn unfit_books_are_refused_with_a_code() {
    let cases: [(&str, Spoil); 13] = [
        ("QUARANTINED", |d| d.health.quarantined = true),
        ("METRIC_ANOMALY", |d| {
            d.health.anomalies.push(domain::snapshot::Anomaly {
                kind: domain::enums::AnomalyKind::WeightJump,
                instrument_id: "A".parse().ok(),
                value: "0.3".parse().unwrap(),
                bound: "0.2".parse().unwrap(),
            });
        }),
        ("UNRECONCILED", |d| d.health.unreconciled = true),
        ("DATA_GAP", |d| d.health.waiting = 1),
        ("DATA_GAP", |d| d.health.complete = false),
        ("NO_PRICE", |d| d.health.unpriced.push("A".into())),
        ("STALE_PRICE", |d| d.health.stale.push("A".into())),
        ("NO_PRICE", |d| d.lines[0].price = None),
        ("NO_PRICE", |d| d.lines[0].fx_rate = None),
        ("STALE_PRICE", |d| d.lines[0].price_flag = domain::enums::PriceFlag::Stale),
        ("PRICE_OUTLIER", |d| d.lines[0].price_flag = domain::enums::PriceFlag::Held),
        ("DATA_GAP", |d| d.equity = "1000.0000001".parse().unwrap()),
        ("METRIC_ANOMALY", |d| d.lines[0].quantity = Quantity::from_units(domain::fixed::WIRE_LIMIT)),
    ];
    for (code, spoil) in cases {
        let mut drift = book::drift(book::policy(""), "A 60 @ 10\ncash USD 400");
        spoil(&mut drift);
        let told = refusal(&drift, &HaltView::default(), false);
        assert!(told.starts_with(code), "{code}: {told}");
    }
    let drift = book::drift(book::policy(""), "A 60 @ 10\ncash USD 400");
    assert!(refusal(&drift, &HaltView::default(), true).starts_with("BACKLOG"));
    assert!(refusal(&drift, &HaltView { firm: true, ..HaltView::default() }, false).starts_with("KILL_SWITCH"));
    assert!(refusal(&drift, &HaltView { portfolio: true, ..HaltView::default() }, false).starts_with("KILL_SWITCH"));
    let broke = book::drift(book::policy(""), "A 60 @ 10\ncash USD -600");
    assert!(refusal(&broke, &HaltView::default(), false).starts_with("INSUFFICIENT_FUNDS"));
}

fn refusal(drift: &domain::drift::Drift, halted: &HaltView, behind: bool) -> String {
    let input = PlanInput { behind, ..input(RebalanceTrigger::Manual, drift, halted) };
    let plan = plan(&input);
    assert_eq!(plan_check(&input, &plan), Ok(()));
    assert_eq!(plan.explanation.len(), drift.lines.len());
    told(&plan)
}

/// Fees, half spreads and impact of each order, summed: a quote before the default, and nothing where nothing is known.
#[test]
fn costs_are_told_by_order_and_summed() {
    let policy = r#""targets":[{"instrument_id":"A","target_weight":"-0.2"},{"instrument_id":"B","target_weight":"0.5"}],
        "orders":{"allow_short":true,"urgency":"LOW","fees":{"rate":"0.001","fixed":"1"},"costs":{"half_spread_bp":"5","impact_bp":"100"}}"#;
    // A: 100 held and 200 sold short, a quote of 0.1: 300 of 30,000 units are a hundredth of the volume.
    // B: 490 bought by the policy's 5 bp; 490 of 49,000 units as well. C is sold whatever it is worth, on a known volume.
    let book = "A 100 @ 10 bid 9.95 ask 10.05 volume 30000 venue XNAS\nB 10 @ 10 volume 49000\nC 4 @ 10 volume 100\ncash USD 8860";
    let (plan, _) = planned(RebalanceTrigger::Scheduled, &[], policy, book);
    let shown = |money: Option<domain::Money>| money.map_or("?".to_owned(), |money| money.to_string());
    let told: Vec<_> = plan
        .legs
        .iter()
        .map(|leg| {
            let costs = &leg.costs;
            format!(
                "{} {} {}: {} {} {} {}",
                leg.side,
                leg.instrument_id,
                leg.quantity,
                costs.fees,
                shown(costs.spread),
                shown(costs.impact),
                leg.urgency
            )
        })
        .collect();
    assert_eq!(
        told,
        ["SELL A 100: 2 5 1 LOW", "SELL_SHORT A 200: 3 10 2 LOW", "SELL C 4: 1.04 0.02 0.08 NORMAL", "BUY B 490: 5.9 2.45 4.9 LOW",]
    );
    assert_eq!(plan.legs[0].venue.as_deref(), Some("XNAS"));
    assert_eq!(
        (shown(plan.expected_fees), shown(plan.expected_spread), shown(plan.expected_impact)),
        ("11.94".into(), "17.47".into(), "7.98".into())
    );
    assert_eq!(plan.unknown_costs, None);
}

/// A sum of which one part is not known is not known, and the event says what is missing.
#[test]
fn costs_that_nobody_knows_are_null_and_said() {
    let policy = |costs: &str| format!(r#""targets":[{{"instrument_id":"A","target_weight":"0.5"}}],"orders":{{"costs":{{{costs}}}}}"#);
    let plan_of = |costs: &str| {
        planned(RebalanceTrigger::Manual, &[], &policy(costs), "A 0 @ 10 volume 1000\nB 10 @ 10 bid 9 ask 11\ncash USD 900").0
    };
    let whole = plan_of(r#""impact_bp":"10""#);
    assert_eq!((whole.expected_spread, whole.expected_impact), (None, None));
    assert_eq!(
        whole.unknown_costs.as_deref(),
        Some(
            "no spread is known of A: publish bid and ask, or set orders.costs.half_spread_bp; no impact is known of B: publish average_daily_volume with the instrument"
        )
    );
    let part = plan_of(r#""half_spread_bp":"10""#);
    assert_eq!((part.expected_spread.map(|money| money.to_string()).as_deref(), part.expected_impact), (Some("10.5"), None));
    assert_eq!(part.unknown_costs.as_deref(), Some("no impact is known: set orders.costs.impact_bp"));
    assert_eq!(plan_of("").unknown_costs, None, "nobody asked for them");
}
