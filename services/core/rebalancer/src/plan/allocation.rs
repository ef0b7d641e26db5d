//! Step 2: targets and bounds of every line, also of those that groups give. It refuses targets that
//! contradict each other; it does not look at weights beyond sharing a group's target by value.

use super::book::{Book, Holding};
use super::exact::{Int, WEIGHT, ceiling, floor, int, ten, weight, wide};
use super::input::Rules;
use super::refusal::Refusal;
use bnum::cast::As;
use domain::enums::{BandKind, InstrumentType};
use domain::policy::{Band, Target};
use domain::{Fraction, InstrumentId, SmolStr};
use std::collections::{BTreeMap, BTreeSet};

/// Bounds beyond this weight, at scale WEIGHT, are refused: see [`super::exact`].
const LIMIT: Int = ten(30);

/// Target and bounds at scale WEIGHT.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Target.
    pub(crate) target: Int,
    /// Lower bound.
    pub(crate) lower: Int,
    /// Upper bound.
    pub(crate) upper: Int,
}

/// What one line is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aim {
    /// Target as it is published.
    pub(crate) target: Fraction,
    /// Its own bounds, or its share of its group's.
    pub(crate) bounds: Bounds,
    /// The share, where the bounds are one of a group's: then only the group breaches.
    pub(crate) share: Option<Share>,
}

/// part ÷ whole of a group's bounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    /// Value of the member, with the sign of its group's taken off, at scale VALUE.
    pub(crate) part: Int,
    /// |value| of the group; above zero.
    pub(crate) whole: Int,
    /// The group's bounds.
    pub(crate) bounds: Bounds,
}

impl Share {
    /// weight × part ÷ whole × equity, the quotient cut toward zero.
    pub(crate) fn of(&self, weight: Int, equity: Int) -> Int {
        (wide(weight) * wide(self.part) * wide(equity) / wide(self.whole)).as_::<Int>()
    }
}

/// A group line and the holdings that it bounds.
#[derive(Debug)]
pub(crate) struct Group {
    /// Sector or type.
    pub(crate) name: SmolStr,
    /// Bounds of the sum.
    pub(crate) bounds: Bounds,
    /// Positions in the book.
    pub(crate) members: Vec<usize>,
    /// Whether it has a target to share and no member with a value.
    pub(crate) hollow: bool,
}

/// The policy laid over the book.
#[derive(Debug)]
pub(crate) struct Allocation {
    /// One for each holding of the book.
    pub(crate) aims: Vec<Aim>,
    /// Group lines.
    pub(crate) groups: Vec<Group>,
    /// 1 − Σ targets.
    pub(crate) cash_target: Fraction,
}

/// How the targets of a group's members must add up to its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sums {
    /// Exactly.
    Equal,
    /// But for what scaling has cut off each of them.
    Cut,
}

/// The allocation, or the contradiction in it. Targets that the event scales are checked as the policy has them.
pub(crate) fn allocate(rules: &Rules, book: &Book, scale: Option<Fraction>) -> Result<Allocation, Refusal> {
    let stated = laid(rules, book, Sums::Equal)?;
    let Some(scale) = scale.filter(|scale| *scale != Fraction::ONE) else { return Ok(stated) };
    if !scale.is_positive() || scale > Fraction::ONE {
        let text = format!("the drift event scales targets by {scale}, which is not above 0 and at most 1: report it");
        return Err(Refusal::new(domain::reason::ReasonCode::DataGap, text));
    }
    let targets: Vec<Target> = rules.targets.iter().map(|target| target.scaled(scale)).collect();
    laid(&Rules { targets: &targets, ..*rules }, book, Sums::Cut)
}

fn laid(rules: &Rules, book: &Book, sums_to: Sums) -> Result<Allocation, Refusal> {
    let own = own_targets(rules, book)?;
    let mut aims = Vec::with_capacity(book.holdings.len());
    for holding in &book.holdings {
        aims.push(own_aim(rules.band, own.get(&holding.at.instrument_id).copied())?);
    }
    let (groups, mut targets) = groups(rules, book, &own, &mut aims, sums_to)?;
    targets.extend(own.values().map(|line| line.target_weight));
    let (gross, net) = sums(&targets)?;
    if gross > rules.orders.max_gross {
        let text = format!("targets add up to {gross} in magnitude, above orders.max_gross {}: lower them", rules.orders.max_gross);
        return Err(Refusal::allocation(text));
    }
    Ok(Allocation { aims, groups, cash_target: Fraction::ONE.checked_sub(net)? })
}

fn sums(targets: &[Fraction]) -> Result<(Fraction, Fraction), Refusal> {
    let (mut gross, mut net) = (Fraction::ZERO, Fraction::ZERO);
    for target in targets {
        gross = gross.checked_add(target.abs())?;
        net = net.checked_add(*target)?;
    }
    Ok((gross, net))
}

/// The instrument lines of the policy by instrument, each checked against the book.
fn own_targets<'a>(rules: &Rules<'a>, book: &Book) -> Result<BTreeMap<&'a InstrumentId, &'a Target>, Refusal> {
    let mut own = BTreeMap::new();
    for line in rules.targets {
        if line.target_weight.is_negative() && !rules.orders.allow_short {
            return Err(Refusal::allocation(format!("a target is {} without orders.allow_short", line.target_weight)));
        }
        if line.instrument_id.is_some() == line.group.is_some() {
            return Err(Refusal::allocation("a target names neither or both of an instrument and a group"));
        }
        let Some(id) = &line.instrument_id else { continue };
        if own.insert(id, line).is_some() {
            return Err(Refusal::allocation(format!("{id} has two targets")));
        }
    }
    let held: BTreeMap<_, _> = book.holdings.iter().map(|h| (&h.at.instrument_id, h)).collect();
    if held.len() != book.holdings.len() {
        return Err(Refusal::new(domain::reason::ReasonCode::DataGap, "the drift event has two lines for an instrument: report it"));
    }
    for (id, line) in &own {
        match held.get(*id) {
            None => {
                let text = format!("{id} has a target and no line in the drift event: publish its instrument and a price");
                return Err(Refusal::new(domain::reason::ReasonCode::DataGap, text));
            }
            Some(h) if h.at.kind == InstrumentType::Fx && !line.target_weight.is_zero() => {
                return Err(Refusal::allocation(format!("{id} is a currency pair, which is never held: it can have no target")));
            }
            Some(_) => {}
        }
    }
    Ok(own)
}

fn own_aim(band: &Band, line: Option<&Target>) -> Result<Aim, Refusal> {
    let target = line.map_or(Fraction::ZERO, |line| line.target_weight);
    Ok(Aim { target, bounds: bounds(band, target, line)?, share: None })
}

/// Bounds of a line: the band around its target, replaced on the sides where the line has its own.
fn bounds(band: &Band, target: Fraction, line: Option<&Target>) -> Result<Bounds, Refusal> {
    let half = half_width(band, target)?;
    let target = weight(target);
    let lower = line.and_then(|line| line.min_weight).map_or(target - half, weight);
    let upper = line.and_then(|line| line.max_weight).map_or(target + half, weight);
    if lower > target || upper < target {
        return Err(Refusal::allocation("a min_weight stands above its target, or a max_weight below: correct it"));
    }
    if half >= LIMIT || target.abs() >= LIMIT || lower.abs() >= LIMIT || upper.abs() >= LIMIT {
        return Err(Refusal::allocation("a weight is beyond every plausible bound: weights are fractions of one"));
    }
    Ok(Bounds { target, lower, upper })
}

/// The band at scale WEIGHT; relative × target is exact there.
fn half_width(band: &Band, target: Fraction) -> Result<Int, Refusal> {
    const STEP: Int = ten(WEIGHT - 2 * Fraction::SCALE);
    let absolute = weight(band.absolute);
    let relative = int(band.relative.units()) * int(target.units()).abs() * STEP;
    match band.kind {
        BandKind::Absolute => Ok(absolute),
        BandKind::Relative => Ok(relative),
        BandKind::SmallerOf => Ok(absolute.min(relative)),
        BandKind::LargerOf => Ok(absolute.max(relative)),
        BandKind::Unknown => Err(Refusal::allocation("band.kind is a symbol that this build does not know")),
    }
}

/// The group lines, and the targets of those whose members have none of their own.
fn groups(
    rules: &Rules,
    book: &Book,
    own: &BTreeMap<&InstrumentId, &Target>,
    aims: &mut [Aim],
    sums_to: Sums,
) -> Result<(Vec<Group>, Vec<Fraction>), Refusal> {
    let (mut groups, mut targets, mut shared) = (Vec::new(), Vec::new(), BTreeSet::new());
    for line in rules.targets {
        let Some(name) = &line.group else { continue };
        let bounds = bounds(rules.band, line.target_weight, Some(line))?;
        let mut group = Group { name: name.clone(), bounds, members: members(book, name), hollow: false };
        let own_sum = own_sum(&group, book, own)?;
        match own_sum {
            Some(sum) if sums_to == Sums::Equal && sum != line.target_weight => {
                let text = format!("the targets of group {name}'s members add up to {sum}, its own is {}", line.target_weight);
                return Err(Refusal::allocation(text));
            }
            Some(_) => {}
            None => {
                share(&group, book, name, aims)?;
                group.hollow = group.members.iter().all(|index| book.holdings[*index].value.is_zero());
                if let Some(twice) = group.members.iter().find(|index| !shared.insert(**index)) {
                    let id = &book.holdings[*twice].at.instrument_id;
                    return Err(Refusal::allocation(format!("{id} would share the targets of two groups: give it one of its own")));
                }
                targets.push(line.target_weight);
            }
        }
        groups.push(group);
    }
    Ok((groups, targets))
}

fn members(book: &Book, name: &SmolStr) -> Vec<usize> {
    let belongs = |h: &Holding| h.at.sector.as_ref() == Some(name) || h.at.kind.symbol() == name.as_str();
    (0..book.holdings.len()).filter(|index| belongs(&book.holdings[*index])).collect()
}

/// Σ of the members' own targets; `None` when no member has one.
fn own_sum(group: &Group, book: &Book, own: &BTreeMap<&InstrumentId, &Target>) -> Result<Option<Fraction>, Refusal> {
    let targets: Vec<_> = group.members.iter().filter_map(|index| own.get(&book.holdings[*index].at.instrument_id)).collect();
    if targets.is_empty() {
        return Ok(None);
    }
    targets.iter().try_fold(Fraction::ZERO, |sum, line| sum.checked_add(line.target_weight)).map(Some).map_err(Into::into)
}

/// Gives each member its part of the group's target and bounds, by value. A share is cut toward zero at the
/// scale of a fraction, a bound is cut to the inside: members at their bounds leave the group inside its own.
fn share(group: &Group, book: &Book, name: &str, aims: &mut [Aim]) -> Result<(), Refusal> {
    const STEP: Int = ten(WEIGHT - Fraction::SCALE);
    let total = group.members.iter().fold(Int::ZERO, |sum, index| sum + book.holdings[*index].value);
    if group.members.is_empty() || total.is_zero() {
        return if group.members.iter().all(|index| book.holdings[*index].value.is_zero()) {
            Ok(())
        } else {
            Err(Refusal::allocation(format!("the members of group {name} cancel out: give them targets of their own")))
        };
    }
    for index in &group.members {
        let value = book.holdings[*index].value * total.signum();
        let (part, whole) = (value, total.abs());
        let units = group.bounds.target * part / (whole * STEP);
        let target = super::exact::narrow(units).map(Fraction::from_units).ok_or_else(|| Refusal::absurd(name))?;
        let (one, other) = (group.bounds.lower * part, group.bounds.upper * part);
        let lower = ceiling(one.min(other), whole).min(weight(target));
        let upper = floor(one.max(other), whole).max(weight(target));
        if lower.abs() >= LIMIT || upper.abs() >= LIMIT {
            return Err(Refusal::absurd(name));
        }
        let share = Some(Share { part, whole, bounds: group.bounds });
        aims[*index] = Aim { target, bounds: Bounds { target: weight(target), lower, upper }, share };
    }
    Ok(())
}
