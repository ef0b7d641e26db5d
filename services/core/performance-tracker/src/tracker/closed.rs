//! What is kept of a portfolio's close: figures of the day, and the value of each holding.

use crate::tracker::deeds::Owner;
use crate::tracker::figures::units;
use crate::tracker::market::{Cut, Market};
use domain::enums::InstrumentType;
use domain::portfolio_close::{ClosedPosition, PortfolioClose};
use domain::{Amount, Currency, Date, FxRate, InstrumentId, Money, Quantity, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A holding at a cut, in the base currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mark {
    /// Signed units.
    pub quantity: Quantity,
    /// What it is worth.
    pub value: Money,
    /// What moves with its price: of a FUTURE the notional, else the value.
    pub exposure: Money,
}

impl Mark {
    /// What so many of its units are worth by their exposure; `None` beyond the range of amounts, and of a line that holds
    /// none: that says nothing of what one is worth.
    pub fn share(&self, units: Quantity) -> Option<Amount> {
        let value = Amount::from(self.exposure);
        if units == self.quantity { Some(value) } else { value.share(units, self.quantity).ok() }
    }
}

impl From<&ClosedPosition> for Mark {
    fn from(position: &ClosedPosition) -> Self {
        let notional = || {
            let price = position.price?;
            let value = position.quantity.times(price).ok()?.multiply(position.multiplier.unwrap_or(Quantity::ONE)).ok()?;
            value.convert(position.fx_rate?).ok()?.to_money().ok()
        };
        let exposure = if position.kind == InstrumentType::Future { notional().unwrap_or_default() } else { position.value };
        Self { quantity: position.quantity, value: position.value, exposure }
    }
}

/// A day that was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Its day.
    pub date: Date,
    /// Version of its newest close.
    pub version: i64,
    /// Equity.
    pub equity: Money,
    /// Net external flows since the close before.
    pub flow: Money,
    /// What cash and receivables are worth.
    pub cash: Money,
    /// Base currency.
    pub base: Option<Currency>,
    /// Whether something is missing.
    pub provisional: bool,
    /// When it was cut.
    pub cut_at: Timestamp,
    /// When this version was made; what was booked later is not in it.
    pub as_of: Timestamp,
    /// Policy in force.
    pub policy_version: Option<i64>,
    /// Its holdings.
    pub marks: BTreeMap<InstrumentId, Mark>,
    /// What one unit was worth, of instruments of which nothing was held and strategies' long and short cancelled out.
    flat: BTreeMap<InstrumentId, FxRate>,
}

impl Closed {
    /// Notes what one unit was worth of lines that strategies held and the close does not name: what the market says of
    /// the cut is known now, and not any more when the next day is told.
    pub fn price_flat<'a>(&mut self, held: impl Iterator<Item = &'a Owner>, market: &Market, base: Currency) {
        for line in held.filter_map(|(line, _)| line.as_ref()) {
            if self.marks.contains_key(line) || self.flat.contains_key(line) {
                continue;
            }
            let unit = market.unit_value(line, self.base.unwrap_or(base), &self.cut());
            let unit = unit.and_then(|unit| units(unit, FxRate::ONE.units()));
            self.flat.extend(unit.map(|unit| (line.clone(), FxRate::from_units(unit))));
        }
    }
    /// What one unit was worth of such a line.
    pub fn unit(&self, line: &InstrumentId) -> Option<FxRate> {
        self.flat.get(line).copied()
    }
    /// Its cut.
    pub const fn cut(&self) -> Cut {
        Cut { day: self.date, at: self.cut_at }
    }
    /// What is kept of a close; one of release 1 names no moment, and counts as cut at the end of its day.
    pub fn of(close: &PortfolioClose) -> Self {
        let of_cash = close.currencies.iter().map(|value| value.cash_value.units() + value.receivables_value.units());
        Self {
            date: close.date,
            version: close.version,
            equity: close.equity,
            flow: close.net_external_flow,
            cash: Money::from_units(of_cash.sum()),
            base: close.base_currency,
            provisional: close.provisional,
            cut_at: close.cut_at.unwrap_or_else(|| close.date.plus_days(1).start_utc()),
            as_of: close.as_of.unwrap_or(Timestamp::LAST),
            policy_version: close.policy_version,
            flat: BTreeMap::new(),
            marks: close.positions.iter().map(|position| (position.instrument_id.clone(), position.into())).collect(),
        }
    }
}
