//! I2: the ledger against the model. Every entry is booked again from the input that it names; after
//! every record positions and cash must be the model's, and the entries must balance on their own.

use super::booking::Book;
use super::effect::{Amounts, put};
use super::exact::{self, Exact, Published, near, ratio, show, slack, zero};
use super::explain::{Group, Rebooked};
use super::facts::Facts;
use super::fate::{At, Fates, at};
use super::history::History;
use super::holding::Position;
use super::lanes::Lanes;
use super::rates::{Frames, Rates};
use super::report::Check;
use super::seen::{KEEPER, Seen, Stamp};
use super::sources::Sources;
use super::worth::{Span, Turns};
use domain::cash::CashEntry;
use domain::enums::{CostMethod, DividendSource, EntryKind, InstrumentType};
use domain::fill::Fill;
use domain::instrument::Instrument;
use domain::ledger::{self, CurrencyAmount, Ledger, LedgerEntry, PositionState};
use domain::{Currency, Input, InstrumentId, Money, PortfolioId, SmolStr, Timestamp, Topic};
use std::collections::{BTreeMap, BTreeSet};

/// The record behind an entry.
pub(super) enum Cause<'a> {
    Fill(&'a Fill),
    Cash(&'a CashEntry),
}

/// Inputs by their place.
pub(super) struct Causes<'a> {
    fills: BTreeMap<At, &'a Fill>,
    cash: BTreeMap<At, &'a CashEntry>,
}

impl<'a> Causes<'a> {
    /// Every fill and cash entry, those that commands carry included.
    pub(super) fn of(history: &'a History, fates: &'a Fates) -> Self {
        let mut causes = Self { fills: BTreeMap::new(), cash: BTreeMap::new() };
        causes.fills.extend(history.fills.iter().map(|seen| (at(seen.place), &seen.record)));
        causes.cash.extend(history.cash.iter().map(|seen| (at(seen.place), &seen.record)));
        // An entry names the command, or the place from which the command carries the record.
        for (place, input) in fates.admitted.iter().flat_map(|(command, (original, input))| [(command, input), (original, input)]) {
            match input {
                Input::Fill(fill) => _ = causes.fills.entry(*place).or_insert(fill),
                Input::Cash(entry) => _ = causes.cash.entry(*place).or_insert(entry),
                _ => {}
            }
        }
        causes
    }
    /// The record at a place.
    pub(super) fn get(&self, place: At) -> Option<Cause<'a>> {
        let fill = self.fills.get(&place).copied().map(Cause::Fill);
        fill.or_else(|| self.cash.get(&place).copied().map(Cause::Cash))
    }
}

/// What is known before the ledger is read.
pub(super) struct Ground<'a> {
    pub(super) history: &'a History,
    pub(super) lanes: &'a Lanes,
    pub(super) facts: &'a Facts,
    pub(super) causes: &'a Causes<'a>,
    /// The cost method of each portfolio, where it can be told.
    pub(super) methods: &'a BTreeMap<PortfolioId, CostMethod>,
    /// Who says what dividends come to.
    pub(super) sources: &'a Sources,
    /// What rates frames gave.
    pub(super) rates: &'a Rates,
    /// Portfolios that have ever said that they are unreconciled: a line of theirs may not have followed an action.
    pub(super) unreconciled: BTreeSet<&'a PortfolioId>,
}

/// Where an entry stands.
#[derive(Clone, Copy)]
pub(super) struct Scene<'s> {
    pub(super) portfolio: &'s PortfolioId,
    pub(super) stamp: Option<Stamp>,
    /// The frame from which on it may have been; that of its step where none is named.
    since: Option<i64>,
    /// The record that it is of.
    cause: Option<&'s ledger::Cause>,
}

impl<'s> Scene<'s> {
    /// That of a record of a step.
    pub(super) fn of(portfolio: &'s PortfolioId, stamp: Option<Stamp>) -> Self {
        Self { portfolio, stamp, since: None, cause: None }
    }
    /// The same for an entry of that cause.
    pub(super) fn of_cause(self, cause: &'s ledger::Cause) -> Self {
        Self { cause: Some(cause), ..self }
    }
    /// First offset of frames that was not read in the window that read its cause, and the clock of that window; `None`
    /// where an earlier step read it, or nobody knows.
    pub(super) fn window(&self, ground: &Ground<'_>) -> Option<(i64, Timestamp)> {
        let (stamp, cause) = (self.stamp?, self.cause?);
        ground.lanes.get(KEEPER, stamp.lane)?.window_of(stamp.step, cause.topic, cause.partition, cause.offset)
    }
    /// The same, which may have been at any time from a frame on.
    pub(super) fn since(self, frame: Option<i64>) -> Self {
        Self { since: frame, ..self }
    }
    /// The frames that its step reads.
    pub(super) fn frames(&self, ground: &Ground<'_>) -> Option<Frames> {
        let stamp = self.stamp?;
        let lane = ground.lanes.get(KEEPER, stamp.lane)?;
        let read = |step| lane.position(step, Topic::Frames, 0);
        Some((self.since.unwrap_or(i64::MAX).min(read(stamp.step - 1)), read(stamp.step)))
    }
    /// Who may say in its step what dividends come to.
    pub(super) fn sources(&self, ground: &Ground<'_>) -> Vec<DividendSource> {
        let lane = self.stamp.and_then(|stamp| Some((stamp, ground.lanes.get(KEEPER, stamp.lane)?)));
        lane.map_or_else(Vec::new, |(stamp, lane)| ground.sources.during(self.portfolio, stamp, lane))
    }
    /// What one of a currency was turned into of an instrument's.
    pub(super) fn turn(&self, ground: &Ground<'_>, (of, local): (Currency, Currency), told: Option<&Exact>) -> Option<Vec<Span>> {
        ground.rates.turn(self.frames(ground)?, (of, local, ground.sources.base(self.portfolio)?), told)
    }
}

/// A portfolio's book as the model has it after the last ledger record, and why it stopped following.
#[derive(Debug, Default)]
pub(super) struct Account<'a> {
    pub(super) book: Book<'a>,
    /// Dividends that cash entries have brought before the line followed their actions, by action: source and id of those
    /// entries that stand.
    pub(super) said: BTreeMap<SmolStr, BTreeSet<(SmolStr, SmolStr)>>,
    /// The same of those of which nobody knows whether the line followed them already, with nothing owed of them.
    pub(super) perhaps_said: BTreeSet<SmolStr>,
    /// Figures that hang on a rate of which nothing is known: taken as they are told.
    pub(super) taken: u64,
    /// States whose net profit is not compared: an execution of theirs paid a fee in another currency.
    pub(super) without_net: BTreeSet<InstrumentId>,
    pub(super) left: Option<String>,
    /// The cost method is not known, or facts changed: cost and profit are not compared.
    pub(super) loose: bool,
    legs: Amounts,
    entries: u64,
    states: BTreeMap<InstrumentId, Exact>,
    /// The step of the last ledger record.
    pub(super) last: Option<Stamp>,
}

/// The rows of I2 that concern the ledger, and the books that came out.
pub(super) struct Audit<'a> {
    pub(super) checks: Vec<Check>,
    pub(super) accounts: BTreeMap<PortfolioId, Account<'a>>,
}

/// Reads the ledger and keeps the books beside it.
pub(super) fn audit<'a>(ground: &Ground<'a>) -> Audit<'a> {
    let mut rows = Rows {
        legs: Check::new("I2", "cash of each currency = Σ cash legs of the entries"),
        entries: Check::new("I2", "each entry = the input that it names, booked again"),
        books: Check::new("I2", "positions and cash after each record = the model's from the inputs"),
        balance: Check::new("I2", "debits and credits: cash = −Δcost + realized + income − fees"),
    };
    let mut accounts: BTreeMap<PortfolioId, Account<'a>> = BTreeMap::new();
    let settled = |seen: &&'a Seen<Ledger>| !seen.repeat && ground.lanes.is_settled(seen.stamp);
    for seen in ground.history.ledgers.iter().filter(settled) {
        let method = ground.methods.get(&seen.record.portfolio_id).copied();
        let account = accounts.entry(seen.record.portfolio_id.clone()).or_insert_with(|| Account::by(method));
        rows.record(ground, account, seen);
    }
    let followed = super::followed::check(ground, &accounts);
    Audit { checks: vec![rows.legs, rows.entries, rows.books, rows.balance, followed], accounts }
}

impl Account<'_> {
    /// A cash entry has brought a dividend before its line followed the action, which does nothing any more.
    pub(super) fn say(&mut self, line: Option<&InstrumentId>, action: &SmolStr, entry: &CashEntry) {
        self.said.entry(action.clone()).or_default().insert((entry.source.clone(), entry.entry_id.clone()));
        if let Some(follows) = line.and_then(|line| self.book.follows.get_mut(line)) {
            follows.retain(|known| known.id != *action);
        }
    }
    /// An entry was taken back: a dividend that no other one says is its action's.
    pub(super) fn unsay(&mut self, source: &SmolStr, entry_id: &SmolStr) {
        let name = (source.clone(), entry_id.clone());
        self.said.retain(|_, entries| !entries.remove(&name) || !entries.is_empty());
    }
    fn by(method: Option<CostMethod>) -> Self {
        Self { book: Book { method: method.unwrap_or_default(), ..Book::default() }, loose: method.is_none(), ..Self::default() }
    }
}

struct Rows {
    legs: Check,
    entries: Check,
    books: Check,
    balance: Check,
}

impl Rows {
    fn record<'a>(&mut self, ground: &Ground<'a>, account: &mut Account<'a>, seen: &Seen<Ledger>) {
        let ledger = &seen.record;
        account.last = seen.stamp;
        for entry in &ledger.entries {
            account.entries += 1;
            for leg in &entry.cash {
                put(&mut account.legs, leg.currency, &leg.amount.exact());
            }
        }
        for group in Group::all(&ledger.entries) {
            if account.left.is_none() {
                self.entry(ground, account, seen, &group);
            }
        }
        self.sum_of_legs(account, seen);
        self.balances(ground, account, seen);
        if account.left.is_none() {
            self.states(ground, account, seen);
        }
        for state in &ledger.positions {
            account.states.insert(state.instrument_id.clone(), state.cost.exact());
        }
    }

    fn sum_of_legs(&mut self, account: &Account<'_>, seen: &Seen<Ledger>) {
        let slack = slack(account.entries * 2 + 1, 0);
        let told: BTreeMap<Currency, Money> = seen.record.cash.iter().map(|c| (c.currency, c.amount)).collect();
        for currency in told.keys().chain(account.legs.keys()).collect::<BTreeSet<_>>() {
            let (sum, told) =
                (account.legs.get(currency).cloned().unwrap_or_else(zero), told.get(currency).copied().unwrap_or(Money::ZERO));
            self.legs.that(near(&sum, &told.exact(), &slack), || {
                format!("{}: {} holds {told} {currency}, its legs add up to {}", seen.place, seen.record.portfolio_id, show(&sum))
            });
        }
    }

    fn entry<'a>(&mut self, ground: &Ground<'a>, account: &mut Account<'a>, seen: &Seen<Ledger>, group: &Group<'_>) {
        let outcome = super::explain::rebook(ground, account, seen, group);
        match outcome {
            Ok(Rebooked::As(differences)) => {
                let (place, cause) = (seen.place, group.cause());
                self.entries.that(differences.is_none(), || {
                    let what = differences.unwrap_or_default();
                    format!("{place}: the entry of {}/{}@{} ({}) has {what}", cause.topic, cause.partition, cause.offset, cause.id)
                });
            }
            // An entry without an input is a matter of I3.
            Ok(Rebooked::WithoutInput) => {}
            Err(why) => account.left = Some(format!("from {} on: {why}", seen.place)),
        }
    }

    fn states(&mut self, ground: &Ground<'_>, account: &mut Account<'_>, seen: &Seen<Ledger>) {
        let ledger = &seen.record;
        for state in &ledger.positions {
            let none = Position::default();
            let position = account.book.positions.get(&state.instrument_id).unwrap_or(&none);
            let known = instrument(ground, seen, &state.instrument_id);
            let known =
                known.or_else(|| ground.lanes.is_bygone(seen.stamp).then(|| ground.facts.instrument(&state.instrument_id, i64::MAX))?);
            let multiplier = known.map_or_else(|| exact::whole(1), |i| i.multiplier.exact());
            let loose = account.loose || ground.facts.is_forgotten(&state.instrument_id);
            let difference = state_difference((position, &account.book.turns), state, &multiplier, loose);
            match position.net() {
                None => _ = account.without_net.insert(state.instrument_id.clone()),
                Some(net) if difference.is_none() => {
                    let slack = slack(1, position.bookings);
                    account.book.turns.narrow(&net, &state.realized_net.exact(), &slack);
                }
                Some(_) => {}
            }
            self.books.that(difference.is_none(), || {
                format!("{}: {} {}: {}", seen.place, ledger.portfolio_id, state.instrument_id, difference.unwrap_or_default())
            });
        }
        let difference = amounts_difference(&account.book.cash, &ledger.cash, &slack(1, account.book.bookings));
        self.books
            .that(difference.is_none(), || format!("{}: cash of {}: {}", seen.place, ledger.portfolio_id, difference.unwrap_or_default()));
    }

    fn balances(&mut self, ground: &Ground<'_>, account: &Account<'_>, seen: &Seen<Ledger>) {
        for state in &seen.record.positions {
            let Some(facts) = instrument(ground, seen, &state.instrument_id) else { continue };
            let trades = |e: &&LedgerEntry| e.instrument_id.as_ref() == Some(&state.instrument_id);
            let entries: Vec<&LedgerEntry> = seen.record.entries.iter().filter(trades).collect();
            // A fee paid in units stands in the entry as units.
            let in_units = |e: &&LedgerEntry| e.fees.iter().any(|fee| facts.base_asset == Some(fee.currency));
            let other = entries.iter().any(|e| e.kind != EntryKind::Trade || in_units(e));
            if other || account.loose || facts.currency != state.currency {
                continue;
            }
            let before = account.states.get(&state.instrument_id).cloned().unwrap_or_else(zero);
            let paid = if facts.kind == InstrumentType::Future { zero() } else { state.cost.exact() - before };
            let mut left = paid;
            for entry in &entries {
                left += total(&entry.cash, state.currency) + total(&entry.fees, state.currency)
                    - entry.realized_gross.exact()
                    - entry.income.exact();
            }
            let slack = slack(entries.len() as u64 * 4 + 2, 8);
            self.balance.that(near(&left, &zero(), &slack), || {
                format!(
                    "{}: {} {}: the entries do not balance, {} is left",
                    seen.place,
                    seen.record.portfolio_id,
                    state.instrument_id,
                    show(&left)
                )
            });
        }
    }
}

fn total(amounts: &[CurrencyAmount], currency: Currency) -> Exact {
    exact::sum(amounts.iter().filter(|a| a.currency == currency).map(|a| a.amount.exact()))
}

/// The instrument as the lane knew it when the step of a record ended.
fn instrument<'a, T>(ground: &Ground<'a>, seen: &Seen<T>, id: &InstrumentId) -> Option<&'a Instrument> {
    let stamp = seen.stamp?;
    let read = ground.lanes.get(KEEPER, stamp.lane)?.position(stamp.step, Topic::Frames, 0);
    ground.facts.instrument(id, read)
}

/// Facts that matter and change leave open which of them held; without change the newest will do.
pub(super) fn facts_of<'a>(ground: &Ground<'a>, account: &mut Account<'a>, id: &InstrumentId) -> Result<&'a Instrument, String> {
    let known = ground.facts.instrument(id, i64::MAX);
    account.loose |= !ground.facts.is_constant(id);
    known.ok_or_else(|| format!("no frame describes {id}"))
}

/// Where two numbers differ by more than a slack.
pub(super) fn differs(name: &str, told: &Exact, model: &Exact, slack: &Exact) -> Option<String> {
    (!near(told, model, slack)).then(|| format!("{name} {}, the model {}", show(told), show(model)))
}

fn state_difference((position, turns): (&Position, &Turns), state: &PositionState, multiplier: &Exact, loose: bool) -> Option<String> {
    let quantity = differs("quantity", &state.quantity.exact(), &position.quantity, &zero());
    if quantity.is_some() || loose || position.loose {
        return quantity;
    }
    let slack = slack(1, position.bookings);
    differs("cost", &state.cost.exact(), &position.cost, &slack)
        .or_else(|| differs("realized_gross", &state.realized_gross.exact(), &position.realized, &slack))
        .or_else(|| turns.differs("income", &state.income.exact(), &position.income, &slack))
        .or_else(|| amounts_difference(&position.fees, &state.fees, &slack).map(|d| format!("fees: {d}")))
        .or_else(|| super::lots::difference(position.lots.as_ref(), &state.lots, &slack))
        .or_else(|| average_difference(position, state, multiplier))
        .or_else(|| turns.differs("realized_net", &state.realized_net.exact(), &position.net()?, &slack))
}

fn average_difference(position: &Position, state: &PositionState, multiplier: &Exact) -> Option<String> {
    let held = &position.quantity * multiplier;
    match (state.average_price, held == zero()) {
        (None, true) => None,
        (Some(average), false) => differs("average_price", &average.exact(), &(&position.cost / &held), &ratio(1, 10)),
        (told, flat) => Some(format!("average_price {told:?} where flat is {flat}")),
    }
}

/// The first currency in which amounts differ.
pub(super) fn amounts_difference(model: &Amounts, told: &[CurrencyAmount], slack: &Exact) -> Option<String> {
    let mut sums = Amounts::new();
    told.iter().for_each(|a| put(&mut sums, a.currency, &a.amount.exact()));
    let currencies: BTreeSet<Currency> = model.keys().chain(sums.keys()).copied().collect();
    currencies.iter().find_map(|currency| {
        let of = |amounts: &Amounts| amounts.get(currency).cloned().unwrap_or_else(zero);
        differs(currency.as_str(), &of(&sums), &of(model), slack)
    })
}
