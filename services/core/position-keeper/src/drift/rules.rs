//! What a policy means for the lines of its portfolio, worked out once when it arrives.

use super::bounds::Bounds;
use super::glance::Inner;
use crate::prices::HotPrice;
use crate::prices::cuts::cut_name;
use domain::policy::Policy;
use domain::{Fraction, SmolStr, TradingDays};

/// Rules in force. Those of a closed portfolio bound nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Bounds of each target of the policy, in its order, scaled.
    pub targets: Vec<Bounds>,
    /// What targets and their bounds are scaled by: one where they stand as the policy has them.
    pub scale: Fraction,
    /// Places of the group lines among them.
    pub groups: Vec<usize>,
    /// Bounds of a holding under no line.
    pub other: Bounds,
    /// The short ends of `targets` and `other`; derived.
    inner: (Vec<Inner>, Inner),
    /// Whether anything is watched: a policy without any target keeps books and asks for no weights.
    pub watched: bool,
    /// Oldest usable price in seconds, where an instrument names none.
    pub max_age_seconds: i64,
    /// Seconds after which a standing breach is said again.
    pub rearm_seconds: i64,
    /// Name of the day cut.
    pub cut: SmolStr,
    /// Which days are its own.
    pub days: TradingDays,
    /// Number of the base currency among the market's.
    pub base_class: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            scale: Fraction::ONE,
            groups: Vec::new(),
            other: Bounds::default(),
            inner: (Vec::new(), Inner::of(&Bounds::default())),
            watched: false,
            max_age_seconds: domain::policy::Book::default().max_price_age_seconds,
            rearm_seconds: i64::MAX,
            cut: cut_name("UTC", "00:00"),
            days: TradingDays::default(),
            base_class: HotPrice::CAREFUL - 1,
        }
    }
}

impl Rules {
    /// Those of a portfolio without a policy: they bound nothing.
    pub fn none(base_class: u32) -> Self {
        Self { base_class, ..Self::default() }
    }
    /// The rules of a policy; `base_class` is the number of its base currency.
    pub fn of(policy: &Policy, base_class: u32) -> Self {
        let band = &policy.band;
        let groups = policy.targets.iter().enumerate().filter(|(_, target)| target.group.is_some());
        let targets: Vec<Bounds> = policy.targets.iter().map(|target| Bounds::of(target, band)).collect();
        let other = Bounds::around(Fraction::ZERO, band);
        Self {
            inner: (targets.iter().map(Inner::of).collect(), Inner::of(&other)),
            targets,
            scale: Fraction::ONE,
            groups: groups.map(|(place, _)| place).collect(),
            other,
            watched: !policy.targets.is_empty(),
            max_age_seconds: policy.book.max_price_age_seconds,
            rearm_seconds: policy.trigger.rearm_seconds,
            cut: cut_name(&policy.time_zone, &policy.day_cut),
            days: TradingDays::of(policy),
            base_class,
        }
    }

    /// The same rules with their policy's targets scaled.
    pub fn scale(&mut self, policy: &Policy, scale: Fraction) {
        self.targets = policy.targets.iter().map(|target| Bounds::of(&target.scaled(scale), &policy.band)).collect();
        self.inner.0 = self.targets.iter().map(Inner::of).collect();
        self.scale = scale;
    }

    /// The bounds of a line of that target.
    pub fn bounds_of(&self, target: Option<u16>) -> &Bounds {
        target.and_then(|place| self.targets.get(usize::from(place))).unwrap_or(&self.other)
    }

    /// Their short ends.
    #[inline]
    pub fn inner_of(&self, target: Option<u16>) -> Inner {
        target.and_then(|place| self.inner.0.get(usize::from(place)).copied()).unwrap_or(self.inner.1)
    }
}
