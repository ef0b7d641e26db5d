//! What the service has said so far, folded from its committed outputs, and whether it is right.
//! It reads the topics as any subscriber would; repeats of a record are dropped by its headers.

use super::{Day, balanced, traded};
use crate::stored::StoredRecord;
use avro_codec::{SchemaStore, decode_output};
use domain::enums::{Decision, OrderState, RebalanceStatus, WaveKind};
use domain::ledger::Ledger;
use domain::order::{Order, OrderWave};
use domain::rebalance_event::RebalanceEvent;
use domain::snapshot::Snapshot;
use domain::{Date, InstrumentId, Money, OrderId, Output, PortfolioId, Quantity, RebalanceId, SmolStr, Topic};
use engine::RecordRef;
use engine::repeats::{INDEX, SOURCE, STEP};
use std::collections::BTreeMap;

/// Something is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{date}: {what}")]
pub struct Wrong {
    /// The day after whose digestion it was seen.
    pub date: Date,
    /// What was expected and what was found.
    pub what: String,
}

/// An order and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedOrder {
    /// The order.
    pub order: Order,
    /// The newest word of the router.
    pub state: OrderState,
}

/// Everything said so far that the journeys look at.
#[derive(Default)]
pub struct Observed {
    schemas: SchemaStore,
    newest: BTreeMap<(SmolStr, i32, Vec<u8>), (i64, i64)>,
    cash: BTreeMap<PortfolioId, Money>,
    lowest: BTreeMap<PortfolioId, Money>,
    positions: BTreeMap<(PortfolioId, InstrumentId), Quantity>,
    snapshots: BTreeMap<PortfolioId, Snapshot>,
    orders: BTreeMap<OrderId, PlacedOrder>,
    /// The events of each rebalance that explain its lines, in the order in which they came.
    plans: BTreeMap<RebalanceId, Vec<RebalanceEvent>>,
    statuses: BTreeMap<RebalanceStatus, u64>,
    completed: bool,
    new_orders: Vec<OrderId>,
    troubles: Vec<String>,
    entries: u64,
    fills: u64,
}

impl Observed {
    /// Nothing said yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one record of any topic; topics and records that no journey looks at are passed over.
    pub fn take(&mut self, topic: &str, partition: i32, record: &StoredRecord) {
        if self.is_repeat(topic, partition, record) {
            return;
        }
        if topic.ends_with(".dlq") {
            let header = |name| String::from_utf8_lossy(record.header(name).unwrap_or_default()).into_owned();
            self.troubles.push(format!("a dead letter in {topic}: {} {}", header("dlq_code"), header("dlq_text")));
            return;
        }
        let Some(topic) = Topic::from_name(topic) else { return };
        if !matches!(topic, Topic::Ledger | Topic::Snapshots | Topic::Orders | Topic::RebalanceEvents | Topic::OrderStatus | Topic::Fills) {
            return;
        }
        match decode_output(&self.schemas, topic, record.value.as_deref().unwrap_or_default()) {
            Ok(output) => self.output(output),
            Err(error) => self.troubles.push(format!("an output of {topic} cannot be read: {error}")),
        }
    }

    fn is_repeat(&mut self, topic: &str, partition: i32, record: &StoredRecord) -> bool {
        let number = |name| std::str::from_utf8(record.header(name)?).ok()?.parse::<i64>().ok();
        let (Some(step), Some(index), Some(source)) = (number(STEP), number(INDEX), record.header(SOURCE)) else { return false };
        let newest = self.newest.entry((SmolStr::new(topic), partition, source.to_vec())).or_insert((-1, -1));
        if (step, index) <= *newest {
            return true;
        }
        *newest = (step, index);
        false
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Ledger(ledger) => self.ledger(*ledger),
            Output::Snapshot(snapshot) => {
                self.snapshots.insert(snapshot.portfolio_id.clone(), *snapshot);
            }
            Output::OrderWave(wave) => self.wave(*wave),
            Output::RebalanceEvent(event) => self.event(*event),
            Output::OrderStatus(status) => {
                if let Some(placed) = self.orders.get_mut(&status.order_id) {
                    placed.state = status.status;
                }
            }
            Output::Fill(fill) => self.fills += u64::from(fill.order_id.is_some()),
            _ => {}
        }
    }

    fn ledger(&mut self, ledger: Ledger) {
        let cash = ledger.cash.first().map_or(Money::ZERO, |cash| cash.amount);
        let lowest = self.lowest.entry(ledger.portfolio_id.clone()).or_insert(cash);
        *lowest = cash.min(*lowest);
        self.cash.insert(ledger.portfolio_id.clone(), cash);
        self.entries += ledger.entries.len() as u64;
        for state in ledger.positions {
            self.positions.insert((ledger.portfolio_id.clone(), state.instrument_id), state.quantity);
        }
    }

    fn wave(&mut self, wave: OrderWave) {
        if wave.kind != WaveKind::New {
            return;
        }
        for order in wave.orders {
            self.new_orders.push(order.order_id);
            if self.orders.insert(order.order_id, PlacedOrder { state: OrderState::Unknown, order }).is_some() {
                self.troubles.push(format!("wave {} orders again what was ordered before", wave.wave_id));
            }
        }
    }

    fn event(&mut self, event: RebalanceEvent) {
        *self.statuses.entry(event.status).or_default() += 1;
        match event.status {
            RebalanceStatus::Completed => self.completed = true,
            RebalanceStatus::Failed | RebalanceStatus::Expired | RebalanceStatus::Refused | RebalanceStatus::Stuck => {
                let why = event.text.as_deref().unwrap_or("no reason is given");
                self.troubles.push(format!("rebalance {} of {} is {}: {why}", event.rebalance_id, event.portfolio_id, event.status));
            }
            _ => {}
        }
        if !event.explanation.is_empty() {
            self.plans.entry(event.rebalance_id).or_default().push(event);
        }
    }

    /// What must hold once a day is digested. Says the first thing that does not.
    pub fn check(&mut self, day: &Day) -> Result<(), Wrong> {
        let completed = std::mem::take(&mut self.completed);
        let new_orders = std::mem::take(&mut self.new_orders);
        let found = match self.troubles.first() {
            Some(trouble) => Err(trouble.clone()),
            None => self
                .oracle(day)
                .and_then(|()| self.solvent())
                .and_then(|()| if completed { self.in_bands() } else { Ok(()) })
                .and_then(|()| new_orders.iter().try_for_each(|order| self.explained(*order))),
        };
        found.map_err(|what| Wrong { date: day.date, what })
    }

    fn oracle(&self, day: &Day) -> Result<(), String> {
        let Some(oracle) = &day.oracle else { return Ok(()) };
        let cash = self.cash.get(traded::PORTFOLIO).copied().unwrap_or_default();
        if cash != oracle.cash {
            return Err(format!("{} must have {} USD in cash, the ledger says {cash}", traded::PORTFOLIO, oracle.cash));
        }
        for (share, quantity) in &oracle.positions {
            let held = self.position(traded::PORTFOLIO, share);
            if held != *quantity {
                return Err(format!("{} must hold {quantity} {share}, the ledger says {held}", traded::PORTFOLIO));
            }
        }
        let Some(snapshot) = self.snapshots.get(traded::PORTFOLIO) else { return Err("the traded book has no snapshot".to_owned()) };
        if snapshot.total_value != oracle.equity || snapshot.cash_value != oracle.cash {
            return Err(format!(
                "{} must be worth {} USD with {} in cash, the snapshot says {} with {}",
                traded::PORTFOLIO,
                oracle.equity,
                oracle.cash,
                snapshot.total_value,
                snapshot.cash_value
            ));
        }
        Ok(())
    }

    fn solvent(&self) -> Result<(), String> {
        match self.lowest.get(balanced::PORTFOLIO) {
            Some(cash) if cash.is_negative() => Err(format!("{} was overdrawn: {cash} USD", balanced::PORTFOLIO)),
            _ => Ok(()),
        }
    }

    fn in_bands(&self) -> Result<(), String> {
        let Some(snapshot) = self.snapshots.get(balanced::PORTFOLIO) else {
            return Err("a cycle was completed without any snapshot".to_owned());
        };
        for line in &snapshot.allocations {
            let (Some(target), Some(drift)) = (line.target_weight, line.drift) else {
                return Err(format!("{} has no weight after a completed cycle", line.instrument_id));
            };
            if drift.abs() > balanced::band_of(target) {
                return Err(format!(
                    "{} stands {drift} from its target {target} after a completed cycle, outside its band",
                    line.instrument_id
                ));
            }
        }
        Ok(())
    }

    fn explained(&self, id: OrderId) -> Result<(), String> {
        let placed = self.orders.get(&id).ok_or_else(|| format!("order {id} is in no wave"))?;
        let order = &placed.order;
        let event = self.plan_of(order).ok_or_else(|| format!("order {id} has no rebalance event that explains it"))?;
        let line = event.explanation.iter().find(|line| line.instrument_id == order.instrument_id);
        let line = line.ok_or_else(|| format!("order {id} for {} is not among the explanations", order.instrument_id))?;
        if !matches!(line.decision, Decision::Order | Decision::Cut) || line.numbers.is_empty() && order.numbers.is_empty() {
            return Err(format!("order {id} for {} is explained as {} without numbers", order.instrument_id, line.decision));
        }
        if event.explanation.len() != balanced::policy().targets.len() {
            return Err(format!("rebalance {} explains {} instruments instead of every one", event.rebalance_id, event.explanation.len()));
        }
        Ok(())
    }

    /// Units that the ledger says are held.
    pub fn position(&self, portfolio: &str, share: &InstrumentId) -> Quantity {
        let portfolio = PortfolioId::new(portfolio).expect("a journey's portfolio has an id");
        self.positions.get(&(portfolio, share.clone())).copied().unwrap_or_default()
    }
    /// The newest snapshot of each portfolio.
    pub fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        self.snapshots.values()
    }
    /// Every order so far.
    pub fn orders(&self) -> impl Iterator<Item = &PlacedOrder> {
        self.orders.values()
    }
    /// Orders of a portfolio without a terminal state.
    pub fn open_orders(&self, portfolio: &str) -> usize {
        self.orders.values().filter(|placed| placed.order.portfolio_id.as_str() == portfolio && !placed.state.is_terminal()).count()
    }
    /// The event that explains an order: the one that has its numbers, and perhaps more of its line's, for what waits is planned again when it is
    /// released; else the first of its rebalance.
    pub fn plan_of(&self, order: &Order) -> Option<&RebalanceEvent> {
        let plans = self.plans.get(&order.rebalance_id)?;
        let has_its_numbers = |plan: &&RebalanceEvent| {
            plan.explanation.iter().any(|line| line.instrument_id == order.instrument_id && line.numbers.starts_with(&order.numbers))
        };
        plans.iter().rev().find(has_its_numbers).or(plans.first())
    }
    /// How many events of a kind the rebalancer has published.
    pub fn events(&self, status: RebalanceStatus) -> u64 {
        self.statuses.get(&status).copied().unwrap_or(0)
    }
    /// Ledger entries, and fills of our own orders.
    pub fn counts(&self) -> (u64, u64) {
        (self.entries, self.fills)
    }
    /// The least cash that a portfolio ever had.
    pub fn lowest_cash(&self, portfolio: &str) -> Option<Money> {
        self.lowest.get(portfolio).copied()
    }
}
