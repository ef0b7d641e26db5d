//! What `ballast metrics` prints: facts, notes, figures and grids, as one object of JSON with every digit, or as
//! tables for people, rounded.

use super::UnusableInput;
use super::list::{own_name, words_about};
use performance_tracker::metrics::{Figure, Unit};
use performance_tracker::undefined::{Answer, Undefined};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// A cell of a grid, or a fact.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text.
    Text(String),
    /// A number in its unit.
    Number(f64, Unit),
    /// A setting: as it was given.
    Setting(f64),
    /// A figure without a value.
    Undefined(Undefined),
    /// Nothing.
    Empty,
}

impl Cell {
    /// A figure in its unit.
    pub fn of(answer: Answer, unit: Unit) -> Self {
        answer.map_or_else(Self::Undefined, |value| Self::Number(value, unit))
    }

    /// A count.
    pub fn count(count: usize) -> Self {
        Self::Number(count as f64, Unit::Count)
    }

    /// A text, or nothing.
    pub fn maybe(text: Option<impl ToString>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.to_string()))
    }

    fn json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            // Zero has no sign.
            Self::Number(value, Unit::Count | Unit::Days) => whole(*value),
            Self::Number(value, _) | Self::Setting(value) => json!(value + 0.0),
            Self::Undefined(_) | Self::Empty => Value::Null,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(value, unit) => rounded(*value, *unit),
            Self::Setting(value) => value.to_string(),
            Self::Undefined(reason) => format!("- ({reason})"),
            Self::Empty => String::new(),
        }
    }

    /// A cell of a grid, where a reason would not fit.
    fn short(&self) -> String {
        if let Self::Undefined(_) = self { "-".to_owned() } else { self.shown() }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
fn whole(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

fn rounded(value: f64, unit: Unit) -> String {
    let text = match unit {
        Unit::Fraction => format!("{:.4} %", value * 100.0),
        Unit::Ratio if value != 0.0 && value.abs() < 1e-3 => format!("{value:.5e}"),
        Unit::Ratio => format!("{value:.6}"),
        Unit::Count | Unit::Days => format!("{value:.0}"),
        Unit::Amount => format!("{value:.2}"),
    };
    // What rounds to zero has no sign.
    let is_zero = text.bytes().all(|byte| !(b'1'..=b'9').contains(&byte));
    if is_zero { text.trim_start_matches('-').to_owned() } else { text }
}

/// A grid of cells below headers.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Name.
    pub name: &'static str,
    /// Headers.
    pub headers: Vec<String>,
    /// Rows, each as long as the headers.
    pub rows: Vec<Vec<Cell>>,
}

impl Grid {
    /// A grid without rows.
    pub fn new(name: &'static str, headers: &[&str]) -> Self {
        Self { name, headers: headers.iter().map(|header| (*header).to_owned()).collect(), rows: Vec::new() }
    }

    fn json(&self) -> Value {
        let object = |row: &Vec<Cell>| {
            let mut object = Map::new();
            for (header, cell) in self.headers.iter().zip(row) {
                object.insert(header.clone(), cell.json());
                if let Cell::Undefined(reason) = cell {
                    object.insert(format!("{header}_reason"), json!(reason.code()));
                }
            }
            Value::Object(object)
        };
        self.rows.iter().map(object).collect()
    }

    fn table(&self, text: &mut String) {
        let cells: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(Cell::short).collect()).collect();
        let width = |column: usize| {
            let longest = cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
            longest.max(self.headers[column].chars().count())
        };
        let widths: Vec<usize> = (0..self.headers.len()).map(width).collect();
        let is_text = |column: usize| self.rows.iter().all(|row| matches!(row[column], Cell::Text(_) | Cell::Empty));
        let line = |row: &[String]| {
            let pad = |(column, cell): (usize, &String)| {
                let width = widths[column];
                if is_text(column) { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            };
            row.iter().enumerate().map(pad).collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        _ = writeln!(text, "\n{}\n  {}", self.name.replace('_', " "), line(&self.headers));
        cells.iter().for_each(|row| _ = writeln!(text, "  {}", line(row)));
    }
}

/// What a figure is not to be read without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Its value is one of several.
    Ambiguous,
    /// The input does not tell it exactly; a note says why.
    Approximate,
    /// The method that it was computed by.
    Method(&'static str),
}

impl Mark {
    const fn word(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::Approximate => "approximate",
            Self::Method(name) => name,
        }
    }
}

/// A report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Kind of the input.
    pub kind: &'static str,
    /// What it was computed from.
    pub facts: Vec<(&'static str, Cell)>,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// Figures.
    pub figures: Vec<Figure>,
    /// What stands beside figures, by their ids.
    pub marks: Vec<(&'static str, Mark)>,
    /// Grids.
    pub grids: Vec<Grid>,
}

impl Report {
    /// A report of a kind.
    pub fn new(kind: &'static str) -> Self {
        Self { kind, ..Self::default() }
    }

    /// A fact.
    pub fn fact(&mut self, name: &'static str, cell: Cell) {
        self.facts.push((name, cell));
    }

    /// A figure that stands in no catalogue.
    pub fn figure(&mut self, id: &'static str, unit: Unit, value: Answer, observations: usize) {
        self.figures.push(Figure { id, unit, value, observations });
    }

    /// Keeps the figures that were asked for, in the order in which they were; refuses names that this kind has not.
    pub fn select(&mut self, asked: &[String]) -> Result<(), UnusableInput> {
        if asked.is_empty() {
            return Ok(());
        }
        let mut kept: Vec<Figure> = Vec::new();
        for id in asked {
            let name = own_name(id, |name| self.figures.iter().any(|figure| figure.id == name));
            let Some(figure) = name.and_then(|name| self.figures.iter().find(|figure| figure.id == name)) else {
                return Err(UnusableInput(words_about(id, self.kind, self.figures.iter().map(|figure| figure.id))));
            };
            if !kept.iter().any(|one| one.id == figure.id) {
                kept.push(*figure);
            }
        }
        self.figures = kept;
        Ok(())
    }

    /// One object, every digit.
    pub fn json(&self) -> String {
        let mut object = Map::new();
        object.insert("kind".into(), json!(self.kind));
        self.facts.iter().for_each(|(name, cell)| _ = object.insert((*name).to_owned(), cell.json()));
        object.insert("notes".into(), json!(self.notes));
        let figures: Map<String, Value> = self.figures.iter().map(|figure| (figure.id.to_owned(), self.figure_json(figure))).collect();
        object.insert("figures".into(), Value::Object(figures));
        self.grids.iter().for_each(|grid| _ = object.insert(grid.name.to_owned(), grid.json()));
        serde_json::to_string_pretty(&Value::Object(object)).expect("a report is JSON")
    }

    fn figure_json(&self, figure: &Figure) -> Value {
        let mut object = Map::new();
        object.insert("value".into(), Cell::of(figure.value, figure.unit).json());
        object.insert("unit".into(), json!(figure.unit.name()));
        object.insert("observations".into(), json!(figure.observations));
        if let Err(reason) = figure.value {
            object.insert("reason".into(), json!(reason.code()));
            object.insert("text".into(), json!(reason.to_string()));
        }
        for mark in self.marks_of(figure) {
            match mark {
                Mark::Method(name) => object.insert("method".into(), json!(name)),
                other => object.insert(other.word().into(), json!(true)),
            };
        }
        Value::Object(object)
    }

    fn marks_of(&self, figure: &Figure) -> impl Iterator<Item = Mark> {
        let id = figure.id;
        self.marks.iter().filter(move |(of, _)| *of == id).map(|(_, mark)| *mark)
    }

    /// Tables for people.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let facts = self.facts.iter().filter(|(_, cell)| *cell != Cell::Empty);
        let facts: Vec<String> = facts.map(|(name, cell)| format!("{} {}", name.replace('_', " "), cell.shown())).collect();
        if !facts.is_empty() {
            _ = writeln!(text, "{}: {}", self.kind, facts.join(", "));
        }
        self.notes.iter().for_each(|note| _ = writeln!(text, "note: {note}"));
        if !self.figures.is_empty() {
            text.push('\n');
        }
        let width = self.figures.iter().map(|figure| figure.id.len()).max().unwrap_or(0);
        let cells: Vec<String> = self.figures.iter().map(|figure| Cell::of(figure.value, figure.unit).shown()).collect();
        let numbers = cells.iter().zip(&self.figures).filter(|(_, figure)| figure.value.is_ok());
        let right = numbers.map(|(cell, _)| cell.chars().count()).max().unwrap_or(0);
        for (figure, cell) in self.figures.iter().zip(&cells) {
            let mark: String = self.marks_of(figure).map(|mark| format!("  ({})", mark.word())).collect();
            let cell = if figure.value.is_ok() { format!("{cell:>right$}") } else { cell.clone() };
            _ = writeln!(text, "  {:<width$}  {cell}{mark}", figure.id);
        }
        self.grids.iter().filter(|grid| !grid.rows.is_empty()).for_each(|grid| grid.table(&mut text));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_in_json_and_few_in_tables() {
        let mut report = Report::new("returns");
        report.figure("sharpe", Unit::Ratio, Ok(1.0 / 3.0), 5);
        report.figure("calmar", Unit::Ratio, Err(Undefined::NoDrawdown), 5);
        report.figure("max_drawdown", Unit::Fraction, Ok(-0.0), 5);
        let json: Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(json["figures"]["sharpe"]["value"].to_string(), "0.3333333333333333");
        assert_eq!(json["figures"]["max_drawdown"]["value"].to_string(), "0.0");
        assert_eq!(
            (json["figures"]["calmar"]["value"].is_null(), json["figures"]["calmar"]["reason"].as_str()),
            (true, Some("NO_DRAWDOWN"))
        );
        let table = report.table();
        assert!(table.contains("  sharpe        0.333333\n  calmar        - (the index never fell"), "{table}");
        report.select(&["max_drawdown".to_owned(), "sharpe".to_owned()]).unwrap();
        assert_eq!(report.figures.iter().map(|figure| figure.id).collect::<Vec<_>>(), ["max_drawdown", "sharpe"]);
        assert!(report.select(&["sharp".to_owned()]).unwrap_err().to_string().contains("did you mean sharpe?"));
    }
}
