//! The store: a pool of connections and its limits.
//!
//! Promises: making one touches no network, so a process starts while Postgres is down; every call
//! is bounded in time. Does not hold state of its own: clones share the pool.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};

use crate::statement::Limit;
use crate::{Settings, StoreError};

/// How long a connection that only finds out why may take.
const DIAGNOSIS: Duration = Duration::from_secs(1);

/// A handle on Postgres; cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: PgPool,
    plain: PgConnectOptions,
    limit: Limit,
    connecting: Limit,
}

impl Store {
    /// A store by these settings; connects when first used. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::Settings`] when the settings contradict themselves or a file is missing.
    pub fn new(settings: &Settings) -> Result<Self, StoreError> {
        if settings.pool_size == 0 {
            return Err(StoreError::settings("`pool_size` must be at least 1"));
        }
        let plain = settings.connect_options()?;
        let session = plain.clone().options(settings.session_limits());
        let pool = PgPoolOptions::new()
            .max_connections(settings.pool_size)
            .acquire_timeout(Duration::from_millis(settings.acquire_timeout_ms))
            .connect_lazy_with(session);
        let address: Arc<str> = settings.address(&plain).into();
        let connecting = Limit { within: Some(Duration::from_millis(settings.acquire_timeout_ms)), address: address.clone() };
        Ok(Store { pool, plain, limit: Limit { within: settings.client_limit(), address }, connecting })
    }

    /// Health: one round trip to the server.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] and its like.
    pub async fn ping(&self) -> Result<(), StoreError> {
        const DOING: &str = "asking Postgres for a sign of life";
        let select = sqlx::query("SELECT 1").execute(&self.pool);
        match self.limit.run(DOING, select).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.cause(DOING, error).await),
        }
    }

    /// Why the pool gave no connection, which it does not say itself: a connection beside it finds out.
    pub(crate) async fn cause(&self, doing: &'static str, error: StoreError) -> StoreError {
        if !matches!(error, StoreError::NoConnection { .. }) {
            return error;
        }
        let soon = Limit { within: Some(DIAGNOSIS), ..self.limit.clone() };
        match soon.connect(doing, &self.plain).await {
            Err(cause @ (StoreError::Unreachable { .. } | StoreError::Refused { .. })) => cause,
            _ => error,
        }
    }

    /// Ends every connection; calls in flight finish first.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// A connection beside the pool, without the session's time-outs; made within `acquire_timeout_ms`.
    pub(crate) async fn connect_beside(&self, doing: &'static str) -> Result<PgConnection, StoreError> {
        self.connecting.connect(doing, &self.plain).await
    }

    pub(crate) fn limit(&self) -> &Limit {
        &self.limit
    }
}

/// The address alone: the driver's own form would show the password.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("host", &self.plain.get_host())
            .field("port", &self.plain.get_port())
            .field("database", &self.plain.get_database())
            .finish_non_exhaustive()
    }
}
