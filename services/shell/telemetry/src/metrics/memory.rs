//! The memory of this process, read when it is shown.
//!
//! Promises: absent where the system does not tell (it is Linux that does).

use super::cell::Reading;
use super::family::Source;
use crate::names::{Definition, MEMORY_RSS};

/// Resident memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory;

impl Source for Memory {
    fn definition(&self) -> &'static Definition {
        &MEMORY_RSS
    }

    fn readings(&self) -> Vec<(Vec<String>, Reading)> {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        resident_bytes(&status).map(|bytes| (Vec::new(), Reading::Level(bytes))).into_iter().collect()
    }
}

fn resident_bytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kib: u32 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    #[allow(clippy::cast_precision_loss)]
    Some((u64::from(kib) << 10) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_status_file() {
        assert_eq!(resident_bytes("VmPeak:  9 kB\nVmRSS:\t   2048 kB\n"), Some(2_097_152.0));
        assert_eq!(resident_bytes(""), None);
    }
}
