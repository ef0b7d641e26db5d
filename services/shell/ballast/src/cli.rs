//! The command line: what may be asked of `ballast`, and the help that teaches it.

pub mod halts;
pub mod metrics;
pub mod portfolios;

use crate::cli::halts::{HALT_HELP, HALTS_HELP, HaltArgs, HaltsArgs};
use crate::cli::metrics::{METRICS_HELP, MetricsArgs};
use crate::nearest::topic_words;
use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::Topic;
use portfolios::{DecideArgs, PerformanceArgs, PortfolioArgs, RebalanceArgs, RebalancesArgs};
use std::path::PathBuf;

/// Keeps portfolios on an even keel: fills and prices in; positions, drift and explained rebalance orders out.
///
/// Start with `ballast demo --in-memory`, which needs no server, or `ballast replay --help`.
/// Exit status: 0 done, 1 failed, 2 unusable arguments or configuration, 3 done but some records were dead-lettered, or in a replay still wait; of commands on portfolios 3 refused, 4 nothing there, 5 no answer in time. The help of each command has its own.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110)]
pub struct Cli {
    /// Configuration file (TOML). Later sources win: defaults, file, environment (`BALLAST_KAFKA_BROKERS`), flags.
    #[arg(long, global = true, env = "BALLAST_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Sets one key of the configuration, such as `--set kafka.brokers=localhost:9092`; may be repeated.
    #[arg(long = "set", global = true, value_name = "SECTION.KEY=VALUE")]
    pub overrides: Vec<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// A line of `replay` and `publish`. Lists are broken by hand for a narrow terminal, everything else by clap.
macro_rules! line_format {
    ($timestamp:literal) => {
        concat!(
            "One record a line, an object of:\n",
            "  topic      required: the topic's name, such as execution.fills.v1\n",
            "  value      required: the record by the fields of\n",
            "             schemas/<topic>.avsc; decimals as texts (\"100.25\"), moments in\n",
            "             RFC 3339, symbols by name; fields with a default may be left\n",
            "             out. null, with the portfolio as key, closes a portfolio\n",
            "             (portfolio.policies.v1 alone takes it)\n",
            "  key        left out, it is what the value names: the portfolio, the\n",
            "             instrument, …\n",
            $timestamp,
            "Any other field of a line or a value is refused, as is a symbol or a topic that does not exist;\n",
            "a market state that does not exist is taken for UNKNOWN, which trades nothing.\n"
        )
    };
}

const REPLAY_HELP: &str = concat!(
    line_format!(
        "  timestamp  the clock of the step, and it never goes back; a line without\n             \
         one leaves the clock where it is. The clock starts with the first\n             \
         line that names a moment, by this or in its value\n"
    ),
    "\nIt prints what the core publishes, in order. A wrong line becomes a dead letter and the run goes on; \
     where --only or --final leaves it out, standard error names it.\n\n",
    "There is no router: orders are printed, and what becomes of each is for further lines to say, with its order_id:\n",
    "  {\"topic\":\"orders.status.v1\",\"value\":{\"order_id\":\"…\",\"status\":\"FILLED\",…}}\n",
    "  {\"topic\":\"execution.fills.v1\",\"value\":{\"order_id\":\"…\",\"quantity\":\"180\",…}}\n\n",
    "Exit status: 0 all applied, 3 some dead-lettered (with --strict: at the first) or still waiting at the end, \
     1 failed, 2 unusable arguments or configuration.\n\n",
    "Example: ballast replay --only rebalance.events.v1 .local/try.jsonl"
);

const PUBLISH_HELP: &str = concat!(
    line_format!("  timestamp  the record's event time (ce_time); without it the broker's time\n             counts\n"),
    "\nA wrong line is named on standard error and sends nothing; the others go on. Before the first record is sent the \
     brokers are asked which topics there are.\n\n",
    "What is published is not accepted by it: what the service refuses stands in <topic>.dlq, and in SQL in \
     dead_letters, with code and reason.\n\n",
    "Exit status: 0 all published, 3 some lines refused, 1 failed (no broker, a missing topic, not delivered), \
     2 unusable arguments or configuration.\n\n",
    "Example:\n  echo '{\"topic\":\"marketdata.ticks.v1\",\"value\":{\"instrument_id\":\"ACME\",\n    \
     \"last\":\"100\",\"event_time\":\"2026-01-05T14:30:00Z\"}}' | ballast publish"
);

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows the whole service at work on published data: positions, drift, explained orders, kills and recoveries.
    ///
    /// With --in-memory it needs nothing else and takes seconds. Without it, it needs an empty Kafka and a Postgres;
    /// `make demo` starts both. It ends every process that it starts.
    Demo(DemoArgs),
    /// Runs one or more roles until SIGTERM, which finishes the step, writes checkpoints, and leaves within 5 s.
    Run(RunArgs),
    /// Runs the whole core on JSON lines of a file or of standard input, without any server; the same lines give the same bytes.
    #[command(after_long_help = REPLAY_HELP)]
    Replay(ReplayArgs),
    /// Publishes JSON lines (the format of `replay`) to their topics, in Avro, keyed and timestamped.
    #[command(after_long_help = PUBLISH_HELP)]
    Publish(PublishArgs),
    /// Shows a portfolio: value, cash, allocations, exposure, profit, performance and risk, now or as of a moment.
    #[command(after_long_help = portfolios::PORTFOLIO_HELP)]
    Portfolio(PortfolioArgs),
    /// Checks whether a portfolio needs a rebalance, or asks for one and tells what became of it.
    #[command(after_long_help = portfolios::REBALANCE_HELP)]
    Rebalance(RebalanceArgs),
    /// Lists the rebalances of a portfolio: how each came off, what was filled, and what its execution cost.
    #[command(after_long_help = portfolios::REBALANCES_HELP)]
    Rebalances(RebalancesArgs),
    /// Approves the proposal of a rebalance that waits.
    #[command(after_long_help = portfolios::DECIDE_HELP)]
    Approve(DecideArgs),
    /// Rejects the proposal of a rebalance that waits.
    #[command(after_long_help = portfolios::DECIDE_HELP)]
    Reject(DecideArgs),
    /// Cancels an open rebalance: withdraws its proposal, or asks its orders back.
    #[command(after_long_help = portfolios::DECIDE_HELP)]
    Cancel(DecideArgs),
    /// Stops new orders in a scope at once, and asks open ones back.
    #[command(after_long_help = HALT_HELP)]
    Halt(HaltArgs),
    /// Ends a halt.
    #[command(after_long_help = HALT_HELP)]
    Resume(HaltArgs),
    /// Lists the halts in force: what each stops, in which lanes, and who set it, when and why.
    #[command(after_long_help = HALTS_HELP)]
    Halts(HaltsArgs),
    /// Returns, drawdown, figures and attribution of a portfolio over a span of days.
    #[command(after_long_help = portfolios::PERFORMANCE_HELP)]
    Performance(PerformanceArgs),
    /// Makes, checks or reads topics.
    #[command(subcommand)]
    Topics(TopicsCommand),
    /// Compares what shadow rules came to with what the policy's own rules did, for each portfolio that has both.
    ///
    /// A policy may carry `shadow`: a second set of targets, bands, triggers, order rules and limits that is judged
    /// on the same book, planned, explained, and never ordered. `ballast replay < in.jsonl | ballast shadow` tries
    /// it on lines, without a server: it reads what a replay prints, not what a replay reads. --kafka reads the
    /// drift and rebalance events that the service still has.
    ///
    /// For each set: breaches (episodes opened), plans with orders, their worth, turnover and expected fees, and
    /// plans refused. Below it the orders that one set made and the other did not, or not as many. The book never
    /// follows a shadow, so that an episode of one is proposed again and again: its first proposal counts. What
    /// persons asked for is counted apart: no shadow answers them. Where nothing can be compared it says why, with exit
    /// status 4.
    Shadow(ShadowArgs),
    /// Computes performance and risk figures from a file of CSV or JSON lines, without a server: returns, prices or
    /// an account's values and flows, cash flows, closed trades, sectors (Brinson), assets, holdings.
    #[command(after_long_help = METRICS_HELP)]
    Metrics(Box<MetricsArgs>),
    /// Reads every topic from its beginning and checks the invariants I1 to I12; exit status 1 when one is broken, 2 when it
    /// could not judge.
    ///
    /// I7 replays every step with the engine; all others are recomputed in exact arithmetic by a model that shares
    /// no code with it. What retention has deleted, and what an earlier life before --genesis wrote, is noted and
    /// not judged; where a lane's beginning is gone, I7 starts from its checkpoint, which needs Postgres.
    /// Keeps the records of one lane in memory at a time.
    Verify(VerifyArgs),
    /// Brings the database's tables up to this build.
    Migrate,
    /// Looks at the configuration without starting anything.
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Runs everything in this process, without Kafka and Postgres.
    #[arg(long)]
    pub in_memory: bool,
    /// Folder with the journeys' data; without it `tests/data` here or in a folder above.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Folder for the logs of the processes.
    #[arg(long, value_name = "DIR")]
    pub logs: Option<PathBuf>,
    /// Folder of the development stack; logs go there unless --logs names another.
    #[arg(long, env = "STACK_DIR", hide = true)]
    pub stack: Option<PathBuf>,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Roles to run in this process; `all` runs every one.
    #[arg(required = true, value_enum)]
    pub roles: Vec<RoleName>,
    /// Allows a lane without a checkpoint to fold anew what its inputs still hold, although their first records are gone.
    #[arg(long)]
    pub genesis: bool,
    /// Name of this process among others of its role (also `instance` in the configuration).
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,
}

/// A role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum RoleName {
    /// Market and reference data become frames.
    Conflator,
    /// Fills and cash become positions, snapshots, drift.
    PositionKeeper,
    /// Drift becomes explained orders.
    Rebalancer,
    /// Orders become acknowledgements and fills, on paper.
    PaperRouter,
    /// Closed days become returns, metrics, attribution and risk.
    PerformanceTracker,
    /// Outputs become SQL tables.
    Projector,
    /// Every role.
    All,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// File of JSON lines; standard input when absent.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Groups lines whose timestamps lie within this span of the group's first into one step: 50ms, 1s.
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub window: Option<i64>,
    /// Prints the records of this topic only.
    #[arg(long, value_name = "TOPIC", value_parser = printed_topic)]
    pub only: Option<String>,
    /// Prints only the last snapshot of each portfolio and the last ledger state of each position.
    #[arg(long = "final")]
    pub last: bool,
    /// Stops at the first wrong line and says which.
    #[arg(long)]
    pub strict: bool,
}

/// Arguments of `publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// File of JSON lines; standard input when absent.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Arguments of `shadow`.
#[derive(Debug, Args)]
pub struct ShadowArgs {
    /// File of JSON lines as `replay` and `topics tail` print them; standard input when absent.
    #[arg(value_name = "FILE", conflicts_with = "kafka")]
    pub file: Option<PathBuf>,
    /// Reads the topics of the deployment, from the beginning to the end that they have now.
    #[arg(long)]
    pub kafka: bool,
    /// Reports this portfolio only.
    #[arg(long, value_name = "PORTFOLIO")]
    pub portfolio: Option<String>,
    /// Prints one line of JSON for each portfolio instead of tables.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Leaves checkpoints (I6) unchecked; lanes whose beginning is gone are not replayed (I7).
    #[arg(long)]
    pub without_postgres: bool,
    /// Allows gaps in the versions of snapshots, which the broker may have compacted away.
    #[arg(long)]
    pub compacted: bool,
}

/// Commands on topics.
#[derive(Debug, Subcommand)]
pub enum TopicsCommand {
    /// Makes every missing topic, then checks all.
    Create,
    /// Says how the topics differ from what they must be.
    Check,
    /// Prints the records of a topic as JSON lines, read committed.
    Tail(TailArgs),
}

/// Arguments of `topics tail`.
#[derive(Debug, Args)]
pub struct TailArgs {
    /// Topic.
    pub topic: String,
    /// Reads from the beginning instead of the end.
    #[arg(long)]
    pub from_start: bool,
    /// Ends at the end of the topic instead of waiting for more.
    #[arg(long)]
    pub until_end: bool,
}

/// Commands on the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Reads it, and says what is wrong or prints what holds, without secrets.
    Check,
}

/// A topic that a replay may print: one of the service, its dead letters, or those of lines that name none.
fn printed_topic(text: &str) -> Result<String, String> {
    let letters = text.strip_suffix(".dlq").is_some_and(|of| of == "lines" || Topic::from_name(of).is_some());
    if letters || Topic::from_name(text).is_some() {
        return Ok(text.to_owned());
    }
    let topics = Topic::ALL.iter().map(|topic| topic.name()).filter(|topic| !topic.contains(".progress."));
    let letters = "of an input also <topic>.dlq, of lines without a topic lines.dlq";
    Err(format!("{text:?} is no topic of this service: {}; {letters}", topic_words(text, topics)))
}

fn span(text: &str) -> Result<i64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: i64 = number.parse().map_err(|_| format!("{text:?} is no span such as 50ms or 1s"))?;
    let micros = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        _ => return Err(format!("{text:?} needs a unit: us, ms or s")),
    };
    number.checked_mul(micros).filter(|span| *span > 0).ok_or_else(|| format!("{text:?} is out of range"))
}

/// What `--set` sets, in the order of the command line: of two lists, one on each side of a command's name, the parser keeps
/// the second alone.
pub fn overrides(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let mut arguments = arguments.take_while(|argument| argument != "--");
    let mut overrides = Vec::new();
    while let Some(argument) = arguments.next() {
        if argument == "--set" {
            overrides.extend(arguments.next());
        } else if let Some(value) = argument.strip_prefix("--set=") {
            overrides.push(value.to_owned());
        }
    }
    overrides
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn a_replay_prints_topics_of_the_service_only() {
        for topic in ["portfolio.snapshots.v1", "execution.fills.v1.dlq", "lines.dlq"] {
            assert_eq!(printed_topic(topic).as_deref(), Ok(topic));
        }
        for other in ["nonsense", "nonsense.dlq", "portfolio.snapshots.v1 ", ""] {
            assert!(printed_topic(other).is_err(), "{other:?}");
        }
        assert!(printed_topic("portfolio.snapshot").unwrap_err().contains("did you mean portfolio.snapshots.v1?"));
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        assert_eq!(span("50ms"), Ok(50_000));
        assert!(span("50").is_err() && span("0s").is_err() && span("x").is_err());
    }

    #[test]
    fn what_is_set_before_and_behind_a_command_s_name_holds() {
        let told = |line: &str| overrides(line.split(' ').map(str::to_owned));
        assert_eq!(told("--set lanes=8 config check --set=kafka.client_id=x -- --set y"), ["lanes=8", "kafka.client_id=x"]);
        assert_eq!(told("run all"), [""; 0]);
    }
}
