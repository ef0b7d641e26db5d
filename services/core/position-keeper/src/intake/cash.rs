//! Cash entries: checked, known by (source, entry id), booked or waiting.

use crate::book::entry::Source;
use crate::book::{Need, Trouble, treasury};
use crate::keeper::PositionKeeper;
use crate::valuation::{View, appraise};
use domain::cash::CashEntry;
use domain::enums::CashKind;
use engine::Context;
use engine::dedup::{Parts, RecordId};

impl PositionKeeper {
    /// Books a cash entry; `late` entries pass when an operator admits them.
    pub(crate) fn try_cash(&mut self, entry: &CashEntry, source: &Source, late: bool, cx: &mut Context<'_>) -> Result<(), Trouble> {
        treasury::check(entry)?;
        let ix = self.find(&entry.portfolio_id).ok_or_else(|| Trouble::Wait(Need::Policy(entry.portfolio_id.clone())))?;
        let (id, content) = hashes(&mut self.parts, entry);
        let date = entry.effective_at.date_utc();
        let dates = cx.settings.dedup_trade_dates;
        let verdict = self.portfolio(ix).entries.judge_undated(date, id, content, cx.now, dates);
        super::settling::admit(verdict, late, "entry", entry.entry_id.as_str(), date)?;
        let portfolio = self.portfolio(ix);
        let flows = matches!(entry.kind, CashKind::Deposit | CashKind::Withdrawal);
        let appraisal = flows.then(|| appraise(portfolio, View { market: &self.market, now: cx.now }));
        let equity = appraisal.filter(|appraisal| appraisal.unpriced.is_empty()).map(|appraisal| appraisal.equity);
        let planned = treasury::plan(portfolio, &self.market, entry, source, equity)?;
        let portfolio = self.portfolio_mut(ix);
        portfolio.entries.record(date, id, content, 0, dates);
        portfolio.book(planned);
        self.booked(ix);
        Ok(())
    }
}

fn hashes(parts: &mut Parts, entry: &CashEntry) -> (RecordId, u64) {
    let id = parts.start().part(entry.source.as_bytes()).part(entry.entry_id.as_bytes()).id();
    let content = parts
        .start()
        .number(entry.kind.index() as i128)
        .part(entry.currency.as_str().as_bytes())
        .number(entry.amount.units())
        .optional(entry.reverses.as_ref().map(|text| text.as_bytes()))
        .optional(entry.instrument_id.as_ref().map(|id| id.as_str().as_bytes()))
        .optional(entry.action_id.as_ref().map(|text| text.as_bytes()))
        .optional(entry.strategy.as_ref().map(|id| id.as_str().as_bytes()))
        .number(i128::from(entry.effective_at.micros()))
        .content();
    (id, content)
}
