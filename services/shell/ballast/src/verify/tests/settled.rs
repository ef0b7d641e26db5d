//! Dividends that cash entries settle, and entries in a third currency, as the service books them in a cluster in
//! memory: true histories are accused of nothing, whatever comes between; what was booked otherwise than the inputs ask
//! for is found.

use super::honest::{FAULTS, Fault, Log, accused, judged, leaves, ledgers, lived, with, with_ledgers, with_snapshots};
use super::tales::{NOTHING_OWED, WITHDRAWN, abroad, begun, entry, stories, tick, told};
use avro_codec::{SchemaStore, decode, encode_input};
use domain::enums::{DividendSource, EntryKind};
use domain::ledger::{CurrencyAmount, LedgerEntry};
use domain::{Currency, Input, Money, Quantity, Topic};

#[test]
fn a_true_history_is_accused_of_nothing() {
    let mut wrong = Vec::new();
    for (name, text) in stories().into_iter().chain([("entries in other currencies", abroad())]) {
        let report = judged(&lived(&text));
        if !report.passed() || leaves(&report) || report.notes.iter().any(|note| note.contains("as they are told")) {
            wrong.push(format!("{name}:\n{report}"));
        }
    }
    assert!(wrong.is_empty(), "{} stories\n{}", wrong.len(), wrong.join("\n"));
}

fn story(name: &str) -> Log {
    lived(&stories().into_iter().find(|(story, _)| *story == name).unwrap().1)
}

/// The log in which entry `at` was changed; `None` where nothing changes by it.
fn faulty(log: &Log, at: usize, fault: fn(&mut LedgerEntry)) -> Option<Log> {
    let (mut n, mut same) = (0, false);
    let changed = with_ledgers(log, &mut |ledger| {
        for entry in &mut ledger.entries {
            if n == at {
                let kept = entry.clone();
                fault(entry);
                same = kept == *entry;
            }
            n += 1;
        }
    });
    (!same).then_some(changed)
}

const RATES: [Fault; 1] = [("rate", |entry| entry.fx_rate = entry.fx_rate.map(|rate| rate.checked_add("0.01".parse().unwrap()).unwrap()))];

#[test]
fn a_changed_entry_is_found() {
    let (mut missed, mut tried) = (Vec::new(), 0);
    for (name, text) in stories().into_iter().chain([("entries in other currencies", abroad())]) {
        let log = lived(&text);
        let told = |entry: &LedgerEntry| entry.cause.topic != Topic::Fills || entry.kind == EntryKind::Restate;
        for (at, entry) in ledgers(&log).iter().enumerate().filter(|(_, entry)| told(entry)) {
            // What is taken back, and what is paid, stands at the rate of its first booking.
            let paid = entry.kind == EntryKind::CashDividend && entry.cause.topic == Topic::Frames;
            let anew = entry.kind != EntryKind::Cancel && !paid;
            for (what, fault) in FAULTS.iter().chain(RATES.iter().filter(|_| anew)) {
                let Some(changed) = faulty(&log, at, *fault) else { continue };
                tried += 1;
                if !accused(&judged(&changed)) {
                    missed.push(format!("{name}: entry {at} ({} {}): {what}", entry.kind, entry.cause.id));
                }
            }
        }
    }
    assert!(tried > 150, "{tried}");
    assert!(missed.is_empty(), "of {tried}: {missed:#?}");
}

fn with_inputs(log: &Log, topic: Topic, change: &mut dyn FnMut(&mut Input)) -> Log {
    let write = |input: Input| {
        let mut bytes = Vec::new();
        encode_input(&input, &mut bytes).unwrap();
        bytes
    };
    with(log, topic, |bytes| decode(&SchemaStore::compiled(), topic, Some(b"P"), Some(bytes)).unwrap(), change, write)
}

/// A history is true of one set of inputs: told with others that ask for something else, all its figures agree with one
/// another and are wrong.
#[test]
fn a_whole_ledger_by_other_rules_is_found() {
    let mut missed = Vec::new();
    for (name, text) in stories() {
        let log = lived(&text);
        let otherwise = with_inputs(&log, Topic::Policies, &mut |input| {
            if let Input::Policy(policy) = input {
                policy.book.dividends =
                    if policy.book.dividends == DividendSource::Cash { DividendSource::Actions } else { DividendSource::Cash };
            }
        });
        let settles = ledgers(&log).iter().any(|entry| entry.cause.topic == Topic::Cash && entry.cause.id.starts_with('e'));
        // Where nothing is owed when an entry comes, and nothing is to be paid later, both rules come to the same. When
        // within its time an action pays is not looked at, only whether it has.
        let same = ["settled before it is announced", "settled before its ex-date"].contains(&name);
        if !accused(&judged(&otherwise)) && !same && name != "entries pay no more" {
            missed.push(format!("{name}: by the other policy"));
        }
        let first = |input: &mut Input, of: Option<&str>| {
            if let Input::Cash(entry) = input
                && entry.entry_id == "e1"
            {
                entry.action_id = of.map(Into::into);
            }
        };
        let unsettled = with_inputs(&log, Topic::Cash, &mut |input| first(input, None));
        let nothing_owed = same || name == "flat at the ex-date, and traded before it after all";
        if settles && !nothing_owed && !accused(&judged(&unsettled)) {
            missed.push(format!("{name}: settled by an entry that names no action"));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn a_receivable_that_was_not_settled_is_found() {
    // The entry came without its action: it was income, and the receivable stayed. With it named, that is wrong.
    let text = told(
        begun("CASH", Some("EUR")),
        [tick("06T10:00:00", "AAA", "100"), entry("08T10:00:00", "e1", "DIVIDEND", ("42.5", "EUR"), r#","instrument_id":"AAA""#)],
    );
    let log = lived(&text);
    assert!(!accused(&judged(&log)));
    let named = with_inputs(&log, Topic::Cash, &mut |input| {
        if let Input::Cash(entry) = input
            && entry.entry_id == "e1"
        {
            entry.action_id = Some("D1".into());
        }
    });
    let report = judged(&named);
    assert!(accused(&report));
    let rows: Vec<_> = report.checks.iter().filter(|check| !check.passed()).map(|check| check.what.clone()).collect();
    assert!(rows.iter().any(|what| what.contains("receivables")) && rows.iter().any(|what| what.contains("booked again")), "{rows:?}");
}

fn add(to: &mut Money, more: Money) {
    *to = to.checked_add(more).unwrap();
}
fn euro() -> Currency {
    "EUR".parse().unwrap()
}

/// Moves the figures of AAA, and cash, in every record from the one on in which `change` changes an entry.
fn moved(log: &Log, (income, cash): (Money, Money), change: &dyn Fn(&mut Vec<LedgerEntry>) -> bool) -> Log {
    let mut since = false;
    with_ledgers(log, &mut |ledger| {
        since |= change(&mut ledger.entries);
        for state in ledger.positions.iter_mut().filter(|_| since) {
            add(&mut state.income, income);
            add(&mut state.realized_net, income);
        }
        ledger.cash.iter_mut().filter(|held| since && held.currency == euro()).for_each(|held| add(&mut held.amount, cash));
    })
}

/// The log in which an entry has other figures, and all else agrees with it.
fn agreeing(log: &Log, id: &str, (income, cash): (&str, &str)) -> Log {
    let (income, cash): (Money, Money) = (income.parse().unwrap(), cash.parse().unwrap());
    moved(log, (income, cash), &|entries| {
        let of_it = entries.iter_mut().filter(|entry| entry.cause.id == id);
        let changed = of_it.map(|entry| {
            add(&mut entry.income, income);
            entry.cash.iter_mut().for_each(|leg| add(&mut leg.amount, cash));
        });
        changed.count() > 0
    })
}

/// The log in which an execution restates so much more income, paid or owed, and all else agrees with it.
fn restating(log: &Log, id: &str, (income, cash): (&str, &str)) -> Log {
    let (income, cash): (Money, Money) = (income.parse().unwrap(), cash.parse().unwrap());
    moved(log, (income, cash), &|entries| {
        let Some(at) = entries.iter().position(|entry| entry.cause.id == id && entry.kind == EntryKind::Trade) else { return false };
        if entries.get(at + 1).is_none_or(|entry| entry.kind != EntryKind::Restate) {
            let of = entries[at].clone();
            let blank = LedgerEntry { quantity_change: Quantity::ZERO, price: None, fx_rate: None, cash: Vec::new().into(), ..of };
            entries.insert(at + 1, LedgerEntry { kind: EntryKind::Restate, trade_date: None, transact_time: None, venue: None, ..blank });
        }
        let entry = &mut entries[at + 1];
        add(&mut entry.income, income);
        let mut legs = entry.cash.to_vec();
        if !cash.is_zero() {
            legs.push(CurrencyAmount { currency: euro(), amount: cash });
        }
        entry.cash = legs.into();
        true
    })
}

/// Where the ledger says nothing of what became of a dividend, it still says what late units earn.
#[test]
fn what_late_units_earn_of_another_dividend_is_found() {
    let (nothing_owed, withdrawn) = (story(NOTHING_OWED), story(WITHDRAWN));
    assert!(!accused(&judged(&restating(&nothing_owed, "3", ("0", "0")))));
    let wrong = [
        // Neither counts, only the one that was settled, both.
        (&nothing_owed, ("-10", "0")),
        (&nothing_owed, ("10", "0")),
        (&nothing_owed, ("20", "0")),
        (&nothing_owed, ("0.01", "0")),
        // It is paid at once.
        (&nothing_owed, ("0", "10")),
        // It still stands, and was paid or is owed; it is charged.
        (&withdrawn, ("3.5", "3.5")),
        (&withdrawn, ("3.5", "0")),
        (&withdrawn, ("-3.5", "-3.5")),
        (&withdrawn, ("0.01", "0")),
    ];
    for (at, (log, shift)) in wrong.iter().enumerate() {
        assert!(accused(&judged(&restating(log, "3", *shift))), "{at}: {shift:?}");
    }
}

#[test]
fn a_wrong_ledger_that_agrees_with_itself_is_found() {
    let log = story("settled in parts");
    assert!(!accused(&judged(&agreeing(&log, "e1", ("0", "0")))));
    let says = |id: &str, shift: (&str, &str), words: &[&str]| {
        let report = judged(&agreeing(&log, id, shift));
        let first = report.checks.iter().find(|check| check.what.contains("booked again")).and_then(|check| check.first.clone());
        let first = first.unwrap_or_else(|| panic!("{id} {shift:?} is not found:\n{report}"));
        assert!(words.iter().all(|word| first.contains(word)), "{first}");
    };
    // The entry is income beside the receivable, the receivable is settled by a second entry too, less is lost, more came.
    says("e1", ("50", "0"), &["(e1)", "income 20", "the model -30"]);
    says("e2", ("-50", "0"), &["(e2)", "income -35", "the model 15"]);
    says("e1", ("0.01", "0"), &["income -29.99", "the model -30"]);
    says("e1", ("30", "30"), &["cash legs: EUR 50", "the model 20"]);
}

#[test]
fn a_settled_receivable_that_a_snapshot_still_shows_is_found() {
    for name in ["settled less tax", "never settled", "settled in parts", "paid and settled in other currencies"] {
        let log = story(name);
        let more = with_snapshots(&log, &mut |snapshot| {
            snapshot.receivables = vec![CurrencyAmount { currency: Currency::new("EUR").unwrap(), amount: Money::ONE }];
        });
        assert!(accused(&judged(&more)), "{name}");
    }
}

#[test]
fn an_entry_that_nobody_booked_is_lost_where_entries_have_always_paid() {
    let lost = |policies: &[&str]| {
        let text =
            told(begun("CASH", Some("EUR")), [tick("06T10:00:00", "AAA", "100"), entry("08T10:00:00", "x", "FEE", ("1", "EUR"), "")]);
        let log = lived(&text);
        let log = with_inputs(&log, Topic::Policies, &mut |input| {
            if let Input::Policy(policy) = input {
                policy.book.dividends = if policies.contains(&"ACTIONS") { DividendSource::Actions } else { DividendSource::Cash };
            }
        });
        // What was booked as a fee of nothing is a dividend, and no entry of the ledger is of it.
        let log = with_inputs(&log, Topic::Cash, &mut |input| {
            if let Input::Cash(entry) = input
                && entry.entry_id == "x"
            {
                entry.kind = domain::enums::CashKind::Dividend;
                entry.action_id = Some("D1".into());
            }
        });
        with_ledgers(&log, &mut |ledger| ledger.entries.retain(|entry| entry.cause.id != "x"))
    };
    let fails = |log: &Log| judged(log).checks.iter().any(|check| check.id == "I3" && !check.passed());
    assert!(fails(&lost(&["CASH"])));
    assert!(!fails(&lost(&["ACTIONS"])));
}

#[test]
fn what_takes_back_an_entry_of_a_date_that_is_not_known_any_more_waits() {
    let fee = |at: &str, id: &str, more: &str| entry(at, id, "FEE", ("1", "EUR"), more);
    let taken_back_after = |days: u32| {
        let later = (1..=days).map(|day| fee(&format!("{:02}T10:00:00", 6 + day), &format!("f{day}"), ""));
        let back = fee(&format!("{:02}T11:00:00", 6 + days), "r1", r#","reverses":"e1""#);
        lived(&told(begun("ACTIONS", None), std::iter::once(fee("06T10:00:00", "e1", "")).chain(later).chain([back])))
    };
    let became = |log: &Log| {
        let report = judged(log);
        let cash = report.balances["treasury.cash.v1"];
        (cash.waiting, cash.lost, report.passed())
    };
    // The ids of ten dates are known.
    let (known, forgotten) = (taken_back_after(9), taken_back_after(10));
    assert_eq!((became(&known), became(&forgotten)), ((0, 0, true), (1, 0, true)));
    let lost = with_ledgers(&known, &mut |ledger| ledger.entries.retain(|entry| entry.cause.id != "r1"));
    assert_eq!(became(&lost), (0, 1, false));
}
