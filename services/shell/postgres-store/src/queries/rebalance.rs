//! Rebalances, and what commands about them were answered with.

use serde_json::Value;

use crate::{Micros, Store, StoreError};

/// A rebalance after its newest event.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct RebalanceView {
    /// The rebalance.
    pub rebalance_id: String,
    /// Portfolio.
    pub portfolio_id: String,
    /// The moment of its first event.
    pub began_at: Micros,
    /// SCHEDULED, THRESHOLD or MANUAL.
    #[sqlx(rename = "type")]
    pub trigger: String,
    /// Its newest status.
    pub status: String,
    /// Why it ended so.
    pub code: Option<String>,
    /// Figures of its plan, and words of its events.
    pub metrics: Option<Value>,
    /// One line for each instrument.
    pub explanation: Value,
    /// Orders of its plan.
    pub orders: Value,
    /// Names the proposal that waits.
    pub proposal_hash: Option<String>,
    /// Who decided.
    pub actor: Option<String>,
    /// The moment of its newest event.
    pub updated_at: Micros,
}

/// What a command was answered with.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AnswerView {
    /// The rebalance that the answer is about.
    pub rebalance_id: String,
    /// Status that it said.
    pub status: String,
    /// Why, as a code.
    pub code: Option<String>,
    /// Why, in words.
    pub reason: Option<String>,
    /// When.
    pub answered_at: Micros,
}

impl Store {
    /// A rebalance by its id.
    ///
    /// # Errors
    /// What the server says.
    pub async fn rebalance(&self, id: &str) -> Result<Option<RebalanceView>, StoreError> {
        self.limit().run("reading a rebalance", sqlx::query_as(ONE).bind(id).fetch_optional(self.pool())).await
    }

    /// The rebalances of a portfolio that have not ended, newest first; shadows have none.
    ///
    /// # Errors
    /// What the server says.
    pub async fn open_rebalances(&self, portfolio: &str) -> Result<Vec<RebalanceView>, StoreError> {
        self.limit().run("reading open rebalances", sqlx::query_as(OPEN).bind(portfolio).fetch_all(self.pool())).await
    }

    /// What a command was answered with, as far as the projector has come.
    ///
    /// # Errors
    /// What the server says.
    pub async fn answer(&self, portfolio: &str, command_id: &str) -> Result<Option<AnswerView>, StoreError> {
        let select = sqlx::query_as(ANSWER).bind(portfolio).bind(command_id).fetch_optional(self.pool());
        self.limit().run("reading the answer to a command", select).await
    }
}

pub(super) const ONE: &str = "
SELECT rebalance_id, portfolio_id, timestamp AS began_at, type, status, code, metrics, explanation, orders, proposal_hash, actor, updated_at
FROM portfolio_rebalances WHERE rebalance_id = $1 LIMIT 1";

pub(super) const OPEN: &str = "
SELECT rebalance_id, portfolio_id, timestamp AS began_at, type, status, code, metrics, explanation, orders, proposal_hash, actor, updated_at
FROM portfolio_rebalances
WHERE portfolio_id = $1 AND status IN ('PENDING_APPROVAL', 'APPROVED', 'RELEASED', 'STUCK') AND NOT shadow
ORDER BY timestamp DESC";

pub(super) const ANSWER: &str = "
SELECT rebalance_id, status, code, reason, answered_at FROM command_answers WHERE portfolio_id = $1 AND command_id = $2";
