//! A book of two shares and cash, kept as simply as can be: what the position-keeper would say of it.

use super::PORTFOLIO;
use domain::drift::{CurrencyRate, Drift, DriftLine, RecentOrder};
use domain::enums::{DriftCause, DriftKind, InstrumentType, MarketState, PriceFlag, Side};
use domain::order::Order;
use domain::policy::Policy;
use domain::snapshot::{CashBalance, Health};
use domain::{Amount, Currency, Fraction, FxRate, InstrumentId, Money, OrderId, Price, Quantity, Timestamp};
use std::collections::BTreeMap;

/// The book.
pub struct Book {
    /// The policy in force.
    pub policy: Option<Policy>,
    /// Units held.
    pub held: BTreeMap<InstrumentId, Quantity>,
    /// Prices.
    pub prices: BTreeMap<InstrumentId, Price>,
    /// Cash.
    pub cash: Money,
    /// Units traded on an average day, where they are known.
    pub volumes: BTreeMap<InstrumentId, Quantity>,
    /// Markets that are not open.
    pub markets: BTreeMap<InstrumentId, MarketState>,
    /// Executed of each order of ours.
    pub executed: BTreeMap<OrderId, RecentOrder>,
    /// When fills are executed, by their sender.
    pub traded_at: Timestamp,
    /// The fee of a fill.
    pub fee: Money,
    /// Health.
    pub health: Health,
    /// Episode.
    pub episode: i64,
    snapshot: i64,
}

impl Book {
    /// 70,000 of AAA, 30,000 of BBB, no cash; targets one half each.
    pub fn new(policy: &str) -> Self {
        let comma = if policy.is_empty() { "" } else { "," };
        let text = format!(
            r#"{{"portfolio_id":"{PORTFOLIO}","policy_version":1,"base_currency":"USD",
                "targets":[{{"instrument_id":"AAA","target_weight":"0.5"}},{{"instrument_id":"BBB","target_weight":"0.5"}}]{comma}{policy}}}"#
        );
        let id = |text| InstrumentId::new(text).unwrap();
        let price: Price = "100".parse().unwrap();
        Self {
            policy: Some(serde_json::from_str(&text).unwrap()),
            held: BTreeMap::from([(id("AAA"), "700".parse().unwrap()), (id("BBB"), "300".parse().unwrap())]),
            prices: BTreeMap::from([(id("AAA"), price), (id("BBB"), price)]),
            cash: Money::ZERO,
            volumes: BTreeMap::new(),
            markets: BTreeMap::new(),
            executed: BTreeMap::new(),
            traded_at: Timestamp::default(),
            fee: Money::ZERO,
            health: Health { complete: true, ..Health::default() },
            episode: 1,
            snapshot: 0,
        }
    }
    /// Sets holdings and cash.
    pub fn hold(&mut self, held: &[(&str, &str)], cash: &str) {
        self.held = held.iter().map(|(id, units)| (InstrumentId::new(id).unwrap(), units.parse().unwrap())).collect();
        self.cash = cash.parse().unwrap();
    }
    /// Sets a price.
    pub fn price(&mut self, instrument: &str, price: &str) {
        self.prices.insert(InstrumentId::new(instrument).unwrap(), price.parse().unwrap());
    }
    /// Books a split: so many new units for each.
    pub fn split(&mut self, instrument: &str, new: i128) {
        let id = InstrumentId::new(instrument).unwrap();
        let (held, price) = (self.held[&id], self.prices[&id]);
        self.held.insert(id.clone(), Quantity::from_units(held.units() * new));
        self.prices.insert(id, Price::from_units(price.units() / new));
    }
    /// Says how many units of an instrument are traded on an average day.
    pub fn volume(&mut self, instrument: &str, units: &str) {
        self.volumes.insert(InstrumentId::new(instrument).unwrap(), units.parse().unwrap());
    }
    /// Books an execution of an order at the price of now.
    pub fn apply(&mut self, order: &Order, quantity: Quantity) {
        let signed = if order.side == Side::Buy { quantity } else { quantity.checked_neg().unwrap() };
        let cost = signed.times(self.prices[&order.instrument_id]).unwrap().to_money().unwrap();
        let held = self.held.entry(order.instrument_id.clone()).or_insert(Quantity::ZERO);
        *held = held.checked_add(signed).unwrap();
        self.cash = self.cash.checked_sub(cost).unwrap();
        let executed = self.executed.entry(order.order_id).or_insert_with(|| RecentOrder {
            order_id: order.order_id,
            executed_quantity: Quantity::ZERO,
            instrument_id: Some(order.instrument_id.clone()),
            side: order.side,
            contradicted: false,
            notional: Some(Money::ZERO),
            fees: Some(Money::ZERO),
            first_fill_at: Some(self.traded_at),
            last_fill_at: Some(self.traded_at),
        });
        let worth = quantity.times(self.prices[&order.instrument_id]).unwrap().to_money().unwrap();
        executed.notional = Some(executed.notional.unwrap().checked_add(worth).unwrap());
        executed.fees = Some(executed.fees.unwrap().checked_add(self.fee).unwrap());
        executed.last_fill_at = Some(self.traded_at);
        executed.executed_quantity = executed.executed_quantity.checked_add(quantity).unwrap();
        self.snapshot += 1;
    }
    /// The drift event of this moment.
    pub fn drift(&self, event: DriftKind, cause: Option<(DriftCause, &str)>, now: Timestamp) -> Drift {
        let equity = self.equity();
        let usd = Currency::new("USD").unwrap();
        Drift {
            portfolio_id: super::portfolio(),
            episode: self.episode,
            shadow: false,
            event,
            cause: cause.map(|(cause, _)| cause),
            cause_id: cause.map(|(_, id)| id.into()),
            as_of: now,
            lines: self.held.keys().map(|id| self.line(id, equity, now)).collect(),
            max_abs_drift: None,
            half_sum_abs_drift: None,
            equity: equity.to_money().unwrap(),
            cash: vec![CashBalance { currency: usd, trade_date: self.cash, settled: self.cash }],
            fx_rates: vec![CurrencyRate { currency: usd, fx_rate: Some(FxRate::ONE) }],
            receivables: Vec::new(),
            available_cash: self.cash,
            settled_cash: self.cash,
            health: self.health.clone(),
            policy: self.policy.clone().map(Box::new),
            snapshot_version: self.snapshot,
            recent_orders: self.executed.values().cloned().collect(),
            input_offsets: Vec::new(),
            cause_instrument_id: None,
            risk: None,
        }
    }

    fn value(&self, id: &InstrumentId) -> Amount {
        self.held[id].times(self.prices[id]).unwrap()
    }
    fn equity(&self) -> Amount {
        self.held.keys().fold(Amount::from(self.cash), |sum, id| sum.checked_add(self.value(id)).unwrap())
    }
    fn line(&self, id: &InstrumentId, equity: Amount, now: Timestamp) -> DriftLine {
        let band: Fraction = "0.05".parse().unwrap();
        let targets = self.policy.iter().flat_map(|policy| &policy.targets);
        let target = targets.filter(|target| target.instrument_id.as_ref() == Some(id)).map(|target| target.target_weight).next();
        let target = target.unwrap_or(Fraction::ZERO);
        let weight = self.value(id).ratio(equity).unwrap();
        let drift = weight.checked_sub(target).unwrap();
        DriftLine {
            instrument_id: id.clone(),
            weight: Some(weight),
            target,
            drift: Some(drift),
            lower: target.checked_sub(band).unwrap(),
            upper: target.checked_add(band).unwrap(),
            breached: drift.units().abs() > band.units(),
            price: Some(self.prices[id]),
            price_time: Some(now),
            price_flag: PriceFlag::Fresh,
            close_price: Some("100".parse().unwrap()),
            average_price: Some("100".parse().unwrap()),
            accrued: None,
            quantity: self.held[id],
            value: self.value(id).to_money().unwrap(),
            currency: Currency::new("USD").unwrap(),
            fx_rate: Some(FxRate::ONE),
            multiplier: Quantity::ONE,
            lot_size: Quantity::ONE,
            tick_size: Some("0.01".parse().unwrap()),
            kind: InstrumentType::Equity,
            sector: None,
            venue: None,
            average_daily_volume: self.volumes.get(id).copied(),
            market_status: self.markets.get(id).copied().unwrap_or(MarketState::Open),
            bid: None,
            ask: None,
        }
    }
}
