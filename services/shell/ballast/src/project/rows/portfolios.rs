//! Portfolios and their targets, from the drift event that answers each policy and each closing: it
//! carries the policy in force, and, where targets are scaled to the risk, from the event that tells another scale: these
//! are the targets that bands lie around. Offsets are that event's, which rise with the policies.

use super::exact::{exact, exact_if_any};
use super::{Closing, Origin, RowError, Rows, json, micros};
use domain::Fraction;
use domain::drift::Drift;
use domain::enums::DriftCause;
use domain::policy::{Policy, Target};
use postgres_store::Micros;
use postgres_store::projections::{PortfolioRow, TargetLine, TargetSet};

/// Adds what a drift event says of its portfolio's rules.
pub(super) fn add(drift: &Drift, origin: Origin, into: &mut Rows) -> Result<(), RowError> {
    if !matches!(drift.cause, Some(DriftCause::Policy | DriftCause::Risk)) || drift.shadow {
        return Ok(());
    }
    let at = micros(drift.as_of);
    let scale = drift.risk.as_ref().and_then(|risk| risk.scale).unwrap_or(Fraction::ONE);
    let scaled = drift.policy.iter().flat_map(|policy| &policy.targets).map(|target| target.scaled(scale));
    let targets = scaled.filter_map(|target| line(&target)).collect::<Result<_, _>>()?;
    into.batch.targets.push(TargetSet { portfolio_id: drift.portfolio_id.to_string(), source_offset: origin.offset, targets });
    match &drift.policy {
        Some(policy) => {
            let unfollowed = drift.risk.as_ref().and_then(|risk| risk.unfollowed(&policy.orders.risk));
            let row = portfolio_row(policy, origin.offset, at);
            into.batch.portfolios.push(PortfolioRow { scaling_notice: unfollowed.map(ToString::to_string), ..row });
        }
        None => {
            into.closings.push(Closing { portfolio: drift.portfolio_id.clone(), partition: origin.partition, offset: origin.offset, at })
        }
    }
    Ok(())
}

fn line(target: &Target) -> Option<Result<TargetLine, RowError>> {
    let name = target.instrument_id.as_ref().map(|id| id.as_str()).or(target.group.as_deref())?;
    Some(target_line(name, target))
}

fn target_line(name: &str, target: &Target) -> Result<TargetLine, RowError> {
    Ok(TargetLine {
        instrument_id: name.to_owned(),
        target_weight: exact(target.target_weight.to_decimal(), "target_weight")?,
        min_weight: exact_if_any(target.min_weight.map(Fraction::to_decimal), "min_weight")?,
        max_weight: exact_if_any(target.max_weight.map(Fraction::to_decimal), "max_weight")?,
    })
}

/// The row of a portfolio that follows a policy.
pub(in super::super) fn portfolio_row(policy: &Policy, source_offset: i64, at: Micros) -> PortfolioRow {
    let text = |text: &domain::SmolStr| text.to_string();
    PortfolioRow {
        portfolio_id: policy.portfolio_id.to_string(),
        session_id: policy.session_id.as_ref().map(text),
        name: policy.name.as_ref().map_or_else(|| policy.portfolio_id.to_string(), text),
        description: policy.description.as_ref().map(text),
        kind: policy.kind.symbol().to_owned(),
        // Every value that a policy may have has a numeric; the whole policy stands beside it.
        target_risk: policy.target_risk.and_then(Fraction::to_decimal),
        rebalance_freq: policy.trigger.rebalance_frequency.symbol().to_owned(),
        base_currency: policy.base_currency.to_string(),
        benchmark: policy.benchmark.as_ref().map(ToString::to_string),
        mode: policy.trigger.mode.symbol().to_owned(),
        policy_version: policy.policy_version,
        policy: json(policy),
        closed: false,
        source_offset,
        at,
        scaling_notice: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"{"portfolio_id":"p1","policy_version":3,"base_currency":"EUR","session_id":"s1",
        "type":"BALANCED","target_risk":"0.12","benchmark":"WORLD","trigger":{"rebalance_frequency":"WEEKLY","mode":"AUTOMATIC"},
        "targets":[{"instrument_id":"AAPL","target_weight":"0.6","max_weight":"0.7"},{"group":"BONDS","target_weight":"-0.000000000001"}]}"#;

    fn drift(cause: &str, policy: &str) -> Drift {
        let json = format!(
            r#"{{"portfolio_id":"p1","episode":0,"shadow":false,"event":"REQUESTED","cause":{cause},"cause_id":"3",
            "as_of":"2026-01-05T14:30:00Z","lines":[],"max_abs_drift":null,"half_sum_abs_drift":null,"equity":"0","cash":[],
            "fx_rates":[],"receivables":[],"available_cash":"0","settled_cash":"0","health":{{"complete":true,"stale":[],
            "unpriced":[],"quarantined":false,"unreconciled":false,"waiting":0}},"policy":{policy},"snapshot_version":0,
            "recent_orders":[],"input_offsets":[]}}"#
        );
        serde_json::from_str(&json).unwrap()
    }
    const ORIGIN: Origin = Origin { partition: 1, offset: 40, at: Micros(1) };

    #[test]
    fn the_answer_to_a_policy_gives_the_portfolio_and_its_targets() {
        let mut rows = Rows::default();
        add(&drift("\"POLICY\"", POLICY), ORIGIN, &mut rows).unwrap();
        let row = &rows.batch.portfolios[0];
        assert_eq!((row.portfolio_id.as_str(), row.name.as_str(), row.kind.as_str()), ("p1", "p1", "BALANCED"));
        assert_eq!((row.rebalance_freq.as_str(), row.mode.as_str(), row.base_currency.as_str()), ("WEEKLY", "AUTOMATIC", "EUR"));
        assert_eq!((row.policy_version, row.source_offset, row.closed, row.at), (3, 40, false, Micros(1_767_623_400_000_000)));
        assert_eq!(row.target_risk.unwrap().to_string(), "0.12");
        assert_eq!(row.policy["targets"][0]["target_weight"], "0.6");
        let targets = &rows.batch.targets[0];
        assert_eq!((targets.source_offset, targets.targets.len()), (40, 2));
        assert_eq!(targets.targets[0].max_weight.unwrap().to_string(), "0.7");
        assert_eq!((targets.targets[1].instrument_id.as_str(), targets.targets[1].min_weight), ("BONDS", None));
        assert_eq!(targets.targets[1].target_weight.to_string(), "-0.000000000001");
    }

    #[test]
    fn scaled_targets_are_those_that_bands_lie_around() {
        let risk = r#"{"target":"0.12","realised":null,"realised_observations":0,"holdings":"0.24","holdings_observations":60,"coverage":"1",
            "gross_exposure":"0.6","date":"2026-01-02","close_version":1,"window":"500D","scale":"0.5","notice":null}"#;
        let mut rows = Rows::default();
        let event = Drift { risk: serde_json::from_str(risk).unwrap(), ..drift("\"RISK\"", POLICY) };
        add(&event, ORIGIN, &mut rows).unwrap();
        let line = &rows.batch.targets[0].targets[0];
        assert_eq!(
            (line.target_weight.normalize().to_string(), line.max_weight.unwrap().normalize().to_string()),
            ("0.3".into(), "0.35".into())
        );
        assert_eq!(rows.batch.portfolios[0].policy["targets"][0]["target_weight"], "0.6");
    }

    #[test]
    fn why_targets_do_not_follow_the_risk_is_told_where_they_are_to() {
        let told = |scales: bool, holdings: Option<&str>| {
            let policy = POLICY.replace("\"targets\"", &format!("\"orders\":{{\"risk\":{{\"scale_targets\":{scales}}}}},\"targets\""));
            let mut event = drift("\"RISK\"", &policy);
            let risk = serde_json::json!({"target": "0.12", "realised": null, "realised_observations": 0, "holdings": holdings,
                "holdings_observations": 60, "coverage": "1", "gross_exposure": "0.6", "date": "2026-01-02", "close_version": 1,
                "window": "500D", "scale": "0.5", "notice": "too old"});
            event.risk = serde_json::from_value(risk).unwrap();
            let mut rows = Rows::default();
            add(&event, ORIGIN, &mut rows).unwrap();
            rows.batch.portfolios[0].scaling_notice.clone()
        };
        assert_eq!(told(true, None).as_deref(), Some("too old"));
        assert_eq!(told(false, None), None);
        assert_eq!(told(true, Some("0.2")), None, "only the realised risk counts as none");
    }

    #[test]
    fn a_closing_clears_targets_and_other_events_change_no_rules() {
        let mut rows = Rows::default();
        add(&drift("\"POLICY\"", "null"), ORIGIN, &mut rows).unwrap();
        assert!(rows.batch.portfolios.is_empty() && rows.batch.targets[0].targets.is_empty());
        assert_eq!((rows.closings[0].portfolio.as_str(), rows.closings[0].offset, rows.closings[0].partition), ("p1", 40, 1));
        let mut rows = Rows::default();
        for cause in ["null", "\"FILL\""] {
            add(&drift(cause, POLICY), ORIGIN, &mut rows).unwrap();
        }
        assert!(rows.batch.portfolios.is_empty() && rows.batch.targets.is_empty());
    }
}
