//! `portfolio.policies.v1`: what a portfolio should hold, when to act, and how far orders may go.
//! The shape and its defaults; `validate` says which policies cannot be followed.

mod preset;
mod risk_control;
mod validate;

pub use preset::Preset;
pub use risk_control::RiskControl;
pub use validate::{PolicyProblem, validate};

use crate::enums::{
    BandKind, CashBasis, CostMethod, DividendSource, Funding, Goal, OrderType, PolicyMode, PortfolioType, RebalanceFrequency, Rounding,
    Scope, Shortage, TimeInForce, Urgency,
};
use crate::{Bps, Currency, Fraction, InstrumentId, Money, Percent, PortfolioId, Quantity};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// One line: an instrument or a group (sector or type), its target and its own bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The instrument; exactly one of this and `group` is given.
    #[serde(default)]
    pub instrument_id: Option<InstrumentId>,
    /// The sector or instrument type whose members it bounds.
    #[serde(default)]
    pub group: Option<SmolStr>,
    /// Signed share of equity.
    pub target_weight: Fraction,
    /// Lower bound; null takes the band on that side.
    #[serde(default)]
    pub min_weight: Option<Fraction>,
    /// Upper bound; null takes the band on that side.
    #[serde(default)]
    pub max_weight: Option<Fraction>,
}

/// How far a weight may stand from its target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Band {
    /// How it is measured.
    pub kind: BandKind,
    /// Share of equity (ABSOLUTE and the combined kinds).
    pub absolute: Fraction,
    /// Share of the target (RELATIVE and the combined kinds).
    pub relative: Fraction,
    /// Whether the bound itself breaches; for bands and minimum deviation alike.
    pub inclusive: bool,
    /// A breach clears at this part of the trip level.
    pub clear_ratio: Fraction,
}

impl Default for Band {
    fn default() -> Self {
        Self { kind: BandKind::Absolute, absolute: tenths(0, 5), relative: tenths(2, 5), inclusive: false, clear_ratio: tenths(8, 0) }
    }
}

/// Who must approve, for how long a proposal holds, how far prices may move meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Approval {
    /// Persons needed.
    pub approvers: i32,
    /// Seconds from proposal to expiry.
    pub expiry_seconds: i64,
    /// A price further away than this, in basis points, or a rate of an order's currency, expires the proposal.
    pub price_tolerance_bp: Bps,
}

impl Default for Approval {
    fn default() -> Self {
        Self { approvers: 1, expiry_seconds: 3600, price_tolerance_bp: Bps::from_units(50 * Bps::ONE.units()) }
    }
}

/// When to act, and how far to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trigger {
    /// Points of drift at or below which a line is not ordered; a target of zero is sold whatever its drift.
    pub minimum_deviation: Percent,
    /// Band of the cash line; null leaves cash free.
    pub cash_band: Option<Fraction>,
    /// Which lines a breach plans.
    pub scope: Scope,
    /// How far they go.
    pub goal: Goal,
    /// When every line is planned beside the bands; it needs `schedule_time`.
    pub rebalance_frequency: RebalanceFrequency,
    /// Local time of day of the schedule, HH:MM, in `time_zone`.
    pub schedule_time: Option<SmolStr>,
    /// Whether orders wait for a person.
    pub mode: PolicyMode,
    /// Seconds after a cycle in which no threshold opens another; a breach that still stands then is planned.
    pub cooldown_seconds: i64,
    /// Seconds after which a standing breach is said again.
    pub rearm_seconds: i64,
    /// Approval.
    pub approval: Approval,
}

impl Default for Trigger {
    fn default() -> Self {
        Self {
            minimum_deviation: Percent::ONE,
            cash_band: None,
            scope: Scope::WholeBook,
            goal: Goal::Target,
            rebalance_frequency: RebalanceFrequency::None,
            schedule_time: None,
            mode: PolicyMode::Approval,
            cooldown_seconds: 0,
            rearm_seconds: 3600,
            approval: Approval::default(),
        }
    }
}

/// What a trade is expected to cost.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeeModel {
    /// Share of the notional.
    pub rate: Fraction,
    /// Amount for an order, in the base currency.
    pub fixed: Money,
}

/// What a trade is expected to cost beside its fees, and what it is to bring. Nothing of it moves cash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CostModel {
    /// Half of the spread in basis points of the notional, for instruments without a quote of their own; null: their
    /// spread is not known.
    pub half_spread_bp: Option<Bps>,
    /// Market impact of an order of one average day's volume, in basis points of its notional; of a part of that volume
    /// the square root of the part as much. Null: impact is not known.
    pub impact_bp: Option<Bps>,
    /// What drift that is taken away brings in a year, in basis points of its value; null: costs are weighed against
    /// nothing.
    pub benefit_bp: Option<Bps>,
    /// Days for which the drift would have stood otherwise.
    pub benefit_days: i32,
}

impl Default for CostModel {
    fn default() -> Self {
        Self { half_spread_bp: None, impact_bp: None, benefit_bp: None, benefit_days: 365 }
    }
}

/// How an order that is large for its instrument leaves in slices over time. Exactly one of `waves` and `participation`
/// is given. An instrument without a known volume leaves whole: nobody can tell that its order is large.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slicing {
    /// Share of the average daily volume above which an order is large.
    pub above_volume: Fraction,
    /// Slices of equal size, rounded up to the lot; the last takes the rest.
    #[serde(default)]
    pub waves: Option<i32>,
    /// Units of a slice as a share of the average daily volume, cut to the lot; one lot at least.
    #[serde(default)]
    pub participation: Option<Fraction>,
    /// Least seconds from one slice to the next.
    pub interval_seconds: i64,
}

/// How a plan becomes orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Orders {
    /// Quantity to lot.
    pub rounding: Rounding,
    /// Smallest order, in the base currency.
    pub min_notional: Money,
    /// Whether exits ignore `min_notional`, and what they cost.
    pub exit_exempt: bool,
    /// Share of equity that stays in cash.
    pub cash_reserve: Fraction,
    /// Whether goals apply to equity less the reserve.
    pub reserve_scales_targets: bool,
    /// Whether buys are cut to the cash that there is.
    pub cash_limited: bool,
    /// How they share it.
    pub shortage: Shortage,
    /// When buys leave.
    pub funding: Funding,
    /// Which cash may be spent. Settled cash is never what the sells of the same plan bring.
    pub cash_basis: CashBasis,
    /// Most turnover of a plan, as a share of equity.
    pub turnover_cap: Option<Fraction>,
    /// Most units of an order, as a share of the average daily volume.
    pub volume_cap: Option<Fraction>,
    /// Whether targets and holdings may be short.
    pub allow_short: bool,
    /// Whether nothing may be sold.
    pub no_sells: bool,
    /// Most Σ |target|.
    pub max_gross: Fraction,
    /// Whether a market that never reported a status is closed.
    pub require_market_status: bool,
    /// Instruments that are never bought.
    pub do_not_buy: Vec<InstrumentId>,
    /// Instruments that are never sold.
    pub do_not_sell: Vec<InstrumentId>,
    /// Expected fees.
    pub fees: FeeModel,
    /// Type of the orders.
    pub order_type: OrderType,
    /// Distance of a limit price from the reference, in basis points, on the passive side when negative.
    pub limit_offset_bp: Bps,
    /// How long an order stands at the venue.
    pub time_in_force: TimeInForce,
    /// Seconds after which an order must be terminal or is asked back.
    pub valid_seconds: i64,
    /// Expected costs beside fees, and what they are weighed against.
    pub costs: CostModel,
    /// How much of a hurry orders are in; exits and sells that raise cash are one step above.
    pub urgency: Urgency,
    /// How large orders leave over time; null lets every order leave whole.
    pub slicing: Option<Slicing>,
    /// Which figures of risk count against `target_risk`, and whether they scale targets.
    pub risk: RiskControl,
}

impl Default for Orders {
    fn default() -> Self {
        Self {
            rounding: Rounding::Truncate,
            min_notional: Money::ZERO,
            exit_exempt: true,
            cash_reserve: Fraction::ZERO,
            reserve_scales_targets: false,
            cash_limited: true,
            shortage: Shortage::ProRata,
            funding: Funding::WaitForSells,
            cash_basis: CashBasis::TradeDate,
            turnover_cap: None,
            volume_cap: None,
            allow_short: false,
            no_sells: false,
            max_gross: Fraction::ONE,
            require_market_status: false,
            do_not_buy: Vec::new(),
            do_not_sell: Vec::new(),
            fees: FeeModel::default(),
            order_type: OrderType::Market,
            limit_offset_bp: Bps::ZERO,
            time_in_force: TimeInForce::Day,
            valid_seconds: 300,
            costs: CostModel::default(),
            urgency: Urgency::Normal,
            slicing: None,
            risk: RiskControl::default(),
        }
    }
}

/// How the book is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Book {
    /// Cost of what is sold.
    pub cost_method: CostMethod,
    /// What books dividends.
    pub dividends: DividendSource,
    /// Oldest usable price in seconds, where the instrument names none.
    pub max_price_age_seconds: i64,
    /// Most that a holding or a balance may be worth more or less than in an outside book, in the base currency.
    pub reconcile_tolerance: Money,
    /// Most that a day may return either way before plans are held until somebody accepts it; null bounds nothing.
    pub max_daily_return: Option<Fraction>,
    /// Most that prices may move the weight of a line within a day, likewise.
    pub max_weight_jump: Option<Fraction>,
    /// How many days older than its day a price may be that closes it, also one that a rate comes from: a close that stands
    /// on an older one is not complete. Null bounds nothing.
    pub max_close_age_days: Option<i32>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            cost_method: CostMethod::Average,
            dividends: DividendSource::Actions,
            max_price_age_seconds: 300,
            reconcile_tolerance: Money::ZERO,
            max_daily_return: None,
            max_weight_jump: None,
            max_close_age_days: None,
        }
    }
}

/// What no order and no holding may pass; amounts in the base currency.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Most value of one order.
    pub max_order_notional: Option<Money>,
    /// Most units of one order.
    pub max_order_quantity: Option<Quantity>,
    /// Most value released since the day cut.
    pub max_daily_notional: Option<Money>,
    /// Most weight of one instrument.
    pub max_position_weight: Option<Fraction>,
    /// Most weight of one sector.
    pub max_sector_weight: Option<Fraction>,
    /// Most orders in 60 seconds.
    pub max_orders_per_minute: Option<i32>,
    /// Furthest that a price may stand from the last close, in basis points.
    pub price_collar_bp: Option<Bps>,
}

/// A second set of rules that is planned and explained beside the first, and never ordered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shadow {
    /// Lines.
    pub targets: Vec<Target>,
    /// Band.
    pub band: Band,
    /// Trigger.
    pub trigger: Trigger,
    /// Orders.
    pub orders: Orders,
    /// Book, of which only `max_price_age_seconds` is a rule of the shadow's own: books are kept once.
    pub book: Book,
    /// Limits.
    pub limits: Limits,
}

fn utc() -> SmolStr {
    SmolStr::new_static("UTC")
}
fn midnight() -> SmolStr {
    SmolStr::new_static("00:00")
}
fn custom() -> PortfolioType {
    PortfolioType::Custom
}

/// The rules of one portfolio. A null value on the topic closes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Portfolio; also the record's key.
    pub portfolio_id: PortfolioId,
    /// Rising; an equal or lower one is refused.
    pub policy_version: i64,
    /// Currency in which equity is counted.
    pub base_currency: Currency,
    /// Name for people.
    #[serde(default)]
    pub name: Option<SmolStr>,
    /// Description for people.
    #[serde(default)]
    pub description: Option<SmolStr>,
    /// The owner's session, unique over portfolios.
    #[serde(default)]
    pub session_id: Option<SmolStr>,
    /// Risk type; its figures hold where there is a `preset`.
    #[serde(default = "custom", rename = "type")]
    pub kind: PortfolioType,
    /// Yearly volatility aimed at.
    #[serde(default)]
    pub target_risk: Option<Fraction>,
    /// Instrument to compare with.
    #[serde(default)]
    pub benchmark: Option<InstrumentId>,
    /// Yearly risk-free rate.
    #[serde(default)]
    pub risk_free_rate: Option<Fraction>,
    /// Instrument whose returns are the risk-free ones, where it has prices: a treasury bill fund, an index of overnight rates.
    #[serde(default)]
    pub risk_free_instrument: Option<InstrumentId>,
    /// Which days it has: the sessions of an exchange by its code (`XNYS`), every day (`24/7`), weekdays (`24/5`); none has
    /// Monday to Friday without holidays. Other names are refused.
    #[serde(default)]
    pub calendar: Option<SmolStr>,
    /// IANA time zone of its day.
    #[serde(default = "utc")]
    pub time_zone: SmolStr,
    /// Local time at which its day ends, HH:MM.
    #[serde(default = "midnight")]
    pub day_cut: SmolStr,
    /// Lines; 1 − Σ is the cash target.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// Band.
    #[serde(default)]
    pub band: Band,
    /// Trigger.
    #[serde(default)]
    pub trigger: Trigger,
    /// Orders.
    #[serde(default)]
    pub orders: Orders,
    /// Book.
    #[serde(default)]
    pub book: Book,
    /// Limits.
    #[serde(default)]
    pub limits: Limits,
    /// Shadow rules.
    #[serde(default)]
    pub shadow: Option<Box<Shadow>>,
    /// Whether the figures of `type` stand in place of the contract's defaults, and what holds in their place; null:
    /// the type is a name.
    #[serde(default)]
    pub preset: Option<Preset>,
}

impl Policy {
    /// The policy with its shadow's rules in place of its own; `None` where it has no shadow. The book is kept once:
    /// of the shadow's `book` only the age of prices is a rule of its own. A preset is laid under no shadow.
    pub fn by_shadow(&self) -> Option<Policy> {
        let Shadow { targets, band, trigger, orders, book, limits } = self.shadow.as_deref()?.clone();
        let book = Book { max_price_age_seconds: book.max_price_age_seconds, ..self.book.clone() };
        Some(Policy { targets, band, trigger, orders, book, limits, shadow: None, preset: None, ..self.clone() })
    }
}

/// `tenths` tenths and `hundredths` hundredths of one.
fn tenths(tenths: i128, hundredths: i128) -> Fraction {
    Fraction::from_units((tenths * 10 + hundredths) * (Fraction::ONE.units() / 100))
}
