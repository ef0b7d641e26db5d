//! Corporate actions as the counting frames announce them, and what of them stands on a day. What one does to a
//! holding is told by `deeds`; this knows no book.

use super::exact::{Exact, Published, whole, zero};
use domain::corporate_action::{CorporateAction, LARGEST_RATIO};
use domain::enums::{ActionKind, ActionStatus};
use domain::{Currency, Date, InstrumentId, SmolStr};
use std::collections::{BTreeMap, BTreeSet};

/// Actions of one instrument that the service keeps: more are not followed, here neither.
const MOST: usize = 256;

/// What an action does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    /// Makes `ratio` units of each one; with a price the part below one lot is sold at it.
    Split { ratio: Exact, in_lieu: Option<Exact> },
    /// Pays for each unit, in its currency or the instrument's.
    Dividend { per_share: Exact, currency: Option<Currency>, pay_date: Date },
    /// Gives another symbol.
    Symbol(SmolStr),
}

/// An action that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) id: SmolStr,
    pub(super) ex_date: Date,
    pub(super) deed: Deed,
    /// Whether its action has paid it: its day of payment has begun, and no entries pay it.
    pub(super) paid: bool,
    /// Which telling of it this is on a line: what it pays in another currency is turned anew with each.
    pub(super) telling: u32,
}

impl Standing {
    pub(super) fn is_dividend(&self) -> bool {
        matches!(self.deed, Deed::Dividend { .. })
    }
    /// Whether both say the same, be it paid or not.
    pub(super) fn says(&self, other: &Self) -> bool {
        (&self.id, self.ex_date, &self.deed) == (&other.id, other.ex_date, &other.deed)
    }
    /// Its place among those of its instrument: of one day dividends come first, for they are paid on what was traded
    /// before it.
    pub(super) fn order(&self) -> (Date, bool, &SmolStr) {
        (self.ex_date, !self.is_dividend(), &self.id)
    }
}

/// Everything that was announced.
#[derive(Debug, Default)]
pub(super) struct Announced {
    /// By id, with the offset of the frame, in the order of the frames.
    told: BTreeMap<SmolStr, Vec<(i64, CorporateAction)>>,
    of: BTreeMap<InstrumentId, BTreeSet<SmolStr>>,
}

impl Announced {
    /// Takes one announcement in.
    pub(super) fn take(&mut self, offset: i64, action: &CorporateAction) {
        self.of.entry(action.instrument_id.clone()).or_default().insert(action.action_id.clone());
        self.told.entry(action.action_id.clone()).or_default().push((offset, action.clone()));
    }
    /// Whether anything was announced of an instrument.
    pub(super) fn concerns(&self, id: &InstrumentId) -> bool {
        self.of.contains_key(id)
    }
    /// Whether more was announced of an instrument than is followed.
    pub(super) fn is_too_much(&self, id: &InstrumentId) -> bool {
        self.of.get(id).is_some_and(|ids| ids.len() > MOST)
    }
    /// Whether one of that kind was.
    pub(super) fn are_any(&self, id: &InstrumentId, kind: ActionKind) -> bool {
        self.of.get(id).into_iter().flatten().flat_map(|action| self.all(action)).any(|action| action.kind == kind)
    }
    /// What was announced under an id.
    pub(super) fn all(&self, action: &str) -> impl Iterator<Item = &CorporateAction> {
        self.told.get(action).into_iter().flatten().map(|(_, action)| action)
    }
    /// The frame that told of an action first.
    pub(super) fn first(&self, action: &str) -> Option<i64> {
        self.told.get(action)?.first().map(|(offset, _)| *offset)
    }
    /// Frames that told something of an instrument, from one offset to before another.
    pub(super) fn frames(&self, id: &InstrumentId, from: i64, to: i64) -> BTreeSet<i64> {
        let told = self.of.get(id).into_iter().flatten().filter_map(|action| self.told.get(action)).flatten();
        told.map(|(offset, _)| *offset).filter(|offset| (from..to).contains(offset)).collect()
    }
    /// Days on which something of an instrument takes effect or is paid.
    pub(super) fn days(&self, id: &InstrumentId) -> BTreeSet<Date> {
        let told = self.of.get(id).into_iter().flatten().flat_map(|action| self.all(action));
        told.flat_map(|action| [Some(action.ex_date), action.pay_date]).flatten().collect()
    }
    /// What stands of an instrument by the frames before an offset, on a day there, in their order.
    pub(super) fn standing(&self, id: &InstrumentId, before: i64, day: Date) -> Vec<Standing> {
        let ids = self.of.get(id).into_iter().flatten();
        let newest = ids.filter_map(|action| self.newest(action, before)).filter(|action| action.instrument_id == *id);
        let mut standing: Vec<_> = newest.filter(|action| action.ex_date <= day).filter_map(|action| standing(action, day)).collect();
        standing.sort_by(|a, b| a.order().cmp(&b.order()));
        standing
    }
    /// An id means the instrument that it was announced of first, until it is withdrawn.
    fn newest(&self, action: &SmolStr, before: i64) -> Option<&CorporateAction> {
        let mut newest: Option<&CorporateAction> = None;
        for (_, told) in self.told.get(action)?.iter().filter(|(offset, _)| *offset < before) {
            if newest.is_none_or(|known| known.instrument_id == told.instrument_id) {
                newest = (told.status == ActionStatus::New).then_some(told);
            }
        }
        newest
    }
}

fn standing(action: &CorporateAction, day: Date) -> Option<Standing> {
    let amount = |price: domain::Price| Some(price.exact()).filter(|price| *price >= zero());
    let mut paid = false;
    let deed = match action.kind {
        ActionKind::Split => {
            let (new, old) = (action.ratio_new?.exact(), action.ratio_old?.exact());
            if new <= zero() || old <= zero() {
                return None;
            }
            let ratio = new / old;
            let most = whole(LARGEST_RATIO + 1);
            let in_lieu = match action.cash_in_lieu_price {
                Some(price) => Some(amount(price)?),
                None => None,
            };
            (ratio < most && whole(1) / &ratio < most).then_some(Deed::Split { ratio, in_lieu })?
        }
        ActionKind::CashDividend => {
            let pay_date = action.pay_date.unwrap_or(action.ex_date).max(action.ex_date);
            paid = pay_date <= day;
            Deed::Dividend { per_share: amount(action.amount_per_share?)?, currency: action.currency, pay_date }
        }
        ActionKind::SymbolChange => Deed::Symbol(action.new_symbol.clone()?),
        ActionKind::Unknown => return None,
    };
    Some(Standing { id: action.action_id.clone(), ex_date: action.ex_date, deed, paid, telling: 0 })
}
