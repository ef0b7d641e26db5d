//! Input as a table of texts: CSV with its delimiter guessed, or JSON lines. It knows lines and headers, and nothing
//! of what they mean.

use super::UnusableInput;
use super::number::{Decimal, is_missing, number_in};
use crate::cli::metrics::Format;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What it was read from, for messages.
    pub name: String,
    /// Headers, in the order of the columns; made up by their number where there are none.
    pub headers: Vec<String>,
    /// Whether the file has headers.
    pub headed: bool,
    /// Whether semicolons part its fields, which leaves the comma to its numbers.
    pub semicolons: bool,
    /// Rows.
    pub rows: Vec<Row>,
}

/// A row of texts; a missing one is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Line of the file, from 1.
    pub line: u64,
    /// As many as there are headers.
    pub cells: Vec<String>,
}

impl Table {
    /// An error at a line and a column.
    pub fn wrong(&self, row: &Row, column: usize, why: impl fmt::Display) -> UnusableInput {
        UnusableInput(format!("{}, line {}, column {:?}: {why}", self.name, row.line, self.headers[column]))
    }

    /// An error of the whole.
    pub fn unusable(&self, why: impl fmt::Display) -> UnusableInput {
        UnusableInput(format!("{}: {why}", self.name))
    }
}

/// Reads a file, or standard input for `-`.
pub fn read(path: &Path, format: Option<Format>) -> Result<Table, UnusableInput> {
    let (name, bytes) = bytes_of(path)?;
    let text = String::from_utf8(bytes).map_err(|_| UnusableInput(format!("{name}: it is no UTF-8 text")))?;
    let text = text.trim_start_matches('\u{feff}');
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    let by_ending = match ending.as_deref() {
        Some("csv" | "tsv" | "txt") => Some(Format::Csv),
        Some("json" | "jsonl" | "ndjson") => Some(Format::Jsonl),
        _ => None,
    };
    let by_letter = if text.trim_start().starts_with(['{', '[']) { Format::Jsonl } else { Format::Csv };
    let table = match format.or(by_ending).unwrap_or(by_letter) {
        Format::Csv => of_csv(&name, text),
        Format::Jsonl => of_json(&name, text),
    }?;
    if table.rows.is_empty() { Err(table.unusable("it has no rows")) } else { Ok(table) }
}

fn bytes_of(path: &Path) -> Result<(String, Vec<u8>), UnusableInput> {
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|error| UnusableInput(format!("reading standard input: {error}")))?;
        return Ok(("standard input".to_owned(), bytes));
    }
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => UnusableInput(format!("opening {name}: there is no such file; `-` reads standard input")),
        _ => UnusableInput(format!("opening {name}: {error}")),
    })?;
    Ok((name, bytes))
}

/// The delimiter that the first line names, as spreadsheets write it: `sep=;`.
fn said_delimiter(line: &str) -> Option<u8> {
    let named = line.trim_end_matches('\r').to_ascii_lowercase();
    match named.strip_prefix("sep=")?.as_bytes() {
        [delimiter] => Some(*delimiter),
        _ => None,
    }
}

fn of_csv(name: &str, text: &str) -> Result<Table, UnusableInput> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let first = lines.next().unwrap_or_default();
    let named = said_delimiter(first);
    let first = if named.is_some() { lines.next().unwrap_or_default() } else { first };
    let guessed = || [b'\t', b';', b'|', b','].into_iter().find(|byte| first.as_bytes().contains(byte));
    let delimiter = named.or_else(guessed).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| UnusableInput(format!("{name}: {error}")))?;
        let line = record.position().map_or(0, csv::Position::line);
        if record.iter().any(|cell| !cell.is_empty()) {
            rows.push(Row { line, cells: record.iter().map(str::to_owned).collect() });
        }
    }
    if named.is_some() {
        rows.remove(0);
    }
    let headed = rows.first().is_some_and(|row| row.cells.iter().any(|cell| is_word(cell)));
    let width = rows.first().map_or(0, |row| row.cells.len());
    let headers = if headed { rows.remove(0).cells } else { (1..=width).map(|number| format!("column {number}")).collect() };
    let table = Table { name: name.to_owned(), headers, headed, semicolons: delimiter == b';', rows: Vec::new() };
    for row in &mut rows {
        if row.cells.len() > width {
            let why = format!("it has {} fields and the first line {width}; quote a field that holds the delimiter", row.cells.len());
            return Err(UnusableInput(format!("{name}, line {}: {why}", row.line)));
        }
        row.cells.resize(width, String::new());
    }
    Ok(Table { rows, ..table })
}

/// Whether a cell of the first line can only be a header: neither a number, nor a date, nor nothing.
fn is_word(cell: &str) -> bool {
    let is_date = || super::day::moment(cell, crate::cli::metrics::DateOrder::Dmy).is_ok() || cell.split('/').count() == 3;
    let is_number = || [Decimal::Point, Decimal::Comma].into_iter().any(|decimal| number_in(cell, decimal).is_ok());
    !is_missing(cell) && !is_number() && !is_date()
}

/// The fields of an object in their order.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object such as {\"date\":\"2026-01-05\",\"return\":0.01}")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// An object a line; or one text: an array of objects, an array of numbers, or an object of columns.
fn of_json(name: &str, text: &str) -> Result<Table, UnusableInput> {
    let objects = if text.trim_start().starts_with('[') {
        let all: Vec<Value> = serde_json::from_str(text).map_err(|error| UnusableInput(format!("{name}: {error}")))?;
        if all.iter().all(|one| one.is_number() || one.is_null()) {
            return of_columns(name, vec![("column 1".to_owned(), all)], false);
        }
        let all: Vec<Fields> = serde_json::from_str(text).map_err(|error| UnusableInput(format!("{name}: {error}")))?;
        (1..).zip(all).collect()
    } else if let Ok(Fields(columns)) = serde_json::from_str::<Fields>(text)
        && columns.iter().all(|(_, column)| column.is_array())
    {
        let columns = columns.into_iter().map(|(header, column)| (header, column.as_array().cloned().unwrap_or_default()));
        return of_columns(name, columns.collect(), true);
    } else {
        of_lines(name, text)?
    };
    of_objects(name, objects)
}

fn of_lines(name: &str, text: &str) -> Result<Vec<(u64, Fields)>, UnusableInput> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let object = |(line, text): (u64, &str)| match serde_json::from_str(text) {
        Ok(object) => Ok((line, object)),
        Err(error) => Err(UnusableInput(format!("{name}, line {line}: {error}"))),
    };
    lines.map(object).collect()
}

/// Rows of columns of one length; their numbers count from 1.
fn of_columns(name: &str, columns: Vec<(String, Vec<Value>)>, headed: bool) -> Result<Table, UnusableInput> {
    let length = columns.first().map_or(0, |(_, column)| column.len());
    if let Some((header, column)) = columns.iter().find(|(_, column)| column.len() != length) {
        return Err(UnusableInput(format!("{name}: {header:?} has {} values and {:?} {length}", column.len(), columns[0].0)));
    }
    let object = |row: usize| Fields(columns.iter().map(|(header, column)| (header.clone(), column[row].clone())).collect());
    let table = of_objects(name, (1..).zip((0..length).map(object)).collect())?;
    Ok(Table { headed, ..table })
}

fn of_objects(name: &str, objects: Vec<(u64, Fields)>) -> Result<Table, UnusableInput> {
    let mut headers: Vec<String> = Vec::new();
    for (field, _) in objects.iter().flat_map(|(_, object)| &object.0) {
        if !headers.contains(field) {
            headers.push(field.clone());
        }
    }
    let mut table = Table { name: name.to_owned(), headers, headed: true, semicolons: false, rows: Vec::new() };
    for (line, object) in objects {
        let mut row = Row { line, cells: vec![String::new(); table.headers.len()] };
        for (field, value) in object.0 {
            let column = table.headers.iter().position(|header| *header == field).unwrap_or_default();
            row.cells[column] = match value {
                Value::Null => String::new(),
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                other => return Err(table.wrong(&row, column, format_args!("{other} is no number and no text"))),
            };
        }
        table.rows.push(row);
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_headers_and_blank_lines() {
        for text in ["a,b\n1,2\n\n# note\n3,4\n", "a;b\n1;2\n3;4", "a\tb\n1\t2\n3\t4"] {
            let table = of_csv("t", text).unwrap();
            assert_eq!(
                (table.headers.clone(), table.rows.len(), table.headed),
                (vec!["a".to_owned(), "b".to_owned()], 2, true),
                "{text:?}"
            );
        }
        let bare = of_csv("t", "2026-01-05,1\n2026-01-06,2").unwrap();
        assert_eq!((bare.headed, bare.headers[1].as_str(), bare.rows.len()), (false, "column 2", 2));
        let short = of_csv("t", "a,b\n1").unwrap();
        assert_eq!(short.rows[0].cells, ["1", ""]);
        assert!(of_csv("t", "a,b\n1,2,3").unwrap_err().to_string().starts_with("t, line 2: it has 3 fields"));
    }

    #[test]
    fn lines_of_json_keep_the_order_of_fields_and_every_digit() {
        let table = of_json("t", "{\"z\":0.1000000000000000055,\"a\":\"x\"}\n\n{\"a\":null,\"n\":1e-3}").unwrap();
        assert_eq!(table.headers, ["z", "a", "n"]);
        assert_eq!(table.rows[0].cells, ["0.1000000000000000055", "x", ""]);
        assert_eq!((table.rows[1].line, table.rows[1].cells[2].as_str()), (3, "1e-3"));
        assert_eq!(of_json("t", "[{\"a\":1},{\"a\":2}]").unwrap().rows.len(), 2);
        let columns = of_json("t", "{\"return\":[0.1,\n0.2],\"benchmark\":[0,null]}").unwrap();
        assert_eq!((columns.headers.len(), columns.rows[1].cells.clone()), (2, vec!["0.2".to_owned(), String::new()]));
        assert!(of_json("t", "{\"a\":[1],\"b\":[]}").unwrap_err().to_string().contains("\"b\" has 0 values"));
        assert!(!of_json("t", "[0.1, -0.2]").unwrap().headed);
        assert!(of_json("t", "{\"a\":1}\n{\"a\":[1]}").unwrap_err().to_string().starts_with("t, line 2, column \"a\""));
        assert!(of_json("t", "{\"a\":1}\n17").unwrap_err().to_string().starts_with("t, line 2: "));
    }
}
