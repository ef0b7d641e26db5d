//! The outputs of a step that closes: encoded in order, and digested. A record is not kept.

use super::error::LaneError;
use crate::codec::{Codec, Refusal};
use crate::digest::Digest;
use crate::step::Encoded;
use domain::dead_letter::DeadLetter;
use domain::{Output, PortfolioId, SmolStr, Timestamp};
use std::collections::BTreeMap;

/// What has been encoded of a step so far.
pub(super) struct Sealing<'a> {
    step: i64,
    lane: i32,
    now: Timestamp,
    traces: &'a BTreeMap<PortfolioId, SmolStr>,
    digest: Digest,
    outputs: Vec<Encoded>,
    bytes: Vec<u8>,
    /// Why the first output that could not be encoded could not.
    failed: Option<LaneError>,
}

impl<'a> Sealing<'a> {
    /// Nothing yet, of a step whose clock is `now`; with room for so many outputs.
    pub(super) fn new(step: i64, lane: i32, now: Timestamp, traces: &'a BTreeMap<PortfolioId, SmolStr>, room: usize) -> Self {
        let outputs = Vec::with_capacity(room);
        Self { step, lane, now, traces, digest: Digest::default(), outputs, bytes: Vec::new(), failed: None }
    }

    /// Encodes an output behind the others; whether it and all before it could be encoded.
    pub(super) fn add(&mut self, output: &Output, codec: &mut dyn Codec) -> bool {
        if self.failed.is_some() {
            return false;
        }
        self.bytes.clear();
        match codec.encode(output, &mut self.bytes) {
            Ok(()) => self.keep(output),
            Err(refusal) => self.failed = Some(unencodable(self.step, output, &refusal)),
        }
        self.failed.is_none()
    }

    /// All outputs and the digest over them.
    pub(super) fn finish(self) -> Result<(Vec<Encoded>, Digest), LaneError> {
        self.failed.map_or(Ok((self.outputs, self.digest)), Err)
    }

    fn keep(&mut self, output: &Output) {
        let letter = if let Output::DeadLetter(letter) = output { Some(letter) } else { None };
        let key = output.key();
        let value = if letter.is_some_and(|l| l.value.is_none()) { None } else { Some(self.bytes.clone()) };
        self.digest.parts([Some(output.topic().name().as_bytes()), key.as_deref()], value.as_deref());
        self.outputs.push(Encoded {
            topic: output.topic(),
            index: i64::try_from(self.outputs.len()).expect("a step is bounded"),
            partition: letter.map_or(self.lane, |l| l.partition),
            key,
            value,
            time: self.now,
            traceparent: output.portfolio_id().and_then(|p| self.traces.get(p)).cloned(),
            dead_letter: letter.map(|l| Box::new(DeadLetter { value: None, ..(**l).clone() })),
        });
    }
}

fn unencodable(step: i64, output: &Output, refusal: &Refusal) -> LaneError {
    LaneError::Unencodable { step, topic: output.topic(), why: refusal.text.to_string() }
}
