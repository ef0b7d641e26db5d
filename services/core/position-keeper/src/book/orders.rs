//! What was executed of our recent orders: kept while their fills are in the dedup window. An order is
//! bought or sold in one instrument: a fill that says otherwise counts for nothing here, and is flagged
//! until a person reconciles the order.

use super::execution::Execution;
use super::position::signed;
use domain::enums::Side;
use domain::fill::FillRef;
use domain::{Amount, Date, FixedError, InstrumentId, OrderId, Quantity, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executed {
    /// Gross units booked, of fills like the first.
    pub quantity: Quantity,
    /// Largest cumulative quantity that its fills claimed, or the final one that a person gave.
    pub claimed: Option<Quantity>,
    /// Newest trade date of its fills.
    pub newest: Date,
    /// Instrument of its first fill.
    pub instrument: InstrumentId,
    /// Side of its first fill.
    pub side: Side,
    /// Whether another fill named another instrument or went the other way.
    pub mixed: bool,
    /// Σ units × price of those fills, in the instrument's currency, exactly.
    pub notional: Amount,
    /// Their fees in the base currency, at the rates of their bookings.
    pub fees: Amount,
    /// When the first of them was executed, by its sender.
    pub first_at: Timestamp,
    /// When the last was.
    pub last_at: Timestamp,
}

impl Executed {
    fn first(fill: &FillRef<'_>, instrument: &InstrumentId) -> Self {
        Self {
            quantity: Quantity::ZERO,
            claimed: None,
            newest: fill.trade_date,
            instrument: instrument.clone(),
            side: fill.side,
            mixed: false,
            notional: Amount::ZERO,
            fees: Amount::ZERO,
            first_at: fill.transact_time,
            last_at: fill.transact_time,
        }
    }
    /// Takes the price and the fees of an execution in, or out again. Errors: sums beyond what is published.
    fn count(&mut self, execution: &Execution, sign: i128) -> Result<(), FixedError> {
        let worth = execution.quantity.abs().times(execution.price)?;
        let fees = execution.fees.iter().try_fold(Amount::ZERO, |sum, fee| sum.checked_add(fee.book))?;
        let sum = |kept: Amount, more: Amount| kept.checked_add(signed(sign, more)?);
        (self.notional, self.fees) = (sum(self.notional, worth)?, sum(self.fees, fees)?);
        let fits = self.notional.to_money()?.fits_wire() && self.fees.to_money()?.fits_wire();
        if fits { Ok(()) } else { Err(FixedError::Overflow) }
    }
    /// SELL and SELL_SHORT are one direction: a router may not tell them apart.
    fn is_like(&self, fill: &FillRef<'_>) -> bool {
        self.instrument.as_str() == fill.instrument_id && (self.side == Side::Buy) == (fill.side == Side::Buy)
    }
    /// Whether its fills contradict each other: one was lost or doubled, has overtaken another, or belongs to
    /// another order.
    pub fn is_contradicted(&self) -> bool {
        self.mixed || self.claimed.is_some_and(|claimed| claimed != self.quantity)
    }
}

/// Recent orders by id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RecentOrders(BTreeMap<OrderId, Executed>);

impl RecentOrders {
    /// The sum after a fill of an instrument and its execution, checked and not yet kept.
    pub fn after(
        &self,
        order: OrderId,
        (fill, execution): (&FillRef<'_>, &Execution),
        instrument: &InstrumentId,
    ) -> Result<Executed, FixedError> {
        let mut executed = self.0.get(&order).cloned().unwrap_or_else(|| Executed::first(fill, instrument));
        executed.newest = executed.newest.max(fill.trade_date);
        if !executed.is_like(fill) {
            executed.mixed = true;
            return Ok(executed);
        }
        executed.quantity = executed.quantity.checked_add(fill.quantity)?;
        executed.claimed = executed.claimed.max(fill.cum_qty);
        executed.first_at = executed.first_at.min(fill.transact_time);
        executed.last_at = executed.last_at.max(fill.transact_time);
        executed.count(execution, 1)?;
        if executed.quantity.fits_wire() { Ok(executed) } else { Err(FixedError::Overflow) }
    }
    /// The sum after an execution became another, or none; `cum` is what the order's executions add up to by the sender.
    /// `None` where the order is not known any more. Errors: sums beyond what is published.
    pub fn amended(
        &self,
        order: OrderId,
        was: &Execution,
        now: Option<&Execution>,
        cum: Option<Quantity>,
    ) -> Result<Option<Executed>, FixedError> {
        let Some(mut executed) = self.0.get(&order).cloned() else { return Ok(None) };
        executed.count(was, -1)?;
        now.map_or(Ok(()), |now| executed.count(now, 1))?;
        let units = |execution: &Execution| execution.quantity.abs().units();
        let change = now.map_or(0, units) - units(was);
        let changed = |sum: Quantity| Quantity::from_units((sum.units() + change).max(0));
        let claimed = executed.claimed.map(changed);
        executed.quantity = changed(executed.quantity);
        executed.claimed = cum.or(claimed);
        Ok(Some(executed))
    }
    /// Keeps a checked sum.
    pub fn keep(&mut self, order: OrderId, executed: Executed) {
        self.0.insert(order, executed);
    }
    /// Takes over the final quantity that a person found out, where the order's fills contradict each other;
    /// whether they did. A quantity below what is booked claims nothing: the book has it all.
    pub fn reconcile(&mut self, order: OrderId, quantity: Quantity) -> bool {
        let Some(executed) = self.0.get_mut(&order).filter(|executed| executed.is_contradicted()) else { return false };
        executed.claimed = Some(quantity).filter(|quantity| *quantity >= executed.quantity);
        executed.mixed = false;
        true
    }
    /// Lets orders go whose fills have all left the window.
    pub fn forget_before(&mut self, oldest: Date) {
        self.0.retain(|_, executed| executed.newest >= oldest);
    }
    /// By id.
    pub fn iter(&self) -> impl Iterator<Item = (&OrderId, &Executed)> {
        self.0.iter()
    }
    /// Whether the fills of an order contradict each other.
    pub fn contradict(&self) -> bool {
        self.0.values().any(Executed::is_contradicted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::fill::Fill;

    fn fill(side: &str, instrument: &str, quantity: &str, cum: &str) -> Fill {
        let text = format!(
            r#"{{"source":"s","exec_id":"e","trade_date":"2026-01-05","exec_type":"TRADE","portfolio_id":"p","instrument_id":"{instrument}",
            "side":"{side}","quantity":"{quantity}","price":"1","currency":"USD","transact_time":"2026-01-05T14:00:00Z"{cum}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }
    fn order() -> OrderId {
        "5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11".parse().unwrap()
    }
    fn execution(fill: &Fill) -> Execution {
        Execution { quantity: fill.quantity, price: fill.price, ..Execution::blank(fill.currency) }
    }
    fn take(orders: &mut RecentOrders, fill: &Fill) {
        let executed = orders.after(order(), (&fill.view(), &execution(fill)), &fill.instrument_id).unwrap();
        orders.keep(order(), executed);
    }
    fn booked(orders: &RecentOrders) -> String {
        orders.0[&order()].quantity.to_string()
    }

    #[test]
    fn fills_of_one_order_go_one_way_in_one_instrument() {
        for (side, instrument, mixed) in [("SELL", "A", false), ("SELL_SHORT", "A", false), ("BUY", "A", true), ("SELL", "B", true)] {
            let mut orders = RecentOrders::default();
            take(&mut orders, &fill("SELL", "A", "20", ""));
            take(&mut orders, &fill(side, instrument, "5", ""));
            assert_eq!((orders.contradict(), booked(&orders)), (mixed, if mixed { "20" } else { "25" }.to_owned()), "{side} {instrument}");
            assert_eq!(orders.reconcile(order(), "20".parse().unwrap()), mixed, "only a contradiction is settled");
            assert!(!orders.contradict());
        }
    }

    #[test]
    fn what_was_paid_follows_each_execution_and_its_correction() {
        let mut orders = RecentOrders::default();
        let at = |price: &str, quantity: &str| {
            let mut fill = fill("SELL", "A", quantity, "");
            fill.price = price.parse().unwrap();
            fill
        };
        let (first, second) = (at("10", "20"), at("10.5", "5"));
        take(&mut orders, &first);
        take(&mut orders, &second);
        let told = |orders: &RecentOrders| (booked(orders), orders.0[&order()].notional.to_string());
        assert_eq!(told(&orders), ("25".into(), "252.5".into()));
        let corrected = orders.amended(order(), &execution(&second), Some(&execution(&at("11", "6"))), None).unwrap().unwrap();
        orders.keep(order(), corrected);
        assert_eq!(told(&orders), ("26".into(), "266".into()));
        let cancelled = orders.amended(order(), &execution(&first), None, None).unwrap().unwrap();
        orders.keep(order(), cancelled);
        assert_eq!(told(&orders), ("6".into(), "66".into()));
    }

    #[test]
    fn a_person_settles_a_wrong_claim() {
        for (given, settled) in [("20", true), ("19", true), ("25", false)] {
            let mut orders = RecentOrders::default();
            take(&mut orders, &fill("SELL", "A", "20", r#","cum_qty":"25""#));
            assert!(orders.contradict());
            assert!(orders.reconcile(order(), given.parse().unwrap()));
            assert_eq!(orders.contradict(), !settled, "{given}: what was executed and not booked is still missing");
            take(&mut orders, &fill("SELL", "A", "5", ""));
            assert_eq!(orders.contradict(), given == "20", "{given}");
        }
        assert!(!RecentOrders::default().reconcile(order(), Quantity::ZERO), "an order that the book does not know");
    }
}
