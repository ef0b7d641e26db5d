//! The tables, opened by a command that asks them something and ends. Writes nothing.

use crate::config::Config;
use anyhow::Context as _;
use postgres_store::{Store, StoreError};
use std::future::Future;

/// A store and the runtime that its calls run on.
pub struct Tables {
    runtime: tokio::runtime::Runtime,
    store: Store,
}

impl Tables {
    /// Opens the database of a configuration, and checks that its tables are those of this build.
    ///
    /// # Errors
    /// When it cannot be reached, or was not migrated.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting a runtime")?;
        let store = runtime.block_on(async { Store::new(&config.postgres) })?;
        runtime.block_on(store.check())?;
        Ok(Self { runtime, store })
    }

    /// Asks a question.
    ///
    /// # Errors
    /// What the store says.
    pub fn ask<'a, T, F>(&'a self, question: impl FnOnce(&'a Store) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + 'a,
    {
        self.runtime.block_on(question(&self.store))
    }

    /// The portfolio of an id, which may be that of its session.
    ///
    /// # Errors
    /// What the store says.
    pub fn portfolio_of(&self, id: &str) -> Result<Option<String>, StoreError> {
        self.ask(|store| store.portfolio_of(id))
    }
}
