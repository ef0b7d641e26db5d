//! One portfolio: its policy, its book, and what it has published.

use super::across::Across;
use super::action::LineActions;
use super::besides::Besides;
use super::booking::Booking;
use super::cash::CashBook;
use super::days::Days;
use super::execution::{Charges, Effect};
use super::history::{Changes, History, Place};
use super::holding::Holding;
use super::journal::Journal;
use super::lines::Lines;
use super::orders::RecentOrders;
use super::outside::Outside;
use super::sums::Sums;
use super::trade::Planned;
use crate::anomaly::Vigil;
use crate::drift::{Request, Rules, Shadow, Watch};
use crate::prices::actions::Deed;
use crate::prices::{Action, InstrumentIx};
use crate::target_risk::RiskWatch;
use domain::enums::{CostMethod, DividendSource};
use domain::ledger::LedgerEntry;
use domain::policy::Policy;
use domain::{Amount, Currency, Date, PortfolioId, SmolStr, Timestamp};
use engine::commands::CommandMemory;
use engine::dedup::{Latecomers, RecordId, Window};
use engine::near::read;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Marks the place of a payment: they are numbered apart from what changes a line.
const PAYMENT: Place = 1 << 63;

/// The number of a portfolio in its lane, in the order of first policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PortfolioIx(pub u32);

impl PortfolioIx {
    /// Its place in a table.
    pub const fn at(self) -> usize {
        self.0 as usize
    }
    /// The number of a place.
    pub fn of(place: usize) -> Self {
        Self(u32::try_from(place).expect("a lane has fewer than 2^32 portfolios"))
    }
}

/// Equity and flows at the last day cut, both in base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayBase {
    /// Equity.
    pub equity: Amount,
    /// Cumulative net flows.
    pub net_flows: Amount,
}

/// What was published of a portfolio, and whether more is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Version of the last snapshot.
    pub version: i64,
    /// When it was made.
    pub at: Timestamp,
    /// Whether something changed since.
    pub pending: bool,
}

/// A portfolio.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Portfolio {
    /// Its id.
    pub id: PortfolioId,
    /// Its number.
    pub ix: PortfolioIx,
    /// Base currency.
    pub base: Currency,
    /// Cost method; it stays once something is booked.
    pub method: CostMethod,
    /// Who says what dividends are paid, by the last policy: also while it is closed.
    pub dividends: DividendSource,
    /// How many days older than its day a price may be that closes it, likewise.
    pub max_close_age_days: Option<i32>,
    /// The policy in force; `None` when it is closed.
    pub policy: Option<Box<Policy>>,
    /// Version of its last policy.
    pub policy_version: i64,
    /// What the policy means for its lines; derived.
    #[serde(skip)]
    pub rules: Rules,
    /// Lines.
    pub lines: Lines,
    /// Cash.
    pub cash: CashBook,
    /// Sums in base.
    pub sums: Sums,
    /// Recent orders.
    pub orders: RecentOrders,
    /// Whether its value depended on the rate of another currency when it was valued last.
    pub foreign: bool,
    /// Whether the book once failed to tie out: our fault, flagged as unreconciled.
    pub unbalanced: bool,
    /// Version of the last ledger record.
    pub ledger_version: i64,
    /// Snapshots.
    pub published: Published,
    /// Drift.
    pub watch: Watch,
    /// The second set of rules and the watch over it; `None` before the first policy that has a shadow.
    pub shadow: Option<Box<Shadow>>,
    /// The day.
    pub day: Option<DayBase>,
    /// Booked executions; their ids are kept in chunks of their own.
    pub fills: Window,
    /// Booked cash entries; likewise.
    pub entries: Window,
    /// Fills and cash entries that were booked late.
    pub latecomers: Latecomers,
    /// The open step.
    #[serde(skip)]
    pub journal: Journal,
    /// Bookings of lines and exchanges of currencies, as far as they may still be named; kept in chunks of their own.
    #[serde(skip)]
    pub history: History,
    /// What has become of them since.
    pub changes: Changes,
    /// Payments, likewise.
    #[serde(skip)]
    pub payments: History,
    /// What has become of them since.
    pub payment_changes: Changes,
    /// What cash entries have brought and cost instruments that they name.
    pub besides: Besides,
    /// Dividends earned and not yet paid, by currency.
    pub receivables: CashBook,
    /// Dividends that cash entries say, so that their actions book nothing: how many such entries stand.
    pub said: BTreeMap<SmolStr, u32>,
    /// The corporate actions of its lines.
    pub actions: BTreeMap<InstrumentIx, LineActions>,
    /// The commands that it has heard.
    pub commands: CommandMemory,
    /// Drift events asked for and not yet given: in the open window, or since the lane fell behind.
    pub requests: Vec<Request>,
    /// What an outside book has said of it; `None` while there is nothing to compare and no break.
    pub outside: Option<Box<Outside>>,
    /// The days that were closed, and those that are to be.
    pub days: Days,
    /// Which figures beyond their bounds were accepted.
    pub vigil: Vigil,
    /// Its risk against the target of its policy.
    pub risk: RiskWatch,
}

impl Portfolio {
    /// Depths of memory that [`Self::touch`] knows: its own, what that leads to, lines and ids, the fees of a line.
    pub const DEPTHS: usize = 4;

    /// The instruments by whose numbers its books are kept; its bookings name their own.
    pub fn instruments(&self) -> impl Iterator<Item = InstrumentIx> {
        let lines = self.lines.all().iter().map(|line| line.instrument);
        let followed = self.actions.values().flat_map(|actions| actions.followed.iter().map(|action| action.instrument));
        lines.chain(self.actions.keys().copied()).chain(followed).chain(self.besides.instruments())
    }
    /// A portfolio with its first policy still to be set.
    pub fn new(id: PortfolioId, ix: PortfolioIx, base: Currency) -> Self {
        Self {
            id,
            ix,
            base,
            method: CostMethod::Average,
            dividends: DividendSource::default(),
            max_close_age_days: None,
            policy: None,
            policy_version: 0,
            rules: Rules::default(),
            lines: Lines::default(),
            cash: CashBook::default(),
            sums: Sums::default(),
            orders: RecentOrders::default(),
            foreign: false,
            unbalanced: false,
            ledger_version: 0,
            published: Published { version: 0, at: Timestamp::MIN, pending: false },
            watch: Watch::default(),
            shadow: None,
            day: None,
            fills: Window::default(),
            entries: Window::default(),
            latecomers: Latecomers::default(),
            journal: Journal::default(),
            history: History::default(),
            changes: Changes::default(),
            payments: History::default(),
            payment_changes: Changes::default(),
            besides: Besides::default(),
            receivables: CashBook::default(),
            said: BTreeMap::new(),
            actions: BTreeMap::new(),
            commands: CommandMemory::default(),
            requests: Vec::new(),
            outside: None,
            days: Days::default(),
            vigil: Vigil::default(),
            risk: RiskWatch::default(),
        }
    }

    /// The same in a lane whose earlier life used versions up to `first`.
    pub fn above(mut self, first: i64) -> Self {
        (self.ledger_version, self.published.version) = (first, first);
        self
    }

    /// Reads what booking a trade will read, at one depth of memory: its own figures, then what these lead to, and so on.
    pub fn touch(&self, (date, id): (Date, RecordId), instrument: Option<InstrumentIx>, depth: usize) {
        match (depth, instrument) {
            (0, _) => {
                read((self.lines.all().len(), self.cash.balances().len(), self.sums.realized_gross, self.sums.income, self.sums.book_cash));
                read((self.ledger_version, self.fills.is_empty(), self.journal.is_empty(), self.days.rest));
            }
            (1, _) => {
                self.fills.touch();
                self.lines.touch();
                self.history.touch();
                self.journal.touch();
                read(self.cash.balances().first().copied());
            }
            (2, _) => {
                self.fills.touch_id(date, id);
                self.history.touch_end();
                instrument.into_iter().for_each(|instrument| self.lines.touch_line(instrument));
            }
            (_, Some(instrument)) => self.lines.touch_fees(instrument),
            _ => {}
        }
    }

    /// Whether anything was ever booked.
    pub fn has_bookings(&self) -> bool {
        // Not the versions of its records: those of a life begun anew do not start at zero.
        !self.fills.is_empty() || !self.entries.is_empty()
    }
    /// Whether it differs from an outside book.
    pub fn has_breaks(&self) -> bool {
        self.outside.as_ref().is_some_and(|outside| !outside.breaks.is_empty())
    }
    /// Whether cash is held, settles or is owed in another currency than the base.
    pub fn holds_foreign_cash(&self) -> bool {
        self.cash.balances().iter().chain(self.receivables.balances()).any(|balance| balance.currency != self.base && !balance.is_nothing())
    }

    /// The portfolio as its shadow rules see it: the same holdings and cash under other targets, bands and watch.
    /// `None` where the policy has no shadow. Orders stay behind, and so does everything that was ever booked.
    pub fn by_shadow(&self) -> Option<Portfolio> {
        let shadow = self.shadow.as_deref()?;
        let laid = shadow.laid.as_deref()?;
        Some(Portfolio {
            policy: Some(laid.policy.clone()),
            policy_version: self.policy_version,
            rules: laid.rules.clone(),
            lines: self.lines.under(&laid.targets),
            cash: self.cash.clone(),
            receivables: self.receivables.clone(),
            actions: self.actions.clone(),
            foreign: shadow.foreign,
            unbalanced: self.unbalanced,
            outside: self.outside.clone(),
            watch: shadow.watch.clone(),
            risk: self.risk.of_others(),
            ..Portfolio::new(self.id.clone(), self.ix, self.base)
        })
    }

    /// Writes a planned booking, of which the ledger says what `told` makes of it; its place. What was planned is used up.
    pub fn book(&mut self, planned: &mut Planned, told: impl FnOnce(&Planned) -> LedgerEntry) -> Place {
        let restated = planned.across.as_mut().and_then(|across| across.entry.take());
        let line = planned.position.as_ref().map(|(ix, place, position)| (*ix, place.unwrap_or_else(|| self.lines.place(*ix)), position));
        self.days.touch(self.days.concerned(&planned.kept));
        // First what was held before it, then what is held.
        let kept = match &planned.kept {
            payment @ Booking::Payment(_) => self.payments.push(&self.payment_changes, None, None, payment) | PAYMENT,
            booking => {
                let before = line.map(|(_, place, _)| self.lines.at_mut(place));
                let unsplit = planned.across.as_ref().map(|across| across.before.standing());
                self.history.push(&self.changes, before, unsplit, booking)
            }
        };
        if let Some((ix, place, position)) = line {
            match planned.across.take() {
                None => {
                    self.lines.book(place, position, planned.lots.take(), &planned.effect.charges);
                    let line = self.lines.at_mut(place);
                    line.newest = line.newest.max(Some(planned.kept.date()));
                    if let Some(change) = planned.subs.take() {
                        line.subs.write(*change);
                    }
                }
                Some(across) => self.restate_across(ix, place, *across, &planned.effect.charges),
            }
        } else if let Booking::Execution(exchange) = &planned.kept {
            self.days.exchanged = self.days.exchanged.max(Some(exchange.trade_date));
        }
        self.cash.post(&planned.effect.movements, planned.settles);
        self.sums = planned.sums;
        if let Some((order, executed)) = planned.order.take() {
            self.orders.keep(order, executed);
        }
        let touched = match &planned.kept {
            Booking::Payment(payment) => self.put_payment(payment, &planned.effect, 1),
            _ => line.map(|(ix, ..)| ix),
        };
        self.journal.add(told(planned), touched);
        if let Some(entry) = restated {
            self.journal.add(entry, line.map(|(ix, ..)| ix));
        }
        self.tie_out();
        kept
    }

    fn restate_across(&mut self, ix: InstrumentIx, place: usize, across: Across, charges: &Charges) {
        self.lines.restate(place, across.holding, charges);
        self.cash.post(&across.later.movements, None);
        self.actions.insert(ix, across.actions);
        self.accrue(ix, &across.later);
    }

    /// Whether dividends are what cash entries say.
    pub fn pays_by_entries(&self) -> bool {
        self.dividends == DividendSource::Cash
    }

    /// Whether an action is a dividend that cash entries say.
    pub fn is_said(&self, action: &Action) -> bool {
        matches!(action.deed, Deed::Dividend { .. }) && self.said.contains_key(&action.id)
    }

    /// Takes over what dividends of a line have come to, checked before.
    pub fn accrue(&mut self, ix: InstrumentIx, effect: &Effect) {
        if effect.dividends.is_empty() {
            return;
        }
        let owed = effect.owed().expect("what is owed was checked before it was booked");
        self.receivables.post(&owed, None);
        self.receivables.forget_all_zeros();
        let Some(actions) = self.actions.get_mut(&ix) else { return };
        effect.dividends.iter().for_each(|earned| actions.take_over(earned));
    }

    /// What stands at a place; `None` when it was let go, `Some(None)` after a cancel.
    pub fn booked_at(&self, place: Place) -> Option<Option<Booking>> {
        if place & PAYMENT != 0 { self.payments.at(&self.payment_changes, place ^ PAYMENT) } else { self.history.at(&self.changes, place) }
    }

    /// How many bookings are read to take one back.
    pub fn reach(&self, place: Place) -> u64 {
        if place & PAYMENT != 0 { 1 } else { self.history.reach(&self.changes, place) }
    }

    /// Writes what stands at a place now, and the holdings that changed with it.
    pub fn amend_history(&mut self, place: Place, now: Option<Booking>, before: Vec<(Place, Holding)>) {
        if place & PAYMENT != 0 {
            self.payment_changes.amend(place ^ PAYMENT, now, before);
        } else {
            self.changes.amend(place, now, before);
        }
    }

    /// Flags a book that does not tie out: our fault.
    pub fn tie_out(&mut self) {
        debug_assert!(self.sums.balance(), "the book of {:?} does not tie out: {:?}", self.id, self.sums);
        self.unbalanced |= !self.sums.balance();
    }
}
