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
    /// Newest trade date of its fills.
    pub newest: Date,
    /// What was executed, by instrument and direction, in the order of their first fills; never empty.
    ways: Vec<Way>,
}

/// The fills of an order in one instrument and one direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// Instrument.
    pub instrument: InstrumentId,
    /// Side of the first fill.
    pub side: Side,
    /// Gross units booked.
    pub quantity: Quantity,
    /// Largest cumulative quantity that the fills claimed, or the final one that a person gave.
    pub claimed: Option<Quantity>,
    /// Whether a person knows of these fills, where another way is the order's.
    pub known: bool,
    /// Σ units × price, in the instrument's currency, exactly.
    pub notional: Amount,
    /// Fees in the base currency, at the rates of their bookings.
    pub fees: Amount,
    /// When the first of them was executed, by its sender.
    pub first_at: Timestamp,
    /// When the last was.
    pub last_at: Timestamp,
}

impl Way {
    fn of(fill: &FillRef<'_>, instrument: &InstrumentId) -> Self {
        Self {
            instrument: instrument.clone(),
            side: fill.side,
            quantity: Quantity::ZERO,
            claimed: None,
            known: false,
            notional: Amount::ZERO,
            fees: Amount::ZERO,
            first_at: fill.transact_time,
            last_at: fill.transact_time,
        }
    }
    /// SELL and SELL_SHORT are one direction: a router may not tell them apart.
    fn is_of(&self, fill: &FillRef<'_>) -> bool {
        self.instrument.as_str() == fill.instrument_id && (self.side == Side::Buy) == (fill.side == Side::Buy)
    }
    /// Takes an execution in, or out again. Errors: sums beyond what is published.
    fn count(&mut self, execution: &Execution, sign: i128) -> Result<(), FixedError> {
        let units = execution.quantity.abs();
        let worth = units.times(execution.price)?;
        let fees = execution.fees.iter().try_fold(Amount::ZERO, |sum, fee| sum.checked_add(fee.book))?;
        let sum = |kept: Amount, more: Amount| kept.checked_add(signed(sign, more)?);
        (self.notional, self.fees) = (sum(self.notional, worth)?, sum(self.fees, fees)?);
        self.quantity = if sign < 0 { self.quantity.checked_sub(units)? } else { self.quantity.checked_add(units)? };
        let fits = self.quantity.fits_wire() && self.notional.to_money()?.fits_wire() && self.fees.to_money()?.fits_wire();
        if fits { Ok(()) } else { Err(FixedError::Overflow) }
    }
}

impl Executed {
    /// What counts as the order's: the way of its first fill that still stands.
    pub fn own(&self) -> &Way {
        &self.ways[self.own_at()]
    }
    fn own_at(&self) -> usize {
        self.ways.iter().position(|way| !way.quantity.is_zero()).unwrap_or(0)
    }
    /// Whether its fills contradict each other: one was lost or doubled, has overtaken another, or belongs to
    /// another order.
    pub fn is_contradicted(&self) -> bool {
        let own = self.own();
        let strange = |way: &Way| !std::ptr::eq(way, own) && !way.quantity.is_zero() && !way.known;
        own.claimed.is_some_and(|claimed| claimed != own.quantity) || self.ways.iter().any(strange)
    }
    /// The way of a fill.
    fn way_of(&mut self, fill: &FillRef<'_>, instrument: &InstrumentId) -> &mut Way {
        let at = self.ways.iter().position(|way| way.is_of(fill)).unwrap_or_else(|| {
            self.ways.push(Way::of(fill, instrument));
            self.ways.len() - 1
        });
        &mut self.ways[at]
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
        let first = || Executed { newest: fill.trade_date, ways: vec![Way::of(fill, instrument)] };
        let mut executed = self.0.get(&order).cloned().unwrap_or_else(first);
        executed.newest = executed.newest.max(fill.trade_date);
        let way = executed.way_of(fill, instrument);
        if way.quantity.is_zero() {
            (way.first_at, way.last_at) = (fill.transact_time, fill.transact_time);
        }
        way.known = false;
        way.claimed = way.claimed.max(fill.cum_qty);
        way.first_at = way.first_at.min(fill.transact_time);
        way.last_at = way.last_at.max(fill.transact_time);
        way.count(execution, 1)?;
        Ok(executed)
    }
    /// The sum after an execution became another, or none, as a fill tells that is of the same instrument and direction and
    /// whose cumulative quantity is what the order's executions add up to by the sender. `None` where the order is not known
    /// any more. Errors: sums beyond what is published.
    pub fn amended(
        &self,
        order: OrderId,
        (fill, was): (&FillRef<'_>, &Execution),
        now: Option<&Execution>,
    ) -> Result<Option<Executed>, FixedError> {
        let Some(mut executed) = self.0.get(&order).cloned() else { return Ok(None) };
        let Some(way) = executed.ways.iter_mut().find(|way| way.is_of(fill)) else { return Ok(None) };
        let before = way.quantity;
        way.count(was, -1)?;
        now.map_or(Ok(()), |now| way.count(now, 1))?;
        let changed = |claimed: Quantity| Quantity::from_units((claimed.units() + way.quantity.units() - before.units()).max(0));
        way.claimed = way.claimed.map(changed);
        // Nothing of a way that was taken back whole is left to contradict the others.
        if executed.ways.iter().any(|way| !way.quantity.is_zero()) {
            executed.ways.retain(|way| !way.quantity.is_zero());
        }
        // What the sender says now is of the whole order, and all that was said before is out of date.
        if fill.cum_qty.is_some() {
            executed.ways[0].claimed = fill.cum_qty;
        }
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
        // Where fills of another order came first, the number tells which are this one's.
        let meant = executed.ways.iter().position(|way| !way.quantity.is_zero() && way.quantity == quantity);
        let own = meant.unwrap_or_else(|| executed.own_at());
        executed.ways[..=own].rotate_right(1);
        executed.ways.iter_mut().for_each(|way| way.known = true);
        let own = &mut executed.ways[0];
        own.claimed = Some(quantity).filter(|quantity| *quantity >= own.quantity);
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
        orders.0[&order()].own().quantity.to_string()
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
        let told = |orders: &RecentOrders| (booked(orders), orders.0[&order()].own().notional.to_string());
        assert_eq!(told(&orders), ("25".into(), "252.5".into()));
        let corrected = orders.amended(order(), (&second.view(), &execution(&second)), Some(&execution(&at("11", "6")))).unwrap().unwrap();
        orders.keep(order(), corrected);
        assert_eq!(told(&orders), ("26".into(), "266".into()));
        let cancelled = orders.amended(order(), (&first.view(), &execution(&first)), None).unwrap().unwrap();
        orders.keep(order(), cancelled);
        assert_eq!(told(&orders), ("6".into(), "66".into()));
    }

    fn cancel(orders: &mut RecentOrders, fill: &Fill) {
        let executed = orders.amended(order(), (&fill.view(), &execution(fill)), None).unwrap().unwrap();
        orders.keep(order(), executed);
    }
    fn told(orders: &RecentOrders) -> String {
        let own = orders.0[&order()].own();
        format!("{} {} {}{}", own.side, own.quantity, own.instrument, if orders.contradict() { " ?" } else { "" })
    }

    #[test]
    fn a_strange_fill_that_is_cancelled_leaves_the_order_as_it_was() {
        let (right, wrong) = (fill("SELL", "A", "20", ""), fill("BUY", "B", "5", ""));
        // Whichever came first, and whether or not a person spoke in between.
        for (first, second) in [(&right, &wrong), (&wrong, &right)] {
            for spoken in [false, true] {
                let mut orders = RecentOrders::default();
                take(&mut orders, first);
                take(&mut orders, second);
                assert!(orders.contradict());
                if spoken {
                    assert!(orders.reconcile(order(), orders.0[&order()].own().quantity));
                    assert!(!orders.contradict());
                }
                cancel(&mut orders, &wrong);
                assert_eq!(told(&orders), "SELL 20 A");
                assert_eq!(orders.0[&order()].own().notional.to_string(), "20");
            }
        }
    }

    #[test]
    fn a_person_says_by_the_number_which_fills_are_the_order_s() {
        let (right, wrong) = (fill("SELL", "A", "20", ""), fill("BUY", "B", "5", ""));
        for (first, second) in [(&right, &wrong), (&wrong, &right)] {
            let mut orders = RecentOrders::default();
            take(&mut orders, first);
            take(&mut orders, second);
            assert!(orders.reconcile(order(), "20".parse().unwrap()));
            assert_eq!(told(&orders), "SELL 20 A");
        }
    }

    #[test]
    fn a_cancel_that_says_what_the_whole_order_comes_to_is_believed() {
        let counted = [
            fill("SELL", "A", "15", r#","cum_qty":"15""#),
            fill("BUY", "B", "5", r#","cum_qty":"20""#),
            fill("SELL", "A", "5", r#","cum_qty":"25""#),
        ];
        let mut orders = RecentOrders::default();
        counted.iter().for_each(|fill| take(&mut orders, fill));
        cancel(&mut orders, &fill("BUY", "B", "5", r#","cum_qty":"20""#));
        assert_eq!(told(&orders), "SELL 20 A");
    }

    #[test]
    fn a_strange_fill_after_a_person_spoke_is_strange_again() {
        let mut orders = RecentOrders::default();
        let wrong = fill("BUY", "B", "5", "");
        [fill("SELL", "A", "20", ""), wrong.clone()].iter().for_each(|fill| take(&mut orders, fill));
        assert!(orders.reconcile(order(), "20".parse().unwrap()));
        take(&mut orders, &wrong);
        assert_eq!(told(&orders), "SELL 20 A ?");
        cancel(&mut orders, &wrong);
        assert_eq!(told(&orders), "SELL 20 A ?", "one of the two is there still");
        cancel(&mut orders, &wrong);
        assert_eq!(told(&orders), "SELL 20 A");
        cancel(&mut orders, &fill("SELL", "A", "20", ""));
        assert_eq!(told(&orders), "SELL 0 A");
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
