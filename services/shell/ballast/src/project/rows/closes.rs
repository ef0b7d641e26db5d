//! Closed days, from the closes' topic.

use super::exact::{exact, exact_if_any};
use super::{RowError, by_currency, json, micros};
use domain::Money;
use domain::enums::InstrumentType;
use domain::portfolio_close::{ClosedPosition, PortfolioClose};
use postgres_store::projections::{CloseRow, ProjectionBatch};
use rust_decimal::Decimal;

/// Adds a version of a closed day.
pub(super) fn add(close: &PortfolioClose, into: &mut ProjectionBatch) -> Result<(), RowError> {
    into.closes.push(CloseRow {
        portfolio_id: close.portfolio_id.to_string(),
        date: close.date.to_string(),
        version: close.version,
        base_currency: close.base_currency.map(|currency| currency.to_string()),
        cut_at: close.cut_at.map(micros),
        as_of: close.as_of.map(micros),
        equity: exact(close.equity.to_decimal(), "equity")?,
        net_external_flow: exact(close.net_external_flow.to_decimal(), "net_external_flow")?,
        net_flows: exact_if_any(close.net_flows.map(Money::to_decimal), "net_flows")?,
        positions: json(&close.positions),
        cash: by_currency(&close.cash),
        receivables: by_currency(&close.receivables),
        currencies: json(&close.currencies),
        complete: close.complete,
        provisional: close.provisional,
        incomplete_reason: close.incomplete_reason.as_ref().map(ToString::to_string),
        policy_version: close.policy_version,
        cash_value: cash_value(close),
        long_value: side(close, |value| value > Decimal::ZERO),
        short_value: side(close, |value| value < Decimal::ZERO),
    });
    Ok(())
}

/// What cash is worth; a close that tells no currencies tells none.
fn cash_value(close: &PortfolioClose) -> Option<Decimal> {
    let told = !close.currencies.is_empty() || close.cash.is_empty();
    let sum = || close.currencies.iter().try_fold(Decimal::ZERO, |sum, held| sum.checked_add(held.cash_value.to_decimal()?));
    told.then(sum).flatten()
}

/// Magnitude of the holdings on one side; absent where one of them cannot be told.
fn side(close: &PortfolioClose, of: impl Fn(Decimal) -> bool) -> Option<Decimal> {
    close.positions.iter().try_fold(Decimal::ZERO, |sum, position| {
        let value = exposed(position)?;
        if of(value) { sum.checked_add(value.abs()) } else { Some(sum) }
    })
}

/// What a holding exposes to: its value, of a future its notional. A chart's figure: beyond 28 digits it is rounded.
fn exposed(position: &ClosedPosition) -> Option<Decimal> {
    if position.kind != InstrumentType::Future {
        return position.value.to_decimal();
    }
    let rate = position.fx_rate?.to_decimal()?;
    let multiplier = position.multiplier.map_or(Some(Decimal::ONE), |multiplier| multiplier.to_decimal())?;
    let units = position.quantity.to_decimal()?.checked_mul(multiplier)?;
    units.checked_mul(position.price?.to_decimal()?)?.checked_mul(rate).map(|value| value.round_dp(10))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_close_gives_its_row_exactly() {
        let json = r#"{"portfolio_id":"p1","date":"2026-01-05","version":2,"equity":"1020.0000000001","net_external_flow":"-5",
            "positions":[{"instrument_id":"A","quantity":"10","price":"12","fx_rate":"1","value":"120","type":"EQUITY"}],
            "cash":[{"currency":"USD","amount":"900.0000000001"}],"complete":true,"incomplete_reason":null,"provisional":false,
            "restates":1,"base_currency":"USD","cut_at":"2026-01-06T00:00:00Z","net_flows":"995"}"#;
        let mut close: PortfolioClose = serde_json::from_str(json).unwrap();
        let mut batch = ProjectionBatch::default();
        add(&close, &mut batch).unwrap();
        let row = &batch.closes[0];
        assert_eq!((row.date.as_str(), row.version, row.equity.to_string().as_str()), ("2026-01-05", 2, "1020.0000000001"));
        assert_eq!((row.long_value, row.short_value, row.cash_value), (Some(Decimal::from(120)), Some(Decimal::ZERO), None));
        assert_eq!((&row.cash["USD"], &row.positions[0]["type"]), (&Value::from("900.0000000001"), &Value::from("EQUITY")));
        let short = r#"{"instrument_id":"F","quantity":"-2","price":"50","fx_rate":"1.1","value":"3","type":"FUTURE","multiplier":"10"}"#;
        let usd = r#"{"currency":"USD","fx_rate":"1","cash_value":"900.0000000001","receivables_value":"0"}"#;
        close.positions.push(serde_json::from_str(short).unwrap());
        close.currencies.push(serde_json::from_str(usd).unwrap());
        add(&close, &mut batch).unwrap();
        let told = |figure: Option<Decimal>| figure.unwrap().normalize().to_string();
        let row = &batch.closes[1];
        assert_eq!([told(row.long_value), told(row.short_value), told(row.cash_value)], ["120", "1100", "900.0000000001"]);
        close.equity = Money::from_units(i128::MAX);
        assert_eq!(add(&close, &mut batch), Err(RowError::TooLarge { field: "equity" }));
    }
}
