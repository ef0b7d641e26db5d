//! What the conflator refuses, with which code and which words.

use super::*;

fn refused(topic: Topic, key: &str, input: Input) -> (DeadLetterCode, String) {
    let mut conflator = fresh();
    fold(&mut conflator, &record(topic, 0, 0, key, b"x"), Ok(input));
    let mut frame = conflator.frame().unwrap();
    assert!(frame.prices.is_empty() && frame.instruments.is_empty() && frame.actions.is_empty() && frame.statuses.is_empty());
    let letter = frame.rejected.pop().expect("it is refused");
    (letter.code, letter.text.to_string())
}

#[test]
fn absurd_ticks_are_refused() {
    use DeadLetterCode::{FutureTick, InvalidRecord, OutOfRange};
    let plain = || tick("AAA", Some("1"), Some("2"), 0);
    let cases = [
        ("AAA", tick("AAA", None, None, 0), InvalidRecord, "no price"),
        ("AAA", tick("AAA", Some("3"), Some("2"), 0), InvalidRecord, "crossed"),
        ("BBB", plain(), InvalidRecord, "key"),
        ("AAA", tick("AAA", Some("1"), None, 61), FutureTick, "clock"),
        ("AAA", Tick { volume: "-1".parse().ok(), ..plain() }, OutOfRange, "volume"),
        ("AAA", Tick { mark: "10000000000000000000".parse().ok(), ..plain() }, OutOfRange, "28 digits"),
        ("AAA", Tick { venue: Some("v".repeat(2000).into()), ..plain() }, OutOfRange, "venue"),
    ];
    for (key, tick, code, word) in cases {
        let (found, text) = refused(Topic::Ticks, key, Input::Tick(Box::new(tick)));
        assert!(found == code && text.contains(word), "{found} {text}");
    }
    let mut conflator = fresh();
    fold_tick(&mut conflator, 0, 0, &tick("CL", Some("-37.63"), Some("0"), 60));
    assert_eq!(conflator.frame().unwrap().prices.len(), 1, "negative prices happen, and 60 s are allowed");
    fold_tick(&mut conflator, 0, 1, &tick("CL", Some("1"), Some("2"), 60));
    assert_eq!((conflator.counters().not_above_zero, conflator.counters().rejected), (1, 0), "and are counted");
    let named = |conflator: &Conflator| conflator.last_not_above_zero().map(ToString::to_string);
    assert_eq!(named(&conflator).as_deref(), Some("CL"), "whose frame is gone, and whose newest price is another");
    fold_tick(&mut conflator, 0, 2, &Tick { last: "0".parse().ok(), ..plain() });
    assert_eq!((named(&conflator).as_deref(), named(&fresh())), (Some("AAA"), None));
}

#[test]
fn absurd_reference_data_is_refused() {
    use DeadLetterCode::{InvalidRecord, OutOfRange, UnknownEnum};
    let plain = || instrument("AAA");
    let zero = Quantity::ZERO;
    let instruments = [
        ("BBB", plain(), InvalidRecord, "key"),
        ("AAA", Instrument { kind: InstrumentType::Unknown, ..plain() }, UnknownEnum, "type"),
        ("AAA", Instrument { price_source: PriceSource::Unknown, ..plain() }, UnknownEnum, "price_source"),
        ("AAA", Instrument { multiplier: zero, ..plain() }, OutOfRange, "multiplier"),
        ("AAA", Instrument { lot_size: "-1".parse().unwrap(), ..plain() }, OutOfRange, "lot_size"),
        ("AAA", Instrument { tick_size: "0".parse().ok(), ..plain() }, OutOfRange, "tick_size"),
        ("AAA", Instrument { max_price_age_seconds: Some(0), ..plain() }, OutOfRange, "max_price_age"),
        ("AAA", Instrument { max_jump_bp: "0".parse().ok(), ..plain() }, OutOfRange, "max_jump"),
        ("AAA", Instrument { calendar: Some("NYSE".into()), ..plain() }, OutOfRange, "XNYS"),
        ("AAA", Instrument { average_daily_volume: "-5".parse().ok(), ..plain() }, OutOfRange, "average_daily_volume"),
        ("AAA", Instrument { name: Some("n".repeat(1025).into()), ..plain() }, OutOfRange, "name"),
    ];
    for (key, instrument, code, word) in instruments {
        let (found, text) = refused(Topic::Instruments, key, Input::Instrument(Box::new(instrument)));
        assert!(found == code && text.contains(word), "{found} {text}");
    }
    let actions = [
        (CorporateAction { status: ActionStatus::Unknown, ..split("S") }, UnknownEnum),
        (CorporateAction { kind: ActionKind::Unknown, ..split("S") }, UnknownEnum),
        (CorporateAction { ratio_old: None, ..split("S") }, InvalidRecord),
        (CorporateAction { ratio_new: Some(zero), ..split("S") }, OutOfRange),
        (CorporateAction { ratio_new: "100001".parse().ok(), ..split("S") }, OutOfRange),
        (CorporateAction { ratio_old: "200002".parse().ok(), ..split("S") }, OutOfRange),
        (CorporateAction { cash_in_lieu_price: "-1".parse().ok(), ..split("S") }, OutOfRange),
        (CorporateAction { ex_date: NOW.date_utc().plus_days(367), ..split("S") }, OutOfRange),
        (CorporateAction { pay_date: Some(Date::from_days(19_999)), ..split("S") }, InvalidRecord),
        (CorporateAction { kind: ActionKind::CashDividend, ..split("S") }, InvalidRecord),
        (CorporateAction { kind: ActionKind::SymbolChange, ..split("S") }, InvalidRecord),
    ];
    for (action, code) in actions {
        assert_eq!(refused(Topic::CorporateActions, "S", Input::CorporateAction(Box::new(action))).0, code);
    }
    let both =
        MarketStatus { venue: Some("X".into()), instrument_id: InstrumentId::new("X").ok(), status: MarketState::Open, effective_at: NOW };
    assert_eq!(refused(Topic::MarketStatus, "X", Input::MarketStatus(Box::new(both))).0, InvalidRecord);
    let ahead = |days: i64| {
        let effective_at = NOW.plus_seconds(days * 86_400);
        MarketStatus { venue: Some("X".into()), instrument_id: None, status: MarketState::Open, effective_at }
    };
    let (code, text) = refused(Topic::MarketStatus, "X", Input::MarketStatus(Box::new(ahead(367))));
    assert!(code == OutOfRange && text.contains("more than 366 days"), "{text}");
    let mut conflator = fresh();
    fold(&mut conflator, &record(Topic::MarketStatus, 0, 0, "X", b""), Ok(Input::MarketStatus(Box::new(ahead(366)))));
    assert_eq!(conflator.frame().unwrap().statuses.len(), 1);
    let (code, text) = refused(Topic::Closes, "AAA", Input::Instrument(Box::new(plain())));
    assert!(code == InvalidRecord && text.contains("marketdata.closes.v1"), "{text}");
}
