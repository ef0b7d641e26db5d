//! The risk of a book with weights, and what each asset adds to it. Value at risk and expected shortfall come by one
//! method, which each of them names; a method that has no parts says so.

use super::Assets;
use crate::cli::metrics::{MetricsArgs, RiskMethod};
use crate::commands::metrics::performance;
use crate::commands::metrics::report::{Cell, Grid, Mark, Report};
use performance_tracker::metrics::Unit::{Amount, Fraction, Ratio};
use performance_tracker::numeric::mean;
use performance_tracker::risk::component::{Components, historical, parametric, parametric_shortfall, portfolio, shortfall, volatility};
use performance_tracker::risk::concentration::concentration;
use performance_tracker::risk::covariance::Matrix;
use performance_tracker::risk::value_at_risk::{Method, value_at_risk_of};
use performance_tracker::{Answer, Undefined};

/// A figure and its parts, fractions of the book's value; each absent with its own reason.
struct Split {
    total: Answer,
    parts: Result<Components, Undefined>,
}

impl From<Result<Components, Undefined>> for Split {
    fn from(parts: Result<Components, Undefined>) -> Self {
        Self { total: parts.as_ref().map(|found| found.total).map_err(|reason| *reason), parts }
    }
}

/// Adds the book's risk by the method that was asked for (parametric where none was), and the parts of it.
pub fn add(report: &mut Report, assets: &Assets, covariances: &Matrix, weights: &[f64], args: &MetricsArgs) {
    let observations = assets.columns.first().map_or(0, Vec::len);
    let method = performance::method(args.method.unwrap_or(RiskMethod::Parametric));
    report.fact("value_at_risk_method", Cell::Text(method.name().to_owned()));
    report.fact("confidence", Cell::Number(args.confidence, Fraction));
    report.fact("horizon", Cell::Setting(args.horizon));
    let moved: Split = volatility(covariances, weights).into();
    report.figure("portfolio_standard_deviation", Fraction, moved.total, observations);
    report.figure("portfolio_volatility", Fraction, moved.total.map(|total| total * args.periods_per_year.sqrt()), observations);
    let [at_risk, beyond] = losses(method, assets, covariances, weights, args);
    let money = args.book_value.map(|value| (at_risk.total.map(|part| part * value), beyond.total.map(|part| part * value)));
    report.figure("value_at_risk", Fraction, at_risk.total, observations);
    report.figure("expected_shortfall", Fraction, beyond.total, observations);
    if let Some((at_risk, beyond)) = money {
        report.figure("value_at_risk_money", Amount, at_risk, observations);
        report.figure("expected_shortfall_money", Amount, beyond, observations);
    }
    let named = ["value_at_risk", "value_at_risk_money", "expected_shortfall", "expected_shortfall_money"];
    report.marks.extend(named.map(|id| (id, Mark::Method(method.name()))));
    if method == Method::CornishFisher {
        let why = "Cornish-Fisher has no expected shortfall and no parts: --method parametric or historical has both";
        report.notes.push(why.to_owned());
    }
    if args.lambda.is_some() && method != Method::Parametric {
        report.notes.push(format!("--lambda weighs the covariances; the {} value at risk counts every row once", method.name()));
    }
    report.figure("portfolio_mean", Fraction, mean(&portfolio(&assets.columns, weights)), observations);
    if let Ok(found) = concentration(weights) {
        report.figure("hhi", Ratio, Ok(found.hhi), weights.len());
        report.figure("effective_number", Ratio, Ok(found.effective_number), weights.len());
    }
    report.grids.push(components(assets, weights, method, [&moved, &at_risk, &beyond]));
}

/// Value at risk and expected shortfall over the horizon.
fn losses(method: Method, assets: &Assets, covariances: &Matrix, weights: &[f64], args: &MetricsArgs) -> [Split; 2] {
    let (confidence, horizon) = (args.confidence, args.horizon);
    match method {
        Method::Historical => {
            let found = [historical(&assets.columns, weights, confidence), shortfall(&assets.columns, weights, confidence)];
            found.map(|found| found.map(|parts| scaled(parts, horizon.sqrt())).into())
        }
        Method::Parametric => {
            let means: Vec<f64> = match args.lambda {
                Some(_) => vec![0.0; weights.len()],
                None => assets.columns.iter().map(|column| mean(column).unwrap_or(0.0)).collect(),
            };
            let beyond = parametric_shortfall(covariances, &means, weights, confidence, horizon);
            [parametric(covariances, &means, weights, confidence, horizon), beyond].map(Split::from)
        }
        Method::CornishFisher => [
            Split {
                total: value_at_risk_of(&portfolio(&assets.columns, weights), method, confidence, horizon),
                parts: Err(Undefined::NoMethod),
            },
            Err(Undefined::NoMethod).into(),
        ],
    }
}

/// A horizon scales historical losses by its root.
fn scaled(found: Components, by: f64) -> Components {
    Components { total: found.total * by, parts: found.parts.into_iter().map(|part| part * by).collect() }
}

fn components(assets: &Assets, weights: &[f64], method: Method, [moved, at_risk, beyond]: [&Split; 3]) -> Grid {
    let headers = ["asset", "weight", "volatility_part", "method", "var_part", "var_share", "var_marginal", "es_part"];
    let mut grid = Grid::new("components", &headers);
    let part = |of: &Split, at: usize| of.parts.as_ref().map(|one| one.parts[at]).map_err(|reason| *reason);
    for (at, (name, weight)) in assets.names.iter().zip(weights).enumerate() {
        let share = at_risk.parts.as_ref().map_err(|reason| *reason).and_then(|one| one.shares()[at]);
        let marginal = part(at_risk, at).and_then(|part| if *weight == 0.0 { Err(Undefined::ZeroDenominator) } else { Ok(part / weight) });
        let of = |answer| Cell::of(answer, Fraction);
        grid.rows.push(vec![
            Cell::Text(name.clone()),
            Cell::Number(*weight, Fraction),
            of(part(moved, at)),
            Cell::Text(method.name().to_owned()),
            of(part(at_risk, at)),
            of(share),
            of(marginal),
            of(part(beyond, at)),
        ]);
    }
    grid
}
