//! One test with servers at a time, over all test processes of this checkout: a broker, a database
//! and a dozen lanes fill a small machine.

use crate::binary::root;
use std::fs::File;

/// Held while a test may use servers.
pub struct Turn {
    _lock: File,
}

impl Turn {
    /// Waits for its turn.
    ///
    /// # Panics
    /// When the lock file cannot be made.
    pub fn take() -> Self {
        let folder = root().join(".local");
        std::fs::create_dir_all(&folder).expect("the checkout can be written to");
        let lock = File::create(folder.join("system-tests.lock")).expect("the checkout can be written to");
        lock.lock().expect("the file system knows locks");
        Self { _lock: lock }
    }
}
