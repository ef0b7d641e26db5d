//! `ballast topics create` and `check`.

use crate::config::Config;
use crate::print::{self, counted};
use crate::topic_layout::specs;
use kafka_log::{Difference, Topics};
use std::process::ExitCode;

/// Makes what is missing, then says what differs.
pub fn create(config: &Config) -> anyhow::Result<ExitCode> {
    let specs = specs(config);
    let differences = Topics::open(&config.kafka)?.ensure(&specs)?;
    tell(specs.len(), &differences)
}

/// Says what differs.
pub fn check(config: &Config) -> anyhow::Result<ExitCode> {
    let specs = specs(config);
    let differences = Topics::open(&config.kafka)?.check(&specs)?;
    tell(specs.len(), &differences)
}

fn tell(topics: usize, differences: &[Difference]) -> anyhow::Result<ExitCode> {
    for difference in differences {
        print::last(difference)?;
    }
    if differences.is_empty() {
        print::last(format_args!("{topics} topics are as they must be"))?;
        return Ok(ExitCode::SUCCESS);
    }
    print::last(format_args!("{}: {}", counted(differences.len() as u64, "difference"), remedy(differences)))?;
    Ok(ExitCode::from(1))
}

/// What mends these differences. Making topics mends none but missing ones.
pub(super) fn remedy(differences: &[Difference]) -> String {
    let any = |of: &dyn Fn(&str) -> bool| differences.iter().any(|difference| of(&difference.what));
    let told = [
        (any(&|what| what == "topic"), "run `ballast topics create` for missing topics"),
        (
            any(&|what| what == "partitions"),
            "set `lanes` (of topics keyed by instrument: `topics.market_partitions`) to the partitions that the topics have; \
             or delete those that hold no records, then run `ballast topics create`",
        ),
        (any(&|what| !matches!(what, "topic" | "partitions")), "alter the other settings by hand (`kafka-configs --alter`)"),
    ];
    told.iter().filter(|(applies, _)| *applies).map(|(_, text)| *text).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_log::TopicName;

    #[test]
    fn making_topics_is_advised_where_it_helps() {
        let difference = |what: &str| Difference {
            topic: TopicName::from("execution.fills.v1"),
            what: what.to_owned(),
            wanted: "4".to_owned(),
            found: "6".to_owned(),
        };
        assert_eq!(remedy(&[difference("topic")]), "run `ballast topics create` for missing topics");
        let told = remedy(&[difference("partitions")]);
        assert!(told.starts_with("set `lanes`") && told.contains("hold no records"), "{told}");
        assert!(remedy(&[difference("retention.ms")]).starts_with("alter"), "nothing is made anew for that");
        assert_eq!(remedy(&[difference("topic"), difference("retention.ms")]).matches("; ").count(), 1);
    }
}
