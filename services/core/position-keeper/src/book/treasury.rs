//! The booking of cash entries: deposits, withdrawals, fees and interest.
//! Transfers of securities, dividends and reversals are refused with a clear text.

use super::cash::{Movement, Movements};
use super::entry::{Source, legs, money};
use super::portfolio::Portfolio;
use super::sums::Sums;
use super::trade::{Planned, mark_rate};
use super::trouble::{Trouble, bounded};
use crate::prices::Market;
use domain::cash::CashEntry;
use domain::enums::{CashKind, EntryKind};
use domain::ledger::{CurrencyAmount, LedgerEntry};
use domain::reason::DeadLetterCode;
use domain::{Amount, Money, Quantity};
use smallvec::{SmallVec, smallvec};

/// Checks what the entry alone can tell.
pub fn check(entry: &CashEntry) -> Result<(), Trouble> {
    if !domain::ids::is_id(&entry.entry_id) || !domain::ids::is_id(&entry.source) {
        return Err(Trouble::range("entry_id and source have 1 to 128 bytes and no control characters"));
    }
    if entry.reverses.is_some() {
        return Err(Trouble::invalid("reversals of cash entries are not booked: send the opposite entry under its own id"));
    }
    match entry.kind {
        CashKind::Unknown => Err(Trouble::refuse(DeadLetterCode::UnknownEnum, CashKind::unknown("kind"))),
        CashKind::Dividend => Err(Trouble::invalid("DIVIDEND entries are not booked: send INTEREST for plain income")),
        CashKind::TransferIn | CashKind::TransferOut => {
            Err(Trouble::invalid(format!("{} entries are not booked: send DEPOSIT or WITHDRAWAL for cash", entry.kind)))
        }
        CashKind::Deposit | CashKind::Withdrawal if !entry.amount.is_positive() => {
            Err(Trouble::range(format!("the amount of a {} is {}, it must be above 0", entry.kind, entry.amount)))
        }
        CashKind::Deposit | CashKind::Withdrawal | CashKind::Fee | CashKind::Interest if !entry.amount.fits_wire() => {
            Err(Trouble::range("the amount has more than 28 digits"))
        }
        CashKind::Deposit | CashKind::Withdrawal | CashKind::Fee | CashKind::Interest => Ok(()),
    }
}

/// Plans the booking of a checked entry. `equity` is the portfolio's equity before it, where every price is there.
pub fn plan(
    portfolio: &Portfolio,
    market: &Market,
    entry: &CashEntry,
    source: &Source,
    equity: Option<Amount>,
) -> Result<Planned, Trouble> {
    let rate = mark_rate(market, entry.currency, portfolio.base)?;
    let amount = bounded(Amount::from(entry.amount))?;
    let book = bounded(amount.convert(rate)?)?;
    let (cash, mut change, kind) = effect(entry.kind, amount, book)?;
    let mut movements = Movements::default();
    let book_cash = change.realized_net()?.checked_add(change.net_flows)?;
    movements.add(Movement { currency: entry.currency, amount: cash, book: book_cash })?;
    change.book_cash = book_cash;
    portfolio.cash.check(&movements, None)?;
    let flow = matches!(kind, EntryKind::CashDeposit | EntryKind::CashWithdrawal);
    let fees: SmallVec<[CurrencyAmount; 1]> = match kind {
        EntryKind::CashFee => smallvec![CurrencyAmount { currency: entry.currency, amount: entry.amount }],
        _ => SmallVec::new(),
    };
    let ledger = LedgerEntry {
        kind,
        cause: source.cause(&entry.entry_id),
        instrument_id: entry.instrument_id.clone(),
        strategy: entry.strategy.clone(),
        venue: None,
        trade_date: None,
        effective_at: entry.effective_at,
        transact_time: None,
        quantity_change: Quantity::ZERO,
        price: None,
        fx_rate: Some(rate),
        cash: legs(&movements),
        realized_gross: Money::ZERO,
        fees,
        income: if kind == EntryKind::CashInterest { entry.amount } else { Money::ZERO },
        external_flow: money(change.net_flows),
        equity_before: equity.filter(|_| flow).map(money),
    };
    let sums = portfolio.sums.plus(&change)?;
    Ok(Planned {
        position: None,
        lots: None,
        charges: SmallVec::new(),
        movements,
        settles: None,
        sums,
        order: None,
        entry: ledger,
        kept: None,
    })
}

/// The change of cash (in its currency), of the sums (in base), and the kind of entry.
fn effect(kind: CashKind, amount: Amount, book: Amount) -> Result<(Amount, Sums, EntryKind), Trouble> {
    let none = Sums::default();
    Ok(match kind {
        CashKind::Deposit => (amount, Sums { net_flows: book, ..none }, EntryKind::CashDeposit),
        CashKind::Withdrawal => (amount.checked_neg()?, Sums { net_flows: book.checked_neg()?, ..none }, EntryKind::CashWithdrawal),
        CashKind::Fee => (amount.checked_neg()?, Sums { fees: book, ..none }, EntryKind::CashFee),
        CashKind::Interest => (amount, Sums { income: book, ..none }, EntryKind::CashInterest),
        CashKind::Unknown | CashKind::Dividend | CashKind::TransferIn | CashKind::TransferOut => {
            return Err(Trouble::invalid("this kind of entry is not booked"));
        }
    })
}
