//! The facts that the rules look at: crates with their dependencies, files with their text.
//! Only this file reads the disk.

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A crate of the workspace.
#[derive(Debug, Clone, Default)]
pub struct Crate {
    /// Name.
    pub name: String,
    /// Folder from the root, such as `services/core/domain`.
    pub folder: String,
    /// What it is built with; tests' own dependencies are apart.
    pub needs: Vec<String>,
    /// What only its tests and benches need.
    pub tests_need: Vec<String>,
}

/// A source file.
#[derive(Debug, Clone)]
pub struct Source {
    /// Path from the root.
    pub path: String,
    /// Text.
    pub text: String,
}

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests stand in the workspace").to_owned()
}

/// Every crate, as cargo sees it.
pub fn crates() -> Vec<Crate> {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().expect("cargo metadata runs");
    let at = metadata.workspace_root.clone();
    let named = |package: &cargo_metadata::Package, dev: bool| {
        let kind = |d: &&cargo_metadata::Dependency| (d.kind == DependencyKind::Development) == dev;
        package.dependencies.iter().filter(kind).map(|d| d.name.clone()).collect()
    };
    let one = |package: &cargo_metadata::Package| Crate {
        name: package.name.to_string(),
        folder: package.manifest_path.parent().and_then(|p| p.strip_prefix(&at).ok()).map_or(String::new(), |p| p.to_string()),
        needs: named(package, false),
        tests_need: named(package, true),
    };
    metadata.packages.iter().map(one).collect()
}

/// Every file that git tracks or would track, from the root.
pub fn tracked() -> Vec<String> {
    let listed = Command::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root()).output();
    let listed = listed.expect("git lists the files of the checkout");
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let text = String::from_utf8(listed.stdout).expect("paths are text");
    text.lines().filter(|path| root().join(path).is_file()).map(str::to_owned).collect()
}

/// Every tracked file whose path ends so, with its text.
pub fn sources(ending: &str) -> Vec<Source> {
    let read = |path: String| {
        let text = std::fs::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        Source { path, text }
    };
    tracked().into_iter().filter(|path| path.ends_with(ending)).map(read).collect()
}
