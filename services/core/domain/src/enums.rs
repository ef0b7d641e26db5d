//! The closed lists of symbols that cross a topic. Each has `UNKNOWN` first, at index 0: an older
//! reader resolves a newer symbol to it, and every rule refuses it.
//! The order of symbols is that of `schemas/`; new ones go to the end.

/// Declares an enum whose symbols have a wire index (Avro) and a wire name (JSON, logs).
#[macro_export]
macro_rules! closed_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $symbol:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        #[repr(u8)]
        pub enum $name {
            /// A symbol that this build does not know.
            #[default]
            Unknown,
            $($(#[$vdoc])* $variant),+
        }
        impl $name {
            /// Every symbol in wire order, `UNKNOWN` first.
            pub const SYMBOLS: &'static [&'static str] = &["UNKNOWN", $($symbol),+];
            const VALUES: &'static [Self] = &[Self::Unknown, $(Self::$variant),+];
            /// Every value but `UNKNOWN`, in wire order.
            pub fn known() -> &'static [Self] { &Self::VALUES[1..] }
            /// Position in the schema's list.
            pub const fn index(self) -> usize { self as usize }
            /// The value at a position of the schema's list.
            pub fn from_index(index: usize) -> Option<Self> { Self::VALUES.get(index).copied() }
            /// The wire name.
            pub const fn symbol(self) -> &'static str { Self::SYMBOLS[self as usize] }
            /// Why a field may not be UNKNOWN, with all that it may be.
            pub fn unknown(field: &str) -> String { $crate::enums::unknown_of(field, &Self::SYMBOLS[1..]) }
            /// The value of a wire name; `Unknown` for any other text.
            pub fn from_symbol(symbol: &str) -> Self {
                match symbol { $($symbol => Self::$variant,)+ _ => Self::Unknown }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.symbol()) }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() { serializer.serialize_str(self.symbol()) } else { serializer.serialize_u8(*self as u8) }
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = <smol_str::SmolStr as serde::Deserialize>::deserialize(deserializer)?;
                    Ok(Self::from_symbol(&text))
                } else {
                    let index = <u8 as serde::Deserialize>::deserialize(deserializer)?;
                    Self::from_index(usize::from(index)).ok_or_else(|| serde::de::Error::custom("no such symbol"))
                }
            }
        }
    };
}

/// The words about a field that is UNKNOWN where it must be one of these symbols.
pub fn unknown_of(field: &str, choices: &[&str]) -> String {
    format!(
        "{field} is UNKNOWN, as any symbol is read that this build does not know: it must be one of {}; correct it, or upgrade first",
        choices.join(", ")
    )
}

closed_enum! {
    /// What an execution report does (FIX 150).
    ExecType {
        /// A trade (F).
        Trade = "TRADE",
        /// A correction of an earlier execution (G).
        Correct = "CORRECT",
        /// A cancellation of an earlier execution (H).
        Cancel = "CANCEL",
    }
}
closed_enum! {
    /// The side of an execution or an order (FIX 54).
    Side {
        /// Buy, also to cover (1).
        Buy = "BUY",
        /// Sell what is held (2).
        Sell = "SELL",
        /// Sell what is not held (5).
        SellShort = "SELL_SHORT",
    }
}
closed_enum! {
    /// Which figure of a portfolio is beyond its bound.
    AnomalyKind {
        /// What the day has returned since its last cut.
        DailyReturn = "DAILY_RETURN",
        /// How far prices have moved the weight of a line since then.
        WeightJump = "WEIGHT_JUMP",
    }
}
closed_enum! {
    /// What a cash entry is.
    CashKind {
        /// Cash paid in from outside.
        Deposit = "DEPOSIT",
        /// Cash paid out.
        Withdrawal = "WITHDRAWAL",
        /// A fee that no execution carried; negative is a rebate.
        Fee = "FEE",
        /// Interest received; negative is interest paid.
        Interest = "INTEREST",
        /// A dividend paid.
        Dividend = "DIVIDEND",
        /// Cash or securities from another portfolio or custodian.
        TransferIn = "TRANSFER_IN",
        /// Cash or securities to another portfolio or custodian.
        TransferOut = "TRANSFER_OUT",
    }
}
closed_enum! {
    /// The kind of an instrument.
    InstrumentType {
        /// A share.
        Equity = "EQUITY",
        /// An exchange-traded fund.
        Etf = "ETF",
        /// A bond; quoted clean, valued with accrued interest.
        Bond = "BOND",
        /// A future; no cash at trade, equity by its gain.
        Future = "FUTURE",
        /// A coin or token.
        Crypto = "CRYPTO",
        /// A currency pair; its fills move two cash balances.
        Fx = "FX",
        /// A cash equivalent.
        Cash = "CASH",
        /// Anything else.
        Other = "OTHER",
    }
}
closed_enum! {
    /// The field of a tick from which the mark is taken.
    PriceSource {
        /// Mark, else mid, else last.
        Auto = "AUTO",
        /// The mark only.
        Mark = "MARK",
        /// The middle of bid and ask only.
        Mid = "MID",
        /// The last trade only.
        Last = "LAST",
        /// The bid only.
        Bid = "BID",
        /// The ask only.
        Ask = "ASK",
    }
}
closed_enum! {
    /// Whether a corporate action stands.
    ActionStatus {
        /// Announced or amended.
        New = "NEW",
        /// Withdrawn.
        Cancelled = "CANCELLED",
    }
}
closed_enum! {
    /// What a corporate action does.
    ActionKind {
        /// `ratio_new` units for `ratio_old`.
        Split = "SPLIT",
        /// An amount of cash per unit.
        CashDividend = "CASH_DIVIDEND",
        /// Another symbol for the same instrument.
        SymbolChange = "SYMBOL_CHANGE",
    }
}
closed_enum! {
    /// The state of a venue or an instrument.
    MarketState {
        /// Continuous trading.
        Open = "OPEN",
        /// No trading.
        Closed = "CLOSED",
        /// In auction.
        Auction = "AUCTION",
        /// Trading is halted.
        Halted = "HALTED",
    }
}
closed_enum! {
    /// What a router says of an order.
    OrderState {
        /// Taken.
        Acknowledged = "ACKNOWLEDGED",
        /// Executed in part.
        PartFilled = "PART_FILLED",
        /// Executed whole; final.
        Filled = "FILLED",
        /// Cancelled, perhaps after part fills; final.
        Cancelled = "CANCELLED",
        /// Refused; final.
        Rejected = "REJECTED",
        /// Ran out of time; final.
        Expired = "EXPIRED",
    }
}
closed_enum! {
    /// What a command asks for.
    CommandKind {
        /// Rebalance now.
        Rebalance = "REBALANCE",
        /// Approve a proposal by its hash.
        Approve = "APPROVE",
        /// Reject a proposal.
        Reject = "REJECT",
        /// Cancel the open cycle.
        Cancel = "CANCEL",
        /// Change a proposal's quantities before release.
        Edit = "EDIT",
        /// Stop new orders in a scope.
        Halt = "HALT",
        /// End a halt.
        Resume = "RESUME",
        /// Compare with an outside book, or settle stuck orders.
        Reconcile = "RECONCILE",
        /// Take a dead letter back in.
        Admit = "ADMIT",
        /// Close a dead letter without taking it in.
        Discard = "DISCARD",
        /// End a quarantine.
        Release = "RELEASE",
    }
}
closed_enum! {
    /// How far a command may go on its own; the stricter of command and policy holds.
    CommandMode {
        /// Release orders within the limits.
        Automatic = "AUTOMATIC",
        /// Propose, and wait for a person.
        Approval = "APPROVAL",
        /// Propose only: nothing is ordered.
        Check = "CHECK",
    }
}
closed_enum! {
    /// What a halt covers.
    HaltScope {
        /// Everything.
        Firm = "FIRM",
        /// One portfolio.
        Portfolio = "PORTFOLIO",
        /// One instrument in every portfolio.
        Instrument = "INSTRUMENT",
        /// One strategy in every portfolio.
        Strategy = "STRATEGY",
    }
}
closed_enum! {
    /// The risk type of a portfolio.
    PortfolioType {
        /// Wide bands, high risk.
        Aggressive = "AGGRESSIVE",
        /// In between.
        Balanced = "BALANCED",
        /// Narrow bands, low risk.
        Conservative = "CONSERVATIVE",
        /// As its policy says, without presets.
        Custom = "CUSTOM",
    }
}
closed_enum! {
    /// How a band is measured.
    BandKind {
        /// A fraction of equity.
        Absolute = "ABSOLUTE",
        /// A fraction of the target.
        Relative = "RELATIVE",
        /// The smaller of both (5/25).
        SmallerOf = "SMALLER_OF",
        /// The larger of both.
        LargerOf = "LARGER_OF",
    }
}
closed_enum! {
    /// Which lines a breach plans.
    Scope {
        /// Every line.
        WholeBook = "WHOLE_BOOK",
        /// The breached ones alone.
        BreachedLines = "BREACHED_LINES",
    }
}
closed_enum! {
    /// How far a planned line goes.
    Goal {
        /// To the target.
        Target = "TARGET",
        /// To the edge of the band.
        BandEdge = "BAND_EDGE",
        /// Half way between both.
        Midpoint = "MIDPOINT",
    }
}
closed_enum! {
    /// How often a scheduled rebalance runs.
    RebalanceFrequency {
        /// Never.
        None = "NONE",
        /// Every trading day.
        Daily = "DAILY",
        /// Every week.
        Weekly = "WEEKLY",
        /// Every month.
        Monthly = "MONTHLY",
    }
}
closed_enum! {
    /// Whether orders wait for a person.
    PolicyMode {
        /// Released within the limits.
        Automatic = "AUTOMATIC",
        /// Released once approved.
        Approval = "APPROVAL",
    }
}
closed_enum! {
    /// How much of a hurry an order is in; FIX has no tag for it.
    Urgency {
        /// It may be worked as long as it is valid.
        Low = "LOW",
        /// As the router does by itself.
        Normal = "NORMAL",
        /// It is to be done soon, also where that costs more.
        High = "HIGH",
    }
}
closed_enum! {
    /// How an order's quantity meets its lot.
    Rounding {
        /// Toward zero, to the lot.
        Truncate = "TRUNCATE",
        /// To the nearest lot, halves away from zero.
        Nearest = "NEAREST",
        /// Not to the lot, only cut at the quantity's scale.
        None = "NONE",
    }
}
closed_enum! {
    /// How buys share too little cash.
    Shortage {
        /// One factor for all.
        ProRata = "PRO_RATA",
        /// The largest underweight first.
        Priority = "PRIORITY",
    }
}
closed_enum! {
    /// When buys leave.
    Funding {
        /// After every sell is terminal and applied.
        WaitForSells = "WAIT_FOR_SELLS",
        /// With the sells.
        Together = "TOGETHER",
    }
}
closed_enum! {
    /// Which cash may be spent.
    CashBasis {
        /// Cash by trade date.
        TradeDate = "TRADE_DATE",
        /// Settled cash.
        Settled = "SETTLED",
    }
}
closed_enum! {
    /// The type of an order (FIX 40).
    OrderType {
        /// At the market (1).
        Market = "MARKET",
        /// With a limit price (2).
        Limit = "LIMIT",
    }
}
closed_enum! {
    /// How long an order stands (FIX 59).
    TimeInForce {
        /// For the day (0).
        Day = "DAY",
        /// Until cancelled (1).
        Gtc = "GTC",
        /// Immediate or cancel (3).
        Ioc = "IOC",
        /// Fill or kill (4).
        Fok = "FOK",
        /// At the close (7).
        AtClose = "AT_CLOSE",
    }
}
closed_enum! {
    /// How the cost of what is sold is found.
    CostMethod {
        /// One pool.
        Average = "AVERAGE",
        /// First in, first out.
        Fifo = "FIFO",
        /// Last in, first out.
        Lifo = "LIFO",
        /// Highest price first.
        Hifo = "HIFO",
    }
}
closed_enum! {
    /// What books a dividend.
    DividendSource {
        /// The corporate action, on its pay date.
        Actions = "ACTIONS",
        /// The cash entry.
        Cash = "CASH",
    }
}
closed_enum! {
    /// What a ledger entry books.
    EntryKind {
        /// An execution.
        Trade = "TRADE",
        /// The cancellation of one.
        Cancel = "CANCEL",
        /// The correction of one.
        Correct = "CORRECT",
        /// The differences of a refold.
        Restate = "RESTATE",
        /// Cash paid in.
        CashDeposit = "CASH_DEPOSIT",
        /// Cash paid out.
        CashWithdrawal = "CASH_WITHDRAWAL",
        /// A fee.
        CashFee = "CASH_FEE",
        /// Interest.
        CashInterest = "CASH_INTEREST",
        /// Cash of a dividend: of its action at the pay date, or by an entry.
        CashDividend = "CASH_DIVIDEND",
        /// Cash or securities transferred in.
        TransferIn = "TRANSFER_IN",
        /// Cash or securities transferred out.
        TransferOut = "TRANSFER_OUT",
        /// A split.
        Split = "SPLIT",
        /// A dividend earned at its ex-date.
        Dividend = "DIVIDEND",
    }
}
closed_enum! {
    /// What a drift event says.
    DriftKind {
        /// A line left its band.
        Open = "OPEN",
        /// It went further.
        Worse = "WORSE",
        /// Every line is back.
        Clear = "CLEAR",
        /// Still out, said again after the re-arm time.
        Rearm = "REARM",
        /// Asked for; see the cause.
        Requested = "REQUESTED",
        /// A price is missing or stale: no plan can be made.
        Unpriced = "UNPRICED",
    }
}
closed_enum! {
    /// Why a drift event was requested.
    DriftCause {
        /// A command.
        Command = "COMMAND",
        /// A due schedule.
        Schedule = "SCHEDULE",
        /// A policy that came, changed or closed.
        Policy = "POLICY",
        /// An applied corporate action.
        Action = "ACTION",
        /// A fill of one of our orders.
        Fill = "FILL",
        /// A refresh that the rebalancer asked for.
        Refresh = "REFRESH",
        /// Figures of risk by which targets are scaled by something else from now on.
        Risk = "RISK",
    }
}
closed_enum! {
    /// The fitness of a price.
    PriceFlag {
        /// Fresh.
        Fresh = "FRESH",
        /// Older than allowed.
        Stale = "STALE",
        /// There is none.
        Missing = "MISSING",
        /// A later one is held back as a jump.
        Held = "HELD",
    }
}
closed_enum! {
    /// What a wave asks of the router.
    WaveKind {
        /// New orders.
        New = "NEW",
        /// Cancel requests for earlier ones.
        Cancel = "CANCEL",
    }
}
closed_enum! {
    /// What made a rebalance.
    RebalanceTrigger {
        /// The schedule.
        Scheduled = "SCHEDULED",
        /// A breached band.
        Threshold = "THRESHOLD",
        /// A person.
        Manual = "MANUAL",
    }
}
closed_enum! {
    /// Where a rebalance stands.
    RebalanceStatus {
        /// Planned (a check or a shadow ends here).
        Proposed = "PROPOSED",
        /// Waiting for a person.
        PendingApproval = "PENDING_APPROVAL",
        /// Approved.
        Approved = "APPROVED",
        /// A wave has left.
        Released = "RELEASED",
        /// Every order filled.
        Completed = "COMPLETED",
        /// Ended otherwise.
        Failed = "FAILED",
        /// A plan without orders.
        NoActionNeeded = "NO_ACTION_NEEDED",
        /// Rejected by a person.
        Rejected = "REJECTED",
        /// Ran out of time or was overtaken.
        Expired = "EXPIRED",
        /// A command that cannot be followed; see its code.
        Refused = "REFUSED",
        /// An order has no terminal state after its cancel; needs a person.
        Stuck = "STUCK",
    }
}
closed_enum! {
    /// What a plan does with one instrument.
    Decision {
        /// It is ordered as wanted.
        Order = "ORDER",
        /// It is left alone.
        Skip = "SKIP",
        /// It is ordered in part.
        Cut = "CUT",
    }
}
closed_enum! {
    /// What a figure counts.
    MetricUnit {
        /// A fraction of one.
        Fraction = "FRACTION",
        /// An amount of money.
        Money = "MONEY",
        /// A plain number.
        Ratio = "RATIO",
        /// How many.
        Count = "COUNT",
        /// Days.
        Days = "DAYS",
    }
}
closed_enum! {
    /// What profit is grouped by.
    Grouping {
        /// The strategy of the bookings.
        Strategy = "STRATEGY",
        /// The sector of the instrument.
        Sector = "SECTOR",
        /// The kind of the instrument.
        InstrumentType = "INSTRUMENT_TYPE",
        /// The hour of the execution at its venue.
        TimeOfDay = "TIME_OF_DAY",
        /// Against a benchmark, by sector.
        BrinsonFachler = "BRINSON_FACHLER",
    }
}

impl OrderState {
    /// The states after which no further report may change an order.
    pub const TERMINAL: [Self; 4] = [Self::Filled, Self::Cancelled, Self::Rejected, Self::Expired];

    /// Whether no further report may change an order.
    pub fn is_terminal(self) -> bool {
        Self::TERMINAL.contains(&self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_and_indices_agree() {
        for (index, symbol) in Side::SYMBOLS.iter().enumerate() {
            let value = Side::from_index(index).unwrap();
            assert_eq!(value.index(), index);
            assert_eq!(value.symbol(), *symbol);
            assert_eq!(Side::from_symbol(symbol), value);
        }
        assert_eq!(Side::from_symbol("buy"), Side::Unknown);
        assert_eq!(Side::from_index(9), None);
    }
}
