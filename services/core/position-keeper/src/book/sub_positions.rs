//! Sub-positions: what each strategy holds of one line, at its own average whatever the line's cost method, and what it
//! has earned and paid. Two strategies may stand on opposite sides of one instrument.
//!
//! A line has none until a booking of it names a strategy. From then on what names none is a sub-position like the
//! others, the nameless one, and begins with all that the line was. What the line does by its own method stays what it
//! is; what the sub-positions leave of it is the residual, which is not kept: it follows. It publishes nothing.

use super::attribution::{Attribution, Share};
use super::booking::Booking;
use super::execution::Effect;
use super::position::Position;
use super::trouble::bounded;
use domain::{Amount, FixedError, FxRate, Quantity, StrategyId};
use serde::{Deserialize, Serialize};

/// Named sub-positions of one line, at most: what names one more is booked into the nameless one.
pub const MOST: usize = 64;

/// One sub-position.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SubPosition {
    /// Its figures; their base counterpart is the net.
    pub position: Position,
    /// Fees and income in base.
    pub charged: Charged,
}

/// Fees and income in base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Charged {
    /// Cumulative fees.
    pub fees: Amount,
    /// Cumulative income.
    pub income: Amount,
}

impl Charged {
    /// Those of a position that kept no strategies apart, at a rate: in the base currency exactly, else what comes
    /// nearest, its net being exact.
    pub fn of(position: &Position, rate: FxRate) -> Result<Self, FixedError> {
        Ok(Self { fees: bounded(position.fees.convert(rate)?)?, income: bounded(position.income.convert(rate)?)? })
    }
    fn add(&mut self, effect: &Effect) -> Result<(), FixedError> {
        self.fees = bounded(self.fees.checked_add(effect.change.fees)?)?;
        self.income = bounded(self.income.checked_add(effect.change.income)?)?;
        Ok(())
    }
}

/// The sub-positions of a line; none where no booking of it names a strategy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubPositions(Option<Box<Kept>>);

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Kept {
    /// Of the whole line.
    line: Charged,
    /// The nameless one first, then by name.
    each: Vec<(Option<StrategyId>, SubPosition)>,
}

impl Kept {
    /// The nameless one is all that the line was; none of a line that was nothing.
    fn begin(line: &Position, rate: FxRate) -> Result<Self, FixedError> {
        let charged = Charged::of(line, rate)?;
        let begun = (*line != Position::default()).then_some((None, SubPosition { position: *line, charged }));
        Ok(Self { line: charged, each: Vec::from_iter(begun) })
    }
    fn find(&self, strategy: &Option<StrategyId>) -> Result<usize, usize> {
        self.each.binary_search_by(|(known, _)| known.cmp(strategy))
    }
    /// Where a booking counts that names this, and what stands there.
    fn bucket(&self, named: Option<&StrategyId>) -> (Option<StrategyId>, SubPosition) {
        let named = named.cloned();
        let is_known = self.find(&named).is_ok();
        let names = self.each.iter().filter(|(known, _)| known.is_some()).count();
        let strategy = named.filter(|_| is_known || names < MOST);
        let sub = self.find(&strategy).map_or_else(|_| SubPosition::default(), |at| self.each[at].1.clone());
        (strategy, sub)
    }
    fn put(&mut self, strategy: Option<StrategyId>, sub: SubPosition) {
        match self.find(&strategy) {
            Ok(at) => self.each[at].1 = sub,
            Err(at) => self.each.insert(at, (strategy, sub)),
        }
    }
}

/// What a booking does to the sub-positions of its line, checked and not yet written.
#[derive(Debug, Clone)]
pub struct SubChange {
    /// The sub-positions as they begin, where it is the first to name one.
    begun: Option<Kept>,
    line: Charged,
    strategy: Option<StrategyId>,
    sub: SubPosition,
}

static NONE: SubPositions = SubPositions(None);

impl SubPositions {
    /// None.
    pub fn none() -> &'static Self {
        &NONE
    }
    /// Whether no strategies are told apart.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
    /// The nameless one first, then by name.
    pub fn iter(&self) -> impl Iterator<Item = &(Option<StrategyId>, SubPosition)> {
        self.0.iter().flat_map(|kept| &kept.each)
    }
    /// Fees and income of the whole line, where strategies are told apart.
    pub fn of_line(&self) -> Option<Charged> {
        self.0.as_ref().map(|kept| kept.line)
    }
    /// Whether a booking changes them.
    #[inline]
    pub fn concern(&self, booking: &Booking) -> bool {
        self.0.is_some() || booking.strategy().is_some()
    }

    /// Plans what a booking does to them that did `effect` to their line, which was `line` before it; the effect is told
    /// whose it is.
    #[inline(never)]
    pub fn plan(&self, booking: &Booking, line: &Position, effect: &mut Effect) -> Result<SubChange, FixedError> {
        let begun = if self.is_empty() { Some(Kept::begin(line, booking.rate())?) } else { None };
        let kept = self.0.as_deref().or(begun.as_ref()).expect("there are some, or they begin");
        let (strategy, mut sub) = kept.bucket(booking.strategy());
        let mut own = Effect::default();
        booking.apply(&mut own, &mut sub.position, None)?;
        sub.charged.add(&own)?;
        let mut line = kept.line;
        line.add(effect)?;
        effect.by_strategy = Some(Box::new(Attribution::whole(strategy.clone(), Share::of(&own))));
        Ok(SubChange { begun, line, strategy, sub })
    }

    /// Writes what was planned on them.
    pub fn write(&mut self, change: SubChange) {
        if let Some(begun) = change.begun {
            self.0 = Some(Box::new(begun));
        }
        if let Some(kept) = &mut self.0 {
            kept.line = change.line;
            kept.put(change.strategy, change.sub);
        }
    }

    /// Does something to each by itself that did `effect` to their line; the effect is told whose it is.
    pub fn each(
        &mut self,
        effect: &mut Effect,
        mut deed: impl FnMut(usize, &mut Position) -> Result<Effect, FixedError>,
    ) -> Result<(), FixedError> {
        let Some(kept) = &mut self.0 else { return Ok(()) };
        let mut parts = Attribution::default();
        for (at, (strategy, sub)) in kept.each.iter_mut().enumerate() {
            let own = deed(at, &mut sub.position)?;
            sub.charged.add(&own)?;
            parts.add(strategy, &Share::of(&own), 1)?;
        }
        kept.line.add(effect)?;
        effect.by_strategy = Some(Box::new(parts));
        Ok(())
    }

    /// The same to the one in which a booking counts.
    pub fn one(
        &mut self,
        booking: &Booking,
        effect: &mut Effect,
        deed: impl FnOnce(&mut Position) -> Result<Effect, FixedError>,
    ) -> Result<(), FixedError> {
        let Some(kept) = &mut self.0 else { return Ok(()) };
        let (strategy, mut sub) = kept.bucket(booking.strategy());
        let own = deed(&mut sub.position)?;
        sub.charged.add(&own)?;
        kept.line.add(effect)?;
        effect.by_strategy = Some(Box::new(Attribution::whole(strategy.clone(), Share::of(&own))));
        kept.put(strategy, sub);
        Ok(())
    }

    /// Takes over what a booking of the line has earned and paid of which nothing is held; `line` is the line before it.
    pub fn take_figures(&mut self, booking: &Booking, line: &Position, of: &Position, effect: &mut Effect) -> Result<(), FixedError> {
        if self.is_empty() {
            self.0 = Some(Box::new(Kept::begin(line, booking.rate())?));
        }
        let whole = effect.clone();
        self.one(booking, effect, |position| position.take_figures(of).map(|()| whole))
    }

    /// Signed units of each.
    pub fn quantities(&self) -> impl Iterator<Item = Quantity> {
        self.iter().map(|(_, sub)| sub.position.quantity)
    }
}
