//! The mistakes that are planted as patches still fit the sources that they change: one that fits no more is found by
//! nobody until somebody plants it. Whether the simulator finds them is for `make planted` to show.

use crate::tree::{root, sources};

/// What is wrong with a patch, by the text of a file of the sources.
fn misfits(patch: &str, text_of: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let (mut wrong, mut text, mut file, mut count) = (Vec::new(), None, "", 0);
    for part in patch.split("\n--- a/").skip(1) {
        file = part.lines().next().unwrap_or_default();
        text = text_of(file);
        for hunk in part.split("\n@@ ").skip(1) {
            count += 1;
            // After the numbers: what stands there now, a line each.
            let lines = hunk.lines().skip(1).filter(|line| line.starts_with([' ', '-']));
            let stands: String = lines.map(|line| format!("{}\n", &line[1..])).collect();
            if text.as_deref().is_none_or(|text| text.matches(&stands).count() != 1) {
                wrong.push(format!("{file}: this does not stand there once:\n{stands}"));
            }
        }
    }
    if count == 0 || text.is_none() {
        wrong.push(format!("a patch without a change, or of a file that is not there: {file:?}"));
    }
    wrong
}

#[test]
fn every_patch_fits() {
    let patches: Vec<_> = sources(".patch").into_iter().filter(|patch| patch.path.starts_with("tests/simulation/planted/")).collect();
    assert!(patches.len() >= 10, "only {} patches were found", patches.len());
    for patch in patches {
        let wrong = misfits(&patch.text, |file| std::fs::read_to_string(root().join(file)).ok());
        assert!(wrong.is_empty(), "{}: {wrong:#?}", patch.path);
    }
}

#[test]
fn a_patch_that_does_not_fit_is_noticed() {
    let patch = "What it does.\n\n--- a/x.rs\n+++ b/x.rs\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n";
    let told = |text: &str| misfits(patch, |file| (file == "x.rs").then(|| text.to_owned()));
    assert_eq!(told("zero\none\ntwo\nthree\nfour\n"), Vec::<String>::new());
    assert_eq!(told("one\nthree\n").len(), 1, "its line is gone");
    assert_eq!(told("one\ntwo\nthree\none\ntwo\nthree\n").len(), 1, "it fits twice");
    assert_eq!(misfits(patch, |_| None).len(), 2, "its file is gone");
    assert_eq!(misfits("nothing", |_| None).len(), 1);
}
