//! Which column is what: headers by their usual names, in any case, and those that the caller names.

mod names;

use super::UnusableInput;
use super::day::{Moment, is_whole_day, moment, order_of};
use super::number::{Decimal, digits, is_missing, number_in, tells};
use super::table::{Row, Table};
use crate::cli::metrics::{DateOrder, MetricsArgs};
use crate::nearest::nearest;
use names::{NAMES, is_adjusted, is_percent, normal, role_of, says_return};
pub use names::{Role, name_of, words};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// The columns of a table, by what they are.
#[derive(Debug, Clone)]
pub struct Columns<'a> {
    table: &'a Table,
    known: BTreeMap<Role, usize>,
    /// Roles that the caller named.
    chosen: BTreeSet<Role>,
    order: Result<DateOrder, &'static str>,
    decimal: Result<Decimal, String>,
    percent: bool,
    /// Columns that somebody read.
    read: RefCell<BTreeSet<usize>>,
    /// Columns whose header says per cent and whose numbers were divided for it.
    divided: RefCell<BTreeSet<usize>>,
    /// Columns with a number that was taken as a fraction as it stands, and a line of it.
    plain: RefCell<BTreeMap<usize, u64>>,
}

impl<'a> Columns<'a> {
    /// Finds them. Two headers of one role are refused, unless the caller names one. Of the columns that the caller names,
    /// those are looked for that `is_of` holds for.
    pub fn of(table: &'a Table, args: &MetricsArgs, is_of: impl Fn(Role) -> bool) -> Result<Self, UnusableInput> {
        let mut columns = Self {
            table,
            known: BTreeMap::new(),
            chosen: BTreeSet::new(),
            order: Ok(DateOrder::Dmy),
            decimal: Ok(Decimal::Point),
            percent: args.percent,
            read: RefCell::default(),
            divided: RefCell::default(),
            plain: RefCell::default(),
        };
        for wish in &args.columns {
            columns.take(wish, &is_of)?;
        }
        let named = columns.known.clone();
        columns.chosen = named.keys().copied().collect();
        for (column, header) in table.headers.iter().enumerate().filter(|(column, _)| !named.values().any(|taken| taken == column)) {
            let Some(role) = role_of(header) else { continue };
            if named.contains_key(&role) {
                continue;
            }
            if let Some(other) = columns.known.insert(role, column) {
                // The adjusted price is the one that returns are made of.
                if is_adjusted(header) != is_adjusted(&table.headers[other]) {
                    columns.known.insert(role, if is_adjusted(header) { column } else { other });
                    continue;
                }
                return Err(columns.either(role, other, column));
            }
        }
        columns.take_dates();
        columns.settle_dates(args.dates);
        columns.decimal = columns.settled_decimal();
        Ok(columns)
    }

    fn either(&self, role: Role, one: usize, other: usize) -> UnusableInput {
        let (name, headers) = (name_of(role), &self.table.headers);
        let why = format!("{:?} and {:?} may both be the {name}: choose with --column {name}=HEADER", headers[one], headers[other]);
        self.table.unusable(why)
    }

    /// The same with roles by place, for a file without a header.
    pub fn by_place(mut self, roles: &[Role], dates: Option<DateOrder>) -> Self {
        self.known.extend(roles.iter().copied().zip(0..self.table.headers.len()));
        self.settle_dates(dates);
        self.decimal = self.settled_decimal();
        self
    }

    /// The dates where no header says so: the column without a header that tables of other tools carry them in, else the
    /// only one that holds nothing but days.
    fn take_dates(&mut self) {
        if self.has(Role::Date) || !self.table.headed {
            return;
        }
        let holds = |column: usize, is_date: fn(&str) -> bool| self.table.rows.iter().all(|row| is_date(&row.cells[column]));
        let is_bare = |header: &String| header.is_empty() || header.eq_ignore_ascii_case("unnamed: 0");
        let bare = self.table.headers.iter().position(is_bare);
        if let Some(column) = bare.filter(|column| holds(*column, |cell| moment(cell, DateOrder::Dmy).is_ok())) {
            self.known.insert(Role::Date, column);
        } else if !self.has(Role::Period)
            && let [column] = self.unknown().into_iter().filter(|column| holds(*column, is_whole_day)).collect::<Vec<_>>()[..]
        {
            self.known.insert(Role::Date, column);
        }
    }

    fn settle_dates(&mut self, asked: Option<DateOrder>) {
        if let Some(column) = self.known.get(&Role::Date).or_else(|| self.known.get(&Role::Period)) {
            self.order = order_of(self.table.rows.iter().map(|row| row.cells[*column].as_str()), asked);
        }
    }

    /// The decimal sign of the file. Fields that semicolons part leave the comma to numbers; there the numbers tell.
    fn settled_decimal(&self) -> Result<Decimal, String> {
        if !self.table.semicolons {
            return Ok(Decimal::Point);
        }
        let dates = [self.get(Role::Date), self.get(Role::Period)];
        let mut seen: BTreeMap<(bool, bool), (&str, u64)> = BTreeMap::new();
        for row in &self.table.rows {
            for (_, cell) in row.cells.iter().enumerate().filter(|(column, _)| !dates.contains(&Some(*column))) {
                if let Some((decimal, surely)) = tells(cell) {
                    seen.entry((decimal == Decimal::Comma, surely)).or_insert((cell, row.line));
                }
            }
        }
        let found = |comma, surely| seen.get(&(comma, surely));
        for surely in [true, false] {
            match (found(false, surely), found(true, surely)) {
                (None, None) => {}
                (Some(_), None) => return Ok(Decimal::Point),
                (None, Some(_)) => return Ok(Decimal::Comma),
                (Some((one, line)), Some((other, at))) => {
                    return Err(format!("{one:?} in line {line} and {other:?} in line {at} have different decimal signs: write all alike"));
                }
            }
        }
        Ok(Decimal::Point)
    }

    fn take(&mut self, wish: &str, is_of: impl Fn(Role) -> bool) -> Result<(), UnusableInput> {
        let Some((name, header)) = wish.split_once('=') else {
            return Err(UnusableInput(format!("--column {wish:?}: write it as return=MyHeader")));
        };
        let Some(role) = role_of(name) else {
            let meant = nearest(name, NAMES.iter().map(|(_, names)| names[0]));
            let meant = meant.map(|name| format!("did you mean {name}? ")).unwrap_or_default();
            let all: Vec<&str> = NAMES.iter().map(|(_, names)| names[0]).collect();
            return Err(UnusableInput(format!("--column {wish:?}: {meant}The names are {}", all.join(", "))));
        };
        if !is_of(role) {
            return Ok(());
        }
        // As it stands, before another that differs in its case or unit.
        let headers = &self.table.headers;
        let exact = headers.iter().position(|one| one == header);
        let Some(column) = exact.or_else(|| headers.iter().position(|one| normal(one) == normal(header))) else {
            return Err(self.table.unusable(format!("--column {wish:?}: the headers are {}", headers.join(", "))));
        };
        self.known.insert(role, column);
        Ok(())
    }

    /// The table.
    pub const fn table(&self) -> &'a Table {
        self.table
    }

    /// The column of a role.
    pub fn get(&self, role: Role) -> Option<usize> {
        self.known.get(&role).copied()
    }

    /// Whether there is a column of that role.
    pub fn has(&self, role: Role) -> bool {
        self.known.contains_key(&role)
    }

    /// The first of these roles that has a column.
    pub fn any(&self, roles: &[Role]) -> Option<usize> {
        roles.iter().find_map(|role| self.get(*role))
    }

    /// Whether the caller named the column of that role.
    pub fn is_chosen(&self, role: Role) -> bool {
        self.chosen.contains(&role)
    }

    /// Whether a header calls its column returns, or the caller has named it.
    pub fn are_called_returns(&self, column: usize) -> bool {
        let named = self.known.iter().any(|(role, known)| *known == column && self.is_chosen(*role));
        named || says_return(&self.table.headers[column])
    }

    /// The column of values, prices or levels; one of each is refused, unless the caller names one.
    pub fn level(&self) -> Result<Option<usize>, UnusableInput> {
        match (self.get(Role::Value), self.get(Role::Price)) {
            (Some(value), Some(_)) if self.is_chosen(Role::Value) => Ok(Some(value)),
            (Some(_), Some(price)) if self.is_chosen(Role::Price) => Ok(Some(price)),
            (Some(value), Some(price)) => Err(self.either(Role::Value, value, price)),
            (value, price) => Ok(value.or(price)),
        }
    }

    /// The same, or an error that says what is missing.
    pub fn need(&self, roles: &[Role]) -> Result<usize, UnusableInput> {
        self.any(roles).ok_or_else(|| {
            let name = name_of(roles[0]);
            let all = self.table.headers.join(", ");
            self.table.unusable(format!("there is no column for {name} among {all}; name it with --column {name}=HEADER"))
        })
    }

    /// Columns of no known role.
    pub fn unknown(&self) -> Vec<usize> {
        (0..self.table.headers.len()).filter(|column| !self.known.values().any(|known| known == column)).collect()
    }

    /// What a reader should know of the columns: a decimal comma, and those that nobody read.
    pub fn notes(&self) -> Vec<String> {
        let read = self.read.borrow();
        let left: Vec<&str> = (0..self.table.headers.len())
            .filter(|column| !read.contains(column))
            .map(|column| match self.table.headers[column].as_str() {
                "" => "(without a header)",
                header => header,
            })
            .collect();
        let divided = self.divided.borrow();
        let percent = divided
            .iter()
            .map(|column| format!("{:?} is in per cent by its header: its numbers were divided by 100", self.table.headers[*column]));
        let comma = (self.decimal == Ok(Decimal::Comma)).then(|| "numbers are read with a decimal comma".to_owned());
        let left = (!left.is_empty()).then(|| format!("columns that were not read: {}", left.join(", ")));
        percent.into_iter().chain(self.mixed()).chain(comma).chain(left).collect()
    }

    /// Of columns that bear a per cent sign in some rows, how the others were read.
    fn mixed(&self) -> Vec<String> {
        let plain = self.plain.borrow();
        let mixed = plain.iter().filter_map(|(column, line)| {
            let signed = self.table.rows.iter().find(|row| row.cells[*column].contains('%'))?.line;
            let header = &self.table.headers[*column];
            Some(format!("{header:?} bears a per cent sign in line {signed} and none in line {line}: without one a number is a fraction"))
        });
        mixed.collect()
    }

    /// Says that a column is read, where no cell of it need be.
    pub fn mark(&self, column: usize) {
        self.read.borrow_mut().insert(column);
    }

    /// The text of a cell.
    pub fn text<'r>(&self, row: &'r Row, column: usize) -> &'r str {
        self.mark(column);
        row.cells[column].trim()
    }

    /// A number of a cell; `None` where it is missing.
    pub fn number(&self, row: &Row, column: usize) -> Result<Option<f64>, UnusableInput> {
        self.mark(column);
        let text = &row.cells[column];
        if is_missing(text) {
            return Ok(None);
        }
        let decimal = self.decimal.clone().map_err(|why| self.table.unusable(why))?;
        let advice = match decimal {
            Decimal::Comma => "numbers of this file have a decimal comma",
            Decimal::Point if text.contains(',') && !text.contains('.') => "write it with a decimal point",
            Decimal::Point if text.contains(|c: char| c.is_ascii_digit()) => "write it in plain digits, without a currency or a unit",
            Decimal::Point => "leave the field empty where there is no value",
        };
        number_in(text, decimal).map(Some).map_err(|wrong| self.table.wrong(row, column, format_args!("{wrong}; {advice}")))
    }

    /// The digits of a cell that holds a number, with a decimal point.
    pub fn digits(&self, row: &Row, column: usize) -> Option<String> {
        digits(&row.cells[column], self.decimal.clone().unwrap_or_default())
    }

    /// A number that must be there.
    pub fn some_number(&self, row: &Row, column: usize) -> Result<f64, UnusableInput> {
        self.number(row, column)?.ok_or_else(|| self.table.wrong(row, column, "a number is missing here"))
    }

    /// A fraction: the number, by 100 where the input is in per cent.
    pub fn fraction(&self, row: &Row, column: usize) -> Result<Option<f64>, UnusableInput> {
        let signed = row.cells[column].contains('%');
        let value = self.number(row, column)?;
        if signed {
            return Ok(value);
        }
        if !self.percent && !is_percent(&self.table.headers[column]) {
            self.plain.borrow_mut().extend(value.filter(|value| *value != 0.0).map(|_| (column, row.line)));
            return Ok(value);
        }
        if !self.percent {
            self.divided.borrow_mut().insert(column);
        }
        Ok(value.map(|value| value / 100.0))
    }

    /// The day of a row.
    pub fn moment(&self, row: &Row) -> Result<Moment, UnusableInput> {
        let column = self.need(&[Role::Date, Role::Period])?;
        self.mark(column);
        let order = self.order.map_err(|why| self.table.unusable(why))?;
        moment(&row.cells[column], order).map_err(|wrong| self.table.wrong(row, column, wrong))
    }

    /// Whether rows are dated; a column of bare counts (1, 2, 3) is no dates.
    pub fn is_dated(&self) -> bool {
        let Some(column) = self.any(&[Role::Date, Role::Period]) else { return false };
        self.mark(column);
        self.numbered().is_none()
    }

    /// Rows with the counts (1, 2, 3) of their periods, by these; rows of one count keep the order of the file. `None`
    /// without such a column.
    pub fn numbered(&self) -> Option<Vec<(usize, &'a Row)>> {
        let column = self.any(&[Role::Date, Role::Period])?;
        let count = |row: &'a Row| row.cells[column].trim().parse().ok().filter(|count| *count < 1_000).map(|count| (count, row));
        let mut rows: Vec<(usize, &Row)> = self.table.rows.iter().map(count).collect::<Option<_>>()?;
        rows.sort_by_key(|(count, _)| *count);
        Some(rows)
    }

    /// Rows without dates in their order: by their counts, where each has one of its own, else as the file has them; and
    /// what a reader should know of that.
    pub fn in_order(&self) -> (Vec<&'a Row>, Option<String>) {
        let rows = self.numbered().filter(|rows| rows.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let Some(rows) = rows else { return (self.table.rows.iter().collect(), None) };
        let gap = rows.windows(2).find(|pair| pair[1].0 - pair[0].0 > 1);
        let told = gap.map(|pair| format!("no row has the number {}: rows count as one period apart", pair[0].0 + 1));
        (rows.into_iter().map(|(_, row)| row).collect(), told)
    }
}
