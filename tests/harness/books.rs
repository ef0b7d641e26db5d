//! Records as upstream systems write them, with the least that each needs.

use crate::service::now;
use domain::enums::ExecType;
use domain::{Input, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn record<T: DeserializeOwned>(value: Value) -> Box<T> {
    Box::new(serde_json::from_value(value).expect("a test's record has the shape of its schema"))
}

/// A share in dollars, traded in single units.
pub fn share(instrument: &str) -> Input {
    Input::Instrument(record(
        json!({"instrument_id": instrument, "symbol": instrument, "type": "EQUITY", "currency": "USD", "sector": "Test"}),
    ))
}

/// A last price, in cents, of now.
pub fn tick(instrument: &str, cents: u64) -> Input {
    Input::Tick(record(json!({"instrument_id": instrument, "last": price(cents), "event_time": now().to_string()})))
}

/// A policy that books fills and never breaches.
pub fn quiet_policy(portfolio: &str) -> Input {
    Input::Policy(record(json!({
        "portfolio_id": portfolio, "policy_version": 1, "base_currency": "USD",
        "band": {"absolute": "0.99"}
    })))
}

/// A policy that holds these weights by itself, within five points.
pub fn automatic_policy(portfolio: &str, targets: &[(&str, &str)]) -> Input {
    let targets: Vec<_> =
        targets.iter().map(|(instrument, weight)| json!({"instrument_id": instrument, "target_weight": weight})).collect();
    Input::Policy(record(json!({
        "portfolio_id": portfolio, "policy_version": 1, "base_currency": "USD", "targets": targets,
        "band": {"absolute": "0.05"},
        "trigger": {"mode": "AUTOMATIC"},
        "limits": {"max_order_notional": "100000000", "max_daily_notional": "100000000000", "price_collar_bp": "5000"}
    })))
}

/// Cash paid in, in whole dollars.
pub fn deposit(portfolio: &str, entry: &str, dollars: u64) -> Input {
    Input::Cash(record(json!({
        "source": "treasury", "entry_id": entry, "portfolio_id": portfolio, "kind": "DEPOSIT", "currency": "USD",
        "amount": dollars.to_string(), "effective_at": now().to_string()
    })))
}

/// One execution, all of it but the ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Execution id.
    pub id: String,
    /// Portfolio.
    pub portfolio: String,
    /// Instrument.
    pub instrument: String,
    /// Whether it is a buy.
    pub buy: bool,
    /// Whole units.
    pub units: u64,
    /// Price in cents.
    pub cents: u64,
    /// Fee in cents.
    pub fee_cents: u64,
    /// When it was executed.
    pub time: Timestamp,
}

/// What takes an execution back, under an id of its own.
pub fn cancel(execution: &Execution, id: &str) -> Input {
    amendment(ExecType::Cancel, &execution.id, &Execution { id: id.to_owned(), ..execution.clone() })
}

/// What puts `corrected` in the place of an execution.
pub fn correct(execution: &Execution, corrected: &Execution) -> Input {
    amendment(ExecType::Correct, &execution.id, corrected)
}

fn amendment(kind: ExecType, of: &str, execution: &Execution) -> Input {
    let Input::Fill(mut fill) = fill(execution) else { unreachable!("a fill was made") };
    fill.exec_type = kind;
    fill.exec_ref_id = Some(of.into());
    Input::Fill(fill)
}

/// The fill of an execution. Its short sells are sells, as some systems send them.
pub fn fill(execution: &Execution) -> Input {
    let side = if execution.buy { "BUY" } else { "SELL" };
    let fees = match execution.fee_cents {
        0 => json!([]),
        cents => json!([{"type": "commission", "amount": price(cents), "currency": "USD"}]),
    };
    Input::Fill(record(json!({
        "source": "load", "exec_id": execution.id, "trade_date": execution.time.date_utc().to_string(), "exec_type": "TRADE",
        "portfolio_id": execution.portfolio, "instrument_id": execution.instrument, "side": side,
        "quantity": execution.units.to_string(), "price": price(execution.cents), "currency": "USD", "fees": fees,
        "transact_time": execution.time.to_string()
    })))
}

fn price(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
