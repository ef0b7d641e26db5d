//! A record becomes rows: pure functions, one file a table family.
//!
//! Promises: a record gives all its rows or none; no number is rounded. Does not judge: what the
//! lanes refuse stands in the dead letters, and a router's report under another portfolio's key has
//! no row here either.

mod closes;
mod dead_letters;
mod entries;
mod exact;
mod figures;
mod orders;
mod portfolios;
mod positions;
mod rebalances;
mod snapshots;

pub(super) use portfolios::portfolio_row;

use super::places::{Place, Source};
use avro_codec::{CodecError, SchemaStore, decode_output};
use domain::ledger::CurrencyAmount;
use domain::reason::DeadLetterCode;
use domain::{Output, PortfolioId, Timestamp, Topic};
use engine::RecordRef;
use engine::partition::lane_of;
use postgres_store::Micros;
use postgres_store::projections::ProjectionBatch;
use serde::Serialize;
use serde_json::Value;

/// Rows of many records.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Rows as the store takes them.
    pub(super) batch: ProjectionBatch,
    /// Portfolios that were closed, whose row is made of an earlier one.
    pub(super) closings: Vec<Closing>,
}

/// A portfolio was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Closing {
    /// Portfolio.
    pub(super) portfolio: PortfolioId,
    /// Partition of its records.
    pub(super) partition: i32,
    /// Offset of the drift event that said so.
    pub(super) offset: i64,
    /// When.
    pub(super) at: Micros,
}

/// Where and when a record was appended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    /// Its partition.
    pub(super) place: Place,
    /// How many lanes there are.
    pub(super) lanes: i32,
    /// The broker's time.
    pub(super) appended: Timestamp,
}

/// What rows of a record need beside it.
#[derive(Debug, Clone, Copy)]
struct Origin {
    partition: i32,
    offset: i64,
    at: Micros,
}

/// A record has no row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RowError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] CodecError),
    /// A number is beyond what a row holds: its writer's fault.
    #[error("{field} is beyond 28 digits, which no record may be; find its writer by the record's ce_source")]
    TooLarge {
        /// The field.
        field: &'static str,
    },
    /// A symbol of a newer build.
    #[error("{field} has a symbol that this build does not know: run the build that wrote it")]
    UnknownSymbol {
        /// The field.
        field: &'static str,
    },
    /// Key, portfolio and partition do not belong together: its writer's fault.
    #[error("the record of portfolio {portfolio} does not belong to this key and partition; the lanes refuse it too")]
    Misplaced {
        /// The portfolio that it names.
        portfolio: PortfolioId,
    },
}

impl RowError {
    /// The code to count it under.
    pub(super) fn code(&self) -> DeadLetterCode {
        match self {
            RowError::Unreadable(error) => error.dead_letter_code(),
            RowError::TooLarge { .. } => DeadLetterCode::OutOfRange,
            RowError::UnknownSymbol { .. } => DeadLetterCode::UnknownEnum,
            RowError::Misplaced { .. } => DeadLetterCode::WrongLane,
        }
    }
}

/// Adds a record's rows. A tombstone (a compacted topic's) has none.
pub(super) fn take(schemas: &SchemaStore, spot: Spot, record: &dyn RecordRef, into: &mut Rows) -> Result<(), RowError> {
    let topic = match spot.place.source {
        Source::Dead(topic) => {
            into.batch.dead_letters.push(dead_letters::row(topic, spot, record)?);
            return Ok(());
        }
        Source::Live(topic) => topic,
    };
    let Some(value) = record.value() else { return Ok(()) };
    let output = decode_output(schemas, topic, value)?;
    if topic == Topic::OrderStatus {
        check_place(&output, spot, record)?;
    }
    let origin = Origin { partition: spot.place.partition, offset: record.offset(), at: micros(record.timestamp()) };
    add(&output, origin, into)
}

fn add(output: &Output, origin: Origin, into: &mut Rows) -> Result<(), RowError> {
    match output {
        Output::Drift(drift) => portfolios::add(drift, origin, into),
        Output::Snapshot(snapshot) => snapshots::add(snapshot, &mut into.batch),
        Output::Ledger(ledger) => {
            let entries = entries::rows(ledger, origin)?;
            positions::add(ledger, origin, &mut into.batch)?;
            into.batch.entries.extend(entries);
            Ok(())
        }
        Output::OrderWave(wave) => orders::add_wave(wave, origin, &mut into.batch),
        Output::OrderStatus(status) => orders::add_status(status, origin, &mut into.batch),
        Output::RebalanceEvent(event) => {
            rebalances::add(event, origin, &mut into.batch);
            Ok(())
        }
        Output::PortfolioClose(close) => closes::add(close, &mut into.batch),
        Output::Performance(record) => figures::add_performance(record, origin, &mut into.batch),
        Output::Risk(record) => {
            figures::add_risk(record, origin, &mut into.batch);
            Ok(())
        }
        // They have no rows; dead letters stand on topics of their own.
        Output::Refresh(_) | Output::Fill(_) | Output::DeadLetter(_) => Ok(()),
    }
}

/// Routers are others' programs: what they write under a wrong key is refused by the lanes.
fn check_place(output: &Output, spot: Spot, record: &dyn RecordRef) -> Result<(), RowError> {
    let Some(portfolio) = output.portfolio_id() else { return Ok(()) };
    let own = portfolio.as_str().as_bytes();
    if record.key() == Some(own) && lane_of(own, spot.lanes) == spot.place.partition {
        return Ok(());
    }
    Err(RowError::Misplaced { portfolio: portfolio.clone() })
}

fn micros(time: Timestamp) -> Micros {
    Micros(time.micros())
}

fn json(record: &impl Serialize) -> Value {
    serde_json::to_value(record).expect("every record of the domain can be written as JSON")
}

fn by_currency(amounts: &[CurrencyAmount]) -> Value {
    Value::Object(amounts.iter().map(|held| (held.currency.to_string(), json(&held.amount))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored::StoredRecord;
    use domain::command::Header;

    fn status(portfolio: &str) -> Output {
        let json = format!(
            r#"{{"order_id":"6f1c1b0e-0000-5000-8000-000000000001","rebalance_id":"6f1c1b0e-0000-5000-8000-000000000002",
            "portfolio_id":"{portfolio}","status":"PART_FILLED","cum_qty":"4","leaves_qty":"6","event_time":"2026-01-05T14:30:00Z"}}"#
        );
        Output::OrderStatus(serde_json::from_str(&json).unwrap())
    }
    fn record(output: &Output, key: &str, headers: Vec<Header>) -> StoredRecord {
        let mut value = Vec::new();
        avro_codec::encode(output, &mut value).unwrap();
        let appended = Timestamp::from_millis(1_000);
        StoredRecord { offset: 7, appended, key: Some(key.as_bytes().to_vec()), value: Some(value), headers }
    }
    fn spot(topic: Topic, partition: i32) -> Spot {
        Spot { place: Place { source: Source::Live(topic), partition }, lanes: 4, appended: Timestamp::from_millis(1_000) }
    }

    #[test]
    fn a_status_becomes_a_row_only_under_its_own_key_and_in_its_own_lane() {
        let schemas = SchemaStore::compiled();
        let (output, lane) = (status("p1"), lane_of(b"p1", 4));
        let mut rows = Rows::default();
        take(&schemas, spot(Topic::OrderStatus, lane), &record(&output, "p1", Vec::new()), &mut rows).unwrap();
        assert_eq!((rows.batch.order_statuses[0].status.as_str(), rows.batch.order_statuses[0].source_offset), ("PART_FILLED", 7));
        for (key, partition) in [("p2", lane), ("p1", (lane + 1) % 4)] {
            let error = take(&schemas, spot(Topic::OrderStatus, partition), &record(&output, key, Vec::new()), &mut rows).unwrap_err();
            assert_eq!(error.code(), DeadLetterCode::WrongLane);
        }
        assert_eq!(rows.batch.order_statuses.len(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_named_and_a_tombstone_is_nothing() {
        let schemas = SchemaStore::compiled();
        let mut rows = Rows::default();
        let mut broken = record(&status("p1"), "p1", Vec::new());
        broken.value = Some(vec![0xc3, 0x01, 9]);
        let error = take(&schemas, spot(Topic::Snapshots, 0), &broken, &mut rows).unwrap_err();
        assert_eq!(error.code(), DeadLetterCode::Undecodable);
        broken.value = None;
        take(&schemas, spot(Topic::Snapshots, 0), &broken, &mut rows).unwrap();
        assert!(rows.batch.snapshots.is_empty());
    }
}
