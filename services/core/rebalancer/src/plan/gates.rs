//! Step 1, first half: the conditions under which no plan is made at all, whatever the rules say.
//! It looks at halts, the lane and the health of the book; it computes nothing.

use super::input::PlanInput;
use super::refusal::Refusal;
use domain::drift::DriftLine;
use domain::enums::{DriftKind, PriceFlag};
use domain::reason::ReasonCode;
use domain::snapshot::Anomaly;

/// `Ok` when the book may be planned.
pub(crate) fn open_gates(input: &PlanInput) -> Result<(), Refusal> {
    halts(input)?;
    health(input)?;
    input.drift.lines.iter().try_for_each(price)?;
    if input.drift.event == DriftKind::Unpriced {
        return Err(Refusal::new(ReasonCode::NoPrice, "the book was reported as unpriced: a plan needs a fresh price for every line"));
    }
    if !input.drift.health.complete {
        return Err(Refusal::new(ReasonCode::DataGap, "the book is incomplete: publish the missing instrument, price or rate"));
    }
    Ok(())
}

fn halts(input: &PlanInput) -> Result<(), Refusal> {
    let halt = |scope: &str| Refusal::new(ReasonCode::KillSwitch, format!("a halt of the {scope} is in force: RESUME it to plan again"));
    if input.halted.firm {
        return Err(halt("firm"));
    }
    if input.halted.portfolio {
        return Err(halt("portfolio"));
    }
    if let Some(strategy) = &input.halted.strategy {
        let text = format!(
            "a halt of the strategy {strategy} is in force: orders net all strategies of a book, so nothing is ordered until that strategy is RESUMEd"
        );
        return Err(Refusal::new(ReasonCode::KillSwitch, text));
    }
    if input.behind {
        return Err(Refusal::new(ReasonCode::Backlog, "the service is behind its inputs: it plans again once it has caught up"));
    }
    Ok(())
}

fn health(input: &PlanInput) -> Result<(), Refusal> {
    let health = &input.drift.health;
    if health.quarantined {
        return Err(Refusal::new(ReasonCode::Quarantined, "the portfolio is quarantined: decide about its dead letters, then RELEASE it"));
    }
    if health.unreconciled {
        return Err(Refusal::new(ReasonCode::Unreconciled, "the book differs from its orders or an outside book: RECONCILE it"));
    }
    if let Some(anomaly) = health.anomalies.first() {
        return Err(Refusal::new(ReasonCode::MetricAnomaly, beyond(anomaly)));
    }
    if health.waiting > 0 {
        let who = if health.waiting == 1 { "1 record waits".to_owned() } else { format!("{} records wait", health.waiting) };
        let text = format!(
            "{who} for an instrument, a policy, a rate, a price or a record that is named: publish what is waited for, or DISCARD what waits"
        );
        return Err(Refusal::new(ReasonCode::DataGap, text));
    }
    if !health.unpriced.is_empty() {
        return Err(Refusal::new(
            ReasonCode::NoPrice,
            format!("no price for {}: publish ticks with a price above zero", list(&health.unpriced)),
        ));
    }
    if !health.stale.is_empty() {
        return Err(Refusal::new(ReasonCode::StalePrice, format!("the price of {} is too old: publish ticks", list(&health.stale))));
    }
    Ok(())
}

fn beyond(anomaly: &Anomaly) -> String {
    let Anomaly { kind, instrument_id, value, bound } = anomaly;
    let of = instrument_id.as_ref().map_or_else(String::new, |id| format!(" of {id}"));
    format!("{kind}{of} is {value}, beyond its bound of {bound}: correct what is behind it, or RELEASE the portfolio to accept it")
}

fn price(line: &DriftLine) -> Result<(), Refusal> {
    let id = &line.instrument_id;
    match line.price_flag {
        PriceFlag::Fresh => {}
        PriceFlag::Stale => return Err(Refusal::new(ReasonCode::StalePrice, format!("the price of {id} is too old: publish ticks"))),
        PriceFlag::Held => {
            let text = format!("a price of {id} is held back as a jump or as not above zero: a later tick confirms or replaces it");
            return Err(Refusal::new(ReasonCode::PriceOutlier, text));
        }
        PriceFlag::Missing | PriceFlag::Unknown => return Err(no_price(line)),
    }
    if line.price.is_none_or(|price| !price.is_positive()) || line.price_time.is_none() {
        return Err(no_price(line));
    }
    if line.fx_rate.is_none_or(|rate| !rate.is_positive()) {
        let text = format!("no rate from {} to the base currency for {id}: publish ticks of the pair", line.currency);
        return Err(Refusal::new(ReasonCode::NoPrice, text));
    }
    if !line.multiplier.is_positive() || !line.lot_size.is_positive() {
        return Err(Refusal::new(
            ReasonCode::DataGap,
            format!("{id} has a multiplier or lot size that is not above zero: correct its record"),
        ));
    }
    Ok(())
}

fn no_price(line: &DriftLine) -> Refusal {
    Refusal::new(ReasonCode::NoPrice, format!("{} has no price above zero: publish ticks of it", line.instrument_id))
}

/// The first names of a list, and how many more there are.
pub(super) fn list(names: &[domain::SmolStr]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}
