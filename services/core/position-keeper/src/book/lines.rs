//! The lines of a portfolio: every instrument that it held or that its policy targets, by interned number.
//! Beside them stands the quick table of those that count today, which valuation sweeps.

use super::fee::FeeTotals;
use super::history::ChunkMark;
use super::holding::{Holding, Standing};
use super::lots::{LotChange, Lots};
use super::position::Position;
use super::sub_positions::SubPositions;
use super::trouble::Trouble;
use crate::prices::{HotPrice, InstrumentIx};
use domain::{Amount, Currency, Date};
use engine::near::read;
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Instrument.
    pub instrument: InstrumentIx,
    /// Place of its target in the policy; `None` where it has none.
    pub target: Option<u16>,
    /// Its position.
    pub position: Position,
    /// Its open lots, where the method keeps them.
    pub lots: Lots,
    /// Its sub-positions by strategy; none where no booking of it names one.
    pub subs: SubPositions,
    /// Fees by currency.
    pub fees: FeeTotals,
    /// The chunk of the history in which it was last booked.
    pub booked_in: ChunkMark,
    /// The newest date of what was booked.
    pub newest: Option<Date>,
}

impl Line {
    /// An empty line.
    pub fn new(instrument: InstrumentIx) -> Self {
        Self {
            instrument,
            target: None,
            position: Position::default(),
            lots: Lots::default(),
            subs: SubPositions::default(),
            fees: FeeTotals::default(),
            booked_in: ChunkMark::default(),
            newest: None,
        }
    }
    /// What it holds.
    pub fn standing(&self) -> Standing<'_> {
        Standing { position: &self.position, lots: &self.lots, subs: &self.subs, newest: self.newest }
    }
    /// Whether it is held or targeted.
    pub fn counts(&self) -> bool {
        self.target.is_some() || !self.position.quantity.is_zero()
    }
}

/// What the quick valuation reads of a line that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HotLine {
    /// Units held; within the quick path's limit, else `small` is false.
    pub quantity: i64,
    /// Instrument.
    pub instrument: InstrumentIx,
    /// Place of the line.
    pub line: u32,
    /// Whether `quantity` holds the position.
    pub small: bool,
    /// Place of its target in the policy; `None` where it has none.
    pub target: Option<u16>,
}

/// The lines, by interned number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lines {
    all: Vec<Line>,
    /// The instruments of `all`, close together: finding a line touches little memory.
    #[serde(skip)]
    names: Vec<InstrumentIx>,
    #[serde(skip)]
    hot: Vec<HotLine>,
    /// Open lots of all lines; derived.
    #[serde(skip)]
    lots: usize,
}

impl Lines {
    /// Every line, also those that are flat and not targeted.
    pub fn all(&self) -> &[Line] {
        &self.all
    }
    /// The line at a place.
    pub fn at(&self, place: usize) -> &Line {
        &self.all[place]
    }
    /// The lines that count, in the quick form.
    pub fn hot(&self) -> &[HotLine] {
        &self.hot
    }
    /// The lines that count, with their places.
    pub fn counting(&self) -> impl Iterator<Item = (usize, &Line)> {
        self.hot.iter().map(|hot| (hot.line as usize, &self.all[hot.line as usize]))
    }
    /// The place of an instrument's line.
    pub fn find(&self, instrument: InstrumentIx) -> Option<usize> {
        self.names.binary_search(&instrument).ok()
    }
    /// Where finding the line of an instrument begins.
    pub fn touch(&self) {
        read((self.names.first().copied(), self.names.last().copied()));
    }
    /// Reads what booking onto the line of an instrument will read.
    pub fn touch_line(&self, instrument: InstrumentIx) {
        let Some(place) = self.find(instrument) else { return };
        let line = &self.all[place];
        read((line.position.quantity, line.position.fees, line.position.cycle_fees, line.newest));
        read(self.hot.get(place).map(|hot| hot.instrument));
    }
    /// Reads what the line of an instrument leads to.
    pub fn touch_fees(&self, instrument: InstrumentIx) {
        read(self.find(instrument).map(|place| self.all[place].fees.iter().next().copied()));
    }
    /// Whether an instrument is held or targeted.
    pub fn counts(&self, instrument: InstrumentIx) -> bool {
        self.hot.binary_search_by_key(&instrument, |hot| hot.instrument).is_ok()
    }
    /// Whether the line of an instrument may count: `most` lines do, at most.
    pub fn check_room(&self, instrument: InstrumentIx, most: usize) -> Result<(), Trouble> {
        let counting = self.hot.len();
        if counting < most || self.counts(instrument) {
            return Ok(());
        }
        Err(Trouble::range(format!("the portfolio has {counting} lines, the most that one may have")))
    }
    /// Open lots of all lines.
    pub fn lots(&self) -> usize {
        self.lots
    }
    /// Whether the line of an instrument may have as many open lots as `after` says, given how many it has: `most` are
    /// open in all lines, at most.
    pub fn check_lots(&self, instrument: InstrumentIx, after: impl Fn(usize) -> usize, most: usize) -> Result<(), Trouble> {
        let before = self.find(instrument).map_or(0, |place| self.all[place].lots.len());
        let lots = after(before);
        if lots <= before || self.lots - before + lots <= most {
            return Ok(());
        }
        Err(Trouble::range(format!(
            "the portfolio has {} open lots, the most that one may have are {most} (core.max_lots): close some or raise it, then ADMIT this record",
            self.lots
        )))
    }
    /// The place of an instrument's line, made where there is none.
    pub fn place(&mut self, instrument: InstrumentIx) -> usize {
        match self.names.binary_search(&instrument) {
            Ok(place) => place,
            Err(place) => {
                self.all.insert(place, Line::new(instrument));
                self.names.insert(place, instrument);
                self.rebuild();
                place
            }
        }
    }
    /// Writes a position back with what becomes of its lots and with checked fees.
    pub fn book<'a>(
        &mut self,
        place: usize,
        position: &Position,
        lots: Option<Box<LotChange>>,
        fees: impl IntoIterator<Item = &'a (Currency, Amount)>,
    ) {
        if let Some(change) = lots {
            let lots = &mut self.all[place].lots;
            self.lots -= lots.len();
            lots.write(*change);
            self.lots += lots.len();
        }
        let line = &mut self.all[place];
        debug_assert!(line.lots.is_empty() || !position.quantity.is_zero(), "what is flat has no lots: {:?}", line.instrument);
        let counted = line.counts();
        line.position = *position;
        fees.into_iter().for_each(|(currency, amount)| line.fees.add(*currency, *amount));
        if counted != line.counts() {
            self.rebuild();
        } else if let Ok(at) = self.seek_hot(place) {
            self.hot[at] = hot_line(place, &self.all[place]);
        }
    }
    /// Where the quick form of a line stands: at the line's own place, where all before it count.
    fn seek_hot(&self, place: usize) -> Result<usize, usize> {
        let instrument = self.names[place];
        match self.hot.get(place) {
            Some(hot) if hot.instrument == instrument => Ok(place),
            _ => self.hot.binary_search_by_key(&instrument, |hot| hot.instrument),
        }
    }
    /// Writes what a line holds after an amendment, with checked fees.
    pub fn restate<'a>(&mut self, place: usize, holding: Holding, fees: impl IntoIterator<Item = &'a (Currency, Amount)>) {
        self.lots = self.lots - self.all[place].lots.len() + holding.lots.len();
        self.all[place].lots = holding.lots;
        self.all[place].subs = holding.subs;
        self.all[place].newest = holding.newest;
        self.book(place, &holding.position, None, fees);
    }
    /// Lets fees of a line go of which nothing is left.
    pub fn forget_zero_fees(&mut self, place: usize) {
        self.all[place].fees.forget_zeros();
    }
    /// What the line of an instrument holds; nothing where there is none.
    pub fn holding(&self, instrument: InstrumentIx) -> Holding {
        let line = self.find(instrument).map(|place| &self.all[place]);
        line.map_or_else(Holding::default, |line| Holding {
            position: line.position,
            lots: line.lots.clone(),
            subs: line.subs.clone(),
            newest: line.newest,
        })
    }
    /// The line at a place, for its mark in the history.
    pub fn at_mut(&mut self, place: usize) -> &mut Line {
        &mut self.all[place]
    }
    /// Gives every line its target anew: `targets` are (instrument, place in the policy).
    pub fn target(&mut self, targets: &[(InstrumentIx, u16)]) {
        self.all.iter_mut().for_each(|line| line.target = None);
        let unknown = |(instrument, _): &&(InstrumentIx, u16)| self.find(*instrument).is_none();
        let new: Vec<Line> = targets.iter().filter(unknown).map(|(instrument, _)| Line::new(*instrument)).collect();
        self.all.extend(new);
        // All at once: one by one, a policy of many lines would move the others for each.
        self.all.sort_by_key(|line| line.instrument);
        self.names = self.all.iter().map(|line| line.instrument).collect();
        for (instrument, target) in targets {
            let place = self.find(*instrument).expect("every target has a line");
            self.all[place].target = Some(*target);
        }
        self.rebuild();
    }
    /// What is held, under other targets, as far as valuing and measuring it goes: lots and fees stay behind.
    pub fn under(&self, targets: &[(InstrumentIx, u16)]) -> Self {
        let held = self.counting().filter(|(_, line)| !line.position.quantity.is_zero());
        let all = held.map(|(_, line)| Line { position: line.position, ..Line::new(line.instrument) });
        let mut under = Self { all: all.collect(), ..Self::default() };
        under.restored();
        under.target(targets);
        under
    }
    /// Whether each line stands behind those of all earlier instruments, as finding one needs it.
    pub fn are_in_order(&self) -> bool {
        self.all.is_sorted_by(|one, next| one.instrument < next.instrument)
    }
    /// Derives what is not stored, after reading back.
    pub fn restored(&mut self) {
        self.names = self.all.iter().map(|line| line.instrument).collect();
        self.lots = self.all.iter().map(|line| line.lots.len()).sum();
        self.rebuild();
    }
    fn rebuild(&mut self) {
        self.hot.clear();
        let counting = self.all.iter().enumerate().filter(|(_, line)| line.counts());
        self.hot.extend(counting.map(|(place, line)| hot_line(place, line)));
    }
}

fn hot_line(place: usize, line: &Line) -> HotLine {
    let quantity = i64::try_from(line.position.quantity.units()).ok();
    let quantity = quantity.filter(|units| units.unsigned_abs() <= HotPrice::MAX_QUANTITY.unsigned_abs());
    HotLine {
        quantity: quantity.unwrap_or(0),
        instrument: line.instrument,
        line: u32::try_from(place).expect("lines are limited far below 2^32"),
        small: quantity.is_some(),
        target: line.target,
    }
}
