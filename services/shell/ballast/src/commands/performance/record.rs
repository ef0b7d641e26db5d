//! What the record of a closed day says of it: the tracker's figure, time-weighted at the day's flows, and beside it what
//! the day is told by. Nothing is computed here.

use postgres_store::queries::DayValue;
use rust_decimal::Decimal;

/// How a record begins the reason of a day at whose end nothing was left.
const LOST: &str = "TOTAL_LOSS";

/// A day by its record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    /// Fraction of one at twelve decimals, or why there is none.
    pub(super) change: Result<Decimal, String>,
    /// Whether nothing was left at its end: linking stops.
    pub(super) lost: bool,
    /// How it was found, in words.
    pub(super) method: String,
    /// Profit, in the base currency.
    pub(super) earned: Option<Decimal>,
    /// What the benchmark returned since its last price: a fraction of one.
    pub(super) benchmark: Option<Decimal>,
    /// Whether it tells the equity and the flow that the newest close does not.
    pub(super) is_of_an_earlier_close: bool,
}

impl Told {
    /// What is stored of a day; `None` without a record.
    pub(super) fn of(day: &DayValue) -> Option<Self> {
        let told = day.returned.as_ref()?;
        let change = told.time_weighted_return.clone();
        Some(Self {
            lost: change.as_ref().is_err_and(|reason| reason.starts_with(LOST)),
            change,
            method: told.method.clone(),
            earned: told.profit,
            benchmark: told.benchmark_return,
            is_of_an_earlier_close: told.is_of_an_earlier_close,
        })
    }
}
