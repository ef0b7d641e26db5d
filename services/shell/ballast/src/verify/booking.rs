//! The book of one portfolio: its holdings, its cash, what is owed to it, and all that made them so. Cancels, corrections
//! and reversals are booked by `amending`, corporate actions by `course` and `deeds`.

use super::actions::Standing;
use super::amending::{Log, What};
use super::course::Stages;
use super::effect::{Amounts, Effect, put};
use super::holding::Position;
use super::owed::{Debts, owe};
use super::worth::Turns;
use domain::enums::CostMethod;
use domain::{InstrumentId, SmolStr};
use std::collections::BTreeMap;

/// A portfolio.
#[derive(Debug, Clone, Default)]
pub(super) struct Book<'a> {
    /// How the cost of what is sold is found; a pool where it is not known.
    pub(super) method: CostMethod,
    pub(super) positions: BTreeMap<InstrumentId, Position>,
    pub(super) cash: Amounts,
    pub(super) flows: Amounts,
    /// Dividends that are earned and not paid, by line.
    pub(super) owed: BTreeMap<InstrumentId, Debts>,
    pub(super) bookings: u64,
    /// All of it, in booking order.
    pub(super) log: Log<'a>,
    /// The actions that each line follows, in their order.
    pub(super) follows: BTreeMap<InstrumentId, Vec<Standing>>,
    /// From where each line is booked anew.
    pub(super) stages: BTreeMap<InstrumentId, Stages<'a>>,
    /// What was turned into another currency, and at what.
    pub(super) turns: Turns,
    /// How often each dividend of a line was announced otherwise.
    pub(super) tellings: BTreeMap<(InstrumentId, SmolStr), u32>,
}

impl<'a> Book<'a> {
    /// Books what stands behind all others and before no action.
    pub(super) fn book(&mut self, what: What<'a>) -> Result<Effect, String> {
        let effect = match what.line() {
            Some(id) => {
                let method = self.method;
                what.apply(self.positions.entry(id.clone()).or_insert_with(|| Position::by(method)), None)?
            }
            None => what.apply(&mut Position::default(), None)?,
        };
        self.add(what.line(), &effect);
        self.log.keep(what);
        Ok(effect)
    }

    /// Adds what does not stand in a position.
    pub(super) fn add(&mut self, line: Option<&InstrumentId>, effect: &Effect) {
        self.bookings += 1;
        self.turns.mark(&effect.income);
        effect.cash.iter().for_each(|(currency, amount)| put(&mut self.cash, *currency, amount));
        if let Some(line) = line.filter(|_| !effect.owed.is_empty()) {
            let debts = self.owed.entry(line.clone()).or_default();
            effect.owed.iter().for_each(|(action, owed)| owe(debts, action, owed, 1));
        }
        if let Some((currency, amount)) = &effect.flow {
            put(&mut self.flows, *currency, amount);
        }
    }

    /// What is owed of dividends, by currency.
    pub(super) fn receivables(&self) -> Amounts {
        let mut sums = Amounts::new();
        let owed = self.owed.values().flat_map(BTreeMap::values).flat_map(|owed| &owed.amounts);
        owed.for_each(|(currency, amount)| put(&mut sums, *currency, amount));
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::exact::{ratio, whole, zero};
    use crate::verify::story::{deposit, fill, instrument, usd, v};
    use crate::verify::worth::Worth;
    use domain::Currency;
    use domain::cash::CashEntry;
    use domain::enums::{InstrumentType, Side};
    use domain::fill::Fill;
    use domain::instrument::Instrument;

    /// What a book holds after some executions, and what each did.
    struct Booked {
        positions: BTreeMap<InstrumentId, Position>,
        cash: Amounts,
    }

    fn booked(instrument: &Instrument, fills: &[Fill]) -> (Booked, Vec<Effect>) {
        let mut book = Book::default();
        let effects = fills.iter().map(|fill| book.book(What::trade(fill, instrument)).unwrap()).collect();
        (Booked { positions: book.positions, cash: book.cash }, effects)
    }

    #[test]
    fn a_future_pays_its_gain_when_it_is_closed() {
        let future = Instrument { kind: InstrumentType::Future, multiplier: v("50"), ..instrument("AAPL") };
        let (book, _) =
            booked(&future, &[fill("a", Side::Buy, "2", "4000", "5", None), fill("b", Side::SellShort, "3", "4010", "5", None)]);
        let position = &book.positions[&v::<InstrumentId>("AAPL")];
        assert_eq!(position.realized, whole(2 * 10 * 50));
        assert_eq!((position.quantity.clone(), position.cost.clone()), (whole(-1), whole(-4010 * 50)));
        assert_eq!(book.cash[&usd()], whole(1000 - 10));
    }

    #[test]
    fn a_pair_moves_two_balances_and_no_position() {
        let pair = Instrument { kind: InstrumentType::Fx, base_asset: Some(v("EUR")), ..instrument("EUR/USD") };
        let (book, effects) = booked(&pair, &[fill("a", Side::Buy, "100", "1.25", "2", None)]);
        assert!(book.positions.is_empty() && effects[0].quantity == zero());
        assert_eq!((book.cash[&v::<Currency>("EUR")].clone(), book.cash[&usd()].clone()), (whole(100), whole(-127)));
    }

    #[test]
    fn a_fee_in_units_reduces_the_holding_and_leaves_the_average() {
        let coin = Instrument { kind: InstrumentType::Crypto, base_asset: Some(v("BTC")), ..instrument("AAPL") };
        let mut buy = fill("a", Side::Buy, "2", "100", "0", None);
        buy.fees = vec![domain::fill::Fee { kind: "taker".into(), amount: v("0.5"), currency: v("BTC") }].into();
        let (book, effects) = booked(&coin, &[buy]);
        let position = &book.positions[&v::<InstrumentId>("AAPL")];
        assert_eq!((position.quantity.clone(), position.cost.clone(), position.realized.clone()), (ratio(15, 1), whole(150), zero()));
        assert_eq!((position.own_fees.clone(), book.cash[&usd()].clone()), (Some(Worth::of(whole(50))), whole(-200)));
        assert_eq!(effects[0].quantity, ratio(15, 1));
    }

    #[test]
    fn accrued_interest_and_a_gross_amount_are_cash() {
        let mut sell = fill("a", Side::Sell, "3", "33.33", "0", None);
        sell.gross_amount = Some(v("100"));
        sell.accrued_interest = Some(v("7"));
        let (book, effects) = booked(&instrument("AAPL"), &[sell]);
        assert_eq!((book.cash[&usd()].clone(), effects[0].income.clone()), (whole(107), Worth::of(whole(7))));
        assert_eq!(book.positions[&v::<InstrumentId>("AAPL")].cost, whole(-100));
    }

    #[test]
    fn what_the_model_cannot_book_it_says() {
        let back = CashEntry { reverses: Some("d0".into()), ..deposit("d1", "5") };
        assert!(Book::default().book(What::Cash(&back)).is_err());
    }
}
