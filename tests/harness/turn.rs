//! A few tests with servers at a time, over all test processes of this checkout: each has a broker, a database and a
//! dozen lanes, most of which wait most of the time.

use crate::binary::root;
use crate::waiting::from_environment;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

/// Tests that may use servers at once, unless `BALLAST_TEST_TURNS` says otherwise.
const TURNS: u64 = 2;
/// Between two looks at whether a turn has become free.
const LOOK: Duration = Duration::from_millis(100);

/// Held while a test may use servers.
pub struct Turn {
    _lock: File,
}

impl Turn {
    /// Waits for its turn.
    ///
    /// # Panics
    /// When a lock file cannot be made.
    pub fn take() -> Self {
        let folder = root().join(".local");
        std::fs::create_dir_all(&folder).expect("the checkout can be written to");
        let turns = from_environment("BALLAST_TEST_TURNS", TURNS).max(1);
        loop {
            if let Some(lock) = (0..turns).find_map(|turn| free(&folder.join(format!("system-tests.{turn}.lock")))) {
                return Self { _lock: lock };
            }
            sleep(LOOK);
        }
    }
}

/// The lock, if nobody has it.
fn free(path: &Path) -> Option<File> {
    let lock = File::create(path).expect("the checkout can be written to");
    match lock.try_lock() {
        Ok(()) => Some(lock),
        Err(TryLockError::WouldBlock) => None,
        Err(TryLockError::Error(error)) => panic!("{}: the file system knows no locks: {error}", path.display()),
    }
}
