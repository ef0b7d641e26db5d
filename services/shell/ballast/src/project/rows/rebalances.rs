//! Rebalances: one row each, from its events. Only events with a plan carry weights, orders and an
//! explanation of every instrument; later ones of the same batch keep those of the plan before them.

use super::{Origin, json, micros};
use domain::enums::{Decision, RebalanceStatus};
use domain::rebalance_event::{RebalanceEvent, WeightLine};
use postgres_store::projections::{CommandAnswerRow, FIGURES_OF_THE_WHOLE, ProjectionBatch, RebalanceRow, Rebalanced};
use serde_json::{Map, Value};

/// Adds an event, and when it completes a rebalance, what was rebalanced.
pub(super) fn add(event: &RebalanceEvent, origin: Origin, into: &mut ProjectionBatch) {
    let mut row = row(event, origin);
    if let Some(before) = into.rebalances.iter().rev().find(|before| before.rebalance_id == row.rebalance_id) {
        keep_plan(&mut row, before);
    }
    into.answers.extend(answer(event, &row));
    into.rebalances.push(row);
    if event.status == RebalanceStatus::Completed && !event.shadow {
        // The last event of a cycle explains each of its orders.
        let ordered = event.explanation.iter().filter(|line| matches!(line.decision, Decision::Order | Decision::Cut));
        into.rebalanced.extend(ordered.map(|line| Rebalanced {
            portfolio_id: event.portfolio_id.to_string(),
            instrument_id: line.instrument_id.to_string(),
            at: micros(event.as_of),
        }));
    }
}

/// What the command that an event names was answered with.
fn answer(event: &RebalanceEvent, row: &RebalanceRow) -> Option<CommandAnswerRow> {
    Some(CommandAnswerRow {
        portfolio_id: row.portfolio_id.clone(),
        command_id: event.command_id.as_ref()?.to_string(),
        rebalance_id: row.rebalance_id.clone(),
        status: row.status.clone(),
        code: row.code.clone(),
        reason: event.text.as_ref().map(ToString::to_string),
        at: row.at,
        source_offset: row.source_offset,
    })
}

fn row(event: &RebalanceEvent, origin: Origin) -> RebalanceRow {
    RebalanceRow {
        rebalance_id: event.rebalance_id.to_string(),
        portfolio_id: event.portfolio_id.to_string(),
        at: micros(event.as_of),
        kind: event.trigger.symbol().to_owned(),
        old_allocations: weights(&event.old_allocations),
        new_allocations: weights(&event.new_allocations),
        status: event.status.symbol().to_owned(),
        code: event.code.map(|code| code.symbol().to_owned()),
        metrics: metrics(event),
        explanation: json(&event.explanation),
        orders: json(&event.orders),
        proposal_hash: event.proposal_hash.as_ref().map(ToString::to_string),
        shadow: event.shadow,
        actor: event.actor.as_ref().map(ToString::to_string),
        source_offset: origin.offset,
    }
}

fn weights(lines: &[WeightLine]) -> Value {
    Value::Object(lines.iter().map(|line| (line.instrument_id.to_string(), json(&line.weight))).collect::<Map<_, _>>())
}

/// Figures of the plan, and what else the event says; absent ones are left out, so that they hide none.
fn metrics(event: &RebalanceEvent) -> Option<Value> {
    let planned = !event.old_allocations.is_empty();
    let mut figures = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            figures.insert(name.to_owned(), value);
        }
    };
    put("expected_fees", json(&event.expected_fees));
    put("expected_spread", json(&event.expected_spread));
    put("expected_impact", json(&event.expected_impact));
    put("turnover", json(&event.turnover));
    put("drift_before", json(&event.drift_before));
    put("drift_after", json(&event.drift_after));
    put("execution", json(&event.execution));
    put("risk", json(&event.risk));
    put("text", json(&event.text));
    put("command_id", json(&event.command_id));
    put("policy_version", json(&event.policy_version));
    if !planned && !event.explanation.is_empty() {
        put("outcome", json(&event.explanation));
    }
    (!figures.is_empty()).then_some(Value::Object(figures))
}

fn keep_plan(row: &mut RebalanceRow, before: &RebalanceRow) {
    if is_empty(&row.old_allocations) {
        row.old_allocations.clone_from(&before.old_allocations);
        row.new_allocations.clone_from(&before.new_allocations);
        if !is_empty(&before.explanation) {
            row.explanation.clone_from(&before.explanation);
        }
    }
    if is_empty(&row.orders) {
        row.orders.clone_from(&before.orders);
    }
    row.actor = row.actor.take().or_else(|| before.actor.clone());
    row.proposal_hash = row.proposal_hash.take().or_else(|| before.proposal_hash.clone());
    row.metrics = merged(before.metrics.as_ref(), row.metrics.take().map(|figures| of_a_part(figures, &before.status)));
}

/// What an event adds to a rebalance that has left: a later wave or slice is a plan of a part, the figures of the whole stay.
fn of_a_part(figures: Value, before: &str) -> Value {
    match figures {
        Value::Object(mut figures) if ["RELEASED", "STUCK"].contains(&before) => {
            FIGURES_OF_THE_WHOLE.iter().for_each(|figure| _ = figures.remove(*figure));
            Value::Object(figures)
        }
        figures => figures,
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
}

/// What is told of a rebalance by now; words are of the event that says where it stands, and an end needs none.
fn merged(before: Option<&Value>, after: Option<Value>) -> Option<Value> {
    let Some(mut figures) = before.and_then(Value::as_object).cloned() else { return after };
    figures.remove("text");
    if let Some(Value::Object(newer)) = after {
        figures.extend(newer);
    }
    Some(Value::Object(figures))
}

#[cfg(test)]
mod tests {
    use super::*;
    use postgres_store::Micros;

    fn event(status: &str, plan: bool, explanation: &str) -> RebalanceEvent {
        let weights = |weight: &str| {
            if plan { format!(r#"[{{"instrument_id":"AAPL","quantity":"10","weight":"{weight}"}}]"#) } else { "[]".to_owned() }
        };
        let figure = if plan { r#""0.05""# } else { "null" };
        let json = format!(
            r#"{{"rebalance_id":"6f1c1b0e-0000-5000-8000-000000000002","portfolio_id":"p1","trigger":"THRESHOLD","status":"{status}",
            "code":null,"text":null,"shadow":false,"proposal_hash":null,"as_of":"2026-01-05T14:30:00Z","old_allocations":{},
            "new_allocations":{},"orders":[],"explanation":[{explanation}],"expected_fees":null,"turnover":{figure},
            "drift_before":null,"drift_after":null,"policy_version":3,"drift_episode":1,"actor":null,"command_id":null}}"#,
            weights("0.6"),
            weights("0.5"),
        );
        serde_json::from_str(&json).unwrap()
    }
    fn line(instrument: &str, decision: &str) -> String {
        format!(
            r#"{{"instrument_id":"{instrument}","weight":"0.6","target":"0.5","drift":"0.1","decision":"{decision}","reason":"DRIFT_SELL","numbers":[]}}"#
        )
    }
    fn at(offset: i64) -> Origin {
        Origin { partition: 0, offset, at: Micros(1) }
    }

    #[test]
    fn a_completed_rebalance_keeps_its_plan_and_marks_what_was_ordered() {
        let plan = [line("AAPL", "ORDER"), line("BND", "SKIP")].join(",");
        let mut batch = ProjectionBatch::default();
        add(&event("PENDING_APPROVAL", true, &plan), at(3), &mut batch);
        add(&event("COMPLETED", false, &line("AAPL", "ORDER")), at(9), &mut batch);
        let row = &batch.rebalances[1];
        assert_eq!((row.status.as_str(), row.kind.as_str(), row.source_offset), ("COMPLETED", "THRESHOLD", 9));
        assert_eq!((&row.old_allocations["AAPL"], &row.new_allocations["AAPL"]), (&Value::from("0.6"), &Value::from("0.5")));
        assert_eq!(row.explanation.as_array().unwrap().len(), 2, "the plan's explanation of every instrument stays");
        let metrics = row.metrics.as_ref().unwrap();
        assert_eq!((&metrics["turnover"], metrics["outcome"].as_array().unwrap().len()), (&Value::from("0.05"), 1));
        let marked: Vec<_> = batch.rebalanced.iter().map(|mark| mark.instrument_id.as_str()).collect();
        assert_eq!(marked, ["AAPL"]);
    }

    #[test]
    fn later_waves_and_slices_leave_the_figures_of_the_whole() {
        let mut batch = ProjectionBatch::default();
        add(&event("RELEASED", true, &line("AAPL", "ORDER")), at(3), &mut batch);
        let mut slice = event("RELEASED", true, &line("AAPL", "ORDER"));
        slice.turnover = Some("0.01".parse().unwrap());
        slice.expected_spread = Some("10.5".parse().unwrap());
        add(&slice, at(4), &mut batch);
        let metrics = batch.rebalances[1].metrics.as_ref().unwrap();
        assert_eq!((&metrics["turnover"], metrics.get("expected_spread")), (&Value::from("0.05"), None));
        let mut proposal = event("PENDING_APPROVAL", true, "");
        proposal.turnover = Some("0.02".parse().unwrap());
        let mut batch = ProjectionBatch::default();
        add(&event("PENDING_APPROVAL", true, ""), at(3), &mut batch);
        add(&proposal, at(4), &mut batch);
        assert_eq!(batch.rebalances[1].metrics.as_ref().unwrap()["turnover"], "0.02", "another proposal takes its place");
    }

    #[test]
    fn words_of_an_event_before_are_not_those_of_the_end() {
        let mut batch = ProjectionBatch::default();
        let mut stuck = event("STUCK", false, "");
        stuck.text = Some("nothing is planned until a RECONCILE".into());
        add(&event("RELEASED", true, &line("AAPL", "ORDER")), at(3), &mut batch);
        add(&stuck, at(4), &mut batch);
        add(&event("COMPLETED", false, ""), at(5), &mut batch);
        let text = |row: usize| batch.rebalances[row].metrics.as_ref().unwrap().get("text");
        assert_eq!((text(1).is_some(), text(2)), (true, None));
    }

    #[test]
    fn a_failed_rebalance_marks_nothing() {
        let mut batch = ProjectionBatch::default();
        add(&event("FAILED", false, &line("AAPL", "ORDER")), at(9), &mut batch);
        assert!(batch.rebalanced.is_empty());
        assert_eq!(batch.rebalances[0].explanation.as_array().unwrap().len(), 1);
    }
}
