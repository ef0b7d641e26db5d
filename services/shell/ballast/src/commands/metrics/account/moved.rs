//! What comes into an account and goes out of it: one signed column, or what comes in and what goes out by columns of
//! their own.

use crate::commands::metrics::UnusableInput;
use crate::commands::metrics::columns::{Columns, Role};
use crate::commands::metrics::table::Row;

/// The columns of flows.
#[derive(Debug, Clone, Copy)]
pub struct Moved {
    plus: Option<usize>,
    minus: Option<usize>,
    /// By which a cell of `minus` becomes an amount that is taken off: some write what goes out below zero.
    sign: f64,
}

impl Moved {
    /// Finds them. A net flow is the whole of it, whatever stands beside.
    pub fn of(columns: &Columns<'_>) -> Result<Self, UnusableInput> {
        if let Some(net) = columns.get(Role::Flow) {
            return Ok(Self { plus: Some(net), minus: None, sign: 1.0 });
        }
        let (plus, minus) = (columns.get(Role::Inflow), columns.get(Role::Outflow));
        let Some(column) = minus else { return Ok(Self { plus, minus: None, sign: 1.0 }) };
        let (mut above, mut below) = (None, None);
        for row in &columns.table().rows {
            match columns.number(row, column)? {
                Some(amount) if amount > 0.0 => above = above.or(Some(row)),
                Some(amount) if amount < 0.0 => below = below.or(Some(row)),
                _ => {}
            }
            if let (Some(_), Some(other)) = (above, below) {
                let why = "what goes out stands above zero in some rows and below in others: write it alike, or one column named flow";
                return Err(columns.table().wrong(other, column, why));
            }
        }
        Ok(Self { plus, minus, sign: if below.is_some() { -1.0 } else { 1.0 } })
    }

    /// Whether there is none.
    pub fn is_none(self) -> bool {
        self.plus.is_none() && self.minus.is_none()
    }

    /// What came in at a row, less what went out; `None` where the row tells of nothing.
    pub fn at(self, columns: &Columns<'_>, row: &Row) -> Result<Option<f64>, UnusableInput> {
        let cell = |column: Option<usize>| column.map(|column| columns.number(row, column)).transpose().map(Option::flatten);
        let (plus, minus) = (cell(self.plus)?, cell(self.minus)?);
        Ok(match (plus, minus) {
            (None, None) => None,
            (plus, minus) => Some(plus.unwrap_or(0.0) - self.sign * minus.unwrap_or(0.0)),
        })
    }

    /// The same as its owner sees it, who pays in and is paid: of one column as it stands, of two what went out less what
    /// came in.
    pub fn paid_out(self, columns: &Columns<'_>, row: &Row) -> Result<f64, UnusableInput> {
        if let Some(column) = self.plus.xor(self.minus) {
            return columns.some_number(row, column);
        }
        Ok(-self.at(columns, row)?.unwrap_or(0.0))
    }

    /// What a reader of flows alone should know, where there are two columns.
    pub fn of_the_owner(self) -> Option<String> {
        let both = self.plus.is_some() && self.minus.is_some();
        both.then(|| "flows are those of the owner: what was taken out, less what was paid in".to_owned())
    }
}
