//! The known name that a mistyped one was meant to be. A guess for people; nothing is decided by it.

use domain::Topic;

/// The known name that takes the fewest changes, if it is near enough to have been meant.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|name| (distance(word, name), name)).min()?;
    is_near(near.0, word).then_some(near.1)
}

/// Whether so many changes of a word are few.
pub fn is_near(changes: usize, word: &str) -> bool {
    changes <= (word.len() / 3).max(1)
}

/// Words about a name that is no topic: the one that was meant, and all that there are.
pub fn topic_words<'a>(word: &str, topics: impl Iterator<Item = &'a str> + Clone) -> String {
    let meant = nearest(word, topics.clone()).map(|name| format!("did you mean {name}? ")).unwrap_or_default();
    format!("{meant}The topics are {}", topics.collect::<Vec<_>>().join(", "))
}

/// Topics that people and systems outside write to.
pub fn inputs() -> impl Iterator<Item = &'static str> + Clone {
    Topic::ALL.iter().filter(|topic| topic.is_from_outside()).map(|topic| topic.name())
}

/// Letters to change, add or take away to make one text of another.
pub fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, other) in to.bytes().enumerate() {
            let changed = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_guessed_and_a_far_one_is_not() {
        let all = || Topic::ALL.iter().map(|topic| topic.name());
        assert_eq!(nearest("portfolio.drift", all()), Some("portfolio.drift.v1"));
        assert_eq!(nearest("marketdata.tick.v1", all()), Some("marketdata.ticks.v1"));
        assert_eq!(nearest("nonsense", all()), None);
        let told = topic_words("nonsense", inputs());
        assert!(told.starts_with("The topics are ") && told.contains("execution.fills.v1") && !told.contains("ledger"), "{told}");
    }
}
