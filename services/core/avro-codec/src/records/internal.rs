//! What the roles tell one another: frames, requests for drift, dead letters inside frames, progress.
//! Each record's fields stand once, in the order of its schema. What they mean is said in `domain`.

use super::records;
use crate::fault::Fault;
use crate::reader::Reader;
use crate::wire::{Item, Wire};
use crate::writer::Writer;

records! {
    domain::frame::{
        FrameSource { topic, partition, from, to }
        FramePrice { instrument_id, bid, ask, last, mark, accrued, volume, venue, event_time, sequence, bid_time, ask_time, last_time, mark_time }
        Frame { sources, anchor, event_time, prices, instruments, actions, statuses, closes, rejected }
    }
}
records! {
    domain::refresh::{
        Refresh { request_id, portfolio_id, why }
    }
}
records! {
    domain::dead_letter::{
        DeadLetter { topic, partition, offset, code, text, portfolio_id, timestamp, key, headers, value }
    }
}
records! {
    domain::progress::{
        Range { topic, partition, from, to }
        WindowRecord { ranges, now, behind }
        Recorded { name, value }
        Begin { step, rules_version, lanes, settings, schemas, windows }
        Done { step, digest, outputs, inputs }
    }
}

/// One field, a union of both kinds of record.
impl Wire for domain::progress::Progress {
    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Begin(begin) => {
                writer.byte(0);
                begin.write(writer);
            }
            Self::Done(done) => {
                writer.byte(2);
                done.write(writer);
            }
        }
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        match reader.branch()? {
            0 => Wire::read(reader).map(Self::Begin),
            _ => Wire::read(reader).map(Self::Done),
        }
    }
}
