//! Trading calendars by name: on which days an exchange has a session, from when to when, and what is not known.
//! Exchanges go by their market identifier code (ISO 10383); `24/7` never closes, `24/5` closes at weekends (UTC).
//! The data are compiled in (`calendars/`); beyond the years that they speak of nothing is guessed here.

mod exchange;
mod table;

use crate::day::start_of_day;
use crate::{Date, Timestamp};
use exchange::Exchange;

/// The calendar of markets that never close.
pub const ALWAYS: &str = "24/7";
/// The calendar of markets that close from Friday to Monday at midnight UTC.
pub const WEEKDAYS: &str = "24/5";

/// Days in which the opening or close next to a moment is looked for: more than the longest holidays.
const SEARCHED: i32 = 30;

/// A calendar.
#[derive(Debug, PartialEq, Eq)]
pub struct Calendar {
    name: &'static str,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Always,
    Weekdays,
    Exchange(Exchange),
}

/// When a session takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Its first moment.
    pub opens: Timestamp,
    /// The pause within it: from, and up to.
    pub pause: Option<(Timestamp, Timestamp)>,
    /// It ends before this moment.
    pub closes: Timestamp,
}

impl Session {
    /// The stretches in which is traded, in order.
    fn stretches(self) -> impl DoubleEndedIterator<Item = (Timestamp, Timestamp)> {
        let (first, second) = match self.pause {
            Some((from, to)) => ((self.opens, from), Some((to, self.closes))),
            None => ((self.opens, self.closes), None),
        };
        std::iter::once(first).chain(second)
    }
}

/// What a calendar says of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trade {
    /// In a session.
    Open,
    /// Outside all sessions, or in a pause.
    Closed,
    /// Beyond the years that the calendar speaks of.
    Unknown,
}

/// A stretch of time of which a calendar says the same throughout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Its first moment.
    pub from: Timestamp,
    /// It ends before this moment.
    pub until: Timestamp,
    /// What is said.
    pub trade: Trade,
}

impl Stretch {
    const fn new(from: Timestamp, until: Timestamp, trade: Trade) -> Self {
        Self { from, until, trade }
    }
    /// Whether a moment lies in it.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// What is wrong with a name that no calendar has: the end of a sentence.
pub fn unknown() -> String {
    let names: Vec<&str> = Calendar::names().collect();
    format!("is none of {}", names.join(", "))
}

impl Calendar {
    /// The calendar of that name: `24/7`, `24/5`, or the code of an exchange or of a market that keeps its days.
    pub fn named(name: &str) -> Option<&'static Self> {
        table::find(name)
    }
    /// Every name that is known, in order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        table::names()
    }
    /// Exchanges of which nothing is known beyond a day, each with the last that is.
    pub fn ending_by(day: Date) -> impl Iterator<Item = (&'static str, Date)> {
        let last = |name| Self::named(name).filter(|calendar| calendar.name() == name)?.span().map(|(_, last)| (name, last));
        Self::names().filter_map(last).filter(move |(_, last)| *last <= day)
    }
    /// Its own name: several markets may share one calendar.
    pub const fn name(&self) -> &'static str {
        self.name
    }
    /// The first and last day that it speaks of; `None` where it speaks of all.
    pub fn span(&self) -> Option<(Date, Date)> {
        match &self.kind {
            Kind::Always | Kind::Weekdays => None,
            Kind::Exchange(exchange) => Some(exchange.span),
        }
    }
    /// Whether it speaks of a day.
    pub fn knows(&self, day: Date) -> bool {
        self.span().is_none_or(|(first, last)| first <= day && day <= last)
    }
    /// Whether a day has a session; `None` for a day that it does not speak of.
    pub fn has_session(&self, day: Date) -> Option<bool> {
        match &self.kind {
            Kind::Always => Some(true),
            Kind::Weekdays => Some(day.is_weekday()),
            Kind::Exchange(exchange) => self.knows(day).then(|| exchange.has_session(day)),
        }
    }
    /// When the session of a day takes place; `None` where there is none, or none is known of.
    pub fn session(&self, day: Date) -> Option<Session> {
        if self.has_session(day) != Some(true) {
            return None;
        }
        match &self.kind {
            Kind::Always | Kind::Weekdays => Some(Session { opens: day.start_utc(), pause: None, closes: day.plus_days(1).start_utc() }),
            Kind::Exchange(exchange) => exchange.session(day),
        }
    }
    /// What it says of a moment, and for how long around that the same. Where no session is near, the stretch ends a
    /// month off.
    pub fn around(&self, at: Timestamp) -> Stretch {
        match &self.kind {
            Kind::Always => Stretch::new(Timestamp::MIN, Timestamp::MAX, Trade::Open),
            Kind::Weekdays => weekdays_around(at),
            Kind::Exchange(exchange) => self.sessions_around(exchange, at),
        }
    }

    fn sessions_around(&self, exchange: &Exchange, at: Timestamp) -> Stretch {
        let (first, last) = exchange.span;
        let begins = start_of_day(exchange.zone, first).unwrap_or(Timestamp::MIN);
        let ends = start_of_day(exchange.zone, last.plus_days(1)).unwrap_or(Timestamp::MAX);
        if at < begins {
            return Stretch::new(Timestamp::MIN, begins, Trade::Unknown);
        }
        if at >= ends {
            return Stretch::new(ends, Timestamp::MAX, Trade::Unknown);
        }
        // A session may open on the day before its own, never two days off.
        let today = crate::day::local_date(exchange.zone, at).unwrap_or_else(|| at.date_utc());
        let ahead = (-1..=SEARCHED).filter_map(|days| self.session(today.plus_days(days)));
        let next = ahead.flat_map(Session::stretches).find(|(_, closes)| *closes > at);
        if let Some((opens, closes)) = next.filter(|(opens, _)| *opens <= at) {
            return Stretch::new(opens, closes, Trade::Open);
        }
        let behind = (-1..=SEARCHED).filter_map(|days| self.session(today.plus_days(-days)));
        let last = behind.flat_map(|session| session.stretches().rev()).find(|(_, closes)| *closes <= at);
        let from = last.map_or(today.plus_days(-SEARCHED).start_utc(), |(_, closes)| closes);
        let until = next.map_or(today.plus_days(SEARCHED).start_utc(), |(opens, _)| opens);
        Stretch::new(from.max(begins), until.min(ends), Trade::Closed)
    }
}

fn weekdays_around(at: Timestamp) -> Stretch {
    let day = at.date_utc();
    let monday = day.plus_days(-day.days_since_monday());
    let (opens, closes, next) = (monday.start_utc(), monday.plus_days(5).start_utc(), monday.plus_days(7).start_utc());
    if at < closes { Stretch::new(opens, closes, Trade::Open) } else { Stretch::new(closes, next, Trade::Closed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }
    fn said(name: &str, at: &str) -> String {
        let stretch = Calendar::named(name).unwrap().around(at.parse().unwrap());
        assert!(stretch.holds(at.parse().unwrap()), "{name} {at} {stretch:?}");
        format!("{:?} {} {}", stretch.trade, stretch.from, stretch.until)
    }

    #[test]
    fn every_text_can_be_read_and_every_name_is_one_calendar() {
        let names: Vec<_> = Calendar::names().collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
        assert!(names.len() > 60 && names.contains(&"XNYS") && names.contains(&ALWAYS) && names.contains(&WEEKDAYS));
        for name in names {
            let calendar = Calendar::named(name).unwrap();
            assert_eq!(Calendar::named(calendar.name()), Some(calendar));
            let Some((first, last)) = calendar.span() else { continue };
            let mut before = None;
            for days in 0..=last.days() - first.days() {
                let day = first.plus_days(days);
                let session = calendar.session(day);
                assert_eq!(session.is_some(), calendar.has_session(day) == Some(true), "{name} {day}");
                let Some(session) = session else { continue };
                let moments =
                    [Some(session.opens), session.pause.map(|(from, _)| from), session.pause.map(|(_, to)| to), Some(session.closes)];
                let moments: Vec<_> = moments.into_iter().flatten().collect();
                assert!(moments.windows(2).all(|pair| pair[0] < pair[1]), "{name} {day} {session:?}");
                assert!(before.is_none_or(|before: Date| day.days() - before.days() < SEARCHED), "{name} {day}");
                before = Some(day);
            }
        }
        assert_eq!(Calendar::named("NYSE"), None);
        assert_eq!(Calendar::named("XNAS"), Calendar::named("XNYS"));
    }

    #[test]
    fn holidays_early_closes_pauses_and_changes_of_clocks() {
        for (name, at, expected) in [
            // New York is five hours behind until 2026-03-08, four after it.
            ("XNYS", "2026-03-06T14:30:00Z", "Open 2026-03-06T14:30:00Z 2026-03-06T21:00:00Z"),
            ("XNYS", "2026-03-06T21:00:00Z", "Closed 2026-03-06T21:00:00Z 2026-03-09T13:30:00Z"),
            ("XNYS", "2026-03-09T13:30:00Z", "Open 2026-03-09T13:30:00Z 2026-03-09T20:00:00Z"),
            // Good Friday; the day after Thanksgiving closes at one.
            ("XNYS", "2026-04-03T15:00:00Z", "Closed 2026-04-02T20:00:00Z 2026-04-06T13:30:00Z"),
            ("XNAS", "2026-11-27T17:59:59Z", "Open 2026-11-27T14:30:00Z 2026-11-27T18:00:00Z"),
            ("XNAS", "2026-11-27T18:00:00Z", "Closed 2026-11-27T18:00:00Z 2026-11-30T14:30:00Z"),
            ("XLON", "2025-12-24T12:29:00Z", "Open 2025-12-24T08:00:00Z 2025-12-24T12:30:00Z"),
            ("XTKS", "2026-01-05T02:45:00Z", "Closed 2026-01-05T02:30:00Z 2026-01-05T03:30:00Z"),
            ("XTKS", "2026-01-05T03:30:00Z", "Open 2026-01-05T03:30:00Z 2026-01-05T06:30:00Z"),
            // A session of Monday that opens on Sunday.
            ("CMES", "2026-01-11T23:30:00Z", "Open 2026-01-11T23:00:00Z 2026-01-12T23:00:00Z"),
            ("XSAU", "2026-01-04T07:00:00Z", "Open 2026-01-04T07:00:00Z 2026-01-04T12:00:00Z"),
            ("24/5", "2026-01-09T23:59:00Z", "Open 2026-01-05T00:00:00Z 2026-01-10T00:00:00Z"),
            ("24/5", "2026-01-11T00:00:00Z", "Closed 2026-01-10T00:00:00Z 2026-01-12T00:00:00Z"),
        ] {
            assert_eq!(said(name, at), expected, "{name} {at}");
        }
    }

    #[test]
    fn nothing_is_known_beyond_the_years_of_a_text() {
        let new_york = Calendar::named("XNYS").unwrap();
        assert_eq!(new_york.span(), Some((day("2000-01-01"), day("2035-12-31"))));
        let of = |day_text: &str| new_york.has_session(day(day_text));
        assert_eq!(
            [of("1999-12-31"), of("2000-01-03"), of("2000-01-01"), of("2035-12-31"), of("2036-01-02")],
            [None, Some(true), Some(false), Some(true), None]
        );
        assert_eq!(new_york.around("2035-12-31T22:00:00Z".parse().unwrap()).until.to_string(), "2036-01-01T05:00:00Z");
        let beyond = new_york.around("2036-01-02T15:00:00Z".parse().unwrap());
        assert_eq!((beyond.trade, beyond.from.to_string()), (Trade::Unknown, "2036-01-01T05:00:00Z".to_owned()));
        assert_eq!(new_york.around("1999-12-31T15:00:00Z".parse().unwrap()).trade, Trade::Unknown);
        assert!(Calendar::named(ALWAYS).unwrap().knows(day("2099-01-01")));
        let ending = |by: &str| Calendar::ending_by(day(by)).map(|(name, last)| format!("{name} {last}")).collect::<Vec<_>>();
        assert_eq!(ending("1999-12-31"), Vec::<String>::new());
        assert!(ending("2035-12-31").contains(&"XNYS 2035-12-31".to_owned()));
        assert!(!ending("2099-12-31").iter().any(|told| told.starts_with("XNAS") || told.starts_with("24/")));
    }
}
