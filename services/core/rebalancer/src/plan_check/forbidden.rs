//! Laws about what may not be ordered at all.

use super::Violations;
use super::exact::Exact;
use super::view::{Row, View};
use domain::enums::{InstrumentType, MarketState};

/// Lists, halts, markets, collars.
pub(super) fn forbidden(view: &View, found: &mut Violations) {
    let orders = view.input.rules.orders;
    for row in view.ordered() {
        let id = row.id();
        let (sells, buys) = (row.ordered().sign() < 0, row.ordered().sign() > 0);
        found.law("do_not_sell", sells && (orders.no_sells || orders.do_not_sell.contains(id)), || id.to_string());
        found.law("do_not_buy", buys && orders.do_not_buy.contains(id), || id.to_string());
        found.law("halted instruments", view.input.halted.instruments.contains(id), || id.to_string());
        let closed = match row.line.market_status {
            MarketState::Open => false,
            MarketState::Unknown => orders.require_market_status,
            MarketState::Closed | MarketState::Auction | MarketState::Halted => true,
        };
        found.law("closed markets", closed, || format!("{id}: {}", row.line.market_status));
        found.law("currency pairs", row.line.kind == InstrumentType::Fx, || id.to_string());
        collar(view, row, found);
    }
}

fn collar(view: &View, row: &Row, found: &mut Violations) {
    let Some(collar) = view.input.rules.limits.price_collar_bp else { return };
    let inside = match (row.line.price, row.line.close_price) {
        (Some(price), Some(close)) => {
            let (price, close) = (Exact::from(price), Exact::from(close));
            &(&price - &close).abs() * &Exact::whole(10_000) <= &Exact::from(collar) * &close
        }
        _ => false,
    };
    found.law("price_collar_bp", !inside, || row.id().to_string());
}
