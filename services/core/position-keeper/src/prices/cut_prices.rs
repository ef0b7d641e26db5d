//! Prices at the cuts of the newest days, by the cut's name, so that a day which is closed again is closed at the same
//! prices: of each instrument the last accepted one that was made before the cut, whenever it came. What had none takes
//! the first one that was accepted after it. They are kept as they were quoted: a split moves what they come to. It knows
//! no portfolio.

use super::choice::{Mark, Quoted};
use super::cuts::DayCut;
use super::market::{InstrumentIx, Market};
use domain::{Date, Price, SmolStr, Timestamp};
use engine::ImageError;
use engine::image::{day_key, day_of_key, from_bytes, to_bytes};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Days that are kept of one name: ten from Monday to Friday, and the weekends between them.
const MOST_DAYS: usize = 14;
/// Days before the newest after which those of any name go: what nobody cuts any more is not kept for ever.
const OLDEST_DAYS: i32 = 31;

/// Prices that are kept of all days together, some 100 bytes each: where portfolios are cut by very many names, fewer
/// days can be closed again.
const MOST_PRICES: usize = 2_000_000;

/// What a quote has changed of an instrument's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The price that was accepted from it.
    pub accepted: Option<Mark>,
    /// Accrued interest that it gave, and when.
    pub accrued: Option<(Price, Timestamp)>,
}

impl Change {
    /// What is new of a price.
    pub fn between(before: Option<Quoted>, after: Option<Quoted>) -> Self {
        let mark = |quoted: Option<Quoted>| quoted.map(|quoted| quoted.mark);
        let accrued = |quoted: Option<Quoted>| quoted.and_then(|quoted| quoted.accrued);
        Self {
            accepted: mark(after).filter(|_| mark(after) != mark(before)),
            accrued: accrued(after).filter(|_| accrued(after) != accrued(before)),
        }
    }
}

/// A price at a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priced {
    /// In the instrument's currency.
    pub price: Price,
    /// Accrued interest per unit.
    pub accrued: Option<Price>,
    /// When the price was made; a middle is as old as the older of bid and ask.
    pub made: Timestamp,
}

/// The prices of one cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricesOfDay {
    prices: Vec<Option<Quoted>>,
    /// When the day was cut.
    at: Timestamp,
    /// Whether they are of after the cut: nobody knew yet that a day ended by it.
    pub late: bool,
}

impl PricesOfDay {
    fn of(market: &Market, at: Timestamp, late: bool) -> Self {
        let quoted = |slot: &super::Slot| if late { slot.quoted() } else { slot.quoted_before(at) };
        Self { prices: market.slots().iter().map(quoted).collect(), at, late }
    }
    /// Takes in what was quoted before the cut and came after it; whether that is something else than what was kept.
    fn correct(&mut self, ix: InstrumentIx, change: Change, market: &Market) -> bool {
        let known = self.prices.get(ix.at()).copied().flatten();
        let mark = change.accepted.filter(|mark| mark.is_before(self.at)).or(known.map(|known| known.mark));
        let accrued = change.accrued.filter(|(_, given)| *given < self.at);
        let kept = known.map_or_else(|| market.slot(ix).accrued_as_given().filter(|(_, given)| *given < self.at), |known| known.accrued);
        let now = mark.map(|mark| Quoted { mark, accrued: accrued.or(kept) });
        if now == known {
            return false;
        }
        // Not before: the bytes of what did not change stay as they were.
        if self.prices.len() <= ix.at() {
            self.prices.resize(ix.at() + 1, None);
        }
        self.prices[ix.at()] = now;
        true
    }
    /// The price of an instrument in the units of a day.
    pub fn price(&self, ix: InstrumentIx, market: &Market, day: Date) -> Option<Priced> {
        let slot = market.slot(ix);
        let Quoted { mark, accrued } = self.prices.get(ix.at()).copied().flatten().or_else(|| slot.first_quoted())?;
        let price = mark.value_on(&slot.actions, day).filter(|price| price.is_positive())?;
        Some(Priced { price, accrued: accrued.map(|(accrued, _)| accrued), made: mark.time() })
    }
}

/// The prices of the newest cuts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CutPrices {
    days: BTreeMap<(SmolStr, Date), PricesOfDay>,
    dirty: BTreeSet<(SmolStr, Date)>,
    /// The newest cut among them.
    newest: Timestamp,
}

impl CutPrices {
    /// Keeps the prices of now for a cut, which may be `late`; what is too old goes. Those that are kept already stay.
    pub fn keep(&mut self, DayCut { name, date, at }: &DayCut, market: &Market, late: bool) {
        let kept = (name.clone(), *date);
        if self.days.contains_key(&kept) {
            return;
        }
        self.dirty.insert(kept.clone());
        self.days.insert(kept.clone(), PricesOfDay::of(market, *at, late));
        self.newest = self.newest.max(*at);
        let newest = self.days.keys().map(|(_, day)| *day).max();
        let too_old = |day: Date| newest.is_some_and(|newest| day < newest.plus_days(-OLDEST_DAYS));
        let own: Vec<Date> = self.days.keys().filter(|(known, _)| known == name).map(|(_, day)| *day).collect();
        let first = own.len().checked_sub(MOST_DAYS).map(|place| own[place]);
        let gone = |(known, day): &(SmolStr, Date)| too_old(*day) || known == name && first.is_some_and(|first| *day < first);
        let gone: Vec<_> = self.days.keys().filter(|key| gone(key)).cloned().collect();
        gone.into_iter().for_each(|key| self.let_go(key));
        while self.days.len() > 1 && self.days.values().map(|day| day.prices.len()).sum::<usize>() > MOST_PRICES {
            // Days that may still be to be closed go last: the newest of each name, and never the one that is kept now.
            let is_newest = |key: &(SmolStr, Date)| self.days.range(key..).nth(1).is_none_or(|((name, _), _)| *name != key.0);
            let others = self.days.keys().filter(|key| **key != kept);
            let oldest = others.min_by_key(|key| (is_newest(key), key.1, key.0.clone())).cloned();
            oldest.into_iter().for_each(|key| self.let_go(key));
        }
    }
    fn let_go(&mut self, key: (SmolStr, Date)) {
        self.days.remove(&key);
        self.dirty.insert(key);
    }
    /// Whether a price that was made then may be of before a cut that is kept.
    pub fn may_concern(&self, made: Timestamp) -> bool {
        made < self.newest
    }
    /// Takes in what was quoted before cuts and came after them; the earliest day of each name that it changes.
    pub fn correct(&mut self, ix: InstrumentIx, change: Change, market: &Market) -> BTreeMap<SmolStr, Date> {
        let mut changed = BTreeMap::new();
        for (key, day) in &mut self.days {
            if day.correct(ix, change, market) {
                self.dirty.insert(key.clone());
                changed.entry(key.0.clone()).or_insert(key.1);
            }
        }
        changed
    }
    /// The prices of a cut; `None` where they were let go.
    pub fn of(&self, cut: &DayCut) -> Option<&PricesOfDay> {
        self.days.get(&(cut.name.clone(), cut.date))
    }

    /// The keys under which the days stand in an image.
    pub fn keys(&self) -> impl Iterator<Item = SmolStr> {
        self.days.keys().map(key)
    }
    /// The bytes of a day; `None` where there is none (any more), and for other keys.
    pub fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        self.days.get(&parse(key)?).map(to_bytes)
    }
    /// Puts a day back.
    pub fn restore(&mut self, key: &str, bytes: &[u8]) -> Result<(), ImageError> {
        let day = parse(key).ok_or_else(|| ImageError::new(key, "it names no day"))?;
        let prices: PricesOfDay = from_bytes(key, bytes)?;
        self.newest = self.newest.max(prices.at);
        self.days.insert(day, prices);
        Ok(())
    }
    /// Keys of days made or removed since the last call.
    pub fn take_dirty(&mut self) -> impl Iterator<Item = SmolStr> {
        std::mem::take(&mut self.dirty).into_iter().map(|day| key(&day))
    }
}

/// What keys of days begin with.
pub const KEYS: &str = "c/";
fn key((name, day): &(SmolStr, Date)) -> SmolStr {
    SmolStr::new(format!("{KEYS}{}/{name}", day_key(*day)))
}

fn parse(key: &str) -> Option<(SmolStr, Date)> {
    let (day, name) = key.strip_prefix(KEYS)?.split_once('/')?;
    Some((SmolStr::new(name), day_of_key(day)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prices::cuts::cut_name;
    use domain::frame::FramePrice;

    #[test]
    fn the_newest_days_are_kept_and_come_back() {
        let (market, mut cuts) = (Market::default(), CutPrices::default());
        let (own, other) = (cut_name("America/New_York", "16:00"), cut_name("UTC", "00:00"));
        let cut = |name: &SmolStr, day| DayCut { name: name.clone(), date: Date::from_days(day), at: Timestamp::MIN };
        cuts.keep(&cut(&other, 100), &market, false);
        for number in 100..120 {
            cuts.keep(&cut(&own, number), &market, false);
        }
        let keys: Vec<SmolStr> = cuts.keys().collect();
        assert_eq!((keys.len(), cuts.take_dirty().count()), (15, 21));
        assert!(keys.contains(&SmolStr::new("c/50000106/America/New_York 16:00")), "{keys:?}");
        let mut back = CutPrices::default();
        keys.iter().for_each(|key| back.restore(key, &cuts.bytes(key).unwrap()).unwrap());
        assert_eq!(back, cuts);
        cuts.keep(&cut(&own, 140), &market, false);
        assert!(!cuts.keys().any(|key| key.ends_with("UTC 00:00")), "nobody cuts it any more");
    }

    #[test]
    fn a_price_that_changes_no_day_changes_no_byte_of_it() {
        let (mut market, mut cuts) = (Market::default(), CutPrices::default());
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let tick = |id: &str, seconds| FramePrice { last: "7".parse().ok(), ..FramePrice::empty(id.parse().unwrap(), at(seconds)) };
        let cut = |day, seconds| DayCut { name: cut_name("UTC", "00:00"), date: Date::from_days(day), at: at(seconds) };
        market.quote(tick("A", 1), at(1));
        cuts.keep(&cut(1, 100), &market, false);
        cuts.keep(&cut(2, 200), &market, false);
        let bytes = |cuts: &CutPrices| cuts.keys().map(|key| cuts.bytes(&key)).collect::<Vec<_>>();
        let (before, dirty) = (bytes(&cuts), cuts.take_dirty().count());
        assert_eq!(dirty, 2);
        // An instrument that was first heard of after both, with a price of between them.
        let ix = market.quote(tick("B", 150), at(300));
        let change = Change::between(None, market.slot(ix).quoted());
        assert_eq!(cuts.correct(ix, change, &market), BTreeMap::from([(cut_name("UTC", "00:00"), Date::from_days(2))]));
        let after = bytes(&cuts);
        assert_eq!((after[0] == before[0], after[1] == before[1]), (true, false));
        assert_eq!(cuts.take_dirty().count(), 1);
        assert_eq!(cuts.correct(ix, change, &market), BTreeMap::new(), "the same again is no news");
        assert_eq!((bytes(&cuts), cuts.take_dirty().count()), (after, 0));
    }
}
