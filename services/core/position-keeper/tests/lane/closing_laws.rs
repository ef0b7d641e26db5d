//! Whatever the order in which a week's records come, and however late, its days are closed in the end as if each had
//! come on its day; also where the lane stood still over some of them, and was put back from an image.

use crate::harness::*;
use domain::Output;
use domain::frame::FramePrice;
use domain::portfolio_close::PortfolioClose;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Something that happens on a day, after the second of it, and is told so many days later.
#[derive(Debug, Clone)]
struct Deed {
    kind: u8,
    day: i64,
    second: i64,
    amount: u32,
    late: i64,
}

fn deed() -> impl Strategy<Value = Deed> {
    (0..7_u8, 0..5_i64, 0..DAY, 1..50_u32, 0..6_i64).prop_map(|(kind, day, second, amount, late)| Deed { kind, day, second, amount, late })
}

fn date(day: i64) -> String {
    format!("2026-01-{:02}", 5 + day)
}

/// A share, a bond with accrued interest, and a share that has no price before the third day.
fn instrument(deed: &Deed) -> &'static str {
    match deed.amount % 5 {
        0 | 1 => "B",
        2 => "N",
        _ => "A",
    }
}

/// The prices that somebody makes on a day.
fn prices(day: i64, now: i64) -> Vec<FramePrice> {
    let of = |id: &str, price: i64| last(id, &price.to_string(), now);
    let bond = FramePrice { accrued: format!("0.{}", 1 + day).parse().ok(), ..of("B", 20 + day * 5 % 3) };
    // Interest accrues on the days on which nothing is traded too.
    let bond = if day % 4 == 3 { FramePrice { last: None, ..bond } } else { bond };
    let mut all = vec![of("A", 10 + day * 3 % 7), bond];
    all.extend((day >= 2).then(|| of("N", 5 + day % 2)));
    all
}

fn tell(book: &mut Book, n: usize, deed: &Deed) {
    let at = domain::Timestamp::from_micros(second(deed.day * DAY + deed.second)).to_string();
    let amount = deed.amount.to_string();
    let more = json!({"trade_date": date(deed.day), "transact_time": at, "instrument_id": instrument(deed)});
    match deed.kind {
        0..=2 => _ = book.fill(&n.to_string(), if deed.kind == 2 { "SELL" } else { "BUY" }, &amount, "7", more),
        3 => _ = book.entry(&n.to_string(), "DEPOSIT", json!({"amount": amount, "effective_at": at})),
        4 => _ = book.entry(&n.to_string(), "WITHDRAWAL", json!({"amount": amount, "effective_at": at})),
        5 => _ = book.entry(&n.to_string(), "FEE", json!({"amount": amount, "effective_at": at})),
        // An execution that is taken back in the end never was.
        _ => _ = book.fill(&n.to_string(), "BUY", &amount, "9", more),
    }
}

fn cancel(book: &mut Book, n: usize, deed: &Deed) {
    let more =
        json!({"trade_date": date(deed.day), "instrument_id": instrument(deed), "exec_type": "CANCEL", "exec_ref_id": n.to_string()});
    book.fill(&format!("c{n}"), "BUY", &deed.amount.to_string(), "9", more);
}

/// What the newest close of each day says, its cost apart: that depends on the order of the log.
fn newest(outputs: &[Output]) -> BTreeMap<String, (String, String, Vec<Value>, Value)> {
    let closes = outputs.iter().filter_map(|o| if let Output::PortfolioClose(close) = o { Some(close.as_ref()) } else { None });
    let position = |close: &PortfolioClose| {
        let held = close.positions.iter().map(|p| json!([p.instrument_id, p.quantity, p.price, p.value]));
        held.collect::<Vec<_>>()
    };
    let told = |close: &PortfolioClose| {
        (
            close.equity.to_string(),
            close.net_external_flow.to_string(),
            position(close),
            json!([close.cash, close.net_flows, close.provisional]),
        )
    };
    closes.map(|close| (close.date.to_string(), told(close))).collect()
}

/// A week in which each deed is told on the day that `on` says; the market is the same in all of them. On the days `still`
/// the lane reads nothing: it reads that with the next day's records, behind them, and is put back from an image then. On
/// the days `mute` nobody publishes prices: they come with those of the next day.
fn week(deeds: &[Deed], on: impl Fn(&Deed) -> (i64, i64), Outage { still, mute }: Outage<'_>) -> Vec<Output> {
    let mut book = Book::new();
    book.policy(1, json!({}))
        .instrument("A", json!({}))
        .instrument("B", json!({"type": "BOND"}))
        .instrument("N", json!({}))
        .price("A", "10")
        .price("B", "20");
    book.entry("first", "DEPOSIT", json!({"amount": "10000", "effective_at": "2026-01-05T00:00:00Z"})).run();
    let mut order: Vec<usize> = (0..deeds.len()).collect();
    order.sort_by_key(|n| (on(&deeds[*n]), *n));
    let (mut outputs, mut next) = (Vec::new(), order.into_iter().peekable());
    let on_day = |days: &[bool], day: i64| days.get(usize::try_from(day).unwrap()).is_some_and(|is_so| *is_so);
    let (mut stood, mut unpublished, is_still) = (false, Vec::new(), |day: i64| on_day(still, day));
    for day in 0..12 {
        book.at(second(day * DAY + 3600));
        unpublished.extend(prices(day, book.now()));
        if !on_day(mute, day) {
            unpublished.drain(..).for_each(|price| _ = book.frame(|frame| frame.prices.push(price)));
        }
        while let Some(n) = next.next_if(|n| on(&deeds[*n]).0 == day) {
            book.at(second(day * DAY + on(&deeds[n]).1).max(book.now()));
            tell(&mut book, n, &deeds[n]);
            if deeds[n].amount.is_multiple_of(2) && !stood && !is_still(day) {
                outputs.extend(book.run());
            }
        }
        if day == 11 {
            deeds.iter().enumerate().filter(|(_, deed)| deed.kind == 6).for_each(|(n, deed)| cancel(&mut book, n, deed));
        }
        if is_still(day) {
            stood = true;
            continue;
        }
        if std::mem::take(&mut stood) {
            outputs.extend(book.behind(true).run());
            book.lane = restored(&mut book.lane);
            book.behind(false);
        }
        outputs.extend(book.run());
    }
    outputs.extend(book.run_at(second(12 * DAY + 3600)));
    outputs.extend(book.run_at(second(12 * DAY + 3700)));
    outputs
}

/// Days on which somebody stands still.
#[derive(Clone, Copy, Default)]
struct Outage<'a> {
    still: &'a [bool],
    mute: &'a [bool],
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn late_records_end_in_the_closes_of_a_week_in_order(deeds in prop::collection::vec(deed(), 1..40)) {
        let on_their_days: Vec<Deed> = deeds.iter().filter(|deed| deed.kind != 6).cloned().collect();
        let live = newest(&week(&deeds, |deed| (deed.day + deed.late, deed.second), Outage::default()));
        let clean = newest(&week(&on_their_days, |deed| (deed.day, deed.second), Outage::default()));
        prop_assert_eq!(live.len(), 10);
        prop_assert_eq!(live, clean);
    }

    #[test]
    fn a_lane_that_stood_still_over_days_closes_them_as_one_that_never_did(
        deeds in prop::collection::vec(deed(), 1..40),
        still in prop::collection::vec(any::<bool>(), 11),
    ) {
        let on = |deed: &Deed| (deed.day + deed.late, deed.second);
        let outage = Outage { still: &still, ..Outage::default() };
        prop_assert_eq!(newest(&week(&deeds, on, outage)), newest(&week(&deeds, on, Outage::default())));
    }

    #[test]
    fn prices_that_are_published_late_close_days_as_those_that_came_on_time(
        deeds in prop::collection::vec(deed(), 1..40),
        still in prop::collection::vec(any::<bool>(), 11),
        mute in prop::collection::vec(any::<bool>(), 11),
    ) {
        let on = |deed: &Deed| (deed.day + deed.late, deed.second);
        let outage = Outage { still: &still, mute: &mute };
        prop_assert_eq!(newest(&week(&deeds, on, outage)), newest(&week(&deeds, on, Outage::default())));
    }
}
