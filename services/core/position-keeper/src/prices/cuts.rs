//! Day cuts: for each local time of day at which some portfolio's day ends, the prices as they stood then.
//! A close is the accepted price at the last cut; before the first cut, the first accepted price. The prices of the
//! newest days are kept in `cut_prices.rs`.

use super::choice::Mark;
use super::market::{InstrumentIx, Market};
use super::slot::Slot;
use domain::day::{day_of_cut, local_date, moment_of, next_day_cut};
use domain::{Date, Price, SmolStr, Timestamp, TradingDays};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Days before a moment in which cuts that were missed are looked for: more than as many days as are kept.
const MISSED_DAYS: i64 = 40;

/// A day that was cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCut {
    /// The name of the cut.
    pub name: SmolStr,
    /// The day that it ended.
    pub date: Date,
    /// The moment.
    pub at: Timestamp,
}

impl DayCut {
    /// The cut of so many calendar days before: of one, the moment at which the day began. The earliest moment where the
    /// calendar does not reach so far.
    pub fn days_before(&self, days: i32) -> Timestamp {
        let cut = || {
            let (time_zone, day_cut) = self.name.rsplit_once(' ')?;
            moment_of(time_zone, day_cut, local_date(time_zone, self.at)?.plus_days(-days))
        };
        cut().unwrap_or(Timestamp::MIN)
    }
}

/// The name of a day cut: time zone and local time.
pub fn cut_name(time_zone: &str, day_cut: &str) -> SmolStr {
    SmolStr::new(format!("{time_zone} {day_cut}"))
}

/// The first moment after `now` at which the day of that name is cut; `None` for a name that is no cut, and at
/// the end of the calendar.
pub fn next_cut(name: &str, now: Timestamp) -> Option<Timestamp> {
    let (time_zone, day_cut) = name.rsplit_once(' ')?;
    next_day_cut(time_zone, day_cut, now)
}

/// The days of that name that were cut from the moment `first` on up to `now`, in order; of more than some weeks the
/// last ones.
pub fn cuts_since(name: &SmolStr, first: Timestamp, now: Timestamp) -> Vec<DayCut> {
    let Some((time_zone, day_cut)) = name.rsplit_once(' ') else { return Vec::new() };
    let oldest = now.plus_seconds(-MISSED_DAYS * 86_400);
    let mut before = first.plus_micros(-1).max(oldest);
    let cuts = std::iter::from_fn(|| {
        before = next_day_cut(time_zone, day_cut, before)?;
        let date = day_of_cut(time_zone, before)?;
        (before <= now).then(|| DayCut { name: name.clone(), date, at: before })
    });
    cuts.collect()
}

/// Prices at the last cut that counts, by the cut's name and which days count, as they were quoted: a later split moves
/// what they come to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cuts {
    last: BTreeMap<(SmolStr, TradingDays), LastCut>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LastCut {
    at: Timestamp,
    prices: Vec<Option<Mark>>,
}

impl Cuts {
    /// Keeps the prices of this moment for a cut, of portfolios who have these days.
    pub fn cut(&mut self, DayCut { name, at, .. }: &DayCut, days: TradingDays, market: &Market) {
        let mark = |slot: &Slot| slot.quoted_before(*at).map(|quoted| quoted.mark);
        let prices = market.slots().iter().map(mark).collect();
        self.last.insert((name.clone(), days), LastCut { at: *at, prices });
    }
    /// Forgets a cut by which no portfolio's day ends any more.
    pub fn forget(&mut self, name: &SmolStr) {
        self.last.retain(|(known, _), _| known != name);
    }
    /// Whether a price that was made then may be of before a cut.
    pub fn may_concern(&self, made: Timestamp) -> bool {
        self.last.values().any(|cut| made < cut.at)
    }
    /// Takes in a price that was made before cuts and came after them.
    pub fn correct(&mut self, ix: InstrumentIx, accepted: Mark) {
        for cut in self.last.values_mut().filter(|cut| accepted.is_before(cut.at)) {
            if cut.prices.len() <= ix.at() {
                cut.prices.resize(ix.at() + 1, None);
            }
            cut.prices[ix.at()] = Some(accepted);
        }
    }
    /// The close of an instrument for portfolios of that cut. Who has changed his calendar has the newest of other ones
    /// until his next cut.
    pub fn close(&self, (name, days): (&SmolStr, &TradingDays), ix: InstrumentIx, market: &Market) -> Option<Price> {
        let others = || self.last.iter().filter(|((known, _), _)| known == name).map(|(_, cut)| cut).max_by_key(|cut| cut.at);
        let cut = self.last.get(&(name.clone(), days.clone())).or_else(others);
        let cut = cut.and_then(|cut| cut.prices.get(ix.at()).copied().flatten());
        let slot = market.slot(ix);
        cut.and_then(|mark| mark.value(&slot.actions)).filter(|price| price.is_positive()).or(slot.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_cut_tells_when_it_is_due() {
        let now = "2026-01-05T20:59:59Z".parse().unwrap();
        let due = next_cut(&cut_name("America/New_York", "16:00"), now).map(|due| due.to_string());
        assert_eq!(due.as_deref(), Some("2026-01-05T21:00:00Z"));
        assert_eq!(next_cut("16:00", now), None);
    }

    #[test]
    fn days_before_a_cut_are_those_of_the_calendar() {
        let before = |zone: &str, cut: &str, at: &str, days: i32| {
            DayCut { name: cut_name(zone, cut), date: Date::from_days(0), at: at.parse().unwrap() }.days_before(days).to_string()
        };
        assert_eq!(before("UTC", "00:00", "2026-01-06T00:00:00Z", 1), "2026-01-05T00:00:00Z");
        assert_eq!(before("UTC", "00:00", "2026-01-06T00:00:00Z", 4), "2026-01-02T00:00:00Z");
        // Days of 23, of 25 and of 26 hours.
        assert_eq!(before("America/New_York", "16:00", "2026-03-08T20:00:00Z", 1), "2026-03-07T21:00:00Z");
        assert_eq!(before("America/New_York", "16:00", "2026-11-01T21:00:00Z", 1), "2026-10-31T20:00:00Z");
        assert_eq!(before("Antarctica/Troll", "12:00", "2026-10-25T12:00:00Z", 1), "2026-10-24T10:00:00Z");
        // A cut that the clocks skip is as much later; the one before it is where it always is.
        assert_eq!(before("America/New_York", "02:30", "2026-03-08T07:30:00Z", 1), "2026-03-07T07:30:00Z");
        assert_eq!(before("America/New_York", "02:30", "2026-03-09T06:30:00Z", 1), "2026-03-08T07:30:00Z");
    }

    #[test]
    fn every_missed_cut_is_a_day_of_its_own() {
        let days = |zone: &str, cut: &str, first: &str, now: &str| -> Vec<String> {
            let cuts = cuts_since(&cut_name(zone, cut), first.parse().unwrap(), now.parse().unwrap());
            cuts.iter().map(|cut| format!("{} {}", cut.date, cut.at)).collect()
        };
        assert_eq!(days("UTC", "00:00", "2026-01-06T00:00:00Z", "2026-01-06T00:00:00Z"), ["2026-01-05 2026-01-06T00:00:00Z"]);
        let over_a_change_of_clocks = days("America/New_York", "16:00", "2026-03-06T21:00:00Z", "2026-03-09T20:00:00Z");
        let expected = ["2026-03-06 2026-03-06T21:00:00Z", "2026-03-07 2026-03-07T21:00:00Z", "2026-03-08 2026-03-08T20:00:00Z"];
        assert_eq!(over_a_change_of_clocks[..3], expected);
        assert_eq!(over_a_change_of_clocks.len(), 4);
        assert_eq!(days("UTC", "00:00", "1990-01-01T00:00:00Z", "2026-01-06T00:00:00Z").len(), 40);
    }
}
