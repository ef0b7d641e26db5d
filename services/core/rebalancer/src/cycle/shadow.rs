//! The shadow of a portfolio's policy: its newest drift event becomes a plan that is said, as PROPOSED, and ends
//! there. It opens no cycle, waits for none, releases nothing, and counts its rebalances apart, so that everything
//! else is what it would be without it. It plans on the book as it stands, not on orders that the policy's own rules
//! have under way: by its rules there would be none. Its limits count what it has proposed, once an episode.

use crate::cycle::announcement::Announcement;
use crate::cycle::desk::{Said, starts};
use crate::cycle::opening::{Ground, Refusal, broken, is_outdated, status_of};
use crate::cycle::release::total;
use crate::cycle::{Desk, Heard, Turn};
use crate::orders::budget::Budget;
use crate::orders::draft::drafts;
use crate::orders::ids;
use crate::orders::wave::Terms;
use crate::plan::{Plan, Verdict, plan};
use crate::plan_check::plan_check;
use domain::drift::Drift;
use domain::enums::{DriftKind, RebalanceStatus, RebalanceTrigger};
use domain::order::Order;
use domain::policy::{Policy, Shadow};
use domain::reason::ReasonCode;
use domain::{Money, RebalanceId, Timestamp};
use serde::{Deserialize, Serialize};

/// What shadow rules have come to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ShadowDesk {
    /// Rebalances said so far.
    count: u64,
    /// The drift event to plan on.
    fresh: Option<Heard>,
    /// What was said last of an episode.
    said: Option<Said>,
    /// When orders were proposed last: a cycle of these rules would have opened.
    proposed_at: Option<Timestamp>,
    /// What would have been released of late.
    budget: Budget,
    /// The episode whose proposal counts in it: the book does not follow, and it is proposed again and again.
    counted: Option<i64>,
}

impl ShadowDesk {
    /// Takes a drift event of the shadow rules in: the newest that starts something, until the breach is over.
    pub fn hear(&mut self, heard: Heard) {
        let scheduled = |heard: &Heard| starts(&heard.drift) == Some(RebalanceTrigger::Scheduled);
        // A schedule plans every line, a breach of the same moment perhaps not.
        let breach_beside = self.fresh.as_ref().is_some_and(|fresh| scheduled(fresh) && fresh.drift.as_of == heard.drift.as_of);
        if starts(&heard.drift).is_some() && (scheduled(&heard) || !breach_beside) {
            self.fresh = Some(heard);
        } else if heard.drift.event == DriftKind::Clear {
            self.fresh = None;
        }
    }
    fn next(&mut self, turn: &Turn<'_, '_>, first: u64) -> (u64, RebalanceId) {
        self.count = self.count.max(first) + 1;
        (self.count, ids::shadow(turn.portfolio, self.count))
    }
    fn spend(&mut self, drift: &Drift, trigger: RebalanceTrigger, orders: &[Order], now: Timestamp) {
        let episode = (trigger == RebalanceTrigger::Threshold).then_some(drift.episode);
        if episode.is_none() || self.counted != episode {
            self.counted = episode.or(self.counted);
            self.budget.spend(now, total(orders).unwrap_or(Money::from_units(i128::MAX)), u32::try_from(orders.len()).unwrap_or(u32::MAX));
        }
    }
    fn cools_down(&self, seconds: i64, now: Timestamp) -> Option<Timestamp> {
        let until = self.proposed_at?.plus_seconds(seconds);
        (now < until).then_some(until)
    }
}

/// Plans on the newest drift event of the shadow rules, if there is one.
pub fn decide(desk: &mut Desk, turn: &mut Turn<'_, '_>) {
    let Some(heard) = desk.shadow.fresh.take() else { return };
    let Some(trigger) = starts(&heard.drift) else { return };
    match planned(desk, &heard, trigger, turn) {
        Ok((policy, plan)) => follow(desk, &heard.drift, trigger, policy, plan, turn),
        Err(refusal) => say(desk, &heard.drift, trigger, status_of(&refusal), Some(refusal), None, turn),
    }
}

fn planned<'a>(desk: &Desk, heard: &'a Heard, trigger: RebalanceTrigger, turn: &Turn<'_, '_>) -> Result<(&'a Policy, Plan), Refusal> {
    let drift = &*heard.drift;
    let Some((policy, shadow)) = drift.policy.as_deref().and_then(with_shadow) else {
        return Err(Refusal::new(ReasonCode::DataGap, "the policy in force has no shadow"));
    };
    if is_outdated(desk, heard, turn.now()) {
        return Err(Refusal::new(ReasonCode::Backlog, "the drift event of the shadow rules waited too long: the next one is planned"));
    }
    let until = desk.shadow.cools_down(shadow.trigger.cooldown_seconds, turn.now());
    if let Some(until) = until.filter(|_| trigger == RebalanceTrigger::Threshold) {
        let text = format!("the last proposal of the shadow rules was within their cooldown, which lasts until {until}");
        return Err(Refusal::new(ReasonCode::Cooldown, text));
    }
    let ground = Ground::without_orders(&desk.shadow.budget, policy, turn)?;
    let input = ground.input(drift, policy, trigger);
    let plan = plan(&input);
    plan_check(&input, &plan).map_err(|violations| broken(&violations))?;
    Ok((policy, plan))
}

fn with_shadow(policy: &Policy) -> Option<(&Policy, &Shadow)> {
    policy.shadow.as_deref().map(|shadow| (policy, shadow))
}

fn follow(desk: &mut Desk, drift: &Drift, trigger: RebalanceTrigger, policy: &Policy, plan: Plan, turn: &mut Turn<'_, '_>) {
    match &plan.verdict {
        Verdict::Refused { code, text } => {
            let refusal = Refusal::new(*code, text);
            say(desk, drift, trigger, RebalanceStatus::Refused, Some(refusal), Some(plan), turn);
        }
        Verdict::NoActionNeeded => say(desk, drift, trigger, RebalanceStatus::NoActionNeeded, None, Some(plan), turn),
        Verdict::Orders => propose(desk, drift, trigger, policy, plan, turn),
    }
}

fn propose(desk: &mut Desk, drift: &Drift, trigger: RebalanceTrigger, policy: &Policy, plan: Plan, turn: &mut Turn<'_, '_>) {
    let (number, id) = desk.shadow.next(turn, desk.first);
    desk.shadow.proposed_at = Some(turn.now());
    desk.shadow.said = None;
    let mut leg = 0;
    let drafts = drafts(&plan, |instrument| {
        leg += 1;
        ids::shadow_order(turn.portfolio, number, instrument, leg)
    });
    let orders = Terms::of(policy, drift).orders(turn.portfolio, id, &drafts, turn.now());
    desk.shadow.spend(drift, trigger, &orders, turn.now());
    Announcement::new(turn, id, trigger, RebalanceStatus::Proposed).on(drift).planned(plan).with_orders(orders).send(turn);
}

/// Says what became of an event without orders, of an episode once.
fn say(
    desk: &mut Desk,
    drift: &Drift,
    trigger: RebalanceTrigger,
    status: RebalanceStatus,
    why: Option<Refusal>,
    plan: Option<Plan>,
    turn: &mut Turn<'_, '_>,
) {
    let says = (drift.episode, status, why.as_ref().map(|refusal| refusal.code));
    if trigger == RebalanceTrigger::Threshold && desk.shadow.said.replace(says) == Some(says) {
        return;
    }
    let (_, id) = desk.shadow.next(turn, desk.first);
    let event = Announcement::new(turn, id, trigger, status).on(drift);
    event.told(drift, plan, why).send(turn);
}
