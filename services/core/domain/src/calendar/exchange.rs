//! The sessions of one exchange, from its text (`calendars/README.md` says what each line means).
//! It knows days and local times; what follows from them is the calendar's.

use super::Session;
use crate::Date;
use crate::day::at_local_time;
use std::collections::{BTreeMap, BTreeSet};

/// Minutes of a day.
const DAY_MINUTES: i16 = 24 * 60;

/// Local times of a session in minutes after the midnight at which its day begins; below zero on the day before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hours {
    opens: i16,
    pause: Option<(i16, i16)>,
    closes: i16,
}

/// An exchange.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Exchange {
    /// Its zone.
    pub zone: &'static str,
    /// First and last day that is known.
    pub span: (Date, Date),
    /// Markets that keep its days and hours.
    pub also: Vec<&'static str>,
    week: [bool; 7],
    usual: Vec<(Date, Hours)>,
    closed: BTreeSet<Date>,
    extra: BTreeSet<Date>,
    special: BTreeMap<Date, Hours>,
}

impl Exchange {
    /// Reads a text; `None` where a line of it has no meaning.
    pub fn read(text: &'static str) -> Option<Self> {
        let mut exchange = Self::default();
        text.lines().filter(|line| !line.starts_with('#')).try_for_each(|line| exchange.take(line))?;
        Some(exchange).filter(|found| found.span.0 < found.span.1 && !found.zone.is_empty() && !found.usual.is_empty())
    }

    fn take(&mut self, line: &'static str) -> Option<()> {
        let (word, rest) = line.split_once(' ')?;
        match word {
            "zone" => self.zone = rest,
            "span" => {
                let (first, last) = rest.split_once(' ')?;
                self.span = (first.parse().ok()?, last.parse().ok()?);
            }
            "week" => {
                for digit in rest.bytes() {
                    *self.week.get_mut(usize::from(digit.checked_sub(b'1')?))? = true;
                }
            }
            "also" => self.also = rest.split(' ').collect(),
            "hours" => {
                let (from, times) = rest.split_once(' ')?;
                self.usual.push((from.parse().ok()?, hours(times)?));
            }
            "closed" => self.closed.extend(days(rest)?),
            "extra" => self.extra.extend(days(rest)?),
            "special" => {
                let at = rest.find(':')? - 2;
                let (on, times) = rest.split_at(if rest[..at].ends_with('<') { at - 1 } else { at });
                let hours = hours(times)?;
                self.special.extend(days(on.trim_end())?.into_iter().map(|day| (day, hours)));
            }
            _ => return None,
        }
        Some(())
    }

    /// Whether a day of its span has a session.
    pub fn has_session(&self, day: Date) -> bool {
        let weekday = usize::try_from(day.days_since_monday()).unwrap_or(0);
        (self.week[weekday] && !self.closed.contains(&day)) || self.extra.contains(&day)
    }

    /// When the session of a day that has one takes place; `None` at the ends of time.
    pub fn session(&self, day: Date) -> Option<Session> {
        let usual = || self.usual.iter().rev().find(|(from, _)| *from <= day).map(|(_, hours)| *hours);
        let hours = self.special.get(&day).copied().or_else(usual)?;
        let at = |minutes: i16| {
            let on = day.plus_days(i32::from(minutes.div_euclid(DAY_MINUTES)));
            at_local_time(self.zone, on, minutes.rem_euclid(DAY_MINUTES))
        };
        let pause = match hours.pause {
            Some((from, to)) => Some((at(from)?, at(to)?)),
            None => None,
        };
        Some(Session { opens: at(hours.opens)?, pause, closes: at(hours.closes)? })
    }
}

/// `OPEN-CLOSE`, or `OPEN-PAUSE RESUME-CLOSE`.
fn hours(text: &str) -> Option<Hours> {
    let stretch = |text: &str| text.split_once('-').and_then(|(from, to)| Some((minutes(from)?, minutes(to)?)));
    match text.split_once(' ') {
        Some((morning, afternoon)) => {
            let ((opens, from), (to, closes)) = (stretch(morning)?, stretch(afternoon)?);
            Some(Hours { opens, pause: Some((from, to)), closes })
        }
        None => stretch(text).map(|(opens, closes)| Hours { opens, pause: None, closes }),
    }
}

/// `HH:MM`, with `<` before it on the day before.
fn minutes(text: &str) -> Option<i16> {
    let (time, before) = text.strip_prefix('<').map_or((text, 0), |time| (time, DAY_MINUTES));
    let (hour, minute) = time.split_once(':')?;
    Some(hour.parse::<i16>().ok()? * 60 + minute.parse::<i16>().ok()? - before)
}

/// `YEAR MMDD …`.
fn days(text: &str) -> Option<Vec<Date>> {
    let (year, days) = text.split_once(' ')?;
    let day = |day: &str| format!("{year}-{}-{}", day.get(..2)?, day.get(2..)?).parse().ok();
    days.split(' ').map(day).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# a market\nzone UTC\nspan 2026-01-01 2026-12-31\nweek 12345\nalso ONE TWO\nhours 2026-01-01 <23:00-16:00\n\
        hours 2026-06-01 09:00-12:00 13:00-17:00\nclosed 2026 0101 0403\nextra 2026 0110\nspecial 2026 1224 1231 09:00-12:30\n\
        special 2026 0302 <22:00-11:00";

    #[test]
    fn each_line_has_its_meaning() {
        let found = Exchange::read(TEXT).unwrap();
        let told = |day: &str| {
            let day = day.parse().unwrap();
            let session = found.session(day).filter(|_| found.has_session(day))?;
            Some(format!("{} {:?} {}", session.opens, session.pause.map(|(from, to)| (from.to_string(), to.to_string())), session.closes))
        };
        assert_eq!(found.also, ["ONE", "TWO"]);
        assert_eq!((told("2026-01-01"), told("2026-01-03")), (None, None), "a holiday and a Saturday");
        assert_eq!(told("2026-01-10").as_deref(), Some("2026-01-09T23:00:00Z None 2026-01-10T16:00:00Z"));
        let expected = "2026-06-01T09:00:00Z Some((\"2026-06-01T12:00:00Z\", \"2026-06-01T13:00:00Z\")) 2026-06-01T17:00:00Z";
        assert_eq!(told("2026-06-01").as_deref(), Some(expected));
        assert_eq!(told("2026-12-24").as_deref(), Some("2026-12-24T09:00:00Z None 2026-12-24T12:30:00Z"));
        assert_eq!(told("2026-03-02").as_deref(), Some("2026-03-01T22:00:00Z None 2026-03-02T11:00:00Z"));
    }

    #[test]
    fn a_line_without_a_meaning_is_no_text() {
        for wrong in ["", "zone UTC", "holiday 2026 0101", "zone UTC\nspan 2026-01-01 2025-01-01\nhours 2026-01-01 09:00-10:00"] {
            assert_eq!(Exchange::read(wrong), None, "{wrong}");
        }
        assert!(Exchange::read("zone UTC\nspan 2026-01-01 2026-12-31\nhours 2026-01-01 09:00-10:00\nclosed 2026 0230").is_none());
    }
}
