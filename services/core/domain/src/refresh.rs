//! `ballast.refresh.v1`: the rebalancer asks the position-keeper for a drift event.

use crate::PortfolioId;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use uuid::Uuid;

/// A request for a REQUESTED drift event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// Deterministic id; the drift event that answers names it.
    pub request_id: Uuid,
    /// Portfolio; also the record's key.
    pub portfolio_id: PortfolioId,
    /// Why, in words.
    pub why: SmolStr,
}
