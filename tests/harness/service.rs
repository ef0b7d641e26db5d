//! A process of the service: started, watched through its log lines, signalled, and killed when dropped.

use crate::stack::Stack;
use crate::waiting::until;
use domain::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant, SystemTime};

/// Generous: the machine may be busy.
const LONG: Duration = Duration::from_secs(60);

/// What a lane says that runs again.
const RECOVERED: &str = "recovered";

/// One process.
pub struct Service {
    roles: Vec<String>,
    instance: String,
    settings: Vec<String>,
    child: Child,
    log: PathBuf,
    /// The logs of earlier lives.
    earlier: Vec<PathBuf>,
    started: Timestamp,
}

/// A lane that was recovered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Role.
    pub role: String,
    /// Lane.
    pub lane: u64,
    /// The step that it stands at.
    pub step: i64,
    /// Steps that were computed again.
    pub replayed: u64,
    /// Milliseconds from assignment to running.
    pub took_ms: u64,
    /// When.
    pub at: Timestamp,
}

impl Service {
    /// Starts roles under an instance's name; `settings` are `section.key=value`.
    ///
    /// # Panics
    /// When the process cannot be started.
    pub fn start(stack: &Stack, roles: &[&str], instance: &str, settings: &[&str]) -> Self {
        let roles: Vec<_> = roles.iter().map(|role| (*role).to_owned()).collect();
        let settings: Vec<_> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let (child, log) = spawn(stack, &roles, instance, &settings);
        Self { roles, instance: instance.to_owned(), settings, child, log, earlier: Vec::new(), started: now() }
    }

    /// Starts the same again after its end; the old process must be gone.
    pub fn restart(&mut self, stack: &Stack) {
        self.earlier.push(std::mem::take(&mut self.log));
        (self.child, self.log) = spawn(stack, &self.roles, &self.instance, &self.settings);
        self.started = now();
    }

    /// Its roles, for messages.
    pub fn name(&self) -> String {
        format!("{} {}", self.roles.join("+"), self.instance)
    }
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
    /// When it was started.
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// SIGKILL.
    ///
    /// # Panics
    /// When it had ended by itself.
    pub fn kill(&mut self) {
        self.assert_runs();
        self.child.kill().expect("our own child can be killed");
        self.child.wait().expect("our own child can be waited for");
    }

    /// Any signal by name: STOP, CONT, TERM.
    ///
    /// # Panics
    /// When it cannot be sent.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill can be run").success(), "signal {name} to {}", self.name());
    }

    /// SIGTERM, and how it left.
    pub fn terminate(&mut self) -> (ExitStatus, Duration) {
        self.assert_runs();
        let asked = Instant::now();
        self.signal("TERM");
        let status = until("the process leaves after SIGTERM", LONG, || self.child.try_wait().expect("our own child"));
        (status, asked.elapsed())
    }

    /// Whether it has ended without ever having begun: no broker answered while it started, and it said so.
    pub fn gave_up_starting(&mut self) -> bool {
        let failed = self.child.try_wait().expect("our own child").is_some_and(|status| status.code() == Some(1));
        failed && std::fs::read_to_string(&self.log).unwrap_or_default().contains("no broker answered")
    }

    /// Fails the test if the process has ended by itself.
    ///
    /// # Panics
    /// If so.
    pub fn assert_runs(&mut self) {
        let ended = self.child.try_wait().expect("our own child");
        assert!(ended.is_none(), "{} has ended by itself: {ended:?}; log: {}", self.name(), self.log.display());
    }

    /// The log lines since the last start.
    pub fn lines(&self) -> Vec<Value> {
        lines_of(&self.log)
    }

    fn lines_of_all_lives(&self) -> Vec<Value> {
        self.earlier.iter().chain([&self.log]).flat_map(|log| lines_of(log)).collect()
    }

    /// The lines with this message.
    pub fn lines_saying(&self, message: &str) -> Vec<Value> {
        self.lines().into_iter().filter(|line| says(line, message)).collect()
    }

    /// What was recovered since the last start, the newest of each lane.
    pub fn recovered(&self) -> Vec<Recovered> {
        let mut newest = BTreeMap::new();
        for line in self.lines_saying(RECOVERED).iter().filter_map(recovered_of) {
            newest.insert((line.role.clone(), line.lane), line);
        }
        newest.into_values().collect()
    }

    /// What was ever recovered, over all its lives.
    pub fn recovered_ever(&self) -> Vec<Recovered> {
        self.lines_of_all_lives().iter().filter(|line| says(line, RECOVERED)).filter_map(recovered_of).collect()
    }

    /// Waits until so many lanes (over all its roles) run.
    ///
    /// # Panics
    /// When they do not within a minute.
    pub fn await_lanes(&mut self, lanes: usize) -> Vec<Recovered> {
        let what = format!("{lanes} lanes of {} run", self.name());
        until(&what, LONG, || {
            self.assert_runs();
            Some(self.recovered()).filter(|recovered| recovered.len() >= lanes)
        })
    }

    /// Lines of the level ERROR: what must not be in a sound run. What the Kafka client says of broken
    /// connections (it names its facility) is not the service's.
    pub fn errors(&self) -> Vec<Value> {
        self.lines().into_iter().filter(is_error).collect()
    }

    /// The same of all its lives.
    pub fn errors_of_all_lives(&self) -> Vec<Value> {
        self.lines_of_all_lives().into_iter().filter(is_error).collect()
    }
}

fn says(line: &Value, message: &str) -> bool {
    line["message"].as_str().is_some_and(|text| text.contains(message))
}

fn is_error(line: &Value) -> bool {
    line["level"] == "ERROR" && line.get("facility").is_none()
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(log: &Path) -> Vec<Value> {
    let text = std::fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn spawn(stack: &Stack, roles: &[String], instance: &str, settings: &[String]) -> (Child, PathBuf) {
    let log = stack.logs().join(format!("{}.log", Stack::unique(&format!("{}-{instance}", roles.join("+")))));
    let file = File::create(&log).expect("the folder of logs is there");
    let mut command = stack.command(&["run"]);
    command.env("BALLAST_KAFKA_BROKERS", stack.brokers_of_the_service()).args(roles).args(["--instance", instance]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    let child = command.stdout(file.try_clone().expect("a file")).stderr(file).spawn().expect("the executable can be run");
    (child, log)
}

fn recovered_of(line: &Value) -> Option<Recovered> {
    Some(Recovered {
        role: line.get("role")?.as_str()?.to_owned(),
        lane: line.get("lane")?.as_u64()?,
        step: line.get("step")?.as_i64()?,
        replayed: line.get("replayed")?.as_u64()?,
        took_ms: line.get("took_ms")?.as_u64()?,
        at: line.get("timestamp")?.as_str()?.parse().ok()?,
    })
}

/// The machine's time.
///
/// # Panics
/// Before 1970.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    Timestamp::from_micros(i64::try_from(since.as_micros()).expect("before the year 290000"))
}
