//! Plain comma-separated tables with a header: columns by name, cells as the domain's types.
//! No quotes and no escapes: the journeys' tables have none.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A table of the journeys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file cannot be read.
    #[error("reading {path}: {error}; the journeys' data lie in tests/data of the source, name that folder with --data")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
    /// A cell or column is not what it must be.
    #[error("{path} line {line}: {what}: derive the file again with the script beside it")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

/// A table in memory.
pub(super) struct Table {
    path: PathBuf,
    text: String,
}

/// One row; cells stand in the order in which the columns were asked for.
pub(super) struct Row<'a> {
    path: &'a Path,
    line: usize,
    cells: Vec<&'a str>,
}

impl Table {
    pub(super) fn read(path: PathBuf) -> Result<Self, DataError> {
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Self { path, text }),
            Err(error) => Err(DataError::Unreadable { path, error }),
        }
    }

    pub(super) fn rows<'a>(&'a self, columns: &[&str]) -> Result<Vec<Row<'a>>, DataError> {
        let wrong = |line: usize, what: String| DataError::Wrong { path: self.path.clone(), line, what };
        let mut lines = self.text.lines();
        let header: Vec<_> = lines.next().unwrap_or_default().split(',').collect();
        let place =
            |column: &&str| header.iter().position(|name| name == column).ok_or_else(|| wrong(1, format!("there is no column {column}")));
        let places: Vec<_> = columns.iter().map(place).collect::<Result<_, _>>()?;
        let mut rows = Vec::new();
        for (index, text) in lines.enumerate() {
            let all: Vec<_> = text.split(',').collect();
            if all.len() != header.len() {
                return Err(wrong(index + 2, format!("{} cells instead of {}", all.len(), header.len())));
            }
            rows.push(Row { path: &self.path, line: index + 2, cells: places.iter().map(|place| all[*place]).collect() });
        }
        Ok(rows)
    }
}

impl Row<'_> {
    /// The text of a cell.
    pub(super) fn text(&self, cell: usize) -> &str {
        self.cells[cell]
    }
    /// A cell as a value.
    pub(super) fn get<T: FromStr>(&self, cell: usize) -> Result<T, DataError>
    where
        T::Err: std::fmt::Display,
    {
        self.cells[cell].parse().map_err(|error: T::Err| self.wrong(error))
    }
    /// An error in this row.
    pub(super) fn wrong(&self, what: impl std::fmt::Display) -> DataError {
        DataError::Wrong { path: self.path.to_owned(), line: self.line, what: what.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_found_by_name_and_wrong_ones_by_line() {
        let table = Table { path: "t.csv".into(), text: "a,b\n1,x\n2,y\n".to_owned() };
        let rows = table.rows(&["b", "a"]).unwrap();
        assert_eq!((rows[1].text(0), rows[1].get::<i64>(1).unwrap()), ("y", 2));
        assert!(rows[0].get::<i64>(0).unwrap_err().to_string().contains("t.csv line 2"));
        assert!(table.rows(&["c"]).is_err());
        let short = Table { path: "t.csv".into(), text: "a,b\n1\n".to_owned() };
        assert!(short.rows(&["a"]).is_err());
    }
}
