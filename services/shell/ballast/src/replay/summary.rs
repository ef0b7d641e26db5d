//! `--final`: the last snapshot of each portfolio and the last ledger state of each position.

use super::Published;
use crate::lines;
use domain::ledger::PositionState;
use domain::{InstrumentId, Output, PortfolioId, Timestamp, Topic};
use serde::Serialize;
use std::collections::BTreeMap;

/// What was published last.
#[derive(Default)]
pub(super) struct Summary {
    snapshots: BTreeMap<PortfolioId, (Timestamp, String)>,
    positions: BTreeMap<(PortfolioId, InstrumentId), (Timestamp, PositionState)>,
}

#[derive(Serialize)]
struct FinalPosition<'a> {
    portfolio_id: &'a PortfolioId,
    #[serde(flatten)]
    state: &'a PositionState,
}

impl Summary {
    pub(super) fn take(&mut self, record: &Published) {
        match &record.output {
            Output::Snapshot(snapshot) => {
                self.snapshots.insert(snapshot.portfolio_id.clone(), (record.time, lines::output_json(&record.output)));
            }
            Output::Ledger(ledger) => {
                for state in &ledger.positions {
                    let key = (ledger.portfolio_id.clone(), state.instrument_id.clone());
                    self.positions.insert(key, (record.time, state.clone()));
                }
            }
            _ => {}
        }
    }
    /// Topic and text of each line.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let snapshot = Topic::Snapshots.name();
        let ledger = Topic::Ledger.name();
        let snapshots = self.snapshots.values().map(|(time, json)| (snapshot, lines::print_line(snapshot, Some(*time), json)));
        let positions = self.positions.iter().map(|((portfolio_id, _), (time, state))| {
            let json = serde_json::to_string(&FinalPosition { portfolio_id, state }).expect("a position is plain data");
            (ledger, lines::print_line(ledger, Some(*time), &json))
        });
        snapshots.chain(positions).collect()
    }
}
