//! What is owed of dividends on a line, earned and not paid, and what entries settle of it: under the policy CASH an
//! entry that names the action takes all that is owed of it then, and only what it differs by is income.

use super::effect::{Amounts, Effect, payment, put};
use super::exact::{Published, whole, zero};
use super::worth::{Turned, Worth};
use domain::SmolStr;
use domain::cash::CashEntry;
use domain::enums::CashKind;
use domain::instrument::Instrument;
use std::collections::BTreeMap;

/// What is owed of one dividend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owed {
    /// As it will be paid.
    pub(super) amounts: Amounts,
    /// What it counted as income, in the instrument's currency.
    pub(super) income: Worth,
}

impl Owed {
    /// Nothing.
    pub(super) fn none() -> Self {
        Self { amounts: Amounts::new(), income: Worth::none() }
    }
    /// Adds another so many times.
    pub(super) fn add(&mut self, other: &Self, times: i128) {
        other.amounts.iter().for_each(|(currency, amount)| put(&mut self.amounts, *currency, &(amount * whole(times))));
        self.income.add(&other.income, times);
    }
    /// Whether nothing is owed.
    pub(super) fn is_nothing(&self) -> bool {
        self.amounts.values().chain(self.income.amounts()).all(|amount| *amount == zero())
    }
}

/// By action.
pub(super) type Debts = BTreeMap<SmolStr, Owed>;

/// Adds to what is owed of one.
pub(super) fn owe(debts: &mut Debts, action: &SmolStr, owed: &Owed, times: i128) {
    debts.entry(action.clone()).or_insert_with(Owed::none).add(owed, times);
}

/// What an entry beside an instrument was booked with.
#[derive(Debug, Clone)]
pub(super) struct Papers {
    /// What its amount was turned by, where it is in another currency than the instrument.
    pub(super) turned: Option<Turned>,
    /// What was owed of the dividend that it pays.
    pub(super) settles: Debts,
}

/// What an entry beside an instrument does; the second is its fee in the instrument's currency.
pub(super) fn beside(entry: &CashEntry, instrument: &Instrument, papers: &Papers) -> Result<(Effect, Worth), String> {
    let mut effect = payment(entry)?;
    let amount = match &papers.turned {
        Some(by) if entry.currency != instrument.currency => Worth::abroad(by.clone(), entry.currency, entry.amount.exact()),
        _ => Worth::of(entry.amount.exact()),
    };
    if entry.kind == CashKind::Fee {
        return Ok((effect, amount));
    }
    effect.income = amount;
    for (action, owed) in &papers.settles {
        effect.income.add(&owed.income, -1);
        owe(&mut effect.owed, action, owed, -1);
    }
    Ok((effect, Worth::none()))
}
