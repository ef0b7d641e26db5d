//! The role: a lane's portfolios, what each fold changes of them, and the records that follow from a window.
//!
//! It reads what the position-keeper has published (ledger, closes) beside policies and frames, and publishes
//! performance and risk. It books nothing, values no holding by itself and decides nothing: what a day was worth is what
//! its close says. Ledger and closes may come in any order: a day is worked out anew when either tells more of it.

mod beside;
mod book;
mod closed;
mod deeds;
pub mod figures;
mod image;
mod market;
mod profit;
mod report;
mod returned;
mod risks;
mod series;
mod terms;
mod trades;

pub use beside::{Common, Counted};
pub use returned::Rule;
pub use series::Beside;
pub use trades::{figures_of_trades, sum as sum_of_trades};

use book::Book;
use domain::ledger::Ledger;
use domain::portfolio_close::PortfolioClose;
use domain::{Date, Input, Output, PortfolioId, SmolStr, Timestamp, Topic};
use engine::{Context, Origin, Role, Settings, Timer};
use market::Market;
use std::collections::{BTreeMap, BTreeSet};

/// The performance-tracker of one lane.
#[derive(Debug, Default)]
pub struct PerformanceTracker {
    market: Market,
    books: BTreeMap<PortfolioId, Book>,
    touched: BTreeSet<PortfolioId>,
    dirty: BTreeSet<SmolStr>,
}

impl PerformanceTracker {
    fn book(&mut self, portfolio: &PortfolioId) -> &mut Book {
        self.dirty.insert(image::book_key(portfolio));
        self.books.entry(portfolio.clone()).or_default()
    }

    fn hear_ledger(&mut self, ledger: &Ledger, origin: &Origin<'_>) {
        if !self.book(&ledger.portfolio_id).awaits_policy(origin) {
            self.take_ledger(ledger, origin.timestamp());
        }
    }
    fn hear_close(&mut self, close: &PortfolioClose) {
        if self.book(&close.portfolio_id).take_close(close) {
            self.touched.insert(close.portfolio_id.clone());
        }
    }
    fn take_ledger(&mut self, ledger: &Ledger, made: Timestamp) {
        self.dirty.insert(image::book_key(&ledger.portfolio_id));
        let book = self.books.entry(ledger.portfolio_id.clone()).or_default();
        if book.take_ledger(ledger, made, &self.market) {
            self.touched.insert(ledger.portfolio_id.clone());
        }
    }

    /// Publishes what a window has changed of a portfolio.
    fn publish(&mut self, portfolio: &PortfolioId, cx: &mut Context<'_>) {
        let Some(book) = self.books.get_mut(portfolio) else { return };
        let settled = book.settle(&self.market);
        if settled.is_empty() {
            return;
        }
        let Some(newest) = book.newest() else { return };
        let of = book.told(newest).map(|told| (book.terms(Some(told.closed)), told.closed.cut()));
        let Some((terms, cut)) = of else { return };
        let mut days: BTreeSet<Date> = settled.iter().copied().collect();
        days.extend(beside::write(book, &terms, &cut, &self.market));
        // What was closed on a day that is told no more is told by the periods.
        let mut news = settled.iter().any(|date| book.told(*date).is_none());
        for date in &days {
            news |= publish_day(portfolio, book, *date, cx);
        }
        for year in days.iter().map(|date| date.month().0).collect::<BTreeSet<_>>() {
            self.dirty.insert(image::year_key(portfolio, year));
        }
        self.dirty.insert(image::book_key(portfolio));
        if let Some(told) = book.told(newest).filter(|_| news) {
            for record in report::of_periods(portfolio, book, &told, &terms) {
                cx.emit(Output::Performance(Box::new(record)));
            }
            cx.emit(Output::Risk(Box::new(risks::of(portfolio, book, &told, (&terms, cx.settings), &self.market))));
        }
        book.seal();
    }
}

/// Publishes a day, where it differs from what was last said of it.
fn publish_day(portfolio: &PortfolioId, book: &mut Book, date: Date, cx: &mut Context<'_>) -> bool {
    let Some(told) = book.told(date) else { return false };
    let record = report::of_day(portfolio, &told, &book.terms(Some(told.closed)));
    let fingerprint = xxhash_rust::xxh3::xxh3_128(&engine::image::to_bytes(&record));
    let Some(known) = book.told_mut(date).filter(|known| **known != fingerprint) else { return false };
    *known = fingerprint;
    cx.emit(Output::Performance(Box::new(record)));
    true
}

impl Role for PerformanceTracker {
    type Ahead = ();
    const NAME: &'static str = "performance-tracker";
    /// Bookings before the closes that count them.
    const INPUTS: &'static [Topic] = &[Topic::Frames, Topic::Policies, Topic::Ledger, Topic::PortfolioCloses];
    const PROGRESS: Topic = Topic::PerformanceTrackerProgress;
    const OWN_OUTPUTS: &'static [Topic] = &[Topic::Performance, Topic::Risk];
    /// The position-keeper answers for every frame and policy that nobody can read.
    const REPORTED_ELSEWHERE: &'static [Topic] = &[Topic::Frames, Topic::Policies];

    fn configure(&mut self, _settings: &Settings) {}

    fn fold(&mut self, input: Input, _ahead: (), origin: &Origin<'_>, cx: &mut Context<'_>) {
        match input {
            Input::Frame(frame) => self.market.take(&frame),
            Input::Policy(policy) => {
                for raw in self.book(&policy.portfolio_id).take_policy(&policy) {
                    if let Ok(Input::Ledger(ledger)) = cx.decode(&raw) {
                        self.take_ledger(&ledger, raw.timestamp);
                    }
                }
            }
            Input::Ledger(ledger) => self.hear_ledger(&ledger, origin),
            Input::PortfolioClose(close) => self.hear_close(&close),
            _ => {}
        }
    }

    /// A close or a ledger record that nobody can read is in its dead letters: the days around it say what they know.
    fn refused(&mut self, _origin: &Origin<'_>, _portfolio: Option<&PortfolioId>, _cx: &mut Context<'_>) {}

    fn fire(&mut self, _timer: Timer, _cx: &mut Context<'_>) {}

    fn decide(&mut self, cx: &mut Context<'_>) {
        let frames = cx.positions.get(&(Topic::Frames, 0)).copied().unwrap_or(0);
        let level = |portfolio: &PortfolioId| self.books.get(portfolio).is_some_and(|book| book.is_level(frames));
        let (due, ahead): (BTreeSet<_>, BTreeSet<_>) = std::mem::take(&mut self.touched).into_iter().partition(level);
        self.touched = ahead;
        for portfolio in due {
            self.publish(&portfolio, cx);
        }
    }
}
