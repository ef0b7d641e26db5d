//! The engine's codec on the Avro codec: refusals in the words of a dead letter.

use crate::lines;
use crate::stored::StoredRecord;
use avro_codec::{CodecError, Fingerprint, SchemaStore, decode_progress};
use domain::SmolStr;
use domain::fill::FillRef;
use domain::progress::Recorded;
use domain::{Input, Output, Topic};
use engine::{Codec, Refusal};

/// Avro with the schemas known.
pub struct AvroCodec {
    schemas: SchemaStore,
    /// Schemas to be known once the past has been replayed.
    configured: Option<SchemaStore>,
}

impl AvroCodec {
    /// A codec that knows these schemas.
    pub fn new(schemas: SchemaStore) -> Self {
        Self { schemas, configured: None }
    }
    /// A codec for a replay: it knows this build's schemas and those that progress recorded, as the steps did
    /// that are replayed; the configured ones only when the lane goes live.
    pub fn replaying(configured: SchemaStore) -> Self {
        Self { schemas: SchemaStore::compiled(), configured: Some(configured) }
    }
}

impl Default for AvroCodec {
    fn default() -> Self {
        Self::new(SchemaStore::compiled())
    }
}

fn refusal(error: &CodecError) -> Refusal {
    Refusal::new(error.dead_letter_code(), error.to_string())
}

impl Codec for AvroCodec {
    fn decode(&mut self, topic: Topic, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Input, Refusal> {
        avro_codec::decode(&self.schemas, topic, key, value).map_err(|error| refusal(&error))
    }
    fn view_fill<'a>(&mut self, value: &'a [u8]) -> Option<FillRef<'a>> {
        avro_codec::view_fill(value)
    }
    fn encode(&mut self, output: &Output, into: &mut Vec<u8>) -> Result<(), Refusal> {
        avro_codec::encode(output, into).map_err(|error| refusal(&error))
    }
    fn known(&self) -> Vec<Recorded> {
        let recorded =
            |(fingerprint, text): (Fingerprint, &str)| Recorded { name: SmolStr::new(fingerprint.to_string()), value: text.to_owned() };
        self.schemas.texts().map(recorded).collect()
    }
    fn learn(&mut self, schema: &Recorded) -> Result<(), Refusal> {
        self.schemas.add(&schema.value).map(|_| ()).map_err(|error| refusal(&error))
    }
    fn go_live(&mut self) {
        for (_, text) in self.configured.take().iter().flat_map(SchemaStore::texts) {
            self.schemas.add(text).expect("it was taken in when the configuration was read");
        }
    }
}

/// The value bytes of an input; `None` for a record whose value is null.
pub fn encode_input_value(input: &Input) -> Result<Option<Vec<u8>>, CodecError> {
    if matches!(input, Input::PolicyClosed(_)) {
        return Ok(None);
    }
    let mut value = Vec::new();
    avro_codec::encode_input(input, &mut value)?;
    Ok(Some(value))
}

/// A stored record of any topic as JSON, for people: records as their fields, what cannot be read as what it is.
pub fn json_of(schemas: &SchemaStore, topic: &str, record: &StoredRecord) -> String {
    if topic.ends_with(".dlq") {
        return dead_letter_json(record);
    }
    let value = record.value.as_deref();
    let read = Topic::from_name(topic).and_then(|topic| {
        if topic.name().contains(".progress.") {
            return decode_progress(schemas, value?).ok().and_then(|progress| serde_json::to_string(&progress).ok());
        }
        match avro_codec::decode_output(schemas, topic, value?) {
            Ok(output) => Some(lines::output_json(&output)),
            Err(_) => avro_codec::decode(schemas, topic, record.key.as_deref(), value).ok().map(|input| lines::input_json(&input)),
        }
    });
    read.unwrap_or_else(|| match value {
        Some(bytes) => format!(r#"{{"unreadable":"{}"}}"#, domain::dead_letter::hex::encode(bytes)),
        None => "null".to_owned(),
    })
}

fn dead_letter_json(record: &StoredRecord) -> String {
    let headers = record.headers.iter().map(|header| (header.name.as_str(), header.value.as_slice()));
    match avro_codec::dead_letter_from(record.key.as_deref(), record.value.as_deref(), headers) {
        Ok(letter) => lines::output_json(&Output::DeadLetter(Box::new(letter))),
        Err(error) => format!(r#"{{"unreadable":{}}}"#, serde_json::json!(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    #[test]
    fn a_writers_schema_of_the_folder_is_read_too() {
        let ours: serde_json::Value = serde_json::from_str(include_str!("../../../../schemas/ballast.refresh.v1.avsc")).unwrap();
        let mut other = ours.clone();
        let more = serde_json::json!({"name": "of_theirs", "type": "string", "default": ""});
        other["fields"].as_array_mut().unwrap().push(more);
        let mut known = SchemaStore::compiled();
        let text = other.to_string();
        known.add(&text).unwrap();
        let id = "bbd039b5-dae4-5b57-94dd-e2760a010f4d";
        let mut value = vec![0xc3, 0x01];
        value.extend(avro_codec::fingerprint_of_text(&text).unwrap().to_wire());
        for part in [id, "growth", "a test", "theirs"] {
            value.push(u8::try_from(part.len() * 2).unwrap());
            value.extend(part.bytes());
        }
        let record =
            StoredRecord { offset: 0, appended: Timestamp::MIN, key: Some(b"growth".to_vec()), value: Some(value), headers: vec![] };
        assert!(json_of(&known, "ballast.refresh.v1", &record).contains(id));
        assert!(json_of(&SchemaStore::compiled(), "ballast.refresh.v1", &record).contains("unreadable"));
    }
}
