//! `compose.yaml` names settings that exist: no one here can run it, so at least its names are held.

use std::{collections::BTreeSet, fs, path::Path};

/// The service's folder, and how the names of its settings begin.
const SERVICES: [(&str, &str); 4] = [
    ("content-api", "CONTENT_API_"),
    ("embedder", "EMBEDDER_"),
    ("mcp-gateway", "MCP_GATEWAY_"),
    ("sales-warehouse", "SALES_WAREHOUSE_"),
];

#[test]
fn compose_names_settings_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let compose = fs::read_to_string(root.join("compose.yaml")).unwrap();
    for (service, prefix) in SERVICES {
        let documented = root.join(service).join(format!("{service}.toml"));
        let known = names(&fs::read_to_string(documented).unwrap(), prefix);
        let set: Vec<_> = compose
            .lines()
            .filter_map(|line| line.trim_start().split_once(": "))
            .map(|(name, _)| name)
            .filter(|name| name.starts_with(prefix))
            .collect();
        assert!(set.len() >= 3, "{service}: {set:?}");
        for name in set {
            assert!(known.contains(name), "{service} has no setting {name}");
        }
    }
}

/// The names of the environment in a documented configuration.
fn names(text: &str, prefix: &str) -> BTreeSet<String> {
    let letter = |one: char| !(one.is_ascii_alphanumeric() || one == '_');
    text.split(letter)
        .filter(|word| word.starts_with(prefix))
        .map(str::to_owned)
        .collect()
}
