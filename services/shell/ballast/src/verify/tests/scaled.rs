//! Targets that are scaled to the risk: scale, targets and the record that the figures are from.

use super::*;
use crate::verify::history::History;
use crate::verify::lanes::Lanes;
use crate::verify::scaled;
use crate::verify::seen::{Place, Seen, TRACKER};
use domain::drift::Drift;
use domain::progress::{Done, Progress};
use domain::risk::Risk;
use domain::target_risk::TargetRisk;
use serde_json::json;

/// Half aimed at, of which a risk twice its target leaves a half.
fn weigh(drift: &mut Drift, scale: &str, target: &str) {
    let line = &mut drift.lines[0];
    line.target = v(target);
    line.drift = line.weight.map(|weight| weight.checked_sub(line.target).unwrap());
    let policy = drift.policy.as_mut().unwrap();
    policy.orders.risk.scale_targets = true;
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
        window: Some("500D".into()),
        scale: Some(v(scale)),
        notice: None,
        scale_date: None,
        scale_version: None,
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

#[test]
fn i11_who_scales_says_so() {
    finds("I11", &["scaled, and its policy scales nothing"], |story| {
        weigh(story.drift(1), "0.5", "0.25");
        story.drift(1).policy.as_mut().unwrap().orders.risk.scale_targets = false;
    });
    finds("I11", &["figures count, and nothing is scaled"], |story| {
        weigh(story.drift(1), "0.5", "0.5");
        story.drift(1).risk.as_mut().unwrap().scale = None;
    });
    finds("I11", &["figures count, and the scale is by those of another close"], |story| {
        weigh(story.drift(1), "0.5", "0.25");
        story.drift(1).risk.as_mut().unwrap().scale_version = Some(1);
    });
}

#[test]
fn i11_a_scale_outlasts_its_figures() {
    let (first, mut later) = (of_monday(), of_monday());
    let risk = later.risk.as_mut().unwrap();
    (risk.holdings, risk.scale, risk.scale_date, risk.scale_version) = (None, None, None, None);
    let of = |drifts: &[&Drift]| {
        let mut history = History::default();
        history.drifts.extend((0..).zip(drifts).map(|(offset, drift)| {
            let mut seen = seen(Topic::Drift, (*drift).clone());
            seen.place.offset = offset;
            seen
        }));
        history.risks.push(seen(Topic::Risk, record("2026-01-05", 2, "0.2", "0.2")));
        let rows = scaled::check(&history, &Lanes::of(&history));
        rows[1].first.clone().unwrap_or_default()
    };
    assert_eq!(of(&[&later, &first]), "", "none ever counted before");
    assert!(of(&[&first, &later]).ends_with("nothing is scaled, and an earlier event of P1 was"), "{}", of(&[&first, &later]));
}

fn seen<T>(topic: Topic, record: T) -> Seen<T> {
    Seen { place: Place { topic, partition: 0, offset: 0, dead: false }, stamp: None, repeat: false, misfiled: false, record }
}

fn record(date: &str, version: i64, realised: &str, holdings: &str) -> Risk {
    let metric = |id: &str, value: &str| {
        json!({"id": id, "value": value, "unit": "FRACTION", "currency": null, "window": "60D", "observations": 60, "method": "test",
            "confidence": null, "horizon_days": null, "reason": null})
    };
    let metrics = [
        metric("realised_risk", realised),
        metric("holdings_volatility", holdings),
        metric("gross_exposure", "0.5"),
        metric("history_coverage", "1"),
    ];
    serde_json::from_value(json!({"portfolio_id": "P1", "as_of": "2026-01-06T00:00:00Z", "timeframe": "500D", "base_currency": "USD",
        "provisional": false, "metrics": metrics, "date": date, "close_version": version}))
    .unwrap()
}

/// Violations of both rows by an event and these records, of a tracker that has published so many.
fn violations(drift: &Drift, records: Vec<Risk>, published: i32) -> [u64; 2] {
    let mut history = History::default();
    history.drifts.push(seen(Topic::Drift, drift.clone()));
    history.risks.extend(records.into_iter().map(|record| seen(Topic::Risk, record)));
    let done = Done { step: 1, digest: "".into(), outputs: published, inputs: 0 };
    history.progress.entry((TRACKER, 0)).or_default().push(seen(Topic::PerformanceTrackerProgress, (Progress::Done(done), 0)));
    let rows = scaled::check(&history, &Lanes::of(&history));
    [rows[0].violations, rows[1].violations]
}

/// A scale by the figures of the second version of a Monday's close.
fn of_monday() -> Drift {
    let mut drift = clean().drift(1).clone();
    weigh(&mut drift, "0.5", "0.25");
    let risk = drift.risk.as_mut().unwrap();
    (risk.date, risk.close_version) = (Some("2026-01-05".parse().unwrap()), Some(2));
    (risk.scale_date, risk.scale_version) = (risk.date, risk.close_version);
    drift
}

#[test]
fn i11_figures_are_those_of_a_record() {
    let monday = |version, realised| record("2026-01-05", version, realised, "0.2");
    let figures = |drift: &Drift, records, published| violations(drift, records, published)[0];
    let drift = of_monday();
    assert_eq!(figures(&drift, vec![monday(2, "0.15")], 0), 0);
    assert_eq!(figures(&drift, vec![monday(2, "0.15"), monday(2, "0.16")], 0), 0, "worked up again since");
    assert_eq!(figures(&drift, vec![monday(2, "0.16")], 0), 1);
    assert_eq!(figures(&drift, vec![], 1), 0, "compacted away");
    assert_eq!(figures(&drift, vec![monday(1, "0.15")], 0), 1, "nothing was compacted");
    for other in [
        |risk: &mut TargetRisk| risk.coverage = Some(v("0.9")),
        |risk: &mut TargetRisk| risk.realised_observations = 61,
        |risk: &mut TargetRisk| risk.holdings_observations = 59,
        |risk: &mut TargetRisk| risk.window = Some("60D".into()),
    ] {
        let mut drift = drift.clone();
        other(drift.risk.as_mut().unwrap());
        assert_eq!(figures(&drift, vec![monday(2, "0.15")], 0), 1);
    }
}

#[test]
fn i11_a_scale_that_is_held_follows_from_the_close_that_it_names() {
    let mut drift = of_monday();
    let risk = drift.risk.as_mut().unwrap();
    (risk.date, risk.close_version, risk.holdings) = (Some("2026-01-06".parse().unwrap()), Some(1), None);
    let tuesday = record("2026-01-06", 1, "0.15", "0.9");
    let scales = |records, published| violations(&drift, records, published)[1];
    assert_eq!(scales(vec![record("2026-01-05", 2, "0.15", "0.2"), tuesday.clone()], 0), 0);
    assert_eq!(scales(vec![record("2026-01-05", 2, "0.15", "0.3"), tuesday.clone()], 0), 1, "those give a third");
    assert_eq!(scales(vec![tuesday.clone()], 0), 1, "there is none of that close");
    assert_eq!(scales(vec![tuesday], 2), 0, "it was compacted away");
    drift.risk.as_mut().unwrap().scale_date = None;
    assert_eq!(violations(&drift, vec![], 1)[1], 1, "no close is named");
}
