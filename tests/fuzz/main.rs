//! Bytes that once went wrong, or that a search began with, through the boundary that they came to: `seeds/<target>/`.
//! Searching for more is `make fuzz`.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a test stops where it is wrong")]

#[path = "../../services/core/avro-codec/tests/codec/generator.rs"]
mod generator;
#[path = "../../services/core/avro-codec/tests/codec/json.rs"]
mod json;
#[path = "../../services/core/avro-codec/tests/codec/subject.rs"]
mod subject;
mod targets;

use std::path::{Path, PathBuf};

fn seeds(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).expect("a folder of seeds for each target").map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds nothing", folder.display());
    files
}

/// A file of the checkout that a search begins with as well.
fn kept(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is a folder of the checkout").join(path)
}

fn tried(target: &str, more: &[&str], check: fn(&[u8])) {
    for file in seeds(target).into_iter().chain(more.iter().map(|path| kept(path))) {
        let bytes = std::fs::read(&file).unwrap();
        if let Err(broken) = std::panic::catch_unwind(|| check(&bytes)) {
            eprintln!("{} breaks a promise", file.display());
            std::panic::resume_unwind(broken);
        }
    }
}

#[test]
fn avro_records() {
    tried("avro", &[], targets::avro::check);
    let folder = std::env::var_os("BALLAST_FUZZ_BEGINNINGS").map(PathBuf::from);
    for (number, bytes) in targets::avro::beginnings().enumerate() {
        targets::avro::check(&bytes);
        if let Some(folder) = &folder {
            std::fs::write(folder.join(format!("beginning-{number}")), &bytes).unwrap();
        }
    }
}

#[test]
fn checkpoints() {
    for role in ["position-keeper", "rebalancer", "performance-tracker"] {
        let entities = targets::checkpoint::entities_of(role);
        assert!(entities > 0, "{entities} entities: the images of the {role} are those of empty lanes");
    }
    tried("checkpoint", &[], targets::checkpoint::check);
}

#[test]
fn configurations() {
    tried("configuration", &["deploy/ballast.toml"], targets::configuration::check);
}

#[test]
fn json_lines() {
    const CASES: [&str; 2] = [
        "tests/golden/cases/lots_flip_closes_all_and_opens_one.in.jsonl",
        "tests/golden/cases/cycle_ends_and_a_breach_of_meanwhile_is_planned.in.jsonl",
    ];
    tried("lines", &CASES, targets::lines::check);
}
