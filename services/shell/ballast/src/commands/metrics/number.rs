//! Numbers as people write them: 0.05, 5%, (12.50), 1,234.5, 1e-3; with a decimal comma 0,05 and 1.234,5. A per cent
//! sign moves the decimal point in the text, so that 5.7% is the float nearest to 0.057.

/// The sign that parts the whole of a number from its fraction; the other one parts groups of three digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decimal {
    /// 1,234.5
    #[default]
    Point,
    /// 1.234,5
    Comma,
}

/// The number that a text with a decimal point means; else what is wrong with it. NaN and infinity are none.
pub fn number(text: &str) -> Result<f64, String> {
    number_in(text, Decimal::Point)
}

/// The number that a text means; else what is wrong with it.
pub fn number_in(text: &str, decimal: Decimal) -> Result<f64, String> {
    let wrong = || format!("{text:?} is no number");
    let value: f64 = digits(text, decimal).ok_or_else(wrong)?.parse().map_err(|_| wrong())?;
    if value.is_finite() { Ok(value) } else { Err(format!("{text:?} is no finite number")) }
}

/// The same digits as programs write them: a point, no groups, a minus for parentheses.
pub fn digits(text: &str, decimal: Decimal) -> Option<String> {
    let bare = text.trim();
    let (bare, sign) = match bare.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => (inner.trim(), "-"),
        None => (bare, ""),
    };
    let (bare, exponent) = match bare.strip_suffix('%') {
        Some(inner) => (inner.trim_end(), "e-2"),
        None => (bare, ""),
    };
    let digits = match decimal {
        Decimal::Point => ungrouped(bare)?,
        Decimal::Comma => ungrouped(&swapped(bare))?,
    };
    (exponent.is_empty() || !digits.contains(['e', 'E'])).then(|| format!("{sign}{digits}{exponent}"))
}

/// Whether a cell says that there is no value.
pub fn is_missing(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    matches!(text.as_str(), "" | "na" | "n/a" | "#n/a" | "#na" | "n.a." | "nan" | "-nan" | "null" | "none" | "nil" | "-" | "--")
}

/// What the text of a number tells of its decimal sign, and whether it can mean nothing else: 0.5 and 1,234.5 tell of
/// a point, 0,5 a comma; 1.234 and 1,234 may be either.
pub fn tells(text: &str) -> Option<(Decimal, bool)> {
    let bare = text.trim().trim_start_matches('(').trim_end_matches([')', '%', ' ']).trim_start_matches(['-', '+', ' ']);
    let bare = bare.split(['e', 'E']).next().unwrap_or_default();
    if !bare.contains(|c: char| c.is_ascii_digit()) || !bare.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',') {
        return None;
    }
    let count = |sign: char| bare.matches(sign).count();
    match (count('.'), count(',')) {
        (0, 0) => None,
        (1, 0) => Some((Decimal::Point, !is_grouped(bare, '.'))),
        (0, 1) => Some((Decimal::Comma, !is_grouped(bare, ','))),
        (_, 0) => is_grouped(bare, '.').then_some((Decimal::Comma, true)),
        (0, _) => is_grouped(bare, ',').then_some((Decimal::Point, true)),
        _ if bare.rfind('.') > bare.rfind(',') => Some((Decimal::Point, true)),
        _ => Some((Decimal::Comma, true)),
    }
}

fn swapped(text: &str) -> String {
    let other = |sign| match sign {
        '.' => ',',
        ',' => '.',
        other => other,
    };
    text.chars().map(other).collect()
}

/// The digits without commas between groups of three. `None` for letters, and for commas in other places.
fn ungrouped(text: &str) -> Option<String> {
    if text.is_empty() || !text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | 'e' | 'E')) {
        return None;
    }
    if !text.contains(',') {
        return Some(text.to_owned());
    }
    let (whole, part) = text.split_once('.').map_or((text, ""), |(whole, part)| (whole, part));
    (is_grouped(whole.trim_start_matches(['-', '+']), ',') && !part.contains(',')).then(|| text.replace(',', ""))
}

/// Whether a sign parts digits into groups of three. No number that is written so begins with a zero: 0,015 is none.
fn is_grouped(whole: &str, sign: char) -> bool {
    let mut groups = whole.split(sign);
    let first = groups.next().is_some_and(|first| (1..=3).contains(&first.len()) && !first.starts_with('0'));
    first && groups.all(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        for (text, expected) in [
            ("0.05", 0.05),
            ("5.7%", 0.057),
            (" -3 % ", -0.03),
            ("(12.50)", -12.5),
            ("1,234,567.5", 1_234_567.5),
            ("-1,000", -1000.0),
            ("1e-3", 0.001),
            ("+2", 2.0),
            (".5", 0.5),
        ] {
            assert_eq!(number(text), Ok(expected), "{text}");
        }
        for text in ["", "abc", "0,05", "0,015", "1,23", "NaN", "inf", "1e999", "5%%", "1 2", "1e2%", "--1", "(-"] {
            assert!(number(text).is_err(), "{text:?}");
        }
        for text in [" ", "N/A", "#N/A", "NaN", "null", "-"] {
            assert!(is_missing(text), "{text:?}");
        }
        assert!(!is_missing("0") && !is_missing("-1"));
    }

    #[test]
    fn a_decimal_comma() {
        for (text, expected) in [("0,015", 0.015), ("1.234,5", 1234.5), ("5,7 %", 0.057), ("(12,50)", -12.5), ("1,234", 1.234), ("7", 7.0)]
        {
            assert_eq!(number_in(text, Decimal::Comma), Ok(expected), "{text}");
        }
        assert!(number_in("0.015", Decimal::Comma).is_err() && number_in("1,234.5", Decimal::Comma).is_err());
        for (text, told) in [
            ("0,5", Some((Decimal::Comma, true))),
            ("0,015", Some((Decimal::Comma, true))),
            ("1.234,5", Some((Decimal::Comma, true))),
            ("1.234.567", Some((Decimal::Comma, true))),
            ("-1,234", Some((Decimal::Comma, false))),
            ("1.234", Some((Decimal::Point, false))),
            ("1.5%", Some((Decimal::Point, true))),
            ("1,234,567", Some((Decimal::Point, true))),
            ("05.01.2026", None),
            ("tech", None),
            ("12", None),
        ] {
            assert_eq!(tells(text), told, "{text}");
        }
    }
}
