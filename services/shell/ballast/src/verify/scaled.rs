//! I11: what targets are scaled by follows from the event's own figures of risk, these stand in a record of risk, and each
//! target is the policy's times that scale.

use super::exact::{self, Exact, Published, magnitude, ratio, show, whole};
use super::history::History;
use super::lanes::Lanes;
use super::report::Check;
use super::seen::{ROLES, Seen, Stamp, TRACKER};
use domain::drift::{Drift, DriftLine};
use domain::enums::MetricUnit;
use domain::performance::Metric;
use domain::policy::Target;
use domain::progress::Done;
use domain::risk::Risk;
use domain::target_risk::TargetRisk;
use domain::{Date, Fraction, PortfolioId};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// The rows of I11 about risk.
pub(super) fn check(history: &History, lanes: &Lanes) -> Vec<Check> {
    let mut figures = Check::new("I11", "figures of risk in a drift event are those of a record of risk");
    let mut scales =
        Check::new("I11", "targets of a drift event are its policy's × min(1, target × gross × coverage ÷ (volatility × Σ |target|))");
    let (records, mut before) = (Records::of(history, lanes), BTreeSet::new());
    for seen in history.drifts.iter().filter(|seen| !seen.repeat) {
        let Some(risk) = seen.record.risk.as_deref() else { continue };
        recorded(&records, seen, risk, &mut figures);
        scaled(&records, seen, risk, &mut scales);
        lapsed(&mut before, lanes, seen, risk, &mut scales);
    }
    vec![figures, scales]
}

/// Records of risk by portfolio, day and version of the close.
struct Records<'a> {
    of_closes: BTreeMap<(PortfolioId, Date, Option<i64>), Vec<&'a Risk>>,
    /// Lanes of the tracker of which everything that was published is there.
    whole: BTreeSet<i32>,
}

impl<'a> Records<'a> {
    fn of(history: &'a History, lanes: &Lanes) -> Self {
        let mut of_closes: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for record in history.risks.iter().map(|seen| &seen.record) {
            if let Some(date) = record.date {
                of_closes.entry((record.portfolio_id.clone(), date, record.close_version)).or_default().push(record);
            }
        }
        let trackers = lanes.iter().filter(|((role, _), _)| *role == TRACKER);
        let whole = trackers.filter(|((_, number), lane)| is_whole(history, *number, &lane.done)).map(|((_, number), _)| *number);
        Self { of_closes, whole: whole.collect() }
    }
    /// Those of a close that a drift event names.
    fn of_close(&self, seen: &Seen<Drift>, date: Date, version: Option<i64>) -> &[&'a Risk] {
        self.of_closes.get(&(seen.record.portfolio_id.clone(), date, version)).map_or(&[], Vec::as_slice)
    }
    /// Whether some that a drift event is based on may not be there any more: compaction leaves the newest of a portfolio.
    fn may_be_gone(&self, seen: &Seen<Drift>) -> bool {
        !self.whole.contains(&seen.place.partition)
    }
}

/// Whether every output of a lane of the tracker is there, and all of its progress.
fn is_whole(history: &History, lane: i32, done: &BTreeMap<i64, Done>) -> bool {
    let at = |step, index| Stamp { role: TRACKER, lane, step, index };
    let there = |step: i64| history.stamps.range(at(step, 0)..=at(step, i64::MAX)).count();
    let progress = ROLES.iter().find(|(role, _)| *role == TRACKER).map(|(_, topic)| topic.name());
    !history.cut().any(|(name, partition)| partition == lane && Some(name) == progress)
        && done.iter().all(|(step, done)| there(*step) >= usize::try_from(done.outputs).unwrap_or(0))
}

/// One record of the portfolio, day and version has them.
fn recorded(records: &Records, seen: &Seen<Drift>, risk: &TargetRisk, check: &mut Check) {
    let Some(date) = risk.date else { return };
    let found = records.of_close(seen, date, risk.close_version);
    let agrees = |record: &&Risk| {
        let told = |id: &str, value: Option<Fraction>| value.is_none() || figure(record, id).and_then(|metric| metric.value) == value;
        let behind = |id: &str, count: i32| figure(record, id).map_or(0, |metric| metric.observations) == count;
        told("realised_risk", risk.realised)
            && told("holdings_volatility", risk.holdings)
            && told("gross_exposure", risk.gross_exposure)
            && told("history_coverage", risk.coverage)
            && behind("realised_risk", risk.realised_observations)
            && behind("holdings_volatility", risk.holdings_observations)
            && risk.window.as_ref() == Some(&record.timeframe)
    };
    let gone = found.is_empty() && records.may_be_gone(seen);
    check.that(gone || found.iter().any(agrees), || {
        let version = risk.close_version.unwrap_or_default();
        format!("{}: no record of risk of {} for {date}, version {version}, says what it says", seen.place, seen.record.portfolio_id)
    });
}

fn figure<'a>(record: &'a Risk, id: &str) -> Option<&'a Metric> {
    record.metrics.iter().find(|metric| metric.id == id && metric.unit == MetricUnit::Fraction)
}

/// What a scale follows from.
struct Basis {
    volatility: Exact,
    gross: Exact,
    coverage: Exact,
}

impl Basis {
    fn of_event(risk: &TargetRisk) -> Option<Self> {
        let exact = |value: Option<Fraction>| value.map(Published::exact);
        Some(Self { volatility: exact(risk.holdings)?, gross: exact(risk.gross_exposure)?, coverage: exact(risk.coverage)? })
    }
    fn of_record(record: &Risk) -> Option<Self> {
        let exact = |id| figure(record, id)?.value.map(Published::exact);
        let (volatility, gross) = (exact("holdings_volatility")?, exact("gross_exposure")?);
        Some(Self { volatility, gross, coverage: exact("history_coverage")? })
    }
    fn scale(&self, target: Fraction, wanted: &Exact) -> Exact {
        let (bearable, would_be) = (target.exact() * &self.gross * &self.coverage, &self.volatility * wanted);
        match bearable.cmp(&would_be) {
            Ordering::Less => cut(&(bearable / would_be)).max(ratio(1, Fraction::SCALE)),
            _ => whole(1),
        }
    }
}

fn scaled(records: &Records, seen: &Seen<Drift>, risk: &TargetRisk, check: &mut Check) {
    let drift = &seen.record;
    let Some((targets, follows)) = rules(drift) else { return };
    check.that(follows || risk.scale.is_none(), || format!("{}: scaled, and its policy scales nothing", seen.place));
    let counts = risk.holdings.is_some();
    check.that(!follows || !counts || risk.scale.is_some(), || format!("{}: figures count, and nothing is scaled", seen.place));
    let Some(scale) = risk.scale else { return };
    let wanted = gross(targets, &drift.lines);
    // By the event's own figures, or by those of the close that it names.
    let bases: Vec<Basis> = if counts {
        let is_own = (risk.scale_date, risk.scale_version) == (risk.date, risk.close_version);
        check.that(is_own, || format!("{}: figures count, and the scale is by those of another close", seen.place));
        Basis::of_event(risk).into_iter().collect()
    } else {
        let close = risk.scale_date.map_or(&[][..], |date| records.of_close(seen, date, risk.scale_version));
        close.iter().filter_map(|record| Basis::of_record(record)).collect()
    };
    let given: Vec<Exact> = bases.iter().map(|basis| basis.scale(risk.target, &wanted)).collect();
    let gone = given.is_empty() && !counts && risk.scale_date.is_some() && records.may_be_gone(seen);
    check.that(gone || given.contains(&scale.exact()), || {
        let shown: Vec<String> = given.iter().map(show).collect();
        format!("{}: scale {scale}, its figures give {}", seen.place, if shown.is_empty() { "none".to_owned() } else { shown.join(" or ") })
    });
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

/// A scale outlasts its figures: what was scaled once is scaled as long as a policy asks for it. Shadow rules may count
/// figures that the policy's own do not, and those are not kept.
fn lapsed<'a>(before: &mut BTreeSet<&'a PortfolioId>, lanes: &Lanes, seen: &'a Seen<Drift>, risk: &TargetRisk, check: &mut Check) {
    let drift = &seen.record;
    let Some((_, follows)) = rules(drift).filter(|_| !drift.shadow && !lanes.has_lived(seen.stamp)) else { return };
    check.that(!follows || risk.scale.is_some() || !before.contains(&drift.portfolio_id), || {
        format!("{}: nothing is scaled, and an earlier event of {} was", seen.place, drift.portfolio_id)
    });
    if risk.scale.is_some() {
        before.insert(&drift.portfolio_id);
    }
}

/// The targets that an event is judged by, and whether they are to follow the risk.
fn rules(drift: &Drift) -> Option<(&[Target], bool)> {
    let policy = drift.policy.as_deref()?;
    Some(match policy.shadow.as_deref() {
        Some(shadow) if drift.shadow => (&shadow.targets, shadow.orders.risk.scale_targets),
        None if drift.shadow => return None,
        _ => (&policy.targets, policy.orders.risk.scale_targets),
    })
}

/// Σ |target|; that of a group counts where none of its members has one of its own.
fn gross(targets: &[Target], lines: &[DriftLine]) -> Exact {
    let has_own = |line: &&DriftLine| targets.iter().any(|target| target.instrument_id.as_ref() == Some(&line.instrument_id));
    let bounds =
        |group: &str| lines.iter().filter(has_own).any(|line| line.sector.as_deref() == Some(group) || line.kind.symbol() == group);
    let counting = targets.iter().filter(|target| target.group.as_deref().is_none_or(|group| !bounds(group)));
    exact::sum(counting.map(|target| magnitude(&target.target_weight.exact())))
}

/// Cut toward zero at the last decimal of a fraction.
fn cut(value: &Exact) -> Exact {
    exact::cut(value, Fraction::SCALE)
}
