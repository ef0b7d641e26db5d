//! What each number of the configuration may be: nonsense is refused before anything starts, by name, value,
//! range and place. Texts, and what contradicts what, are checked where they are used.

use super::ConfigError;
use super::sources::place;
use engine::settings::{MAX_LEDGER_BYTES, MAX_LINES, MAX_LOTS};
use figment::Figment;
use figment::value::Value;
use kafka_log::{FETCH_AHEAD_KIB, LIVE_FETCH_WAIT_MS, TRANSACTION_TIMEOUT_MS};

const DAY_MS: i128 = 86_400_000;
const CENTURY_DAYS: i128 = 36_500;

/// Ranges of whole numbers, both ends included.
const RANGES: [(&str, i128, i128); 56] = [
    ("lanes", 1, 1024),
    ("kafka.live_fetch_wait_ms", *LIVE_FETCH_WAIT_MS.start() as i128, *LIVE_FETCH_WAIT_MS.end() as i128),
    ("kafka.fetch_ahead_kib", *FETCH_AHEAD_KIB.start() as i128, *FETCH_AHEAD_KIB.end() as i128),
    ("kafka.transaction_timeout_ms", *TRANSACTION_TIMEOUT_MS.start() as i128, *TRANSACTION_TIMEOUT_MS.end() as i128),
    ("postgres.port", 1, 65_535),
    ("postgres.pool_size", 1, 1_000),
    ("postgres.acquire_timeout_ms", 1, 3_600_000),
    ("postgres.statement_timeout_ms", 0, DAY_MS),
    ("postgres.lock_timeout_ms", 0, DAY_MS),
    ("postgres.keep_snapshots_days", 0, CENTURY_DAYS),
    ("postgres.keep_minutes_days", 0, CENTURY_DAYS),
    ("postgres.keep_hours_days", 0, CENTURY_DAYS),
    ("postgres.keep_closes_days", 0, CENTURY_DAYS),
    ("postgres.keep_rebalances_days", 0, CENTURY_DAYS),
    ("postgres.keep_ledger_days", 0, CENTURY_DAYS),
    ("postgres.keep_figures_days", 0, CENTURY_DAYS),
    ("postgres.keep_orders_days", 0, CENTURY_DAYS),
    ("postgres.keep_answers_days", 0, CENTURY_DAYS),
    ("postgres.keep_dead_letters_days", 0, CENTURY_DAYS),
    ("telemetry.otlp_timeout_ms", 1, 600_000),
    ("telemetry.otlp_interval_ms", 100, DAY_MS),
    ("telemetry.waiting_warn_seconds", 1, 30 * 86_400),
    ("pacing.window_ms", 1, 10_000),
    ("pacing.window_records", 1, 1_000_000),
    ("pacing.commit_ms", 0, 60_000),
    ("pacing.busy_commit_ms", 0, 60_000),
    ("pacing.idle_commit_ms", 0, 3_600_000),
    ("pacing.step_windows", 1, 1_000_000),
    ("pacing.checkpoint_ms", 1, DAY_MS),
    ("pacing.behind_ms", 1, DAY_MS),
    ("pacing.max_replay_steps", 1, 100_000_000),
    ("pacing.sign_of_life_ms", 1, 30 * DAY_MS),
    ("core.snapshot_interval_ms", 0, DAY_MS),
    ("core.dedup_trade_dates", 1, 500),
    ("core.waiting_limit", 1, 10_000_000),
    ("core.waiting_portfolio_limit", 1, 10_000_000),
    ("core.future_tick_seconds", 0, 86_400),
    ("core.cancel_seconds", 1, 86_400),
    ("core.max_lines", 1, MAX_LINES as i128),
    ("core.max_lots", 1, MAX_LOTS as i128),
    ("core.ledger_bytes", 1, MAX_LEDGER_BYTES as i128),
    ("core.risk_window_days", 2, 10_000),
    ("core.risk_min_observations", 2, 10_000),
    ("core.paper_delay_ms", 0, DAY_MS),
    ("core.paper_seed", 0, u64::MAX as i128),
    ("core.paper_reject_bp", 0, 10_000),
    ("core.paper_partial_bp", 0, 10_000),
    ("core.paper_fee_bp", 0, 10_000),
    ("topics.replication", 1, 32_767),
    ("topics.market_partitions", 1, 10_000),
    ("topics.ticks_days", 1, CENTURY_DAYS),
    ("topics.frames_days", 1, CENTURY_DAYS),
    ("topics.internal_days", 1, CENTURY_DAYS),
    ("topics.orders_days", 1, CENTURY_DAYS),
    ("topics.books_days", 1, CENTURY_DAYS),
    // Its lower end is the largest record of the topics.
    ("kafka.max_message_bytes", 0, 1_000_000_000),
];

/// Keys that may be -1 besides: the cluster's own number, or for ever.
const OR_MINUS_ONE: [&str; 2] = ["topics.replication", "topics.books_days"];

/// The one fraction.
const FRACTION: &str = "telemetry.trace_ratio";

/// Refuses the first number that is set out of its range.
pub(super) fn check(set: &Figment) -> Result<(), ConfigError> {
    for (key, least, most) in RANGES {
        let least = if key == "kafka.max_message_bytes" { largest() } else { least };
        let Some(number) = set.find_value(key).ok().as_ref().and_then(whole) else { continue };
        let exempt = number == -1 && OR_MINUS_ONE.contains(&key);
        if !exempt && !(least..=most).contains(&number) {
            let besides = if OR_MINUS_ONE.contains(&key) { ", or is -1" } else { "" };
            return refuse(set, key, &number.to_string(), &format!("between {least} and {most}{besides}"));
        }
    }
    let ratio = set.find_value(FRACTION).ok();
    match ratio.as_ref().and_then(|value| value.to_f64().or_else(|| whole(value).map(ratio_of))) {
        Some(ratio) if !(0.0..=1.0).contains(&ratio) => refuse(set, FRACTION, &ratio.to_string(), "between 0 and 1, a part of one"),
        _ => Ok(()),
    }
}

fn refuse(set: &Figment, key: &str, value: &str, range: &str) -> Result<(), ConfigError> {
    let place = place(set, key).map(|place| format!(", set {place}")).unwrap_or_default();
    Err(ConfigError::Wrong(format!("{key} is {value}{place}: it lies {range}")))
}

fn whole(value: &Value) -> Option<i128> {
    value.to_u128().and_then(|number| i128::try_from(number).ok()).or_else(|| value.to_i128())
}

/// A whole number as a fraction: only its sign and whether it is above one matter.
fn ratio_of(number: i128) -> f64 {
    f64::from(i32::try_from(number).unwrap_or(i32::MAX))
}

fn largest() -> i128 {
    i128::try_from(crate::topic_layout::largest_bytes()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::tests::load;
    use super::super::variables::{EXAMPLE, example_keys};
    use super::*;
    use figment::providers::{Format, Toml};

    fn refused(pair: &str) -> String {
        load(None, &[pair.to_owned()]).expect_err(pair).to_string()
    }

    #[test]
    fn nonsense_is_refused_by_name_value_range_and_place() {
        assert_eq!(
            refused("core.dedup_trade_dates=0"),
            "the configuration is wrong: core.dedup_trade_dates is 0, set by --set core.dedup_trade_dates: it lies between 1 and 500"
        );
        assert!(refused("core.waiting_limit=0").contains("between 1 and"));
        assert!(refused("core.waiting_limit=-1").contains("core.waiting_limit is -1"));
        for ratio in ["7", "1.5", "-0.1", "-1"] {
            assert!(refused(&format!("telemetry.trace_ratio={ratio}")).contains("between 0 and 1, a part of one"), "{ratio}");
        }
        assert!(refused("topics.replication=0").contains("or is -1"));
        assert!(load(None, &["topics.books_days=-1".into(), "telemetry.trace_ratio=1".into()]).is_ok());
        for (key, least, most) in RANGES {
            let below = least.min(largest()) - if OR_MINUS_ONE.contains(&key) { 1 } else { 2 };
            assert!(refused(&format!("{key}={below}")).contains(key), "{key}");
            assert!(refused(&format!("{key}={}", most + 1)).contains(key), "{key}");
        }
    }

    #[test]
    fn every_setting_of_the_core_stands_in_the_example() {
        let shown = example_keys();
        let told = |name: &str| shown.contains(&("CORE".to_owned(), name.to_ascii_uppercase()));
        let missing: Vec<_> = engine::Settings::default().changes_since(None).into_iter().filter(|setting| !told(&setting.name)).collect();
        assert_eq!(missing, []);
    }

    #[test]
    fn every_number_of_the_configuration_has_a_range() {
        let shown = EXAMPLE.replace("# port =", "port =");
        let set = Figment::from(Toml::string(&shown));
        let keys = example_keys().into_iter().map(|(section, key)| {
            let section = section.to_ascii_lowercase().replace("kafka_", "kafka.");
            if section.is_empty() { key.to_ascii_lowercase() } else { format!("{section}.{}", key.to_ascii_lowercase()) }
        });
        let numbers = keys.filter(|key| set.find_value(key).is_ok_and(|value| whole(&value).is_some() || value.to_f64().is_some()));
        let unbounded: Vec<_> = numbers.filter(|key| *key != FRACTION && RANGES.iter().all(|(known, ..)| known != key)).collect();
        assert_eq!(unbounded, Vec::<String>::new());
    }
}
