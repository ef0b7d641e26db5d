//! Searches for bytes that break a promise of `targets::checkpoint`.
#![no_main]

use ballast_fuzz::targets::checkpoint::check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check(bytes));
