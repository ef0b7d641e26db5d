//! `ballast replay`: the whole core on JSON lines, without a server. The clock is event time, each
//! line is a step of its own and each tick a frame of its own unless a window groups them.
//! The same lines give the same bytes.

mod held;
mod machine;
mod refused;
mod summary;

use crate::lines::{self, Line};
use domain::reason::DeadLetterCode;
use domain::{Output, Timestamp};
use engine::{Refusal, Settings};
pub use held::Held;
use machine::Machine;
pub use refused::{Refused, Unseen};
use std::io::{BufRead, Write};
use summary::Summary;

/// What to print.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Groups lines whose timestamps lie within so many microseconds of the group's first.
    pub window: Option<i64>,
    /// Prints records of this topic only.
    pub only: Option<String>,
    /// Prints only the last snapshot of each portfolio and the last ledger state of each position.
    pub last: bool,
    /// Stops at the first wrong line.
    pub strict: bool,
    /// Settings of the core.
    pub settings: Settings,
}

/// How a replay went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every line was applied.
    Applied,
    /// Some were dead-lettered.
    SomeDeadLettered,
    /// None was dead-lettered, and some still wait for what never came.
    SomeWait,
}

/// The end of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How it went.
    pub verdict: Verdict,
    /// Records that were known already and changed nothing.
    pub known: u64,
    /// Records that still wait for a policy, an instrument, a rate or an execution.
    pub waiting: usize,
    /// Those that hold others up, or await an execution: the oldest hundred.
    pub held: Vec<Held>,
    /// Refusals that the output does not show.
    pub unseen: Unseen,
}

/// A replay could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Reading or writing failed.
    #[error("reading or writing lines failed: {0}")]
    Io(#[from] std::io::Error),
    /// A wrong line, in strict mode.
    #[error("line {number}: {text}")]
    WrongLine {
        /// Its number, from 1.
        number: i64,
        /// What is wrong.
        text: String,
    },
    /// The core could not go on.
    #[error(transparent)]
    Lane(#[from] engine::LaneError),
}

/// Runs the lines of `input` through the core and prints what it publishes.
pub fn replay(input: impl BufRead, output: &mut dyn Write, options: &Options) -> Result<Ended, ReplayError> {
    let mut session = Session::new(options, output);
    for (index, bytes) in input.split(b'\n').enumerate() {
        let bytes = bytes?;
        let number = i64::try_from(index).unwrap_or(i64::MAX).saturating_add(1);
        let text = String::from_utf8_lossy(&bytes);
        if text.trim().is_empty() {
            continue;
        }
        let valid = std::str::from_utf8(&bytes).map_err(|_| Refusal::new(DeadLetterCode::Undecodable, "the line is not UTF-8"));
        let read = valid.and_then(lines::read_line).and_then(lines::from_outside);
        let what = read.map_err(|refusal| Wrong { text: text.clone().into_owned(), refusal });
        session.line(Numbered { number, what }, options)?;
    }
    session.start(Timestamp::default(), options)?;
    session.run(options)?;
    session.end()
}

/// A line and its number.
struct Numbered {
    /// From 1.
    number: i64,
    /// The line, or why it is none.
    what: Result<Line, Wrong>,
}

/// A line that cannot be read.
struct Wrong {
    text: String,
    refusal: Refusal,
}

impl Numbered {
    fn timestamp(&self) -> Option<Timestamp> {
        self.what.as_ref().ok()?.timestamp
    }
    fn moment(&self) -> Option<Timestamp> {
        self.what.as_ref().ok()?.moment()
    }
}

struct Session<'a> {
    machine: Machine,
    printer: Printer<'a>,
    group: Vec<Numbered>,
    dead: i64,
    unseen: Unseen,
    /// Lines before the first that names a moment: they happen at that moment. `None` once it has come.
    timeless: Option<Vec<Numbered>>,
}

impl<'a> Session<'a> {
    fn new(options: &Options, output: &'a mut dyn Write) -> Self {
        let machine = Machine::new(&options.settings);
        Self {
            machine,
            printer: Printer::new(output, options),
            group: Vec::new(),
            dead: 0,
            unseen: Unseen::default(),
            timeless: Some(Vec::new()),
        }
    }
    fn line(&mut self, line: Numbered, options: &Options) -> Result<(), ReplayError> {
        if let Some(timeless) = &mut self.timeless {
            let Some(moment) = line.moment() else {
                timeless.push(line);
                return Ok(());
            };
            self.start(moment, options)?;
        }
        self.take(line, options)
    }
    /// Starts the clock, once, with the lines that waited for it.
    fn start(&mut self, moment: Timestamp, options: &Options) -> Result<(), ReplayError> {
        let Some(timeless) = self.timeless.take() else { return Ok(()) };
        self.machine.start(moment);
        timeless.into_iter().try_for_each(|line| self.take(line, options))
    }
    fn take(&mut self, line: Numbered, options: &Options) -> Result<(), ReplayError> {
        let first = self.group.iter().find_map(Numbered::timestamp);
        let joins = match (options.window, first, line.timestamp()) {
            (None, ..) => false,
            (Some(width), Some(first), Some(own)) => own.since(first) < width,
            (Some(_), ..) => true,
        };
        if !joins {
            self.run(options)?;
        }
        self.group.push(line);
        Ok(())
    }
    /// Runs the group; what could not be read of it is printed behind what the rest made.
    fn run(&mut self, options: &Options) -> Result<(), ReplayError> {
        let (mut group, mut wrong) = (Vec::new(), Vec::new());
        let last = self.group.last().map_or(0, |line| line.number);
        for Numbered { number, what } in std::mem::take(&mut self.group) {
            match what {
                Ok(line) => group.push((number, line)),
                Err(why) => wrong.push((number, why)),
            }
        }
        let mut published = if group.is_empty() { Vec::new() } else { self.machine.run(group)? };
        published.iter_mut().for_each(Published::name_mistyped);
        if options.strict {
            self.stop_at_first(&published, &wrong, last)?;
        }
        published.iter().try_for_each(|record| self.print(record))?;
        for (number, Wrong { text, refusal }) in wrong {
            self.dead += 1;
            if !self.printer.refused(number, &text, &refusal)? {
                self.unseen.take(Refused { line: Some(number), code: refusal.code, text: refusal.text.to_string() });
            }
        }
        Ok(())
    }
    /// Prints a record, a dead letter with the line that it came from.
    fn print(&mut self, record: &Published) -> Result<(), ReplayError> {
        let Output::DeadLetter(letter) = &record.output else { return self.printer.print(record, lines::output_json) };
        self.dead += 1;
        let line = self.machine.line_of(letter.topic, letter.offset);
        if !self.printer.shows(lines::topic_name(&record.output)) {
            self.unseen.take(Refused { line, code: letter.code, text: letter.text.to_string() });
        }
        self.printer.print(record, |_| lines::letter_json(letter, line))
    }
    /// The first wrong line of a group, as an error; a letter of a record that is no line names the group's last.
    fn stop_at_first(&self, published: &[Published], wrong: &[(i64, Wrong)], last: i64) -> Result<(), ReplayError> {
        let letter = |record: &Published| match &record.output {
            Output::DeadLetter(l) => Some((self.machine.line_of(l.topic, l.offset).unwrap_or(last), format!("{}: {}", l.code, l.text))),
            _ => None,
        };
        let unread = wrong.iter().map(|(number, Wrong { refusal, .. })| (*number, format!("{}: {}", refusal.code, refusal.text)));
        match published.iter().filter_map(letter).chain(unread).min_by_key(|(number, _)| *number) {
            Some((number, text)) => Err(ReplayError::WrongLine { number, text }),
            None => Ok(()),
        }
    }
    fn end(mut self) -> Result<Ended, ReplayError> {
        let mut last = self.machine.finish()?;
        last.iter_mut().for_each(Published::name_mistyped);
        last.iter().try_for_each(|record| self.print(record))?;
        self.printer.end()?;
        let waiting = self.machine.waiting();
        let verdict = match (self.dead, waiting) {
            (0, 0) => Verdict::Applied,
            (0, _) => Verdict::SomeWait,
            _ => Verdict::SomeDeadLettered,
        };
        Ok(Ended { verdict, known: self.machine.known(), waiting, held: self.machine.held(), unseen: self.unseen })
    }
}

/// A record as the core published it.
pub(crate) struct Published {
    /// The record.
    pub(crate) output: Output,
    /// Clock of its step.
    pub(crate) time: Timestamp,
}

impl Published {
    /// A line of text still has the word that a record has lost.
    fn name_mistyped(&mut self) {
        if let Output::DeadLetter(letter) = &mut self.output {
            lines::symbols::name_mistyped(letter);
        }
    }
}

struct Printer<'a> {
    output: &'a mut dyn Write,
    only: Option<String>,
    summary: Option<Summary>,
}

impl<'a> Printer<'a> {
    fn new(output: &'a mut dyn Write, options: &Options) -> Self {
        Self { output, only: options.only.clone(), summary: options.last.then(Summary::default) }
    }
    fn wants(&self, topic: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == topic)
    }
    fn print(&mut self, record: &Published, json: impl FnOnce(&Output) -> String) -> Result<(), ReplayError> {
        if let Some(summary) = &mut self.summary {
            summary.take(record);
            return Ok(());
        }
        let topic = lines::topic_name(&record.output);
        if self.wants(topic) {
            writeln!(self.output, "{}", lines::print_line(topic, Some(record.time), &json(&record.output)))?;
        }
        Ok(())
    }
    /// Whether a record of a topic is printed when it comes.
    fn shows(&self, topic: &str) -> bool {
        self.summary.is_none() && self.wants(topic)
    }
    /// Prints a line that could not be read, where it is wanted; whether it was.
    fn refused(&mut self, number: i64, text: &str, refusal: &Refusal) -> Result<bool, ReplayError> {
        let line = lines::refused_line(number, text, refusal);
        let shown = self.shows(&line.topic);
        if shown {
            writeln!(self.output, "{}", line.text)?;
        }
        Ok(shown)
    }
    fn end(self) -> Result<(), ReplayError> {
        for line in self.summary.iter().flat_map(Summary::lines) {
            if self.only.as_deref().is_none_or(|only| line.0 == only) {
                writeln!(self.output, "{}", line.1)?;
            }
        }
        Ok(self.output.flush()?)
    }
}
