//! Exact ratios: the arithmetic of the model. `slack` says how far a published, rounded number may lie
//! from the exact one. Nothing here rounds but `shortened`, far below any slack, and `rounded`.

use domain::{Amount, Fraction, FxRate, Money, Percent, Price, Quantity};
use num_bigint::BigInt;
use num_rational::BigRational;

/// A ratio of integers of any length.
pub(super) type Exact = BigRational;

/// A fixed-point number as a ratio.
pub(super) trait Published {
    /// Its exact value.
    fn exact(self) -> Exact;
}

macro_rules! published {
    ($($name:ident),+) => {
        $(impl Published for $name {
            fn exact(self) -> Exact { ratio(self.units(), $name::SCALE) }
        })+
    };
}
published!(Amount, Fraction, FxRate, Money, Percent, Price, Quantity);

/// `units` × 10^-scale.
pub(super) fn ratio(units: i128, scale: u32) -> Exact {
    Exact::new(BigInt::from(units), BigInt::from(10).pow(scale))
}

/// A whole number.
pub(super) fn whole(value: i128) -> Exact {
    Exact::from_integer(BigInt::from(value))
}

/// Nothing.
pub(super) fn zero() -> Exact {
    whole(0)
}

/// The magnitude.
pub(super) fn magnitude(value: &Exact) -> Exact {
    if *value < zero() { -value } else { value.clone() }
}

/// The number cut to 60 decimals: repeated division would lengthen it with every booking without end.
pub(super) fn shortened(value: &Exact) -> Exact {
    let scale = Exact::from_integer(BigInt::from(10).pow(60));
    (value * &scale).trunc() / scale
}

/// The number rounded half-even at a scale.
pub(super) fn rounded(value: &Exact, scale: u32) -> Exact {
    let step = ratio(1, scale);
    let (scaled, half) = (value / &step, ratio(5, 1));
    let below = scaled.floor();
    let rest = &scaled - &below;
    let is_odd = !(&below / whole(2)).is_integer();
    let up = rest > half || (rest == half && is_odd);
    (if up { below + whole(1) } else { below }) * step
}

/// What `roundings` roundings to money's ten decimals and `bookings` roundings of the kept amounts
/// (18 decimals) may add up to.
pub(super) fn slack(roundings: u64, bookings: u64) -> Exact {
    ratio(i128::from(roundings), 10) / whole(2) + ratio(i128::from(bookings), 17)
}

/// Whether two numbers are no further apart than `slack`.
pub(super) fn near(a: &Exact, b: &Exact, slack: &Exact) -> bool {
    magnitude(&(a - b)) <= *slack
}

/// The number in plain digits, 18 decimals at most; `…` where more would follow.
pub(super) fn show(value: &Exact) -> String {
    let scaled = value * Exact::from_integer(BigInt::from(10).pow(18));
    let more = if scaled.is_integer() { "" } else { "…" };
    let sign = if *value < zero() { "-" } else { "" };
    let digits = format!("{:0>19}", magnitude(&scaled).to_integer().to_string());
    let (units, part) = digits.split_at(digits.len() - 18);
    let part = part.trim_end_matches('0');
    if part.is_empty() { format!("{sign}{units}{more}") } else { format!("{sign}{units}.{part}{more}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_half_even() {
        let rounds = |units, to| assert_eq!(rounded(&ratio(units, 2), 1), ratio(to, 1), "{units}");
        [(15, 2), (25, 2), (26, 3), (-15, -2), (-25, -2), (-24, -2), (40, 4)].into_iter().for_each(|(units, to)| rounds(units, to));
    }

    #[test]
    fn numbers_show_as_they_are() {
        assert_eq!(show(&ratio(-150, 2)), "-1.5");
        assert_eq!(show(&(whole(1) / whole(3))), "0.333333333333333333…");
        assert_eq!(show(&whole(12)), "12");
        assert!(near(&ratio(1, 10), &zero(), &slack(2, 0)));
        assert!(!near(&ratio(1, 10), &zero(), &slack(1, 1)));
    }
}
