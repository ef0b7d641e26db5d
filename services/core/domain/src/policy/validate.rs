//! Which policies cannot be followed, with what is wrong and what to write instead.
//! It looks at one policy alone: versions, instruments and sessions of others are the book's to check.

mod costs;
mod preset;
mod risk_control;

use super::{Band, Book, Limits, Orders, Policy, Slicing, Target, Trigger};
use crate::calendar::{self, Calendar};
use crate::enums::{
    BandKind, CashBasis, CostMethod, DividendSource, Funding, Goal, OrderType, PolicyMode, PortfolioType, RebalanceFrequency, Rounding,
    Scope, Shortage, TimeInForce, Urgency,
};
use crate::reason::DeadLetterCode;
use crate::{Bps, FixedError, Fraction};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// Longest life of an order or a proposal in seconds, 90 days: for so long their topics keep their records.
const MOST_VALID_SECONDS: i64 = 90 * 86_400;
/// Longest pause in seconds, a leap year: what is meant to be longer is switched off.
const MOST_PAUSE_SECONDS: i64 = 366 * 86_400;
/// Most slices of an order, and fewest: one would be the order itself.
const SLICES: RangeInclusive<i32> = 2..=100;
/// Longest time from one slice to the next in seconds: a day.
const MOST_INTERVAL_SECONDS: i64 = 86_400;
/// Oldest price in days on which a policy may let a day's close stand: ten years.
const MOST_CLOSE_AGE_DAYS: i32 = 3_660;
/// Most basis points of a distance from a price: all of it.
const MOST_BASIS_POINTS: Bps = Bps::from_units(10_000 * Bps::ONE.units());

/// What is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyProblem {
    /// INVALID_ALLOCATION for targets, bands and limits that contradict each other, UNKNOWN_ENUM for a
    /// symbol that this build does not know, INVALID_POLICY for the rest.
    pub code: DeadLetterCode,
    /// The field, what it holds, and what it may hold.
    pub text: String,
}

/// Every problem of a policy, in the order of its fields; empty when it can be followed.
pub fn validate(policy: &Policy) -> Vec<PolicyProblem> {
    let mut problems = Problems(Vec::new());
    let policy = &policy.clone().resolved();
    identity(policy, &mut problems);
    preset::check(policy, &mut problems);
    rules("", &policy.targets, &policy.band, &policy.trigger, &policy.orders, &policy.limits, &mut problems);
    book("", &policy.book, &mut problems);
    risk_control::check("", &policy.orders.risk, policy.target_risk, &mut problems);
    automatic("", policy.trigger.mode, &policy.limits, &mut problems);
    if let Some(shadow) = &policy.shadow {
        // It orders nothing, and is to be what the policy may become: it is held to all that a policy is.
        rules("shadow.", &shadow.targets, &shadow.band, &shadow.trigger, &shadow.orders, &shadow.limits, &mut problems);
        book("shadow.", &shadow.book, &mut problems);
        risk_control::check("shadow.", &shadow.orders.risk, policy.target_risk, &mut problems);
        automatic("shadow.", shadow.trigger.mode, &shadow.limits, &mut problems);
    }
    problems.0
}

struct Problems(Vec<PolicyProblem>);

impl Problems {
    fn say(&mut self, code: DeadLetterCode, text: String) {
        self.0.push(PolicyProblem { code, text });
    }
    fn allocation(&mut self, wrong: bool, text: impl FnOnce() -> String) {
        if wrong {
            self.say(DeadLetterCode::InvalidAllocation, text());
        }
    }
    fn policy(&mut self, wrong: bool, text: impl FnOnce() -> String) {
        if wrong {
            self.say(DeadLetterCode::InvalidPolicy, text());
        }
    }
    fn symbol(&mut self, unknown: bool, text: impl FnOnce() -> String) {
        if unknown {
            self.say(DeadLetterCode::UnknownEnum, text());
        }
    }
}

fn identity(policy: &Policy, problems: &mut Problems) {
    problems.policy(policy.policy_version < 1, || format!("policy_version is {}, it starts at 1", policy.policy_version));
    problems.symbol(policy.kind == PortfolioType::Unknown, || PortfolioType::unknown("type"));
    problems.policy(!is_time_of_day(&policy.day_cut), || format!("day_cut is {:?}, it is a local time such as 16:00", policy.day_cut));
    problems.policy(!crate::day::is_time_zone(&policy.time_zone), || {
        format!("time_zone {:?} is no IANA time zone such as America/New_York", policy.time_zone)
    });
    let calendar = policy.calendar.as_deref().filter(|name| Calendar::named(name).is_none());
    problems.policy(calendar.is_some(), || unknown_calendar(calendar.unwrap_or_default()));
    problems.policy(policy.target_risk.is_some_and(|risk| !risk.is_positive()), || "target_risk must be above 0".to_owned());
}

fn unknown_calendar(name: &str) -> String {
    format!("calendar {name:?} {}; leave it out for Monday to Friday without holidays", calendar::unknown())
}

fn book(at: &str, book: &Book, problems: &mut Problems) {
    problems.symbol(book.cost_method == CostMethod::Unknown, || CostMethod::unknown(&format!("{at}book.cost_method")));
    problems.symbol(book.dividends == DividendSource::Unknown, || DividendSource::unknown(&format!("{at}book.dividends")));
    problems.policy(book.reconcile_tolerance.is_negative(), || {
        format!("{at}book.reconcile_tolerance is an amount in the base currency, zero or more: zero bears no difference")
    });
    for (bound, name) in [(book.max_daily_return, "max_daily_return"), (book.max_weight_jump, "max_weight_jump")] {
        let wrong = bound.filter(|bound| !bound.is_positive() || *bound >= Fraction::ONE);
        problems.policy(wrong.is_some(), || {
            let bound = wrong.unwrap_or_default();
            format!("{at}book.{name} is {bound}, it is a fraction above 0 and below 1 (0.1 for ten per cent); leave it out for none")
        });
    }
    problems.policy(book.max_close_age_days.is_some_and(|days| !(1..=MOST_CLOSE_AGE_DAYS).contains(&days)), || {
        format!("{at}book.max_close_age_days is a number of days from 1 to {MOST_CLOSE_AGE_DAYS}; leave it out for none")
    });
    problems.policy(book.max_price_age_seconds < 1, || format!("{at}book.max_price_age_seconds must be at least 1"));
}

fn rules(at: &str, targets: &[Target], band: &Band, trigger: &Trigger, orders: &Orders, limits: &Limits, problems: &mut Problems) {
    lines(at, targets, orders, problems);
    band_problems(at, band, problems);
    trigger_problems(at, trigger, problems);
    order_problems(at, orders, problems);
    limit_problems(at, limits, problems);
}

fn lines(at: &str, targets: &[Target], orders: &Orders, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for (index, line) in targets.iter().enumerate() {
        let name = line.instrument_id.as_ref().map(|id| id.as_str()).or(line.group.as_deref()).unwrap_or("?");
        let here = format!("{at}targets[{index}] ({name})");
        problems.policy(line.instrument_id.is_some() == line.group.is_some(), || {
            format!("{here} must give exactly one of instrument_id and group")
        });
        problems.allocation(!seen.insert((line.group.is_some(), name.to_owned())), || format!("{here} stands twice"));
        problems.allocation(!orders.allow_short && line.target_weight.is_negative(), || {
            format!("{here} has target {} below 0 without orders.allow_short", line.target_weight)
        });
        one_line_bounds(&here, line, problems);
    }
    gross(at, targets, orders, problems);
}

fn one_line_bounds(here: &str, line: &Target, problems: &mut Problems) {
    let outside = line.target_weight.abs() > times(100);
    problems.allocation(outside, || format!("{here} has target {}; weights are fractions of one", line.target_weight));
    for (bound, name) in [(line.min_weight, "min_weight"), (line.max_weight, "max_weight")] {
        let beyond = bound.filter(|bound| bound.abs() > times(100));
        problems.allocation(beyond.is_some(), || {
            format!("{here} has {name} {}; weights are fractions of one, at most 100 in magnitude", beyond.unwrap_or_default())
        });
    }
    if let Some(min) = line.min_weight {
        problems.allocation(min > line.target_weight, || format!("{here} has min_weight {min} above its target {}", line.target_weight));
    }
    if let Some(max) = line.max_weight {
        problems.allocation(max < line.target_weight, || format!("{here} has max_weight {max} below its target {}", line.target_weight));
    }
}

fn gross(at: &str, targets: &[Target], orders: &Orders, problems: &mut Problems) {
    let over = |group: bool| {
        targets
            .iter()
            .filter(|line| line.group.is_some() == group)
            .try_fold(Fraction::ZERO, |sum, line| sum.checked_add(line.target_weight.abs()))
    };
    for (group, what) in [(false, "instruments"), (true, "groups")] {
        let sum: Result<Fraction, FixedError> = over(group);
        problems.allocation(sum.as_ref().map_or(true, |sum| *sum > orders.max_gross), || {
            let shown = sum.map_or("beyond all range".to_owned(), |sum| sum.to_string());
            let max = orders.max_gross;
            format!("{at}targets of {what} add up to {shown} in magnitude, above orders.max_gross {max}: weights are fractions of one, 60 per cent is 0.6")
        });
    }
}

fn band_problems(at: &str, band: &Band, problems: &mut Problems) {
    problems.symbol(band.kind == BandKind::Unknown, || BandKind::unknown(&format!("{at}band.kind")));
    problems.allocation(!band.absolute.is_positive() || band.absolute >= Fraction::ONE, || {
        format!("{at}band.absolute is {}; it is a fraction of equity above 0 and below 1: 5 per cent is 0.05", band.absolute)
    });
    problems.allocation(!band.relative.is_positive() || band.relative > times(100), || {
        format!("{at}band.relative is {}; it is a fraction of the target above 0 and at most 100: a quarter is 0.25", band.relative)
    });
    problems.allocation(!band.clear_ratio.is_positive() || band.clear_ratio > Fraction::ONE, || {
        format!("{at}band.clear_ratio is {}, it lies above 0 and at most at 1", band.clear_ratio)
    });
}

fn trigger_problems(at: &str, trigger: &Trigger, problems: &mut Problems) {
    problems.symbol(trigger.scope == Scope::Unknown, || Scope::unknown(&format!("{at}trigger.scope")));
    problems.symbol(trigger.goal == Goal::Unknown, || Goal::unknown(&format!("{at}trigger.goal")));
    problems.symbol(trigger.mode == PolicyMode::Unknown, || PolicyMode::unknown(&format!("{at}trigger.mode")));
    problems.symbol(trigger.rebalance_frequency == RebalanceFrequency::Unknown, || {
        RebalanceFrequency::unknown(&format!("{at}trigger.rebalance_frequency"))
    });
    problems.policy(trigger.minimum_deviation.is_negative(), || format!("{at}trigger.minimum_deviation is below 0"));
    problems.allocation(trigger.cash_band.is_some_and(|band| !band.is_positive() || band >= Fraction::ONE), || {
        format!("{at}trigger.cash_band is a fraction of equity above 0 and below 1")
    });
    seconds(at, "trigger.cooldown_seconds", trigger.cooldown_seconds, 0..=MOST_PAUSE_SECONDS, problems);
    seconds(at, "trigger.rearm_seconds", trigger.rearm_seconds, 1..=MOST_PAUSE_SECONDS, problems);
    problems.policy(!(1..=2).contains(&trigger.approval.approvers), || format!("{at}trigger.approval.approvers is 1 or 2"));
    seconds(at, "trigger.approval.expiry_seconds", trigger.approval.expiry_seconds, 1..=MOST_VALID_SECONDS, problems);
    let tolerance = trigger.approval.price_tolerance_bp;
    problems.policy(tolerance.is_negative() || tolerance > MOST_BASIS_POINTS, || {
        format!("{at}trigger.approval.price_tolerance_bp is {tolerance}, it lies between 0 and {MOST_BASIS_POINTS}")
    });
    problems.policy(trigger.schedule_time.as_deref().is_some_and(|time| !is_time_of_day(time)), || {
        format!("{at}trigger.schedule_time is a local time such as 15:30")
    });
    let timeless = trigger.rebalance_frequency != RebalanceFrequency::None && trigger.schedule_time.is_none();
    problems.policy(timeless, || {
        format!(
            "{at}trigger.rebalance_frequency {} needs {at}trigger.schedule_time, a local time such as 15:30",
            trigger.rebalance_frequency
        )
    });
}

fn order_problems(at: &str, orders: &Orders, problems: &mut Problems) {
    problems.symbol(orders.rounding == Rounding::Unknown, || Rounding::unknown(&format!("{at}orders.rounding")));
    problems.symbol(orders.shortage == Shortage::Unknown, || Shortage::unknown(&format!("{at}orders.shortage")));
    problems.symbol(orders.funding == Funding::Unknown, || Funding::unknown(&format!("{at}orders.funding")));
    problems.symbol(orders.cash_basis == CashBasis::Unknown, || CashBasis::unknown(&format!("{at}orders.cash_basis")));
    problems.symbol(orders.order_type == OrderType::Unknown, || OrderType::unknown(&format!("{at}orders.order_type")));
    problems.symbol(orders.time_in_force == TimeInForce::Unknown, || TimeInForce::unknown(&format!("{at}orders.time_in_force")));
    problems.policy(orders.min_notional.is_negative(), || format!("{at}orders.min_notional is below 0"));
    problems.allocation(orders.cash_reserve.is_negative() || orders.cash_reserve > Fraction::ONE, || {
        format!("{at}orders.cash_reserve is {}, it lies between 0 and 1", orders.cash_reserve)
    });
    problems.policy(orders.turnover_cap.is_some_and(|cap| cap.is_negative()), || format!("{at}orders.turnover_cap is below 0"));
    problems.policy(orders.volume_cap.is_some_and(|cap| cap.is_negative()), || format!("{at}orders.volume_cap is below 0"));
    problems.allocation(!orders.max_gross.is_positive(), || format!("{at}orders.max_gross must be above 0"));
    problems.policy(orders.fees.rate.is_negative() || orders.fees.rate >= Fraction::ONE, || {
        format!("{at}orders.fees.rate is {}; it is a fraction of the notional from 0 and below 1", orders.fees.rate)
    });
    problems.policy(orders.fees.fixed.is_negative(), || format!("{at}orders.fees.fixed is below 0"));
    costs::check(at, &orders.costs, problems);
    problems.symbol(orders.urgency == Urgency::Unknown, || Urgency::unknown(&format!("{at}orders.urgency")));
    seconds(at, "orders.valid_seconds", orders.valid_seconds, 1..=MOST_VALID_SECONDS, problems);
    let offset = orders.limit_offset_bp;
    problems.policy(offset.units().checked_abs().is_none_or(|units| units > MOST_BASIS_POINTS.units()), || {
        format!("{at}orders.limit_offset_bp is {offset}, it lies between -{MOST_BASIS_POINTS} and {MOST_BASIS_POINTS}")
    });
    if let Some(slicing) = &orders.slicing {
        slicing_problems(at, slicing, problems);
    }
}

fn slicing_problems(at: &str, slicing: &Slicing, problems: &mut Problems) {
    let Slicing { above_volume, waves, participation, interval_seconds } = slicing;
    problems.policy(above_volume.is_negative() || *above_volume > times(100), || {
        format!(
            "{at}orders.slicing.above_volume is {above_volume}; it is a share of the average daily volume from 0 to 100: 5 per cent is 0.05"
        )
    });
    problems.policy(waves.is_some() == participation.is_some(), || {
        format!("{at}orders.slicing must give exactly one of waves and participation")
    });
    problems.policy(waves.is_some_and(|waves| !SLICES.contains(&waves)), || {
        format!("{at}orders.slicing.waves is {}, it lies between {} and {}", waves.unwrap_or_default(), SLICES.start(), SLICES.end())
    });
    problems.policy(participation.is_some_and(|share| !share.is_positive() || share > Fraction::ONE), || {
        format!(
            "{at}orders.slicing.participation is {}; it is a share of the average daily volume above 0 and at most 1: 2 per cent is 0.02",
            participation.unwrap_or_default()
        )
    });
    seconds(at, "orders.slicing.interval_seconds", *interval_seconds, 1..=MOST_INTERVAL_SECONDS, problems);
}

fn seconds(at: &str, field: &str, value: i64, range: RangeInclusive<i64>, problems: &mut Problems) {
    problems.policy(!range.contains(&value), || {
        format!("{at}{field} is {value}, it lies between {} and {} seconds", range.start(), range.end())
    });
}

fn limit_problems(at: &str, limits: &Limits, problems: &mut Problems) {
    let negative = [
        (limits.max_order_notional.is_some_and(|l| l.is_negative()), "max_order_notional"),
        (limits.max_order_quantity.is_some_and(|l| l.is_negative()), "max_order_quantity"),
        (limits.max_daily_notional.is_some_and(|l| l.is_negative()), "max_daily_notional"),
        (limits.max_position_weight.is_some_and(|l| l.is_negative()), "max_position_weight"),
        (limits.max_sector_weight.is_some_and(|l| l.is_negative()), "max_sector_weight"),
        (limits.max_orders_per_minute.is_some_and(|l| l < 0), "max_orders_per_minute"),
        (limits.price_collar_bp.is_some_and(|l| l.is_negative()), "price_collar_bp"),
    ];
    for (wrong, field) in negative {
        problems.policy(wrong, || format!("{at}limits.{field} is below 0"));
    }
    for (limit, field) in [(limits.max_position_weight, "max_position_weight"), (limits.max_sector_weight, "max_sector_weight")] {
        let beyond = limit.filter(|limit| *limit > times(10));
        problems.policy(beyond.is_some(), || {
            format!("{at}limits.{field} is {}; it is a fraction of equity, 10 at most: 40 per cent is 0.4", beyond.unwrap_or_default())
        });
    }
}

fn automatic(at: &str, mode: PolicyMode, limits: &Limits, problems: &mut Problems) {
    if mode != PolicyMode::Automatic {
        return;
    }
    let missing = [
        (limits.max_order_notional.is_none(), "max_order_notional"),
        (limits.max_daily_notional.is_none(), "max_daily_notional"),
        (limits.price_collar_bp.is_none(), "price_collar_bp"),
    ];
    for (absent, field) in missing {
        problems.policy(absent, || format!("{at}trigger.mode AUTOMATIC needs {at}limits.{field}: set it, or use APPROVAL"));
    }
}

fn is_time_of_day(text: &str) -> bool {
    let number = |part: &str, below: u8| part.len() == 2 && part.parse::<u8>().is_ok_and(|n| n < below);
    text.split_once(':').is_some_and(|(hour, minute)| number(hour, 24) && number(minute, 60))
}

fn times(many: i128) -> Fraction {
    Fraction::from_units(many * Fraction::ONE.units())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(json: &str) -> Policy {
        serde_json::from_str(json).unwrap()
    }
    pub(super) fn codes(json: &str) -> Vec<(DeadLetterCode, String)> {
        validate(&policy(json)).into_iter().map(|p| (p.code, p.text)).collect()
    }
    pub(super) const HEAD: &str = r#""portfolio_id":"p","policy_version":1,"base_currency":"USD""#;

    #[test]
    fn the_defaults_can_be_followed() {
        assert_eq!(codes(&format!("{{{HEAD}}}")), vec![]);
        let p = policy(&format!("{{{HEAD}}}"));
        assert_eq!((p.band.absolute.to_string(), p.band.clear_ratio.to_string()), ("0.05".into(), "0.8".into()));
        assert_eq!(p.trigger.minimum_deviation.to_string(), "1");
    }

    #[test]
    fn contradictions_are_named() {
        let cases = [
            (r#""targets":[{"instrument_id":"A","target_weight":"0.6"},{"instrument_id":"B","target_weight":"0.6"}]"#, "add up to 1.2"),
            (r#""targets":[{"instrument_id":"A","target_weight":"0.5","min_weight":"0.6"}]"#, "min_weight 0.6 above"),
            (r#""targets":[{"instrument_id":"A","target_weight":"0.5","max_weight":"0.4"}]"#, "max_weight 0.4 below"),
            (r#""targets":[{"instrument_id":"A","target_weight":"-0.1"}]"#, "without orders.allow_short"),
            (r#""targets":[{"instrument_id":"A","target_weight":"0.1"},{"instrument_id":"A","target_weight":"0.1"}]"#, "stands twice"),
            (r#""band":{"absolute":5}"#, "5 per cent is 0.05"),
            (r#""band":{"kind":"RELATIVE","relative":"1000000000000000"}"#, "a quarter is 0.25"),
            (r#""band":{"clear_ratio":"1000000000000000"}"#, "at most at 1"),
            (r#""targets":[{"instrument_id":"A","target_weight":"0.5","min_weight":"-9999999999999999"}]"#, "min_weight -9999999999999999"),
            (r#""targets":[{"instrument_id":"A","target_weight":"0.5","max_weight":"100.000000000001"}]"#, "at most 100 in magnitude"),
        ];
        for (fields, words) in cases {
            let found = codes(&format!("{{{HEAD},{fields}}}"));
            assert!(
                found.iter().any(|(code, text)| *code == DeadLetterCode::InvalidAllocation && text.contains(words)),
                "{fields}: {found:?}"
            );
        }
    }

    #[test]
    fn times_and_distances_have_their_bounds() {
        let cases = [
            ("orders", "valid_seconds", "1", "7776000", "0", "7776001"),
            ("trigger", "cooldown_seconds", "0", "31622400", "-1", "31622401"),
            ("trigger", "rearm_seconds", "1", "31622400", "0", "9223372036854775807"),
            ("orders", "limit_offset_bp", "\"-10000\"", "\"10000\"", "\"-10000.0001\"", "\"10000.0001\""),
            ("limits", "max_position_weight", "0", "10", "\"-0.01\"", "40"),
            ("limits", "max_sector_weight", "0", "10", "\"-0.01\"", "\"10.000000000001\""),
        ];
        for (group, field, least, most, below, above) in cases {
            let found = |value: &str| codes(&format!(r#"{{{HEAD},"{group}":{{"{field}":{value}}}}}"#));
            for inside in [least, most] {
                assert_eq!(found(inside), vec![], "{field} {inside}");
            }
            for outside in [below, above] {
                let found = found(outside);
                assert!(
                    matches!(&found[..], [(DeadLetterCode::InvalidPolicy, text)] if text.contains(field)),
                    "{field} {outside}: {found:?}"
                );
            }
        }
        for (field, value) in [("expiry_seconds", "7776001"), ("price_tolerance_bp", "\"10000.0001\"")] {
            let found = codes(&format!(r#"{{{HEAD},"trigger":{{"approval":{{"{field}":{value}}}}}}}"#));
            assert!(matches!(&found[..], [(DeadLetterCode::InvalidPolicy, text)] if text.contains(field)), "{field}: {found:?}");
        }
    }

    #[test]
    fn a_calendar_is_one_that_is_known() {
        for known in ["XNYS", "XNAS", "XTKS", "24/7", "24/5"] {
            assert_eq!(codes(&format!(r#"{{{HEAD},"calendar":"{known}"}}"#)), vec![], "{known}");
        }
        for unknown in ["NYSE", "xnys", "", "XXXX"] {
            let found = codes(&format!(r#"{{{HEAD},"calendar":"{unknown}"}}"#));
            let [(DeadLetterCode::InvalidPolicy, text)] = &found[..] else { panic!("{unknown}: {found:?}") };
            assert!(text.starts_with(&format!("calendar {unknown:?} is none of 24/5, 24/7, ")) && text.contains("XNYS"), "{text}");
        }
    }

    #[test]
    fn bounds_of_figures_are_fractions() {
        for name in ["max_daily_return", "max_weight_jump"] {
            let of = |bound: &str| codes(&format!(r#"{{{HEAD},"book":{{"{name}":{bound}}}}}"#));
            assert_eq!((of("\"0.1\""), of("null")), (vec![], vec![]));
            for wrong in ["\"0\"", "\"-0.1\"", "\"1\"", "\"10\""] {
                let found = of(wrong);
                assert!(matches!(&found[..], [(DeadLetterCode::InvalidPolicy, text)] if text.contains(name)), "{wrong}: {found:?}");
            }
        }
    }

    #[test]
    fn slices_have_one_size_and_bounds() {
        let found = |fields: &str| codes(&format!(r#"{{{HEAD},"orders":{{"slicing":{{{fields}}}}}}}"#));
        for inside in [
            r#""above_volume":"0","waves":2,"interval_seconds":1"#,
            r#""above_volume":"100","waves":100,"interval_seconds":86400"#,
            r#""above_volume":"0.05","participation":"0.000000000001","interval_seconds":60"#,
            r#""above_volume":"0.05","participation":"1","interval_seconds":60"#,
        ] {
            assert_eq!(found(inside), vec![], "{inside}");
        }
        for (outside, words) in [
            (r#""above_volume":"-0.000000000001","waves":2,"interval_seconds":1"#, "above_volume is -0.000000000001"),
            (r#""above_volume":"100.000000000001","waves":2,"interval_seconds":1"#, "5 per cent is 0.05"),
            (r#""above_volume":"0.1","interval_seconds":1"#, "exactly one of waves and participation"),
            (r#""above_volume":"0.1","waves":2,"participation":"0.1","interval_seconds":1"#, "exactly one of waves and participation"),
            (r#""above_volume":"0.1","waves":1,"interval_seconds":1"#, "waves is 1, it lies between 2 and 100"),
            (r#""above_volume":"0.1","waves":101,"interval_seconds":1"#, "waves is 101"),
            (r#""above_volume":"0.1","participation":"0","interval_seconds":1"#, "participation is 0;"),
            (r#""above_volume":"0.1","participation":"1.000000000001","interval_seconds":1"#, "at most 1"),
            (r#""above_volume":"0.1","waves":2,"interval_seconds":0"#, "orders.slicing.interval_seconds is 0"),
            (r#""above_volume":"0.1","waves":2,"interval_seconds":86401"#, "between 1 and 86400 seconds"),
        ] {
            let found = found(outside);
            assert!(matches!(&found[..], [(DeadLetterCode::InvalidPolicy, text)] if text.contains(words)), "{outside}: {found:?}");
        }
    }

    #[test]
    fn automatic_needs_its_limits() {
        let found = codes(&format!(r#"{{{HEAD},"trigger":{{"mode":"AUTOMATIC"}}}}"#));
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|(code, _)| *code == DeadLetterCode::InvalidPolicy));
    }

    #[test]
    fn a_shadow_is_held_to_what_a_policy_is() {
        for (fields, code, words) in [
            (r#""trigger":{"mode":"AUTOMATIC"}"#, DeadLetterCode::InvalidPolicy, "shadow.trigger.mode AUTOMATIC needs shadow.limits."),
            (
                r#""targets":[{"instrument_id":"A","target_weight":"1.2"}]"#,
                DeadLetterCode::InvalidAllocation,
                "shadow.targets of instruments",
            ),
            (r#""targets":[{"instrument_id":"A","target_weight":"-0.1"}]"#, DeadLetterCode::InvalidAllocation, "shadow.targets[0] (A)"),
            (r#""band":{"absolute":5}"#, DeadLetterCode::InvalidAllocation, "shadow.band.absolute"),
            (r#""book":{"max_price_age_seconds":0}"#, DeadLetterCode::InvalidPolicy, "shadow.book.max_price_age_seconds"),
            (r#""book":{"max_close_age_days":0}"#, DeadLetterCode::InvalidPolicy, "shadow.book.max_close_age_days"),
            (r#""book":{"cost_method":"UNKNOWN"}"#, DeadLetterCode::UnknownEnum, "shadow.book.cost_method"),
            (r#""limits":{"max_daily_notional":"-1"}"#, DeadLetterCode::InvalidPolicy, "shadow.limits.max_daily_notional"),
        ] {
            let found = codes(&format!(r#"{{{HEAD},"shadow":{{{fields}}}}}"#));
            assert!(found.iter().all(|(found, text)| *found == code && text.contains(words)) && !found.is_empty(), "{fields}: {found:?}");
        }
        assert_eq!(codes(&format!(r#"{{{HEAD},"shadow":{{}}}}"#)), vec![]);
    }
}
