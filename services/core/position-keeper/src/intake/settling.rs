//! How a fill or a cash entry ends: booked, a duplicate, waiting, or dead-lettered with its portfolio
//! in quarantine.

use crate::book::entry::Source;
use crate::book::{Need, PortfolioIx, Trouble};
use crate::intake::Ahead;
use crate::keeper::PositionKeeper;
use domain::reason::DeadLetterCode;
use domain::{Date, Input, PortfolioId};
use engine::dedup::Verdict;
use engine::waiting::{Full, Limits, Measure, Room, Waiting};
use engine::{Context, Origin, RawRecord, Refusal};

impl PositionKeeper {
    /// Takes a fill or a cash entry from its log.
    pub(crate) fn settle_record(&mut self, input: &Input, ahead: Ahead, origin: &Origin<'_>, cx: &mut Context<'_>) {
        let Some(portfolio) = owner(input) else { return };
        let waiting = self.waits.need(portfolio).cloned();
        let ended = match waiting {
            // Behind others of its portfolio it waits unseen, unless it is wrong in itself.
            Some(need) => check(input).and(Err(Trouble::Wait(need))),
            None => self.try_record(input, ahead, &Source::from(origin), cx),
        };
        match ended {
            Ok(()) => self.wake_named(input, cx),
            Err(Trouble::Duplicate) => cx.count_duplicate(origin.topic),
            Err(Trouble::Wait(need)) => self.let_wait(portfolio, need, origin.to_raw(), cx),
            Err(Trouble::Refuse(refusal)) => self.park(portfolio, origin.to_raw(), refusal, cx),
        }
    }

    /// Tries the records again that wait, portfolio by portfolio, for what has come.
    pub(crate) fn retry(&mut self, need: &Need, cx: &mut Context<'_>) {
        for portfolio in self.waits.waiting_for(need) {
            self.retry_portfolio(&portfolio, cx);
        }
    }

    pub(crate) fn retry_portfolio(&mut self, portfolio: &PortfolioId, cx: &mut Context<'_>) {
        for waiting in self.waits.take(portfolio) {
            if let Some(need) = self.waits.need(portfolio).cloned() {
                self.waits.wait_on(portfolio, need, waiting);
                continue;
            }
            if let Some(input) = self.try_again(portfolio, waiting, cx) {
                self.wake_named(&input, cx);
            }
        }
        if let Some(ix) = self.find(portfolio) {
            self.marks.change(ix);
        }
    }

    /// Tries a record that has waited; what it was, if it was booked.
    pub(crate) fn try_again(&mut self, portfolio: &PortfolioId, waiting: Waiting, cx: &mut Context<'_>) -> Option<Input> {
        let decoded = cx.decode(&waiting.record).map_err(Trouble::Refuse);
        let ended = decoded.and_then(|input| self.try_record(&input, None, &Source::from(&waiting.record), cx).map(|()| input));
        match ended {
            Ok(input) => return Some(input),
            Err(Trouble::Duplicate) => cx.count_duplicate(waiting.record.topic),
            Err(Trouble::Wait(need)) => {
                self.waits.wait_on(portfolio, need, waiting);
                self.mark_by_id(portfolio);
            }
            Err(Trouble::Refuse(refusal)) => self.park(portfolio, waiting.record, refusal, cx),
        }
        None
    }

    fn try_record(&mut self, input: &Input, ahead: Ahead, source: &Source, cx: &mut Context<'_>) -> Result<(), Trouble> {
        match input {
            Input::Fill(fill) => self.try_fill(fill, ahead, source, false, cx),
            Input::Cash(entry) => self.try_cash(entry, source, false, cx),
            _ => Err(Trouble::refuse(DeadLetterCode::Undecodable, "the record is neither a fill nor a cash entry")),
        }
    }

    fn let_wait(&mut self, portfolio: &PortfolioId, need: Need, record: RawRecord, cx: &mut Context<'_>) {
        let limits = Limits { all: cx.settings.waiting_limit, owner: cx.settings.waiting_portfolio_limit };
        let needed = need.to_string();
        let Err(full) = self.waits.wait(portfolio, need, Waiting { record, since: cx.now }, limits) else {
            return self.mark_by_id(portfolio);
        };
        let text = format!("{}; this one waits for {needed}: send that, then ADMIT this record", told(&full, portfolio));
        self.park(portfolio, full.waiting.record, Refusal::new(DeadLetterCode::WaitExceeded, text), cx);
    }

    /// Dead-letters a fill or cash entry and quarantines its portfolio.
    pub(crate) fn park(&mut self, portfolio: &PortfolioId, raw: RawRecord, refusal: Refusal, cx: &mut Context<'_>) {
        self.shut(portfolio, Source::from(&raw).place(), raw.value.as_deref(), cx.now);
        cx.dead_letter(raw, Some(portfolio.clone()), refusal);
    }

    /// Takes a record out of where it waits: a person has decided that it is not to be booked. What waited behind
    /// it goes on. Its portfolio is not quarantined: nobody needs to look at it once more.
    pub(crate) fn give_up(&mut self, portfolio: &PortfolioId, place: Source, why: &str, cx: &mut Context<'_>) -> bool {
        let Some(taken) = self.waits.take_one(portfolio, place) else { return false };
        // What the head needs, the others may not need themselves.
        let behind = if taken.is_behind { "behind others " } else { "" };
        let refusal = Refusal::new(DeadLetterCode::Discarded, format!("{why}, while it waited {behind}for {}", taken.need));
        cx.dead_letter(taken.waiting.record, Some(portfolio.clone()), refusal);
        self.retry_portfolio(portfolio, cx);
        true
    }

    pub(crate) fn mark_by_id(&mut self, portfolio: &PortfolioId) {
        if let Some(ix) = self.find(portfolio) {
            self.marks.change(ix);
        }
    }

    /// A booking of a portfolio was written: seals its ledger record where that has grown large.
    pub(crate) fn booked(&mut self, ix: PortfolioIx) {
        self.marks.change(ix);
        self.dirty[ix.at()] = true;
        if !std::mem::replace(&mut self.in_step[ix.at()], true) {
            self.stepped.push(ix);
        }
        let portfolio = &self.portfolios[ix.at()];
        if portfolio.journal.is_full(portfolio.cash.balances().len(), portfolio.lines.lots(), self.ledger_bytes) {
            self.seal(ix);
            self.full = true;
        }
    }
}

/// What of which room is full.
fn told(full: &Full, portfolio: &PortfolioId) -> String {
    let (of, one) = match full.room {
        Room::All => (String::new(), ""),
        Room::Owner => (format!(" of portfolio {portfolio:?}"), " of one"),
    };
    match full.of {
        Measure::Records(count) => format!("{count} records{of} wait already, the most that a lane keeps{one}"),
        Measure::Bytes { held, most } => {
            format!(
                "records{of} of {held} bytes wait already, and this one would make them more than the {most} bytes that a lane keeps{one}"
            )
        }
    }
}

fn owner(input: &Input) -> Option<&PortfolioId> {
    match input {
        Input::Fill(fill) => Some(&fill.portfolio_id),
        Input::Cash(entry) => Some(&entry.portfolio_id),
        _ => None,
    }
}

fn check(input: &Input) -> Result<(), Trouble> {
    match input {
        Input::Fill(fill) => super::fills::check(&fill.view()),
        Input::Cash(entry) => crate::book::treasury::check(entry),
        _ => Ok(()),
    }
}

/// What the dedup window's verdict means for a record; an admitted one passes when it is late.
pub(crate) fn admit(verdict: Verdict, admitted: bool, what: &str, id: &str, date: Date) -> Result<(), Trouble> {
    match verdict {
        Verdict::New => Ok(()),
        Verdict::Duplicate => Err(Trouble::Duplicate),
        Verdict::Conflict => Err(Trouble::refuse(
            DeadLetterCode::DuplicateConflict,
            format!("{what} {id:?} of {date} was booked with other content: an id names one {what} for ever; send a new id"),
        )),
        Verdict::Late { .. } if admitted => Ok(()),
        Verdict::Late { oldest } => Err(Trouble::refuse(
            DeadLetterCode::LateFill,
            format!(
                "{what} {id:?} is dated {date}, before {oldest}, the oldest date whose ids are known: ADMIT it if it was never booked, else DISCARD it"
            ),
        )),
        Verdict::Future { last } => {
            Err(Trouble::range(format!("{what} {id:?} is dated {date}, after {last}: dates are at most tomorrow (UTC)")))
        }
    }
}
