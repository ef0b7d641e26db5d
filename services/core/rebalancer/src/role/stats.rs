//! How a lane's cycles stand, for gauges.

use super::Rebalancer;
use engine::Stats;

impl Rebalancer {
    pub(super) fn stats_now(&self) -> Stats {
        let open = self.desks.values().filter_map(|desk| desk.open.as_ref());
        let (cycles, stuck) =
            open.fold((0, 0), |(cycles, stuck), cycle| (cycles + 1, stuck + cycle.legs.iter().filter(|leg| leg.stuck).count()));
        let strange = self.desks.values().map(|desk| desk.strangers.count()).sum();
        let latched = self.desks.values().filter(|desk| desk.latch.is_some()).count();
        let of_desks = Stats { latched_portfolios: Some(latched), halts: Some(self.halts.count()), ..Stats::default() };
        Stats { open_cycles: Some(cycles), stuck_orders: Some(stuck), strange_orders: Some(strange), ..of_desks }
    }
}
