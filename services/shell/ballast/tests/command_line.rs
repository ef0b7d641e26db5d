//! The executable as a shell sees it: what it prints, and how it ends. No server is needed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

fn ballast(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ballast"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BALLAST_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Many records that give no output but dead letters, as lines of text.
fn lines() -> String {
    let mut text = String::new();
    for n in 0..20_000 {
        text.push_str(&format!("{{\"topic\":\"portfolio.ledger.v1\",\"value\":{n}}}\n"));
    }
    text
}

#[test]
fn a_reader_that_leaves_ends_a_command_quietly() {
    let file = std::env::temp_dir().join(format!("ballast-lines-{}.jsonl", std::process::id()));
    std::fs::write(&file, lines()).unwrap();
    for arguments in [&["config", "check"][..], &["replay"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        // Nobody reads from the first byte on.
        drop(reader);
        let input = std::fs::File::open(&file).unwrap();
        let ended = ballast(arguments).stdin(input).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert!(ended.status.success(), "{arguments:?} ended with {}: {}", ended.status, errors(&ended));
        assert_eq!(errors(&ended), "", "{arguments:?}");
    }
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn words_that_nobody_hears_end_nothing() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = ballast(&["replay", "--strict"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(writer).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"17\n").unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(3));
}

#[test]
fn a_file_that_is_not_there_is_an_argument_of_no_use() {
    for file in ["/nonexistent/lines.jsonl", "/"] {
        let ended = ballast(&["replay", file]).output().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{}", errors(&ended));
        assert!(errors(&ended).contains(&format!("opening {file}: ")), "{}", errors(&ended));
    }
}

#[test]
fn a_replay_says_what_was_known_already() {
    let deposit = r#"{"topic":"treasury.cash.v1","timestamp":"2026-01-05T14:00:00Z","value":{"source":"BANK","entry_id":"1","portfolio_id":"P","kind":"DEPOSIT","currency":"USD","amount":"5","effective_at":"2026-01-05T14:00:00Z"}}"#;
    let policy = r#"{"topic":"portfolio.policies.v1","value":{"portfolio_id":"P","policy_version":1,"base_currency":"USD"}}"#;
    let file = file_of("known", &[policy, deposit, deposit, deposit].map(str::to_owned));
    let ended = ballast(&["replay", &file.to_string_lossy()]).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(ended.status.success(), "{}", errors(&ended));
    assert_eq!(errors(&ended), "2 records were known already, by id or by action, and changed nothing\n");
}

#[test]
fn the_configuration_is_shown_as_its_file() {
    let shown = ballast(&["config", "check", "--set", "lanes=8"]).output().unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.contains("lanes = 8  # set by --set lanes\n") && text.contains("\n[pacing]\n"), "{text}");
    assert!(!text.contains("Config {") && !text.contains("Some("), "{text}");
}

#[test]
fn a_password_of_digits_is_a_password_and_is_not_shown() {
    let secured = |password: &str, protocol: &str| {
        let mut command = ballast(&["config", "check"]);
        let security = [("PROTOCOL", protocol), ("USER", "ann"), ("PASSWORD", password)];
        security.iter().for_each(|(key, value)| _ = command.env(format!("BALLAST_KAFKA_SECURITY_{key}"), value));
        command.output().unwrap()
    };
    let shown = secured("12345678", "SASL_SSL");
    assert!(shown.status.success(), "{}", errors(&shown));
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.contains("password = \"***\"  # set by the variable BALLAST_KAFKA_SECURITY_PASSWORD\n"), "{text}");
    assert!(!text.contains("12345678"), "{text}");
    let refused = secured("12345678", "PLAINTEXT");
    assert!(!refused.status.success() && !errors(&refused).contains("12345678"), "{}", errors(&refused));
}

#[test]
fn a_name_without_letters_is_refused_before_anything_starts() {
    for name in ["", "a\nb", "a\u{7}"] {
        let ended = ballast(&["run", "conflator", "--instance", name]).output().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{name:?}: {}", errors(&ended));
        assert!(errors(&ended).contains("instance is") && errors(&ended).contains("1 to 128 bytes"), "{}", errors(&ended));
    }
}

/// A file of these lines, of this process.
fn file_of(name: &str, lines: &[String]) -> std::path::PathBuf {
    let file = std::env::temp_dir().join(format!("ballast-{name}-{}.jsonl", std::process::id()));
    std::fs::write(&file, lines.join("\n")).unwrap();
    file
}

const TICK: &str = r#"{"topic":"marketdata.ticks.v1","value":{"instrument_id":"ACME","last":"1","event_time":"2026-01-05T14:30:00Z"}}"#;

#[test]
fn a_replay_of_a_file_names_the_refusals_that_it_does_not_print() {
    let mut lines = vec![TICK.to_owned(), r#"{"topic":"marketdata.tick.v1","value":{}}"#.to_owned()];
    lines.extend((0..24).map(|_| TICK.replace("ACME", "")));
    let file = file_of("refusals", &lines);
    let path = file.to_string_lossy().into_owned();
    let run = |only: &str| ballast(&["replay", "--only", only, &path]).output().unwrap();
    let ended = run("portfolio.snapshots.v1");
    assert_eq!(ended.status.code(), Some(3), "{}", errors(&ended));
    let told = errors(&ended);
    assert!(told.contains("line 2 was refused: UNDECODABLE: ") && told.contains("did you mean marketdata.ticks.v1?"), "{told}");
    assert!(told.contains("line 3 was refused: ") && told.contains("\n5 more were refused"), "{told}");
    assert_eq!(told.lines().count(), 21, "{told}");
    let told = errors(&run("marketdata.ticks.v1.dlq"));
    assert_eq!(told.lines().count(), 1, "{told}");
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn without_a_broker_publish_says_soon_which_one_does_not_answer() {
    let file = file_of("unsent", &[TICK.replace("ticks.v1", "tiks.v1"), TICK.to_owned()]);
    let began = std::time::Instant::now();
    let ended = ballast(&["--set", "kafka.brokers=127.0.0.1:1", "publish", &file.to_string_lossy()]).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    let told = errors(&ended);
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains("line 1: UNDECODABLE") && told.contains("did you mean marketdata.ticks.v1?"), "{told}");
    assert!(told.contains("no broker answered at 127.0.0.1:1 within"), "{told}");
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn migrating_what_is_no_postgres_ends_soon_and_names_it_without_the_password() {
    // It accepts, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let began = std::time::Instant::now();
    let url = format!("postgres.url=postgres://me:hidden@{address}/db");
    let ended = ballast(&["--set", &url, "--set", "postgres.acquire_timeout_ms=300", "migrate"]).output().unwrap();
    let told = errors(&ended);
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains(&format!("no connection to Postgres at {address}")) && !told.contains("hidden"), "{told}");
    assert!(began.elapsed() < std::time::Duration::from_secs(10));
}

#[test]
fn a_configuration_that_cannot_start_ends_every_command_with_status_2() {
    for arguments in [&["config", "check"][..], &["run", "conflator"]] {
        let ended = ballast(arguments).args(["--set", "postgres.password_file=/nonexistent"]).output().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{}", errors(&ended));
        assert!(errors(&ended).contains("`password_file`"), "{}", errors(&ended));
    }
}

#[test]
fn the_help_of_lines_is_whole() {
    for command in ["replay", "publish"] {
        let shown = ballast(&[command, "--help"]).output().unwrap();
        let text = String::from_utf8(shown.stdout).unwrap();
        for word in ["topic ", "key ", "timestamp ", "value ", "null", "Exit status:", "Example:"] {
            assert!(text.contains(word), "{word}: {text}");
        }
        // What is broken by hand fits into a narrow terminal, and is not broken again.
        let narrow = ballast(&[command, "--help"]).env("COLUMNS", "80").output().unwrap();
        let text = String::from_utf8(narrow.stdout).unwrap();
        for line in text.lines().filter(|line| line.starts_with("             ")) {
            assert!(line.split_whitespace().count() > 1 || line.ends_with("counts"), "broken twice: {line:?} of {text}");
        }
    }
}

#[test]
fn commands_on_portfolios_teach_their_use_and_refuse_what_makes_no_sense() {
    for (command, taught) in [
        ("portfolio", "--known-at"),
        ("rebalance", "--mode <MODE>"),
        ("approve", "STALE_PROPOSAL"),
        ("reject", "ballast reject growth"),
        ("cancel", "--wait <SECONDS>"),
        ("performance", "--by <GROUPING>"),
    ] {
        let help = ballast(&[command, "--help"]).output().unwrap();
        let text = String::from_utf8_lossy(&help.stdout).into_owned();
        assert!(
            help.status.success() && text.contains(taught) && text.contains("Exit status: 0 done") && text.contains("Example"),
            "{text}"
        );
    }
    for wrong in [
        &["rebalance", "growth"][..],
        &["rebalance", "growth", "--check", "--mode", "manual"],
        &["portfolio", "growth", "--as-of", "yesterday"],
        &["performance", "growth", "--from", "2026-13-01"],
        &["approve", "growth", "--wait", "0"],
        &["portfolio", "growth", "-o", "xml"],
    ] {
        let ended = ballast(wrong).output().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{wrong:?}: {}", errors(&ended));
    }
}

#[test]
fn a_database_that_is_away_is_named() {
    for command in
        [&["portfolio", "growth"][..], &["rebalance", "growth", "--check"], &["approve", "growth", "--actor", "ann"], &["migrate"]]
    {
        let ended = ballast(command)
            .args(["--set", "postgres.acquire_timeout_ms=500"])
            .env("BALLAST_POSTGRES_URL", "postgres://nobody@127.0.0.1:1/none")
            .output()
            .unwrap();
        assert_eq!(ended.status.code(), Some(1), "{}", errors(&ended));
        // The reason too, once: a pool that found no connection in time does not know it.
        assert!(errors(&ended).contains("cannot be reached at 127.0.0.1:1 ("), "{}", errors(&ended));
        assert_eq!(errors(&ended).matches("onnection refused").count(), 1, "{}", errors(&ended));
    }
}
