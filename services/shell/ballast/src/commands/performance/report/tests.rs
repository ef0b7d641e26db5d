//! That the three forms say the same, and the same as the records.

use super::*;
use crate::commands::performance::returns::tests::{day, recorded};
use crate::commands::performance::span::{Terms, figures};
use crate::sheet::{Format, text};
use postgres_store::Micros;
use serde_json::{Value, json};

fn report() -> PerformanceReport {
    // +50 % on 100, a deposit of 100, then +10 %: 0.65, where the closes alone would say 0.375.
    let stored =
        [recorded("2026-04-08", "100", "100", Ok("0")), recorded("2026-04-09", "275", "100", Ok("0.65")), day("2026-04-10", "220", "0")];
    let series = Series::of(&stored, "2026-04-08");
    let terms = Terms::of(&json!({"portfolio_id": "growth", "policy_version": 1, "base_currency": "USD"}), "USD");
    let all = FigureSet {
        timeframe: "ALL".to_owned(),
        as_of: Micros(0),
        from_date: Some("2026-04-08".to_owned()),
        date: Some("2026-04-10".to_owned()),
        base_currency: "USD".to_owned(),
        provisional: false,
        metrics: json!([{"id": "time_weighted_return", "value": "0.32", "unit": "FRACTION"}]),
    };
    let sets = [figures(&series, &terms, Some(Micros(0))).unwrap(), all];
    PerformanceReport::of("growth", &sets, Parts { series, running: None, attribution: None, against: None })
}

#[test]
fn table_json_and_csv_say_what_the_records_say() {
    let report = report();
    let json: Value = serde_json::from_str(&text(&report, Format::Json)).unwrap();
    let daily = &json["returns"]["daily"];
    assert_eq!((&daily[1]["return"], &daily[1]["source"]), (&Value::from("0.65"), &Value::from("RECORD")));
    assert_eq!((&daily[2]["return"], &daily[2]["source"]), (&Value::from("-0.2"), &Value::from("CLOSES")));
    assert_eq!(daily[2]["reason"], "no record of the day is stored: from its closes");
    let set = |name: &str| json["metrics"].as_array().unwrap().iter().find(|set| set["timeframe"] == name).cloned().unwrap();
    assert_eq!((&set("SPAN")["from"], &set("SPAN")["to"]), (&Value::from("2026-04-08"), &Value::from("2026-04-10")));
    for own in [&json["returns"]["total_return"], &set("SPAN")["figures"][0]["value"], &set("ALL")["figures"][0]["value"]] {
        assert_eq!(own, "0.32");
    }
    assert_eq!((&json["drawdown"]["maximum"], &json["drawdown"]["days"]), (&Value::from("-0.2"), &Value::from(1)));
    let csv = text(&report, Format::Csv);
    assert!(csv.contains("returns,2026-04-08,2026-04-10,0.32,-0.2,3,,2026-04-09,2026-04-10,,1\n"), "{csv}");
    assert!(csv.contains("daily,2026-04-09,275,100,75,0.65,0,,RECORD,time-weighted at every external flow,1.65,false\n"), "{csv}");
    assert!(csv.contains("metrics,SPAN,time_weighted_return,,0.32,FRACTION,1970-01-01T00:00:00Z,,2026-04-08,2026-04-10\n"), "{csv}");
    let table = text(&report, Format::Table);
    assert!(table.contains("total return 32.00 % over 3 daily returns") && table.contains("65.00 %"), "{table}");
}

#[test]
fn in_csv_an_undefined_figure_is_empty_beside_its_reason() {
    let csv = text(&report(), Format::Csv);
    let beta = csv.lines().find(|line| line.starts_with("metrics,SPAN,beta,")).unwrap();
    assert!(beta.starts_with("metrics,SPAN,beta,,,RATIO,") && beta.contains("NO_BENCHMARK: it needs a benchmark"), "{beta}");
    assert!(!csv.contains(",-,") && !csv.contains(",-\n"), "{csv}");
    assert!(text(&report(), Format::Table).lines().any(|line| line.contains("beta") && line.contains(" - ")));
}
