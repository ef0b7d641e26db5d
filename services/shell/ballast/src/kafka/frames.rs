//! The newest frame of the topic, looked for from its end.

use avro_codec::{SchemaStore, decode_frame};
use domain::frame::Frame;
use kafka_log::{LogBounds, ReadError, Reader, TopicName};
use std::time::Duration;

/// How long one answer of the broker may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Offsets of the first look; later ones look further back.
const FIRST_LOOK: i64 = 64;

/// The bounds of the frames' topic and its newest frame, if it holds any.
pub(crate) fn newest_frame(past: &mut Reader, frames: &TopicName, schemas: &SchemaStore) -> Result<(LogBounds, Option<Frame>), ReadError> {
    let bounds = past.bounds(frames, 0, PATIENCE)?;
    let mut look = FIRST_LOOK;
    loop {
        let mut newest = None;
        let from = bounds.start.max(bounds.stable_end - look);
        past.read_range(frames, 0, (from, bounds.stable_end), PATIENCE, |record| {
            newest = record.value().and_then(|value| decode_frame(schemas, value).ok()).or(newest.take());
        })?;
        if newest.is_some() || from == bounds.start {
            return Ok((bounds, newest));
        }
        look = look.saturating_mul(8);
    }
}
