//! Searches for bytes that break a promise of `targets::lines`.
#![no_main]

use ballast_fuzz::targets::lines::check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check(bytes));
