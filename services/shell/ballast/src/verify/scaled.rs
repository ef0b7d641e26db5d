//! I11: what targets are scaled by follows from the event's own figures of risk, these stand in a record of risk, and each
//! target is the policy's times that scale.

use super::exact::{Exact, Published, magnitude, ratio, show, whole, zero};
use super::history::History;
use super::report::Check;
use super::seen::Seen;
use domain::drift::{Drift, DriftLine};
use domain::enums::MetricUnit;
use domain::policy::Target;
use domain::risk::Risk;
use domain::target_risk::TargetRisk;
use domain::{Fraction, Topic};
use std::cmp::Ordering;

/// The rows of I11 about risk.
pub(super) fn check(history: &History) -> Vec<Check> {
    let mut figures = Check::new("I11", "figures of risk in a drift event are those of a record of risk");
    let mut scales =
        Check::new("I11", "targets of a drift event are its policy's × min(1, target × gross × coverage ÷ (volatility × Σ |target|))");
    for seen in history.drifts.iter().filter(|seen| !seen.repeat) {
        let Some(risk) = seen.record.risk.as_deref() else { continue };
        recorded(history, seen, risk, &mut figures);
        scaled(seen, risk, &mut scales);
    }
    vec![figures, scales]
}

/// One record of the portfolio, day and version has them; where some were compacted away or deleted it may be one of those.
fn recorded(history: &History, seen: &Seen<Drift>, risk: &TargetRisk, check: &mut Check) {
    let Some(date) = risk.date else { return };
    let same = |record: &&Seen<Risk>| {
        let record = &record.record;
        (&record.portfolio_id, record.date, record.close_version) == (&seen.record.portfolio_id, Some(date), risk.close_version)
    };
    let mut records = history.risks.iter().filter(same).peekable();
    let gone = records.peek().is_none() && history.has_gaps(Topic::Risk, seen.place.partition);
    let agrees = |record: &Risk| {
        let told = |id: &str, value: Option<Fraction>| value.is_none() || figure(record, id) == value;
        told("realised_risk", risk.realised) && told("holdings_volatility", risk.holdings) && told("gross_exposure", risk.gross_exposure)
    };
    check.that(gone || records.any(|record| agrees(&record.record)), || {
        let version = risk.close_version.unwrap_or_default();
        format!("{}: no record of risk of {} for {date}, version {version}, says what it says", seen.place, seen.record.portfolio_id)
    });
}

fn figure(record: &Risk, id: &str) -> Option<Fraction> {
    record.metrics.iter().find(|metric| metric.id == id && metric.unit == MetricUnit::Fraction).and_then(|metric| metric.value)
}

fn scaled(seen: &Seen<Drift>, risk: &TargetRisk, check: &mut Check) {
    let drift = &seen.record;
    let (Some(scale), Some(targets)) = (risk.scale, targets(drift)) else { return };
    let known = risk.gross_exposure.map_or_else(zero, Published::exact) * risk.coverage.map_or_else(zero, Published::exact);
    let bearable = risk.target.exact() * known;
    let would_be = risk.holdings.map_or_else(zero, Published::exact) * gross(targets, &drift.lines);
    let wanted = match bearable.cmp(&would_be) {
        Ordering::Less => cut(&(bearable / would_be)).max(ratio(1, Fraction::SCALE)),
        _ => whole(1),
    };
    check.that(scale.exact() == wanted, || format!("{}: scale {scale}, its figures give {}", seen.place, show(&wanted)));
    for line in &drift.lines {
        let own = targets.iter().find(|target| target.instrument_id.as_ref() == Some(&line.instrument_id));
        // What shares a group's target follows from values too.
        let Some(own) = own else { continue };
        let wanted = cut(&(own.target_weight.exact() * scale.exact()));
        check.that(line.target.exact() == wanted, || {
            format!("{}: target {} of {}, the policy's × {scale} is {}", seen.place, line.target, line.instrument_id, show(&wanted))
        });
    }
}

fn targets(drift: &Drift) -> Option<&[Target]> {
    let policy = drift.policy.as_deref()?;
    if drift.shadow { policy.shadow.as_deref().map(|shadow| shadow.targets.as_slice()) } else { Some(&policy.targets) }
}

/// Σ |target|; that of a group counts where none of its members has one of its own.
fn gross(targets: &[Target], lines: &[DriftLine]) -> Exact {
    let has_own = |line: &&DriftLine| targets.iter().any(|target| target.instrument_id.as_ref() == Some(&line.instrument_id));
    let bounds =
        |group: &str| lines.iter().filter(has_own).any(|line| line.sector.as_deref() == Some(group) || line.kind.symbol() == group);
    let counting = targets.iter().filter(|target| target.group.as_deref().is_none_or(|group| !bounds(group)));
    counting.map(|target| magnitude(&target.target_weight.exact())).sum()
}

/// Cut toward zero at the last decimal of a fraction.
fn cut(value: &Exact) -> Exact {
    let step = ratio(1, Fraction::SCALE);
    (value / &step).trunc() * step
}
