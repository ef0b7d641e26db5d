//! The hard limits of what is read and written. They hold before anything is allocated.

use domain::Topic;

/// The longest text, in bytes; names, ids and words are far shorter.
pub const MAX_TEXT: usize = 64 * 1024;
/// The longest text of what others send, in bytes: our own texts quote several of them.
pub const MAX_INPUT_TEXT: usize = 4 * 1024;
/// The most items of one array.
pub const MAX_ITEMS: usize = 256 * 1024;
/// Items for which room is made before the first of them was read.
pub const FIRST_ITEMS: usize = 256;
/// The most that one allocation may take while another writer's schema is resolved, in bytes.
pub const MAX_RESOLVE_ALLOCATION: usize = 16 * 1024 * 1024;
/// How deep a writer's schema may nest.
pub const MAX_SCHEMA_DEPTH: usize = 32;
/// The longest text of a schema, in bytes.
pub const MAX_SCHEMA_TEXT: usize = 1024 * 1024;

/// The largest value of a record of the topic, in bytes, its framing included.
pub const fn record_limit(topic: Topic) -> usize {
    topic.record_bytes()
}

/// The longest text in a record of the topic, in bytes.
pub const fn text_limit(topic: Topic) -> usize {
    if topic.is_from_outside() { MAX_INPUT_TEXT } else { MAX_TEXT }
}
