//! Exact decimals: an `i128` count of units at a scale that the type fixes for ever.
//!
//! Reading refuses a value with more digits than its scale and a value beyond 28 digits (both errors
//! begin with OUT_OF_RANGE, in JSON too); arithmetic returns an error where it would wrap. Nothing here rounds except the functions whose name says so.

use crate::wide;
use rust_decimal::Decimal;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Units of a value on the wire stay below this in magnitude: 28 decimal digits, the precision of
/// the schemas' decimals, all of which `rust_decimal` holds.
pub const WIRE_LIMIT: i128 = 10_i128.pow(28);

/// Why a text or a product is no value of the type that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FixedError {
    /// The text is no decimal number.
    #[error("{0:?} is no decimal number")]
    NotANumber(String),
    /// More decimals than the scale holds.
    #[error("OUT_OF_RANGE: {text} has more than {scale} decimals; round it where it is made")]
    TooManyDecimals {
        /// The text as received.
        text: String,
        /// Decimals that the type holds.
        scale: u32,
    },
    /// The value does not fit its type or the 28 digits of the wire.
    #[error("OUT_OF_RANGE: the value is beyond the range of its type")]
    Overflow,
}

/// Ten to the power of `n`; `n` ≤ 38.
pub const fn pow10(n: u32) -> i128 {
    10_i128.pow(n)
}

fn parse(text: &str, scale: u32) -> Result<i128, FixedError> {
    let not = || FixedError::NotANumber(text.chars().take(64).collect());
    let (negative, body) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => (&body[..at], body[at + 1..].parse::<i32>().map_err(|_| not())?),
        None => (body, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && part.is_empty() {
        return Err(not());
    }
    let mut units: i128 = 0;
    // Position of the next digit relative to the unit of the scale: it counts when it is >= 0.
    let mut place = i64::from(scale) + i64::from(exponent) + whole.len() as i64 - 1;
    for digit in whole.bytes().chain(part.bytes()) {
        if !digit.is_ascii_digit() {
            return Err(not());
        }
        let value = i128::from(digit - b'0');
        if value != 0 {
            if place < 0 {
                return Err(FixedError::TooManyDecimals { text: text.chars().take(64).collect(), scale });
            }
            let power = u32::try_from(place).ok().filter(|p| *p <= 37).ok_or(FixedError::Overflow)?;
            let add = value.checked_mul(pow10(power)).ok_or(FixedError::Overflow)?;
            units = units.checked_add(add).ok_or(FixedError::Overflow)?;
        }
        place -= 1;
    }
    Ok(if negative { -units } else { units })
}

fn write(f: &mut fmt::Formatter<'_>, units: i128, scale: u32) -> fmt::Result {
    let base = pow10(scale).unsigned_abs();
    let magnitude = units.unsigned_abs();
    let sign = if units < 0 { "-" } else { "" };
    let (whole, part) = (magnitude / base, magnitude % base);
    if part == 0 {
        return f.pad_integral(units >= 0, "", &whole.to_string());
    }
    let digits = format!("{part:0width$}", width = scale as usize);
    f.pad(&format!("{sign}{whole}.{}", digits.trim_end_matches('0')))
}

struct DecimalText;

impl<'de> Visitor<'de> for DecimalText {
    type Value = String;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal as a string or a number")
    }
    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
    fn visit_i64<E>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }
    fn visit_u64<E>(self, value: u64) -> Result<String, E> {
        Ok(value.to_string())
    }
    // A JSON number arrives as a map of one entry that holds its text: never through a float.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<String, A::Error> {
        match map.next_entry::<String, String>()? {
            Some((key, text)) if key.starts_with("$serde_json") => Ok(text),
            _ => Err(A::Error::custom("expected a decimal as a string or a number")),
        }
    }
}

macro_rules! fixed {
    ($(#[$doc:meta])* $name:ident, $scale:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(i128);

        impl $name {
            /// Decimals that one unit stands for.
            pub const SCALE: u32 = $scale;
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// Exactly one.
            pub const ONE: Self = Self(pow10($scale));

            /// The value of `units` × 10^-SCALE.
            pub const fn from_units(units: i128) -> Self { Self(units) }
            /// The value of a whole number; `None` beyond the type's range.
            pub fn from_whole(whole: i128) -> Option<Self> { whole.checked_mul(pow10($scale)).map(Self) }
            /// The count of 10^-SCALE.
            pub const fn units(self) -> i128 { self.0 }
            /// Whether it is exactly zero.
            pub const fn is_zero(self) -> bool { self.0 == 0 }
            /// Whether it is above zero.
            pub const fn is_positive(self) -> bool { self.0 > 0 }
            /// Whether it is below zero.
            pub const fn is_negative(self) -> bool { self.0 < 0 }
            /// -1, 0 or 1.
            pub const fn signum(self) -> i128 { self.0.signum() }
            /// The magnitude. The least `i128` has none and saturates; no checked sum reaches it.
            pub const fn abs(self) -> Self { Self(self.0.saturating_abs()) }
            /// Whether the value fits the 28 digits of the wire.
            pub const fn fits_wire(self) -> bool { self.0 > -WIRE_LIMIT && self.0 < WIRE_LIMIT }
            /// The sum, or [`FixedError::Overflow`].
            #[inline]
            pub fn checked_add(self, other: Self) -> Result<Self, FixedError> {
                self.0.checked_add(other.0).map(Self).ok_or(FixedError::Overflow)
            }
            /// The difference, or [`FixedError::Overflow`].
            #[inline]
            pub fn checked_sub(self, other: Self) -> Result<Self, FixedError> {
                self.0.checked_sub(other.0).map(Self).ok_or(FixedError::Overflow)
            }
            /// The value with its sign changed, or [`FixedError::Overflow`].
            #[inline]
            pub fn checked_neg(self) -> Result<Self, FixedError> {
                self.0.checked_neg().map(Self).ok_or(FixedError::Overflow)
            }
            /// The value rounded half-even to the scale of another type, given by its SCALE.
            #[inline]
            pub fn rescaled_half_even(self, to: u32) -> Result<i128, FixedError> {
                wide::rescale_half_even(self.0, $scale, to)
            }
            /// The same value as a `rust_decimal`, for the edges; `None` beyond its 96 bits.
            pub fn to_decimal(self) -> Option<Decimal> {
                Decimal::try_from_i128_with_scale(self.0, $scale).ok().map(|d| d.normalize())
            }
        }

        impl TryFrom<Decimal> for $name {
            type Error = FixedError;
            fn try_from(value: Decimal) -> Result<Self, FixedError> { value.to_string().parse() }
        }

        impl FromStr for $name {
            type Err = FixedError;
            fn from_str(text: &str) -> Result<Self, FixedError> { parse(text, $scale).map(Self) }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write(f, self.0, $scale) }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = deserializer.deserialize_any(DecimalText)?;
                    let value: Self = text.parse().map_err(D::Error::custom)?;
                    if value.fits_wire() { Ok(value) } else { Err(D::Error::custom(FixedError::Overflow)) }
                } else {
                    i128::deserialize(deserializer).map(Self)
                }
            }
        }
    };
}

fixed! {
    /// A signed number of units of an instrument; scale 8.
    Quantity, 8
}
fixed! {
    /// A price per unit in the instrument's currency; scale 10.
    Price, 10
}
fixed! {
    /// An amount of money as it is published, in the currency that stands beside it; scale 10.
    Money, 10
}
fixed! {
    /// An amount of money as it is kept: exact products of quantity and price; scale 18.
    Amount, 18
}
fixed! {
    /// Units of the base (quote) currency for one unit of another; scale 12.
    FxRate, 12
}
fixed! {
    /// A fraction of one: weights, bands, drift, caps, rates, returns; scale 12.
    Fraction, 12
}
fixed! {
    /// Points of a hundred: fields named `percentage` and `minimum_deviation`; scale 10.
    Percent, 10
}
fixed! {
    /// Basis points: fields named `…_bp`; scale 4.
    Bps, 4
}

impl Price {
    /// The middle of two prices, rounded half-even.
    pub fn middle(self, other: Self) -> Result<Self, FixedError> {
        wide::mul_div_half_even(self.checked_add(other)?.0, 1, 2).map(Self)
    }
}

impl Quantity {
    /// As many units as an amount says, cut at the decimals of units: of what a holding pays in units of its own.
    #[inline]
    pub const fn of_amount(amount: Money) -> Self {
        Self(amount.0 / pow10(Money::SCALE - Self::SCALE))
    }
    /// Quantity × price: scale 8 + 10, exact.
    #[inline]
    pub fn times(self, price: Price) -> Result<Amount, FixedError> {
        self.0.checked_mul(price.0).map(Amount).ok_or(FixedError::Overflow)
    }
}

impl Amount {
    /// The published form: rounded half-even to [`Money`]'s scale.
    #[inline]
    pub fn to_money(self) -> Result<Money, FixedError> {
        const { assert!(Amount::SCALE == Money::SCALE + 8) };
        Ok(Money(wide::without_eight_digits(self.0)))
    }
    /// This amount in the currency that `rate` quotes, rounded half-even at scale 18.
    #[inline]
    pub fn convert(self, rate: FxRate) -> Result<Amount, FixedError> {
        if rate == FxRate::ONE {
            return Ok(self);
        }
        wide::mul_div_half_even(self.0, rate.0, FxRate::ONE.0).map(Amount)
    }
    /// This amount, which is in the currency that `rate` quotes, in the other one, rounded half-even at scale 18; an
    /// error where the rate is zero.
    pub fn convert_back(self, rate: FxRate) -> Result<Amount, FixedError> {
        wide::mul_div_half_even(self.0, FxRate::ONE.0, rate.0).map(Amount)
    }
    /// The rate at which `other` comes to this amount, rounded half-even at scale 12; an error where `other` is zero.
    pub fn over(self, other: Amount) -> Result<FxRate, FixedError> {
        wide::mul_div_half_even(self.0, FxRate::ONE.0, other.0).map(FxRate)
    }
    /// This amount × a quantity-scaled multiplier, exact where it fits, rounded half-even at scale 18.
    #[inline]
    pub fn multiply(self, multiplier: Quantity) -> Result<Amount, FixedError> {
        if multiplier == Quantity::ONE {
            return Ok(self);
        }
        wide::mul_div_half_even(self.0, multiplier.0, Quantity::ONE.0).map(Amount)
    }
    /// self × part ÷ whole, rounded half-even at scale 18; an error where `whole` is zero.
    pub fn share(self, part: Quantity, whole: Quantity) -> Result<Amount, FixedError> {
        wide::mul_div_half_even(self.0, part.0, whole.0).map(Amount)
    }
    /// self ÷ other as a fraction, rounded half-even at scale 12; an error where `other` is zero.
    pub fn ratio(self, other: Amount) -> Result<Fraction, FixedError> {
        wide::mul_div_half_even(self.0, Fraction::ONE.0, other.0).map(Fraction)
    }
    /// self ÷ quantity as a price, rounded half-even at scale 10; an error where `quantity` is zero.
    pub fn per_unit(self, quantity: Quantity) -> Result<Price, FixedError> {
        wide::mul_div_half_even(self.0, 1, quantity.0).map(Price)
    }
    /// self × fraction, rounded half-even at scale 18.
    pub fn fraction(self, fraction: Fraction) -> Result<Amount, FixedError> {
        wide::mul_div_half_even(self.0, fraction.0, Fraction::ONE.0).map(Amount)
    }
}

impl From<Money> for Amount {
    #[inline]
    fn from(money: Money) -> Self {
        Amount(money.0 * pow10(Amount::SCALE - Money::SCALE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_refuses_what_it_cannot_hold() {
        for (text, back) in [
            ("0", "0"),
            ("-0.00000001", "-0.00000001"),
            ("12.50", "12.5"),
            ("+3", "3"),
            ("1e3", "1000"),
            ("25e-2", "0.25"),
            (".5", "0.5"),
            ("7.", "7"),
        ] {
            assert_eq!(text.parse::<Quantity>().unwrap().to_string(), back, "{text}");
        }
        for text in ["", "-", ".", "1.2.3", "abc", "1e", "0x10", "NaN", "1 "] {
            assert!(matches!(text.parse::<Quantity>(), Err(FixedError::NotANumber(_))), "{text}");
        }
        assert!(matches!("0.000000001".parse::<Quantity>(), Err(FixedError::TooManyDecimals { scale: 8, .. })));
        assert_eq!("1e40".parse::<Quantity>(), Err(FixedError::Overflow));
        assert_eq!("1.000000000000".parse::<Quantity>().unwrap(), Quantity::ONE);
    }

    #[test]
    fn products_are_exact_and_never_wrap() {
        let cost = "3".parse::<Quantity>().unwrap().times("0.3333333333".parse().unwrap()).unwrap();
        assert_eq!(cost.to_string(), "0.9999999999");
        let huge = Quantity::from_units(i128::MAX / 2);
        assert_eq!(huge.times(Price::ONE), Err(FixedError::Overflow));
        assert_eq!(huge.checked_add(huge).unwrap().checked_add(huge), Err(FixedError::Overflow));
    }

    #[test]
    fn ratios_round_half_to_even() {
        let amount = Amount::from_units(25);
        assert_eq!(amount.share(Quantity::from_units(1), Quantity::from_units(10)).unwrap().units(), 2);
        assert_eq!(Amount::from_units(35).share(Quantity::from_units(1), Quantity::from_units(10)).unwrap().units(), 4);
        assert_eq!(Amount::from_units(-25).share(Quantity::from_units(1), Quantity::from_units(10)).unwrap().units(), -2);
        assert!(amount.ratio(Amount::ZERO).is_err());
    }
}
