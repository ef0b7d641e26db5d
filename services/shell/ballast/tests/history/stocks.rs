//! AAPL, IBM, MSFT and, once it is listed, GOOG, from March 2000 to March 2013: closes as traded, three real splits, 92
//! real dividends with Microsoft's 3.08 dollars of November 2004 among them. One portfolio has targets and bands and orders
//! by itself, another one buys once and holds.
//!
//! The oracle is the column of adjusted closes, which no price or action that is published comes from: on every day each
//! line must gain what it held the evening before, times what the adjusted close has grown by. An adjusted close is right to
//! one part in 10^13, so a line of these sizes to a millionth of a dollar. Dates of payment are not in the data: here they
//! come thirty days after the ex-date.

use super::exact::{Exact, exact, near, rounded, whole};
use super::heard::{World, moment, table, told};
use domain::enums::{Decision, EntryKind, OrderState, RebalanceStatus};
use domain::snapshot::Snapshot;
use domain::{Date, Topic};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const BALANCED: &str = "balanced";
const HOLDING: &str = "holding";
const DEPOSIT: i64 = 1_000_000;
/// New York closes at 21:00 UTC, or an hour before.
const EVENING: i64 = 21;
const SHARES: [&str; 4] = ["AAPL", "GOOG", "IBM", "MSFT"];
/// The first day of GOOG.
const LISTED: &str = "2004-08-19";

/// Close as traded, and as adjusted.
type Closes = BTreeMap<String, (Exact, Exact)>;

#[derive(Default)]
struct DayData {
    closes: Closes,
    texts: BTreeMap<String, String>,
    actions: Vec<Value>,
}

fn data() -> BTreeMap<Date, DayData> {
    let mut days: BTreeMap<Date, DayData> = BTreeMap::new();
    for row in table("stocks/history.csv") {
        let day = days.entry(row[0].parse().unwrap()).or_default();
        day.closes.insert(row[1].clone(), (exact(&row[2]), exact(&row[3])));
        day.texts.insert(row[1].clone(), row[2].clone());
    }
    for row in table("stocks/actions.csv") {
        let ex_date: Date = row[0].parse().unwrap();
        let id = format!("{}-{}-{}", row[1], row[2], row[0]);
        let action = match row[2].as_str() {
            "SPLIT" => json!({"action_id": id, "instrument_id": row[1], "status": "NEW", "kind": "SPLIT",
                "ratio_new": row[3], "ratio_old": row[4], "ex_date": row[0]}),
            _ => json!({"action_id": id, "instrument_id": row[1], "status": "NEW", "kind": "CASH_DIVIDEND",
                "amount_per_share": row[5], "ex_date": row[0], "pay_date": ex_date.plus_days(30).to_string()}),
        };
        // Announced on the evening of the day before.
        let eve = *days.range(..ex_date).next_back().unwrap().0;
        days.get_mut(&eve).unwrap().actions.push(action);
    }
    days
}

fn policy(version: i64, targets: &[(&str, &str)]) -> Value {
    let targets: Vec<_> = targets.iter().map(|(share, weight)| json!({"instrument_id": share, "target_weight": weight})).collect();
    json!({"portfolio_id": BALANCED, "policy_version": version, "base_currency": "USD", "targets": targets,
        "band": {"kind": "SMALLER_OF", "absolute": "0.05", "relative": "0.25"},
        "trigger": {"mode": "AUTOMATIC"},
        "orders": {"cash_reserve": "0.05", "funding": "WAIT_FOR_SELLS", "valid_seconds": 864_000},
        "book": {"max_price_age_seconds": 864_000},
        "limits": {"max_order_notional": "5000000", "max_daily_notional": "20000000", "price_collar_bp": "6000"}})
}

fn opening(at: Date, day: &DayData) -> Vec<(Topic, Value)> {
    let when = moment(at, EVENING).to_string();
    let facts = SHARES.iter().map(|share| {
        let venue = if *share == "IBM" { "XNYS" } else { "XNAS" };
        (Topic::Instruments, json!({"instrument_id": share, "type": "EQUITY", "currency": "USD", "venue": venue, "sector": "Technology"}))
    });
    let mut records: Vec<_> = facts.collect();
    records.push((Topic::Policies, policy(1, &[("AAPL", "0.25"), ("IBM", "0.35"), ("MSFT", "0.35")])));
    records.push((
        Topic::Policies,
        json!({"portfolio_id": HOLDING, "policy_version": 1, "base_currency": "USD",
            "book": {"cost_method": "FIFO", "max_price_age_seconds": 864_000}}),
    ));
    for portfolio in [BALANCED, HOLDING] {
        records.push((
            Topic::Cash,
            json!({"source": "bank", "entry_id": format!("opening-{portfolio}"), "portfolio_id": portfolio, "kind": "DEPOSIT",
                "currency": "USD", "amount": DEPOSIT.to_string(), "effective_at": when}),
        ));
    }
    for (n, (share, text)) in day.texts.iter().enumerate() {
        // In two lots.
        for (lot, units) in ["60", "41"].iter().enumerate() {
            records.push((
                Topic::Fills,
                json!({"source": "oms", "exec_id": format!("{n}-{lot}"), "trade_date": at.to_string(), "exec_type": "TRADE",
                    "portfolio_id": HOLDING, "instrument_id": share, "side": "BUY", "quantity": units, "price": text,
                    "currency": "USD", "transact_time": when}),
            ));
        }
    }
    records
}

fn ticks(date: Date, day: &DayData) -> Vec<(Topic, Value)> {
    let at = moment(date, EVENING).to_string();
    let tick = |(share, text): (&String, &String)| (Topic::Ticks, json!({"instrument_id": share, "last": text, "event_time": at}));
    day.texts.iter().map(tick).collect()
}

/// What a portfolio's lines have gained so far, and what they hold.
fn lines(snapshot: &Snapshot) -> BTreeMap<String, (Exact, Exact)> {
    let gained = |line: &domain::snapshot::Allocation| told(line.unrealized) + told(line.realized);
    snapshot.allocations.iter().map(|line| (line.instrument_id.to_string(), (told(line.quantity), gained(line)))).collect()
}

/// One portfolio against the oracle, day by day.
#[derive(Default)]
struct Oracle {
    lines: BTreeMap<String, (Exact, Exact)>,
    gained: Option<Exact>,
}

impl Oracle {
    /// Each line has gained what the adjusted closes say on what it held the evening before.
    fn check(&mut self, date: Date, snapshot: &Snapshot, (before, now): (&Closes, &Closes)) {
        let lines = lines(snapshot);
        let mut sum = self.gained.take().unwrap_or_else(|| whole(0));
        for (share, (_, gained)) in &lines {
            let (held, known) = self.lines.get(share).cloned().unwrap_or_else(|| (whole(0), whole(0)));
            let due = match (before.get(share), now.get(share)) {
                (Some((close, adjusted)), Some((_, now))) => {
                    // Far below what is compared; sums of whole ratios would grow without end.
                    rounded(&(held * close * (now / adjusted - whole(1))), 20)
                }
                _ => whole(0),
            };
            assert!(
                near(&(gained - &known), &due, "0.000001"),
                "{date}: {} {share} has gained {}, not {due}",
                snapshot.portfolio_id,
                gained - &known
            );
            sum += due;
        }
        let (total, flows) = (told(snapshot.total_value), told(snapshot.metrics.net_flows));
        assert_eq!(told(snapshot.metrics.total_pnl), &total - &flows, "{date}");
        assert_eq!(flows, whole(DEPOSIT), "{date}");
        // Nothing else gains: no fees, no interest, one currency.
        assert!(
            near(&(total - flows), &sum, "0.001"),
            "{date}: {} is worth {}, its lines {sum}",
            snapshot.portfolio_id,
            snapshot.total_value
        );
        (self.lines, self.gained) = (lines, Some(sum));
    }
}

fn in_bands(date: Date, snapshot: &Snapshot) {
    for line in &snapshot.allocations {
        let (target, drift) = (told(line.target_weight.unwrap()), told(line.drift.unwrap()));
        let band = exact("0.05").min(&target / whole(4));
        let drift = if drift < whole(0) { -drift } else { drift };
        assert!(drift <= band, "{date}: {} stands {drift} from {target} after a completed cycle", line.instrument_id);
    }
}

#[test]
fn thirteen_years_with_splits_and_dividends_gain_what_adjusted_closes_say() {
    let days = data();
    let mut world = World::new();
    let (mut balanced, mut holding) = (Oracle::default(), Oracle::default());
    let mut before = Closes::new();
    let mut completed = 0;
    for (n, (date, day)) in days.iter().enumerate() {
        world.tell(moment(*date, EVENING), &ticks(*date, day));
        if n == 0 {
            world.tell(moment(*date, EVENING), &opening(*date, day));
        }
        if date.to_string() == LISTED {
            let targets = [("AAPL", "0.25"), ("GOOG", "0.15"), ("IBM", "0.30"), ("MSFT", "0.25")];
            world.tell(moment(*date, EVENING), &[(Topic::Policies, policy(2, &targets))]);
        }
        let actions: Vec<_> = day.actions.iter().map(|action| (Topic::CorporateActions, action.clone())).collect();
        world.tell(moment(*date, EVENING), &actions);
        let (events, ledgers) = world.digest();
        for ledger in &ledgers {
            assert!(ledger.cash.iter().all(|cash| !cash.amount.is_negative()), "{date}: {} is overdrawn", ledger.portfolio_id);
        }
        balanced.check(*date, world.snapshot(BALANCED), (&before, &day.closes));
        holding.check(*date, world.snapshot(HOLDING), (&before, &day.closes));
        if events.iter().any(|event| event.status == RebalanceStatus::Completed) {
            completed += 1;
            in_bands(*date, world.snapshot(BALANCED));
        }
        before.clone_from(&day.closes);
    }
    assert_eq!(days.len(), 3270);
    assert_eq!(world.troubles, Vec::<String>::new());
    assert!(completed >= 10, "{completed} cycles in thirteen years");

    for (id, (order, state)) in &world.orders {
        assert_eq!(*state, OrderState::Filled, "{id}");
        let explained = world.events.iter().filter(|event| event.rebalance_id == order.rebalance_id).flat_map(|event| &event.explanation);
        let mut line = explained.filter(|line| line.instrument_id == order.instrument_id);
        assert!(line.any(|line| matches!(line.decision, Decision::Order | Decision::Cut)), "order {id} is not explained");
        assert!(!order.numbers.is_empty(), "order {id} has no numbers");
    }

    // 101 shares each: AAPL split twice, MSFT once; 3, 52 and 37 dividends.
    let counts = world.counted(HOLDING);
    assert_eq!((counts[&EntryKind::Split], counts[&EntryKind::Dividend]), (3, 92));
    let held: Vec<_> =
        world.snapshot(HOLDING).allocations.iter().map(|line| (line.instrument_id.to_string(), line.quantity.to_string())).collect();
    for (share, units) in [("AAPL", "404"), ("IBM", "101"), ("MSFT", "202")] {
        assert!(held.iter().any(|(id, quantity)| id == share && quantity == units), "{held:?}");
    }
    // The last two were earned and not paid by the first of March 2013: 0.85 of IBM, 0.23 of MSFT, 2.65 of AAPL.
    let owed = &world.snapshot(HOLDING).receivables;
    assert_eq!(told(owed[0].amount), exact("0.85") * whole(101) + exact("0.23") * whole(202) + exact("2.65") * whole(404));

    let report = world.judged();
    assert!(report.passed() && !report.notes.iter().any(|note| note.contains("leave the model")), "{report}");
}
