//! Positions at their average cost, and cash. Fees stay outside the average; a fill larger than the position closes it and
//! opens the rest; the cost that a reduction releases is rounded half-even at eighteen decimals.

use crate::fill::Fill;
use rust_decimal::{Decimal, RoundingStrategy};
use std::collections::HashMap;

const EXACT: u32 = 18;

/// A position.
#[derive(Debug, Clone, Default)]
pub struct Position {
    pub quantity: Decimal,
    pub cost: Decimal,
    pub realized: Decimal,
    pub fees: Decimal,
}

/// Everything that is held.
#[derive(Default)]
pub struct Book {
    pub positions: HashMap<(String, String), Position>,
    pub cash: HashMap<String, Decimal>,
    pub prices: HashMap<String, Decimal>,
}

impl Book {
    /// Keeps the newest price of an instrument.
    pub fn price(&mut self, (instrument, last): (String, Option<Decimal>)) {
        if let Some(last) = last {
            self.prices.insert(instrument, last);
        }
    }

    /// Books a fill: what it realised, the position and the cash after it.
    pub fn trade(&mut self, fill: &Fill) -> (Decimal, Position, Decimal) {
        let position = self.positions.entry((fill.portfolio.clone(), fill.instrument.clone())).or_default();
        let realized = position.trade(fill.quantity, fill.price);
        position.fees += fill.fees;
        let cash = self.cash.entry(fill.portfolio.clone()).or_default();
        *cash -= fill.quantity * fill.price + fill.fees;
        (realized, position.clone(), *cash)
    }
}

impl Position {
    fn trade(&mut self, change: Decimal, price: Decimal) -> Decimal {
        if self.quantity.is_zero() || self.quantity.is_sign_positive() == change.is_sign_positive() {
            self.quantity += change;
            self.cost += change * price;
            return Decimal::ZERO;
        }
        let (held, size) = (self.quantity.abs(), change.abs());
        let closed = size.min(held);
        let released = if closed == held {
            self.cost
        } else {
            (self.cost * closed / held).round_dp_with_strategy(EXACT, RoundingStrategy::MidpointNearestEven)
        };
        let signed = if change.is_sign_negative() { -closed } else { closed };
        let gain = -signed * price - released;
        let rest = change - signed;
        self.quantity += change;
        self.cost = if rest.is_zero() { self.cost - released } else { rest * price };
        self.realized += gain;
        gain
    }
}
