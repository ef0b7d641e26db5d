//! librdkafka's shortcut to a partition's new leader (KIP-951), switched off.
//!
//! A broker that refuses a fetch names the new leader in its answer. When it knows of none, as after its
//! restart, it names -1, and librdkafka (2.4 to 2.15 at least) counts that partition, does not fill in
//! its entry, and reads it all the same: memory that was never written is taken for a partition and a
//! leader, and where the leader happens to exist, the partition number indexes an array. The process
//! then dies, or fetches with a wrong leader epoch.
//!
//! The linker sends the call that takes such hints over to the function here, which leaves them
//! (`--wrap`, in the build scripts of the packages that link executables). Nothing is lost but a few
//! milliseconds: the refusal itself makes the client ask for metadata. Does nothing where no executable
//! was linked that way; `tests/broker/leader_hints.rs` sees whether it was.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};

/// `RD_KAFKA_OP_RES_HANDLED`: the caller frees the hint, as after taking it over.
const HANDLED: c_int = 1;

/// Stands in for `rd_kafka_metadata_update_op(rk, mdi)`.
// SAFETY: the name is the linker's, taken by nobody else; neither pointer is read.
#[unsafe(no_mangle)]
pub extern "C" fn __wrap_rd_kafka_metadata_update_op(_client: *mut c_void, _hints: *mut c_void) -> c_int {
    HANDLED
}
