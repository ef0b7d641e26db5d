//! The calendars of the lane's instruments, each with the stretch of time in which the lane's clock stands: a price comes
//! many times between an opening and a close. Derived from the instruments' facts; kept in no image.

use super::hours::Hours;
use super::market::InstrumentIx;
use domain::Timestamp;
use domain::calendar::{Calendar, Stretch, Trade};
use domain::instrument::Instrument;

/// Seconds up to now in which sessions are counted, thirty days. Before that a market counts as open: a price so old is
/// older than any that is used.
const COUNTED_SECONDS: i64 = 30 * 86_400;

/// A calendar and what it says of the newest moment that was looked at.
#[derive(Debug, Clone, Copy)]
struct Clock {
    calendar: &'static Calendar,
    stretch: Stretch,
}

/// The calendars in use.
#[derive(Debug, Clone, Default)]
pub(super) struct Clocks {
    /// By instrument the place among the calendars.
    of: Vec<Option<usize>>,
    clocks: Vec<Clock>,
}

impl Clocks {
    /// Follows the facts of an instrument. Of a name that is none nothing follows: it is of before names were checked.
    pub fn follow(&mut self, ix: InstrumentIx, facts: Option<&Instrument>) {
        let calendar = facts.and_then(|facts| facts.calendar.as_deref()).and_then(Calendar::named);
        let place = calendar.map(|calendar| self.place(calendar));
        if self.of.len() <= ix.at() {
            self.of.resize(ix.at() + 1, None);
        }
        self.of[ix.at()] = place;
    }
    fn place(&mut self, calendar: &'static Calendar) -> usize {
        let known = self.clocks.iter().position(|clock| clock.calendar.name() == calendar.name());
        known.unwrap_or_else(|| {
            self.clocks.push(Clock { calendar, stretch: calendar.around(Timestamp::default()) });
            self.clocks.len() - 1
        })
    }
    fn clock(&self, ix: InstrumentIx) -> Option<&Clock> {
        self.of.get(ix.at()).copied().flatten().map(|place| &self.clocks[place])
    }
    /// Looks every calendar up as of now.
    pub fn set(&mut self, now: Timestamp) {
        for clock in self.clocks.iter_mut().filter(|clock| !clock.stretch.holds(now)) {
            clock.stretch = clock.calendar.around(now);
        }
    }
    /// Whether an instrument has a calendar.
    pub fn has(&self, ix: InstrumentIx) -> bool {
        self.clock(ix).is_some()
    }
    /// What the calendar of an instrument says around a moment.
    pub fn around(&self, ix: InstrumentIx, at: Timestamp) -> Option<Stretch> {
        self.clock(ix).map(|clock| if clock.stretch.holds(at) { clock.stretch } else { clock.calendar.around(at) })
    }
    /// The next opening or close after `now`, of the calendars as they were looked up last.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let ends = self.clocks.iter().map(|clock| if clock.stretch.holds(now) { clock.stretch } else { clock.calendar.around(now) });
        ends.map(|stretch| stretch.until).filter(|until| *until < Timestamp::LAST).min()
    }
    /// Microseconds of [from, to] in which an instrument's prices aged: by its calendar, and by what was reported of it
    /// alone. Zero when `to` is not after `from`.
    pub fn open_micros(&self, ix: InstrumentIx, own: &Hours, from: Timestamp, to: Timestamp) -> i64 {
        if to <= from {
            return 0;
        }
        let mut at = from.max(to.plus_seconds(-COUNTED_SECONDS));
        let mut open = at.since(from);
        while at < to {
            let Some(stretch) = self.around(ix, at) else { return to.since(from) };
            let end = own.next_change(at).map_or(stretch.until, |change| change.min(stretch.until)).min(to);
            if ages_in(&stretch, own, at) {
                open = open.saturating_add(end.since(at));
            }
            at = end;
        }
        open
    }
}

/// Whether prices age at a moment of a stretch: in a session, and outside it where the instrument itself was reported to be
/// open since. Where the calendar does not know they do: an old price must not count as new.
pub(super) fn ages_in(stretch: &Stretch, own: &Hours, at: Timestamp) -> bool {
    own.ages(at) && (stretch.trade != Trade::Closed || own.is_said_since(stretch.from, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::enums::MarketState;

    const ONE: InstrumentIx = InstrumentIx(0);

    fn clocks(calendar: &str) -> Clocks {
        let text = format!(r#"{{"instrument_id":"A","type":"EQUITY","currency":"USD","calendar":"{calendar}"}}"#);
        let mut clocks = Clocks::default();
        clocks.follow(ONE, serde_json::from_str(&text).ok().as_ref());
        clocks
    }
    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }
    fn minutes(clocks: &Clocks, own: &Hours, from: &str, to: &str) -> i64 {
        clocks.open_micros(ONE, own, at(from), at(to)) / 60_000_000
    }

    #[test]
    fn only_sessions_make_a_price_older() {
        let (new_york, none) = (clocks("XNYS"), Hours::default());
        // Half an hour of Wednesday, nothing of Thanksgiving, the half day after it, half an hour of Monday.
        assert_eq!(minutes(&new_york, &none, "2026-11-25T20:30:00Z", "2026-11-30T15:00:00Z"), 30 + 210 + 30);
        // The clocks change between Friday's close and Monday's opening.
        assert_eq!(minutes(&new_york, &none, "2026-03-06T20:59:00Z", "2026-03-09T13:31:00Z"), 2);
        assert_eq!(minutes(&clocks("XTKS"), &none, "2026-01-05T02:20:00Z", "2026-01-05T03:40:00Z"), 20, "a pause at noon");
        assert_eq!(minutes(&new_york, &none, "2026-01-05T15:00:00Z", "2026-01-05T15:00:00Z"), 0);
        // Beyond thirty days all time counts.
        assert_eq!(minutes(&new_york, &none, "2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z") / 1440, 60 + 5);
        assert_eq!(minutes(&new_york, &none, "2036-01-05T00:00:00Z", "2036-01-06T00:00:00Z"), 1440, "nothing is known of that year");
    }

    #[test]
    fn what_is_reported_of_the_instrument_itself_is_newer_until_the_next_opening_or_close() {
        let (new_york, mut own) = (clocks("XNYS"), Hours::default());
        own.report(MarketState::Halted, at("2026-01-05T15:00:00Z"), at("2026-01-05T15:00:00Z"));
        own.report(MarketState::Open, at("2026-01-05T16:00:00Z"), at("2026-01-05T16:00:00Z"));
        assert_eq!(minutes(&new_york, &own, "2026-01-05T14:30:00Z", "2026-01-06T14:40:00Z"), 390 - 60 + 10);
        own.report(MarketState::Open, at("2026-01-05T22:00:00Z"), at("2026-01-05T22:00:00Z"));
        own.report(MarketState::Closed, at("2026-01-05T23:00:00Z"), at("2026-01-05T23:00:00Z"));
        assert_eq!(minutes(&new_york, &own, "2026-01-05T21:00:00Z", "2026-01-06T14:30:00Z"), 60);
        assert_eq!(minutes(&new_york, &own, "2026-01-06T14:30:00Z", "2026-01-06T15:00:00Z"), 0, "closed until it is opened");
    }

    #[test]
    fn the_next_change_is_the_nearest_opening_or_close() {
        let mut clocks = clocks("XNYS");
        clocks.place(Calendar::named("XLON").unwrap());
        clocks.place(Calendar::named("24/7").unwrap());
        let mut next = |now: &str| {
            clocks.set(at(now));
            clocks.next_change(at(now)).map(|change| change.to_string())
        };
        assert_eq!(next("2026-01-05T10:00:00Z").as_deref(), Some("2026-01-05T14:30:00Z"));
        assert_eq!(next("2026-01-05T14:30:00Z").as_deref(), Some("2026-01-05T16:30:00Z"));
        assert_eq!(next("2026-01-05T22:00:00Z").as_deref(), Some("2026-01-06T08:00:00Z"));
    }
}
