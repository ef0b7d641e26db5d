//! One statement, bounded and named.
//!
//! Promises: no statement waits for ever, even when the network swallows the server's answer; its
//! error says what was being done. Does not retry.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use crate::StoreError;

/// The client's own limit for a statement, and where the server should be, for the words when it is not there.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    /// `None` waits as long as the server does.
    pub(crate) within: Option<Duration>,
    /// `host:port`, and that it is the default where nobody set it.
    pub(crate) address: Arc<str>,
}

impl Limit {
    /// Runs a statement under the limit.
    pub(crate) async fn run<T>(
        &self,
        doing: &'static str,
        statement: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        let outcome = match self.within {
            None => statement.await,
            Some(limit) => match tokio::time::timeout(limit, statement).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    return Err(StoreError::Timeout { doing, limit: "no answer from the server" });
                }
            },
        };
        outcome.map_err(|e| StoreError::from_driver(doing, &self.address, e))
    }

    /// Makes a connection, handshake included, within the limit: what accepts and never answers is no Postgres.
    pub(crate) async fn connect(&self, doing: &'static str, options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
        match self.run(doing, PgConnection::connect_with(options)).await {
            Err(StoreError::Timeout { .. }) => Err(StoreError::NoConnection { doing, address: self.address.clone() }),
            made => made,
        }
    }
}
