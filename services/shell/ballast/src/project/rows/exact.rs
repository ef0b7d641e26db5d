//! Fixed-point numbers as Postgres' numerics: the same value, or a named error.

use super::RowError;

/// A number that a row needs.
pub(super) fn exact<D>(number: Option<D>, field: &'static str) -> Result<D, RowError> {
    number.ok_or(RowError::TooLarge { field })
}

/// A number that may be absent; `Some(None)` is one that is beyond its range.
pub(super) fn exact_if_any<D>(number: Option<Option<D>>, field: &'static str) -> Result<Option<D>, RowError> {
    number.map(|number| exact(number, field)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Money, Quantity};

    #[test]
    fn the_longest_numbers_of_the_wire_keep_every_digit() {
        let longest = Money::from_units(domain::fixed::WIRE_LIMIT - 1);
        assert_eq!(exact(longest.to_decimal(), "x").unwrap().to_string(), "999999999999999999.9999999999");
        assert_eq!(exact(Quantity::from_units(-1).to_decimal(), "x").unwrap().to_string(), "-0.00000001");
        let beyond = Money::from_units(i128::MAX);
        assert_eq!(exact(beyond.to_decimal(), "fees").unwrap_err(), RowError::TooLarge { field: "fees" });
        assert_eq!(exact_if_any(None::<Money>.map(Money::to_decimal), "x").unwrap(), None);
    }
}
