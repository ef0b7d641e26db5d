//! The peers of the benches, their load and their verifier: a workspace of their own that builds on nothing of the service,
//! or the verifier would agree with the service's mistakes and the peers would run on its code.

use super::tree::{Source, crates, sources};

const ROOM: &str = "tests/benches/peers/";

/// Manifests of the room that reach out of it, or name a crate of ours.
fn shared(manifests: &[Source], ours: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for manifest in manifests.iter().filter(|manifest| manifest.path.starts_with(ROOM)) {
        for line in manifest.text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            if line.contains("path =") || line.contains("git =") || ours.iter().any(|crate_name| crate_name == name) {
                found.push(format!("{}: {line}", manifest.path));
            }
        }
    }
    found
}

#[test]
fn the_peers_share_no_code_with_the_service() {
    let manifests = sources("Cargo.toml");
    assert!(manifests.iter().filter(|manifest| manifest.path.starts_with(ROOM)).count() >= 3, "the room of the peers was not found");
    let ours: Vec<String> = crates().into_iter().map(|one| one.name).collect();
    assert_eq!(shared(&manifests, &ours), Vec::<String>::new());
}

#[test]
fn a_shared_crate_is_noticed() {
    let manifest = |text: &str| vec![Source { path: format!("{ROOM}load/Cargo.toml"), text: text.into() }];
    let ours = ["domain".to_owned()];
    assert_eq!(shared(&manifest("anyhow = \"1.0\"\n# domain = \"1\"\n"), &ours), Vec::<String>::new());
    assert_eq!(shared(&manifest("domain = \"1\"\n"), &ours).len(), 1);
    assert_eq!(shared(&manifest("model = { path = \"../../../../services/core/domain\" }\n"), &ours).len(), 1);
}
