//! Figures for people: two decimals with halves to even, thousands apart, per cent. For reading only; nothing is computed on.

use domain::{Fraction, Money, Quantity};
use std::time::Duration;

/// An amount with two decimals: `1,234,567.89`.
pub(super) fn money(amount: Money) -> String {
    let cents = rounded(amount.units(), Money::SCALE - 2);
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", thousands(cents / 100), cents % 100)
}

/// A fraction as per cent with two decimals and its sign: `+4.10 %`.
pub(super) fn signed_percent(fraction: Fraction) -> String {
    let sign = if fraction.is_negative() { "-" } else { "+" };
    format!("{sign}{}", percent(fraction.abs()))
}

/// A fraction as per cent with two decimals: `25.00 %`.
pub(super) fn percent(fraction: Fraction) -> String {
    let hundredths = rounded(fraction.units(), Fraction::SCALE - 4);
    let sign = if hundredths < 0 { "-" } else { "" };
    let hundredths = hundredths.unsigned_abs();
    format!("{sign}{}.{:02} %", hundredths / 100, hundredths % 100)
}

/// Without the last digits, halves to even.
fn rounded(units: i128, digits: u32) -> i128 {
    let one = 10_i128.pow(digits);
    let (whole, rest) = (units.div_euclid(one), units.rem_euclid(one));
    let up = 2 * rest > one || 2 * rest == one && whole % 2 != 0;
    whole + i128::from(up)
}

/// Whole units with thousands apart; a part of a unit as it is.
pub(super) fn units(quantity: Quantity) -> String {
    if quantity.units() % Quantity::ONE.units() != 0 {
        return quantity.to_string();
    }
    let whole = quantity.units() / Quantity::ONE.units();
    format!("{}{}", if whole < 0 { "-" } else { "" }, thousands(whole.unsigned_abs()))
}

/// Milliseconds, or seconds with one decimal from one second on.
pub(super) fn time(took: Duration) -> String {
    match took.as_millis() {
        0 => format!("{} µs", took.as_micros()),
        ms @ 1..1000 => format!("{ms} ms"),
        ms => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
    }
}

/// A count with thousands apart.
pub(super) fn thousands(count: u128) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_readable_and_keep_their_sign() {
        assert_eq!(money("-1234567.899".parse().unwrap()), "-1,234,567.90");
        assert_eq!(money("-0.5".parse().unwrap()), "-0.50");
        assert_eq!(money("999".parse().unwrap()), "999.00");
        assert_eq!(signed_percent("-0.041".parse().unwrap()), "-4.10 %");
        assert_eq!(percent("0.25".parse().unwrap()), "25.00 %");
        assert_eq!(signed_percent("0.012351".parse().unwrap()), "+1.24 %");
        assert_eq!(
            ["0.00005", "0.00015", "-0.00015", "-0.000051"].map(|text| percent(text.parse().unwrap())),
            ["0.00 %", "0.02 %", "-0.02 %", "-0.01 %"]
        );
        assert_eq!(money("0.996".parse().unwrap()), "1.00");
        assert_eq!(units("-12345".parse().unwrap()), "-12,345");
        assert_eq!(units("0.5".parse().unwrap()), "0.5");
        assert_eq!((time(Duration::from_micros(700)), time(Duration::from_millis(1250))), ("700 µs".to_owned(), "1.2 s".to_owned()));
    }
}
