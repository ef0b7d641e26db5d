//! The worker's ports on Kafka.

mod frames;
mod heard;
mod past;
mod publisher;
mod reader;

pub(crate) use frames::newest_frame;
pub use heard::{outcome_of, taken_over};
pub use past::KafkaPast;
pub use publisher::KafkaPublisher;
pub use reader::KafkaReader;

use crate::stored::{CE_TIME, StoredRecord, event_time};
use crate::worker::ports::PortError;
use domain::command::Header;
use domain::{SmolStr, Timestamp};
use engine::RecordRef;
use kafka_log::{ReadError, Record};

/// A record in the client's buffers.
pub(crate) struct KafkaRecord<'a>(pub(crate) Record<'a>);

impl KafkaRecord<'_> {
    /// When it was appended, by the broker's clock.
    pub(crate) fn appended(&self) -> Timestamp {
        Timestamp::from_millis(self.0.timestamp().unwrap_or(0))
    }
}

impl RecordRef for KafkaRecord<'_> {
    fn offset(&self) -> i64 {
        self.0.offset()
    }
    fn timestamp(&self) -> Timestamp {
        event_time(self.0.header(CE_TIME), self.appended())
    }
    fn key(&self) -> Option<&[u8]> {
        self.0.key()
    }
    fn value(&self) -> Option<&[u8]> {
        self.0.value()
    }
    fn header(&self, name: &str) -> Option<&[u8]> {
        self.0.header(name)
    }
    fn headers(&self) -> Vec<Header> {
        let text = |bytes: &[u8]| SmolStr::new(String::from_utf8_lossy(bytes));
        self.0.headers().map(|h| Header { name: text(h.name), value: h.value.unwrap_or_default().to_vec() }).collect()
    }
}

/// A record of the client's, owned.
pub(crate) fn stored(record: &Record<'_>) -> StoredRecord {
    let record = KafkaRecord(*record);
    StoredRecord {
        offset: record.offset(),
        appended: record.appended(),
        key: record.key().map(<[u8]>::to_vec),
        value: record.value().map(<[u8]>::to_vec),
        headers: record.headers(),
    }
}

/// A read error as the worker sees it. Records that are gone and settings that cannot work stay wrong; whatever
/// else a broker says, elections and metadata in between, may pass, and the lane is recovered until it does.
#[allow(clippy::needless_pass_by_value, reason = "the shape of map_err")]
pub(crate) fn read_error(error: ReadError) -> PortError {
    if error.is_final() { PortError::of(error) } else { PortError::later(error) }
}
