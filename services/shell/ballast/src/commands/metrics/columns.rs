//! Which column is what: headers by their usual names, in any case, and those that the caller names.

use super::UnusableInput;
use super::day::{Moment, moment, order_of};
use super::number::{is_missing, number};
use super::table::{Row, Table};
use crate::cli::metrics::{DateOrder, MetricsArgs};
use crate::nearest::nearest;
use std::collections::BTreeMap;

/// What a column may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is its name")]
pub enum Role {
    Date,
    Return,
    Value,
    Flow,
    Benchmark,
    BenchmarkLevel,
    RiskFree,
    RiskFreeAnnual,
    Period,
    Sector,
    PortfolioWeight,
    PortfolioReturn,
    BenchmarkWeight,
    BenchmarkReturn,
    Pnl,
    Weight,
    Instrument,
    Strategy,
    InstrumentType,
}

/// Each role with its name, which is the first, and its other usual headers.
const NAMES: [(Role, &[&str]); 19] = [
    (Role::Date, &["date", "day", "timestamp", "time", "datetime", "as_of", "period_end", "month_end", "valuation_date", "closed_at"]),
    (
        Role::Return,
        &[
            "return",
            "returns",
            "ret",
            "rets",
            "r",
            "daily_return",
            "daily_returns",
            "monthly_return",
            "monthly_returns",
            "pct_change",
            "pct_return",
            "portfolio",
            "fund",
            "simple_return",
            "total_return",
            "ror",
        ],
    ),
    (
        Role::Value,
        &[
            "value",
            "nav",
            "price",
            "close",
            "adj_close",
            "adjusted_close",
            "level",
            "index_level",
            "equity",
            "balance",
            "portfolio_value",
            "market_value",
            "total_value",
            "end_value",
            "ending_value",
            "mv",
            "wealth",
            "v",
        ],
    ),
    (
        Role::Flow,
        &[
            "flow",
            "flows",
            "amount",
            "cash_flow",
            "cash_flows",
            "cashflow",
            "cashflows",
            "net_flow",
            "external_flow",
            "contribution",
            "cf",
            "payment",
            "payments",
        ],
    ),
    (
        Role::Benchmark,
        &[
            "benchmark",
            "bench",
            "bm",
            "benchmark_returns",
            "market",
            "market_return",
            "factor",
            "factor_returns",
            "mkt",
            "index",
            "index_return",
        ],
    ),
    (Role::BenchmarkLevel, &["benchmark_level", "benchmark_value", "benchmark_price", "benchmark_close", "benchmark_nav"]),
    (Role::RiskFree, &["risk_free", "rf", "riskfree", "risk_free_rate", "risk_free_return", "rfr", "t_bill", "tbill"]),
    (Role::RiskFreeAnnual, &["risk_free_annual", "rf_annual", "annual_risk_free", "annual_rf"]),
    (Role::Period, &["period", "quarter", "month", "year", "period_id"]),
    (Role::Sector, &["sector", "segment", "group", "category", "asset_class", "country", "region", "industry", "bucket"]),
    (
        Role::PortfolioWeight,
        &["portfolio_weight", "portfolio_weights", "weight_portfolio", "port_weight", "fund_weight", "wp", "w_p", "manager_weight"],
    ),
    (
        Role::PortfolioReturn,
        &["portfolio_return", "portfolio_returns", "return_portfolio", "port_return", "fund_return", "rp", "r_p", "manager_return"],
    ),
    (Role::BenchmarkWeight, &["benchmark_weight", "benchmark_weights", "weight_benchmark", "bench_weight", "wb", "w_b"]),
    (Role::BenchmarkReturn, &["benchmark_return", "return_benchmark", "bench_return", "rb", "r_b"]),
    (
        Role::Pnl,
        &[
            "pnl",
            "p&l",
            "p/l",
            "pl",
            "profit",
            "profit_loss",
            "profit_and_loss",
            "realized_pnl",
            "realised_pnl",
            "net_pnl",
            "trade_pnl",
            "net_profit",
            "realized",
            "realised",
            "gain",
        ],
    ),
    (Role::Weight, &["weight", "weights", "w", "allocation"]),
    (Role::Instrument, &["instrument", "instrument_id", "asset", "symbol", "ticker", "name", "security", "holding"]),
    (Role::Strategy, &["strategy", "strategy_id", "book", "signal"]),
    (Role::InstrumentType, &["type", "instrument_type", "product"]),
];

/// The columns of a table, by what they are.
#[derive(Debug, Clone)]
pub struct Columns<'a> {
    table: &'a Table,
    known: BTreeMap<Role, usize>,
    order: Result<DateOrder, &'static str>,
    percent: bool,
}

impl<'a> Columns<'a> {
    /// Finds them. Two headers of one role are refused, unless the caller names one.
    pub fn of(table: &'a Table, args: &MetricsArgs) -> Result<Self, UnusableInput> {
        let mut columns = Self { table, known: BTreeMap::new(), order: Ok(DateOrder::Dmy), percent: args.percent };
        for wish in &args.columns {
            columns.take(wish)?;
        }
        let named = columns.known.clone();
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
                let name = name_of(role);
                let why = format!("{:?} and {header:?} may both be the {name}: choose with --column {name}=HEADER", table.headers[other]);
                return Err(table.unusable(why));
            }
        }
        columns.take_index();
        columns.settle_dates(args.dates);
        Ok(columns)
    }

    /// The same with roles by place, for a file without a header.
    pub fn by_place(mut self, roles: &[Role], dates: Option<DateOrder>) -> Self {
        self.known.extend(roles.iter().copied().zip(0..self.table.headers.len()));
        self.settle_dates(dates);
        self
    }

    /// The column without a header that tables of other tools carry their dates in.
    fn take_index(&mut self) {
        let bare = |header: &String| header.is_empty() || header.eq_ignore_ascii_case("unnamed: 0");
        if let Some(column) = self.table.headers.iter().position(bare)
            && !self.has(Role::Date)
            && self.table.rows.iter().all(|row| moment(&row.cells[column], DateOrder::Dmy).is_ok())
        {
            self.known.insert(Role::Date, column);
        }
    }

    fn settle_dates(&mut self, asked: Option<DateOrder>) {
        if let Some(column) = self.known.get(&Role::Date).or_else(|| self.known.get(&Role::Period)) {
            self.order = order_of(self.table.rows.iter().map(|row| row.cells[*column].as_str()), asked);
        }
    }

    fn take(&mut self, wish: &str) -> Result<(), UnusableInput> {
        let Some((name, header)) = wish.split_once('=') else {
            return Err(UnusableInput(format!("--column {wish:?}: write it as return=MyHeader")));
        };
        let Some(role) = role_of(name) else {
            let meant = nearest(name, NAMES.iter().map(|(_, names)| names[0]));
            let meant = meant.map(|name| format!("did you mean {name}? ")).unwrap_or_default();
            let all: Vec<&str> = NAMES.iter().map(|(_, names)| names[0]).collect();
            return Err(UnusableInput(format!("--column {wish:?}: {meant}The names are {}", all.join(", "))));
        };
        let same = |one: &&(usize, &String)| one.1 == header || normal(one.1) == normal(header);
        let Some((column, _)) = self.table.headers.iter().enumerate().find(|one| same(&one)) else {
            return Err(self.table.unusable(format!("--column {wish:?}: the headers are {}", self.table.headers.join(", "))));
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

    /// A number of a cell; `None` where it is missing.
    pub fn number(&self, row: &Row, column: usize) -> Result<Option<f64>, UnusableInput> {
        let text = &row.cells[column];
        if is_missing(text) {
            return Ok(None);
        }
        let advice = if text.contains(',') { "write it with a decimal point" } else { "leave the field empty where there is no value" };
        number(text).map(Some).map_err(|wrong| self.table.wrong(row, column, format_args!("{wrong}; {advice}")))
    }

    /// A number that must be there.
    pub fn some_number(&self, row: &Row, column: usize) -> Result<f64, UnusableInput> {
        self.number(row, column)?.ok_or_else(|| self.table.wrong(row, column, "a number is missing here"))
    }

    /// A fraction: the number, by 100 where the input is in per cent.
    pub fn fraction(&self, row: &Row, column: usize) -> Result<Option<f64>, UnusableInput> {
        let signed = row.cells[column].contains('%');
        let value = self.number(row, column)?;
        Ok(if (self.percent || is_percent(&self.table.headers[column])) && !signed { value.map(|value| value / 100.0) } else { value })
    }

    /// The day of a row.
    pub fn moment(&self, row: &Row) -> Result<Moment, UnusableInput> {
        let column = self.need(&[Role::Date, Role::Period])?;
        let order = self.order.map_err(|why| self.table.unusable(why))?;
        moment(&row.cells[column], order).map_err(|wrong| self.table.wrong(row, column, wrong))
    }

    /// Whether rows are dated; a column of bare counts (1, 2, 3) is no dates.
    pub fn is_dated(&self) -> bool {
        let Some(column) = self.any(&[Role::Date, Role::Period]) else { return false };
        let is_count = |row: &Row| row.cells[column].parse::<u32>().is_ok_and(|count| count < 1_000);
        !self.table.rows.iter().all(is_count)
    }
}

fn is_adjusted(header: &str) -> bool {
    normal(header).starts_with("adj")
}

/// The role of a header by its usual names.
pub fn role_of(header: &str) -> Option<Role> {
    let header = normal(header);
    NAMES.iter().find(|(_, names)| names.contains(&header.as_str())).map(|(role, _)| *role)
}

/// The name of a role.
pub fn name_of(role: Role) -> &'static str {
    NAMES.iter().find(|(one, _)| *one == role).map_or("?", |(_, names)| names[0])
}

/// Whether a header says that its column is in per cent: Return (%), weight_pct.
fn is_percent(header: &str) -> bool {
    header.contains('%') || header.to_lowercase().ends_with("pct") || header.to_lowercase().ends_with("percent")
}

/// A header in small letters, with words parted by one underscore and without the sign of its unit.
fn normal(header: &str) -> String {
    let bare = header.to_lowercase().replace("(%)", "").replace('%', "");
    let words: Vec<&str> = bare.split(|c: char| c.is_whitespace() || "-_.".contains(c)).filter(|word| !word.is_empty()).collect();
    let units = words.iter().rev().take_while(|word| matches!(**word, "pct" | "percent")).count();
    words[..if units < words.len() { words.len() - units } else { words.len() }].join("_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_means_one_role() {
        let all: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert_eq!(role_of(" Adj Close "), Some(Role::Value));
        assert_eq!(role_of("Portfolio-Weight"), Some(Role::PortfolioWeight));
        assert_eq!(role_of("ACME"), None);
        assert_eq!((role_of("Portfolio Weight (%)"), role_of("return_pct")), (Some(Role::PortfolioWeight), Some(Role::Return)));
        assert!(is_percent("Return %") && is_percent("weight_pct") && !is_percent("pct_change") && !is_percent("return"));
    }
}
