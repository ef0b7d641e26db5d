//! The offline checker: every record of every topic in, a table of the invariants out.
//!
//! From the inputs (fills, cash, policies, commands, frames) it works out in exact ratios what the
//! outputs must say, and compares. It knows the shape of the records and nothing else of the service:
//! no engine, no accounting, no planning of the roles is used, so that a mistake there is not made twice.
//! It keeps one decoded record for each record read: memory grows with what it is given, which may be the records of
//! one lane; what is asked of a lane is answered by its own records, and by the frames.
//!
//! Replayed digests (I7) need the engine and are added to the report by whoever ran them. What the
//! model does not follow (facts that changed, what frames tell no longer) it names in the notes.

mod actions;
mod amending;
mod asked;
mod attributed;
mod balance;
mod booking;
mod bygone;
mod closed;
mod closed_strategies;
mod closes;
mod course;
mod cycles;
mod dated;
mod decisions;
mod deeds;
mod effect;
mod exact;
mod executions;
mod explain;
mod facts;
mod fate;
mod followed;
mod history;
mod holding;
mod homes;
pub mod lane_by_lane;
mod lanes;
mod ledger;
mod lots;
mod methods;
mod metrics;
mod needs;
mod outputs;
mod owed;
mod performance;
mod planned;
mod positions;
mod rates;
mod report;
#[cfg(test)]
mod roles;
mod scaled;
mod seen;
mod sets;
mod sizes;
mod sources;
#[cfg(test)]
mod story;
mod strategies;
#[cfg(test)]
mod tests;
mod versions;
mod weights;
mod worth;

pub use homes::Homes;
pub use lanes::Checkpoint;
pub use report::{Balance, Check, Report};
pub use seen::SeenRecord;

use avro_codec::SchemaStore;
use domain::PortfolioId;
use facts::Facts;
use fate::Fates;
use history::History;
use lanes::Lanes;
use ledger::{Audit, Causes, Ground};
use rates::Rates;
use std::collections::BTreeMap;

/// Portfolios that a note names.
const NAMED: usize = 5;

/// What the log itself does not say.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The newest whole checkpoint of each lane, where there is a store (I6).
    pub checkpoints: Option<Vec<Checkpoint>>,
    /// Whether the broker may have compacted snapshots: gaps in their versions are then allowed.
    pub compacted: bool,
    /// Writers' schemas besides this build's own.
    pub schemas: SchemaStore,
    /// First offset that each partition still holds, by topic name and partition; 0 where it is not named. What
    /// stood before was deleted by retention: it is not missed, and what hangs on it is left out and noted.
    pub starts: BTreeMap<(String, i32), i64>,
}

/// Checks I1 to I12, but for I7, on records that come grouped by topic and partition, by offset, from
/// the beginning, committed ones only.
pub fn verify<'a>(records: impl IntoIterator<Item = SeenRecord<'a>>, given: &Given) -> Report {
    let mut history = History::read(records, given);
    let lanes = Lanes::of(&history);
    let bygone = bygone::leave_out(&mut history, &lanes);
    let facts = Facts::of(&history);
    let rates = Rates::of(&facts);
    let fates = Fates::of(&history, &lanes, (&facts, &rates), &given.schemas);
    let causes = Causes::of(&history, &fates);
    let (methods, kept) = methods::of(&history, &lanes, &fates);
    let sources = &fates.sources;
    let unreconciled = history.snapshots.iter().filter(|seen| seen.record.health.unreconciled);
    let ground = Ground {
        history: &history,
        lanes: &lanes,
        facts: &facts,
        causes: &causes,
        methods: &methods,
        sources,
        rates: &rates,
        unreconciled: unreconciled.map(|seen| &seen.record.portfolio_id).collect(),
    };
    let audit = ledger::audit(&ground);
    let compacted = if given.compacted { versions::missing(&history) } else { BTreeMap::new() };
    let forgiven = |role: &str, lane: i32| match role {
        seen::KEEPER => compacted.get(&lane).copied().unwrap_or(0),
        // Of each key of theirs compaction keeps the newest: how many there were cannot be told.
        seen::TRACKER if given.compacted => u64::MAX,
        _ => 0,
    };

    let mut report = Report { counts: history.counts.clone(), ..Report::default() };
    let mut add = |checks: Vec<Check>| checks.into_iter().for_each(|check| report.add(check));
    let booked = positions::Booked::of(&history, &lanes, &fates);
    add(positions::check(&history, &lanes, &facts, &fates, &booked));
    add(audit.checks.clone());
    add(followed::snapshots(&ground, &audit));
    add(vec![kept]);
    add(metrics::check(&history, &lanes));
    add(executions::check(&history, &lanes, &fates, &causes));
    add(vec![lanes::contiguous(&history)]);
    add(outputs::check(&history, &lanes, &forgiven));
    add(vec![lanes::checkpoints(&lanes, given.checkpoints.as_deref().unwrap_or_default())]);
    add(cycles::check(&history, &lanes, &fates));
    add(decisions::check(&history, &lanes, &facts, &fates));
    add(balance::check(&history, &lanes, &fates));
    add(vec![facts::conflated(&history, &facts, &lanes), lanes::inputs_counted(&history, &lanes)]);
    add(weights::check(&history));
    add(scaled::check(&history, &lanes));
    add(strategies::check(&history, &lanes, &facts, &fates, &booked));
    add(vec![attributed::check(&history, &lanes)]);
    add(versions::check(&history, &lanes, given.compacted));
    add(closes::check(&history, &lanes, &facts, &fates, &booked));
    add(performance::check(&history, &lanes));
    report.balances = balance::balances(&history, &lanes, &facts, &fates);
    report.notes = bygone;
    report.notes.extend(notes(&audit, given.checkpoints.is_some()));
    if let Some(first) = history.frames.first().filter(|seen| seen.place.offset > 0) {
        report.notes.push(format!("frames are kept from {} on: what earlier ones told is not known here", first.place));
    }
    report
}

/// What was left out, and why.
fn notes(audit: &Audit, has_store: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if !has_store {
        notes.push("I6: no checkpoints were given".to_owned());
    }
    let left: Vec<_> = audit.accounts.iter().filter_map(|(portfolio, account)| Some((portfolio, account.left.as_ref()?))).collect();
    if !left.is_empty() {
        let portfolios = crate::print::counted(left.len() as u64, "portfolio");
        let why = |(portfolio, why): &(&PortfolioId, &String)| format!("{portfolio}, {why}");
        let mut named: Vec<String> = left.iter().take(NAMED).map(why).collect();
        named.extend((left.len() > NAMED).then(|| "…".to_owned()));
        notes.push(format!("I2: the books of {portfolios} leave the model: {}", named.join("; ")));
    }
    let taken: u64 = audit.accounts.values().map(|account| account.taken).sum();
    if taken > 0 {
        notes.push(format!(
            "I2: {taken} figures in another currency are taken as they are told (frames do not tell the rates of their time, or what a bond had accrued)"
        ));
    }
    let without_net: usize = audit.accounts.values().map(|account| account.without_net.len()).sum();
    if without_net > 0 {
        notes.push(format!(
            "I2: realized_net of {without_net} positions is not compared (an execution of theirs paid a fee in a third currency)"
        ));
    }
    let loose = audit.accounts.values().filter(|account| account.loose).count();
    if loose > 0 {
        notes.push(format!(
            "I2: cost and profit of {loose} portfolios are not compared (an instrument's facts changed, or their cost method is not known)"
        ));
    }
    notes
}
