//! The closed lists of symbols: each stands as its position in the schema's list.

use crate::fault::{Fault, FaultKind};
use crate::reader::Reader;
use crate::wire::Wire;
use crate::writer::Writer;

macro_rules! symbols {
    (domain::$module:ident::{ $($name:ident),+ $(,)? }) => { $(
        impl Wire for domain::$module::$name {
            #[inline(always)]
            fn write(&self, writer: &mut Writer<'_>) {
                // An index is below 256: a list is a `u8`.
                writer.length(self.index(), usize::from(u8::MAX), FaultKind::Symbol);
            }
            #[inline(always)]
            fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
                let index = usize::try_from(reader.int()?).ok();
                index.and_then(Self::from_index).ok_or_else(|| Fault::new(FaultKind::Symbol))
            }
        }
    )+ };
}

symbols! {
    domain::enums::{
        ActionKind, ActionStatus, AnomalyKind, BandKind, CashBasis, CashKind, CommandKind, CommandMode, CostMethod, Decision, DividendSource,
        DriftCause, DriftKind, EntryKind, ExecType, Funding, Goal, Grouping, HaltScope, InstrumentType, MarketState, MetricUnit, OrderState, OrderType,
        PolicyMode, PortfolioType, PriceFlag, PriceSource, RebalanceFrequency, RebalanceStatus, RebalanceTrigger, Rounding, Scope,
        Shortage, Side, TimeInForce, Urgency, WaveKind,
    }
}
symbols! {
    domain::reason::{ DeadLetterCode, ReasonCode }
}
