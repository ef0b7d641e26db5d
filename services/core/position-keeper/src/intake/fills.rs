//! Fills: checked, known by (source, trade date, execution id), booked or waiting.

use crate::book::booking::Booking;
use crate::book::entry::Source;
use crate::book::execution::Execution;
use crate::book::history::Place;
use crate::book::plain;
use crate::book::trade::{self, Planned, entry};
use crate::book::{Need, PortfolioIx, Trouble};
use crate::drift::Request;
use crate::intake::Ahead;
use crate::intake::ahead::Known;
use crate::keeper::PositionKeeper;
use crate::prices::InstrumentIx;
use domain::enums::{DriftCause, EntryKind, ExecType, Side};
use domain::fill::{Fill, FillRef};
use domain::reason::DeadLetterCode;
use domain::{Currency, Date, FxRate, Money, Quantity, SmolStr};
use engine::Context;
use engine::dedup::{Parts, RecordId, Verdict};

impl PositionKeeper {
    /// Books a fill that was decoded; `late` ones pass when an operator admits them.
    pub(crate) fn try_fill(&mut self, fill: &Fill, ahead: Ahead, source: &Source, late: bool, cx: &mut Context<'_>) -> Result<(), Trouble> {
        let view = fill.view();
        let known = match ahead {
            Some(told) => told?,
            None => {
                check(&view)?;
                if fill.exec_type != ExecType::Trade {
                    return self.try_amend(fill, source, cx);
                }
                self.learn(&view)
            }
        };
        let ix = known.portfolio.ok_or_else(|| Trouble::Wait(Need::Policy(fill.portfolio_id.clone())))?;
        let instrument = known.instrument.ok_or_else(|| Need::Instrument(fill.instrument_id.clone()));
        self.try_trade(&view, (known.id, known.content), (ix, instrument), source, late, cx)
    }

    /// Books a fill that is viewed, as one that was decoded would be. False where it cannot be booked, or where others of
    /// its portfolio wait: nothing has changed then.
    pub(crate) fn book_view(&mut self, fill: &FillRef<'_>, ahead: Ahead, source: &Source, cx: &mut Context<'_>) -> bool {
        let Some(Ok(Known { id, content, portfolio: Some(ix), instrument: Some(instrument), .. })) = ahead else { return false };
        let owner = &self.portfolios[ix.at()].id;
        if self.waits.need(owner).is_some() || self.waits.awaits(owner) {
            return false;
        }
        self.book_plain(fill, (id, content), (ix, instrument), source, cx)
            || self.try_trade(fill, (id, content), (ix, Ok(instrument)), source, false, cx).is_ok()
    }

    /// Books a checked trade if it is new and plain. Where it is not, nothing has changed.
    fn book_plain(
        &mut self,
        fill: &FillRef<'_>,
        (id, content): (RecordId, u64),
        (ix, instrument): (PortfolioIx, InstrumentIx),
        source: &Source,
        cx: &mut Context<'_>,
    ) -> bool {
        let dates = cx.settings.dedup_trade_dates;
        let portfolio = &mut self.portfolios[ix.at()];
        if portfolio.fills.judge(fill.trade_date, id, content, cx.now, dates) != Verdict::New {
            return false;
        }
        let Some(plain) = plain::plan(portfolio, &self.market, (fill, instrument), cx.settings.max_lines, cx.now) else { return false };
        self.market.book(instrument);
        let room = self.kept.get_or_insert_with(|| Box::new(Booking::Execution(Execution::blank(fill.currency))));
        let place = portfolio.book_plain(&plain, (fill, source), room, &mut self.notes);
        self.remember(ix, fill.trade_date, (id, content, place), dates);
        if plain.settles.is_some() {
            self.wake_to_settle(ix, cx);
        }
        self.booked(ix);
        true
    }

    /// Books a checked trade. On an error nothing has changed.
    fn try_trade(
        &mut self,
        fill: &FillRef<'_>,
        (id, content): (RecordId, u64),
        (ix, instrument): (PortfolioIx, Result<InstrumentIx, Need>),
        source: &Source,
        late: bool,
        cx: &mut Context<'_>,
    ) -> Result<(), Trouble> {
        let portfolio = &self.portfolios[ix.at()];
        check_rate(fill, portfolio.base)?;
        let dates = cx.settings.dedup_trade_dates;
        let verdict = portfolio.latecomers.judge(portfolio.fills.judge(fill.trade_date, id, content, cx.now, dates), id, content);
        super::settling::admit(verdict, late, "execution", fill.exec_id, fill.trade_date)?;
        let instrument = instrument.map_err(Trouble::Wait)?;
        let planned = self.planned.get_or_insert_with(|| Box::new(Planned::of_execution(fill.currency)));
        trade::plan(planned, portfolio, &self.market, (fill, instrument, source), cx.now)?;
        let touched = planned.kept.line();
        if let Some(instrument) = touched {
            planned.check_room(&portfolio.lines, instrument, cx.settings)?;
            self.market.book(instrument);
        }
        let (settles, across, lines) = (planned.settles, planned.across.is_some(), portfolio.lines.all().len());
        let named = (fill, &self.market.slot(instrument).id, source);
        let portfolio = &mut self.portfolios[ix.at()];
        let place = portfolio.book(planned, |planned| entry(EntryKind::Trade, named, planned.execution(), &planned.effect));
        if matches!(verdict, Verdict::Late { .. }) {
            portfolio.latecomers.remember(id, content);
        }
        if let Some(order) = fill.order_id {
            ask_once(&mut portfolio.requests, SmolStr::new(order.to_string()));
        }
        let grown = portfolio.lines.all().len() > lines;
        self.remember(ix, fill.trade_date, (id, content, place), dates);
        if settles.is_some() {
            self.wake_to_settle(ix, cx);
        }
        if across {
            self.note_unrated(ix);
        }
        if let Some(instrument) = touched.filter(|_| grown) {
            self.hold(instrument, ix);
        }
        self.booked(ix);
        Ok(())
    }
}

impl PositionKeeper {
    /// Remembers a fill by its ids and its place, and lets go what leaves the window with it.
    pub(crate) fn remember(&mut self, ix: PortfolioIx, date: Date, (id, content, place): (RecordId, u64, Place), dates: usize) {
        let portfolio = &mut self.portfolios[ix.at()];
        let was_full = portfolio.fills.is_full(dates);
        let has_left = portfolio.fills.record(date, id, content, place, dates);
        if has_left && let Some(oldest) = portfolio.fills.oldest() {
            portfolio.orders.forget_before(oldest);
            portfolio.history.forget_before(&mut portfolio.changes, oldest);
        }
        if has_left || !was_full && portfolio.fills.is_full(dates) {
            self.aged |= self.waits.awaits(&portfolio.id);
        }
    }
}

/// One event answers all fills of a window; it names the newest order.
pub(crate) fn ask_once(requests: &mut Vec<Request>, order: SmolStr) {
    match requests.iter_mut().find(|request| request.cause == DriftCause::Fill) {
        Some(request) => request.id = Some(order),
        None => requests.push(Request::new(DriftCause::Fill, Some(order))),
    }
}

/// Checks what the fill alone can tell.
pub(crate) fn check(fill: &FillRef<'_>) -> Result<(), Trouble> {
    let unknown = |text: String| Trouble::refuse(DeadLetterCode::UnknownEnum, text);
    match fill.exec_type {
        ExecType::Trade => {}
        ExecType::Unknown => return Err(unknown(ExecType::unknown("exec_type"))),
        ExecType::Cancel | ExecType::Correct => super::amending::check(fill)?,
    }
    if fill.side == Side::Unknown {
        return Err(unknown(Side::unknown("side")));
    }
    if !domain::ids::is_id(fill.exec_id) || !domain::ids::is_id(fill.source) {
        return Err(Trouble::range("exec_id and source have 1 to 128 bytes and no control characters"));
    }
    if fill.venue.as_ref().is_some_and(|venue| venue.len() > domain::ids::MAX_ID_BYTES) {
        return Err(Trouble::range("venue has at most 128 bytes"));
    }
    // A CANCEL takes back what its execution was, whatever its own quantity says: senders repeat it or leave it at zero.
    let is_amount = fill.quantity.is_positive() || fill.exec_type == ExecType::Cancel && fill.quantity.is_zero();
    if !is_amount || !fill.quantity.fits_wire() {
        return Err(Trouble::range(format!("quantity is {}, it must be above 0; the side tells the direction", fill.quantity)));
    }
    if fill.price.is_negative() || !fill.price.fits_wire() {
        return Err(Trouble::range(format!("price is {}, it must not be below 0", fill.price)));
    }
    if fill.gross_amount.is_some_and(|gross| gross.is_negative() || !gross.fits_wire()) {
        return Err(Trouble::range("gross_amount must not be below 0; the side tells the direction"));
    }
    if fill.accrued_interest.is_some_and(|accrued| !accrued.fits_wire()) || fill.fees.iter().any(|fee| !fee.amount.fits_wire()) {
        return Err(Trouble::range("accrued_interest or a fee has more than 28 digits"));
    }
    if fill.cum_qty.is_some_and(|cum| cum.is_negative() || !cum.fits_wire()) {
        return Err(Trouble::range("cum_qty must not be below 0"));
    }
    if fill.fx_rate.is_some_and(|rate| !rate.is_positive() || !rate.fits_wire()) {
        return Err(Trouble::range("fx_rate is units of base for one of the fill's currency, above 0"));
    }
    Ok(())
}

pub(crate) fn check_rate(fill: &FillRef<'_>, base: Currency) -> Result<(), Trouble> {
    match fill.fx_rate {
        Some(rate) if fill.currency == base && rate != FxRate::ONE => {
            Err(Trouble::range(format!("fx_rate is {rate} for a fill in the base currency {base}, where it is 1")))
        }
        _ => Ok(()),
    }
}

/// The id of an execution of a source and a trade date.
pub(crate) fn id_of(parts: &mut Parts, source: &str, date: Date, exec_id: &str) -> RecordId {
    parts.start().fixed(&date.days().to_le_bytes()).part(source.as_bytes()).part(exec_id.as_bytes()).id()
}

/// Of the id, and of all that the book reads; when the sender received it is not part of what was executed.
pub(crate) fn hashes(parts: &mut Parts, fill: &FillRef<'_>) -> (RecordId, u64) {
    let id = id_of(parts, fill.source, fill.trade_date, fill.exec_id);
    parts.start().fixed(&given(fill).to_le_bytes());
    parts.fixed(&fill.quantity.units().to_le_bytes()).fixed(&fill.price.units().to_le_bytes());
    parts.fixed(&fill.currency.padded()).fixed(&fill.transact_time.micros().to_le_bytes());
    parts.part(fill.instrument_id.as_bytes());
    if let Some(named) = fill.exec_ref_id {
        parts.part(named.as_bytes());
    }
    if let Some(venue) = fill.venue {
        parts.part(venue.as_bytes());
    }
    if let Some(date) = fill.settle_date {
        parts.fixed(&date.days().to_le_bytes());
    }
    if let Some(order) = &fill.order_id {
        parts.fixed(order.0.as_bytes());
    }
    if let Some(strategy) = &fill.strategy {
        parts.part(strategy.as_str().as_bytes());
    }
    let mut units = |units: Option<i128>| {
        if let Some(units) = units {
            parts.fixed(&units.to_le_bytes());
        }
    };
    units(fill.gross_amount.map(Money::units));
    units(fill.accrued_interest.map(Money::units));
    units(fill.fx_rate.map(FxRate::units));
    units(fill.cum_qty.map(Quantity::units));
    for fee in &fill.fees {
        parts.part(fee.kind.as_bytes()).fixed(&fee.currency.padded()).fixed(&fee.amount.units().to_le_bytes());
    }
    (id, parts.content())
}

/// Which fields a fill has, how many fees, and the two symbols: what stands behind them is read in one way only.
fn given(fill: &FillRef<'_>) -> u64 {
    let has = [
        fill.exec_ref_id.is_some(),
        fill.venue.is_some(),
        fill.settle_date.is_some(),
        fill.fx_rate.is_some(),
        fill.order_id.is_some(),
        fill.strategy.is_some(),
        fill.cum_qty.is_some(),
        fill.gross_amount.is_some(),
        fill.accrued_interest.is_some(),
    ];
    let bits = has.iter().fold(0, |bits, has| bits << 1 | u64::from(*has));
    // An index is below 256: a list of symbols is a `u8`.
    (fill.fees.len() as u64) << 32 | bits << 16 | (fill.exec_type.index() as u64) << 8 | fill.side.index() as u64
}
