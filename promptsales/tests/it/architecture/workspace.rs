//! This workspace, as cargo and `Cargo.lock` describe it.

use std::{collections::BTreeSet, fs, path::Path};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use super::graph::Graph;

pub const ALL_KINDS: [DependencyKind; 3] = [
    DependencyKind::Normal,
    DependencyKind::Build,
    DependencyKind::Development,
];

pub struct Workspace(Metadata);

impl Workspace {
    pub fn read() -> Self {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let metadata = MetadataCommand::new()
            .manifest_path(manifest)
            .no_deps()
            .exec()
            .unwrap();
        Self(metadata)
    }

    /// Where the workspace's own manifest is.
    pub fn root(&self) -> &Path {
        self.0.workspace_root.as_std_path()
    }

    pub fn packages(&self) -> impl Iterator<Item = &Package> {
        self.0.packages.iter()
    }

    pub fn package(&self, name: &str) -> &Package {
        self.packages()
            .find(|package| package.name == name)
            .unwrap()
    }

    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.packages().map(|package| package.name.as_str())
    }

    /// Where a member's manifest is.
    pub fn folder(&self, member: &str) -> &Path {
        self.package(member)
            .manifest_path
            .parent()
            .unwrap()
            .as_std_path()
    }

    /// The members in a folder of the workspace.
    pub fn members_below(&self, folder: &str) -> Vec<&str> {
        let folder = self.0.workspace_root.join(folder);
        let below = |member: &&str| self.folder(member).starts_with(&folder);
        self.members().filter(below).collect()
    }

    /// The arrows between members, optional ones included.
    pub fn arrows(&self, kinds: &[DependencyKind]) -> Graph {
        let members: BTreeSet<_> = self.members().collect();
        Graph::of(self.declared(kinds).filter(|(_, to)| members.contains(to)))
    }

    /// The arrows from members to third-party crates and between these.
    pub fn third_party(&self, kinds: &[DependencyKind]) -> Graph {
        let members: BTreeSet<_> = self.members().collect();
        let from_ours = self.declared(kinds).filter(|(_, to)| !members.contains(to));
        let lock = fs::read_to_string(self.0.workspace_root.join("Cargo.lock")).unwrap();
        let lock: toml::Table = lock.parse().unwrap();
        let mut graph = Graph::of(from_ours);
        for package in lock["package"].as_array().unwrap() {
            let name = package["name"].as_str().unwrap();
            // The lock file does not say which of our own arrows are for tests only.
            if !members.contains(name) {
                graph = graph.and(&Graph::of(locked(package).map(|to| (name, to))));
            }
        }
        graph
    }

    fn declared<'a>(
        &'a self,
        kinds: &'a [DependencyKind],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.packages().flat_map(move |package| {
            let dependencies = package.dependencies.iter();
            let of_kind = dependencies.filter(|dependency| kinds.contains(&dependency.kind));
            of_kind.map(|dependency| (package.name.as_str(), dependency.name.as_str()))
        })
    }
}

/// A locked package's dependencies; where there are several versions the name is followed by one.
fn locked(package: &toml::Value) -> impl Iterator<Item = &str> {
    let all = package.get("dependencies").and_then(toml::Value::as_array);
    let texts = all.into_iter().flatten().filter_map(toml::Value::as_str);
    texts.filter_map(|text| text.split(' ').next())
}
