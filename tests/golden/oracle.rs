//! Runs `oracle.py`, a slow model in exact rationals that shares no code with the service, over every
//! case, and shows that it notices figures that are wrong.

use crate::core::{cases, folder, input, run};
use std::path::Path;
use std::process::{Command, Output};

fn ask(arguments: &[&Path]) -> Output {
    let mut command = Command::new("python3");
    command.arg(folder().join("oracle.py")).args(arguments);
    command.output().expect("python3 3.9 or newer runs the model; install it")
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_model_agrees_with_every_case() {
    let fresh = Scratch::new("agrees");
    for case in cases() {
        fresh.write(&case, &input(&case), &run(&input(&case)).text);
    }
    let output = ask(&[&fresh.0]);
    assert!(output.status.success(), "{}", words(&output));
}

/// Figures changed by hand in the output of a case: the model must notice each of them.
#[test]
fn the_model_notices_wrong_figures() {
    let changes = [
        ("buy_and_sell", r#""total_value":""#, r#""total_value":"1"#),
        ("buy_and_sell", r#""average_price":"1"#, r#""average_price":"2"#),
        ("buy_and_sell", r#""realized_gross":"1"#, r#""realized_gross":"2"#),
        ("lots_abroad_keep_their_rates", r#""realized_gross":"2"#, r#""realized_gross":"3"#),
        ("lots_lifo_sells_the_newest", r#""lots":[{"exec_id":"1""#, r#""lots":[{"exec_id":"2""#),
        ("lots_method_may_change_before_the_first_booking", r#""quantity":"5","cost":"1"#, r#""quantity":"5","cost":"2"#),
        ("plan_truncate", r#""side":"BUY","quantity":""#, r#""side":"BUY","quantity":"1"#),
        ("plan_truncate", r#""weight":"0."#, r#""weight":"0.0"#),
        ("plan_truncate", r#""order_id":"0"#, r#""order_id":"1"#),
        ("hysteresis", r#""event":"CLEAR""#, r#""event":"WORSE""#),
        ("close_at_four_in_new_york", r#""net_external_flow":""#, r#""net_external_flow":"9"#),
        ("close_restated_by_a_late_fill", r#""restates":1"#, r#""restates":2"#),
        ("calendar_thanksgiving_and_the_half_day_after_it", r#""market_status":"CLOSED""#, r#""market_status":"OPEN""#),
        ("calendar_golden_week_in_tokyo", r#""date":"2019-05-07""#, r#""date":"2019-05-06""#),
        ("calendar_that_ends", r#""provisional":true"#, r#""provisional":false"#),
        ("anomaly_of_a_daily_return_is_held_and_released", r#""value":"0.3","bound""#, r#""value":"0.4","bound""#),
        (
            "anomaly_of_a_weight_is_held_until_the_price_is_back",
            r#""anomalies":[]"#,
            r#""anomalies":[{"kind":"DAILY_RETURN","instrument_id":null,"value":"0.3","bound":"0.1"}]"#,
        ),
        ("close_restated_by_a_late_fill", r#""complete":true,"incomplete_reason""#, r#""complete":false,"incomplete_reason""#),
    ];
    all_are_noticed("figure", &changes);
}

/// The same of records of performance and risk: a return, a statistic, a record too few, a bucket, an hour, a quantile.
#[test]
fn the_model_notices_wrong_performance() {
    let changes = [
        (
            "performance_several_flows_in_a_day",
            r#"{"id":"time_weighted_return","value":"0.0"#,
            r#"{"id":"time_weighted_return","value":"0.1"#,
        ),
        ("performance_realised_against_target", r#"{"id":"volatility","value":"0."#, r#"{"id":"volatility","value":"0.0"#),
        ("performance_realised_against_target", r#""drawdowns":[{"depth":"-0.0"#, r#""drawdowns":[{"depth":"-0.1"#),
        ("performance_month_ends", r#""timeframe":"DAY""#, r#""timeframe":"YTD""#),
        ("performance_year_ends", r#""from_date":"2026"#, r#""from_date":"2025"#),
        ("performance_strategies_on_one_line", r#"{"name":"BETA","realized_gross":"0""#, r#"{"name":"BETA","realized_gross":"7""#),
        ("performance_hours_of_a_day", r#"{"name":"10:00-11:00""#, r#"{"name":"09:00-10:00""#),
        ("performance_histories_with_other_holidays", r#"{"id":"value_at_risk","value":"4"#, r#"{"id":"value_at_risk","value":"5"#),
        ("performance_histories_with_other_holidays", r#""other_id":"IDX","value":"0.0"#, r#""other_id":"IDX","value":"0.1"#),
    ];
    all_are_noticed("performance", &changes);
}

/// Each change by itself, of the last place that reads so.
fn all_are_noticed(kind: &str, changes: &[(&str, &str, &str)]) {
    for (number, &(case, from, to)) in changes.iter().enumerate() {
        let told = run(&input(case)).text;
        // Any first digit will do where an id is changed.
        let from = if told.contains(from) { from.to_owned() } else { digit_in(&told, from) };
        let at = told.rfind(&from).unwrap_or_else(|| panic!("{case} holds no {from}"));
        let changed = format!("{}{to}{}", &told[..at], &told[at + from.len()..]);
        let scratch = Scratch::new(&format!("notices-{kind}-{number}"));
        scratch.write(case, &input(case), &changed);
        let output = ask(&[&scratch.0]);
        assert!(!output.status.success(), "{case}: {from} → {to} went unnoticed\n{}", words(&output));
    }
}

fn digit_in(told: &str, from: &str) -> String {
    let stem = &from[..from.len() - 1];
    let at = told.find(stem).unwrap_or_else(|| panic!("no {stem}")) + stem.len();
    format!("{stem}{}", &told[at..at + 1])
}

/// A folder of its own that goes when it is dropped.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ballast-golden-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder for temporary files can be written");
        Self(path)
    }
    fn write(&self, case: &str, input: &str, output: &str) {
        std::fs::write(self.0.join(format!("{case}.in.jsonl")), input).expect("a temporary file can be written");
        std::fs::write(self.0.join(format!("{case}.out.jsonl")), output).expect("a temporary file can be written");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left-overs of a test harm nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
