//! What a verification found: one row a check, with its first counter-example.
//! A report can be added to by checks that run elsewhere (replayed digests, I7).

use std::collections::BTreeMap;
use std::fmt;

/// One thing that was looked at, over the whole history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Invariant that it belongs to: `I1` … `I12`.
    pub id: &'static str,
    /// What was compared with what.
    pub what: String,
    /// How many comparisons were made.
    pub checked: u64,
    /// How many failed.
    pub violations: u64,
    /// The first that failed: where, and both numbers.
    pub first: Option<String>,
}

impl Check {
    /// A check that has compared nothing yet.
    pub fn new(id: &'static str, what: impl Into<String>) -> Self {
        Self { id, what: what.into(), checked: 0, violations: 0, first: None }
    }
    /// Counts one comparison; `say` words the counter-example and runs only for the first.
    pub fn that(&mut self, holds: bool, say: impl FnOnce() -> String) {
        self.checked += 1;
        if !holds {
            self.violations += 1;
            self.first.get_or_insert_with(say);
        }
    }
    /// Whether nothing failed.
    pub fn passed(&self) -> bool {
        self.violations == 0
    }
}

/// What became of the records of one input topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// Records in the topic.
    pub inputs: u64,
    /// Taken in.
    pub applied: u64,
    /// Their id was known already.
    pub duplicate: u64,
    /// Outputs of ours that stand there twice.
    pub repeated: u64,
    /// Came before what they need.
    pub waiting: u64,
    /// In the dead letters.
    pub dead_lettered: u64,
    /// Not read yet by their lane.
    pub unread: u64,
    /// None of these: lost.
    pub lost: u64,
}

impl Balance {
    fn add(&mut self, other: &Self) {
        self.inputs += other.inputs;
        self.applied += other.applied;
        self.duplicate += other.duplicate;
        self.repeated += other.repeated;
        self.waiting += other.waiting;
        self.dead_lettered += other.dead_lettered;
        self.unread += other.unread;
        self.lost += other.lost;
    }
}

/// The outcome of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Rows, in the order of the invariants.
    pub checks: Vec<Check>,
    /// Records read, by topic.
    pub counts: BTreeMap<String, u64>,
    /// What became of the inputs, by topic.
    pub balances: BTreeMap<String, Balance>,
    /// What the model left out, and why.
    pub notes: Vec<String>,
}

impl Report {
    /// Adds a check that ran elsewhere; rows stay in the order of the invariants.
    pub fn add(&mut self, check: Check) {
        let number = |id: &str| id.trim_start_matches('I').parse::<u32>().unwrap_or(u32::MAX);
        let at = self.checks.partition_point(|row| number(row.id) <= number(check.id));
        self.checks.insert(at, check);
    }
    /// Adds what was found in another part of the log. What both have asked is one row, and what both have noted is
    /// said once.
    pub fn join(&mut self, other: Self) {
        for check in other.checks {
            match self.checks.iter_mut().find(|row| (row.id, &row.what) == (check.id, &check.what)) {
                Some(row) => {
                    (row.checked, row.violations) = (row.checked + check.checked, row.violations + check.violations);
                    row.first = row.first.take().or(check.first);
                }
                None => self.add(check),
            }
        }
        other.counts.into_iter().for_each(|(topic, count)| *self.counts.entry(topic).or_default() += count);
        other.balances.into_iter().for_each(|(topic, balance)| self.balances.entry(topic).or_default().add(&balance));
        for note in other.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }
    /// Whether every check passed.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(Check::passed)
    }
    /// Exit status of a process that ran it: 0 when every check passed, else 1.
    pub fn exit_status(&self) -> u8 {
        u8::from(!self.passed())
    }
    /// All violations.
    pub fn violations(&self) -> u64 {
        self.checks.iter().map(|check| check.violations).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.checks.iter().map(|check| check.what.chars().count()).max().unwrap_or(0).max("check".len());
        writeln!(f, "{:<4} {:<width$} {:>10} {:>10}", "", "check", "checked", "violations")?;
        for check in &self.checks {
            writeln!(f, "{:<4} {:<width$} {:>10} {:>10}", check.id, check.what, check.checked, check.violations)?;
            if let Some(first) = &check.first {
                writeln!(f, "     first: {first}")?;
            }
        }
        self.write_balances(f)?;
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        let records: u64 = self.counts.values().sum();
        match self.violations() {
            0 => writeln!(f, "{records} records read, no violation"),
            found => writeln!(f, "{records} records read, VIOLATIONS: {found}"),
        }
    }
}

impl Report {
    fn write_balances(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = ["inputs", "applied", "duplicate", "repeated", "waiting", "dead", "unread", "lost"];
        write!(f, "\n{:<32}", "input topic")?;
        heads.iter().try_for_each(|head| write!(f, "{head:>10}"))?;
        writeln!(f)?;
        for (topic, b) in &self.balances {
            let numbers = [b.inputs, b.applied, b.duplicate, b.repeated, b.waiting, b.dead_lettered, b.unread, b.lost];
            write!(f, "{topic:<32}")?;
            numbers.iter().try_for_each(|number| write!(f, "{number:>10}"))?;
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_row_shows_its_first_counter_example_and_fails_the_run() {
        let mut check = Check::new("I9", "nine");
        check.that(true, || unreachable!("only failures are worded"));
        check.that(false, || "first".to_owned());
        check.that(false, || "second".to_owned());
        let mut report = Report::default();
        report.add(check);
        report.add(Check::new("I7", "replayed digests"));
        assert_eq!(report.checks.iter().map(|c| c.id).collect::<Vec<_>>(), ["I7", "I9"]);
        assert_eq!((report.exit_status(), report.violations()), (1, 2));
        let text = report.to_string();
        assert!(text.contains("first: first") && !text.contains("second"), "{text}");
    }

    #[test]
    fn parts_are_one_report() {
        let part = |id: &'static str, failing: &[&str], note: &str| {
            let mut check = Check::new(id, "both");
            check.that(true, || unreachable!("only failures are worded"));
            failing.iter().for_each(|what| check.that(false, || (*what).to_owned()));
            let balance = Balance { inputs: 3, applied: 2, lost: 1, ..Balance::default() };
            let mut report = Report { balances: [("fills".to_owned(), balance)].into(), ..Report::default() };
            (report.counts, report.notes) = ([("fills".to_owned(), 3)].into(), vec![note.to_owned()]);
            report.add(check);
            report
        };
        let mut whole = Report::default();
        [part("I2", &[], "n"), part("I2", &["a", "b"], "n"), part("I1", &["c"], "m")].into_iter().for_each(|part| whole.join(part));
        let rows: Vec<_> = whole.checks.iter().map(|c| (c.id, c.checked, c.violations, c.first.as_deref())).collect();
        assert_eq!(rows, [("I1", 2, 1, Some("c")), ("I2", 4, 2, Some("a"))]);
        assert_eq!((whole.counts["fills"], whole.notes), (9, vec!["n".to_owned(), "m".to_owned()]));
        assert_eq!(whole.balances["fills"], Balance { inputs: 9, applied: 6, lost: 3, ..Balance::default() });
    }
}
