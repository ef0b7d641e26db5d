//! Where a venue's day begins: its local midnight, by its market identifier code (ISO 10383).
//! It knows no trading hours and no holidays. A venue that is not listed counts in UTC.

use crate::day::{local_hour, start_of_day};
use crate::{Date, Timestamp};

/// Codes by time zone. A code that is missing here is added to the line of its zone.
const ZONES: &[(&str, &[&str])] = &[
    (
        "America/New_York",
        &[
            "XNYS", "XNAS", "XNCM", "XNGS", "XNMS", "ARCX", "BATS", "BATY", "EDGA", "EDGX", "IEXG", "MEMX", "XASE", "XBOS", "XPHL", "OTCM",
            "OOTC",
        ],
    ),
    // All markets of one group by one clock, those of metals and energy in New York with them.
    ("America/Chicago", &["XCBT", "XCME", "XCEC", "XNYM", "XCBO", "XCHI"]),
    ("America/Toronto", &["XTSE", "XTSX", "NEOE"]),
    ("America/Sao_Paulo", &["BVMF"]),
    ("America/Mexico_City", &["XMEX"]),
    ("Europe/London", &["XLON", "AIMX", "CHIX", "BATE", "TRQX"]),
    ("Europe/Dublin", &["XDUB", "XMSM"]),
    ("Europe/Lisbon", &["XLIS"]),
    ("Europe/Berlin", &["XETR", "XFRA", "XEUR", "XSTU", "XMUN", "XGAT", "TGAT"]),
    ("Europe/Paris", &["XPAR"]),
    ("Europe/Amsterdam", &["XAMS", "CEUX"]),
    ("Europe/Brussels", &["XBRU"]),
    ("Europe/Zurich", &["XSWX", "XVTX"]),
    ("Europe/Vienna", &["XWBO"]),
    ("Europe/Rome", &["XMIL", "MTAA"]),
    ("Europe/Madrid", &["XMAD", "XMCE"]),
    ("Europe/Stockholm", &["XSTO"]),
    ("Europe/Copenhagen", &["XCSE"]),
    ("Europe/Oslo", &["XOSL"]),
    ("Europe/Helsinki", &["XHEL"]),
    ("Europe/Warsaw", &["XWAR"]),
    ("Europe/Prague", &["XPRA"]),
    ("Europe/Athens", &["XATH"]),
    ("Europe/Istanbul", &["XIST"]),
    ("Asia/Jerusalem", &["XTAE"]),
    ("Africa/Johannesburg", &["XJSE"]),
    ("Asia/Riyadh", &["XSAU"]),
    ("Asia/Kolkata", &["XNSE", "XBOM"]),
    ("Asia/Singapore", &["XSES"]),
    ("Asia/Hong_Kong", &["XHKG"]),
    ("Asia/Shanghai", &["XSHG", "XSHE"]),
    ("Asia/Taipei", &["XTAI"]),
    ("Asia/Seoul", &["XKRX", "XKOS"]),
    ("Asia/Tokyo", &["XTKS", "XJPX"]),
    ("Australia/Sydney", &["XASX"]),
    ("Pacific/Auckland", &["XNZE"]),
];

/// The IANA time zone of a venue.
pub fn time_zone(venue: Option<&str>) -> &'static str {
    let listed = |venue: &str| ZONES.iter().find(|(_, codes)| codes.contains(&venue)).map(|(zone, _)| *zone);
    venue.and_then(listed).unwrap_or("UTC")
}

/// The day of a moment at a venue.
pub fn day_of(venue: Option<&str>, moment: Timestamp) -> Date {
    let utc = moment.date_utc();
    let begun = |days: &i32| day_start(venue, utc.plus_days(*days)) <= moment;
    utc.plus_days([1, 0].into_iter().find(begun).unwrap_or(-1))
}

/// The first moment of a day at a venue; that of UTC where its zone cannot tell.
pub fn day_start(venue: Option<&str>, day: Date) -> Timestamp {
    start_of_day(time_zone(venue), day).unwrap_or_else(|| day.start_utc())
}

/// The hour of a moment by the clocks of a venue, 0 to 23; `None` at the ends of the calendar.
pub fn hour_of(venue: Option<&str>, moment: Timestamp) -> Option<u8> {
    local_hour(time_zone(venue), moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_is_one_and_no_venue_stands_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for (zone, codes) in ZONES {
            assert!(crate::day::is_time_zone(zone), "{zone}");
            assert!(codes.iter().all(|code| code.len() == 4 && seen.insert(*code)), "{codes:?}");
        }
    }

    #[test]
    fn a_day_starts_at_the_local_midnight() {
        for (venue, day, start) in [
            (Some("XNAS"), "2026-01-06", "2026-01-06T05:00:00Z"),
            (Some("XNYS"), "2026-07-06", "2026-07-06T04:00:00Z"),
            (Some("XTKS"), "2026-01-06", "2026-01-05T15:00:00Z"),
            (Some("MARS"), "2026-01-06", "2026-01-06T00:00:00Z"),
            (None, "2026-01-06", "2026-01-06T00:00:00Z"),
        ] {
            assert_eq!(day_start(venue, day.parse().unwrap()).to_string(), start, "{venue:?}");
        }
    }
}
