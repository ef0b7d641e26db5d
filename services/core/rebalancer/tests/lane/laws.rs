//! Laws that hold whatever comes in whatever order: random words about orders, honest and not, random
//! drift, commands, halts and clocks, with a twin that is put together from its image all the time.

use crate::harness::{self, House};
use domain::enums::{CommandKind, DriftKind, OrderState, RebalanceStatus, RebalanceTrigger, WaveKind};
use domain::rebalance_event::RebalanceEvent;
use domain::{Input, InstrumentId, Output, Quantity, RebalanceId, Timestamp};
use proptest::prelude::*;
use rebalancer::cycle::Leg;
use std::collections::{BTreeMap, BTreeSet};

/// Something that happens within a window.
#[derive(Debug, Clone)]
enum Event {
    Breach(DriftKind),
    Report { order: usize, state: OrderState, part: i128 },
    Book { order: usize, part: i128 },
    Filled,
    Answer,
    Command(CommandKind),
    Edit { aaa: i128, bbb: i128 },
    Halt(CommandKind),
    Action,
}

/// A window: what happens, how much later, whether the lane is behind, whether the twin is restored after it.
#[derive(Debug, Clone)]
struct Window {
    events: Vec<Event>,
    later: i64,
    behind: bool,
    restored: bool,
}

fn event() -> impl Strategy<Value = Event> {
    let kinds = prop::sample::select(vec![DriftKind::Open, DriftKind::Worse, DriftKind::Rearm, DriftKind::Clear, DriftKind::Unpriced]);
    let states = prop::sample::select(OrderState::known().to_vec());
    let part = prop::sample::select(vec![0_i128, 25, 50, 100, 100, 100, 101]);
    let applied = prop::sample::select(vec![25_i128, 50, 100]);
    let commands = vec![CommandKind::Rebalance, CommandKind::Approve, CommandKind::Reject, CommandKind::Cancel, CommandKind::Reconcile];
    prop_oneof![
        3 => kinds.prop_map(Event::Breach),
        5 => (0..4_usize, states, part).prop_map(|(order, state, part)| Event::Report { order, state, part }),
        4 => (0..4_usize, applied).prop_map(|(order, part)| Event::Book { order, part }),
        3 => Just(Event::Filled),
        4 => Just(Event::Answer),
        3 => prop::sample::select(commands).prop_map(Event::Command),
        2 => (0..220_i128, 0..220_i128).prop_map(|(aaa, bbb)| Event::Edit { aaa, bbb }),
        1 => prop::sample::select(vec![CommandKind::Halt, CommandKind::Resume, CommandKind::Resume]).prop_map(Event::Halt),
        1 => Just(Event::Action),
    ]
}

fn window() -> impl Strategy<Value = Window> {
    let later = prop::sample::select(vec![0_i64, 0, 1, 10, 61, 300]);
    (prop::collection::vec(event(), 0..4), later, prop::bool::weighted(0.15), prop::bool::weighted(0.3))
        .prop_map(|(events, later, behind, restored)| Window { events, later, behind, restored })
}

/// The house, and what an onlooker keeps of what he sees.
struct Watch {
    house: House,
    open: BTreeSet<RebalanceId>,
    proposal: Option<String>,
    asked: Vec<Input>,
    halted: bool,
    cooldown: i64,
    ended: Option<Timestamp>,
    planned: BTreeMap<RebalanceId, (Sums, Sums)>,
    /// Whether BBB has been changed in a window that nothing was decided in yet, and rebalances that were out by then.
    moved: bool,
    kept_back: BTreeSet<RebalanceId>,
}

type Sums = BTreeMap<InstrumentId, Quantity>;

impl Watch {
    fn new(house: House, cooldown: i64) -> Self {
        let mut house = house;
        house.book.policy.as_mut().unwrap().trigger.cooldown_seconds = cooldown;
        house.restore_twin();
        Self {
            house,
            open: BTreeSet::new(),
            proposal: None,
            asked: Vec::new(),
            halted: false,
            cooldown,
            ended: None,
            planned: BTreeMap::new(),
            moved: false,
            kept_back: BTreeSet::new(),
        }
    }

    fn run(&mut self, window: &Window) {
        self.house.pass(window.later);
        self.house.behind = window.behind;
        let inputs = window.events.iter().flat_map(|event| self.input(event)).collect();
        if self.moved {
            let desk = self.house.lane.role().desk(harness::PORTFOLIO);
            let out = desk.and_then(|desk| desk.open.as_ref()).filter(|cycle| cycle.proposal.is_none());
            self.kept_back.extend(out.map(|cycle| cycle.id));
        }
        self.moved &= window.behind;
        let outputs = self.house.window(inputs);
        for output in &outputs {
            self.see(output);
        }
        let kept =
            self.house.lane.role().desk(harness::PORTFOLIO).map(|desk| desk.open.iter().map(|cycle| cycle.id).collect::<BTreeSet<_>>());
        if !window.behind {
            assert_eq!(kept.unwrap_or_default(), self.open, "what is open is what was said to be open");
        }
        self.check_legs();
        if window.restored {
            self.house.restore_twin();
        }
    }

    fn input(&mut self, event: &Event) -> Vec<Input> {
        let order = |house: &House, index: usize| house.left.len().checked_sub(1 + index).map(|at| house.order(at));
        match event {
            Event::Breach(kind) => vec![self.house.drift(*kind)],
            Event::Filled => vec![self.house.filled()],
            Event::Answer => self.asked.pop().into_iter().collect(),
            Event::Report { order: index, state, part } => {
                let order = order(&self.house, *index);
                order.map(|order| self.house.report(&order, *state, &share(order.quantity, *part).to_string())).into_iter().collect()
            }
            Event::Book { order: index, part } => {
                if let Some(order) = order(&self.house, *index) {
                    self.house.book.apply(&order, share(order.quantity, *part));
                }
                Vec::new()
            }
            Event::Command(kind) => self.command(*kind).into_iter().collect(),
            Event::Edit { aaa, bbb } => self.edit(*aaa, *bbb).into_iter().collect(),
            Event::Halt(kind) => {
                self.halted = *kind == CommandKind::Halt;
                vec![self.house.command(*kind, r#""scope":"PORTFOLIO""#)]
            }
            Event::Action => {
                self.moved = true;
                vec![self.house.action("a", "BBB")]
            }
        }
    }

    fn command(&mut self, kind: CommandKind) -> Option<Input> {
        let fields = match kind {
            CommandKind::Approve | CommandKind::Reject => self.proposal.clone()?,
            CommandKind::Reconcile => {
                let last = self.house.left.last()?;
                format!(r#""orders":[{{"order_id":"{}","quantity":"{}"}}]"#, last.order_id, last.quantity)
            }
            _ => String::new(),
        };
        let command = self.house.command(kind, &fields);
        if matches!(kind, CommandKind::Rebalance | CommandKind::Approve) {
            self.asked.push(self.house.answer(&command));
        }
        Some(command)
    }

    /// Other quantities, of which more than what was proposed may be too much.
    fn edit(&mut self, aaa: i128, bbb: i128) -> Option<Input> {
        let named = self.proposal.clone()?;
        let orders = format!(r#""orders":[{{"instrument_id":"AAA","quantity":"{aaa}"}},{{"instrument_id":"BBB","quantity":"{bbb}"}}]"#);
        let command = self.house.command(CommandKind::Edit, &format!("{named},{orders}"));
        self.asked.push(self.house.answer(&command));
        Some(command)
    }

    fn see(&mut self, output: &Output) {
        match output {
            Output::RebalanceEvent(event) => self.see_event(event),
            Output::OrderWave(wave) => {
                let asks_back = wave.kind == WaveKind::Cancel && wave.funding_note.as_deref() == Some("halted");
                assert!(!self.house.behind || asks_back, "while behind nothing leaves but what a halt asks back");
                assert!(wave.kind == WaveKind::Cancel || !self.halted, "no orders leave under a halt");
                assert!(!wave.orders.is_empty());
                let of_moved = wave.orders.iter().any(|order| order.instrument_id.as_str() == "BBB");
                let is_kept_back = wave.kind == WaveKind::New && self.kept_back.contains(&wave.rebalance_id);
                assert!(!of_moved || !is_kept_back, "nothing leaves in an instrument that a corporate action has changed since");
            }
            Output::Refresh(_) => {
                assert!(!self.house.behind);
                self.asked.push(self.house.refreshed(std::slice::from_ref(output)));
            }
            _ => {}
        }
    }

    fn see_event(&mut self, event: &RebalanceEvent) {
        match event.status {
            RebalanceStatus::PendingApproval | RebalanceStatus::Released => {
                let cooled = self.ended.is_none_or(|ended| self.house.now >= ended.plus_seconds(self.cooldown));
                let opens = self.open.insert(event.rebalance_id) && event.trigger == RebalanceTrigger::Threshold;
                assert!(cooled || !opens, "no threshold opens a cycle within the cooldown");
                assert_eq!(self.open.len(), 1, "one open cycle");
                self.proposal =
                    event.proposal_hash.as_ref().map(|hash| format!(r#""rebalance_id":"{}","proposal_hash":"{hash}""#, event.rebalance_id));
            }
            _ => {}
        }
        if event.status != RebalanceStatus::Stuck && self.open.contains(&event.rebalance_id) {
            each_instrument_once(event);
        }
        self.check_planned(event);
        let ends = [RebalanceStatus::Completed, RebalanceStatus::Failed, RebalanceStatus::Rejected, RebalanceStatus::Expired];
        if ends.contains(&event.status) {
            self.ended = self.open.remove(&event.rebalance_id).then_some(self.house.now).or(self.ended);
        }
    }

    /// What was planned of each instrument, however often a proposal was replaced: the orders never add up to more.
    fn check_planned(&mut self, event: &RebalanceEvent) {
        let (planned, left) = self.planned.entry(event.rebalance_id).or_default();
        if left.is_empty() {
            for line in &event.explanation {
                let ordered = line
                    .numbers
                    .iter()
                    .find(|number| number.name == "ordered")
                    .map(|number| number.value.parse::<Quantity>().unwrap().abs());
                let known = planned.entry(line.instrument_id.clone()).or_default();
                *known = ordered.map_or(*known, |ordered| ordered.max(*known));
            }
        }
        if event.status == RebalanceStatus::Released {
            for order in &event.orders {
                let sum = left.entry(order.instrument_id.clone()).or_insert(Quantity::ZERO);
                *sum = sum.checked_add(order.quantity).unwrap();
                assert!(*sum <= planned[&order.instrument_id], "{sum} of {}, planned were {planned:?}", order.instrument_id);
            }
        }
    }

    fn check_legs(&self) {
        let Some(desk) = self.house.lane.role().desk(harness::PORTFOLIO) else { return };
        let last = desk.last.iter().flat_map(|last| &last.legs);
        for leg in desk.open.iter().flat_map(|cycle| &cycle.legs).chain(last) {
            assert!(leg.cum_qty <= leg.order.quantity, "reports are never believed beyond the order");
            if leg.applied > leg.order.quantity && !leg.is_terminal() {
                assert!(desk.unreconciled.contains_key(&leg.order.order_id), "executions beyond the order are flagged");
            }
        }
    }
}

fn each_instrument_once(event: &RebalanceEvent) {
    let lines: Vec<_> = event.explanation.iter().map(|line| line.instrument_id.as_str()).collect();
    assert_eq!(lines, ["AAA", "BBB"], "one line for each instrument: {event:?}");
}

fn share(quantity: Quantity, percent: i128) -> Quantity {
    let lots = quantity.units() / Quantity::ONE.units() * percent / 100;
    Quantity::from_units(lots * Quantity::ONE.units())
}

proptest! {
    #[test]
    fn one_cycle_each_order_once_and_an_end_or_a_call_for_help(
        windows in prop::collection::vec(window(), 1..40),
        automatic: bool,
        cooldown in prop::sample::select(vec![0_i64, 120]),
        slices in prop::sample::select(vec![None, Some(r#""waves":3"#), Some(r#""participation":"0.07""#)]),
    ) {
        let mut house = if automatic { House::automatic() } else { House::approval() };
        if let Some(parts) = slices {
            house.slice(parts);
        }
        let mut watch = Watch::new(house, cooldown);
        for window in &windows {
            watch.run(window);
        }
        // Nobody says anything any more, but the position-keeper still answers.
        for _ in 0..12 {
            let answers = watch.asked.len();
            let events = vec![Event::Answer; answers];
            watch.run(&Window { events, later: 3601, behind: false, restored: true });
        }
        let desk = watch.house.lane.role().desk(harness::PORTFOLIO);
        if let Some((desk, cycle)) = desk.and_then(|desk| Some((desk, desk.open.as_ref()?))) {
            let is_said = |leg: &Leg| desk.unreconciled.get(&leg.order.order_id).is_some_and(|found| found.said);
            prop_assert!(cycle.is_stuck() || cycle.legs.iter().any(is_said), "every cycle ends or is stuck: {cycle:?}");
        }
    }
}

/// The true life of an order: executions, and whether it ends short.
#[derive(Debug, Clone)]
struct Truth {
    parts: Vec<i128>,
    ending: OrderState,
    /// How its reports are shuffled and repeated, and its executions booked late.
    order: Vec<prop::sample::Index>,
    late: bool,
}

fn truth() -> impl Strategy<Value = Truth> {
    let ending = prop::sample::select(vec![OrderState::Filled, OrderState::Cancelled, OrderState::Expired]);
    (prop::collection::vec(1..100_i128, 0..4), ending, prop::collection::vec(any::<prop::sample::Index>(), 6..20), any::<bool>())
        .prop_map(|(parts, ending, order, late)| Truth { parts, ending, order, late })
}

/// Executed quantities after each execution, the last one final.
fn cumulative(truth: &Truth, quantity: Quantity) -> Vec<Quantity> {
    let whole = quantity.units() / Quantity::ONE.units();
    let mut cums: Vec<i128> = truth.parts.iter().map(|part| (whole * part / 100).min(whole)).collect();
    cums.sort_unstable();
    cums.dedup();
    if truth.ending == OrderState::Filled {
        cums.push(whole);
    }
    cums.into_iter().map(|units| Quantity::from_units(units * Quantity::ONE.units())).collect()
}

proptest! {
    #[test]
    fn honest_reports_in_any_order_end_as_the_truth_says(sell in truth(), buy in truth()) {
        let mut house = House::automatic().opened();
        house.restore_twin();
        let mut outputs = live(&mut house, 0, &sell);
        if outputs.iter().any(|output| matches!(output, Output::Refresh(_))) {
            let answer = house.refreshed(&outputs);
            outputs = house.window(vec![answer]);
        }
        if house.left.len() == 2 {
            outputs = live(&mut house, 1, &buy);
        }
        let Some(Output::RebalanceEvent(event)) = outputs.last() else { panic!("no last word: {outputs:?}") };
        let legs = &house.lane.role().desk(harness::PORTFOLIO).unwrap().last.as_ref().unwrap().legs;
        for (leg, truth) in legs.iter().zip([&sell, &buy]) {
            let executed = cumulative(truth, leg.order.quantity).last().copied().unwrap_or(Quantity::ZERO);
            prop_assert_eq!(leg.cum_qty, executed);
            prop_assert_eq!(leg.applied, executed);
        }
        let filled = legs.len() == 2 && legs.iter().all(|leg| leg.cum_qty == leg.order.quantity);
        prop_assert_eq!(event.status, if filled { RebalanceStatus::Completed } else { RebalanceStatus::Failed });
        prop_assert!(house.lane.role().desk(harness::PORTFOLIO).unwrap().unreconciled.is_empty());
    }
}

/// Lets an order live its life; the outputs of its last window.
fn live(house: &mut House, number: usize, truth: &Truth) -> Vec<Output> {
    let order = house.order(number);
    let cums = cumulative(truth, order.quantity);
    let last = cums.last().copied().unwrap_or(Quantity::ZERO);
    let mut said = vec![house.report(&order, OrderState::Acknowledged, "0")];
    said.extend(cums.iter().map(|cum| house.report(&order, OrderState::PartFilled, &cum.to_string())));
    said.push(house.report(&order, truth.ending, &last.to_string()));
    let shuffled: Vec<_> = truth.order.iter().map(|index| index.get(&said).clone()).collect();
    let book = |house: &mut House| {
        if last > Quantity::ZERO {
            house.book.apply(&order, last);
        }
    };
    if !truth.late {
        book(house);
    }
    let mut outputs = Vec::new();
    for report in shuffled.into_iter().chain(said) {
        let seen = house.window(vec![report]);
        outputs = if seen.is_empty() { outputs } else { seen };
    }
    if truth.late {
        book(house);
    }
    let filled = house.filled();
    let seen = house.window(vec![filled]);
    if seen.is_empty() { outputs } else { seen }
}
