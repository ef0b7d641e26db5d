//! Arguments of `halt`, `resume` and `halts`, and the help that teaches them.

use super::portfolios::AskingArgs;
use crate::sheet::Format;
use clap::{ArgGroup, Args};

/// Help behind `halt` and `resume`.
pub const HALT_HELP: &str = concat!(
    "A halt stops new orders in its scope from the moment at which the rebalancer reads it, and asks open orders in it back; what \
     has left is the router's until it answers. A resume ends the halt of the same scope.\n\n",
    "It needs Kafka alone, no database. The answer is that every lane that it concerns has read it, with the step in which it did. \
     A target is taken as it is written: a halt of a misspelt name is in force and stops nothing, so look at what the next plan \
     says (HALTED or KILL_SWITCH). Of a portfolio the tables are asked afterwards, where they can be reached, whether there is one of \
     that id. It acts once by its id: the same --command-id again says which lanes have read it, and is refused \
     where a resume has ended it meanwhile. A new halt needs a new id. `ballast halts` lists what is in force.\n\n",
    "A halt goes to every lane that can be reached, also where another cannot; a resume goes to all of its lanes or to none.\n\n",
    "Exit status: 0 every lane has read it, 1 failed (no broker, a missing topic), 2 unusable arguments or configuration, 3 refused \
     by the service, 4 the tables know no such portfolio (what was sent holds all the same), 5 some lane was not reached or has not read it in time: what was sent holds there as soon as that lane \
     does.\n\n",
    "Examples:\n  ballast halt --firm --actor ann --reason 'prices look wrong'\n  ballast halt --portfolio growth --actor ann\n  \
     ballast halt --instrument ACME --actor ann\n  ballast resume --firm --actor ann"
);

/// Help behind `halts`.
pub const HALTS_HELP: &str = concat!(
    "It reads every command that the topic holds and judges it as each lane of the service does; it needs Kafka alone. Of a lane that \
     is behind it tells what will hold there once the lane has read its commands. A halt that is not in every lane names its lanes.\n\n",
    "A portfolio whose releases a limit has turned off is not halted, and not listed: `ballast rebalance ID --check` says so.\n\n",
    "Exit status: 0 told, also that none is in force; 1 failed (no broker, a missing topic, a lane that cannot be read), 2 unusable arguments or \
     configuration.\n\nExamples:\n  ballast halts\n  ballast halts -o json"
);

/// Arguments of `halts`.
#[derive(Debug, Args)]
pub struct HaltsArgs {
    /// How it is printed.
    #[arg(short = 'o', long = "output", value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// Arguments of `halt` and `resume`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("scope").required(true).multiple(true).args(["firm", "portfolio", "instrument", "strategy"])))]
pub struct HaltArgs {
    /// Everything.
    #[arg(long, conflicts_with_all = ["portfolio", "instrument", "strategy"])]
    pub firm: bool,
    /// A portfolio; beside an instrument or a strategy, those in this portfolio alone.
    #[arg(long, value_name = "ID")]
    pub portfolio: Option<String>,
    /// An instrument.
    #[arg(long, value_name = "ID", conflicts_with = "strategy")]
    pub instrument: Option<String>,
    /// A strategy: orders net all strategies of a book, so that every portfolio stops, or the one that is named beside it.
    #[arg(long, value_name = "ID")]
    pub strategy: Option<String>,
    /// Why, in words.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Who asks, and how.
    #[command(flatten)]
    pub asking: AskingArgs,
}
