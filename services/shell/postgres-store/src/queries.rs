//! What people ask the tables: one statement a question, one file a subject.
//!
//! Promises: nothing here writes; what belongs together is read in one transaction and is of one moment of the
//! database; each statement of a person finds its rows by an index (`QUERIES.md` beside the sources shows how, and a test
//! holds it).
//! Does not judge what it reads: the caller does.

mod as_of;
mod closes;
mod figures;
mod portfolio;
mod rebalance;
mod rebalances;
mod series;
mod standing;

pub use as_of::{BookAsOf, CashHeld, CloseAsOf, Held, SnapshotAsOf};
pub use closes::{ClosedDay, Sectored};
pub use figures::{AttributionDay, FigureSet};
pub use portfolio::{AllocationView, BookView, PortfolioHead, PortfolioView};
pub use rebalance::{AnswerView, RebalanceView};
pub use rebalances::{QualityView, RebalanceLine};
pub use series::{ClosedTrades, DayReturn, DayValue, RunningDay, SpanValue, Width};
pub use standing::{Conditions, Figures, Spreads};

/// Every statement of this folder by its name.
pub const STATEMENTS: [(&str, &str); 21] = [
    ("portfolio id of a portfolio or session", portfolio::RESOLVE),
    ("portfolio", portfolio::HEAD),
    ("newest book", portfolio::BOOK),
    ("newest allocations", portfolio::ALLOCATIONS),
    ("snapshot as of a moment", as_of::SNAPSHOT),
    ("closed day as of a moment", as_of::CLOSE),
    ("units and cash as of a moment", as_of::HELD),
    ("newest figures of performance", figures::LATEST_PERFORMANCE),
    ("newest figures of risk", figures::LATEST_RISK),
    ("figures of performance as of a moment", figures::PERFORMANCE_AS_OF),
    ("figures of risk as of a moment", figures::RISK_AS_OF),
    ("attribution by day", figures::ATTRIBUTION),
    ("values and returns by day", series::DAYS),
    ("closed days", closes::CLOSED_DAYS),
    ("sectors of a portfolio", closes::SECTORS),
    ("running day", series::RUNNING),
    ("rebalance", rebalance::ONE),
    ("open rebalances", rebalance::OPEN),
    ("answer to a command", rebalance::ANSWER),
    ("newest rebalances", rebalances::NEWEST),
    ("how rebalances came off", rebalances::QUALITY),
];
