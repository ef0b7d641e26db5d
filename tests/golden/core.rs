//! The core behind one function: lines in, lines out, and how it went. It checks nothing.

use ballast::replay::{Options, Verdict, replay};
use std::path::PathBuf;

/// What a replay printed, and its verdict.
pub struct Told {
    /// Its lines.
    pub text: String,
    /// Whether some lines were dead-lettered.
    pub verdict: Verdict,
}

/// Runs lines through the core.
pub fn run(input: &str) -> Told {
    run_bytes(input.as_bytes()).expect("text lines can always be replayed")
}

/// Runs bytes that may not even be text through the core.
pub fn run_bytes(input: &[u8]) -> Result<Told, String> {
    let mut output = Vec::new();
    let verdict = replay(input, &mut output, &Options::default()).map_err(|error| error.to_string())?.verdict;
    Ok(Told { text: String::from_utf8(output).expect("every printed line is text"), verdict })
}

/// The printed lines as JSON.
pub fn records(told: &Told) -> Vec<serde_json::Value> {
    told.text.lines().map(|line| serde_json::from_str(line).expect("every printed line is JSON")).collect()
}

/// The folder of this test.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// Names of the cases, in order.
pub fn cases() -> Vec<String> {
    let entries = std::fs::read_dir(folder().join("cases")).expect("the cases are part of the source");
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.expect("a folder can be listed").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".in.jsonl").map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// The input of a case.
pub fn input(case: &str) -> String {
    let path = folder().join("cases").join(format!("{case}.in.jsonl"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
