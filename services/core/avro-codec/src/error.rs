//! Why bytes are no record, or a record cannot become bytes.

use crate::fault::{Fault, FaultKind};
use crate::schemas::Fingerprint;
use domain::Topic;
use domain::reason::DeadLetterCode;

/// What went wrong; [`CodecError::dead_letter_code`] says how a refused input is filed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// A null value where a record must stand.
    #[error("reading a record of {topic}: its value is null; only a policy may be, to close its portfolio")]
    NullValue {
        /// Topic of the record.
        topic: Topic,
    },
    /// A portfolio is closed without a portfolio as key.
    #[error("closing a portfolio by a null value on {topic}: the key is no portfolio id; send the portfolio's id as key")]
    ClosingKey {
        /// Topic of the record.
        topic: Topic,
    },
    /// The value starts as a schema registry's clients frame it.
    #[error(
        "reading a record of {topic}: it starts with 0x00, the framing of a schema registry, which is not read yet; \
         send Avro single-object encoding (C3 01 and the schema's fingerprint)"
    )]
    RegistryFraming {
        /// Topic of the record.
        topic: Topic,
    },
    /// The value has no bytes, and is not null.
    #[error("reading a record of {topic}: its value has no bytes; only a null value deletes, send that or a record")]
    Empty {
        /// Topic of the record.
        topic: Topic,
    },
    /// The value is not framed at all.
    #[error("reading a record of {topic}: it does not start with C3 01 and a fingerprint; the sender must use Avro single-object encoding")]
    Unframed {
        /// Topic of the record.
        topic: Topic,
    },
    /// No schema with this fingerprint is known.
    #[error(
        "reading a record of {topic}: no schema has the fingerprint {fingerprint}; \
         put the sender's .avsc into schemas.dir, restart and admit the record"
    )]
    UnknownSchema {
        /// Topic of the record.
        topic: Topic,
        /// Fingerprint in the record.
        fingerprint: Fingerprint,
    },
    /// The record is one of another topic.
    #[error("reading a record of {topic}: it is a {record}, which belongs to another topic; the sender mixed up its topics")]
    OtherRecord {
        /// Topic of the record.
        topic: Topic,
        /// Name of the record's schema.
        record: &'static str,
    },
    /// A field is wrong.
    #[error("reading a record of {topic}: {} {}; the sender must correct it", field(.fault), .fault.kind.words())]
    Body {
        /// Topic of the record.
        topic: Topic,
        /// What is wrong, and where.
        fault: Fault,
    },
    /// A record of another writer's schema cannot be read as ours.
    #[error("reading a record of {topic} written with schema {fingerprint}: {message}; the sender must correct it")]
    Resolve {
        /// Topic of the record.
        topic: Topic,
        /// Fingerprint in the record.
        fingerprint: Fingerprint,
        /// What the Avro library says.
        message: String,
    },
    /// The value is too large.
    #[error("a record of {topic} has {size} bytes and may have {limit}; split it where it is made")]
    TooLarge {
        /// Topic of the record.
        topic: Topic,
        /// Size in bytes.
        size: usize,
        /// Limit in bytes.
        limit: usize,
    },
    /// The topic holds no record of the kind that was asked for.
    #[error("reading a record of {topic}: nothing reads that topic this way; a fault of this service")]
    NotRead {
        /// Topic of the record.
        topic: Topic,
    },
    /// A record of ours cannot be written.
    #[error("writing a record of {topic}: {} {}; a fault of this service", field(.fault), .fault.kind.words())]
    Unwritable {
        /// Topic of the record.
        topic: Topic,
        /// What is wrong, and where.
        fault: Fault,
    },
    /// A record that somebody asked to send cannot be written.
    #[error("a record for {topic}: {} {}; correct it where it is made", field(.fault), .fault.kind.words())]
    Unsendable {
        /// Topic of the record.
        topic: Topic,
        /// What is wrong, and where.
        fault: Fault,
    },
    /// A schema cannot be used.
    #[error("taking in a writer's schema: {message}; correct the .avsc file")]
    Schema {
        /// What is wrong with it.
        message: String,
    },
    /// A dead letter lacks a header, or has a wrong one.
    #[error("reading a dead letter: its header {name} is missing or wrong; it was not written by this service")]
    DeadLetterHeader {
        /// Name of the header.
        name: &'static str,
    },
}

/// The name of the faulty field, or of the whole.
fn field(fault: &Fault) -> &'static str {
    if fault.field.is_empty() { "the record" } else { fault.field }
}

impl CodecError {
    /// The code under which the input is dead-lettered.
    pub const fn dead_letter_code(&self) -> DeadLetterCode {
        match self {
            Self::UnknownSchema { .. } => DeadLetterCode::UnknownSchema,
            Self::Body { fault, .. } | Self::Unwritable { fault, .. } | Self::Unsendable { fault, .. } => match fault.kind {
                FaultKind::Decimal | FaultKind::Time | FaultKind::Day => DeadLetterCode::OutOfRange,
                FaultKind::Symbol => DeadLetterCode::UnknownEnum,
                _ => DeadLetterCode::Undecodable,
            },
            _ => DeadLetterCode::Undecodable,
        }
    }
}
