//! What the projector tells as metrics beside its lag: how portfolios stand in SQL, and how orders ended.
//! A failure waits for the next time: nothing depends on it. It decides nothing.

use crate::lanes::World;
use domain::enums::OrderState;
use postgres_store::StoreError;
use postgres_store::projections::OrderStatusRow;
use postgres_store::queries::{Figures, Spreads};
use std::time::{Duration, Instant};
use telemetry::metrics::QUANTILES;
use telemetry::{ExecutionMetrics, Figure, PortfolioMetrics};

/// How often SQL is asked: it reads a row of every portfolio.
const EVERY: Duration = Duration::from_secs(15);

/// What is told of portfolios and orders; taken away when it is dropped.
#[derive(Debug)]
pub(super) struct Standing {
    portfolios: PortfolioMetrics,
    execution: ExecutionMetrics,
    looked: Option<Instant>,
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.portfolios.forget();
    }
}

impl Standing {
    /// Nothing was told yet.
    pub(super) fn new(world: &World) -> Self {
        let execution = world.metrics.execution();
        // A series that begins with its first event shows no rise.
        OrderState::TERMINAL.iter().for_each(|state| execution.orders_ended(state.symbol()).add(0));
        Self { portfolios: world.metrics.portfolios(), execution, looked: None }
    }

    /// Asks SQL and tells, when it is time.
    pub(super) fn tend(&mut self, world: &World) {
        if self.looked.is_some_and(|looked| looked.elapsed() < EVERY) {
            return;
        }
        self.looked = Some(Instant::now());
        if let Err(error) = self.tell(world) {
            tracing::warn!(%error, "how portfolios stand is told later");
        }
    }

    fn tell(&self, world: &World) -> Result<(), StoreError> {
        let listed = &world.config.telemetry.portfolios;
        let quantiles = QUANTILES.map(|label| label.parse().expect("a quantile is a number"));
        let (conditions, spreads, figures) = world.runtime.block_on(async {
            let figures = if listed.is_empty() { Vec::new() } else { world.store.figures(listed).await? };
            Ok::<_, StoreError>((world.store.conditions().await?, world.store.spreads(&quantiles).await?, figures))
        })?;
        let told = &self.portfolios;
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        told.count().set_count(count(conditions.portfolios));
        for (name, number) in [
            ("incomplete", conditions.incomplete),
            ("stale_price", conditions.stale_price),
            ("unpriced", conditions.unpriced),
            ("waiting", conditions.waiting),
            ("quarantined", conditions.quarantined),
            ("unreconciled", conditions.unreconciled),
            ("anomalous", conditions.anomalous),
            ("risk_unknown", conditions.risk_unknown),
        ] {
            told.condition(name).set_count(count(number));
        }
        told.outside_breaks("position").set_count(count(conditions.position_breaks));
        told.outside_breaks("cash").set_count(count(conditions.cash_breaks));
        told.pending_approvals().set_count(count(conditions.pending_approvals));
        let waits = conditions.oldest_approval.map_or(0, |since| (crate::clock::now().micros() - since.0) / 1_000_000);
        told.oldest_approval().set_count(count(waits));
        spreads_of(&spreads).into_iter().for_each(|(figure, quantiles)| told.set_spread(figure, quantiles));
        tell_listed(told, &figures);
        told.age().mark();
        Ok(())
    }

    /// Counts how orders ended, once their reports are in SQL.
    pub(super) fn ended(&self, world: &World, ended: &[Ended]) {
        for order in ended {
            self.execution.orders_ended(order.status).add(1);
        }
        let filled: Vec<_> = ended.iter().filter(|order| order.status == OrderState::Filled.symbol()).collect();
        if filled.is_empty() {
            return;
        }
        let ids: Vec<String> = filled.iter().map(|order| order.order_id.clone()).collect();
        match world.runtime.block_on(world.store.releases(&ids)) {
            Ok(releases) => {
                for (order_id, released) in releases {
                    let reports = filled.iter().filter(|order| order.order_id == order_id);
                    reports.for_each(|order| self.execution.fill_duration().observe(between(released.0, order.at)));
                }
            }
            Err(error) => tracing::warn!(%error, orders = filled.len(), "how long fills took is not told"),
        }
    }
}

/// An order that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    order_id: String,
    status: &'static str,
    /// When, by the router's clock, in microseconds.
    at: i64,
}

impl Ended {
    /// Of the reports of a batch those that are terminal.
    pub(super) fn among(reports: &[OrderStatusRow]) -> Vec<Self> {
        let terminal = |row: &OrderStatusRow| {
            let state = OrderState::from_symbol(&row.status);
            state.is_terminal().then(|| Self { order_id: row.order_id.clone(), status: state.symbol(), at: row.at.0 })
        };
        reports.iter().filter_map(terminal).collect()
    }
}

/// The router's clock may be behind ours.
fn between(released: i64, ended: i64) -> Duration {
    Duration::from_micros(u64::try_from(ended.saturating_sub(released)).unwrap_or(0))
}

fn spreads_of(spreads: &Spreads) -> [(Figure, Option<[f64; 5]>); 6] {
    let of = |told: &Option<Vec<f64>>| told.as_deref().and_then(|levels| levels.try_into().ok());
    [
        (Figure::Drift, of(&spreads.drift)),
        (Figure::GrossExposure, of(&spreads.gross_exposure)),
        (Figure::NetExposure, of(&spreads.net_exposure)),
        (Figure::ValueAtRisk, of(&spreads.value_at_risk)),
        (Figure::DayReturn, of(&spreads.day_return)),
        (Figure::Drawdown, of(&spreads.drawdown)),
    ]
}

fn tell_listed(told: &PortfolioMetrics, listed: &[Figures]) {
    let values: Vec<_> = listed.iter().map(|one| (one.portfolio_id.as_str(), one.base_currency.as_str(), one.total_value)).collect();
    let mut figures = Vec::new();
    for one in listed {
        let levels = [
            (Figure::Drift, one.drift),
            (Figure::GrossExposure, one.gross_exposure),
            (Figure::NetExposure, one.net_exposure),
            (Figure::ValueAtRisk, one.value_at_risk),
            (Figure::DayReturn, one.day_return),
            (Figure::Drawdown, one.drawdown),
        ];
        figures.extend(levels.into_iter().filter_map(|(figure, level)| Some((one.portfolio_id.as_str(), figure, level?))));
    }
    told.set_listed(&values, &figures);
}

#[cfg(test)]
mod tests {
    use super::*;
    use postgres_store::Micros;

    fn report(status: &str) -> OrderStatusRow {
        OrderStatusRow {
            order_id: "o".to_owned(),
            portfolio_id: "p".to_owned(),
            rebalance_id: "r".to_owned(),
            status: status.to_owned(),
            filled_quantity: 1.into(),
            leaves_quantity: 0.into(),
            reason_code: None,
            reason: None,
            at: Micros(7),
            source_offset: 1,
        }
    }

    #[test]
    fn only_what_is_final_has_ended() {
        let reports = ["ACKNOWLEDGED", "PART_FILLED", "FILLED", "CANCELLED", "REJECTED", "EXPIRED", "NEW"].map(report);
        let ended = Ended::among(&reports);
        let states: Vec<_> = ended.iter().map(|order| order.status).collect();
        assert_eq!(states, ["FILLED", "CANCELLED", "REJECTED", "EXPIRED"]);
    }

    #[test]
    fn a_router_whose_clock_is_behind_fills_in_no_time() {
        assert_eq!((between(5_000_000, 7_500_000), between(9, 3)), (Duration::from_millis(2_500), Duration::ZERO));
    }
}
