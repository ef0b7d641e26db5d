//! The bounds of one line, and the exact comparison of a value with them.
//! Weights never appear: value is compared with weight × equity, in 256 bits where it must be.
//! A policy that was validated keeps every bound far below 128 bits; one that was not saturates.

use domain::enums::BandKind;
use domain::fixed::pow10;
use domain::policy::{Band, Target};
use domain::wide::compare_products;
use domain::{Amount, Fraction};
use std::cmp::Ordering;

/// Decimals of a bound: a fraction times a fraction, exact.
const SCALE: u32 = 2 * Fraction::SCALE;
/// A weight of one.
pub(super) const ONE: i128 = pow10(SCALE);

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Inside its clear level.
    Clear,
    /// Between clear and trip level.
    Between,
    /// Outside its bounds.
    Breached,
}

/// Bounds of a weight at scale 24.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// The target.
    pub target: i128,
    /// Below it the line is breached.
    pub lower: i128,
    /// Above it the line is breached.
    pub upper: i128,
    /// At or above it the line is clear again.
    pub clear_lower: i128,
    /// At or below it the line is clear again.
    pub clear_upper: i128,
    /// Whether the bounds themselves breach.
    pub inclusive: bool,
}

impl Bounds {
    /// The bounds of a target line; its own minimum and maximum replace the band on their side.
    pub fn of(target: &Target, band: &Band) -> Self {
        let width = width(target.target_weight, band);
        let at = widen(target.target_weight);
        let lower = target.min_weight.map_or(at.saturating_sub(width), widen);
        let upper = target.max_weight.map_or(at.saturating_add(width), widen);
        Self::between(at, lower, upper, band)
    }
    /// The bounds of a line with a target and the policy's band alone.
    pub fn around(target: Fraction, band: &Band) -> Self {
        let (at, width) = (widen(target), width(target, band));
        Self::between(at, at.saturating_sub(width), at.saturating_add(width), band)
    }
    /// The bounds of a line whose band is an absolute width.
    pub fn within(target: Fraction, absolute: Fraction, band: &Band) -> Self {
        let (at, width) = (widen(target), widen(absolute));
        Self::between(at, at.saturating_sub(width), at.saturating_add(width), band)
    }
    fn between(target: i128, lower: i128, upper: i128, band: &Band) -> Self {
        Self {
            target,
            lower,
            upper,
            clear_lower: target.saturating_sub(part(target.saturating_sub(lower), band.clear_ratio)),
            clear_upper: target.saturating_add(part(upper.saturating_sub(target), band.clear_ratio)),
            inclusive: band.inclusive,
        }
    }
    /// Where a value stands; equity is above zero.
    pub fn standing(&self, value: Amount, equity: Amount) -> Standing {
        if self.is_breached(value, equity) {
            return Standing::Breached;
        }
        let low = compare(value, equity, self.clear_lower);
        let high = compare(value, equity, self.clear_upper);
        if low == Ordering::Less || high == Ordering::Greater { Standing::Between } else { Standing::Clear }
    }
    /// Whether a value stands outside; equity is above zero.
    pub fn is_breached(&self, value: Amount, equity: Amount) -> bool {
        let (low, high) = (compare(value, equity, self.lower), compare(value, equity, self.upper));
        let out = low == Ordering::Less || high == Ordering::Greater;
        // A line of no width at its very target is not out, even where bounds are inclusive.
        let touched =
            self.inclusive && (low == Ordering::Equal || high == Ordering::Equal) && compare(value, equity, self.target) != Ordering::Equal;
        out || touched
    }
    /// Whether a value stands above the target.
    pub fn is_over(&self, value: Amount, equity: Amount) -> bool {
        compare(value, equity, self.target) == Ordering::Greater
    }
    /// The bounds × part ÷ whole, for a member that takes its share of a group's; the ends change places where
    /// its sign is against the group's. The target is cut toward zero at the scale of a fraction, as plans cut
    /// it: members never add up to more than their group.
    pub fn share(&self, part: Amount, whole: Amount) -> Self {
        let share = |weight: i128| domain::wide::mul_div_half_even(weight, part.units(), whole.units()).unwrap_or(0);
        let against = part.signum() * whole.signum() < 0;
        let ends = |low: i128, high: i128| if against { (share(high), share(low)) } else { (share(low), share(high)) };
        let ((lower, upper), (clear_lower, clear_upper)) = (ends(self.lower, self.upper), ends(self.clear_lower, self.clear_upper));
        let step = Fraction::ONE.units();
        let target = domain::wide::mul_div_truncate(self.target, part.units(), whole.units()).unwrap_or(0) / step * step;
        Self { target, lower, upper, clear_lower, clear_upper, inclusive: self.inclusive }
    }
    /// The target as published.
    pub fn target_weight(&self) -> Fraction {
        narrow(self.target)
    }
    /// The lower bound as published, rounded half-even.
    pub fn lower_weight(&self) -> Fraction {
        narrow(self.lower)
    }
    /// The upper bound as published, rounded half-even.
    pub fn upper_weight(&self) -> Fraction {
        narrow(self.upper)
    }
    /// The trip level on the side of a drift.
    pub fn trip(&self, drift: Fraction) -> Fraction {
        narrow(if drift.is_negative() { self.target.saturating_sub(self.lower) } else { self.upper.saturating_sub(self.target) })
    }
}

/// The band's width around a target.
fn width(target: Fraction, band: &Band) -> i128 {
    let absolute = widen(band.absolute);
    let relative = band.relative.units().saturating_mul(target.abs().units());
    match band.kind {
        BandKind::Absolute | BandKind::Unknown => absolute,
        BandKind::Relative => relative,
        BandKind::SmallerOf => absolute.min(relative),
        BandKind::LargerOf => absolute.max(relative),
    }
}

fn widen(weight: Fraction) -> i128 {
    weight.units().saturating_mul(Fraction::ONE.units())
}

fn narrow(weight: i128) -> Fraction {
    Fraction::from_units(domain::wide::rescale_half_even(weight, SCALE, Fraction::SCALE).unwrap_or(0))
}

fn part(width: i128, ratio: Fraction) -> i128 {
    domain::wide::mul_div_half_even(width, ratio.units(), Fraction::ONE.units()).unwrap_or(width)
}

/// Compares value ÷ equity with a weight, exactly.
///
/// The quick way cuts 40 bits off value and equity and knows by how much that can err; only what it
/// cannot tell apart is compared in full.
fn compare(value: Amount, equity: Amount, weight: i128) -> Ordering {
    let (short_value, short_equity) = (value.units() >> 40, equity.units() >> 40);
    if let (Some(low), Some(share)) = (short_value.checked_mul(ONE), short_equity.checked_mul(weight)) {
        // value × ONE lies in [low, low + ONE) × 2^40; equity × weight between share and share + weight.
        let (from, to) = if weight < 0 { (share.saturating_add(weight), share) } else { (share, share.saturating_add(weight)) };
        if low > to {
            return Ordering::Greater;
        }
        if low.saturating_add(ONE) < from {
            return Ordering::Less;
        }
    }
    compare_products(value.units(), ONE, equity.units(), weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fraction(text: &str) -> Fraction {
        text.parse().unwrap()
    }
    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }
    fn band(kind: BandKind, absolute: &str, relative: &str, inclusive: bool) -> Band {
        Band { kind, absolute: fraction(absolute), relative: fraction(relative), inclusive, clear_ratio: fraction("0.8") }
    }
    fn standing(bounds: &Bounds, value: &str) -> Standing {
        bounds.standing(amount(value), amount("1000"))
    }

    #[test]
    fn absolute_bands_trip_beyond_and_clear_inside_their_ratio() {
        let bounds = Bounds::around(fraction("0.4"), &band(BandKind::Absolute, "0.05", "0.25", false));
        assert_eq!(standing(&bounds, "450"), Standing::Between);
        assert_eq!(standing(&bounds, "450.000000000000000001"), Standing::Breached);
        assert_eq!(standing(&bounds, "349.999999999999999999"), Standing::Breached);
        assert_eq!(standing(&bounds, "440"), Standing::Clear);
        assert_eq!(standing(&bounds, "440.000000000000000001"), Standing::Between);
    }

    #[test]
    fn inclusive_bounds_breach_themselves_but_never_the_target() {
        let inclusive = band(BandKind::Absolute, "0.05", "0.25", true);
        assert_eq!(standing(&Bounds::around(fraction("0.4"), &inclusive), "450"), Standing::Breached);
        let none = Bounds::around(Fraction::ZERO, &band(BandKind::Relative, "0.05", "0.25", true));
        assert_eq!(standing(&none, "0"), Standing::Clear);
        assert_eq!(standing(&none, "0.000000000000000001"), Standing::Breached);
    }

    #[test]
    fn five_twenty_five() {
        // The smaller of 5 points and a quarter of the target: 10 % trips at 2.5 points, 40 % at 5.
        let rule = band(BandKind::SmallerOf, "0.05", "0.25", false);
        assert_eq!(Bounds::around(fraction("0.1"), &rule).upper_weight().to_string(), "0.125");
        assert_eq!(Bounds::around(fraction("0.4"), &rule).upper_weight().to_string(), "0.45");
        let floor = band(BandKind::LargerOf, "0.05", "0.25", false);
        assert_eq!(Bounds::around(fraction("0.1"), &floor).lower_weight().to_string(), "0.05");
        assert_eq!(Bounds::around(fraction("0.4"), &floor).lower_weight().to_string(), "0.3");
    }

    #[test]
    fn absurd_bounds_saturate() {
        let huge = fraction("9999999999999999");
        for target in ["-100", "-1", "0", "1", "100"].map(fraction) {
            for kind in [BandKind::Absolute, BandKind::Relative, BandKind::SmallerOf, BandKind::LargerOf] {
                let band = Band { clear_ratio: huge, ..band(kind, "9999999999999999", "9999999999999999", true) };
                let line = Target {
                    instrument_id: None,
                    group: None,
                    target_weight: target,
                    min_weight: Some(Fraction::from_units(-huge.units())),
                    max_weight: Some(huge),
                };
                let free = Target { min_weight: None, max_weight: None, ..line.clone() };
                for bounds in [Bounds::of(&line, &band), Bounds::of(&free, &band), Bounds::around(target, &band)] {
                    assert!(bounds.lower <= bounds.target && bounds.target <= bounds.upper);
                    bounds.trip(target);
                    bounds.share(amount("1"), amount("3"));
                    standing(&bounds, "450");
                }
            }
        }
    }

    #[test]
    fn own_minimum_and_maximum_replace_the_band_on_their_side() {
        let target = Target {
            instrument_id: None,
            group: None,
            target_weight: fraction("0.4"),
            min_weight: None,
            max_weight: Some(fraction("0.42")),
        };
        let bounds = Bounds::of(&target, &band(BandKind::Absolute, "0.05", "0.25", false));
        assert_eq!((bounds.lower_weight().to_string(), bounds.upper_weight().to_string()), ("0.35".into(), "0.42".into()));
        assert_eq!(standing(&bounds, "421"), Standing::Breached);
    }

    #[test]
    fn shares_of_a_group_keep_their_ends_in_order() {
        // 40 % ± 5 of a long group of 400: a short member of 100 has a quarter of it, with the sign taken over.
        let group = Bounds::around(fraction("0.4"), &band(BandKind::Absolute, "0.05", "0.25", false));
        let ends = |part: &str, whole: &str| {
            let share = group.share(amount(part), amount(whole));
            let clear = (narrow(share.clear_lower).to_string(), narrow(share.clear_upper).to_string());
            (share.lower_weight().to_string(), share.upper_weight().to_string(), clear, share.trip(fraction("0.1")).to_string())
        };
        let long = || ("0.0875".to_owned(), "0.1125".to_owned(), ("0.09".to_owned(), "0.11".to_owned()), "0.0125".to_owned());
        assert_eq!(ends("100", "400"), long());
        assert_eq!(ends("-100", "-400"), long());
        let short = || ("-0.1125".to_owned(), "-0.0875".to_owned(), ("-0.11".to_owned(), "-0.09".to_owned()), "0.0125".to_owned());
        assert_eq!(ends("-100", "400"), short());
        assert_eq!(ends("100", "-400"), short());
    }

    #[test]
    fn the_quick_comparison_is_the_exact_one() {
        let weights = [-ONE / 3, -1, 0, 1, ONE / 3, ONE / 7 * 2, ONE];
        let equities = ["0.000000000000000001", "1", "1234567.891", "999999999999.000000000000000001"];
        for equity in equities.map(amount) {
            for weight in weights {
                let near = domain::wide::mul_div_truncate(equity.units(), weight, ONE).unwrap();
                for step in [-1_000_000_000_000_000_000_i128, -2, -1, 0, 1, 2, 1_000_000_000_000_000_000] {
                    let value = Amount::from_units(near + step);
                    let exact = (ethnum_product(value.units(), ONE)).cmp(&ethnum_product(equity.units(), weight));
                    assert_eq!(compare(value, equity, weight), exact, "{value} {equity} {weight}");
                }
            }
        }
    }

    fn ethnum_product(a: i128, b: i128) -> num_rational::BigRational {
        let whole = |n: i128| num_rational::BigRational::from_integer(n.to_string().parse().unwrap());
        whole(a) * whole(b)
    }
}
