//! The closed list of reasons that a plan, a refusal and a dead letter give.
//! It holds codes only; the numbers stand beside them in the records.

use crate::closed_enum;

closed_enum! {
    /// Why an instrument was ordered, cut or left alone, and why a command was refused.
    ReasonCode {
        /// The line stands inside its band and nothing else planned it; of a cut: the rest is no longer needed.
        WithinBand = "WITHIN_BAND",
        /// |drift| is at or below `minimum_deviation`.
        BelowMinimumDeviation = "BELOW_MINIMUM_DEVIATION",
        /// Another line breached; the policy plans breached lines only.
        NotBreached = "NOT_BREACHED",
        /// The order would be smaller than `min_notional`.
        BelowMinNotional = "BELOW_MIN_NOTIONAL",
        /// The quantity is less than one lot.
        RoundedToZero = "ROUNDED_TO_ZERO",
        /// On the policy's do-not-buy list.
        DoNotBuy = "DO_NOT_BUY",
        /// On the policy's do-not-sell list, or `no_sells`.
        DoNotSell = "DO_NOT_SELL",
        /// The order would go short without `allow_short`: rounding to the nearest lot, or a leg of an older book.
        ShortNotAllowed = "SHORT_NOT_ALLOWED",
        /// A held or targeted instrument has no price.
        NoPrice = "NO_PRICE",
        /// Its price is older than allowed.
        StalePrice = "STALE_PRICE",
        /// Its price left the collar, or is held back as a jump.
        PriceOutlier = "PRICE_OUTLIER",
        /// Its market is closed.
        MarketClosed = "MARKET_CLOSED",
        /// Its trading is halted.
        Halted = "HALTED",
        /// Buys were cut to the cash that there is.
        CashShortage = "CASH_SHORTAGE",
        /// The turnover cap is used up.
        TurnoverCap = "TURNOVER_CAP",
        /// The cap on the share of daily volume.
        VolumeCap = "VOLUME_CAP",
        /// `max_position_weight`.
        PositionLimit = "POSITION_LIMIT",
        /// `max_sector_weight`.
        SectorLimit = "SECTOR_LIMIT",
        /// A limit on one order or on the orders of a day or a minute.
        OrderLimit = "ORDER_LIMIT",
        /// An order would take Σ |value| beyond `max_gross` × equity; targets beyond it are INVALID_ALLOCATION.
        GrossLimit = "GROSS_LIMIT",
        /// The policy's cooldown has not passed.
        Cooldown = "COOLDOWN",
        /// A cycle of this portfolio is open.
        OpenCycle = "OPEN_CYCLE",
        /// The portfolio is quarantined.
        Quarantined = "QUARANTINED",
        /// Its books differ from an outside book, or from its orders.
        Unreconciled = "UNRECONCILED",
        /// The service is behind its inputs, or the book that was asked for came too late; never in a replay.
        Backlog = "BACKLOG",
        /// A halt is in force.
        KillSwitch = "KILL_SWITCH",
        /// No volume is known where one is needed.
        Illiquid = "ILLIQUID",
        /// The order would cost more than the drift that it takes away is worth to the policy.
        CostAboveBenefit = "COST_ABOVE_BENEFIT",
        /// The router rejected it, or it ended unfilled.
        OrderFailed = "ORDER_FAILED",
        /// Data that the rule needs is missing.
        DataGap = "DATA_GAP",
        /// A figure is beyond its bound and nobody has accepted it (`health.anomalies`), or beyond every plausible one: a
        /// quantity or value that no order could carry.
        MetricAnomaly = "METRIC_ANOMALY",
        /// Targets, bands or limits that contradict each other.
        InvalidAllocation = "INVALID_ALLOCATION",
        /// Equity at or below zero, or no cash at all for the buys.
        InsufficientFunds = "INSUFFICIENT_FUNDS",
        /// Ordered: overweight, sold down.
        DriftSell = "DRIFT_SELL",
        /// Ordered: underweight, bought up.
        DriftBuy = "DRIFT_BUY",
        /// Ordered: a holding without a target is sold.
        Exit = "EXIT",
        /// Ordered: sold to raise cash.
        CashRaise = "CASH_RAISE",
        /// Ordered: bought to invest cash.
        CashInvest = "CASH_INVEST",
        /// The proposal that a command names is not the one that waits.
        StaleProposal = "STALE_PROPOSAL",
        /// Nothing is there that the command could act on, or its actor has done already what it asks for.
        NothingToDo = "NOTHING_TO_DO",
        /// The proposal or order ran out of time.
        TimedOut = "TIMED_OUT",
        /// The policy changed or the portfolio closed.
        PolicyChanged = "POLICY_CHANGED",
        /// A person gave the order of a proposal another quantity.
        Edited = "EDITED",
        /// The plan raises gross exposure while realised risk stands above its target, or lowers it while it stands below.
        RiskAwayFromTarget = "RISK_AWAY_FROM_TARGET",
    }
}

closed_enum! {
    /// Why an input was dead-lettered.
    DeadLetterCode {
        /// The bytes are no record of the schema.
        Undecodable = "UNDECODABLE",
        /// No schema has this fingerprint.
        UnknownSchema = "UNKNOWN_SCHEMA",
        /// A symbol that this build does not know.
        UnknownEnum = "UNKNOWN_ENUM",
        /// A number beyond its range or scale, or of the wrong sign.
        OutOfRange = "OUT_OF_RANGE",
        /// The key is not the record's portfolio, or belongs to another lane.
        WrongLane = "WRONG_LANE",
        /// Its trade date has left the portfolio's window.
        LateFill = "LATE_FILL",
        /// It names an execution that has left the window.
        LateReference = "LATE_REFERENCE",
        /// A known id with other content.
        DuplicateConflict = "DUPLICATE_CONFLICT",
        /// It waited for an instrument, a policy or a rate beyond the bound.
        WaitExceeded = "WAIT_EXCEEDED",
        /// A tick too far in the future.
        FutureTick = "FUTURE_TICK",
        /// Targets, bands or limits that contradict each other.
        InvalidAllocation = "INVALID_ALLOCATION",
        /// A policy that cannot be followed.
        InvalidPolicy = "INVALID_POLICY",
        /// A command that cannot be understood.
        InvalidCommand = "INVALID_COMMAND",
        /// An execution or entry that contradicts what it names or how it may be booked.
        InvalidRecord = "INVALID_RECORD",
        /// A person took it out of where it waited.
        Discarded = "DISCARDED",
    }
}
