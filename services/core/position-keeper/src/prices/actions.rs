//! The corporate actions of one instrument: those announced, and those in effect with the moment at which they took
//! it. A price that was made before a split took effect counts at its new unit. It knows no portfolio.

use domain::corporate_action::{CorporateAction, LARGEST_RATIO};
use domain::enums::{ActionKind, ActionStatus};
use domain::wide::{mul_div_half_even, mul_div_truncate};
use domain::{Currency, Date, FixedError, Price, Quantity, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Actions that are kept of one instrument: for one more the oldest that is over goes, and where none is, it is not
/// applied.
const MOST: usize = 256;

/// A split gives `new` units for `old`; both are positive and have no common divisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratio {
    new: i128,
    old: i128,
}

impl Ratio {
    /// The ratio of two positive numbers, where a book can bear it.
    pub fn new(new: Quantity, old: Quantity) -> Option<Self> {
        let (new, old) = (new.units(), old.units());
        if new <= 0 || old <= 0 || new / old > LARGEST_RATIO || old / new > LARGEST_RATIO {
            return None;
        }
        let common = divisor(new, old);
        Some(Self { new: new / common, old: old / common })
    }
    /// Units after it, truncated toward zero.
    pub fn units(self, before: Quantity) -> Result<Quantity, FixedError> {
        mul_div_truncate(before.units(), self.new, self.old).map(Quantity::from_units)
    }
    /// A price per unit after it, rounded half-even.
    pub fn price(self, before: Price) -> Result<Price, FixedError> {
        mul_div_half_even(before.units(), self.old, self.new).map(Price::from_units)
    }
    /// A price per unit before it, rounded half-even.
    pub fn price_before(self, after: Price) -> Result<Price, FixedError> {
        mul_div_half_even(after.units(), self.new, self.old).map(Price::from_units)
    }
    /// The two numbers.
    pub const fn parts(self) -> (i128, i128) {
        (self.new, self.old)
    }
}

fn divisor(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// What an action does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// Other units at the same cost.
    Split {
        /// What it gives.
        ratio: Ratio,
        /// Price at which the part below one lot is paid out.
        cash_in_lieu: Option<Price>,
    },
    /// Income.
    Dividend {
        /// For one unit.
        per_share: Price,
        /// Its currency; `None` is the instrument's.
        currency: Option<Currency>,
        /// Day on which it is paid.
        pay_date: Date,
    },
    /// Another symbol.
    Symbol(SmolStr),
}

/// An action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// Its id.
    pub id: SmolStr,
    /// First day after it.
    pub ex_date: Date,
    /// What it does.
    pub deed: Deed,
    /// Partition and offset of the frame that told of it.
    pub told: (i32, i64),
}

impl Action {
    /// What a record says; `None` where it does not stand, or a book cannot bear it.
    pub fn of(action: &CorporateAction, told: (i32, i64)) -> Option<Self> {
        if action.status != ActionStatus::New {
            return None;
        }
        let fits = |price: &Price| !price.is_negative() && price.fits_wire();
        let deed = match action.kind {
            ActionKind::Split => {
                let (ratio, cash_in_lieu) = (Ratio::new(action.ratio_new?, action.ratio_old?)?, action.cash_in_lieu_price);
                cash_in_lieu.iter().all(fits).then_some(Deed::Split { ratio, cash_in_lieu })?
            }
            ActionKind::CashDividend => Deed::Dividend {
                per_share: action.amount_per_share.filter(fits)?,
                currency: action.currency,
                pay_date: action.pay_date.unwrap_or(action.ex_date).max(action.ex_date),
            },
            ActionKind::SymbolChange => Deed::Symbol(action.new_symbol.clone()?),
            ActionKind::Unknown => return None,
        };
        Some(Self { id: action.action_id.clone(), ex_date: action.ex_date, deed, told })
    }
    /// Whether it does what another one does.
    pub fn is_as(&self, other: &Self) -> bool {
        (self.ex_date, &self.deed) == (other.ex_date, &other.deed)
    }
    /// Its place among the actions of an instrument: those of one day by what they do, for a dividend is paid on the
    /// units that were traded before that day.
    pub fn order(&self) -> (Date, u8, &SmolStr) {
        let rank = match self.deed {
            Deed::Dividend { .. } => 0,
            Deed::Split { .. } => 1,
            Deed::Symbol(_) => 2,
        };
        (self.ex_date, rank, &self.id)
    }
    /// The ratio of a split.
    pub fn ratio(&self) -> Option<Ratio> {
        if let Deed::Split { ratio, .. } = self.deed { Some(ratio) } else { None }
    }
    /// Whether it changes what is held or owned.
    pub fn concerns_books(&self) -> bool {
        !matches!(self.deed, Deed::Symbol(_))
    }
}

/// An action in effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Effective {
    action: Action,
    /// When its ex-date began at the venue.
    start: Timestamp,
    /// Whether its day of payment has begun there.
    paid: bool,
}

/// What is known of the actions of an instrument.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Actions {
    announced: Vec<Action>,
    /// In the order of [`Action::order`].
    effective: Vec<Effective>,
}

impl Actions {
    /// Those in effect, in the order of [`Action::order`].
    pub fn effective(&self) -> impl Iterator<Item = &Action> {
        self.effective.iter().map(|held| &held.action)
    }
    /// One of them.
    pub fn find(&self, id: &str) -> Option<&Action> {
        self.effective().find(|action| action.id == id)
    }
    /// Whether one of them has been paid.
    pub fn is_paid(&self, id: &str) -> bool {
        self.effective.iter().any(|held| held.action.id == id && held.paid)
    }
    /// The latest ex-date of those in effect that concern books.
    pub fn latest(&self) -> Option<Date> {
        self.effective().filter(|action| action.concerns_books()).last().map(|action| action.ex_date)
    }
    /// The symbol that the newest change in effect gave.
    pub fn symbol(&self) -> Option<&SmolStr> {
        let changes = self.effective().filter_map(|action| if let Deed::Symbol(symbol) = &action.deed { Some(symbol) } else { None });
        changes.last()
    }
    /// Whether nothing is to come of any.
    pub fn is_quiet(&self) -> bool {
        self.announced.is_empty() && self.effective.iter().all(Effective::is_done)
    }
    /// When the next one takes effect or is paid, by when days start.
    pub fn next_due(&self, start: impl Fn(Date) -> Timestamp) -> Option<Timestamp> {
        let payments = self.effective.iter().filter(|held| !held.is_done()).filter_map(Effective::pay_date);
        self.announced.iter().map(|action| action.ex_date).chain(payments).min().map(start)
    }
    /// Takes what is said of an action now: `None` when it no longer stands. Where it was in effect otherwise, it no
    /// longer is.
    pub fn hear(&mut self, id: &str, now: Option<Action>) -> Heard {
        let known = self.announced.iter().chain(self.effective()).find(|action| action.id == id);
        if let (Some(known), Some(now)) = (known, &now)
            && known.is_as(now)
        {
            return Heard { changed: false, withdrawn: false, full: false };
        }
        let before = (self.announced.len(), self.effective.len());
        self.announced.retain(|action| action.id != id);
        self.effective.retain(|held| held.action.id != id);
        let withdrawn = before.1 != self.effective.len();
        let changed = withdrawn || before.0 != self.announced.len() || now.is_some();
        let mut full = now.is_some() && self.announced.len() + self.effective.len() >= MOST;
        if full && let Some(oldest) = self.effective.iter().position(Effective::is_done) {
            self.effective.remove(oldest);
            full = false;
        }
        self.announced.extend(now.filter(|_| !full));
        Heard { changed, withdrawn, full }
    }
    /// Puts those into effect whose ex-date has begun, and pays those whose day has; their ids, in the order of [`Action::order`].
    pub fn begin(&mut self, start: impl Fn(Date) -> Timestamp, now: Timestamp) -> Vec<SmolStr> {
        let (due, later): (Vec<Action>, Vec<Action>) = self.announced.drain(..).partition(|action| start(action.ex_date) <= now);
        self.announced = later;
        let mut begun: BTreeSet<SmolStr> = due.iter().map(|action| action.id.clone()).collect();
        self.effective.extend(due.into_iter().map(|action| Effective { start: start(action.ex_date), action, paid: false }));
        self.effective.sort_by(|a, b| a.action.order().cmp(&b.action.order()));
        for held in self.effective.iter_mut().filter(|held| !held.is_done()) {
            if held.pay_date().is_some_and(|day| start(day) <= now) {
                held.paid = true;
                begun.insert(held.action.id.clone());
            }
        }
        self.effective().map(|action| &action.id).filter(|id| begun.contains(*id)).cloned().collect()
    }
    /// A price made at a moment, in today's units; `None` where that is beyond the range of prices.
    pub fn price(&self, price: Price, made: Timestamp) -> Option<Price> {
        let later = self.effective.iter().filter(|held| made < held.start);
        later.filter_map(|held| held.action.ratio()).try_fold(price, |price, ratio| ratio.price(price).ok())
    }
    /// A price made at a moment, in the units of a day: splits of that day and before it count, later ones do not.
    pub fn price_on(&self, price: Price, made: Timestamp, day: Date) -> Option<Price> {
        self.effective.iter().try_fold(price, |price, held| {
            let Some(ratio) = held.action.ratio() else { return Some(price) };
            match (made < held.start, held.action.ex_date <= day) {
                (true, true) => ratio.price(price).ok(),
                (false, false) => ratio.price_before(price).ok(),
                _ => Some(price),
            }
        })
    }
}

impl Effective {
    fn pay_date(&self) -> Option<Date> {
        if let Deed::Dividend { pay_date, .. } = self.action.deed { Some(pay_date) } else { None }
    }
    fn is_done(&self) -> bool {
        self.paid || self.pay_date().is_none()
    }
}

/// What became of an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Whether it says something new.
    pub changed: bool,
    /// Whether it was in effect and is not any more, or not yet again.
    pub withdrawn: bool,
    /// Whether there was no room for it.
    pub full: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity {
        text.parse().unwrap()
    }
    fn split(id: &str, day: i32, new: &str, old: &str) -> Action {
        let ratio = Ratio::new(quantity(new), quantity(old)).unwrap();
        Action { id: id.into(), ex_date: Date::from_days(day), deed: Deed::Split { ratio, cash_in_lieu: None }, told: (0, 0) }
    }

    #[test]
    fn a_ratio_cuts_units_toward_zero_and_rounds_prices_half_even() {
        let ratio = Ratio::new(quantity("1"), quantity("3")).unwrap();
        assert_eq!(ratio.units(quantity("-10")).unwrap().to_string(), "-3.33333333");
        assert_eq!(ratio.price("1.5".parse().unwrap()).unwrap().to_string(), "4.5");
        assert_eq!(Ratio::new(quantity("2.5"), quantity("5")), Ratio::new(quantity("1"), quantity("2")));
        for (new, old) in [("0", "1"), ("1", "0"), ("-2", "1"), ("1000000", "1"), ("0.00000001", "1")] {
            assert_eq!(Ratio::new(quantity(new), quantity(old)), None, "{new}:{old}");
        }
    }

    #[test]
    fn prices_from_before_follow_and_come_back_exactly() {
        let (mut actions, start) = (Actions::default(), |day: Date| day.start_utc());
        actions.hear("a", Some(split("a", 10, "3", "1")));
        assert!(actions.begin(start, Date::from_days(9).start_utc()).is_empty());
        assert_eq!(actions.begin(start, Date::from_days(10).start_utc()), ["a"]);
        let (price, early) = ("10".parse().unwrap(), Date::from_days(10).start_utc().plus_micros(-1));
        assert_eq!(actions.price(price, early).unwrap().to_string(), "3.3333333333");
        assert_eq!(actions.price(price, Date::from_days(10).start_utc()), Some(price));
        let on = |made, day| actions.price_on(price, made, Date::from_days(day)).unwrap().to_string();
        let late = Date::from_days(10).start_utc();
        assert_eq!([on(early, 9), on(early, 10), on(late, 9), on(late, 10)], ["10", "3.3333333333", "30", "10"]);
        let same = actions.hear("a", Some(split("a", 10, "6", "2")));
        assert!(!same.changed);
        assert!(actions.hear("a", None).withdrawn);
        assert_eq!(actions.price(price, early), Some(price));
    }
}
