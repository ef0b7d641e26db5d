//! Targets that are scaled to the risk: scale, targets and the record that the figures are from.

use super::*;
use crate::verify::history::History;
use crate::verify::scaled;
use crate::verify::seen::{Place, Seen};
use domain::drift::Drift;
use domain::risk::Risk;
use domain::target_risk::TargetRisk;
use serde_json::json;

/// Half aimed at, of which a risk twice its target leaves a half.
fn weigh(drift: &mut Drift, scale: &str, target: &str) {
    let line = &mut drift.lines[0];
    line.target = v(target);
    line.drift = line.weight.map(|weight| weight.checked_sub(line.target).unwrap());
    let policy = drift.policy.as_mut().unwrap();
    policy.targets = vec![serde_json::from_value(json!({"instrument_id": "AAPL", "target_weight": "0.5"})).unwrap()];
    drift.risk = Some(Box::new(TargetRisk {
        target: v("0.1"),
        realised: Some(v("0.15")),
        realised_observations: 60,
        holdings: Some(v("0.2")),
        holdings_observations: 60,
        coverage: Some(v("1")),
        gross_exposure: Some(v("0.5")),
        date: None,
        close_version: None,
        window: None,
        scale: Some(v(scale)),
        notice: None,
    }));
}

#[test]
fn i11_scales_and_targets() {
    let mut story = clean();
    weigh(story.drift(1), "0.5", "0.25");
    passes(&story);
    finds("I11", &["scale 0.6, its figures give 0.5"], |story| weigh(story.drift(1), "0.6", "0.3"));
    finds("I11", &["target 0.26 of AAPL, the policy's × 0.5 is 0.25"], |story| weigh(story.drift(1), "0.5", "0.26"));
}

fn seen<T>(topic: Topic, record: T) -> Seen<T> {
    Seen { place: Place { topic, partition: 0, offset: 0, dead: false }, stamp: None, repeat: false, misfiled: false, record }
}

#[test]
fn i11_figures_are_those_of_a_record() {
    let record = |version: i64, realised: &str| -> Risk {
        let metric = |id: &str, value: &str| {
            json!({"id": id, "value": value, "unit": "FRACTION", "currency": null, "window": "60D", "observations": 60, "method": "test",
                "confidence": null, "horizon_days": null, "reason": null})
        };
        let metrics = [metric("realised_risk", realised), metric("holdings_volatility", "0.2"), metric("gross_exposure", "0.5")];
        serde_json::from_value(json!({"portfolio_id": "P1", "as_of": "2026-01-06T00:00:00Z", "timeframe": "500D", "base_currency": "USD",
            "provisional": false, "metrics": metrics, "date": "2026-01-05", "close_version": version}))
        .unwrap()
    };
    let mut drift = clean().drift(1).clone();
    weigh(&mut drift, "0.5", "0.25");
    let risk = drift.risk.as_mut().unwrap();
    (risk.date, risk.close_version) = (Some("2026-01-05".parse().unwrap()), Some(2));
    let failures = |records: Vec<Risk>| {
        let mut history = History::default();
        history.drifts.push(seen(Topic::Drift, drift.clone()));
        history.risks.extend(records.into_iter().map(|record| seen(Topic::Risk, record)));
        scaled::check(&history)[0].violations
    };
    assert_eq!(failures(vec![record(2, "0.15")]), 0);
    assert_eq!(failures(vec![record(2, "0.15"), record(2, "0.16")]), 0, "worked up again since");
    assert_eq!(failures(vec![record(2, "0.16")]), 1);
    assert_eq!(failures(vec![]), 0, "compacted away");
}
