//! Brinson attribution of one period: what the choice of sectors and the choice within them added to the
//! benchmark's return. Interaction stands apart. Rows of one sector are brought together first.
//!
//! What the weights leave of 1 is a sector of its own, [`UNALLOCATED`], that returns nothing: so the effects add up
//! to the active return whatever was handed in.

use crate::numeric::sum;
use crate::undefined::{Undefined, finite};
use std::collections::BTreeMap;

/// The name of what the weights leave of 1.
pub const UNALLOCATED: &str = "(unallocated)";
/// Distance from 1 that counts as rounding of weights.
const ROUNDING: f64 = 1e-12;

/// How the allocation effect is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Model {
    /// (wp - wb)(rb - Rb): a sector is good where it beats the benchmark (Brinson and Fachler 1985).
    #[default]
    Fachler,
    /// (wp - wb) rb: a sector is good where it returns something (Brinson, Hood and Beebower 1986).
    HoodBeebower,
}

/// One side of a sector: weight and return, as fractions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Side {
    /// Part of the whole at the beginning of the period.
    pub weight: f64,
    /// Return; `None` where nothing is held and nothing is known.
    pub value: Option<f64>,
}

/// A row of input: one sector, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Holding {
    /// Sector.
    pub sector: String,
    /// In the portfolio.
    pub portfolio: Side,
    /// In the benchmark.
    pub benchmark: Side,
}

/// What one sector, or all, added; fractions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Effects {
    /// Choice of the sector.
    pub allocation: f64,
    /// Choice within the sector.
    pub selection: f64,
    /// Both at once.
    pub interaction: f64,
}

impl Effects {
    /// All three together.
    pub fn total(self) -> f64 {
        sum([self.allocation, self.selection, self.interaction])
    }

    /// All three times a number.
    #[must_use]
    pub fn scaled(self, by: f64) -> Self {
        Self { allocation: self.allocation * by, selection: self.selection * by, interaction: self.interaction * by }
    }

    /// Sums of effects, each of its kind.
    pub fn sum_of<'a>(all: impl Iterator<Item = &'a Self> + Clone) -> Self {
        Self {
            allocation: sum(all.clone().map(|one| one.allocation)),
            selection: sum(all.clone().map(|one| one.selection)),
            interaction: sum(all.map(|one| one.interaction)),
        }
    }
}

/// A sector with both sides and what it added.
#[derive(Debug, Clone, PartialEq)]
pub struct Sector {
    /// Name.
    pub sector: String,
    /// In the portfolio; its return is known.
    pub portfolio: (f64, f64),
    /// In the benchmark; its return is known.
    pub benchmark: (f64, f64),
    /// What it added.
    pub effects: Effects,
}

/// The attribution of one period.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// The portfolio's return.
    pub portfolio_return: f64,
    /// The benchmark's.
    pub benchmark_return: f64,
    /// Each sector, by name.
    pub sectors: Vec<Sector>,
    /// All sectors together: they make the active return.
    pub total: Effects,
}

impl Period {
    /// The portfolio's return less the benchmark's.
    pub fn active_return(&self) -> f64 {
        self.portfolio_return - self.benchmark_return
    }
}

/// Attributes one period. Inputs are finite; absent where there are none, or where a result is not finite.
pub fn brinson(holdings: &[Holding], model: Model) -> Result<Period, Undefined> {
    crate::numeric::moments::enough(holdings.len(), 1)?;
    let sectors = whole(by_sector(holdings)?);
    let of = |side: fn(&Sector) -> (f64, f64)| finite(sum(sectors.iter().map(|one| side(one).0 * side(one).1)));
    let (portfolio_return, benchmark_return) = (of(|one| one.portfolio)?, of(|one| one.benchmark)?);
    let base = if model == Model::Fachler { benchmark_return } else { 0.0 };
    let sectors: Vec<Sector> = sectors.into_iter().map(|one| Sector { effects: effects(&one, base), ..one }).collect();
    let total = Effects::sum_of(sectors.iter().map(|one| &one.effects));
    finite(total.total())?;
    Ok(Period { portfolio_return, benchmark_return, sectors, total })
}

fn effects(sector: &Sector, base: f64) -> Effects {
    let ((own, own_return), (other, other_return)) = (sector.portfolio, sector.benchmark);
    Effects {
        allocation: (own - other) * (other_return - base),
        selection: other * (own_return - other_return),
        interaction: (own - other) * (own_return - other_return),
    }
}

/// One row a sector: weights added, returns weighted. A side without a return has that of the other side, so that
/// it was chosen by allocation alone.
fn by_sector(holdings: &[Holding]) -> Result<Vec<Sector>, Undefined> {
    let mut groups: BTreeMap<&str, Vec<&Holding>> = BTreeMap::new();
    holdings.iter().for_each(|one| groups.entry(&one.sector).or_default().push(one));
    let one = |(sector, rows): (&str, Vec<&Holding>)| {
        let own = side(rows.iter().map(|row| row.portfolio))?;
        let other = side(rows.iter().map(|row| row.benchmark))?;
        Ok(Sector {
            sector: sector.to_owned(),
            portfolio: (own.0, own.1.or(other.1).unwrap_or(0.0)),
            benchmark: (other.0, other.1.or(own.1).unwrap_or(0.0)),
            effects: Effects::default(),
        })
    };
    groups.into_iter().map(one).collect()
}

/// Weight and return of several rows. Where the weights come to zero the return is the plain mean of those known.
fn side(rows: impl Iterator<Item = Side>) -> Result<(f64, Option<f64>), Undefined> {
    let rows: Vec<Side> = rows.collect();
    let weight = finite(sum(rows.iter().map(|row| row.weight)))?;
    let known: Vec<(f64, f64)> = rows.iter().filter_map(|row| Some((row.weight, row.value?))).collect();
    match known.as_slice() {
        [] => Ok((weight, None)),
        [(_, value)] => Ok((weight, Some(*value))),
        _ if weight == 0.0 => Ok((weight, Some(sum(known.iter().map(|one| one.1)) / known.len() as f64))),
        _ => Ok((weight, Some(finite(sum(known.iter().map(|one| one.0 * one.1)) / weight)?))),
    }
}

/// With what the weights leave of 1.
fn whole(mut sectors: Vec<Sector>) -> Vec<Sector> {
    let (own, other) = (left(&sectors, |one| one.portfolio.0), left(&sectors, |one| one.benchmark.0));
    if own != 0.0 || other != 0.0 {
        let sector = UNALLOCATED.to_owned();
        sectors.push(Sector { sector, portfolio: (own, 0.0), benchmark: (other, 0.0), effects: Effects::default() });
    }
    sectors
}

fn left(sectors: &[Sector], weight: impl Fn(&Sector) -> f64) -> f64 {
    let left = 1.0 - sum(sectors.iter().map(weight));
    if left.abs() <= ROUNDING { 0.0 } else { left }
}

/// What the weights of one side leave of 1, for whoever wants to say so.
pub fn unallocated(period: &Period) -> Option<(f64, f64)> {
    let row = period.sectors.iter().find(|one| one.sector == UNALLOCATED)?;
    Some((row.portfolio.0, row.benchmark.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bacon (2008), chapter 5: a portfolio of UK, Japanese and US equities against its benchmark.
    fn bacon() -> Vec<Holding> {
        let row = |sector: &str, own: (f64, f64), other: (f64, f64)| Holding {
            sector: sector.to_owned(),
            portfolio: Side { weight: own.0, value: Some(own.1) },
            benchmark: Side { weight: other.0, value: Some(other.1) },
        };
        vec![row("UK", (0.4, 0.2), (0.4, 0.1)), row("Japan", (0.3, -0.05), (0.2, -0.04)), row("US", (0.3, 0.06), (0.4, 0.08))]
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-14, "{found} is not {expected}");
    }

    #[test]
    fn bacon_by_fachler() {
        let found = brinson(&bacon(), Model::Fachler).unwrap();
        near(found.portfolio_return, 0.083);
        near(found.benchmark_return, 0.064);
        let effects = |sector: &str| found.sectors.iter().find(|one| one.sector == sector).unwrap().effects;
        for (sector, allocation, selection, interaction) in
            [("UK", 0.0, 0.04, 0.0), ("Japan", -0.0104, -0.002, -0.001), ("US", -0.0016, -0.008, 0.002)]
        {
            near(effects(sector).allocation, allocation);
            near(effects(sector).selection, selection);
            near(effects(sector).interaction, interaction);
        }
        near(found.total.total(), 0.019);
    }

    #[test]
    fn bacon_by_hood_and_beebower() {
        let found = brinson(&bacon(), Model::HoodBeebower).unwrap();
        near(found.total.allocation, -0.012);
        near(found.total.selection, 0.03);
        near(found.total.interaction, 0.001);
        let us = found.sectors.iter().find(|one| one.sector == "US").unwrap();
        near(us.effects.allocation, -0.008);
    }

    #[test]
    fn rows_of_a_sector_come_together_first() {
        let mut rows = bacon();
        let uk = rows.remove(0);
        for (own, other) in [(0.3, 0.05), (0.1, 0.65)] {
            let portfolio = Side { weight: own, value: Some(other) };
            let benchmark = Side { weight: own, value: Some(0.1) };
            rows.push(Holding { sector: uk.sector.clone(), portfolio, benchmark });
        }
        near(brinson(&rows, Model::Fachler).unwrap().total.selection, 0.03);
    }

    #[test]
    fn what_is_not_held_was_chosen_by_allocation() {
        let mut rows = bacon();
        rows[2].portfolio = Side { weight: 0.0, value: None };
        let found = brinson(&rows, Model::Fachler).unwrap();
        let us = found.sectors.iter().find(|one| one.sector == "US").unwrap().effects;
        assert_eq!((us.selection, us.interaction), (0.0, 0.0));
        let (own, other) = unallocated(&found).unwrap();
        near(own, 0.3);
        assert_eq!(other, 0.0);
        near(found.total.total(), found.active_return());
        assert!(brinson(&[], Model::Fachler).is_err());
    }
}
