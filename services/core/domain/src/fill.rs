//! `execution.fills.v1`: one execution, its cancellation or its correction.
//! Checks that need only the record itself are the receiver's; this file holds the shape.

use crate::enums::{ExecType, Side};
use crate::{Currency, Date, FixedError, FxRate, InstrumentId, Money, OrderId, PortfolioId, Price, Quantity, StrategyId, Timestamp};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use smol_str::SmolStr;

/// One fee of an execution (FIX 12/13, 136–139).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// What it is for, in the sender's words: commission, stamp duty, exchange.
    #[serde(rename = "type")]
    pub kind: SmolStr,
    /// Amount in `currency`; negative is a rebate.
    pub amount: Money,
    /// Its currency, or the instrument's base asset.
    pub currency: Currency,
}

/// An execution report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fill {
    /// The system that sent it; execution ids are unique within it and a trade date.
    pub source: SmolStr,
    /// Execution id (FIX 17).
    pub exec_id: SmolStr,
    /// Business date (FIX 75).
    pub trade_date: Date,
    /// TRADE, CORRECT or CANCEL (FIX 150).
    pub exec_type: ExecType,
    /// The execution that a CORRECT or CANCEL names (FIX 19).
    #[serde(default)]
    pub exec_ref_id: Option<SmolStr>,
    /// Portfolio (FIX 1); also the record's key.
    pub portfolio_id: PortfolioId,
    /// Instrument (FIX 55 with 48/22).
    pub instrument_id: InstrumentId,
    /// Market identifier code (FIX 207/30).
    #[serde(default)]
    pub venue: Option<SmolStr>,
    /// BUY, SELL, SELL_SHORT (FIX 54).
    pub side: Side,
    /// Units executed (FIX 32); positive.
    pub quantity: Quantity,
    /// Price per unit (FIX 31) in `currency`.
    pub price: Price,
    /// Currency of price and gross amount (FIX 15).
    pub currency: Currency,
    /// Fees, each in its own currency.
    #[serde(default)]
    pub fees: SmallVec<[Fee; 1]>,
    /// Settlement date (FIX 64).
    #[serde(default)]
    pub settle_date: Option<Date>,
    /// Units of the portfolio's base currency for one of `currency` (FIX 155); null takes the mark rate.
    #[serde(default)]
    pub fx_rate: Option<FxRate>,
    /// Our order (FIX 11), where it fills one.
    #[serde(default)]
    pub order_id: Option<OrderId>,
    /// Strategy that it is attributed to.
    #[serde(default)]
    pub strategy: Option<StrategyId>,
    /// Cumulative quantity of the order after this execution (FIX 14).
    #[serde(default)]
    pub cum_qty: Option<Quantity>,
    /// Cost and cash where given (FIX 381), positive; the price is then rounded.
    #[serde(default)]
    pub gross_amount: Option<Money>,
    /// Accrued interest (FIX 159), part of the cash.
    #[serde(default)]
    pub accrued_interest: Option<Money>,
    /// When it was executed (FIX 60).
    pub transact_time: Timestamp,
    /// When the sender received it.
    #[serde(default)]
    pub received_at: Option<Timestamp>,
}

/// A fee of a [`FillRef`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeRef<'a> {
    /// As [`Fee::kind`].
    pub kind: &'a str,
    /// As [`Fee::amount`].
    pub amount: Money,
    /// As [`Fee::currency`].
    pub currency: Currency,
}

/// An execution report whose texts lie elsewhere: in a [`Fill`], or in the bytes of its record. Its fields are those of
/// a [`Fill`]; of its ids a reader says whether they were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each field is that of a Fill")]
pub struct FillRef<'a> {
    pub source: &'a str,
    pub exec_id: &'a str,
    pub trade_date: Date,
    pub exec_type: ExecType,
    pub exec_ref_id: Option<&'a str>,
    pub portfolio_id: &'a str,
    pub instrument_id: &'a str,
    pub venue: Option<&'a str>,
    pub side: Side,
    pub quantity: Quantity,
    pub price: Price,
    pub currency: Currency,
    pub fees: SmallVec<[FeeRef<'a>; 1]>,
    pub settle_date: Option<Date>,
    pub fx_rate: Option<FxRate>,
    pub order_id: Option<OrderId>,
    pub strategy: Option<StrategyId>,
    pub cum_qty: Option<Quantity>,
    pub gross_amount: Option<Money>,
    pub accrued_interest: Option<Money>,
    pub transact_time: Timestamp,
    pub received_at: Option<Timestamp>,
}

impl Fill {
    /// The same, its texts borrowed.
    pub fn view(&self) -> FillRef<'_> {
        FillRef {
            source: &self.source,
            exec_id: &self.exec_id,
            trade_date: self.trade_date,
            exec_type: self.exec_type,
            exec_ref_id: self.exec_ref_id.as_deref(),
            portfolio_id: self.portfolio_id.as_str(),
            instrument_id: self.instrument_id.as_str(),
            venue: self.venue.as_deref(),
            side: self.side,
            quantity: self.quantity,
            price: self.price,
            currency: self.currency,
            fees: self.fees.iter().map(|fee| FeeRef { kind: &fee.kind, amount: fee.amount, currency: fee.currency }).collect(),
            settle_date: self.settle_date,
            fx_rate: self.fx_rate,
            order_id: self.order_id,
            strategy: self.strategy.clone(),
            cum_qty: self.cum_qty,
            gross_amount: self.gross_amount,
            accrued_interest: self.accrued_interest,
            transact_time: self.transact_time,
            received_at: self.received_at,
        }
    }
    /// +quantity for a buy, −quantity for a sell or short sell.
    pub fn signed_quantity(&self) -> Result<Quantity, FixedError> {
        signed(self.side, self.quantity)
    }
}

impl FillRef<'_> {
    /// +quantity for a buy, −quantity for a sell or short sell.
    pub fn signed_quantity(&self) -> Result<Quantity, FixedError> {
        signed(self.side, self.quantity)
    }
}

fn signed(side: Side, quantity: Quantity) -> Result<Quantity, FixedError> {
    match side {
        Side::Buy => Ok(quantity),
        _ => quantity.checked_neg(),
    }
}
