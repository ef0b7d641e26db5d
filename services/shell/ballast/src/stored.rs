//! A record with its bytes at hand, owned: how the in-memory log keeps records and how recovery
//! hands them on.

use domain::Timestamp;
use domain::command::Header;
use engine::RecordRef;

/// Header with the event time.
pub const CE_TIME: &str = "ce_time";

/// A record that lies in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Offset.
    pub offset: i64,
    /// When it was appended, by the broker's clock.
    pub appended: Timestamp,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value.
    pub value: Option<Vec<u8>>,
    /// Headers.
    pub headers: Vec<Header>,
}

/// The event time of a record: its header, else when it was appended.
pub fn event_time(header: Option<&[u8]>, appended: Timestamp) -> Timestamp {
    header.and_then(|bytes| std::str::from_utf8(bytes).ok()).and_then(|text| text.parse().ok()).unwrap_or(appended)
}

impl RecordRef for StoredRecord {
    fn offset(&self) -> i64 {
        self.offset
    }
    fn timestamp(&self) -> Timestamp {
        event_time(self.header(CE_TIME), self.appended)
    }
    fn key(&self) -> Option<&[u8]> {
        self.key.as_deref()
    }
    fn value(&self) -> Option<&[u8]> {
        self.value.as_deref()
    }
    fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().rev().find(|header| header.name == name).map(|header| header.value.as_slice())
    }
    fn headers(&self) -> Vec<Header> {
        self.headers.clone()
    }
}
