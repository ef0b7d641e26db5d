//! Histories of a dividend that cash entries settle, as lines, and what may come between.

use super::honest::TOGETHER;

const INSTRUMENT: &str = "reference.instruments.v1";
const TICK: &str = "marketdata.ticks.v1";
const POLICY: &str = "portfolio.policies.v1";
const CASH: &str = "treasury.cash.v1";
const FILL: &str = "execution.fills.v1";
const ACTION: &str = "reference.corporate-actions.v1";

fn line(topic: &str, at: &str, value: &str) -> String {
    format!(r#"{{"topic":"{topic}","timestamp":"2026-01-{at}Z","value":{{{value}}}}}"#)
}
/// A line that is read in one step with the one before it.
fn together(line: String) -> String {
    format!("{TOGETHER}{line}")
}
pub(super) fn tick(at: &str, id: &str, last: &str) -> String {
    line(TICK, at, &format!(r#""instrument_id":"{id}","last":"{last}","event_time":"2026-01-{at}Z""#))
}
fn policy(at: &str, version: u32, dividends: &str) -> String {
    line(
        POLICY,
        at,
        &format!(r#""portfolio_id":"P","policy_version":{version},"base_currency":"USD","book":{{"dividends":"{dividends}"}}"#),
    )
}
/// A buy, or a sale of what is below zero.
fn trade(at: &str, id: &str, day: &str, quantity: i32) -> String {
    let (side, quantity) = (if quantity > 0 { "BUY" } else { "SELL" }, quantity.abs());
    let value = format!(
        r#""source":"OMS","exec_id":"{id}","trade_date":"2026-01-{day}","exec_type":"TRADE","portfolio_id":"P","instrument_id":"AAA","side":"{side}","quantity":"{quantity}","price":"100","currency":"EUR","transact_time":"2026-01-{at}Z""#
    );
    line(FILL, at, &value)
}
pub(super) fn entry(at: &str, id: &str, kind: &str, (amount, currency): (&str, &str), more: &str) -> String {
    let value = format!(
        r#""source":"BANK","entry_id":"{id}","portfolio_id":"P","kind":"{kind}","currency":"{currency}","amount":"{amount}","effective_at":"2026-01-{at}Z"{more}"#
    );
    line(CASH, at, &value)
}
/// A dividend entry of the action.
fn pays(at: &str, id: &str, amount: (&str, &str)) -> String {
    pays_of("D1", at, id, amount)
}
fn pays_of(action: &str, at: &str, id: &str, amount: (&str, &str)) -> String {
    entry(at, id, "DIVIDEND", amount, &format!(r#","action_id":"{action}","instrument_id":"AAA""#))
}
/// An entry that takes one of these back.
fn takes_back(at: &str, id: &str, of: &str, amount: (&str, &str)) -> String {
    entry(at, id, "DIVIDEND", amount, &format!(r#","action_id":"D1","instrument_id":"AAA","reverses":"{of}""#))
}
fn action(at: &str, status: &str, per_share: &str, currency: &str) -> String {
    action_of("D1", at, status, per_share, currency)
}
fn action_of(id: &str, at: &str, status: &str, per_share: &str, currency: &str) -> String {
    let value = format!(
        r#""action_id":"{id}","instrument_id":"AAA","status":"{status}","kind":"CASH_DIVIDEND","amount_per_share":"{per_share}","currency":"{currency}","ex_date":"2026-01-06","pay_date":"2026-01-08""#
    );
    line(ACTION, at, &value)
}

/// A book in dollars in which nothing is held yet, and a share in euros.
fn opened(dividends: &str) -> Vec<String> {
    vec![
        line(
            INSTRUMENT,
            "05T14:00:00",
            r#""instrument_id":"AAA","type":"EQUITY","currency":"EUR","venue":"XETR","max_price_age_seconds":8640000"#,
        ),
        tick("05T14:00:00", "AAA", "100"),
        tick("05T14:00:00", "EUR/USD", "1.1"),
        tick("05T14:00:00", "GBP/USD", "1.3"),
        policy("05T14:00:00", 1, dividends),
        entry("05T14:00:00", "c1", "DEPOSIT", ("100000", "USD"), ""),
    ]
}

/// 100 shares of it, bought on the 5th; a dividend of the 6th where one is announced.
pub(super) fn begun(dividends: &str, announced: Option<&str>) -> Vec<String> {
    let mut lines = opened(dividends);
    lines.push(trade("05T15:00:00", "1", "05", 100));
    lines.extend(announced.map(|currency| action("05T15:30:00", "NEW", "0.5", currency)));
    lines
}

/// The same, where entries settle the dividend.
fn owed() -> Vec<String> {
    begun("CASH", Some("EUR"))
}
/// Time passes into the ex-date.
fn ex() -> String {
    tick("06T10:00:00", "AAA", "100")
}
fn euro(amount: &str) -> (&str, &str) {
    (amount, "EUR")
}

pub(super) fn told(mut lines: Vec<String>, more: impl IntoIterator<Item = String>) -> String {
    lines.extend(more);
    // Time passes, so that what took effect last is followed in a step of its own.
    lines.push(tick("28T10:00:00", "AAA", "101"));
    lines.push(tick("29T10:00:00", "AAA", "102"));
    lines.join("\n")
}

/// A story and the lines that tell it.
pub(super) type Told = (&'static str, String);

/// What may happen to a dividend that entries settle.
pub(super) fn stories() -> Vec<Told> {
    [early(), parts(), withdrawn(), other_payers(), odd(), silent()].concat()
}

/// Entries that come in time or too early, and none.
fn early() -> Vec<Told> {
    vec![
        ("settled less tax", told(owed(), [ex(), pays("08T10:00:00", "e1", euro("42.5"))])),
        ("never settled", told(owed(), [ex()])),
        (
            "settled before it is announced",
            told(
                begun("CASH", None),
                [
                    ex(),
                    pays("07T10:00:00", "e1", euro("42.5")),
                    action("07T11:00:00", "NEW", "0.5", "EUR"),
                    tick("07T12:00:00", "AAA", "100"),
                    trade("07T13:00:00", "2", "05", 20),
                    pays("08T10:00:00", "e2", euro("3")),
                ],
            ),
        ),
        ("settled before its ex-date", told(owed(), [pays("05T16:00:00", "e1", euro("42.5")), ex(), trade("06T11:00:00", "2", "05", 20)])),
    ]
}

/// Entries that bring less, or more, or are taken back.
fn parts() -> Vec<Told> {
    vec![
        (
            "settled in parts",
            told(
                owed(),
                [
                    ex(),
                    pays("08T10:00:00", "e1", euro("20")),
                    pays("09T10:00:00", "e2", euro("15")),
                    trade("09T11:00:00", "2", "05", 20),
                    pays("09T12:00:00", "e3", euro("9")),
                ],
            ),
        ),
        ("settled with more than is owed", told(owed(), [ex(), pays("08T10:00:00", "e1", euro("60"))])),
        (
            "settled and taken back, and settled again",
            told(
                owed(),
                [
                    ex(),
                    pays("08T10:00:00", "e1", euro("42.5")),
                    takes_back("09T10:00:00", "r1", "e1", euro("42.5")),
                    pays("09T11:00:00", "e2", euro("45")),
                ],
            ),
        ),
    ]
}

/// Actions that are withdrawn, and policies by which entries pay no more.
fn withdrawn() -> Vec<Told> {
    vec![
        (
            "settled and then withdrawn, and taken back",
            told(
                owed(),
                [
                    ex(),
                    pays("08T10:00:00", "e1", euro("42.5")),
                    action("09T10:00:00", "CANCELLED", "0.5", "EUR"),
                    tick("09T10:30:00", "AAA", "100"),
                    takes_back("09T11:00:00", "r1", "e1", euro("42.5")),
                ],
            ),
        ),
        (
            "settled, withdrawn, announced again and amended",
            told(
                owed(),
                [
                    ex(),
                    pays("08T10:00:00", "e1", euro("42.5")),
                    action("09T10:00:00", "CANCELLED", "0.5", "EUR"),
                    action("09T11:00:00", "NEW", "0.5", "EUR"),
                    action("09T12:00:00", "NEW", "0.6", "EUR"),
                    pays("09T13:00:00", "e2", euro("8.5")),
                ],
            ),
        ),
        (
            "owed back while it is withdrawn, and settled by the entry that comes when it stands again",
            told(
                owed(),
                [
                    ex(),
                    pays("08T10:00:00", "e1", euro("42.5")),
                    action("09T10:00:00", "CANCELLED", "0.5", "EUR"),
                    pays("09T11:00:00", "e2", euro("3")),
                    action("09T12:00:00", "NEW", "0.5", "EUR"),
                    pays("09T13:00:00", "e3", euro("8.5")),
                    trade("09T14:00:00", "2", "05", 20),
                ],
            ),
        ),
        (
            "entries pay no more",
            told(
                owed(),
                [ex(), tick("09T10:00:00", "AAA", "100"), policy("09T11:00:00", 2, "ACTIONS"), trade("09T12:00:00", "2", "05", 20)],
            ),
        ),
        (
            "entries pay no more before its day of payment",
            told(
                owed(),
                [ex(), policy("07T11:00:00", 2, "ACTIONS"), tick("08T11:00:00", "AAA", "100"), trade("09T12:00:00", "2", "05", 20)],
            ),
        ),
    ]
}

/// Policies that change behind an entry, or back again.
fn other_payers() -> Vec<Told> {
    vec![
        (
            "entries pay no more, and one is taken back",
            told(
                owed(),
                [
                    ex(),
                    pays("08T10:00:00", "e1", euro("42.5")),
                    policy("09T11:00:00", 2, "ACTIONS"),
                    takes_back("09T12:00:00", "r1", "e1", euro("42.5")),
                    trade("09T13:00:00", "2", "05", 20),
                ],
            ),
        ),
        (
            "entries pay from now on what is owed",
            told(
                begun("ACTIONS", Some("EUR")),
                [ex(), policy("07T11:00:00", 2, "CASH"), tick("08T11:00:00", "AAA", "100"), pays("09T10:00:00", "e1", euro("42.5"))],
            ),
        ),
        (
            "what an action has paid stays paid",
            told(
                begun("ACTIONS", Some("EUR")),
                [
                    ex(),
                    tick("08T11:00:00", "AAA", "100"),
                    policy("09T11:00:00", 2, "CASH"),
                    pays("09T12:00:00", "e1", euro("42.5")),
                    trade("09T13:00:00", "2", "05", 20),
                ],
            ),
        ),
    ]
}

/// Positions and currencies that are not the usual ones.
fn odd() -> Vec<Told> {
    vec![
        (
            "flat at the ex-date, and traded before it after all",
            told(
                begun("CASH", Some("EUR")),
                [
                    trade("05T16:00:00", "2", "05", -100),
                    ex(),
                    pays("08T10:00:00", "e1", euro("2")),
                    trade("08T11:00:00", "3", "05", 40),
                    pays("09T11:00:00", "e2", euro("17")),
                ],
            ),
        ),
        (
            "a short position is charged",
            told(begun("CASH", Some("EUR")), [trade("05T16:00:00", "2", "05", -300), ex(), tick("09T11:00:00", "AAA", "100")]),
        ),
        (
            "paid and settled in other currencies",
            told(
                begun("CASH", Some("USD")),
                [
                    ex(),
                    tick("07T10:00:00", "EUR/USD", "1.2"),
                    tick("07T10:00:01", "GBP/USD", "1.4"),
                    trade("07T11:00:00", "2", "05", 20),
                    pays("08T10:00:00", "e1", ("48", "USD")),
                    pays("08T11:00:00", "e2", ("3.7", "GBP")),
                    takes_back("09T11:00:00", "r2", "e2", ("3.7", "GBP")),
                    tick("09T12:00:00", "EUR/USD", "1.25"),
                    trade("09T13:00:00", "3", "05", 7),
                    action("09T14:00:00", "NEW", "0.6", "USD"),
                    pays("09T15:00:00", "e3", ("9", "EUR")),
                ],
            ),
        ),
    ]
}

/// Two dividends whose entries come when nothing is owed of them.
pub(super) const NOTHING_OWED: &str = "nothing is owed of two, of one because nothing was booked yet, and late units earn the other";
/// A dividend that is withdrawn when it comes to nothing.
pub(super) const WITHDRAWN: &str = "comes to nothing, and is withdrawn without a word";

/// Dividends of which the ledger says nothing when they are settled, or withdrawn.
fn silent() -> Vec<Told> {
    vec![
        (
            NOTHING_OWED,
            told(
                opened("CASH"),
                [
                    action("05T15:30:00", "NEW", "0.5", "EUR"),
                    action_of("D2", "05T15:30:01", "NEW", "0.25", "EUR"),
                    ex(),
                    pays("07T10:00:00", "e1", euro("42.5")),
                    trade("07T11:00:00", "2", "07", 100),
                    pays_of("D2", "08T10:00:00", "e2", euro("3")),
                    trade("08T11:00:00", "3", "05", 40),
                    pays_of("D2", "09T11:00:00", "e3", euro("8.5")),
                ],
            ),
        ),
        (
            WITHDRAWN,
            told(
                begun("ACTIONS", Some("EUR")),
                [
                    ex(),
                    tick("08T11:00:00", "AAA", "100"),
                    trade("09T10:00:00", "2", "05", -100),
                    action("09T11:00:00", "CANCELLED", "0.5", "EUR"),
                    together(trade("09T11:00:00", "3", "05", 7)),
                ],
            ),
        ),
    ]
}

/// Entries of an instrument in its own currency, in the base and in a third one.
pub(super) fn abroad() -> String {
    let of = r#","instrument_id":"AAA""#;
    told(
        begun("ACTIONS", None),
        [
            entry("06T10:00:00", "own", "DIVIDEND", ("10", "EUR"), of),
            entry("06T11:00:00", "base", "INTEREST", ("11", "USD"), of),
            tick("06T12:00:00", "EUR/USD", "1.25"),
            entry("06T13:00:00", "third", "INTEREST", ("-6.5", "GBP"), of),
            entry("06T14:00:00", "fee", "FEE", ("7.3", "GBP"), of),
            tick("06T15:00:00", "GBP/USD", "1.4"),
            entry("06T16:00:00", "back", "FEE", ("7.3", "GBP"), &format!(r#"{of},"reverses":"fee""#)),
            entry("06T17:00:00", "fee2", "FEE", ("0.9", "USD"), of),
        ],
    )
}
