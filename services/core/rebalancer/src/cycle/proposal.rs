//! A proposal: drafts that wait for persons, the hash that names exactly these drafts, and who has approved.

use crate::cycle::Cycle;
use crate::orders::draft::Draft;
use domain::ids::uuid_of;
use domain::policy::Approval;
use domain::{Bps, FxRate, PortfolioId, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

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
    /// Who wrote its quantities last, where that was a person: then newer drift does not replace it.
    pub edited_by: Option<SmolStr>,
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
            edited_by: None,
        }
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
