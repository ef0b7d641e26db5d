//! Numbers as people write them: 0.05, 5%, (12.50), 1,234.5, 1e-3. A per cent sign moves the decimal point in the
//! text, so that 5.7% is the float nearest to 0.057.

/// The number that a text means; else what is wrong with it. NaN and infinity are none.
pub fn number(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is no number");
    let bare = text.trim();
    let (bare, sign) = match bare.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => (inner.trim(), "-"),
        None => (bare, ""),
    };
    let (bare, exponent) = match bare.strip_suffix('%') {
        Some(inner) => (inner.trim_end(), "e-2"),
        None => (bare, ""),
    };
    let digits = ungrouped(bare).ok_or_else(wrong)?;
    if !exponent.is_empty() && digits.contains(['e', 'E']) {
        return Err(wrong());
    }
    let value: f64 = format!("{sign}{digits}{exponent}").parse().map_err(|_| wrong())?;
    if value.is_finite() { Ok(value) } else { Err(format!("{text:?} is no finite number")) }
}

/// Whether a cell says that there is no value.
pub fn is_missing(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "" | "na" | "n/a" | "null" | "none" | "-")
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
    let mut groups = whole.trim_start_matches(['-', '+']).split(',');
    let first = groups.next().is_some_and(|first| (1..=3).contains(&first.len()));
    (first && groups.all(|group| group.len() == 3) && !part.contains(',')).then(|| text.replace(',', ""))
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
        for text in ["", "abc", "0,05", "1,23", "NaN", "inf", "1e999", "5%%", "1 2", "1e2%", "--1", "(-"] {
            assert!(number(text).is_err(), "{text:?}");
        }
        assert!(is_missing(" ") && is_missing("N/A") && !is_missing("NaN") && !is_missing("0"));
    }
}
