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
        let known: bool = self
            .limit()
            .run(DOING, sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(self.pool()))
            .await?;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    const TABLES: &str = concat!(
        include_str!("../migrations/0002_projections.sql"),
        include_str!("../migrations/0004_closes.sql"),
        include_str!("../migrations/0005_strategies.sql"),
        include_str!("../migrations/0007_months.sql"),
        include_str!("../migrations/0008_series.sql"),
        include_str!("../migrations/0009_ledger_entries.sql"),
        include_str!("../migrations/0010_performance.sql")
    );
    const COMMENTS: &str = concat!(
        include_str!("../migrations/0003_comments.sql"),
        include_str!("../migrations/0004_closes.sql"),
        include_str!("../migrations/0005_strategies.sql"),
        include_str!("../migrations/0006_closes_version.sql"),
        include_str!("../migrations/0007_months.sql"),
        include_str!("../migrations/0008_series.sql"),
        include_str!("../migrations/0009_ledger_entries.sql"),
        include_str!("../migrations/0010_performance.sql")
    );

    /// Table, column and type of every column, as the migration writes them: one a line.
    fn columns() -> Vec<(String, String)> {
        let (mut table, mut columns) = (String::new(), Vec::new());
        for line in TABLES.lines() {
            if let Some(name) = line.strip_prefix("CREATE TABLE ") {
                table = name.trim_end_matches(" (").to_owned();
            } else if line.starts_with(')') {
                table.clear();
            } else if let Some(column) =
                line.strip_prefix("    ").filter(|line| !table.is_empty() && line.starts_with(|c: char| c.is_ascii_lowercase()))
            {
                let mut words = column.split([' ', ',']).filter(|word| !word.is_empty());
                let (name, kind) = (words.next().unwrap(), words.next().unwrap());
                columns.push((format!("{table}.{name}"), kind.to_owned()));
            }
        }
        columns
    }

    #[test]
    fn every_column_that_is_no_text_has_its_unit_in_the_database() {
        let told: BTreeSet<&str> = COMMENTS
            .lines()
            .filter_map(|line| line.strip_prefix("COMMENT ON COLUMN ")?.split_once(" IS "))
            .map(|(column, _)| column)
            .collect();
        let columns = columns();
        assert!(columns.len() > 100, "{columns:?}");
        let silent: Vec<_> = columns.iter().filter(|(column, kind)| kind != "text" && !told.contains(column.as_str())).collect();
        assert!(silent.is_empty(), "without a comment: {silent:?}");
        let unknown: Vec<_> = told.iter().filter(|told| columns.iter().all(|(column, _)| column != *told)).collect();
        assert!(unknown.is_empty(), "no such column: {unknown:?}");
        for table in columns.iter().filter_map(|(column, _)| column.split_once('.')).map(|(table, _)| table).collect::<BTreeSet<_>>() {
            assert!(COMMENTS.contains(&format!("COMMENT ON TABLE {table} IS '")), "{table}");
        }
    }
}
