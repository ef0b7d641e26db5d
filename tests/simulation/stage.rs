//! The stage: everybody's work as tasks that stop wherever they wait for the world, and one virtual time.
//! One thread runs them, in the order of their moments; the same agenda gives the same play. A task that is killed
//! ends where it stood, whatever it was doing. It knows nothing of what tasks do.

use crate::world::World;
use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// Bytes of a task's stack; memory is taken as it is used.
const STACK: usize = 1 << 20;

/// Who a task works for; [`OUTSIDE`] cannot be killed.
pub type Process = usize;
/// Brokers, store, feeds and people.
pub const OUTSIDE: Process = usize::MAX;
/// A task's number, never used twice.
pub type TaskId = u64;

/// Where a task stops.
pub enum Stop {
    /// For so long.
    Pass(Duration),
    /// For ever: its process dies here.
    Die,
}

type Body = Box<dyn FnOnce(&Hand<'_>)>;
type Call = Box<dyn FnOnce(&Rc<World>)>;

/// What a task holds: the way to wait, and the world.
pub struct Hand<'a> {
    yielder: &'a Yielder<(), Stop>,
    /// The world.
    pub world: &'a Rc<World>,
    /// Whose task it is.
    pub process: Process,
    /// Its number.
    pub task: TaskId,
}

impl Hand<'_> {
    /// Lets virtual time pass.
    pub fn pass(&self, span: Duration) {
        self.yielder.suspend(Stop::Pass(span));
    }
    /// Dies here, with the whole process.
    pub fn die(&self) {
        self.yielder.suspend(Stop::Die);
    }
}

enum What {
    /// A task goes on, unless it was woken meanwhile.
    Resume(TaskId, u64),
    /// Something happens by itself.
    Happen(Call),
}

struct Birth {
    id: TaskId,
    process: Process,
    body: Body,
}

/// What is to happen, and who is to be born and killed.
#[derive(Default)]
pub struct Agenda {
    now: Duration,
    serial: u64,
    tasks: TaskId,
    entries: BTreeMap<(Duration, u64), What>,
    births: Vec<Birth>,
    killed: Vec<Process>,
    woken: Vec<TaskId>,
    frozen: BTreeMap<Process, Duration>,
}

impl Agenda {
    /// The virtual time.
    pub fn now(&self) -> Duration {
        self.now
    }
    fn put(&mut self, at: Duration, what: What) {
        self.serial += 1;
        self.entries.insert((at, self.serial), what);
    }
    /// Lets something happen after a while.
    pub fn after(&mut self, span: Duration, call: impl FnOnce(&Rc<World>) + 'static) {
        self.put(self.now + span, What::Happen(Box::new(call)));
    }
    /// Begins a task; its number.
    pub fn begin(&mut self, process: Process, body: impl FnOnce(&Hand<'_>) + 'static) -> TaskId {
        self.tasks += 1;
        self.births.push(Birth { id: self.tasks, process, body: Box::new(body) });
        self.tasks
    }
    /// Kills every task of a process, at once.
    pub fn kill(&mut self, process: Process) {
        self.killed.push(process);
        self.frozen.remove(&process);
    }
    /// Stops a process until a moment, as SIGSTOP does.
    pub fn freeze(&mut self, process: Process, until: Duration) {
        self.frozen.insert(process, until);
    }
    /// Lets a task go on at once.
    pub fn wake(&mut self, task: TaskId) {
        self.woken.push(task);
    }
}

struct Task {
    process: Process,
    coroutine: Coroutine<(), Stop, (), DefaultStack>,
    ticket: u64,
}

/// The stage.
pub struct Stage {
    world: Rc<World>,
    tasks: BTreeMap<TaskId, Task>,
    stacks: Vec<DefaultStack>,
    /// Moments played.
    pub moments: u64,
}

impl Stage {
    /// A stage for a world.
    pub fn new(world: Rc<World>) -> Self {
        Self { world, tasks: BTreeMap::new(), stacks: Vec::new(), moments: 0 }
    }

    /// Plays until a moment, or until `done` says so after some moment.
    pub fn play(&mut self, until: Duration, mut done: impl FnMut(&World) -> bool) {
        loop {
            self.settle();
            let next = {
                let mut agenda = self.world.agenda.borrow_mut();
                match agenda.entries.first_key_value() {
                    Some(((at, _), _)) if *at <= until => agenda.entries.pop_first().map(|((at, _), what)| {
                        agenda.now = at;
                        what
                    }),
                    _ => None,
                }
            };
            let Some(what) = next else { return };
            self.moments += 1;
            match what {
                What::Happen(call) => call(&self.world),
                What::Resume(task, ticket) => self.resume(task, ticket),
            }
            if done(&self.world) {
                return;
            }
        }
    }

    /// Ends every task, as the end of the world does.
    pub fn clear(&mut self) {
        self.tasks.clear();
        let mut agenda = self.world.agenda.borrow_mut();
        agenda.entries.clear();
        agenda.births.clear();
    }

    fn resume(&mut self, id: TaskId, ticket: u64) {
        let Some(task) = self.tasks.get_mut(&id).filter(|task| task.ticket == ticket) else { return };
        {
            let mut agenda = self.world.agenda.borrow_mut();
            let now = agenda.now;
            match agenda.frozen.get(&task.process).copied() {
                Some(until) if until > now => return agenda.put(until, What::Resume(id, ticket)),
                Some(_) => drop(agenda.frozen.remove(&task.process)),
                None => {}
            }
        }
        match task.coroutine.resume(()) {
            CoroutineResult::Yield(Stop::Pass(span)) => {
                let mut agenda = self.world.agenda.borrow_mut();
                let at = agenda.now + span;
                agenda.put(at, What::Resume(id, ticket));
            }
            CoroutineResult::Yield(Stop::Die) => {
                let process = task.process;
                self.world.process_dies(process);
            }
            CoroutineResult::Return(()) => {
                if let Some(task) = self.tasks.remove(&id) {
                    self.stacks.push(task.coroutine.into_stack());
                }
            }
        }
    }

    /// Does what the last moment has asked for.
    fn settle(&mut self) {
        let (killed, births, woken) = {
            let mut agenda = self.world.agenda.borrow_mut();
            (std::mem::take(&mut agenda.killed), std::mem::take(&mut agenda.births), std::mem::take(&mut agenda.woken))
        };
        if !killed.is_empty() {
            self.tasks.retain(|_, task| !killed.contains(&task.process));
        }
        for birth in births {
            self.bear(birth);
        }
        for id in woken {
            if let Some(task) = self.tasks.get_mut(&id) {
                task.ticket += 1;
                let ticket = task.ticket;
                let mut agenda = self.world.agenda.borrow_mut();
                let now = agenda.now;
                agenda.put(now, What::Resume(id, ticket));
            }
        }
    }

    fn bear(&mut self, birth: Birth) {
        let Birth { id, process, body } = birth;
        let stack = self.stacks.pop().unwrap_or_else(|| DefaultStack::new(STACK).expect("there is memory for a stack"));
        let world = self.world.clone();
        let coroutine = Coroutine::with_stack(stack, move |yielder: &Yielder<(), Stop>, ()| {
            body(&Hand { yielder, world: &world, process, task: id });
        });
        self.tasks.insert(id, Task { process, coroutine, ticket: 0 });
        let mut agenda = self.world.agenda.borrow_mut();
        let now = agenda.now;
        agenda.put(now, What::Resume(id, 0));
    }
}
