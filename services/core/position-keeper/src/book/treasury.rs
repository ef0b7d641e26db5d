//! The booking of cash entries: deposits, withdrawals, fees, interest, transfers of cash and of securities, dividends, and
//! what takes one of them back. Whether a dividend was booked by its action is not known here.

use super::across::{self, Papers};
use super::amend::{self, Amendment, Named};
use super::booking::Booking;
use super::entry::{Source, charged, legs, money};
use super::execution::{Earned, Effect};
use super::history::Place;
use super::payment::{self, Payment};
use super::portfolio::Portfolio;
use super::trade::{Planned, known, mark_rate, value};
use super::transfer::Transfer;
use super::trouble::{Need, Trouble, bounded};
use crate::prices::{InstrumentIx, Market};
use crate::valuation::unit_price;
use domain::cash::CashEntry;
use domain::enums::{CashKind, EntryKind, InstrumentType};
use domain::ledger::LedgerEntry;
use domain::reason::DeadLetterCode;
use domain::{Amount, Date, FxRate, InstrumentId, Quantity};

/// Checks what the entry alone can tell.
pub fn check(entry: &CashEntry) -> Result<(), Trouble> {
    if !domain::ids::is_id(&entry.entry_id) || !domain::ids::is_id(&entry.source) {
        return Err(Trouble::range("entry_id and source have 1 to 128 bytes and no control characters"));
    }
    if let Some(named) = &entry.reverses {
        check_reverses(entry, named)?;
    }
    match entry.kind {
        CashKind::Unknown => Err(Trouble::refuse(DeadLetterCode::UnknownEnum, CashKind::unknown("kind"))),
        CashKind::TransferIn | CashKind::TransferOut if entry.instrument_id.is_some() => check_securities(entry),
        _ if entry.quantity.is_some() || entry.total_cost.is_some() => Err(Trouble::invalid(format!(
            "quantity and total_cost are of securities, which a TRANSFER names in instrument_id: this is a {}",
            entry.kind
        ))),
        CashKind::Deposit | CashKind::Withdrawal | CashKind::Dividend | CashKind::TransferIn | CashKind::TransferOut
            if !entry.amount.is_positive() =>
        {
            Err(Trouble::range(format!("the amount of a {} is {}, it must be above 0", entry.kind, entry.amount)))
        }
        _ if !entry.amount.fits_wire() => Err(Trouble::range("the amount has more than 28 digits")),
        _ => Ok(()),
    }
}

fn check_reverses(entry: &CashEntry, named: &str) -> Result<(), Trouble> {
    if !domain::ids::is_id(named) {
        return Err(Trouble::range("reverses has 1 to 128 bytes and no control characters"));
    }
    if entry.entry_id == named {
        return Err(Trouble::invalid(format!("a reversal has an id of its own: entry_id and reverses are both {named:?}")));
    }
    Ok(())
}

/// A transfer of securities: units, and what they cost where they come.
fn check_securities(entry: &CashEntry) -> Result<(), Trouble> {
    match entry.quantity {
        None => return Err(Trouble::invalid(format!("a {} of securities names the quantity, which is missing", entry.kind))),
        Some(quantity) if quantity.is_zero() || !quantity.fits_wire() => {
            return Err(Trouble::range(format!("quantity is {quantity}: it is the units transferred, below 0 for a short position")));
        }
        Some(_) => {}
    }
    if entry.amount.is_negative()
        || !entry.amount.fits_wire()
        || entry.total_cost.is_some_and(|cost| cost.is_negative() || !cost.fits_wire())
    {
        return Err(Trouble::range("amount and total_cost must not be below 0; quantity tells the direction"));
    }
    // What a reversal takes back has a cost already.
    if entry.kind == CashKind::TransferIn && entry.total_cost.is_none() && entry.amount.is_zero() && entry.reverses.is_none() {
        return Err(Trouble::invalid("a TRANSFER_IN of securities names what they cost in total_cost, in the instrument's currency"));
    }
    // `amount` is of cash: beside securities it says what they cost, or nothing.
    if entry.total_cost.is_some_and(|cost| !entry.amount.is_zero() && entry.amount != cost) {
        return Err(Trouble::invalid("amount and total_cost differ: cash that comes with securities is sent as an entry of its own"));
    }
    Ok(())
}

/// Whether an entry is of securities.
fn is_of_securities(entry: &CashEntry) -> bool {
    matches!(entry.kind, CashKind::TransferIn | CashKind::TransferOut) && entry.instrument_id.is_some()
}

/// Whether an entry crosses the portfolio's boundary.
pub fn is_flow(entry: &CashEntry) -> bool {
    matches!(entry.kind, CashKind::Deposit | CashKind::Withdrawal | CashKind::TransferIn | CashKind::TransferOut)
}

fn entry_kind(kind: CashKind) -> Result<EntryKind, Trouble> {
    Ok(match kind {
        CashKind::Deposit => EntryKind::CashDeposit,
        CashKind::Withdrawal => EntryKind::CashWithdrawal,
        CashKind::Fee => EntryKind::CashFee,
        CashKind::Interest => EntryKind::CashInterest,
        CashKind::TransferIn => EntryKind::TransferIn,
        CashKind::TransferOut => EntryKind::TransferOut,
        CashKind::Dividend => EntryKind::CashDividend,
        CashKind::Unknown => return Err(Trouble::invalid("this kind of entry is not booked")),
    })
}

/// Plans the booking of a checked entry, with what the ledger says of it. `equity` is the portfolio's equity before it,
/// where every price is there.
pub fn plan(
    portfolio: &Portfolio,
    market: &Market,
    entry: &CashEntry,
    source: &Source,
    equity: Option<Amount>,
) -> Result<(Planned, LedgerEntry), Trouble> {
    let kind = entry_kind(entry.kind)?;
    let booking = match entry.instrument_id.as_ref().filter(|_| is_of_securities(entry)) {
        Some(instrument) => Booking::Transfer(transfer(portfolio, market, entry, instrument)?),
        None => Booking::Payment(payment_of(portfolio, market, entry)?),
    };
    if let Booking::Payment(payment) = &booking {
        portfolio.check_beside(payment, 1)?;
    }
    let instrument = booking.line();
    let planned = if let Some(ix) = instrument.filter(|ix| across::concern(portfolio, market, *ix, booking.date())) {
        let told = |kind: EntryKind, effect: &Effect| ledger_entry(kind, (entry, market), &booking, effect, source, equity);
        let papers = Papers { settles: None, order: None };
        across::plan(portfolio, market, (ix, booking.clone()), papers, told)?
    } else {
        let mut planned = Planned::new(booking, None);
        planned.plan(portfolio)?;
        planned
    };
    let told = ledger_entry(kind, (entry, market), &planned.kept, &planned.effect, source, equity);
    Ok((planned, told))
}

/// Plans the reversal of a booked entry; `was` is what stands at its place.
pub fn plan_reversal(
    portfolio: &Portfolio,
    market: &Market,
    entry: &CashEntry,
    (place, was): (Place, &Booking),
    source: &Source,
    equity: Option<Amount>,
) -> Result<Amendment, Trouble> {
    let told = |kind: EntryKind, effect: &Effect| ledger_entry(kind, (entry, market), was, effect, source, equity);
    amend::plan(portfolio, Named { place, was, now: None, settles: None }, told)
}

fn payment_of(portfolio: &Portfolio, market: &Market, entry: &CashEntry) -> Result<Payment, Trouble> {
    let rate = mark_rate(market, entry.currency, portfolio.base)?;
    let of = named_by(portfolio, market, entry, rate)?;
    Ok(Payment {
        kind: entry_kind(entry.kind)?,
        at: entry.effective_at,
        currency: entry.currency,
        amount: entry.amount,
        rate,
        crowded: of.is_some_and(|of| portfolio.besides.is_crowded(of.instrument, entry.strategy.as_ref())),
        of,
        strategy: entry.strategy.clone(),
        settles: owed_of(portfolio, market, entry),
        says: None,
    })
}

/// What is owed of the dividend that an entry pays, where entries pay them.
fn owed_of(portfolio: &Portfolio, market: &Market, entry: &CashEntry) -> Vec<Earned> {
    let paid = entry.action_id.as_ref().filter(|_| entry.kind == CashKind::Dividend && portfolio.pays_by_entries());
    let line = paid.and_then(|action| portfolio.actions.get(&market.of_action(action)?)?.find(action));
    let owed = line.into_iter().flat_map(|line| &line.earned).filter(|earned| earned.owed);
    owed.cloned().collect()
}

/// The instrument whose figures a payment belongs to: the one that it names, else that of its action. A flow is of the
/// portfolio alone, and of a currency pair nothing is held.
fn named_by(portfolio: &Portfolio, market: &Market, entry: &CashEntry, rate: FxRate) -> Result<Option<payment::Named>, Trouble> {
    let of_action = || Some(&market.slot(market.of_action(entry.action_id.as_ref()?)?).id);
    let Some(named) = entry.instrument_id.as_ref().or_else(of_action).filter(|_| !is_flow(entry)) else { return Ok(None) };
    let (instrument, facts) = known(market, named)?;
    if facts.kind == InstrumentType::Fx {
        return Ok(None);
    }
    let amount = bounded(Amount::from(entry.amount))?;
    let amount = if entry.currency == facts.currency {
        amount
    } else {
        bounded(amount.convert(rate)?.convert_back(mark_rate(market, facts.currency, portfolio.base)?)?)?
    };
    Ok(Some(payment::Named { instrument, amount }))
}

fn transfer(portfolio: &Portfolio, market: &Market, entry: &CashEntry, instrument: &InstrumentId) -> Result<Transfer, Trouble> {
    let (ix, facts) = known(market, instrument)?;
    if entry.currency != facts.currency {
        return Err(Trouble::invalid(format!(
            "the entry is in {}, instrument {instrument:?} in {}: send the cost in the instrument's currency",
            entry.currency, facts.currency
        )));
    }
    if facts.kind == InstrumentType::Fx {
        return Err(Trouble::invalid(format!("instrument {instrument:?} is a currency pair, of which nothing is held: transfer the cash")));
    }
    let slot = market.slot(ix);
    let price = slot.price.ok_or_else(|| Trouble::Wait(Need::Price(instrument.clone())))?;
    let date = domain::venue::day_of(facts.venue.as_deref(), entry.effective_at);
    check_units(market, ix, date)?;
    let units = entry.quantity.unwrap_or_default();
    let is_in = entry.kind == CashKind::TransferIn;
    if !is_in {
        check_held(portfolio, ix, units)?;
    }
    let rate = mark_rate(market, facts.currency, portfolio.base)?;
    let cost = entry.total_cost.unwrap_or(entry.amount);
    Ok(Transfer {
        id: super::lots::keeps_lots(portfolio.method).then(|| entry.entry_id.clone()),
        instrument: ix,
        date,
        quantity: if is_in { units } else { units.checked_neg()? },
        currency: facts.currency,
        rate,
        price,
        worth: value(facts, units.abs(), unit_price(facts, price, slot.accrued)?)?,
        cost: if is_in { Some(bounded(Amount::from(cost))?) } else { None },
        future: facts.kind == InstrumentType::Future,
        strategy: entry.strategy.clone(),
    })
}

/// A transfer is valued and held against today's units: one from before a split that is in effect would not be.
fn check_units(market: &Market, ix: InstrumentIx, date: Date) -> Result<(), Trouble> {
    let slot = market.slot(ix);
    let Some(split) = slot.actions.effective().filter(|action| action.ratio().is_some()).last().filter(|split| date < split.ex_date) else {
        return Ok(());
    };
    Err(Trouble::invalid(format!(
        "the transfer of {:?} takes effect on {date}, before the split {:?} of {}, which is booked: send it in the units of today, with an effective_at from then on",
        slot.id, split.id, split.ex_date
    )))
}

/// What is not held cannot go.
fn check_held(portfolio: &Portfolio, ix: InstrumentIx, units: Quantity) -> Result<(), Trouble> {
    let held = portfolio.lines.find(ix).map_or(Quantity::ZERO, |place| portfolio.lines.at(place).position.quantity);
    if held.signum() == units.signum() && held.abs() >= units.abs() {
        return Ok(());
    }
    Err(Trouble::range(format!(
        "{units} units go and {held} are held: what goes out is held, with the same sign; if a booking is missing, send it, then ADMIT this record"
    )))
}

/// Whether a reversal says what the entry said that it takes back.
pub fn agrees(entry: &CashEntry, was: &Booking, market: &Market) -> Result<(), Trouble> {
    let named = entry.reverses.as_deref().unwrap_or_default();
    let same = match was {
        Booking::Payment(payment) => {
            !is_of_securities(entry)
                && entry_kind(entry.kind)? == payment.kind
                && (entry.currency, entry.amount) == (payment.currency, payment.amount)
        }
        Booking::Transfer(transfer) => {
            let sign = if entry.kind == CashKind::TransferOut { -1 } else { 1 };
            let units = entry.quantity.unwrap_or_default();
            entry.instrument_id.as_ref() == Some(&market.slot(transfer.instrument).id)
                && is_of_securities(entry)
                && transfer.quantity.units() == sign * units.units()
                && transfer.cost.is_some() == (entry.kind == CashKind::TransferIn)
                && entry.total_cost.is_none_or(|cost| transfer.cost.is_none_or(|was| was == Amount::from(cost)))
        }
        Booking::Execution(_) => false,
    };
    if same {
        return Ok(());
    }
    Err(Trouble::invalid(format!(
        "the reversal does not say what entry {named:?} says: it repeats its kind, currency and amount, or its instrument and quantity"
    )))
}

fn ledger_entry(
    kind: EntryKind,
    (entry, market): (&CashEntry, &Market),
    booking: &Booking,
    effect: &Effect,
    source: &Source,
    equity: Option<Amount>,
) -> LedgerEntry {
    let (price, rate) = match booking {
        Booking::Transfer(transfer) => (Some(transfer.price), Some(transfer.rate)),
        Booking::Payment(payment) => (None, Some(payment.rate)),
        Booking::Execution(execution) => (Some(execution.price), Some(execution.rate)),
    };
    let mut told = LedgerEntry {
        kind,
        cause: source.cause(&entry.entry_id),
        // A reversal need not name what its entry named, nor a dividend more than its action.
        instrument_id: entry.instrument_id.clone().or_else(|| Some(market.slot(booking.beside()?).id.clone())),
        // Nor what it is attributed to.
        strategy: booking.named().cloned(),
        venue: None,
        trade_date: None,
        effective_at: entry.effective_at,
        transact_time: None,
        quantity_change: effect.quantity,
        price,
        fx_rate: rate,
        cash: legs(&effect.movements),
        realized_gross: money(effect.realized),
        fees: charged(&effect.charges),
        income: money(effect.income),
        external_flow: money(effect.change.net_flows),
        equity_before: equity.filter(|_| is_flow(entry)).map(money),
        by_strategy: effect.told_parts(),
        closed_trades: effect.closings.told(),
        in_base: None,
    };
    told.in_base = effect.in_base(&told);
    told
}
