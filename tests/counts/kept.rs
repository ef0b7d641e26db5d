//! The file of counts that are kept: the compiler that they hold for, and one line a path. It compares nothing.

use crate::counted::Counts;
use serde::{Deserialize, Serialize};
use std::path::Path;

const HEAD: &str = "\
# Instructions of the hot paths, as callgrind counts them: profile `fast`, x86-64 Linux, by this compiler. They do not
# depend on the machine's speed or mood; another compiler, C library or valgrind moves them a little.
# `make counts` fails where one has risen by more than 3 %; `BLESS=1 make counts` writes this file anew.
";

/// What is kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// As it names itself.
    pub compiler: String,
    /// Instructions by path.
    pub counts: Counts,
}

/// Reads the file.
pub fn read(file: &Path) -> Kept {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Writes it anew.
pub fn write(file: &Path, kept: &Kept) {
    let text = toml::to_string(kept).expect("names and numbers");
    std::fs::write(file, format!("{HEAD}{text}")).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}
