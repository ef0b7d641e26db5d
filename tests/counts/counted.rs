//! What callgrind has counted: the instructions of each path, from the files that it leaves. It starts nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Instructions by group and path: `fills/view_5000`.
pub type Counts = BTreeMap<String, u64>;

/// The counts of every path under a folder of the runner, whatever the package and the bench.
pub fn counted(folder: &Path) -> Counts {
    let mut counts = Counts::new();
    for file in files(folder) {
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let instructions = instructions(&text).unwrap_or_else(|| panic!("{} has no totals of Ir", file.display()));
        let before = counts.insert(name(&file), instructions);
        assert!(before.is_none(), "two counts of {}: {} is a rest of another run", name(&file), file.display());
    }
    counts
}

/// Files of callgrind, also in folders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("a folder that stays").path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "out") {
            found.push(path);
        }
    }
    found
}

/// The names of the two folders around a file.
fn name(file: &Path) -> String {
    let mut folders = file.ancestors().skip(1).filter_map(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let (path, group) = (folders.next().unwrap_or_default(), folders.next().unwrap_or_default());
    format!("{group}/{path}")
}

/// The total of the event Ir.
fn instructions(text: &str) -> Option<u64> {
    let told = |word: &str| text.lines().find_map(|line| line.strip_prefix(word));
    let at = told("events: ")?.split_whitespace().position(|event| event == "Ir")?;
    told("totals: ")?.split_whitespace().nth(at)?.parse().ok()
}

#[test]
fn instructions_are_read_where_they_stand() {
    assert_eq!(instructions("events: Dr Ir\nsummary: 1 2\n\nfn=f\n1 3 4\n\ntotals: 30 40\n"), Some(40));
    assert_eq!(instructions("events: Ir\nsummary: 1\n"), None, "a file that was cut off");
    assert_eq!(instructions("events: Dr\ntotals: 1\n"), None);
    assert_eq!(name(Path::new("/t/system-tests/core/fills/view_5000/callgrind.view_5000.out")), "fills/view_5000");
}
