//! Policies: the rules of a portfolio, checked before they hold. A policy that cannot be followed is
//! refused with every reason; the one before stays in force.

use crate::book::{Need, Portfolio, PortfolioIx};
use crate::drift::shadow::targets;
use crate::drift::{Request, Rules};
use crate::keeper::{PositionKeeper, TIMER_DAY_CUT, TIMER_REARM};
use crate::prices::InstrumentIx;
use crate::prices::cuts::next_cut;
use domain::enums::{CostMethod, DriftCause};
use domain::policy::{Policy, PolicyProblem, Target, validate};
use domain::reason::DeadLetterCode;
use domain::{PortfolioId, SmolStr, Topic};
use engine::{Context, Origin};
use std::collections::BTreeSet;

impl PositionKeeper {
    pub(crate) fn take_policy(&mut self, policy: Policy, origin: &Origin<'_>, cx: &mut Context<'_>) {
        // From here on it states what it means: whoever plans needs the drift event, and no table of presets.
        let policy = policy.resolved();
        let known = self.find(&policy.portfolio_id);
        if let Some(ix) = known
            && self.portfolio(ix).policy.as_deref() == Some(&policy)
        {
            cx.count_duplicate(Topic::Policies);
            return;
        }
        let problems = self.policy_problems(&policy, known, cx.settings.max_lines);
        if let Some(first) = problems.first() {
            let texts: Vec<&str> = problems.iter().map(|problem| problem.text.as_str()).collect();
            cx.refuse(origin, Some(policy.portfolio_id.clone()), first.code, texts.join("; "));
            return;
        }
        let id = policy.portfolio_id.clone();
        let ix = known.unwrap_or_else(|| self.open(&policy));
        let rebased = self.portfolio(ix).base != policy.base_currency;
        self.follow(ix, policy, cx);
        self.note_missed_cuts(ix, origin.timestamp(), cx);
        self.pay_owed(ix, cx);
        self.retry(&Need::Policy(id.clone()), cx);
        if rebased {
            // What waited for a rate to the base of before may need none now.
            self.retry_portfolio(&id, cx);
        }
    }

    pub(crate) fn close_portfolio(&mut self, id: &PortfolioId, origin: &Origin<'_>, cx: &mut Context<'_>) {
        let Some(ix) = self.find(id) else {
            let text = format!("portfolio {id:?} has no policy that could be closed");
            return cx.refuse(origin, Some(id.clone()), DeadLetterCode::InvalidPolicy, text);
        };
        if self.portfolio(ix).policy.is_none() {
            return cx.count_duplicate(Topic::Policies);
        }
        self.follow_schedules(ix, None, cx);
        let base_class = self.market.currency(self.portfolio(ix).base);
        if let Some(session) = self.portfolio(ix).policy.as_ref().and_then(|policy| policy.session_id.clone()) {
            self.sessions.remove(&session);
        }
        let portfolio = self.portfolio_mut(ix);
        portfolio.policy = None;
        portfolio.rules = Rules::none(base_class);
        portfolio.risk.begin();
        portfolio.lines.target(&[]);
        portfolio.watch.close();
        // Its days are not cut while it is closed.
        portfolio.day = None;
        let asked = Request::new(DriftCause::Policy, None);
        portfolio.requests.retain(|request| request.cause != DriftCause::Schedule);
        portfolio.requests.push(asked.clone());
        cx.timers.clear(TIMER_REARM, id.as_str());
        self.close_shadow(ix, asked, cx);
        self.marks.change(ix);
    }

    fn policy_problems(&self, policy: &Policy, known: Option<PortfolioIx>, max_lines: usize) -> Vec<PolicyProblem> {
        let mut problems = validate(policy);
        let mut invalid = |text: String| problems.push(PolicyProblem { code: DeadLetterCode::InvalidPolicy, text });
        for (at, targets) in sets(policy) {
            if targets.len() > max_lines.min(usize::from(u16::MAX)) {
                invalid(format!("{} {at}targets are more than the {max_lines} lines of a portfolio", targets.len()));
            }
        }
        if let Some(owner) = policy.session_id.as_ref().and_then(|session| self.sessions.get(session))
            && Some(*owner) != known
        {
            let other = &self.portfolio(*owner).id;
            invalid(format!(
                "session_id {:?} belongs to portfolio {other:?}: give this one another, or none, or take it from that one first",
                policy.session_id.as_deref().unwrap_or_default()
            ));
        }
        let Some(portfolio) = known.map(|ix| self.portfolio(ix)) else { return problems };
        if policy.policy_version <= portfolio.policy_version {
            invalid(format!(
                "policy_version {} does not rise above {}: send it with a higher one",
                policy.policy_version, portfolio.policy_version
            ));
        }
        for (at, targets) in sets(policy) {
            let held = self.held_beside(portfolio, targets);
            if targets.len() + held > max_lines {
                invalid(format!(
                    "{} {at}targets beside {held} other instruments that are held are more than the {max_lines} lines of a portfolio",
                    targets.len()
                ));
            }
        }
        if policy.base_currency != portfolio.base && portfolio.has_bookings() {
            invalid(format!(
                "base_currency cannot change from {0} once something is booked: send {0}, or book under another portfolio_id",
                portfolio.base
            ));
        }
        let (kept, asked) = (portfolio.method, policy.book.cost_method);
        if asked != kept && asked != CostMethod::Unknown && portfolio.has_bookings() {
            invalid(format!(
                "book.cost_method cannot change from {kept} to {asked} once something is booked: send {kept}, or book under another portfolio_id by {asked}"
            ));
        }
        problems
    }

    /// How many instruments are held that are not targeted.
    fn held_beside(&self, portfolio: &Portfolio, targets: &[Target]) -> usize {
        let named = targets.iter().filter_map(|target| target.instrument_id.as_ref());
        let targeted: BTreeSet<InstrumentIx> = named.filter_map(|id| self.market.find(id)).collect();
        let held = portfolio.lines.counting().filter(|(_, line)| !line.position.quantity.is_zero());
        held.filter(|(_, line)| !targeted.contains(&line.instrument)).count()
    }

    fn open(&mut self, policy: &Policy) -> PortfolioIx {
        let ix = PortfolioIx::of(self.portfolios.len());
        let mut portfolio = Portfolio::new(policy.portfolio_id.clone(), ix, policy.base_currency).above(self.first);
        portfolio.commands = self.strangers.remove(&policy.portfolio_id).unwrap_or_default();
        self.add(portfolio);
        ix
    }

    fn follow(&mut self, ix: PortfolioIx, policy: Policy, cx: &mut Context<'_>) {
        if let Some(session) = self.portfolio(ix).policy.as_ref().and_then(|policy| policy.session_id.clone()) {
            self.sessions.remove(&session);
        }
        if let Some(session) = policy.session_id.clone() {
            self.sessions.insert(session, ix);
        }
        let rules = Rules::of(&policy, self.market.currency(policy.base_currency));
        let targets = targets(&policy, |id| self.market.intern(id));
        targets.iter().for_each(|(instrument, _)| self.hold(*instrument, ix));
        if cx.timers.get(TIMER_DAY_CUT, &rules.cut).is_none()
            && let Some(due) = next_cut(&rules.cut, cx.now)
        {
            cx.timers.set(due, TIMER_DAY_CUT, &rules.cut);
        }
        let portfolio = self.portfolio_mut(ix);
        portfolio.lines.target(&targets);
        (portfolio.base, portfolio.method) = (policy.base_currency, policy.book.cost_method);
        portfolio.dividends = policy.book.dividends;
        if portfolio.max_close_age_days != policy.book.max_close_age_days {
            portfolio.max_close_age_days = policy.book.max_close_age_days;
            portfolio.days.age_anew();
        }
        portfolio.policy_version = policy.policy_version;
        if portfolio.rules.cut != rules.cut {
            portfolio.day = None;
        }
        portfolio.rules = rules;
        portfolio.risk.begin();
        portfolio.watch.follow();
        cx.timers.clear(TIMER_REARM, portfolio.id.as_str());
        let asked = Request::new(DriftCause::Policy, Some(SmolStr::new(policy.policy_version.to_string())));
        portfolio.requests.push(asked.clone());
        self.follow_shadow(ix, &policy, asked, cx);
        self.follow_schedules(ix, Some(&policy), cx);
        self.portfolio_mut(ix).policy = Some(Box::new(policy));
        self.marks.change(ix);
    }
}

/// The policy's own targets, and those of its shadow, with what fields of each begin with.
fn sets(policy: &Policy) -> impl Iterator<Item = (&'static str, &[Target])> {
    let shadow = policy.shadow.as_deref().map(|shadow| ("shadow.", &*shadow.targets));
    std::iter::once(("", &*policy.targets)).chain(shadow)
}
