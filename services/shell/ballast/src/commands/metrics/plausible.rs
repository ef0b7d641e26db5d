//! Whether numbers that are read as returns can be meant as such. Levels and per cents give figures like any others: where
//! no header calls them returns the caller is asked, else it is said.

use super::UnusableInput;
use super::columns::{Columns, words};

/// A gain that no portfolio makes in each of its periods, and few make in half of them.
const HARDLY: f64 = 0.5;
/// So many returns tell of half of them.
const ENOUGH: usize = 4;

/// Whether each of some numbers is far too large for a return: levels, prices.
pub fn look_like_levels(values: &[f64]) -> bool {
    values.len() > 1 && values.iter().all(|value| *value > HARDLY)
}

/// The question about such a column; `levels` says what they may be, and how to have them read as that.
pub fn asked_about(header: &str, levels: &str) -> String {
    format!("each {header:?} would be a return above 50 %: if these are {levels}; if they are per cent, --percent")
}

/// What a reader should know of a column of returns. Refused are levels that nobody called returns; `levels` says how to
/// have them read as such.
pub fn doubt(columns: &Columns<'_>, column: usize, values: &[f64], levels: &str) -> Result<Option<String>, UnusableInput> {
    let header = &columns.table().headers[column];
    if words(header).iter().any(|word| word == "log") {
        let why = format!("{header:?} holds logarithms: returns here are simple ones, exp(r) - 1 of each");
        return Err(columns.table().unusable(why));
    }
    if look_like_levels(values) {
        let told = asked_about(header, levels);
        return if columns.are_called_returns(column) {
            Ok(Some(told))
        } else {
            Err(columns.table().unusable(format!("{told}; if they are returns, --column return={header}")))
        };
    }
    if let Some(lost) = values.iter().find(|value| **value < -1.0) {
        return Ok(Some(format!("{header:?}: {lost} would be a loss of more than all there was: if returns are per cent, say --percent")));
    }
    let many = values.iter().filter(|value| value.abs() > HARDLY).count();
    let is_unlikely = values.len() >= ENOUGH && 2 * many > values.len();
    Ok(is_unlikely.then(|| format!("{header:?}: {many} of {} returns are beyond 50 %: if they are per cent, say --percent", values.len())))
}

/// Refuses risk-free rates that no money has earned: per cents without their sign.
pub fn rates_are_fractions(columns: &Columns<'_>, column: usize, mut rates: impl Iterator<Item = f64>) -> Result<(), UnusableInput> {
    let header = &columns.table().headers[column];
    match rates.find(|rate| rate.abs() > HARDLY) {
        Some(rate) => Err(columns.table().unusable(format!(
            "{header:?}: {rate} would be a rate beyond 50 %: if it is per cent, write {rate}% or say so in the header, as in rate_pct"
        ))),
        None => Ok(()),
    }
}
