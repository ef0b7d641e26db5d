//! HALT and RESUME: what must stand still. A halt holds from the window in which it is read: no wave of
//! orders leaves in its scope, and open legs in it are asked back. RESUME ends the halt of the same scope
//! and target, and nothing else; what was stopped is not taken up again.
//!
//! A rebalance nets the positions of all strategies in one order, so a halted strategy cannot be told
//! apart: a halt of any strategy stops every portfolio that it reaches. Halting too much is the safe side.

use crate::plan::HaltView;
use domain::command::Command;
use domain::enums::{CommandKind, HaltScope};
use domain::{InstrumentId, PortfolioId, SmolStr};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// One halt.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Halt {
    scope: HaltScope,
    target: SmolStr,
    /// The one portfolio that it reaches; `None` reaches all.
    portfolio: Option<PortfolioId>,
}

impl Halt {
    fn reaches(&self, portfolio: &PortfolioId) -> bool {
        match self.scope {
            HaltScope::Portfolio => self.target == portfolio.as_str(),
            _ => self.portfolio.as_ref().is_none_or(|only| only == portfolio),
        }
    }
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scope {
            HaltScope::Firm => write!(f, "a HALT of the firm"),
            scope => write!(f, "a HALT of {scope} {}", self.target),
        }
    }
}

/// The halts in force.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Halts {
    in_force: BTreeSet<Halt>,
}

impl Halts {
    /// Takes over a HALT or RESUME that [`domain::command::validity`] has passed.
    pub fn hear(&mut self, command: &Command) {
        let scope = command.scope.unwrap_or_default();
        let own = command.portfolio_id.clone();
        let target = match (scope, &own) {
            (HaltScope::Firm, _) => SmolStr::default(),
            (HaltScope::Portfolio, Some(portfolio)) => SmolStr::new(portfolio.as_str()),
            _ => command.target.clone().unwrap_or_default(),
        };
        let portfolio = own.filter(|_| scope != HaltScope::Portfolio);
        let halt = Halt { scope, target, portfolio };
        if command.kind == CommandKind::Halt {
            self.in_force.insert(halt);
        } else {
            self.in_force.remove(&halt);
        }
    }
    /// How many are in force.
    pub fn count(&self) -> usize {
        self.in_force.len()
    }
    /// The halt that stops a whole portfolio.
    pub fn binding(&self, portfolio: &PortfolioId) -> Option<&Halt> {
        self.in_force.iter().find(|halt| halt.scope != HaltScope::Instrument && halt.reaches(portfolio))
    }
    /// Whether an instrument of a portfolio is halted.
    pub fn covers(&self, portfolio: &PortfolioId, instrument: &InstrumentId) -> bool {
        let this = |halt: &Halt| halt.scope != HaltScope::Instrument || halt.target == instrument.as_str();
        self.in_force.iter().any(|halt| this(halt) && halt.reaches(portfolio))
    }
    /// The halts as a plan of that portfolio obeys them.
    pub fn view(&self, portfolio: &PortfolioId) -> HaltView {
        let reaching = || self.in_force.iter().filter(|halt| halt.reaches(portfolio));
        let instruments = reaching().filter(|halt| halt.scope == HaltScope::Instrument);
        HaltView {
            firm: reaching().any(|halt| halt.scope == HaltScope::Firm),
            portfolio: reaching().any(|halt| halt.scope == HaltScope::Portfolio),
            strategy: reaching().find(|halt| halt.scope == HaltScope::Strategy).map(|halt| halt.target.clone()),
            instruments: instruments.filter_map(|halt| InstrumentId::new(&halt.target).ok()).collect(),
        }
    }
}
