//! `ballast config check`: what holds, without secrets.

use crate::config;
use crate::print;
use std::path::Path;
use std::process::ExitCode;

/// Prints the configuration that holds, as its file would say it; reading it checks it.
pub fn run(file: Option<&Path>, overrides: &[String]) -> anyhow::Result<ExitCode> {
    print::last(config::shown(file, overrides)?.trim_end())?;
    Ok(ExitCode::SUCCESS)
}
