//! Instruction counts of the hot paths are kept in `tests/benches/core/counts.toml`: none may rise by more than 3 % unless
//! the new figure is kept along. `make counts` counts them and compares; here alone nothing is counted.

mod compared;
mod counted;
mod kept;

use compared::{Verdict, compared, shown};
use std::path::{Path, PathBuf};
use std::process::Command;

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/core/counts.toml")
}

/// The compiler that is here, as it names itself.
fn compiler() -> String {
    let told = Command::new("rustc").arg("--version").output().expect("a compiler that has built this");
    String::from_utf8_lossy(&told.stdout).trim().to_owned()
}

/// With `BLESS=1`, keeps what was counted instead.
#[test]
fn no_hot_path_takes_more_instructions_than_are_kept() {
    let Some(folder) = std::env::var_os("BALLAST_COUNTS").map(PathBuf::from) else {
        println!("NOT COMPARED: nothing was counted here; `make counts` does, and needs valgrind");
        return;
    };
    let counted = counted::counted(&folder);
    assert!(!counted.is_empty(), "callgrind has left no counts in {}", folder.display());
    if std::env::var_os("BLESS").is_some() {
        kept::write(&file(), &kept::Kept { compiler: compiler(), counts: counted });
        println!("kept in {}", file().display());
        return;
    }
    let kept = kept::read(&file());
    let rows = compared(&kept.counts, &counted);
    let table = shown(&rows);
    println!("{table}");
    if rows.iter().any(|row| matches!(row.verdict, Verdict::Risen | Verdict::New | Verdict::Gone)) {
        panic!(
            "counts that are not those of tests/benches/core/counts.toml:\n{table}\n\
             Where that is meant, `BLESS=1 make counts` keeps them: commit the file with the change, and say why.\n\
             Kept were they with {}, counted with {}.",
            kept.compiler,
            compiler()
        );
    }
}

#[test]
fn each_path_of_the_bench_is_kept() {
    if std::env::var_os("BLESS").is_some() {
        // The file is being written.
        return;
    }
    let kept = kept::read(&file());
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/core/main.rs")).expect("the bench");
    let marked = |mark: &str| text.lines().filter(|line| line.starts_with(mark)).count();
    // A function of several benches has a mark of its own and one for each.
    let functions =
        text.split("#[library_benchmark(").skip(1).filter(|rest| rest.split("fn ").next().is_some_and(|head| head.contains("#[bench::")));
    assert_eq!(kept.counts.len(), marked("#[library_benchmark(") - functions.count() + marked("#[bench::"), "{:?}", kept.counts);
}
