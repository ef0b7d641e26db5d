//! A restored lane goes on byte for byte, its image is a function of its state, and portfolios do not
//! depend on one another.

use crate::harness::*;
use domain::{Output, Timestamp, Topic};
use engine::{Image, Settings};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
struct Deed {
    kind: u8,
    portfolio: u8,
    instrument: u8,
    amount: u32,
    wait: u16,
}

fn deed() -> impl Strategy<Value = Deed> {
    (0..22_u8, 0..3_u8, 0..4_u8, 1..500_u32, 0..900_u16).prop_map(|(kind, portfolio, instrument, amount, wait)| Deed {
        kind,
        portfolio,
        instrument,
        amount,
        wait,
    })
}

const PORTFOLIOS: [&str; 3] = ["p", "q/1", "r"];
const INSTRUMENTS: [&str; 4] = ["A", "B", "E", "EUR/USD"];

fn feed(book: &mut Book, n: usize, deed: &Deed) {
    feed_with(book, n, deed, true);
}

fn feed_with(book: &mut Book, n: usize, deed: &Deed, shadows: bool) {
    let (portfolio, instrument) = (PORTFOLIOS[usize::from(deed.portfolio)], INSTRUMENTS[usize::from(deed.instrument)]);
    let currency = if instrument == "E" { "EUR" } else { "USD" };
    let id = n.to_string();
    match deed.kind {
        0 => {
            let kind = if instrument == "EUR/USD" { "FX" } else { "EQUITY" };
            let currency = if deed.amount.is_multiple_of(11) { "GBP" } else { currency };
            let own_age = if deed.amount.is_multiple_of(5) { json!(deed.amount) } else { json!(null) };
            let jump = if deed.amount.is_multiple_of(6) { json!("2000") } else { json!(null) };
            let more = json!({"type": kind, "currency": currency, "venue": "XNYS", "max_price_age_seconds": own_age, "max_jump_bp": jump});
            book.instrument(instrument, more);
        }
        // Also by clocks that run ahead and behind.
        1..=3 => {
            let by = [0, 0, 90, -40][usize::from(deed.wait % 4)];
            let at = book.now() + by * 1_000_000;
            book.frame(|frame| frame.prices.push(last(instrument, &deed.amount.to_string(), at)));
        }
        4 => {
            let targets = json!([{"instrument_id": "A", "target_weight": "0.4"}, {"instrument_id": "B", "target_weight": "0.3"}]);
            let more = json!({"targets": targets, "session_id": portfolio, "trigger": schedule(json!({"rearm_seconds": 40, "cash_band": "0.1"}), deed),
                "calendar": if deed.wait.is_multiple_of(3) { json!(null) } else { json!("24/7") },
                "time_zone": (if deed.wait.is_multiple_of(2) { "UTC" } else { "America/New_York" }),
                // Each has cuts of its own: the close of an instrument is that of a cut, whoever had it first.
                "day_cut": format!("{:02}:{:02}", deed.wait % 24, deed.portfolio * 20),
                "target_risk": if deed.amount.is_multiple_of(3) { json!(null) } else { json!("0.1") },
                "orders": {"risk": {"scale_targets": deed.amount % 3 == 1, "max_age_days": 1 + deed.amount % 2}},
                "book": {"max_price_age_seconds": if deed.amount.is_multiple_of(2) { 100 } else { 86_400 }, "cost_method": method(deed),
                    "reconcile_tolerance": (deed.amount % 3 * 1000).to_string()}});
            book.policy_of(portfolio, n as i64 + 1, if shadows { with_shadow(more, deed) } else { more });
        }
        5 => _ = book.cash_of(portfolio, &(n / 2).to_string(), "DEPOSIT", if deed.amount.is_multiple_of(3) { "EUR" } else { "USD" }, &id),
        6..=9 => {
            let side = if deed.kind == 9 { "SELL" } else { "BUY" };
            let date = if deed.amount.is_multiple_of(9) {
                "2026-01-03".to_owned()
            } else if deed.amount.is_multiple_of(7) {
                "2026-01-04".to_owned()
            } else if deed.amount.is_multiple_of(3) {
                Timestamp::from_micros(book.now()).date_utc().to_string()
            } else {
                "2026-01-05".to_owned()
            };
            let more = json!({"portfolio_id": portfolio, "instrument_id": instrument, "currency": currency, "trade_date": date,
                "settle_date": if deed.amount.is_multiple_of(2) { json!("2026-01-06") } else { json!(null) },
                "strategy": strategy(deed),
                "order_id": if deed.amount.is_multiple_of(4) { json!("11111111-2222-5333-8444-555555555555") } else { json!(null) }});
            book.fill(&(n * 3 / 4).to_string(), side, &deed.amount.to_string(), "10", more);
        }
        10 | 13 | 18 if deed.wait.is_multiple_of(4) => outside(book, &id, portfolio, deed),
        10 | 13 | 18 => command(book, &id, portfolio, deed),
        11 => {
            let status = if deed.amount.is_multiple_of(2) { "OPEN" } else { "CLOSED" };
            let now = Timestamp::from_micros(second(n as i64 * 10)).to_string();
            book.status(json!({"venue": "XNYS", "status": status, "effective_at": now}));
        }
        14 => {
            let ahead = Timestamp::from_micros(book.now() + i64::from(deed.amount) * 1_000_000).to_string();
            let status = ["HALTED", "OPEN", "CLOSED"][n % 3];
            book.status(json!({"instrument_id": instrument, "status": status, "effective_at": ahead}));
        }
        15 | 16 => {
            let of = usize::try_from(deed.amount).unwrap() % (n + 1) * 3 / 4;
            let kind = if deed.kind == 15 { "CANCEL" } else { "CORRECT" };
            let more = json!({"portfolio_id": portfolio, "instrument_id": instrument, "currency": currency,
                "exec_type": kind, "exec_ref_id": of.to_string(), "strategy": strategy(deed)});
            let side = if deed.amount.is_multiple_of(5) { "SELL" } else { "BUY" };
            book.fill(&format!("a{n}"), side, &deed.amount.to_string(), "12", more);
        }
        12 if deed.amount.is_multiple_of(5) => _ = book.close_policy(portfolio),
        12 => _ = book.behind(deed.amount.is_multiple_of(2)),
        17 => action(book, n, instrument, deed),
        19 => _ = book.add(Topic::Fills, portfolio, Some(b"?".to_vec())),
        20 => entry(book, n, (portfolio, instrument, currency), deed),
        21 => risk(book, portfolio, deed),
        // Another portfolio's, left out.
        _ => {}
    }
}

fn action(book: &mut Book, n: usize, instrument: &str, deed: &Deed) {
    let status = if deed.amount.is_multiple_of(3) { "CANCELLED" } else { "NEW" };
    let ex_date = ["2026-01-04", "2026-01-05", "2026-01-06"][n % 3];
    let kind = ["SPLIT", "CASH_DIVIDEND", "SYMBOL_CHANGE"][(deed.amount % 11 / 4) as usize];
    // Mostly an id of its instrument's own.
    let action = if deed.amount.is_multiple_of(13) { "s".to_owned() } else { format!("s{}{}", deed.instrument, deed.amount % 2) };
    let json = json!({"action_id": action, "instrument_id": instrument, "status": status,
                "kind": kind, "new_symbol": n.to_string(),
                "amount_per_share": "0.25", "currency": if deed.amount.is_multiple_of(7) { json!("EUR") } else { json!(null) },
                "pay_date": if deed.amount.is_multiple_of(5) { json!("2026-01-06") } else { json!(null) },
                "ratio_new": (1 + deed.amount % 5).to_string(), "ratio_old": (1 + deed.amount % 7).to_string(),
                "ex_date": ex_date,
                "cash_in_lieu_price": if deed.amount.is_multiple_of(2) { json!("9") } else { json!(null) }});
    book.frame(|frame| frame.actions.push(serde_json::from_value(json).unwrap()));
}

fn risk(book: &mut Book, portfolio: &str, deed: &Deed) {
    let date = Timestamp::from_micros(book.now() - i64::from(deed.wait % 3) * 86_400_000_000).date_utc().to_string();
    let volatility = format!("0.{:03}", deed.amount);
    let observations = 55 + i32::from(deed.instrument) * 5;
    book.risk_of(portfolio, &date, i64::from(deed.wait % 5), (&volatility, observations), (&volatility, 60), "1", "0.5");
}

/// Securities transferred, fees, interest and dividends, of an instrument or not, and reversals of what came or is to come.
fn entry(book: &mut Book, n: usize, (portfolio, instrument, currency): (&str, &str, &str), deed: &Deed) {
    let kind = ["TRANSFER_IN", "TRANSFER_OUT", "FEE", "INTEREST", "DIVIDEND"][deed.amount as usize % 5];
    let mut more = json!({"portfolio_id": portfolio, "currency": currency, "amount": deed.amount.to_string(), "strategy": strategy(deed)});
    if kind.starts_with("TRANSFER") {
        more["instrument_id"] = json!(instrument);
        more["quantity"] = json!((deed.amount % 9 + 1).to_string());
    } else if deed.wait.is_multiple_of(2) {
        more["instrument_id"] = json!(instrument);
    }
    if deed.amount.is_multiple_of(3) {
        more["reverses"] = json!(format!("x{}", usize::from(deed.wait) % (n + 2)));
    }
    book.entry(&format!("x{n}"), kind, more);
}

/// Most policies have a shadow: of other bands, of instruments that nobody else targets, with prices that may be older.
fn with_shadow(mut policy: Value, deed: &Deed) -> Value {
    let other = INSTRUMENTS[deed.amount as usize % 3];
    let targets = json!([{"instrument_id": other, "target_weight": "0.5"}, {"group": "EQUITY", "target_weight": "0.2"}]);
    let shadow = json!({"targets": targets, "band": {"absolute": "0.02"}, "trigger": schedule(json!({"rearm_seconds": 25, "cash_band": "0.2"}), deed),
        "book": {"max_price_age_seconds": 50 + deed.amount}});
    if !deed.wait.is_multiple_of(4) {
        policy["shadow"] = shadow;
    }
    policy
}

/// Half of them settle a fill that was sent before: refused, waiting, booked or settled already.
fn command(book: &mut Book, id: &str, portfolio: &str, deed: &Deed) {
    let kind = ["REBALANCE", "RELEASE", "DISCARD", "ADMIT"][deed.amount as usize % 4];
    let mut more = json!({"portfolio_id": portfolio});
    let sent = book.sent_fills(portfolio);
    if let Some((offset, bytes)) = sent.iter().rev().nth(usize::from(deed.wait) % sent.len().max(1)) {
        let bytes = domain::dead_letter::hex::encode(bytes);
        more["dead_letter"] = json!({"topic": "execution.fills.v1", "partition": 0, "offset": offset, "bytes": bytes});
    }
    book.command(id, kind, more);
}

/// A third of the bookings name one.
fn strategy(deed: &Deed) -> Option<&'static str> {
    deed.wait.is_multiple_of(3).then_some(["s1", "s2"][deed.wait as usize / 3 % 2])
}

/// Many policies have a schedule, of a time that the story may come to.
fn schedule(mut trigger: Value, deed: &Deed) -> Value {
    if !deed.amount.is_multiple_of(3) {
        trigger["rebalance_frequency"] = json!(["DAILY", "WEEKLY", "DAILY", "MONTHLY"][deed.amount as usize % 4]);
        trigger["schedule_time"] = json!(format!("00:{:02}", deed.wait % 60));
    }
    trigger
}

/// What an outside book has of a portfolio: hardly ever what is booked.
fn outside(book: &mut Book, id: &str, portfolio: &str, deed: &Deed) {
    let named =
        |many: u32| INSTRUMENTS[..many as usize].iter().map(|id| json!({"instrument_id": id, "quantity": (deed.amount % 3).to_string()}));
    let positions: Vec<_> = named(deed.amount % 4).collect();
    let cash = if deed.amount.is_multiple_of(3) || positions.is_empty() { json!([{"currency": "USD", "amount": "0"}]) } else { json!([]) };
    book.command(id, "RECONCILE", json!({"portfolio_id": portfolio, "positions": positions, "cash": cash}));
}

/// A method for each portfolio and now and then another one, which is refused once something is booked.
fn method(deed: &Deed) -> &'static str {
    let other = usize::from(deed.amount.is_multiple_of(17));
    ["FIFO", "HIFO", "LIFO", "AVERAGE"][(usize::from(deed.portfolio) + other + usize::from(deed.amount.is_multiple_of(31))) % 4]
}

fn settings() -> Settings {
    let (dedup_trade_dates, max_lots, snapshot_interval_ms) = (2, 8, 7_000);
    Settings { dedup_trade_dates, max_lots, snapshot_interval_ms, waiting_limit: 6, waiting_portfolio_limit: 4, ..Settings::default() }
}

/// Now and then some days pass, in seconds.
fn a_day(deed: &Deed) -> i64 {
    if deed.wait.is_multiple_of(17) { 60_000 * i64::from(deed.amount % 4) } else { 0 }
}

fn story(deeds: &[Deed]) -> (Book, Vec<Vec<Output>>) {
    let mut book = Book::with(&settings());
    let (mut outputs, mut now) = (Vec::new(), 0);
    for (n, deed) in deeds.iter().enumerate() {
        feed(&mut book, n, deed);
        now += i64::from(deed.wait) * i64::from(deed.wait) / 4 + a_day(deed) * 1000;
        if !deed.wait.is_multiple_of(3) {
            outputs.push(book.run_at(second(now / 1000)));
        }
    }
    outputs.push(book.run());
    (book, outputs)
}

fn image(lane: &mut engine::Lane<position_keeper::PositionKeeper>) -> BTreeMap<String, Vec<u8>> {
    let mut parts = BTreeMap::from([(String::new(), lane.shared_image())]);
    for key in lane.image().entity_keys() {
        let bytes = lane.image().entity(&key).unwrap();
        parts.insert(key.to_string(), bytes);
    }
    parts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn a_restored_lane_goes_on_byte_for_byte(deeds in prop::collection::vec(deed(), 20..120), cut in 0..100_usize) {
        let (mut live, outputs) = story(&deeds);
        let cut = cut * live.history.len() / 100;
        let mut lane = Book::with(&settings()).lane;
        let mut stored: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for (n, window) in live.history.clone().iter().enumerate() {
            if n == cut.max(1) {
                lane = restored(&mut lane);
            }
            prop_assert_eq!(&run(&mut lane, window), &outputs[n], "window {}", n);
            // What the dirty keys alone keep up is the whole image.
            for key in lane.image().take_dirty() {
                match lane.image().entity(&key) {
                    Some(bytes) => _ = stored.insert(key.to_string(), bytes),
                    None => _ = stored.remove(key.as_str()),
                }
            }
            if n < cut.max(1) {
                stored.insert(String::new(), lane.shared_image());
                prop_assert_eq!(&image(&mut lane), &stored);
            }
        }
        prop_assert_eq!(image(&mut lane), image(&mut live.lane));
    }

    #[test]
    fn portfolios_do_not_depend_on_one_another(deeds in prop::collection::vec(deed(), 20..120)) {
        // Only what one portfolio sends, and the market: its outputs are those of the full story, but
        // for the offsets that they name and the session and waiting limits that are shared.
        let own: Vec<Deed> = deeds.iter().map(|deed| match deed.kind {
            4..=10 | 12 | 13 | 15 | 16 | 18 | 19 | 21 if deed.portfolio != 0 => Deed { kind: 99, ..deed.clone() },
            _ => deed.clone(),
        }).collect();
        let (full, alone) = (told(&deeds), told(&own));
        prop_assert_eq!(full, alone);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_shadow_leaves_everything_else_as_it_is(deeds in prop::collection::vec(deed(), 20..120)) {
        // Policies with shadows, and the same policies without: what the shadow's own rules say apart, the same
        // records in the same order, but for the policy that drift events carry.
        let published = |shadows: bool| {
            let mut book = Book::with(&settings());
            let (mut outputs, mut now) = (Vec::new(), 0);
            for (n, deed) in deeds.iter().enumerate() {
                feed_with(&mut book, n, deed, shadows);
                now += i64::from(deed.wait) * i64::from(deed.wait) / 4;
                if !deed.wait.is_multiple_of(3) {
                    outputs.push(book.run_at(second(now / 1000)));
                }
            }
            outputs
        };
        for (with, without) in published(true).into_iter().zip(published(false)) {
            let own: Vec<Output> = with.into_iter().filter_map(own_rules).collect();
            prop_assert_eq!(own, without.into_iter().filter_map(own_rules).collect::<Vec<_>>());
        }
    }
}

/// A record of the policy's own rules, with the policy as if it had no shadow, and a refused one without its bytes.
fn own_rules(output: Output) -> Option<Output> {
    match output {
        Output::Drift(drift) if drift.shadow => None,
        Output::Drift(mut drift) => {
            drift.policy.iter_mut().for_each(|policy| policy.shadow = None);
            Some(Output::Drift(drift))
        }
        Output::DeadLetter(mut letter) if letter.topic == Topic::Policies => {
            letter.value = None;
            Some(Output::DeadLetter(letter))
        }
        other => Some(other),
    }
}

/// What portfolio `p` publishes, without offsets.
fn told(deeds: &[Deed]) -> Vec<Output> {
    let roomy = Settings { waiting_limit: 10_000, ..settings() };
    let mut book = Book::with(&roomy);
    let (mut outputs, mut now) = (Vec::new(), 0);
    for (n, deed) in deeds.iter().enumerate() {
        let behind = deed.kind == 12 && !deed.amount.is_multiple_of(5);
        // A lane's first booking of an instrument fixes its currency for every book.
        let other_currency = deed.kind == 0 && deed.amount.is_multiple_of(11);
        if deed.kind != 99 && !behind && !other_currency {
            feed(&mut book, n, deed);
        }
        now += i64::from(deed.wait) + a_day(deed);
        outputs.extend(book.run_at(second(now)));
    }
    let own = |output: &Output| output.portfolio_id().is_some_and(|id| id.as_str() == "p");
    outputs.into_iter().filter(own).map(without_offsets).collect()
}

fn without_offsets(output: Output) -> Output {
    match output {
        Output::Snapshot(mut record) => {
            record.input_offsets.clear();
            Output::Snapshot(record)
        }
        Output::Drift(mut record) => {
            record.input_offsets.clear();
            Output::Drift(record)
        }
        Output::PortfolioClose(mut record) => {
            record.input_offsets.clear();
            Output::PortfolioClose(record)
        }
        Output::Ledger(mut record) => {
            record.entries.iter_mut().for_each(|entry| entry.cause.offset = 0);
            Output::Ledger(record)
        }
        other => other,
    }
}

/// The clock of its sender ran ahead: from then on it ages, not from when somebody looked at it.
#[test]
fn a_price_from_ahead_goes_stale_at_one_moment_before_and_after_an_image() {
    let mut book = Book::new();
    book.policy(1, json!({"targets": [{"instrument_id": "A", "target_weight": "0.5"}], "book": {"max_price_age_seconds": 100}}));
    book.frame(|frame| {
        frame.instruments.push(serde_json::from_value(json!({"instrument_id": "A", "type": "EQUITY", "currency": "USD"})).unwrap())
    });
    book.cash("d", "DEPOSIT", "USD", "1000").run();
    book.at(second(1)).frame(|frame| frame.prices.push(last("A", "10", second(31)))).run();
    for at in [5, 20, 40] {
        book.run_at(second(at));
        let mut lane = restored(&mut book.lane);
        let stale = |lane: &engine::Lane<position_keeper::PositionKeeper>, at: i64| {
            let market = lane.role().market();
            let ix = market.find(&"A".parse().unwrap()).unwrap();
            (market.stale_at(ix, 100, Timestamp::from_micros(second(at))), market.hot()[ix.at()].made)
        };
        assert_eq!(stale(&lane, at), stale(&book.lane, at), "at {at}");
        assert_eq!(stale(&lane, at).0, Some(Timestamp::from_micros(second(131))));
        std::mem::swap(&mut lane, &mut book.lane);
    }
}

#[test]
fn a_lane_that_is_behind_knows_which_shadows_a_rate_concerns() {
    let mut book = Book::new();
    let shadow = json!({"targets": [{"instrument_id": "E", "target_weight": "0.5"}], "book": {"max_price_age_seconds": 100}});
    book.policy(1, json!({"shadow": shadow})).behind(true);
    book.instrument("E", json!({"currency": "EUR"})).price("E", "10").run();
    book.at(second(1)).price("EUR/USD", "1.1").run();
    let mut back = restored(&mut book.lane);
    for lane in [&mut book.lane, &mut back] {
        run(lane, &Window { now: second(2), behind: true, ..Window::default() });
    }
    assert_eq!(book.lane.shared_image(), back.shared_image(), "when the first price goes stale");
}
