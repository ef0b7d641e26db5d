//! Counts held against those that are kept. It says what each came to; what follows is the caller's.

use crate::counted::Counts;
use std::collections::BTreeSet;
use std::fmt::Write;

/// What became of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It moved by 3 % at most.
    Held,
    /// It takes more.
    Risen,
    /// It takes less: who keeps that figure keeps the gain.
    Fallen,
    /// It was never kept.
    New,
    /// It is not counted any more.
    Gone,
}

/// One path: instructions kept and counted, 0 where there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub path: String,
    pub kept: u64,
    pub counted: u64,
    pub verdict: Verdict,
}

/// Every path of either.
pub fn compared(kept: &Counts, counted: &Counts) -> Vec<Row> {
    let paths: BTreeSet<&String> = kept.keys().chain(counted.keys()).collect();
    let row = |path: &String| {
        let (was, is) = (kept.get(path).copied(), counted.get(path).copied());
        Row { path: path.clone(), kept: was.unwrap_or(0), counted: is.unwrap_or(0), verdict: verdict(was, is) }
    };
    paths.into_iter().map(row).collect()
}

fn verdict(kept: Option<u64>, counted: Option<u64>) -> Verdict {
    match (kept, counted) {
        (Some(kept), Some(counted)) if counted * 100 > kept * 103 => Verdict::Risen,
        (Some(kept), Some(counted)) if counted * 100 < kept * 97 => Verdict::Fallen,
        (Some(_), Some(_)) => Verdict::Held,
        (None, _) => Verdict::New,
        (Some(_), None) => Verdict::Gone,
    }
}

/// The rows as a table, with the change in per mille.
pub fn shown(rows: &[Row]) -> String {
    let mut table = format!("{:<44} {:>12} {:>12} {:>7}\n", "path", "kept", "counted", "‰");
    for Row { path, kept, counted, verdict } in rows {
        let change = (i128::from(*counted) - i128::from(*kept)) * 1000 / i128::from((*kept).max(1));
        let _ = writeln!(table, "{path:<44} {kept:>12} {counted:>12} {change:>+7} {}", format!("{verdict:?}").to_uppercase());
    }
    table
}

#[test]
fn three_per_cent_are_borne_and_no_more() {
    let verdicts = |kept: u64, counted: u64| verdict(Some(kept), Some(counted));
    assert_eq!(
        [1030, 1031, 970, 969].map(|counted| verdicts(1000, counted)),
        [Verdict::Held, Verdict::Risen, Verdict::Held, Verdict::Fallen]
    );
    assert_eq!([verdict(None, Some(1)), verdict(Some(1), None)], [Verdict::New, Verdict::Gone]);
}

#[test]
fn every_path_of_either_is_told() {
    let counts = |told: &[(&str, u64)]| told.iter().map(|(path, count)| ((*path).to_owned(), *count)).collect::<Counts>();
    let rows = compared(&counts(&[("a", 100), ("b", 100)]), &counts(&[("b", 200), ("c", 5)]));
    let told: Vec<_> = rows.iter().map(|row| (row.path.as_str(), row.verdict)).collect();
    assert_eq!(told, [("a", Verdict::Gone), ("b", Verdict::Risen), ("c", Verdict::New)]);
    assert!(shown(&rows).contains("+1000 RISEN"), "{}", shown(&rows));
}
