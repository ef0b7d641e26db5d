//! The offline checker: every record of every topic in, a table of the invariants out.
//!
//! From the inputs (fills, cash, policies, commands, frames) it works out in exact ratios what the
//! outputs must say, and compares. It knows the shape of the records and nothing else of the service:
//! no engine, no accounting, no planning of the roles is used, so that a mistake there is not made twice.
//! It keeps one decoded record for each record read: memory grows with the history.
//!
//! Replayed digests (I7) need the engine and are added to the report by whoever ran them. What the
//! model does not follow (transfers of bonds, facts that changed) it names in the notes.

mod actions;
mod amending;
mod attributed;
mod balance;
mod booking;
mod bygone;
mod closes;
mod course;
mod cycles;
mod decisions;
mod deeds;
mod exact;
mod executions;
mod explain;
mod facts;
mod fate;
mod followed;
mod history;
mod lanes;
mod ledger;
mod lots;
mod methods;
mod metrics;
mod needs;
mod outputs;
mod positions;
mod report;
#[cfg(test)]
mod roles;
mod seen;
#[cfg(test)]
mod story;
mod strategies;
#[cfg(test)]
mod tests;
mod versions;
mod weights;

pub use lanes::Checkpoint;
pub use report::{Balance, Check, Report};
pub use seen::SeenRecord;

use avro_codec::SchemaStore;
use facts::Facts;
use fate::Fates;
use history::History;
use lanes::Lanes;
use ledger::{Audit, Causes, Ground};
use std::collections::BTreeMap;

/// What the log itself does not say.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The newest whole checkpoint of each lane, where there is a store (I6).
    pub checkpoints: Vec<Checkpoint>,
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
    let fates = Fates::of(&history, &lanes, &facts, &given.schemas);
    let causes = Causes::of(&history, &fates);
    let (methods, kept) = methods::of(&history, &lanes, &fates);
    let dividends = methods::dividends(&history, &lanes, &fates);
    let ground = Ground { history: &history, lanes: &lanes, facts: &facts, causes: &causes, methods: &methods, dividends: &dividends };
    let audit = ledger::audit(&ground);
    let forgiven = if given.compacted { versions::missing(&history) } else { BTreeMap::new() };

    let mut report = Report { counts: history.counts.clone(), ..Report::default() };
    let mut add = |checks: Vec<Check>| checks.into_iter().for_each(|check| report.add(check));
    add(positions::check(&history, &lanes, &facts, &fates));
    add(audit.checks.clone());
    add(followed::snapshots(&ground, &audit));
    add(vec![kept]);
    add(metrics::check(&history, &lanes));
    add(executions::check(&history, &lanes, &fates, &causes));
    add(vec![lanes::contiguous(&history)]);
    add(outputs::check(&history, &lanes, &forgiven));
    add(vec![lanes::checkpoints(&lanes, &given.checkpoints)]);
    add(cycles::check(&history, &fates));
    add(decisions::check(&history, &lanes, &facts, &fates));
    add(balance::check(&history, &lanes, &fates));
    add(vec![facts::conflated(&history, &facts, &lanes), lanes::inputs_counted(&history, &lanes)]);
    add(weights::check(&history));
    add(strategies::check(&history, &lanes, &facts, &fates));
    add(vec![attributed::check(&history, &lanes)]);
    add(versions::check(&history, &lanes, given.compacted));
    add(closes::check(&history, &lanes, &facts, &fates));
    report.balances = balance::balances(&history, &lanes, &facts, &fates);
    report.notes = bygone;
    report.notes.extend(notes(&audit, &given.checkpoints));
    if let Some(first) = history.frames.first().filter(|seen| seen.place.offset > 0) {
        report.notes.push(format!("frames are kept from {} on: what earlier ones told is not known here", first.place));
    }
    report
}

/// What was left out, and why.
fn notes(audit: &Audit, checkpoints: &[Checkpoint]) -> Vec<String> {
    let mut notes = Vec::new();
    if checkpoints.is_empty() {
        notes.push("I6: no checkpoints were given".to_owned());
    }
    let left: Vec<_> = audit.accounts.iter().filter_map(|(portfolio, account)| Some((portfolio, account.left.as_ref()?))).collect();
    if let Some((portfolio, why)) = left.first() {
        notes.push(format!(
            "I2: the books of {} leave the model; first {portfolio}, {why}",
            crate::print::counted(left.len() as u64, "portfolio")
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
