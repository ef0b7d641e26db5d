//! The root shows eight names and no ninth; everything else there is hidden.

use std::collections::BTreeSet;

const VISIBLE: [&str; 8] = ["Cargo.lock", "Cargo.toml", "Makefile", "README.md", "deploy", "schemas", "services", "tests"];

/// Names that should not stand at the root, and names that should and do not.
fn strangers(tracked: &[String]) -> Vec<String> {
    let names: BTreeSet<&str> = tracked.iter().filter_map(|path| path.split('/').next()).filter(|name| !name.starts_with('.')).collect();
    let wanted = BTreeSet::from(VISIBLE);
    names.symmetric_difference(&wanted).map(|name| (*name).to_owned()).collect()
}

#[test]
fn the_root_has_its_eight_names() {
    assert_eq!(strangers(&super::tree::tracked()), Vec::<String>::new());
}

#[test]
fn a_ninth_name_and_a_missing_one_are_noticed() {
    let mut tracked: Vec<String> = VISIBLE.iter().map(|name| format!("{name}/x")).collect();
    tracked.push(".ci/run".into());
    assert!(strangers(&tracked).is_empty());
    tracked.push("scripts/go.sh".into());
    assert_eq!(strangers(&tracked), ["scripts"]);
    tracked.retain(|path| !path.starts_with("schemas"));
    assert_eq!(strangers(&tracked), ["schemas", "scripts"]);
}
