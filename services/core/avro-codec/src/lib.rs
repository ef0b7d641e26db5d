//! Records of the topics as bytes, and back: Avro single-object encoding (`C3 01`, the fingerprint of
//! the writer's schema, the body). The only home of the Avro library.
//!
//! It promises that any bytes may be handed in: they are refused, or they are a record within every
//! limit of [`limits`], read to their last byte. What it writes it can read. Bytes of this build's
//! schemas take a path without the library and without allocation beyond the record's own; bytes of
//! another writer's schema, known to the [`SchemaStore`], are resolved by the library first.
//!
//! It does not read files, talk to a registry, judge a record's meaning, or know JSON.

mod canonical;
mod compatibility;
mod dead_letters;
mod decode;
mod encode;
mod error;
mod fault;
mod fills;
mod keys;
pub mod limits;
mod reader;
mod records;
mod resolve;
pub mod schemas;
mod store;
mod wire;
mod writer;

pub use compatibility::fully_compatible;
pub use dead_letters::{dead_letter_from, dead_letter_headers};
pub use decode::{decode, decode_frame, decode_output, decode_progress};
pub use encode::{encode, encode_frame, encode_input, encode_progress};
pub use error::CodecError;
pub use fault::{Fault, FaultKind};
pub use fills::view_fill;
pub use keys::input_key;
pub use limits::record_limit;
pub use schemas::{Fingerprint, fingerprint, schema_text};
pub use store::{SchemaStore, fingerprint_of_text};
