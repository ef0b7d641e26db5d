//! What of a record cannot be right whatever the market: refused here once, for every lane.
//!
//! Prices may be zero or negative (futures, spreads, worthless shares): they travel on and are counted, and
//! a book that would be valued on one holds it back. A quote whose bid lies above its ask in one and the same
//! tick has no middle and is refused. A market status may be UNKNOWN: a venue out of touch, or the symbol of a
//! newer sender. What a lane makes of it is its owner's rule.

use domain::calendar::{self, Calendar};
use domain::close::Close;
use domain::corporate_action::{CorporateAction, LARGEST_RATIO};
use domain::enums::{ActionKind, ActionStatus, InstrumentType, PriceSource};
use domain::ids::is_id;
use domain::instrument::Instrument;
use domain::market_status::MarketStatus;
use domain::reason::DeadLetterCode::{self, FutureTick, InvalidRecord, OutOfRange, UnknownEnum};
use domain::tick::Tick;
use domain::{Price, Quantity, SmolStr, Timestamp};
use engine::Refusal;

/// Days ahead for which a market status or a corporate action may be announced.
pub const ANNOUNCED_DAYS: i64 = 366;
/// How many days after its ex-date a dividend may be paid.
const PAID_DAYS: i32 = 366;
/// The longest text of a record, in bytes.
pub const MAX_TEXT: usize = 1024;
/// The longest text that stands in every line of drift events, snapshots and plans, in bytes: it decides how
/// many lines a portfolio may have (`engine::settings::MAX_LINES`).
pub const MAX_NAME: usize = 64;

type Checked = Result<(), Refusal>;

fn refuse(code: DeadLetterCode, text: String) -> Checked {
    Err(Refusal::new(code, text))
}

fn require(holds: bool, code: DeadLetterCode, text: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { refuse(code, text()) }
}

/// A tick; `now` is the moment by which the future is told.
pub fn tick(tick: &Tick, key: Option<&[u8]>, now: Timestamp, future_seconds: i64) -> Checked {
    let id = tick.instrument_id.as_str();
    keyed(key, id, "instrument_id")?;
    let prices = [tick.bid, tick.ask, tick.last, tick.mark, tick.accrued];
    if prices.iter().all(Option::is_none) && tick.volume.is_none() {
        return refuse(InvalidRecord, format!("the tick of {id} gives no price and no volume: give at least one"));
    }
    if !prices.iter().flatten().all(|price| price.fits_wire()) {
        return refuse(OutOfRange, format!("a price of the tick of {id} has more than 28 digits"));
    }
    if let (Some(bid), Some(ask)) = (tick.bid, tick.ask)
        && bid > ask
    {
        return refuse(InvalidRecord, format!("the tick of {id} is crossed: bid {bid} above ask {ask}; send a quote of one book"));
    }
    if let Some(volume) = tick.volume {
        not_negative(volume, "volume", id)?;
    }
    short(tick.venue.as_ref(), "venue", id)?;
    let limit = now.plus_seconds(future_seconds);
    if tick.event_time > limit {
        return refuse(
            FutureTick,
            format!("the tick of {id} was made at {}, more than {future_seconds} s after {now}: check the sender's clock", tick.event_time),
        );
    }
    Ok(())
}

/// Whether a price field of a tick is not above zero. Which field a book is valued on is chosen later, by the
/// instrument's source: only where it is one of these is the price held until another comes.
pub fn gives_not_above_zero(tick: &Tick) -> bool {
    [tick.bid, tick.ask, tick.last, tick.mark].iter().flatten().any(|price| !price.is_positive())
}

/// An instrument.
pub fn instrument(instrument: &Instrument, key: Option<&[u8]>) -> Checked {
    let id = instrument.instrument_id.as_str();
    keyed(key, id, "instrument_id")?;
    require(instrument.kind != InstrumentType::Unknown, UnknownEnum, || InstrumentType::unknown(&format!("type of {id}")))?;
    require(instrument.price_source != PriceSource::Unknown, UnknownEnum, || PriceSource::unknown(&format!("price_source of {id}")))?;
    positive(instrument.multiplier, "multiplier", id)?;
    positive(instrument.lot_size, "lot_size", id)?;
    if let Some(step) = instrument.tick_size {
        positive_price(step, "tick_size", id)?;
    }
    if let Some(volume) = instrument.average_daily_volume {
        not_negative(volume, "average_daily_volume", id)?;
    }
    let age = instrument.max_price_age_seconds;
    require(age.is_none_or(|age| age > 0), OutOfRange, || {
        format!("max_price_age_seconds of {id} is not positive: leave it out or raise it")
    })?;
    let jump = instrument.max_jump_bp;
    let jump_fits = jump.is_none_or(|jump| jump.is_positive() && jump.fits_wire());
    require(jump_fits, OutOfRange, || format!("max_jump_bp of {id} is not positive: leave it out or raise it"))?;
    let names = [(&instrument.symbol, "symbol"), (&instrument.sector, "sector"), (&instrument.venue, "venue")];
    names.iter().try_for_each(|(text, name)| within(MAX_NAME, text.as_ref(), name, id))?;
    let texts = [(&instrument.name, "name"), (&instrument.calendar, "calendar")];
    texts.iter().try_for_each(|(text, name)| short(text.as_ref(), name, id))?;
    let calendar = instrument.calendar.as_deref().filter(|name| Calendar::named(name).is_none());
    require(calendar.is_none(), OutOfRange, || {
        let name = calendar.unwrap_or_default();
        format!("calendar {name:?} of {id} {}; leave it out where its market reports for itself", calendar::unknown())
    })
}

/// A corporate action; `now` is the moment by which the future is told. One that is withdrawn needs no details.
pub fn action(action: &CorporateAction, key: Option<&[u8]>, now: Timestamp) -> Checked {
    let id = action.action_id.as_str();
    require(is_id(id), InvalidRecord, || format!("action_id {:?} is no id of 1 to 128 bytes", id.chars().take(32).collect::<String>()))?;
    keyed(key, id, "action_id")?;
    require(action.status != ActionStatus::Unknown, UnknownEnum, || ActionStatus::unknown(&format!("status of {id}")))?;
    require(action.kind != ActionKind::Unknown, UnknownEnum, || ActionKind::unknown(&format!("kind of {id}")))?;
    within(MAX_NAME, action.new_symbol.as_ref(), "new_symbol", id)?;
    if action.status == ActionStatus::Cancelled {
        return Ok(());
    }
    let limit = now.plus_seconds(ANNOUNCED_DAYS * 86_400).date_utc();
    require(action.ex_date <= limit, OutOfRange, || {
        let day = action.ex_date;
        format!("ex_date of {id} is {day}, more than {ANNOUNCED_DAYS} days after {now}: announce it nearer its time")
    })?;
    require(action.pay_date.is_none_or(|pay| pay >= action.ex_date), InvalidRecord, || {
        format!("pay_date of {id} lies before its ex_date {}: nothing is paid before it is earned", action.ex_date)
    })?;
    let last = action.ex_date.plus_days(PAID_DAYS);
    require(action.pay_date.is_none_or(|pay| pay <= last), OutOfRange, || {
        format!("pay_date of {id} is more than {PAID_DAYS} days after its ex_date {}: look at the year", action.ex_date)
    })?;
    details(action, id)
}

fn details(action: &CorporateAction, id: &str) -> Checked {
    let missing = |field: &str| format!("the {} {id} lacks {field}", action.kind);
    match action.kind {
        ActionKind::Split => {
            let (Some(new), Some(old)) = (action.ratio_new, action.ratio_old) else {
                return refuse(InvalidRecord, missing("ratio_new or ratio_old"));
            };
            positive(new, "ratio_new", id)?;
            positive(old, "ratio_old", id)?;
            let (new, old) = (new.units(), old.units());
            require(new / old <= LARGEST_RATIO && old / new <= LARGEST_RATIO, OutOfRange, || {
                format!("the ratio of {id} makes more than {LARGEST_RATIO} units of one, or one of as many: check ratio_new and ratio_old")
            })?;
            let lieu = action.cash_in_lieu_price;
            let fits = lieu.is_none_or(|price| !price.is_negative() && price.fits_wire());
            require(fits, OutOfRange, || format!("cash_in_lieu_price of {id} is negative or too large"))
        }
        ActionKind::CashDividend => match action.amount_per_share {
            Some(amount) => positive_price(amount, "amount_per_share", id),
            None => refuse(InvalidRecord, missing("amount_per_share")),
        },
        ActionKind::SymbolChange => {
            let symbol = action.new_symbol.as_ref();
            require(symbol.is_some_and(|symbol| !symbol.is_empty()), InvalidRecord, || missing("new_symbol"))
        }
        ActionKind::Unknown => refuse(UnknownEnum, ActionKind::unknown(&format!("kind of {id}"))),
    }
}

/// A market status; `now` is the moment by which the future is told.
pub fn status(status: &MarketStatus, key: Option<&[u8]>, now: Timestamp) -> Checked {
    let limit = now.plus_seconds(ANNOUNCED_DAYS * 86_400);
    require(status.effective_at <= limit, OutOfRange, || {
        let at = status.effective_at;
        format!("effective_at of the market status is {at}, more than {ANNOUNCED_DAYS} days after {now}: announce it nearer its time")
    })?;
    match (&status.venue, &status.instrument_id) {
        (None, Some(instrument)) => keyed(key, instrument.as_str(), "instrument_id"),
        (Some(venue), None) if is_id(venue) => keyed(key, venue, "venue"),
        (Some(_), None) => refuse(InvalidRecord, "the venue of a market status is no id of 1 to 128 bytes".to_owned()),
        _ => refuse(InvalidRecord, "a market status names exactly one of venue and instrument_id".to_owned()),
    }
}

/// An official close. Its key orders amendments and is the sender's to build.
pub fn close(close: &Close) -> Checked {
    let id = close.instrument_id.as_str();
    positive_price(close.close, "the close", id)?;
    short(Some(&close.source), "source", id)
}

fn keyed(key: Option<&[u8]>, id: &str, field: &str) -> Checked {
    require(key == Some(id.as_bytes()), InvalidRecord, || {
        let shown = engine::role::key_shown(key);
        format!("the record's key is {shown}, its {field} {id:?}: key records by {field}, so that they stay in order")
    })
}

fn positive(value: Quantity, field: &str, id: &str) -> Checked {
    require(value.is_positive() && value.fits_wire(), OutOfRange, || format!("{field} of {id} is {value}, it must be positive"))
}

fn positive_price(value: Price, field: &str, id: &str) -> Checked {
    require(value.is_positive() && value.fits_wire(), OutOfRange, || format!("{field} of {id} is {value}, it must be positive"))
}

fn not_negative(value: Quantity, field: &str, id: &str) -> Checked {
    require(!value.is_negative() && value.fits_wire(), OutOfRange, || format!("{field} of {id} is {value}, it cannot be negative"))
}

fn short(text: Option<&SmolStr>, field: &str, id: &str) -> Checked {
    within(MAX_TEXT, text, field, id)
}

fn within(bytes: usize, text: Option<&SmolStr>, field: &str, id: &str) -> Checked {
    require(text.is_none_or(|text| text.len() <= bytes), OutOfRange, || format!("{field} of {id} is longer than {bytes} bytes"))
}
