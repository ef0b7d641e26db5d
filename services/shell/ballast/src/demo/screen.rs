//! What is shown while a demo runs: on a terminal a bar and a table that stay in place, elsewhere a plain
//! line from time to time. Events stand above both and stay.

use super::figures::{money, signed_percent};
use crate::journeys::Observed;
use domain::{Date, Fraction};
use std::io::{IsTerminal, Write, stdout};
use std::time::{Duration, Instant};

/// Between two pictures on a terminal.
const REDRAW: Duration = Duration::from_millis(150);
/// Width of the bar.
const BAR: usize = 40;

/// A row of the table.
pub(super) struct Row {
    pub(super) portfolio: String,
    pub(super) value: String,
    pub(super) drift: String,
    pub(super) open_orders: usize,
    pub(super) lag: i64,
}

/// Rows of every portfolio that was seen; `lag` says how many records its lane has not read yet.
pub(super) fn rows(observed: &Observed, lag: impl Fn(&str) -> i64) -> Vec<Row> {
    let row = |snapshot: &domain::snapshot::Snapshot| {
        let portfolio = snapshot.portfolio_id.as_str();
        let drifts = snapshot.allocations.iter().filter(|line| line.target_weight.is_some()).filter_map(|line| line.drift);
        let largest = drifts.max_by_key(|drift: &Fraction| drift.abs());
        Row {
            portfolio: portfolio.to_owned(),
            value: money(snapshot.total_value),
            drift: largest.map_or("-".to_owned(), signed_percent),
            open_orders: observed.open_orders(portfolio),
            lag: lag(portfolio),
        }
    };
    observed.snapshots().map(row).collect()
}

/// The picture.
pub(super) struct Screen {
    total: usize,
    terminal: bool,
    started: Instant,
    drawn: Option<Instant>,
    height: usize,
    tenth: usize,
}

impl Screen {
    pub(super) fn new(total: usize) -> Self {
        Self { total, terminal: stdout().is_terminal(), started: Instant::now(), drawn: None, height: 0, tenth: 0 }
    }
    /// Since the first picture.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Whether so many days are all.
    pub(super) fn is_last(&self, done: usize) -> bool {
        done == self.total
    }

    /// Whether a picture is due after so many days.
    pub(super) fn due(&self, done: usize) -> bool {
        let last = self.is_last(done);
        if self.terminal {
            last || self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW)
        } else {
            done * 10 / self.total.max(1) > self.tenth
        }
    }

    /// Shows where things stand after so many days.
    pub(super) fn show(&mut self, done: usize, date: Date, rows: &[Row]) {
        self.drawn = Some(Instant::now());
        self.tenth = done * 10 / self.total.max(1);
        if self.terminal {
            self.draw(done, date, rows);
        } else {
            let row = |row: &Row| {
                format!("{} {} USD, drift {}, {} open orders, lag {}", row.portfolio, row.value, row.drift, row.open_orders, row.lag)
            };
            let rows: Vec<_> = rows.iter().map(row).collect();
            say(&format!("{date}  day {done} of {}  {}", self.total, rows.join("; ")));
        }
    }

    fn draw(&mut self, done: usize, date: Date, rows: &[Row]) {
        let filled = BAR * done / self.total.max(1);
        let mut lines = vec![
            format!(
                "  {date}  [{}{}] {done} of {} days, {} s",
                "#".repeat(filled),
                ".".repeat(BAR - filled),
                self.total,
                self.elapsed().as_secs()
            ),
            format!("  {:<14} {:>16} {:>10} {:>12} {:>6}", "portfolio", "value in USD", "drift", "open orders", "lag"),
        ];
        lines.extend(
            rows.iter().map(|r| format!("  {:<14} {:>16} {:>10} {:>12} {:>6}", r.portfolio, r.value, r.drift, r.open_orders, r.lag)),
        );
        self.erase();
        lines.iter().for_each(|line| say(line));
        self.height = lines.len();
    }

    fn erase(&mut self) {
        if self.height > 0 {
            let mut out = stdout();
            // A terminal that is gone is no reason to stop.
            let _ = write!(out, "\x1b[{}A\x1b[J", self.height).and_then(|()| out.flush());
            self.height = 0;
        }
    }

    /// Says something that stays.
    pub(super) fn event(&mut self, text: &str) {
        self.erase();
        say(text);
    }
}

/// What the columns say, before the first of them.
pub(super) fn legend() {
    say("  drift: the largest distance of a weight from its target (- without targets); lag: records that its lane has not read yet\n");
}

/// A line on standard output; a reader that has gone away is no reason to stop.
pub(super) fn say(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}
