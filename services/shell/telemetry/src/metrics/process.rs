//! What this process uses, and which build it is; read when it is shown.
//!
//! Promises: absent where the system does not tell (it is Linux that does).

use std::sync::{Arc, PoisonError, RwLock};

use super::cell::Reading;
use super::family::Source;
use crate::names::{BUILD_INFO, CPU, Definition, MEMORY_RSS, OPEN_FDS};

/// Ticks of the clock in which Linux tells processor time to programs: the same on every machine that it is built for.
const TICKS_A_SECOND: f64 = 100.0;

/// Resident memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResidentMemory;

/// Processor time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Processor;

/// Open files.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenFiles;

/// The build, once somebody has named it.
#[derive(Debug, Clone, Default)]
pub(super) struct BuildInfo(Arc<RwLock<Option<(String, i32)>>>);

impl BuildInfo {
    pub(super) fn name(&self, version: &str, rules: i32) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some((version.to_owned(), rules));
    }
}

fn one(reading: Option<Reading>) -> Vec<(Vec<String>, Reading)> {
    reading.map(|reading| (Vec::new(), reading)).into_iter().collect()
}

impl Source for ResidentMemory {
    fn definition(&self) -> &'static Definition {
        &MEMORY_RSS
    }

    fn readings(&self) -> Vec<(Vec<String>, Reading)> {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        one(resident_bytes(&status).map(Reading::Level))
    }
}

impl Source for Processor {
    fn definition(&self) -> &'static Definition {
        &CPU
    }

    fn readings(&self) -> Vec<(Vec<String>, Reading)> {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        one(processor_seconds(&stat).map(Reading::Total))
    }
}

impl Source for OpenFiles {
    fn definition(&self) -> &'static Definition {
        &OPEN_FDS
    }

    fn readings(&self) -> Vec<(Vec<String>, Reading)> {
        let Ok(listed) = std::fs::read_dir("/proc/self/fd") else { return Vec::new() };
        let open = u32::try_from(listed.count()).unwrap_or(u32::MAX);
        one(Some(Reading::Level(f64::from(open))))
    }
}

impl Source for BuildInfo {
    fn definition(&self) -> &'static Definition {
        &BUILD_INFO
    }

    fn readings(&self) -> Vec<(Vec<String>, Reading)> {
        let named = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        named.map(|(version, rules)| (vec![version, rules.to_string()], Reading::Level(1.0))).into_iter().collect()
    }
}

fn resident_bytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kib: u32 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    #[allow(clippy::cast_precision_loss)]
    Some((u64::from(kib) << 10) as f64)
}

/// The sum of the fields 14 and 15; the second field is a name that may hold anything, in brackets.
#[allow(clippy::float_arithmetic, reason = "a figure for people")]
fn processor_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11).map(str::parse::<u32>);
    let (user, system) = (times.next()?.ok()?, times.next()?.ok()?);
    Some((f64::from(user) + f64::from(system)) / TICKS_A_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_system_tells() {
        assert_eq!(resident_bytes("VmPeak:  9 kB\nVmRSS:\t   2048 kB\n"), Some(2_097_152.0));
        assert_eq!(resident_bytes(""), None);
        let stat = "77 (a ) b) S 1 77 77 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 9 0 1 1 1";
        assert_eq!(processor_seconds(stat), Some(3.0));
        assert_eq!(processor_seconds("77 (a"), None);
    }
}
