//! Records of a window are looked at in blocks, ahead of those before them: what is booked is the same as one by one.

use crate::harness::*;
use domain::Output;
use domain::ledger::LedgerEntry;
use proptest::prelude::*;
use serde_json::json;

/// An execution report: often one that came before, of a portfolio or an instrument that may be unknown.
#[derive(Debug, Clone)]
struct Report {
    portfolio: u8,
    instrument: u8,
    id: u8,
    kind: u8,
    named: u8,
    amount: u8,
}

fn report() -> impl Strategy<Value = Report> {
    (0..4_u8, 0..3_u8, 0..40_u8, 0..8_u8, 0..40_u8, 0..12_u8).prop_map(|(portfolio, instrument, id, kind, named, amount)| Report {
        portfolio,
        instrument,
        id,
        kind,
        named,
        amount,
    })
}

fn send(book: &mut Book, report: &Report) {
    let kind = match report.kind {
        6 => "CANCEL",
        7 => "CORRECT",
        _ => "TRADE",
    };
    let named = (kind != "TRADE").then(|| report.named.to_string());
    let date = if report.id.is_multiple_of(5) { "2026-01-04" } else { "2026-01-05" };
    let portfolio = ["p", "q", "r", "nobody"][usize::from(report.portfolio)];
    let instrument = ["A", "B", "UNKNOWN"][usize::from(report.instrument)];
    let more = json!({
        "portfolio_id": portfolio, "exec_type": kind, "exec_ref_id": named, "instrument_id": instrument, "trade_date": date,
    });
    let side = if report.kind < 3 { "SELL" } else { "BUY" };
    book.fill(&report.id.to_string(), side, &report.amount.to_string(), "7.5", more);
}

fn open() -> Book {
    let mut book = Book::new();
    for portfolio in ["p", "q", "r"] {
        book.policy_of(portfolio, 1, json!({}));
    }
    book.instrument("A", json!({})).instrument("B", json!({})).price("A", "8").price("B", "9");
    book.run_at(second(36_000));
    book
}

/// Entries, each with its portfolio.
type Booked = Vec<(String, LedgerEntry)>;

/// What was booked of a portfolio, entry by entry, and what was refused, in the order of the log.
fn told(outputs: &[Output]) -> (Booked, Vec<(i64, String)>) {
    let entries = ledgers(outputs).into_iter().flat_map(|ledger| {
        let portfolio = ledger.portfolio_id.to_string();
        ledger.entries.iter().map(move |entry| (portfolio.clone(), entry.clone()))
    });
    let refused = outputs.iter().filter_map(|output| match output {
        Output::DeadLetter(letter) => Some((letter.offset, format!("{:?} {}", letter.code, letter.text))),
        _ => None,
    });
    let (mut entries, refused): (Vec<_>, Vec<_>) = (entries.collect(), refused.collect());
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    (entries, refused)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_window_of_many_books_what_windows_of_one_book(reports in prop::collection::vec(report(), 1..150)) {
        let (mut together, mut apart) = (open(), open());
        reports.iter().for_each(|report| send(&mut together, report));
        let all = told(&together.run());
        let mut outputs = Vec::new();
        for report in &reports {
            send(&mut apart, report);
            outputs.append(&mut apart.run());
        }
        prop_assert_eq!(all, told(&outputs));
        prop_assert_eq!(together.lane.role().waiting(), apart.lane.role().waiting());
        for (one, other) in together.lane.role().portfolios().iter().zip(apart.lane.role().portfolios()) {
            prop_assert_eq!((&one.sums, &one.cash, &one.orders), (&other.sums, &other.cash, &other.orders));
            prop_assert_eq!(one.lines.all(), other.lines.all());
        }
    }
}
