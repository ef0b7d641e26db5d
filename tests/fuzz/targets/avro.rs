//! Avro records: the first byte names the topic, the rest is the body behind the header.
//! What we accept the Avro library accepts too, with the same meaning, and writing it keeps that meaning. What we refuse
//! because Avro forbids it, the library refuses too; our own limits and the forms of ids it does not know.

use crate::generator::Names;
use crate::{generator, json, subject};
use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::writer::datum::GenericDatumWriter;
use avro_codec::{CodecError, FaultKind, SchemaStore, fingerprint, schema_text, view_fill};
use domain::{Input, Topic};
use std::io::Read;
use std::sync::OnceLock;

struct Known {
    topic: Topic,
    schema: Schema,
    names: Names,
}

fn known() -> &'static [Known] {
    static KNOWN: OnceLock<Vec<Known>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let of = |topic: Topic| {
            let schema = Schema::parse_str(schema_text(topic)).unwrap();
            Known { topic, names: generator::names_of(&schema), schema }
        };
        subject::topics().into_iter().map(of).collect()
    })
}

fn store() -> &'static SchemaStore {
    static STORE: OnceLock<SchemaStore> = OnceLock::new();
    STORE.get_or_init(SchemaStore::compiled)
}

/// Reads bytes as we do and, where we accept them, as the Avro library does.
pub fn check(bytes: &[u8]) {
    let Some((which, body)) = bytes.split_first() else { return };
    let known = &known()[usize::from(*which) % known().len()];
    let framed = [&[0xc3, 0x01][..], &fingerprint(known.topic).to_wire(), body].concat();
    viewed(known.topic, &framed);
    let (read, written) = match subject::again(store(), known.topic, &framed) {
        Ok(same) => same,
        Err(error) => return refused(known, body, &error),
    };

    let Theirs { read: theirs, rest, beyond } = theirs(known, body);
    assert!(!beyond, "{}: we read what ends too soon for the library", known.topic);
    let theirs = theirs.unwrap_or_else(|error| panic!("{}: we read what the library refuses: {error}", known.topic));
    assert!(rest.is_empty(), "{}: we read {} bytes further than the library", known.topic, rest.len());
    assert_eq!(read, json::json(&theirs, &known.schema, &known.names), "{}: what we read", known.topic);
    let (again, same) = subject::again(store(), known.topic, &written).expect("what is written is read");
    assert_eq!((again, same), (read, written), "{}: what we write is read otherwise", known.topic);
}

/// What the library reads.
struct Theirs<'a> {
    read: apache_avro::AvroResult<apache_avro::types::Value>,
    /// What it leaves.
    rest: &'a [u8],
    /// Whether it asked for more than there was: where a body ends before a union it reads null, and says nothing of it.
    beyond: bool,
}

/// Bytes, and whether more of them were asked for than there are.
struct Asked<'a> {
    rest: &'a [u8],
    beyond: bool,
}

impl Read for Asked<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.beyond |= into.len() > self.rest.len();
        self.rest.read(into)
    }
}

fn theirs<'a>(known: &Known, body: &'a [u8]) -> Theirs<'a> {
    let mut asked = Asked { rest: body, beyond: false };
    let reader = GenericDatumReader::builder(&known.schema).build().unwrap();
    let read = reader.read_value(&mut asked);
    Theirs { read, rest: asked.rest, beyond: asked.beyond }
}

/// A body that is no Avro for us is none for the library.
fn refused(known: &Known, body: &[u8], error: &CodecError) {
    use FaultKind::{Boolean, Short, Symbol, Trailing, Utf8};
    let of_avro = |kind| matches!(kind, Short | Trailing | Boolean | Symbol | Utf8);
    if !matches!(error, CodecError::Body { fault, .. } if of_avro(fault.kind)) {
        return;
    }
    let theirs = theirs(known, body);
    let whole = theirs.read.is_ok() && theirs.rest.is_empty() && !theirs.beyond;
    assert!(!whole, "{}: we refuse what the library reads whole: {error}", known.topic);
}

/// A fill that is viewed in place is the one that is decoded.
fn viewed(topic: Topic, framed: &[u8]) {
    if topic != Topic::Fills {
        return;
    }
    let decoded = avro_codec::decode(store(), topic, None, Some(framed));
    let Some(view) = view_fill(framed) else { return };
    let Ok(Input::Fill(fill)) = &decoded else { panic!("a view of what is not decoded: {decoded:?}") };
    assert_eq!(view, fill.view(), "a view is not what is decoded");
}

/// Records of every topic, as the Avro library writes them: where a search may begin.
pub fn beginnings() -> impl Iterator<Item = Vec<u8>> {
    (0..known().len()).flat_map(|index| {
        let known = &known()[index];
        (0..8).map(move |seed| {
            let made = generator::value(&known.schema, &known.names, "", &mut generator::Chance(seed));
            let body = GenericDatumWriter::builder(&known.schema).build().unwrap().write_value_to_vec(made).unwrap();
            [&[u8::try_from(index).unwrap()][..], &body].concat()
        })
    })
}
