//! The sessions of exchanges that are compiled in: the texts are what their script derives, and what the service reads in
//! them are the sessions of exchange_calendars itself, to the minute, for every exchange and day.
//! Without a package index the checksums of the texts are all that holds them; it says so.

use crate::core::folder;
use domain::calendar::Calendar;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use system_tests::binary::root;

fn texts() -> PathBuf {
    root().join("services/core/domain/calendars")
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn compare(python: &Path, what: &str, told: &str) -> Output {
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(folder().join("calendars.py")).arg(what);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("Python runs");
    child.stdin.take().expect("piped").write_all(told.as_bytes()).expect("it reads its input");
    child.wait_with_output().expect("it ends")
}

/// An interpreter with the library; `None` where no package index can be reached.
fn library() -> Option<PathBuf> {
    let cache = std::env::var_os("BALLAST_CACHE_DIR").map_or_else(|| root().join(".local/cache"), PathBuf::from);
    let folder = cache.join("calendars");
    let (python, wanted) = (folder.join("bin/python"), texts().join("requirements.txt"));
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(wanted);
    let done = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    let made = python.exists() || done(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    (made && done(&mut install)).then_some(python)
}

/// Every session that the service knows, a line each.
fn sessions() -> String {
    let mut told = String::new();
    let own = |name: &&str| Calendar::named(name).is_some_and(|calendar| calendar.name() == *name);
    for name in Calendar::names().filter(own) {
        let calendar = Calendar::named(name).expect("it has a name");
        let Some((first, last)) = calendar.span() else { continue };
        for day in (first.days()..=last.days()).map(domain::Date::from_days) {
            let Some(session) = calendar.session(day) else { continue };
            let pause = session.pause.map_or(String::new(), |(from, to)| format!("{from} {to} "));
            writeln!(told, "{name} {day} {} {pause}{}", session.opens, session.closes).expect("a text grows");
        }
    }
    told
}

#[test]
fn the_texts_are_those_that_were_derived() {
    let output = compare(Path::new("python3"), "sums", "");
    assert!(output.status.success(), "{}", words(&output));
}

#[test]
fn the_sessions_are_those_of_the_library() {
    let Some(python) = library() else {
        return eprintln!("no package index: the sessions of exchanges are held to their checksums alone");
    };
    let told = sessions();
    let output = compare(&python, "sessions", &told);
    assert!(output.status.success(), "{}", words(&output));
    // One session too few, and one that closes at another minute: it would have been noticed.
    let fewer = told.replacen("XNYS 2026-11-27 2026-11-27T14:30:00Z 2026-11-27T18:00:00Z\n", "", 1);
    let later = told.replacen(
        "XNYS 2026-11-27 2026-11-27T14:30:00Z 2026-11-27T18:00:00Z",
        "XNYS 2026-11-27 2026-11-27T14:30:00Z 2026-11-27T21:00:00Z",
        1,
    );
    for wrong in [fewer, later] {
        let only = wrong.lines().filter(|line| line.starts_with("XNYS")).fold(String::new(), |text, line| text + line + "\n");
        let output = compare(&python, "sessions", &only);
        assert!(words(&output).contains("XNYS 2026-11-27"), "{}", words(&output));
    }
    let derived = Command::new(&python).arg(texts().join("derive.py")).arg("--check").output().expect("Python runs");
    assert!(derived.status.success(), "{}", words(&derived));
}
