//! The course of a line: its bookings in their order and the corporate actions that stand, from the beginning to what
//! it holds. Slow and obvious.
//!
//! An action stands before the first booking that is dated on its ex-date or later, and behind all others while there
//! is none. A booking that is dated before it and comes after such a one is turned into the new units, and paid, by
//! itself.

use super::actions::{Deed, Standing};
use super::amending::{Units, What};
use super::deeds::{cut, lose};
use super::effect::Effect;
use super::exact::{Exact, zero};
use super::holding::Position;
use domain::enums::CostMethod;
use domain::instrument::Instrument;
use domain::{Date, SmolStr};
use std::collections::BTreeMap;

/// Bookings between two stages that are kept of a course.
const STRIDE: usize = 64;
/// Stages that are kept of a line; of more, each other one goes.
const MOST_STAGES: usize = 256;

/// Where a course stands behind some of its bookings.
#[derive(Debug, Clone)]
pub(super) struct Stage<'a> {
    position: Position,
    newest: Option<Date>,
    facts: Option<&'a Instrument>,
}

impl Stage<'_> {
    /// Before the first booking.
    pub(super) fn first(method: CostMethod) -> Self {
        Self { position: Position::by(method), newest: None, facts: None }
    }
}

/// Stages of a line's course, each by the place of the last booking before it: what comes behind one is booked anew
/// without what comes before.
#[derive(Debug, Clone, Default)]
pub(super) struct Stages<'a> {
    /// The actions beside which they were booked.
    follows: Vec<Standing>,
    behind: BTreeMap<usize, Stage<'a>>,
}

impl<'a> Stages<'a> {
    /// The last stage before a place, beside these actions, and the place that it stands behind.
    pub(super) fn before(&self, place: usize, follows: &[Standing]) -> Option<(usize, Stage<'a>)> {
        let last = self.behind.range(..place).next_back().filter(|_| self.follows == follows)?;
        Some((*last.0, last.1.clone()))
    }
    /// Keeps the stages of a course that was booked anew from a place on, beside these actions.
    pub(super) fn keep(&mut self, place: usize, follows: &[Standing], stages: Vec<(usize, Stage<'a>)>) {
        if self.follows == follows {
            self.behind.split_off(&place);
        } else {
            *self = Self { follows: follows.to_vec(), behind: BTreeMap::new() };
        }
        self.behind.extend(stages);
        if self.behind.len() > MOST_STAGES {
            let mut number = 0_usize;
            self.behind.retain(|_, _| {
                number += 1;
                number.is_multiple_of(2)
            });
        }
    }
}

/// What a line comes to, and what each booking and each action has done since the stage that it began at.
#[derive(Debug)]
pub(super) struct Course<'a> {
    pub(super) position: Position,
    /// By the place of the booking.
    pub(super) bookings: BTreeMap<usize, Effect>,
    /// By the id of the action.
    pub(super) actions: BTreeMap<SmolStr, Effect>,
    /// Stages on the way, each by the place of the last booking before it.
    pub(super) stages: Vec<(usize, Stage<'a>)>,
}

impl<'a> Course<'a> {
    /// Books these from a stage on, with their places, beside these actions, which come in their order.
    pub(super) fn of(
        stage: Stage<'a>,
        bookings: impl IntoIterator<Item = (usize, What<'a>)>,
        actions: &[Standing],
    ) -> Result<Self, String> {
        let Stage { position, mut newest, mut facts } = stage;
        let mut course = Self { position, bookings: BTreeMap::new(), actions: BTreeMap::new(), stages: Vec::new() };
        for (place, what) in bookings {
            let (Some(day), Some(instrument)) = (what.date(), what.instrument()) else {
                // What an instrument brought beside its bookings changes no units, wherever it stands.
                let effect = what.apply(&mut course.position, None)?;
                course.bookings.insert(place, effect);
                continue;
            };
            facts = Some(instrument);
            for action in actions.iter().filter(|action| newest < Some(action.ex_date) && action.ex_date <= day) {
                course.act(action, instrument);
            }
            newest = newest.max(Some(day));
            let passed = actions.iter().filter(|action| day < action.ex_date && Some(action.ex_date) <= newest);
            let effect = course.book(&what, instrument, passed)?;
            course.bookings.insert(place, effect);
            if course.bookings.len().is_multiple_of(STRIDE) {
                course.stages.push((place, Stage { position: course.position.clone(), newest, facts }));
            }
        }
        let ahead = actions.iter().filter(|action| newest < Some(action.ex_date));
        ahead.zip(std::iter::repeat(facts)).filter_map(|(action, facts)| Some((action, facts?))).for_each(|(action, facts)| {
            course.act(action, facts);
        });
        Ok(course)
    }

    fn act(&mut self, action: &Standing, instrument: &Instrument) {
        let effect = action.apply(&mut self.position, instrument);
        self.note(action, &effect);
    }
    fn note(&mut self, action: &Standing, effect: &Effect) {
        self.actions.entry(action.id.clone()).or_insert_with(Effect::none).add(effect, 1);
    }

    /// Books one, behind the actions whose ex-dates it comes after though it is dated before them.
    fn book<'s>(&mut self, what: &What<'_>, instrument: &Instrument, passed: impl Iterator<Item = &'s Standing>) -> Result<Effect, String> {
        let (mut units, mut fees) = (what.units(), what.held_fees());
        let mut paid: Vec<(&Standing, Exact)> = Vec::new();
        for action in passed {
            match &action.deed {
                Deed::Split { ratio, .. } => {
                    // What is left after each fee becomes new units; a fee is what lies between.
                    let mut left = units.clone();
                    for fee in fees.values_mut() {
                        let before = cut(&(&left * ratio));
                        left -= &*fee;
                        *fee = before - cut(&(&left * ratio));
                    }
                    units = cut(&(units * ratio));
                }
                // On what is held of it, once its fees are paid.
                Deed::Dividend { .. } => paid.push((action, fees.values().fold(units.clone(), |held, fee| held - fee))),
                Deed::Symbol(_) => {}
            }
            if units == zero() {
                break;
            }
        }
        let effect = if units == zero() {
            self.vanish(what, instrument)?
        } else {
            what.apply(&mut self.position, Some(&Units { own: units, fees }))?
        };
        for (action, units) in paid {
            let effect = action.pay_on(&mut self.position, instrument, &units);
            self.note(action, &effect);
        }
        Ok(effect)
    }

    /// What comes to less than the smallest step in today's units is paid for, and nothing is held of it.
    fn vanish(&mut self, what: &What<'_>, instrument: &Instrument) -> Result<Effect, String> {
        let mut alone = Position::default();
        let mut effect = what.apply(&mut alone, None)?;
        effect.add(&lose(&mut alone, instrument), 1);
        effect.quantity = zero();
        self.position.take_figures(alone);
        Ok(effect)
    }
}
