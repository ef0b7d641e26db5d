//! What a book has booked, in its order, and what becomes of it when a booking is cancelled, corrected or taken back:
//! its line is booked again from its beginning, without it or with what is right. Slow and obvious.

use super::booking::{Book, Effect, Position, pair, payment};
use domain::cash::CashEntry;
use domain::enums::{ExecType, InstrumentType};
use domain::fill::Fill;
use domain::instrument::Instrument;
use domain::{Date, InstrumentId, Price, SmolStr};
use std::collections::BTreeMap;

/// What securities cross the boundary at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) instrument: &'a Instrument,
    /// As the ledger entry names it.
    pub(super) price: Price,
}

/// One booking.
#[derive(Debug, Clone, Copy)]
pub(super) enum What<'a> {
    /// An execution: what it was booked as first, and what its figures are now.
    Fill { was: &'a Fill, stands: &'a Fill, instrument: &'a Instrument },
    /// Securities transferred.
    Securities { entry: &'a CashEntry, terms: Terms<'a> },
    /// Cash alone.
    Cash(&'a CashEntry),
    /// A fee, interest or a dividend of an instrument.
    Beside { entry: &'a CashEntry, instrument: &'a Instrument },
}

impl<'a> What<'a> {
    /// The instrument whose position it changes.
    pub(super) fn line(&self) -> Option<&'a InstrumentId> {
        match self {
            Self::Fill { instrument, .. } if instrument.kind == InstrumentType::Fx => None,
            Self::Fill { instrument, .. } => Some(&instrument.instrument_id),
            Self::Securities { terms, .. } => Some(&terms.instrument.instrument_id),
            Self::Beside { instrument, .. } => Some(&instrument.instrument_id),
            Self::Cash(_) => None,
        }
    }
    /// Books it into its position, where it has one.
    pub(super) fn apply(&self, position: &mut Position) -> Result<Effect, String> {
        match self {
            Self::Fill { stands, instrument, .. } if instrument.kind == InstrumentType::Fx => pair(stands, instrument),
            // A correction leaves the lot its name and its date.
            Self::Fill { was, stands, instrument } => Ok(position.execute(stands, instrument, (&was.exec_id, was.trade_date))),
            Self::Securities { entry, terms } => Ok(position.cross(entry, terms)),
            Self::Beside { entry, .. } => Ok(position.earn(payment(entry)?)),
            Self::Cash(entry) => payment(entry),
        }
    }
}

/// What names a booking: whether it is a cash entry, its source, its id.
type Name<'a> = (bool, &'a SmolStr, &'a SmolStr);

/// Everything that was booked.
#[derive(Debug, Clone, Default)]
pub(super) struct Log<'a> {
    items: Vec<Option<What<'a>>>,
    /// Places by name and date.
    names: BTreeMap<Name<'a>, BTreeMap<Date, usize>>,
    lines: BTreeMap<InstrumentId, Vec<usize>>,
}

impl<'a> Log<'a> {
    fn keep(&mut self, what: What<'a>) -> usize {
        let place = self.items.len();
        if let Some(line) = what.line() {
            self.lines.entry(line.clone()).or_default().push(place);
        }
        self.items.push(Some(what));
        place
    }
    /// Keeps a TRADE.
    pub(super) fn keep_fill(&mut self, fill: &'a Fill, instrument: &'a Instrument) {
        let place = self.keep(What::Fill { was: fill, stands: fill, instrument });
        self.name((false, &fill.source, &fill.exec_id), fill.trade_date, place);
    }
    /// Keeps a cash entry.
    pub(super) fn keep_entry(&mut self, entry: &'a CashEntry, what: What<'a>) {
        let place = self.keep(what);
        self.name((true, &entry.source, &entry.entry_id), entry.effective_at.date_utc(), place);
    }
    fn name(&mut self, name: Name<'a>, date: Date, place: usize) {
        self.names.entry(name).or_default().insert(date, place);
    }
    /// The place of a name: of that date, else of the newest.
    fn find(&self, name: Name<'a>, date: Date) -> Result<usize, String> {
        let dates = self.names.get(&name).ok_or_else(|| format!("{:?} of {:?} was not booked before", name.2, name.1))?;
        let newest = dates.last_key_value().map(|(_, place)| *place);
        dates.get(&date).copied().or(newest).ok_or_else(|| format!("{:?} has no place", name.2))
    }
}

/// What an amendment changes: of the booking itself, and of what was booked after it.
pub(super) struct Amended {
    pub(super) own: Effect,
    pub(super) later: Effect,
}

impl<'a> Book<'a> {
    /// Books a CANCEL or a CORRECT.
    pub(super) fn amend(&mut self, fill: &'a Fill) -> Result<Amended, String> {
        let named = fill.exec_ref_id.as_ref().ok_or_else(|| format!("{} names no execution", fill.exec_id))?;
        let place = self.log.find((false, &fill.source, named), fill.trade_date)?;
        let Some(What::Fill { was, instrument, .. }) = self.log.items[place] else {
            return Err(format!("{} amends what is cancelled", fill.exec_id));
        };
        let now = (fill.exec_type == ExecType::Correct).then_some(What::Fill { was, stands: fill, instrument });
        let amended = self.instead(place, now)?;
        self.log.name((false, &fill.source, &fill.exec_id), fill.trade_date, place);
        Ok(amended)
    }

    /// Takes an entry back.
    pub(super) fn reverse(&mut self, entry: &'a CashEntry, named: &'a SmolStr) -> Result<Amended, String> {
        let place = self.log.find((true, &entry.source, named), Date::from_days(i32::MIN))?;
        self.instead(place, None)
    }

    fn instead(&mut self, place: usize, now: Option<What<'a>>) -> Result<Amended, String> {
        let was = self.log.items[place].ok_or("what is taken back already is taken back again")?;
        let (mut own, mut later) = (Effect::none(), Effect::none());
        match was.line() {
            None => {
                own.add(&was.apply(&mut Position::default())?, -1);
                if let Some(now) = &now {
                    own.add(&now.apply(&mut Position::default())?, 1);
                }
            }
            Some(line) => {
                let (mut before, mut after) = (Position::by(self.method), Position::by(self.method));
                for at in &self.log.lines[line] {
                    let (stood, stands) = (self.log.items[*at], if *at == place { now } else { self.log.items[*at] });
                    let sum = if *at == place { &mut own } else { &mut later };
                    if let Some(what) = stood {
                        sum.add(&what.apply(&mut before)?, -1);
                    }
                    if let Some(what) = stands {
                        sum.add(&what.apply(&mut after)?, 1);
                    }
                }
                let held = self.positions.entry(line.clone()).or_default();
                (after.loose, after.bookings) = (held.loose || after.loose, held.bookings + after.bookings);
                *held = after;
            }
        }
        self.log.items[place] = now;
        self.add(&own);
        self.add(&later);
        Ok(Amended { own, later })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::exact::{Exact, whole};
    use crate::verify::story::{deposit, fill, instrument, usd, v};
    use domain::enums::{CashKind, Side};

    fn amends(kind: ExecType, of: &str, price: &str) -> Fill {
        Fill { exec_type: kind, exec_ref_id: Some(of.into()), ..fill(&format!("{of}!"), Side::Buy, "10", price, "0", None) }
    }
    fn told(effect: &Effect) -> (Exact, Exact, Exact) {
        (effect.quantity.clone(), effect.cash.get(&usd()).cloned().unwrap_or_else(|| whole(0)), effect.realized.clone())
    }

    #[test]
    fn what_came_after_is_booked_again() {
        let apple = instrument("AAPL");
        let trades = [("1", Side::Buy, "10", "100"), ("2", Side::Buy, "10", "110"), ("3", Side::Sell, "5", "120")];
        let trades = trades.map(|(id, side, quantity, price)| fill(id, side, quantity, price, "0", None));
        let (right, gone, again) =
            (amends(ExecType::Correct, "2", "130"), amends(ExecType::Cancel, "2!", "110"), amends(ExecType::Cancel, "2", "1"));
        let mut book = Book::default();
        trades.iter().for_each(|trade| _ = book.fill(trade, &apple).unwrap());
        // (120 - 105) x 5 became (120 - 115) x 5.
        let Amended { own, later } = book.amend(&right).unwrap();
        assert_eq!((told(&own), told(&later)), ((whole(0), whole(-200), whole(0)), (whole(0), whole(0), whole(-50))));
        let Amended { own, later } = book.amend(&gone).unwrap();
        assert_eq!((told(&own), told(&later)), ((whole(-10), whole(1300), whole(0)), (whole(0), whole(0), whole(75))));
        let held = &book.positions[&v::<InstrumentId>("AAPL")];
        assert_eq!((held.quantity.clone(), held.cost.clone(), held.realized.clone()), (whole(5), whole(500), whole(100)));
        assert_eq!(book.cash[&usd()], whole(-400));
        assert!(book.amend(&again).is_err(), "it is cancelled already");
    }

    #[test]
    fn securities_cross_at_their_worth_and_leave_at_their_cost() {
        let apple = instrument("AAPL");
        let terms = |price| Some(Terms { instrument: &apple, price: v(price) });
        let moved = |id: &str, kind, units| CashEntry {
            kind,
            instrument_id: Some(v("AAPL")),
            quantity: Some(v(units)),
            total_cost: Some(v("80")),
            ..deposit(id, "0")
        };
        let (comes, goes) = (moved("1", CashKind::TransferIn, "10"), moved("2", CashKind::TransferOut, "4"));
        let back = CashEntry { reverses: Some("1".into()), ..moved("3", CashKind::TransferIn, "10") };
        let mut book = Book::default();
        assert_eq!(book.entry(&comes, terms("10")).unwrap().flow, Some((usd(), whole(100))));
        assert_eq!(book.entry(&goes, terms("11")).unwrap().flow, Some((usd(), whole(-44))));
        let held = book.positions[&v::<InstrumentId>("AAPL")].clone();
        assert_eq!((held.quantity, held.cost, held.realized), (whole(6), whole(48), whole(0)));
        let Amended { own, later } = book.reverse(&back, back.reverses.as_ref().unwrap()).unwrap();
        assert_eq!((own.flow, own.quantity, later.is_nothing()), (Some((usd(), whole(-100))), whole(-10), true));
        let held = &book.positions[&v::<InstrumentId>("AAPL")];
        assert_eq!(
            (held.quantity.clone(), held.cost.clone()),
            (whole(-4), whole(-44)),
            "what went without being held is owed at its worth"
        );
        assert_eq!(book.flows[&usd()], whole(-44));
    }

    #[test]
    fn what_an_instrument_brought_beside_its_trades_can_be_taken_back() {
        let apple = instrument("AAPL");
        let of = |id: &str, kind, amount| CashEntry { kind, instrument_id: Some(v("AAPL")), ..deposit(id, amount) };
        let (dividend, fee) = (of("1", CashKind::Dividend, "12"), of("2", CashKind::Fee, "5"));
        let back = CashEntry { reverses: Some("1".into()), ..of("3", CashKind::Dividend, "12") };
        let trade = fill("1", Side::Buy, "10", "100", "0", None);
        let mut book = Book::default();
        book.fill(&trade, &apple).unwrap();
        assert_eq!(book.beside(&dividend, &apple).unwrap().income, whole(12));
        assert_eq!(book.beside(&fee, &apple).unwrap().fees[&usd()], whole(5));
        let figures = |book: &Book<'_>| {
            let held = &book.positions[&v::<InstrumentId>("AAPL")];
            (held.income.clone(), held.own_fees.clone().unwrap(), held.cost.clone())
        };
        assert_eq!((figures(&book), book.cash[&usd()].clone()), ((whole(12), whole(5), whole(1000)), whole(-993)));
        let Amended { own, later } = book.reverse(&back, back.reverses.as_ref().unwrap()).unwrap();
        assert_eq!((own.income, later.is_nothing()), (whole(-12), true));
        assert_eq!((figures(&book), book.cash[&usd()].clone()), ((whole(0), whole(5), whole(1000)), whole(-1005)));
    }
}
