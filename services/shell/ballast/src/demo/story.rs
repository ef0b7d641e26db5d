//! The end of the story: what the portfolios hold, three orders and why they were made, and what was
//! counted on the way. Texts only.

use super::figures::{money, percent, signed_percent, thousands, time, units};
use super::screen::say;
use crate::journeys::{Observed, PlacedOrder, balanced};
use domain::enums::{Decision, RebalanceStatus, Side};
use domain::rebalance_event::ExplanationLine;
use domain::snapshot::Snapshot;
use std::time::Duration;

/// A kill and the way back.
pub(super) struct Comeback {
    pub(super) who: String,
    pub(super) took: Duration,
    pub(super) how: String,
}

pub(super) fn heading(text: &str) {
    say(&format!("\n{text}\n{}", "=".repeat(text.chars().count())));
}

/// Every portfolio as its last snapshot says.
pub(super) fn portfolios(observed: &Observed) {
    heading("Portfolios at the end");
    observed.snapshots().for_each(portfolio);
}

fn portfolio(snapshot: &Snapshot) {
    say(&format!(
        "{}: {} USD, of it {} in cash; profit {} USD (snapshot {} of {})",
        snapshot.portfolio_id,
        money(snapshot.total_value),
        money(snapshot.cash_value),
        money(snapshot.metrics.total_pnl),
        snapshot.version,
        snapshot.as_of.date_utc()
    ));
    for line in &snapshot.allocations {
        let share = line.percentage.map_or("-".to_owned(), |p| format!("{:.2} %", p.to_decimal().unwrap_or_default().round_dp(2)));
        let target = match (line.target_weight, line.drift) {
            (Some(target), Some(drift)) => format!("  target {:>8}  drift {:>8}", percent(target), signed_percent(drift)),
            _ => String::new(),
        };
        say(&format!("  {:<5} {:>8}  {:>16} USD  {share:>9}{target}", line.symbol, units(line.quantity), money(line.value)));
    }
}

/// Three orders, each with its reason and those of the shares beside it.
pub(super) fn examples(observed: &Observed) {
    heading("Three orders, and why");
    let mut orders: Vec<_> = observed.orders().filter(|placed| observed.plan_of(&placed.order).is_some()).collect();
    orders.sort_by_key(|placed| (placed.order.reference_time, placed.order.instrument_id.clone()));
    let first = orders.first().copied();
    let sell = orders.iter().copied().find(|placed| placed.order.side == Side::Sell);
    let last_buy = orders.iter().copied().rev().find(|placed| placed.order.side == Side::Buy);
    [first, sell, last_buy].into_iter().flatten().for_each(|placed| example(observed, placed));
}

fn example(observed: &Observed, placed: &PlacedOrder) {
    let order = &placed.order;
    say(&format!(
        "{}  {} {} {}: {} USD at {} USD, its price of {}; {} now",
        order.reference_time.date_utc(),
        order.side,
        units(order.quantity),
        order.instrument_id,
        money(order.expected_value),
        order.reference_price,
        order.reference_time,
        placed.state
    ));
    say(&format!("  order {} of policy version {}, valid until {}", order.order_id, order.policy_version, order.valid_until));
    let Some(event) = observed.plan_of(order) else { return };
    for line in &event.explanation {
        let mark = if line.instrument_id == order.instrument_id { ">" } else { " " };
        say(&format!("  {mark} {}", explanation(line)));
        if mark == ">" {
            let numbers: Vec<_> = order.numbers.iter().map(|number| format!("{} {}", number.name, number.value)).collect();
            numbers.chunks(6).for_each(|few| say(&format!("          {}", few.join(", "))));
        }
    }
    say("");
}

fn explanation(line: &ExplanationLine) -> String {
    let weight = line.weight.map_or("without a weight".to_owned(), |weight| format!("at {}", percent(weight)));
    let drift = line.drift.map_or(String::new(), |drift| format!(", {} from it", signed_percent(drift)));
    let done = match line.decision {
        Decision::Order => "ordered",
        Decision::Cut => "ordered in part",
        _ => "left alone",
    };
    format!("{:<5} {weight}, target {}{drift}: {done}, {}", line.instrument_id, percent(line.target), line.reason)
}

/// What was counted, and what was checked on every day.
pub(super) fn counts(observed: &Observed, days: usize, oracle_days: usize, took: Duration) {
    heading("What was checked");
    let (entries, fills) = observed.counts();
    say(&format!("{} days in {}, each published when the one before was digested", thousands(days as u128), time(took)));
    say(&format!(
        "  {} ledger entries; cash, positions and value of the traded book equal the record on each of its {oracle_days} days",
        thousands(u128::from(entries))
    ));
    say(&format!(
        "  {} rebalances completed, {} orders, {fills} fills of them; every order explained, every share inside its band after each",
        observed.events(RebalanceStatus::Completed),
        observed.orders().count()
    ));
    if let Some(lowest) = observed.lowest_cash(balanced::PORTFOLIO) {
        say(&format!("  the least cash that {} ever had: {} USD", balanced::PORTFOLIO, money(lowest)));
    }
}

/// Kills, and how long the way back took.
pub(super) fn comebacks(comebacks: &[Comeback]) {
    heading("Kills and recoveries");
    for comeback in comebacks {
        say(&format!("  {:<28} {:>8}  {}", comeback.who, time(comeback.took), comeback.how));
    }
}
