//! Rows turned into columns, as `UNNEST` wants them.
//!
//! Promises: what it gives Postgres, Postgres accepts: no NUL in text or JSON.

use std::collections::BTreeMap;

use serde_json::Value;

/// One column of many rows.
pub(super) fn column<R, T>(rows: &[R], field: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(field).collect()
}

/// Text without NUL.
pub(super) fn text(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// Optional text without NUL.
pub(super) fn opt_text(value: &Option<String>) -> Option<String> {
    value.as_deref().map(text)
}

/// JSON as text, without the escape of NUL, which `jsonb` refuses.
pub(super) fn json(value: &Value) -> String {
    value.to_string().replace("\\u0000", "\\ufffd")
}

/// Optional JSON as text.
pub(super) fn opt_json(value: &Option<Value>) -> Option<String> {
    value.as_ref().map(json)
}

/// The newest row of each key, by key: one statement may touch a row only once. Of equal ages the
/// later row stays.
pub(super) fn newest<'r, R, K: Ord, A: Ord>(rows: &'r [R], key: impl Fn(&'r R) -> K, age: impl Fn(&'r R) -> A) -> Vec<&'r R> {
    let mut kept: BTreeMap<K, &R> = BTreeMap::new();
    for row in rows {
        kept.entry(key(row))
            .and_modify(|held| {
                if age(row) >= age(held) {
                    *held = row;
                }
            })
            .or_insert(row);
    }
    kept.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest_of_each_key() {
        let rows = [("a", 2, 'x'), ("b", 1, 'y'), ("a", 1, 'z'), ("b", 1, 'w')];
        let kept: Vec<char> = newest(&rows, |r| r.0, |r| r.1).iter().map(|r| r.2).collect();
        assert_eq!(kept, ['x', 'w']);
    }

    #[test]
    fn nul_never_reaches_postgres() {
        assert_eq!(text("a\0b"), "a\u{FFFD}b");
        let value = Value::String("\0".to_owned());
        assert_eq!(json(&value), "\"\\ufffd\"");
    }
}
