//! Opening: a drift event and a trigger become a plan, and the plan a cycle, a proposal, or a reason why not.

use crate::cycle::announcement::Announcement;
use crate::cycle::desk::{Postponed, Purpose};
use crate::cycle::release::{Wave, release_first, released};
use crate::cycle::{Cycle, Desk, Heard, Proposal, Turn, approval, slices};
use crate::orders::budget::Budget;
use crate::orders::day::last_day_cut;
use crate::orders::draft::{Draft, drafts};
use crate::orders::ids;
use crate::orders::latch::shut;
use crate::orders::wave::Terms;
use crate::plan::{HaltView, OpenOrder, Plan, PlanInput, Rules, Verdict, plan};
use crate::plan_check::{Violation, plan_check};
use domain::command::Command;
use domain::drift::Drift;
use domain::enums::{CommandMode, PolicyMode, RebalanceStatus, RebalanceTrigger};
use domain::policy::Policy;
use domain::reason::ReasonCode;
use domain::rebalance_event::ExplanationLine;
use domain::{Money, Output, SmolStr, Timestamp};

/// A drift event older than this many seconds is asked for anew before anything is decided on it: it
/// waited while the lane was behind, and its prices did not.
pub const FRESH_SECONDS: i64 = 60;

/// What a plan is made for: the trigger, the event, and the command behind it.
#[derive(Clone, Copy)]
pub struct Occasion<'a> {
    /// Trigger.
    pub trigger: RebalanceTrigger,
    /// The book.
    pub drift: &'a Drift,
    /// The command that asked for it.
    pub command: Option<&'a Command>,
}

/// Why something cannot be done.
pub struct Refusal {
    /// Code.
    pub code: ReasonCode,
    /// Words, with what to do.
    pub text: SmolStr,
}

impl Refusal {
    /// A refusal.
    pub fn new(code: ReasonCode, text: impl AsRef<str>) -> Self {
        Self { code, text: SmolStr::new(text.as_ref()) }
    }
}

/// What a plan depends on beside its drift event.
pub struct Ground {
    open: Vec<OpenOrder>,
    released_today: Money,
    orders_last_minute: i32,
    halted: HaltView,
    behind: bool,
    /// What short sales of the same cycle have brought.
    pub short_proceeds: Money,
}

impl Ground {
    /// The ground as of now.
    pub fn of(desk: &Desk, policy: &Policy, turn: &Turn<'_, '_>) -> Result<Self, Refusal> {
        let open = desk.open_orders().map_err(|_| absurd())?;
        Ok(Self { open, ..Self::without_orders(&desk.budget, policy, turn)? })
    }
    /// The same where no order is under way, and that much was released.
    pub fn without_orders(budget: &Budget, policy: &Policy, turn: &Turn<'_, '_>) -> Result<Self, Refusal> {
        let since = last_day_cut(policy, turn.now()).map_err(|no_day| Refusal::new(ReasonCode::DataGap, no_day.to_string()))?;
        Ok(Self {
            open: Vec::new(),
            released_today: budget.value_since(since).map_err(|_| absurd())?,
            orders_last_minute: i32::try_from(budget.orders_last_minute(turn.now())).unwrap_or(i32::MAX),
            halted: turn.halts.view(turn.portfolio),
            behind: turn.cx.behind,
            short_proceeds: Money::ZERO,
        })
    }
    /// The input of a plan.
    pub fn input<'a>(&'a self, drift: &'a Drift, policy: &'a Policy, trigger: RebalanceTrigger) -> PlanInput<'a> {
        PlanInput {
            drift,
            rules: rules(policy, drift.shadow),
            trigger,
            open: &self.open,
            released_today: self.released_today,
            orders_last_minute: self.orders_last_minute,
            halted: &self.halted,
            behind: self.behind,
            short_proceeds: self.short_proceeds,
        }
    }
}

fn absurd() -> Refusal {
    Refusal::new(ReasonCode::MetricAnomaly, "open or released orders add up to more than a number can hold")
}

fn rules(policy: &Policy, shadow: bool) -> Rules<'_> {
    match &policy.shadow {
        Some(other) if shadow => Rules::of_shadow(other),
        _ => Rules::of(policy),
    }
}

/// Broken laws that the text of a refusal names: a plan has thousands of lines, a text has its limit.
const LAWS_SHOWN: usize = 10;

/// How the text of a refusal begins that is a fault of ours.
pub const FAULT_OF_THE_PLANNER: &str = "FAULT OF THE PLANNER";

/// What a plan that broke a law is answered with: a fault of this service, loudly.
pub fn broken(violations: &[Violation]) -> Refusal {
    let laws: Vec<_> = violations.iter().take(LAWS_SHOWN).map(|v| format!("{}: {}", v.law, v.text)).collect();
    let text = format!("{FAULT_OF_THE_PLANNER}, nothing was ordered: the second opinion rejects the plan ({}); report it", laws.join("; "));
    Refusal::new(ReasonCode::MetricAnomaly, text)
}

/// Whether an event is too old to decide on: by its time, or because it has not applied all of the last cycle.
pub fn is_outdated(desk: &Desk, heard: &Heard, now: Timestamp) -> bool {
    now > heard.drift.as_of.plus_seconds(FRESH_SECONDS) || heard.offset < desk.applied_at()
}

/// Decides on the newest drift event: brings a waiting proposal up to date, or opens a cycle.
pub fn decide_on_fresh(desk: &mut Desk, turn: &mut Turn<'_, '_>) {
    let Some(fresh) = desk.fresh.take() else { return };
    if let (Some(RebalanceTrigger::Scheduled), Some(cycle)) = (fresh.trigger, &desk.open) {
        let text = format!("rebalance {} is {}: this turn of the schedule is left out", cycle.id, cycle.standing(&desk.unreconciled));
        let occasion = Occasion { trigger: RebalanceTrigger::Scheduled, drift: &fresh.heard.drift, command: None };
        refuse(desk, occasion, Refusal::new(ReasonCode::OpenCycle, text), turn);
    }
    if let Some(cycle) = &desk.open {
        match &cycle.proposal {
            Some(proposal) if proposal.editors.is_empty() => _ = approval::replace(desk, &fresh.heard, turn),
            // What is under way, or was written by a person, is not planned anew: the breach waits for its end.
            _ if fresh.breached => postpone(desk, &fresh.heard.drift),
            _ => {}
        }
        return;
    }
    let Some(trigger) = fresh.trigger else { return };
    // Within the cooldown no breach is planned: whatever it is refused for, its end is still waited for.
    if trigger == RebalanceTrigger::Threshold
        && desk.postponed.is_none_or(|postponed| desk.cools_down(postponed.seconds, turn.now()).is_none())
    {
        desk.postpone_no_more();
    }
    if !is_outdated(desk, &fresh.heard, turn.now()) {
        let occasion = Occasion { trigger, drift: &fresh.heard.drift, command: None };
        if fresh.postponed { open_if_out(desk, occasion, turn) } else { open(desk, occasion, turn) }
    } else if fresh.renewed {
        let refusal = Refusal::new(ReasonCode::Backlog, "the drift event that was asked for anew is too old as well: look at the lag");
        refuse(desk, Occasion { trigger, drift: &fresh.heard.drift, command: None }, refusal, turn);
    } else {
        let refresh = desk.ask(turn.portfolio, Purpose::Open(trigger), "the drift event waited too long to be decided on");
        turn.emit(Output::Refresh(Box::new(refresh)));
    }
}

/// Plans on a drift event, and follows the plan as far as policy and command allow.
pub fn open(desk: &mut Desk, occasion: Occasion<'_>, turn: &mut Turn<'_, '_>) {
    match planned(desk, occasion, turn) {
        Ok((policy, plan)) => follow(desk, occasion, policy, plan, turn),
        Err(refusal) => refuse_to_open(desk, occasion, refusal, turn),
    }
}

/// The same of a breach that had to wait: where nothing is out any more, nothing is said.
fn open_if_out(desk: &mut Desk, occasion: Occasion<'_>, turn: &mut Turn<'_, '_>) {
    let is_in = |line: &ExplanationLine| line.reason == ReasonCode::WithinBand;
    match planned(desk, occasion, turn) {
        Ok((_, plan)) if plan.verdict == Verdict::NoActionNeeded && plan.explanation.iter().all(is_in) => {}
        Ok((policy, plan)) => follow(desk, occasion, policy, plan, turn),
        Err(refusal) => refuse_to_open(desk, occasion, refusal, turn),
    }
}

/// Says why not. A breach that is refused within the cooldown is looked at again when that is over.
fn refuse_to_open(desk: &mut Desk, occasion: Occasion<'_>, refusal: Refusal, turn: &mut Turn<'_, '_>) {
    if refusal.code == ReasonCode::Cooldown {
        postpone(desk, occasion.drift);
    }
    refuse(desk, occasion, refusal, turn);
}

/// Keeps in mind that a breach was said which cannot be planned now: orders are under way, or were a moment ago.
fn postpone(desk: &mut Desk, drift: &Drift) {
    let postponed = |policy: &Policy| Postponed { policy_version: policy.policy_version, seconds: policy.trigger.cooldown_seconds };
    desk.postponed = drift.policy.as_deref().map(postponed);
}

/// Asks for the book of now where what a breach had to wait for is over: how far it was out then says nothing of how
/// far it is out now.
pub fn ask_when_postponed(desk: &mut Desk, turn: &mut Turn<'_, '_>) {
    if desk.postponed_to().is_some_and(|due| turn.now() >= due) {
        let refresh =
            desk.ask(turn.portfolio, Purpose::Postponed, "a breach was said while a rebalance was open or cooled down, which is over");
        turn.emit(Output::Refresh(Box::new(refresh)));
    }
}

fn planned<'a>(desk: &Desk, occasion: Occasion<'a>, turn: &Turn<'_, '_>) -> Result<(&'a Policy, Plan), Refusal> {
    let drift = occasion.drift;
    let Some(policy) = &drift.policy else {
        return Err(Refusal::new(ReasonCode::DataGap, "the portfolio has no policy, or was closed: publish one"));
    };
    if let Some(contradiction) = desk.unreconciled.values().next() {
        let text = format!("{}: settle it with a RECONCILE that names the order and its final quantity", contradiction.text);
        return Err(Refusal::new(ReasonCode::Unreconciled, text));
    }
    unlatched(desk)?;
    cooled(desk, occasion.trigger, policy.trigger.cooldown_seconds, turn.now())?;
    let ground = Ground::of(desk, policy, turn)?;
    let input = ground.input(drift, policy, occasion.trigger);
    let plan = plan(&input);
    plan_check(&input, &plan).map_err(|violations| broken(&violations))?;
    Ok((policy, plan))
}

/// Whether releases of the portfolio are off: nothing is put up then either.
pub fn unlatched(desk: &Desk) -> Result<(), Refusal> {
    desk.latch.as_ref().map_or(Ok(()), |latch| Err(Refusal::new(ReasonCode::KillSwitch, latch.to_string())))
}

fn cooled(desk: &Desk, trigger: RebalanceTrigger, seconds: i64, now: Timestamp) -> Result<(), Refusal> {
    match desk.cools_down(seconds, now) {
        Some(until) if trigger == RebalanceTrigger::Threshold => {
            Err(Refusal::new(ReasonCode::Cooldown, format!("the last cycle ended within the cooldown, which lasts until {until}")))
        }
        _ => Ok(()),
    }
}

fn follow(desk: &mut Desk, occasion: Occasion<'_>, policy: &Policy, plan: Plan, turn: &mut Turn<'_, '_>) {
    let mode = strictest(policy.trigger.mode, occasion.command.and_then(|command| command.mode));
    match &plan.verdict {
        Verdict::Refused { code, text } => {
            let refusal = Refusal { code: *code, text: text.clone() };
            say(desk, occasion, RebalanceStatus::Refused, Some(refusal), Some(plan), turn);
        }
        // All that was to leave by itself was kept back by a limit.
        Verdict::NoActionNeeded if mode == CommandMode::Automatic && !plan.met.is_empty() => {
            let text = shut(desk, &plan.met, turn).unwrap_or_default();
            say(desk, occasion, RebalanceStatus::Refused, Some(Refusal { code: ReasonCode::OrderLimit, text }), Some(plan), turn);
        }
        Verdict::NoActionNeeded => say(desk, occasion, RebalanceStatus::NoActionNeeded, None, Some(plan), turn),
        Verdict::Orders => match mode {
            CommandMode::Automatic => start(desk, occasion, policy, plan, turn),
            CommandMode::Approval => submit(desk, occasion, policy, plan, turn),
            CommandMode::Check | CommandMode::Unknown => propose(desk, occasion, policy, plan, turn),
        },
    }
}

/// The stricter of policy and command; a symbol that is not known goes no further than a check.
fn strictest(policy: PolicyMode, command: Option<CommandMode>) -> CommandMode {
    let policy = match policy {
        PolicyMode::Automatic => CommandMode::Automatic,
        PolicyMode::Approval => CommandMode::Approval,
        PolicyMode::Unknown => CommandMode::Check,
    };
    let rank = |mode| match mode {
        CommandMode::Automatic => 0,
        CommandMode::Approval => 1,
        CommandMode::Check | CommandMode::Unknown => 2,
    };
    command.into_iter().fold(policy, |strict, mode| if rank(mode) > rank(strict) { mode } else { strict })
}

/// CHECK: the plan is said, and nothing follows.
fn propose(desk: &mut Desk, occasion: Occasion<'_>, policy: &Policy, plan: Plan, turn: &mut Turn<'_, '_>) {
    let id = desk.next_aside(turn.portfolio);
    let (number, mut leg) = (desk.asides, 0);
    let drafts = drafts(&plan, |instrument| {
        leg += 1;
        ids::aside_order(turn.portfolio, number, instrument, leg)
    });
    let terms = Terms::of(policy, occasion.drift);
    let orders = terms.orders(turn.portfolio, id, &drafts, turn.now());
    let mut event = Announcement::new(turn, id, occasion.trigger, RebalanceStatus::Proposed).on(occasion.drift).by(occasion.command);
    event = event.planned(plan);
    if let Some(slices) = slices::words(&drafts, terms.slice_seconds) {
        event = event.with_text(slices);
    }
    if let Some(cycle) = &desk.open {
        event = event.with_text(format!("rebalance {} is {} beside it", cycle.id, cycle.standing(&desk.unreconciled)));
    }
    event.with_orders(orders).send(turn);
}

fn next_cycle(desk: &mut Desk, occasion: Occasion<'_>, policy: &Policy, turn: &Turn<'_, '_>) -> Cycle {
    desk.said = None;
    let cycle = Cycle::new(turn.portfolio, desk.next_cycle(), occasion.trigger, Terms::of(policy, occasion.drift));
    Cycle { asked_by: occasion.command.map(|command| command.actor.clone()), ..cycle }
}

/// AUTOMATIC: the first wave leaves.
fn start(desk: &mut Desk, occasion: Occasion<'_>, policy: &Policy, plan: Plan, turn: &mut Turn<'_, '_>) {
    let mut cycle = next_cycle(desk, occasion, policy, turn);
    let drafts = number(&mut cycle, &plan, turn);
    let waits = plan.waits_for_sells;
    cycle.lines.clone_from(&plan.explanation);
    let shut = shut(desk, &plan.met, turn);
    let event = released(turn, &cycle).by(occasion.command).planned(plan).latched(shut);
    release_first(desk, &mut cycle, drafts, waits, Wave { said: event, drift: occasion.drift }, turn);
    desk.open = Some(cycle);
}

/// APPROVAL: the proposal waits for persons.
fn submit(desk: &mut Desk, occasion: Occasion<'_>, policy: &Policy, plan: Plan, turn: &mut Turn<'_, '_>) {
    let mut cycle = next_cycle(desk, occasion, policy, turn);
    let drafts = number(&mut cycle, &plan, turn);
    put_up(&mut cycle, drafts, policy, plan, turn).by(occasion.command).send(turn);
    desk.open = Some(cycle);
}

/// Gives the legs of a plan their ids in the cycle.
pub fn number(cycle: &mut Cycle, plan: &Plan, turn: &Turn<'_, '_>) -> Vec<Draft> {
    drafts(plan, |instrument| cycle.next_order(turn.portfolio, instrument))
}

/// Makes drafts the proposal that waits; the event that says so.
pub fn put_up(cycle: &mut Cycle, drafts: Vec<Draft>, policy: &Policy, plan: Plan, turn: &Turn<'_, '_>) -> Announcement {
    let orders = cycle.terms.orders(turn.portfolio, cycle.id, &drafts, turn.now());
    let proposal = Proposal::new(turn.portfolio, cycle, drafts, plan.waits_for_sells, &policy.trigger.approval, turn.now());
    let mut text = format!("approve or reject proposal {} before {}", proposal.hash, proposal.expires_at);
    if let Some(slices) = slices::words(&proposal.drafts, cycle.terms.slice_seconds) {
        text = format!("{text}; {slices}");
    }
    cycle.proposal = Some(proposal);
    cycle.lines.clone_from(&plan.explanation);
    Announcement::of(turn, cycle, RebalanceStatus::PendingApproval).planned(plan).with_text(text).with_orders(orders)
}

/// Says why nothing was planned.
pub fn refuse(desk: &mut Desk, occasion: Occasion<'_>, refusal: Refusal, turn: &mut Turn<'_, '_>) {
    say(desk, occasion, status_of(&refusal), Some(refusal), None, turn);
}

/// A plan that broke a law is a fault of this service, everything else is refused.
pub fn status_of(refusal: &Refusal) -> RebalanceStatus {
    if refusal.code == ReasonCode::MetricAnomaly { RebalanceStatus::Failed } else { RebalanceStatus::Refused }
}

/// Says what became of a plan without orders: to a person or a schedule always, of an episode once.
fn say(
    desk: &mut Desk,
    occasion: Occasion<'_>,
    status: RebalanceStatus,
    why: Option<Refusal>,
    plan: Option<Plan>,
    turn: &mut Turn<'_, '_>,
) {
    let drift = occasion.drift;
    if occasion.trigger == RebalanceTrigger::Threshold {
        let says = (drift.episode, status, why.as_ref().map(|refusal| refusal.code));
        if desk.said.replace(says) == Some(says) {
            return;
        }
    }
    let id = desk.next_aside(turn.portfolio);
    let event = Announcement::new(turn, id, occasion.trigger, status).on(drift).by(occasion.command);
    event.told(drift, plan, why).send(turn);
}
