//! The targets of `tests/fuzz/targets`, for binaries that libFuzzer drives.

#[path = "../../../services/core/avro-codec/tests/codec/generator.rs"]
mod generator;
#[path = "../../../services/core/avro-codec/tests/codec/json.rs"]
mod json;
#[path = "../../../services/core/avro-codec/tests/codec/subject.rs"]
mod subject;
#[path = "../targets/mod.rs"]
pub mod targets;
