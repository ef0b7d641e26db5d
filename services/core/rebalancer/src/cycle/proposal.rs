//! A proposal: drafts that wait for persons, the hash that names exactly these drafts, who has edited it and who has
//! approved.

use crate::cycle::Cycle;
use crate::orders::draft::Draft;
use domain::ids::uuid_of;
use domain::policy::Approval;
use domain::{Bps, FxRate, InstrumentId, PortfolioId, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// Persons who may edit one proposal: each of them is kept, since none of them approves it.
pub const MAX_EDITORS: usize = 16;

/// Whether two names are of one person: they are, however they are written.
pub fn is_same_person(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// A proposal that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// What would be ordered.
    pub drafts: Vec<Draft>,
    /// Whether its buys wait for its sells.
    pub waits_for_sells: bool,
    /// Names the proposal: 32 lower-case hexadecimal digits.
    pub hash: SmolStr,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Persons needed.
    pub approvers: usize,
    /// Furthest that a price, or a rate, may have moved by the approval.
    pub tolerance: Bps,
    /// Persons who have approved, in order.
    pub approved_by: Vec<SmolStr>,
    /// Persons who have written its quantities, each once, the last one last: where there are any, newer drift does not
    /// replace it. No more than [`MAX_EDITORS`].
    pub editors: Vec<SmolStr>,
}

impl Proposal {
    /// A proposal of `cycle` made now.
    pub fn new(
        portfolio: &PortfolioId,
        cycle: &Cycle,
        drafts: Vec<Draft>,
        waits_for_sells: bool,
        rules: &Approval,
        now: Timestamp,
    ) -> Self {
        Self {
            hash: hash(portfolio, cycle, &drafts),
            drafts,
            waits_for_sells,
            expires_at: now.plus_seconds(rules.expiry_seconds),
            approvers: usize::try_from(rules.approvers).unwrap_or(0).max(1),
            tolerance: rules.price_tolerance_bp,
            approved_by: Vec::new(),
            editors: Vec::new(),
        }
    }
    /// Whether it would order an instrument.
    pub fn names(&self, instrument: &InstrumentId) -> bool {
        self.drafts.iter().any(|draft| draft.leg.instrument_id == *instrument)
    }
    /// Who wrote its quantities last, where that was a person.
    pub fn edited_by(&self) -> Option<&SmolStr> {
        self.editors.last()
    }
    /// Whether a person has written quantities of it, however much of that was written over since.
    pub fn was_edited_by(&self, actor: &str) -> bool {
        self.editors.iter().any(|editor| is_same_person(editor, actor))
    }
    /// Its editors once a person edits it now, or `None` where as many as may have done so.
    pub fn editors_with(&self, actor: &SmolStr) -> Option<Vec<SmolStr>> {
        let others = self.editors.iter().filter(|editor| !is_same_person(editor, actor)).cloned();
        let editors: Vec<_> = others.chain([actor.clone()]).collect();
        (editors.len() <= MAX_EDITORS).then_some(editors)
    }
}

/// UUIDv5 over the text of what would be ordered. Order ids and times stay out: the same orders on the
/// same prices are the same proposal. Ids hold no control characters, so that fields cannot run together.
fn hash(portfolio: &PortfolioId, cycle: &Cycle, drafts: &[Draft]) -> SmolStr {
    let terms = &cycle.terms;
    let mut text = format!("{portfolio}\t{}\t{}\t{}\t{}\n", cycle.id, terms.policy_version, terms.order_type, terms.time_in_force);
    for Draft { leg, .. } in drafts {
        let limit = leg.limit_price.map(|price| price.to_string()).unwrap_or_default();
        writeln!(text, "{}\t{}\t{}\t{limit}\t{}\t{}", leg.instrument_id, leg.side, leg.quantity, leg.currency, leg.reference_price)
            .expect("writing to memory cannot fail");
        if leg.reference_rate != FxRate::ONE {
            writeln!(text, "at {}", leg.reference_rate).expect("writing to memory cannot fail");
        }
        if let Some(slice) = leg.slice {
            writeln!(text, "in slices of {} every {} s", slice.quantity, terms.slice_seconds).expect("writing to memory cannot fail");
        }
    }
    SmolStr::new(uuid_of(&[b"proposal", text.as_bytes()]).simple().to_string())
}
