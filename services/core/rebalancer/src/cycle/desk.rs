//! A portfolio's desk: its open cycle, the one before, what it was asked and what it has heard. Folding
//! writes facts down here; deciding reads them. Nothing here plans or publishes.

use crate::commands::inbox::Inbox;
use crate::cycle::{Closed, Cycle, Heard, Leg, Word};
use crate::orders::budget::Budget;
use crate::orders::ids;
use crate::plan::OpenOrder;
use domain::drift::Drift;
use domain::enums::{DriftCause, DriftKind, RebalanceStatus, RebalanceTrigger};
use domain::fixed::FixedError;
use domain::order_status::OrderStatus;
use domain::reason::ReasonCode;
use domain::refresh::Refresh;
use domain::{OrderId, PortfolioId, Quantity, RebalanceId, SmolStr, Timestamp, wide};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Cycles that a stranger's report may name ahead of our own count.
const LIVES_SEARCHED: u64 = 256;

/// What an unanswered drift event may start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fresh {
    /// What it starts; `None` only brings an open proposal up to date.
    pub trigger: Option<RebalanceTrigger>,
    /// The newest event.
    pub heard: Heard,
    /// Whether it was asked for because an earlier one was too old.
    pub renewed: bool,
}

/// What the answer to a refresh is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// To open a cycle.
    Open(RebalanceTrigger),
    /// To follow a command.
    Command(SmolStr),
    /// To release the buys.
    LaterWave,
}

/// A refresh that is not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its id as the answer will name it.
    pub id: SmolStr,
    /// What for.
    pub purpose: Purpose,
}

/// A contradiction in what is known of an order: no new plan until somebody has looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// The rebalance whose order it is.
    pub rebalance_id: RebalanceId,
    /// What made that.
    pub trigger: RebalanceTrigger,
    /// What contradicts what.
    pub text: SmolStr,
    /// Whether it was published.
    pub said: bool,
}

/// A rebalance and what made it.
pub type Parent = (RebalanceId, RebalanceTrigger);

/// What was said last of an episode, so that it is said once.
pub type Said = (i64, RebalanceStatus, Option<ReasonCode>);

/// The desk of one portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Desk {
    /// What an earlier life of the lane may have counted to: every number given is above it.
    pub first: u64,
    /// Cycles opened.
    pub cycles: u64,
    /// Rebalances that opened none.
    pub asides: u64,
    /// Refreshes asked for.
    pub requests: u64,
    /// The open cycle.
    pub open: Option<Cycle>,
    /// The cycle that closed last.
    pub last: Option<Closed>,
    /// Version of the policy in force as the newest drift event has it; the inner `None`: no policy.
    pub policy: Option<Option<i64>>,
    /// The drift event to decide on.
    pub fresh: Option<Fresh>,
    /// The shadow's.
    pub shadow: Option<Heard>,
    /// Commands.
    pub inbox: Inbox,
    /// Refreshes that are not answered.
    pub awaited: Vec<Request>,
    /// What was released of late.
    pub budget: Budget,
    /// What was said last of an episode.
    pub said: Option<Said>,
    /// The same of the shadow.
    pub said_of_shadow: Option<Said>,
    /// Contradictions, one for each order.
    pub unreconciled: BTreeMap<OrderId, Contradiction>,
    /// Whether decisions wait because the lane was behind.
    pub held: bool,
}

impl Desk {
    /// The desk of a portfolio of which nothing was heard, in a lane whose earlier life counted to `first`.
    pub fn after(first: u64) -> Self {
        Self { first, ..Self::default() }
    }
    /// The number of a cycle that opens now.
    pub fn next_cycle(&mut self) -> u64 {
        self.cycles = self.cycles.max(self.first) + 1;
        self.cycles
    }
    /// The id of a rebalance that opens no cycle.
    pub fn next_aside(&mut self, portfolio: &PortfolioId) -> RebalanceId {
        self.asides = self.asides.max(self.first) + 1;
        ids::aside(portfolio, self.asides)
    }
    /// A refresh for a purpose; an earlier one for the same purpose no longer counts.
    pub fn ask(&mut self, portfolio: &PortfolioId, purpose: Purpose, why: &'static str) -> Refresh {
        self.requests = self.requests.max(self.first) + 1;
        let request_id = ids::request(portfolio, self.requests);
        self.awaited.retain(|request| request.purpose != purpose);
        self.awaited.push(Request { id: SmolStr::new(request_id.to_string()), purpose });
        Refresh { request_id, portfolio_id: portfolio.clone(), why: SmolStr::new_static(why) }
    }
    /// Offset of the drift event that had applied all executions of the last cycle.
    pub fn applied_at(&self) -> i64 {
        self.last.as_ref().map_or(-1, |last| last.applied_at)
    }

    /// Takes a drift event in.
    pub fn hear_drift(&mut self, offset: i64, drift: Box<Drift>) {
        self.policy = Some(drift.policy.as_ref().map(|policy| policy.policy_version));
        self.hear_executions(offset, &drift);
        if drift.shadow {
            let starts = starts(&drift).is_some();
            self.shadow = if starts { Some(Heard { offset, drift }) } else { self.shadow.take() };
            return;
        }
        let cause_id = drift.cause_id.clone().unwrap_or_default();
        let heard = Heard { offset, drift };
        match heard.drift.cause {
            Some(DriftCause::Command) => self.inbox.answer(&cause_id, heard),
            Some(DriftCause::Refresh) => self.hear_answer(&cause_id, heard),
            _ => self.hear_fresh(heard),
        }
    }

    fn hear_executions(&mut self, offset: i64, drift: &Drift) {
        for recent in &drift.recent_orders {
            let Some((parent, leg)) = self.leg_mut(recent.order_id) else { continue };
            if let Some(text) = leg.apply(recent.executed_quantity, offset) {
                self.contradict(recent.order_id, parent, text);
            }
        }
    }

    fn hear_answer(&mut self, request_id: &str, heard: Heard) {
        let Some(at) = self.awaited.iter().position(|request| request.id == request_id) else { return self.hear_fresh(heard) };
        match self.awaited.remove(at).purpose {
            Purpose::Open(trigger) => self.fresh = Some(Fresh { trigger: Some(trigger), heard, renewed: true }),
            Purpose::Command(command) => self.inbox.renew(&command, heard),
            Purpose::LaterWave => {
                if let Some(question) = self.open.as_mut().and_then(|cycle| cycle.question.as_mut()) {
                    question.answer = Some(heard);
                }
            }
        }
    }

    /// The newest event is the one to decide on; what an earlier one started and nobody has decided stays.
    fn hear_fresh(&mut self, heard: Heard) {
        let earlier = self.fresh.take().and_then(|fresh| fresh.trigger);
        let trigger = match heard.drift.event {
            DriftKind::Clear if earlier == Some(RebalanceTrigger::Threshold) => None,
            _ => starts(&heard.drift).or(earlier),
        };
        self.fresh = Some(Fresh { trigger, heard, renewed: false });
    }

    /// Takes a report in; `None` when its order is not one of ours.
    pub fn hear_status(&mut self, report: &OrderStatus) -> Option<Word> {
        let (parent, leg) = self.leg_mut(report.order_id).filter(|((rebalance, _), _)| *rebalance == report.rebalance_id)?;
        let word = leg.hear(report);
        if let Word::Contradiction(text) = &word {
            self.contradict(report.order_id, parent, text.clone());
        }
        Some(word)
    }

    /// Counts past a cycle that only a report knows of: one of an earlier life, before the state was
    /// made anew. Its ids are never given again.
    pub fn count_past(&mut self, portfolio: &PortfolioId, rebalance: RebalanceId) {
        let ahead = self.cycles + 1..=self.cycles + LIVES_SEARCHED;
        if let Some(number) = ahead.into_iter().find(|number| ids::rebalance(portfolio, *number) == rebalance) {
            self.cycles = number;
        }
    }

    /// Flags the portfolio; the first contradiction of an order stays.
    fn contradict(&mut self, order: OrderId, (rebalance_id, trigger): Parent, text: String) {
        let found = Contradiction { rebalance_id, trigger, text: SmolStr::new(text), said: false };
        self.unreconciled.entry(order).or_insert(found);
    }

    /// The leg of an order, and its rebalance: of the open cycle or of the one before.
    pub fn leg_mut(&mut self, order: OrderId) -> Option<(Parent, &mut Leg)> {
        let open = self.open.iter_mut().flat_map(|cycle| {
            let parent = (cycle.id, cycle.trigger);
            cycle.legs.iter_mut().map(move |leg| (parent, leg))
        });
        let last = self.last.iter_mut().flat_map(|last| {
            let parent = (last.id, last.trigger);
            last.legs.iter_mut().map(move |leg| (parent, leg))
        });
        open.chain(last).find(|(_, leg)| leg.order.order_id == order)
    }

    /// Orders that the book has not wholly seen.
    pub fn open_orders(&self) -> Result<Vec<OpenOrder>, FixedError> {
        let open = self.open.iter().flat_map(|cycle| &cycle.legs);
        let last = self.last.iter().flat_map(|last| &last.legs);
        open.chain(last).filter(|leg| leg.remaining() > Quantity::ZERO).map(open_order).collect()
    }

    /// Whether a cooldown holds at `now`.
    pub fn cools_down(&self, seconds: i64, now: Timestamp) -> Option<Timestamp> {
        let until = self.last.as_ref()?.at.plus_seconds(seconds);
        (now < until).then_some(until)
    }
}

fn open_order(leg: &Leg) -> Result<OpenOrder, FixedError> {
    let order = &leg.order;
    let remaining = leg.remaining();
    let share = wide::mul_div_half_even(order.expected_value.units(), remaining.units(), order.quantity.units())?;
    let signed = if order.side == domain::enums::Side::Buy { remaining } else { remaining.checked_neg()? };
    Ok(OpenOrder {
        instrument_id: order.instrument_id.clone(),
        side: order.side,
        remaining: signed,
        expected_value: domain::Money::from_units(share),
    })
}

/// What a drift event starts by itself.
fn starts(drift: &Drift) -> Option<RebalanceTrigger> {
    match (drift.event, drift.cause) {
        (DriftKind::Open | DriftKind::Worse | DriftKind::Rearm, _) => Some(RebalanceTrigger::Threshold),
        (DriftKind::Requested, Some(DriftCause::Schedule)) => Some(RebalanceTrigger::Scheduled),
        _ => None,
    }
}
