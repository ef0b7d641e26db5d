//! Transfers of securities and reversals of cash entries: the book is that of a replay in which the entry never was,
//! whatever came between and whichever of both came first.

use crate::amending::{METHODS, held, ready_by};
use crate::harness::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// With their currencies.
const INSTRUMENTS: [(&str, &str); 3] = [("A", "USD"), ("E", "EUR"), ("F", "USD")];

#[derive(Debug, Clone)]
enum Act {
    Trade { at: usize, buy: bool, quantity: u8, price: u8 },
    Price { at: usize, price: u8 },
    Entry { kind: usize, at: usize, amount: u8 },
    Reverse { of: usize },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => (0..3_usize, any::<bool>(), 1..20_u8, 1..40_u8).prop_map(|(at, buy, quantity, price)| Act::Trade { at, buy, quantity, price }),
        1 => (0..3_usize, 1..40_u8).prop_map(|(at, price)| Act::Price { at, price }),
        4 => (0..9_usize, 0..3_usize, 1..20_u8).prop_map(|(kind, at, amount)| Act::Entry { kind, at, amount }),
        2 => any::<usize>().prop_map(|of| Act::Reverse { of }),
    ];
    proptest::collection::vec(act, 1..40)
}

/// A long position in each, from which much may go.
fn open(method: &str) -> Book {
    let mut book = ready_by(method);
    for (id, currency) in INSTRUMENTS {
        book.fill(&format!("open {id}"), "BUY", "1000", "9", json!({"instrument_id": id, "currency": currency}));
    }
    book.run();
    book
}

fn fields(kind: usize, at: usize, amount: u8) -> (&'static str, Value) {
    let (id, currency) = INSTRUMENTS[at];
    match kind {
        0..=3 => (["DEPOSIT", "WITHDRAWAL", "FEE", "INTEREST"][kind], json!({"amount": amount.to_string(), "currency": currency})),
        4 => ("TRANSFER_IN", json!({"amount": amount.to_string(), "currency": currency})),
        5 => {
            let strategy = amount.is_multiple_of(3).then_some("s");
            let units = json!({"instrument_id": id, "currency": currency, "quantity": amount.to_string(), "total_cost": "77.77",
                "strategy": strategy});
            ("TRANSFER_IN", units)
        }
        6 => ("TRANSFER_OUT", json!({"instrument_id": id, "currency": currency, "quantity": amount.to_string()})),
        // Of an instrument, also in another currency than its own.
        _ => {
            let kind = ["DIVIDEND", "FEE", "INTEREST"][usize::from(amount) % 3];
            let currency = if kind == "DIVIDEND" { currency } else { "EUR" };
            let strategy = amount.is_multiple_of(2).then_some("s");
            (kind, json!({"instrument_id": id, "currency": currency, "amount": amount.to_string(), "strategy": strategy}))
        }
    }
}

/// Which entries are taken back, by the place of the act that does.
fn reversals(acts: &[Act], upset: bool) -> Vec<(usize, usize)> {
    let entries: Vec<usize> = (0..acts.len()).filter(|n| matches!(acts[*n], Act::Entry { .. })).collect();
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (n, act) in acts.iter().enumerate() {
        let Act::Reverse { of } = act else { continue };
        let known: Vec<usize> = entries.iter().copied().filter(|entry| upset || *entry < n).collect();
        let Some(place) = of.checked_rem(known.len()) else { continue };
        if pairs.iter().all(|(_, taken)| *taken != known[place]) {
            pairs.push((n, known[place]));
        }
    }
    pairs
}

fn play(book: &mut Book, acts: &[Act], reversals: &[(usize, usize)], without: bool) {
    for (n, act) in acts.iter().enumerate() {
        book.at(second(n as i64));
        let gone = reversals.iter().any(|(_, entry)| *entry == n);
        match act {
            Act::Trade { at, buy, quantity, price } => {
                let (id, currency) = INSTRUMENTS[*at];
                let side = if *buy { "BUY" } else { "SELL" };
                book.fill(
                    &n.to_string(),
                    side,
                    &quantity.to_string(),
                    &price.to_string(),
                    json!({"instrument_id": id, "currency": currency}),
                );
            }
            Act::Price { at, price } => _ = book.price(INSTRUMENTS[*at].0, &price.to_string()),
            Act::Entry { kind, at, amount } if !(without && gone) => {
                let (kind, fields) = fields(*kind, *at, *amount);
                book.entry(&format!("n{n}"), kind, fields);
            }
            Act::Reverse { .. } if !without => {
                let Some((_, entry)) = reversals.iter().find(|(by, _)| *by == n) else { continue };
                let Act::Entry { kind, at, amount } = acts[*entry] else { unreachable!("only entries are taken back") };
                let (kind, mut fields) = fields(kind, at, amount);
                fields["reverses"] = json!(format!("n{entry}"));
                book.entry(&format!("r{n}"), kind, fields);
            }
            Act::Entry { .. } | Act::Reverse { .. } => {}
        }
        let outputs = book.run();
        assert!(letters(&outputs).is_empty(), "{:?}", letters(&outputs));
    }
    assert_eq!(book.lane.role().waiting(), 0);
}

/// Sums, balances that are not zero, and unrealized profit as published.
fn told(book: &mut Book) -> String {
    let metrics = only(snapshots(&book.price("A", "10").price("E", "10").price("F", "10").at(second(86_400)).run())).metrics.clone();
    let portfolio = &book.lane.role().portfolios()[0];
    assert!(portfolio.sums.balance() && !portfolio.unbalanced);
    let there: Vec<_> = portfolio.cash.balances().iter().filter(|balance| !balance.is_nothing()).collect();
    let fees: Vec<_> = portfolio.lines.all().iter().map(|line| line.fees.iter().collect::<Vec<_>>()).collect();
    format!("{:?} {there:?} {metrics:?} {fees:?} {:?}", portfolio.sums, portfolio.besides)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn the_book_is_that_of_a_replay_without_the_entry(acts in acts(), upset in any::<bool>(), method in 0..4_usize) {
        let (mut book, mut right) = (open(METHODS[method]), open(METHODS[method]));
        let reversals = reversals(&acts, upset);
        play(&mut book, &acts, &reversals, false);
        let mut back = restored(&mut book.lane);
        play(&mut right, &acts, &reversals, true);
        prop_assert_eq!(told(&mut book), told(&mut right));
        prop_assert_eq!(held(&book), held(&right));
        prop_assert_eq!(back.shared_image(), restored(&mut back).shared_image());
    }
}

#[test]
fn what_securities_brought_is_no_profit() {
    let mut book = ready_by("FIFO");
    book.entry("t", "TRANSFER_IN", json!({"instrument_id": "A", "quantity": "10", "total_cost": "40"}));
    let metrics = only(snapshots(&book.at(second(5)).run())).metrics.clone();
    let shown = [metrics.unrealized, metrics.transferred, metrics.total_pnl].map(|amount| amount.to_string());
    assert_eq!(shown, ["60", "60", "0"]);
    book.entry("u", "TRANSFER_OUT", json!({"instrument_id": "A", "quantity": "10"}));
    let metrics = only(snapshots(&book.at(second(10)).run())).metrics.clone();
    let shown = [metrics.unrealized, metrics.transferred, metrics.realized_net, metrics.total_pnl].map(|amount| amount.to_string());
    assert_eq!(shown, ["0", "0", "0", "0"]);
}
