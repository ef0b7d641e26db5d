//! Closed days, from the closes' topic.

use super::exact::{exact, exact_if_any};
use super::{RowError, by_currency, json, micros};
use domain::Money;
use domain::portfolio_close::PortfolioClose;
use postgres_store::projections::{CloseRow, ProjectionBatch};

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
    });
    Ok(())
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
        assert_eq!((&row.cash["USD"], &row.positions[0]["type"]), (&Value::from("900.0000000001"), &Value::from("EQUITY")));
        close.equity = Money::from_units(i128::MAX);
        assert_eq!(add(&close, &mut batch), Err(RowError::TooLarge { field: "equity" }));
    }
}
