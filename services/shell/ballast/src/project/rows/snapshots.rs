//! Snapshots and current allocations, from the snapshots' topic.

use super::exact::{exact, exact_if_any};
use super::{RowError, by_currency, json, micros};
use domain::snapshot::{Allocation, CashBalance, Snapshot, StrategyPosition};
use domain::{Fraction, Percent, Price};
use postgres_store::projections::{AllocationLine, AllocationSet, ProjectionBatch, SnapshotRow, StrategyLine};
use serde_json::{Map, Value, json as object};

/// Adds a snapshot and the allocations that it shows.
pub(super) fn add(snapshot: &Snapshot, into: &mut ProjectionBatch) -> Result<(), RowError> {
    let row = row(snapshot)?;
    let lines = snapshot.allocations.iter().map(line).collect::<Result<_, _>>()?;
    let strategies = snapshot.strategies.iter().map(strategy).collect::<Result<_, _>>()?;
    let (portfolio_id, snapshot_version) = (snapshot.portfolio_id.to_string(), snapshot.version);
    into.allocations.push(AllocationSet { portfolio_id, snapshot_version, lines, strategies });
    into.snapshots.push(row);
    Ok(())
}

fn row(snapshot: &Snapshot) -> Result<SnapshotRow, RowError> {
    let mut metrics = json(&snapshot.metrics);
    metrics["receivables"] = by_currency(&snapshot.receivables);
    Ok(SnapshotRow {
        portfolio_id: snapshot.portfolio_id.to_string(),
        version: snapshot.version,
        as_of: micros(snapshot.as_of),
        base_currency: snapshot.base_currency.to_string(),
        total_value: exact(snapshot.total_value.to_decimal(), "total_value")?,
        cash_value: exact(snapshot.cash_value.to_decimal(), "cash_value")?,
        available_cash: exact(snapshot.available_cash.to_decimal(), "available_cash")?,
        cash: cash(&snapshot.cash),
        // Snapshots carry no returns: those are the performance topic's.
        returns: None,
        metrics,
        allocations: json(&snapshot.allocations),
        risk: object!({
            "exposure": json(&snapshot.exposure),
            "sector_exposure": json(&snapshot.sector_exposure),
            "concentration": json(&snapshot.concentration),
        }),
        health: json(&snapshot.health),
        complete: snapshot.health.complete,
        policy_version: snapshot.policy_version,
    })
}

fn cash(balances: &[CashBalance]) -> Value {
    let balance = |cash: &CashBalance| object!({"trade_date": json(&cash.trade_date), "settled": json(&cash.settled)});
    Value::Object(balances.iter().map(|cash| (cash.currency.to_string(), balance(cash))).collect::<Map<_, _>>())
}

fn line(allocation: &Allocation) -> Result<AllocationLine, RowError> {
    Ok(AllocationLine {
        instrument_id: allocation.instrument_id.to_string(),
        symbol: Some(allocation.symbol.to_string()),
        sector: allocation.sector.as_ref().map(ToString::to_string),
        kind: Some(allocation.kind.symbol().to_owned()),
        quantity: exact(allocation.quantity.to_decimal(), "quantity")?,
        average_price: exact_if_any(allocation.average_price.map(Price::to_decimal), "average_price")?,
        price: exact_if_any(allocation.price.map(Price::to_decimal), "price")?,
        price_time: allocation.price_time.map(micros),
        stale: allocation.stale,
        value: Some(exact(allocation.value.to_decimal(), "value")?),
        percentage: exact_if_any(allocation.percentage.map(Percent::to_decimal), "percentage")?,
        // Points at scale 10 and a fraction at scale 12 count the same units.
        current_weight: exact_if_any(
            allocation.percentage.map(|points| Fraction::from_units(points.units()).to_decimal()),
            "current_weight",
        )?,
        drift: exact_if_any(allocation.drift.map(Fraction::to_decimal), "drift")?,
        unrealized: Some(exact(allocation.unrealized.to_decimal(), "unrealized")?),
        realized: Some(exact(allocation.realized.to_decimal(), "realized")?),
    })
}

fn strategy(row: &StrategyPosition) -> Result<StrategyLine, RowError> {
    Ok(StrategyLine {
        instrument_id: row.instrument_id.as_ref().map(ToString::to_string),
        strategy: row.strategy.as_ref().map(ToString::to_string),
        residual: row.residual,
        quantity: exact(row.quantity.to_decimal(), "quantity")?,
        average_price: exact_if_any(row.average_price.map(Price::to_decimal), "average_price")?,
        cost: exact(row.cost.to_decimal(), "cost")?,
        value: exact(row.value.to_decimal(), "value")?,
        realized_gross: exact(row.realized_gross.to_decimal(), "realized_gross")?,
        fees: exact(row.fees.to_decimal(), "fees")?,
        income: exact(row.income.to_decimal(), "income")?,
        realized_net: exact(row.realized_net.to_decimal(), "realized_net")?,
        unrealized: exact(row.unrealized.to_decimal(), "unrealized")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNAPSHOT: &str = r#"{"portfolio_id":"p1","version":5,"as_of":"2026-01-05T14:30:00Z","base_currency":"USD",
        "total_value":"100000.0000000001","cash_value":"40000","available_cash":"39000",
        "cash":[{"currency":"USD","trade_date":"40000","settled":"41000"}],"receivables":[{"currency":"EUR","amount":"2.5"}],
        "allocations":[{"instrument_id":"AAPL","symbol":"AAPL","sector":null,"type":"EQUITY","quantity":"-300.5","average_price":"190",
        "price":"200","price_time":"2026-01-05T14:29:59Z","stale":false,"value":"60000","percentage":"60.1234567891",
        "target_weight":"0.55","drift":"0.051234567891","unrealized":"3000","realized":"-1"},
        {"instrument_id":"BND","symbol":"BND","sector":"BONDS","type":"BOND","quantity":"0","average_price":null,"price":null,
        "price_time":null,"stale":true,"value":"0","percentage":null,"target_weight":"0.4","drift":null,"unrealized":"0","realized":"0"}],
        "exposure":{"net":"0.6","gross":"0.6","long":"60000","short":"0"},"sector_exposure":[],"concentration":{"hhi":"1","effective_number":"1"},
        "metrics":{"realized_gross":"0","fees":"1","income":"0","realized_net":"-1","unrealized":"3000","fx_cash":"0","net_flows":"97001",
        "total_pnl":"2999","day_pnl":null},
        "health":{"complete":false,"stale":[],"unpriced":["BND"],"quarantined":false,"unreconciled":false,"waiting":0},
        "policy_version":3,"input_offsets":[],"strategies":[{"instrument_id":"AAPL","strategy":null,"residual":true,"quantity":"0.00000001",
        "average_price":null,"cost":"-2","value":"0.5","realized_gross":"1","fees":"0.25","income":"0","realized_net":"0.75","unrealized":"2.5"}]}"#;

    #[test]
    fn a_snapshot_gives_its_row_and_every_allocation_exactly() {
        let snapshot: Snapshot = serde_json::from_str(SNAPSHOT).unwrap();
        let mut batch = ProjectionBatch::default();
        add(&snapshot, &mut batch).unwrap();
        let row = &batch.snapshots[0];
        assert_eq!(row.total_value.to_string(), "100000.0000000001");
        assert_eq!((row.version, row.complete, row.policy_version), (5, false, Some(3)));
        assert_eq!(row.cash["USD"]["settled"], "41000");
        assert_eq!((&row.metrics["total_pnl"], &row.metrics["receivables"]["EUR"]), (&object!("2999"), &object!("2.5")));
        assert_eq!(row.risk["exposure"]["long"], "60000");
        assert_eq!(row.health["unpriced"][0], "BND");
        let set = &batch.allocations[0];
        assert_eq!((set.snapshot_version, set.lines.len()), (5, 2));
        let held = &set.lines[0];
        assert_eq!(held.quantity.to_string(), "-300.5");
        assert_eq!(held.current_weight.unwrap().to_string(), "0.601234567891");
        assert_eq!(
            (held.percentage.unwrap().to_string().as_str(), held.drift.unwrap().to_string().as_str()),
            ("60.1234567891", "0.051234567891")
        );
        let left = &set.strategies[0];
        assert_eq!((left.quantity.to_string().as_str(), left.residual, left.strategy.as_deref()), ("0.00000001", true, None));
        assert_eq!((left.cost.to_string().as_str(), left.realized_net.to_string().as_str()), ("-2", "0.75"));
        let flat = &set.lines[1];
        assert_eq!((flat.current_weight, flat.price, flat.stale), (None, None, true));
    }

    #[test]
    fn a_number_that_no_row_holds_leaves_no_row() {
        let mut snapshot: Snapshot = serde_json::from_str(SNAPSHOT).unwrap();
        snapshot.allocations[1].unrealized = domain::Money::from_units(i128::MAX);
        let mut batch = ProjectionBatch::default();
        assert_eq!(add(&snapshot, &mut batch), Err(RowError::TooLarge { field: "unrealized" }));
        assert!(batch.snapshots.is_empty() && batch.allocations.is_empty());
    }
}
