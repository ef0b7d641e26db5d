//! The shortest cause of a failure: faults and inputs are taken away, in halves and then one by one, as long as what
//! is left goes wrong in the same way. (Delta debugging.)

use crate::chance::Asked;
use crate::play::{Outcome, Script, play};
use std::collections::BTreeSet;

/// How often a failure is played again at most.
const MOST_PLAYS: usize = 400;

/// What is left of a failure.
pub struct Cause {
    /// What plays it.
    pub script: Script,
    /// What came of it.
    pub outcome: Outcome,
}

/// One part of a script that can be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Fault(Asked),
    Input(usize),
}

/// Finds it. The script must fail.
pub fn shrink(script: &Script) -> Cause {
    let mut cause = Cause { script: script.clone(), outcome: play(script) };
    let kind = kind_of(&cause.outcome).expect("only failures have a cause");
    let mut plays = 0;
    let mut size = parts(&cause).len().div_ceil(2);
    while size > 0 && plays < MOST_PLAYS {
        let mut at = 0;
        loop {
            let parts = parts(&cause);
            if at >= parts.len() || plays >= MOST_PLAYS {
                break;
            }
            let without = taken_away(&cause.script, &parts[at..parts.len().min(at + size)]);
            let outcome = play(&without);
            plays += 1;
            if kind_of(&outcome).as_ref() == Some(&kind) {
                cause = Cause { script: without, outcome };
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    cause
}

/// In which way a play went wrong: the first words of what is said.
fn kind_of(outcome: &Outcome) -> Option<String> {
    let first = outcome.wrongs.first()?;
    Some(first.chars().filter(|letter| !letter.is_ascii_digit()).take(40).collect())
}

fn parts(cause: &Cause) -> Vec<Part> {
    let left: BTreeSet<usize> = (0..cause.outcome.inputs).collect();
    let inputs = left.difference(&cause.script.left_out).map(|number| Part::Input(*number));
    cause.outcome.struck.iter().map(|asked| Part::Fault(*asked)).chain(inputs).collect()
}

fn taken_away(script: &Script, parts: &[Part]) -> Script {
    let mut script = script.clone();
    for part in parts {
        match part {
            Part::Fault(asked) => _ = script.spared.insert(*asked),
            Part::Input(number) => _ = script.left_out.insert(*number),
        }
    }
    script
}

/// A cause as people read it, with the command that plays it.
pub fn shown(cause: &Cause) -> String {
    let told = play(&Script { told: true, ..cause.script.clone() });
    let faults: Vec<String> = cause.outcome.struck.iter().map(|(name, count)| format!("{name}#{count}")).collect();
    let inputs = cause.outcome.inputs - cause.script.left_out.len();
    let heard = |line: &&String| !line.contains("ballast.") && !line.contains("/0@") && !line.contains("/1@");
    let tale: Vec<String> = told.tale.iter().filter(heard).map(|line| line.chars().take(180).collect()).collect();
    format!(
        "seed {} goes wrong:\n  {}\nits shortest cause: {inputs} inputs, faults: {}\n{}\nto play it: {}BALLAST_SIM_SEED={} cargo test --profile fast --locked -p system-tests --test simulation -- played_again --nocapture",
        cause.script.seed,
        cause.outcome.wrongs.join("\n  "),
        if faults.is_empty() { "none".to_owned() } else { faults.join(", ") },
        tale.join("\n"),
        if cause.script.as_kept { "BALLAST_SIM_AS_KEPT=1 " } else { "" },
        cause.script.seed
    )
}
