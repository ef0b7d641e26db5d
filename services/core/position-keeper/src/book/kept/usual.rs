//! The usual execution in one go: paid with its gross amount at a rate of one, without accrued interest, order, strategy
//! and lots, with one fee in its own currency at most, and with numbers that 64 bits hold. Its bytes are those that
//! the general way writes. Whatever else an execution has is left to that, and nothing is read here.

use super::{BEFORE, FEES, FIRST_DAY, HEAD, OWN_FEES, PLAIN_BOOK, PLAIN_GROSS, PLAIN_LOCAL};
use super::{SETTLES, SHORT, SHORT_AMOUNT, SHORT_CODE, SHORT_PRICE, UNIT, WHOLE_UNITS};
use crate::book::execution::{Execution, Form};
use domain::{Amount, FxRate};

/// The head, six numbers of eight bytes, the longest code, and what stands before the fee.
const ROOM: usize = HEAD + 6 * 8 + 12 + 1;

/// Writes an execution behind the bytes; `None` where it is not usual: nothing is written then.
pub fn write(execution: &Execution, before: bool, bytes: &mut Vec<u8>) -> Option<()> {
    let (quantity, price) = traded(execution)?;
    let fee = fee_of(execution)?;
    let mut line = Line { room: [0; ROOM], end: HEAD, lengths: 0 };
    let mut flags = PLAIN_GROSS | OWN_FEES | if before { BEFORE } else { 0 };
    let date = i64::from(execution.trade_date.days());
    line.number(0, i64::from(execution.instrument.0));
    line.number(1, date - FIRST_DAY);
    flags |= line.shortened(2, quantity, UNIT, WHOLE_UNITS);
    flags |= line.shortened(3, price, SHORT, SHORT_PRICE);
    // Rate, gross amount and accrued interest take no bytes.
    if let Some(settles) = execution.settles {
        line.number(7, i64::from(settles.days()) - date);
        flags |= SETTLES;
    }
    flags |= line.code(execution.currency.padded());
    if let Some(amount) = fee {
        line.fee(amount);
        flags |= 1 << FEES;
    }
    line.room[..2].copy_from_slice(&flags.to_le_bytes());
    line.room[2..HEAD].copy_from_slice(&line.lengths.to_le_bytes());
    bytes.extend_from_slice(&line.room[..line.end]);
    Some(())
}

/// Quantity and price of an execution that has nothing else but its fee.
#[inline(always)]
fn traded(execution: &Execution) -> Option<(i64, i64)> {
    let more = execution.rate != FxRate::ONE
        || !execution.accrued.is_zero()
        || execution.id.is_some()
        || execution.order.is_some()
        || execution.strategy.is_some()
        || execution.form != Form::Paid;
    let quantity = i64::try_from(execution.quantity.units()).ok()?;
    let price = i64::try_from(execution.price.units()).ok()?;
    // Both have 63 bits at most.
    let gross = i128::from(quantity.unsigned_abs()) * i128::from(price);
    (!more && execution.gross.units() == gross).then_some((quantity, price))
}

/// The amount of its fee, where it has one; `None` where there is more to say of it.
#[inline(always)]
fn fee_of(execution: &Execution) -> Option<Option<i64>> {
    match execution.fees.as_slice() {
        [] => Some(None),
        [fee] => {
            let local = Amount::from(fee.amount);
            let own = fee.currency == execution.currency && fee.held.is_none() && fee.local == local && fee.book == local;
            i64::try_from(fee.amount.units()).ok().filter(|_| own).map(Some)
        }
        _ => None,
    }
}

/// The bytes under way, in a room that holds the longest.
struct Line {
    room: [u8; ROOM],
    end: usize,
    lengths: u32,
}

impl Line {
    /// The number of the head that stands at a place.
    #[inline(always)]
    fn number(&mut self, place: u32, value: i64) {
        let length = self.digits(value);
        self.lengths |= length << (4 * place);
    }
    /// The same, divided by `by` where that leaves no rest; the bit that says so.
    #[inline(always)]
    fn shortened(&mut self, place: u32, value: i64, by: i64, bit: u16) -> u16 {
        let (quotient, rest) = (value / by, value % by);
        self.number(place, if rest == 0 { quotient } else { value });
        if rest == 0 { bit } else { 0 }
    }
    /// The bytes of a number without zeros before it, the sign in its lowest bit; how many they are.
    #[inline(always)]
    fn digits(&mut self, value: i64) -> u32 {
        let raw = ((value << 1) ^ (value >> 63)).cast_unsigned();
        let length = 8 - raw.leading_zeros() / 8;
        // What comes next is written over the zeros.
        self.put(raw.to_le_bytes(), length as usize);
        length
    }
    #[inline(always)]
    fn code(&mut self, code: [u8; 12]) -> u16 {
        let is_short = code[2] != 0 && code[3] == 0;
        self.put(code, if is_short { 3 } else { 12 });
        if is_short { SHORT_CODE } else { 0 }
    }
    #[inline(always)]
    fn fee(&mut self, amount: i64) {
        let head = self.end;
        self.end += 1;
        let short = amount % SHORT == 0;
        let length = self.digits(if short { amount / SHORT } else { amount });
        // At most eight.
        let length = length.to_le_bytes()[0];
        self.room[head] = length | PLAIN_LOCAL | PLAIN_BOOK | if short { SHORT_AMOUNT } else { 0 };
    }
    /// Bytes of which so many count.
    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: [u8; N], count: usize) {
        self.room[self.end..][..N].copy_from_slice(&bytes);
        self.end += count;
    }
}
