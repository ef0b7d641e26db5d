//! The image of a lane: a shared part (instruments, prices, cuts, waiting records, quarantine, hashes of what was
//! refused, commands of portfolios without a policy),
//! the prices of each day that was cut (`c/<day, 8 digits>/<cut>`),
//! one entity a portfolio (`p/<id>`), its booked ids in chunks
//! (`i/<id>/<f or c>/<day, 8 digits>/<chunk, 8 digits>`), and its bookings: those of lines (`h/<id>/<piece, 12
//! digits>`) and payments (`m/<id>/<piece, 12 digits>`).

use super::closes::Queue;
use super::cuts::OpenCut;
use super::{NEVER, PositionKeeper};
use crate::book::history::History;
use crate::book::{Portfolio, PortfolioIx};
use crate::drift::Rules;
use crate::drift::shadow::Laid;
use crate::intake::Waits;
use crate::prices::{Cuts, InstrumentIx, Market, cut_prices};
use crate::valuation::{View, sweep};
use domain::{Date, PortfolioId, SmolStr, Timestamp};
use engine::commands::CommandMemory;
use engine::dedup::Window;
use engine::image::{day_key, day_of_key, from_bytes, to_bytes};
use engine::quarantine::Quarantine;
use engine::refused::Refused;
use engine::{Image, ImageError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Serialize, Deserialize)]
struct Shared {
    market: Vec<u8>,
    cuts: Cuts,
    open_cuts: Vec<OpenCut>,
    to_close: Queue,
    waits: Waits,
    quarantine: Quarantine,
    refused: Refused,
    strangers: BTreeMap<PortfolioId, CommandMemory>,
    was_behind: bool,
    first: i64,
    last_now: Timestamp,
}

/// Booked ids that were read back before their portfolio.
#[derive(Debug, Default)]
pub(super) struct Restoring {
    windows: BTreeMap<PortfolioId, (Window, Window)>,
    histories: BTreeMap<PortfolioId, (History, History)>,
    portfolios: BTreeMap<PortfolioIx, Portfolio>,
}

/// Whose bookings a chunk holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Lines,
    Payments,
}

impl Of {
    const fn letter(self) -> &'static str {
        match self {
            Self::Lines => "h",
            Self::Payments => "m",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Fills,
    Cash,
}

fn portfolio_key(id: &PortfolioId) -> SmolStr {
    SmolStr::new(format!("p/{id}"))
}

fn chunk_key(id: &PortfolioId, kind: Kind, (date, chunk): (Date, u32)) -> SmolStr {
    let letter = if kind == Kind::Fills { 'f' } else { 'c' };
    SmolStr::new(format!("i/{id}/{letter}/{}/{chunk:08}", day_key(date)))
}

fn history_key(id: &PortfolioId, of: Of, number: u64) -> SmolStr {
    SmolStr::new(format!("{}/{id}/{number:012}", of.letter()))
}

fn parse_history(key: &str) -> Option<(PortfolioId, Of, u64)> {
    let of = [Of::Lines, Of::Payments].into_iter().find(|of| key.starts_with(of.letter()))?;
    let (id, number) = key.strip_prefix(of.letter())?.strip_prefix('/')?.rsplit_once('/')?;
    Some((PortfolioId::new(id).ok()?, of, number.parse().ok()?))
}

fn parse_chunk(key: &str) -> Option<(PortfolioId, Kind, Date, u32)> {
    let mut parts = key.strip_prefix("i/")?.rsplitn(4, '/');
    let chunk = parts.next()?.parse().ok()?;
    let day = day_of_key(parts.next()?)?;
    let kind = match parts.next()? {
        "f" => Kind::Fills,
        "c" => Kind::Cash,
        _ => return None,
    };
    Some((PortfolioId::new(parts.next()?).ok()?, kind, day, chunk))
}

impl PositionKeeper {
    fn window(&self, id: &PortfolioId, kind: Kind) -> Option<&Window> {
        let portfolio = self.portfolio(self.find(id)?);
        Some(if kind == Kind::Fills { &portfolio.fills } else { &portfolio.entries })
    }

    /// That a part names only instruments of the table.
    fn check_known(&self, what: &str, named: impl IntoIterator<Item = InstrumentIx>) -> Result<(), ImageError> {
        let known = self.market.slots().len();
        match named.into_iter().find(|ix| ix.at() >= known) {
            Some(ix) => Err(ImageError::new(what, format!("it names instrument number {}, and there are {known}", ix.at()))),
            None => Ok(()),
        }
    }

    /// The derived parts of one portfolio that was read back.
    fn adopt(&mut self, mut portfolio: Portfolio) {
        let base_class = self.market.currency(portfolio.base);
        portfolio.rules = match portfolio.policy.as_deref() {
            Some(policy) => portfolio.risk.laid(policy, Rules::of(policy, base_class)),
            None => Rules::none(base_class),
        };
        portfolio.lines.restored();
        let laid = portfolio.policy.as_deref().and_then(|policy| Laid::of(policy, base_class, |id| self.market.intern(id)));
        if let Some(session) = portfolio.policy.as_ref().and_then(|policy| policy.session_id.clone()) {
            self.sessions.insert(session, portfolio.ix);
        }
        let (ix, instruments) = (portfolio.ix, portfolio.lines.all().iter().map(|line| line.instrument).collect::<Vec<_>>());
        self.add(portfolio);
        instruments.into_iter().for_each(|instrument| self.hold(instrument, ix));
        self.watch_shadow(ix, laid.as_deref());
        if let Some(shadow) = &mut self.portfolios[ix.at()].shadow {
            shadow.laid = laid;
        }
        self.note_unrated(ix);
        self.note_lacking_rates(ix);
        self.dirty[ix.at()] = false;
    }
}

impl Image for PositionKeeper {
    fn shared(&self) -> Vec<u8> {
        to_bytes(&Shared {
            market: self.market.image(),
            cuts: self.cuts.clone(),
            open_cuts: self.open_cuts.clone(),
            to_close: self.to_close.clone(),
            waits: self.waits.clone(),
            quarantine: self.quarantine.clone(),
            refused: self.refused.clone(),
            strangers: self.strangers.clone(),
            was_behind: self.was_behind,
            first: self.first,
            last_now: self.last_now,
        })
    }

    fn restore_shared(&mut self, bytes: &[u8]) -> Result<(), ImageError> {
        let shared: Shared = from_bytes("the shared part of the position-keeper", bytes)?;
        let configured = self.ledger_bytes;
        *self = PositionKeeper {
            market: Market::restore(&shared.market, shared.last_now)?,
            cuts: shared.cuts,
            open_cuts: shared.open_cuts,
            to_close: shared.to_close,
            waits: shared.waits,
            quarantine: shared.quarantine,
            refused: shared.refused,
            strangers: shared.strangers,
            was_behind: shared.was_behind,
            first: shared.first,
            last_now: shared.last_now,
            ledger_bytes: configured,
            ..PositionKeeper::default()
        };
        Ok(())
    }

    fn entity_keys(&self) -> Vec<SmolStr> {
        let chunks = self.portfolios.iter().flat_map(|p| {
            let fills = p.fills.chunks().map(|at| chunk_key(&p.id, Kind::Fills, at));
            let lines = p.history.pieces(&p.changes).map(|number| history_key(&p.id, Of::Lines, number));
            let payments = p.payments.pieces(&p.payment_changes).map(|number| history_key(&p.id, Of::Payments, number));
            fills.chain(p.entries.chunks().map(|at| chunk_key(&p.id, Kind::Cash, at))).chain(lines).chain(payments)
        });
        let portfolios = self.portfolios.iter().map(|p| portfolio_key(&p.id));
        let keys: BTreeSet<SmolStr> = chunks.chain(portfolios).chain(self.cut_prices.keys()).collect();
        keys.into_iter().collect()
    }

    fn entity(&self, key: &str) -> Option<Vec<u8>> {
        if let Some(id) = key.strip_prefix("p/") {
            return self.find(&PortfolioId::new(id).ok()?).map(|ix| to_bytes(self.portfolio(ix)));
        }
        if key.starts_with(cut_prices::KEYS) {
            return self.cut_prices.bytes(key);
        }
        if let Some((id, of, number)) = parse_history(key) {
            let portfolio = self.portfolio(self.find(&id)?);
            return match of {
                Of::Lines => portfolio.history.piece(&portfolio.changes, number),
                Of::Payments => portfolio.payments.piece(&portfolio.payment_changes, number),
            };
        }
        let (id, kind, date, chunk) = parse_chunk(key)?;
        self.window(&id, kind)?.chunk(date, chunk)
    }

    fn restore_entity(&mut self, key: &str, bytes: &[u8]) -> Result<(), ImageError> {
        if key.starts_with("p/") {
            let portfolio: Portfolio = from_bytes(key, bytes)?;
            if !portfolio.lines.are_in_order() {
                return Err(ImageError::new(key, "its lines are not in the order of their instruments"));
            }
            self.check_known(key, portfolio.instruments())?;
            self.restoring.portfolios.insert(portfolio.ix, portfolio);
            return Ok(());
        }
        if key.starts_with(cut_prices::KEYS) {
            return self.cut_prices.restore(key, bytes);
        }
        if let Some((id, of, number)) = parse_history(key) {
            let (lines, payments) = self.restoring.histories.entry(id).or_default();
            let history = if of == Of::Lines { lines } else { payments };
            let last = history.restore_piece(number, bytes)?;
            return self.check_known(key, last);
        }
        let (id, kind, date, chunk) = parse_chunk(key).ok_or_else(|| ImageError::new(key, "no entity of this role has such a key"))?;
        let (fills, entries) = self.restoring.windows.entry(id).or_default();
        let window = if kind == Kind::Fills { fills } else { entries };
        window.restore_chunk(date, chunk, bytes)
    }

    fn restored(&mut self) -> Result<(), ImageError> {
        let mut restoring = std::mem::take(&mut self.restoring);
        for (place, (ix, mut portfolio)) in restoring.portfolios.into_iter().enumerate() {
            if ix.at() != place {
                return Err(ImageError::new("the portfolios", format!("number {place} is missing")));
            }
            if let Some((mut fills, mut entries)) = restoring.windows.remove(&portfolio.id) {
                fills.take_dirty();
                entries.take_dirty();
                portfolio.fills.take_ids(fills);
                portfolio.entries.take_ids(entries);
            }
            if let Some(histories) = restoring.histories.remove(&portfolio.id) {
                (portfolio.history, portfolio.payments) = histories;
            }
            self.adopt(portfolio);
        }
        if let Some((id, _)) = restoring.histories.first_key_value() {
            return Err(ImageError::new("bookings", format!("their portfolio {id:?} is missing")));
        }
        if let Some((id, _)) = restoring.windows.first_key_value() {
            return Err(ImageError::new("booked ids", format!("their portfolio {id:?} is missing")));
        }
        if let Some(ix) = self.to_close.last_waiting().filter(|ix| ix.at() >= self.portfolios.len()) {
            return Err(ImageError::new("the days to be closed", format!("their portfolio number {} is missing", ix.at())));
        }
        for at in 0..self.portfolios.len() {
            let view = View { market: &self.market, now: self.last_now };
            self.stale_at[at] = sweep(&self.portfolios[at], view, &mut self.weighed).stale_at.unwrap_or(NEVER);
            if let Some(seen) = self.portfolios[at].by_shadow() {
                self.sweep_shadow(PortfolioIx::of(at), &seen, self.last_now);
            }
        }
        Ok(())
    }

    fn take_dirty(&mut self) -> Vec<SmolStr> {
        let mut keys: BTreeSet<SmolStr> = self.cut_prices.take_dirty().collect();
        for (portfolio, dirty) in self.portfolios.iter_mut().zip(&mut self.dirty) {
            if !std::mem::take(dirty) {
                continue;
            }
            keys.insert(portfolio_key(&portfolio.id));
            keys.extend(portfolio.fills.take_dirty().into_iter().map(|at| chunk_key(&portfolio.id, Kind::Fills, at)));
            keys.extend(portfolio.history.take_dirty().into_iter().map(|number| history_key(&portfolio.id, Of::Lines, number)));
            keys.extend(portfolio.payments.take_dirty().into_iter().map(|number| history_key(&portfolio.id, Of::Payments, number)));
            keys.extend(portfolio.entries.take_dirty().into_iter().map(|at| chunk_key(&portfolio.id, Kind::Cash, at)));
        }
        keys.into_iter().collect()
    }
}
