//! What a book has booked, in its order, and what becomes of it when something is booked before an action that stands
//! already, is cancelled, corrected or taken back, or when an action stands otherwise: its line is booked again from its
//! beginning, as it was and as it is now. Slow and obvious.

use super::actions::Standing;
use super::booking::Book;
use super::course::{Course, Stage};
use super::effect::{Effect, pair, payment, put, signed_quantity};
use super::exact::{Exact, Published, zero};
use super::holding::Position;
use super::needs;
use super::owed::{Owed, Papers, beside, owe};
use domain::cash::CashEntry;
use domain::enums::{CashKind, ExecType, InstrumentType};
use domain::fill::Fill;
use domain::instrument::Instrument;
use domain::{Date, InstrumentId, Price, SmolStr};
use std::collections::{BTreeMap, BTreeSet};

/// What securities cross the boundary at.
#[derive(Debug, Clone)]
pub(super) struct Terms<'a> {
    pub(super) instrument: &'a Instrument,
    /// As the ledger entry names it.
    pub(super) price: Price,
    /// What one unit of a bond had accrued.
    pub(super) accrued: Exact,
}

impl Terms<'_> {
    /// What one unit is worth.
    pub(super) fn unit_worth(&self) -> Exact {
        (self.price.exact() + &self.accrued) * self.instrument.multiplier.exact()
    }
    /// The day on which an entry takes effect where the securities are traded.
    pub(super) fn day(&self, entry: &CashEntry) -> Date {
        domain::venue::day_of(self.instrument.venue.as_deref(), entry.effective_at)
    }
}

/// One booking.
#[derive(Debug, Clone)]
pub(super) enum What<'a> {
    /// An execution: what it was booked as first, and what its figures are now.
    Fill { was: &'a Fill, stands: &'a Fill, instrument: &'a Instrument },
    /// Securities transferred.
    Securities { entry: &'a CashEntry, terms: Terms<'a> },
    /// Cash alone.
    Cash(&'a CashEntry),
    /// A fee, interest or a dividend of an instrument.
    Beside { entry: &'a CashEntry, instrument: &'a Instrument, papers: Papers },
}

/// Signed units of a booking, and those of each fee that the holding pays.
#[derive(Debug, Clone)]
pub(super) struct Units {
    pub(super) own: Exact,
    pub(super) fees: BTreeMap<usize, Exact>,
}

impl<'a> What<'a> {
    /// An execution as it came.
    pub(super) fn trade(fill: &'a Fill, instrument: &'a Instrument) -> Self {
        Self::Fill { was: fill, stands: fill, instrument }
    }
    /// The instrument whose position it changes.
    pub(super) fn line(&self) -> Option<&'a InstrumentId> {
        self.instrument().map(|instrument| &instrument.instrument_id)
    }
    /// The facts of that.
    pub(super) fn instrument(&self) -> Option<&'a Instrument> {
        match self {
            Self::Fill { instrument, .. } => (instrument.kind != InstrumentType::Fx).then_some(*instrument),
            Self::Securities { terms, .. } => Some(terms.instrument),
            Self::Beside { instrument, .. } => Some(instrument),
            Self::Cash(_) => None,
        }
    }
    /// The day by which it stands before or behind an action; none of cash alone. A correction leaves it as it was.
    pub(super) fn date(&self) -> Option<Date> {
        match self {
            Self::Fill { was, .. } => Some(was.trade_date),
            Self::Securities { entry, terms } => Some(terms.day(entry)),
            // Before and behind every action alike.
            Self::Cash(_) | Self::Beside { .. } => None,
        }
    }
    /// Signed units that it was of.
    pub(super) fn units(&self) -> Exact {
        match self {
            Self::Fill { stands, .. } => signed_quantity(stands),
            Self::Securities { entry, .. } => {
                let units = entry.quantity.map_or_else(zero, Published::exact);
                if entry.kind == CashKind::TransferIn { units } else { -units }
            }
            Self::Cash(_) | Self::Beside { .. } => zero(),
        }
    }
    /// The units of each fee that the holding pays, by its place among the fees.
    pub(super) fn held_fees(&self) -> BTreeMap<usize, Exact> {
        let Self::Fill { stands, instrument, .. } = self else { return BTreeMap::new() };
        let held = |fee: &domain::fill::Fee| instrument.kind != InstrumentType::Future && instrument.base_asset == Some(fee.currency);
        stands.fees.iter().enumerate().filter(|(_, fee)| held(fee)).map(|(at, fee)| (at, fee.amount.exact())).collect()
    }
    /// Books it into its position, where it has one: of other units than its own, where splits have made them of it.
    pub(super) fn apply(&self, position: &mut Position, units: Option<&Units>) -> Result<Effect, String> {
        let units = units.cloned().unwrap_or_else(|| Units { own: self.units(), fees: self.held_fees() });
        match self {
            Self::Fill { stands, instrument, .. } if instrument.kind == InstrumentType::Fx => pair(stands, instrument),
            // A correction leaves the lot its name and its date.
            Self::Fill { was, stands, instrument } => Ok(position.execute(stands, instrument, (&was.exec_id, was.trade_date), &units)),
            Self::Securities { entry, terms } => Ok(position.cross(entry, terms, units.own)),
            Self::Beside { entry, instrument, papers } => Ok(position.earn(beside(entry, instrument, papers)?)),
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
    /// Lines on which something was ever booked that stands before or behind actions.
    begun: BTreeSet<InstrumentId>,
}

impl<'a> Log<'a> {
    /// Keeps what was booked.
    pub(super) fn keep(&mut self, what: What<'a>) {
        let place = self.items.len();
        if let Some(line) = what.line() {
            self.lines.entry(line.clone()).or_default().push(place);
            if what.date().is_some() {
                self.begun.insert(line.clone());
            }
        }
        match &what {
            What::Fill { was, .. } => self.name((false, &was.source, &was.exec_id), was.trade_date, place),
            What::Securities { entry, .. } | What::Cash(entry) | What::Beside { entry, .. } => {
                self.name((true, &entry.source, &entry.entry_id), entry.effective_at.date_utc(), place);
            }
        }
        self.items.push(Some(what));
    }
    fn name(&mut self, name: Name<'a>, date: Date, place: usize) {
        self.names.entry(name).or_default().insert(date, place);
    }
    /// The places of a name by date.
    fn find(&self, name: Name<'a>) -> Result<&BTreeMap<Date, usize>, String> {
        self.names.get(&name).ok_or_else(|| format!("{:?} of {:?} was not booked before", name.2, name.1))
    }
    /// The place of an execution that a record names: of its date, else of the newest before it that may be meant, else
    /// of its date under the name that a correction of a later one gave it.
    fn named(&self, fill: &Fill, named: &'a SmolStr, source: &'a SmolStr) -> Result<usize, String> {
        let dates = self.find((false, source, named))?;
        let earlier = || dates.range(..fill.trade_date).rev().map(|(_, place)| *place).find(|place| self.may_mean(fill, *place));
        let is_of_its_date = |place: usize| matches!(&self.items[place], Some(What::Fill { was, .. }) if was.trade_date == fill.trade_date);
        let later = || {
            dates
                .range(fill.trade_date..)
                .rev()
                .map(|(_, place)| *place)
                .find(|place| is_of_its_date(*place) && self.may_mean(fill, *place))
        };
        let found = dates.get(&fill.trade_date).copied().or_else(earlier).or_else(later);
        found.ok_or_else(|| format!("{named:?} of {source:?} on {} was not booked before", fill.trade_date))
    }
    fn may_mean(&self, fill: &Fill, place: usize) -> bool {
        let Some(What::Fill { was, stands, .. }) = &self.items[place] else { return true };
        // A correction changes neither side, instrument nor currency.
        [was, stands].into_iter().any(|named| needs::may_mean(fill, named))
    }
    /// Lines on which something was booked.
    pub(super) fn lines(&self) -> impl Iterator<Item = &InstrumentId> {
        self.lines.keys()
    }
    /// Whether a line follows the actions that stand on it: from the first on that was booked there, entries beside it
    /// left out. Of one whose bookings were all taken back nobody knows.
    pub(super) fn has_begun(&self, id: &InstrumentId) -> Option<bool> {
        let stands = self.line(id).any(|(_, what)| what.is_some_and(|what| what.date().is_some()));
        if stands || !self.begun.contains(id) { Some(stands) } else { None }
    }
    /// The place of what is kept next.
    pub(super) fn next(&self) -> usize {
        self.items.len()
    }
    /// What stands on a line, by place.
    fn line(&self, id: &InstrumentId) -> impl Iterator<Item = (usize, Option<What<'a>>)> {
        self.line_behind(id, None)
    }
    /// The same behind a place.
    fn line_behind(&self, id: &InstrumentId, behind: Option<usize>) -> impl Iterator<Item = (usize, Option<What<'a>>)> {
        let places = self.lines.get(id).map_or(&[][..], Vec::as_slice);
        let from = places.partition_point(|place| Some(*place) <= behind);
        places[from..].iter().map(|place| (*place, self.items[*place].clone()))
    }
}

/// What happens to a book.
#[derive(Debug, Clone)]
pub(super) enum Change<'a> {
    /// Something is booked.
    New(What<'a>),
    /// Something else, or nothing, stands at a place from now on; `by` is the execution that says so.
    Instead { place: usize, now: Option<What<'a>>, by: Option<&'a Fill> },
    /// An action of a line stands, stands otherwise, or does not stand any more.
    Action { line: InstrumentId, id: SmolStr },
}

/// What a change comes to: what it does itself, and what it changes of all else.
#[derive(Debug)]
pub(super) struct Outcome<'a> {
    pub(super) own: Effect,
    pub(super) later: Effect,
    line: Option<(InstrumentId, Booked<'a>)>,
}

/// A line that was booked anew from a place on.
#[derive(Debug)]
struct Booked<'a> {
    position: Position,
    from: usize,
    stages: Vec<(usize, Stage<'a>)>,
}

impl<'a> Book<'a> {
    /// The change that a CANCEL or a CORRECT asks for.
    pub(super) fn amendment(&self, fill: &'a Fill) -> Result<Change<'a>, String> {
        let named = fill.exec_ref_id.as_ref().ok_or_else(|| format!("{} names no execution", fill.exec_id))?;
        let place = self.log.named(fill, named, &fill.source)?;
        let Some(What::Fill { was, instrument, .. }) = &self.log.items[place] else {
            return Err(format!("{} amends what is cancelled", fill.exec_id));
        };
        let now = (fill.exec_type == ExecType::Correct).then_some(What::Fill { was, stands: fill, instrument });
        Ok(Change::Instead { place, now, by: Some(fill) })
    }

    /// The change that an entry asks for which takes another back.
    pub(super) fn reversal(&self, entry: &'a CashEntry, named: &'a SmolStr) -> Result<Change<'a>, String> {
        let newest = self.log.find((true, &entry.source, named))?.last_key_value();
        let place = *newest.ok_or_else(|| format!("{named:?} has no place"))?.1;
        self.log.items[place].as_ref().ok_or("what is taken back already is taken back again")?;
        Ok(Change::Instead { place, now: None, by: None })
    }

    /// The line that a change concerns, and its facts.
    pub(super) fn line_of(&self, change: &Change<'a>) -> Option<InstrumentId> {
        match change {
            Change::New(what) => what.line().cloned(),
            Change::Instead { place, .. } => self.log.items[*place].as_ref().and_then(|was| was.line().cloned()),
            Change::Action { line, .. } => Some(line.clone()),
        }
    }

    /// What a change comes to where the line follows these actions afterwards; `silent` where the action that it is of was
    /// paid before without a word, since nothing was owed of it.
    pub(super) fn weigh(&self, change: &Change<'a>, follows: &[Standing], silent: bool) -> Result<Outcome<'a>, String> {
        let Some(line) = self.line_of(change) else { return self.weigh_cash(change) };
        let (mut known, paid) = self.paid_first(&line, follows);
        if let Change::Action { id, .. } = change {
            known.iter_mut().filter(|action| silent && action.id == *id).for_each(|action| action.paid = true);
        }
        let place = match change {
            Change::New(_) => Some(self.log.items.len()),
            Change::Instead { place, .. } => Some(*place),
            Change::Action { .. } => None,
        };
        // What stands before the change is the same before and after it, where the line follows the same.
        let stage = place.filter(|_| known == follows).and_then(|place| self.stages.get(&line)?.before(place, follows));
        let (behind, stage) = stage.map_or_else(|| (None, Stage::first(self.method)), |(behind, stage)| (Some(behind), stage));
        let stood = || self.log.line_behind(&line, behind);
        let before = Course::of(stage.clone(), stood().filter_map(|(place, what)| Some((place, what?))), &known)?;
        let stands = stood().map(|(at, what)| match change {
            Change::Instead { place, now, .. } if *place == at => (at, now.clone()),
            _ => (at, what),
        });
        let new = if let Change::New(what) = change { Some((self.log.items.len(), Some(what.clone()))) } else { None };
        let after = Course::of(stage, stands.chain(new).filter_map(|(place, what)| Some((place, what?))), follows)?;
        let (mut own, mut later) = (Effect::none(), Effect::none());
        let is_own = |action: &SmolStr| matches!(change, Change::Action { id, .. } if id == action);
        for (course, sign) in [(&before, -1), (&after, 1)] {
            for (at, effect) in &course.bookings {
                if Some(*at) == place { &mut own } else { &mut later }.add(effect, sign);
            }
            for (action, effect) in &course.actions {
                if is_own(action) { &mut own } else { &mut later }.add(effect, sign);
            }
        }
        for action in paid {
            if is_own(&action) { &mut own } else { &mut later }.add(&self.payment(&line, &action), 1);
        }
        if matches!(change, Change::New(_)) {
            // In today's units it comes to that.
            own.quantity += std::mem::replace(&mut later.quantity, zero());
        }
        let booked = Booked { position: after.position, from: behind.map_or(0, |behind| behind + 1), stages: after.stages };
        Ok(Outcome { own, later, line: Some((line, booked)) })
    }

    /// What a line follows, with those dividends paid that these pay without saying anything else of them; and their ids.
    fn paid_first(&self, line: &InstrumentId, follows: &[Standing]) -> (Vec<Standing>, Vec<SmolStr>) {
        let mut known = self.follows.get(line).cloned().unwrap_or_default();
        let mut paid = Vec::new();
        for action in known.iter_mut().filter(|action| !action.paid) {
            action.paid = follows.iter().any(|now| now.paid && now.says(action));
            paid.extend(action.paid.then(|| action.id.clone()));
        }
        (known, paid)
    }

    /// Whether the dividend that a change is of may have been paid without an entry: nothing is owed of it.
    pub(super) fn may_be_paid_in_silence(&self, change: &Change<'a>) -> bool {
        let Change::Action { line, id } = change else { return false };
        let unpaid = self.follows.get(line).into_iter().flatten().any(|action| action.id == *id && action.is_dividend() && !action.paid);
        unpaid && self.debt(line, id).is_none_or(Owed::is_nothing)
    }

    /// What is owed of a dividend becomes cash.
    fn payment(&self, line: &InstrumentId, action: &SmolStr) -> Effect {
        let mut effect = Effect::none();
        if let Some(owed) = self.debt(line, action) {
            owed.amounts.iter().for_each(|(currency, amount)| put(&mut effect.cash, *currency, amount));
            owe(&mut effect.owed, action, owed, -1);
        }
        effect
    }

    /// What is owed of a dividend on a line.
    pub(super) fn debt(&self, line: &InstrumentId, action: &SmolStr) -> Option<&Owed> {
        self.owed.get(line)?.get(action)
    }

    fn weigh_cash(&self, change: &Change<'a>) -> Result<Outcome<'a>, String> {
        let mut own = Effect::none();
        let mut add = |what: &What<'a>, sign| what.apply(&mut Position::default(), None).map(|effect| own.add(&effect, sign));
        match change {
            Change::New(what) => add(what, 1)?,
            Change::Instead { place, now, .. } => {
                self.log.items[*place].iter().try_for_each(|was| add(was, -1))?;
                now.iter().try_for_each(|now| add(now, 1))?;
            }
            Change::Action { .. } => {}
        }
        Ok(Outcome { own, later: Effect::none(), line: None })
    }

    /// Writes what a change comes to.
    pub(super) fn write(&mut self, change: &Change<'a>, outcome: Outcome<'a>, follows: Vec<Standing>) {
        let line = outcome.line.as_ref().map(|(line, _)| line);
        self.add(line, &outcome.own);
        self.add(line, &outcome.later);
        if let Some((line, Booked { mut position, from, stages })) = outcome.line {
            self.stages.entry(line.clone()).or_default().keep(from, &follows, stages);
            let held = self.positions.entry(line.clone()).or_default();
            (position.loose, position.bookings) = (held.loose || position.loose, held.bookings + position.bookings);
            *held = position;
            self.follow(line, change, follows);
        }
        match change {
            Change::New(what) => self.log.keep(what.clone()),
            Change::Instead { place, now, by } => {
                self.log.items[*place].clone_from(now);
                if let Some(fill) = by {
                    self.log.name((false, &fill.source, &fill.exec_id), fill.trade_date, *place);
                }
            }
            Change::Action { .. } => {}
        }
    }

    /// A line follows these from now on. What an entry had settled that is taken back is owed again, and paid anew.
    fn follow(&mut self, line: InstrumentId, change: &Change<'a>, mut follows: Vec<Standing>) {
        if let Change::Instead { place, .. } = change
            && let Some(What::Beside { papers, .. }) = &self.log.items[*place]
        {
            let settled = |action: &&mut Standing| papers.settles.contains_key(&action.id);
            follows.iter_mut().filter(settled).for_each(|action| action.paid = false);
        }
        for action in &follows {
            self.tellings.insert((line.clone(), action.id.clone()), action.telling);
        }
        self.follows.insert(line, follows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::exact::{Exact, whole};
    use crate::verify::story::{deposit, fill, instrument, usd, v};
    use domain::enums::Side;

    /// Amends; what the booking itself changes by, and what was booked after it.
    fn amended<'a>(book: &mut Book<'a>, change: Result<Change<'a>, String>) -> Option<(Effect, Effect)> {
        let change = change.ok()?;
        let outcome = book.weigh(&change, &[], false).unwrap();
        let both = (outcome.own.clone(), outcome.later.clone());
        book.write(&change, outcome, Vec::new());
        Some(both)
    }

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
        trades.iter().for_each(|trade| _ = book.book(What::trade(trade, &apple)).unwrap());
        // (120 - 105) x 5 became (120 - 115) x 5.
        let change = book.amendment(&right);
        let (own, later) = amended(&mut book, change).unwrap();
        assert_eq!((told(&own), told(&later)), ((whole(0), whole(-200), whole(0)), (whole(0), whole(0), whole(-50))));
        let change = book.amendment(&gone);
        let (own, later) = amended(&mut book, change).unwrap();
        assert_eq!((told(&own), told(&later)), ((whole(-10), whole(1300), whole(0)), (whole(0), whole(0), whole(75))));
        let held = &book.positions[&v::<InstrumentId>("AAPL")];
        assert_eq!((held.quantity.clone(), held.cost.clone(), held.realized.clone()), (whole(5), whole(500), whole(100)));
        assert_eq!(book.cash[&usd()], whole(-400));
        assert!(book.amendment(&again).is_err(), "it is cancelled already");
    }

    #[test]
    fn securities_cross_at_their_worth_and_leave_at_their_cost() {
        let apple = instrument("AAPL");
        let terms = |price| Terms { instrument: &apple, price: v(price), accrued: whole(0) };
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
        assert_eq!(book.book(What::Securities { entry: &comes, terms: terms("10") }).unwrap().flow, Some((usd(), whole(100))));
        assert_eq!(book.book(What::Securities { entry: &goes, terms: terms("11") }).unwrap().flow, Some((usd(), whole(-44))));
        let held = book.positions[&v::<InstrumentId>("AAPL")].clone();
        assert_eq!((held.quantity, held.cost, held.realized), (whole(6), whole(48), whole(0)));
        let change = book.reversal(&back, back.reverses.as_ref().unwrap());
        let (own, later) = amended(&mut book, change).unwrap();
        assert_eq!(
            (own.flow, own.quantity, crate::verify::explain::untold(&later, false).is_none()),
            (Some((usd(), whole(-100))), whole(-10), true)
        );
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
        let papers = || Papers { turned: None, settles: crate::verify::owed::Debts::new() };
        let mut book = Book::default();
        book.book(What::trade(&trade, &apple)).unwrap();
        assert_eq!(book.book(What::Beside { entry: &dividend, instrument: &apple, papers: papers() }).unwrap().income.own, whole(12));
        assert_eq!(book.book(What::Beside { entry: &fee, instrument: &apple, papers: papers() }).unwrap().fees[&usd()], whole(5));
        let figures = |book: &Book<'_>| {
            let held = &book.positions[&v::<InstrumentId>("AAPL")];
            (held.income.own.clone(), held.own_fees.clone().unwrap().own, held.cost.clone())
        };
        assert_eq!((figures(&book), book.cash[&usd()].clone()), ((whole(12), whole(5), whole(1000)), whole(-993)));
        let change = book.reversal(&back, back.reverses.as_ref().unwrap());
        let (own, later) = amended(&mut book, change).unwrap();
        assert_eq!((own.income.own, crate::verify::explain::untold(&later, false)), (whole(-12), None));
        assert_eq!((figures(&book), book.cash[&usd()].clone()), ((whole(0), whole(5), whole(1000)), whole(-1005)));
    }
}
