//! A Python client with confluent-kafka and fastavro opens a portfolio, publishes a fill with the
//! example of `schemas/`, and reads what the service made of it.
//!
//! It makes a virtual environment below `.local/cache` once. Without Python it fails and says what to install.

use domain::Topic;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;
use system_tests::binary::root;
use system_tests::service::Service;
use system_tests::stack::Stack;
use system_tests::waiting::until;

/// The environment's interpreter.
struct Python(PathBuf);

impl Python {
    fn with_libraries() -> Self {
        let cache = std::env::var_os("BALLAST_CACHE_DIR").map_or_else(|| root().join(".local/cache"), PathBuf::from);
        let folder = cache.join("python-client");
        let python = Self(folder.join("bin/python"));
        let wanted = root().join("tests/contracts/requirements.txt");
        let imports = "import confluent_kafka, fastavro";
        if python.0.exists() && python.command(&["-c", imports]).status().is_ok_and(|status| status.success()) {
            return python;
        }
        let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder).output();
        assert_done(made, "making a virtual environment; install Python 3.9 or newer with venv (Debian: apt install python3 python3-venv)");
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
        let installed = python.command(&install).arg(wanted).output();
        assert_done(installed, "installing confluent-kafka and fastavro; pip must reach a package index");
        python
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.0);
        // Nothing of the surroundings' Python, and no files beside the sources.
        command.env_remove("PYTHONPATH").env("PYTHONDONTWRITEBYTECODE", "1").args(arguments);
        command
    }

    fn client(&self, arguments: &[&str]) -> String {
        self.run("tests/contracts/client.py", arguments)
    }

    fn run(&self, script: &str, arguments: &[&str]) -> String {
        let script = root().join(script);
        assert_done(self.command(&[]).arg(&script).args(arguments).output(), &format!("{} {arguments:?}", script.display()))
    }

    fn read(&self, stack: &Stack, topic: Topic) -> Vec<Value> {
        let printed = self.client(&["read", stack.brokers(), topic.name()]);
        printed.lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect()
    }
}

fn assert_done(ran: std::io::Result<Output>, what: &str) -> String {
    match ran {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        Ok(output) => panic!("{what}: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        Err(error) => panic!("{what}: {error}"),
    }
}

fn decimal(value: &Value) -> domain::Quantity {
    value.as_str().unwrap_or_default().parse().unwrap_or_else(|_| panic!("{value} is no quantity"))
}

#[test]
fn a_python_client_with_nothing_but_the_schemas() {
    let python = Python::with_libraries();
    let stack = Stack::ready("python");
    let mut all = Service::start(&stack, &["all"], "1", &[]);
    all.await_lanes(12);
    python.client(&["open", stack.brokers(), "serpent"]);
    // 8,000 of 10,000 in the share; its target is half.
    python.run("schemas/examples/publish_fill.py", &[stack.brokers(), "serpent", "PYTH", "400", "20"]);
    python.client(&["adopt", stack.brokers(), "serpent"]);

    let waves =
        until("an order wave", Duration::from_secs(30), || Some(python.read(&stack, Topic::Orders)).filter(|waves| !waves.is_empty()));
    let order = &waves[0]["value"]["orders"][0];
    assert_eq!((order["side"].as_str(), order["instrument_id"].as_str()), (Some("SELL"), Some("PYTH")), "{order}");
    // Equity 9,998.75 after the commission; half of it is 249.97 shares; 150.03 too many.
    assert_eq!(decimal(&order["quantity"]), "150".parse().expect("a quantity"), "{order}");
    assert_eq!(waves[0]["key"], "serpent");
    assert_eq!(waves[0]["headers"]["ce_type"], Topic::Orders.name());

    let snapshot = until("a snapshot with the fill of our order", Duration::from_secs(30), || {
        python.client(&["prices", stack.brokers()]);
        let snapshots = python.read(&stack, Topic::Snapshots);
        snapshots
            .into_iter()
            .find(|snapshot| decimal(&snapshot["value"]["allocations"][0]["quantity"]) == "250".parse().expect("a quantity"))
    });
    let value = &snapshot["value"];
    assert_eq!(decimal(&value["cash_value"]), "4998.75".parse().expect("10,000 − 8,000 − 1.25 + 3,000"), "{value}");
    assert_eq!(decimal(&value["total_value"]), "9998.75".parse().expect("an amount"), "{value}");
    assert_eq!(decimal(&value["metrics"]["fees"]), "1.25".parse().expect("an amount"), "{value}");
    for topic in [Topic::Ledger, Topic::Drift, Topic::RebalanceEvents, Topic::Fills, Topic::OrderStatus] {
        assert!(!python.read(&stack, topic).is_empty(), "{topic} can be read with its schema alone");
    }
}
