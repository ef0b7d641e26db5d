//! The tables that say which case holds which rule (`COVERAGE*.md`) name only what there is.
//! Whether it holds the rule is for whoever reads it.

use crate::core::folder;
use serde_json::Value;
use std::path::PathBuf;

/// What stands in the last column of a table: names in backticks, after `refused:` words of refusals.
fn named(table: &str) -> impl Iterator<Item = (bool, &str)> {
    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| rule") && !line.starts_with("| record"));
    rows.filter_map(|row| row.trim_end_matches([' ', '|']).rsplit_once(" | ")).flat_map(|(_, held)| {
        held.split("; ").flat_map(|part| part.split('`').skip(1).step_by(2).map(move |name| (part.starts_with("refused:"), name)))
    })
}

/// Where a test may stand that is named by a shorter path.
fn sources(path: &str) -> [PathBuf; 3] {
    let root = folder().join("../..");
    ["services/core", "services/shell", "."].map(|folder| root.join(folder).join(path))
}

fn is_there(refusals: &[String], refusal: bool, name: &str) -> bool {
    if refusal {
        return refusals.iter().any(|what| what == name);
    }
    let Some((path, test)) = name.split_once("::") else { return folder().join(format!("cases/{name}.in.jsonl")).exists() };
    let text = sources(path).into_iter().find_map(|path| std::fs::read_to_string(path).ok());
    text.is_some_and(|text| text.contains(&format!("fn {test}(")))
}

#[test]
fn the_tables_of_rules_name_what_there_is() {
    let lines = std::fs::read_to_string(folder().join("refusals.jsonl")).expect("the cases are part of the source");
    let what = |line: &str| serde_json::from_str::<Value>(line).ok()?["what"].as_str().map(str::to_owned);
    let refusals: Vec<_> = lines.lines().filter_map(what).collect();
    let files = std::fs::read_dir(folder()).expect("the folder is part of the source").filter_map(Result::ok).map(|file| file.path());
    let is_table = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("COVERAGE"));
    let (mut names, mut missing) = (0, Vec::new());
    for path in files.filter(is_table) {
        let table = std::fs::read_to_string(&path).expect("a file of the folder");
        names += named(&table).count();
        let gone = named(&table).filter(|(refusal, name)| !is_there(&refusals, *refusal, name));
        missing.extend(gone.map(|(_, name)| format!("{}: {name}", path.display())));
    }
    assert!(names >= 100, "a table is missing: {names} names");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
