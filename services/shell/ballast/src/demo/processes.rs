//! The roles as processes of their own, each with its log file: started, killed, started again, and
//! always ended with the demo.

use anyhow::Context as _;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the roles may take to finish their steps.
const FINISH: Duration = Duration::from_secs(6);

/// The roles that run.
pub(super) struct Processes {
    program: PathBuf,
    logs: PathBuf,
    common: Vec<String>,
    running: Vec<Process>,
}

struct Process {
    role: &'static str,
    settings: Vec<String>,
    child: Child,
}

impl Processes {
    /// Nothing runs yet; `common` settings go to every process.
    pub(super) fn new(logs: &Path, common: Vec<String>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(logs).with_context(|| format!("making {}", logs.display()))?;
        Ok(Self { program: std::env::current_exe()?, logs: logs.to_owned(), common, running: Vec::new() })
    }

    /// Starts a role with settings of its own.
    pub(super) fn start(&mut self, role: &'static str, settings: &[&str]) -> anyhow::Result<()> {
        let settings: Vec<_> = settings.iter().map(|&setting| setting.to_owned()).collect();
        let child = self.spawn(role, &settings, true)?;
        self.running.push(Process { role, settings, child });
        self.record();
        Ok(())
    }

    /// SIGKILL; the role is dead when this returns.
    pub(super) fn kill(&mut self, role: &str) -> anyhow::Result<()> {
        let index = self.index(role)?;
        self.running[index].child.kill()?;
        self.running[index].child.wait()?;
        Ok(())
    }

    /// A new process for a role that was killed, under the same name.
    pub(super) fn restart(&mut self, role: &str) -> anyhow::Result<()> {
        let index = self.index(role)?;
        let (role, settings) = (self.running[index].role, self.running[index].settings.clone());
        self.running[index].child = self.spawn(role, &settings, false)?;
        self.record();
        Ok(())
    }

    fn index(&self, role: &str) -> anyhow::Result<usize> {
        self.running.iter().position(|process| process.role == role).with_context(|| format!("no {role} runs"))
    }

    /// Fails when a process has ended by itself.
    pub(super) fn all_alive(&mut self) -> anyhow::Result<()> {
        for process in &mut self.running {
            if let Some(status) = process.child.try_wait()? {
                let log = log_file(&self.logs, process.role);
                anyhow::bail!("the {} has ended ({status}); the end of {}:\n{}", process.role, log.display(), last_lines(&log));
            }
        }
        Ok(())
    }

    /// Asks the processes of these roles to finish, and ends those that do not.
    pub(super) fn finish(&mut self, asked: impl Fn(&str) -> bool) {
        let (mut ending, staying): (Vec<_>, Vec<_>) = self.running.drain(..).partition(|process| asked(process.role));
        self.running = staying;
        for process in &ending {
            // The standard library cannot send SIGTERM. A process that is not asked is ended below.
            let _ = Command::new("kill").args(["-TERM", &process.child.id().to_string()]).status();
        }
        let end = Instant::now() + FINISH;
        for process in &mut ending {
            while Instant::now() < end && matches!(process.child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        end_now(ending);
        self.record();
    }

    fn spawn(&self, role: &str, settings: &[String], fresh: bool) -> anyhow::Result<Child> {
        let path = log_file(&self.logs, role);
        let log = if fresh { File::create(&path) } else { OpenOptions::new().append(true).open(&path) };
        let log = log.with_context(|| format!("opening {}", path.display()))?;
        let mut command = Command::new(&self.program);
        command.args(["run", role, "--instance", "demo"]);
        for setting in self.common.iter().chain(settings) {
            command.args(["--set", setting]);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        command.spawn().with_context(|| format!("starting {role}"))
    }

    /// Writes down who runs, for `make down` after a demo that was itself killed.
    fn record(&self) {
        let pids: Vec<_> = self.running.iter().map(|process| process.child.id().to_string()).collect();
        // Only a convenience: the demo ends its processes itself.
        let _ = std::fs::write(self.logs.join("demo.pids"), pids.join("\n") + "\n");
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        end_now(std::mem::take(&mut self.running));
        let _ = std::fs::remove_file(self.logs.join("demo.pids"));
    }
}

fn end_now(processes: Vec<Process>) {
    for mut process in processes {
        // One that has ended already needs neither.
        let _ = process.child.kill();
        let _ = process.child.wait();
    }
}

fn log_file(logs: &Path, role: &str) -> PathBuf {
    logs.join(format!("ballast-{role}.log"))
}

fn last_lines(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
