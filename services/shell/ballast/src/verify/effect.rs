//! What one input does to a book, in exact ratios, and what those do that change no holding: cash entries, and executions
//! of a currency pair. What the model cannot book it says, and the portfolio is left out of the comparison from there on.

use super::exact::{Exact, Published, whole, zero};
use super::owed::{Debts, owe};
use super::worth::Worth;
use domain::cash::CashEntry;
use domain::enums::{CashKind, Side};
use domain::fill::Fill;
use domain::instrument::Instrument;
use domain::{Currency, Date};
use std::collections::BTreeMap;

/// Amounts by currency.
pub(super) type Amounts = BTreeMap<Currency, Exact>;

/// Adds to the amount of a currency.
pub(super) fn put(amounts: &mut Amounts, currency: Currency, amount: &Exact) {
    let held = amounts.entry(currency).or_insert_with(zero);
    *held += amount;
}

/// What one input does.
#[derive(Debug, Clone)]
pub(super) struct Effect {
    pub(super) quantity: Exact,
    pub(super) cash: Amounts,
    pub(super) realized: Exact,
    /// In the instrument's currency; without one, in the entry's.
    pub(super) income: Worth,
    pub(super) fees: Amounts,
    /// Money across the portfolio's boundary, with its currency.
    pub(super) flow: Option<(Currency, Exact)>,
    /// What dividends have earned and is not paid yet.
    pub(super) owed: Debts,
    /// Trades that it closes, by trade date.
    pub(super) closes: BTreeMap<Date, i64>,
}

impl Effect {
    pub(super) fn none() -> Self {
        let (cash, fees, owed) = (Amounts::new(), Amounts::new(), Debts::new());
        Self { quantity: zero(), cash, realized: zero(), income: Worth::none(), fees, flow: None, owed, closes: BTreeMap::new() }
    }
    /// Adds another, or takes it away.
    pub(super) fn add(&mut self, other: &Effect, sign: i128) {
        let of = |amount: &Exact| amount * whole(sign);
        self.quantity += of(&other.quantity);
        self.realized += of(&other.realized);
        self.income.add(&other.income, sign);
        other.cash.iter().for_each(|(currency, amount)| put(&mut self.cash, *currency, &of(amount)));
        other.fees.iter().for_each(|(currency, amount)| put(&mut self.fees, *currency, &of(amount)));
        other.owed.iter().for_each(|(action, owed)| owe(&mut self.owed, action, owed, sign));
        other.closes.iter().for_each(|(date, trades)| *self.closes.entry(*date).or_default() += if sign < 0 { -trades } else { *trades });
        if let Some((currency, amount)) = &other.flow {
            let held = self.flow.take().map_or_else(zero, |(_, held)| held);
            self.flow = Some((*currency, held + of(amount)));
        }
    }
}

/// What a cash entry without securities does, or why the model cannot say.
pub(super) fn payment(entry: &CashEntry) -> Result<Effect, String> {
    if entry.reverses.is_some() || entry.quantity.is_some() {
        return Err(format!("{} entry {} with a reversal or securities", entry.kind, entry.entry_id));
    }
    let mut effect = Effect::none();
    let amount = entry.amount.exact();
    let flow = |amount: &Exact| Some((entry.currency, amount.clone()));
    let change = match entry.kind {
        CashKind::Deposit | CashKind::TransferIn => {
            effect.flow = flow(&amount);
            amount
        }
        CashKind::Withdrawal | CashKind::TransferOut => {
            effect.flow = flow(&-&amount);
            -amount
        }
        CashKind::Fee => {
            put(&mut effect.fees, entry.currency, &amount);
            -amount
        }
        CashKind::Interest | CashKind::Dividend => {
            effect.income = Worth::of(amount.clone());
            amount
        }
        CashKind::Unknown => return Err(format!("entry {} of kind {}", entry.entry_id, entry.kind)),
    };
    put(&mut effect.cash, entry.currency, &change);
    Ok(effect)
}

/// Whether an entry stands in the figures of the instrument that it names.
pub(super) fn is_beside(kind: CashKind) -> bool {
    matches!(kind, CashKind::Fee | CashKind::Interest | CashKind::Dividend)
}

/// + for a buy, − for a sell.
pub(super) fn signed_quantity(fill: &Fill) -> Exact {
    if fill.side == Side::Buy { fill.quantity.exact() } else { -fill.quantity.exact() }
}

/// An execution of a currency pair: one currency comes, the other goes.
pub(super) fn pair(fill: &Fill, instrument: &Instrument) -> Result<Effect, String> {
    let named = instrument.instrument_id.as_str().split_once('/').and_then(|(base, _)| Currency::new(base).ok());
    let base = instrument.base_asset.or(named).ok_or_else(|| format!("{} is a pair without a base asset", instrument.instrument_id))?;
    let mut effect = Effect::none();
    let units = signed_quantity(fill);
    let gross =
        fill.gross_amount.map_or_else(|| fill.quantity.exact() * fill.price.exact() * instrument.multiplier.exact(), Published::exact);
    put(&mut effect.cash, base, &(&units * instrument.multiplier.exact()));
    put(&mut effect.cash, fill.currency, &if units < zero() { gross } else { -gross });
    for fee in &fill.fees {
        put(&mut effect.cash, fee.currency, &-fee.amount.exact());
        put(&mut effect.fees, fee.currency, &fee.amount.exact());
    }
    Ok(effect)
}
