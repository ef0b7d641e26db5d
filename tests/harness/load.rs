//! A steady load from a seed: executions and cash of many portfolios, some of them sent more than once or late, taken back
//! or corrected, and a model that knows what must come of it: Σ of the distinct executions that stand.

use crate::books::{Execution, automatic_policy, cancel, correct, deposit, fill, quiet_policy, share, tick};
use crate::dice::Dice;
use crate::service::now;
use domain::Input;
use std::collections::{BTreeMap, BTreeSet};

const INSTRUMENTS: [&str; 6] = ["ALFA", "BRAVO", "CHARLIE", "DELTA", "ECHO", "FOXTROT"];
/// Cents of a unit at the start.
const START_CENTS: [u64; 6] = [10_000, 4_200, 25_050, 7_777, 15_000, 99_900];
/// Dollars of each deposit.
const DEPOSIT: u64 = 1_000_000;
/// Executions remembered, to be sent again.
const REMEMBERED: usize = 500;
/// Units of money on the wire in one cent.
const CENT: i128 = 100_000_000;

/// The load.
pub struct Load {
    dice: Dice,
    quiet: Vec<String>,
    automatic: Vec<String>,
    cents: [u64; 6],
    remembered: Vec<Input>,
    /// Executions that nothing has amended yet.
    standing: Vec<Execution>,
    next: u64,
    /// Records sent, repeats included.
    pub sent: u64,
    /// Records that repeat an earlier one.
    pub repeats: u64,
    /// Executions that were taken back or corrected.
    pub amended: u64,
    /// What must come of it.
    pub model: Model,
}

/// What a sound service has booked in the end, for portfolios that only this load moves.
#[derive(Debug, Default)]
pub struct Model {
    /// Units by portfolio and instrument; quantities of 10⁻⁸.
    pub positions: BTreeMap<(String, String), i128>,
    /// Cash by portfolio, in 10⁻¹⁰ dollars.
    pub cash: BTreeMap<String, i128>,
    /// Every distinct execution id.
    pub executions: BTreeSet<String>,
}

impl Load {
    /// `quiet` portfolios that only book, `automatic` ones that also rebalance by themselves.
    pub fn new(seed: u64, quiet: usize, automatic: usize) -> Self {
        let names = |kind: &str, count: usize| (1..=count).map(|n| format!("{kind}-{n:03}")).collect();
        Self {
            dice: Dice::new(seed),
            quiet: names("quiet", quiet),
            automatic: names("auto", automatic),
            cents: START_CENTS,
            remembered: Vec::new(),
            standing: Vec::new(),
            next: 0,
            sent: 0,
            repeats: 0,
            amended: 0,
            model: Model::default(),
        }
    }

    /// Portfolios that only this load moves.
    pub fn quiet(&self) -> &[String] {
        &self.quiet
    }
    /// Portfolios that rebalance by themselves.
    pub fn automatic(&self) -> &[String] {
        &self.automatic
    }

    /// Instruments, prices, and all that the automatic portfolios start with. The quiet ones have no
    /// policy and no cash yet: their first executions come before both, and wait.
    pub fn opening(&mut self) -> Vec<Input> {
        let mut records: Vec<_> = INSTRUMENTS.iter().map(|instrument| share(instrument)).collect();
        records.extend(self.ticks());
        for portfolio in &self.automatic {
            records.push(automatic_policy(portfolio, &[(INSTRUMENTS[0], "0.5"), (INSTRUMENTS[1], "0.3")]));
            records.push(deposit(portfolio, &format!("open-{portfolio}"), DEPOSIT));
        }
        records
    }

    /// The policies and the first cash of the quiet portfolios.
    pub fn late_opening(&mut self) -> Vec<Input> {
        let mut records = Vec::new();
        for portfolio in &self.quiet {
            records.push(quiet_policy(portfolio));
            let entry = deposit(portfolio, &format!("open-{portfolio}"), DEPOSIT * 1000);
            *self.model.cash.entry(portfolio.clone()).or_default() += i128::from(DEPOSIT) * 1000 * 100 * CENT;
            records.extend([entry.clone(), entry]);
        }
        records
    }

    /// A price of each instrument, moved a little.
    pub fn ticks(&mut self) -> Vec<Input> {
        let dice = &mut self.dice;
        let moved = self.cents.iter_mut().zip(START_CENTS).zip(INSTRUMENTS).map(|((cents, start), instrument)| {
            let step = start / 500;
            *cents = (*cents + dice.below(2 * step + 1) - step).clamp(start * 9 / 10, start * 11 / 10);
            tick(instrument, *cents)
        });
        moved.collect()
    }

    /// So many executions; one in twelve is sent again, now or later, and one in thirty is taken back or corrected later.
    pub fn fills(&mut self, count: usize) -> Vec<Input> {
        let mut records = Vec::with_capacity(count + count / 12 + 1);
        for _ in 0..count {
            let amends = !self.standing.is_empty() && self.dice.one_in(30);
            let record = if amends { self.amendment() } else { self.execution() };
            if self.dice.one_in(24) {
                records.push(record.clone());
                self.repeats += 1;
            }
            if !self.remembered.is_empty() && self.dice.one_in(24) {
                records.push(self.dice.pick(&self.remembered).clone());
                self.repeats += 1;
            }
            self.remember(&record);
            records.push(record);
        }
        self.sent += records.len() as u64;
        records
    }

    /// An execution that takes one automatic portfolio out of its bands.
    pub fn push(&mut self) -> Input {
        let portfolio = self.dice.pick(&self.automatic).clone();
        let (buy, id) = (self.dice.one_in(2), self.next_id());
        self.model.executions.insert(id.clone());
        self.sent += 1;
        fill(&Execution {
            id,
            portfolio,
            instrument: INSTRUMENTS[0].to_owned(),
            buy,
            units: 1000,
            cents: self.cents[0],
            fee_cents: 0,
            time: now(),
        })
    }

    fn execution(&mut self) -> Input {
        let at = usize::try_from(self.dice.below(6)).expect("six instruments");
        let execution = Execution {
            id: self.next_id(),
            portfolio: self.dice.pick(&self.quiet).clone(),
            instrument: INSTRUMENTS[at].to_owned(),
            buy: self.dice.below(5) > 1,
            units: 1 + self.dice.below(300),
            cents: self.cents[at],
            fee_cents: self.dice.below(3) * 25,
            // Executions do not come in the order in which they were made.
            time: now().plus_micros(-i64::try_from(self.dice.below(60_000_000)).expect("a minute")),
        };
        self.model.book(&execution, 1);
        let record = fill(&execution);
        self.keep(execution);
        record
    }

    fn amendment(&mut self) -> Input {
        let at = usize::try_from(self.dice.below(self.standing.len() as u64)).expect("an index");
        let execution = self.standing.swap_remove(at);
        self.amended += 1;
        self.model.book(&execution, -1);
        let id = self.next_id();
        if self.dice.one_in(2) {
            self.model.executions.insert(id.clone());
            return cancel(&execution, &id);
        }
        let corrected = Execution { id, units: 1 + self.dice.below(300), cents: execution.cents + 1, ..execution.clone() };
        self.model.book(&corrected, 1);
        correct(&execution, &corrected)
    }

    fn keep(&mut self, execution: Execution) {
        if self.standing.len() < REMEMBERED {
            return self.standing.push(execution);
        }
        let at = usize::try_from(self.dice.below(REMEMBERED as u64)).expect("an index");
        self.standing[at] = execution;
    }

    fn next_id(&mut self) -> String {
        self.next += 1;
        format!("load-{:08}", self.next)
    }

    fn remember(&mut self, record: &Input) {
        if self.remembered.len() < REMEMBERED {
            self.remembered.push(record.clone());
            return;
        }
        let at = usize::try_from(self.dice.below(REMEMBERED as u64)).expect("an index");
        self.remembered[at] = record.clone();
    }
}

impl Model {
    /// Books an execution so many times: once, or −1 to take it back.
    fn book(&mut self, execution: &Execution, times: i128) {
        let sign = if execution.buy { times } else { -times };
        let units = sign * i128::from(execution.units);
        let place = (execution.portfolio.clone(), execution.instrument.clone());
        *self.positions.entry(place).or_default() += units * 100_000_000;
        let paid = units * i128::from(execution.cents) + times * i128::from(execution.fee_cents);
        *self.cash.entry(execution.portfolio.clone()).or_default() -= paid * CENT;
        self.executions.insert(execution.id.clone());
    }
}
