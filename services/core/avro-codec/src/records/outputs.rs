//! What the roles publish: ledger, snapshots, drift, days, waves, events of a rebalance.
//! Each record's fields stand once, in the order of its schema. What they mean is said in `domain`.

use super::records;
use crate::fault::Fault;
use crate::reader::Reader;
use crate::wire::{Item, Wire};
use crate::writer::Writer;

records! {
    domain::ledger::{
        CurrencyAmount { currency, amount }
        Cause { topic, partition, offset, id }
        Lot { exec_id, trade_date, quantity, cost }
        LedgerEntry {
            kind, cause, instrument_id, strategy, venue, trade_date, effective_at, transact_time, quantity_change, price, fx_rate, cash,
            realized_gross, fees, income, external_flow, equity_before, by_strategy,
            closed_trades, in_base,
        }
        InBase { realized_gross, fees, income, proceeds }
        ClosedTrades { trade_date, winning, losing, even, gross_profit, gross_loss }
        StrategyChange { strategy, residual, quantity_change, realized_gross, fees, income, proceeds }
        PositionState {
            instrument_id, currency, quantity, cost, average_price, realized_gross, fees, income, realized_net, cycle_realized_gross,
            cycle_fees, cycle_income, lots,
        }
        Ledger { portfolio_id, version, entries, positions, cash }
    }
}
records! {
    domain::snapshot::{
        Allocation {
            instrument_id, symbol, sector, kind, quantity, average_price, price, price_time, stale, value, percentage, target_weight,
            drift, unrealized, realized,
        }
        CashBalance { currency, trade_date, settled }
        Exposure { net, gross, long, short }
        SectorExposure { sector, value, weight }
        Concentration { hhi, effective_number }
        SnapshotMetrics { realized_gross, fees, income, realized_net, unrealized, fx_cash, net_flows, total_pnl, day_pnl, transferred }
        Health { complete, stale, unpriced, quarantined, unreconciled, waiting, position_breaks, cash_breaks, anomalies }
        Anomaly { kind, instrument_id, value, bound }
        PositionBreak { instrument_id, ours, outside }
        CashBreak { currency, ours, outside }
        InputOffset { topic, partition, offset }
        Snapshot {
            portfolio_id, version, as_of, base_currency, total_value, cash_value, available_cash, cash, receivables, allocations,
            exposure, sector_exposure, concentration, metrics, health, policy_version, input_offsets, strategies,
        }
        StrategyPosition {
            instrument_id, strategy, residual, quantity, average_price, cost, value, realized_gross, fees, income, realized_net,
            unrealized,
        }
    }
}
records! {
    domain::drift::{
        DriftLine {
            instrument_id, weight, target, drift, lower, upper, breached, price, price_time, price_flag, close_price, average_price,
            accrued, quantity, value, currency, fx_rate, multiplier, lot_size, tick_size, kind, sector, venue, average_daily_volume,
            market_status, bid, ask,
        }
        RecentOrder {
            order_id, executed_quantity, instrument_id, side, contradicted,
            notional, fees, first_fill_at, last_fill_at,
        }
        Drift {
            portfolio_id, episode, shadow, event, cause, cause_id, as_of, lines, max_abs_drift, half_sum_abs_drift, equity, cash,
            fx_rates, receivables, available_cash, settled_cash, health, policy, snapshot_version, recent_orders, input_offsets,
            cause_instrument_id, risk,
        }
        CurrencyRate { currency, fx_rate }
    }
}
records! {
    domain::portfolio_close::{
        ClosedPosition { instrument_id, quantity, price, fx_rate, value, kind, currency, multiplier, accrued, cost, sector, price_time, stale }
        ClosedCurrency { currency, fx_rate, cash_value, receivables_value, stale }
        PortfolioClose {
            portfolio_id, date, version, equity, net_external_flow, positions, cash, complete, incomplete_reason, provisional, restates,
            base_currency, cut_at, as_of, receivables, currencies, net_flows, policy_version, input_offsets, strategies,
        }
        ClosedStrategy { instrument_id, strategy, residual, quantity, cost, value }
    }
}
records! {
    domain::order::{
        NamedNumber { name, value }
        Order {
            order_id, rebalance_id, portfolio_id, instrument_id, side, quantity, order_type, limit_price, time_in_force, currency,
            reference_price, reference_time, expected_value, reason, numbers, policy_version, snapshot_version, valid_until, block_key,
            expected_fees, expected_spread, expected_impact, venue, urgency,
        }
        OrderWave {
            wave_id, rebalance_id, portfolio_id, wave_number, kind, orders, funding_note, policy_version, drift_episode, valid_until,
        }
    }
}
records! {
    domain::rebalance_event::{
        WeightLine { instrument_id, quantity, weight }
        ExplanationLine { instrument_id, weight, target, drift, decision, reason, numbers }
        RebalanceEvent {
            rebalance_id, portfolio_id, trigger, status, code, text, shadow, proposal_hash, as_of, old_allocations, new_allocations,
            orders, explanation, expected_fees, turnover, drift_before, drift_after, policy_version, drift_episode, actor, command_id,
            expected_spread, expected_impact,
            execution, risk,
        }
    }
}
records! {
    domain::target_risk::{
        TargetRisk {
            target, realised, realised_observations, holdings, holdings_observations, coverage, gross_exposure, date, close_version,
            window, scale, notice, scale_date, scale_version,
        }
        PlannedRisk { target, realised, date, scale, gross_before, gross_after, code, text }
    }
}
records! {
    domain::execution::{
        OrderExecution {
            order_id, instrument_id, side, wave_number, ordered, filled, fill_rate, average_price, reference_price, arrival_price,
            traded_value, slippage, slippage_bp, arrival_slippage, arrival_slippage_bp, fees, released_at, first_fill_us, last_fill_us,
        }
        Execution {
            orders, filled_orders, ordered_value, filled_value, fill_rate, traded_value, slippage, slippage_bp, arrival_slippage,
            arrival_slippage_bp, fees, cost, cost_bp, first_fill_us, last_fill_us, reason, lines,
        }
    }
}
records! {
    domain::performance::{
        Metric { id, value, unit, currency, window, observations, method, confidence, horizon_days, reason }
        AttributionBucket { name, realized_gross, fees, income, unrealized, total, allocation, selection, interaction }
        Attribution { grouping, buckets, residual, total }
        Drawdown { depth, peak, trough, recovery, days }
        Performance {
            portfolio_id, as_of, timeframe, base_currency, provisional, metrics, attribution, date, from_date, close_version,
            policy_version, drawdowns,
        }
    }
}
records! {
    domain::risk::{
        RiskComponent { instrument_id, value, weight, volatility, beta, value_at_risk, observations, expected_shortfall, ewma_volatility }
        Correlation { instrument_id, other_id, value, observations, ewma_covariance }
        Risk {
            portfolio_id, as_of, timeframe, base_currency, provisional, metrics, date, close_version, policy_version, components,
            correlations, sector_exposure,
        }
    }
}
