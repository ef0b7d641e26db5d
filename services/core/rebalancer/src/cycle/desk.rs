//! A portfolio's desk: its open cycle, the one before, what it was asked and what it has heard. Folding
//! writes facts down here; deciding reads them. Nothing here plans or publishes.

use crate::commands::inbox::Inbox;
use crate::cycle::moved::Moved;
use crate::cycle::shadow::ShadowDesk;
use crate::cycle::strangers::Strangers;
use crate::cycle::{Closed, Cycle, Heard, Leg, Unsettled, Word};
use crate::orders::budget::Budget;
use crate::orders::ids;
use crate::orders::latch::Latch;
use crate::plan::OpenOrder;
use domain::drift::Drift;
use domain::enums::{DriftCause, DriftKind, RebalanceStatus, RebalanceTrigger};
use domain::fixed::FixedError;
use domain::order_status::OrderStatus;
use domain::reason::ReasonCode;
use domain::refresh::Refresh;
use domain::{OrderId, PortfolioId, Quantity, RebalanceId, SmolStr, Timestamp, wide};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
    /// Whether it was asked for because of a breach that had to wait: one that is gone by now is nothing to speak of.
    pub postponed: bool,
    /// Whether a breach was said that nobody has decided on, whatever started it beside that.
    pub breached: bool,
}

/// What the answer to a refresh is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// To open a cycle.
    Open(RebalanceTrigger),
    /// To look at a breach again that had to wait.
    Postponed,
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
    /// What contradicts the order.
    pub of: Source,
    /// Whether that has ceased.
    pub settled: bool,
}

/// Where a contradiction comes from, and with it what may settle it without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// Reports contradict each other: a later one may agree after all.
    Reports,
    /// The book's executions do: they may be taken back.
    Book,
    /// Both: a person knows, or both agree after all.
    Both,
}

/// A breach that nothing was planned for, because a cycle was open, or had ended a moment before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postponed {
    /// The policy's version. Another policy says what is out by its own rules itself.
    pub policy_version: i64,
    /// Its cooldown.
    pub seconds: i64,
}

/// A rebalance, what made it, and where it stands.
pub type Standing = (RebalanceId, RebalanceTrigger, RebalanceStatus);

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
    /// The released cycle that closed last.
    pub last: Option<Closed>,
    /// Orders of cycles before it that are not settled.
    pub unsettled: Vec<Unsettled>,
    /// When a cycle ended last, released or not.
    pub ended_at: Option<Timestamp>,
    /// The breach that waits for the end of the open cycle and of the cooldown.
    pub postponed: Option<Postponed>,
    /// Version of the policy in force as the newest drift event has it; the inner `None`: no policy.
    pub policy: Option<Option<i64>>,
    /// The drift event to decide on.
    pub fresh: Option<Fresh>,
    /// What shadow rules have come to.
    pub shadow: ShadowDesk,
    /// Commands.
    pub inbox: Inbox,
    /// Refreshes that are not answered.
    pub awaited: Vec<Request>,
    /// What was released of late.
    pub budget: Budget,
    /// What was said last of an episode.
    pub said: Option<Said>,
    /// Contradictions, one for each order.
    pub unreconciled: BTreeMap<OrderId, Contradiction>,
    /// Orders, also unknown ones, whose fills contradict each other as the newest drift event has it.
    pub disputed: BTreeSet<OrderId>,
    /// Which of the orders that booked fills name are ours.
    pub strangers: Strangers,
    /// Why nothing may leave until a person resumes the portfolio: a limit was met.
    pub latch: Option<Latch>,
    /// Instruments that a corporate action has changed, whose open orders are asked back for it.
    pub moved: Moved,
    /// Offset of the drift event of the newest of those corporate actions: what is older has the book of before it.
    pub moved_at: i64,
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
        self.await_no_more(&purpose);
        self.awaited.push(Request { id: SmolStr::new(request_id.to_string()), purpose });
        Refresh { request_id, portfolio_id: portfolio.clone(), why: SmolStr::new_static(why) }
    }
    /// Nothing is asked for that purpose any more: an answer that still comes is news like any other.
    pub fn await_no_more(&mut self, purpose: &Purpose) {
        self.awaited.retain(|request| request.purpose != *purpose);
    }
    /// Offset of the drift event that had applied all executions of the last cycle.
    pub fn applied_at(&self) -> i64 {
        self.last.as_ref().map_or(-1, |last| last.applied_at)
    }
    /// Whether a corporate action was heard of after the drift event of that offset.
    pub fn has_moved_since(&self, offset: i64) -> bool {
        offset < self.moved_at
    }

    /// Takes a drift event in. One of shadow rules says nothing of the book that the other events do not.
    pub fn hear_drift(&mut self, offset: i64, drift: Box<Drift>) {
        if drift.shadow {
            return self.shadow.hear(Heard { offset, drift });
        }
        self.policy = Some(drift.policy.as_ref().map(|policy| policy.policy_version));
        if drift.event == DriftKind::Clear || self.postponed.is_some_and(|postponed| self.policy != Some(Some(postponed.policy_version))) {
            self.postpone_no_more();
        }
        self.hear_executions(offset, &drift);
        if let (Some(DriftCause::Action), Some(instrument)) = (drift.cause, &drift.cause_instrument_id) {
            self.moved.insert(instrument.clone(), drift.cause_id.clone().unwrap_or_default());
            self.moved_at = offset;
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
        let disputed = drift.recent_orders.iter().filter(|recent| recent.contradicted);
        self.disputed = disputed.map(|recent| recent.order_id).collect();
        // What an event leaves out is forgotten.
        let (before, mut met) = (std::mem::take(&mut self.strangers), Strangers::default());
        let open = self.open.as_ref().map(|cycle| cycle.id);
        for recent in &drift.recent_orders {
            let leg = self.leg_mut(recent.order_id);
            met.meet(recent.order_id, leg.is_some(), &before);
            let Some((trigger, leg)) = leg else { continue };
            let rebalance = leg.order.rebalance_id;
            let has_ended = open != Some(rebalance);
            let said = leg.hear_execution(recent, offset).or_else(|| if has_ended { leg.taken_back() } else { None });
            match said {
                Some(text) => self.contradict(recent.order_id, (rebalance, trigger), text, Source::Book),
                None if leg.is_in_line(recent) => self.take_back(recent.order_id),
                None => {}
            }
        }
        self.strangers = met;
        self.let_settled_go();
    }

    fn hear_answer(&mut self, request_id: &str, heard: Heard) {
        let Some(at) = self.awaited.iter().position(|request| request.id == request_id) else { return self.hear_fresh(heard) };
        match self.awaited.remove(at).purpose {
            Purpose::Open(trigger) => {
                // A turn of a schedule, and a breach, that nobody has decided stay what they are.
                let before = self.fresh.take();
                let scheduled = before.as_ref().and_then(|fresh| fresh.trigger).filter(|earlier| *earlier == RebalanceTrigger::Scheduled);
                let breached = trigger == RebalanceTrigger::Threshold || before.is_some_and(|fresh| fresh.breached);
                self.fresh = Some(Fresh { trigger: scheduled.or(Some(trigger)), heard, renewed: true, postponed: false, breached });
            }
            Purpose::Postponed => {
                // What something else has started and nobody has decided stays what it is.
                let before = self.fresh.take();
                let breached = before.as_ref().is_some_and(|fresh| fresh.breached);
                let started = before.and_then(|fresh| fresh.trigger);
                let (trigger, postponed) = (started.unwrap_or(RebalanceTrigger::Threshold), started.is_none());
                self.fresh = Some(Fresh { trigger: Some(trigger), heard, renewed: false, postponed, breached });
            }
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
        let before = self.fresh.take();
        let postponed = before.as_ref().is_some_and(|fresh| fresh.postponed) && starts(&heard.drift).is_none();
        let said = starts(&heard.drift) == Some(RebalanceTrigger::Threshold);
        let breached = said || heard.drift.event != DriftKind::Clear && before.as_ref().is_some_and(|fresh| fresh.breached);
        let earlier = before.and_then(|fresh| fresh.trigger);
        let trigger = match heard.drift.event {
            DriftKind::Clear if earlier == Some(RebalanceTrigger::Threshold) => None,
            // A schedule plans every line, a breach of the same moment perhaps not.
            _ if earlier == Some(RebalanceTrigger::Scheduled) => earlier,
            _ => starts(&heard.drift).or(earlier),
        };
        self.fresh = Some(Fresh { trigger, heard, renewed: false, postponed, breached });
    }

    /// Takes a report in; `None` when its order is not one of ours.
    pub fn hear_status(&mut self, report: &OrderStatus) -> Option<Word> {
        let (trigger, leg) = self.leg_mut(report.order_id).filter(|(_, leg)| leg.order.rebalance_id == report.rebalance_id)?;
        let word = leg.hear(report);
        let agreed = leg.agrees_with(report);
        match &word {
            Word::Contradiction(text) => self.contradict(report.order_id, (report.rebalance_id, trigger), text.clone(), Source::Reports),
            _ if agreed => self.agree(report.order_id),
            _ => {}
        }
        Some(word)
    }

    /// Flags the portfolio; the first contradiction of an order stays.
    fn contradict(&mut self, order: OrderId, (rebalance_id, trigger): (RebalanceId, RebalanceTrigger), text: String, of: Source) {
        let found = Contradiction { rebalance_id, trigger, text: SmolStr::new(text), said: false, of, settled: false };
        let kept = self.unreconciled.entry(order).or_insert(found);
        if kept.of != of {
            kept.of = Source::Both;
        }
        kept.settled = false;
    }

    /// Lets go what only the book has contradicted, and has taken back since.
    fn take_back(&mut self, order: OrderId) {
        if let Some(found) = self.unreconciled.get_mut(&order).filter(|found| found.of == Source::Book) {
            found.settled = true;
        }
    }

    /// Reports and book agree about an order after all: also about what both had contradicted, where the book's fills
    /// contradict each other no more.
    fn agree(&mut self, order: OrderId) {
        let is_disputed = self.disputed.contains(&order);
        if let Some(found) = self.unreconciled.get_mut(&order).filter(|found| found.of == Source::Reports || !is_disputed) {
            found.settled = true;
        }
    }

    /// Keeps a released cycle that ends now as the last one. What is not settled of the one before stays
    /// known for as long as that lasts.
    pub fn close(&mut self, closed: Closed, now: Timestamp) {
        self.ended_at = Some(now);
        if let Some(Closed { trigger, status, legs, .. }) = self.last.replace(closed) {
            self.unsettled.extend(legs.into_iter().map(|leg| Unsettled { trigger, status, leg }));
        }
        self.let_settled_go();
    }

    /// Forgets orders of earlier cycles of which nothing is open any more.
    pub fn let_settled_go(&mut self) {
        let open = |leg: &Leg| leg.remaining() > Quantity::ZERO || self.unreconciled.contains_key(&leg.order.order_id);
        self.unsettled.retain(|kept| open(&kept.leg));
    }

    /// The leg of an order, and what made its rebalance: of the open cycle, of the one before, or not settled
    /// since an earlier one.
    pub fn leg_mut(&mut self, order: OrderId) -> Option<(RebalanceTrigger, &mut Leg)> {
        let open = self.open.iter_mut().flat_map(|cycle| cycle.legs.iter_mut().map(|leg| (cycle.trigger, leg)));
        let last = self.last.iter_mut().flat_map(|last| last.legs.iter_mut().map(|leg| (last.trigger, leg)));
        let unsettled = self.unsettled.iter_mut().map(|kept| (kept.trigger, &mut kept.leg));
        open.chain(last).chain(unsettled).find(|(_, leg)| leg.order.order_id == order)
    }

    fn legs(&self) -> impl Iterator<Item = (&Leg, Standing)> {
        let open = self.open.iter().flat_map(|cycle| {
            let status = cycle.standing(&self.unreconciled);
            cycle.legs.iter().map(move |leg| (leg, (cycle.id, cycle.trigger, status)))
        });
        let last = self.last.iter().flat_map(|last| last.legs.iter().map(|leg| (leg, (last.id, last.trigger, last.status))));
        let unsettled = self.unsettled.iter().map(|kept| (&kept.leg, (kept.leg.order.rebalance_id, kept.trigger, kept.status)));
        open.chain(last).chain(unsettled)
    }

    /// The leg of an order, and its rebalance as it stands.
    pub fn leg(&self, order: OrderId) -> Option<(&Leg, Standing)> {
        self.legs().find(|(leg, _)| leg.order.order_id == order)
    }

    /// Whether a person may say what became of a leg: it is stuck, contradicted, or missing in the book.
    pub fn is_doubted(&self, leg: &Leg) -> bool {
        let id = &leg.order.order_id;
        let missed = leg.reconciled || self.open.as_ref().is_some_and(|cycle| cycle.unsettled);
        leg.stuck || self.unreconciled.contains_key(id) || self.disputed.contains(id) || (missed && !leg.is_settled())
    }

    /// Orders that the book has not wholly seen.
    pub fn open_orders(&self) -> Result<Vec<OpenOrder>, FixedError> {
        self.legs().map(|(leg, _)| leg).filter(|leg| leg.remaining() > Quantity::ZERO).map(open_order).collect()
    }

    /// Whether a cooldown holds at `now`.
    pub fn cools_down(&self, seconds: i64, now: Timestamp) -> Option<Timestamp> {
        let until = self.ended_at?.plus_seconds(seconds);
        (now < until).then_some(until)
    }

    /// No breach waits any more.
    pub fn postpone_no_more(&mut self) {
        self.postponed = None;
        self.await_no_more(&Purpose::Postponed);
    }

    /// When a breach must be looked at again that had to wait: at the end of the cooldown, once, and not while a cycle is
    /// open, whose end begins another.
    pub fn postponed_to(&self) -> Option<Timestamp> {
        let asked = self.awaited.iter().any(|request| request.purpose == Purpose::Postponed);
        let postponed = self.postponed.filter(|_| !asked && self.open.is_none())?;
        Some(self.ended_at?.plus_seconds(postponed.seconds))
    }
}

/// The number of a cycle beyond `cycles` that only a report knows of: one of an earlier life, before the state
/// was made anew. Counting past it gives its ids to no other.
pub fn past_cycle(portfolio: &PortfolioId, rebalance: RebalanceId, cycles: u64) -> Option<u64> {
    (cycles + 1..=cycles + LIVES_SEARCHED).find(|number| ids::rebalance(portfolio, *number) == rebalance)
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
pub fn starts(drift: &Drift) -> Option<RebalanceTrigger> {
    match (drift.event, drift.cause) {
        (DriftKind::Open | DriftKind::Worse | DriftKind::Rearm, _) => Some(RebalanceTrigger::Threshold),
        (DriftKind::Requested, Some(DriftCause::Schedule)) => Some(RebalanceTrigger::Scheduled),
        _ => None,
    }
}
