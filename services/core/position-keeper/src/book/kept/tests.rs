//! What is written of any execution is read back, and the usual one is written as any other.

use super::*;
use crate::book::Position;
use proptest::prelude::*;

fn units() -> impl Strategy<Value = i128> {
    let near = |power: u32| (-3..4_i128).prop_map(move |step| 10_i128.pow(power) * step);
    prop_oneof![
        Just(0),
        near(4),
        near(6),
        near(8),
        near(10),
        near(12),
        near(18),
        -(1_i128 << 70)..1_i128 << 70,
        (1_i128 << 92)..1_i128 << 93
    ]
}

fn currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(vec!["USD", "EUR", "X1", "USDT", "ABCDEFGHIJKL"]).prop_map(|code| code.parse().unwrap())
}

fn charge() -> impl Strategy<Value = Charge> {
    (currency(), units(), any::<(bool, bool, bool)>(), units()).prop_map(|(currency, amount, (held, local, book), other)| {
        let (amount, other) = (Money::from_units(amount), Amount::from_units(other));
        let local = if local { Amount::from(amount) } else { other };
        Charge {
            currency,
            amount,
            local,
            book: if book { local } else { Amount::from_units(7) },
            held: held.then(|| Quantity::of_amount(amount)),
        }
    })
}

fn execution() -> impl Strategy<Value = Execution> {
    let numbers = (any::<u32>(), -800_000..3_000_000_i32, units(), units(), units(), units());
    let more = (currency(), 0..3_u8, units(), prop::collection::vec(charge(), 0..18), prop::option::of(-9..9_i32));
    let names = (prop::option::of("[a-z]{1,40}"), prop::option::of(any::<u128>()), prop::option::of("[a-zü]{1,30}"), any::<bool>());
    (numbers, more, names).prop_map(|((instrument, day, quantity, price, rate, gross), (currency, form, accrued, fees, settles), names)| {
        let (quantity, price, trade_date) = (Quantity::from_units(quantity), Price::from_units(price), Date::from_days(day));
        let (id, order, strategy, plain) = names;
        let form = match form {
            0 => Form::Paid,
            1 => Form::Future,
            _ => Form::Exchange { of: currency, units: Amount::from_units(gross) },
        };
        let worth = quantity.abs().times(price).ok().filter(|_| plain);
        Execution {
            id: id.map(Into::into),
            instrument: InstrumentIx(instrument),
            trade_date,
            quantity,
            price,
            currency,
            rate: if plain { FxRate::ONE } else { FxRate::from_units(rate) },
            gross: worth.unwrap_or(Amount::from_units(gross)),
            form,
            accrued: Money::from_units(accrued),
            fees: fees.into(),
            settles: settles.map(|days| trade_date.plus_days(days)),
            order: order.map(|id| OrderId(Uuid::from_u128(id))),
            strategy: strategy.map(|id| StrategyId::new(&id).unwrap()),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(execution in execution(), before in any::<bool>(), cut in any::<prop::sample::Index>(), bent in any::<u8>()) {
        let (holding, booking) = (Holding::default(), Booking::Execution(execution));
        let standing = holding.standing();
        let mut bytes = Vec::new();
        write(before.then_some(standing), &booking, &mut bytes);
        let end = bytes.len();
        bytes.push(7);
        let (read_back, rest) = read(&bytes).unwrap();
        prop_assert_eq!((&read_back.booking, read_back.before.is_some(), rest), (&booking, before, &[7][..]));
        // Whatever else stands there: an answer, no panic.
        let cut = cut.index(end);
        prop_assert!(read(&bytes[..cut]).is_none());
        bytes[cut] = bent;
        if let Some((other, _)) = read(&bytes) {
            let _ = other.booking.apply(&mut crate::book::execution::Effect::default(), &mut Position::default(), None);
        }
    }
}

/// Executions that nearly are what the usual way takes.
fn usual() -> impl Strategy<Value = Execution> {
    let numbers = (any::<u32>(), -800_000..3_000_000_i32, units(), units(), prop::option::of(-9..9_i32));
    let fee = (units(), currency(), any::<bool>());
    (numbers, currency(), prop::option::of(fee), 0..8_u8).prop_map(|((instrument, day, quantity, price, settles), own, fee, other)| {
        let (quantity, price, trade_date) = (Quantity::from_units(quantity), Price::from_units(price), Date::from_days(day));
        let fee = fee.map(|(amount, currency, foreign)| {
            let amount = Money::from_units(amount);
            let (local, book) = (Amount::from(amount), if other == 1 { Amount::ZERO } else { amount.into() });
            Charge { currency: if foreign { currency } else { own }, amount, local, book, held: None }
        });
        Execution {
            id: (other == 2).then(|| "E1".into()),
            instrument: InstrumentIx(instrument),
            trade_date,
            quantity,
            price,
            currency: own,
            rate: if other == 3 { FxRate::from_units(1) } else { FxRate::ONE },
            gross: quantity.abs().times(price).ok().filter(|_| other != 4).unwrap_or(Amount::ZERO),
            form: if other == 5 { Form::Future } else { Form::Paid },
            accrued: Money::from_units((other == 6).into()),
            fees: fee.into_iter().collect(),
            settles: settles.map(|days| trade_date.plus_days(days)),
            order: None,
            strategy: None,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn the_usual_way_writes_what_the_general_one_does(execution in prop_oneof![usual(), execution()], before in any::<bool>()) {
        let (mut fast, mut general) = (vec![1], vec![1]);
        let written = usual::write(&execution, before, &mut fast);
        if written.is_some() {
            prop_assert_eq!(write_short(&execution, before, &mut general), Some(()));
        }
        prop_assert_eq!(fast, general);
    }
}

#[test]
fn the_usual_execution_takes_few_bytes() {
    let usd: Currency = "USD".parse().unwrap();
    let (quantity, price): (Quantity, Price) = ("-35".parse().unwrap(), "12.25".parse().unwrap());
    let amount: Money = "0.35".parse().unwrap();
    let fee = Charge { currency: usd, amount, local: amount.into(), book: amount.into(), held: None };
    let booking = Booking::Execution(Execution {
        id: None,
        instrument: InstrumentIx(400),
        trade_date: "2026-01-05".parse().unwrap(),
        quantity,
        price,
        currency: usd,
        rate: FxRate::ONE,
        gross: quantity.abs().times(price).unwrap(),
        form: Form::Paid,
        accrued: Money::ZERO,
        fees: SmallVec::from_iter([fee]),
        settles: Some("2026-01-06".parse().unwrap()),
        order: None,
        strategy: None,
    });
    let mut bytes = Vec::new();
    write(None, &booking, &mut bytes);
    assert_eq!(bytes.len(), 21);
    let Booking::Execution(execution) = &booking else { unreachable!("it is one") };
    assert!(usual::write(execution, false, &mut bytes).is_some(), "the usual way takes it");
}
