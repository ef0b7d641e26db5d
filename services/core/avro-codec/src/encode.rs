//! Records of the domain become bytes of a topic, always in this build's schema. What is written can
//! be read back: a value that no reader would accept is refused here, where it was made.

use crate::error::CodecError;
use crate::fault::Fault;
use crate::limits::record_limit;
use crate::schemas::compiled;
use crate::wire::Wire;
use crate::writer::{ROOM, Writer};
use domain::frame::Frame;
use domain::progress::Progress;
use domain::{Input, Output, Topic};

/// Appends an output. Of a dead letter these are the original bytes; its other fields are
/// [`crate::dead_letter_headers`]. A dead letter without a value appends nothing.
///
/// # Errors
/// [`CodecError::Unwritable`], [`CodecError::TooLarge`]; `into` is then as it was.
pub fn encode(output: &Output, into: &mut Vec<u8>) -> Result<(), CodecError> {
    let topic = output.topic();
    match output {
        Output::Ledger(record) => write(topic, &**record, into),
        Output::Snapshot(record) => write(topic, &**record, into),
        Output::Drift(record) => write(topic, &**record, into),
        Output::PortfolioClose(record) => write(topic, &**record, into),
        Output::Performance(record) => write(topic, &**record, into),
        Output::Risk(record) => write(topic, &**record, into),
        Output::OrderWave(record) => write(topic, &**record, into),
        Output::RebalanceEvent(record) => write(topic, &**record, into),
        Output::Refresh(record) => write(topic, &**record, into),
        Output::Fill(record) => write(topic, &**record, into),
        Output::OrderStatus(record) => write(topic, &**record, into),
        Output::DeadLetter(letter) => {
            into.extend_from_slice(letter.value.as_deref().unwrap_or_default());
            Ok(())
        }
    }
}

/// Appends an input, for those who publish one. The closing of a portfolio appends nothing: its value is null.
///
/// # Errors
/// [`CodecError::Unsendable`], [`CodecError::TooLarge`]; `into` is then as it was.
pub fn encode_input(input: &Input, into: &mut Vec<u8>) -> Result<(), CodecError> {
    write_input(input, into).map_err(|error| match error {
        // It is a record of the sender's, not one that was made here.
        CodecError::Unwritable { topic, fault } => CodecError::Unsendable { topic, fault },
        other => other,
    })
}

fn write_input(input: &Input, into: &mut Vec<u8>) -> Result<(), CodecError> {
    match input {
        Input::Fill(record) => write(Topic::Fills, &**record, into),
        Input::Cash(record) => write(Topic::Cash, &**record, into),
        Input::Policy(record) => write(Topic::Policies, &**record, into),
        Input::PolicyClosed(_) => Ok(()),
        Input::Tick(record) => write(Topic::Ticks, &**record, into),
        Input::Instrument(record) => write(Topic::Instruments, &**record, into),
        Input::CorporateAction(record) => write(Topic::CorporateActions, &**record, into),
        Input::MarketStatus(record) => write(Topic::MarketStatus, &**record, into),
        Input::Close(record) => write(Topic::Closes, &**record, into),
        Input::OrderStatus(record) => write(Topic::OrderStatus, &**record, into),
        Input::Command(record) => write(Topic::Commands, &**record, into),
        Input::Refresh(record) => write(Topic::Refresh, &**record, into),
        Input::Drift(record) => write(Topic::Drift, &**record, into),
        Input::OrderWave(record) => write(Topic::Orders, &**record, into),
        Input::Frame(record) => encode_frame(record, into),
        Input::Ledger(record) => write(Topic::Ledger, &**record, into),
        Input::PortfolioClose(record) => write(Topic::PortfolioCloses, &**record, into),
        Input::Risk(record) => write(Topic::Risk, &**record, into),
    }
}

/// Appends a frame.
///
/// # Errors
/// As [`encode`].
pub fn encode_frame(frame: &Frame, into: &mut Vec<u8>) -> Result<(), CodecError> {
    write(Topic::Frames, frame, into)
}

/// Appends a record of a progress topic; every role's has the same schema.
///
/// # Errors
/// As [`encode`].
pub fn encode_progress(progress: &Progress, into: &mut Vec<u8>) -> Result<(), CodecError> {
    write(Topic::PositionKeeperProgress, progress, into)
}

#[inline]
fn write<T: Wire>(topic: Topic, record: &T, into: &mut Vec<u8>) -> Result<(), CodecError> {
    let start = into.len();
    let written = framed(topic, record, into).map_err(|fault| CodecError::Unwritable { topic, fault });
    let (size, limit) = (into.len() - start, record_limit(topic));
    let checked = if size > limit { Err(CodecError::TooLarge { topic, size, limit }) } else { Ok(()) };
    let result = written.and(checked);
    if result.is_err() {
        into.truncate(start);
    }
    result
}

#[inline]
fn framed<T: Wire>(topic: Topic, record: &T, into: &mut Vec<u8>) -> Result<(), Fault> {
    let mut room = [0; ROOM];
    let mut writer = Writer::new(into, &mut room);
    writer.array([0xc3, 0x01]);
    writer.array(compiled(topic).fingerprint.to_wire());
    record.write(&mut writer);
    writer.finish()
}
