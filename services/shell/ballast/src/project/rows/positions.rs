//! Positions after each ledger record that touched them. Amounts are in the instrument's currency,
//! which stands beside them.

use super::exact::{exact, exact_if_any};
use super::{Origin, RowError, json};
use domain::ledger::{Ledger, PositionState};
use domain::{FixedError, Money, Price};
use postgres_store::projections::{PositionRow, ProjectionBatch};

/// Adds every position of a ledger record.
pub(super) fn add(ledger: &Ledger, origin: Origin, into: &mut ProjectionBatch) -> Result<(), RowError> {
    let rows: Vec<_> = ledger.positions.iter().map(|position| row(ledger, position, origin)).collect::<Result<_, _>>()?;
    into.positions.extend(rows);
    Ok(())
}

fn row(ledger: &Ledger, position: &PositionState, origin: Origin) -> Result<PositionRow, RowError> {
    let fees = fees(position).map_err(|_| RowError::TooLarge { field: "fees" })?;
    Ok(PositionRow {
        portfolio_id: ledger.portfolio_id.to_string(),
        instrument_id: position.instrument_id.to_string(),
        quantity: exact(position.quantity.to_decimal(), "quantity")?,
        cost: exact(position.cost.to_decimal(), "cost")?,
        average_price: exact_if_any(position.average_price.map(Price::to_decimal), "average_price")?,
        currency: Some(position.currency.to_string()),
        realized_gross: exact(position.realized_gross.to_decimal(), "realized_gross")?,
        fees: exact(fees.to_decimal(), "fees")?,
        income: exact(position.income.to_decimal(), "income")?,
        realized_net: exact(position.realized_net.to_decimal(), "realized_net")?,
        lots: (!position.lots.is_empty()).then(|| json(&position.lots)),
        ledger_version: ledger.version,
        at: origin.at,
    })
}

/// Fees at the rates of their booking, in the instrument's currency: what separates gross from net.
fn fees(position: &PositionState) -> Result<Money, FixedError> {
    position.realized_gross.checked_add(position.income)?.checked_sub(position.realized_net)
}

#[cfg(test)]
mod tests {
    use super::*;
    use postgres_store::Micros;

    const LEDGER: &str = r#"{"portfolio_id":"p1","version":9,"entries":[],"cash":[{"currency":"USD","amount":"5"}],
        "positions":[{"instrument_id":"SAP","currency":"EUR","quantity":"10","cost":"1000.5","average_price":"100.05",
        "realized_gross":"50","fees":[{"currency":"USD","amount":"3"},{"currency":"EUR","amount":"1"}],"income":"2",
        "realized_net":"48.25","cycle_realized_gross":"0","cycle_fees":"0","cycle_income":"0",
        "lots":[{"exec_id":"e1","trade_date":"2026-01-05","quantity":"10","cost":"1000.5"}]},
        {"instrument_id":"AAPL","currency":"USD","quantity":"0","cost":"0","average_price":null,"realized_gross":"0","fees":[],
        "income":"0","realized_net":"0","cycle_realized_gross":"0","cycle_fees":"0","cycle_income":"0","lots":[]}]}"#;

    #[test]
    fn each_touched_position_has_a_row_that_ties_out() {
        let ledger: Ledger = serde_json::from_str(LEDGER).unwrap();
        let mut batch = ProjectionBatch::default();
        add(&ledger, Origin { partition: 0, offset: 4, at: Micros(77) }, &mut batch).unwrap();
        let [sap, flat] = batch.positions.as_slice() else { panic!("two positions") };
        assert_eq!((sap.ledger_version, sap.at, sap.currency.as_deref()), (9, Micros(77), Some("EUR")));
        assert_eq!((sap.cost.to_string().as_str(), sap.fees.to_string().as_str()), ("1000.5", "3.75"));
        assert_eq!(sap.realized_gross - sap.fees + sap.income, sap.realized_net);
        assert_eq!(sap.lots.as_ref().unwrap()[0]["exec_id"], "e1");
        assert_eq!((flat.average_price, flat.lots.as_ref()), (None, None));
    }
}
