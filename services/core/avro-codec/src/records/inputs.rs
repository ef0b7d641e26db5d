//! What outside systems send: fills, cash, policies, commands, market data and reference data.
//! Each record's fields stand once, in the order of its schema. What they mean is said in `domain`.

use super::records;
use crate::fault::Fault;
use crate::reader::Reader;
use crate::wire::{Item, Wire};
use crate::writer::Writer;

records! {
    domain::fill::{
        Fee { kind, amount, currency }
        Fill {
            source, exec_id, trade_date, exec_type, exec_ref_id, portfolio_id, instrument_id, venue, side, quantity, price, currency,
            fees, settle_date, fx_rate, order_id, strategy, cum_qty, gross_amount, accrued_interest, transact_time, received_at,
        }
    }
}
records! {
    domain::cash::{
        CashEntry {
            source, entry_id, reverses, portfolio_id, kind, currency, amount, instrument_id, quantity, total_cost, action_id, strategy,
            effective_at,
        }
    }
}
records! {
    domain::policy::{
        Target { instrument_id, group, target_weight, min_weight, max_weight }
        Band { kind, absolute, relative, inclusive, clear_ratio }
        Approval { approvers, expiry_seconds, price_tolerance_bp }
        Trigger {
            minimum_deviation, cash_band, scope, goal, rebalance_frequency, schedule_time, mode, cooldown_seconds, rearm_seconds,
            approval,
        }
        FeeModel { rate, fixed }
        CostModel { half_spread_bp, impact_bp, benefit_bp, benefit_days }
        Orders {
            rounding, min_notional, exit_exempt, cash_reserve, reserve_scales_targets, cash_limited, shortage, funding, cash_basis,
            turnover_cap, volume_cap, allow_short, no_sells, max_gross, require_market_status, do_not_buy, do_not_sell, fees, order_type,
            limit_offset_bp, time_in_force, valid_seconds, costs, urgency,
            slicing, risk,
        }
        RiskControl { scale_targets, max_age_days, min_observations, min_coverage }
        Slicing { above_volume, waves, participation, interval_seconds }
        Book {
            cost_method, dividends, max_price_age_seconds, reconcile_tolerance, max_daily_return, max_weight_jump, max_close_age_days,
        }
        Limits {
            max_order_notional, max_order_quantity, max_daily_notional, max_position_weight, max_sector_weight, max_orders_per_minute,
            price_collar_bp,
        }
        Shadow { targets, band, trigger, orders, book, limits }
        Preset {
            band_absolute, band_relative, minimum_deviation, cash_reserve, turnover_cap, max_position_weight, max_sector_weight,
        }
        Policy {
            portfolio_id, policy_version, base_currency, name, description, session_id, kind, target_risk, benchmark, risk_free_rate,
            risk_free_instrument, calendar, time_zone, day_cut, targets, band, trigger, orders, book, limits, shadow,
            preset,
        }
    }
}
records! {
    domain::command::{
        Header { name, value }
        DeadLetterReference { topic, partition, offset, key, headers, bytes }
        CommandOrder { order_id, instrument_id, quantity }
        OutsidePosition { instrument_id, quantity, average_price }
        OutsideCash { currency, amount }
        Command {
            command_id, portfolio_id, kind, mode, rebalance_id, proposal_hash, scope, target, dead_letter, orders, positions, cash, actor,
            reason, issued_at,
        }
    }
}
records! {
    domain::order_status::{
        OrderStatus { order_id, rebalance_id, portfolio_id, status, cum_qty, leaves_qty, reason_code, reason, event_time }
    }
}
records! {
    domain::tick::{
        Tick { instrument_id, bid, ask, last, mark, accrued, volume, venue, event_time, sequence }
    }
}
records! {
    domain::instrument::{
        Instrument {
            instrument_id, symbol, name, sector, kind, currency, base_asset, multiplier, lot_size, tick_size, venue, calendar,
            average_daily_volume, price_source, max_price_age_seconds, max_jump_bp, valid_from,
        }
    }
}
records! {
    domain::corporate_action::{
        CorporateAction {
            action_id, instrument_id, status, kind, new_symbol, ratio_new, ratio_old, cash_in_lieu_price, amount_per_share, currency,
            ex_date, pay_date,
        }
    }
}
records! {
    domain::market_status::{
        MarketStatus { venue, instrument_id, status, effective_at }
    }
}
records! {
    domain::close::{
        Close { instrument_id, date, close, currency, source }
    }
}
