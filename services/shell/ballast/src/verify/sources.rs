//! Policies as a lane has accepted them, and what they say of dividends: whether actions pay them or cash entries. One
//! policy holds until the next, and after the portfolio is closed. At which window of a step one was read no record
//! says, so that in its step either may hold. It judges nothing.

use super::fate::{At, at, is_read};
use super::history::{History, PolicyRecord};
use super::lanes::{Lane, Lanes};
use super::seen::{Seen, Stamp};
use domain::enums::DividendSource;
use domain::{Currency, PortfolioId, Topic};
use std::collections::BTreeMap;

/// Policies that were read and not refused, by portfolio, in their order; closings are none.
pub(super) fn accepted<'a>(
    history: &'a History,
    lanes: &Lanes,
    buried: impl Fn(At) -> bool,
) -> BTreeMap<&'a PortfolioId, Vec<&'a Seen<PolicyRecord>>> {
    let mut accepted: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let held = |seen: &&Seen<PolicyRecord>| !seen.misfiled && is_read(lanes, seen) && !buried(at(seen.place));
    for seen in history.policies.iter().filter(held).filter(|seen| seen.record.1.is_some()) {
        accepted.entry(&seen.record.0).or_default().push(seen);
    }
    accepted
}

/// What the policies of one portfolio say.
#[derive(Debug, Default)]
struct Said {
    /// By partition and offset of the policy.
    sources: Vec<(i32, i64, DividendSource)>,
    base: Option<Currency>,
    /// A dead letter of one of them may have been deleted.
    doubtful: bool,
}

/// Who says what dividends come to, and the currency in which a portfolio is valued.
#[derive(Debug, Default)]
pub(super) struct Sources(BTreeMap<PortfolioId, Said>);

impl Sources {
    /// What the accepted policies say.
    pub(super) fn of(history: &History, lanes: &Lanes, buried: impl Fn(At) -> bool) -> Self {
        let said = |policies: Vec<&Seen<PolicyRecord>>| {
            let mut said = Said::default();
            for (seen, policy) in policies.iter().filter_map(|seen| Some((seen, seen.record.1.as_ref()?))) {
                let place = seen.place;
                said.sources.push((place.partition, place.offset, policy.book.dividends));
                // It cannot change once something is booked.
                said.base = Some(policy.base_currency);
                said.doubtful |= history.letter_may_be_gone(Topic::Policies, place.partition, place.offset);
            }
            said
        };
        Self(accepted(history, lanes, buried).into_iter().map(|(portfolio, policies)| (portfolio.clone(), said(policies))).collect())
    }
    /// The base currency; `None` where no policy is known.
    pub(super) fn base(&self, portfolio: &PortfolioId) -> Option<Currency> {
        self.0.get(portfolio)?.base
    }
    /// Who may say so in a step of a lane.
    pub(super) fn during(&self, portfolio: &PortfolioId, stamp: Stamp, lane: &Lane) -> Vec<DividendSource> {
        let both = || vec![DividendSource::Actions, DividendSource::Cash];
        let Some(said) = self.0.get(portfolio).filter(|said| !said.doubtful) else { return both() };
        let read = |step, partition, offset| offset < lane.position(step, Topic::Policies, partition);
        let before = said.sources.iter().rfind(|(partition, offset, _)| read(stamp.step - 1, *partition, *offset));
        let within = said
            .sources
            .iter()
            .filter(|(partition, offset, _)| !read(stamp.step - 1, *partition, *offset) && read(stamp.step, *partition, *offset));
        let mut sources: Vec<DividendSource> = Vec::new();
        for (.., source) in before.into_iter().chain(within) {
            if !sources.contains(source) {
                sources.push(*source);
            }
        }
        if sources.is_empty() { both() } else { sources }
    }
    /// The last step up to this one in which actions may have paid.
    pub(super) fn paid_by_actions_last(&self, portfolio: &PortfolioId, stamp: Stamp, lane: &Lane) -> Option<i64> {
        if self.during(portfolio, stamp, lane).contains(&DividendSource::Actions) {
            return Some(stamp.step);
        }
        let said = &self.0.get(portfolio)?.sources;
        let at = said.iter().rposition(|(partition, offset, source)| {
            *source == DividendSource::Actions && *offset < lane.position(stamp.step, Topic::Policies, *partition)
        })?;
        // Up to the step that read the next policy.
        let (partition, offset, _) = said.get(at + 1)?;
        lane.step_of(Topic::Policies, *partition, *offset)
    }
    /// Whether actions may ever have paid a portfolio's dividends.
    pub(super) fn may_pay_by_actions(&self, portfolio: &PortfolioId) -> bool {
        let said = self.0.get(portfolio).filter(|said| !said.doubtful);
        said.is_none_or(|said| said.sources.iter().any(|(.., source)| *source == DividendSource::Actions))
    }
}
