//! `portfolio.closes.v1`: a portfolio's day at its day cut. Amounts are in the base currency.

use crate::ledger::CurrencyAmount;
use crate::{Date, FxRate, InstrumentId, Money, PortfolioId, Price, Quantity, SmolStr};
use serde::{Deserialize, Serialize};

/// A holding at the cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedPosition {
    /// Instrument.
    pub instrument_id: InstrumentId,
    /// Signed units.
    pub quantity: Quantity,
    /// In the instrument's currency.
    pub price: Option<Price>,
    /// Units of base for one of its currency.
    pub fx_rate: Option<FxRate>,
    /// Market value.
    pub value: Money,
}

/// One day of one portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortfolioClose {
    /// Portfolio; also the record's key.
    pub portfolio_id: PortfolioId,
    /// Its day.
    pub date: Date,
    /// Rises by one with each close of that day.
    pub version: i64,
    /// Equity at the cut.
    pub equity: Money,
    /// Net external flows of the day.
    pub net_external_flow: Money,
    /// Holdings.
    pub positions: Vec<ClosedPosition>,
    /// By currency.
    pub cash: Vec<CurrencyAmount>,
    /// Whether every price was there.
    pub complete: bool,
    /// Why it is not complete.
    pub incomplete_reason: Option<SmolStr>,
    /// Whether later records may still change it.
    pub provisional: bool,
    /// The version that it replaces.
    pub restates: Option<i64>,
}
