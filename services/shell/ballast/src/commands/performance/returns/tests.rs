//! What days come to, by their records and without.

use super::*;
use postgres_store::Micros;
use postgres_store::queries::DayReturn;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A closed day without a record.
pub(in crate::commands::performance) fn day(date: &str, value: &str, flow: &str) -> DayValue {
    DayValue {
        date: date.to_owned(),
        cut_at: None,
        total_value: d(value),
        cash_value: None,
        net_external_flow: d(flow),
        complete: true,
        provisional: false,
        returned: None,
    }
}

/// What a record tells of a day: a return or a reason.
pub(in crate::commands::performance) fn returned(change: Result<&str, &str>) -> DayReturn {
    DayReturn {
        time_weighted_return: change.map(d).map_err(str::to_owned),
        method: "TIME_WEIGHTED".to_owned(),
        profit: None,
        benchmark_return: None,
        risk_free_return: None,
        trades: None,
        is_of_an_earlier_close: false,
        provisional: false,
    }
}

/// A closed day with a record of it.
pub(in crate::commands::performance) fn recorded(date: &str, value: &str, flow: &str, change: Result<&str, &str>) -> DayValue {
    DayValue { returned: Some(returned(change)), ..day(date, value, flow) }
}

fn changes(series: &Series) -> Vec<Result<String, &str>> {
    let shown = |day| -> Result<String, &str> {
        let day: &Day = day;
        day.change.as_ref().map(|change| change.normalize().to_string()).map_err(String::as_str)
    };
    series.days.iter().map(shown).collect()
}

#[test]
fn a_day_with_a_flow_returns_what_its_record_says() {
    // +50 % on 100, then a deposit of 100, then +10 % on 250: the daily rule says 275 ÷ 200.
    let stored = [
        DayValue { returned: Some(DayReturn { profit: Some(d("7")), ..returned(Ok("0.02")) }), ..day("2026-04-08", "100", "100") },
        recorded("2026-04-09", "275", "100", Ok("0.65")),
        day("2026-04-10", "302.5", "0"),
        day("2026-04-13", "402.5", "100"),
    ];
    let series = Series::of(&stored, "2026-04-08");
    assert_eq!(changes(&series), [Ok("0.02".into()), Ok("0.65".into()), Ok("0.1".into()), Ok("0".into())]);
    assert_eq!((series.total, series.observations), (Some(d("0.8513")), 4), "the first day's counts, and the total links them");
    let told: Vec<_> = series.days.iter().map(|day| (day.source.name(), day.method.as_str(), day.note.unwrap_or_default())).collect();
    assert_eq!(told[1], ("RECORD", "time-weighted at every external flow", ""));
    assert_eq!(told[2], ("CLOSES", Rule::Daily.words(), "no record of the day is stored: from its closes"));
    assert_eq!(told[3].2, "no record of the day is stored: from its closes, not valued at its flows");
    assert_eq!((series.days[0].earned, series.days[2].earned), (Some(d("7")), Some(d("27.5"))));
    // The same day by its closes alone.
    assert_eq!(
        changes(&Series::of(&[day("2026-04-08", "100", "100"), day("2026-04-09", "275", "100")], "2026-04-09")),
        [Ok("0.375".into())]
    );
}

#[test]
fn a_record_of_an_earlier_close_is_told_and_provisional() {
    let told = |is_of_an_earlier_close| {
        let told = DayReturn { is_of_an_earlier_close, ..returned(Ok("0.02")) };
        Series::of(&[DayValue { returned: Some(told), ..day("2026-04-08", "100", "0") }], "2026-04-08")
    };
    let (series, settled) = (told(true), told(false));
    assert_eq!((series.days[0].provisional, series.days[0].note), (true, Some("its record is of an earlier version of the close")));
    assert_eq!((settled.days[0].provisional, settled.days[0].note), (false, None));
}

#[test]
fn inflows_stand_at_the_start_of_a_day_and_outflows_at_its_end() {
    let stored =
        [day("2026-01-01", "100", "100"), day("2026-01-02", "165", "50"), day("2026-01-05", "99", "-66"), day("2026-01-06", "108.9", "0")];
    let series = Series::of(&stored, "2026-01-01");
    assert_eq!(changes(&series), [Err("the first day that is stored"), Ok("0.1".into()), Ok("0".into()), Ok("0.1".into())]);
    assert_eq!(series.total, Some(d("0.21")));
    assert_eq!(series.days[2].earned, Some(d("0")));
    let tail = Series::of(&stored, "2026-01-05");
    assert_eq!((tail.days.len(), tail.observations, tail.total), (2, 2, Some(d("0.1"))), "measured from the day before");
    assert_eq!(tail.before, Some(("2026-01-02".to_owned(), d("165"))));
}

#[test]
fn the_running_day_is_measured_from_the_last_closed_one() {
    let series = Series::of(&[day("2026-01-01", "100", "100"), day("2026-01-02", "110", "0")], "2026-01-01");
    let running = |since: &str, value: &str, flow: &str| RunningDay {
        since: since.to_owned(),
        value_before: d("110"),
        as_of: Micros(0),
        total_value: d(value),
        net_external_flow: d(flow),
        complete: true,
    };
    let up = Running::of(running("2026-01-02", "176", "50"), &series).unwrap();
    assert_eq!((up.change, up.earned, up.total), (Ok(d("0.1")), Some(d("16")), Some(d("0.21"))));
    assert_eq!(up.note, Some("not valued at its flows until it is closed"));
    let lost = Running::of(running("2026-01-02", "-1", "0"), &series).unwrap();
    assert_eq!((lost.earned, lost.total, lost.note), (Some(d("-111")), None, None));
    assert!(lost.change.unwrap_err().starts_with("TOTAL_LOSS: "));
    assert_eq!(Running::of(running("2026-01-05", "176", "0"), &series), None, "a day was closed in between");
}

#[test]
fn the_deepest_fall_has_its_days() {
    let values = [("2026-01-01", "100"), ("2026-01-02", "120"), ("2026-01-05", "90"), ("2026-01-06", "130"), ("2026-01-07", "117")];
    let stored: Vec<_> = values.iter().map(|(date, value)| day(date, value, "0")).collect();
    let fall = Series::of(&stored, "2026-01-01").deepest.unwrap();
    assert_eq!((fall.depth, fall.peak.as_str(), fall.trough.as_str()), (d("-0.25"), "2026-01-02", "2026-01-05"));
    assert_eq!((fall.recovered.as_deref(), fall.days), (Some("2026-01-06"), Some(4)));
    assert_eq!(Series::of(&stored[..2], "2026-01-01").deepest, None);
    let fall = Series::of(&stored[1..3], "2026-01-05").deepest.unwrap();
    assert_eq!((fall.peak.as_str(), fall.recovered, fall.days), ("2026-01-02", None, Some(3)), "from the start on: the close before it");
    let fall = Series::of(&[recorded("2026-01-05", "90", "100", Ok("-0.1"))], "2026-01-01").deepest.unwrap();
    assert_eq!((fall.peak.as_str(), fall.days), ("2026-01-05", Some(0)), "without one the first day, as records say it");
}

#[test]
fn behind_a_day_that_left_nothing_linking_begins_anew() {
    let stored = [day("2026-01-01", "100", "0"), day("2026-01-02", "-5", "0"), day("2026-01-05", "50", "60"), day("2026-01-06", "60", "0")];
    let series = Series::of(&stored, "2026-01-01");
    assert!(series.days[1].change.as_ref().unwrap_err().starts_with("TOTAL_LOSS: "));
    assert_eq!((series.days[1].index, series.observations, series.lost()), (None, 2, Some("2026-01-02")));
    // 50 ÷ (−5 + 60), then a fifth more.
    assert_eq!(series.total, Some(d("0.090909090909")));
    assert!(series.reason().unwrap().starts_with("since 2026-01-02, on which nothing was left"));
    let told = [recorded("2026-01-01", "100", "0", Ok("0.5")), recorded("2026-01-02", "0", "0", Err("TOTAL_LOSS: all"))];
    let gone = Series::of(&told, "2026-01-01");
    assert_eq!((gone.total, gone.observations, gone.deepest.clone()), (None, 0, None));
    assert!(gone.reason().unwrap().starts_with("TOTAL_LOSS: "));
    let none = [recorded("2026-01-01", "0", "0", Err("NO_CAPITAL: none")), recorded("2026-01-02", "105", "100", Ok("0.05"))];
    let series = Series::of(&none, "2026-01-01");
    assert_eq!((changes(&series), series.total), (vec![Err("NO_CAPITAL: none"), Ok("0.05".into())], Some(d("0.05"))));
}
