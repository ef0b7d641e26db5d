//! What stands in the way of a start is said, with what to do, and the exit status is not zero.

use domain::Topic;
use kafka_log::{TopicName, Topics};
use std::time::{Duration, Instant};
use system_tests::service::Service;
use system_tests::stack::{Ended, Stack};
use system_tests::topic::{kafka, records};
use system_tests::waiting::until;

/// The command fails soon, with status 1, and its message holds these words.
fn says(ended: &Ended, words: &[&str]) {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for word in words {
        assert!(ended.err.contains(word), "{word:?} is not in {:?}", ended.err);
    }
}

fn run(stack: &Stack, settings: &[&str]) -> Ended {
    let mut arguments = vec!["run", "position-keeper"];
    settings.iter().for_each(|setting| arguments.extend(["--set", setting]));
    let started = Instant::now();
    let ended = stack.ballast(&arguments);
    assert!(started.elapsed() < Duration::from_secs(60), "it said so only after {:?}", started.elapsed());
    ended
}

#[test]
fn start_up_errors_say_what_to_do() {
    let stack = Stack::bare("start-up");
    says(&run(&stack, &["kafka.brokers=127.0.0.1:1"]), &["127.0.0.1:1", "broker"]);
    says(&run(&stack, &[]), &["topics", "ballast topics create"]);
    assert_eq!(stack.ballast(&["topics", "check"]).code, Some(1), "topics are missing");

    assert_eq!(stack.ballast(&["topics", "create"]).code, Some(0));
    says(&run(&stack, &["lanes=6"]), &["partitions", "6", "lanes"]);
    says(&run(&stack, &[]), &["ballast migrate"]);

    assert_eq!(stack.ballast(&["migrate"]).code, Some(0));
    assert_eq!(stack.ballast(&["topics", "check"]).code, Some(0));
    let unknown = stack.ballast(&["run", "position-keeper", "--set", "kafka.broker=localhost"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.err.contains("broker"), "{unknown:?}");
}

#[test]
fn without_postgres_lanes_wait_and_say_so() {
    let stack = Stack::ready("start-up-postgres");
    stack.control(&["stop-postgres"]);
    let ended = stack.ballast(&["migrate"]);
    says(&ended, &["Postgres"]);
    let mut waiting = Service::start(&stack, &["position-keeper"], "1", &[]);
    until("it says that it waits for Postgres", Duration::from_secs(30), || {
        waiting.assert_runs();
        waiting.lines().iter().any(|line| line["level"] == "WARN" && line.to_string().contains("Postgres")).then_some(())
    });
    assert!(waiting.recovered().is_empty(), "a lane must not run without its checkpoints");
    stack.control(&["restart-postgres"]);
    waiting.await_lanes(4);
}

/// A topic made anew, with nothing in it.
fn make_anew(stack: &Stack, topic: Topic) {
    let name = TopicName::from(topic.name());
    Topics::open(&kafka(stack)).expect("settings").delete(std::slice::from_ref(&name)).expect("the topic can be deleted");
    until("the topic is there again", Duration::from_secs(30), || {
        let made = stack.ballast(&["topics", "create"]);
        (made.code == Some(0)).then_some(())
    });
}

#[test]
fn progress_that_was_lost_under_a_kept_checkpoint_halts_its_lane() {
    let stack = Stack::ready("start-up-progress");
    let settings = &["pacing.checkpoint_ms=500"];
    let mut keeper = Service::start(&stack, &["position-keeper"], "1", settings);
    keeper.await_lanes(4);
    stack.publish(r#"{"topic":"portfolio.policies.v1","value":{"portfolio_id":"growth","policy_version":1,"base_currency":"USD"}}"#);
    until("the policy is read in a step", Duration::from_secs(60), || {
        keeper.assert_runs();
        records(&stack, Topic::PositionKeeperProgress.name()).first().map(|_| ())
    });
    // In order: its checkpoint holds every step.
    assert!(keeper.terminate().0.success());
    make_anew(&stack, Topic::PositionKeeperProgress);
    keeper.restart(&stack);
    let halted = until("the lane says why it is halted", Duration::from_secs(60), || {
        keeper.assert_runs();
        let halted = keeper.lines_saying("the lane is halted");
        halted.first().map(ToString::to_string)
    });
    for word in ["LOST_PROGRESS", "the checkpoint stands at step", "restore it, or delete the checkpoint and start with --genesis"] {
        assert!(halted.contains(word), "{word:?} is not in {halted}");
    }
    assert!(records(&stack, Topic::PositionKeeperProgress.name()).is_empty(), "it has published nothing");
}

#[test]
fn an_input_that_was_made_anew_and_filled_past_where_a_lane_stood_halts_it() {
    let stack = Stack::ready("start-up-anew");
    let mut keeper = Service::start(&stack, &["position-keeper"], "1", &[]);
    keeper.await_lanes(4);
    let policy = |version: u32| {
        let value = format!(r#"{{"portfolio_id":"growth","policy_version":{version},"base_currency":"USD"}}"#);
        stack.publish(&format!(r#"{{"topic":"portfolio.policies.v1","value":{value}}}"#));
    };
    policy(1);
    until("the policy is read in a step", Duration::from_secs(60), || {
        keeper.assert_runs();
        records(&stack, Topic::PositionKeeperProgress.name()).first().map(|_| ())
    });
    assert!(keeper.terminate().0.success());
    make_anew(&stack, Topic::Policies);
    // Longer than brokers' clocks may differ.
    std::thread::sleep(Duration::from_secs(6));
    (2..5).for_each(policy);
    keeper.restart(&stack);
    let halted = until("the lane says why it is halted", Duration::from_secs(60), || {
        keeper.assert_runs();
        let halted = keeper.lines_saying("the lane is halted");
        halted.first().map(ToString::to_string)
    });
    for word in ["MADE_ANEW", "portfolio.policies.v1", "offset 1", "--genesis"] {
        assert!(halted.contains(word), "{word:?} is not in {halted}");
    }
    assert!(records(&stack, Topic::Snapshots.name()).len() <= 1, "nothing of the new log was followed");
}
