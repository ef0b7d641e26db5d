//! The Avro library as an independent witness: it writes what we read and reads what we write, for
//! every record, field by field.

use crate::generator::{Chance, names_of, value};
use crate::json::json;
use crate::subject::{again, topics};
use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::writer::datum::GenericDatumWriter;
use avro_codec::{SchemaStore, fingerprint, schema_text};
use domain::Topic;
use proptest::prelude::*;

/// A record of the topic from a seed: its bytes as the library writes them.
pub fn framed(topic: Topic, body: &[u8]) -> Vec<u8> {
    [&[0xc3, 0x01][..], &fingerprint(topic).to_wire(), body].concat()
}

/// The same of a writer with a schema of its own.
pub fn framed_as(text: &str, body: &[u8]) -> Vec<u8> {
    [&[0xc3, 0x01][..], &avro_codec::fingerprint_of_text(text).unwrap().to_wire(), body].concat()
}

fn check(topic: Topic, seed: u64) {
    let schema = Schema::parse_str(schema_text(topic)).unwrap();
    let names = names_of(&schema);
    let made = value(&schema, &names, "", &mut Chance(seed));
    let body = GenericDatumWriter::builder(&schema).build().unwrap().write_value_to_vec(made.clone()).unwrap();
    let bytes = framed(topic, &body);

    let (read, written) = again(&SchemaStore::compiled(), topic, &bytes).unwrap_or_else(|error| panic!("{topic} {seed}: {error}"));
    assert_eq!(read, json(&made, &schema, &names), "{topic} {seed}: what we read");
    assert_eq!(written, bytes, "{topic} {seed}: what we write");
    let back = GenericDatumReader::builder(&schema).build().unwrap().read_value(&mut &written[10..]).unwrap();
    assert_eq!(back, made, "{topic} {seed}: what the library reads of ours");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_record_agrees_with_the_avro_library(seed: u64) {
        for topic in topics() {
            check(topic, seed);
        }
    }
}
