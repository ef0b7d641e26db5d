//! What may go wrong, and how often it does in a play: each seed enables some of it, so that faults meet each other in
//! every combination and none drowns the others. It decides nothing: who asks does.

use crate::chance::Chance;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $rate:literal);+ $(;)?) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[$doc])* $name),+ }
        impl Fault {
            /// Every kind.
            pub const ALL: &'static [Fault] = &[$(Fault::$name),+];
            /// Its name, as it is shown.
            pub const fn name(self) -> &'static str { match self { $(Fault::$name => $text),+ } }
            /// How often it strikes in ten thousand chances, where it is enabled, at its middle strength.
            const fn rate(self) -> u64 { match self { $(Fault::$name => $rate),+ } }
        }
    };
}

faults! {
    /// A process dies at an effect of its own.
    Kill = "kill", 6;
    /// A process is stopped at an effect, and goes on later as if nothing had been.
    Pause = "pause", 3;
    /// The clock of a process jumps by an hour.
    ClockJump = "clock-jump", 2000;
    /// The group gives a lane to another process.
    HandOver = "hand-over", 150;
    /// An owner is not told that its lane was given away.
    SplitBrain = "split-brain", 3000;
    /// The brokers are away for a while.
    BrokerRestart = "broker-restart", 120;
    /// A request takes long.
    BrokerSlow = "broker-slow", 60;
    /// A record was appended; the answer comes late and the connection was lost.
    AppendAnswerLost = "append-answer-lost", 60;
    /// A record cannot be delivered in time.
    AppendFails = "append-fails", 30;
    /// A take-over was done and its answer lost: it is done once more.
    TakeOverAnswerLost = "take-over-answer-lost", 1000;
    /// The end of a transaction was decided; the client hears of it only when it has asked again.
    EndAnswerLost = "end-answer-lost", 150;
    /// The request to end a transaction is held, asked again in silence, and arrives later.
    EndHeld = "end-held", 150;
    /// The connection breaks in the middle of ending a transaction; the first request arrives later.
    EndCut = "end-cut", 150;
    /// Ending failed as far as the client knows, though it was done.
    EndFailsDone = "end-fails-done", 100;
    /// Ending failed, and was not done.
    EndFailsUndone = "end-fails-undone", 100;
    /// The markers of a transaction come late.
    MarkerSlow = "marker-slow", 300;
    /// A marker of a committed transaction is lost.
    MarkerLost = "marker-lost", 40;
    /// A frame arrives late, also after its conflator has died.
    FrameLate = "frame-late", 200;
    /// A frame cannot be delivered.
    FrameLost = "frame-lost", 100;
    /// A checkpoint was stored, and nobody was told.
    SaveAnswerLost = "save-answer-lost", 1500;
    /// A checkpoint was refused: a serialization failure, or no connection.
    SaveFails = "save-fails", 1500;
    /// A checkpoint counts as failed and is stored later.
    SaveLate = "save-late", 1500;
    /// Storing a checkpoint takes long.
    SaveSlow = "save-slow", 1500;
    /// The store does not answer a load.
    LoadFails = "load-fails", 1500;
    /// The newest checkpoint fails its check.
    Corrupt = "corrupt-checkpoint", 2500;
    /// The newest checkpoint is taken away: the store was put back to an older day.
    PutBack = "checkpoint-put-back", 300;
    /// An input is sent twice.
    SentTwice = "sent-twice", 1500;
    /// An input comes later than it was meant to, behind others.
    SentLate = "sent-late", 1500;
    /// Bytes that nobody can read.
    Malformed = "malformed", 500;
    /// A record under the key of another portfolio.
    Misfiled = "misfiled", 300;
    /// The same execution with other content.
    Conflict = "conflict", 300;
    /// A router says nothing of an order.
    RouterSilent = "router-silent", 1500;
    /// A router rejects an order.
    RouterRejects = "router-rejects", 1500;
    /// A router fills more than was ordered.
    RouterOverfills = "router-overfills", 700;
    /// A router says everything twice.
    RouterTwice = "router-twice", 2000;
    /// A router fills in parts, slowly, and cancels the rest.
    RouterParts = "router-parts", 2500;
    /// A process dies while a commit of its own is in trouble.
    KillInTrouble = "kill-in-trouble", 2000;
    /// The request to end a transaction is overtaken by its own repetition, and nobody sees anything of it.
    EndOvertaken = "end-overtaken", 200;
    /// The brokers delete what has grown old of progress and frames.
    Retention = "retention", 2500;
}

/// How often each kind strikes in one play.
pub struct Mix(Vec<u64>);

impl Mix {
    /// The mix of a seed: one in eight is without faults, others enable about half of the kinds, each at its own
    /// strength. A `harsh` one has faults in every seed, and more of them: where a mistake is looked for.
    pub fn of(chance: &Chance, harsh: bool) -> Self {
        let none = chance.below("mix.none", 8) == 0 && !harsh;
        let rate = |fault: &Fault| {
            let enabled = chance.below("mix.enabled", 2) == 1 && !none;
            let strength = chance.between("mix.strength", 1, 4) * if harsh { 3 } else { 1 };
            if enabled { fault.rate() * strength / 2 } else { 0 }
        };
        Self(Fault::ALL.iter().map(rate).collect())
    }
    /// How often a kind strikes in ten thousand.
    pub fn rate(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }
}
