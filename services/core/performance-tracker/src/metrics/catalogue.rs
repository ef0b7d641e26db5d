//! The one list of all figures, in the order in which they are shown.

use super::trades::Tally;
use super::{Figure, Function, Metric};
use super::{
    account, alpha, beta, calmar, capture, cash_flows, cumulative_return, downside_deviation, extremes, kurtosis, max_drawdown, omega,
    sharpe, skewness, sortino, stability, tail_ratio, to_date, tracking_error, trades, ulcer_index, value_at_risk, volatility,
    win_rate_periods,
};
use crate::returns::account::{FlowTiming, Valuation};
use crate::returns::money_weighted::CashFlow;
use crate::sample::Sample;

/// The files of the catalogue.
const FILES: [&[Metric]; 24] = [
    account::METRICS,
    cash_flows::METRICS,
    cumulative_return::METRICS,
    to_date::METRICS,
    volatility::METRICS,
    downside_deviation::METRICS,
    sharpe::METRICS,
    sortino::METRICS,
    max_drawdown::METRICS,
    calmar::METRICS,
    ulcer_index::METRICS,
    omega::METRICS,
    skewness::METRICS,
    kurtosis::METRICS,
    tail_ratio::METRICS,
    stability::METRICS,
    extremes::METRICS,
    win_rate_periods::METRICS,
    value_at_risk::METRICS,
    beta::METRICS,
    alpha::METRICS,
    tracking_error::METRICS,
    capture::METRICS,
    trades::METRICS,
];

/// Every figure.
pub fn all() -> impl Iterator<Item = &'static Metric> + Clone {
    FILES.into_iter().flatten()
}

/// The figure of that name.
pub fn find(id: &str) -> Option<&'static Metric> {
    all().find(|metric| metric.id == id)
}

/// Every figure of a series of returns; those that need what the sample does not have say so.
pub fn of_returns(sample: &Sample<'_>) -> Vec<Figure> {
    all().filter_map(|metric| metric.of_sample(sample)).collect()
}

/// Every figure of closed trades, in the order in which they were closed; profits and losses are finite.
pub fn of_trades(trades: &[f64]) -> Vec<Figure> {
    let tally = Tally::of(trades);
    let one = |metric: &Metric| match metric.function {
        Function::Trades(function) => Some(metric.figure(function(trades), trades.len())),
        Function::Tally(function) => Some(metric.figure(function(&tally), trades.len())),
        _ => None,
    };
    all().filter_map(one).collect()
}

/// Every figure of an account; the rows stand in time.
pub fn of_account(rows: &[Valuation], timing: FlowTiming) -> Vec<Figure> {
    let one = |metric: &Metric| match metric.function {
        Function::Account(function) => Some(metric.figure(function(rows, timing), rows.len())),
        _ => None,
    };
    all().filter_map(one).collect()
}

/// Every figure of cash flows, in any order.
pub fn of_flows(flows: &[CashFlow]) -> Vec<Figure> {
    let one = |metric: &Metric| match metric.function {
        Function::Flows(function) => Some(metric.figure(function(flows), flows.len())),
        _ => None,
    };
    all().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_stands_once() {
        let names: BTreeSet<&str> = all().map(|metric| metric.id).collect();
        assert_eq!(names.len(), all().count());
        assert!(all().all(|metric| !metric.formula.is_empty() && !metric.source.is_empty()));
        assert!(find("sharpe").is_some() && find("nonsense").is_none());
    }

    #[test]
    fn figures_that_count_risk_free_rates_are_all_known() {
        let (returns, rates) = ([0.01, -0.02, 0.03, -0.01, 0.02], [0.001, 0.002, 0.0, 0.001, 0.003]);
        let benchmark = [0.02, -0.01, 0.01, -0.03, 0.01];
        let plain = Sample::new(&returns).unwrap().against(&benchmark).unwrap();
        let with = of_returns(&plain.with_risk_free(&rates).unwrap());
        let without = of_returns(&plain);
        let moved: Vec<&str> =
            with.iter().zip(&without).filter(|(one, other)| one.value != other.value).map(|(figure, _)| figure.id).collect();
        assert_eq!(moved, crate::metrics::OF_RISK_FREE);
    }

    #[test]
    fn nothing_but_finite_numbers_leaves() {
        let hard: [&[f64]; 8] = [&[], &[0.1], &[0.0; 5], &[0.1; 5], &[-1.0, 0.5], &[-2.0, 0.5], &[1e308, 1e308], &[-1e308, 1e-308, 0.3]];
        for returns in hard {
            let sample = Sample::new(returns).unwrap().against(returns).unwrap();
            let figures = of_returns(&sample).into_iter().chain(of_trades(returns));
            figures.filter_map(|figure| figure.value.ok().map(|value| (figure.id, value))).for_each(|(id, value)| {
                assert!(value.is_finite(), "{id} of {returns:?} is {value}");
            });
        }
    }
}
