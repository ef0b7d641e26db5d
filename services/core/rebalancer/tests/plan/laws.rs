//! Laws of every plan, on random books and policies.

use crate::generate::{Rich, World, filled, worlds};
use domain::drift::Drift;
use domain::enums::{CashBasis, Decision, Goal, InstrumentType, MarketState, RebalanceTrigger, Rounding, Side};
use domain::reason::ReasonCode;
use domain::{Amount, Bps, Fraction, InstrumentId, Price, Quantity};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rebalancer::plan::{Leg, Plan, Verdict, edited, later_wave, next_slices, plan, recheck};
use rebalancer::plan_check::{edited_check, later_wave_check, next_slices_check, plan_check, recheck_check};
use std::collections::{BTreeMap, BTreeSet};

fn made(world: &World) -> Plan {
    plan(&world.input())
}

fn units(plan: &Plan, id: &InstrumentId) -> i128 {
    plan.legs.iter().filter(|leg| leg.instrument_id == *id).map(|leg| leg.signed_quantity().units()).sum()
}

fn sizes(legs: &[Leg]) -> Vec<(String, Quantity)> {
    legs.iter().map(|leg| (leg.instrument_id.to_string(), leg.signed_quantity())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500, max_global_rejects: 50_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn the_second_opinion_accepts_every_plan(world in worlds(Rich::Full)) {
        let plan = made(&world);
        prop_assert_eq!(plan_check(&world.input(), &plan), Ok(()));
        prop_assert_eq!(&plan, &made(&world.clone()), "the same input gave another plan");
    }

    #[test]
    fn a_later_wave_is_cut_and_never_grown(world in worlds(Rich::Full), moves in prop::collection::vec(-80..80_i128, 7), manual: bool) {
        let first = made(&world);
        let sold: Vec<_> = first.sells().cloned().collect();
        let buys: Vec<_> = first.buys().cloned().collect();
        let mut newer = world.clone();
        newer.drift = moved(&filled(&world.drift, &sold), &moves);
        if manual {
            newer.trigger = RebalanceTrigger::Manual;
        }
        let second = later_wave(&newer.input(), &buys);
        prop_assert_eq!(later_wave_check(&newer.input(), &buys, &second), Ok(()));
        let standing = recheck(&newer.input(), &first.legs);
        prop_assert_eq!(recheck_check(&newer.input(), &first.legs, &standing), Ok(()));
        let all = later_wave(&world.input(), &first.legs);
        prop_assert_eq!(later_wave_check(&world.input(), &first.legs, &all), Ok(()));
    }

    #[test]
    fn slices_are_cut_and_never_grown_and_add_up_to_what_was_planned(world in worlds(Rich::Full), moves in prop::collection::vec(-30..30_i128, 7)) {
        let mut world = world;
        let first = made(&world);
        let mut rests: Vec<_> = first.legs.iter().filter(|leg| leg.slice.is_some() && leg.side != Side::SellShort).cloned().collect();
        prop_assume!(!rests.is_empty());
        for round in 0..4 {
            let parts: Vec<_> = rests.iter().map(|leg| Leg { quantity: leg.first(), slice: None, ..leg.clone() }).collect();
            let next = if round == 0 { Plan { legs: parts.clone(), ..first.clone() } } else { next_slices(&world.input(), &parts) };
            if round > 0 {
                prop_assert_eq!(next_slices_check(&world.input(), &parts, &next), Ok(()));
            }
            for (rest, part) in rests.iter_mut().zip(&parts) {
                rest.quantity = rest.quantity.checked_sub(part.quantity).unwrap();
                let left = units(&next, &part.instrument_id).abs();
                prop_assert!(left <= part.quantity.units(), "{} beyond its slice", part.instrument_id);
            }
            rests.retain(|rest| rest.quantity.is_positive());
            world.drift = moved(&filled(&world.drift, &next.legs), &moves);
        }
    }

    #[test]
    fn an_edited_plan_is_never_more_than_was_written(world in worlds(Rich::Full), parts in prop::collection::vec(0..250_i128, 14)) {
        let first = made(&world);
        let written = |(leg, part): (&Leg, &i128)| Leg { quantity: Quantity::from_units(leg.quantity.units() * part / 100), ..leg.clone() };
        let legs: Vec<_> = first.legs.iter().zip(&parts).map(written).filter(|leg| leg.quantity.is_positive()).collect();
        let raised: BTreeSet<_> = first.legs.iter().zip(&parts).filter(|(_, part)| **part > 100).map(|(leg, _)| leg.instrument_id.clone()).collect();
        let edited = edited(&world.input(), &legs, &raised);
        prop_assert_eq!(edited_check(&world.input(), &legs, &raised, &edited), Ok(()));
        for id in &raised {
            let wanted = first.explanation.iter().find(|line| line.instrument_id == *id).and_then(|line| line.numbers.iter().find(|n| n.name == "wanted"));
            let wanted: Quantity = wanted.unwrap().value.parse().unwrap();
            prop_assert!(units(&edited, id).abs() <= wanted.units().abs(), "{} beyond {}", id, wanted);
        }
    }

    #[test]
    fn an_unchanged_event_releases_the_same_legs(world in worlds(Rich::Plain)) {
        let first = made(&world);
        if !first.legs.is_empty() {
            let again = later_wave(&world.input(), &first.legs);
            prop_assert_eq!(sizes(&again.legs), sizes(&first.legs));
        }
    }

    #[test]
    fn what_was_ordered_whole_is_not_ordered_again(world in worlds(Rich::Plain)) {
        prop_assume!(world.policy().trigger.goal == Goal::Target);
        let first = made(&world);
        let mut after = world.clone();
        after.drift = filled(&world.drift, &first.legs);
        let second = made(&after);
        prop_assert_eq!(plan_check(&after.input(), &second), Ok(()));
        for line in first.explanation.iter().filter(|line| line.decision == Decision::Order) {
            let again = units(&second, &line.instrument_id);
            let at = after.drift.lines.iter().find(|at| at.instrument_id == line.instrument_id).unwrap();
            // A half lot rounds away from zero on both sides of its goal.
            let lot = if world.policy().orders.rounding == Rounding::Nearest { at.lot_size.units() } else { 0 };
            // The published cash of the filled book is rounded: that moves equity, and with it the finest lots.
            let worth = Quantity::from_units(again.abs()).times(at.price.unwrap()).unwrap().multiply(at.multiplier).unwrap();
            let noise = worth.convert(at.fx_rate.unwrap()).unwrap() <= "0.000001".parse().unwrap();
            prop_assert!(noise || again.abs() <= lot, "{} again by {}", line.instrument_id, Quantity::from_units(again));
        }
    }

    #[test]
    fn nothing_forbidden_leaves_and_no_leg_is_beyond_a_limit(world in worlds(Rich::Full)) {
        let (plan, policy) = (made(&world), world.policy());
        let (orders, limits) = (&policy.orders, &policy.limits);
        let mut released = world.released;
        for leg in &plan.legs {
            let id = &leg.instrument_id;
            let line = world.drift.lines.iter().find(|line| line.instrument_id == *id).unwrap();
            let listed = |list: &[InstrumentId]| list.contains(id);
            prop_assert!(!world.halted.instruments.contains(id), "{id} is halted");
            prop_assert!(matches!(line.market_status, MarketState::Open | MarketState::Unknown), "{id} is closed");
            prop_assert!(!(line.market_status == MarketState::Unknown && orders.require_market_status), "{id} may be closed");
            if leg.side == Side::Buy {
                prop_assert!(!listed(&orders.do_not_buy), "{id} is bought");
            } else {
                prop_assert!(!orders.no_sells && !listed(&orders.do_not_sell), "{id} is sold");
            }
            prop_assert!(leg.side != Side::SellShort || orders.allow_short, "{id} is sold short");
            let leaves = leg.slice.map_or(leg.expected_value, |slice| slice.expected_value);
            prop_assert!(limits.max_order_notional.is_none_or(|most| leaves <= most), "{id} is worth too much");
            prop_assert!(limits.max_order_quantity.is_none_or(|most| leg.first() <= most), "{id} is too large");
            released = released.checked_add(leg.expected_value).unwrap();
        }
        if !plan.legs.is_empty() {
            prop_assert!(limits.max_daily_notional.is_none_or(|most| released <= most), "{released} in a day");
            let sent = world.last_minute + i32::try_from(plan.legs.len()).unwrap();
            prop_assert!(limits.max_orders_per_minute.is_none_or(|most| sent <= most), "{sent} in a minute");
        }
    }

    #[test]
    fn weighing_costs_only_leaves_orders_out_and_fewer_the_more_drift_is_worth(world in worlds(Rich::Plain), spread in 0..300_i128, rate in 0..10_000_i128) {
        // Apart from cash and gross, which lines share, one line's order is no other's business.
        let weighed = |rate: Option<i128>, trigger| {
            let mut world = world.clone();
            let orders = &mut world.drift.policy.as_mut().unwrap().orders;
            (orders.cash_limited, orders.max_gross) = (false, Fraction::from_whole(100).unwrap());
            orders.costs.half_spread_bp = Bps::from_whole(spread);
            orders.costs.impact_bp = Some(Bps::ZERO);
            orders.costs.benefit_bp = rate.and_then(Bps::from_whole);
            world.trigger = trigger;
            let plan = made(&world);
            assert_eq!(plan_check(&world.input(), &plan), Ok(()));
            sizes(&plan.legs)
        };
        let free = weighed(None, RebalanceTrigger::Scheduled);
        let (some, more) = (weighed(Some(rate), RebalanceTrigger::Scheduled), weighed(Some((2 * rate).min(10_000)), RebalanceTrigger::Scheduled));
        prop_assert!(some.iter().all(|leg| more.contains(leg)), "{some:?} {more:?}");
        prop_assert!(more.iter().all(|leg| free.contains(leg)), "{more:?} {free:?}");
        prop_assert_eq!(weighed(Some(0), RebalanceTrigger::Manual), free, "what a person asks for is not weighed");
    }

    #[test]
    fn a_larger_order_costs_no_less(world in worlds(Rich::Full), part in 0..100_i128) {
        let plan = made(&world);
        for leg in &plan.legs {
            let smaller = Leg { quantity: Quantity::from_units(leg.quantity.units() * part / 100), ..leg.clone() };
            prop_assume!(smaller.quantity.is_positive());
            let again = recheck(&world.input(), &[smaller]);
            for less in again.legs.iter().filter(|less| less.side == leg.side) {
                prop_assert!(less.costs.fees <= leg.costs.fees && less.costs.spread <= leg.costs.spread && less.costs.impact <= leg.costs.impact);
            }
        }
    }

    #[test]
    fn cash_is_never_overdrawn(world in worlds(Rich::Plain)) {
        let plan = made(&world);
        let futures = world.drift.lines.iter().any(|line| line.kind == InstrumentType::Future);
        prop_assume!(world.policy().orders.cash_limited && !futures && plan.buys().next().is_some());
        let after = filled(&world.drift, &plan.legs);
        let cash = spendable(&after, world.policy().orders.cash_basis);
        let reserve = Amount::from(after.equity).fraction(world.policy().orders.cash_reserve).unwrap().units();
        let fees = Amount::from(plan.expected_fees.unwrap()).units();
        // A limit order costs its limit at most, and its fee is a part of that.
        let saved: i128 = plan.buys().map(|leg| saved(&world, leg)).sum();
        // Published balances are rounded at ten decimals.
        prop_assert!(cash + saved - reserve - fees >= -10_i128.pow(10), "{cash} {saved} {reserve} {fees}");
    }

    #[test]
    fn the_book_comes_closer_up_to_lots(world in worlds(Rich::Plain)) {
        let plan = made(&world);
        prop_assume!(!world.policy().orders.reserve_scales_targets);
        if let (Some(before), Some(after)) = (plan.drift_before, plan.drift_after) {
            let ordered = world.drift.lines.iter().filter(|line| units(&plan, &line.instrument_id) != 0);
            let lots = ordered.map(|line| {
                let worth = |units: Quantity, price: Price| {
                    let worth = units.times(price).unwrap().multiply(line.multiplier).unwrap();
                    worth.convert(line.fx_rate.unwrap()).unwrap().units()
                };
                // What a future has gained is in no line, and comes to cash where it is closed.
                let paid = line.average_price.filter(|_| line.kind == InstrumentType::Future).map_or(0, |average| {
                    worth(line.quantity, line.price.unwrap().checked_sub(average).unwrap()).abs()
                });
                worth(line.lot_size, line.price.unwrap()) * 2 + paid
            });
            let slack = Amount::from_units(lots.sum()).ratio(Amount::from(world.drift.equity)).unwrap();
            prop_assert!(after.units() <= before.units() + slack.units() + 10, "{before} to {after}, lots {slack}");
        }
    }
}

/// What a buy costs less at its limit than at its reference; negative where it may cost more.
fn saved(world: &World, leg: &Leg) -> i128 {
    let Some(limit) = leg.limit_price else { return 0 };
    let line = world.drift.lines.iter().find(|line| line.instrument_id == leg.instrument_id).unwrap();
    let less = leg.quantity.times(leg.reference_price.checked_sub(limit).unwrap()).unwrap();
    let less = less.multiply(line.multiplier).unwrap().convert(line.fx_rate.unwrap()).unwrap();
    let fee = if less.is_positive() { less.fraction(world.policy().orders.fees.rate).unwrap().units() } else { 0 };
    less.units() + fee
}

fn spendable(drift: &Drift, basis: CashBasis) -> i128 {
    let rate = |currency| drift.fx_rates.iter().find(|known| known.currency == currency).unwrap().fx_rate.unwrap();
    let amounts = drift.cash.iter().map(|balance| {
        let amount = if basis == CashBasis::Settled { balance.settled } else { balance.trade_date };
        Amount::from(amount).convert(rate(balance.currency)).unwrap().units()
    });
    amounts.sum()
}

/// The book after prices moved by so many thousandths.
fn moved(drift: &Drift, moves: &[i128]) -> Drift {
    let mut after = drift.clone();
    let mut equity = Amount::from(after.equity).units();
    for (line, by) in after.lines.iter_mut().zip(moves) {
        let price = line.price.unwrap();
        let next = Price::from_units((price.units() * (1000 + by) / 1000).max(1));
        let change = line.quantity.times(next.checked_sub(price).unwrap()).unwrap();
        let change = change.multiply(line.multiplier).unwrap().convert(line.fx_rate.unwrap()).unwrap();
        line.price = Some(next);
        line.value = Amount::from_units(Amount::from(line.value).units() + change.units()).to_money().unwrap();
        equity += change.units();
    }
    after.equity = Amount::from_units(equity).to_money().unwrap();
    after
}

/// The worlds above are worth their time: most give orders, and the reasons of a plan come up.
#[test]
fn the_generators_reach_the_rules() {
    let mut runner = TestRunner::deterministic();
    let strategy = worlds(Rich::Full);
    let (mut orders, mut sliced, mut reasons) = (0, 0, BTreeMap::<ReasonCode, usize>::new());
    for _ in 0..3000 {
        let world = strategy.new_tree(&mut runner).unwrap().current();
        let plan = made(&world);
        orders += usize::from(plan.verdict == Verdict::Orders);
        sliced += usize::from(plan.legs.iter().any(|leg| leg.slice.is_some()));
        for line in &plan.explanation {
            *reasons.entry(line.reason).or_default() += 1;
        }
    }
    assert!(orders > 1000, "{orders} of 3000 gave orders: {reasons:?}");
    assert!(sliced > 100, "{sliced} of 3000 left in slices");
    use ReasonCode::*;
    for reason in [
        WithinBand,
        BelowMinimumDeviation,
        NotBreached,
        BelowMinNotional,
        RoundedToZero,
        DoNotBuy,
        DoNotSell,
        PriceOutlier,
        MarketClosed,
        Halted,
        CashShortage,
        TurnoverCap,
        VolumeCap,
        PositionLimit,
        SectorLimit,
        OrderLimit,
        GrossLimit,
        KillSwitch,
        Illiquid,
        InsufficientFunds,
        ShortNotAllowed,
        DriftSell,
        DriftBuy,
        Exit,
        CashRaise,
        CashInvest,
        CostAboveBenefit,
        DataGap,
    ] {
        assert!(reasons.contains_key(&reason), "{reason} never came up: {reasons:?}");
    }
}
