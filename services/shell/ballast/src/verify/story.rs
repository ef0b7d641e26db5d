//! Tests: a small true history to plant faults in. One lane, one portfolio: a deposit and an execution
//! (sent twice), an unreadable one, a plan, its order and fill, a sale; three roles, with the markers
//! that commits leave between offsets.

use super::seen::{KEEPER, REBALANCER, ROLES, ROUTER, SeenRecord};
use avro_codec::{dead_letter_headers, encode, encode_frame, encode_input, encode_progress, input_key};
use domain::cash::CashEntry;
use domain::dead_letter::DeadLetter;
use domain::drift::{CurrencyRate, Drift, DriftLine};
use domain::enums::{
    CashKind, Decision, DriftCause, DriftKind, EntryKind, ExecType, InstrumentType, MarketState, OrderState, OrderType, PriceFlag,
    PriceSource, RebalanceStatus, RebalanceTrigger, Side, TimeInForce, WaveKind,
};
use domain::fill::{Fee, Fill};
use domain::frame::{Frame, FramePrice, FrameSource};
use domain::instrument::Instrument;
use domain::ledger::{Cause, ClosedTrades, CurrencyAmount, Ledger, LedgerEntry, PositionState};
use domain::order::{Order, OrderWave};
use domain::order_status::OrderStatus;
use domain::policy::Policy;
use domain::progress::{Begin, Done, Progress, Range, Recorded, WindowRecord};
use domain::reason::{DeadLetterCode, ReasonCode};
use domain::rebalance_event::{ExplanationLine, RebalanceEvent};
use domain::snapshot::{Allocation, CashBalance, Concentration, Exposure, Health, InputOffset, Snapshot, SnapshotMetrics};
use domain::tick::Tick;
use domain::{
    Amount, Currency, Fraction, FxRate, Input, InstrumentId, Money, OrderId, Output, Percent, PortfolioId, Price, Quantity, RebalanceId,
    Timestamp, Topic, Uuid,
};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::str::FromStr;

/// Reads a value.
pub(super) fn v<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}
pub(super) fn usd() -> Currency {
    v("USD")
}
/// A moment: so many seconds after the start.
pub(super) fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000).plus_seconds(seconds)
}
fn usd_amount(amount: &str) -> CurrencyAmount {
    CurrencyAmount { currency: usd(), amount: v(amount) }
}

/// One step of a lane's work.
#[derive(Debug, Clone)]
pub(super) struct StoryStep {
    pub(super) role: &'static str,
    pub(super) reads: &'static [Topic],
    pub(super) outputs: Vec<Output>,
    pub(super) windows: Vec<WindowRecord>,
    pub(super) behind: bool,
    pub(super) begin: bool,
    pub(super) done: bool,
}

/// What happens, in order.
#[derive(Debug, Clone)]
pub(super) enum Event {
    Input(Box<Input>),
    Bytes {
        topic: Topic,
        key: &'static str,
        value: &'static [u8],
    },
    Frame(Frame),
    Step(StoryStep),
    /// A lane begins anew: nothing is read yet, the next step has number 10 and records these settings.
    Anew {
        role: &'static str,
        settings: Vec<Recorded>,
    },
    /// The part of the step's first outputs that a torn transaction published, BEGIN included; with more than
    /// it has, DONE as well: the step's transaction hung, and it is sent again.
    Torn(StoryStep, usize),
}

pub(super) const KEEPER_READS: &[Topic] = &[Topic::Frames, Topic::Policies, Topic::Cash, Topic::Fills, Topic::Commands, Topic::Refresh];
pub(super) const REBALANCER_READS: &[Topic] = &[Topic::Drift, Topic::OrderStatus, Topic::Commands];
pub(super) const ROUTER_READS: &[Topic] = &[Topic::Orders, Topic::Frames];

pub(super) fn step(role: &'static str, reads: &'static [Topic], outputs: Vec<Output>) -> Event {
    Event::Step(StoryStep { role, reads, outputs, windows: Vec::new(), behind: false, begin: true, done: true })
}

/// A history under construction.
#[derive(Debug, Clone)]
pub(super) struct Story {
    pub(super) events: Vec<Event>,
}

#[derive(Default)]
struct Log {
    records: BTreeMap<(String, i32), Vec<SeenRecord<'static>>>,
    ends: BTreeMap<(String, i32), i64>,
    positions: BTreeMap<(&'static str, Topic), i64>,
    steps: BTreeMap<&'static str, i64>,
    settings: BTreeMap<&'static str, Vec<Recorded>>,
}

impl Log {
    fn append(&mut self, topic: &'static str, key: Option<Vec<u8>>, value: Option<Vec<u8>>, headers: Vec<(String, Vec<u8>)>) {
        let place = (topic.to_owned(), 0);
        let end = self.ends.entry(place.clone()).or_default();
        let record = SeenRecord { topic, partition: 0, offset: *end, appended: moment(0), key, value, headers };
        *end += 1;
        self.records.entry(place).or_default().push(record);
    }
    fn end(&self, topic: Topic) -> i64 {
        self.ends.get(&(topic.name().to_owned(), 0)).copied().unwrap_or(0)
    }
    fn step(&mut self, step: &StoryStep, torn: Option<usize>) {
        let number = self.steps.get(step.role).copied().unwrap_or(0) + 1;
        let progress = ROLES.iter().find(|(role, _)| *role == step.role).unwrap().1;
        let begin = self.begin(step, number);
        let inputs: i64 = begin.windows.iter().flat_map(|w| &w.ranges).map(|r| self.held(r)).sum();
        let mut touched = vec![progress.name()];
        if step.begin {
            self.mark(progress, &Progress::Begin(begin.clone()));
        }
        for (index, output) in step.outputs.iter().enumerate().take(torn.unwrap_or(usize::MAX)) {
            touched.push(self.output(step.role, number, index, output));
        }
        if torn.is_none() {
            self.steps.insert(step.role, number);
            for range in begin.windows.iter().flat_map(|w| &w.ranges) {
                self.positions.insert((step.role, range.topic), range.to);
            }
        }
        if step.done && torn.is_none_or(|part| part > step.outputs.len()) {
            let outputs = i32::try_from(step.outputs.len()).unwrap();
            self.mark(progress, &Progress::Done(Done { step: number, digest: "00".into(), outputs, inputs }));
        }
        touched.dedup();
        touched.iter().for_each(|topic| *self.ends.entry(((*topic).to_owned(), 0)).or_default() += 1);
    }
    fn begin(&self, step: &StoryStep, number: i64) -> Begin {
        let at = |topic| self.positions.get(&(step.role, topic)).copied().unwrap_or(0);
        let range = |topic: &Topic| Range { topic: *topic, partition: 0, from: at(*topic), to: self.end(*topic) };
        let ranges = step.reads.iter().map(range).filter(|r| r.from < r.to).collect();
        let window = WindowRecord { ranges, now: moment(number * 10), behind: step.behind };
        let windows = if step.windows.is_empty() { vec![window] } else { step.windows.clone() };
        let settings = self.settings.get(step.role).cloned().unwrap_or_default();
        Begin { step: number, rules_version: 1, lanes: 1, settings, schemas: Vec::new(), windows }
    }
    fn held(&self, range: &Range) -> i64 {
        let records = self.records.get(&(range.topic.name().to_owned(), 0));
        let held = records.map_or(0, |all| all.iter().filter(|r| (range.from..range.to).contains(&r.offset)).count());
        i64::try_from(held).unwrap()
    }
    fn mark(&mut self, topic: Topic, progress: &Progress) {
        let mut value = Vec::new();
        encode_progress(progress, &mut value).unwrap();
        self.append(topic.name(), Some(b"0".to_vec()), Some(value), Vec::new());
    }
    fn output(&mut self, role: &str, number: i64, index: usize, output: &Output) -> &'static str {
        let source = format!("/ballast/{role}/0").into_bytes();
        let letter = if let Output::DeadLetter(letter) = output { Some(letter) } else { None };
        let mut headers: Vec<(String, Vec<u8>)> = match letter {
            Some(letter) => dead_letter_headers(letter).into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
            None => vec![("ce_source".to_owned(), source.clone())],
        };
        if letter.is_some() {
            headers.push(("dlq_source".to_owned(), source));
        }
        headers.push(("lane".to_owned(), b"0".to_vec()));
        headers.push(("step".to_owned(), number.to_string().into_bytes()));
        headers.push(("index".to_owned(), index.to_string().into_bytes()));
        let mut value = Vec::new();
        encode(output, &mut value).unwrap();
        let topic = letter.map_or(output.topic().name(), |letter| letter.topic.dead_letters());
        self.append(topic, output.key(), Some(value), headers);
        topic
    }
}

impl Story {
    /// The records, as a committed reader sees them.
    pub(super) fn records(&self) -> Vec<SeenRecord<'static>> {
        let mut log = Log::default();
        for event in &self.events {
            match event {
                Event::Input(input) => {
                    let mut value = Vec::new();
                    encode_input(input, &mut value).unwrap();
                    let topic = input_topic(input).name();
                    log.append(topic, input_key(input).map(|key| key.as_bytes().to_vec()), Some(value), Vec::new());
                }
                Event::Bytes { topic, key, value } => {
                    log.append(topic.name(), Some(key.as_bytes().to_vec()), Some(value.to_vec()), Vec::new())
                }
                Event::Frame(frame) => {
                    let mut value = Vec::new();
                    encode_frame(frame, &mut value).unwrap();
                    log.append(Topic::Frames.name(), None, Some(value), Vec::new());
                }
                Event::Anew { role, settings } => {
                    log.positions.retain(|(reader, _), _| reader != role);
                    log.steps.insert(*role, 9);
                    log.settings.insert(*role, settings.clone());
                }
                Event::Step(step) => log.step(step, None),
                Event::Torn(step, part) => log.step(step, Some(*part)),
            }
        }
        log.records.into_values().flatten().collect()
    }
    /// The steps, to plant faults in.
    pub(super) fn steps(&mut self) -> Vec<&mut StoryStep> {
        self.events.iter_mut().filter_map(|event| if let Event::Step(step) = event { Some(step) } else { None }).collect()
    }
    /// Every output, to plant faults in.
    pub(super) fn outputs(&mut self) -> impl Iterator<Item = &mut Output> {
        self.steps().into_iter().flat_map(|step| step.outputs.iter_mut())
    }
    pub(super) fn ledger(&mut self, n: usize) -> &mut Ledger {
        self.outputs().filter_map(|o| if let Output::Ledger(r) = o { Some(r) } else { None }).nth(n).unwrap()
    }
    pub(super) fn snapshot(&mut self, n: usize) -> &mut Snapshot {
        self.outputs().filter_map(|o| if let Output::Snapshot(r) = o { Some(r) } else { None }).nth(n).unwrap()
    }
    pub(super) fn drift(&mut self, n: usize) -> &mut Drift {
        self.outputs().filter_map(|o| if let Output::Drift(r) = o { Some(r) } else { None }).nth(n).unwrap()
    }
    pub(super) fn wave(&mut self) -> &mut OrderWave {
        self.outputs().find_map(|o| if let Output::OrderWave(r) = o { Some(r) } else { None }).unwrap()
    }
    pub(super) fn event(&mut self, n: usize) -> &mut RebalanceEvent {
        self.outputs().filter_map(|o| if let Output::RebalanceEvent(r) = o { Some(r) } else { None }).nth(n).unwrap()
    }
    pub(super) fn letter(&mut self) -> &mut DeadLetter {
        self.outputs().find_map(|o| if let Output::DeadLetter(r) = o { Some(r) } else { None }).unwrap()
    }
}

fn input_topic(input: &Input) -> Topic {
    match input {
        Input::Fill(_) => Topic::Fills,
        Input::Cash(_) => Topic::Cash,
        Input::Policy(_) => Topic::Policies,
        Input::Tick(_) => Topic::Ticks,
        Input::Instrument(_) => Topic::Instruments,
        Input::Command(_) => Topic::Commands,
        other => panic!("the story sends no {other:?}"),
    }
}

/// An execution; an empty `order` is none of ours.
pub(super) fn fill(id: &str, side: Side, quantity: &str, price: &str, fee: &str, order: Option<OrderId>) -> Fill {
    Fill {
        source: "oms".into(),
        exec_id: id.into(),
        trade_date: v("2023-11-14"),
        exec_type: ExecType::Trade,
        exec_ref_id: None,
        portfolio_id: v("P1"),
        instrument_id: v("AAPL"),
        venue: None,
        side,
        quantity: v(quantity),
        price: v(price),
        currency: usd(),
        fees: if fee == "0" { Vec::new().into() } else { vec![Fee { kind: "commission".into(), amount: v(fee), currency: usd() }].into() },
        settle_date: None,
        fx_rate: None,
        order_id: order,
        strategy: None,
        cum_qty: None,
        gross_amount: None,
        accrued_interest: None,
        transact_time: moment(0),
        received_at: None,
    }
}

pub(super) fn deposit(id: &str, amount: &str) -> CashEntry {
    CashEntry {
        source: "bank".into(),
        entry_id: id.into(),
        reverses: None,
        portfolio_id: v("P1"),
        kind: CashKind::Deposit,
        currency: usd(),
        amount: v(amount),
        instrument_id: None,
        quantity: None,
        total_cost: None,
        action_id: None,
        strategy: None,
        effective_at: moment(0),
    }
}

pub(super) fn instrument(id: &str) -> Instrument {
    Instrument {
        instrument_id: v(id),
        symbol: None,
        name: None,
        sector: None,
        kind: InstrumentType::Equity,
        currency: usd(),
        base_asset: None,
        multiplier: Quantity::ONE,
        lot_size: Quantity::ONE,
        tick_size: None,
        venue: None,
        calendar: None,
        average_daily_volume: None,
        price_source: PriceSource::Auto,
        max_price_age_seconds: None,
        max_jump_bp: None,
        valid_from: None,
    }
}

pub(super) fn policy() -> Policy {
    Policy {
        portfolio_id: v("P1"),
        policy_version: 1,
        base_currency: usd(),
        name: None,
        description: None,
        session_id: None,
        kind: domain::enums::PortfolioType::Custom,
        target_risk: None,
        benchmark: None,
        risk_free_rate: None,
        risk_free_instrument: None,
        calendar: None,
        time_zone: "UTC".into(),
        day_cut: "00:00".into(),
        targets: Vec::new(),
        band: domain::policy::Band::default(),
        trigger: domain::policy::Trigger::default(),
        orders: domain::policy::Orders::default(),
        book: domain::policy::Book::default(),
        limits: domain::policy::Limits::default(),
        shadow: None,
        preset: None,
    }
}

pub(super) fn tick() -> Tick {
    Tick {
        instrument_id: v("AAPL"),
        bid: None,
        ask: None,
        last: Some(v("100")),
        mark: None,
        accrued: None,
        volume: None,
        venue: None,
        event_time: moment(1),
        sequence: None,
    }
}

pub(super) fn frame(ticks: (i64, i64), instruments: (i64, i64)) -> Frame {
    let source = |topic, (from, to)| FrameSource { topic, partition: 0, from, to };
    let mut sources = vec![source(Topic::Ticks, ticks), source(Topic::Instruments, instruments)];
    sources.sort_by_key(|s| s.topic);
    Frame { sources, anchor: -1, event_time: moment(1), ..Frame::default() }
}

pub(super) fn first_frame() -> Frame {
    let price = FramePrice { last: Some(v("100")), ..FramePrice::empty(v("AAPL"), moment(1)) };
    Frame { prices: vec![price], instruments: vec![instrument("AAPL")], ..frame((0, 1), (0, 1)) }
}

fn entry(kind: EntryKind, topic: Topic, offset: i64, id: &str) -> LedgerEntry {
    LedgerEntry {
        kind,
        cause: Cause { topic, partition: 0, offset, id: id.into() },
        instrument_id: None,
        strategy: None,
        venue: None,
        trade_date: None,
        effective_at: moment(0),
        transact_time: None,
        quantity_change: Quantity::ZERO,
        price: None,
        fx_rate: None,
        cash: Vec::new().into(),
        realized_gross: Money::ZERO,
        fees: Vec::new().into(),
        income: Money::ZERO,
        external_flow: Money::ZERO,
        equity_before: None,
        by_strategy: Vec::new(),
        closed_trades: Vec::new().into(),
        in_base: None,
    }
}

fn deposited(offset: i64, id: &str, amount: &str) -> LedgerEntry {
    LedgerEntry {
        cash: vec![usd_amount(amount)].into(),
        external_flow: v(amount),
        ..entry(EntryKind::CashDeposit, Topic::Cash, offset, id)
    }
}

fn traded(offset: i64, id: &str, quantity: &str, cash: &str, realized: &str, fee: &str) -> LedgerEntry {
    let closes = quantity.starts_with('-').then(|| ClosedTrades::one(v("2023-11-14"), v::<Money>(realized).checked_sub(v(fee)).unwrap()));
    LedgerEntry {
        instrument_id: Some(v("AAPL")),
        quantity_change: v(quantity),
        closed_trades: closes.into_iter().collect(),
        fx_rate: Some(v("1")),
        trade_date: Some(v("2023-11-14")),
        cash: vec![usd_amount(cash)].into(),
        realized_gross: v(realized),
        fees: if fee == "0" { Vec::new().into() } else { vec![usd_amount(fee)].into() },
        ..entry(EntryKind::Trade, Topic::Fills, offset, id)
    }
}

/// How the book stands after a step, in whole numbers.
#[derive(Clone, Copy)]
struct Stand {
    version: i64,
    fills_read: i64,
    quantity: i128,
    cash: i128,
    realized: i128,
    fees: i128,
}

impl Stand {
    fn money(value: i128) -> Money {
        Money::from_whole(value).unwrap()
    }
    fn cost(self) -> i128 {
        self.quantity * 100
    }
    fn equity(self) -> Money {
        Self::money(self.cash + self.cost())
    }
    fn weight(self) -> Fraction {
        Amount::from(Self::money(self.cost())).ratio(self.equity().into()).unwrap()
    }
    fn ledger(self, entries: Vec<LedgerEntry>) -> Output {
        let state = PositionState {
            instrument_id: v("AAPL"),
            currency: usd(),
            quantity: Quantity::from_whole(self.quantity).unwrap(),
            cost: Self::money(self.cost()),
            average_price: Some(v("100")),
            realized_gross: Self::money(self.realized),
            fees: vec![CurrencyAmount { currency: usd(), amount: Self::money(self.fees) }].into(),
            income: Money::ZERO,
            realized_net: Self::money(self.realized - self.fees),
            cycle_realized_gross: Self::money(self.realized),
            cycle_fees: Self::money(self.fees),
            cycle_income: Money::ZERO,
            lots: Vec::new(),
        };
        let cash = vec![CurrencyAmount { currency: usd(), amount: Self::money(self.cash) }];
        Output::Ledger(Box::new(Ledger { portfolio_id: v("P1"), version: self.version, entries, positions: vec![state], cash }))
    }
    fn snapshot(self) -> Output {
        let net = Self::money(self.realized - self.fees);
        let allocation = Allocation {
            instrument_id: v("AAPL"),
            symbol: "AAPL".into(),
            sector: None,
            kind: InstrumentType::Equity,
            quantity: Quantity::from_whole(self.quantity).unwrap(),
            average_price: Some(v("100")),
            price: Some(v("100")),
            price_time: Some(moment(1)),
            stale: false,
            value: Self::money(self.cost()),
            percentage: Some(Percent::from_units(self.weight().units())),
            target_weight: None,
            drift: Some(self.weight()),
            unrealized: Money::ZERO,
            realized: net,
        };
        let metrics = SnapshotMetrics {
            realized_gross: Self::money(self.realized),
            fees: Self::money(self.fees),
            realized_net: net,
            net_flows: v("10000"),
            total_pnl: net,
            ..SnapshotMetrics::default()
        };
        Output::Snapshot(Box::new(Snapshot {
            portfolio_id: v("P1"),
            version: self.version,
            as_of: moment(self.version * 10),
            base_currency: usd(),
            total_value: self.equity(),
            cash_value: Self::money(self.cash),
            available_cash: Self::money(self.cash),
            cash: vec![self.balance()],
            receivables: Vec::new(),
            allocations: vec![allocation],
            exposure: Exposure::default(),
            sector_exposure: Vec::new(),
            concentration: Concentration::default(),
            metrics,
            health: Health { complete: true, ..Health::default() },
            policy_version: Some(1),
            input_offsets: vec![
                InputOffset { topic: Topic::Fills, partition: 0, offset: self.fills_read },
                InputOffset { topic: Topic::Cash, partition: 0, offset: 1 },
            ],
            strategies: Vec::new(),
        }))
    }
    fn balance(self) -> CashBalance {
        CashBalance { currency: usd(), trade_date: Self::money(self.cash), settled: Self::money(self.cash) }
    }
    fn drift(self, cause: DriftCause, id: &str) -> Output {
        let line = DriftLine {
            instrument_id: v("AAPL"),
            weight: Some(self.weight()),
            target: Fraction::ZERO,
            drift: Some(self.weight()),
            lower: Fraction::ZERO,
            upper: Fraction::ONE,
            breached: false,
            price: Some(v("100")),
            price_time: Some(moment(1)),
            price_flag: PriceFlag::Fresh,
            close_price: Some(v("100")),
            average_price: Some(v("100")),
            accrued: None,
            quantity: Quantity::from_whole(self.quantity).unwrap(),
            value: Self::money(self.cost()),
            currency: usd(),
            fx_rate: Some(FxRate::ONE),
            multiplier: Quantity::ONE,
            lot_size: Quantity::ONE,
            tick_size: None,
            kind: InstrumentType::Equity,
            sector: None,
            venue: None,
            average_daily_volume: None,
            market_status: MarketState::Unknown,
            bid: None,
            ask: None,
        };
        Output::Drift(Box::new(Drift {
            portfolio_id: v("P1"),
            episode: 1,
            shadow: false,
            event: DriftKind::Requested,
            cause: Some(cause),
            cause_id: Some(id.into()),
            as_of: moment(self.version * 10),
            lines: vec![line],
            max_abs_drift: None,
            half_sum_abs_drift: None,
            equity: self.equity(),
            cash: vec![self.balance()],
            fx_rates: vec![CurrencyRate { currency: usd(), fx_rate: Some(FxRate::ONE) }],
            receivables: Vec::new(),
            available_cash: Self::money(self.cash),
            settled_cash: Self::money(self.cash),
            health: Health { complete: true, ..Health::default() },
            policy: Some(Box::new(policy())),
            snapshot_version: self.version,
            recent_orders: Vec::new(),
            input_offsets: Vec::new(),
            cause_instrument_id: None,
            risk: None,
        }))
    }
}

pub(super) fn rebalance_id() -> RebalanceId {
    RebalanceId(Uuid::from_u128(7))
}
pub(super) fn order_id() -> OrderId {
    OrderId(Uuid::from_u128(77))
}

fn order() -> Order {
    Order {
        order_id: order_id(),
        rebalance_id: rebalance_id(),
        portfolio_id: v("P1"),
        instrument_id: v("AAPL"),
        side: Side::Buy,
        quantity: v("19"),
        order_type: OrderType::Market,
        limit_price: None,
        time_in_force: TimeInForce::Day,
        currency: usd(),
        reference_price: v("100"),
        reference_time: moment(1),
        expected_value: v("1900"),
        reason: ReasonCode::DriftBuy,
        numbers: Vec::new(),
        policy_version: 1,
        snapshot_version: 1,
        valid_until: moment(300),
        block_key: "b".into(),
        expected_fees: None,
        expected_spread: None,
        expected_impact: None,
        venue: None,
        urgency: domain::enums::Urgency::Normal,
    }
}

fn wave() -> Output {
    Output::OrderWave(Box::new(OrderWave {
        wave_id: Uuid::from_u128(9),
        rebalance_id: rebalance_id(),
        portfolio_id: v("P1"),
        wave_number: 1,
        kind: WaveKind::New,
        orders: vec![order()],
        funding_note: None,
        policy_version: 1,
        drift_episode: 1,
        valid_until: moment(300),
    }))
}

pub(super) fn event(status: RebalanceStatus, explained: bool) -> Output {
    let line = ExplanationLine {
        instrument_id: v::<InstrumentId>("AAPL"),
        weight: None,
        target: Fraction::ZERO,
        drift: None,
        decision: Decision::Order,
        reason: ReasonCode::DriftBuy,
        numbers: Vec::new(),
    };
    Output::RebalanceEvent(Box::new(RebalanceEvent {
        rebalance_id: rebalance_id(),
        portfolio_id: v::<PortfolioId>("P1"),
        trigger: RebalanceTrigger::Threshold,
        status,
        code: None,
        text: None,
        shadow: false,
        proposal_hash: None,
        as_of: moment(10),
        old_allocations: Vec::new(),
        new_allocations: Vec::new(),
        orders: Vec::new(),
        explanation: if explained { vec![line] } else { Vec::new() },
        expected_fees: None,
        turnover: None,
        drift_before: None,
        drift_after: None,
        policy_version: Some(1),
        drift_episode: 1,
        actor: None,
        command_id: None,
        expected_spread: None,
        expected_impact: None,
        execution: None,
        risk: None,
    }))
}

pub(super) fn refused(offset: i64) -> Output {
    Output::DeadLetter(Box::new(DeadLetter {
        topic: Topic::Fills,
        partition: 0,
        offset,
        code: DeadLetterCode::Undecodable,
        text: "no record".into(),
        portfolio_id: Some(v("P9")),
        timestamp: moment(0),
        key: Some(b"P9".to_vec()),
        headers: Vec::new(),
        value: Some(b"garbage".to_vec()),
    }))
}

fn filled() -> Output {
    Output::OrderStatus(Box::new(OrderStatus {
        order_id: order_id(),
        rebalance_id: rebalance_id(),
        portfolio_id: v("P1"),
        status: OrderState::Filled,
        cum_qty: v("19"),
        leaves_qty: Quantity::ZERO,
        reason_code: None,
        reason: None,
        event_time: moment(20),
    }))
}

/// The true history.
pub(super) fn clean() -> Story {
    let input = |input: Input| Event::Input(Box::new(input));
    let bought = fill("e1", Side::Buy, "30", "100", "1", None);
    let sold = fill("e3", Side::Sell, "9", "110", "1", None);
    let filled_order = fill("e2", Side::Buy, "19", "100", "0", Some(order_id()));
    let first = Stand { version: 1, fills_read: 3, quantity: 30, cash: 6999, realized: 0, fees: 1 };
    let second = Stand { version: 2, fills_read: 5, quantity: 49, cash: 5099, ..first };
    let third = Stand { version: 3, fills_read: 6, quantity: 40, cash: 6088, realized: 90, fees: 2 };
    let mut first_ledger = vec![deposited(0, "d1", "10000"), traded(0, "e1", "30", "-3001", "0", "1")];
    first_ledger[0].equity_before = Some(Money::ZERO);
    let events = vec![
        input(Input::Instrument(Box::new(instrument("AAPL")))),
        input(Input::Tick(Box::new(tick()))),
        Event::Frame(first_frame()),
        input(Input::Policy(Box::new(policy()))),
        input(Input::Cash(Box::new(deposit("d1", "10000")))),
        input(Input::Fill(Box::new(bought.clone()))),
        input(Input::Fill(Box::new(bought))),
        Event::Bytes { topic: Topic::Fills, key: "P9", value: b"garbage" },
        step(KEEPER, KEEPER_READS, vec![first.ledger(first_ledger), refused(2), first.snapshot(), first.drift(DriftCause::Policy, "1")]),
        step(REBALANCER, REBALANCER_READS, vec![event(RebalanceStatus::Released, true), wave()]),
        step(ROUTER, ROUTER_READS, vec![Output::Fill(Box::new(filled_order)), filled()]),
        step(
            KEEPER,
            KEEPER_READS,
            vec![second.ledger(vec![traded(3, "e2", "19", "-1900", "0", "0")]), second.snapshot(), second.drift(DriftCause::Fill, "e2")],
        ),
        input(Input::Fill(Box::new(sold))),
        step(
            KEEPER,
            KEEPER_READS,
            vec![third.ledger(vec![traded(5, "e3", "-9", "989", "90", "1")]), third.snapshot(), third.drift(DriftCause::Fill, "e3")],
        ),
        step(REBALANCER, REBALANCER_READS, vec![event(RebalanceStatus::Completed, false)]),
    ];
    Story { events }
}

/// Prices of the story, for tests that move them.
pub(super) fn price(text: &str) -> Price {
    v(text)
}
