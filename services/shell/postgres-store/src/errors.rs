//! What can go wrong with Postgres, whose fault it is, and whether to try again.
//!
//! Promises: every driver error becomes one of these by its SQLSTATE; no message holds a password.
//! Does not retry and does not log: the caller does, where it handles the error.

use std::sync::Arc;

use sqlx::migrate::MigrateError;

use crate::settings::OF_THE_DEFAULT;

/// SQLSTATE of a second row under one key.
pub(crate) const UNIQUE_VIOLATION: &str = "23505";

/// What the caller should do with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same call again, after a pause. Every call of this crate may be repeated safely.
    SameCall,
    /// Not this call: somebody else was first; read the stored state again and go on from it.
    AfterReload,
    /// An older generation of the checkpoint.
    OlderGeneration,
    /// Never: an operator or a developer has to act.
    Never,
}

/// Errors of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The settings contradict themselves or name files that are not there. The operator's.
    #[error("the Postgres settings cannot be used: {what}")]
    Settings {
        /// What is wrong and what to change.
        what: String,
    },
    /// No server, a server that went away, or one that is starting or stopping.
    #[error("{doing}: Postgres cannot be reached at {address} ({source}); check that it runs there and that the address is right")]
    Unreachable {
        /// What was attempted.
        doing: &'static str,
        /// Where it should be.
        address: Arc<str>,
        /// The driver's word.
        source: sqlx::Error,
    },
    /// No connection in time: the server is away, or all its connections, or the pool's, are busy.
    #[error(
        "{doing}: no connection to Postgres at {address} within acquire_timeout_ms; check that it runs there and that it is Postgres which listens; if it does, `pool_size` or the server's max_connections may be too low"
    )]
    NoConnection {
        /// What was attempted.
        doing: &'static str,
        /// Where it should be.
        address: Arc<str>,
    },
    /// The server cancelled a statement, or was silent for longer than the limit.
    #[error("{doing}: took longer than the time-out ({limit}); if it stays, the server is overloaded or the limit too low")]
    Timeout {
        /// What was attempted.
        doing: &'static str,
        /// Which limit: statement_timeout, lock_timeout, or the client's own.
        limit: &'static str,
    },
    /// Two transactions stood in each other's way; neither is wrong.
    #[error("{doing}: collided with another transaction ({code}); the same call may be tried again")]
    Collision {
        /// What was attempted.
        doing: &'static str,
        /// SQLSTATE.
        code: String,
    },
    /// The server is short of something that somebody, or time, will give it.
    #[error(
        "{doing}: Postgres is out of disk, memory or locks (SQLSTATE {code}): {message}; the same call is tried again once it has some"
    )]
    Exhausted {
        /// What was attempted.
        doing: &'static str,
        /// SQLSTATE.
        code: String,
        /// The server's words.
        message: String,
    },
    /// The database is older than this build.
    #[error("migration {version} ({name}) is missing: run `ballast migrate`")]
    MissingMigration {
        /// The first version that is missing.
        version: i64,
        /// Its name.
        name: String,
    },
    /// The database is newer than this build, or a migration was changed after it had been applied.
    #[error("the database has migration {version}, which this build {fault}: run a build that fits the database")]
    ForeignMigration {
        /// The version that does not fit.
        version: i64,
        /// `does not know` or `has with another content`.
        fault: &'static str,
    },
    /// A migration failed; the database is as it was before that migration.
    #[error("migrating the database failed: {source}; the database user must own its schema")]
    Migration {
        /// The driver's word.
        source: MigrateError,
    },
    /// Another process moved these offsets first; nothing of the batch was written.
    #[error(
        "projecting {topic}/{partition} from offset {expected}: another projector was first; nothing was written; read the offsets again"
    )]
    LostRace {
        /// Topic whose offset had moved.
        topic: String,
        /// Its partition.
        partition: i32,
        /// The offset that this batch started from; -1 where it expected none to be stored.
        expected: i64,
    },
    /// A stored checkpoint fails its check.
    #[error("checkpoint {step} of {lane} is corrupt: {what}; load the older generation and discard this one")]
    CorruptCheckpoint {
        /// `deployment/role/lane`.
        lane: String,
        /// Step of the generation that cannot be read.
        step: u64,
        /// Which part failed which check.
        what: String,
    },
    /// The caller's write breaks the contract: our bug.
    #[error("refused to write: {what}; this is a defect of the caller")]
    InvalidWrite {
        /// Which rule is broken.
        what: String,
    },
    /// The server refused for a reason that trying again does not change.
    #[error("{doing}: Postgres refused (SQLSTATE {code}): {message}; {advice}")]
    Refused {
        /// What was attempted.
        doing: &'static str,
        /// SQLSTATE, or `driver`.
        code: String,
        /// The server's words.
        message: String,
        /// What to do.
        advice: &'static str,
    },
}

impl StoreError {
    /// Whether Postgres was not there, at an address that nobody had set.
    #[must_use]
    pub fn is_at_the_default_address(&self) -> bool {
        match self {
            StoreError::Unreachable { address, .. } | StoreError::NoConnection { address, .. } => address.ends_with(OF_THE_DEFAULT),
            _ => false,
        }
    }

    /// Whether and how to try again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            StoreError::Unreachable { .. }
            | StoreError::NoConnection { .. }
            | StoreError::Timeout { .. }
            | StoreError::Exhausted { .. }
            | StoreError::Collision { .. } => Retry::SameCall,
            StoreError::LostRace { .. } => Retry::AfterReload,
            StoreError::CorruptCheckpoint { .. } => Retry::OlderGeneration,
            _ => Retry::Never,
        }
    }

    pub(crate) fn settings(what: impl Into<String>) -> Self {
        StoreError::Settings { what: what.into() }
    }

    pub(crate) fn invalid(what: impl Into<String>) -> Self {
        StoreError::InvalidWrite { what: what.into() }
    }

    /// A driver error met while `doing`.
    pub(crate) fn from_driver(doing: &'static str, address: &Arc<str>, error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => StoreError::NoConnection { doing, address: address.clone() },
            sqlx::Error::Database(ref refusal) => {
                let code = refusal.code().unwrap_or_default().into_owned();
                let message = refusal.message().to_owned();
                from_sqlstate(doing, address, code, message, error)
            }
            sqlx::Error::Io(ref fault) if fault.kind() == std::io::ErrorKind::InvalidData => refused_certificate(doing, &error),
            sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => {
                StoreError::Unreachable { doing, address: address.clone(), source: error }
            }
            sqlx::Error::Tls(_) => refused_certificate(doing, &error),
            other => StoreError::Refused {
                doing,
                code: "driver".to_owned(),
                message: other.to_string(),
                advice: "this build and the database do not fit together",
            },
        }
    }
}

fn refused_certificate(doing: &'static str, error: &sqlx::Error) -> StoreError {
    StoreError::Refused {
        doing,
        code: "driver".to_owned(),
        message: error.to_string(),
        advice: "check `tls`, `root_cert` and the host name against the server's certificate",
    }
}

fn from_sqlstate(doing: &'static str, address: &Arc<str>, code: String, message: String, source: sqlx::Error) -> StoreError {
    let class = code.get(..2).unwrap_or_default();
    match (code.as_str(), class) {
        ("57014", _) => StoreError::Timeout { doing, limit: "statement_timeout" },
        ("55P03", _) => StoreError::Timeout { doing, limit: "lock_timeout" },
        ("40001" | "40P01", _) => StoreError::Collision { doing, code },
        ("53300", _) => StoreError::NoConnection { doing, address: address.clone() },
        // Admin shutdown, crash, starting up; idle-in-transaction; connection trouble.
        ("57P01" | "57P02" | "57P03" | "57P05" | "25P03", _) | (_, "08") => {
            StoreError::Unreachable { doing, address: address.clone(), source }
        }
        (_, "53") => StoreError::Exhausted { doing, code, message },
        _ => StoreError::Refused { doing, advice: advice(&code, class), code, message },
    }
}

fn advice(code: &str, class: &str) -> &'static str {
    match (code, class) {
        ("42P01" | "42703" | "3F000", _) => "a table or column is missing: run `ballast migrate`",
        ("3D000", _) => "create the database or correct its name",
        ("42501", _) => "grant the database user the right it lacks",
        (_, "28") => "check the user, the password, `tls` and pg_hba.conf",
        (_, "23") => "a constraint refused the row: a defect of the caller",
        _ => "an operator has to look",
    }
}
