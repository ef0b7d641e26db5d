//! Bytes of a topic become a record of the domain. Any bytes may be handed in: they are refused, or
//! they are a record within every limit; nothing panics, nothing is read in part.

use crate::error::CodecError;
use crate::fault::Fault;
use crate::limits::{record_limit, text_limit};
use crate::reader::Reader;
use crate::schemas::{Fingerprint, compiled};
use crate::store::{SchemaStore, is_compiled};
use crate::wire::Wire;
use domain::frame::Frame;
use domain::progress::Progress;
use domain::{Input, Output, PortfolioId, Topic};

/// A record that a role reads, from its key and value as the broker gave them.
///
/// # Errors
/// A [`CodecError`] whose [`CodecError::dead_letter_code`] says how to file the record.
pub fn decode(schemas: &SchemaStore, topic: Topic, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Input, CodecError> {
    let Some(value) = value else {
        return closing(topic, key);
    };
    Ok(match topic {
        Topic::Fills => Input::Fill(boxed(schemas, topic, value)?),
        Topic::Cash => Input::Cash(boxed(schemas, topic, value)?),
        Topic::Policies => Input::Policy(boxed(schemas, topic, value)?),
        Topic::Ticks => Input::Tick(boxed(schemas, topic, value)?),
        Topic::Instruments => Input::Instrument(boxed(schemas, topic, value)?),
        Topic::CorporateActions => Input::CorporateAction(boxed(schemas, topic, value)?),
        Topic::MarketStatus => Input::MarketStatus(boxed(schemas, topic, value)?),
        Topic::Closes => Input::Close(boxed(schemas, topic, value)?),
        Topic::OrderStatus => Input::OrderStatus(boxed(schemas, topic, value)?),
        Topic::Commands => Input::Command(boxed(schemas, topic, value)?),
        Topic::Refresh => Input::Refresh(boxed(schemas, topic, value)?),
        Topic::Drift => Input::Drift(boxed(schemas, topic, value)?),
        Topic::Orders => Input::OrderWave(boxed(schemas, topic, value)?),
        Topic::Frames => Input::Frame(boxed(schemas, topic, value)?),
        Topic::Ledger => Input::Ledger(boxed(schemas, topic, value)?),
        Topic::PortfolioCloses => Input::PortfolioClose(boxed(schemas, topic, value)?),
        Topic::Risk => Input::Risk(boxed(schemas, topic, value)?),
        Topic::Snapshots
        | Topic::RebalanceEvents
        | Topic::Performance
        | Topic::PositionKeeperProgress
        | Topic::RebalancerProgress
        | Topic::PaperRouterProgress
        | Topic::PerformanceTrackerProgress => return Err(CodecError::NotRead { topic }),
    })
}

/// A record that a role wrote, for those who only look: projections, verification, people.
///
/// # Errors
/// As [`decode`]; [`CodecError::NotRead`] for a topic that holds no output.
pub fn decode_output(schemas: &SchemaStore, topic: Topic, value: &[u8]) -> Result<Output, CodecError> {
    Ok(match topic {
        Topic::Ledger => Output::Ledger(boxed(schemas, topic, value)?),
        Topic::Snapshots => Output::Snapshot(boxed(schemas, topic, value)?),
        Topic::Drift => Output::Drift(boxed(schemas, topic, value)?),
        Topic::PortfolioCloses => Output::PortfolioClose(boxed(schemas, topic, value)?),
        Topic::Performance => Output::Performance(boxed(schemas, topic, value)?),
        Topic::Risk => Output::Risk(boxed(schemas, topic, value)?),
        Topic::Orders => Output::OrderWave(boxed(schemas, topic, value)?),
        Topic::RebalanceEvents => Output::RebalanceEvent(boxed(schemas, topic, value)?),
        Topic::Refresh => Output::Refresh(boxed(schemas, topic, value)?),
        Topic::Fills => Output::Fill(boxed(schemas, topic, value)?),
        Topic::OrderStatus => Output::OrderStatus(boxed(schemas, topic, value)?),
        _ => return Err(CodecError::NotRead { topic }),
    })
}

/// A frame.
///
/// # Errors
/// As [`decode`].
pub fn decode_frame(schemas: &SchemaStore, value: &[u8]) -> Result<Frame, CodecError> {
    record(schemas, Topic::Frames, value)
}

/// A record of any role's progress topic.
///
/// # Errors
/// As [`decode`].
pub fn decode_progress(schemas: &SchemaStore, value: &[u8]) -> Result<Progress, CodecError> {
    record(schemas, Topic::PositionKeeperProgress, value)
}

/// A null value: it closes the portfolio that its key names, on the topic of policies alone.
fn closing(topic: Topic, key: Option<&[u8]>) -> Result<Input, CodecError> {
    if topic != Topic::Policies {
        return Err(CodecError::NullValue { topic });
    }
    let key = key.and_then(|key| std::str::from_utf8(key).ok());
    let portfolio = key.and_then(|key| PortfolioId::new(key).ok());
    portfolio.map(Input::PolicyClosed).ok_or(CodecError::ClosingKey { topic })
}

#[inline]
fn boxed<T: Wire>(schemas: &SchemaStore, topic: Topic, value: &[u8]) -> Result<Box<T>, CodecError> {
    with_body(schemas, topic, value, |body| boxed_body(topic, body))
}

fn record<T: Wire>(schemas: &SchemaStore, topic: Topic, value: &[u8]) -> Result<T, CodecError> {
    with_body(schemas, topic, value, |body| body_of(topic, body).map_err(|fault| CodecError::Body { topic, fault }))
}

/// A record read into its place on the heap: nothing of its size is moved on the way out.
#[inline]
fn boxed_body<T: Wire>(topic: Topic, body: &[u8]) -> Result<Box<T>, CodecError> {
    match body_of(topic, body) {
        Ok(record) => Ok(Box::new(record)),
        Err(fault) => Err(CodecError::Body { topic, fault }),
    }
}

#[inline(always)]
fn body_of<T: Wire>(topic: Topic, body: &[u8]) -> Result<T, Fault> {
    let mut reader = Reader::within(body, text_limit(topic));
    let record = T::read(&mut reader)?;
    reader.end()?;
    Ok(record)
}

/// Looks at the framing and hands on a body of our schema.
#[inline]
fn with_body<R>(
    schemas: &SchemaStore,
    topic: Topic,
    value: &[u8],
    read: impl FnOnce(&[u8]) -> Result<R, CodecError>,
) -> Result<R, CodecError> {
    let limit = record_limit(topic);
    if value.len() > limit {
        return Err(CodecError::TooLarge { topic, size: value.len(), limit });
    }
    let Some(([0xc3, 0x01, fingerprint @ ..], body)) = value.split_first_chunk::<10>() else {
        return Err(unframed(topic, value));
    };
    let fingerprint = Fingerprint::from_wire(*fingerprint);
    if fingerprint == compiled(topic).fingerprint { read(body) } else { read(&resolved(schemas, topic, fingerprint, body)?) }
}

#[cold]
fn unframed(topic: Topic, value: &[u8]) -> CodecError {
    match value.first() {
        None => CodecError::Empty { topic },
        Some(0) => CodecError::RegistryFraming { topic },
        Some(_) => CodecError::Unframed { topic },
    }
}

/// The body of a record of another schema, as a body of ours.
#[cold]
fn resolved(schemas: &SchemaStore, topic: Topic, fingerprint: Fingerprint, body: &[u8]) -> Result<Vec<u8>, CodecError> {
    let Some(resolver) = schemas.resolver(fingerprint) else {
        return Err(match is_compiled(fingerprint) {
            Some(other) => CodecError::OtherRecord { topic, record: other.record },
            None => CodecError::UnknownSchema { topic, fingerprint },
        });
    };
    if resolver.ours.name != compiled(topic).name {
        return Err(CodecError::OtherRecord { topic, record: resolver.ours.record });
    }
    resolver.resolve(body).map_err(|message| CodecError::Resolve { topic, fingerprint, message })
}
