//! The way of a released cycle to its end: what stops it, what is asked back, when a person is needed,
//! when slices and buys follow, and how it ends. Called with every turn; it acts only on what has changed.

use crate::commands::halt::Halts;
use crate::cycle::announcement::Announcement;
use crate::cycle::approval::has_moved;
use crate::cycle::desk::{Purpose, Source};
use crate::cycle::execution::execution;
use crate::cycle::leg::leg_numbers;
use crate::cycle::opening::{Ground, Refusal, broken, is_outdated, number};
use crate::cycle::release::{Wave, ask_cancel, kept, release_later, release_slices, released};
use crate::cycle::slices::{KeptBack, told};
use crate::cycle::{Closed, Cycle, Desk, Heard, Leg, Question, Stop, Turn, moved};
use crate::orders::draft::Draft;
use crate::orders::latch::shut;
use crate::plan::{Leg as PlannedLeg, Plan, Verdict, later_wave, next_slices};
use crate::plan_check::{later_wave_check, next_slices_check};
use domain::drift::Drift;
use domain::enums::{Decision, RebalanceStatus, Side};
use domain::order::NamedNumber;
use domain::reason::ReasonCode;
use domain::rebalance_event::ExplanationLine;
use domain::{InstrumentId, Money, Output, PortfolioId, Quantity, SmolStr, Timestamp};
use std::collections::BTreeMap;

/// Seconds after which an unanswered or unusable answer is asked for again.
const ASK_AGAIN_SECONDS: i64 = 60;
/// How often what follows is tried before the cycle ends without it.
const TRIES: u32 = 5;
/// Why orders under a halt are asked back.
const HALTED: &str = "halted";
/// Orders whose router's words stand in the text of a failure; all stand in the order status topic.
const WORDS_SHOWN: usize = 5;

/// Moves the open cycle on.
pub fn advance(desk: &mut Desk, turn: &mut Turn<'_, '_>) {
    say_contradiction(desk, turn);
    moved::follow(desk, turn);
    let Some(mut cycle) = desk.open.take() else { return };
    if cycle.proposal.is_none() {
        stop(desk, &mut cycle, turn);
        ask_back(&mut cycle, turn);
        call_for_help(&mut cycle, turn);
        if !cycle.legs.iter().all(Leg::is_settled) {
            wait_for_executions(&mut cycle, turn);
        } else {
            cycle.settle_by = None;
            cycle.unsettled = false;
            // A contradicted one stays open, however settled it looks: whoever asks which are stuck finds it.
            if !cycle.is_contradicted(&desk.unreconciled) {
                return go_on(desk, cycle, turn);
            }
        }
    }
    desk.open = Some(cycle);
}

fn say_contradiction(desk: &mut Desk, turn: &mut Turn<'_, '_>) {
    // What the book has taken back within the same window was so all the same.
    for found in desk.unreconciled.values_mut().filter(|found| !found.said && (found.of == Source::Book || !found.settled)) {
        found.said = true;
        let text = format!("{}: nothing is planned until a RECONCILE names the order and its final quantity", found.text);
        Announcement::new(turn, found.rebalance_id, found.trigger, RebalanceStatus::Stuck)
            .because(ReasonCode::Unreconciled, text)
            .send(turn);
    }
    say_settled(desk, turn);
}

/// Ends contradictions that a later report, or a cancel in the book, has settled.
fn say_settled(desk: &mut Desk, turn: &mut Turn<'_, '_>) {
    let settled: Vec<_> = desk.unreconciled.iter().filter(|(_, found)| found.settled).map(|(id, found)| (*id, found.said)).collect();
    for (order, said) in settled {
        desk.unreconciled.remove(&order);
        if let Some((_, (id, trigger, status))) = desk.leg(order).filter(|_| said) {
            let left = desk.unreconciled.values().filter(|found| !found.settled).count();
            let rest =
                if left > 0 { format!("; {left} more of the portfolio are contradicted, and nothing is planned") } else { String::new() };
            let text = format!("reports and book agree about order {order} again: nothing contradicts it now{rest}");
            let open = desk.open.as_ref().filter(|cycle| cycle.id == id);
            let event = open.map_or_else(|| Announcement::new(turn, id, trigger, status), |cycle| Announcement::of(turn, cycle, status));
            event.with_text(text).send(turn);
        }
    }
    desk.let_settled_go();
}

/// Writes down what halts in force mean for a released cycle.
pub fn note_halts(cycle: &mut Cycle, portfolio: &PortfolioId, halts: &Halts) {
    if cycle.proposal.is_some() {
        return;
    }
    if let Some(halt) = halts.binding(portfolio) {
        cycle.stop(ReasonCode::KillSwitch, format!("{halt} was set"));
    }
    for leg in &mut cycle.legs {
        leg.recalled |= halts.covers(portfolio, &leg.order.instrument_id);
    }
}

/// Asks back what a halt covers, and decides nothing: for that neither prices nor the book are needed, and a halt does not
/// wait for the lane to catch up.
pub fn ask_halted_back(desk: &mut Desk, turn: &mut Turn<'_, '_>) {
    if let Some(cycle) = desk.open.as_mut().filter(|cycle| cycle.proposal.is_none()) {
        note_halts(cycle, turn.portfolio, turn.halts);
        ask_cancel(cycle, |leg| leg.recalled, HALTED, turn);
    }
}

/// Notes why no further orders may leave, and asks back what a halt covers.
fn stop(desk: &Desk, cycle: &mut Cycle, turn: &mut Turn<'_, '_>) {
    if desk.policy.is_some_and(|version| version != Some(cycle.terms.policy_version)) {
        cycle.stop(ReasonCode::PolicyChanged, "the policy changed or the portfolio was closed: open orders run out, no others follow");
    }
    if let Some(found) = desk.unreconciled.values().next() {
        cycle.stop(ReasonCode::Unreconciled, &found.text);
    }
    note_halts(cycle, turn.portfolio, turn.halts);
    ask_cancel(cycle, |leg| leg.recalled, HALTED, turn);
}

fn ask_back(cycle: &mut Cycle, turn: &mut Turn<'_, '_>) {
    let now = turn.now();
    ask_cancel(cycle, |leg| now >= leg.order.valid_until, "not terminal in time", turn);
}

fn call_for_help(cycle: &mut Cycle, turn: &mut Turn<'_, '_>) {
    let (now, seconds) = (turn.now(), turn.cancel_seconds());
    let mut late = Vec::new();
    for leg in cycle.legs.iter_mut().filter(|leg| !leg.is_terminal() && !leg.stuck) {
        if leg.cancel_asked.is_some_and(|asked| now >= asked.plus_seconds(seconds)) {
            leg.stuck = true;
            late.push(leg.clone());
        }
    }
    if late.is_empty() {
        return;
    }
    let which = if late.len() == 1 { "1 order has".to_owned() } else { format!("{} orders have", late.len()) };
    let text = format!(
        "{which} no terminal state {seconds} s after a cancel was asked for: ask the router, then RECONCILE with the final quantities"
    );
    let orders = late.iter().map(|leg| leg.order.clone()).collect();
    let event = Announcement::of(turn, cycle, RebalanceStatus::Stuck).because(ReasonCode::TimedOut, text);
    event.explained(late.iter().map(last_word).collect()).with_orders(orders).send(turn);
}

/// Every leg is terminal, and the book has not seen all that the reports call executed.
fn wait_for_executions(cycle: &mut Cycle, turn: &mut Turn<'_, '_>) {
    if !cycle.legs.iter().all(Leg::is_terminal) || cycle.unsettled {
        return;
    }
    let due = *cycle.settle_by.get_or_insert(turn.now().plus_seconds(turn.cancel_seconds()));
    if turn.now() < due {
        return;
    }
    cycle.unsettled = true;
    let missing: Vec<_> = cycle.legs.iter().filter(|leg| !leg.is_settled()).map(last_word).collect();
    let text = "the reports name executions that the book has not seen: publish the missing fills, or RECONCILE with the final quantities";
    let event = Announcement::of(turn, cycle, RebalanceStatus::Stuck).because(ReasonCode::DataGap, text);
    event.explained(missing).send(turn);
}

/// Every leg is terminal and applied: slices and buys follow, or the cycle ends.
fn go_on(desk: &mut Desk, mut cycle: Cycle, turn: &mut Turn<'_, '_>) {
    cycle.slices.drop_refused(&cycle.legs);
    if let Some(latch) = desk.latch.as_ref().filter(|_| cycle.waits()) {
        let what = what_follows(&cycle);
        cycle.stop(ReasonCode::KillSwitch, format!("the {what} do not follow: {latch}"));
    }
    if !cycle.waits() || cycle.stop.is_some() {
        return close(desk, cycle, turn);
    }
    if cycle.slices.due().is_some_and(|due| turn.now() < due) {
        return desk.open = Some(cycle);
    }
    if let Some(heard) = cycle.question.as_mut().and_then(|question| question.answer.take()) {
        match further(desk, &cycle, &heard, turn) {
            Ok(plan) => {
                cycle.terms.snapshot_version = heard.drift.snapshot_version;
                cycle.lines.clone_from(&plan.explanation);
                return follow(desk, cycle, plan, &heard.drift, turn);
            }
            Err(refusal) if refusal.code == ReasonCode::MetricAnomaly => {
                cycle.stop(refusal.code, refusal.text);
                return close(desk, cycle, turn);
            }
            Err(refusal) => {
                let question = cycle.question.as_mut().expect("it was there a moment ago");
                question.last = Stop { code: refusal.code, text: refusal.text };
            }
        }
    }
    match &cycle.question {
        Some(question) if turn.now() < question.asked_at.plus_seconds(ASK_AGAIN_SECONDS) => desk.open = Some(cycle),
        Some(question) if question.times >= TRIES => {
            let Stop { code, text } = question.last.clone();
            let what = what_follows(&cycle);
            cycle.stop(code, format!("the {what} could not follow in {TRIES} tries: {text}"));
            close(desk, cycle, turn);
        }
        _ => {
            ask(desk, &mut cycle, turn);
            desk.open = Some(cycle);
        }
    }
}

/// What of a cycle leaves next.
fn what_follows(cycle: &Cycle) -> &'static str {
    if cycle.slices.is_empty() { "buys" } else { "next slices" }
}

fn ask(desk: &mut Desk, cycle: &mut Cycle, turn: &mut Turn<'_, '_>) {
    let why = if cycle.slices.is_empty() {
        "the sells have ended: the buys are to be funded"
    } else {
        "the next slices are due: they are checked once more"
    };
    let refresh = desk.ask(turn.portfolio, Purpose::LaterWave, why);
    let unanswered = || Stop { code: ReasonCode::DataGap, text: "no drift event answered".into() };
    let (times, last) = cycle.question.take().map_or_else(|| (0, unanswered()), |question| (question.times, question.last));
    cycle.question = Some(Question { asked_at: turn.now(), times: times + 1, answer: None, last });
    turn.emit(Output::Refresh(Box::new(refresh)));
}

/// What of the next slices, or of the buys that wait, may leave on a newer event.
fn further(desk: &Desk, cycle: &Cycle, heard: &Heard, turn: &Turn<'_, '_>) -> Result<Plan, Refusal> {
    let drift = &*heard.drift;
    let Some(policy) = &drift.policy else { return Err(Refusal::new(ReasonCode::PolicyChanged, "the portfolio was closed")) };
    let unseen = cycle.legs.iter().any(|leg| leg.applied_at > heard.offset);
    if unseen || is_outdated(desk, heard, turn.now()) {
        return Err(Refusal::new(ReasonCode::Backlog, "the drift event was too old"));
    }
    // The cycle stands apart from its desk, and has no open orders left.
    let mut ground = Ground::of(desk, policy, turn)?;
    ground.short_proceeds = short_proceeds(cycle)?;
    let next: Vec<_> =
        if cycle.slices.is_empty() { cycle.later.iter().map(|draft| draft.leg.clone()).collect() } else { cycle.slices.next() };
    let (moved, legs): (Vec<_>, Vec<_>) =
        next.into_iter().partition(|leg| cycle.tolerance.is_some_and(|tolerance| has_moved(leg, drift, tolerance)));
    let input = ground.input(drift, policy, cycle.trigger);
    let mut plan = if cycle.slices.is_empty() { later_wave(&input, &legs) } else { next_slices(&input, &legs) };
    let check = if cycle.slices.is_empty() { later_wave_check } else { next_slices_check };
    check(&input, &legs, &plan).map_err(|violations| broken(&violations))?;
    if let Verdict::Refused { code, text } = plan.verdict {
        return Err(Refusal { code, text });
    }
    left_alone(cycle, &moved, &mut plan.explanation);
    Ok(plan)
}

/// What the cycle's short sales have brought, at their references.
fn short_proceeds(cycle: &Cycle) -> Result<Money, Refusal> {
    let short = cycle.legs.iter().filter(|leg| leg.order.side == Side::SellShort);
    let sum = short.map(Leg::applied_value).try_fold(Money::ZERO, |sum, value| sum.checked_add(value?));
    sum.map_err(|_| Refusal::new(ReasonCode::MetricAnomaly, "what short sales have brought is more than a number can hold"))
}

/// Reasons of the instruments that a later wave leaves alone: only the cycle knows what it tried before.
fn left_alone(cycle: &Cycle, moved: &[PlannedLeg], lines: &mut [ExplanationLine]) {
    for line in lines.iter_mut().filter(|line| line.decision == Decision::Skip) {
        let mut legs = cycle.legs.iter().filter(|leg| leg.order.instrument_id == line.instrument_id).peekable();
        if let Some(moved) = moved.iter().find(|leg| leg.instrument_id == line.instrument_id) {
            line.reason = ReasonCode::PriceOutlier;
            let number = |name: &'static str, value: String| NamedNumber { name: SmolStr::new_static(name), value: SmolStr::new(value) };
            line.numbers.retain(|known| known.name != "wanted");
            line.numbers.push(number("wanted", moved.quantity.to_string()));
            line.numbers.push(number("approved_price", moved.reference_price.to_string()));
            line.numbers.extend(cycle.tolerance.map(|tolerance| number("price_tolerance_bp", tolerance.to_string())));
        } else if line.reason != ReasonCode::OpenCycle {
            continue;
        } else if legs.peek().is_some() {
            line.reason = if legs.all(Leg::is_filled) { ReasonCode::OpenCycle } else { ReasonCode::OrderFailed };
        } else {
            // A buy that a corporate action has kept back has no legs, and its breach is left for that.
            line.reason = cycle.slices.kept_of(&line.instrument_id).map_or_else(|| cycle.reason_before(line), |kept| kept.reason);
        }
    }
}

fn follow(desk: &mut Desk, mut cycle: Cycle, plan: Plan, drift: &Drift, turn: &mut Turn<'_, '_>) {
    cycle.question = None;
    // What persons have approved meets no limit by the service's own doing.
    let shut = if cycle.tolerance.is_none() { shut(desk, &plan.met, turn) } else { None };
    let sliced = !cycle.slices.is_empty();
    let drafts = if sliced { take_slices(&mut cycle, &plan, turn) } else { take_buys(&mut cycle, &plan) };
    let said = released(turn, &cycle).planned(plan).latched(shut);
    match (sliced, drafts.is_empty()) {
        (false, true) => {
            cycle.later.clear();
            said.with_text("no buys follow: each instrument has its reason").send(turn);
        }
        (true, true) => said.with_text("no slices leave now: each instrument has its reason").send(turn),
        (false, false) => release_later(desk, &mut cycle, drafts, Wave { said, drift }, turn),
        (true, false) => release_slices(desk, &mut cycle, drafts, Wave { said, drift }, turn),
    }
    // Where nothing has left and nothing waits, the cycle ends now.
    if cycle.legs.iter().all(Leg::is_settled) && !cycle.waits() { close(desk, cycle, turn) } else { desk.open = Some(cycle) }
}

/// The buys that follow, as drafts; of those that do not it is noted which are kept back.
fn take_buys(cycle: &mut Cycle, plan: &Plan) -> Vec<Draft> {
    for draft in &cycle.later {
        let (id, skipped) = (&draft.leg.instrument_id, |line: &&ExplanationLine| line.decision == Decision::Skip);
        if let Some(line) = plan.explanation.iter().find(|line| line.instrument_id == *id).filter(skipped) {
            cycle.slices.keep_back(id, draft.leg.quantity, line.reason);
        }
    }
    kept(&cycle.later, &plan.legs)
}

/// The parts that are due as drafts, taken off what is left.
fn take_slices(cycle: &mut Cycle, plan: &Plan, turn: &Turn<'_, '_>) -> Vec<Draft> {
    let planned: BTreeMap<_, _> =
        plan.legs.iter().filter_map(|leg| Some((leg.instrument_id.clone(), cycle.slices.planned_price(&leg.instrument_id)?))).collect();
    cycle.slices.take(plan, turn.now().plus_seconds(cycle.terms.slice_seconds));
    let mut drafts = number(cycle, plan, turn);
    for draft in &mut drafts {
        draft.planned_price = planned.get(&draft.leg.instrument_id).copied().unwrap_or(draft.planned_price);
    }
    drafts
}

fn close(desk: &mut Desk, cycle: Cycle, turn: &mut Turn<'_, '_>) {
    let unfilled = cycle.legs.iter().filter(|leg| !leg.is_filled()).count();
    let dropped = cycle.waits() || !cycle.slices.kept_back.is_empty();
    let status = if unfilled == 0 && !dropped { RebalanceStatus::Completed } else { RebalanceStatus::Failed };
    let mut event = Announcement::of(turn, &cycle, status).explained(last_words(&cycle));
    event = match &cycle.stop {
        _ if status == RebalanceStatus::Completed => event,
        Some(stop) => event.because(stop.code, &stop.text),
        None if unfilled == 0 => {
            let (code, text) = kept_back_words(&cycle);
            event.because(code, text)
        }
        None => {
            let orders = if cycle.legs.len() == 1 { "order" } else { "orders" };
            let text = format!("{unfilled} of {} {orders} ended without being filled whole{}", cycle.legs.len(), router_words(&cycle.legs));
            event.because(ReasonCode::OrderFailed, text)
        }
    };
    let orders = cycle.legs.iter().map(|leg| leg.order.clone()).collect();
    event.with_orders(orders).executed(execution(&cycle.legs)).send(turn);
    let applied_at = cycle.legs.iter().map(|leg| leg.applied_at).max().unwrap_or(-1).max(desk.applied_at());
    desk.await_no_more(&Purpose::LaterWave);
    desk.close(Closed { id: cycle.id, trigger: cycle.trigger, status, applied_at, legs: cycle.legs }, turn.now());
}

/// What never left, and why.
fn kept_back_words(cycle: &Cycle) -> (ReasonCode, String) {
    let all = &cycle.slices.kept_back;
    let has_begun = |kept: &KeptBack| cycle.legs.iter().any(|leg| leg.order.instrument_id == kept.instrument);
    let what = match (all.iter().any(has_begun), all.iter().all(has_begun)) {
        (true, true) => "slices",
        (true, false) => "slices and buys",
        (false, _) => "buys",
    };
    let words = |kept: &KeptBack| format!("{} {} ({})", kept.quantity, kept.instrument, kept.reason);
    let shown = all.iter().take(WORDS_SHOWN).map(words).collect::<Vec<_>>().join(", ");
    let more = if all.len() > WORDS_SHOWN { format!(" and {} more", all.len() - WORDS_SHOWN) } else { String::new() };
    (all.first().map_or(ReasonCode::OrderFailed, |kept| kept.reason), format!("{what} were kept back: {shown}{more}"))
}

/// One line for each instrument: what became of its orders, why a buy never left, or what the plan said of it.
fn last_words(cycle: &Cycle) -> Vec<ExplanationLine> {
    let word = |line: &ExplanationLine| {
        let id = &line.instrument_id;
        let legs: Vec<_> = cycle.legs.iter().filter(|leg| leg.order.instrument_id == *id).collect();
        if let [first, ..] = legs[..] {
            let line = ExplanationLine { numbers: numbers(&legs), reason: outcome(&legs), ..last_word(first) };
            return kept_back(cycle, id).map_or(line.clone(), |kept| told(&line, &kept));
        }
        match &cycle.stop {
            Some(stop) if cycle.later.iter().any(|draft| draft.leg.instrument_id == *id) => {
                ExplanationLine { decision: Decision::Skip, reason: stop.code, ..line.clone() }
            }
            // Nothing of it has left.
            _ => {
                kept_back(cycle, id).map_or_else(|| line.clone(), |kept| ExplanationLine { decision: Decision::Skip, ..told(line, &kept) })
            }
        }
    };
    cycle.lines.iter().map(word).collect()
}

/// What of an instrument's slices leaves no more: kept back, or stopped with the cycle.
fn kept_back(cycle: &Cycle, instrument: &InstrumentId) -> Option<KeptBack> {
    let stopped = cycle.stop.as_ref().and_then(|stop| cycle.slices.left(instrument).map(|quantity| (quantity, stop.code)));
    cycle.slices.kept_of(instrument).cloned().or(stopped.map(|(quantity, reason)| KeptBack {
        instrument: instrument.clone(),
        quantity,
        reason,
    }))
}

/// The numbers of all legs of one instrument together: an order that crosses zero has two.
fn numbers(legs: &[&Leg]) -> Vec<NamedNumber> {
    let sum = |of: fn(&Leg) -> Quantity| legs.iter().try_fold(Quantity::ZERO, |sum, leg| sum.checked_add(of(leg)));
    match (sum(|leg| leg.order.quantity), sum(|leg| leg.cum_qty), sum(|leg| leg.applied)) {
        (Ok(ordered), Ok(executed), Ok(applied)) => leg_numbers(ordered, executed, applied),
        _ => Vec::new(),
    }
}

fn outcome(legs: &[&Leg]) -> ReasonCode {
    if legs.iter().all(|leg| leg.is_filled()) { legs[0].order.reason } else { ReasonCode::OrderFailed }
}

/// One leg's numbers as an explanation line.
fn last_word(leg: &Leg) -> ExplanationLine {
    ExplanationLine {
        instrument_id: leg.order.instrument_id.clone(),
        weight: leg.before.weight,
        target: leg.before.target,
        drift: leg.before.drift,
        decision: Decision::Order,
        reason: outcome(&[leg]),
        numbers: leg.numbers(),
    }
}

/// What the router said of the first few orders that were not filled.
fn router_words(legs: &[Leg]) -> String {
    let unfilled = legs.iter().filter(|leg| !leg.is_filled());
    let said = unfilled.filter_map(|leg| leg.words.as_ref().map(|words| format!("{}: {words}", leg.order.instrument_id)));
    let words: Vec<_> = said.take(WORDS_SHOWN).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join("; ")) }
}

/// When the cycle must be looked at again, if nothing is heard.
pub fn next_due(desk: &Desk, cancel_seconds: i64) -> Option<Timestamp> {
    let cycle = desk.open.as_ref()?;
    if let Some(proposal) = &cycle.proposal {
        return Some(proposal.expires_at);
    }
    let leg = |leg: &Leg| match leg.cancel_asked {
        _ if leg.is_terminal() || leg.stuck => None,
        Some(asked) => Some(asked.plus_seconds(cancel_seconds)),
        None => Some(leg.order.valid_until),
    };
    let settle = cycle.settle_by.filter(|_| !cycle.unsettled);
    let question = cycle.question.as_ref().map(|question| question.asked_at.plus_seconds(ASK_AGAIN_SECONDS));
    // While an order is at work its end comes first, whenever that is; of a contradicted one nothing follows by itself.
    let slices = cycle.slices.due().filter(|_| cycle.question.is_none() && cycle.legs.iter().all(Leg::is_settled));
    let follows = question.into_iter().chain(slices).filter(|_| !cycle.is_contradicted(&desk.unreconciled));
    cycle.legs.iter().filter_map(leg).chain(settle).chain(follows).min()
}
