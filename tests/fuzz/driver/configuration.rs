//! Searches for bytes that break a promise of `targets::configuration`.
#![no_main]

use ballast_fuzz::targets::configuration::check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check(bytes));
