//! The inbox of a desk: which commands were seen, which are not answered, and the drift events that
//! answer them, whichever of the two came first. All of it is bounded.

use crate::commands::refuse;
use crate::cycle::desk::Purpose;
use crate::cycle::opening::{Refusal, is_outdated};
use crate::cycle::{Desk, Heard, Turn};
use domain::command::Command;
use domain::reason::ReasonCode;
use domain::{Output, SmolStr, Timestamp};
use engine::commands::{CommandMemory, Known};
use serde::{Deserialize, Serialize};

/// Commands of a portfolio that may wait for an answer.
const ASKED: usize = 32;
/// Answers that may wait for their command: as many as commands may wait for theirs.
const EARLY: usize = ASKED;
/// Seconds after which a command whose drift event never came is refused.
const ANSWER_SECONDS: i64 = 300;

/// A command that is not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The command.
    pub command: Box<Command>,
    /// Since when it waits.
    pub at: Timestamp,
    /// The drift event that answers it.
    pub answer: Option<Heard>,
    /// Whether another was asked for because the first was too old.
    pub renewed: bool,
}

/// What became of a command that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is new.
    New,
    /// It was seen before.
    Known,
    /// Its id was seen before, with other content.
    Conflict,
    /// Too many wait.
    Full,
}

/// The inbox.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Inbox {
    known: CommandMemory,
    asked: Vec<Asked>,
    early: Vec<(SmolStr, Heard)>,
}

impl Inbox {
    /// Remembers a command that nothing here waits for.
    pub fn hear(&mut self, command: &Command) -> Known {
        self.known.hear(command)
    }
    /// Takes a command in. One that finds no room is known all the same, as it is to the role that answers it.
    pub fn admit(&mut self, command: Box<Command>, now: Timestamp) -> Admission {
        match self.hear(&command) {
            Known::New => {}
            Known::Same => return Admission::Known,
            Known::Other => return Admission::Conflict,
        }
        if self.asked.len() >= ASKED {
            return Admission::Full;
        }
        let early = self.early.iter().position(|(id, _)| *id == command.command_id);
        let answer = early.map(|at| self.early.remove(at).1);
        self.asked.push(Asked { command, at: now, answer, renewed: false });
        Admission::New
    }
    /// Takes the drift event in that answers a command; one whose command is still to come waits for it.
    pub fn answer(&mut self, command_id: &SmolStr, heard: Heard) {
        if let Some(asked) = self.asked.iter_mut().find(|asked| asked.command.command_id == *command_id) {
            asked.answer = Some(heard);
        } else if !self.known.knows(heard.drift.portfolio_id.as_str(), command_id) {
            self.early.push((command_id.clone(), heard));
            if self.early.len() > EARLY {
                self.early.remove(0);
            }
        }
    }
    /// Takes the newer drift event in that was asked for.
    pub fn renew(&mut self, command_id: &SmolStr, heard: Heard) {
        if let Some(asked) = self.asked.iter_mut().find(|asked| asked.command.command_id == *command_id) {
            asked.answer = Some(heard);
        }
    }
    /// Takes all commands out, oldest first.
    pub fn take_asked(&mut self) -> Vec<Asked> {
        std::mem::take(&mut self.asked)
    }
    /// Puts a command back that still waits.
    pub fn put_back(&mut self, asked: Option<Asked>) {
        self.asked.extend(asked);
    }
    /// When the first of them has waited too long, in a portfolio that the position-keeper knows.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.asked.iter().map(|asked| asked.at.plus_seconds(ANSWER_SECONDS)).min()
    }
}

/// What may be done about a command that needs the book.
pub enum Ready {
    /// Act on this event.
    Act(Box<Command>, Heard),
    /// Wait for one.
    Wait(Asked),
    /// It was refused.
    Done,
}

/// Whether the book that a command needs has come, asking anew for one that is too old.
pub fn ready(desk: &mut Desk, mut asked: Asked, turn: &mut Turn<'_, '_>) -> Ready {
    let Some(heard) = asked.answer.take() else {
        // Of a portfolio without any drift event the position-keeper knows no policy: it dead-letters the command,
        // and that is its answer.
        if turn.now() < asked.at.plus_seconds(ANSWER_SECONDS) || desk.policy.is_none() {
            return Ready::Wait(asked);
        }
        let kind = asked.command.kind;
        let text = format!(
            "no drift event answered this {kind} in {ANSWER_SECONDS} s: the portfolio had no policy when it was asked (a dead letter says so then), or the position-keeper does not run; ask again under a new command_id"
        );
        refuse(desk, &asked.command, Refusal::new(ReasonCode::DataGap, text), turn);
        return Ready::Done;
    };
    // Orders of a command that were made on the book of before a corporate action would leave after it.
    if !is_outdated(desk, &heard, turn.now()) && !desk.has_moved_since(heard.offset) {
        return Ready::Act(asked.command, heard);
    }
    if asked.renewed {
        let text = "the drift event that was asked for anew is too old as well: look at the lag";
        refuse(desk, &asked.command, Refusal::new(ReasonCode::Backlog, text), turn);
        return Ready::Done;
    }
    let purpose = Purpose::Command(asked.command.command_id.clone());
    let refresh = desk.ask(turn.portfolio, purpose, "the drift event that answers a command waited too long");
    turn.emit(Output::Refresh(Box::new(refresh)));
    Ready::Wait(Asked { renewed: true, at: turn.now(), ..asked })
}
