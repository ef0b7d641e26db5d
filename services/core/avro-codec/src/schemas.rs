//! The schemas that this build reads and writes, by topic, with their fingerprints.
//! The fingerprints are written down: a changed schema is a decision, and a test compares them.

use domain::Topic;
use std::fmt;

/// CRC-64-AVRO of a schema's canonical form; on the wire little-endian behind `C3 01`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// The fingerprint of its bytes on the wire.
    pub const fn from_wire(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
    }
    /// Its bytes on the wire.
    pub const fn to_wire(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A schema of this build.
#[derive(Debug, PartialEq, Eq)]
pub struct Compiled {
    /// Name of its file in `schemas/` without the ending: the topic, one for all progress topics.
    pub name: &'static str,
    /// Name of its record, without the namespace.
    pub record: &'static str,
    /// Fingerprint.
    pub fingerprint: Fingerprint,
    /// Text.
    pub text: &'static str,
    /// A topic that holds it.
    pub topic: Topic,
}

macro_rules! schemas {
    ($($constant:ident = $name:literal, $record:literal, $fingerprint:literal, $($topic:ident)|+);+ $(;)?) => {
        $(const $constant: Compiled = Compiled {
            name: $name,
            record: $record,
            fingerprint: Fingerprint($fingerprint),
            text: include_str!(concat!("../../../../schemas/", $name, ".avsc")),
            topic: schemas!(@first $($topic)|+),
        };)+

        /// Every schema of this build.
        pub static COMPILED: &[Compiled] = &[$($constant),+];

        /// The schema of a topic.
        pub const fn compiled(topic: Topic) -> &'static Compiled {
            match topic { $($(Topic::$topic)|+ => &$constant),+ }
        }
    };
    (@first $first:ident $(| $rest:ident)*) => { Topic::$first };
}

schemas! {
    FILL = "execution.fills.v1", "Fill", 0x5c38_ad84_74d4_736e, Fills;
    CASH = "treasury.cash.v1", "CashEntry", 0x53c8_4029_6761_edad, Cash;
    POLICY = "portfolio.policies.v1", "Policy", 0x0dcb_3ac4_ab50_f7ef, Policies;
    TICK = "marketdata.ticks.v1", "Tick", 0x9224_d35e_d231_9a43, Ticks;
    INSTRUMENT = "reference.instruments.v1", "Instrument", 0xa370_3431_2121_3deb, Instruments;
    CORPORATE_ACTION = "reference.corporate-actions.v1", "CorporateAction", 0x4c1a_ad95_a02e_ad14, CorporateActions;
    MARKET_STATUS = "marketdata.status.v1", "MarketStatus", 0xf5eb_5a09_fca0_7b26, MarketStatus;
    CLOSE = "marketdata.closes.v1", "Close", 0x3013_5fcc_6fce_d1ea, Closes;
    ORDER_STATUS = "orders.status.v1", "OrderStatus", 0x9f1e_2cf6_1410_dc13, OrderStatus;
    COMMAND = "portfolio.commands.v1", "Command", 0xba40_79c9_72f0_c53e, Commands;
    LEDGER = "portfolio.ledger.v1", "Ledger", 0xd5d1_31c9_e6e2_2ded, Ledger;
    SNAPSHOT = "portfolio.snapshots.v1", "Snapshot", 0x5a90_f31c_944f_30b8, Snapshots;
    DRIFT = "portfolio.drift.v1", "Drift", 0x56e7_5957_212e_caa2, Drift;
    PORTFOLIO_CLOSE = "portfolio.closes.v1", "PortfolioClose", 0x43f2_45e3_aa64_6447, PortfolioCloses;
    ORDER_WAVE = "rebalance.orders.v1", "OrderWave", 0x48bc_5e72_cd56_6b95, Orders;
    REBALANCE_EVENT = "rebalance.events.v1", "RebalanceEvent", 0xc3f0_07b1_10f2_26fd, RebalanceEvents;
    PERFORMANCE = "portfolio.performance.v1", "Performance", 0x1b4f_a574_2f58_f1f3, Performance;
    RISK = "portfolio.risk.v1", "Risk", 0x5af6_9fdd_643a_2acb, Risk;
    REFRESH = "ballast.refresh.v1", "Refresh", 0x0a32_e372_b6da_fd3b, Refresh;
    FRAME = "ballast.frames.v1", "Frame", 0xbc20_b14b_3dc9_5a23, Frames;
    PROGRESS = "ballast.progress.v1", "Progress", 0xb1e9_db7b_bfcd_e60a, PositionKeeperProgress | RebalancerProgress | PaperRouterProgress | PerformanceTrackerProgress;
}

/// Texts of earlier releases whose fingerprints differ from the present ones: their bytes stay readable for ever.
pub static EARLIER: &[&str] = &[
    include_str!("../../../../schemas/released/ballast.frames.v1@1.avsc"),
    include_str!("../../../../schemas/released/portfolio.closes.v1@1.avsc"),
    include_str!("../../../../schemas/released/portfolio.drift.v1@1.avsc"),
    include_str!("../../../../schemas/released/portfolio.ledger.v1@1.avsc"),
    include_str!("../../../../schemas/released/portfolio.performance.v1@1.avsc"),
    include_str!("../../../../schemas/released/portfolio.policies.v1@1.avsc"),
    include_str!("../../../../schemas/released/portfolio.risk.v1@1.avsc"),
    include_str!("../../../../schemas/released/portfolio.snapshots.v1@1.avsc"),
    include_str!("../../../../schemas/released/rebalance.events.v1@1.avsc"),
    include_str!("../../../../schemas/released/rebalance.orders.v1@1.avsc"),
];

/// The `.avsc` text of a topic.
pub const fn schema_text(topic: Topic) -> &'static str {
    compiled(topic).text
}

/// The fingerprint of a topic's schema.
pub const fn fingerprint(topic: Topic) -> Fingerprint {
    compiled(topic).fingerprint
}
