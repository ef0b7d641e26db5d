//! A record on its way into the log: where to, and its bytes.
//!
//! Promises nothing about delivery; producers do. A message can be sent again unchanged: it is
//! plain owned data.

use std::fmt;
use std::sync::Arc;

/// The name of a topic; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(Arc<str>);

impl TopicName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for TopicName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for TopicName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl From<Arc<str>> for TopicName {
    fn from(name: Arc<str>) -> Self {
        Self(name)
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where in its topic a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partition {
    /// This partition: how our own lane outputs are sent.
    Exactly(i32),
    /// The partition of its key by murmur2, as Java's clients choose it; a random one without a key.
    ByKey,
}

/// One record to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The topic.
    pub topic: TopicName,
    /// The partition.
    pub partition: Partition,
    /// The key, if any.
    pub key: Option<Vec<u8>>,
    /// The value; `None` is a tombstone in a compacted topic.
    pub value: Option<Vec<u8>>,
    /// The headers, in order; a name may repeat.
    pub headers: Vec<(Arc<str>, Vec<u8>)>,
    /// Milliseconds since 1970 (ignored by topics with LogAppendTime); `None` is the client's clock.
    pub timestamp: Option<i64>,
}

impl Message {
    /// A message for one partition of `topic`, without key or headers.
    #[must_use]
    pub fn to(topic: TopicName, partition: i32, value: Vec<u8>) -> Self {
        Self::new(topic, Partition::Exactly(partition), Some(value))
    }

    /// A message whose key chooses the partition.
    #[must_use]
    pub fn by_key(topic: TopicName, key: Vec<u8>, value: Vec<u8>) -> Self {
        Self::new(topic, Partition::ByKey, Some(value)).key(key)
    }

    /// The message with this key.
    #[must_use]
    pub fn key(mut self, key: Vec<u8>) -> Self {
        self.key = Some(key);
        self
    }

    /// The message with one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<Arc<str>>, value: Vec<u8>) -> Self {
        self.headers.push((name.into(), value));
        self
    }

    fn new(topic: TopicName, partition: Partition, value: Option<Vec<u8>>) -> Self {
        Self { topic, partition, key: None, value, headers: Vec::new(), timestamp: None }
    }
}
