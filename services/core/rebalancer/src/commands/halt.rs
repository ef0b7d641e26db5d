//! HALT and RESUME: what must stand still. A halt holds from the window in which it is read: no wave of
//! orders leaves in its scope, and open legs in it are asked back. RESUME ends the halt of the same scope
//! and target, and nothing else; what was stopped is not taken up again. A command acts once by its id: the repeat of one
//! whose opposite was read since changes nothing, and is refused, because whoever sends it believes that it holds.
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

/// Halts that may be in force in a lane at once. One of the firm always finds room: it is the way out of too many.
const MOST: usize = 10_000;

/// One halt.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Halt {
    scope: HaltScope,
    target: SmolStr,
    /// The one portfolio that it reaches; `None` reaches all.
    portfolio: Option<PortfolioId>,
}

impl Halt {
    /// The halt that a HALT or RESUME is about; [`domain::command::validity`] has passed it.
    pub fn of(command: &Command) -> Self {
        let scope = command.scope.unwrap_or_default();
        let own = command.portfolio_id.clone();
        let target = match (scope, &own) {
            (HaltScope::Firm, _) => SmolStr::default(),
            (HaltScope::Portfolio, Some(portfolio)) => SmolStr::new(portfolio.as_str()),
            _ => command.target.clone().unwrap_or_default(),
        };
        Self { scope, target, portfolio: own.filter(|_| scope != HaltScope::Portfolio) }
    }
    /// What is halted: everything, or what the target names.
    pub fn scope(&self) -> HaltScope {
        self.scope
    }
    /// Id of what is halted; empty for the firm.
    pub fn target(&self) -> &str {
        &self.target
    }
    /// The one portfolio in which an instrument or a strategy is halted; `None` for all.
    pub fn portfolio(&self) -> Option<&PortfolioId> {
        self.portfolio.as_ref()
    }
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
    ///
    /// # Errors
    /// When it cannot be in force beside all the others, with what to do.
    pub fn hear(&mut self, command: &Command) -> Result<(), String> {
        let halt = Halt::of(command);
        if command.kind == CommandKind::Resume {
            self.in_force.remove(&halt);
            return Ok(());
        }
        if self.in_force.len() >= MOST && halt.scope != HaltScope::Firm && !self.in_force.contains(&halt) {
            return Err(format!("{MOST} halts are in force in this lane, the most that may be: HALT the FIRM, or RESUME what may go on"));
        }
        self.in_force.insert(halt);
        Ok(())
    }
    /// Whether what a HALT or RESUME asks for is as it asks.
    pub fn stands(&self, command: &Command) -> bool {
        self.contains(&Halt::of(command)) == (command.kind == CommandKind::Halt)
    }
    /// Whether a halt is in force.
    pub fn contains(&self, halt: &Halt) -> bool {
        self.in_force.contains(halt)
    }
    /// Those in force, by scope and target.
    pub fn in_force(&self) -> impl Iterator<Item = &Halt> {
        self.in_force.iter()
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
