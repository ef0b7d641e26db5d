//! Bytes that were not meant well: cut off, changed, lying about their lengths. Nothing panics,
//! nothing is read in part, and memory stays in proportion to the bytes.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a test stops where it is wrong")]

use avro_codec::{CodecError, FaultKind, SchemaStore, decode, encode_input, fingerprint, record_limit};
use domain::fill::{Fee, Fill};
use domain::frame::{Frame, FramePrice};
use domain::reason::DeadLetterCode;
use domain::{Input, Quantity, Timestamp, Topic};
use peak_alloc::PeakAlloc;
use std::sync::Mutex;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Bytes that reading may take at its peak for so many bytes read: a null price is 1 byte on the wire
/// and 32 in memory, and a growing list holds its old half meanwhile.
fn allowed(read: usize) -> usize {
    read * 160 + 256 * 1024
}

fn fill() -> Fill {
    Fill {
        source: "oms".into(),
        exec_id: "EX-0000000000000000000000000042".into(),
        trade_date: "2026-01-05".parse().unwrap(),
        exec_type: domain::enums::ExecType::Trade,
        exec_ref_id: Some("EX-41".into()),
        portfolio_id: "growth".parse().unwrap(),
        instrument_id: "ACME.US".parse().unwrap(),
        venue: Some("XNAS".into()),
        side: domain::enums::Side::Buy,
        quantity: "100".parse().unwrap(),
        price: "12.3456".parse().unwrap(),
        currency: "USD".parse().unwrap(),
        fees: [Fee { kind: "commission".into(), amount: "-1.5".parse().unwrap(), currency: "EUR".parse().unwrap() }].into_iter().collect(),
        settle_date: Some("2026-01-07".parse().unwrap()),
        fx_rate: Some("0.91".parse().unwrap()),
        order_id: Some("5b9da7e6-3c55-5a0b-9f0e-42a11a57ba11".parse().unwrap()),
        strategy: Some("core".parse().unwrap()),
        cum_qty: Some("300".parse().unwrap()),
        gross_amount: Some("1234.56".parse().unwrap()),
        accrued_interest: None,
        transact_time: "2026-01-05T14:30:00.123456Z".parse().unwrap(),
        received_at: Some("2026-01-05T14:30:00.2Z".parse().unwrap()),
    }
}

fn bytes(input: &Input) -> Vec<u8> {
    let mut out = Vec::new();
    encode_input(input, &mut out).unwrap();
    out
}

fn read(topic: Topic, value: &[u8]) -> Result<Input, CodecError> {
    decode(&SchemaStore::compiled(), topic, None, Some(value))
}

/// Reads and holds the memory that it took at its peak against the bytes.
fn bounded(topic: Topic, value: &[u8]) -> Result<Input, CodecError> {
    let store = SchemaStore::compiled();
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let result = decode(&store, topic, None, Some(value));
    let took = MEMORY.peak_usage().saturating_sub(before);
    assert!(took <= allowed(value.len()), "{took} bytes of memory for {} read", value.len());
    result
}

#[test]
fn every_truncation_is_refused() {
    let _alone = ONE_AT_A_TIME.lock();
    let whole = bytes(&Input::Fill(Box::new(fill())));
    assert_eq!(read(Topic::Fills, &whole).unwrap(), Input::Fill(Box::new(fill())));
    for end in 1..whole.len() {
        assert!(bounded(Topic::Fills, &whole[..end]).is_err(), "{end}");
    }
    assert!(read(Topic::Fills, &[&whole[..], &[0]].concat()).is_err());
}

#[test]
fn every_changed_byte_is_refused_or_another_record() {
    let _alone = ONE_AT_A_TIME.lock();
    let whole = bytes(&Input::Fill(Box::new(fill())));
    for at in 0..whole.len() {
        for byte in 0..=255 {
            let mut wrong = whole.clone();
            wrong[at] = byte;
            if let Ok(input) = bounded(Topic::Fills, &wrong) {
                // One spelling for each record, but for the letters of a UUID and the split of an array into blocks.
                let again = bytes(&input);
                let same = again == wrong || read(Topic::Fills, &again).unwrap() == input;
                assert!(same, "byte {at} = {byte}");
            }
        }
    }
}

#[test]
fn counts_are_not_believed() {
    let _alone = ONE_AT_A_TIME.lock();
    let head = |topic: Topic| [&[0xc3, 0x01][..], &fingerprint(topic).to_wire()].concat();
    for count in [i64::MAX, i64::MIN, 1 << 40, 300_000, -300_000, -1] {
        let mut frame = head(Topic::Frames);
        long(count, &mut frame);
        if count < 0 {
            long(1 << 40, &mut frame);
        }
        frame.resize(frame.len() + 400_000, 2);
        assert!(bounded(Topic::Frames, &frame).is_err(), "{count}");
    }
    for length in [i64::MAX, i64::MIN, -1, 1 << 20] {
        let mut tick = head(Topic::Ticks);
        long(length, &mut tick);
        tick.resize(tick.len() + 1000, b'a');
        assert!(bounded(Topic::Ticks, &tick).is_err(), "{length}");
    }
}

fn long(value: i64, out: &mut Vec<u8>) {
    let mut raw = ((value << 1) ^ (value >> 63)) as u64;
    while raw >= 0x80 {
        out.push(raw as u8 | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
}

#[test]
fn the_largest_frame_stays_in_proportion() {
    let _alone = ONE_AT_A_TIME.lock();
    let price = |n: usize| FramePrice::empty(format!("I{n}").parse().unwrap(), Timestamp::from_micros(0));
    let frame = Frame { prices: (0..200_000).map(price).collect(), ..Frame::default() };
    let value = bytes(&Input::Frame(Box::new(frame)));
    assert!(bounded(Topic::Frames, &value).is_ok());
}

#[test]
fn arrays_may_come_in_blocks_whose_size_must_hold() {
    let _alone = ONE_AT_A_TIME.lock();
    let fees = [fill().fees[0].clone(), fill().fees[0].clone()];
    let mut two = fill();
    two.fees = fees.into_iter().collect();
    let whole = bytes(&Input::Fill(Box::new(two.clone())));
    let mut none = fill();
    none.fees.clear();
    let without = bytes(&Input::Fill(Box::new(none)));
    let at = whole.iter().zip(&without).position(|(a, b)| a != b).unwrap();
    let item = 1 + 10 + 12 + 1 + 3;
    let items = &whole[at + 1..at + 1 + 2 * item];
    let blocks = |size: i64| {
        let mut value = whole[..at].to_vec();
        long(-1, &mut value);
        long(size, &mut value);
        value.extend_from_slice(&items[..item]);
        long(1, &mut value);
        value.extend_from_slice(&items[item..]);
        value.extend_from_slice(&whole[at + 1 + 2 * item..]);
        value
    };
    assert_eq!(read(Topic::Fills, &blocks(item as i64)).unwrap(), Input::Fill(Box::new(two)));
    for wrong in [item as i64 - 1, item as i64 + 1, 0, -1, i64::MAX] {
        assert!(
            matches!(read(Topic::Fills, &blocks(wrong)), Err(CodecError::Body { fault, .. }) if fault.kind == FaultKind::Block),
            "{wrong}"
        );
    }
}

#[test]
fn numbers_beyond_their_range_are_told_apart() {
    let _alone = ONE_AT_A_TIME.lock();
    let whole = bytes(&Input::Fill(Box::new(fill())));
    let units = "100".parse::<Quantity>().unwrap().units().to_be_bytes();
    let at = whole.windows(12).position(|window| window == &units[4..]).unwrap();
    let with = |units: i128| {
        let mut value = whole.clone();
        value[at..at + 12].copy_from_slice(&units.to_be_bytes()[4..]);
        read(Topic::Fills, &value)
    };
    let limit = 10_i128.pow(28);
    for units in [limit - 1, 1 - limit, 0, -1] {
        let Ok(Input::Fill(fill)) = with(units) else { panic!("{units}") };
        assert_eq!(fill.quantity.units(), units);
    }
    for units in [limit, -limit, (1 << 95) - 1, -(1 << 95)] {
        let error = with(units).unwrap_err();
        assert_eq!(error.dead_letter_code(), DeadLetterCode::OutOfRange);
        assert!(error.to_string().contains("quantity"), "{error}");
    }
}

#[test]
fn texts_that_others_send_are_short_enough_to_be_quoted() {
    let _alone = ONE_AT_A_TIME.lock();
    let with = |bytes: usize| {
        let fill = Fill { source: "x".repeat(bytes).into(), ..fill() };
        read(Topic::Fills, &self::bytes(&Input::Fill(Box::new(fill))))
    };
    let most = avro_codec::limits::MAX_INPUT_TEXT;
    assert!(with(most).is_ok());
    let error = with(most + 1).unwrap_err().to_string();
    assert!(error.contains("source"), "{error}");
}

#[test]
fn what_nobody_could_read_is_not_written() {
    let _alone = ONE_AT_A_TIME.lock();
    let refused = |fill: Fill, word: &str| {
        let mut out = b"before".to_vec();
        let error = encode_input(&Input::Fill(Box::new(fill)), &mut out).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
        assert_eq!(out, b"before");
    };
    refused(Fill { quantity: Quantity::from_units(10_i128.pow(28)), ..fill() }, "quantity");
    refused(Fill { transact_time: Timestamp::MIN, ..fill() }, "transact_time");
    refused(Fill { source: "x".repeat(70_000).into(), ..fill() }, "source");
    let huge: domain::SmolStr = "x".repeat(60_000).into();
    let fee = Fee { kind: huge, ..fill().fees[0].clone() };
    refused(Fill { fees: vec![fee; record_limit(Topic::Fills) / 60_000 + 1].into(), ..fill() }, "bytes and may have");
}
