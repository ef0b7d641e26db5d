//! Settings of the core: all that may change its outputs besides its inputs. They are recorded in
//! progress when they change, and a replay uses the recorded ones.

use domain::SmolStr;
use domain::progress::Recorded;
use serde::{Deserialize, Serialize};

/// The most lines (held or targeted instruments) that a portfolio may have: with all texts and numbers at their
/// longest, its largest record (a plan of two legs for each line, every number noted) stays within 8 MiB.
/// `ballast/tests/largest` builds that record and its like.
pub const MAX_LINES: usize = 1500;
/// The most open lots that a portfolio may have: a ledger record names every lot of a line that it touches, 158
/// bytes each with an id at its longest, 3,634,000 together. With what else such a record may hold
/// (`position-keeper/src/book/journal.rs`) it stays within 4 MiB; `ballast/tests/largest` builds it.
pub const MAX_LOTS: usize = 23_000;
/// The most bytes at which a ledger record may end its step: with all ids at their longest it takes twice as
/// many, and the last booking may be as large as an input.
pub const MAX_LEDGER_BYTES: usize = 512 * 1024;

/// A recorded setting that this build cannot take over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the progress topic records the setting {name} = {value:?}, which this build does not know: replay with the build that wrote it")]
pub struct UnknownSetting {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

macro_rules! settings {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $default:expr),+ $(,)?) => {
        /// Settings of the core. Field names are those of the configuration file and of the record.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Settings { $($(#[$doc])* pub $field: $type),+ }

        impl Default for Settings {
            fn default() -> Self { Self { $($field: $default),+ } }
        }

        impl Settings {
            /// What differs from `earlier` (everything, where there is none), as it is recorded.
            pub fn changes_since(&self, earlier: Option<&Settings>) -> Vec<Recorded> {
                let mut changes = Vec::new();
                $(if earlier.is_none_or(|e| e.$field != self.$field) {
                    changes.push(Recorded { name: SmolStr::new_static(stringify!($field)), value: self.$field.to_string() });
                })+
                changes
            }
            /// Whether recorded changes name every setting: only the first step of a life records them all.
            pub fn names_all(changes: &[Recorded]) -> bool {
                let names = [$(stringify!($field)),+];
                names.iter().all(|name| changes.iter().any(|change| change.name == *name))
            }
            /// Takes a recorded change over.
            pub fn apply(&mut self, change: &Recorded) -> Result<(), UnknownSetting> {
                let unknown = || UnknownSetting { name: change.name.to_string(), value: change.value.clone() };
                match change.name.as_str() {
                    $(stringify!($field) => self.$field = change.value.parse().map_err(|_| unknown())?,)+
                    _ => return Err(unknown()),
                }
                Ok(())
            }
        }
    };
}

settings! {
    /// Least milliseconds between two snapshots of a portfolio.
    snapshot_interval_ms: i64 = 1000,
    /// Distinct booked trade dates of a portfolio within which executions are known by id.
    dedup_trade_dates: usize = 10,
    /// Records that may wait in a lane.
    waiting_limit: usize = 10_000,
    /// Records of one portfolio that may wait.
    waiting_portfolio_limit: usize = 2_500,
    /// Seconds that a tick may lie in the future.
    future_tick_seconds: i64 = 60,
    /// Seconds from a cancel request to STUCK.
    cancel_seconds: i64 = 60,
    /// Most lines (held or targeted instruments) of one portfolio; at most [`MAX_LINES`].
    max_lines: usize = MAX_LINES,
    /// Most open lots of one portfolio, where its cost method keeps them; at most [`MAX_LOTS`].
    max_lots: usize = 20_000,
    /// Bytes at which a ledger record ends its step; at most [`MAX_LEDGER_BYTES`].
    ledger_bytes: usize = MAX_LEDGER_BYTES,
    /// Daily returns of instruments that risk figures are taken from, the newest.
    risk_window_days: usize = 500,
    /// Fewest daily returns of which a risk figure says anything.
    risk_min_observations: usize = 60,
    /// Milliseconds from an order to its acknowledgement and fills by the paper router.
    paper_delay_ms: i64 = 0,
    /// Seed of the paper router's choices.
    paper_seed: u64 = 1,
    /// Chance in ten thousand that the paper router rejects an order.
    paper_reject_bp: u32 = 0,
    /// Chance in ten thousand that the paper router fills an order in parts.
    paper_partial_bp: u32 = 0,
    /// Share of the value in ten thousand that the paper router charges as a fee.
    paper_fee_bp: u32 = 0,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_recorded_and_taken_over() {
        let base = Settings::default();
        let changed = Settings { waiting_limit: 7, ..Settings::default() };
        let changes = changed.changes_since(Some(&base));
        assert_eq!(changes.len(), 1);
        let mut replayed = base.clone();
        changes.iter().for_each(|change| replayed.apply(change).unwrap());
        assert_eq!(replayed, changed);
        assert_eq!(base.changes_since(None).len(), 16);
        assert!(Settings::names_all(&base.changes_since(None)) && !Settings::names_all(&base.changes_since(None)[1..]));
        assert!(replayed.apply(&Recorded { name: "nope".into(), value: "1".into() }).is_err());
    }
}
