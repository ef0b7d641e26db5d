//! Exact ratios: the arithmetic of the model. `slack` says how far a published, rounded number may lie
//! from the exact one. Nothing here rounds but `shortened`, far below any slack, and `rounded`.

use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;
use domain::{Amount, Fraction, FxRate, Money, Percent, Price, Quantity};

/// A ratio of integers of any length.
pub(super) type Exact = RBig;

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
    Exact::from_parts(IBig::from(units), ten_to(scale))
}

fn ten_to(power: u32) -> UBig {
    UBig::from(10_u8).pow(usize::try_from(power).expect("a scale is small"))
}

/// A whole number.
pub(super) fn whole(value: i128) -> Exact {
    Exact::from(IBig::from(value))
}

/// Nothing.
pub(super) fn zero() -> Exact {
    whole(0)
}

/// All of them together.
pub(super) fn sum(values: impl Iterator<Item = Exact>) -> Exact {
    values.fold(zero(), |sum, value| sum + value)
}

/// The magnitude.
pub(super) fn magnitude(value: &Exact) -> Exact {
    if *value < zero() { -value } else { value.clone() }
}

/// The number cut toward zero at a decimal.
pub(super) fn cut(value: &Exact, decimals: u32) -> Exact {
    let scale = ten_to(decimals);
    Exact::from_parts(value.numerator() * &scale / value.denominator(), scale)
}

/// The number cut to 60 decimals: repeated division would lengthen it with every booking without end.
pub(super) fn shortened(value: &Exact) -> Exact {
    cut(value, 60)
}

/// What is left of a number beyond its whole steps, with its sign.
pub(super) fn rest(value: &Exact, step: &Exact) -> Exact {
    value - Exact::from((value / step).trunc()) * step
}

/// The number rounded half-even at a scale.
pub(super) fn rounded(value: &Exact, scale: u32) -> Exact {
    let step = ratio(1, scale);
    let (scaled, half) = (value / &step, ratio(5, 1));
    let below = Exact::from(scaled.floor());
    let rest = &scaled - &below;
    let is_odd = !(&below / whole(2)).is_int();
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
    let scaled = value * Exact::from(ten_to(18));
    let more = if scaled.is_int() { "" } else { "…" };
    let sign = if *value < zero() { "-" } else { "" };
    let digits = format!("{:0>19}", magnitude(&scaled).trunc().to_string());
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
    fn cuts_and_rests_go_toward_zero() {
        let cuts = |units, to| assert_eq!(cut(&ratio(units, 3), 2), ratio(to, 2), "{units}");
        [(1_239, 123), (-1_239, -123), (1_230, 123), (0, 0)].into_iter().for_each(|(units, to)| cuts(units, to));
        let rests = |value, step, left| assert_eq!(rest(&whole(value), &whole(step)), whole(left), "{value} in {step}");
        [(5, 3, 2), (-5, 3, -2), (6, 3, 0), (2, 3, 2), (7, 4, 3)].into_iter().for_each(|(value, step, left)| rests(value, step, left));
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
