//! Topics: made where they are missing, compared with what they should be where they are not.
//!
//! Promises never to alter or delete a topic that exists: a difference is a value for a person to
//! judge. Knows no topic by name.

use crate::callbacks::Callbacks;
use crate::client_config;
use crate::errors::{SettingsError, TopicsError};
use crate::handshake;
use crate::message::TopicName;
use crate::reader::Pace;
use crate::settings::KafkaSettings;
use crate::wait::wait_for;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// How long the brokers may take to answer at all.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// How long making topics may take.
const MAKE_LIMIT: Duration = Duration::from_secs(30);

/// Between two questions to brokers that are not there.
const PAUSE: Duration = Duration::from_millis(200);
/// What differs of a topic that is not there.
const MISSING: &str = "topic";
/// Codes that say that nobody has answered.
const LOST: [RDKafkaErrorCode; 3] =
    [RDKafkaErrorCode::BrokerTransportFailure, RDKafkaErrorCode::AllBrokersDown, RDKafkaErrorCode::OperationTimedOut];

/// What a topic should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name.
    pub name: TopicName,
    /// How many partitions.
    pub partitions: i32,
    /// How many replicas of each; -1 is the cluster's default, and is not compared.
    pub replication: i32,
    /// Topic configuration: `cleanup.policy`, `retention.ms`, `max.message.bytes`,
    /// `message.timestamp.type`, …; every entry is set when made and compared when found.
    pub configs: BTreeMap<String, String>,
}

/// One way in which a topic is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The topic.
    pub topic: TopicName,
    /// `partitions`, `replication`, `topic` (it is missing) or a configuration's name.
    pub what: String,
    /// What it should be.
    pub wanted: String,
    /// What it is.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, what, wanted, found } = self;
        write!(f, "{topic}: {what} should be {wanted} and is {found}")
    }
}

/// What a topic is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDescription {
    /// Its name.
    pub name: TopicName,
    /// How many partitions.
    pub partitions: i32,
    /// The fewest replicas that any partition has.
    pub replication: i32,
    /// Its whole configuration, defaults included.
    pub configs: BTreeMap<String, String>,
}

/// The administration of one cluster.
pub struct Topics {
    client: AdminClient<Callbacks>,
    /// Of a client that finds out why no broker answers.
    asking: ClientConfig,
    brokers: String,
    limit: Duration,
}

impl Topics {
    /// A client; contacts nobody yet.
    ///
    /// # Errors
    /// [`TopicsError::Settings`].
    pub fn open(settings: &KafkaSettings) -> Result<Self, TopicsError> {
        let config = client_config::admin(settings)?;
        let made = config.create_with_context(Callbacks::default());
        let client = made.map_err(|error| SettingsError::Refused { reason: error.to_string() })?;
        let asking = client_config::reader(settings, Pace::Recovery, "asking")?;
        Ok(Self { client, asking, brokers: settings.brokers.clone(), limit: ANSWER_LIMIT })
    }

    /// The same client with another limit for the brokers' first answer (10 s by default).
    #[must_use]
    pub fn answering_within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Makes the topics that are missing and compares the others; returns every difference.
    ///
    /// # Errors
    /// [`TopicsError::Unreachable`]; [`TopicsError::Refused`] when a topic cannot be made.
    pub fn ensure(&self, specs: &[TopicSpec]) -> Result<Vec<Difference>, TopicsError> {
        let there = self.names()?;
        let missing: Vec<&TopicSpec> = specs.iter().filter(|spec| !there.contains(&spec.name)).collect();
        self.make(&missing)?;
        self.check_made(specs, &missing)
    }

    /// Compares once the brokers know of what was made: the controller knows of it before the others hear, and each question
    /// goes to any of them.
    fn check_made(&self, specs: &[TopicSpec], made: &[&TopicSpec]) -> Result<Vec<Difference>, TopicsError> {
        let deadline = Instant::now() + MAKE_LIMIT;
        loop {
            let checked = self.check(specs);
            let is_new = |difference: &Difference| difference.what == MISSING && made.iter().any(|spec| spec.name == difference.topic);
            let heard = match &checked {
                Ok(differences) => !differences.iter().any(is_new),
                Err(TopicsError::Refused { .. }) => made.is_empty(),
                Err(_) => true,
            };
            if heard || Instant::now() >= deadline {
                return checked;
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Compares, and makes nothing; a missing topic is a difference.
    ///
    /// # Errors
    /// [`TopicsError::Unreachable`] or [`TopicsError::Refused`].
    pub fn check(&self, specs: &[TopicSpec]) -> Result<Vec<Difference>, TopicsError> {
        let names: Vec<TopicName> = specs.iter().map(|spec| spec.name.clone()).collect();
        let found = self.describe(&names)?;
        let found: BTreeMap<&TopicName, &TopicDescription> = found.iter().map(|description| (&description.name, description)).collect();
        let compare = |spec: &TopicSpec| differences(spec, found.get(&spec.name).copied());
        Ok(specs.iter().flat_map(compare).collect())
    }

    /// What these topics are; those that do not exist are left out.
    ///
    /// # Errors
    /// [`TopicsError::Unreachable`] or [`TopicsError::Refused`].
    pub fn describe(&self, topics: &[TopicName]) -> Result<Vec<TopicDescription>, TopicsError> {
        let metadata = self.metadata()?;
        let there: Vec<_> = metadata.topics().iter().filter(|topic| topics.iter().any(|t| t.as_str() == topic.name())).collect();
        if there.is_empty() {
            return Ok(Vec::new());
        }
        let asked: Vec<_> = there.iter().map(|topic| ResourceSpecifier::Topic(topic.name())).collect();
        let answered = self.patiently("describing topics", || wait_for(self.client.describe_configs(&asked, &self.options())))?;
        let configs =
            answered.into_iter().map(|answer| answer.map_err(|code| refused("describing topics", code.to_string())).map(configs_of));
        there.iter().zip(configs).map(|(topic, configs)| described(topic, configs?)).collect()
    }

    /// The names of all topics.
    ///
    /// # Errors
    /// [`TopicsError::Unreachable`].
    pub fn names(&self) -> Result<Vec<TopicName>, TopicsError> {
        Ok(self.metadata()?.topics().iter().map(|topic| TopicName::from(topic.name())).collect())
    }

    /// How many partitions a topic has; `None` where there is none of that name. Needs no right but to see it.
    ///
    /// # Errors
    /// [`TopicsError::Unreachable`].
    pub fn partitions(&self, topic: &TopicName) -> Result<Option<usize>, TopicsError> {
        let metadata = self.metadata()?;
        Ok(metadata.topics().iter().find(|found| found.name() == topic.as_str()).map(|found| found.partitions().len()))
    }

    /// Deletes topics and everything in them; for tests and demonstrations.
    ///
    /// # Errors
    /// [`TopicsError::Refused`].
    pub fn delete(&self, topics: &[TopicName]) -> Result<(), TopicsError> {
        let names: Vec<&str> = topics.iter().map(TopicName::as_str).collect();
        let deleted = wait_for(self.client.delete_topics(&names, &self.options()));
        let deleted = deleted.map_err(|error| refused("deleting topics", error.to_string()))?;
        match deleted.into_iter().find_map(Result::err) {
            None => Ok(()),
            Some((topic, code)) => Err(refused(&format!("deleting {topic}"), code.to_string())),
        }
    }

    fn make(&self, specs: &[&TopicSpec]) -> Result<(), TopicsError> {
        if specs.is_empty() {
            return Ok(());
        }
        let made = specs.iter().map(|spec| new_topic(spec)).collect::<Vec<_>>();
        let answers = wait_for(self.client.create_topics(&made, &self.options()));
        let answers = answers.map_err(|error| refused("making topics", error.to_string()))?;
        for (topic, code) in answers.into_iter().filter_map(Result::err) {
            // Another process may make the same topics; what it made is compared afterwards.
            if code != RDKafkaErrorCode::TopicAlreadyExists {
                return Err(refused(&format!("making {topic}"), code.to_string()));
            }
        }
        Ok(())
    }

    /// Asks again while connections are lost, as a broker that starts anew loses them all: nobody has refused anything.
    fn patiently<T>(&self, attempted: &str, ask: impl Fn() -> KafkaResult<T>) -> Result<T, TopicsError> {
        let deadline = Instant::now() + self.limit;
        loop {
            let error = match ask() {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !matches!(&error, KafkaError::AdminOp(code) if LOST.contains(code)) {
                return Err(refused(attempted, error.to_string()));
            }
            if Instant::now() >= deadline {
                return Err(self.unreachable(&error.to_string()));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// All topics': asking for one by name would make it where brokers make topics on demand.
    fn metadata(&self) -> Result<Metadata, TopicsError> {
        let fetched = self.client.inner().fetch_metadata(None, self.limit);
        fetched.map_err(|error| self.unreachable(&error.to_string()))
    }

    fn options(&self) -> AdminOptions {
        AdminOptions::new().request_timeout(Some(MAKE_LIMIT)).operation_timeout(Some(MAKE_LIMIT))
    }

    fn unreachable(&self, reason: &str) -> TopicsError {
        let (brokers, limit) = (self.brokers.clone(), self.limit);
        if let Some((problem, advice)) = handshake::diagnosis(&self.asking) {
            return TopicsError::Insecure { brokers, problem, advice };
        }
        TopicsError::Unreachable { brokers, limit, reason: reason.to_owned() }
    }
}

fn refused(attempted: &str, reason: String) -> TopicsError {
    TopicsError::Refused { attempted: attempted.to_owned(), reason }
}

fn new_topic(spec: &TopicSpec) -> NewTopic<'_> {
    let replication = TopicReplication::Fixed(spec.replication);
    let topic = NewTopic::new(spec.name.as_str(), spec.partitions, replication);
    spec.configs.iter().fold(topic, |topic, (name, value)| topic.set(name, value))
}

fn configs_of(resource: ConfigResource) -> BTreeMap<String, String> {
    let set = |entry: rdkafka::admin::ConfigEntry| Some((entry.name, entry.value?));
    resource.entries.into_iter().filter_map(set).collect()
}

fn described(topic: &rdkafka::metadata::MetadataTopic, configs: BTreeMap<String, String>) -> Result<TopicDescription, TopicsError> {
    let count = |n: usize| i32::try_from(n).map_err(|error| refused("describing topics", error.to_string()));
    let replicas = topic.partitions().iter().map(|partition| partition.replicas().len()).min();
    Ok(TopicDescription {
        name: TopicName::from(topic.name()),
        partitions: count(topic.partitions().len())?,
        replication: count(replicas.unwrap_or(0))?,
        configs,
    })
}

fn differences(spec: &TopicSpec, found: Option<&TopicDescription>) -> Vec<Difference> {
    let difference =
        |what: &str, wanted: String, found: String| Difference { topic: spec.name.clone(), what: what.to_owned(), wanted, found };
    let Some(found) = found else {
        return vec![difference(MISSING, "there".to_owned(), "missing".to_owned())];
    };
    let mut all = Vec::new();
    if spec.partitions != found.partitions {
        all.push(difference("partitions", spec.partitions.to_string(), found.partitions.to_string()));
    }
    if spec.replication != -1 && spec.replication != found.replication {
        all.push(difference("replication", spec.replication.to_string(), found.replication.to_string()));
    }
    for (name, wanted) in &spec.configs {
        let is = found.configs.get(name).map_or("not set", String::as_str);
        if is != wanted {
            all.push(difference(name, wanted.clone(), is.to_owned()));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> TopicSpec {
        let configs = [("cleanup.policy", "delete"), ("retention.ms", "-1")];
        TopicSpec {
            name: TopicName::from("a.b.v1"),
            partitions: 4,
            replication: -1,
            configs: configs.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        }
    }

    #[test]
    fn every_difference_is_told() {
        let spec = spec();
        let mut found = TopicDescription { name: spec.name.clone(), partitions: 4, replication: 1, configs: spec.configs.clone() };
        assert_eq!(differences(&spec, Some(&found)), []);
        found.partitions = 3;
        found.configs.insert("retention.ms".into(), "1000".into());
        found.configs.remove("cleanup.policy");
        let told: Vec<String> = differences(&spec, Some(&found)).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "a.b.v1: partitions should be 4 and is 3",
                "a.b.v1: cleanup.policy should be delete and is not set",
                "a.b.v1: retention.ms should be -1 and is 1000",
            ]
        );
    }

    #[test]
    fn a_missing_topic_is_one_difference() {
        let told = differences(&spec(), None);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].to_string(), "a.b.v1: topic should be there and is missing");
    }
}
