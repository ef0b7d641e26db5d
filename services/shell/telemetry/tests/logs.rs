//! Log lines as another process sees them.

// A test may fail where it stands.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

use telemetry::{Identity, Settings, Telemetry};

const CHILD: &str = "TELEMETRY_TEST_LOG_SETTINGS";

/// Not a test of its own: what the tests below start.
#[tokio::test]
async fn child() {
    let Ok(text) = std::env::var(CHILD) else {
        return;
    };
    let settings: Settings = toml::from_str(&text).unwrap();
    let identity = Identity { role: "conflator".to_owned(), instance: "one".to_owned(), deployment: "demo".to_owned() };
    match Telemetry::start(&settings, &identity).await {
        Err(error) => eprintln!("{error}"),
        Ok(telemetry) => {
            tracing::info!(lane = 3, "hello");
            tracing::debug!("unheard");
            telemetry.shutdown().await;
        }
    }
}

fn run(settings: &str) -> Output {
    Command::new(std::env::current_exe().unwrap()).args(["--exact", "child", "--nocapture"]).env(CHILD, settings).output().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn off_a_terminal_each_line_is_json_on_standard_error() {
    let output = run("");
    let lines = errors(&output);
    let parsed: Vec<serde_json::Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect();
    let hello = parsed.iter().find(|l| l["message"] == "hello").unwrap();
    assert_eq!(hello["lane"], 3);
    assert_eq!(hello["level"], "INFO");
    assert!(parsed.iter().any(|l| l["address"].as_str().is_some_and(|a| !a.ends_with(":0"))));
    assert!(!lines.contains("unheard"));
}

#[test]
fn the_form_can_be_forced_and_the_level_set() {
    let lines = errors(&run("log_format = \"human\"\nlog_filter = \"debug\""));
    assert!(lines.contains("hello"), "{lines}");
    assert!(lines.contains("unheard"), "{lines}");
    assert!(!lines.starts_with('{'), "{lines}");
}

#[test]
fn wrong_settings_say_what_to_write() {
    let filter = errors(&run("log_filter = \"info,=,x=loud\""));
    assert!(filter.contains("`log_filter`"), "{filter}");
    let endpoint = errors(&run("otlp_endpoint = \"collector:4317\""));
    assert!(endpoint.contains("http://collector:4317"), "{endpoint}");
    let unknown = toml::from_str::<Settings>("log_level = \"info\"").unwrap_err();
    assert!(unknown.to_string().contains("unknown field"));
}
