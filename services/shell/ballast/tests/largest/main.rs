//! The largest records that the limits admit: every text and number at its longest, in a portfolio of as
//! many lines as one may have. Each of them can be encoded: a lane never makes what it cannot publish.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ended;
mod ledger;
mod risk;

use avro_codec::{encode, encode_input, record_limit};
use domain::drift::{CurrencyRate, Drift, DriftLine, RecentOrder};
use domain::enums::{
    AnomalyKind, Decision, DriftCause, DriftKind, InstrumentType, MarketState, OrderType, PriceFlag, RebalanceStatus, RebalanceTrigger,
    Side, TimeInForce, Urgency, WaveKind,
};
use domain::ledger::CurrencyAmount;
use domain::order::{NamedNumber, Order, OrderWave};
use domain::policy::Policy;
use domain::portfolio_close::{ClosedCurrency, ClosedPosition, ClosedStrategy, PortfolioClose};
use domain::reason::ReasonCode;
use domain::rebalance_event::{ExplanationLine, RebalanceEvent, WeightLine};
use domain::snapshot::{
    Allocation, Anomaly, CashBalance, CashBreak, Concentration, Exposure, Health, InputOffset, PositionBreak, SectorExposure, Snapshot,
    SnapshotMetrics, StrategyPosition,
};
use domain::{
    Currency, Date, Fraction, FxRate, Input, InstrumentId, Money, OrderId, Output, Percent, PortfolioId, Price, Quantity, RebalanceId,
    SmolStr, Timestamp, Topic, Uuid,
};
use engine::settings::MAX_LINES;
use position_keeper::anomaly;
use position_keeper::book::outside::TOLD;
use position_keeper::drift::event::MAX_RECENT_ORDERS;
use position_keeper::snapshot::strategies::{MOST_ROWS, MOST_TOGETHER};

/// Currencies of one book: more than there are.
const CURRENCIES: usize = 400;
/// 28 digits, the most of any decimal.
const UNITS: i128 = -(10_i128.pow(28) - 1);

fn id(n: usize) -> String {
    format!("{n:0>128}")
}

fn instrument(n: usize) -> InstrumentId {
    InstrumentId::new(&id(n)).unwrap()
}

fn name(n: usize) -> SmolStr {
    SmolStr::new(format!("{n:0>64}"))
}

fn currency(n: usize) -> Currency {
    format!("C{n:0>11}").parse().unwrap()
}

fn portfolio() -> PortfolioId {
    PortfolioId::new(&id(0)).unwrap()
}

fn moment() -> Timestamp {
    Timestamp::from_micros(253_402_207_200_000_000)
}

fn long_text() -> SmolStr {
    "x".repeat(64 * 1024).into()
}

fn offsets() -> Vec<InputOffset> {
    Topic::ALL.iter().map(|topic| InputOffset { topic: *topic, partition: i32::MAX, offset: i64::MAX }).collect()
}

/// As many breaks with an outside book as are told.
fn breaks() -> Health {
    let units = Quantity::from_units(UNITS);
    let position = |n| PositionBreak { instrument_id: instrument(n), ours: units, outside: units };
    let money = Money::from_units(UNITS);
    let balance = |n| CashBreak { currency: currency(n), ours: money, outside: money };
    Health {
        position_breaks: (0..TOLD).map(position).collect(),
        cash_breaks: (0..TOLD.min(CURRENCIES)).map(balance).collect(),
        ..Health::default()
    }
}

fn health() -> Health {
    let pairs = (0..CURRENCIES).map(|n| SmolStr::new(format!("{}/{}", currency(n), currency(n + 1))));
    let unpriced = (0..MAX_LINES).map(|n| id(n).into()).chain(pairs).collect();
    let told = |n| Anomaly {
        kind: AnomalyKind::WeightJump,
        instrument_id: Some(instrument(n)),
        value: Fraction::from_units(UNITS),
        bound: Fraction::from_units(UNITS),
    };
    let anomalies = (0..anomaly::TOLD).map(told).collect();
    Health { anomalies, complete: false, stale: Vec::new(), unpriced, quarantined: true, unreconciled: true, waiting: i32::MAX, ..breaks() }
}

fn cash() -> Vec<CashBalance> {
    let amount = Money::from_units(UNITS);
    (0..CURRENCIES).map(|n| CashBalance { currency: currency(n), trade_date: amount, settled: amount }).collect()
}

/// As large as an input may be.
fn policy() -> Policy {
    let text = format!(r#"{{"portfolio_id":"{}","policy_version":1,"base_currency":"USD"}}"#, id(0));
    let mut policy: Policy = serde_json::from_str(&text).unwrap();
    let size = |policy: &Policy| {
        let mut bytes = Vec::new();
        encode_input(&Input::Policy(Box::new(policy.clone())), &mut bytes).map(|()| bytes.len())
    };
    let room = record_limit(Topic::Policies) - size(&policy).unwrap();
    policy.orders.do_not_buy = (0..room / 131).map(instrument).collect();
    assert!(size(&policy).unwrap() > record_limit(Topic::Policies) * 99 / 100);
    policy
}

fn drift_line(n: usize) -> DriftLine {
    let (fraction, price, quantity) = (Fraction::from_units(UNITS), Price::from_units(UNITS), Quantity::from_units(UNITS));
    DriftLine {
        instrument_id: instrument(n),
        weight: Some(fraction),
        target: fraction,
        drift: Some(fraction),
        lower: fraction,
        upper: fraction,
        breached: true,
        price: Some(price),
        price_time: Some(moment()),
        price_flag: PriceFlag::Stale,
        close_price: Some(price),
        average_price: Some(price),
        accrued: Some(price),
        quantity,
        value: Money::from_units(UNITS),
        currency: currency(0),
        fx_rate: Some(FxRate::from_units(UNITS)),
        multiplier: quantity,
        lot_size: quantity,
        tick_size: Some(price),
        kind: InstrumentType::Equity,
        sector: Some(name(n)),
        venue: Some(name(n)),
        average_daily_volume: Some(quantity),
        market_status: MarketState::Open,
        bid: Some(price),
        ask: Some(price),
    }
}

fn drift() -> Drift {
    let (fraction, money) = (Fraction::from_units(UNITS), Money::from_units(UNITS));
    let order = |n: usize| RecentOrder {
        order_id: OrderId(Uuid::from_u128(n as u128)),
        executed_quantity: Quantity::from_units(UNITS),
        instrument_id: Some(drift_line(n).instrument_id),
        side: Side::SellShort,
        contradicted: true,
        notional: Some(money),
        fees: Some(money),
        first_fill_at: Some(moment()),
        last_fill_at: Some(moment()),
    };
    Drift {
        portfolio_id: portfolio(),
        episode: i64::MAX,
        shadow: false,
        event: DriftKind::Requested,
        cause: Some(DriftCause::Command),
        cause_id: Some(long_text()),
        as_of: moment(),
        lines: (0..MAX_LINES).map(drift_line).collect(),
        max_abs_drift: Some(fraction),
        half_sum_abs_drift: Some(fraction),
        equity: money,
        cash: cash(),
        fx_rates: (0..CURRENCIES).map(|n| CurrencyRate { currency: currency(n), fx_rate: Some(FxRate::from_units(UNITS)) }).collect(),
        receivables: Vec::new(),
        available_cash: money,
        settled_cash: money,
        health: health(),
        policy: Some(Box::new(policy())),
        snapshot_version: i64::MAX,
        recent_orders: (0..MAX_RECENT_ORDERS).map(order).collect(),
        input_offsets: offsets(),
        cause_instrument_id: Some(instrument(0)),
        risk: Some(Box::new(risk::target_risk())),
    }
}

fn allocation(n: usize) -> Allocation {
    let (fraction, price, money) = (Fraction::from_units(UNITS), Price::from_units(UNITS), Money::from_units(UNITS));
    Allocation {
        instrument_id: instrument(n),
        symbol: id(n).into(),
        sector: Some(name(n)),
        kind: InstrumentType::Equity,
        quantity: Quantity::from_units(UNITS),
        average_price: Some(price),
        price: Some(price),
        price_time: Some(moment()),
        stale: true,
        value: money,
        percentage: Some(Percent::from_units(UNITS)),
        target_weight: Some(fraction),
        drift: Some(fraction),
        unrealized: money,
        realized: money,
    }
}

fn snapshot() -> Snapshot {
    let (fraction, money) = (Fraction::from_units(UNITS), Money::from_units(UNITS));
    let sector = |n: usize| SectorExposure { sector: name(n), value: money, weight: Some(fraction) };
    Snapshot {
        portfolio_id: portfolio(),
        version: i64::MAX,
        as_of: moment(),
        base_currency: currency(0),
        total_value: money,
        cash_value: money,
        available_cash: money,
        cash: cash(),
        receivables: Vec::new(),
        allocations: (0..MAX_LINES).map(allocation).collect(),
        exposure: Exposure { net: Some(fraction), gross: Some(fraction), long: money, short: money },
        sector_exposure: (0..MAX_LINES).map(sector).collect(),
        concentration: Concentration { hhi: Some(fraction), effective_number: Some(fraction) },
        metrics: SnapshotMetrics { day_pnl: Some(money), ..SnapshotMetrics::default() },
        health: health(),
        policy_version: Some(i64::MAX),
        input_offsets: offsets(),
        strategies: (0..MOST_ROWS + MOST_TOGETHER).map(sub_position).collect(),
    }
}

fn sub_position(n: usize) -> StrategyPosition {
    let money = Money::from_units(UNITS);
    StrategyPosition {
        instrument_id: (n < MOST_ROWS).then(|| instrument(n)),
        strategy: Some(id(n).parse().unwrap()),
        residual: false,
        quantity: Quantity::from_units(UNITS),
        average_price: Some(Price::from_units(UNITS)),
        cost: money,
        value: money,
        realized_gross: money,
        fees: money,
        income: money,
        realized_net: money,
        unrealized: money,
    }
}

/// Every number that a plan can note of an order that crosses zero (`explain.rs`, `constraints/` of the rebalancer).
/// Not `minimum_deviation`, which is noted of what is left alone, nor `sellable`, of what may not cross zero.
fn numbers(of: &[&'static str]) -> Vec<NamedNumber> {
    // Those of slices (`plan/slices.rs`) are not among them: a plan with slices has at most 1,500 orders.
    const NAMES: [&str; 26] = [
        "equity",
        "value",
        "price",
        "lower",
        "upper",
        "held",
        "open",
        "goal_weight",
        "lot_size",
        "wanted",
        "ordered",
        "volume_cap",
        "average_daily_volume",
        "max_daily_notional",
        "price_collar_bp",
        "close_price",
        "max_position_weight",
        "limit_offset_bp",
        "turnover_cap",
        "max_order_notional",
        "min_notional",
        "max_orders_per_minute",
        "max_order_quantity",
        "max_sector_weight",
        "max_gross",
        "gross",
    ];
    NAMES.iter().chain(of).map(|name| NamedNumber { name: (*name).into(), value: longest(name) }).collect()
}

/// The longest value of a number: of most the longest that money can be, of some what a policy may state at most.
fn longest(name: &str) -> SmolStr {
    match name {
        "limit_offset_bp" | "half_spread_bp" | "impact_bp" => SmolStr::new_static("-9999.9999"),
        "cash_reserve" => SmolStr::new_static("0.123456789012"),
        "max_orders_per_minute" => SmolStr::new(i32::MIN.to_string()),
        _ => SmolStr::new(Money::from_units(UNITS).to_string()),
    }
}

/// Those of buys alone (`plan/funding.rs`), of which there is one leg a line.
const OF_BUYS: [&str; 2] = ["cash_for_buys", "cash_needed"];
/// Those that only the explanation has.
const OF_LINES: [&str; 8] =
    ["fx_rate", "multiplier", "accrued", "cash_reserve", "half_spread_bp", "impact_bp", "expected_cost", "expected_benefit"];
/// Those that only the explanation of buys has.
const OF_BOUGHT_LINES: [&str; 2] = ["fee_rate", "fee_fixed"];

fn order(n: usize) -> Order {
    Order {
        order_id: OrderId(Uuid::from_u128(n as u128)),
        rebalance_id: RebalanceId(Uuid::nil()),
        portfolio_id: portfolio(),
        instrument_id: instrument(n),
        side: Side::SellShort,
        quantity: Quantity::from_units(-UNITS),
        order_type: OrderType::Limit,
        limit_price: Some(Price::from_units(-UNITS)),
        time_in_force: TimeInForce::Day,
        currency: currency(0),
        reference_price: Price::from_units(-UNITS),
        reference_time: moment(),
        expected_value: Money::from_units(-UNITS),
        reason: ReasonCode::DriftSell,
        numbers: numbers(&[]),
        policy_version: i64::MAX,
        snapshot_version: i64::MAX,
        valid_until: moment(),
        block_key: format!("{}|SELL_SHORT|2026-01-05T14", id(n)).into(),
        expected_fees: Some(Money::from_units(-UNITS)),
        expected_spread: Some(Money::from_units(-UNITS)),
        expected_impact: Some(Money::from_units(-UNITS)),
        venue: Some(name(n)),
        urgency: Urgency::High,
    }
}

/// Sells that cross zero leave in two legs.
fn orders() -> Vec<Order> {
    (0..2 * MAX_LINES).map(order).collect()
}

fn buys() -> Vec<Order> {
    (0..MAX_LINES).map(|n| Order { side: Side::Buy, numbers: numbers(&OF_BUYS), ..order(n) }).collect()
}

fn wave() -> OrderWave {
    OrderWave {
        wave_id: Uuid::nil(),
        rebalance_id: RebalanceId(Uuid::nil()),
        portfolio_id: portfolio(),
        wave_number: i32::MAX,
        kind: WaveKind::New,
        orders: orders(),
        funding_note: Some(long_text()),
        policy_version: i64::MAX,
        drift_episode: i64::MAX,
        valid_until: moment(),
    }
}

fn event(orders: Vec<Order>, of_lines: &[&'static str]) -> RebalanceEvent {
    let fraction = Fraction::from_units(UNITS);
    let weight = |n: usize| WeightLine { instrument_id: instrument(n), quantity: Quantity::from_units(UNITS), weight: Some(fraction) };
    let explained = |n: usize| ExplanationLine {
        instrument_id: instrument(n),
        weight: Some(fraction),
        target: fraction,
        drift: Some(fraction),
        decision: Decision::Order,
        reason: ReasonCode::DriftSell,
        numbers: numbers(of_lines),
    };
    RebalanceEvent {
        rebalance_id: RebalanceId(Uuid::nil()),
        portfolio_id: portfolio(),
        trigger: RebalanceTrigger::Threshold,
        status: RebalanceStatus::Proposed,
        code: Some(ReasonCode::DriftSell),
        text: Some(long_text()),
        shadow: false,
        proposal_hash: Some(name(0)),
        as_of: moment(),
        old_allocations: (0..MAX_LINES).map(weight).collect(),
        new_allocations: (0..MAX_LINES).map(weight).collect(),
        orders,
        explanation: (0..MAX_LINES).map(explained).collect(),
        expected_fees: Some(Money::from_units(UNITS)),
        turnover: Some(fraction),
        drift_before: Some(fraction),
        drift_after: Some(fraction),
        policy_version: Some(i64::MAX),
        drift_episode: i64::MAX,
        actor: Some(long_text()),
        command_id: Some(long_text()),
        expected_spread: Some(Money::from_units(UNITS)),
        expected_impact: Some(Money::from_units(UNITS)),
        execution: None,
        risk: Some(Box::new(risk::planned_risk())),
    }
}

fn amounts(currencies: usize) -> Vec<CurrencyAmount> {
    (0..currencies).map(|n| CurrencyAmount { currency: currency(n), amount: Money::from_units(UNITS) }).collect()
}

fn last_day() -> Date {
    "9999-12-31".parse().unwrap()
}

fn closed_position(n: usize) -> ClosedPosition {
    ClosedPosition {
        instrument_id: instrument(n),
        quantity: Quantity::from_units(UNITS),
        price: Some(Price::from_units(UNITS)),
        fx_rate: Some(FxRate::from_units(UNITS)),
        value: Money::from_units(UNITS),
        kind: InstrumentType::Bond,
        currency: Some(currency(n)),
        multiplier: Some(Quantity::from_units(UNITS)),
        accrued: Some(Price::from_units(UNITS)),
        cost: Some(Money::from_units(UNITS)),
        sector: Some(name(n)),
        price_time: Some(moment()),
        stale: true,
    }
}

fn close() -> PortfolioClose {
    let value = |n| {
        let (cash_value, receivables_value) = (Money::from_units(UNITS), Money::from_units(UNITS));
        ClosedCurrency { currency: currency(n), fx_rate: Some(FxRate::from_units(UNITS)), cash_value, receivables_value, stale: true }
    };
    PortfolioClose {
        portfolio_id: portfolio(),
        date: last_day(),
        version: i64::MAX,
        equity: Money::from_units(UNITS),
        net_external_flow: Money::from_units(UNITS),
        positions: (0..MAX_LINES).map(closed_position).collect(),
        cash: amounts(CURRENCIES),
        complete: false,
        incomplete_reason: Some(long_text()),
        provisional: true,
        restates: Some(i64::MAX),
        base_currency: Some(currency(0)),
        cut_at: Some(moment()),
        as_of: Some(moment()),
        receivables: amounts(CURRENCIES),
        currencies: (0..CURRENCIES).map(value).collect(),
        net_flows: Some(Money::from_units(UNITS)),
        policy_version: Some(i64::MAX),
        input_offsets: offsets(),
        strategies: Some((0..position_keeper::close::strategies::MOST_ROWS).map(closed_strategy).collect()),
    }
}

fn closed_strategy(n: usize) -> ClosedStrategy {
    ClosedStrategy {
        instrument_id: instrument(n),
        strategy: Some(id(n).parse().unwrap()),
        residual: false,
        quantity: Quantity::from_units(UNITS),
        cost: Money::from_units(UNITS),
        value: Some(Money::from_units(UNITS)),
    }
}

#[test]
fn the_largest_records_of_the_largest_portfolio_can_be_published() {
    let all = [
        Output::Drift(Box::new(drift())),
        Output::Snapshot(Box::new(snapshot())),
        Output::PortfolioClose(Box::new(close())),
        Output::OrderWave(Box::new(wave())),
        Output::RebalanceEvent(Box::new(event(orders(), &OF_LINES))),
        Output::RebalanceEvent(Box::new(event(buys(), &[&OF_BUYS[..], &OF_LINES, &OF_BOUGHT_LINES].concat()))),
        Output::RebalanceEvent(Box::new(ended::ended())),
    ];
    for output in all {
        let (topic, mut bytes) = (output.topic(), Vec::new());
        encode(&output, &mut bytes).unwrap_or_else(|error| panic!("{topic}: {error}"));
        println!("{topic}: {} of {} bytes", bytes.len(), record_limit(topic));
    }
}
