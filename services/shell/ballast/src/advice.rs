//! What to do next when a command has failed, beside what the error itself says: for whoever types it the first time.

use crate::cli::Command;
use kafka_log::{KafkaSettings, TopicsError};
use postgres_store::StoreError;

/// For whoever has the servers of `make up` and a new shell.
const OF_MAKE_UP: &str = "For the servers of `make up`, type in this shell: set -a; . .local/stack/env; set +a";

/// A line of advice for an error, where there is one.
pub fn advice(error: &anyhow::Error, command: &Command) -> Option<String> {
    let unreachable = error.chain().find_map(|cause| match cause.downcast_ref::<TopicsError>() {
        Some(TopicsError::Unreachable { brokers, .. }) => Some(brokers.as_str()),
        _ => None,
    });
    if matches!(command, Command::Demo(_)) {
        return unreachable.map(|_| {
            "`make demo` starts a Kafka and a Postgres of its own and runs the demo on them; `ballast demo --in-memory` needs no server"
                .to_owned()
        });
    }
    if let Some(brokers) = unreachable {
        let told = || format!("{brokers} is the default: BALLAST_KAFKA_BROKERS (or kafka.brokers) names another. {OF_MAKE_UP}");
        return (brokers == KafkaSettings::default().brokers).then(told);
    }
    let mut stores = error.chain().filter_map(|cause| cause.downcast_ref::<StoreError>());
    stores.any(StoreError::is_at_the_default_address).then(|| OF_MAKE_UP.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_default_address_is_told_to_be_one() {
        let unreachable = |brokers: &str| {
            anyhow::Error::from(TopicsError::Unreachable {
                brokers: brokers.to_owned(),
                limit: Duration::from_secs(10),
                reason: "timed out".to_owned(),
            })
        };
        let told = advice(&unreachable("localhost:9092").context("checking"), &Command::Migrate).unwrap();
        assert!(told.contains("is the default") && told.contains("BALLAST_KAFKA_BROKERS") && told.contains(".local/stack/env"), "{told}");
        assert_eq!(advice(&unreachable("kafka:9092"), &Command::Migrate), None);
        assert_eq!(advice(&anyhow::anyhow!("something else"), &Command::Migrate), None);
    }
}
