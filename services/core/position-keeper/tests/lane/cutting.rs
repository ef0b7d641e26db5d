//! Day cuts: the prices at which a day ends, whenever the lane reads them, and for how long they are kept; and in which
//! turns days are closed again.

use crate::closing::{DAY, book, closes, on, told};
use crate::harness::*;
use domain::Timestamp;
use serde_json::json;

/// A frame of that second with a price that was made at another.
fn frame(book: &mut Book, at: i64, price: &str, made: i64) {
    book.frame(|frame| {
        frame.event_time = Timestamp::from_micros(second(at));
        frame.prices.push(last("A", price, second(made)));
    });
}

#[test]
fn a_day_that_ends_while_its_frames_are_unread_is_closed_at_their_prices() {
    let mut book = book(json!({}));
    book.fill("1", "BUY", "10", "10", on("05")).run_at(second(60));
    book.behind(true).at(second(2 * DAY + 3600)).run();
    // Frames of Monday, of the moment around its end, of Tuesday and of Wednesday.
    frame(&mut book, DAY - 600, "11", DAY - 600);
    book.run();
    book.lane = restored(&mut book.lane);
    frame(&mut book, DAY, "12", DAY - 1);
    frame(&mut book, DAY + 600, "13", DAY + 600);
    book.run();
    frame(&mut book, 2 * DAY - 1, "14", 2 * DAY - 1);
    book.run();
    frame(&mut book, 2 * DAY + 5, "15", 2 * DAY + 5);
    assert_eq!(told(&book.run()), Vec::<String>::new());
    book.behind(false);
    assert_eq!(told(&book.run()), ["05 v1 1020 +1000", "06 v1 1040 +0"]);
}

#[test]
fn frames_on_both_sides_of_a_cut_in_one_window_are_told_apart() {
    let mut book = book(json!({}));
    book.fill("1", "BUY", "10", "10", on("05")).run_at(second(60));
    book.at(second(DAY + 5));
    frame(&mut book, DAY - 600, "11", DAY - 600);
    frame(&mut book, DAY + 1, "15", DAY + 1);
    book.fill("2", "BUY", "10", "14", on("06"));
    assert_eq!(told(&book.run()), ["05 v1 1010 +1000"]);
}

#[test]
fn a_price_of_before_the_cut_is_chosen_by_the_facts_of_its_frame() {
    let mut book = book(json!({}));
    book.fill("1", "BUY", "1", "10", json!({"instrument_id": "B"})).run_at(second(60));
    book.behind(true).run_at(second(DAY));
    let facts = json!({"instrument_id": "B", "type": "EQUITY", "currency": "USD", "price_source": "LAST"});
    let facts = serde_json::from_value(facts).unwrap();
    book.frame(|frame| {
        frame.event_time = Timestamp::from_micros(second(DAY + 1));
        frame.prices.push(domain::frame::FramePrice { mark: Some("99".parse().unwrap()), ..last("B", "12", second(DAY - 5)) });
        frame.instruments.push(facts);
    });
    book.run();
    book.behind(false);
    assert_eq!(told(&book.run()), ["05 v1 1002 +1000"]);
}

#[test]
fn where_no_frame_comes_a_day_ends_at_the_prices_that_are_known_once_all_is_read() {
    let mut book = book(json!({}));
    book.fill("1", "BUY", "10", "10", on("05")).run_at(second(60));
    book.behind(true).run_at(second(DAY));
    frame(&mut book, DAY - 2, "11", DAY - 2);
    book.run();
    book.behind(false);
    assert_eq!(told(&book.run_at(second(DAY + 1))), ["05 v1 1010 +1000"]);
    frame(&mut book, DAY - 1, "12", DAY - 1);
    assert_eq!(told(&book.run()), Vec::<String>::new(), "it has ended; what comes now closes it again in a minute");
    assert_eq!(told(&book.run_at(second(DAY + 62))), ["05 v2 1020 +1000"]);
}

#[test]
fn what_a_day_has_earned_counts_from_the_cut_that_was_held_open() {
    let mut book = book(json!({}));
    book.fill("1", "BUY", "10", "10", on("05")).run_at(second(60));
    book.behind(true).run_at(second(DAY + 1));
    frame(&mut book, DAY - 2, "11", DAY - 2);
    frame(&mut book, DAY + 1, "15", DAY + 1);
    book.behind(false);
    let outputs = book.run_at(second(DAY + 2));
    let snapshot = *snapshots(&outputs).last().unwrap();
    assert_eq!((snapshot.total_value.to_string(), snapshot.metrics.day_pnl.unwrap().to_string()), ("1050".into(), "40".into()));
}

#[test]
fn a_day_whose_prices_are_let_go_stays_as_it_was_closed() {
    let mut book = book(json!({}));
    book.fill("1", "BUY", "10", "10", on("05")).run_at(second(60));
    book.price("A", "12").run_at(second(DAY - 60));
    assert_eq!(told(&book.run_at(second(DAY))), ["05 v1 1020 +1000"]);
    book.at(second(DAY + 60)).close_policy("p").policy_of("q", 1, json!({})).run();
    // Another portfolio's days go on by the same cut.
    for day in 2..30 {
        book.run_at(second(day * DAY));
    }
    let at = second(29 * DAY + 60);
    book.at(at).entry("w", "WITHDRAWAL", json!({"amount": "100", "effective_at": "2026-01-05T12:00:00Z"})).run();
    assert_eq!(told(&book.run_at(at + second(60) - MONDAY)), Vec::<String>::new());
    // The flow is in the first day that is closed after it.
    book.at(at + second(120) - MONDAY).policy(2, json!({})).run();
    let outputs = book.run_at(second(30 * DAY));
    let own: Vec<_> = closes(&outputs).into_iter().filter(|close| close.portfolio_id.to_string() == "p").collect();
    let close = only(own);
    assert_eq!((close.equity.to_string(), close.net_external_flow.to_string()), ("920".into(), "-100".into()));
}

#[test]
fn a_policy_that_came_before_a_cut_and_is_read_after_it_has_its_day() {
    let mut book = book(json!({}));
    book.run_at(second(DAY - 40));
    // The lane is down over the cut. Portfolio q is new, and r ends its days by a name that nobody has had.
    book.at(second(DAY - 20)).policy_of("q", 1, json!({})).policy_of("r", 1, json!({"time_zone": "Europe/London"}));
    book.cash_of("q", "q", "DEPOSIT", "USD", "7").cash_of("r", "r", "DEPOSIT", "USD", "8").behind(true);
    assert_eq!(told(&book.run_at(second(DAY + 20))), Vec::<String>::new());
    book.lane = restored(&mut book.lane);
    book.behind(false);
    let outputs = book.run_at(second(DAY + 21));
    let texts: Vec<String> = closes(&outputs).iter().map(|close| format!("{} {}", close.portfolio_id, close.equity)).collect();
    assert_eq!(texts, ["p 1000", "q 7", "r 8"]);
    let reasons: Vec<Option<&str>> = closes(&outputs).iter().map(|close| close.incomplete_reason.as_deref()).collect();
    assert_eq!(reasons, [None, None, Some("its policy was read after its cut, at prices of then")]);
    // What has always been there has no past: one that is read for the first time has no day before it.
    let mut first = Book::new();
    first.at(second(-DAY)).policy(1, json!({})).behind(true).run_at(second(60));
    first.behind(false);
    assert_eq!(told(&first.run_at(second(61))), Vec::<String>::new());
}

#[test]
fn cash_of_today_concerns_no_day_that_is_closed() {
    let mut book = book(json!({}));
    book.run_at(second(DAY));
    book.at(second(DAY + 60)).entry("d2", "DEPOSIT", json!({"amount": "5", "effective_at": "2026-01-06T00:00:00Z"})).run();
    book.run_at(second(DAY + 62));
    assert_eq!(book.lane.next_due(), Some(Timestamp::from_micros(second(2 * DAY))), "nothing is to be closed again");
    book.at(second(DAY + 63)).entry("d3", "DEPOSIT", json!({"amount": "5", "effective_at": "2026-01-05T23:59:59Z"})).run();
    assert_eq!(told(&book.run_at(second(DAY + 123))), ["05 v2 1005 +1005"]);
}

#[test]
fn one_portfolio_is_closed_again_in_several_windows_and_holds_up_no_other() {
    let mut book = book(json!({}));
    book.policy_of("q", 1, json!({})).cash_of("q", "d", "DEPOSIT", "USD", "10").run();
    for day in 1..=4 {
        book.run_at(second(day * DAY));
    }
    let at = second(4 * DAY + 60);
    book.at(at);
    for n in 0..16_000 {
        book.fill(&n.to_string(), if n % 2 == 0 { "BUY" } else { "SELL" }, "1", "10", on("09"));
    }
    book.run();
    book.at(at).fill("late", "BUY", "1", "9", on("05"));
    book.cash_of("q", "late", "DEPOSIT", "USD", "1").run();
    let mut all = Vec::new();
    for n in 0..4 {
        if n == 1 {
            // While days of it are left, something else comes for the first: it has its own minute.
            book.at(at + second(61) - MONDAY).fill("later", "BUY", "1", "8", on("05"));
        }
        let outputs = book.run_at(at + second(60 + n) - MONDAY);
        all.push(
            closes(&outputs).iter().map(|close| format!("{} {}", close.portfolio_id, &close.date.to_string()[8..])).collect::<Vec<_>>(),
        );
        book.lane = restored(&mut book.lane);
    }
    assert_eq!(all, [vec!["p 05", "p 06", "p 07"], vec!["q 05", "q 06", "q 07", "q 08", "p 08"], vec![], vec![]]);
    let outputs = book.run_at(at + second(121) - MONDAY);
    assert_eq!(told(&outputs).len(), 3, "closed again after a minute, as far as a window goes");
}

#[test]
fn a_day_is_closed_at_its_cut_while_late_records_never_end() {
    let mut book = book(json!({}));
    for day in 1..=4 {
        book.run_at(second(day * DAY));
    }
    book.at(second(4 * DAY + 60));
    for n in 0..16_000 {
        book.fill(&n.to_string(), if n % 2 == 0 { "BUY" } else { "SELL" }, "1", "10", on("09"));
    }
    book.run();
    let (mut all, start) = (Vec::new(), 5 * DAY - 90);
    for n in 0..120 {
        book.at(second(start + n)).fill(&format!("late{n}"), "BUY", "1", "10", on("05"));
        all.extend(closes(&book.run()).iter().map(|close| (close.date.to_string(), n)));
    }
    let windows = |day: &str| all.iter().filter(|(date, _)| date.ends_with(day)).map(|(_, n)| *n).collect::<Vec<_>>();
    assert!(windows("-09")[0] <= 92, "cut in window 90: {:?}", windows("-09"));
    assert!(windows("-05").len() <= 3, "about once a minute: {:?}", windows("-05"));
}

#[test]
fn a_cut_on_a_weekend_ends_no_day_of_who_has_none() {
    // Monday is the 5th: a price on Saturday, and one on Monday after; both count from Friday's cut.
    for (calendar, expected) in [(json!(null), "50"), (json!("24/7"), "20")] {
        let mut book = Book::new();
        book.policy(1, json!({"calendar": calendar})).instrument("A", json!({})).price("A", "100").fill("1", "BUY", "10", "100", json!({}));
        book.run();
        for day in 1..=5 {
            book.run_at(second(day * DAY));
        }
        book.at(second(5 * DAY + 43_200)).price("A", "103").run();
        book.run_at(second(6 * DAY));
        book.run_at(second(7 * DAY));
        let outputs = book.at(second(7 * DAY + 43_200)).price("A", "105").run();
        assert_eq!(only(snapshots(&outputs)).metrics.day_pnl.map(|day| day.to_string()).as_deref(), Some(expected), "{calendar}");
    }
}
