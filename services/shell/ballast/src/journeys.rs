//! Two journeys on published data, day by day in event time: (a) a traded book whose positions and cash
//! are known for every day, (b) four shares with targets and bands whose orders the paper router fills.
//! A day says what to publish and what must hold once it is digested; who publishes, and how one knows
//! that a day is digested, is the caller's. Nothing here reads what the service holds.

pub mod balanced;
mod observed;
mod table;
pub mod traded;

pub use observed::{Observed, PlacedOrder, Wrong};
pub use table::DataError;

use domain::{Date, Input, InstrumentId, Money, Quantity, Timestamp};
use std::collections::BTreeMap;
use std::path::Path;

/// Seconds after midnight UTC at which a day's records are published: after the close in New York.
const EVENING: i64 = 21 * 3600;

/// An input and its event time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated {
    /// The record.
    pub input: Input,
    /// Event time.
    pub time: Timestamp,
}

/// What the traded book must hold at the end of a day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Oracle {
    /// Cash, in USD.
    pub cash: Money,
    /// Units of every share, flat ones too.
    pub positions: BTreeMap<InstrumentId, Quantity>,
    /// Cash and positions at the day's prices, in USD.
    pub equity: Money,
}

/// One day of one or both journeys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Day {
    /// The day.
    pub date: Date,
    /// What to publish, in order.
    pub inputs: Vec<Dated>,
    /// What the traded book must hold then, on its trading days.
    pub oracle: Option<Oracle>,
    /// Portfolios that the inputs are about.
    pub portfolios: Vec<&'static str>,
}

/// The evening of a day.
fn evening(date: Date) -> Timestamp {
    date.start_utc().plus_seconds(EVENING)
}

/// Both journeys, merged by date.
pub fn both(data: &Path) -> Result<Vec<Day>, DataError> {
    Ok(merge([traded::days(data)?, balanced::days(data)?]))
}

/// Merges journeys by date; within a day the earlier one's records come first.
pub fn merge(journeys: impl IntoIterator<Item = Vec<Day>>) -> Vec<Day> {
    let mut days: BTreeMap<Date, Day> = BTreeMap::new();
    for day in journeys.into_iter().flatten() {
        let merged = days.entry(day.date).or_insert_with(|| Day { date: day.date, ..Day::default() });
        merged.inputs.extend(day.inputs);
        merged.oracle = day.oracle.or(merged.oracle.take());
        merged.portfolios.extend(day.portfolios);
    }
    days.into_values().collect()
}
