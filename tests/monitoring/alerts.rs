//! `deploy/monitoring/alerts.yaml` and its cases.

use crate::promql;
use std::path::{Path, PathBuf};
use std::process::Command;
use system_tests::monitoring::{Alert, alerts};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests stand in the workspace").to_owned()
}

/// Runs promtool, which is built at the first time; where that cannot be, the test says why.
fn promtool(arguments: &[&str]) {
    let done = Command::new(root().join("deploy/local/stack")).arg("promtool").args(arguments).current_dir(root()).output();
    let done = done.expect("deploy/local/stack runs: it needs python3");
    let told = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "promtool {arguments:?}:\n{told}");
    assert!(told.contains("SUCCESS"), "promtool {arguments:?} looked at nothing:\n{told}");
}

#[test]
fn each_alert_fires_and_rests_as_its_cases_say() {
    promtool(&["check", "rules", "--lint-fatal", "deploy/monitoring/alerts.yaml"]);
    promtool(&["test", "rules", "deploy/monitoring/alerts.test.yaml"]);
}

#[test]
fn each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_rests() {
    let text = std::fs::read_to_string(root().join("deploy/monitoring/alerts.test.yaml")).expect("the cases are there");
    let cases: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).expect("the cases are YAML");
    let looks: Vec<(String, bool)> = cases["tests"]
        .as_sequence()
        .into_iter()
        .flatten()
        .flat_map(|case| case["alert_rule_test"].as_sequence().into_iter().flatten())
        .map(|look| {
            (look["alertname"].as_str().unwrap_or_default().to_owned(), look["exp_alerts"].as_sequence().is_some_and(|a| !a.is_empty()))
        })
        .collect();
    let lacking = |alert: &Alert| [true, false].iter().any(|fires| !looks.contains(&(alert.name.clone(), *fires)));
    let lacking: Vec<_> = alerts().into_iter().filter(lacking).map(|alert| alert.name).collect();
    assert!(lacking.is_empty(), "alerts.test.yaml has no case in which they fire, or none in which they rest: {lacking:?}");
}

#[test]
fn each_alert_reads_what_the_service_shows_and_says_what_a_person_needs() {
    let known = ["critical", "warning", "info"];
    for alert in alerts() {
        assert_eq!(promql::faults(&alert.expression), [""; 0], "{}", alert.name);
        assert!(known.contains(&alert.severity.as_str()), "{}: severity {:?} is none of {known:?}", alert.name, alert.severity);
        assert!(alert.summary.len() > 10, "{}: no summary", alert.name);
        assert_eq!(alert.runbook, format!("deploy/runbooks/codes/{}.md", alert.name));
        assert!(root().join(&alert.runbook).is_file(), "{}: {} is no file", alert.name, alert.runbook);
    }
}
