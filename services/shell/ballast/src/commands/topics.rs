//! `ballast topics create` and `check`.

use crate::config::Config;
use crate::topic_layout::specs;
use kafka_log::{Difference, Topics};
use std::process::ExitCode;

/// Makes what is missing, then says what differs.
pub fn create(config: &Config) -> anyhow::Result<ExitCode> {
    let specs = specs(config);
    let differences = Topics::open(&config.kafka)?.ensure(&specs)?;
    Ok(tell(specs.len(), &differences))
}

/// Says what differs.
pub fn check(config: &Config) -> anyhow::Result<ExitCode> {
    let specs = specs(config);
    let differences = Topics::open(&config.kafka)?.check(&specs)?;
    Ok(tell(specs.len(), &differences))
}

fn tell(topics: usize, differences: &[Difference]) -> ExitCode {
    for difference in differences {
        println!("{difference}");
    }
    if differences.is_empty() {
        println!("{topics} topics are as they must be");
        return ExitCode::SUCCESS;
    }
    println!("{} differences: run `ballast topics create` for missing topics; recreate or alter the others by hand", differences.len());
    ExitCode::from(1)
}
