//! A dead letter survives its topic: the value and key untouched, everything else through headers.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a test stops where it is wrong")]

use avro_codec::{CodecError, dead_letter_from, dead_letter_headers, encode};
use domain::command::Header;
use domain::dead_letter::DeadLetter;
use domain::reason::DeadLetterCode;
use domain::{Output, Timestamp, Topic};
use proptest::prelude::*;

fn letter() -> impl Strategy<Value = DeadLetter> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..20);
    let headers = proptest::collection::vec(("(original\\.)?[a-z_]{0,12}", bytes()), 0..4);
    let origin = (0..Topic::ALL.len(), any::<i32>(), any::<i64>(), any::<i64>(), 1..=DeadLetterCode::known().len());
    (origin, ".{0,40}", proptest::option::of("[a-z]{1,12}"), proptest::option::of(bytes()), headers, proptest::option::of(bytes()))
        .prop_map(|((topic, partition, offset, micros, code), text, portfolio, key, headers, value)| DeadLetter {
            topic: Topic::ALL[topic],
            partition,
            offset,
            code: DeadLetterCode::from_index(code).unwrap(),
            text: text.into(),
            portfolio_id: portfolio.map(|id| id.parse().unwrap()),
            timestamp: Timestamp::from_micros(micros),
            key,
            headers: headers.into_iter().map(|(name, value)| Header { name: name.into(), value }).collect(),
            value,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn headers_carry_everything_but_key_and_value(letter in letter()) {
        let mut headers = dead_letter_headers(&letter);
        headers.push(("ce_id".into(), b"made by the sender of outputs".to_vec()));
        let borrowed = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let back = dead_letter_from(letter.key.as_deref(), letter.value.as_deref(), borrowed).unwrap();
        prop_assert_eq!(&back, &letter);
        let mut value = Vec::new();
        let output = Output::DeadLetter(Box::new(letter.clone()));
        encode(&output, &mut value).unwrap();
        prop_assert_eq!(value, letter.value.clone().unwrap_or_default());
        prop_assert_eq!(output.key(), letter.key.clone());
    }
}

#[test]
fn a_missing_or_wrong_header_is_named() {
    let none: [(&str, &[u8]); 0] = [];
    assert_eq!(dead_letter_from(None, None, none), Err(CodecError::DeadLetterHeader { name: "dlq_topic" }));
    let wrong = [("dlq_topic", &b"no.such.v1"[..]), ("dlq_code", b"OUT_OF_RANGE")];
    assert_eq!(dead_letter_from(None, None, wrong), Err(CodecError::DeadLetterHeader { name: "dlq_topic" }));
}
