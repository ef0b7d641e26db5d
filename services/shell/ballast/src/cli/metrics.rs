//! The arguments of `ballast metrics`, and the help that teaches it.

use crate::commands::metrics::number::number;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What `ballast metrics --help` adds below the flags.
pub const METRICS_HELP: &str = "\
KINDS OF INPUT, told by the header or named before the file (or by --kind):
  returns   date, return [, benchmark] [, risk_free]
  values    date, value [, flow] [, benchmark]     prices, levels, an account;
            deposits and withdrawals may stand for flow
  flows     date, amount           negative is paid, positive is received
  trades    pnl [, strategy] [, sector] ...        closed trades
  brinson   [period,] sector, portfolio_weight, portfolio_return,
            benchmark_weight, benchmark_return
  assets    date, and one column of returns an asset (prices: --prices)
  holdings  instrument, value [, sector]           or weight for value, or
            quantity, price [, multiplier]         whose product it is

Headers are read in any case and under their usual names (nav, price, close, \
ret, rf, cash_flow, wp, rb, netFlow, ...); --column return=MyHeader names another, \
--column benchmark=SPY one of the benchmark's file. \
Numbers may be written 0.05, 5%, (12.50), 1,234.5; where semicolons part the fields \
also 0,05 and 1.234,5. Fields are parted by comma, \
semicolon, tab or bar; JSON is an object a line, an array of objects, or an object of \
arrays. An empty field, NA, NaN, #N/A, null or - is a missing value. A file without a header is read when its kind is \
named. Dates: 2026-01-05, 20260105, 05.01.2026, 5-Jan-2026, 2026-01, 2026M01 and 2026-Q1 (their \
last day), RFC 3339, seconds or milliseconds since 1970; 1/5/2026 with --dates mdy or dmy where the file does not settle it. \
Columns that were not read are named in a note.

A flow on a day without a value leaves the value empty: money-weighted and Dietz \
returns count it on its day, the time-weighted return in the period that ends with \
the next value. A benchmark or risk-free rates that lack some days take no \
return from the portfolio: figures with them are of the days that both have.

UNITS: fractions are fractions (0.05 is 5 %) in JSON, per cent in tables. \
Losses at risk are positive. An undefined figure is null with its reason. \
Annualised figures of less than a year are computed, and it is said.

EXIT STATUS: 0 computed (also where figures are undefined), 1 failed, \
2 unusable arguments or input, named by file, line and column.

EXAMPLES
  ballast metrics nav.csv
  ballast metrics returns daily.csv --benchmark index.csv --risk-free 2%
  ballast metrics returns daily.csv --metric sharpe,max_drawdown -o json
  ballast metrics values account.csv --flow-timing after-value
  ballast metrics flows deal.csv --metric xirr
  ballast metrics brinson quarters.csv
  ballast metrics assets returns.csv --weights ACME=0.6,BETA=0.4 --lambda 0.94
  echo 0.01,-0.02,0.03 | tr , '\\n' | ballast metrics returns -
  ballast metrics --list";

/// Arguments of `metrics`.
#[derive(Debug, Clone, Args)]
pub struct MetricsArgs {
    /// The file, or - for standard input; before it, where the header does not tell, the kind of input.
    #[arg(value_name = "[KIND] FILE", num_args = 0..=2, required_unless_present = "list")]
    pub input: Vec<String>,
    /// Prints the catalogue: name, unit, what it needs, formula in words, source.
    #[arg(long, conflicts_with = "input")]
    pub list: bool,
    /// Kind of input, where it does not stand before the file.
    #[arg(long, ignore_case = true, value_enum)]
    pub kind: Option<Kind>,
    /// Format of the input; by the file's ending, else by its first letter.
    #[arg(long, ignore_case = true, value_enum)]
    pub format: Option<Format>,
    /// How to print.
    #[arg(short, long, ignore_case = true, value_enum, default_value_t = Print::Table)]
    pub output: Print,
    /// Figures to print, by name; may be repeated or parted by commas. All where absent.
    #[arg(long = "metric", value_name = "ID", value_delimiter = ',')]
    pub metrics: Vec<String>,
    /// Periods in a year: 252 for trading days, 365, 52, 12, 4, 1.
    #[arg(long, value_name = "N", default_value_t = 252.0)]
    pub periods_per_year: f64,
    /// Risk-free rate a year: 0.02 or 2%; also --rf. For flows the rate of their present value.
    #[arg(long, alias = "rf", value_name = "RATE", value_parser = fraction, default_value = "0", allow_hyphen_values = true)]
    pub risk_free: f64,
    /// Risk-free rate a period, in place of one a year.
    #[arg(long, value_name = "RATE", value_parser = fraction, conflicts_with = "risk_free", allow_hyphen_values = true)]
    pub risk_free_period: Option<f64>,
    /// File of risk-free returns a period (date, risk_free), joined on common dates.
    #[arg(long, value_name = "FILE")]
    pub risk_free_file: Option<PathBuf>,
    /// File of the benchmark's returns or levels (date, return or date, value), joined on common dates.
    #[arg(long, value_name = "FILE")]
    pub benchmark: Option<PathBuf>,
    /// Minimum acceptable return a period, for Sortino, Omega and downside deviation.
    #[arg(long, value_name = "RATE", value_parser = fraction, default_value = "0", allow_hyphen_values = true)]
    pub mar: f64,
    /// The same a year; a period's is (1 + annual)^(1/periods) - 1.
    #[arg(long, value_name = "RATE", value_parser = fraction, conflicts_with = "mar", allow_hyphen_values = true)]
    pub mar_annual: Option<f64>,
    /// Confidence of value at risk: 0.95, 95 or 95%. A part between 0 and 1, or per cent from 50 to below 100.
    #[arg(long, value_name = "PART", value_parser = confidence, default_value = "0.95")]
    pub confidence: f64,
    /// Horizon of value at risk in periods.
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub horizon: f64,
    /// Method of value at risk and expected shortfall; all where absent (of assets: parametric).
    #[arg(long, ignore_case = true, value_enum)]
    pub method: Option<RiskMethod>,
    /// Newest observations that the table of value at risk looks at; all where absent.
    #[arg(long, value_name = "N")]
    pub var_window: Option<usize>,
    /// Value of the book, so that value at risk is money too.
    #[arg(long, value_name = "AMOUNT", value_parser = number)]
    pub book_value: Option<f64>,
    /// Rolls the figures (or volatility, sharpe, cumulative_return and beta) over windows of so many periods.
    #[arg(long, value_name = "N")]
    pub window: Option<usize>,
    /// Compounds returns by the calendar.
    #[arg(long, ignore_case = true, value_enum)]
    pub by: Option<Calendar>,
    /// Volatility a year that was aimed at, to compare with.
    #[arg(long, value_name = "RATE", value_parser = fraction)]
    pub target_risk: Option<f64>,
    /// When in its period a flow comes, beside the value of its row.
    #[arg(long, ignore_case = true, value_enum, default_value_t = Timing::Daily)]
    pub flow_timing: Timing,
    /// Decay of exponentially weighted covariances (assets): 0.94. Sample covariances where absent.
    #[arg(long, value_name = "LAMBDA", value_parser = number)]
    pub lambda: Option<f64>,
    /// Weights of the assets: ACME=0.6,BETA=0.4, or 0.6,0.4 in the order of the columns.
    #[arg(long, value_name = "WEIGHTS", allow_hyphen_values = true)]
    pub weights: Option<String>,
    /// Reads the assets' columns as prices.
    #[arg(long)]
    pub prices: bool,
    /// Equity, for exposure over it (holdings); the sum of the values where absent.
    #[arg(long, value_name = "AMOUNT", value_parser = number)]
    pub equity: Option<f64>,
    /// How allocation is measured (brinson).
    #[arg(long, ignore_case = true, value_enum, default_value_t = BrinsonModel::Fachler)]
    pub model: BrinsonModel,
    /// Reads returns and weights of the input as per cent.
    #[arg(long)]
    pub percent: bool,
    /// Says which header is which column: return=ACME; may be repeated.
    #[arg(long = "column", value_name = "NAME=HEADER")]
    pub columns: Vec<String>,
    /// Order of dates such as 1/5/2026.
    #[arg(long, ignore_case = true, value_enum, value_name = "ORDER")]
    pub dates: Option<DateOrder>,
}

/// A kind of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Returns.
    #[value(alias = "return")]
    Returns,
    /// Prices, levels, or an account's values and flows.
    #[value(aliases = ["value", "prices", "levels", "nav", "account"])]
    Values,
    /// Cash flows.
    #[value(aliases = ["flow", "xirr", "cash-flows", "cashflows"])]
    Flows,
    /// Profits and losses of closed trades.
    #[value(aliases = ["trade", "pnl"])]
    Trades,
    /// Sectors of portfolio and benchmark.
    #[value(aliases = ["attribution", "sectors"])]
    Brinson,
    /// Several series of returns.
    #[value(aliases = ["asset", "covariance"])]
    Assets,
    /// What a book holds.
    #[value(aliases = ["holding", "exposure", "concentration", "positions"])]
    Holdings,
}

/// A format of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Fields parted by comma, semicolon or tab.
    #[value(alias = "tsv")]
    Csv,
    /// An object a line, or an array of objects.
    #[value(aliases = ["json", "ndjson"])]
    Jsonl,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Print {
    /// For people: rounded.
    Table,
    /// One object: every digit.
    Json,
}

/// A method of value at risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RiskMethod {
    /// Quantile of the returns.
    Historical,
    /// Normal distribution.
    #[value(aliases = ["normal", "gaussian"])]
    Parametric,
    /// Normal distribution, corrected for skewness and kurtosis.
    #[value(alias = "modified")]
    CornishFisher,
}

/// A timeframe of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Calendar {
    /// ISO weeks.
    #[value(alias = "weekly")]
    Week,
    /// Months.
    #[value(alias = "monthly")]
    Month,
    /// Quarters.
    #[value(alias = "quarterly")]
    Quarter,
    /// Years.
    #[value(aliases = ["yearly", "annual"])]
    Year,
}

/// When flows come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Timing {
    /// In at the start, out at the end; the value is that of the end.
    Daily,
    /// At the start of the period; the value is that of its end.
    Start,
    /// In its middle: half of the period counts.
    Middle,
    /// At its end, just before the value was taken.
    End,
    /// Just after the value was taken: an account valued at every flow.
    AfterValue,
}

/// A model of attribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BrinsonModel {
    /// Allocation against the benchmark's return (Brinson and Fachler 1985).
    #[value(alias = "brinson-fachler")]
    Fachler,
    /// Allocation against zero (Brinson, Hood and Beebower 1986).
    #[value(alias = "brinson-hood-beebower", alias = "bhb")]
    HoodBeebower,
}

/// Order of day and month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DateOrder {
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
}

/// A confidence: a part of 1, or per cent where it cannot be one.
fn confidence(text: &str) -> Result<f64, String> {
    let advice = "a confidence lies between 0 and 1, or between 50 and 100 for per cent: write 0.95 or 95%";
    let value = number(text).map_err(|wrong| format!("{wrong}; {advice}"))?;
    match value {
        part if part > 0.0 && part < 1.0 => Ok(part),
        percent if (50.0..100.0).contains(&percent) => number(&format!("{}%", text.trim())).map_err(|_| advice.to_owned()),
        _ => Err(advice.to_owned()),
    }
}

/// A fraction, or per cent with its sign. What is 1 or more without the sign is per cent that lacks it.
fn fraction(text: &str) -> Result<f64, String> {
    let value = number(text).map_err(|wrong| format!("{wrong}; write 0.02 or 2%"))?;
    let is_doubtful = value.abs() >= 1.0 && !text.contains('%');
    if is_doubtful {
        Err(format!("{text} would be {text} times the whole; write 0.02 or 2%, and 200% where that is meant"))
    } else {
        Ok(value)
    }
}
