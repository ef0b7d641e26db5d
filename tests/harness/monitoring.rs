//! What `deploy/monitoring` holds: alerts, and the panels of dashboards with what they ask. It judges nothing.

use serde_json::Value;
use std::path::{Path, PathBuf};

/// An alert rule.
#[derive(Debug, Clone)]
pub struct Alert {
    /// Its name.
    pub name: String,
    /// Its PromQL.
    pub expression: String,
    /// How bad it is.
    pub severity: String,
    /// What it says.
    pub summary: String,
    /// Its page, from the root.
    pub runbook: String,
}

/// What a panel asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Prometheus.
    PromQl(String),
    /// Postgres.
    Sql(String),
}

/// A panel of a dashboard.
#[derive(Debug, Clone)]
pub struct Panel {
    /// File and title.
    pub place: String,
    /// As Grafana reads it.
    pub json: Value,
    /// What it asks.
    pub questions: Vec<Question>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/monitoring")
}

/// Every alert.
///
/// # Panics
/// When the file is missing or is no list of rules.
#[must_use]
pub fn alerts() -> Vec<Alert> {
    let text = std::fs::read_to_string(folder().join("alerts.yaml")).expect("the rules are there");
    let rules: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).expect("the rules are YAML");
    let groups = rules["groups"].as_sequence().expect("the rules stand in groups");
    let of = |value: &serde_yaml_ng::Value| value.as_str().unwrap_or_default().to_owned();
    let rules = groups.iter().flat_map(|group| group["rules"].as_sequence().into_iter().flatten());
    rules
        .map(|rule| Alert {
            name: of(&rule["alert"]),
            expression: of(&rule["expr"]),
            severity: of(&rule["labels"]["severity"]),
            summary: of(&rule["annotations"]["summary"]),
            runbook: of(&rule["annotations"]["runbook"]),
        })
        .collect()
}

/// Every dashboard, by the name of its file.
///
/// # Panics
/// When one is no JSON.
#[must_use]
pub fn dashboards() -> Vec<(String, Value)> {
    let listed = std::fs::read_dir(folder().join("dashboards")).expect("the dashboards are there");
    let mut paths: Vec<_> =
        listed.filter_map(|entry| Some(entry.ok()?.path())).filter(|p| p.extension() == Some("json".as_ref())).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a dashboard can be read");
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, json)
    };
    paths.into_iter().map(read).collect()
}

/// The panels of all dashboards that ask something; rows are none.
#[must_use]
pub fn panels() -> Vec<Panel> {
    let of = |(file, dashboard): (String, Value)| {
        let panels = dashboard["panels"].as_array().cloned().unwrap_or_default();
        panels.into_iter().filter(|panel| panel["type"] != "row").map(move |json| {
            let questions = json["targets"].as_array().into_iter().flatten().map(question).collect();
            Panel { place: format!("{file}: {}", json["title"].as_str().unwrap_or("a panel without a title")), questions, json }
        })
    };
    dashboards().into_iter().flat_map(of).collect()
}

fn question(target: &Value) -> Question {
    match target["rawSql"].as_str() {
        Some(sql) => Question::Sql(sql.to_owned()),
        None => Question::PromQl(target["expr"].as_str().unwrap_or_default().to_owned()),
    }
}
