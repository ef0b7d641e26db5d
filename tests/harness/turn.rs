//! As many tests with servers at a time as the machine bears, over all test processes of this checkout: each has a broker,
//! a database and a dozen lanes, most of which wait most of the time. What is measured has the machine to itself.

use crate::binary::root;
use crate::waiting::from_environment;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

/// Between two looks at whether a turn has become free.
const LOOK: Duration = Duration::from_millis(100);

/// Held while a test may use servers.
pub struct Turn {
    _locks: Vec<File>,
}

impl Turn {
    /// Waits for its turn.
    ///
    /// # Panics
    /// When a lock file cannot be made or locked, and when `BALLAST_TEST_TURNS` holds no number.
    pub fn take() -> Self {
        let _queue = queue();
        let places = places();
        loop {
            if let Some(lock) = places.iter().find_map(|place| free(place)) {
                return Self { _locks: vec![lock] };
            }
            sleep(LOOK);
        }
    }

    /// Waits until nobody else has one, and keeps all others waiting.
    ///
    /// # Panics
    /// As [`Turn::take`].
    pub fn alone() -> Self {
        let _queue = queue();
        Self { _locks: places().iter().map(|place| locked(place)).collect() }
    }
}

/// Held while waiting, so that whoever came first is served first: who gives a turn back and wants another one at once
/// would mostly be quicker than those who look for one now and then.
fn queue() -> File {
    locked(&folder().join("system-tests.queue.lock"))
}

fn folder() -> PathBuf {
    let folder = root().join(".local");
    std::fs::create_dir_all(&folder).expect("the checkout can be written to");
    folder
}

/// One for each test that may use servers at once: one for every two processors, unless `BALLAST_TEST_TURNS` says
/// otherwise. Beside them run the tests that need none.
fn places() -> Vec<PathBuf> {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let turns = from_environment("BALLAST_TEST_TURNS", processors as u64 / 2).max(1);
    (0..turns).map(|turn| folder().join(format!("system-tests.{turn}.lock"))).collect()
}

fn opened(path: &Path) -> File {
    File::create(path).expect("the checkout can be written to")
}

/// The lock, once nobody else has it.
fn locked(path: &Path) -> File {
    let lock = opened(path);
    lock.lock().unwrap_or_else(|error| panic!("{}: the file system knows no locks: {error}", path.display()));
    lock
}

/// The lock, if nobody has it.
fn free(path: &Path) -> Option<File> {
    let lock = opened(path);
    match lock.try_lock() {
        Ok(()) => Some(lock),
        Err(TryLockError::WouldBlock) => None,
        Err(TryLockError::Error(error)) => panic!("{}: the file system knows no locks: {error}", path.display()),
    }
}
