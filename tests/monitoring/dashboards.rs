//! `deploy/monitoring/dashboards`: what Grafana needs to show them, and that their PromQL reads what the service shows.

use crate::promql;
use serde_json::Value;
use std::collections::BTreeSet;
use system_tests::monitoring::{Question, dashboards, panels};

/// Version of the form of a dashboard that Grafana 12 and 13 write.
const FORM: i64 = 41;

#[test]
fn every_panel_reads_what_the_service_shows() {
    let mut asked = 0;
    for panel in panels() {
        assert!(!panel.questions.is_empty() || panel.json["type"] == "text", "{} asks nothing", panel.place);
        for question in &panel.questions {
            asked += 1;
            if let Question::PromQl(expression) = question {
                assert_eq!(promql::faults(expression), [""; 0], "{}", panel.place);
            }
        }
    }
    assert!(asked > 40, "only {asked} questions were found");
}

#[test]
fn every_dashboard_has_the_form_that_grafana_reads() {
    let mut names = BTreeSet::new();
    for (file, dashboard) in dashboards() {
        assert_eq!(dashboard["schemaVersion"].as_i64(), Some(FORM), "{file}");
        let uid = dashboard["uid"].as_str().unwrap_or_default();
        assert!(uid.starts_with("ballast-") && uid.len() <= 40 && names.insert(uid.to_owned()), "{file}: uid {uid:?}");
        assert!(dashboard["title"].as_str().is_some_and(|title| !title.is_empty()), "{file} has no title");
        assert!(dashboard["id"].is_null(), "{file}: an id is Grafana's own to give");
        layout(&file, &dashboard);
        sources(&file, &dashboard);
    }
    assert_eq!(names.len(), 4, "portfolios, execution, data, resources");
}

/// Panels have ids of their own and do not overlap.
fn layout(file: &str, dashboard: &Value) {
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().unwrap_or_else(|| panic!("{file} has no panels")) {
        let title = &panel["title"];
        assert!(panel["id"].as_i64().is_some_and(|id| ids.insert(id)), "{file}: {title} has no id of its own");
        let at = |key: &str| panel["gridPos"][key].as_i64().unwrap_or_else(|| panic!("{file}: {title} has no gridPos.{key}"));
        let (x, y, w, h) = (at("x"), at("y"), at("w"), at("h"));
        assert!(x >= 0 && w > 0 && h > 0 && x + w <= 24, "{file}: {title} is out of the grid");
        for place in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(place), "{file}: {title} covers another panel at {place:?}");
        }
    }
}

/// Each panel names a source by a variable of the dashboard, of the kind of what it asks.
fn sources(file: &str, dashboard: &Value) {
    let variables: BTreeSet<(&str, &str)> = dashboard["templating"]["list"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|variable| variable["type"] == "datasource")
        .filter_map(|variable| Some((variable["name"].as_str()?, variable["query"].as_str()?)))
        .collect();
    for panel in dashboard["panels"].as_array().into_iter().flatten().filter(|panel| panel["type"] != "row") {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let (kind, uid) = (target["datasource"]["type"].as_str(), target["datasource"]["uid"].as_str());
            let variable = uid.and_then(|uid| uid.strip_prefix("${")?.strip_suffix('}'));
            let known = kind.zip(variable).is_some_and(|(kind, name)| variables.contains(&(name, kind)));
            assert!(known, "{file}: {} asks {kind:?} {uid:?}, which is no variable of the dashboard", panel["title"]);
            let is_sql = target["rawSql"].is_string();
            assert_eq!(kind == Some("grafana-postgresql-datasource"), is_sql, "{file}: {}", panel["title"]);
            assert!(target["refId"].is_string(), "{file}: {}", panel["title"]);
        }
    }
}

#[test]
fn the_dashboards_are_what_their_script_draws() {
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/monitoring/dashboards/draw");
    let done = std::process::Command::new(script).arg("--check").output().expect("the script runs: it needs python3");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
