//! Every `cases/NAME.in.jsonl` gives exactly the bytes of `cases/NAME.out.jsonl`. `BLESS=1` writes the
//! outputs anew: the model of `oracle.py` judges them, and a person reads the difference.

use crate::core::{cases, folder, input, run};

#[test]
fn every_case_gives_its_approved_output() {
    let bless = std::env::var_os("BLESS").is_some();
    let names = cases();
    assert!(names.len() >= 40, "cases are missing: {}", names.len());
    let wrong: Vec<_> = names.iter().filter_map(|case| differs(case, bless)).collect();
    assert!(wrong.is_empty(), "{} cases differ (BLESS=1 approves them anew):\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_output_is_left_without_its_input() {
    let names = cases();
    for entry in std::fs::read_dir(folder().join("cases")).expect("the cases are part of the source") {
        let name = entry.expect("a folder can be listed").file_name().into_string().expect("case names are text");
        let case = name.strip_suffix(".in.jsonl").or_else(|| name.strip_suffix(".out.jsonl"));
        let case = case.unwrap_or_else(|| panic!("{name} is neither an input nor an output"));
        assert!(names.iter().any(|known| known == case), "{name} has no input");
    }
}

fn differs(case: &str, bless: bool) -> Option<String> {
    let found = told_of(case, &run(&input(case)).text);
    let path = folder().join("cases").join(format!("{case}.out.jsonl"));
    if bless {
        std::fs::write(&path, &found).expect("the cases can be written");
        return None;
    }
    let approved = std::fs::read_to_string(&path).unwrap_or_default();
    (found != approved).then(|| format!("{case}: {}", first_difference(&approved, &found)))
}

/// What a case is about: days and what they come to stand in cases of their own, and would drown every other.
fn told_of(case: &str, text: &str) -> String {
    let measured = |line: &&str| {
        ["portfolio.performance.v1", "portfolio.risk.v1"].iter().any(|topic| line.starts_with(&format!("{{\"topic\":\"{topic}\"")))
    };
    let wanted = |line: &&str| case.starts_with("performance_") || !measured(line);
    text.lines().filter(wanted).flat_map(|line| [line, "\n"]).collect()
}

fn first_difference(approved: &str, found: &str) -> String {
    let pairs = approved.lines().map(Some).chain(std::iter::repeat(None)).zip(found.lines().map(Some).chain(std::iter::repeat(None)));
    for (number, (left, right)) in pairs.enumerate() {
        if left != right {
            let (left, right) = (left.unwrap_or("(the end)"), right.unwrap_or("(the end)"));
            let at = left.bytes().zip(right.bytes()).take_while(|(a, b)| a == b).count();
            return format!("line {}\n  approved …{}\n  found    …{}", number + 1, around(left, at), around(right, at));
        }
        if left.is_none() {
            break;
        }
    }
    "line ends differ".to_owned()
}

fn around(line: &str, at: usize) -> String {
    let from = (0..=at.saturating_sub(60)).rev().find(|from| line.is_char_boundary(*from)).unwrap_or(0);
    line[from..].chars().take(160).collect()
}

#[test]
fn a_difference_is_shown_where_it_starts() {
    assert!(first_difference("a\nb 1\n", "a\nb 2\n").starts_with("line 2"));
    assert!(first_difference("a\n", "a\nb\n").contains("(the end)"));
}
