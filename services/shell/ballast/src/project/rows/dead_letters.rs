//! Dead letters with their original bytes, so that an operator can see them and take them back in.

use super::{RowError, Spot, json, micros};
use avro_codec::dead_letter_from;
use domain::dead_letter::DeadLetter;
use domain::{PortfolioId, Topic};
use engine::RecordRef;
use engine::repeats::STEP;
use postgres_store::projections::DeadLetterRow;

/// Header with the lane that refused the original.
const LANE: &str = "lane";

/// The row of a record of a topic's dead letters.
pub(super) fn row(topic: Topic, spot: Spot, record: &dyn RecordRef) -> Result<DeadLetterRow, RowError> {
    let headers = record.headers();
    let pairs = headers.iter().map(|header| (header.name.as_str(), header.value.as_slice()));
    let letter = dead_letter_from(record.key(), record.value(), pairs)?;
    Ok(DeadLetterRow {
        topic: topic.dead_letters().to_owned(),
        partition: spot.place.partition,
        offset: record.offset(),
        source_topic: letter.topic.name().to_owned(),
        source_partition: letter.partition,
        source_offset: letter.offset,
        code: letter.code.symbol().to_owned(),
        reason: letter.text.to_string(),
        portfolio_id: portfolio(&letter),
        lane: number(record, LANE),
        step: number(record, STEP),
        // As an ADMIT wants them: values as hexadecimal digits.
        headers: json(&letter.headers),
        key: letter.key,
        body: letter.value,
        at: micros(spot.appended),
    })
}

fn portfolio(letter: &DeadLetter) -> Option<String> {
    let keyed = || {
        let text = std::str::from_utf8(letter.key.as_deref()?).ok()?;
        PortfolioId::new(text).ok().filter(|_| is_keyed_by_portfolio(letter.topic))
    };
    letter.portfolio_id.clone().or_else(keyed).map(|portfolio| portfolio.to_string())
}

fn is_keyed_by_portfolio(topic: Topic) -> bool {
    !matches!(topic, Topic::Ticks | Topic::Instruments | Topic::CorporateActions | Topic::MarketStatus | Topic::Closes | Topic::Frames)
}

fn number<T: std::str::FromStr>(record: &dyn RecordRef, name: &str) -> Option<T> {
    std::str::from_utf8(record.header(name)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::places::{Place, Source};
    use crate::stored::StoredRecord;
    use avro_codec::dead_letter_headers;
    use domain::command::Header;
    use domain::reason::DeadLetterCode;
    use domain::{SmolStr, Timestamp};

    fn letter(topic: Topic, key: &[u8]) -> DeadLetter {
        DeadLetter {
            topic,
            partition: 2,
            offset: 31,
            code: DeadLetterCode::Undecodable,
            text: SmolStr::new("no framing: send single-object encoding"),
            portfolio_id: None,
            timestamp: Timestamp::from_millis(1),
            key: Some(key.to_vec()),
            headers: vec![Header { name: SmolStr::new("ce_id"), value: b"x".to_vec() }],
            value: Some(vec![0, 255, 7]),
        }
    }
    fn record(letter: &DeadLetter) -> StoredRecord {
        let mut headers: Vec<_> = dead_letter_headers(letter).into_iter().map(|(name, value)| Header { name, value }).collect();
        let own = |name: &str, value: &str| Header { name: SmolStr::new(name), value: value.as_bytes().to_vec() };
        headers.extend([own("lane", "2"), own("step", "19"), own("index", "0")]);
        StoredRecord { offset: 5, appended: Timestamp::from_millis(9), key: letter.key.clone(), value: letter.value.clone(), headers }
    }
    fn spot(topic: Topic) -> Spot {
        Spot { place: Place { source: Source::Dead(topic), partition: 2 }, lanes: 4, appended: Timestamp::from_millis(9) }
    }

    #[test]
    fn a_dead_letter_keeps_its_bytes_its_place_and_its_reason() {
        let row = row(Topic::Fills, spot(Topic::Fills), &record(&letter(Topic::Fills, b"p1"))).unwrap();
        assert_eq!((row.topic.as_str(), row.partition, row.offset), ("execution.fills.v1.dlq", 2, 5));
        assert_eq!((row.source_topic.as_str(), row.source_partition, row.source_offset), ("execution.fills.v1", 2, 31));
        assert_eq!((row.code.as_str(), row.lane, row.step), ("UNDECODABLE", Some(2), Some(19)));
        assert_eq!((row.body.as_deref(), row.key.as_deref()), (Some(&[0, 255, 7][..]), Some(&b"p1"[..])));
        assert_eq!((row.portfolio_id.as_deref(), row.at.0), (Some("p1"), 9_000));
        assert_eq!((&row.headers[0]["name"], &row.headers[0]["value"]), (&"ce_id".into(), &"78".into()));
    }

    #[test]
    fn a_key_that_names_no_portfolio_is_none() {
        let row_of = |topic, key: &[u8]| row(topic, spot(topic), &record(&letter(topic, key))).unwrap().portfolio_id;
        assert_eq!(row_of(Topic::Ticks, b"AAPL"), None);
        assert_eq!(row_of(Topic::Cash, &[0xff, 0xfe]), None);
    }

    #[test]
    fn a_record_that_is_no_dead_letter_has_no_row() {
        let mut stray = record(&letter(Topic::Fills, b"p1"));
        stray.headers.clear();
        assert!(row(Topic::Fills, spot(Topic::Fills), &stray).is_err());
    }
}
