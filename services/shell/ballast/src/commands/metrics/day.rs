//! Dates as files write them, and the time of day after them where there is one. What could be two days is refused
//! until the file, or the caller, settles the order of day and month.

use crate::cli::metrics::DateOrder;
use domain::{Date, Timestamp};

/// A day, and the rest of the text as a time that only orders rows within it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Day.
    pub day: Date,
    /// Time of day as text, which rises with time; empty where there is none.
    pub time: String,
}

/// Names of months in English; the first three letters count.
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The order of day and month in a column: as asked for, else as a number above 12 shows. `Err` where slashes stand
/// in it and nothing shows the order.
pub fn order_of<'a>(cells: impl Iterator<Item = &'a str>, asked: Option<DateOrder>) -> Result<DateOrder, &'static str> {
    if let Some(asked) = asked {
        return Ok(asked);
    }
    let (mut first, mut second, mut slashes) = (0, 0, false);
    for (one, two) in cells.filter_map(slashed) {
        slashes = true;
        first = first.max(one);
        second = second.max(two);
    }
    match (first > 12, second > 12) {
        (true, false) => Ok(DateOrder::Dmy),
        (false, true) => Ok(DateOrder::Mdy),
        (false, false) if !slashes => Ok(DateOrder::Dmy),
        (false, false) => Err("dates such as 1/5/2026 may be of January or May: say which with --dates mdy or --dates dmy"),
        (true, true) => Err("dates with slashes stand in both orders of day and month: write them as 2026-01-05"),
    }
}

/// Whether a text is a day by all its parts, whatever their order: 2026 and 20260105 may be numbers.
pub fn is_whole_day(text: &str) -> bool {
    let is_parted = text.trim().chars().filter(|c| "-/. ".contains(*c)).count() >= 2;
    is_parted && [DateOrder::Dmy, DateOrder::Mdy].into_iter().any(|order| moment(text, order).is_ok())
}

/// The day that a text means, in this order of day and month.
pub fn moment(text: &str, order: DateOrder) -> Result<Moment, String> {
    let wrong = || format!("{text:?} is no date such as 2026-01-05");
    let text = text.trim();
    let (date, time) =
        match text.find(['T', ' ']).filter(|at| *at >= 8 && text.as_bytes()[at + 1..].first().is_some_and(u8::is_ascii_digit)) {
            Some(at) if text[..at].chars().all(|c| c.is_ascii_digit() || "-/.".contains(c)) => (&text[..at], &text[at + 1..]),
            _ => (text, ""),
        };
    let day = day(date, order).ok_or_else(wrong)?;
    let time = time.to_owned();
    if time.is_empty() || time.as_bytes().get(2) == Some(&b':') { Ok(Moment { day, time }) } else { Err(wrong()) }
}

fn day(text: &str, order: DateOrder) -> Option<Date> {
    if text.contains(['Q', 'q']) {
        return quarter(text);
    }
    if let Some((year, month)) = text.split_once(['M', 'm']).filter(|parts| parts.0.len() == 4 && parts.1.len() == 2) {
        return last_of(year, month);
    }
    if is_number(text) && matches!(text.len(), 10 | 13) {
        let seconds: i64 = text[..10].parse().ok()?;
        return Some(Timestamp::from_micros(seconds * 1_000_000).date_utc());
    }
    let parts: Vec<&str> = text.split(['-', '/', '.', ' ', ',']).filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [one] if one.len() == 8 && is_number(one) => of(&one[..4], &one[4..6], &one[6..]),
        [year] if year.len() == 4 && is_number(year) => of(year, "12", "31"),
        [year, month] if year.len() == 4 => last_of(year, month),
        [month, year] if year.len() == 4 => last_of(year, month),
        [year, month, day] if year.len() == 4 => of(year, month, day),
        [month, day, year] if named(month).is_some() => of(year, month, day),
        [day, month, year] if named(month).is_some() || text.contains('.') || order == DateOrder::Dmy => of(year, month, day),
        [month, day, year] => of(year, month, day),
        _ => None,
    }
}

/// The last day of 2018-Q1, Q1 2018, 2018Q1 or 1Q2018.
fn quarter(text: &str) -> Option<Date> {
    let bare: String = text.chars().filter(|c| !"-/. ".contains(*c)).collect();
    let (before, after) = bare.split_once(['Q', 'q']).filter(|_| bare.is_ascii())?;
    let (year, number) = match (before.len(), after.len()) {
        (4, 1) => (before, after),
        (1, 4) => (after, before),
        (0, 5) => (&after[1..], &after[..1]),
        _ => return None,
    };
    let month = match number {
        "1" => "3",
        "2" => "6",
        "3" => "9",
        "4" => "12",
        _ => return None,
    };
    last_of(year, month)
}

fn slashed(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().split('/');
    let (one, two) = (parts.next()?, parts.next()?);
    if one.len() > 2 {
        return None;
    }
    parts.next().and_then(|_| Some((one.parse().ok()?, two.parse().ok()?)))
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn named(text: &str) -> Option<usize> {
    let start = text.get(..3)?.to_ascii_lowercase();
    MONTHS.iter().position(|month| *month == start).filter(|_| !is_number(text)).map(|at| at + 1)
}

fn month_of(text: &str) -> Option<usize> {
    named(text).or_else(|| text.parse().ok().filter(|_| is_number(text)))
}

fn of(year: &str, month: &str, day: &str) -> Option<Date> {
    let year: u32 = year.parse().ok().filter(|_| is_number(year) && (year.len() == 4 || year.len() == 2))?;
    // Two digits as spreadsheets read them: 00 to 29 are of this century.
    let year = if year < 30 {
        year + 2000
    } else if year < 100 {
        year + 1900
    } else {
        year
    };
    let day: u32 = day.parse().ok().filter(|_| is_number(day))?;
    format!("{year:04}-{:02}-{day:02}", month_of(month)?).parse().ok()
}

fn last_of(year: &str, month: &str) -> Option<Date> {
    ["31", "30", "29", "28"].into_iter().find_map(|day| of(year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_files_write_them() {
        for (text, expected) in [
            ("2026-01-05", "2026-01-05"),
            ("20260105", "2026-01-05"),
            ("2026/1/5", "2026-01-05"),
            ("05.01.2026", "2026-01-05"),
            ("5-Jan-2026", "2026-01-05"),
            ("1-Jan-08", "2008-01-01"),
            ("Jan 5, 2026", "2026-01-05"),
            ("2026-02", "2026-02-28"),
            ("Feb 2024", "2024-02-29"),
            ("2025", "2025-12-31"),
            ("2018-Q1", "2018-03-31"),
            ("2018q4", "2018-12-31"),
            ("Q2 2018", "2018-06-30"),
            ("3Q2018", "2018-09-30"),
            ("2018M03", "2018-03-31"),
            ("1577836800", "2020-01-01"),
            ("1577923199999", "2020-01-01"),
            ("2026-01-05T14:30:00Z", "2026-01-05"),
            ("2026-01-05 00:00:00+00:00", "2026-01-05"),
        ] {
            assert_eq!(moment(text, DateOrder::Dmy).map(|moment| moment.day.to_string()).as_deref(), Ok(expected), "{text}");
        }
        for text in ["", "tomorrow", "2018-Q5", "Q1", "2026-02-30", "2026-13-01", "1/2", "12", "2026-01-05 x", "2026-01-05T1"] {
            assert!(moment(text, DateOrder::Dmy).is_err(), "{text:?}");
        }
        assert!(moment("2026-01-05 09:30", DateOrder::Dmy) < moment("2026-01-05 16:00", DateOrder::Dmy));
    }

    #[test]
    fn the_file_settles_the_order_of_day_and_month() {
        assert_eq!(order_of(["1/1/2008", "10/30/2008"].into_iter(), None), Ok(DateOrder::Mdy));
        assert_eq!(order_of(["30/10/2008"].into_iter(), None), Ok(DateOrder::Dmy));
        assert!(order_of(["1/5/2026"].into_iter(), None).unwrap_err().contains("--dates"));
        assert!(order_of(["30/1/2026", "1/30/2026"].into_iter(), None).is_err());
        assert_eq!(order_of(["1/5/2026"].into_iter(), Some(DateOrder::Mdy)), Ok(DateOrder::Mdy));
        assert_eq!(moment("1/5/2026", DateOrder::Mdy).unwrap().day.to_string(), "2026-01-05");
        assert_eq!(order_of(["2026-01-05", "2026/1/5"].into_iter(), None), Ok(DateOrder::Dmy));
    }
}
