//! The router as a role: what it does with a wave, a frame and a due timer.

use crate::acceptance::{MAX_VALID_SECONDS, REMEMBERED_SECONDS, Reason, check_wave, refusal_of};
use crate::bonds::Bonds;
use crate::chance::{self, Question};
use crate::desk::{Desk, Working};
use crate::execution::{self, Execution};
use crate::report;
use domain::enums::{OrderState, TimeInForce, WaveKind};
use domain::frame::{Frame, FramePrice};
use domain::order::{Order, OrderWave};
use domain::reason::DeadLetterCode;
use domain::{Input, OrderId, Output, PortfolioId, Quantity, SmolStr, Timestamp, Topic};
use engine::{Context, Image, ImageError, Origin, Refusal, Role, Settings, Timer, image};

/// The delay of an order is over.
const ANSWER: u8 = 1;
/// An order's `valid_until` is past.
const EXPIRE: u8 = 2;

/// The paper router of one lane.
#[derive(Debug, Default)]
pub struct PaperRouter {
    desk: Desk,
    bonds: Bonds,
}

impl PaperRouter {
    /// How many orders are at work, and how many finished ones are remembered.
    pub fn orders(&self) -> (usize, usize) {
        self.desk.len()
    }

    fn wave(&mut self, wave: &OrderWave, origin: &Origin<'_>, cx: &mut Context<'_>) {
        if let Err(refusal) = check_wave(wave, cx.now).and_then(|()| self.check_content(wave)) {
            return cx.refuse(origin, Some(wave.portfolio_id.clone()), refusal.code, refusal.text);
        }
        for order in &wave.orders {
            if wave.kind == WaveKind::Cancel { self.cancel(order, cx) } else { self.new_order(order, cx) }
        }
    }

    fn check_content(&self, wave: &OrderWave) -> Result<(), Refusal> {
        if wave.kind == WaveKind::Cancel {
            return Ok(());
        }
        for order in &wave.orders {
            if self.desk.working(order.order_id).is_some_and(|working| working.order != *order) {
                let text = format!("order {} is at work with other content: an order id stands for one order for ever", order.order_id);
                return Err(Refusal::new(DeadLetterCode::DuplicateConflict, text));
            }
        }
        Ok(())
    }

    fn new_order(&mut self, order: &Order, cx: &mut Context<'_>) {
        let id = order.order_id;
        if self.desk.knows(id) {
            return cx.count_duplicate(Topic::Orders);
        }
        self.desk.take_in(order);
        if let Some(reason) = refusal_of(order, cx.now) {
            return self.end(id, OrderState::Rejected, Some(reason), cx);
        }
        if order.valid_until < cx.now {
            return self.end(id, OrderState::Expired, Some(("TIMED_OUT", "it came after its valid_until")), cx);
        }
        // At valid_until itself the order still stands.
        cx.timers.set(order.valid_until.plus_micros(1), EXPIRE, &id.to_string());
        match delay_micros(id, cx.settings) {
            0 => self.answer(id, cx),
            delay => cx.timers.set(cx.now.plus_micros(delay), ANSWER, &id.to_string()),
        }
    }

    fn answer(&mut self, id: OrderId, cx: &mut Context<'_>) {
        if chance::happens(cx.settings.paper_seed, id, Question::Reject, cx.settings.paper_reject_bp) {
            return self.end(id, OrderState::Rejected, Some(("PAPER_REJECT", "rejected by chance, as paper_reject_bp asks")), cx);
        }
        let Some(working) = self.desk.working_mut(id) else { return };
        working.acknowledged = true;
        let order = &working.order;
        cx.emit(report::status(order, OrderState::Acknowledged, Quantity::ZERO, order.quantity, None, cx.now));
    }

    fn cancel(&mut self, order: &Order, cx: &mut Context<'_>) {
        let id = order.order_id;
        if self.desk.working(id).is_some() {
            return self.end(id, OrderState::Cancelled, Some(("CANCEL_REQUEST", "cancelled as asked")), cx);
        }
        if self.desk.knows(id) {
            return cx.count_duplicate(Topic::Orders);
        }
        // Never seen: it is answered, and remembered so that it can never be executed.
        self.desk.finish(id, forget_at(order, cx.now));
        let reason = Some(("CANCEL_REQUEST", "cancelled before it came"));
        cx.emit(report::status(order, OrderState::Cancelled, Quantity::ZERO, Quantity::ZERO, reason, cx.now));
    }

    fn frame(&mut self, frame: &Frame, cx: &mut Context<'_>) {
        self.bonds.hear(frame);
        if cx.behind || self.desk.len().0 == 0 {
            return;
        }
        for price in &frame.prices {
            for id in self.desk.queue_of(&price.instrument_id) {
                self.trade(id, price, cx);
            }
        }
    }

    fn trade(&mut self, id: OrderId, at: &FramePrice, cx: &mut Context<'_>) {
        let Some(working) = self.desk.working(id).filter(|w| w.acknowledged && cx.now <= w.order.valid_until) else { return };
        let Some(price) = execution::market_price(working.order.side, at) else { return };
        let at_once = matches!(working.order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
        if execution::meets_limit(&working.order, price) {
            let execution = Execution { at, price, bond: self.bonds.get(&at.instrument_id), now: cx.now };
            let fill = execution::size(working, cx.settings)
                .and_then(|quantity| execution::fill(working, &execution, quantity, cx.settings.paper_fee_bp));
            match fill {
                Ok(fill) => self.book(id, fill.quantity, Output::Fill(Box::new(fill)), cx),
                Err(_) => {
                    return self.end(id, OrderState::Cancelled, Some(("OUT_OF_RANGE", "its value is beyond the range of a fill")), cx);
                }
            }
        }
        if at_once && self.desk.working(id).is_some() {
            self.end(id, OrderState::Cancelled, Some(("IMMEDIATE", "the rest could not be filled at once")), cx);
        }
    }

    fn book(&mut self, id: OrderId, quantity: Quantity, fill: Output, cx: &mut Context<'_>) {
        let working = self.desk.working_mut(id).expect("the order that trades is at work");
        working.executions += 1;
        working.cum_qty = working.cum_qty.checked_add(quantity).expect("the fill holds this very sum");
        assert!(working.cum_qty <= working.order.quantity, "order {id} is filled beyond its quantity");
        cx.emit(fill);
        let (order, done) = (&working.order, working.cum_qty);
        if done == order.quantity {
            return self.end(id, OrderState::Filled, None, cx);
        }
        let open = order.quantity.checked_sub(done).expect("what is done is no more than the whole");
        cx.emit(report::status(order, OrderState::PartFilled, done, open, None, cx.now));
    }

    /// Ends an order at work with its last report.
    fn end(&mut self, id: OrderId, state: OrderState, reason: Option<Reason>, cx: &mut Context<'_>) {
        let Some(forget_at) = self.desk.working(id).map(|working| forget_at(&working.order, cx.now)) else { return };
        let Some(Working { order, cum_qty, .. }) = self.desk.finish(id, forget_at) else { return };
        cx.timers.clear(ANSWER, &id.to_string());
        cx.timers.clear(EXPIRE, &id.to_string());
        cx.emit(report::status(&order, state, cum_qty, Quantity::ZERO, reason, cx.now));
    }
}

/// Between half of the configured delay and all of it.
fn delay_micros(id: OrderId, settings: &Settings) -> i64 {
    let most = settings.paper_delay_ms.max(0).saturating_mul(1000);
    let spread = most / 2 + 1;
    let draw = chance::draw(settings.paper_seed, id, Question::Delay) >> 1;
    most - i64::try_from(draw).expect("one bit was shifted out") % spread
}

/// A refused order may name any `valid_until`: none is remembered for longer than the longest one allowed.
fn forget_at(order: &Order, now: Timestamp) -> Timestamp {
    order.valid_until.max(now).min(now.plus_seconds(MAX_VALID_SECONDS)).plus_seconds(REMEMBERED_SECONDS)
}

impl Image for PaperRouter {
    fn shared(&self) -> Vec<u8> {
        image::to_bytes(&(self.desk.arrivals(), &self.bonds))
    }
    fn restore_shared(&mut self, bytes: &[u8]) -> Result<(), ImageError> {
        let (arrivals, bonds) = image::from_bytes("the paper router's shared part", bytes)?;
        self.desk.restore_arrivals(arrivals);
        self.bonds = bonds;
        Ok(())
    }
    fn entity_keys(&self) -> Vec<SmolStr> {
        self.desk.entity_keys()
    }
    fn entity(&self, key: &str) -> Option<Vec<u8>> {
        self.desk.entity(key)
    }
    fn restore_entity(&mut self, key: &str, bytes: &[u8]) -> Result<(), ImageError> {
        self.desk.restore_entity(key, bytes)
    }
    fn take_dirty(&mut self) -> Vec<SmolStr> {
        self.desk.take_dirty()
    }
}

impl Role for PaperRouter {
    type Ahead = ();
    const NAME: &'static str = "paper-router";
    /// Frames first: an order never meets a frame of its own window.
    const INPUTS: &'static [Topic] = &[Topic::Frames, Topic::Orders];
    const PROGRESS: Topic = Topic::PaperRouterProgress;
    const REPORTED_ELSEWHERE: &'static [Topic] = &[Topic::Frames];

    fn configure(&mut self, _settings: &Settings) {}

    fn fold(&mut self, input: Input, _ahead: (), origin: &Origin<'_>, cx: &mut Context<'_>) {
        match input {
            Input::Frame(frame) => self.frame(&frame, cx),
            Input::OrderWave(wave) => self.wave(&wave, origin, cx),
            _ => cx.refuse(origin, None, DeadLetterCode::InvalidRecord, "the paper router reads frames and order waves only"),
        }
    }

    fn refused(&mut self, _origin: &Origin<'_>, _portfolio: Option<&PortfolioId>, _cx: &mut Context<'_>) {}

    fn fire(&mut self, timer: Timer, cx: &mut Context<'_>) {
        // An order may have ended by an earlier timer of the same window.
        let Some(id) = timer.id.parse().ok().filter(|id| self.desk.working(*id).is_some()) else { return };
        match timer.kind {
            ANSWER => self.answer(id, cx),
            EXPIRE => self.end(id, OrderState::Expired, Some(("TIMED_OUT", "its valid_until is past")), cx),
            _ => {}
        }
    }

    fn decide(&mut self, cx: &mut Context<'_>) {
        self.desk.forget(cx.now);
    }
}
