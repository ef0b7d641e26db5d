//! JSON lines through the whole core without a server: policies, commands, fills, prices and whatever else stands in
//! them. The core never stops, and the same bytes give the same output.

use ballast::replay::{Options, replay};

/// Runs bytes as lines, each as a step of its own and in groups.
pub fn check(bytes: &[u8]) {
    for window in [None, Some(60_000_000)] {
        let options = Options { window, ..Options::default() };
        let (first, second) = (output(bytes, &options), output(bytes, &options));
        assert!(first == second, "the same lines gave another output");
        for line in first.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            serde_json::from_slice::<serde::de::IgnoredAny>(line).expect("every line of the output is JSON");
        }
    }
}

fn output(bytes: &[u8], options: &Options) -> Vec<u8> {
    let mut out = Vec::new();
    replay(bytes, &mut out, options).expect("the core goes on");
    out
}
