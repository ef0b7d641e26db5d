//! Waiting for what must come, with a limit.

use std::time::{Duration, Instant};

/// Asks every 50 ms until there is an answer.
///
/// # Panics
/// When there is none within `limit`; says what was waited for.
pub fn until<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A number from the environment, for those who want a test longer than usual.
///
/// # Panics
/// When the variable holds no number.
pub fn from_environment(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text:?} is no whole number")))
}
