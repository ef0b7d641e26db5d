//! Searches for bytes that break a promise of `targets::avro`.
#![no_main]

use ballast_fuzz::targets::avro::check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check(bytes));
