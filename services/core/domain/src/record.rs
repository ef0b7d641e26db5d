//! What a lane reads and what it writes, as closed enums over the records.

use crate::cash::CashEntry;
use crate::close::Close;
use crate::command::Command;
use crate::corporate_action::CorporateAction;
use crate::dead_letter::DeadLetter;
use crate::drift::Drift;
use crate::fill::Fill;
use crate::frame::Frame;
use crate::instrument::Instrument;
use crate::ledger::Ledger;
use crate::market_status::MarketStatus;
use crate::order::OrderWave;
use crate::order_status::OrderStatus;
use crate::performance::Performance;
use crate::policy::Policy;
use crate::portfolio_close::PortfolioClose;
use crate::rebalance_event::RebalanceEvent;
use crate::refresh::Refresh;
use crate::risk::Risk;
use crate::snapshot::Snapshot;
use crate::tick::Tick;
use crate::{PortfolioId, Topic};
use serde::{Deserialize, Serialize};

/// A record that a role reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// An execution.
    Fill(Box<Fill>),
    /// A cash entry.
    Cash(Box<CashEntry>),
    /// A policy.
    Policy(Box<Policy>),
    /// A portfolio was closed (a policy with a null value).
    PolicyClosed(PortfolioId),
    /// A tick.
    Tick(Box<Tick>),
    /// An instrument.
    Instrument(Box<Instrument>),
    /// A corporate action.
    CorporateAction(Box<CorporateAction>),
    /// A market status.
    MarketStatus(Box<MarketStatus>),
    /// An official close.
    Close(Box<Close>),
    /// An order status.
    OrderStatus(Box<OrderStatus>),
    /// A command.
    Command(Box<Command>),
    /// A request for a drift event.
    Refresh(Box<Refresh>),
    /// A drift event.
    Drift(Box<Drift>),
    /// An order wave.
    OrderWave(Box<OrderWave>),
    /// A frame.
    Frame(Box<Frame>),
    /// Entries of a portfolio.
    Ledger(Box<Ledger>),
    /// A portfolio's day.
    PortfolioClose(Box<PortfolioClose>),
    /// A portfolio's risk.
    Risk(Box<Risk>),
}

/// A record that a role writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// Entries of a portfolio.
    Ledger(Box<Ledger>),
    /// A snapshot.
    Snapshot(Box<Snapshot>),
    /// A drift event.
    Drift(Box<Drift>),
    /// A portfolio's day.
    PortfolioClose(Box<PortfolioClose>),
    /// A timeframe's performance.
    Performance(Box<Performance>),
    /// A portfolio's risk.
    Risk(Box<Risk>),
    /// A wave of orders.
    OrderWave(Box<OrderWave>),
    /// An event of a rebalance.
    RebalanceEvent(Box<RebalanceEvent>),
    /// A request for a drift event.
    Refresh(Box<Refresh>),
    /// A refused input.
    DeadLetter(Box<DeadLetter>),
    /// An execution (paper router).
    Fill(Box<Fill>),
    /// An order status (paper router).
    OrderStatus(Box<OrderStatus>),
}

impl Output {
    /// The topic that it goes to: for a dead letter the topic that the input came from, whose
    /// `dead_letters()` names the place.
    pub fn topic(&self) -> Topic {
        match self {
            Output::Ledger(_) => Topic::Ledger,
            Output::Snapshot(_) => Topic::Snapshots,
            Output::Drift(_) => Topic::Drift,
            Output::PortfolioClose(_) => Topic::PortfolioCloses,
            Output::Performance(_) => Topic::Performance,
            Output::Risk(_) => Topic::Risk,
            Output::OrderWave(_) => Topic::Orders,
            Output::RebalanceEvent(_) => Topic::RebalanceEvents,
            Output::Refresh(_) => Topic::Refresh,
            Output::DeadLetter(letter) => letter.topic,
            Output::Fill(_) => Topic::Fills,
            Output::OrderStatus(_) => Topic::OrderStatus,
        }
    }
    /// The key under which it is published; `None` for a null key.
    pub fn key(&self) -> Option<Vec<u8>> {
        match self {
            Output::DeadLetter(letter) => letter.key.clone(),
            Output::Performance(record) => Some(record.key().as_bytes().to_vec()),
            _ => self.portfolio_id().map(|portfolio| portfolio.as_str().as_bytes().to_vec()),
        }
    }
    /// The portfolio that it is of; `None` for dead letters.
    pub fn portfolio_id(&self) -> Option<&PortfolioId> {
        match self {
            Output::Ledger(r) => Some(&r.portfolio_id),
            Output::Snapshot(r) => Some(&r.portfolio_id),
            Output::Drift(r) => Some(&r.portfolio_id),
            Output::PortfolioClose(r) => Some(&r.portfolio_id),
            Output::Performance(r) => Some(&r.portfolio_id),
            Output::Risk(r) => Some(&r.portfolio_id),
            Output::OrderWave(r) => Some(&r.portfolio_id),
            Output::RebalanceEvent(r) => Some(&r.portfolio_id),
            Output::Refresh(r) => Some(&r.portfolio_id),
            Output::DeadLetter(_) => None,
            Output::Fill(r) => Some(&r.portfolio_id),
            Output::OrderStatus(r) => Some(&r.portfolio_id),
        }
    }
}

impl Input {
    /// The portfolio that the record must be keyed by; `None` for records of no or of every portfolio.
    pub fn portfolio_id(&self) -> Option<&PortfolioId> {
        match self {
            Input::Fill(r) => Some(&r.portfolio_id),
            Input::Cash(r) => Some(&r.portfolio_id),
            Input::Policy(r) => Some(&r.portfolio_id),
            Input::PolicyClosed(portfolio_id) => Some(portfolio_id),
            Input::OrderStatus(r) => Some(&r.portfolio_id),
            Input::Command(r) => r.portfolio_id.as_ref(),
            Input::Refresh(r) => Some(&r.portfolio_id),
            Input::Drift(r) => Some(&r.portfolio_id),
            Input::OrderWave(r) => Some(&r.portfolio_id),
            Input::Ledger(r) => Some(&r.portfolio_id),
            Input::PortfolioClose(r) => Some(&r.portfolio_id),
            Input::Risk(r) => Some(&r.portfolio_id),
            Input::Tick(_)
            | Input::Instrument(_)
            | Input::CorporateAction(_)
            | Input::MarketStatus(_)
            | Input::Close(_)
            | Input::Frame(_) => None,
        }
    }
}
