//! `ballast replay`: the whole core on JSON lines, without a server. The clock is event time, each
//! line is a step of its own and each tick a frame of its own unless a window groups them.
//! The same lines give the same bytes.

mod machine;
mod summary;

use crate::lines::{self, Line};
use domain::Timestamp;
use domain::reason::DeadLetterCode;
use engine::{Refusal, Settings};
use machine::Machine;
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
pub fn replay(input: impl BufRead, output: &mut dyn Write, options: &Options) -> Result<Verdict, ReplayError> {
    let mut session = Session::new(options, output);
    for (index, bytes) in input.split(b'\n').enumerate() {
        let bytes = bytes?;
        let number = i64::try_from(index).unwrap_or(i64::MAX).saturating_add(1);
        let text = String::from_utf8_lossy(&bytes);
        if text.trim().is_empty() {
            continue;
        }
        let valid = std::str::from_utf8(&bytes).map_err(|_| Refusal::new(DeadLetterCode::Undecodable, "the line is not UTF-8"));
        match valid.and_then(lines::read_line).and_then(lines::from_outside) {
            Ok(line) => session.line(Numbered { number, line }, options)?,
            Err(refusal) => session.refuse(number, &text, &refusal, options)?,
        }
    }
    session.start(Timestamp::default(), options)?;
    session.run(options)?;
    session.end()
}

/// A line and its number.
pub(crate) struct Numbered {
    /// From 1.
    pub(crate) number: i64,
    /// The line.
    pub(crate) line: Line,
}

struct Session<'a> {
    machine: Machine,
    printer: Printer<'a>,
    group: Vec<Numbered>,
    dead: i64,
    /// Lines before the first that names a moment: they happen at that moment. `None` once it has come.
    timeless: Option<Vec<Numbered>>,
}

impl<'a> Session<'a> {
    fn new(options: &Options, output: &'a mut dyn Write) -> Self {
        let machine = Machine::new(&options.settings);
        Self { machine, printer: Printer::new(output, options), group: Vec::new(), dead: 0, timeless: Some(Vec::new()) }
    }
    fn line(&mut self, line: Numbered, options: &Options) -> Result<(), ReplayError> {
        if let Some(timeless) = &mut self.timeless {
            let Some(moment) = line.line.moment() else {
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
        let joins = match (options.window, self.group.first().and_then(|first| first.line.timestamp), line.line.timestamp) {
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
    fn run(&mut self, options: &Options) -> Result<(), ReplayError> {
        if self.group.is_empty() {
            return Ok(());
        }
        let group = std::mem::take(&mut self.group);
        let number = group[0].number;
        let published = self.machine.run(group)?;
        for record in published {
            if let domain::Output::DeadLetter(letter) = &record.output {
                self.dead += 1;
                if options.strict {
                    return Err(ReplayError::WrongLine { number, text: format!("{}: {}", letter.code, letter.text) });
                }
            }
            self.printer.print(&record)?;
        }
        Ok(())
    }
    fn refuse(&mut self, number: i64, text: &str, refusal: &Refusal, options: &Options) -> Result<(), ReplayError> {
        self.run(options)?;
        if options.strict {
            return Err(ReplayError::WrongLine { number, text: format!("{}: {}", refusal.code, refusal.text) });
        }
        self.dead += 1;
        self.printer.refused(number, text, refusal)
    }
    fn end(mut self) -> Result<Verdict, ReplayError> {
        for record in self.machine.finish()? {
            self.dead += i64::from(matches!(record.output, domain::Output::DeadLetter(_)));
            self.printer.print(&record)?;
        }
        self.printer.end()?;
        Ok(if self.dead == 0 { Verdict::Applied } else { Verdict::SomeDeadLettered })
    }
}

/// A record as the core published it.
pub(crate) struct Published {
    /// The record.
    pub(crate) output: domain::Output,
    /// Clock of its step.
    pub(crate) time: Timestamp,
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
    fn print(&mut self, record: &Published) -> Result<(), ReplayError> {
        if let Some(summary) = &mut self.summary {
            summary.take(record);
            return Ok(());
        }
        let topic = lines::topic_name(&record.output);
        if self.wants(topic) {
            writeln!(self.output, "{}", lines::print_line(topic, Some(record.time), &lines::output_json(&record.output)))?;
        }
        Ok(())
    }
    fn refused(&mut self, number: i64, text: &str, refusal: &Refusal) -> Result<(), ReplayError> {
        if self.summary.is_none() {
            let line = lines::refused_line(number, text, refusal);
            if self.only.as_deref().is_none_or(|only| line.topic == only) {
                writeln!(self.output, "{}", line.text)?;
            }
        }
        Ok(())
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
