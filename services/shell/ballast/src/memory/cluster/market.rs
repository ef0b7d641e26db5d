//! The conflator's place in the cluster: it reads every source, appends frames, reads them back.

use super::{ClusterError, ClusterSettings};
use crate::avro::AvroCodec;
use crate::memory::MemoryLog;
use crate::messages::{OutMessage, cloud_event, input_topic};
use avro_codec::{SchemaStore, decode_frame, encode_frame};
use conflator::{Conflator, Limits, SOURCES, Tail};
use domain::frame::Frame;
use domain::{Input, Topic};
use engine::{Codec, Origin, RecordRef};

/// Whether an input is for every lane.
pub(super) fn is_market(input: &Input) -> bool {
    SOURCES.contains(&input_topic(input))
}

/// The conflator, alive or dead.
pub(super) struct Market {
    log: MemoryLog,
    partitions: i32,
    limits: Limits,
    conflator: Option<Conflator>,
    codec: AvroCodec,
}

impl Market {
    pub(super) fn new(log: MemoryLog, settings: &ClusterSettings) -> Self {
        let limits = Limits { future_tick_seconds: settings.core.future_tick_seconds, ..Limits::default() };
        Self { log, partitions: settings.market_partitions, limits, conflator: None, codec: AvroCodec::default() }
    }
    pub(super) fn kill(&mut self) {
        self.conflator = None;
    }

    /// One turn; whether a frame was appended.
    pub(super) fn turn(&mut self) -> Result<bool, ClusterError> {
        let mut conflator = match self.conflator.take() {
            Some(conflator) => conflator,
            None => self.resume()?,
        };
        let mut moved = false;
        for (topic, partition) in sources(self.partitions) {
            let from = conflator.position(topic, partition).unwrap_or(0);
            for record in &self.log.read(topic.name(), partition, from) {
                let decoded = self.codec.decode(topic, record.key(), record.value());
                let origin = Origin { topic, partition, record };
                if let Some(frame) = conflator.fold(record.timestamp(), &origin, decoded) {
                    self.publish(&mut conflator, &frame)?;
                    moved = true;
                }
            }
        }
        while let Some(frame) = conflator.frame() {
            self.publish(&mut conflator, &frame)?;
            moved = true;
        }
        self.conflator = Some(conflator);
        Ok(moved)
    }

    fn resume(&self) -> Result<Conflator, ClusterError> {
        let schemas = SchemaStore::compiled();
        let mut tail = Tail::default();
        for record in self.log.read(Topic::Frames.name(), 0, 0) {
            let frame = decode_frame(&schemas, record.value.as_deref().unwrap_or_default())?;
            tail.read(record.offset, &frame);
        }
        let mut conflator = Conflator::resume(tail, self.limits);
        for (topic, partition) in sources(self.partitions) {
            conflator.start(topic, partition, 0);
        }
        Ok(conflator)
    }

    /// Appends a frame and reads it back.
    fn publish(&self, conflator: &mut Conflator, frame: &Frame) -> Result<(), ClusterError> {
        let mut value = Vec::new();
        encode_frame(frame, &mut value)?;
        let headers = cloud_event("/ballast/conflator", Topic::Frames, "frame", frame.event_time);
        let offset = self.log.append(OutMessage { topic: Topic::Frames.name(), partition: 0, key: None, value: Some(value), headers });
        conflator.observed(offset, frame).map_err(|ended| ClusterError::Market(format!("{ended:?}")))?;
        Ok(())
    }
}

fn sources(partitions: i32) -> impl Iterator<Item = (Topic, i32)> {
    SOURCES.into_iter().flat_map(move |topic| (0..partitions).map(move |partition| (topic, partition)))
}
