//! Day cuts: for each local time of day at which some portfolio's day ends, the prices as they stood then.
//! A close is the accepted price at the last cut; before the first cut, the first accepted price.

use super::choice::Mark;
use super::market::{InstrumentIx, Market};
use super::slot::Slot;
use domain::day::next_day_cut;
use domain::{Price, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

/// Prices at the last cut, by the cut's name, as they were quoted: a later split moves what they come to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cuts {
    prices: BTreeMap<SmolStr, Vec<Option<Mark>>>,
}

impl Cuts {
    /// Keeps the prices of this moment under a cut's name.
    pub fn cut(&mut self, name: SmolStr, market: &Market) {
        self.prices.insert(name, market.slots().iter().map(Slot::mark).collect());
    }
    /// Forgets a cut by which no portfolio's day ends any more.
    pub fn forget(&mut self, name: &str) {
        self.prices.remove(name);
    }
    /// The close of an instrument for portfolios of that cut.
    pub fn close(&self, name: &str, ix: InstrumentIx, market: &Market) -> Option<Price> {
        let cut = self.prices.get(name).and_then(|prices| prices.get(ix.at()).copied().flatten());
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
}
