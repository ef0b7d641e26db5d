//! The key of every record: what a publisher must send, so that the record finds its lane.

use domain::{Input, Output};
use smol_str::SmolStr;

/// The key under which an input is published; `None` stands for a null key.
pub fn input_key(input: &Input) -> Option<SmolStr> {
    let key = match input {
        Input::Fill(record) => record.portfolio_id.as_str(),
        Input::Cash(record) => record.portfolio_id.as_str(),
        Input::Policy(record) => record.portfolio_id.as_str(),
        Input::PolicyClosed(portfolio) => portfolio.as_str(),
        Input::Tick(record) => record.instrument_id.as_str(),
        Input::Instrument(record) => record.instrument_id.as_str(),
        Input::CorporateAction(record) => record.action_id.as_str(),
        Input::MarketStatus(record) => match &record.instrument_id {
            Some(instrument) => instrument.as_str(),
            None => record.venue.as_deref()?,
        },
        Input::Close(record) => return Some(smol_str::format_smolstr!("{}:{}", record.instrument_id, record.date)),
        Input::OrderStatus(record) => record.portfolio_id.as_str(),
        Input::Command(record) => record.portfolio_id.as_ref()?.as_str(),
        Input::Refresh(record) => record.portfolio_id.as_str(),
        Input::Drift(record) => record.portfolio_id.as_str(),
        Input::OrderWave(record) => record.portfolio_id.as_str(),
        Input::Frame(_) => return None,
    };
    Some(SmolStr::new(key))
}

/// The key under which an output is published; `None` stands for a null key.
pub fn output_key(output: &Output) -> Option<&[u8]> {
    match output {
        Output::DeadLetter(letter) => letter.key.as_deref(),
        _ => output.portfolio_id().map(|portfolio| portfolio.as_str().as_bytes()),
    }
}
