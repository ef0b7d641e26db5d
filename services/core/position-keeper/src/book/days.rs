//! The days of a portfolio: those that were closed and may be closed again, those that were cut and are still to be
//! closed, and how far back something has changed since. It makes no close.

use super::booking::Booking;
use crate::prices::InstrumentIx;
use crate::prices::cuts::DayCut;
use domain::{Currency, Date, Money};
use serde::{Deserialize, Serialize};

/// Closed days that are kept, and cuts that may be missed: older days are never closed again.
pub const MOST_DAYS: usize = 10;

/// What a close lacks to be final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Lack {
    /// The prices of its cut, which were let go, or are of after it.
    Prices,
    /// A price.
    Price(InstrumentIx),
    /// A rate to base.
    Rate(Currency),
    /// The value of a holding, which leaves its range.
    Value(InstrumentIx),
    /// The value of cash of a currency, which leaves its range.
    Cash(Currency),
    /// A corporate action that the book does not follow, or facts that are doubtful.
    Action(InstrumentIx),
    /// Records that wait.
    Waiting,
    /// Bookings that were let go, so that those of later days cannot be told apart.
    Bookings,
    /// What was held, a figure of which leaves its range.
    Range,
    /// Bookings that do not fold again to what is held: a defect of ours.
    Fold,
    /// A person's decision about refused records.
    Release,
    /// Whether the day is one at all: its calendar does not speak of it.
    Calendar,
    /// A price that is no older than the policy allows.
    NewerPrice(InstrumentIx),
}

impl Lack {
    /// Whether the day's figures cannot be told, and those of now would stand in their place.
    pub fn is_untold(&self) -> bool {
        matches!(self, Self::Bookings | Self::Range | Self::Fold)
    }
    /// Whether figures are missing, and not only somebody's word that they are right.
    pub fn is_of_figures(&self) -> bool {
        !matches!(self, Self::Release | Self::Calendar)
    }
}

/// A day that was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedDay {
    /// Its cut.
    pub cut: DayCut,
    /// Version of its newest close.
    pub version: i64,
    /// Fingerprint of that one's figures.
    pub figures: u128,
    /// What it lacked; nothing, where it was final.
    pub lacks: Vec<Lack>,
    /// Net flows up to it, as published.
    pub net_flows: Money,
}

/// The days.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Days {
    /// The newest closed days, in order.
    closed: Vec<ClosedDay>,
    /// Net flows up to the day before the first of them, as published.
    before: Money,
    /// Days that were cut and are not yet closed, in order.
    due: Vec<DayCut>,
    /// The oldest day that something concerned which was booked since the last closes were made.
    touched: Option<Date>,
    /// The day from which a turn has left days that are to be closed again.
    pub rest: Option<Date>,
    /// The newest date of one currency against another: such bookings have no line that would tell.
    pub exchanged: Option<Date>,
}

impl Days {
    /// Notes that something was booked that concerns that day and those after it.
    pub fn touch(&mut self, day: Option<Date>) {
        self.touched = self.touched.into_iter().chain(day).min();
    }
    /// The oldest day that a booking concerns, made or taken back. Cash belongs to the first day that was not yet cut at
    /// its moment; where none of those that are closed is, to none of them.
    pub fn concerned(&self, booking: &Booking) -> Option<Date> {
        match booking {
            Booking::Payment(payment) => self.closed.iter().find(|day| payment.at < day.cut.at).map(|day| day.cut.date),
            _ => Some(booking.date()),
        }
    }
    /// Whether a closed day is concerned by what was booked. What is not need not be remembered.
    pub fn look(&mut self) -> bool {
        let last = self.closed.last().map(|day| day.cut.date);
        self.touched = self.touched.filter(|touched| Some(*touched) <= last);
        self.touched.is_some()
    }
    /// Whether closed days are to be closed again, beside those that a turn has left.
    pub fn is_touched(&self) -> bool {
        self.touched.is_some()
    }
    /// The oldest day from which closed days are to be closed again; it is then done.
    pub fn take_touched(&mut self) -> Option<Date> {
        self.touched.take()
    }
    /// Notes a day that was cut; one that was closed under another cut already is not closed twice.
    pub fn cut(&mut self, cut: DayCut) -> bool {
        let last = self.due.last().or(self.closed.last().map(|day| &day.cut));
        if last.is_some_and(|last| cut.date <= last.date) {
            return false;
        }
        self.due.push(cut);
        if self.due.len() > MOST_DAYS {
            self.due.remove(0);
        }
        true
    }
    /// The first day that was cut and is not yet closed; it then counts as closed.
    pub fn take_due(&mut self) -> Option<DayCut> {
        (!self.due.is_empty()).then(|| self.due.remove(0))
    }
    /// The first day that is still to be closed.
    pub fn first_due(&self) -> Option<Date> {
        self.due.first().map(|cut| cut.date)
    }
    /// How many days are still to be closed, or closed finally.
    pub fn unfinished(&self) -> usize {
        self.due.len() + self.closed.iter().filter(|day| !day.lacks.is_empty()).count()
    }
    /// The closed days that are kept, in order.
    pub fn closed(&self) -> &[ClosedDay] {
        &self.closed
    }
    /// Has those closed again that stand on a price which was too old: how old one may be is another now.
    pub fn age_anew(&mut self) {
        let lacks = |day: &&ClosedDay| day.lacks.iter().any(|lack| matches!(lack, Lack::NewerPrice(_)));
        self.touch(self.closed.iter().find(lacks).map(|day| day.cut.date));
    }
    /// Whether a rate would make a closed day whole.
    pub fn lack_a_rate(&self) -> bool {
        self.closed.iter().flat_map(|day| &day.lacks).any(|lack| matches!(lack, Lack::Rate(_)))
    }
    /// Net flows up to the day before one of them, or before the next.
    pub fn flows_before(&self, place: usize) -> Money {
        place.checked_sub(1).and_then(|place| self.closed.get(place)).map_or(self.before, |day| day.net_flows)
    }
    /// Notes what a closed day lacks that stays as it is.
    pub fn lack(&mut self, place: usize, lacks: Vec<Lack>) {
        if let Some(day) = self.closed.get_mut(place) {
            day.lacks = lacks;
        }
    }
    /// Writes a closed day, at a place that is known or behind all others.
    pub fn write(&mut self, place: usize, day: ClosedDay) {
        match self.closed.get_mut(place) {
            Some(known) => *known = day,
            None => self.closed.push(day),
        }
    }
    /// Lets the oldest days go that are too many.
    pub fn let_go(&mut self) {
        let most = self.closed.len().saturating_sub(MOST_DAYS);
        if let Some(last) = self.closed.drain(..most).next_back() {
            self.before = last.net_flows;
        }
    }
}
