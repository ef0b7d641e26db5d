//! The newest record of each key since the last frame, in the order in which those came.

use std::collections::BTreeMap;

/// Records by key; a later one takes its forerunner's place at the end of the line.
#[derive(Debug)]
pub struct Newest<K, V> {
    places: BTreeMap<K, u64>,
    records: BTreeMap<u64, V>,
    next: u64,
}

impl<K, V> Default for Newest<K, V> {
    fn default() -> Self {
        Self { places: BTreeMap::new(), records: BTreeMap::new(), next: 0 }
    }
}

impl<K: Ord, V> Newest<K, V> {
    /// Takes a record.
    pub fn put(&mut self, key: K, record: V) {
        if let Some(older) = self.places.insert(key, self.next) {
            self.records.remove(&older);
        }
        self.records.insert(self.next, record);
        self.next += 1;
    }
    /// Hands over all records and forgets them.
    pub fn take(&mut self) -> Vec<V> {
        self.places.clear();
        std::mem::take(&mut self.records).into_values().collect()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_a_key_stands_last() {
        let mut newest = Newest::default();
        ["a1", "b1", "a2", "c1"].iter().for_each(|text| newest.put(&text[..1], *text));
        assert_eq!(newest.take(), ["b1", "a2", "c1"]);
        assert!(newest.is_empty());
    }
}
