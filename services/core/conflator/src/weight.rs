//! Upper bounds of what a record adds to a frame, in bytes of its encoding: each record's fixed fields
//! at their greatest, and its texts. Bounds, not sizes: they decide when a frame is cut.

use domain::close::Close;
use domain::corporate_action::CorporateAction;
use domain::dead_letter::DeadLetter;
use domain::frame::FramePrice;
use domain::instrument::Instrument;
use domain::market_status::MarketStatus;
use domain::{InstrumentId, SmolStr};

/// Every fixed field of any of the records: decimals, times, enums, currencies, tags and lengths.
const FIXED: usize = 256;
/// The fixed fields of a price, by far the most frequent record.
const PRICE: usize = 168;
/// One range of one source.
const SOURCE: usize = 32;

fn text(text: Option<&SmolStr>) -> usize {
    text.map_or(0, |text| text.len())
}

fn id(id: &InstrumentId) -> usize {
    id.as_str().len()
}

/// The ranges of so many sources.
pub fn sources(count: usize) -> usize {
    count * SOURCE + FIXED
}

/// A price.
pub fn price(price: &FramePrice) -> usize {
    PRICE + id(&price.instrument_id) + text(price.venue.as_ref())
}

/// An instrument.
pub fn instrument(instrument: &Instrument) -> usize {
    let texts = [&instrument.symbol, &instrument.name, &instrument.sector, &instrument.venue, &instrument.calendar];
    FIXED + id(&instrument.instrument_id) + texts.iter().map(|t| text(t.as_ref())).sum::<usize>()
}

/// A corporate action.
pub fn action(action: &CorporateAction) -> usize {
    FIXED + action.action_id.len() + id(&action.instrument_id) + text(action.new_symbol.as_ref())
}

/// A market status.
pub fn status(status: &MarketStatus) -> usize {
    FIXED + text(status.venue.as_ref()) + status.instrument_id.as_ref().map_or(0, id)
}

/// An official close.
pub fn close(close: &Close) -> usize {
    FIXED + id(&close.instrument_id) + close.source.len()
}

/// A refused record.
pub fn rejected(letter: &DeadLetter) -> usize {
    let headers: usize = letter.headers.iter().map(|header| header.name.len() + header.value.len() + 16).sum();
    let bytes = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
    FIXED + letter.text.len() + bytes(&letter.key) + headers + bytes(&letter.value)
}
