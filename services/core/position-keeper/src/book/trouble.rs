//! Why a record cannot be booked: it waits for something, or it is refused for good.

use domain::reason::DeadLetterCode;
use domain::{Amount, Currency, FixedError, InstrumentId, PortfolioId, SmolStr};
use engine::Refusal;
use serde::{Deserialize, Serialize};

/// What a record waits for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Need {
    /// A policy of its portfolio.
    Policy(PortfolioId),
    /// The facts of its instrument.
    Instrument(InstrumentId),
    /// Units of the second currency for one of the first.
    Rate(Currency, Currency),
    /// An execution of a source.
    Execution(SmolStr, SmolStr),
    /// A cash entry of a source.
    Entry(SmolStr, SmolStr),
    /// A first price of its instrument.
    Price(InstrumentId),
}

impl Need {
    /// Whether it is a record that is named: who awaits one holds nobody up.
    pub const fn is_named(&self) -> bool {
        matches!(self, Self::Execution(..) | Self::Entry(..))
    }
}

impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Need::Policy(portfolio) => write!(f, "a policy of portfolio {portfolio:?}"),
            Need::Instrument(instrument) => write!(f, "reference data of instrument {instrument:?}"),
            Need::Execution(source, id) => write!(f, "execution {id:?} of {source:?}"),
            Need::Entry(source, id) => write!(f, "cash entry {id:?} of {source:?}"),
            Need::Price(instrument) => write!(f, "a price of instrument {instrument:?}"),
            Need::Rate(of, quoted) => write!(f, "a rate of {of} in {quoted} (a price of {of}/{quoted}, its inverse, or one cross)"),
        }
    }
}

/// Why a record was not booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It came too early.
    Wait(Need),
    /// It was booked before, with the same content.
    Duplicate,
    /// It cannot be booked.
    Refuse(Refusal),
}

impl Trouble {
    /// A refusal with a code and a text.
    #[cold]
    #[inline(never)]
    pub fn refuse(code: DeadLetterCode, text: impl AsRef<str>) -> Self {
        Trouble::Refuse(Refusal::new(code, text))
    }
    /// A refusal of a value that is out of range.
    #[cold]
    #[inline(never)]
    pub fn range(text: impl AsRef<str>) -> Self {
        Self::refuse(DeadLetterCode::OutOfRange, text)
    }
    /// A refusal of a record that contradicts itself or asks for what is not done.
    #[cold]
    #[inline(never)]
    pub fn invalid(text: impl AsRef<str>) -> Self {
        Self::refuse(DeadLetterCode::InvalidRecord, text)
    }
}

impl From<FixedError> for Trouble {
    #[cold]
    #[inline(never)]
    fn from(_: FixedError) -> Self {
        Self::range("the booking would leave the range of exact amounts (10^15 units of a currency): check quantity, price and rate")
    }
}

/// Largest booked amount: 10^15 units of a currency. It leaves room for sums over every line of a
/// portfolio below the 28 digits that are published.
const LARGEST: i128 = 10_i128.pow(15 + Amount::SCALE);

/// The amount, or an overflow where it is beyond what a book holds.
pub fn bounded(amount: Amount) -> Result<Amount, FixedError> {
    if amount.units().unsigned_abs() <= LARGEST.unsigned_abs() { Ok(amount) } else { Err(FixedError::Overflow) }
}
