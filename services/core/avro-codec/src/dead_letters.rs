//! A dead letter on its topic: key and value are the original's, byte for byte, and everything else
//! stands in headers. The original's own headers keep their values under a prefix.

use crate::error::CodecError;
use domain::command::Header;
use domain::dead_letter::DeadLetter;
use domain::reason::DeadLetterCode;
use domain::{PortfolioId, Timestamp, Topic};
use smol_str::{SmolStr, format_smolstr};
use std::str::FromStr;

const TOPIC: &str = "dlq_topic";
const PARTITION: &str = "dlq_partition";
const OFFSET: &str = "dlq_offset";
const CODE: &str = "dlq_code";
const TEXT: &str = "dlq_text";
const PORTFOLIO: &str = "dlq_portfolio_id";
const TIMESTAMP: &str = "dlq_timestamp_micros";
const ORIGINAL: &str = "original.";

/// The headers of a dead letter. Numbers stand as decimal text, `dlq_timestamp_micros` in microseconds since 1970.
pub fn dead_letter_headers(letter: &DeadLetter) -> Vec<(SmolStr, Vec<u8>)> {
    let mut headers = Vec::with_capacity(7 + letter.headers.len());
    let mut put = |name: &'static str, value: String| headers.push((SmolStr::new_static(name), value.into_bytes()));
    put(TOPIC, letter.topic.name().to_owned());
    put(PARTITION, letter.partition.to_string());
    put(OFFSET, letter.offset.to_string());
    put(CODE, letter.code.symbol().to_owned());
    put(TEXT, letter.text.to_string());
    if let Some(portfolio) = &letter.portfolio_id {
        put(PORTFOLIO, portfolio.to_string());
    }
    put(TIMESTAMP, letter.timestamp.micros().to_string());
    headers.extend(letter.headers.iter().map(|header| (format_smolstr!("{ORIGINAL}{}", header.name), header.value.clone())));
    headers
}

/// The dead letter of a record of a dead-letter topic. Headers that are neither ours nor the
/// original's (those of every output) are passed over; of two with one name the first counts.
///
/// # Errors
/// [`CodecError::DeadLetterHeader`] for the first header that is missing or wrong.
pub fn dead_letter_from<'a>(
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<DeadLetter, CodecError> {
    let headers: Vec<_> = headers.into_iter().collect();
    let originals = headers.iter().filter_map(|(name, value)| Some((name.strip_prefix(ORIGINAL)?, value)));
    let topic = text(&headers, TOPIC)?;
    let code = text(&headers, CODE)?;
    Ok(DeadLetter {
        topic: Topic::from_name(topic).ok_or(CodecError::DeadLetterHeader { name: TOPIC })?,
        partition: parsed(&headers, PARTITION)?,
        offset: parsed(&headers, OFFSET)?,
        code: DeadLetterCode::from_symbol(code),
        text: SmolStr::new(text(&headers, TEXT)?),
        portfolio_id: optional(&headers, PORTFOLIO)?.map(PortfolioId::new).transpose().map_err(|_| wrong(PORTFOLIO))?,
        timestamp: Timestamp::from_micros(parsed(&headers, TIMESTAMP)?),
        key: key.map(<[u8]>::to_vec),
        headers: originals.map(|(name, value)| Header { name: SmolStr::new(name), value: value.to_vec() }).collect(),
        value: value.map(<[u8]>::to_vec),
    })
}

const fn wrong(name: &'static str) -> CodecError {
    CodecError::DeadLetterHeader { name }
}

fn optional<'a>(headers: &[(&'a str, &'a [u8])], name: &'static str) -> Result<Option<&'a str>, CodecError> {
    let found = headers.iter().find(|(header, _)| *header == name);
    found.map(|(_, value)| std::str::from_utf8(value).map_err(|_| wrong(name))).transpose()
}

fn text<'a>(headers: &[(&'a str, &'a [u8])], name: &'static str) -> Result<&'a str, CodecError> {
    optional(headers, name)?.ok_or_else(|| wrong(name))
}

fn parsed<T: FromStr>(headers: &[(&str, &[u8])], name: &'static str) -> Result<T, CodecError> {
    text(headers, name)?.parse().map_err(|_| wrong(name))
}
