//! Splits and dividends of an instrument, as its prices show them.

use domain::corporate_action::CorporateAction;
use domain::enums::{ActionKind, ActionStatus};
use domain::{Currency, Date, Quantity, SmolStr};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one action does to one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Deed {
    /// So many units for so many.
    Split { new: Quantity, old: Quantity },
    /// Paid on one unit, in a currency; null is the instrument's.
    Dividend { amount: domain::Price, currency: Option<Currency> },
}

/// The actions that stand, by id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Actions {
    standing: BTreeMap<SmolStr, (Date, Deed)>,
}

impl Actions {
    /// Takes an action in: a later record of an id amends or withdraws it.
    pub fn take(&mut self, action: &CorporateAction) {
        let deed = match (action.kind, action.ratio_new, action.ratio_old, action.amount_per_share) {
            (ActionKind::Split, Some(new), Some(old), _) if new.is_positive() && old.is_positive() => Some(Deed::Split { new, old }),
            (ActionKind::CashDividend, _, _, Some(amount)) => Some(Deed::Dividend { amount, currency: action.currency }),
            _ => None,
        };
        match deed.filter(|_| action.status == ActionStatus::New) {
            Some(deed) => _ = self.standing.insert(action.action_id.clone(), (action.ex_date, deed)),
            None => _ = self.standing.remove(&action.action_id),
        }
    }

    /// What one unit held at the end of a day has become by the end of another: units, and what was paid on them.
    pub fn between(&self, from: Date, to: Date, rate: impl Fn(Option<Currency>, Date) -> Option<f64>) -> (f64, f64) {
        let within = self.standing.values().filter(|(date, _)| from < *date && *date <= to);
        let mut deeds: Vec<_> = within.collect();
        // A split of a day comes before its dividend, as the book has it.
        deeds.sort_by_key(|(date, deed)| (*date, matches!(deed, Deed::Dividend { .. })));
        deeds.into_iter().fold((1.0, 0.0), |(units, income), (date, deed)| match deed {
            Deed::Split { new, old } => (units * (new.units() as f64 / old.units() as f64), income),
            Deed::Dividend { amount, currency } => {
                let paid = amount.units() as f64 / domain::Price::ONE.units() as f64;
                (units, income + units * paid * rate(*currency, *date).unwrap_or(0.0))
            }
        })
    }

    #[cfg(test)]
    pub(super) fn split(&mut self, id: &str, ex_date: Date, ratio: i128) {
        let new = Quantity::from_units(ratio * Quantity::ONE.units());
        self.standing.insert(id.into(), (ex_date, Deed::Split { new, old: Quantity::ONE }));
    }
    #[cfg(test)]
    pub(super) fn dividend(&mut self, id: &str, ex_date: Date, amount: i128) {
        let amount = domain::Price::from_units(amount * domain::Price::ONE.units());
        self.standing.insert(id.into(), (ex_date, Deed::Dividend { amount, currency: None }));
    }
}
