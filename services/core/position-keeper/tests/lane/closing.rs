//! Closed days: which days there are, what is in them, when they are final, and what closes them again.

use crate::harness::*;
use domain::portfolio_close::PortfolioClose;
use domain::{Output, Timestamp};
use engine::Settings;
use serde_json::{Value, json};

/// Seconds of a day.
pub const DAY: i64 = 86_400;

pub fn closes(outputs: &[Output]) -> Vec<&PortfolioClose> {
    outputs.iter().filter_map(|o| if let Output::PortfolioClose(r) = o { Some(r.as_ref()) } else { None }).collect()
}

/// Day, version, equity and flow of each close; a provisional one with a star.
pub fn told(outputs: &[Output]) -> Vec<String> {
    let text = |close: &&PortfolioClose| {
        assert_eq!(close.equity.units(), parts(close), "equity is the sum of its parts");
        assert_eq!(close.restates, Some(close.version - 1).filter(|before| *before > 0));
        assert_eq!(close.provisional, close.incomplete_reason.is_some());
        let star = if close.provisional { "*" } else { "" };
        let sign = if close.net_external_flow.is_negative() { "" } else { "+" };
        format!("{} v{}{star} {} {sign}{}", &close.date.to_string()[8..], close.version, close.equity, close.net_external_flow)
    };
    closes(outputs).iter().map(text).collect()
}

fn parts(close: &PortfolioClose) -> i128 {
    let of_cash = close.currencies.iter().map(|value| value.cash_value.units() + value.receivables_value.units());
    close.positions.iter().map(|position| position.value.units()).chain(of_cash).sum()
}

/// A book with 1,000 in cash and a priced instrument; its days are cut at midnight unless the policy says otherwise.
pub fn book(more: Value) -> Book {
    let mut book = Book::new();
    book.policy(1, more).instrument("A", json!({})).price("A", "10").cash("d", "DEPOSIT", "USD", "1000").run();
    book
}

pub fn on(day: &str) -> Value {
    json!({"trade_date": format!("2026-01-{day}"), "transact_time": format!("2026-01-{day}T12:00:00Z")})
}

#[test]
fn a_day_is_closed_at_its_cut_and_once() {
    let mut book = book(json!({}));
    book.fill("1", "BUY", "10", "10", json!({})).run_at(second(3600));
    book.price("A", "12").run_at(second(7200));
    assert_eq!(told(&book.run_at(second(DAY - 1))), Vec::<String>::new());
    let outputs = book.run_at(second(DAY));
    assert_eq!(told(&outputs), ["05 v1 1020 +1000"]);
    let close = only(closes(&outputs));
    assert_eq!((close.complete, close.cut_at.unwrap().to_string().as_str()), (true, "2026-01-06T00:00:00Z"));
    let position = only(close.positions.iter().collect());
    let shown = (
        position.quantity.to_string(),
        position.price.unwrap().to_string(),
        position.value.to_string(),
        position.cost.unwrap().to_string(),
    );
    assert_eq!(shown, ("10".into(), "12".into(), "120".into(), "100".into()));
    assert_eq!(told(&book.run_at(second(DAY + 1))), Vec::<String>::new());
    assert_eq!(told(&book.run_at(second(2 * DAY))), ["06 v1 1020 +0"]);
}

#[test]
fn weekends_are_no_days_unless_markets_never_close() {
    let mut weekdays = book(json!({}));
    let mut always = book(json!({"calendar": "24/7"}));
    weekdays.run_at(second(4 * DAY));
    always.run_at(second(4 * DAY));
    let saturday = json!({"trade_date": "2026-01-10"});
    for book in [&mut weekdays, &mut always] {
        let outputs = book.at(second(5 * DAY + 3600)).fill("s", "BUY", "1", "4", saturday.clone()).run();
        assert_eq!(told(&outputs), ["09 v1 1000 +0"]);
    }
    assert_eq!(told(&weekdays.run_at(second(8 * DAY))), ["12 v1 1006 +0"]);
    assert_eq!(told(&always.run_at(second(8 * DAY))), ["10 v1 1006 +0", "11 v1 1006 +0", "12 v1 1006 +0"]);
}

#[test]
fn missed_days_are_closed_in_order_each_as_it_was() {
    let mut book = book(json!({}));
    book.fill("1", "BUY", "10", "10", on("05")).run_at(second(3600));
    // The lane stands still for a week; what it then reads is dated in it.
    book.at(second(4 * DAY + 60)).fill("2", "SELL", "5", "9", on("07")).fill("3", "BUY", "1", "8", on("09"));
    assert_eq!(told(&book.run()), ["05 v1 1000 +1000", "06 v1 1000 +0", "07 v1 995 +0", "08 v1 995 +0"]);
    // Of more than ten days the last ten are closed.
    let outputs = book.run_at(second(30 * DAY));
    let days: Vec<String> = closes(&outputs).iter().map(|close| close.date.to_string()).collect();
    assert_eq!((days.len(), days[0].as_str(), days[9].as_str()), (10, "2026-01-21", "2026-02-03"));
}

#[test]
fn a_late_booking_closes_its_day_and_those_after_it_again_once() {
    let mut book = book(json!({}));
    for day in 1..=3 {
        book.run_at(second(day * DAY));
    }
    let at = second(3 * DAY + 100);
    assert_eq!(told(&book.at(at).fill("1", "BUY", "10", "9", on("06")).run()), Vec::<String>::new());
    assert_eq!(told(&book.at(at + 1).fill("2", "BUY", "10", "9", on("07")).run()), Vec::<String>::new());
    book.lane = restored(&mut book.lane);
    assert_eq!(told(&book.run_at(second(3 * DAY + 160))), ["06 v2 1010 +0", "07 v2 1020 +0"]);
    // A cancel takes it back; a flow of the past moves a day's flow and the equity of all days since.
    book.at(second(3 * DAY + 300)).fill(
        "3",
        "BUY",
        "10",
        "9",
        json!({"trade_date": "2026-01-06", "exec_type": "CANCEL", "exec_ref_id": "1"}),
    );
    book.entry("w", "WITHDRAWAL", json!({"amount": "100", "effective_at": "2026-01-07T00:00:00Z"})).run();
    assert_eq!(told(&book.run_at(second(3 * DAY + 360))), ["06 v3 1000 +0", "07 v3 910 -100"]);
    assert_eq!(told(&book.run_at(second(4 * DAY))), ["08 v1 910 +0"]);
}

#[test]
fn a_moment_at_the_cut_belongs_to_the_next_day() {
    let mut book = book(json!({"time_zone": "America/New_York", "day_cut": "16:00"}));
    assert_eq!(told(&book.run_at(second(21 * 3600))), ["05 v1 1000 +1000"]);
    let deposit = |at: &str| json!({"amount": "1", "effective_at": at});
    book.at(second(21 * 3600 + 1)).entry("a", "DEPOSIT", deposit("2026-01-05T20:59:59.999999Z"));
    book.entry("b", "DEPOSIT", deposit("2026-01-05T21:00:00Z")).run();
    assert_eq!(told(&book.run_at(second(22 * 3600))), ["05 v2 1001 +1001"]);
    assert_eq!(told(&book.run_at(second(45 * 3600))), ["06 v1 1002 +1"]);
}

#[test]
fn a_close_without_a_price_is_provisional_until_the_first_one_comes() {
    let mut book = book(json!({}));
    book.instrument("B", json!({})).fill("1", "BUY", "10", "20", json!({"instrument_id": "B"})).run_at(second(60));
    let outputs = book.run_at(second(DAY));
    assert_eq!(told(&outputs), ["05 v1* 800 +1000"]);
    let close = only(closes(&outputs));
    assert_eq!((close.complete, close.incomplete_reason.as_deref()), (false, Some("no price of B")));
    book.lane = restored(&mut book.lane);
    assert_eq!(told(&book.at(second(DAY + 60)).price("B", "21").run()), ["05 v2 1010 +1000"]);
    assert_eq!(told(&book.at(second(DAY + 61)).price("B", "25").run()), Vec::<String>::new(), "once");
    assert_eq!(told(&book.run_at(second(2 * DAY))), ["06 v1 1050 +0"]);
}

/// Of each close whether it is complete, why it is provisional, and of each position whether its price is of days before.
fn marked(outputs: &[Output]) -> Vec<String> {
    let text = |close: &&PortfolioClose| {
        let stale = |stale: bool| if stale { " stale" } else { "" };
        let held = close.positions.iter().map(|held| format!(" {}{}", held.instrument_id, stale(held.stale)));
        let cash = close.currencies.iter().map(|cash| format!(" {}{}", cash.currency, stale(cash.stale)));
        let why = close.incomplete_reason.as_deref().unwrap_or(if close.provisional { "?" } else { "final" });
        format!("{} v{}:{}: {why}", &close.date.to_string()[8..], close.version, held.chain(cash).collect::<String>())
    };
    closes(outputs).iter().map(text).collect()
}

#[test]
fn a_close_says_which_prices_are_of_days_before() {
    let mut book = book(json!({}));
    book.instrument("E", json!({"currency": "EUR"})).price("E", "10").price("EUR/USD", "1.1").cash("e", "DEPOSIT", "EUR", "100");
    book.fill("1", "BUY", "10", "10", json!({})).fill("2", "BUY", "1", "10", json!({"instrument_id": "E", "currency": "EUR"}));
    book.run_at(second(60));
    let outputs = book.run_at(second(DAY));
    assert_eq!(marked(&outputs), ["05 v1: A E EUR USD: final"]);
    assert_eq!(closes(&outputs)[0].positions[0].price_time, Some(Timestamp::from_micros(second(0))));
    // A holding abroad stands on its price and on the rate, cash on the rate alone.
    book.at(second(DAY)).price("E", "11").run();
    assert_eq!(marked(&book.run_at(second(2 * DAY))), ["06 v1: A stale E stale EUR stale USD: final"]);
    book.at(second(2 * DAY + 60)).price("EUR/USD", "1.2").price("A", "12").run();
    assert_eq!(marked(&book.run_at(second(3 * DAY))), ["07 v1: A E stale EUR USD: final"]);
}

#[test]
fn a_close_on_a_price_that_is_too_old_is_provisional_until_a_newer_one_comes() {
    let mut book = book(json!({"book": {"max_close_age_days": 2}}));
    book.fill("1", "BUY", "10", "10", json!({})).run_at(second(60));
    assert_eq!(marked(&book.run_at(second(DAY))), ["05 v1: A USD: final"]);
    // Made with the first moment of Monday: it is of two days before Wednesday.
    assert_eq!(marked(&book.run_at(second(2 * DAY))), ["06 v1: A stale USD: final"]);
    assert_eq!(marked(&book.run_at(second(3 * DAY))), ["07 v1: A stale USD: final"]);
    let outputs = book.run_at(second(4 * DAY));
    assert_eq!(marked(&outputs), ["08 v1: A stale USD: too old is the price of A"]);
    assert!(!closes(&outputs)[0].complete);
    // A price that was made before its cut mends it, and the days that stood on the one before it are of it too.
    book.lane = restored(&mut book.lane);
    book.at(second(4 * DAY + 60)).frame(|frame| frame.prices.push(last("A", "12", second(2 * DAY + 3600))));
    book.run();
    assert_eq!(marked(&book.run_at(second(4 * DAY + 121))), ["07 v2: A USD: final", "08 v2: A stale USD: final"]);
    assert_eq!(marked(&book.run_at(second(5 * DAY))), ["09 v1: A stale USD: final"]);
    assert_eq!(marked(&book.run_at(second(8 * DAY))), ["12 v1: A stale USD: too old is the price of A"]);
    // One of after the cut does not, nor one that it has overtaken.
    book.at(second(8 * DAY + 60)).price("A", "13").frame(|frame| frame.prices.push(last("A", "14", second(7 * DAY + 3600)))).run();
    assert_eq!(marked(&book.run_at(second(8 * DAY + 180))), Vec::<String>::new());
}

#[test]
fn another_bound_on_ages_judges_the_days_anew_that_lack_by_it() {
    let bound = |days: Value| json!({"book": {"max_close_age_days": days}});
    let mut book = book(bound(json!(1)));
    book.fill("1", "BUY", "10", "10", json!({})).run_at(second(60));
    book.run_at(second(2 * DAY));
    assert_eq!(marked(&book.run_at(second(3 * DAY))), ["07 v1: A stale USD: too old is the price of A"]);
    // Closing the portfolio leaves it as it is; so does a stricter bound what was final.
    book.at(second(3 * DAY + 60)).close_policy("p").run();
    assert_eq!(marked(&book.run_at(second(3 * DAY + 180))), Vec::<String>::new());
    book.at(second(3 * DAY + 200)).policy(2, bound(json!(2))).run();
    assert_eq!(marked(&book.run_at(second(3 * DAY + 300))), ["07 v2: A stale USD: final"]);
    book.at(second(3 * DAY + 400)).policy(3, bound(json!(1))).run();
    assert_eq!(marked(&book.run_at(second(3 * DAY + 500))), Vec::<String>::new());
}

#[test]
fn the_same_price_again_within_its_day_is_no_news() {
    let mut book = book(json!({}));
    book.fill("1", "BUY", "10", "10", json!({})).run_at(second(60));
    assert_eq!(marked(&book.run_at(second(DAY))), ["05 v1: A USD: final"]);
    book.at(second(DAY + 1)).frame(|frame| frame.prices.push(last("A", "10", second(DAY - 1)))).run();
    assert_eq!(marked(&book.run_at(second(DAY + 100))), Vec::<String>::new());
}

#[test]
fn a_quarantined_book_is_closed_provisionally_until_a_person_releases_it() {
    let mut book = book(json!({}));
    book.add(domain::Topic::Fills, "p", Some(b"?".to_vec()));
    book.run_at(second(60));
    let outputs = book.run_at(second(DAY));
    assert_eq!(told(&outputs), ["05 v1* 1000 +1000"]);
    assert!(only(closes(&outputs)).complete, "every figure is there");
    assert_eq!(told(&book.at(second(DAY + 60)).command("r", "RELEASE", json!({})).run()), ["05 v2 1000 +1000"]);
}

#[test]
fn waiting_records_keep_a_close_provisional() {
    let mut book = book(json!({}));
    book.fill("1", "BUY", "10", "20", json!({"instrument_id": "B"})).run_at(second(60));
    let outputs = book.run_at(second(DAY));
    assert_eq!(
        (told(&outputs), closes(&outputs)[0].incomplete_reason.as_deref()),
        (vec!["05 v1* 1000 +1000".to_owned()], Some("1 record waits"))
    );
    let outputs = book.at(second(DAY + 60)).instrument("B", json!({})).price("B", "20").run();
    assert_eq!(told(&outputs), ["05 v2 1000 +1000"], "the fill is of that day, and priced since");
}

#[test]
fn splits_and_dividends_that_come_late_are_in_the_days_that_they_concern() {
    let mut book = book(json!({}));
    book.fill("1", "BUY", "10", "10", on("05")).run_at(second(60));
    for day in 1..=3 {
        book.run_at(second(day * DAY));
    }
    // Two for one on Tuesday; a dividend earned on Wednesday and paid on Friday.
    book.at(second(3 * DAY + 60)).frame(|frame| {
        let action = |json| serde_json::from_value(json).unwrap();
        frame.actions.push(action(json!({"action_id": "s", "instrument_id": "A", "status": "NEW", "kind": "SPLIT",
            "ratio_new": "2", "ratio_old": "1", "ex_date": "2026-01-06"})));
        frame.actions.push(action(json!({"action_id": "d", "instrument_id": "A", "status": "NEW", "kind": "CASH_DIVIDEND",
            "amount_per_share": "0.5", "ex_date": "2026-01-07", "pay_date": "2026-01-09"})));
    });
    book.run();
    let outputs = book.run_at(second(3 * DAY + 120));
    assert_eq!(told(&outputs), ["06 v2 1000 +0", "07 v2 1010 +0"], "Monday is as it was");
    let shown = |close: &PortfolioClose| {
        let position = only(close.positions.iter().collect());
        let owed: Vec<String> = close.receivables.iter().map(|owed| owed.amount.to_string()).collect();
        (position.quantity.to_string(), position.price.unwrap().to_string(), owed.join(","))
    };
    assert_eq!(
        closes(&outputs).into_iter().map(shown).collect::<Vec<_>>(),
        [("20".into(), "5".into(), String::new()), ("20".into(), "5".into(), "10".into())]
    );
    // It is owed on Thursday and cash on Friday, whenever Thursday is closed.
    let outputs = book.run_at(second(5 * DAY));
    assert_eq!(told(&outputs), ["08 v1 1010 +0", "09 v1 1010 +0"]);
    let owed: Vec<usize> = closes(&outputs).iter().map(|close| close.receivables.len()).collect();
    assert_eq!(owed, [1, 0]);
}

#[test]
fn another_cut_closes_no_day_twice() {
    let mut book = book(json!({"time_zone": "America/New_York", "day_cut": "16:00"}));
    assert_eq!(told(&book.run_at(second(21 * 3600))), ["05 v1 1000 +1000"]);
    // Midnight in UTC ends Monday once more.
    book.at(second(22 * 3600)).policy(2, json!({})).run();
    assert_eq!(told(&book.run_at(second(DAY))), Vec::<String>::new());
    assert_eq!(told(&book.run_at(second(2 * DAY))), ["06 v1 1000 +0"]);
    // What is dated on Monday closes it again, by its own cut and prices.
    book.at(second(2 * DAY + 1)).fill("1", "BUY", "1", "4", on("05")).run();
    assert_eq!(told(&book.run_at(second(2 * DAY + 61))), ["05 v2 1006 +1000", "06 v2 1006 +0"]);
}

#[test]
fn a_closed_portfolio_has_no_more_days_and_its_past_stays_open() {
    let mut book = book(json!({}));
    book.run_at(second(DAY));
    book.at(second(DAY + 60)).close_policy("p").run();
    assert_eq!(told(&book.run_at(second(2 * DAY))), Vec::<String>::new());
    book.at(second(2 * DAY + 60)).fill("1", "BUY", "1", "4", on("05")).run();
    assert_eq!(told(&book.run_at(second(2 * DAY + 120))), ["05 v2 1006 +1000"]);
    book.at(second(2 * DAY + 180)).policy(2, json!({})).run();
    assert_eq!(told(&book.run_at(second(3 * DAY))), ["07 v1 1006 +0"]);
}

#[test]
fn a_lane_that_is_behind_closes_its_days_when_it_has_caught_up() {
    let mut book = book(json!({}));
    book.behind(true);
    assert_eq!(told(&book.run_at(second(DAY))), Vec::<String>::new());
    book.lane = restored(&mut book.lane);
    book.at(second(DAY + 1)).fill("1", "BUY", "1", "4", on("05")).fill("2", "BUY", "1", "4", on("06"));
    book.behind(false);
    assert_eq!(told(&book.run()), ["05 v1 1006 +1000"]);
}

#[test]
fn many_portfolios_are_closed_in_several_windows_at_the_prices_of_the_cut() {
    let mut book = Book::new();
    book.instrument("A", json!({})).price("A", "10");
    for n in 0..3_000 {
        book.policy_of(&format!("p{n}"), 1, json!({}));
        book.fill(&n.to_string(), "BUY", "1", "10", json!({"portfolio_id": format!("p{n}")}));
    }
    book.run();
    let mut all = closes(&book.run_at(second(DAY))).len();
    assert!(all < 3_000, "{all}");
    book.lane = restored(&mut book.lane);
    book.at(second(DAY) + 10).price("A", "20");
    for n in 0..3 {
        let outputs = book.at(second(DAY) + 10 + n).run();
        all += closes(&outputs).len();
        assert!(closes(&outputs).iter().all(|close| close.equity.is_zero()), "bought at 10 and worth it");
    }
    assert_eq!(all, 3_000);
}

#[test]
fn a_day_that_bookings_no_longer_reach_stays_as_it_was_closed() {
    let mut book = Book::with(&Settings { dedup_trade_dates: 2, ..Settings::default() });
    book.policy(1, json!({})).instrument("A", json!({})).price("A", "10").cash("d", "DEPOSIT", "USD", "1000").run();
    // Bookings are let go in chunks of 2,048: the first one has fills of Monday and Tuesday.
    for n in 0..2_047 {
        book.fill(&n.to_string(), if n % 2 == 0 { "BUY" } else { "SELL" }, "1", "10", on("05"));
    }
    book.fill("tuesday", "BUY", "1", "8", on("06")).run_at(second(60));
    assert_eq!(told(&book.run_at(second(DAY))), ["05 v1 1000 +1000"], "the fill of Tuesday is not in it");
    assert_eq!(told(&book.run_at(second(2 * DAY))), ["06 v1 1002 +0"]);
    book.at(second(3 * DAY - 60)).fill("wednesday", "BUY", "1", "10", on("07")).fill("thursday", "BUY", "1", "10", on("08")).run();
    assert_eq!(told(&book.run_at(second(3 * DAY))), ["07 v1 1002 +0"]);
    // What was booked on Tuesday can no longer be told from what was booked on Monday; a flow of Monday counts from Tuesday on.
    book.at(second(3 * DAY + 60)).entry("late", "DEPOSIT", json!({"amount": "50", "effective_at": "2026-01-05T12:00:00Z"})).run();
    assert_eq!(told(&book.run_at(second(3 * DAY + 120))), ["06 v2 1052 +50", "07 v2 1052 +0"]);
}
