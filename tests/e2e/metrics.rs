//! What running processes show at `/metrics` is the table of `deploy/monitoring/METRICS.md`: nothing beside it, and all
//! of it but what only trouble brings.

use crate::e2e::crew::{LANES, hire_with};
use crate::e2e::health::get;
use std::collections::BTreeSet;
use std::time::Duration;
use system_tests::feed::Feed;
use system_tests::load::Load;
use system_tests::stack::Stack;
use system_tests::waiting::until;

const LONG: Duration = Duration::from_secs(120);
/// What a sound service does not show: it comes with a halt, with a cancel, or with the first close and what follows it.
const RARE: [&str; 5] = [
    "ballast_lane_halts_total",
    "ballast_order_cancels_requested_total",
    "ballast_portfolio_value_at_risk_ratio",
    "ballast_portfolio_day_return_ratio",
    "ballast_portfolio_drawdown_ratio",
];

fn table() -> BTreeSet<String> {
    let text = include_str!("../../deploy/monitoring/METRICS.md");
    let names = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name.to_owned());
    names.collect()
}

/// Names of the series of a page, those of a histogram as the histogram's.
fn shown(page: &str, table: &BTreeSet<String>) -> BTreeSet<String> {
    let series = page.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(['{', ' ']).next());
    let whole = |name: &str| {
        let of = |ending: &str| name.strip_suffix(ending).filter(|histogram| table.contains(*histogram)).map(str::to_owned);
        of("_bucket").or_else(|| of("_sum")).or_else(|| of("_count")).unwrap_or_else(|| name.to_owned())
    };
    series.filter(|name| !name.is_empty()).map(whole).collect()
}

#[test]
fn metrics_are_those_of_the_table() {
    let stack = Stack::ready("metrics");
    let (mut load, mut feed) = (Load::new(54, 1, 2), Feed::open(&stack));
    let listed = format!("telemetry.portfolios=[\"{}\"]", load.automatic()[0]);
    let crew = hire_with(&stack, &["pacing.checkpoint_ms=2000", &listed]);
    feed.send_all(&load.opening());
    feed.flush();
    let table = table();
    assert!(table.len() > 50, "{table:?}");
    let pages = || -> String { crew.iter().map(|service| get(service, "/metrics").1).collect() };
    until("all that the table names is shown", LONG, || {
        feed.send_all(&load.ticks());
        // Twice: a repeat is counted as well.
        let push = load.push();
        feed.send(&push);
        feed.send(&push);
        feed.flush();
        std::thread::sleep(Duration::from_secs(1));
        let seen = shown(&pages(), &table);
        let missing: Vec<_> = table.difference(&seen).filter(|name| !RARE.contains(&name.as_str())).collect();
        println!("not shown yet: {missing:?}");
        missing.is_empty().then_some(())
    });
    let page = pages();
    let beside: Vec<_> = shown(&page, &table).difference(&table).cloned().collect();
    assert!(beside.is_empty(), "shown and not in METRICS.md: {beside:?}");
    let live = page.lines().filter(|line| line.starts_with("ballast_lane_state{") && line.contains("state=\"live\"")).count();
    assert_eq!(live, 4 * LANES, "each lane of four roles is live, once");
    let filled = page.lines().find_map(|line| line.strip_prefix("ballast_orders_ended_total{status=\"FILLED\"} ")?.parse().ok());
    assert!(filled.is_some_and(|filled: u64| filled > 0), "{filled:?}");
}
