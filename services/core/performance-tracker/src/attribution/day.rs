//! A portfolio's day as the side of an attribution: what each group weighed, and what it returned, so that weights add up to
//! one and weighted returns to the day's return, which counts inflows from its start and outflows until its end.
//!
//! What opens or enlarges a group within the day counts from its start as well, taken from cash; what leaves it counts
//! until its end. Cash is what the groups leave of the whole, and has what they leave of its profit: interest, plain fees,
//! rates, and what was earned by groups that held next to nothing at the start and at the end.

use super::brinson::Side;
use crate::numeric::sum;
use crate::undefined::{Undefined, finite};

/// The name of what is in no group.
pub const CASH: &str = "CASH";
/// Most times of what it held that a group can have earned by holding it: more was earned by trades within the day.
const MOST: f64 = 10.0;

/// A group over a day, in money of the base currency.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Value at the close before; of futures the notional.
    pub begin: f64,
    /// Value at the close of the day.
    pub end: f64,
    /// Profit of the day.
    pub profit: f64,
}

/// The whole over a day, likewise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Whole {
    /// Equity at the close before.
    pub begin: f64,
    /// Net external flow into it; below zero out of it.
    pub flow: f64,
    /// Profit of the day.
    pub profit: f64,
}

/// Each group and cash with weight and return. Absent where there is no capital, or a number is none.
pub fn sides(whole: Whole, groups: &[Group]) -> Result<Vec<(String, Side)>, Undefined> {
    let base = finite(whole.begin + whole.flow.max(0.0))?;
    if base <= 0.0 {
        return Err(Undefined::NoCapital);
    }
    let held: Vec<(&Group, f64)> =
        groups.iter().map(|group| (group, held(group))).filter(|(group, held)| carries(*held, group.profit)).collect();
    let cash = finite(base - sum(held.iter().map(|(_, held)| *held)))?;
    let rest = finite(whole.profit - sum(held.iter().map(|(group, _)| group.profit)))?;
    let spread = if carries(cash, rest) { 0.0 } else { spread(rest, &held)? };
    let mut sides = Vec::with_capacity(held.len() + 1);
    for (group, held) in held {
        let value = Some(finite(group.profit / held + spread)?);
        sides.push((group.name.clone(), Side { weight: held / base, value }));
    }
    let value = if cash == 0.0 { None } else { Some(if spread == 0.0 { rest / cash } else { 0.0 }) };
    sides.push((CASH.to_owned(), Side { weight: cash / base, value }));
    Ok(sides)
}

/// What of a group its return is measured on: what was there, and what moved in on the side on which it stood, or came to
/// stand where nothing was there.
fn held(group: &Group) -> f64 {
    let moved = group.end - group.begin - group.profit;
    let side = if group.begin == 0.0 { group.end } else { group.begin };
    if moved * side > 0.0 { group.begin + moved } else { group.begin }
}

/// Whether holding so much can have earned so much.
fn carries(held: f64, profit: f64) -> bool {
    held != 0.0 && profit.abs() <= MOST * held.abs()
}

/// What neither a group nor cash can have earned, as one return more of every group.
fn spread(rest: f64, held: &[(&Group, f64)]) -> Result<f64, Undefined> {
    let all = sum(held.iter().map(|(_, held)| *held));
    match (rest == 0.0, all == 0.0) {
        (true, _) => Ok(0.0),
        (false, true) => Err(Undefined::ZeroDenominator),
        (false, false) => finite(rest / all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, begin: f64, end: f64, profit: f64) -> Group {
        Group { name: name.to_owned(), begin, end, profit }
    }

    fn told(whole: Whole, groups: &[Group]) -> Vec<(String, f64, Option<f64>)> {
        let found = sides(whole, groups).unwrap();
        let earned: f64 = found.iter().map(|(_, side)| side.weight * side.value.unwrap_or(0.0)).sum();
        let base = whole.begin + whole.flow.max(0.0);
        assert!((earned - whole.profit / base).abs() < 1e-15, "{earned} of {found:?}");
        assert!((found.iter().map(|(_, side)| side.weight).sum::<f64>() - 1.0).abs() < 1e-15);
        found.into_iter().map(|(name, side)| (name, side.weight, side.value)).collect()
    }

    fn row(name: &str, weight: f64, value: impl Into<Option<f64>>) -> (String, f64, Option<f64>) {
        (name.to_owned(), weight, value.into())
    }

    #[test]
    fn what_is_only_held_returns_its_profit_on_its_value() {
        let whole = Whole { begin: 1000.0, flow: 0.0, profit: 30.0 };
        assert_eq!(
            told(whole, &[group("TECH", 400.0, 440.0, 40.0), group("OIL", 500.0, 490.0, -10.0)]),
            [row("TECH", 0.4, 0.1), row("OIL", 0.5, -0.02), row(CASH, 0.1, 0.0)]
        );
    }

    #[test]
    fn what_is_bought_counts_from_the_start_and_what_is_sold_until_the_end() {
        // 100 bought of TECH, which earns 50; 250 of OIL sold, which earned 25 on all of it.
        let groups = [group("TECH", 400.0, 550.0, 50.0), group("OIL", 500.0, 275.0, 25.0), group("NEW", 0.0, 110.0, 10.0)];
        let whole = Whole { begin: 1000.0, flow: 0.0, profit: 85.0 };
        let found = told(whole, &groups);
        assert_eq!(found[..3], [row("TECH", 0.5, 0.1), row("OIL", 0.5, 0.05), row("NEW", 0.1, 0.1)]);
        assert!((found[3].1 + 0.1).abs() < 1e-15, "cash was lent until the sale");
    }

    #[test]
    fn flows_stand_where_the_day_has_them_and_cash_earns_the_rest() {
        let found = told(Whole { begin: 900.0, flow: 100.0, profit: 42.0 }, &[group("TECH", 400.0, 440.0, 40.0)]);
        assert_eq!(found[0], row("TECH", 0.4, 0.1));
        assert!((found[1].2.unwrap() - 2.0 / 600.0).abs() < 1e-15, "interest");
        let found = told(Whole { begin: 1000.0, flow: -500.0, profit: 40.0 }, &[group("TECH", 400.0, 440.0, 40.0)]);
        assert_eq!(found[0], row("TECH", 0.4, 0.1));
    }

    #[test]
    fn a_short_loses_what_it_gains_and_a_day_of_trades_is_cash() {
        let found = told(Whole { begin: 1000.0, flow: 0.0, profit: -40.0 }, &[group("TECH", -400.0, -440.0, -40.0)]);
        assert_eq!((found[0].clone(), found[1].1), (row("TECH", -0.4, 0.1), 1.4));
        let found = told(Whole { begin: 1000.0, flow: 0.0, profit: 5.0 }, &[group("TECH", 0.0, 0.0, 5.0)]);
        assert_eq!(found, [row(CASH, 1.0, 0.005)]);
    }

    #[test]
    fn what_cash_cannot_have_earned_is_spread_over_the_groups() {
        let found =
            told(Whole { begin: 1000.0, flow: 0.0, profit: 12.0 }, &[group("TECH", 600.0, 606.0, 6.0), group("OIL", 400.0, 404.0, 4.0)]);
        assert_eq!(found[2], row(CASH, 0.0, None));
        assert!((found[0].2.unwrap() - 0.012).abs() < 1e-15 && (found[1].2.unwrap() - 0.012).abs() < 1e-15);
        assert_eq!(sides(Whole { begin: -1.0, flow: 0.0, profit: 0.0 }, &[]), Err(Undefined::NoCapital));
    }
}
