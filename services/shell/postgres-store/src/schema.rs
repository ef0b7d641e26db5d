//! The tables' versions: bringing a database up to date, and saying when it is not.
//!
//! Promises: two processes may migrate at once (the second waits and finds nothing to do); `check`
//! changes nothing. Does not go back: a migration that was applied stays.

use std::collections::BTreeMap;

use sqlx::Connection;
use sqlx::migrate::{MigrateError, Migrator};

use crate::{Store, StoreError};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

impl Store {
    /// Applies every migration that is missing. Without the session's time-outs, as a migration may
    /// rightly take long.
    ///
    /// # Errors
    /// [`StoreError::Migration`], [`StoreError::ForeignMigration`], [`StoreError::Unreachable`].
    pub async fn migrate(&self) -> Result<(), StoreError> {
        const DOING: &str = "migrating the database";
        let mut connection = self.connect_beside(DOING).await?;
        MIGRATIONS.run(&mut connection).await.map_err(migration_error)?;
        connection.close().await.map_err(|e| StoreError::from_driver(DOING, &self.limit().address, e))
    }

    /// Whether the database has exactly the migrations of this build.
    ///
    /// # Errors
    /// [`StoreError::MissingMigration`] or [`StoreError::ForeignMigration`] when it has not.
    pub async fn check(&self) -> Result<(), StoreError> {
        let applied = self.applied_migrations().await?;
        for migration in MIGRATIONS.iter() {
            match applied.get(&migration.version) {
                Some(checksum) if checksum.as_slice() == migration.checksum.as_ref() => {}
                Some(_) => return Err(foreign(migration.version, "has with another content")),
                None => {
                    return Err(StoreError::MissingMigration { version: migration.version, name: migration.description.to_string() });
                }
            }
        }
        match applied.keys().find(|v| !MIGRATIONS.version_exists(**v)) {
            Some(version) => Err(foreign(*version, "does not know")),
            None => Ok(()),
        }
    }

    /// Version → checksum; empty where nothing was ever migrated.
    async fn applied_migrations(&self) -> Result<BTreeMap<i64, Vec<u8>>, StoreError> {
        const DOING: &str = "checking the database's migrations";
        let asked = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(self.pool());
        let known: bool = match self.limit().run(DOING, asked).await {
            Ok(known) => known,
            Err(error) => return Err(self.cause(DOING, error).await),
        };
        if !known {
            return Ok(BTreeMap::new());
        }
        let rows: Vec<(i64, Vec<u8>)> = self
            .limit()
            .run(DOING, sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations WHERE success").fetch_all(self.pool()))
            .await?;
        Ok(rows.into_iter().collect())
    }
}

fn foreign(version: i64, fault: &'static str) -> StoreError {
    StoreError::ForeignMigration { version, fault }
}

fn migration_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(version) => foreign(version, "does not know"),
        MigrateError::VersionMismatch(version) => foreign(version, "has with another content"),
        source => StoreError::Migration { source },
    }
}
