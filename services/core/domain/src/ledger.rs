//! `portfolio.ledger.v1`: what one portfolio booked in one step, and where its touched positions stand after.

use crate::enums::EntryKind;
use crate::{Currency, Date, FixedError, FxRate, InstrumentId, Money, PortfolioId, Price, Quantity, SmolStr, StrategyId, Timestamp, Topic};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// An amount in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrencyAmount {
    /// Currency.
    pub currency: Currency,
    /// Amount.
    pub amount: Money,
}

/// The input record that caused an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Topic.
    pub topic: Topic,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Execution id, entry id or action id.
    pub id: SmolStr,
}

/// A lot of a position whose method keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    /// Execution that opened it.
    pub exec_id: SmolStr,
    /// Its trade date.
    pub trade_date: Date,
    /// Signed units left.
    pub quantity: Quantity,
    /// Cost of these units, in the instrument's currency.
    pub cost: Money,
}

/// One booking. Amounts are in the instrument's currency unless a currency stands beside them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// What it is.
    pub kind: EntryKind,
    /// What caused it.
    pub cause: Cause,
    /// Instrument; null for plain cash.
    pub instrument_id: Option<InstrumentId>,
    /// Strategy.
    pub strategy: Option<StrategyId>,
    /// Venue.
    pub venue: Option<SmolStr>,
    /// Trade date.
    pub trade_date: Option<Date>,
    /// When it takes effect.
    pub effective_at: Timestamp,
    /// When it was executed.
    pub transact_time: Option<Timestamp>,
    /// Signed change of units.
    pub quantity_change: Quantity,
    /// Price per unit.
    pub price: Option<Price>,
    /// Units of base for one of the instrument's currency.
    pub fx_rate: Option<FxRate>,
    /// Change of cash by currency.
    pub cash: SmallVec<[CurrencyAmount; 1]>,
    /// Profit realised by this entry, before fees.
    pub realized_gross: Money,
    /// Fees, in their currencies.
    pub fees: SmallVec<[CurrencyAmount; 1]>,
    /// Dividends, interest, accrued interest.
    pub income: Money,
    /// Net flow across the portfolio's boundary, in the base currency.
    pub external_flow: Money,
    /// Equity before a flow, in the base currency; null where there is no flow or a price is missing.
    pub equity_before: Option<Money>,
    /// What it did by strategy, where its line has sub-positions; empty where all of it is of `strategy`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_strategy: Vec<StrategyChange>,
    /// Trades that it closed, by trade date; of an amendment, what they are more than was told before.
    #[serde(default, skip_serializing_if = "SmallVec::is_empty")]
    pub closed_trades: SmallVec<[ClosedTrades; 1]>,
    /// The same in the base currency; `None` where `fx_rate` is one or `None`, all amounts are in one currency, these are the
    /// entry's own amounts, and what it brought is its cash less its external flow. `None` in entries of earlier builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_base: Option<Box<InBase>>,
}

impl LedgerEntry {
    /// What the entry's own amounts come to where they are in the base currency, and it brought what its cash says. `None`
    /// with another rate than one, and with amounts in several currencies.
    pub fn as_it_stands(&self) -> Option<InBase> {
        let mut currencies = self.cash.iter().chain(&self.fees).map(|leg| leg.currency);
        let first = currencies.next();
        if self.fx_rate.is_some_and(|rate| rate != FxRate::ONE) || currencies.any(|other| Some(other) != first) {
            return None;
        }
        let sum = |amounts: &[CurrencyAmount]| amounts.iter().try_fold(Money::ZERO, |sum, leg| sum.checked_add(leg.amount)).ok();
        let proceeds = sum(&self.cash)?.checked_sub(self.external_flow).ok()?;
        Some(InBase { realized_gross: self.realized_gross, fees: sum(&self.fees)?, income: self.income, proceeds })
    }
}

/// What an entry came to in the base currency, at the rates of booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InBase {
    /// Profit realised before fees.
    pub realized_gross: Money,
    /// Fees.
    pub fees: Money,
    /// Dividends, interest, accrued interest.
    pub income: Money,
    /// What came in less what went out, external flows left out: below zero for a purchase. A dividend counts when it is
    /// earned, whenever it is paid, and securities that cross the boundary at what they are worth.
    pub proceeds: Money,
}

/// Closed trades of one trade date, or what they are more than was told before: all counts and sums over all entries add
/// up to what stands. A closed trade is an execution that closes units; it comes to the profit that it realised less its
/// own fees, in the base currency at the rates of booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedTrades {
    /// Trade date of the executions that closed units.
    pub trade_date: Date,
    /// Trades that came to more than nothing.
    pub winning: i64,
    /// Trades that came to less than nothing.
    pub losing: i64,
    /// Trades that came to exactly nothing.
    pub even: i64,
    /// Sum of the winning ones.
    pub gross_profit: Money,
    /// Sum of the losing ones; negative.
    pub gross_loss: Money,
}

impl ClosedTrades {
    /// None, of that date.
    pub const fn none(trade_date: Date) -> Self {
        Self { trade_date, winning: 0, losing: 0, even: 0, gross_profit: Money::ZERO, gross_loss: Money::ZERO }
    }
    /// One trade that came to so much.
    pub fn one(trade_date: Date, net: Money) -> Self {
        match net.units() {
            1.. => Self { winning: 1, gross_profit: net, ..Self::none(trade_date) },
            0 => Self { even: 1, ..Self::none(trade_date) },
            _ => Self { losing: 1, gross_loss: net, ..Self::none(trade_date) },
        }
    }
    /// Adds others, or with a negative sign takes them away, whatever their date; sums may leave the range of records. On an
    /// error it is to be thrown away.
    pub fn add(&mut self, other: &Self, sign: i64) -> Result<(), FixedError> {
        let count = |own: i64, other: i64| own.checked_add(sign * other).ok_or(FixedError::Overflow);
        let sum = |own: Money, other: Money| if sign < 0 { own.checked_sub(other) } else { own.checked_add(other) };
        self.winning = count(self.winning, other.winning)?;
        self.losing = count(self.losing, other.losing)?;
        self.even = count(self.even, other.even)?;
        self.gross_profit = sum(self.gross_profit, other.gross_profit)?;
        self.gross_loss = sum(self.gross_loss, other.gross_loss)?;
        Ok(())
    }
    /// Whether a record can tell the sums.
    pub const fn fit_wire(&self) -> bool {
        self.gross_profit.fits_wire() && self.gross_loss.fits_wire()
    }
    /// Whether they change nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::none(self.trade_date)
    }
}

/// What an entry did to the sub-position of one strategy, at its own average, or what that left. Amounts are in the
/// base currency at the rates of booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyChange {
    /// Strategy; null for what is of none.
    pub strategy: Option<StrategyId>,
    /// Whether it is what all strategies together leave of the entry.
    pub residual: bool,
    /// Signed change of units.
    pub quantity_change: Quantity,
    /// Profit realised before fees.
    pub realized_gross: Money,
    /// Fees.
    pub fees: Money,
    /// Dividends, interest, accrued interest.
    pub income: Money,
    /// What came in less what went out, as of the whole entry; `None` in entries of earlier builds.
    #[serde(default)]
    pub proceeds: Option<Money>,
}

/// A position after the step; amounts in the instrument's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionState {
    /// Instrument.
    pub instrument_id: InstrumentId,
    /// The instrument's currency.
    pub currency: Currency,
    /// Signed units held.
    pub quantity: Quantity,
    /// Signed cost of what is held.
    pub cost: Money,
    /// cost ÷ (quantity × multiplier); null when flat.
    pub average_price: Option<Price>,
    /// Cumulative.
    pub realized_gross: Money,
    /// Cumulative, by currency.
    pub fees: SmallVec<[CurrencyAmount; 1]>,
    /// Cumulative.
    pub income: Money,
    /// realized_gross − fees + income, fees at the rates of their booking, in the instrument's currency.
    pub realized_net: Money,
    /// Since the position was last flat.
    pub cycle_realized_gross: Money,
    /// Since the position was last flat, in the instrument's currency.
    pub cycle_fees: Money,
    /// Since the position was last flat.
    pub cycle_income: Money,
    /// Lots in booking order, where the method keeps them.
    pub lots: Vec<Lot>,
}

/// The entries of one portfolio in one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Portfolio; also the record's key.
    pub portfolio_id: PortfolioId,
    /// Rises by one with each record of the portfolio.
    pub version: i64,
    /// In booking order.
    pub entries: Vec<LedgerEntry>,
    /// Positions that these entries touched, by instrument id.
    pub positions: Vec<PositionState>,
    /// Every cash balance after them, by currency.
    pub cash: Vec<CurrencyAmount>,
}
