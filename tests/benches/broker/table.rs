//! How figures are printed: one row each.

use std::time::Duration;

/// Three rows: what half of them took at most, all but one of twenty, and all.
pub fn quantiles(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    for (name, part) in [("median", 50), ("19 of 20 within", 95), ("worst", 100)] {
        let at = (took.len() - 1) * part / 100;
        show(&format!("{what}, {name}"), took[at].as_secs_f64() * 1e3, "ms");
    }
}

/// One row of the table.
pub fn show(what: &str, figure: f64, unit: &str) {
    let digits = if figure.fract() == 0.0 || figure >= 1e4 { 0 } else { 2 };
    println!("{what:<62} {figure:>12.digits$} {unit}");
}
