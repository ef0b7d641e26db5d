//! How a lane's cycles stand, for gauges.

use super::Rebalancer;
use engine::Stats;

impl Rebalancer {
    pub(super) fn stats_now(&self) -> Stats {
        let open = self.desks.values().filter_map(|desk| desk.open.as_ref());
        let (cycles, stuck) =
            open.fold((0, 0), |(cycles, stuck), cycle| (cycles + 1, stuck + cycle.legs.iter().filter(|leg| leg.stuck).count()));
        let strange = self.desks.values().map(|desk| desk.strangers.count()).sum();
        Stats { open_cycles: Some(cycles), stuck_orders: Some(stuck), strange_orders: Some(strange), ..Stats::default() }
    }
}
