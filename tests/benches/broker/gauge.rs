//! What a process tells of itself: its metrics, and what the system counts for it.

#![allow(dead_code, reason = "each bench uses a part of it")]

use crate::table::show;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};
use system_tests::waiting::until;

/// Ticks of processor time in a second, as Linux shows them to everybody.
const TICKS: f64 = 100.0;

/// The service's metrics.
pub struct Gauge {
    port: u16,
}

impl Gauge {
    /// Metrics at a port that nobody uses.
    pub fn at_a_free_port() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        Self { port: listener.local_addr().expect("a port").port() }
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Fills read and folded so far.
    pub fn fills(&self) -> u64 {
        self.total("ballast_records_in_total", "execution.fills")
    }

    /// Waits until no ledger record was committed for a second; when the last one was.
    pub fn last_commit(&self, limit: Duration) -> Instant {
        let (mut committed, mut last) = (0, Instant::now());
        until("every booking is committed", limit, || {
            let now = self.total("ballast_outputs_total", "portfolio.ledger");
            if now != committed {
                (committed, last) = (now, Instant::now());
            }
            (last.elapsed() > Duration::from_secs(1)).then_some(last)
        })
    }

    /// The sum of a metric over its labels that hold this text.
    pub fn total(&self, metric: &str, topic: &str) -> u64 {
        let text = self.text().unwrap_or_default();
        let lines = text.lines().filter(|line| line.starts_with(&format!("{metric}{{")) && line.contains(topic));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).map(whole).sum()
    }

    /// Waits until so many fills were read.
    pub fn await_fills(&self, fills: u64, limit: Duration) {
        until(&format!("{fills} fills are booked"), limit, || (self.fills() >= fills).then_some(()));
    }

    /// Commits so far, by bucket.
    pub fn commits(&self) -> Commits {
        let text = self.text().unwrap_or_default();
        let mut buckets = BTreeMap::new();
        for line in
            text.lines().filter(|line| line.starts_with("ballast_commit_latency_seconds_bucket{") && line.contains("position-keeper"))
        {
            let bound = line.split("le=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("+Inf");
            let micros = bound.parse::<f64>().ok().filter(|bound| bound.is_finite()).map_or(u64::MAX, |seconds| whole(seconds * 1e6));
            *buckets.entry(micros).or_default() += line.rsplit(' ').next().and_then(|n| n.parse::<f64>().ok()).map_or(0, whole);
        }
        Commits { buckets }
    }

    fn text(&self) -> Option<String> {
        let mut stream = TcpStream::connect(self.address()).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        write!(stream, "GET /metrics HTTP/1.0\r\nHost: bench\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        Some(text)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counters are whole and far below 2^53")]
fn whole(count: f64) -> u64 {
    count.round() as u64
}

/// Commits by the bound of their bucket in microseconds; each bucket holds those below it.
pub struct Commits {
    buckets: BTreeMap<u64, u64>,
}

impl Commits {
    pub fn since(&self, before: &Self) -> Self {
        let buckets = self.buckets.iter().map(|(bound, count)| (*bound, count - before.buckets.get(bound).copied().unwrap_or(0))).collect();
        Self { buckets }
    }

    pub fn show(&self) {
        let all = self.buckets.get(&u64::MAX).copied().unwrap_or(0);
        for (name, part) in [("median", 50), ("99 of 100 within", 99)] {
            let bound = self.buckets.iter().find(|(_, count)| **count * 100 >= all * part).map_or(0, |(bound, _)| *bound);
            show(&format!("  commit, {name}: at most"), bound as f64 / 1e3, "ms");
        }
    }
}

/// What a process has used.
pub struct Usage {
    cpu_seconds: f64,
    memory_kib: f64,
}

impl Usage {
    pub fn of(pid: u32) -> Self {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).expect("the process is there");
        let stat = read("stat");
        // User and system time are fields 14 and 15; the name before them may hold blanks.
        let fields: Vec<f64> = stat.rsplit(')').next().unwrap_or("").split_whitespace().map(|field| field.parse().unwrap_or(0.0)).collect();
        let status = read("status");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
        Self { cpu_seconds: (fields[11] + fields[12]) / TICKS, memory_kib: resident.unwrap_or(0.0) }
    }

    pub fn cpu_since(&self, before: &Self) -> f64 {
        self.cpu_seconds - before.cpu_seconds
    }

    pub fn memory_mib(&self) -> f64 {
        self.memory_kib / 1024.0
    }
}
