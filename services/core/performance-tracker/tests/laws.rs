//! Laws that hold for any series, tried on many.

#![allow(clippy::disallowed_methods, reason = "a test may round as its machine does")]
#![allow(clippy::unwrap_used, clippy::float_arithmetic, reason = "a test that cannot go on has failed, and figures are floats")]

use domain::{Date, Money, SmolStr};
use performance_tracker::attribution::brinson::{Holding, Model, Period, Side, brinson};
use performance_tracker::attribution::carino::linked;
use performance_tracker::attribution::grouping::Grouping;
use performance_tracker::metrics::catalogue::{all, find, of_returns};
use performance_tracker::numeric::{quantile, sum};
use performance_tracker::returns::account::{FlowTiming, Valuation, time_weighted};
use performance_tracker::returns::money_weighted::{CashFlow, present_value, xirr};
use performance_tracker::returns::{drawdown, growth};
use performance_tracker::risk::component::{historical, parametric, portfolio, shortfall};
use performance_tracker::risk::concentration::concentration;
use performance_tracker::risk::covariance;
use performance_tracker::risk::value_at_risk::{Method, shortfall_of, value_at_risk_of};
use performance_tracker::{Answer, Sample};
use proptest::prelude::*;

fn returns(least: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-0.2..0.2_f64, least..60)
}

fn figure(id: &str, returns: &[f64]) -> Answer {
    find(id).unwrap().of_sample(&Sample::new(returns).unwrap()).unwrap().value
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * (1.0 + expected.abs())
}

fn side() -> impl Strategy<Value = (f64, f64)> {
    (0.0..1.0_f64, -0.3..0.3_f64)
}

fn period() -> impl Strategy<Value = Period> {
    let rows = prop::collection::vec((side(), side(), 0..4_u8), 1..6);
    (rows, any::<bool>()).prop_map(|(rows, fachler)| {
        let row = |((own, own_return), (other, other_return), sector): ((f64, f64), (f64, f64), u8)| Holding {
            sector: format!("s{sector}"),
            portfolio: Side { weight: own, value: Some(own_return) },
            benchmark: Side { weight: other, value: Some(other_return) },
        };
        let rows: Vec<Holding> = rows.into_iter().map(row).collect();
        brinson(&rows, if fachler { Model::Fachler } else { Model::HoodBeebower }).unwrap()
    })
}

proptest! {
    #[test]
    fn without_flows_the_return_is_that_of_the_ends(values in prop::collection::vec(1.0..1e6_f64, 2..40)) {
        let rows: Vec<Valuation> =
            (0..).zip(&values).map(|(day, value)| Valuation { date: Date::from_days(day), value: *value, flow: 0.0 }).collect();
        for timing in [FlowTiming::Daily, FlowTiming::Start, FlowTiming::Middle, FlowTiming::End, FlowTiming::AfterValue] {
            let total = growth(&time_weighted(&rows, timing).unwrap()).unwrap();
            prop_assert!(near(total, values[values.len() - 1] / values[0]));
        }
    }

    #[test]
    fn flows_do_not_change_the_time_weighted_return(returns in returns(1), flows in prop::collection::vec(-5.0..50.0_f64, 60)) {
        // An account that earns these returns, whatever comes or goes just after each value.
        let mut rows = vec![Valuation { date: Date::from_days(0), value: 1000.0, flow: flows[0] }];
        for (day, one) in (1..).zip(&returns) {
            let last = rows[rows.len() - 1];
            let value = (last.value + last.flow) * (1.0 + one);
            let flow = flows[rows.len() % flows.len()].max(-value / 2.0);
            rows.push(Valuation { date: Date::from_days(day), value, flow });
        }
        let found = time_weighted(&rows, FlowTiming::AfterValue).unwrap();
        prop_assert!(found.iter().zip(&returns).all(|(found, own)| near(*found, *own)));
    }

    #[test]
    fn a_scale_of_returns_scales_what_is_linear(returns in returns(3), scale in 0.1..1.0_f64) {
        let scaled: Vec<f64> = returns.iter().map(|one| one * scale).collect();
        for id in ["volatility", "downside_deviation", "mean_return", "best_day", "worst_day", "var_historical", "var_parametric", "es_historical"] {
            prop_assert!(near(figure(id, &scaled).unwrap(), figure(id, &returns).unwrap() * scale), "{id}");
        }
        for id in ["sharpe", "sortino", "omega", "skewness", "kurtosis", "tail_ratio", "profit_factor_periods", "win_rate_periods"] {
            match (figure(id, &scaled), figure(id, &returns)) {
                (Ok(one), Ok(other)) => prop_assert!(near(one, other), "{id}: {one} {other}"),
                (one, other) => prop_assert_eq!(one, other),
            }
        }
    }

    #[test]
    fn drawdowns_are_no_gains_and_cover_the_series(returns in returns(1)) {
        let depth = figure("max_drawdown", &returns).unwrap();
        prop_assert!((-1.0..=0.0).contains(&depth));
        let every = drawdown::all(&returns).unwrap();
        prop_assert!(every.iter().all(|one| one.depth < 0.0 && one.peak.is_none_or(|peak| peak < one.trough)));
        prop_assert!(every.iter().all(|one| one.recovery.is_none_or(|row| row > one.trough)));
        let deepest = every.iter().map(|one| one.depth).fold(0.0, f64::min);
        prop_assert_eq!(deepest, depth);
        prop_assert!(every[..every.len().saturating_sub(1)].iter().all(|one| one.recovery.is_some()));
    }

    #[test]
    fn the_shortfall_lies_at_or_beyond_the_value_at_risk(returns in returns(2), confidence in 0.5..0.999_f64) {
        for method in [Method::Historical, Method::Parametric] {
            let at_risk = value_at_risk_of(&returns, method, confidence, 1.0).unwrap();
            prop_assert!(shortfall_of(&returns, method, confidence, 1.0).unwrap() >= at_risk - 1e-12);
        }
    }

    #[test]
    fn quantiles_rise_and_stay_within(values in prop::collection::vec(-1e3..1e3_f64, 1..50), low in 0.0..1.0_f64, high in 0.0..1.0_f64) {
        let (low, high) = if low <= high { (low, high) } else { (high, low) };
        let (one, other) = (quantile(&values, low).unwrap(), quantile(&values, high).unwrap());
        let (least, most) = (quantile(&values, 0.0).unwrap(), quantile(&values, 1.0).unwrap());
        prop_assert!(least <= one && one <= other + 1e-12 && other <= most);
    }

    #[test]
    fn effects_add_up_to_the_active_return(period in period()) {
        prop_assert!((period.total.total() - period.active_return()).abs() < 1e-12);
    }

    #[test]
    fn linked_effects_leave_no_residual(periods in prop::collection::vec(period(), 1..12)) {
        prop_assume!(periods.iter().all(|one| one.portfolio_return > -0.95 && one.benchmark_return > -0.95));
        let found = linked(&periods).unwrap();
        prop_assert!(found.residual().abs() < 1e-10 * (1.0 + found.portfolio_return.abs() + found.benchmark_return.abs()), "{}", found.residual());
    }

    #[test]
    fn components_add_up(rows in prop::collection::vec(prop::array::uniform3(-0.1..0.1_f64), 4..40), weights in prop::array::uniform3(-1.0..1.0_f64)) {
        let columns: Vec<Vec<f64>> = (0..3).map(|at| rows.iter().map(|row| row[at]).collect()).collect();
        let book = portfolio(&columns, &weights);
        let means: Vec<f64> = columns.iter().map(|column| sum(column.iter().copied()) / column.len() as f64).collect();
        let matrix = covariance::sample(&columns).unwrap();
        let found = parametric(&matrix, &means, &weights, 0.95, 1.0).unwrap();
        prop_assert!(near(sum(found.parts.iter().copied()), value_at_risk_of(&book, Method::Parametric, 0.95, 1.0).unwrap()));
        let old = historical(&columns, &weights, 0.95).unwrap();
        prop_assert!(near(sum(old.parts.iter().copied()), value_at_risk_of(&book, Method::Historical, 0.95, 1.0).unwrap()));
        let beyond = shortfall(&columns, &weights, 0.95).unwrap();
        prop_assert!(near(beyond.total, shortfall_of(&book, Method::Historical, 0.95, 1.0).unwrap()));
        let correlations = covariance::correlation_of(&matrix).unwrap();
        prop_assert!(correlations.iter().flatten().all(|one| (-1.0..=1.0).contains(one)));
    }

    #[test]
    fn a_constructed_rate_is_found(rate in -0.9..5.0_f64, paid in prop::collection::vec((1..3000_i32, 1.0..1e4_f64), 1..10)) {
        // Payments grow at the rate until a last day on which all of it comes back.
        let last = 3001;
        let mut flows: Vec<CashFlow> =
            paid.iter().map(|(day, amount)| CashFlow { date: Date::from_days(*day), amount: -amount }).collect();
        let grown = |flow: &CashFlow| -flow.amount * (1.0 + rate).powf(f64::from(last - flow.date.days()) / 365.0);
        let back = flows.iter().map(grown).sum();
        flows.push(CashFlow { date: Date::from_days(last), amount: back });
        let found = xirr(&flows).unwrap();
        prop_assert!(!found.is_ambiguous() && (found.rate - rate).abs() < 1e-9 * (1.0 + rate), "{found:?} {rate}");
        // A rate far below zero makes late flows worth millions of times their amount.
        let most = (1.0 + rate).powf(-f64::from(last) / 365.0).max(1.0);
        let size: f64 = flows.iter().map(|flow| flow.amount.abs() * most).sum();
        prop_assert!(present_value(&flows, found.rate).unwrap().abs() < 1e-9 * size);
    }

    #[test]
    fn as_concentrated_as_so_many_equal_holdings(values in prop::collection::vec(-1e6..1e6_f64, 1..30)) {
        prop_assume!(values.iter().any(|value| *value != 0.0));
        let found = concentration(&values).unwrap();
        prop_assert!(found.hhi <= 1.0 + 1e-12 && found.hhi * values.len() as f64 >= 1.0 - 1e-12);
        prop_assert!(near(found.effective_number * found.hhi, 1.0) && found.largest <= 1.0 + 1e-12);
    }

    #[test]
    fn groupings_add_up_to_the_last_unit(rows in prop::collection::vec((0..5_u8, -1_000_000..1_000_000_i64), 0..40), total in -1_000_000..1_000_000_i64) {
        let money = |units: i64| Money::from_units(i128::from(units));
        let rows = rows.into_iter().map(|(group, units)| (SmolStr::new(format!("g{group}")), money(units)));
        let found = Grouping::new(rows, money(total)).unwrap();
        let grouped: i128 = found.groups.values().map(|amount| amount.units()).sum();
        prop_assert_eq!(grouped + found.residual.units(), i128::from(total));
        let best_is_best = found.best().is_none_or(|(_, best)| found.groups.values().all(|one| *one <= best));
        prop_assert!(best_is_best && found.worst().is_none_or(|(_, worst)| found.groups.values().all(|one| *one >= worst)));
    }

    #[test]
    fn whatever_comes_only_finite_numbers_leave(values in prop::collection::vec(any::<f64>().prop_filter("finite", |one| one.is_finite()), 0..12)) {
        let sample = Sample::new(&values).unwrap().against(&values).unwrap();
        prop_assert!(of_returns(&sample).iter().all(|figure| figure.value.is_ok_and(f64::is_finite) || figure.value.is_err()));
        prop_assert!(all().count() > 60);
    }

    #[test]
    fn nothing_that_is_no_number_enters(values in prop::collection::vec(-1.0..1.0_f64, 1..10), at in 0..10_usize, which in 0..3_usize) {
        let mut values = values;
        let at = at % values.len();
        values[at] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][which];
        let told = Sample::new(&values).unwrap_err().to_string();
        prop_assert!(told.starts_with(&format!("row {} of returns", at + 1)), "{told}");
    }
}
