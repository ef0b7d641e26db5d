//! The splits of one instrument: those announced, and those in effect with the moment at which they took it.
//! A price that was made before that moment counts at its new unit. It knows no portfolio.

use domain::corporate_action::CorporateAction;
use domain::enums::{ActionKind, ActionStatus};
use domain::wide::{mul_div_half_even, mul_div_truncate};
use domain::{Date, FixedError, Price, Quantity, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};

/// Splits that are kept of one instrument; one more is not applied.
const MOST: usize = 64;
/// How many units one may become at most, and of how many one.
const LARGEST_RATIO: i128 = 100_000;

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
    /// The two numbers.
    pub const fn parts(self) -> (i128, i128) {
        (self.new, self.old)
    }
}

fn divisor(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// A split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Action id.
    pub id: SmolStr,
    /// First day in new units.
    pub ex_date: Date,
    /// What it gives.
    pub ratio: Ratio,
    /// Price at which the part below one lot is paid out.
    pub cash_in_lieu: Option<Price>,
    /// Partition and offset of the frame that told of it.
    pub told: (i32, i64),
}

impl Split {
    /// What an action says; `None` where it is no split that a book can bear.
    pub fn of(action: &CorporateAction, told: (i32, i64)) -> Option<Self> {
        let stands = action.kind == ActionKind::Split && action.status == ActionStatus::New;
        let ratio = Ratio::new(action.ratio_new?, action.ratio_old?).filter(|_| stands)?;
        let cash_in_lieu = action.cash_in_lieu_price;
        if cash_in_lieu.is_some_and(|price| price.is_negative() || !price.fits_wire()) {
            return None;
        }
        Some(Self { id: action.action_id.clone(), ex_date: action.ex_date, ratio, cash_in_lieu, told })
    }
    /// Whether it does what another one does.
    pub fn is_as(&self, other: &Self) -> bool {
        (self.ex_date, self.ratio, self.cash_in_lieu) == (other.ex_date, other.ratio, other.cash_in_lieu)
    }
}

/// What is known of the splits of an instrument.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Splits {
    announced: Vec<Split>,
    /// By ex-date and id, each with the moment at which its ex-date began at the venue.
    effective: Vec<(Split, Timestamp)>,
}

impl Splits {
    /// Those in effect, by ex-date and id.
    pub fn effective(&self) -> impl Iterator<Item = &Split> {
        self.effective.iter().map(|(split, _)| split)
    }
    /// One of them.
    pub fn find(&self, id: &str) -> Option<&Split> {
        self.effective().find(|split| split.id == id)
    }
    /// The latest ex-date of those in effect.
    pub fn latest(&self) -> Option<Date> {
        self.effective.last().map(|(split, _)| split.ex_date)
    }
    /// Those that wait for their ex-date.
    pub fn announced(&self) -> &[Split] {
        &self.announced
    }
    /// Takes what is said of an action now: `None` when it no longer stands. Returns whether it was there before as
    /// it is now; where it was in effect otherwise, it no longer is.
    pub fn hear(&mut self, id: &str, now: Option<Split>) -> Heard {
        let known = self.announced.iter().chain(self.effective()).find(|split| split.id == id);
        if let (Some(known), Some(now)) = (known, &now)
            && known.is_as(now)
        {
            return Heard { changed: false, withdrawn: false, full: false };
        }
        let before = (self.announced.len(), self.effective.len());
        self.announced.retain(|split| split.id != id);
        self.effective.retain(|(split, _)| split.id != id);
        let withdrawn = before.1 != self.effective.len();
        let changed = withdrawn || before.0 != self.announced.len() || now.is_some();
        let full = now.is_some() && self.announced.len() + self.effective.len() >= MOST;
        self.announced.extend(now.filter(|_| !full));
        Heard { changed, withdrawn, full }
    }
    /// Puts those into effect whose ex-date has begun; their ids.
    pub fn begin(&mut self, start: impl Fn(Date) -> Timestamp, now: Timestamp) -> Vec<SmolStr> {
        let (due, later): (Vec<Split>, Vec<Split>) = self.announced.drain(..).partition(|split| start(split.ex_date) <= now);
        self.announced = later;
        let mut begun: Vec<&Split> = due.iter().collect();
        begun.sort_by(|a, b| (a.ex_date, &a.id).cmp(&(b.ex_date, &b.id)));
        let ids = begun.into_iter().map(|split| split.id.clone()).collect();
        self.effective.extend(due.into_iter().map(|split| (split.clone(), start(split.ex_date))));
        self.effective.sort_by(|(a, _), (b, _)| (a.ex_date, &a.id).cmp(&(b.ex_date, &b.id)));
        ids
    }
    /// A price made at a moment, in today's units; `None` where that is beyond the range of prices.
    pub fn price(&self, price: Price, made: Timestamp) -> Option<Price> {
        let later = self.effective.iter().filter(|(_, start)| made < *start);
        later.map(|(split, _)| split).try_fold(price, |price, split| split.ratio.price(price).ok())
    }
}

/// What became of an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Whether it says something new.
    pub changed: bool,
    /// Whether a split was in effect that is not any more, or not yet again.
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
    fn split(id: &str, day: i32, new: &str, old: &str) -> Split {
        let ratio = Ratio::new(quantity(new), quantity(old)).unwrap();
        Split { id: id.into(), ex_date: Date::from_days(day), ratio, cash_in_lieu: None, told: (0, 0) }
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
        let (mut splits, start) = (Splits::default(), |day: Date| day.start_utc());
        splits.hear("a", Some(split("a", 10, "3", "1")));
        assert!(splits.begin(start, Date::from_days(9).start_utc()).is_empty());
        assert_eq!(splits.begin(start, Date::from_days(10).start_utc()), ["a"]);
        let (price, early) = ("10".parse().unwrap(), Date::from_days(10).start_utc().plus_micros(-1));
        assert_eq!(splits.price(price, early).unwrap().to_string(), "3.3333333333");
        assert_eq!(splits.price(price, Date::from_days(10).start_utc()), Some(price));
        let same = splits.hear("a", Some(split("a", 10, "6", "2")));
        assert!(!same.changed);
        assert!(splits.hear("a", None).withdrawn);
        assert_eq!(splits.price(price, early), Some(price));
    }
}
