//! Commands: REBALANCE, APPROVE and EDIT are answered with a drift event; RELEASE, DISCARD and ADMIT settle
//! what quarantined a portfolio, and DISCARD what waits for something that never comes; RECONCILE settles orders
//! whose fills contradict each other, or brings an outside book, and is answered by the rebalancer. The other kinds are the rebalancer's alone.

use crate::book::entry::Source;
use crate::book::outside::Outside;
use crate::book::{PortfolioIx, Trouble};
use crate::drift::Request;
use crate::keeper::PositionKeeper;
use domain::command::{Command, DeadLetterReference, validity};
use domain::enums::{CommandKind, DriftCause};
use domain::reason::DeadLetterCode;
use domain::refresh::Refresh;
use domain::{Input, PortfolioId, SmolStr, Timestamp, Topic};
use engine::commands::{CommandMemory, Known};
use engine::refused::{self, Claim};
use engine::{Context, Origin, RawRecord};

/// Portfolios without a policy whose commands are remembered.
const STRANGERS: usize = 10_000;

impl PositionKeeper {
    pub(crate) fn take_command(&mut self, command: &Command, origin: &Origin<'_>, cx: &mut Context<'_>) {
        let ours = matches!(
            command.kind,
            CommandKind::Rebalance
                | CommandKind::Approve
                | CommandKind::Edit
                | CommandKind::Release
                | CommandKind::Discard
                | CommandKind::Admit
                | CommandKind::Reconcile
        );
        // One dead letter is enough: the rebalancer refuses every command that cannot be understood, and every id
        // that comes again with other content. Both therefore know the same ids.
        if validity::problem(command).is_some() {
            return;
        }
        let Some(id) = &command.portfolio_id else { return };
        match self.memory(id).map_or(Known::New, |memory| memory.hear(command)) {
            Known::New if ours => {}
            Known::Same if ours => return cx.count_duplicate(Topic::Commands),
            _ => return,
        }
        if let Err(text) = self.act(id, command, origin, cx) {
            cx.refuse(origin, command.portfolio_id.clone(), DeadLetterCode::InvalidCommand, text);
        }
    }

    /// What is remembered of a portfolio's commands; of too many strangers nothing is.
    fn memory(&mut self, id: &PortfolioId) -> Option<&mut CommandMemory> {
        match self.find(id) {
            Some(ix) => Some(&mut self.portfolio_mut(ix).commands),
            None if self.strangers.len() < STRANGERS || self.strangers.contains_key(id) => {
                Some(self.strangers.entry(id.clone()).or_default())
            }
            None => None,
        }
    }

    fn act(&mut self, id: &PortfolioId, command: &Command, origin: &Origin<'_>, cx: &mut Context<'_>) -> Result<(), String> {
        match command.kind {
            CommandKind::Rebalance | CommandKind::Approve | CommandKind::Edit => {
                let ix = self.known(id)?;
                self.ask(ix, DriftCause::Command, &command.command_id);
                Ok(())
            }
            CommandKind::Reconcile if command.orders.is_empty() => self.compare_later(id, command),
            CommandKind::Reconcile => {
                self.reconcile(id, command);
                Ok(())
            }
            CommandKind::Release => self.release(id, cx.now),
            CommandKind::Discard => self.discard(id, command, cx),
            _ => self.admit(id, command, origin, cx),
        }
    }

    /// Keeps what an outside book says, to be compared once all that was sent is read.
    fn compare_later(&mut self, id: &PortfolioId, command: &Command) -> Result<(), String> {
        let ix = self.known(id)?;
        self.portfolio_mut(ix).outside.get_or_insert_default().hear(command);
        self.ask(ix, DriftCause::Command, &command.command_id);
        Ok(())
    }

    fn known(&self, id: &PortfolioId) -> Result<PortfolioIx, String> {
        self.find(id).ok_or_else(|| format!("portfolio {id:?} has no policy: publish one first, then ask under a new command_id"))
    }

    /// Ends a quarantine; where there is none, lets the breaks with an outside book be; where there are none either, accepts
    /// figures beyond their bounds. Who wants more than one says so again: the one is no reason for the other.
    fn release(&mut self, id: &PortfolioId, now: Timestamp) -> Result<(), String> {
        let otherwise = || {
            format!(
                "portfolio {id:?} cannot be released: it is not quarantined, no outside book differs from it, and no figure of it is beyond its bound"
            )
        };
        let released = self.settle_quarantine(id, |quarantine| quarantine.release(id), otherwise);
        if released.is_ok() {
            self.refused.forget_all(id);
            return released;
        }
        let Some(ix) = self.find(id) else { return released };
        if !self.portfolio(ix).has_breaks() {
            return if self.accept_anomalies(ix, now) { Ok(()) } else { released };
        }
        let portfolio = self.portfolio_mut(ix);
        portfolio.outside = portfolio.outside.take().and_then(Outside::released);
        self.mark_by_id(id);
        Ok(())
    }

    /// Takes final quantities over where the book contradicts itself, and tells the rebalancer of its health.
    fn reconcile(&mut self, id: &PortfolioId, command: &Command) {
        let Some(ix) = self.find(id) else { return };
        let orders = &mut self.portfolio_mut(ix).orders;
        let named = command.orders.iter().filter_map(|order| Some((order.order_id?, order.quantity)));
        let settled = named.filter(|(order, quantity)| orders.reconcile(*order, *quantity)).count();
        if settled > 0 {
            self.ask(ix, DriftCause::Command, &command.command_id);
            self.mark_by_id(id);
        }
    }

    /// Closes a refusal, or takes a record out of where it waits.
    fn discard(&mut self, id: &PortfolioId, command: &Command, cx: &mut Context<'_>) -> Result<(), String> {
        let letter = named(command.dead_letter.as_ref())?;
        let source = source(letter)?;
        let reason = command.reason.as_deref().unwrap_or("no reason is given");
        let why = format!("DISCARD {:?} of {:?} took it out ({reason})", command.command_id, command.actor);
        if self.give_up(id, source, &why, cx) {
            return Ok(());
        }
        let place = place(letter);
        let otherwise =
            || format!("{place} cannot be discarded: no such refusal of portfolio {id:?} is open, and no such record of it waits");
        self.settle_quarantine(id, |quarantine| quarantine.settle(id, &place), otherwise)?;
        self.refused.forget(&place);
        Ok(())
    }

    fn settle_quarantine(
        &mut self,
        id: &PortfolioId,
        settle: impl FnOnce(&mut engine::quarantine::Quarantine) -> bool,
        otherwise: impl FnOnce() -> String,
    ) -> Result<(), String> {
        if !settle(&mut self.quarantine) {
            return Err(otherwise());
        }
        self.mark_by_id(id);
        Ok(())
    }

    /// Books the record that the command carries, late or not. It must stand open in the quarantine, so
    /// that it is taken in once, and be the very record that was refused: who may send commands may not book.
    fn admit(&mut self, id: &PortfolioId, command: &Command, origin: &Origin<'_>, cx: &mut Context<'_>) -> Result<(), String> {
        let carried = named(command.dead_letter.as_ref())?;
        let place = place(carried);
        let raw = raw(carried, origin).ok_or("only fills and cash entries can be admitted")?;
        if !self.quarantine.settle(id, &place) {
            return Err(format!("no refusal of portfolio {id:?} is open for {place}: it was settled, or its place is another"));
        }
        let booked = self.check_claim(&place, &raw, cx.now).and_then(|()| self.admit_record(id, &raw, cx));
        match booked {
            Ok(()) => {
                self.refused.forget(&place);
                self.mark_by_id(id);
            }
            Err(_) => self.quarantine.enter(id, place.clone()),
        }
        booked
    }

    fn check_claim(&self, place: &str, raw: &RawRecord, now: Timestamp) -> Result<(), String> {
        match self.refused.judge(place, raw.value.as_deref(), now) {
            Claim::True => Ok(()),
            Claim::False => Err(format!(
                "the carried bytes are not those that were refused at {place}: take them from its dead letter as they are, then ADMIT it under a new command_id; a corrected record is sent to its topic by its sender, and this one is closed by DISCARD"
            )),
            Claim::Forgotten => Err(format!(
                "the bytes that were refused at {place} are not known any more (they were settled, or a lane knows its newest {} refusals, for {} days): let the sender send the record again, ADMIT it under a new command_id if it is refused, and DISCARD this one",
                refused::KNOWN,
                refused::KNOWN_DAYS
            )),
        }
    }

    fn admit_record(&mut self, id: &PortfolioId, raw: &RawRecord, cx: &mut Context<'_>) -> Result<(), String> {
        let source = Source::from(raw);
        let input = cx.decode(raw).map_err(|refusal| {
            format!("the carried bytes were refused: {}; once that is mended, ADMIT it under a new command_id", refusal.text)
        })?;
        let ended = match &input {
            Input::Fill(fill) if fill.portfolio_id == *id => self.try_fill(fill, None, &source, true, cx),
            Input::Cash(entry) if entry.portfolio_id == *id => self.try_cash(entry, &source, true, cx),
            _ => return Err(format!("the carried record is no fill or cash entry of portfolio {id:?}")),
        };
        match ended {
            Ok(()) => {
                self.wake_named(&input, cx);
                Ok(())
            }
            Err(Trouble::Duplicate) => Err("it was booked meanwhile: DISCARD it".to_owned()),
            Err(Trouble::Wait(need)) => Err(format!("it still needs {need}: send that, then ADMIT it under a new command_id")),
            Err(Trouble::Refuse(refusal)) => Err(format!(
                "it is refused again ({}): {}; once that is mended, ADMIT it under a new command_id",
                refusal.code, refusal.text
            )),
        }
    }

    /// A refresh is answered for every known portfolio; of others nothing could be told.
    pub(crate) fn take_refresh(&mut self, refresh: &Refresh, origin: &Origin<'_>, cx: &mut Context<'_>) {
        match self.find(&refresh.portfolio_id) {
            Some(ix) => self.ask(ix, DriftCause::Refresh, &refresh.request_id.to_string()),
            None => {
                let text = format!("portfolio {:?} has no policy: there is nothing to refresh", refresh.portfolio_id);
                cx.refuse(origin, Some(refresh.portfolio_id.clone()), DeadLetterCode::InvalidCommand, text);
            }
        }
    }

    fn ask(&mut self, ix: PortfolioIx, cause: DriftCause, id: &str) {
        self.portfolio_mut(ix).requests.push(Request::new(cause, Some(SmolStr::new(id))));
        self.marks.look(ix);
    }
}

fn named(letter: Option<&DeadLetterReference>) -> Result<&DeadLetterReference, String> {
    letter.ok_or_else(|| "dead_letter is missing: name topic, partition and offset of the refused record".to_owned())
}

fn place(letter: &DeadLetterReference) -> SmolStr {
    engine::quarantine::Quarantine::place(&letter.topic, letter.partition, letter.offset)
}

fn source(letter: &DeadLetterReference) -> Result<Source, String> {
    let no_topic =
        || format!("{} names no topic of ours: name the topic in which the record was sent, not that of its letter", place(letter));
    let topic = Topic::from_name(&letter.topic).ok_or_else(no_topic)?;
    Ok(Source { topic, partition: letter.partition, offset: letter.offset })
}

fn raw(letter: &DeadLetterReference, origin: &Origin<'_>) -> Option<RawRecord> {
    let topic = Topic::from_name(&letter.topic).filter(|topic| matches!(topic, Topic::Fills | Topic::Cash))?;
    Some(RawRecord {
        topic,
        partition: letter.partition,
        offset: letter.offset,
        timestamp: origin.timestamp(),
        key: letter.key.clone(),
        headers: letter.headers.clone(),
        value: Some(letter.bytes.clone()),
    })
}
