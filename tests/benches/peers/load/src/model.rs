//! What must come of the fills, from the rules in words: average cost without fees, a fill larger than the position closes it
//! and opens the rest at its price, the cost that a reduction releases is rounded half-even at eighteen decimals.

use crate::fills::{Fill, LINES, Stream};
use std::collections::HashMap;

/// Units of a cent at eighteen decimals.
const CENT: i128 = 10_i128.pow(16);
/// Units of a published amount's last digit at eighteen decimals.
const PUBLISHED: i128 = 10_i128.pow(8);

/// A position: whole units, and money at eighteen decimals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// Signed units.
    pub units: i128,
    /// Cost.
    pub cost: i128,
    /// Profit before fees.
    pub realized: i128,
    /// Fees.
    pub fees: i128,
}

/// Books after a number of fills.
pub struct Books {
    /// By portfolio and line.
    pub positions: HashMap<(u64, u64), Position>,
    /// By portfolio.
    pub cash: HashMap<u64, i128>,
    /// What each fill realised.
    pub realized: Vec<i128>,
}

impl Position {
    fn trade(&mut self, fill: &Fill) -> i128 {
        let (change, price) = (i128::from(fill.units), i128::from(fill.cents) * CENT);
        self.fees += i128::from(fill.fee) * CENT;
        if self.units == 0 || (self.units > 0) == (change > 0) {
            self.units += change;
            self.cost += change * price;
            return 0;
        }
        let held = self.units.abs();
        let closed = change.abs().min(held);
        let released = half_even(self.cost * closed, held);
        let gain = -(change.signum() * closed) * price - released;
        self.units += change;
        let beyond = change.abs() - closed;
        self.cost = if beyond == 0 { self.cost - released } else { change.signum() * beyond * price };
        self.realized += gain;
        gain
    }
}

impl Books {
    /// Books of the first `count` fills.
    pub fn after(stream: &Stream, count: u64) -> Self {
        let mut books = Self { positions: HashMap::new(), cash: HashMap::new(), realized: Vec::new() };
        for n in 0..count {
            let fill = stream.fill(n);
            debug_assert!(fill.line < LINES);
            let realized = books.positions.entry((fill.portfolio, fill.line)).or_default().trade(&fill);
            books.realized.push(realized);
            let paid = i128::from(fill.units) * i128::from(fill.cents) + i128::from(fill.fee);
            *books.cash.entry(fill.portfolio).or_default() -= paid * CENT;
        }
        books
    }
}

/// An amount of eighteen decimals as it is published, with ten.
pub fn published(amount: i128) -> i128 {
    half_even(amount, PUBLISHED)
}

/// A quotient, rounded to the nearest, halves to the even one. The divisor is positive.
fn half_even(value: i128, divisor: i128) -> i128 {
    let (down, rest) = (value.div_euclid(divisor), value.rem_euclid(divisor));
    let up = rest * 2 > divisor || (rest * 2 == divisor && down % 2 != 0);
    down + i128::from(up)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trade(position: &mut Position, units: i64, cents: u64) -> i128 {
        position.trade(&Fill { portfolio: 0, line: 0, units, cents, fee: 0 })
    }

    #[test]
    fn a_position_grows_shrinks_and_turns_over() {
        let mut position = Position::default();
        trade(&mut position, 100, 1_000);
        trade(&mut position, 50, 1_600);
        assert_eq!(position.cost, 180_000 * CENT);
        assert_eq!(trade(&mut position, -60, 1_500), 18_000 * CENT);
        assert_eq!(trade(&mut position, -100, 1_000), -18_000 * CENT);
        assert_eq!((position.units, position.cost), (-10, -10_000 * CENT));
    }

    #[test]
    fn halves_go_to_the_even_neighbour_on_both_sides_of_zero() {
        assert_eq!([5, 15, -5, -15, 16, -16].map(|value| half_even(value, 10)), [0, 2, 0, -2, 2, -2]);
    }
}
