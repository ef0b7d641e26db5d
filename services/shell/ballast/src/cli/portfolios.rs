//! Arguments of the commands on portfolios, and the help that teaches them.

use crate::sheet::Format;
use clap::{ArgGroup, Args, ValueEnum};
use domain::{Date, Timestamp};

/// What all of them say about how they end.
macro_rules! exit_status {
    () => {
        "Exit status: 0 done, 1 failed (no server, a missing table), 2 unusable arguments or configuration, 3 refused by the service, \
         4 there is no such portfolio or rebalance, or nothing to decide, 5 no answer in time."
    };
}

/// Help behind `portfolio`.
pub const PORTFOLIO_HELP: &str = concat!(
    "Value, cash, allocations, exposure, metrics and risk, each with its own time. The newest snapshot counts, and what is stale, \
     missing or waits is named beside it; figures of performance and risk are those of the newest records.\n\n",
    "With --as-of it is what was held at that moment: quantities and cash from the closed days and the bookings behind them, \
     valued at the prices of the newest snapshot or close of then. Cancels, corrections and late records count as they are known \
     now; --known-at leaves out what was booked later, so that a report of then can be had again. Ages are those of that moment; by \
     a snapshot a price is stale that was too old for orders, by a close one that was made before its day began.\n\n",
    exit_status!(),
    "\n\nExamples:\n  ballast portfolio growth\n  ballast portfolio growth --as-of 2026-01-05T21:00:00Z -o json\n  \
     ballast portfolio growth --as-of 2026-01-05T21:00:00Z --known-at 2026-01-05T22:00:00Z"
);

/// Help behind `rebalance`.
pub const REBALANCE_HELP: &str = concat!(
    "--check plans every line on the book of now and orders nothing: what deviates, what would be ordered, and for each \
     instrument that is left alone the reason. Beside a proposal that waits it plans too and says so; while orders of a rebalance \
     are under way it is refused (OPEN_CYCLE).\n\n",
    "Two answers stand apart. `breached` says whether a band is broken: a weight outside its own lower and upper bound \
     (`outside_band` of its line); it is null where no line shows it and the policy has bands of groups or of cash. \
     `needs_rebalance` says whether orders would be made, wait for approval or have left: what a person asks for plans every line, \
     whatever its band, and leaves out what lies within trigger.minimum_deviation (1 point where the policy says nothing else), so \
     that it can be true while no band is broken. Without a person orders come of broken bands and of schedules alone. Where an \
     answer made no plan, both are null, and so are the lists.\n\n",
    "--mode manual puts the plan up as a proposal that waits for an approval (PENDING_APPROVAL, with its hash); --mode automatic \
     releases it, as far as the policy allows: of the two the stricter mode holds. Where nothing is to be done the answer is \
     NO_ACTION_NEEDED.\n\n",
    "The command goes to portfolio.commands.v1 and the answer comes from rebalance.events.v1. A command acts once by its id: the \
     same --command-id again gives the same answer, and another command under it is refused (DUPLICATE_CONFLICT).\n\n",
    exit_status!(),
    "\n\nExamples:\n  ballast rebalance growth --check\n  ballast rebalance growth --mode manual --actor ann -o json"
);

/// Help behind `rebalances`.
pub const REBALANCES_HELP: &str = concat!(
    "How each rebalance came off: status, turnover of its plan, what of its orders was filled, slippage against the prices of the \
     plan and against those of the release (positive is a cost; bp of the executed value at these prices), fees, and the cost \
     (slippage + fees) in bp of what was traded. Above them what all of a portfolio's rebalances came to. What is not known is \
     empty: nothing was executed, or the rebalance has not ended. Shadows, checks and plans without orders are no rebalances; a check that was refused stands in the list as REFUSED.\n\n",
    exit_status!(),
    "\n\nExamples:\n  ballast rebalances growth\n  ballast rebalances growth --limit 200 -o csv"
);

/// Help behind `approve`, `reject` and `cancel`.
pub const DECIDE_HELP: &str = concat!(
    "ID is a rebalance, or a portfolio (or its session) with one that is open. The proposal is read from the tables and shown, and \
     the command names its hash: if another has taken its place meanwhile, the service refuses (STALE_PROPOSAL).\n\n",
    "An approval is checked anew on the book of that moment before anything leaves; where the policy wants several persons, it waits \
     for the others (PENDING_APPROVAL, needs_rebalance true, the orders as they were proposed). CANCEL withdraws a proposal or asks \
     back what has left.\n\n",
    exit_status!(),
    "\n\nExamples:\n  ballast approve growth --actor ann\n  ballast reject growth --actor ann --reason 'earnings tomorrow'\n  \
     ballast cancel bbd039b5-dae4-5b57-94dd-e2760a010f4d --actor ann"
);

/// Help behind `performance`.
pub const PERFORMANCE_HELP: &str = concat!(
    "Returns of each closed day, net of external flows, what they come to when they are linked, and the deepest drawdown. A day's \
     return is that of its record of performance (source RECORD): time-weighted at every flow whose equity before it is known, as \
     `method` says. A day without a record (source CLOSES) has (value + outflow) / (value of the day before + inflow) - 1, and says \
     so as its reason. Returns have twelve decimals.\n\n",
    "Figures: the set SPAN is computed for the asked days from these returns: the catalogue of `ballast metrics` for returns, the \
     money-weighted return from the opening value, the dated flows and the closing value, profit and flows. Periods a year (252, or \
     365 with the calendar 24/7) and the risk-free rate are those of the policy in force, the minimum acceptable return is 0, and what \
     the benchmark and the risk-free instrument returned is what the records of the days tell; without a benchmark its figures have a \
     reason. trades, win_rate and their kin are of closed trades, executions that closed units, each less its own fees, as the \
     records of the days tell them; win_rate_periods and its kin are of daily returns. What stands for a whole \
     year is null of fewer than 365 calendar days; money_weighted_return_period is of the span itself. The other sets (DAY, MTD, \
     YTD, 1Y, ALL) are the newest records by the end of the span, each with the days from and to that it covers: of days that were \
     closed together only the newest has more than its DAY. Behind a day that \
     left nothing linking begins anew, in totals, drawdown and figures alike.\n\n",
    "Without --to, what the newest snapshot adds stands apart as the running day, which is provisional and not valued at its flows. \
     --by adds up the profit of the days by that grouping, with what no bucket holds as a residual; --against measures both sides by \
     profit over capital, flows at the start or end of a day.\n\n",
    exit_status!(),
    "\n\nExamples:\n  ballast performance growth --from 2026-01-01 --to 2026-03-31\n  \
     ballast performance growth --from 2026-01-01 --metric sharpe,max_drawdown\n  \
     ballast performance growth --from 2026-01-01 --by sector -o csv"
);

/// Arguments of `portfolio`.
#[derive(Debug, Args)]
pub struct PortfolioArgs {
    /// Portfolio, or the session that quotes it.
    #[arg(value_name = "ID")]
    pub id: String,
    /// What was held at this moment (RFC 3339); now where it is left out.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub as_of: Option<Timestamp>,
    /// As it was known at this moment (RFC 3339); now where it is left out.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub known_at: Option<Timestamp>,
    /// How it is printed.
    #[arg(short = 'o', long = "output", value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// Arguments of `rebalance`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["check", "mode"])))]
pub struct RebalanceArgs {
    /// Portfolio, or the session that quotes it.
    #[arg(value_name = "ID")]
    pub id: String,
    /// Plans and orders nothing.
    #[arg(long)]
    pub check: bool,
    /// Plans, and goes on as far as this.
    #[arg(long, value_enum, value_name = "MODE")]
    pub mode: Option<ModeName>,
    /// Who asks, and how.
    #[command(flatten)]
    pub asking: AskingArgs,
}

/// Arguments of `rebalances`.
#[derive(Debug, Args)]
pub struct RebalancesArgs {
    /// Portfolio, or the session that quotes it.
    #[arg(value_name = "ID")]
    pub id: String,
    /// Most rebalances that are listed, the newest first; all of them count in the figures above the list.
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// How it is printed.
    #[arg(short = 'o', long = "output", value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// How far a rebalance goes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModeName {
    /// Orders leave within the policy's limits, if its mode is AUTOMATIC too.
    Automatic,
    /// A proposal waits for persons.
    Manual,
}

/// Arguments of `approve`, `reject` and `cancel`.
#[derive(Debug, Args)]
pub struct DecideArgs {
    /// Rebalance, or a portfolio (or its session) with one that is open.
    #[arg(value_name = "ID")]
    pub id: String,
    /// Hash of the proposal that was read; the one that is shown where it is left out.
    #[arg(long, value_name = "HASH")]
    pub proposal_hash: Option<String>,
    /// Why, in words.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Who asks, and how.
    #[command(flatten)]
    pub asking: AskingArgs,
}

/// Who asks, for how long the answer is waited for, and how it is printed.
#[derive(Debug, Args)]
pub struct AskingArgs {
    /// Who asks; one person has one name.
    #[arg(long, env = "USER", value_name = "NAME", default_value = "operator")]
    pub actor: String,
    /// Id of the command, under which it acts once; a fresh one where it is left out.
    #[arg(long, value_name = "ID")]
    pub command_id: Option<String>,
    /// Seconds to wait for the answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub wait: u64,
    /// Sends the command and does not wait for its answer.
    #[arg(long, conflicts_with = "wait")]
    pub no_wait: bool,
    /// How it is printed.
    #[arg(short = 'o', long = "output", value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// Arguments of `performance`.
#[derive(Debug, Args)]
pub struct PerformanceArgs {
    /// Portfolio, or the session that quotes it.
    #[arg(value_name = "ID")]
    pub id: String,
    /// First day; the first that is stored where it is left out.
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub from: Option<Date>,
    /// Last day; the newest that is stored where it is left out.
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub to: Option<Date>,
    /// Only these figures, of every set that has them.
    #[arg(long = "metric", value_name = "ID", value_delimiter = ',')]
    pub metrics: Vec<String>,
    /// Adds profit up by a grouping.
    #[arg(long, value_enum, value_name = "GROUPING")]
    pub by: Option<GroupingName>,
    /// Attributes the active return against another portfolio, or the session that quotes it: allocation, selection and
    /// interaction by sector, or by type where `--by type` says so (Brinson-Fachler, linked with Carino).
    #[arg(long, value_name = "ID")]
    pub against: Option<String>,
    /// How it is printed.
    #[arg(short = 'o', long = "output", value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// A grouping of profit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GroupingName {
    /// By strategy.
    Strategy,
    /// By sector.
    Sector,
    /// By instrument type.
    Type,
    /// By the venue's time of day.
    TimeOfDay,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| format!("{text:?} is no moment such as 2026-01-05T21:00:00Z"))
}

fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| format!("{text:?} is no day such as 2026-01-05"))
}
