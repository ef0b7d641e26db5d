//! What the plays of a run have seen, counted: faults that struck, branches that were taken, and what records say.
//! A thing that must be seen and was not is a hole of the plays, and fails the run.

use std::collections::BTreeMap;

/// Counts by kind and name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<(&'static str, String), u64>);

impl Coverage {
    /// One more of a name.
    pub fn saw(&mut self, kind: &'static str, name: &str) {
        match self.0.get_mut(&(kind, name.to_owned())) {
            Some(count) => *count += 1,
            None => drop(self.0.insert((kind, name.to_owned()), 1)),
        }
    }
    /// How often a name was seen.
    pub fn count(&self, kind: &str, name: &str) -> u64 {
        self.of(kind).find(|(of, _)| *of == name).map_or(0, |(_, count)| count)
    }
    /// Adds another play's.
    pub fn add(&mut self, other: &Coverage) {
        for (key, count) in &other.0 {
            *self.0.entry(key.clone()).or_default() += count;
        }
    }
    /// Every count of a kind.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, u64)> {
        self.0.iter().filter(move |((of, _), _)| *of == kind).map(|((_, name), count)| (name.as_str(), *count))
    }
    /// Every kind, in order.
    pub fn kinds(&self) -> Vec<&'static str> {
        let mut kinds: Vec<_> = self.0.keys().map(|(kind, _)| *kind).collect();
        kinds.dedup();
        kinds
    }
}

impl std::fmt::Display for Coverage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for kind in self.kinds() {
            writeln!(f, "{kind}")?;
            for (name, count) in self.of(kind) {
                writeln!(f, "  {name:<36} {count:>10}")?;
            }
        }
        Ok(())
    }
}
