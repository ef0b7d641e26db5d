//! The shadow of a policy: a second set of rules over the same book, and the watch over them. Its drift events are
//! told beside those of the policy's own rules and never in their place. It books nothing, publishes no snapshot,
//! and lays nothing over the lines that the policy's own rules are judged by.

use super::event::{Circumstances, News, assemble};
use super::{Request, Rules, Watch};
use crate::book::Portfolio;
use crate::prices::InstrumentIx;
use crate::valuation::Appraisal;
use domain::InstrumentId;
use domain::drift::Drift;
use domain::policy::Policy;
use serde::{Deserialize, Serialize};

/// What is remembered of shadow rules. It outlives them: the next ones count their episodes on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Shadow {
    /// The watch.
    pub watch: Watch,
    /// Drift events asked for and not yet given.
    pub requests: Vec<Request>,
    /// Whether the value by them depended on the rate of another currency when it was looked at last.
    pub foreign: bool,
    /// The rules in force, as they are laid over the book; `None` where the policy has none. Derived.
    #[serde(skip)]
    pub laid: Option<Box<Laid>>,
}

/// Shadow rules as they are laid over a book.
#[derive(Debug, Clone)]
pub struct Laid {
    /// The policy with the shadow's groups in place of its own.
    pub policy: Box<Policy>,
    /// What they mean for lines.
    pub rules: Rules,
    /// Instruments with their places among the shadow's targets.
    pub targets: Vec<(InstrumentIx, u16)>,
}

impl Laid {
    /// The shadow rules of a policy, where it has them; `number` gives an instrument its number.
    pub fn of(policy: &Policy, base_class: u32, number: impl FnMut(&InstrumentId) -> InstrumentIx) -> Option<Box<Self>> {
        let policy = policy.by_shadow()?;
        let (rules, targets) = (Rules::of(&policy, base_class), targets(&policy, number));
        Some(Box::new(Self { policy: Box::new(policy), rules, targets }))
    }
}

/// The instruments that a policy targets, with their places among its targets.
pub fn targets(policy: &Policy, mut number: impl FnMut(&InstrumentId) -> InstrumentIx) -> Vec<(InstrumentIx, u16)> {
    let named = |(place, target): (usize, &domain::policy::Target)| {
        let place = u16::try_from(place).expect("the number of targets was checked");
        target.instrument_id.as_ref().map(|id| (number(id), place))
    };
    policy.targets.iter().enumerate().filter_map(named).collect()
}

impl Shadow {
    /// Other rules hold, or none: as for the policy's own, what is open by the old ones ends.
    pub fn follow(&mut self, laid: Option<Box<Laid>>, asked: Request) {
        self.laid = laid;
        if self.laid.is_some() {
            self.watch.follow();
            // Of several policies that nobody could answer, the newest is answered.
            self.requests.retain(|request| request.cause != asked.cause);
            self.requests.push(asked);
        } else {
            self.watch.close();
            self.requests.clear();
            self.foreign = false;
        }
    }
}

/// The event of a portfolio as its shadow rules see it (`seen`): with the policy in force, which has both sets, and
/// the orders of the one book.
pub fn event(portfolio: &Portfolio, seen: &mut Portfolio, appraisal: &Appraisal, around: &Circumstances<'_>, news: News) -> Drift {
    seen.published = portfolio.published;
    seen.orders.clone_from(&portfolio.orders);
    Drift { shadow: true, policy: portfolio.policy.clone(), ..assemble(seen, appraisal, around, news) }
}
