//! Kafka and Postgres for one test, on free ports, gone when the test ends.

use crate::binary::{ballast, root};
use crate::proxy::Proxy;
use crate::turn::Turn;
use crate::volume::Volume;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Lines of each log that a failed test shows.
const SHOWN: usize = 25;

/// Servers of one test.
pub struct Stack {
    folder: PathBuf,
    env: BTreeMap<String, String>,
    config: Option<PathBuf>,
    through: Option<String>,
    volumes: Option<Volumes>,
    _turn: Turn,
}

/// File systems of their own for the servers' data.
pub struct Volumes {
    /// The broker's.
    pub broker: Volume,
    /// Postgres'.
    pub postgres: Volume,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Exit status; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Stack {
    /// Servers with every topic and table.
    ///
    /// # Panics
    /// When they do not come up.
    pub fn ready(test: &str) -> Self {
        let stack = Self::bare(test);
        stack.furnish();
        stack
    }

    fn furnish(&self) {
        for arguments in [["topics", "create"].as_slice(), &["migrate"]] {
            let ended = self.ballast(arguments);
            assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        }
    }

    /// Servers without topics and tables.
    ///
    /// # Panics
    /// When they do not come up.
    pub fn bare(test: &str) -> Self {
        Self::up(test, &[])
    }

    /// Servers with every topic and table, and a second broker, so that half of the partitions can go without a leader.
    ///
    /// # Panics
    /// When they do not come up.
    pub fn of_two_brokers(test: &str) -> Self {
        let stack = Self::up(test, &["--second-broker"]);
        stack.furnish();
        stack
    }

    /// Servers that speak TLS and ask for passwords, with every topic and table. `write` puts into a folder what
    /// `up --secure` takes, and a configuration for clients, `ballast.toml`.
    ///
    /// # Panics
    /// When they do not come up.
    pub fn secured(test: &str, write: impl FnOnce(&Path)) -> Self {
        let folder = Self::folder(test).join("secure");
        std::fs::create_dir_all(&folder).expect("the checkout can be written to");
        write(&folder);
        let mut stack = Self::up(test, &["--secure", &folder.to_string_lossy()]);
        stack.config = Some(folder.join("ballast.toml"));
        stack.furnish();
        stack
    }

    /// Servers with every topic and table, the broker as fast as it can be, and no test beside them.
    ///
    /// # Panics
    /// When they do not come up.
    pub fn quick(bench: &str) -> Self {
        let stack = Self::up_in(Turn::alone(), bench, &["--bench"]);
        stack.furnish();
        stack
    }

    /// Servers with every topic and table, each with its data on a file system of its own where this account may mount,
    /// and a broker that the service reaches through a proxy: where it is to listen, and for what address.
    ///
    /// # Panics
    /// When they do not come up.
    pub fn proxied(test: &str) -> (Self, Proxy) {
        let folder = Self::folder(test);
        let mounted = |name: &str| Volume::mounted(&folder.join("volumes").join(name), &folder.join(name));
        let volumes = mounted("kafka").and_then(|broker| Ok(Volumes { broker, postgres: mounted("postgres")? }));
        let volumes = volumes.map_err(|why| println!("the disks of the servers are not filled, since none can be mounted: {why}"));
        let mut stack = Self::up(test, &["--proxied-port"]);
        stack.volumes = volumes.ok();
        stack.furnish();
        let address = stack.env["STACK_KAFKA_PROXIED"].clone();
        let proxy = Proxy::open(&address, &stack.env["STACK_KAFKA_UPSTREAM"]);
        stack.through = Some(address);
        (stack, proxy)
    }

    fn folder(test: &str) -> PathBuf {
        root().join(".local").join(format!("test-{test}-{}", std::process::id()))
    }

    fn up(test: &str, options: &[&str]) -> Self {
        Self::up_in(Turn::take(), test, options)
    }

    fn up_in(turn: Turn, test: &str, options: &[&str]) -> Self {
        let mut stack = Self { folder: Self::folder(test), env: BTreeMap::new(), config: None, through: None, volumes: None, _turn: turn };
        stack.control(&[&["up"], options].concat());
        std::fs::create_dir_all(stack.logs()).expect("the checkout can be written to");
        let text = stack.control(&["env"]);
        stack.env = text.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        stack
    }

    /// `host:port` of the broker.
    pub fn brokers(&self) -> &str {
        &self.env["BALLAST_KAFKA_BROKERS"]
    }
    /// `host:port` of the broker as the service's processes are told it.
    pub(crate) fn brokers_of_the_service(&self) -> &str {
        self.through.as_deref().unwrap_or_else(|| self.brokers())
    }
    /// `host:port` of a secured broker's own listener, which speaks no TLS.
    pub fn plain_brokers(&self) -> &str {
        &self.env["STACK_KAFKA_PLAIN"]
    }
    /// The folder of secured servers.
    pub fn secure_folder(&self) -> PathBuf {
        self.folder.join("secure")
    }
    /// File systems that can be filled, where there are such.
    pub fn volumes(&self) -> Option<&Volumes> {
        self.volumes.as_ref()
    }
    /// The broker's process.
    ///
    /// # Panics
    /// When it does not run.
    pub fn broker_pid(&self) -> u32 {
        self.env["STACK_KAFKA_PID"].parse().expect("the broker runs")
    }
    /// URL of the database.
    pub fn postgres(&self) -> &str {
        &self.env["BALLAST_POSTGRES_URL"]
    }
    /// Where the service's processes write their logs.
    pub fn logs(&self) -> PathBuf {
        self.folder.join("service")
    }

    /// Runs a command of `deploy/local/stack` on these servers; gives what it printed.
    ///
    /// # Panics
    /// When the command fails.
    pub fn control(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(root().join("deploy/local/stack"));
        let (verb, rest) = arguments.split_first().expect("a command has a name");
        let ended = ended(command.arg(verb).arg("--dir").arg(&self.folder).args(rest).stdin(Stdio::null()).output());
        assert_eq!(ended.code, Some(0), "stack {arguments:?}: {}{}", ended.out, ended.err);
        ended.out
    }

    /// The executable, told where these servers are and nothing else of the surroundings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(ballast());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("BALLAST_") {
                command.env_remove(name);
            }
        }
        command.env("BALLAST_KAFKA_BROKERS", self.brokers()).env("BALLAST_POSTGRES_URL", self.postgres());
        if let Some(config) = &self.config {
            command.env("BALLAST_CONFIG", config);
        }
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs the executable to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn ballast(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments).output())
    }

    /// Publishes JSON lines.
    ///
    /// # Panics
    /// When a line is refused or cannot be sent.
    pub fn publish(&self, lines: &str) {
        let mut child = self
            .command(&["publish"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the executable can be run");
        child.stdin.take().expect("piped").write_all(lines.as_bytes()).expect("publish reads its input");
        let ended = ended(child.wait_with_output());
        assert_eq!(ended.code, Some(0), "publish: {ended:?}");
    }

    /// A name that no other call gives, for log files.
    pub(crate) fn unique(what: &str) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        format!("{what}-{:03}", NEXT.fetch_add(1, Ordering::Relaxed))
    }

    fn ends_of_logs(&self) -> String {
        let mut text = String::new();
        for folder in [self.logs(), self.folder.join("logs")] {
            for path in files_of(&folder) {
                let content = std::fs::read(&path).unwrap_or_default();
                let content = String::from_utf8_lossy(&content);
                let lines: Vec<_> = content.lines().collect();
                let end = &lines[lines.len().saturating_sub(SHOWN)..];
                let _ = writeln!(text, "--- {}\n{}", path.display(), end.join("\n"));
            }
        }
        text
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let failed = std::thread::panicking();
        if failed {
            eprintln!("{}the logs stay in {}", self.ends_of_logs(), self.folder.display());
        }
        let mut down = Command::new(root().join("deploy/local/stack"));
        down.arg("down").arg("--dir").arg(&self.folder);
        if !failed {
            down.arg("--delete");
        }
        match down.status() {
            Ok(status) if status.success() => {}
            other => eprintln!("the servers of {} may still run: {other:?}", self.folder.display()),
        }
        self.volumes = None;
        if !failed {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

fn ended(output: std::io::Result<Output>) -> Ended {
    let output = output.expect("the command can be run");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}
