//! Which crate may build on which: the two floors, the rooms of each, and the one home of every
//! foreign library. Tests of a crate may reach further, but never from the core to the shell.

use super::tree::{Crate, crates};

/// Roles and their neighbours on the deterministic floor; they meet in `domain` and never in each other.
const ROLES: [&str; 5] = ["conflator", "position-keeper", "rebalancer", "performance-tracker", "paper-router"];

/// Foreign libraries by how their names start, and the only crates that may build on them.
/// axum stands with telemetry until a gateway exists.
const HOMES: [(&str, &[&str]); 16] = [
    ("rdkafka", &["kafka-log"]),
    ("sqlx", &["postgres-store"]),
    ("opentelemetry", &["telemetry"]),
    ("tracing-opentelemetry", &["telemetry"]),
    ("prometheus", &["telemetry"]),
    ("axum", &["telemetry", "gateway"]),
    ("hyper", &["telemetry", "gateway"]),
    ("apache-avro", &["avro-codec"]),
    ("ascii", &["avro-codec"]),
    ("clap", &["ballast"]),
    ("figment", &["ballast"]),
    ("csv", &["ballast"]),
    ("libc", &["kafka-log"]),
    ("libm", &["performance-tracker"]),
    ("libmimalloc", &["ballast"]),
    ("jiff", &["domain", "performance-tracker"]),
];

/// What no crate of the core may build on: clocks, chance, threads, sockets and async.
const NOT_IN_CORE: [&str; 12] =
    ["tokio", "futures", "async-trait", "rand", "fastrand", "getrandom", "chrono", "time", "rayon", "crossbeam", "anyhow", "tracing"];

fn is_core(one: &Crate) -> bool {
    one.folder.starts_with("services/core/")
}

fn is_shell(one: &Crate) -> bool {
    one.folder.starts_with("services/shell/")
}

/// Every arrow that points the wrong way.
fn wrong_arrows(all: &[Crate]) -> Vec<String> {
    let shell: Vec<&str> = all.iter().filter(|one| is_shell(one)).map(|one| one.name.as_str()).collect();
    let ours: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    let mut wrong = Vec::new();
    for one in all {
        for need in &one.needs {
            if let Some(why) = why_not(one, need, &shell, &ours) {
                wrong.push(format!("{} builds on {need}: {why}", one.name));
            }
        }
        let tests = one.tests_need.iter().filter(|need| is_core(one) && shell.contains(&need.as_str()));
        wrong.extend(tests.map(|need| format!("tests of {} need {need}: core never imports shell", one.name)));
    }
    wrong
}

fn why_not(one: &Crate, need: &str, shell: &[&str], ours: &[&str]) -> Option<&'static str> {
    let own = ours.contains(&need);
    let whole = matches!(one.name.as_str(), "ballast" | "system-tests");
    match (one.name.as_str(), need) {
        (_, need) if is_core(one) && shell.contains(&need) => Some("core never imports shell"),
        ("domain", _) if own => Some("domain imports no other room"),
        (name, need) if ROLES.contains(&name) && ROLES.contains(&need) => Some("roles meet in domain, never in each other"),
        (name, "avro-codec") if ROLES.contains(&name) || name == "engine" => Some("bytes are decoded outside the roles"),
        (_, "ballast") if one.name != "system-tests" => Some("only tests build on the executable"),
        ("kafka-log", _) if own => Some("kafka-log knows only bytes"),
        ("postgres-store", "kafka-log") => Some("kafka-log and postgres-store never meet"),
        (_, need) if is_shell(one) && !whole && shell.contains(&need) && need != "telemetry" => {
            Some("only ballast joins the shell's rooms")
        }
        (_, need) if is_shell(one) && !whole && ROLES.contains(&need) => Some("only ballast runs roles"),
        _ => None,
    }
}

/// Every foreign library outside its home, and every one that the core cannot bear.
fn homeless(all: &[Crate]) -> Vec<String> {
    let mut wrong = Vec::new();
    for one in all {
        for need in &one.needs {
            // Of two that begin alike the longer one.
            let home = HOMES.iter().filter(|(library, _)| need.starts_with(library)).max_by_key(|(library, _)| library.len());
            if let Some((_, homes)) = home
                && !homes.contains(&one.name.as_str())
                && one.name != "system-tests"
            {
                wrong.push(format!("{} builds on {need}, whose home is {}", one.name, homes.join(" or ")));
            }
            if is_core(one) && NOT_IN_CORE.contains(&need.as_str()) {
                wrong.push(format!("{} builds on {need}, which the deterministic floor cannot bear", one.name));
            }
        }
    }
    wrong
}

/// Crates outside the rooms of the house.
fn misplaced(all: &[Crate]) -> Vec<String> {
    let right = |one: &Crate| one.folder == "tests" || one.folder.rsplit('/').next() == Some(&one.name) && (is_core(one) || is_shell(one));
    all.iter().filter(|one| !right(one)).map(|one| format!("{} stands in {:?}", one.name, one.folder)).collect()
}

#[test]
fn every_arrow_points_the_right_way() {
    let all = crates();
    assert!(all.len() >= 10, "cargo metadata shows too few crates: {}", all.len());
    assert_eq!(wrong_arrows(&all), Vec::<String>::new());
}

#[test]
fn every_foreign_library_has_one_home() {
    assert_eq!(homeless(&crates()), Vec::<String>::new());
}

#[test]
fn every_crate_stands_in_its_room() {
    assert_eq!(misplaced(&crates()), Vec::<String>::new());
}

fn planted(name: &str, folder: &str, needs: &[&str]) -> Crate {
    let needs = needs.iter().map(|need| (*need).to_owned()).collect();
    Crate { name: name.into(), folder: format!("services/{folder}/{name}"), needs, tests_need: Vec::new() }
}

fn house() -> Vec<Crate> {
    vec![
        planted("domain", "core", &[]),
        planted("engine", "core", &["domain"]),
        planted("avro-codec", "core", &["domain", "engine"]),
        planted("rebalancer", "core", &["domain", "engine"]),
        planted("position-keeper", "core", &["domain", "engine"]),
        planted("kafka-log", "shell", &["rdkafka"]),
        planted("postgres-store", "shell", &["sqlx", "domain"]),
        planted("telemetry", "shell", &["opentelemetry"]),
        planted("ballast", "shell", &["rebalancer", "kafka-log", "postgres-store", "telemetry", "engine", "domain"]),
    ]
}

#[test]
fn wrong_arrows_are_noticed() {
    assert_eq!(wrong_arrows(&house()), Vec::<String>::new());
    let planted = [
        ("domain", "engine"),
        ("engine", "kafka-log"),
        ("engine", "avro-codec"),
        ("rebalancer", "position-keeper"),
        ("rebalancer", "avro-codec"),
        ("rebalancer", "telemetry"),
        ("kafka-log", "domain"),
        ("postgres-store", "kafka-log"),
        ("postgres-store", "rebalancer"),
        ("telemetry", "ballast"),
    ];
    for (from, to) in planted {
        let mut all = house();
        all.iter_mut().filter(|one| one.name == from).for_each(|one| one.needs.push(to.into()));
        assert_eq!(wrong_arrows(&all).len(), 1, "{from} → {to}: {:?}", wrong_arrows(&all));
    }
    let mut all = house();
    all[3].tests_need.push("kafka-log".into());
    assert_eq!(wrong_arrows(&all).len(), 1);
}

#[test]
fn homeless_libraries_are_noticed() {
    assert_eq!(homeless(&house()), Vec::<String>::new());
    for (crate_name, library) in [
        ("ballast", "rdkafka"),
        ("ballast", "sqlx"),
        ("ballast", "opentelemetry-otlp"),
        ("engine", "apache-avro"),
        ("rebalancer", "tokio"),
        ("domain", "rand"),
    ] {
        let mut all = house();
        all.iter_mut().filter(|one| one.name == crate_name).for_each(|one| one.needs.push(library.into()));
        assert_eq!(homeless(&all).len(), 1, "{crate_name} on {library}");
    }
}

#[test]
fn misplaced_crates_are_noticed() {
    assert!(misplaced(&house()).is_empty());
    let stray = Crate { name: "helpers".into(), folder: "services/helpers".into(), ..Crate::default() };
    assert_eq!(misplaced(&[stray]).len(), 1);
}
