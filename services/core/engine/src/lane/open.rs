//! The step under way: windows run and outputs made since the last close.

use crate::role::Counts;
use domain::progress::{Recorded, WindowRecord};
use domain::{Output, PortfolioId, SmolStr, Topic};
use std::collections::BTreeMap;

/// What the next close will hold.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) windows: Vec<WindowRecord>,
    pub(super) outputs: Vec<Output>,
    /// How large the outputs are, as far as is known before they are encoded.
    pub(super) bytes: usize,
    pub(super) counts: Counts,
    /// Records that were known, or repeat an output of ours, by topic.
    pub(super) known: BTreeMap<Topic, i64>,
    pub(super) settings: Vec<Recorded>,
    pub(super) schemas: Vec<Recorded>,
    /// The newest trace that an input of a portfolio carried.
    pub(super) traces: BTreeMap<PortfolioId, SmolStr>,
}
