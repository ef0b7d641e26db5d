//! What commands on portfolios print: the same report as tables for people, as JSON or as CSV for programs.
//! A report says what it holds; how it looks is decided here, and nothing else is.

use crate::print;
use clap::ValueEnum;
use serde::Serialize;
use std::fmt::Write as _;

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// Aligned columns for people; figures are rounded.
    #[default]
    Table,
    /// One JSON object; every figure exactly, as a text.
    Json,
    /// Comma-separated values, part by part, each row beginning with the name of its part; every figure exactly.
    Csv,
}

/// Something that a command answers with.
pub trait Report: Serialize {
    /// Its parts for people, rounded.
    fn sheets(&self) -> Vec<Sheet>;
    /// Its parts with every digit.
    fn exact(&self) -> Vec<Sheet>;
}

/// Prints a report.
///
/// # Errors
/// When standard output cannot be written.
pub fn print(report: &impl Report, format: Format) -> std::io::Result<()> {
    print::last(text(report, format).trim_end())
}

/// A report as text.
pub fn text(report: &impl Report, format: Format) -> String {
    match format {
        Format::Json => serde_json::to_string_pretty(report).expect("a report is JSON"),
        Format::Table => report.sheets().iter().map(Sheet::table).collect::<Vec<_>>().join("\n"),
        Format::Csv => report.exact().iter().filter(|part| !part.columns.is_empty()).map(Sheet::csv).collect::<Vec<_>>().join("\n"),
    }
}

/// One part of a report: rows under named columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sheet {
    name: &'static str,
    head: Option<String>,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    /// A part with these columns. The name is its first field in CSV.
    pub fn new(name: &'static str, columns: &[&'static str]) -> Self {
        Self { name, columns: columns.to_vec(), ..Self::default() }
    }
    /// With a line above it, in tables alone.
    #[must_use]
    pub fn under(mut self, head: impl Into<String>) -> Self {
        self.head = Some(head.into());
        self
    }
    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
    /// The same with its rows.
    #[must_use]
    pub fn with(mut self, rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        self.rows.extend(rows);
        self
    }

    fn table(&self) -> String {
        let mut text = self.head.as_ref().map(|head| format!("{head}\n")).unwrap_or_default();
        if self.columns.is_empty() || self.rows.is_empty() {
            return text;
        }
        let length = |text: &str| text.chars().count();
        let width =
            |at: usize| self.rows.iter().filter_map(|row| row.get(at)).map(|cell| length(cell)).chain([length(self.columns[at])]).max();
        let widths: Vec<usize> = (0..self.columns.len()).map(|at| width(at).unwrap_or(0)).collect();
        let numeric: Vec<bool> =
            (0..self.columns.len()).map(|at| self.rows.iter().all(|row| row.get(at).is_none_or(|cell| is_figure(cell)))).collect();
        let mut line = |cells: Vec<&str>| {
            let mut line = String::from(" ");
            for (at, cell) in cells.iter().enumerate() {
                let pad = " ".repeat(widths[at].saturating_sub(length(cell)));
                _ = if numeric[at] { write!(line, " {pad}{cell}") } else { write!(line, " {cell}{pad}") };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        };
        line(self.columns.clone());
        self.rows.iter().for_each(|row| line(row.iter().map(String::as_str).collect()));
        text
    }

    fn csv(&self) -> String {
        let mut text = String::new();
        let mut line = |first: &str, cells: &mut dyn Iterator<Item = &str>| {
            text.push_str(first);
            cells.for_each(|cell| {
                text.push(',');
                text.push_str(&quoted(cell));
            });
            text.push('\n');
        };
        line("part", &mut self.columns.iter().copied());
        self.rows.iter().for_each(|row| line(self.name, &mut row.iter().map(String::as_str)));
        text
    }
}

/// What stands at the right of its column: a number, or nothing where one would stand.
fn is_figure(cell: &str) -> bool {
    let number = cell.trim_start_matches(['-', '+']).trim_end_matches([' ', '%']);
    cell.is_empty()
        || cell == "-"
        || (number.starts_with(|c: char| c.is_ascii_digit()) && number.chars().all(|c| c.is_ascii_digit() || ".,".contains(c)))
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        Sheet::new("allocations", &["symbol", "value"])
            .under("growth")
            .with([vec!["ACME, Inc.".to_owned(), "1.5".to_owned()], vec!["B\"".to_owned(), "-20".to_owned()]])
    }

    #[test]
    fn figures_stand_at_the_right_and_names_at_the_left() {
        assert_eq!(sheet().table(), "growth\n  symbol     value\n  ACME, Inc.   1.5\n  B\"           -20\n");
    }

    #[test]
    fn a_field_of_csv_that_needs_quotes_has_them() {
        assert_eq!(sheet().csv(), "part,symbol,value\nallocations,\"ACME, Inc.\",1.5\nallocations,\"B\"\"\",-20\n");
    }
}
