//! Profit by group, in exact money: by strategy, sector, instrument type, time of day, or whatever the caller's
//! keys mean. Every grouping adds up to the one total, by a residual line if need be. No float is used.

use domain::{FixedError, Money, SmolStr};
use std::collections::BTreeMap;

/// Profit of each group of one grouping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// Groups by name, with their profit in the base currency.
    pub groups: BTreeMap<SmolStr, Money>,
    /// What the groups leave of the total; zero where they add up.
    pub residual: Money,
    /// The total that every grouping of this portfolio adds up to.
    pub total: Money,
}

impl Grouping {
    /// Adds up contributions, group by group, and lays what they leave of `total` into the residual. An error where a
    /// sum leaves its width.
    pub fn new(contributions: impl IntoIterator<Item = (SmolStr, Money)>, total: Money) -> Result<Self, FixedError> {
        let mut groups: BTreeMap<SmolStr, Money> = BTreeMap::new();
        let mut grouped = Money::ZERO;
        for (group, amount) in contributions {
            grouped = grouped.checked_add(amount)?;
            let sum = groups.entry(group).or_insert(Money::ZERO);
            *sum = sum.checked_add(amount)?;
        }
        Ok(Self { groups, residual: total.checked_sub(grouped)?, total })
    }

    /// The group with the largest profit; of several the first by name. `None` without groups.
    pub fn best(&self) -> Option<(&SmolStr, Money)> {
        self.ranked().first().copied()
    }

    /// The group with the smallest profit; of several the first by name. `None` without groups.
    pub fn worst(&self) -> Option<(&SmolStr, Money)> {
        self.groups.iter().map(|(group, amount)| (group, *amount)).min_by_key(|(_, amount)| *amount)
    }

    /// Groups by falling profit, equal ones by name.
    pub fn ranked(&self) -> Vec<(&SmolStr, Money)> {
        let mut all: Vec<_> = self.groups.iter().map(|(group, amount)| (group, *amount)).collect();
        all.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(whole: i128) -> Money {
        Money::from_whole(whole).unwrap()
    }

    #[test]
    fn groups_and_residual_make_the_total() {
        let rows = [("trend", 70), ("carry", -20), ("trend", 5), ("value", -20)];
        let rows = rows.map(|(group, amount)| (SmolStr::new(group), money(amount)));
        let found = Grouping::new(rows, money(40)).unwrap();
        assert_eq!(found.residual, money(5));
        assert_eq!(found.best().unwrap(), (&SmolStr::new("trend"), money(75)));
        assert_eq!(found.worst().unwrap(), (&SmolStr::new("carry"), money(-20)));
        let order: Vec<&str> = found.ranked().into_iter().map(|(group, _)| group.as_str()).collect();
        assert_eq!(order, ["trend", "carry", "value"]);
        assert!(Grouping::new([], money(0)).unwrap().best().is_none());
    }

    #[test]
    fn a_sum_that_leaves_its_width_is_an_error() {
        let most = Money::from_units(i128::MAX);
        assert!(Grouping::new([(SmolStr::new("a"), most), (SmolStr::new("b"), most)], most).is_err());
    }
}
