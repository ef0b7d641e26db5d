//! Everything that the tasks of a play share: the log, the store, the processes, the groups, and what was seen.
//! Virtual time, and each process's own clock on it. It performs nothing by itself.

use crate::chance::Chance;
use crate::coverage::Coverage;
use crate::faults::{Fault, Mix};
use crate::inputs::BEGINNING;
use crate::membership::Groups;
use crate::planted::Planted;
use crate::play::Script;
use crate::publisher::Line;
use crate::scenario::Scenario;
use crate::stage::{Agenda, Hand, OUTSIDE, Process, TaskId};
use crate::store::Shelves;
use avro_codec::SchemaStore;
use ballast::avro::AvroCodec;
use ballast::memory::MemoryLog;
use ballast::messages::OutMessage;
use ballast::stored::StoredRecord;
use ballast::worker::steady::Steady;
use domain::{SmolStr, Timestamp};
use engine::Step;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;
use xxhash_rust::xxh3::Xxh3;

/// By how much a clock jumps.
const JUMP: i64 = 3_600_000_000;
/// By how much all clocks have gone on in the calm: what ran ahead is caught up with.
const AFTERWARDS: i64 = 2 * JUMP;

/// A process of the service.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// Whether it runs.
    pub alive: bool,
    /// Microseconds by which its clock is wrong.
    pub skew: i64,
    /// When the group last heard of it.
    pub heard: Duration,
    /// Until when it is stopped.
    pub frozen: Duration,
}

/// The world of a play.
pub struct World {
    /// What is to happen.
    pub agenda: RefCell<Agenda>,
    /// The brokers' log.
    pub log: MemoryLog,
    /// Chance.
    pub chance: Chance,
    /// What strikes how often.
    pub mix: Mix,
    /// What is played.
    pub scenario: Scenario,
    /// The store of checkpoints.
    pub shelves: RefCell<Shelves>,
    /// Processes.
    pub machines: RefCell<Vec<Machine>>,
    /// Who has which lane.
    pub groups: RefCell<Groups>,
    /// Producers of lanes, also of lives that have ended.
    pub lines: RefCell<BTreeMap<(Process, usize, i32), Rc<Line>>>,
    /// Until when the brokers are away.
    pub down_until: Cell<Duration>,
    /// Counts the transactions of each id, so that an old time-out meets no new one.
    pub transactions: RefCell<BTreeMap<SmolStr, u64>>,
    /// What happened.
    pub coverage: RefCell<Coverage>,
    /// What must not have happened.
    pub wrongs: RefCell<Vec<String>>,
    /// The text of what happened, where it is wanted.
    pub tale: Option<RefCell<Vec<String>>>,
    /// The play ends: tasks of people end too.
    pub closing: Cell<bool>,
    /// Every lane was asked to finish.
    pub finishing: Cell<bool>,
    /// Ids of whose committed transaction a marker was lost, until the next one is committed.
    pub hung: RefCell<BTreeSet<SmolStr>>,
    /// Brokers have taken back what they had confirmed: nothing can be said of the log any more.
    pub taken_back: Cell<bool>,
    /// Committed records that retention has deleted.
    pub deleted: RefCell<BTreeMap<(SmolStr, i32), Vec<StoredRecord>>>,
    /// Whether the end is judged by what is left.
    pub as_kept: bool,
    /// Conflators that have lost a frame and do not know it yet.
    pub lost_frames: RefCell<BTreeSet<TaskId>>,
    planted: Option<Planted>,
    digest: RefCell<Xxh3>,
    afterwards: Cell<i64>,
}

impl World {
    /// A world at its beginning.
    pub fn new(scenario: Scenario, chance: Chance, mix: Mix, script: &Script) -> Rc<Self> {
        let machines = vec![Machine { alive: true, ..Machine::default() }; scenario.processes];
        Rc::new(Self {
            agenda: RefCell::default(),
            log: MemoryLog::new(),
            chance,
            mix,
            shelves: RefCell::default(),
            machines: RefCell::new(machines),
            groups: RefCell::new(Groups::new(scenario.lanes, scenario.with_router)),
            scenario,
            lines: RefCell::default(),
            down_until: Cell::new(Duration::ZERO),
            transactions: RefCell::default(),
            coverage: RefCell::default(),
            wrongs: RefCell::default(),
            tale: script.told.then(RefCell::default),
            planted: script.planted,
            closing: Cell::new(false),
            finishing: Cell::new(false),
            hung: RefCell::default(),
            taken_back: Cell::new(false),
            deleted: RefCell::default(),
            as_kept: script.as_kept,
            lost_frames: RefCell::default(),
            digest: RefCell::new(Xxh3::new()),
            afterwards: Cell::new(0),
        })
    }

    /// Whether the ports make a mistake.
    pub fn errs(&self, planted: Planted) -> bool {
        self.planted == Some(planted)
    }
    /// Virtual time since the beginning.
    pub fn now(&self) -> Duration {
        self.agenda.borrow().now()
    }
    /// The right time.
    pub fn time(&self) -> Timestamp {
        Timestamp::from_micros(BEGINNING + self.afterwards.get() + micros(self.now()))
    }
    /// The time by a process's clock.
    pub fn clock(&self, process: Process) -> Timestamp {
        let skew = self.machines.borrow().get(process).map_or(0, |machine| machine.skew);
        self.time().plus_micros(skew)
    }
    /// Whether a fault strikes now; it is noted.
    pub fn strikes(&self, fault: Fault) -> bool {
        let strikes = self.chance.strikes(fault.name(), self.mix.rate(fault));
        if strikes {
            self.tell(|| format!("fault: {}", fault.name()));
        }
        strikes
    }
    /// Notes what happens: in the digest of the play, in its tale, among what was covered.
    pub fn note(&self, kind: &'static str, name: &str, say: impl FnOnce() -> String) {
        self.coverage.borrow_mut().saw(kind, name);
        self.tell(|| format!("{kind}: {}", say()));
    }
    /// The same, for what is not counted.
    pub fn tell(&self, say: impl FnOnce() -> String) {
        let now = micros(self.now());
        let line = format!("{:>6}.{:03} {}", now / 1000, now % 1000, say());
        self.digest.borrow_mut().update(line.as_bytes());
        if let Some(tale) = &self.tale {
            tale.borrow_mut().push(line);
        }
    }
    /// Something that must never happen has.
    pub fn wrong(&self, what: String) {
        self.tell(|| format!("WRONG {what}"));
        self.wrongs.borrow_mut().push(what);
    }
    /// The digest of all that happened so far and of every record.
    pub fn digest(&self) -> u64 {
        let mut digest = self.digest.borrow().clone();
        for (topic, partition) in self.log.places() {
            for record in self.log.uncommitted(&topic, partition, 0) {
                digest.update(topic.as_bytes());
                digest.update(&partition.to_be_bytes());
                digest.update(&record.offset.to_be_bytes());
                digest.update(record.value.as_deref().unwrap_or_default());
                record.headers.iter().for_each(|header| digest.update(&header.value));
            }
        }
        digest.digest()
    }
    /// Brokers delete what a partition holds below an offset.
    pub fn trim(&self, topic: &str, partition: i32, below: i64) {
        let gone = self.log.range(topic, partition, 0, below);
        self.deleted.borrow_mut().entry((SmolStr::new(topic), partition)).or_default().extend(gone);
        self.log.trim(topic, partition, below);
    }
    /// Every committed record of a partition, as it is judged: what was deleted has been there.
    pub fn judged(&self, topic: &str, partition: i32) -> Vec<StoredRecord> {
        let mut records = Vec::new();
        if !self.as_kept {
            records.extend(self.deleted.borrow().get(&(SmolStr::new(topic), partition)).into_iter().flatten().cloned());
        }
        records.extend(self.log.read(topic, partition, 0));
        records
    }
    /// Schemas that everybody knows.
    pub fn schemas(&self) -> SchemaStore {
        SchemaStore::compiled()
    }
    /// A lane's codec.
    pub fn codec(&self) -> AvroCodec {
        AvroCodec::replaying(self.schemas())
    }
    /// A lane hands a step to its producer.
    pub fn saw_step(&self, role: &str, lane: i32, step: &Step) {
        self.tell(|| {
            format!(
                "{role} lane {lane} closes step {}: {} windows, {} outputs",
                step.begin.step,
                step.begin.windows.len(),
                step.outputs.len()
            )
        });
    }
    /// Tells every committed record, as people read them.
    pub fn tell_records(&self) {
        for (topic, partition) in self.log.places() {
            for record in self.log.read(&topic, partition, 0) {
                let step =
                    |name: &str| record.headers.iter().find(|h| h.name == name).map(|h| String::from_utf8_lossy(&h.value).into_owned());
                let (step, json) = (step("step").unwrap_or_default(), ballast::avro::json_of(&self.schemas(), &topic, &record));
                self.tell(|| format!("{topic}/{partition}@{} {} step {step} {json}", record.offset, record.appended));
            }
        }
    }
    /// Appends a record from outside the service.
    pub fn append(&self, message: OutMessage) -> i64 {
        self.log.set_clock(self.time());
        self.log.append(message)
    }

    /// A process dies: it begins again under its name after a while.
    pub fn process_dies(self: &Rc<Self>, process: Process) {
        if process == OUTSIDE || !self.machines.borrow()[process].alive {
            return;
        }
        self.tell(|| format!("process {process} dies"));
        self.machines.borrow_mut()[process].alive = false;
        self.lines.borrow_mut().retain(|(owner, ..), _| *owner != process);
        self.groups.borrow_mut().process_died(process);
        let long = if self.chance.often("process.away.long", 2500) { 9000 } else { 1500 };
        let away = Duration::from_millis(self.chance.between("process.away", 50, long));
        let mut agenda = self.agenda.borrow_mut();
        agenda.kill(process);
        agenda.after(away, move |world| world.process_begins(process));
    }
    /// A process dies for ever.
    pub fn process_ends(&self, process: Process) {
        self.machines.borrow_mut()[process].alive = false;
        self.groups.borrow_mut().process_died(process);
        self.agenda.borrow_mut().kill(process);
    }
    /// A process begins.
    pub fn process_begins(&self, process: Process) {
        let now = self.now();
        let mut machines = self.machines.borrow_mut();
        let machine = &mut machines[process];
        (machine.alive, machine.heard, machine.frozen) = (true, now, Duration::ZERO);
        drop(machines);
        self.tell(|| format!("process {process} begins"));
    }
    /// A process is stopped for a while.
    pub fn process_stops(&self, process: Process, span: Duration) {
        let until = self.now() + span;
        self.machines.borrow_mut()[process].frozen = until;
        self.agenda.borrow_mut().freeze(process, until);
    }
    /// The clock of a process jumps, or is put right.
    pub fn clock_jumps(&self, process: Process) {
        let mut machines = self.machines.borrow_mut();
        let machine = &mut machines[process];
        machine.skew = match (machine.skew, self.chance.below("clock.way", 2)) {
            (0, 0) => JUMP,
            (0, _) => -JUMP,
            _ => 0,
        };
    }
    /// Faults stop: the brokers and every process are there, their clocks right and hours later.
    pub fn calm_down(&self) {
        self.chance.calm_down();
        self.down_until.set(Duration::ZERO);
        self.afterwards.set(AFTERWARDS);
        self.machines.borrow_mut().iter_mut().for_each(|machine| machine.skew = 0);
        self.tell(|| "calm".to_owned());
    }
}

/// Microseconds of a span of virtual time.
pub fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).expect("a play lasts minutes")
}

impl Hand<'_> {
    /// A place at which the process may die or be stopped: before and after each effect.
    pub fn effect(&self) {
        if self.process == OUTSIDE {
            return;
        }
        if self.world.strikes(Fault::Kill) {
            self.die();
        }
        if self.world.strikes(Fault::Pause) {
            let span = Duration::from_millis(self.world.chance.between("pause.span", 500, 12_000));
            self.world.process_stops(self.process, span);
            self.pass(Duration::ZERO);
        }
    }
    /// Lets so many microseconds pass, drawn between two bounds.
    pub fn latency(&self, least: u64, most: u64) {
        self.pass(Duration::from_micros(self.world.chance.between("latency", least, most)));
    }
}

impl Steady for Hand<'_> {
    fn elapsed(&self) -> Duration {
        self.world.now()
    }
    fn sleep(&self, span: Duration) {
        self.pass(span);
    }
}
