//! One statement, bounded and named.
//!
//! Promises: no statement waits for ever, even when the network swallows the server's answer; its
//! error says what was being done. Does not retry.

use std::future::Future;
use std::time::Duration;

use crate::StoreError;

/// The client's own limit for a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit(pub(crate) Option<Duration>);

impl Limit {
    /// Runs a statement under the limit.
    pub(crate) async fn run<T>(
        self,
        doing: &'static str,
        statement: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        let outcome = match self.0 {
            None => statement.await,
            Some(limit) => match tokio::time::timeout(limit, statement).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    return Err(StoreError::Timeout { doing, limit: "no answer from the server" });
                }
            },
        };
        outcome.map_err(|e| StoreError::from_driver(doing, e))
    }
}
