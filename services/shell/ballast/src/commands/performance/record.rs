//! What the record of a closed day says of it: the tracker's figure, time-weighted at the day's flows, and beside it what
//! the day is told by. Nothing is computed here.

use postgres_store::queries::DayValue;
use rust_decimal::Decimal;
use serde_json::Value;

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
    /// What is stored of a day; `None` without a record that tells a return, or why there is none.
    pub(super) fn of(day: &DayValue) -> Option<Self> {
        let figures = day.record.as_ref()?.as_array()?;
        let find = |id: &str| figures.iter().find(|figure| figure.get("id").and_then(Value::as_str) == Some(id));
        let text = |figure: &Value, key: &str| figure.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |id: &str| find(id).and_then(|figure| figure.get("value")?.as_str()?.parse::<Decimal>().ok());
        let own = find("time_weighted_return")?;
        let change = number("time_weighted_return").ok_or_else(|| text(own, "reason"));
        let differs = |id: &str, close: Decimal| number(id).is_some_and(|told| told != close);
        Some(Self {
            lost: change.as_ref().is_err_and(|reason| reason.starts_with(LOST)),
            change,
            method: text(own, "method"),
            earned: number("profit"),
            benchmark: number("benchmark_return"),
            is_of_an_earlier_close: differs("total_value", day.total_value) || differs("net_external_flow", day.net_external_flow),
        })
    }
}
