//! The figures of a span against a count of their own, and against what records of the same days say.

use super::*;
use crate::commands::performance::returns::tests::{day, returned};
use postgres_store::queries::{DayReturn, DayValue};

const POLICY: &str = r#"{"portfolio_id":"p1","policy_version":3,"base_currency":"EUR","benchmark":"WORLD","risk_free_rate":"0.02"}"#;

fn terms(policy: &str) -> Terms {
    Terms::of(&serde_json::from_str(policy).unwrap(), "EUR")
}

/// Date, equity, flow, return by the record, return of the benchmark.
fn stored(rows: &[(&str, &str, &str, &str, Option<&str>)]) -> Vec<DayValue> {
    let one = |(date, value, flow, change, benchmark): &(&str, &str, &str, &str, Option<&str>)| {
        let benchmark_return = benchmark.map(|change| change.parse().unwrap());
        DayValue { returned: Some(DayReturn { benchmark_return, ..returned(Ok(change)) }), ..day(date, value, flow) }
    };
    rows.iter().map(one).collect()
}

fn figures_of(rows: &[(&str, &str, &str, &str, Option<&str>)], from: &str, policy: &str) -> FigureSet {
    figures(&Series::of(&stored(rows), from), &terms(policy), Some(Micros(9))).unwrap()
}

fn find<'a>(set: &'a FigureSet, id: &str) -> &'a Value {
    set.metrics.as_array().unwrap().iter().find(|figure| figure["id"] == id).unwrap_or_else(|| panic!("{id}"))
}

fn value(set: &FigureSet, id: &str) -> f64 {
    let figure = find(set, id);
    figure["value"].as_str().unwrap_or_else(|| panic!("{figure}")).parse().unwrap()
}

fn near(set: &FigureSet, id: &str, expected: f64) {
    assert!((value(set, id) - expected).abs() < 2e-12, "{id}: {} is not {expected}", value(set, id));
}

const DAYS: [(&str, &str, &str, &str, Option<&str>); 5] = [
    ("2026-01-01", "100", "100", "0", None),
    ("2026-01-02", "110", "0", "0.1", Some("0.02")),
    ("2026-01-05", "149", "50", "-0.06", Some("-0.01")),
    ("2026-01-06", "156.45", "0", "0.05", None),
    ("2026-01-07", "153.321", "0", "-0.02", Some("0.03")),
];

#[test]
fn the_span_is_that_of_the_days_that_were_asked_for() {
    let set = figures_of(&DAYS, "2026-01-02", POLICY);
    assert_eq!((set.timeframe.as_str(), set.from_date.as_deref(), set.date.as_deref()), ("SPAN", Some("2026-01-02"), Some("2026-01-07")));
    assert_eq!((set.as_of, set.provisional, set.base_currency.as_str()), (Micros(9), false, "EUR"));
    let returns = [0.1, -0.06, 0.05, -0.02_f64];
    near(&set, "time_weighted_return", 1.1 * 0.94 * 1.05 * 0.98 - 1.0);
    near(&set, "cumulative_return", 1.1 * 0.94 * 1.05 * 0.98 - 1.0);
    let mean = returns.iter().sum::<f64>() / 4.0;
    let std = (returns.iter().map(|one| (one - mean) * (one - mean)).sum::<f64>() / 3.0).sqrt();
    near(&set, "volatility", std * 252.0_f64.sqrt());
    let rate = 1.02_f64.powf(1.0 / 252.0) - 1.0;
    near(&set, "sharpe", (mean - rate) / std * 252.0_f64.sqrt());
    near(&set, "max_drawdown", -0.06);
    assert_eq!((find(&set, "sharpe")["observations"].as_i64(), find(&set, "sharpe")["window"].as_str()), (Some(4), Some("4D")));
    assert_eq!(find(&set, "var_historical")["confidence"], "0.95");
    assert_eq!((find(&set, "profit")["value"].as_str(), find(&set, "net_external_flow")["value"].as_str()), (Some("3.321"), Some("50")));
    // Of less than a year nothing that stands for a year.
    for id in ["annualised_return", "calmar", "alpha", "money_weighted_return"] {
        let reason = find(&set, id)["reason"].as_str().unwrap_or_default().to_owned();
        assert!(find(&set, id)["value"].is_null() && reason.starts_with("UNDER_ONE_YEAR: "), "{id}: {reason}");
    }
    assert_eq!(value(&figures_of(&DAYS, "2026-01-06", POLICY), "time_weighted_return"), 0.029);
    let every_day = POLICY.replace("\"benchmark\"", "\"calendar\":\"24/7\",\"benchmark\"");
    near(&figures_of(&DAYS, "2026-01-02", &every_day), "volatility", std * 365.0_f64.sqrt());
}

#[test]
fn money_is_weighted_from_the_opening_value_by_dated_flows() {
    // 110 on the first of the month grow, 50 come in on the fifth: the rate brings both to the value at the end.
    let set = figures_of(&DAYS, "2026-01-05", POLICY);
    let period = value(&set, "money_weighted_return_period");
    let log = (1.0 + period).ln() / 5.0;
    let worth = 110.0 * (log * 5.0).exp() + 50.0 * (log * 2.0).exp();
    assert!((worth - 153.321).abs() < 1e-8, "{period} {worth}");
    // Gain over the capital by the days that it worked: the day of the flow counts.
    near(&set, "modified_dietz", (153.321 - 110.0 - 50.0) / (110.0 + 50.0 * 3.0 / 5.0));
    let year = [("2025-01-01", "100", "0", "0", None), ("2026-01-01", "110", "0", "0.1", None)];
    let set = figures_of(&year, "2026-01-01", POLICY);
    near(&set, "money_weighted_return", 0.1);
    assert!(value(&set, "annualised_return") > 0.1, "one return a year of 252");
}

#[test]
fn the_benchmark_counts_between_the_days_on_which_it_had_a_price() {
    let set = figures_of(&DAYS, "2026-01-02", POLICY);
    near(&set, "benchmark_return", 1.02 * 0.99 * 1.03 - 1.0);
    // Two days of the portfolio stand beside the last return of the benchmark.
    let (ours, theirs) = ([0.1, -0.06, 1.05 * 0.98 - 1.0], [0.02, -0.01, 0.03]);
    let mean = |of: &[f64; 3]| of.iter().sum::<f64>() / 3.0;
    let (own, other) = (mean(&ours), mean(&theirs));
    let cov: f64 = ours.iter().zip(&theirs).map(|(one, two)| (one - own) * (two - other)).sum();
    let var: f64 = theirs.iter().map(|one| (one - other) * (one - other)).sum();
    near(&set, "beta", cov / var);
    assert_eq!(find(&set, "beta")["observations"], 3);
    let without = figures_of(&DAYS, "2026-01-02", r#"{"portfolio_id":"p1","policy_version":3,"base_currency":"EUR"}"#);
    assert_eq!(
        (&find(&without, "beta")["value"], &find(&without, "beta")["reason"]),
        (&Value::Null, &"NO_BENCHMARK: it needs a benchmark".into())
    );
}

#[test]
fn what_was_risk_free_counts_between_the_days_on_which_its_instrument_had_a_price() {
    let policy = POLICY.replace("\"risk_free_rate\"", "\"risk_free_instrument\":\"BILLS\",\"risk_free_rate\"");
    let mut rows = stored(&DAYS);
    let mut told = |at: usize, change: &str| {
        let told: Option<&mut DayReturn> = rows[at].returned.as_mut();
        told.unwrap().risk_free_return = Some(change.parse().unwrap());
    };
    told(1, "0.001");
    told(3, "0.004");
    told(4, "0.002");
    let set = figures(&Series::of(&rows, "2026-01-02"), &terms(&policy), None).unwrap();
    // Two days of the portfolio stand beside its second return.
    let excess = [0.1 - 0.001, 0.94 * 1.05 - 1.0 - 0.004, -0.02 - 0.002];
    let mean = excess.iter().sum::<f64>() / 3.0;
    let std = (excess.iter().map(|one| (one - mean) * (one - mean)).sum::<f64>() / 2.0).sqrt();
    near(&set, "sharpe", mean / std * 252.0_f64.sqrt());
    assert_eq!((find(&set, "sharpe")["observations"].as_i64(), find(&set, "volatility")["observations"].as_i64()), (Some(3), Some(4)));
    // With the benchmark only where both had a price: on two of its three days. What counts no rate has all of them.
    assert_eq!((find(&set, "beta")["observations"].as_i64(), find(&set, "tracking_error")["observations"].as_i64()), (Some(2), Some(3)));
    // Without any price the rate holds.
    assert_eq!(find(&figures_of(&DAYS, "2026-01-02", &policy), "sharpe"), find(&figures_of(&DAYS, "2026-01-02", POLICY), "sharpe"));
}

#[test]
fn closed_trades_of_the_span_stand_beside_its_returns() {
    let mut rows = stored(&DAYS);
    let mut closed = |at: usize, (trades, winning, losing): (i64, i64, i64), profit: &str, loss: &str| {
        let (gross_profit, gross_loss) = (profit.parse().ok(), loss.parse().ok());
        rows[at].returned.as_mut().unwrap().trades = Some(ClosedTrades { trades, winning, losing, gross_profit, gross_loss });
    };
    closed(0, (9, 9, 0), "1000", "0");
    closed(1, (2, 1, 0), "100000000.0000000001", "0");
    closed(3, (3, 1, 2), "200.00", "-75");
    let set = figures(&Series::of(&rows, "2026-01-02"), &terms(POLICY), None).unwrap();
    for (id, expected) in [("win_rate", 0.4), ("average_loss", -37.5), ("trades", 5.0), ("winning_trades", 2.0), ("losing_trades", 2.0)] {
        near(&set, id, expected);
    }
    assert_eq!(find(&set, "gross_profit")["value"], "100000200.0000000001", "to the last digit");
    assert!(find(&set, "trades")["reason"].as_str().unwrap().starts_with("as days were last told"));
    rows[3].returned.as_mut().unwrap().trades.as_mut().unwrap().gross_profit = None;
    let beyond = figures(&Series::of(&rows, "2026-01-02"), &terms(POLICY), None).unwrap();
    for id in ["trades", "win_rate", "gross_profit"] {
        assert!(find(&beyond, id)["value"].is_null() && find(&beyond, id)["reason"].as_str().unwrap().starts_with("OUT_OF_RANGE"), "{id}");
    }
    let none = figures_of(&DAYS, "2026-01-02", POLICY);
    assert_eq!((value(&none, "trades"), find(&none, "win_rate")["value"].is_null()), (0.0, true));
}

#[test]
fn what_was_lost_is_left_out_and_said() {
    let mut rows = stored(&DAYS);
    rows[2].returned = Some(returned(Err("TOTAL_LOSS: all")));
    let set = figures(&Series::of(&rows, "2026-01-02"), &terms(POLICY), None).unwrap();
    near(&set, "time_weighted_return", 1.05 * 0.98 - 1.0);
    assert!(find(&set, "volatility")["reason"].as_str().unwrap().starts_with("since 2026-01-05"), "{}", find(&set, "volatility"));
    let gone = figures(&Series::of(&rows[..3], "2026-01-02"), &terms(POLICY), None).unwrap();
    for id in ["time_weighted_return", "sharpe", "max_drawdown"] {
        assert!(find(&gone, id)["reason"].as_str().unwrap().starts_with("TOTAL_LOSS: "), "{}", find(&gone, id));
    }
}

#[test]
fn a_policy_that_cannot_be_read_is_said_with_every_figure() {
    let set = figures_of(&DAYS, "2026-01-02", r#"{"portfolio_id":"p1"}"#);
    assert!(find(&set, "volatility")["reason"].as_str().unwrap().starts_with("the policy cannot be read"));
}
