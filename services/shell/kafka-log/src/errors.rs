//! What can go wrong with the log: what was attempted, whose fault it is, whether to try again.
//!
//! Promises texts that an operator can act on. Decides nothing: callers do.

use crate::message::TopicName;
use std::time::Duration;

/// The settings contradict themselves or librdkafka refuses them. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A setting is missing or out of range.
    #[error("kafka settings: {setting}: {problem}; correct it and start again")]
    Invalid {
        /// The setting's name as the operator writes it.
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// librdkafka refused to make a client.
    #[error(
        "kafka settings: the client could not be made: {reason}; \
         check brokers, security and client overrides"
    )]
    Refused {
        /// librdkafka's own words.
        reason: String,
    },
}

/// Reading failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The reader could not be made.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The next offset is not in the log. Terminal: the reader never skips; the lane must halt.
    #[error(
        "{topic}/{partition}: offset {offset} is not in the log, which now spans \
         {log_start}..{log_end}: records that were not yet read have been deleted or the topic was \
         made anew; halted, never skipped: restore the topic or rebuild from a checkpoint"
    )]
    OutOfRange {
        /// The topic.
        topic: TopicName,
        /// The partition.
        partition: i32,
        /// The offset that was to be read next.
        offset: i64,
        /// The first offset in the log; -1 when the broker could not be asked.
        log_start: i64,
        /// The log's last stable offset; -1 when the broker could not be asked.
        log_end: i64,
    },
    /// The broker refused one partition (unknown topic, no permission, corrupt batch).
    #[error("{topic}/{partition}: reading was refused: {reason}")]
    Refused {
        /// The topic.
        topic: TopicName,
        /// The partition.
        partition: i32,
        /// librdkafka's words for it.
        reason: String,
        /// Whether the same read may succeed later.
        retry: bool,
    },
    /// An answer did not come in time; the broker is slow or away. May be tried again.
    #[error("{attempted} took longer than {limit:?}: the broker is away or slow; try again")]
    TimedOut {
        /// What was being done.
        attempted: String,
        /// The limit that passed.
        limit: Duration,
    },
    /// librdkafka failed as a whole.
    #[error("{attempted}: {reason}")]
    Client {
        /// What was being done.
        attempted: String,
        /// librdkafka's words for it.
        reason: String,
    },
}

impl ReadError {
    /// Whether the same read may succeed later, without anybody's help.
    #[must_use]
    pub fn retry(&self) -> bool {
        match self {
            Self::Settings(_) | Self::OutOfRange { .. } => false,
            Self::Refused { retry, .. } => *retry,
            Self::TimedOut { .. } | Self::Client { .. } => true,
        }
    }

    /// Whether only an operator can help, so that no reader made anew would get further. A topic that is unknown is no
    /// such case: a broker that comes up says so of topics that it has.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Settings(_) | Self::OutOfRange { .. })
    }
}

/// The tail of the progress topic could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// The log could not be read.
    #[error("the lane's progress could not be read: {0}")]
    Read(#[from] ReadError),
    /// The log was read and makes no sense.
    #[error("the lane's progress does not make sense: {0}")]
    Nonsense(String),
}

/// A lane's transaction could not be committed, now or ever.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The producer could not be made.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A newer producer owns this transactional id. Terminal: let the lane go, do not fight.
    #[error("{transactional_id}: fenced by a newer owner of the lane; let the lane go")]
    Fenced {
        /// The lane's transactional id.
        transactional_id: String,
    },
    /// The last visible step is another owner's, although this producer was not told that it is fenced.
    /// Terminal, like being fenced.
    #[error("{transactional_id}: step {step} was published by another owner of the lane; let the lane go")]
    Overtaken {
        /// The lane's transactional id.
        transactional_id: String,
        /// The step.
        step: u64,
    },
    /// A step that the brokers confirmed is not visible: they lost the end of its transaction.
    #[error("{transactional_id}: step {step} was confirmed and is not visible; the lane must recover from its progress topic")]
    Unseen {
        /// The lane's transactional id.
        transactional_id: String,
        /// The step.
        step: u64,
    },
    /// The lane was let go while something was under way; the next owner finds out what became of it.
    #[error("{transactional_id}: the lane was let go meanwhile; its next owner finds out what became of the step")]
    Abandoned {
        /// The lane's transactional id.
        transactional_id: String,
    },
    /// A record can never be written as it is: our fault, or the topic's limits are too small.
    #[error(
        "{topic}/{partition:?}: the record can never be written: {reason}; \
         check the topic's max.message.bytes and the caps on outputs"
    )]
    Refused {
        /// The topic.
        topic: TopicName,
        /// The partition that was asked for.
        partition: crate::message::Partition,
        /// Why.
        reason: String,
        /// Whether it may be written later after all: the topic may be made, or allowed.
        passes: bool,
    },
    /// A step of the protocol failed; the producer is thrown away and the commit tried again.
    #[error("{transactional_id}: {attempted}: {reason}")]
    Interrupted {
        /// The lane's transactional id.
        transactional_id: String,
        /// What was being done.
        attempted: &'static str,
        /// librdkafka's words for it.
        reason: String,
    },
    /// The commit's fate is known to nobody until the progress topic can be read.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The time for recovering from failures ran out; `in_doubt` says if the step may be visible.
    #[error(
        "{transactional_id}: gave up after {tried_for:?}; the last error was: {last}; \
         the lane must recover from its progress topic when the brokers are back"
    )]
    GaveUp {
        /// The lane's transactional id.
        transactional_id: String,
        /// How long it was tried.
        tried_for: Duration,
        /// The last error's text.
        last: String,
        /// Whether the step may nevertheless be visible.
        in_doubt: bool,
    },
    /// The producer's thread has ended (closed, fenced or failed before).
    #[error("{transactional_id}: the lane's producer has ended; spawn another after recovery")]
    Ended {
        /// The lane's transactional id.
        transactional_id: String,
    },
}

/// A message could not be handed to the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The queue stayed full: the broker is away or too slow. May be tried again.
    #[error("{topic}: the client's queue stayed full for {limit:?}: the broker is away or slow")]
    QueueFull {
        /// The topic.
        topic: TopicName,
        /// How long it was tried.
        limit: Duration,
    },
    /// The message can never be sent (too large, unknown partition): the sender's fault.
    #[error("{topic}: the message was refused: {reason}")]
    Refused {
        /// The topic.
        topic: TopicName,
        /// librdkafka's words for it.
        reason: String,
    },
}

/// Membership in the group has ended for good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MembershipError {
    /// The member could not be made.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Another process runs under the same instance name.
    #[error(
        "group {group}: another process took the instance name `{instance}`; \
         give every process its own --instance"
    )]
    DuplicateInstance {
        /// The consumer group.
        group: String,
        /// The instance name.
        instance: String,
    },
    /// The group refused us for good.
    #[error("group {group}: membership failed: {reason}")]
    Fatal {
        /// The consumer group.
        group: String,
        /// librdkafka's words for it.
        reason: String,
    },
}

/// Topics could not be made or examined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicsError {
    /// The client could not be made.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Nobody answers.
    #[error(
        "no broker answered at {brokers} within {limit:?}: is it running? Does protocol in kafka.security fit its listener? ({reason})"
    )]
    Unreachable {
        /// The brokers that were asked.
        brokers: String,
        /// How long they were given.
        limit: Duration,
        /// librdkafka's words for it.
        reason: String,
    },
    /// Somebody answers, but TLS or SASL fails.
    #[error("the connection to {brokers} could not be secured: {advice} ({problem})")]
    Insecure {
        /// The brokers that were asked.
        brokers: String,
        /// librdkafka's words for it.
        problem: String,
        /// What to change.
        advice: &'static str,
    },
    /// The cluster refused.
    #[error("{attempted}: the cluster refused: {reason}")]
    Refused {
        /// What was attempted.
        attempted: String,
        /// The broker's words for it.
        reason: String,
    },
}
