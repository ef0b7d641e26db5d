//! Day cuts: for each local time of day at which some portfolio's day ends, the prices as they stood then.
//! A close is the accepted price at the last cut; before the first cut, the first accepted price.

use super::market::{InstrumentIx, Market};
use domain::{Price, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of a day cut: time zone and local time.
pub fn cut_name(time_zone: &str, day_cut: &str) -> SmolStr {
    SmolStr::new(format!("{time_zone} {day_cut}"))
}

/// The first moment after `now` at which the day of that name is cut. A local time that is skipped or
/// doubled by a clock change is taken as jiff's compatible rule says (later, or the first of two).
/// `None` for a name that is no cut, and at the end of the calendar.
pub fn next_cut(name: &str, now: Timestamp) -> Option<Timestamp> {
    let (zone, time) = name.rsplit_once(' ')?;
    let (hour, minute) = time.split_once(':')?;
    let time = jiff::civil::Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()?;
    let zone = jiff::tz::TimeZone::get(zone).ok()?;
    let instant = jiff::Timestamp::from_microsecond(now.micros()).ok()?;
    let mut day = zone.to_datetime(instant).date();
    for _ in 0..3 {
        let cut = zone.to_timestamp(day.to_datetime(time)).ok()?.as_microsecond();
        if cut > now.micros() {
            return Some(Timestamp::from_micros(cut));
        }
        day = day.tomorrow().ok()?;
    }
    None
}

/// Prices at the last cut, by the cut's name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cuts {
    prices: BTreeMap<SmolStr, Vec<Option<Price>>>,
}

impl Cuts {
    /// Keeps the prices of this moment under a cut's name.
    pub fn cut(&mut self, name: SmolStr, market: &Market) {
        self.prices.insert(name, market.slots().iter().map(|slot| slot.price).collect());
    }
    /// The close of an instrument for portfolios of that cut.
    pub fn close(&self, name: &str, ix: InstrumentIx, market: &Market) -> Option<Price> {
        let cut = self.prices.get(name).and_then(|prices| prices.get(ix.at()).copied().flatten());
        cut.or(market.slot(ix).first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(name: &str, now: &str) -> String {
        next_cut(name, now.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn cuts_follow_the_local_clock() {
        assert_eq!(next("UTC 00:00", "2026-01-05T00:00:00Z"), "2026-01-06T00:00:00Z");
        assert_eq!(next("America/New_York 16:00", "2026-01-05T20:59:59Z"), "2026-01-05T21:00:00Z");
        assert_eq!(next("America/New_York 16:00", "2026-07-05T20:00:00Z"), "2026-07-06T20:00:00Z");
        // 02:30 does not exist on this day in New York.
        assert_eq!(next("America/New_York 02:30", "2026-03-08T00:00:00-05:00"), "2026-03-08T07:30:00Z");
        assert_eq!(next_cut("Mars/Olympus 16:00", Timestamp::from_micros(0)), None);
    }
}
