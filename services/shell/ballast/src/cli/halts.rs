//! Arguments of `halt` and `resume`, and the help that teaches them.

use super::portfolios::AskingArgs;
use clap::{ArgGroup, Args};

/// Help behind `halt` and `resume`.
pub const HALT_HELP: &str = concat!(
    "A halt stops new orders in its scope from the moment at which the rebalancer reads it, and asks open orders in it back; what \
     has left is the router's until it answers. A resume ends the halt of the same scope.\n\n",
    "It needs Kafka alone, no database. The answer is that every lane that it concerns has read it, with the step in which it did. \
     A target is taken as it is written: a halt of a misspelt name is in force and stops nothing, so look at what the next plan \
     says (HALTED or KILL_SWITCH). It acts once by its id: the same --command-id again says which lanes have read it, and puts no halt \
     in force again that was resumed meanwhile. A new halt needs a new id.\n\n",
    "Exit status: 0 every lane has read it, 1 failed (no broker, a missing topic), 2 unusable arguments or configuration, 3 refused \
     by the service, 5 some lane has not read it in time: it holds there as soon as that lane does.\n\n",
    "Examples:\n  ballast halt --firm --actor ann --reason 'prices look wrong'\n  ballast halt --portfolio growth --actor ann\n  \
     ballast halt --instrument ACME --actor ann\n  ballast resume --firm --actor ann"
);

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
