//! What the sources themselves must show: a word at the head of each file, a bounded length, no
//! left-overs, no `unsafe` outside its home, and no clock, chance or IO on the deterministic floor.

use super::tree::{Source, sources};

/// Lines at which a file holds more than one subject.
const MOST_LINES: usize = 500;

/// Words of work that was put off.
const LEFT_OVER: [&str; 6] = ["TODO", "FIXME", "XXX:", "HACK:", "todo!(", "unimplemented!("];

/// Names that the deterministic floor may not use outside its tests.
const NOT_IN_CORE: [&str; 24] = [
    "SystemTime",
    "Instant::",
    "Timestamp::now",
    "Zoned::now",
    "std::env",
    "env::var",
    "std::fs",
    "std::net",
    "io::stdin",
    "io::stdout",
    "io::stderr",
    "std::process",
    "std::thread",
    "thread::spawn",
    "std::sync::Mutex",
    "RwLock",
    "AtomicU",
    "AtomicI",
    "HashMap::new()",
    "RandomState",
    "println!",
    "eprintln!",
    "async fn",
    "thread_local!",
];

/// Files that may be longer than the rest, with the reason.
const LONG: [(&str, &str); 2] = [
    ("services/core/domain/src/enums.rs", "one flat list of every closed enum, a line a symbol"),
    ("services/shell/ballast/src/verify/story.rs", "tests only: one true history, told record by record"),
];

fn is_test(path: &str) -> bool {
    path.contains("/tests/")
        || path.starts_with("tests/")
        || path.ends_with("/tests.rs")
        || path.contains("/benches/")
        || path.contains("/examples/")
}

/// The text up to its unit tests.
fn shipped(source: &Source) -> &str {
    let text = source.text.as_str();
    text.find("#[cfg(test)]\nmod ").map_or(text, |at| &text[..at])
}

/// Files without a word of what they are.
fn headless(all: &[Source]) -> Vec<String> {
    let fine = |source: &Source| source.text.starts_with("//! ") && source.text.lines().next().is_some_and(|line| line.len() > 20);
    all.iter().filter(|source| !fine(source)).map(|source| source.path.clone()).collect()
}

/// Files that hold too much.
fn too_long(all: &[Source]) -> Vec<String> {
    let long = |source: &&Source| source.text.lines().count() > MOST_LINES && LONG.iter().all(|(path, _)| *path != source.path);
    all.iter().filter(long).map(|source| format!("{}: {} lines", source.path, source.text.lines().count())).collect()
}

/// Lines that promise work for later, or name the tools of the workplace. This file names the words.
fn left_over(all: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in all.iter().filter(|source| !source.path.ends_with("tests/architecture/sources.rs")) {
        for (number, line) in source.text.lines().enumerate() {
            found.extend(
                LEFT_OVER.iter().filter(|word| line.contains(**word)).map(|word| format!("{}:{}: {word}", source.path, number + 1)),
            );
        }
    }
    found
}

/// `unsafe` outside kafka-log.
fn unsafe_code(all: &[Source]) -> Vec<String> {
    // The type of a pointer to a foreign function calls nothing.
    let is_code = |line: &&str| !line.trim_start().starts_with("//") && !line.contains(": unsafe extern \"C\" fn(");
    let words = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "allow(unsafe_code"];
    all.iter()
        .filter(|source| !source.path.starts_with("services/shell/kafka-log/") && !source.path.ends_with("tests/architecture/sources.rs"))
        .filter(|source| source.text.lines().filter(is_code).any(|line| words.iter().any(|word| line.contains(word))))
        .map(|source| source.path.clone())
        .collect()
}

/// Clocks, chance and IO in what the core ships.
fn impure(all: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in all.iter().filter(|source| source.path.starts_with("services/core/") && !is_test(&source.path)) {
        for (number, line) in shipped(source).lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            found.extend(
                NOT_IN_CORE.iter().filter(|word| line.contains(**word)).map(|word| format!("{}:{}: {word}", source.path, number + 1)),
            );
        }
    }
    found
}

/// Rooms that mean nothing.
fn nameless(all: &[Source]) -> Vec<String> {
    let vague = ["utils", "util", "common", "helpers", "helper", "manager", "misc"];
    let names = |path: &str| path.trim_end_matches(".rs").split('/').any(|part| vague.contains(&part));
    all.iter().filter(|source| names(&source.path)).map(|source| source.path.clone()).collect()
}

#[test]
fn every_file_says_what_it_is() {
    assert_eq!(headless(&sources(".rs")), Vec::<String>::new());
}

#[test]
fn no_file_holds_too_much() {
    assert_eq!(too_long(&sources(".rs")), Vec::<String>::new());
    let all = sources(".rs");
    assert!(LONG.iter().all(|(path, _)| all.iter().any(|source| source.path == *path)), "LONG names a file that is gone");
}

#[test]
fn nothing_is_left_over() {
    for ending in [".rs", ".toml", ".py", ".sql", ".avsc", "Makefile", ".yaml"] {
        assert_eq!(left_over(&sources(ending)), Vec::<String>::new());
    }
}

#[test]
fn unsafe_code_has_one_home() {
    assert_eq!(unsafe_code(&sources(".rs")), Vec::<String>::new());
}

#[test]
fn the_core_reads_no_clock_no_chance_and_no_world() {
    let all = sources(".rs");
    assert!(all.iter().filter(|source| source.path.starts_with("services/core/")).count() > 100, "the core was not found");
    assert_eq!(impure(&all), Vec::<String>::new());
}

#[test]
fn every_room_has_a_name_from_the_trade() {
    assert_eq!(nameless(&sources(".rs")), Vec::<String>::new());
}

fn planted(path: &str, text: &str) -> Vec<Source> {
    vec![Source { path: path.into(), text: text.into() }]
}

#[test]
fn planted_faults_are_noticed() {
    assert_eq!(headless(&planted("a.rs", "use std::fmt;\n")).len(), 1);
    assert_eq!(headless(&planted("a.rs", "//! Short.\n")).len(), 1);
    assert_eq!(headless(&planted("a.rs", "//! A file that says what it is.\n")).len(), 0);
    assert_eq!(too_long(&planted("a.rs", &"x\n".repeat(MOST_LINES + 1))).len(), 1);
    assert_eq!(too_long(&planted("a.rs", &"x\n".repeat(MOST_LINES))).len(), 0);
    assert_eq!(left_over(&planted("a.rs", "fn a() { todo!() }\n// FIXME later\n")).len(), 2);
    assert_eq!(unsafe_code(&planted("services/core/domain/src/a.rs", "let x = unsafe { *p };\n")).len(), 1);
    assert_eq!(unsafe_code(&planted("services/core/domain/src/a.rs", "// unsafe { }\n")).len(), 0);
    assert_eq!(unsafe_code(&planted("services/shell/kafka-log/src/native.rs", "unsafe { call() }\n")).len(), 0);
    assert_eq!(nameless(&planted("services/core/domain/src/utils.rs", "")).len(), 1);
    assert_eq!(nameless(&planted("services/core/helpers/src/lib.rs", "")).len(), 1);
}

#[test]
fn a_planted_clock_is_noticed() {
    let core = "services/core/engine/src/a.rs";
    for text in [
        "let t = std::time::Instant::now();",
        "let t = jiff::Timestamp::now();",
        "std::env::var(\"X\")",
        "std::fs::read(p)",
        "println!(\"x\")",
    ] {
        assert_eq!(impure(&planted(core, text)).len().min(1), 1, "{text}");
        assert_eq!(impure(&planted("services/shell/ballast/src/a.rs", text)).len(), 0, "{text}");
        let tested = format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{ {text} }}\n");
        assert_eq!(impure(&planted(core, &tested)).len(), 0, "{text}");
        assert_eq!(impure(&planted(core, &format!("// {text}\n"))).len(), 0, "{text}");
    }
}
