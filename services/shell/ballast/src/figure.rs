//! Figures as commands print them: exact in JSON and CSV, rounded in tables. Nothing is computed here but the rounding
//! of what is shown.

use domain::Timestamp;
use postgres_store::Micros;
use rust_decimal::{Decimal, RoundingStrategy};

/// A number with every digit that it has and no zeros behind them.
pub fn exact(number: Decimal) -> String {
    number.normalize().to_string()
}

/// A figure of statistics: sixteen decimals, which is more than it is good for, and no zeros behind them.
pub fn statistic(figure: f64) -> String {
    let text = format!("{figure:.16}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// The same where there may be none.
pub fn exact_if_any(number: Option<Decimal>) -> String {
    number.map(exact).unwrap_or_default()
}

/// A number rounded half to even to so many decimals, its thousands apart; `-` where there is none.
pub fn rounded(number: Option<Decimal>, decimals: u32) -> String {
    let Some(number) = number else { return "-".to_owned() };
    let rounded = number.round_dp_with_strategy(decimals, RoundingStrategy::MidpointNearestEven);
    let text = format!("{:.*}", decimals as usize, rounded.abs());
    let (whole, part) = text.split_once('.').map_or((text.as_str(), None), |(whole, part)| (whole, Some(part)));
    let grouped: Vec<&str> = whole.as_bytes().rchunks(3).rev().map(|digits| std::str::from_utf8(digits).unwrap_or_default()).collect();
    let sign = if rounded.is_sign_negative() && !rounded.is_zero() { "-" } else { "" };
    format!("{sign}{}{}", grouped.join(","), part.map(|part| format!(".{part}")).unwrap_or_default())
}

/// A fraction of one in per cent.
pub fn percent(fraction: Option<Decimal>) -> String {
    fraction
        .and_then(|fraction| fraction.checked_mul(Decimal::ONE_HUNDRED))
        .map_or("-".to_owned(), |points| format!("{} %", rounded(Some(points), 2)))
}

/// A moment of a row.
pub fn moment(at: Micros) -> Timestamp {
    Timestamp::from_micros(at.0)
}

/// Whole seconds from a moment to another; never negative.
pub fn age(at: Timestamp, by: Timestamp) -> i64 {
    by.since(at).max(0) / 1_000_000
}

/// An age in the unit that says most.
pub fn age_words(seconds: i64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_have_no_zeros_behind_them() {
        let told = [0.1, -0.25, 1e-17, -1e-17, 3.0, 0.0].map(statistic);
        assert_eq!(told, ["0.1", "-0.25", "0", "0", "3", "0"]);
    }

    #[test]
    fn numbers_are_rounded_half_to_even_and_grouped() {
        let shown = |text: &str, decimals| rounded(Some(text.parse().unwrap()), decimals);
        assert_eq!(shown("1234567.125", 2), "1,234,567.12");
        assert_eq!(shown("-1234.135", 2), "-1,234.14");
        assert_eq!((shown("-0.001", 2), shown("999", 0), shown("12", 2)), ("0.00".into(), "999".into(), "12.00".into()));
        assert_eq!((rounded(None, 2), percent(Some("0.12345".parse().unwrap()))), ("-".to_owned(), "12.34 %".to_owned()));
        assert_eq!((exact("1.500".parse().unwrap()), exact("0.000".parse().unwrap())), ("1.5".to_owned(), "0".to_owned()));
    }

    #[test]
    fn an_age_has_one_unit() {
        assert_eq!([5, 125, 7_300, 200_000].map(age_words), ["5 s", "2 min", "2 h", "2 days"]);
    }
}
