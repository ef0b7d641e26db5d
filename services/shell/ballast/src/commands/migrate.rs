//! `ballast migrate`: the database's tables.

use crate::config::Config;
use crate::print;
use postgres_store::Store;
use std::process::ExitCode;

/// Brings the tables up to this build.
pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let store = Store::new(&config.postgres)?;
        store.migrate().await?;
        store.check().await?;
        store.close().await;
        anyhow::Ok(())
    })?;
    print::last("the database is up to date")?;
    Ok(ExitCode::SUCCESS)
}
