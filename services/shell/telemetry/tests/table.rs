//! `deploy/monitoring/METRICS.md` is the table of [`telemetry::names`]; `BLESS=1` writes it anew.

// A test may fail where it stands.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::Path;

use telemetry::names::{ALL, Definition, Kind};

const HEAD: &str = "# Metrics

What each process shows at `/metrics` and, where `telemetry.otlp_endpoint` is set, sends over OTLP. Written by `BLESS=1 cargo test --package telemetry --test table`, and held by the same test.

A metric is shown by the processes that have what it counts, from the first time on. A lane's series are shown by the process that has the lane and go with it: sum or take the largest over `instance`. A histogram has `_bucket`, `_sum` and `_count`. Labels are closed lists; none is a portfolio, an order or an instrument, but for the portfolios that `telemetry.portfolios` lists (at most 50).

| metric | type | unit | labels | meaning |
|---|---|---|---|---|
";

fn row(definition: &Definition) -> String {
    let (kind, ending) = match definition.kind {
        Kind::Counter => ("counter", "_total"),
        Kind::Gauge => ("gauge", ""),
        Kind::Histogram(_) => ("histogram", ""),
    };
    let labels: Vec<String> = definition.labels.iter().map(|label| format!("`{label}`")).collect();
    format!("| `{}{ending}` | {kind} | {} | {} | {} |", definition.name, definition.unit, labels.join(" "), definition.help)
}

#[test]
fn the_table_is_what_is_defined() {
    let mut text = HEAD.to_owned();
    ALL.iter().for_each(|definition| writeln!(text, "{}", row(definition)).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/monitoring/METRICS.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(text.lines()).find(|(kept, defined)| kept != defined);
    assert!(kept == text, "METRICS.md is not what names.rs defines (BLESS=1 writes it anew): {differs:?}");
}

#[test]
fn names_follow_the_convention() {
    for definition in ALL {
        let name = definition.name;
        let plain = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        assert!(plain && (name.starts_with("ballast_") || name.starts_with("process_")), "{name}");
        assert!(!name.ends_with("_total"), "{name}: the exposition adds it to counters");
        assert!(definition.unit != "s" || name.ends_with("_seconds"), "{name} is in seconds");
        assert!(definition.unit != "By" || name.ends_with("_bytes"), "{name} is in bytes");
        let labels = definition.labels;
        assert!(!labels.iter().any(|label| ["order", "order_id", "instrument", "instrument_id"].contains(label)), "{name}: {labels:?}");
        assert!(!labels.contains(&"portfolio") || name.starts_with("ballast_listed_portfolio_"), "{name}: one series a portfolio");
        assert!(definition.help.len() > 10 && !definition.help.contains('|'), "{name}: {}", definition.help);
    }
}
