//! Orders: what waves ask for and what routers answer.

use super::exact::{exact, exact_if_any};
use super::{Origin, RowError, micros};
use domain::Price;
use domain::enums::{OrderState, WaveKind};
use domain::order::{NamedNumber, Order, OrderWave};
use domain::order_status::OrderStatus;
use postgres_store::projections::{OrderCancel, OrderRow, OrderStatusRow, ProjectionBatch};
use serde_json::{Map, Value};

/// Adds the orders of a wave, or its cancel requests.
pub(super) fn add_wave(wave: &OrderWave, origin: Origin, into: &mut ProjectionBatch) -> Result<(), RowError> {
    match wave.kind {
        WaveKind::New => {
            let rows: Vec<_> = wave.orders.iter().map(|order| row(wave, order, origin)).collect::<Result<_, _>>()?;
            into.orders.extend(rows);
        }
        WaveKind::Cancel => into.order_cancels.extend(wave.orders.iter().map(|order| cancel(order, origin))),
        WaveKind::Unknown => return Err(RowError::UnknownSymbol { field: "kind" }),
    }
    Ok(())
}

fn row(wave: &OrderWave, order: &Order, origin: Origin) -> Result<OrderRow, RowError> {
    Ok(OrderRow {
        order_id: order.order_id.to_string(),
        portfolio_id: order.portfolio_id.to_string(),
        rebalance_id: order.rebalance_id.to_string(),
        wave_id: wave.wave_id.to_string(),
        wave_number: wave.wave_number,
        instrument_id: order.instrument_id.to_string(),
        side: order.side.symbol().to_owned(),
        quantity: exact(order.quantity.to_decimal(), "quantity")?,
        order_type: order.order_type.symbol().to_owned(),
        limit_price: exact_if_any(order.limit_price.map(Price::to_decimal), "limit_price")?,
        time_in_force: order.time_in_force.symbol().to_owned(),
        currency: order.currency.to_string(),
        reference_price: exact(order.reference_price.to_decimal(), "reference_price")?,
        expected_value: exact(order.expected_value.to_decimal(), "expected_value")?,
        reason_code: order.reason.symbol().to_owned(),
        explanation: numbers(&order.numbers),
        policy_version: order.policy_version,
        snapshot_version: order.snapshot_version,
        valid_until: micros(order.valid_until),
        block_key: Some(order.block_key.to_string()).filter(|key| !key.is_empty()),
        released_at: origin.at,
        wave_offset: origin.offset,
    })
}

fn numbers(named: &[NamedNumber]) -> Value {
    Value::Object(named.iter().map(|number| (number.name.to_string(), Value::from(number.value.as_str()))).collect::<Map<_, _>>())
}

fn cancel(order: &Order, origin: Origin) -> OrderCancel {
    OrderCancel {
        order_id: order.order_id.to_string(),
        portfolio_id: order.portfolio_id.to_string(),
        rebalance_id: order.rebalance_id.to_string(),
        at: origin.at,
    }
}

/// Adds a router's report; one with a quantity below zero is refused by the service and changes no row.
pub(super) fn add_status(status: &OrderStatus, origin: Origin, into: &mut ProjectionBatch) -> Result<(), RowError> {
    if status.status == OrderState::Unknown {
        return Err(RowError::UnknownSymbol { field: "status" });
    }
    if status.cum_qty.is_negative() || status.leaves_qty.is_negative() {
        return Ok(());
    }
    into.order_statuses.push(OrderStatusRow {
        order_id: status.order_id.to_string(),
        portfolio_id: status.portfolio_id.to_string(),
        rebalance_id: status.rebalance_id.to_string(),
        status: status.status.symbol().to_owned(),
        filled_quantity: exact(status.cum_qty.to_decimal(), "cum_qty")?,
        leaves_quantity: exact(status.leaves_qty.to_decimal(), "leaves_qty")?,
        reason_code: status.reason_code.as_ref().map(ToString::to_string),
        reason: status.reason.as_ref().map(ToString::to_string),
        at: micros(status.event_time),
        source_offset: origin.offset,
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use postgres_store::Micros;

    const ORIGIN: Origin = Origin { partition: 0, offset: 12, at: Micros(5) };
    const ORDER: &str = r#"{"order_id":"6f1c1b0e-0000-5000-8000-000000000001","rebalance_id":"6f1c1b0e-0000-5000-8000-000000000002",
        "portfolio_id":"p1","instrument_id":"AAPL","side":"SELL","quantity":"12.5","order_type":"LIMIT","limit_price":"199.5",
        "time_in_force":"DAY","currency":"USD","reference_price":"200","reference_time":"2026-01-05T14:30:00Z","expected_value":"2500",
        "reason":"DRIFT_SELL","numbers":[{"name":"drift","value":"0.06"}],"policy_version":3,"snapshot_version":8,
        "valid_until":"2026-01-05T14:35:00Z","block_key":""}"#;

    fn wave(kind: &str) -> OrderWave {
        let json = format!(
            r#"{{"wave_id":"6f1c1b0e-0000-5000-8000-000000000003","rebalance_id":"6f1c1b0e-0000-5000-8000-000000000002",
            "portfolio_id":"p1","wave_number":2,"kind":"{kind}","orders":[{ORDER}],"funding_note":null,"policy_version":3,
            "drift_episode":1,"valid_until":"2026-01-05T14:35:00Z"}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_new_wave_gives_orders_and_a_cancel_wave_requests() {
        let mut batch = ProjectionBatch::default();
        add_wave(&wave("NEW"), ORIGIN, &mut batch).unwrap();
        add_wave(&wave("CANCEL"), Origin { offset: 13, at: Micros(6), ..ORIGIN }, &mut batch).unwrap();
        let row = &batch.orders[0];
        assert_eq!((row.side.as_str(), row.quantity.to_string().as_str(), row.wave_number), ("SELL", "12.5", 2));
        assert_eq!((row.limit_price.unwrap().to_string().as_str(), row.reason_code.as_str()), ("199.5", "DRIFT_SELL"));
        assert_eq!((&row.explanation["drift"], row.block_key.as_deref(), row.wave_offset), (&Value::from("0.06"), None, 12));
        assert_eq!((batch.orders.len(), batch.order_cancels.len()), (1, 1));
        assert_eq!((batch.order_cancels[0].order_id.as_str(), batch.order_cancels[0].at), (row.order_id.as_str(), Micros(6)));
        assert_eq!(add_wave(&wave("REPLACE"), ORIGIN, &mut batch), Err(RowError::UnknownSymbol { field: "kind" }));
    }

    #[test]
    fn a_status_of_a_newer_build_has_no_row() {
        let json = r#"{"order_id":"6f1c1b0e-0000-5000-8000-000000000001","rebalance_id":"6f1c1b0e-0000-5000-8000-000000000002",
            "portfolio_id":"p1","status":"SUSPENDED","cum_qty":"0","leaves_qty":"1","event_time":"2026-01-05T14:30:00Z"}"#;
        let mut batch = ProjectionBatch::default();
        let status = serde_json::from_str(json).unwrap();
        assert_eq!(add_status(&status, ORIGIN, &mut batch), Err(RowError::UnknownSymbol { field: "status" }));
    }
}
