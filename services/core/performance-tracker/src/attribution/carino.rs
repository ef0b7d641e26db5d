//! Effects of several periods as one (Carino 1999): each period's effects are scaled so that all of them add up to
//! the compounded active return, without a residual.

use super::brinson::{Effects, Period};
use crate::numeric::sum;
use crate::undefined::{Answer, Undefined, finite};
use std::collections::BTreeMap;

/// The attribution of several periods together.
#[derive(Debug, Clone, PartialEq)]
pub struct Linked {
    /// The portfolio's compounded return.
    pub portfolio_return: f64,
    /// The benchmark's.
    pub benchmark_return: f64,
    /// Each sector's scaled effects, by name.
    pub sectors: BTreeMap<String, Effects>,
    /// All sectors together.
    pub total: Effects,
    /// What each period's effects were multiplied by.
    pub factors: Vec<f64>,
}

impl Linked {
    /// The portfolio's compounded return less the benchmark's.
    pub fn active_return(&self) -> f64 {
        self.portfolio_return - self.benchmark_return
    }

    /// The active return less all effects: nothing but rounding.
    pub fn residual(&self) -> f64 {
        self.active_return() - self.total.total()
    }
}

/// Links periods. Absent where a return is -100 % or less: then nothing can be compounded.
pub fn linked(periods: &[Period]) -> Result<Linked, Undefined> {
    crate::numeric::moments::enough(periods.len(), 1)?;
    let compounded = |of: fn(&Period) -> f64| {
        let returns: Vec<f64> = periods.iter().map(of).collect();
        finite(crate::returns::growth(&returns)? - 1.0)
    };
    let (own, other) = (compounded(|one| one.portfolio_return)?, compounded(|one| one.benchmark_return)?);
    let whole = slope(own, other)?;
    let factors: Result<Vec<f64>, Undefined> =
        periods.iter().map(|one| finite(slope(one.portfolio_return, one.benchmark_return)? / whole)).collect();
    let factors = factors?;
    let mut parts: BTreeMap<String, Vec<Effects>> = BTreeMap::new();
    for (period, factor) in periods.iter().zip(&factors) {
        for sector in &period.sectors {
            parts.entry(sector.sector.clone()).or_default().push(sector.effects.scaled(*factor));
        }
    }
    let sectors: BTreeMap<String, Effects> = parts.into_iter().map(|(sector, all)| (sector, Effects::sum_of(all.iter()))).collect();
    let total = Effects::sum_of(sectors.values());
    Ok(Linked { portfolio_return: own, benchmark_return: other, sectors, total, factors })
}

/// The slope of the logarithm between two growths: (ln(1 + r) - ln(1 + b)) / (r - b).
fn slope(own: f64, other: f64) -> Answer {
    if own <= -1.0 || other <= -1.0 {
        return Err(Undefined::TotalLoss);
    }
    // ln((1 + r) / (1 + b)) keeps its digits where both are nearly equal.
    let apart = (own - other) / (1.0 + other);
    if apart == 0.0 { finite(1.0 / (1.0 + other)) } else { finite(libm::log1p(apart) / apart / (1.0 + other)) }
}

/// Sum of the effects of each period as they are, without linking.
pub fn added(periods: &[Period]) -> f64 {
    sum(periods.iter().map(|one| one.total.total()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribution::brinson::{Holding, Model, Side, brinson};

    fn period(own: f64, other: f64) -> Period {
        let side = |weight, value| Side { weight, value: Some(value) };
        let row = |sector: &str, portfolio, benchmark| Holding { sector: sector.to_owned(), portfolio, benchmark };
        let rows = [row("A", side(0.6, own), side(0.5, other)), row("B", side(0.4, 0.01), side(0.5, 0.02))];
        brinson(&rows, Model::Fachler).unwrap()
    }

    #[test]
    fn nothing_is_left_over() {
        let periods = [period(0.10, 0.04), period(-0.05, 0.02), period(0.03, 0.03), period(0.0, -0.2)];
        let found = linked(&periods).unwrap();
        assert!(found.residual().abs() < 1e-15, "{}", found.residual());
        assert!((added(&periods) - found.active_return()).abs() > 1e-4);
        let one = linked(&periods[..1]).unwrap();
        assert!((one.factors[0] - 1.0).abs() < 1e-15);
    }

    #[test]
    fn equal_returns_have_the_slope_of_their_point() {
        assert_eq!(slope(0.25, 0.25), Ok(0.8));
        let near = slope(0.25 + 1e-12, 0.25).unwrap();
        assert!((near - 0.8).abs() < 1e-9);
        assert_eq!((slope(-1.0, 0.1), linked(&[])), (Err(Undefined::TotalLoss), Err(Undefined::TooFewObservations { have: 0, need: 1 })));
    }
}
