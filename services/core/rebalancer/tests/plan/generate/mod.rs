//! Random books and policies, and books after their orders. What is drawn is valid more often than not:
//! refusals are few, so that the laws are tried on real plans.

use crate::book;
use domain::drift::Drift;
use domain::enums::{InstrumentType, RebalanceTrigger, Side};
use domain::policy::Policy;
use domain::target_risk::TargetRisk;
use domain::{Amount, Money, Quantity};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rebalancer::plan::{HaltView, Leg, OpenOrder, PlanInput, Rules};

/// A book under a policy, with its circumstances.
#[derive(Debug, Clone)]
pub struct World {
    pub drift: Drift,
    pub trigger: RebalanceTrigger,
    pub open: Vec<OpenOrder>,
    pub halted: HaltView,
    pub released: Money,
    pub last_minute: i32,
}

impl World {
    pub fn policy(&self) -> &Policy {
        self.drift.policy.as_ref().unwrap()
    }
    pub fn input(&self) -> PlanInput<'_> {
        PlanInput {
            drift: &self.drift,
            rules: Rules::of(self.policy()),
            trigger: self.trigger,
            open: &self.open,
            released_today: self.released,
            orders_last_minute: self.last_minute,
            halted: &self.halted,
            behind: false,
            short_proceeds: Money::ZERO,
        }
    }
}

/// How much of the rules a world uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rich {
    /// Bands, goals, rounding, funding; no limits, groups, open orders or closed markets.
    Plain,
    /// Everything.
    Full,
}

const LINES: usize = 7;

/// Worlds of up to seven lines.
pub fn worlds(rich: Rich) -> impl Strategy<Value = World> {
    let lines = vec(line(rich), 1..=LINES);
    let parts = (lines, cash(), policies(rich), circumstances(rich), option::weighted(0.3, risks()));
    parts.prop_map(|(lines, cash, policy, (trigger, open, halts, released, last_minute), risk)| {
        let rows: Vec<_> = lines.iter().enumerate().map(|(index, line)| format!("I{index} {line}")).collect();
        let drift = book::drift(book::policy(&policy_text(&policy, &lines)), &format!("{}\n{cash}", rows.join("\n")));
        let drift = Drift { risk: risk.map(Box::new), ..drift };
        let mut halted = HaltView::default();
        halted.instruments.extend(halts.into_iter().filter(|index| *index < lines.len()).map(id));
        let open = open.into_iter().filter(|(index, ..)| *index < lines.len()).map(open_order).collect();
        World { drift, trigger, open, halted, released: Money::from_whole(released).unwrap(), last_minute }
    })
}

fn id(index: usize) -> domain::InstrumentId {
    format!("I{index}").parse().unwrap()
}

fn open_order((index, units, value): (usize, i128, i128)) -> OpenOrder {
    let side = if units < 0 { Side::Sell } else { Side::Buy };
    OpenOrder {
        instrument_id: id(index),
        side,
        remaining: Quantity::from_whole(units).unwrap(),
        expected_value: Money::from_whole(value).unwrap(),
    }
}

/// Figures of risk against a target: they count or not, and scale targets or not.
fn risks() -> impl Strategy<Value = TargetRisk> {
    let scale = option::of(texts(&["1", "0.5", "0.333333333333", "0.000000000001", "0.999999999999"]));
    let realised = option::of(texts(&["0", "0.1", "0.2"]));
    (scale, realised)
        .prop_map(|(scale, realised)| TargetRisk { scale: scale.map(|text| text.parse().unwrap()), ..book::target_risk("0.1", realised) })
}

type Circumstances = (RebalanceTrigger, Vec<(usize, i128, i128)>, Vec<usize>, i128, i32);

fn circumstances(rich: Rich) -> impl Strategy<Value = Circumstances> {
    let most = if rich == Rich::Full { 1 } else { 0 };
    let trigger = select(vec![RebalanceTrigger::Threshold, RebalanceTrigger::Manual, RebalanceTrigger::Scheduled]);
    let open = vec((0..LINES, -20_i128..20, 0_i128..2000), 0..=2 * most);
    (trigger, open, vec(0..2 * LINES, 0..=most), select(vec![0_i128, 0, 500, 100_000]), 0..4_i32)
}

fn texts(of: &[&'static str]) -> impl Strategy<Value = &'static str> + use<> {
    select(of.to_vec())
}

fn quantity() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just("0".to_owned()),
        6 => (0..300_i64).prop_map(|units| units.to_string()),
        1 => (-50..0_i64).prop_map(|units| units.to_string()),
        2 => (0..30_000_000_000_i64).prop_map(|units| format!("{}.{:08}", units / 100_000_000, units % 100_000_000)),
    ]
}

fn price() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..50_000_i64).prop_map(|cents| format!("{}.{:02}", cents / 100, cents % 100)),
        (1..2_000_000_000_000_i64).prop_map(|units| format!("{}.{:010}", units / 10_000_000_000, units % 10_000_000_000)),
    ]
}

fn line(rich: Rich) -> BoxedStrategy<String> {
    let facts = (
        quantity(),
        price(),
        texts(&["1", "1", "5", "10", "100", "0.001", "0.00000001"]),
        texts(&["currency USD", "currency USD", "currency EUR fx 1.0854", "currency JPY fx 0.006712345678"]),
        texts(&["1", "1", "1", "50", "0.1"]),
        texts(&["type EQUITY", "type EQUITY", "type ETF", "type BOND accrued 0.123", "type FUTURE average 97.31", "type CRYPTO"]),
        texts(&["", "sector T", "sector U"]),
        texts(&["", "", "tick 0.01", "tick 0.25"]),
    );
    let full =
        (prop_oneof![12 => Just("OPEN"), 4 => texts(&["UNKNOWN", "CLOSED", "HALTED", "AUCTION"])], -40..40_i64, option::of(1..5000_i64));
    let quote = option::of((1..30_000_i64, 0..300_i64));
    (facts, full, quote)
        .prop_map(move |((quantity, price, lot, money, multiplier, kind, sector, tick), (status, move_, volume), quote)| {
            let mut text = format!("{quantity} @ {price} lot {lot} {money} multiplier {multiplier} {kind} {tick}");
            if rich == Rich::Full {
                let close = price.parse::<Cents>().map_or(1, |cents| cents.0) * (1000 + move_) / 1000;
                let close = close.max(1);
                text += &format!(" {sector} status {status} close {}.{:02}", close / 100, close % 100);
                text += &quote.map(|(bid, wide)| format!(" bid {} ask {}", cents(bid), cents(bid + wide))).unwrap_or_default();
                text += &volume.map(|volume| format!(" volume {volume}")).unwrap_or_default();
            }
            text
        })
        .boxed()
}

fn cents(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// A price cut to cents, for a close near it.
struct Cents(i64);

impl std::str::FromStr for Cents {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
        Ok(Self(whole.parse::<i64>()? * 100 + part[..2].parse::<i64>()?))
    }
}

fn cash() -> impl Strategy<Value = String> {
    (-2000..60_000_i64, 0..60_000_i64, -500..5000_i64, -500..5000_i64, 0..100_i64).prop_map(|(usd, settled, eur, eur_settled, owed)| {
        format!("cash USD {usd} settled {settled}\ncash EUR {eur} settled {eur_settled} fx 1.0854\nreceivable USD {owed}")
    })
}

/// What a policy is written from.
#[derive(Debug, Clone)]
struct Draw {
    weights: Vec<i64>,
    invested: i64,
    allow_short: bool,
    groups: Vec<(&'static str, i64, bool)>,
    fields: String,
}

fn policies(rich: Rich) -> impl Strategy<Value = Draw> {
    let full = rich == Rich::Full;
    let groups =
        if full { vec((texts(&["T", "U", "CRYPTO"]), 0..3000_i64, any::<bool>()), 0..=1).boxed() } else { Just(Vec::new()).boxed() };
    let limits = if full { limits().boxed() } else { Just((String::new(), String::new())).boxed() };
    let targets = (vec(prop_oneof![1 => Just(-1_i64), 1 => Just(0), 6 => 0..1000_i64], LINES), 0..=10_000_i64, any::<bool>());
    (targets, groups, band(), trigger(full), orders(), limits).prop_map(
        move |((weights, invested, allow_short), groups, band, trigger, orders, (more, limits))| {
            // Room for the group's target, and for shorts where there are any.
            let gross = if full && !allow_short { "1.3" } else { "2" };
            let lists = if more.is_empty() { String::new() } else { format!(",{more}") };
            let fields = format!(
                r#""band":{band},"trigger":{trigger},"orders":{{{orders}{lists},"allow_short":{allow_short},"max_gross":"{gross}"}},"limits":{{{limits}}}"#
            );
            Draw { weights, invested, allow_short, groups, fields }
        },
    )
}

fn band() -> impl Strategy<Value = String> {
    let kinds = texts(&["ABSOLUTE", "RELATIVE", "SMALLER_OF", "LARGER_OF"]);
    (kinds, prop_oneof![1..200_i64, 500..990_i64], 1..500_i64, any::<bool>()).prop_map(|(kind, absolute, relative, inclusive)| {
        format!(r#"{{"kind":"{kind}","absolute":"0.{absolute:03}","relative":"0.{relative:03}","inclusive":{inclusive}}}"#)
    })
}

fn trigger(full: bool) -> impl Strategy<Value = String> {
    let scopes = texts(&["WHOLE_BOOK", "BREACHED_LINES"]);
    let goals = texts(&["TARGET", "TARGET", "BAND_EDGE", "MIDPOINT"]);
    (scopes, goals, texts(&["0", "1", "0.5", "3"]), option::of(1..300_i64)).prop_map(move |(scope, goal, minimum, cash)| {
        let cash = cash.filter(|_| full).map(|band| format!(r#","cash_band":"0.{band:03}""#)).unwrap_or_default();
        format!(r#"{{"scope":"{scope}","goal":"{goal}","minimum_deviation":"{minimum}"{cash}}}"#)
    })
}

fn orders() -> impl Strategy<Value = String> {
    let kinds = (texts(&["TRUNCATE", "NEAREST", "NONE"]), texts(&["PRO_RATA", "PRIORITY"]), texts(&["WAIT_FOR_SELLS", "TOGETHER"]));
    let cash = (texts(&["TRADE_DATE", "SETTLED"]), texts(&["0", "0", "0.02", "0.1"]), any::<bool>(), prop::bool::weighted(0.8));
    let costs = (texts(&["0", "0.001", "0.0123"]), texts(&["0", "1.5"]), texts(&["0", "0", "50", "500"]), any::<bool>());
    let prices = (texts(&["MARKET", "LIMIT"]), -200..200_i64);
    (kinds, cash, costs, prices).prop_map(
        |((rounding, shortage, funding), (basis, reserve, scales, limited), (rate, fixed, least, exempt), (kind, offset))| {
            format!(
                r#""rounding":"{rounding}","shortage":"{shortage}","funding":"{funding}","cash_basis":"{basis}","cash_reserve":"{reserve}",
                "reserve_scales_targets":{scales},"cash_limited":{limited},"fees":{{"rate":"{rate}","fixed":"{fixed}"}},
                "min_notional":"{least}","exit_exempt":{exempt},"order_type":"{kind}","limit_offset_bp":"{offset}""#
            )
        },
    )
}

/// How large orders leave, where they leave in slices.
fn slicing() -> impl Strategy<Value = Option<String>> {
    let parts = prop_oneof![
        (2..12_i32).prop_map(|waves| format!(r#""waves":{waves}"#)),
        texts(&["0.001", "0.01", "0.07", "1"]).prop_map(|share| format!(r#""participation":"{share}""#)),
    ];
    let slicing = (texts(&["0", "0.01", "0.1"]), parts).prop_map(|(above, parts)| format!(r#""above_volume":"{above}",{parts}"#));
    option::weighted(0.4, slicing)
}

/// Lists and caps of the orders, and the limits; each is there one time in eight.
fn limits() -> impl Strategy<Value = (String, String)> {
    let some = |values: &[&'static str]| option::weighted(0.12, texts(values));
    let orders = (some(&["0.05", "0.3", "1"]), some(&["0.01", "0.5"]), some(&["I0"]), some(&["I1"]), prop::bool::weighted(0.05));
    let amounts = (some(&["500", "5000"]), some(&["10", "100"]), some(&["1000", "20000"]), some(&["0.1", "0.3"]), some(&["0.2", "0.5"]));
    let rest = (some(&["2", "5"]), some(&["100", "300"]), prop::bool::weighted(0.2), slicing());
    let model = (some(&["0", "3.5", "200"]), option::of(texts(&["0", "12.25", "300"])), option::of(texts(&["0", "25", "900", "10000"])));
    (orders, amounts, rest, model).prop_map(
        |((turnover, volume, buy, sell, no_sells), amounts, (minute, collar, status, slicing), model)| {
            let text = |name: &str, value: Option<&str>| value.map(|value| format!(r#""{name}":"{value}""#));
            let list = |name: &str, value: Option<&str>| value.map(|value| format!(r#""{name}":["{value}"]"#));
            let own = [
                text("turnover_cap", turnover),
                text("volume_cap", volume),
                list("do_not_buy", buy),
                list("do_not_sell", sell),
                Some(format!(r#""no_sells":{no_sells},"require_market_status":{status}"#)),
                slicing.map(|fields| format!(r#""slicing":{{{fields},"interval_seconds":60}}"#)),
            ];
            let costs =
                [text("half_spread_bp", model.0), text("impact_bp", model.1), text("benefit_bp", model.2.filter(|_| model.1.is_some()))];
            let limits = [
                text("max_order_notional", amounts.0),
                text("max_order_quantity", amounts.1),
                text("max_daily_notional", amounts.2),
                text("max_position_weight", amounts.3),
                text("max_sector_weight", amounts.4),
                minute.map(|orders| format!(r#""max_orders_per_minute":{orders}"#)),
                text("price_collar_bp", collar),
            ];
            let join = |parts: Vec<Option<String>>| parts.into_iter().flatten().collect::<Vec<_>>().join(",");
            let costs = format!(r#""costs":{{{}}}"#, join(costs.to_vec()));
            (format!("{},{costs}", join(own.to_vec())), join(limits.to_vec()))
        },
    )
}

/// The policy: weights scaled so that they add up to what is invested; a negative one is no target, or a
/// short where these are allowed. A group bounds the targets of its members, or takes their place.
fn policy_text(rules: &Draw, lines: &[String]) -> String {
    let total: i64 = rules.weights[..lines.len()].iter().map(|weight| weight.abs()).sum();
    let mut own = Vec::new();
    for (index, weight) in rules.weights[..lines.len()].iter().enumerate() {
        match *weight < 0 {
            true if rules.allow_short && index % 2 == 0 => own.push((index, -500)),
            true => {}
            false => own.push((index, weight * rules.invested / total.max(1))),
        }
    }
    let mut targets = Vec::new();
    for (group, weight, bounds) in &rules.groups {
        let member = |index: usize| lines[index].contains(&format!("sector {group}")) || lines[index].contains(&format!("type {group}"));
        let sum = own.iter().filter(|(index, _)| member(*index)).map(|(_, share)| share).sum();
        let weight = if *bounds { sum } else { *weight };
        if !*bounds {
            own.retain(|(index, _)| !member(*index));
        }
        targets.push(format!(r#"{{"group":"{group}","target_weight":"{}"}}"#, share_text(weight)));
    }
    let own = own.iter().map(|(index, share)| format!(r#"{{"instrument_id":"I{index}","target_weight":"{}"}}"#, share_text(*share)));
    targets.extend(own);
    format!(r#""targets":[{}],{}"#, targets.join(","), rules.fields)
}

fn share_text(share: i64) -> String {
    let sign = if share < 0 { "-" } else { "" };
    format!("{sign}{}.{:04}", share.abs() / 10_000, share.abs() % 10_000)
}

/// The book once the legs are filled at their references, without fees; nothing that they bring has settled.
pub fn filled(drift: &Drift, legs: &[Leg]) -> Drift {
    let mut after = drift.clone();
    for leg in legs {
        let line = after.lines.iter_mut().find(|line| line.instrument_id == leg.instrument_id).unwrap();
        let price = line.price.unwrap();
        let change = leg.signed_quantity();
        let paid = if line.kind == InstrumentType::Future {
            // All its gain is realized: the average becomes the price.
            let gain = price.checked_sub(line.average_price.unwrap()).unwrap();
            let paid = line.quantity.times(gain).unwrap().multiply(line.multiplier).unwrap();
            line.average_price = Some(price);
            line.value = Money::ZERO;
            Amount::from_units(-paid.units())
        } else {
            let accrued = if line.kind == InstrumentType::Bond { line.accrued.unwrap_or_default() } else { Default::default() };
            let each = price.checked_add(accrued).unwrap();
            let held = line.quantity.checked_add(change).unwrap();
            let value = held.times(each).unwrap().multiply(line.multiplier).unwrap().convert(line.fx_rate.unwrap()).unwrap();
            line.value = value.to_money().unwrap();
            change.times(each).unwrap().multiply(line.multiplier).unwrap()
        };
        line.quantity = line.quantity.checked_add(change).unwrap();
        let (currency, rate) = (line.currency, line.fx_rate);
        pay(&mut after, currency, rate, paid);
    }
    after
}

fn pay(drift: &mut Drift, currency: domain::Currency, rate: Option<domain::FxRate>, paid: Amount) {
    if !drift.cash.iter().any(|balance| balance.currency == currency) {
        drift.cash.push(domain::snapshot::CashBalance { currency, trade_date: Money::ZERO, settled: Money::ZERO });
        drift.fx_rates.push(domain::drift::CurrencyRate { currency, fx_rate: rate });
    }
    let balance = drift.cash.iter_mut().find(|balance| balance.currency == currency).unwrap();
    let less = |money: Money| Amount::from(money).checked_sub(paid).unwrap().to_money().unwrap();
    balance.trade_date = less(balance.trade_date);
    // What is bought takes settled cash; what is sold brings some later.
    if paid.is_positive() {
        balance.settled = less(balance.settled);
    }
}
