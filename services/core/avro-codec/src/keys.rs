//! The key of every input: what a publisher must send, so that the record finds its lane. Outputs name their own.

use domain::Input;
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
        Input::Ledger(record) => record.portfolio_id.as_str(),
        Input::PortfolioClose(record) => record.portfolio_id.as_str(),
        Input::Risk(record) => record.portfolio_id.as_str(),
        Input::Frame(_) => return None,
    };
    Some(SmolStr::new(key))
}
