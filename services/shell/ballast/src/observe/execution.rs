//! What the steps of a rebalancer tell of orders and rebalances, as counts; never by portfolio or order.
//! What shadows and checks say is left out: nothing comes of it.

use domain::enums::{RebalanceStatus, Side, WaveKind};
use domain::execution::Execution;
use domain::order::{Order, OrderWave};
use domain::reason::ReasonCode;
use domain::rebalance_event::RebalanceEvent;
use domain::{Bps, Fraction, Output, Quantity, wide};
use telemetry::ExecutionMetrics;

/// The label of an event without a code.
const NO_CODE: &str = "NONE";

/// Begins what alerts look at with 0: a series that begins with its first event shows no rise.
pub(super) fn begin(metrics: &ExecutionMetrics) {
    let of = |status: RebalanceStatus, code: &str| metrics.rebalance_events(status.symbol(), code).add(0);
    [RebalanceStatus::Completed, RebalanceStatus::Released, RebalanceStatus::NoActionNeeded].iter().for_each(|status| of(*status, NO_CODE));
    for code in ReasonCode::SYMBOLS.iter().filter(|code| **code != "UNKNOWN") {
        [RebalanceStatus::Failed, RebalanceStatus::Refused, RebalanceStatus::Expired].iter().for_each(|status| of(*status, code));
    }
    [Side::Buy, Side::Sell].iter().for_each(|side| metrics.orders_released(side.symbol()).add(0));
    metrics.cancels_requested().add(0);
}

/// Counts what one record says.
pub(super) fn count(metrics: &ExecutionMetrics, record: &Output) {
    match record {
        Output::OrderWave(wave) => count_wave(metrics, wave),
        Output::RebalanceEvent(event) if !event.shadow && event.status != RebalanceStatus::Proposed => count_event(metrics, event),
        _ => {}
    }
}

fn count_wave(metrics: &ExecutionMetrics, wave: &OrderWave) {
    match wave.kind {
        WaveKind::New => wave.orders.iter().for_each(|order| metrics.orders_released(order.side.symbol()).add(1)),
        _ => metrics.cancels_requested().add(wave.orders.len() as u64),
    }
}

fn count_event(metrics: &ExecutionMetrics, event: &RebalanceEvent) {
    let code = event.code.map_or(NO_CODE, ReasonCode::symbol);
    metrics.rebalance_events(event.status.symbol(), code).add(1);
    if let Some(execution) = &event.execution {
        count_execution(metrics, execution);
    }
    // A plan is told with its figures once: when it is put up, or when it leaves without being put up.
    let (Some(turnover), Some(fees)) = (event.turnover, event.expected_fees) else { return };
    if event.orders.is_empty() {
        return;
    }
    if let Some(turnover) = millionths(turnover.units(), 10_i128.pow(Fraction::SCALE)) {
        metrics.turnover().observe(turnover);
    }
    let ordered = event.orders.iter().try_fold(0_i128, |sum, order| sum.checked_add(whole_value(order)?));
    if let Some(cost) = ordered.and_then(|ordered| millionths(fees.units(), ordered)) {
        metrics.cost().observe(cost);
    }
}

/// What an order is worth, with all slices that follow it: fees are expected of the whole.
fn whole_value(order: &Order) -> Option<i128> {
    let number =
        |name: &str| order.numbers.iter().find(|number| number.name == name).and_then(|number| number.value.parse::<Quantity>().ok());
    let (value, quantity) = (order.expected_value.units(), order.quantity.units());
    match (number("slices"), number("ordered")) {
        (Some(_), Some(ordered)) => wide::mul_div_half_even(value, ordered.abs().units(), quantity).ok(),
        _ => Some(value),
    }
}

/// What executions came to, where it is known: a basis point is a hundred millionths.
fn count_execution(metrics: &ExecutionMetrics, execution: &Execution) {
    let told = [("PLAN", execution.slippage_bp), ("RELEASE", execution.arrival_slippage_bp), ("ALL", execution.cost_bp)];
    for (against, bp) in told {
        let Some(bp) = bp else { continue };
        let sign = if bp.is_negative() { "GAIN" } else { "COST" };
        if let Some(part) = millionths(bp.abs().units(), 10_000 * Bps::ONE.units()) {
            metrics.slippage(against, sign).observe(part);
        }
    }
}

/// A part of a whole in millionths; `None` of nothing, and beyond what can be counted.
fn millionths(part: i128, whole: i128) -> Option<u64> {
    let shown = part.checked_mul(1_000_000)?.checked_div(whole)?;
    u64::try_from(shown).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use telemetry::Metrics;

    const ORDER: &str = r#"{"order_id":"1d090978-4cc6-5fe4-9b00-4f7da738cd5b","rebalance_id":"bbd039b5-dae4-5b57-94dd-e2760a010f4d",
        "portfolio_id":"p","instrument_id":"A","side":"SELL","quantity":"2","order_type":"MARKET","limit_price":null,
        "time_in_force":"DAY","currency":"USD","reference_price":"100","reference_time":"2026-01-05T14:30:00Z",
        "expected_value":"200","reason":"DRIFT_SELL","numbers":[],"policy_version":1,"snapshot_version":1,
        "valid_until":"2026-01-05T15:30:00Z","block_key":"k"}"#;

    fn wave(kind: &str) -> Output {
        let json = format!(
            r#"{{"wave_id":"6f1c1b0e-0000-5000-8000-000000000001","rebalance_id":"bbd039b5-dae4-5b57-94dd-e2760a010f4d",
            "portfolio_id":"p","wave_number":1,"kind":"{kind}","orders":[{ORDER},{ORDER}],"funding_note":null,"policy_version":1,
            "drift_episode":1,"valid_until":"2026-01-05T15:30:00Z"}}"#
        );
        Output::OrderWave(serde_json::from_str(&json).unwrap())
    }

    fn event(status: &str, code: &str, shadow: bool) -> Output {
        let json = format!(
            r#"{{"rebalance_id":"bbd039b5-dae4-5b57-94dd-e2760a010f4d","portfolio_id":"p","trigger":"THRESHOLD","status":"{status}",
            "code":{code},"text":null,"shadow":{shadow},"proposal_hash":null,"as_of":"2026-01-05T14:30:00Z","old_allocations":[],
            "new_allocations":[],"orders":[{ORDER}],"explanation":[],"expected_fees":"0.1","turnover":"0.02","drift_before":null,
            "drift_after":null,"policy_version":1,"drift_episode":1,"actor":null,"command_id":null}}"#
        );
        Output::RebalanceEvent(serde_json::from_str(&json).unwrap())
    }

    #[test]
    fn orders_and_what_becomes_of_rebalances_are_counted() {
        let metrics = Metrics::new();
        let told = metrics.execution();
        for record in [wave("NEW"), wave("CANCEL"), event("RELEASED", "null", false), event("FAILED", "\"ORDER_FAILED\"", false)] {
            count(&told, &record);
        }
        count(&told, &event("RELEASED", "null", true));
        count(&told, &event("PROPOSED", "null", false));
        let shown = metrics.text();
        for line in [
            "ballast_orders_released_total{side=\"SELL\"} 2",
            "ballast_order_cancels_requested_total 2",
            "ballast_rebalance_events_total{status=\"RELEASED\",code=\"NONE\"} 1",
            "ballast_rebalance_events_total{status=\"FAILED\",code=\"ORDER_FAILED\"} 1",
            "ballast_rebalance_turnover_ratio_sum 0.04",
            "ballast_rebalance_cost_ratio_sum 0.001",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
        }
        assert!(!shown.contains("PROPOSED"), "{shown}");
    }

    #[test]
    fn what_executions_cost_and_gained_is_told_apart() {
        let metrics = Metrics::new();
        let told = metrics.execution();
        let Output::RebalanceEvent(mut ended) = event("COMPLETED", "null", false) else { panic!("an event") };
        let execution = r#"{"orders":1,"filled_orders":1,"ordered_value":"1","filled_value":"1","fill_rate":"1","traded_value":"1",
            "slippage":"1","slippage_bp":"12.5","arrival_slippage":"-1","arrival_slippage_bp":"-250","fees":"0","cost":"1","cost_bp":null,
            "first_fill_us":1,"last_fill_us":1,"reason":null,"lines":[]}"#;
        ended.execution = Some(serde_json::from_str(execution).unwrap());
        count(&told, &Output::RebalanceEvent(ended));
        let shown = metrics.text();
        for line in [
            "ballast_rebalance_slippage_ratio_sum{against=\"PLAN\",sign=\"COST\"} 0.00125",
            "ballast_rebalance_slippage_ratio_sum{against=\"RELEASE\",sign=\"GAIN\"} 0.025",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
        }
        assert!(!shown.contains("against=\"ALL\""), "what is not known is not told: {shown}");
    }

    #[test]
    fn fees_are_held_against_the_whole_of_an_order_in_slices() {
        let order = |numbers: &str| serde_json::from_str::<Order>(&ORDER.replace(r#""numbers":[]"#, numbers)).unwrap();
        let sliced = r#""numbers":[{"name":"ordered","value":"-10"},{"name":"slices","value":"5"}]"#;
        assert_eq!(whole_value(&order(sliced)), Some(1000 * domain::Money::ONE.units()));
        assert_eq!(whole_value(&order(r#""numbers":[{"name":"ordered","value":"-10"}]"#)), Some(200 * domain::Money::ONE.units()));
    }

    #[test]
    fn what_alerts_look_at_begins_at_zero() {
        let metrics = Metrics::new();
        begin(&metrics.execution());
        let shown = metrics.text();
        for line in [
            "ballast_rebalance_events_total{status=\"FAILED\",code=\"ORDER_FAILED\"} 0",
            "ballast_rebalance_events_total{status=\"COMPLETED\",code=\"NONE\"} 0",
            "ballast_orders_released_total{side=\"BUY\"} 0",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
        }
    }

    #[test]
    fn a_part_of_nothing_is_not_told() {
        assert_eq!((millionths(1, 0), millionths(-1, 2), millionths(1, 4)), (None, None, Some(250_000)));
    }
}
