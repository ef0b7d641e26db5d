//! The machine's clock as the domain's time. The core never reads it; it is told.

use domain::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in microseconds of UTC.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
