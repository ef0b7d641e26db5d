//! What is kept of a portfolio's close: figures of the day, and the value of each holding.

use crate::tracker::market::Cut;
use domain::enums::InstrumentType;
use domain::portfolio_close::{ClosedPosition, ClosedStrategy, PortfolioClose};
use domain::{Currency, Date, InstrumentId, Money, Quantity, StrategyId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A holding at a cut, in the base currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mark {
    /// What it is worth.
    pub value: Money,
    /// What moves with its price: of a FUTURE the notional, else the value.
    pub exposure: Money,
}

impl From<&ClosedPosition> for Mark {
    fn from(position: &ClosedPosition) -> Self {
        let notional = || {
            let price = position.price?;
            let value = position.quantity.times(price).ok()?.multiply(position.multiplier.unwrap_or(Quantity::ONE)).ok()?;
            value.convert(position.fx_rate?).ok()?.to_money().ok()
        };
        let exposure = if position.kind == InstrumentType::Future { notional().unwrap_or_default() } else { position.value };
        Self { value: position.value, exposure }
    }
}

/// What each strategy's holding was worth.
type Strategies = BTreeMap<(InstrumentId, Option<StrategyId>), Money>;

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
    /// What each strategy's holding was worth, of instruments in which they are told apart. `None` of a close that does not
    /// tell it.
    strategies: Option<Strategies>,
}

impl Closed {
    /// What each strategy's holding of a line was worth; all of it is of none where they are not told apart. Plain cash is
    /// nobody's. `None` of a close that does not say.
    pub fn by_strategy(&self, line: Option<&InstrumentId>) -> Option<BTreeMap<Option<&StrategyId>, Money>> {
        let Some(line) = line else { return Some(BTreeMap::new()) };
        let rows = self.strategies.as_ref()?.range((line.clone(), None)..).take_while(|((of, _), _)| of == line);
        let mut worth: BTreeMap<_, _> = rows.map(|((_, strategy), worth)| (strategy.as_ref(), *worth)).collect();
        if worth.is_empty() {
            worth.extend(self.marks.get(line).map(|mark| (None, mark.value)));
        }
        Some(worth)
    }
    /// Instruments that it tells of.
    pub fn lines(&self) -> impl Iterator<Item = &InstrumentId> {
        self.marks.keys().chain(self.strategies.iter().flatten().map(|((line, _), _)| line))
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
            strategies: close.strategies.as_deref().map(by_strategy),
            marks: close.positions.iter().map(|position| (position.instrument_id.clone(), position.into())).collect(),
        }
    }
}

/// The rows of a close; what cannot be valued counts nothing, as its line does. Of a line of which only the residual is left nothing is of none.
fn by_strategy(rows: &[ClosedStrategy]) -> Strategies {
    let mut worth = Strategies::new();
    for row in rows {
        let owner = (row.instrument_id.clone(), row.strategy.clone());
        if row.residual {
            worth.entry(owner).or_insert(Money::ZERO);
        } else {
            worth.insert(owner, row.value.unwrap_or_default());
        }
    }
    worth
}
