//! I12: versions of a portfolio's snapshots and ledger records count up, in one partition.

use super::history::History;
use super::lanes::Lanes;
use super::report::Check;
use super::seen::{Place, Seen, Stamp};
use domain::PortfolioId;
use std::collections::BTreeMap;

/// The rows of I12. Where snapshots may have been compacted, gaps in their versions are allowed.
pub(super) fn check(history: &History, lanes: &Lanes, compacted: bool) -> Vec<Check> {
    let mut snapshots = Check::new(
        "I12",
        if compacted { "snapshot versions of a portfolio rise" } else { "snapshot versions of a portfolio count from 1" },
    );
    let mut ledgers = Check::new("I12", "ledger versions of a portfolio count from 1");
    let ground = (history, lanes);
    follow(ground, &history.snapshots, |s| (&s.portfolio_id, s.version), compacted, &mut snapshots);
    follow(ground, &history.ledgers, |l| (&l.portfolio_id, l.version), false, &mut ledgers);
    vec![snapshots, ledgers]
}

fn follow<T>(
    (history, lanes): (&History, &Lanes),
    seen: &[Seen<T>],
    name: impl Fn(&T) -> (&PortfolioId, i64),
    gaps: bool,
    check: &mut Check,
) {
    let mut last: BTreeMap<PortfolioId, (i64, Place, Option<Stamp>)> = BTreeMap::new();
    for seen in seen.iter().filter(|seen| !seen.repeat) {
        let (portfolio, version) = name(&seen.record);
        let before = last.insert(portfolio.clone(), (version, seen.place, seen.stamp));
        let (from, place) = before.map_or((0, None), |(version, place, _)| (version, Some(place)));
        // A life that began anew counts on above what an earlier one can have used.
        let anew = match before {
            None => history.start(seen.place.topic, seen.place.partition) > 0 || lanes.has_lived(seen.stamp),
            Some((_, _, stamp)) => !lanes.one_life(stamp, seen.stamp),
        };
        let follows = version == from + 1 || ((gaps || anew) && version > from);
        let stays = place.is_none_or(|place| place.partition == seen.place.partition);
        check.that(follows && stays, || {
            let first = place.map_or("the start".to_owned(), |place| place.to_string());
            format!("{}: version {version} of {portfolio} follows version {from} ({first})", seen.place)
        });
    }
}

/// Snapshots of each lane whose versions are missing: as many outputs may be missing from its steps.
pub(super) fn missing(history: &History) -> BTreeMap<i32, u64> {
    let mut last: BTreeMap<&PortfolioId, i64> = BTreeMap::new();
    let mut missing: BTreeMap<i32, u64> = BTreeMap::new();
    for seen in history.snapshots.iter().filter(|seen| !seen.repeat) {
        let before = last.insert(&seen.record.portfolio_id, seen.record.version).unwrap_or(0);
        let gap = u64::try_from(seen.record.version - before - 1).unwrap_or(0);
        *missing.entry(seen.place.partition).or_default() += gap;
    }
    missing
}
