//! A secured Kafka (SASL_SSL, SCRAM, client certificates) and a secured Postgres (TLS, a password): served like any
//! other, and every wrong way to them says what to change. No secret is ever printed.

use crate::e2e::certificates::{PASSWORD, WRONG_PASSWORD, write};
use crate::e2e::smoke::{fill, lines, opening, policy, tick};
use domain::Topic;
use serde_json::Value;
use std::time::Duration;
use system_tests::service::Service;
use system_tests::stack::{Ended, Stack};
use system_tests::waiting::until;

#[test]
fn secured_servers_are_served_and_wrong_ways_to_them_say_what_to_change() {
    let stack = Stack::secured("secure", write);
    serve(&stack);
    std::thread::scope(|scope| {
        for way in wrong_ways(&stack) {
            let stack = &stack;
            scope.spawn(move || way.assert_told(stack));
        }
    });
    assert_no_secret("the service's logs", &logs(&stack));
}

/// Booked, published, kept, and taken up again after a SIGKILL.
fn serve(stack: &Stack) {
    let mut all = Service::start(stack, &["all"], "1", &["pacing.checkpoint_ms=500"]);
    all.await_lanes(12);
    stack.publish(&(opening() + &policy() + &fill()));
    await_snapshots(stack, &mut all, 1);
    until("a checkpoint and the projected position", Duration::from_secs(30), || {
        let kept = number(stack, "SELECT count(*) FROM checkpoint_lanes WHERE role = 'position-keeper' AND newest_step > 1");
        let projected = number(stack, "SELECT count(*) FROM positions WHERE instrument_id = 'ACME'");
        (kept > 0 && projected > 0).then_some(())
    });

    let before = lines(stack, Topic::Snapshots.name()).len();
    all.kill();
    all.restart(stack);
    all.await_lanes(12);
    stack.publish(&(tick("ACME", "101") + &tick("BETA", "51")));
    await_snapshots(stack, &mut all, before + 1);
    assert_eq!(all.errors(), Vec::<Value>::new());
    assert!(all.terminate().0.success());
    crate::e2e::crew::verify(stack);
}

fn await_snapshots(stack: &Stack, service: &mut Service, least: usize) {
    until("a snapshot with the position", Duration::from_secs(30), || {
        service.assert_runs();
        let snapshots = lines(stack, Topic::Snapshots.name());
        (snapshots.len() >= least && snapshots.iter().any(|line| line.to_string().contains("ACME"))).then_some(())
    });
}

/// What a query answers.
fn number(stack: &Stack, sql: &str) -> i64 {
    stack.control(&["sql", sql]).trim().parse().expect("a number")
}

/// A configuration with one thing wrong.
struct WrongWay {
    what: &'static str,
    command: &'static [&'static str],
    /// `section.key=value`
    settings: Vec<String>,
    /// Without the secured configuration.
    bare: bool,
    /// In what is said.
    words: &'static [&'static str],
}

impl WrongWay {
    fn assert_told(&self, stack: &Stack) {
        let mut arguments = self.command.to_vec();
        self.settings.iter().for_each(|setting| arguments.extend(["--set", setting]));
        let mut command = stack.command(&arguments);
        if self.bare {
            command.env_remove("BALLAST_CONFIG");
        }
        let output = command.output().expect("the executable can be run");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let ended = Ended { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) };
        println!("{}: {:?}\n{}", self.what, ended.code, ended.err);
        assert!(ended.code.is_some_and(|code| code == 1 || code == 2), "{}: {ended:?}", self.what);
        // The last line is the command's answer; above it stand the client's own words.
        let answer = ended.err.trim_end().lines().last().unwrap_or_default();
        for word in self.words {
            assert!(answer.contains(word), "{}: {word:?} is not in {answer:?}", self.what);
        }
        assert_no_secret(self.what, &(ended.out + &ended.err));
    }
}

fn wrong_ways(stack: &Stack) -> Vec<WrongWay> {
    let folder = stack.secure_folder();
    let file = |key: &str, name: &str| format!("{key}={}", folder.join(name).display());
    let (kafka, postgres): (&[&str], &[&str]) = (&["topics", "check"], &["migrate"]);
    let way = |what, command, settings, words| WrongWay { what, command, settings, bare: false, words };
    let elsewhere = |address: &str| address.replace("127.0.0.1", "localhost");
    vec![
        way("Kafka, wrong password", kafka, vec![file("kafka.security.password_file", "wrong-password")], &["user, password"]),
        way("Kafka, unknown authority", kafka, vec![file("kafka.security.ca_file", "stranger.pem")], &["ca_file"]),
        way(
            "Kafka, another host name",
            kafka,
            vec![format!("kafka.brokers={}", elsewhere(stack.brokers()))],
            &["name the host in kafka.brokers"],
        ),
        way("Kafka, TLS to a plaintext port", kafka, vec![format!("kafka.brokers={}", stack.plain_brokers())], &["does not speak TLS"]),
        WrongWay { bare: true, ..way("Kafka, plaintext to a TLS port", kafka, Vec::new(), &["kafka.security"]) },
        way(
            "Kafka, an expired certificate of ours",
            kafka,
            vec![file("kafka.security.cert_file", "expired.pem"), file("kafka.security.key_file", "expired.key")],
            &["cert_file"],
        ),
        way("Kafka, no such secret", kafka, vec![file("kafka.security.password_file", "absent")], &["password_file", "absent"]),
        way("Postgres, wrong password", postgres, vec![file("postgres.password_file", "wrong-password")], &["password"]),
        way("Postgres, unknown authority", postgres, vec![file("postgres.root_cert", "stranger.pem")], &["root_cert"]),
        way("Postgres, another host name", postgres, vec![format!("postgres.url={}", elsewhere(stack.postgres()))], &["host name"]),
        way("Postgres, without TLS", postgres, vec!["postgres.tls=disable".to_owned()], &["`tls`"]),
        way("Postgres, no such secret", postgres, vec![file("postgres.password_file", "absent")], &["password_file", "absent"]),
    ]
}

fn assert_no_secret(whose: &str, text: &str) {
    assert!(!text.contains(PASSWORD) && !text.contains(WRONG_PASSWORD), "{whose}: a secret is printed");
}

fn logs(stack: &Stack) -> String {
    let files = std::fs::read_dir(stack.logs()).expect("the folder of logs is there").flatten();
    files.map(|file| std::fs::read_to_string(file.path()).unwrap_or_default()).collect()
}
