//! What a plan does to the risk of a portfolio, against the target of its policy: whether it raises gross exposure while
//! the realised risk stands above, or lowers it while it stands below. It is said, and holds nothing back.

use super::desk::{Desk, Wish};
use super::exact::{Int, ratio};
use domain::reason::ReasonCode;
use domain::target_risk::{PlannedRisk, TargetRisk};
use domain::{Fraction, SmolStr};
use std::cmp::Ordering;

/// What is said of the risk; `None` where the policy has no target.
pub(crate) fn planned(desk: &Desk, wishes: &[Wish]) -> Option<PlannedRisk> {
    let risk = desk.input.drift.risk.as_deref()?;
    let (before, after) = (gross(desk, |_| 0), gross(desk, |index| wishes[index].quantity));
    let share = |gross| ratio(gross, desk.book.equity).filter(|share| share.fits_wire());
    let mut told = PlannedRisk {
        target: risk.target,
        realised: risk.realised,
        date: risk.date,
        scale: risk.scale,
        gross_before: share(before),
        gross_after: share(after),
        code: None,
        text: None,
    };
    let (code, text) = said(risk, after.cmp(&before), &told).unzip();
    (told.code, told.text) = (code, text.map(SmolStr::new));
    Some(told)
}

/// A figure that counts as none is said whatever the plan does; with the figures there are, where it leads.
fn said(risk: &TargetRisk, moves: Ordering, told: &PlannedRisk) -> Option<(ReasonCode, String)> {
    let away = risk.realised.and_then(|realised| away(realised, risk.target, moves, told));
    let gap = risk.notice.as_ref().map(|notice| format!("against target_risk {}: {notice}", risk.target));
    match (away, gap) {
        (Some(away), gap) => Some((ReasonCode::RiskAwayFromTarget, gap.map_or(away.clone(), |gap| format!("{away}; {gap}")))),
        (None, gap) => gap.map(|gap| (ReasonCode::DataGap, gap)),
    }
}

fn away(realised: Fraction, target: Fraction, moves: Ordering, told: &PlannedRisk) -> Option<String> {
    let (stands, leads) = match (realised.cmp(&target), moves) {
        (Ordering::Greater, Ordering::Greater) => ("above", "raises"),
        (Ordering::Less, Ordering::Less) => ("below", "lowers"),
        _ => return None,
    };
    let shown = |gross: Option<Fraction>| gross.map_or_else(|| "more than a number can hold".to_owned(), |gross| gross.to_string());
    let (before, after) = (shown(told.gross_before), shown(told.gross_after));
    Some(format!(
        "realised risk {realised} stands {stands} target_risk {target}, and the plan {leads} gross exposure from {before} to {after}"
    ))
}

/// Σ |value| after so many more units of each holding at their reference price, at scale VALUE.
fn gross(desk: &Desk, more: impl Fn(usize) -> i128) -> Int {
    let worth = |(index, holding): (usize, &super::book::Holding)| holding.worth(holding.held() + more(index)).abs();
    desk.book.holdings.iter().enumerate().map(worth).fold(Int::ZERO, |sum, value| sum + value)
}
