//! I9: no order left on a stale price, or from a portfolio that was quarantined, incomplete,
//! unreconciled, halted or behind; and every order is explained.

use super::facts::Facts;
use super::fate::{Fates, at};
use super::history::History;
use super::lanes::{Lane, Lanes};
use super::report::Check;
use super::seen::{REBALANCER, Seen, by_portfolio};
use domain::command::Command;
use domain::drift::{Drift, DriftLine};
use domain::enums::{CommandKind, Decision, DriftCause, HaltScope, MarketState, PriceFlag, RebalanceStatus, WaveKind};
use domain::order::{Order, OrderWave};
use domain::reason::ReasonCode;
use domain::rebalance_event::RebalanceEvent;
use domain::{InstrumentId, PortfolioId, RebalanceId, SmolStr, Topic};
use std::collections::{BTreeMap, BTreeSet};

/// The rows of I9.
pub(super) fn check(history: &History, lanes: &Lanes, facts: &Facts, fates: &Fates) -> Vec<Check> {
    let mut rows = Rows {
        event: Check::new("I9", "each wave stands on a drift event: complete, not quarantined, reconciled"),
        prices: Check::new("I9", "each order's reference price is that event's, fresh, and one that a tick gave"),
        stops: Check::new("I9", "no wave leaves while its lane is behind, a halt covers it, or its portfolio has met a limit"),
        explained: Check::new("I9", "each order stands in an explanation as ORDER or CUT"),
    };
    let drifts = by_portfolio(history.drifts.iter().filter(|seen| !seen.repeat && !seen.record.shadow), |drift| &drift.portfolio_id);
    let explained = explained(history);
    let approved = approved(history);
    let latches = latches(history);
    for seen in history.waves.iter().filter(|seen| !seen.repeat && seen.record.kind == WaveKind::New && !lanes.is_bygone(seen.stamp)) {
        let wave = Wave { seen, drifts: drifts.get(&seen.record.portfolio_id).map_or(&[][..], Vec::as_slice), lanes, facts };
        rows.wave(&wave);
        if let Some(command) = approved.get(&seen.record.rebalance_id).filter(|_| seen.record.wave_number == 1) {
            rows.recheck(&wave, command);
        }
        rows.stops(history, lanes, fates, seen);
        rows.latched(history, lanes, fates, seen, latches.get(&seen.record.portfolio_id).map_or(&[][..], Vec::as_slice));
        for order in &seen.record.orders {
            let known = explained.contains(&(order.rebalance_id, &order.instrument_id));
            rows.explained
                .that(known, || format!("{}: order {} of {} is explained nowhere", seen.place, order.order_id, order.instrument_id));
        }
    }
    vec![rows.event, rows.prices, rows.stops, rows.explained]
}

fn explained(history: &History) -> BTreeSet<(RebalanceId, &InstrumentId)> {
    let lines = history.events.iter().flat_map(|seen| seen.record.explanation.iter().map(|line| (seen.record.rebalance_id, line)));
    let ordered = lines.filter(|(_, line)| matches!(line.decision, Decision::Order | Decision::Cut));
    ordered.map(|(rebalance, line)| (rebalance, &line.instrument_id)).collect()
}

/// The command that approved each cycle.
fn approved(history: &History) -> BTreeMap<RebalanceId, &SmolStr> {
    let events = history.events.iter().filter(|seen| !seen.repeat && seen.record.status == RebalanceStatus::Approved);
    events.filter_map(|seen| Some((seen.record.rebalance_id, seen.record.command_id.as_ref()?))).collect()
}

/// The events with which releases of each portfolio were turned off: those by which a rebalance without a person's
/// approval ended or went on with orders kept back by a limit of a day or a minute.
fn latches(history: &History) -> BTreeMap<&PortfolioId, Vec<&Seen<RebalanceEvent>>> {
    let mut latches: BTreeMap<&PortfolioId, Vec<&Seen<RebalanceEvent>>> = BTreeMap::new();
    let shuts = |event: &RebalanceEvent| {
        let says = matches!(event.status, RebalanceStatus::Released | RebalanceStatus::Refused);
        says && !event.shadow && event.code == Some(ReasonCode::OrderLimit)
    };
    for seen in history.events.iter().filter(|seen| !seen.repeat && shuts(&seen.record)) {
        latches.entry(&seen.record.portfolio_id).or_default().push(seen);
    }
    latches
}

struct Rows {
    event: Check,
    prices: Check,
    stops: Check,
    explained: Check,
}

/// A wave and what it may stand on.
struct Wave<'a> {
    seen: &'a Seen<OrderWave>,
    drifts: &'a [&'a Seen<Drift>],
    lanes: &'a Lanes,
    facts: &'a Facts,
}

impl<'a> Wave<'a> {
    /// The newest drift event that the rebalancer had read, with the snapshot that the orders name; of several in its
    /// step the one with the wave's prices and policy, for a step may go on after the window that decided.
    fn event(&self) -> Option<&'a Seen<Drift>> {
        let version = self.seen.record.orders.first()?.snapshot_version;
        let read = self.read();
        let fits = |drift: &&&Seen<Drift>| drift.record.snapshot_version == version && drift.place.offset < read;
        let prices = |drift: &&&Seen<Drift>| {
            self.seen.record.orders.iter().all(|order| line_of(&drift.record, order).is_some_and(|l| is_price(l, order)))
        };
        let policy = |drift: &&&Seen<Drift>| {
            drift.record.policy.as_ref().map(|policy| policy.policy_version) == Some(self.seen.record.policy_version)
        };
        let mut candidates = self.drifts.iter().filter(fits).rev();
        let newest = candidates.clone().next();
        let same = |drift: &&&Seen<Drift>| prices(drift) && policy(drift);
        // Of two alike that one step has read, the wave may stand on the earlier: a step may have several windows.
        let began = self.began();
        let sound = candidates.clone().find(|drift| same(drift) && drift.place.offset >= began && is_sound(&drift.record));
        sound.or(candidates.clone().find(same)).or(candidates.find(prices)).or(newest).copied()
    }
    /// First drift offset that was not read when the wave's step ended.
    fn read(&self) -> i64 {
        let Some(stamp) = self.seen.stamp else { return i64::MAX };
        let lane = self.lanes.get(stamp.role, stamp.lane);
        lane.map_or(i64::MAX, |lane| lane.position(stamp.step, Topic::Drift, stamp.lane))
    }
    /// First drift offset that the wave's step has read.
    fn began(&self) -> i64 {
        let Some(stamp) = self.seen.stamp else { return 0 };
        let lane = self.lanes.get(stamp.role, stamp.lane);
        lane.map_or(0, |lane| lane.position(stamp.step - 1, Topic::Drift, stamp.lane))
    }
    /// Whether an event of the portfolio, no later than the wave, has this fresh price.
    fn had_price(&self, order: &Order) -> bool {
        let read = self.read();
        let before = self.drifts.iter().filter(|drift| drift.place.offset < read);
        before.filter_map(|drift| line_of(&drift.record, order)).any(|line| is_price(line, order) && line.price_flag == PriceFlag::Fresh)
    }
}

/// Whether orders may stand on an event.
fn is_sound(drift: &Drift) -> bool {
    let health = &drift.health;
    health.complete && !health.quarantined && !health.unreconciled && health.anomalies.is_empty() && health.waiting == 0
}

fn line_of<'a>(drift: &'a Drift, order: &Order) -> Option<&'a DriftLine> {
    drift.lines.iter().find(|line| line.instrument_id == order.instrument_id)
}

fn is_price(line: &DriftLine, order: &Order) -> bool {
    line.price == Some(order.reference_price) && line.price_time == Some(order.reference_time)
}

impl Rows {
    fn wave(&mut self, wave: &Wave<'_>) {
        let (place, record) = (wave.seen.place, &wave.seen.record);
        let name = || format!("{place}: wave {} of {}", record.wave_number, record.portfolio_id);
        let Some(event) = wave.event() else {
            let version = record.orders.first().map(|order| order.snapshot_version);
            self.event.that(false, || format!("{} stands on no drift event with snapshot version {version:?}", name()));
            return;
        };
        let health = &event.record.health;
        self.event.that(is_sound(&event.record), || {
            let (complete, quarantined, unreconciled) = (health.complete, health.quarantined, health.unreconciled);
            format!(
                "{} stands on {}: complete {complete}, quarantined {quarantined}, unreconciled {unreconciled}, waiting {}, anomalies {}",
                name(),
                event.place,
                health.waiting,
                health.anomalies.len()
            )
        });
        self.event.that(event.record.policy.as_ref().is_some_and(|policy| policy.policy_version == record.policy_version), || {
            let found = event.record.policy.as_ref().map(|policy| policy.policy_version);
            format!("{} names policy version {}, {} has {found:?}", name(), record.policy_version, event.place)
        });
        for order in &record.orders {
            self.price(wave, event, order);
        }
    }

    /// An approved wave keeps its proposal's prices, but the event that answers the APPROVE must be fit too.
    fn recheck(&mut self, wave: &Wave<'_>, command: &SmolStr) {
        let name = || format!("{}: wave {} of {}", wave.seen.place, wave.seen.record.wave_number, wave.seen.record.portfolio_id);
        let read = wave.read();
        let answers = |drift: &&&Seen<Drift>| {
            drift.place.offset < read && drift.record.cause == Some(DriftCause::Command) && drift.record.cause_id.as_ref() == Some(command)
        };
        let answer = wave.drifts.iter().rev().find(answers);
        let fit = answer.is_some_and(|drift| {
            let health = &drift.record.health;
            let fresh = |order: &Order| line_of(&drift.record, order).is_some_and(|line| line.price_flag == PriceFlag::Fresh);
            health.complete
                && !health.quarantined
                && !health.unreconciled
                && health.anomalies.is_empty()
                && wave.seen.record.orders.iter().all(fresh)
        });
        self.event.that(fit, || {
            let found = answer.map_or("no drift event".to_owned(), |drift| drift.place.to_string());
            format!("{} was approved by {command}, and {found} answers it, complete, fresh and reconciled", name())
        });
    }

    fn price(&mut self, wave: &Wave<'_>, event: &Seen<Drift>, order: &Order) {
        let at = || {
            format!(
                "{}: order {} of {} at {} ({})",
                wave.seen.place, order.order_id, order.instrument_id, order.reference_price, order.reference_time
            )
        };
        let line = line_of(&event.record, order);
        let same = line.is_some_and(|line| is_price(line, order));
        // Later waves may keep the price that their proposal was made with.
        let earlier = wave.seen.record.wave_number > 1 && wave.had_price(order);
        self.prices.that(same || earlier, || {
            let told = line.map(|line| (line.price, line.price_time));
            format!("{}, the drift event {} has {told:?}", at(), event.place)
        });
        let flag = line.map_or(PriceFlag::Missing, |line| line.price_flag);
        self.prices.that(flag == PriceFlag::Fresh, || format!("{}: its price is {flag} in {}", at(), event.place));
        if let Some(line) = line.filter(|line| line.market_status == MarketState::Unknown) {
            self.age(wave, event, line, &at);
        }
        let quoted = wave.facts.was_quoted(&order.instrument_id, order.reference_price, order.reference_time);
        // A split moves what a tick of before it comes to.
        let moved = wave.facts.is_split(&order.instrument_id);
        let gone = moved || wave.facts.may_be_gone(&order.instrument_id, order.reference_time);
        self.prices.that(quoted || gone, || format!("{}: no tick gave that price at that time", at()));
    }

    /// Where no market status was ever reported and no calendar is named, age runs all the time.
    fn age(&mut self, wave: &Wave<'_>, event: &Seen<Drift>, line: &DriftLine, at: &dyn Fn() -> String) {
        let facts = wave.facts.instrument(&line.instrument_id, i64::MAX);
        if facts.is_some_and(|facts| facts.calendar.is_some()) || wave.facts.is_forgotten(&line.instrument_id) {
            return;
        }
        let own = facts.and_then(|facts| facts.max_price_age_seconds);
        let Some(limit) = own.or_else(|| event.record.policy.as_ref().map(|policy| policy.book.max_price_age_seconds)) else { return };
        let age = line.price_time.map_or(i64::MAX, |time| event.record.as_of.since(time));
        self.prices
            .that(age <= limit.saturating_mul(1_000_000), || format!("{}: {age} µs old in {}, allowed are {limit} s", at(), event.place));
    }

    fn stops(&mut self, history: &History, lanes: &Lanes, fates: &Fates, seen: &Seen<OrderWave>) {
        let Some(stamp) = seen.stamp else { return };
        let Some(lane) = lanes.get(REBALANCER, stamp.lane) else { return };
        self.stops.that(!lane.is_behind(stamp.step), || {
            format!("{}: wave {} left in step {}, which was behind", seen.place, seen.record.wave_id, stamp.step)
        });
        let halts = in_force(history, fates, lane, stamp.lane, stamp.step);
        let covering = halts.iter().find(|halt| covers(&halt.record, &seen.record));
        self.stops.that(covering.is_none(), || {
            let halt = covering.map(|halt| format!("{} ({})", halt.record.command_id, halt.place)).unwrap_or_default();
            format!(
                "{}: wave {} of {} left in step {} under halt {halt}",
                seen.place, seen.record.wave_id, seen.record.portfolio_id, stamp.step
            )
        });
    }
}

impl Rows {
    /// After a step in which a limit was met nothing leaves, until a RESUME of the portfolio is read.
    fn latched(&mut self, history: &History, lanes: &Lanes, fates: &Fates, seen: &Seen<OrderWave>, latches: &[&Seen<RebalanceEvent>]) {
        let Some(stamp) = seen.stamp else { return };
        let Some(lane) = lanes.get(REBALANCER, stamp.lane) else { return };
        let before = latches.iter().filter_map(|latch| Some((*latch, latch.stamp?.step))).filter(|(_, step)| *step < stamp.step);
        let Some((latch, shut_in)) = before.max_by_key(|(_, step)| *step) else { return };
        // Within the step itself nobody can tell which came first.
        let (from, to) = (lane.position(shut_in - 1, Topic::Commands, stamp.lane), lane.position(stamp.step, Topic::Commands, stamp.lane));
        let read = |command: &&Seen<Command>| {
            command.place.partition == stamp.lane && (from..to).contains(&command.place.offset) && !command.misfiled
        };
        let resumed = history.commands.iter().filter(read).any(|command| {
            let frees = command.record.kind == CommandKind::Resume && command.record.scope == Some(HaltScope::Portfolio);
            frees && covers(&command.record, &seen.record) && !fates.buried(at(command.place))
        });
        self.stops.that(resumed, || {
            let (wave, portfolio) = (seen.record.wave_id, &seen.record.portfolio_id);
            format!("{}: wave {wave} of {portfolio} left though a limit was met at {} and nobody has resumed it", seen.place, latch.place)
        });
    }
}

/// Halts that a lane had read before a step, and that no RESUME read by its end has lifted. An id acts once: a
/// repeat of it neither halts again nor lifts what came in between.
fn in_force<'a>(history: &'a History, fates: &Fates, lane: &Lane, number: i32, step: i64) -> Vec<&'a Seen<Command>> {
    let before = lane.position(step - 1, Topic::Commands, number);
    let after = lane.position(step, Topic::Commands, number);
    let mut halts: Vec<&Seen<Command>> = Vec::new();
    let mut known = BTreeSet::new();
    for seen in history.commands.iter().filter(|seen| seen.place.partition == number && seen.place.offset < after) {
        let stops = matches!(seen.record.kind, CommandKind::Halt | CommandKind::Resume);
        if !stops || seen.misfiled || fates.buried(at(seen.place)) || !known.insert((&seen.record.portfolio_id, &seen.record.command_id)) {
            continue;
        }
        match seen.record.kind {
            CommandKind::Halt if seen.place.offset < before => halts.push(seen),
            CommandKind::Resume => halts.retain(|halt| scope(&halt.record) != scope(&seen.record)),
            _ => {}
        }
    }
    halts
}

/// What a halt or resume covers.
fn scope(command: &Command) -> (Option<HaltScope>, Option<String>, Option<&PortfolioId>) {
    let target = command.target.as_ref().map(ToString::to_string);
    let only = command.portfolio_id.as_ref();
    match command.scope {
        Some(HaltScope::Firm) => (command.scope, None, only),
        Some(HaltScope::Portfolio) => (command.scope, only.map(ToString::to_string).or(target), None),
        _ => (command.scope, target, only),
    }
}

/// Whether a halt forbids a wave. Orders carry no strategy: a halt of one forbids all that it may concern.
fn covers(halt: &Command, wave: &OrderWave) -> bool {
    let (scope, target, only) = scope(halt);
    if only.is_some_and(|only| *only != wave.portfolio_id) {
        return false;
    }
    match (scope, target) {
        (Some(HaltScope::Firm | HaltScope::Strategy), _) => true,
        (Some(HaltScope::Portfolio), Some(target)) => target == wave.portfolio_id.as_str(),
        (Some(HaltScope::Instrument), Some(target)) => wave.orders.iter().any(|order| order.instrument_id.as_str() == target),
        _ => false,
    }
}
