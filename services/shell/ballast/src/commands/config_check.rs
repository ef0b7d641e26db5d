//! `ballast config check`: what holds, without secrets.

use crate::config::Config;
use std::process::ExitCode;

/// Prints the configuration that holds; reading it has checked it.
pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    println!("{config:#?}");
    Ok(ExitCode::SUCCESS)
}
