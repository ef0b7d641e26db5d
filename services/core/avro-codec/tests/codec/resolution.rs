//! Records of other writers' schemas: an older one without fields, a newer one with more of them,
//! in another order and with a symbol that this build does not know.

use crate::generator::{Chance, names_of, value};
use crate::json::json;
use crate::oracle::framed_as;
use crate::subject::again;
use apache_avro::Schema;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use avro_codec::{CodecError, Fingerprint, SchemaStore, decode, fingerprint};
use domain::enums::Side;
use domain::reason::DeadLetterCode;
use domain::{Input, Topic};

const OLDER: &str = include_str!("../fixtures/writers/fill-older.avsc");
const NEWER: &str = include_str!("../fixtures/writers/fill-newer.avsc");
const NEWER_POLICY: &str = include_str!("../fixtures/writers/policy-without-defaults.avsc");

fn store() -> SchemaStore {
    let mut store = SchemaStore::compiled();
    for text in [OLDER, NEWER, NEWER_POLICY] {
        store.add(text).unwrap();
    }
    store
}

/// A record as a writer of `text` sends it, and the value behind it.
fn sent(text: &str, seed: u64) -> (Vec<u8>, Value) {
    let schema = Schema::parse_str(text).unwrap();
    let made = value(&schema, &names_of(&schema), "", &mut Chance(seed));
    (bytes_of(text, &made), made)
}

fn bytes_of(text: &str, made: &Value) -> Vec<u8> {
    let schema = Schema::parse_str(text).unwrap();
    let body = GenericDatumWriter::builder(&schema).build().unwrap().write_value_to_vec(made.clone()).unwrap();
    framed_as(text, &body)
}

#[test]
fn fields_that_both_know_keep_their_values() {
    for (text, topic) in [(OLDER, Topic::Fills), (NEWER, Topic::Fills), (NEWER_POLICY, Topic::Policies)] {
        let schema = Schema::parse_str(text).unwrap();
        for seed in 0..64 {
            let (bytes, made) = sent(text, seed);
            let theirs = json(&made, &schema, &names_of(&schema));
            let (ours, _) = again(&store(), topic, &bytes).unwrap_or_else(|error| panic!("{seed}: {error}"));
            for (name, value) in ours.as_object().unwrap() {
                match theirs.get(name) {
                    Some(theirs) if theirs != "BORROW" => assert_eq!(value, theirs, "{seed}: {name}"),
                    Some(_) => assert_eq!(value, "UNKNOWN", "{seed}: {name}"),
                    None if topic == Topic::Fills => assert!(value.is_null() || value.as_array().is_some_and(Vec::is_empty), "{name}"),
                    None => {}
                }
            }
        }
    }
}

#[test]
fn a_policy_without_the_groups_takes_the_defaults_of_the_contract() {
    let (bytes, _) = sent(NEWER_POLICY, 7);
    let Input::Policy(policy) = decode(&store(), Topic::Policies, None, Some(&bytes)).unwrap() else { panic!("no policy") };
    assert_eq!(policy.band, domain::policy::Band::default());
    assert_eq!(policy.trigger, domain::policy::Trigger::default());
    assert_eq!(policy.orders, domain::policy::Orders::default());
    assert_eq!(policy.book, domain::policy::Book::default());
    assert_eq!(policy.limits, domain::policy::Limits::default());
    assert_eq!((policy.time_zone.as_str(), policy.day_cut.as_str()), ("UTC", "00:00"));
}

#[test]
fn a_symbol_of_a_newer_writer_is_unknown() {
    let (_, mut made) = sent(NEWER, 3);
    let Value::Record(fields) = &mut made else { panic!("no record") };
    fields.iter_mut().find(|(name, _)| name == "side").unwrap().1 = Value::Enum(4, "BORROW".to_owned());
    let Input::Fill(fill) = decode(&store(), Topic::Fills, None, Some(&bytes_of(NEWER, &made))).unwrap() else { panic!("no fill") };
    assert_eq!(fill.side, Side::Unknown);
}

#[test]
fn a_resolved_record_that_is_cut_off_or_too_long_is_refused() {
    for text in [OLDER, NEWER] {
        let (bytes, _) = sent(text, 11);
        for end in 10..bytes.len() {
            let refused = decode(&store(), Topic::Fills, None, Some(&bytes[..end])).unwrap_err();
            assert_eq!(refused.dead_letter_code(), DeadLetterCode::Undecodable, "{end}");
        }
        assert!(decode(&store(), Topic::Fills, None, Some(&[&bytes[..], &[0]].concat())).is_err());
    }
}

#[test]
fn every_byte_of_a_resolved_record_may_be_wrong() {
    let (bytes, _) = sent(NEWER, 5);
    let (mut read, mut refused) = (0, 0);
    for at in 10..bytes.len() {
        for bit in 0..8 {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1 << bit;
            match decode(&store(), Topic::Fills, None, Some(&wrong)) {
                Ok(Input::Fill(_)) => read += 1,
                Ok(other) => panic!("byte {at}, bit {bit}: {other:?}"),
                Err(error) => {
                    let code = error.dead_letter_code();
                    assert!(matches!(code, DeadLetterCode::Undecodable | DeadLetterCode::OutOfRange), "byte {at}, bit {bit}: {error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}

#[test]
fn framing_tells_its_mistakes_apart() {
    let (bytes, _) = sent(OLDER, 1);
    let bare = SchemaStore::compiled();
    let unknown = decode(&bare, Topic::Fills, None, Some(&bytes)).unwrap_err();
    let fingerprint_of_older = avro_codec::fingerprint_of_text(OLDER).unwrap();
    assert_eq!(unknown, CodecError::UnknownSchema { topic: Topic::Fills, fingerprint: fingerprint_of_older });
    assert_eq!(unknown.dead_letter_code(), DeadLetterCode::UnknownSchema);
    let wrong_topic = decode(&store(), Topic::Cash, None, Some(&bytes)).unwrap_err();
    assert_eq!(wrong_topic, CodecError::OtherRecord { topic: Topic::Cash, record: "Fill" });
    let compiled = [&[0xc3, 0x01][..], &fingerprint(Topic::Ticks).to_wire()].concat();
    let wrong_topic = decode(&bare, Topic::Cash, None, Some(&compiled)).unwrap_err();
    assert_eq!(wrong_topic, CodecError::OtherRecord { topic: Topic::Cash, record: "Tick" });
    let registry = decode(&bare, Topic::Fills, None, Some(&[0, 0, 0, 0, 7, 2, 2])).unwrap_err();
    assert_eq!(registry, CodecError::RegistryFraming { topic: Topic::Fills });
    for unframed in [&b"{}"[..], b"\xc3\x01", b"\xc3\x02aaaaaaaaaaaa"] {
        assert_eq!(decode(&bare, Topic::Fills, None, Some(unframed)), Err(CodecError::Unframed { topic: Topic::Fills }));
    }
    assert_eq!(decode(&bare, Topic::Fills, None, None), Err(CodecError::NullValue { topic: Topic::Fills }));
}

#[test]
fn a_null_policy_closes_its_portfolio() {
    let store = SchemaStore::compiled();
    let closed = decode(&store, Topic::Policies, Some(b"growth"), None).unwrap();
    assert_eq!(closed, Input::PolicyClosed("growth".parse().unwrap()));
    for key in [None, Some(&b""[..]), Some(b"\xff"), Some(b"a\nb")] {
        assert_eq!(decode(&store, Topic::Policies, key, None), Err(CodecError::ClosingKey { topic: Topic::Policies }));
    }
}

#[test]
fn what_a_sender_made_too_long_is_the_senders() {
    let mut record = serde_json::json!({"source": "b".repeat(2 * 1024 * 1024), "entry_id": "c", "portfolio_id": "P", "kind": "FEE",
        "currency": "USD", "amount": "1", "effective_at": "2026-01-05T14:00:00Z"});
    let send = |record: &serde_json::Value| {
        let entry = serde_json::from_value(record.clone()).unwrap();
        avro_codec::encode_input(&Input::Cash(Box::new(entry)), &mut Vec::new()).map_err(|error| error.to_string())
    };
    let told = send(&record).unwrap_err();
    assert!(told.contains("source has a length") && told.contains("correct it where it is made"), "{told}");
    record["source"] = "bank".into();
    assert_eq!(send(&record), Ok(()));
}

#[test]
fn a_value_without_bytes_is_not_null() {
    let store = SchemaStore::compiled();
    for topic in [Topic::Policies, Topic::Fills, Topic::Instruments, Topic::CorporateActions, Topic::MarketStatus, Topic::Closes] {
        let refused = decode(&store, topic, Some(b"growth"), Some(b"")).unwrap_err();
        assert_eq!(refused, CodecError::Empty { topic });
        assert_eq!(refused.dead_letter_code(), DeadLetterCode::Undecodable);
    }
}

#[test]
fn schemas_that_could_be_exploited_are_not_taken_in() {
    let fill = avro_codec::schema_text(Topic::Fills);
    let with = |field: &str| fill.replacen("\"fields\": [", &format!("\"fields\": [{field},"), 1);
    let refused = |text: &str, word: &str| {
        let error = SchemaStore::compiled().add(text).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    };
    refused(&with(r#"{"name": "x", "type": {"type": "array", "items": "null"}}"#), "no bytes");
    refused(&with(r#"{"name": "x", "type": {"type": "array", "items": {"type": "record", "name": "E", "fields": []}}}"#), "no bytes");
    refused(&with(r#"{"name": "x", "type": ["null", "ballast.Fill"]}"#), "contains itself");
    let deep = format!("{}\"int\"{}", r#"{"type": "array", "items": "#.repeat(40), "}".repeat(40));
    refused(&with(&format!(r#"{{"name": "x", "type": {deep}}}"#)), "deeper");
    refused(&fill.replacen("\"scale\": 10", "\"scale\": 9", 1), "");
    refused(&fill.replacen("\"Fill\"", "\"Trade\"", 1), "none of this service's");
    refused("{", "");
}

#[test]
fn a_known_schema_is_taken_in_once() {
    let mut store = SchemaStore::compiled();
    let ours = store.add(avro_codec::schema_text(Topic::Fills)).unwrap();
    assert_eq!(ours, fingerprint(Topic::Fills));
    assert_eq!(store.texts().count(), 0, "our own need not be recorded, nor do earlier releases of ours");
    let older = store.add(OLDER).unwrap();
    assert_eq!(store.add(OLDER).unwrap(), older);
    assert_eq!(store.texts().count(), 1);
    assert!(store.texts().any(|known| known == (older, OLDER)));
    assert!(store.contains(older) && store.contains(ours) && !store.contains(Fingerprint(1)));
}

/// What `schemas/examples/publish_fill.py` wrote with fastavro 1.13.
#[test]
fn a_record_of_another_language_is_read() {
    let bytes = domain::dead_letter::hex::decode(include_str!("../fixtures/writers/fill-by-fastavro.hex").trim()).unwrap();
    let Input::Fill(fill) = decode(&SchemaStore::compiled(), Topic::Fills, None, Some(&bytes)).unwrap() else { panic!("no fill") };
    assert_eq!((fill.exec_id.as_str(), fill.portfolio_id.as_str()), ("EX-42", "growth"));
    assert_eq!((fill.quantity.to_string(), fill.price.to_string()), ("100".to_owned(), "-12.5".to_owned()));
    assert_eq!(fill.transact_time.to_string(), "2026-01-05T14:30:00.123456Z");
    assert_eq!((fill.trade_date.to_string(), fill.fees[0].amount.to_string()), ("2026-01-05".to_owned(), "1.25".to_owned()));
    assert_eq!((fill.side, fill.venue), (Side::Buy, None));
}
