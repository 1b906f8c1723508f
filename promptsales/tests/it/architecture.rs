//! The arrows of `docs/ARCHITECTURE.md`, held against what cargo knows; and the shape of files.
//!
//! Arrows between our crates come from `cargo metadata --no-deps`, which needs no network. What
//! third-party crates reach comes from `Cargo.lock`, which knows no features and so sees too much
//! rather than too little.

mod compose;
mod graph;
mod image;
mod workspace;

use std::{
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::DependencyKind;

use graph::Graph;
use workspace::Workspace;

/// What runs as a deployment of its own.
const SERVICES: [&str; 4] = ["content-api", "embedder", "mcp-gateway", "sales-warehouse"];
/// The one binary that may hold several of them, and what measures it.
const WHOLE: [&str; 2] = ["promptsales", "promptsales-bench"];
/// What measures the warehouse alone.
const WAREHOUSE_BENCH: &str = "warehouse-bench";
/// Longest source file, in lines. The house rule says to think about a split at 400.
const LONGEST_FILE: usize = 450;
/// `local-runtime` is tested with the server that it makes for everybody's tests.
const CIRCLE_OF_TESTS: [&str; 2] = ["local-runtime", "test-support"];

#[test]
fn services_never_reach_one_another() {
    let workspace = Workspace::read();
    let arrows = workspace.arrows(&[DependencyKind::Normal, DependencyKind::Build]);
    for service in SERVICES {
        let reached = arrows.reached_from(service);
        for other in SERVICES.iter().filter(|other| **other != service) {
            assert!(!reached.contains(*other), "{service} reaches {other}");
        }
    }
    for member in workspace.members() {
        let reached = arrows.reached_from(member);
        let services = SERVICES
            .iter()
            .filter(|service| reached.contains(**service));
        let allowed = WHOLE.contains(&member) || SERVICES.contains(&member);
        let measured = usize::from(member == WAREHOUSE_BENCH);
        assert!(
            allowed || services.count() == measured,
            "{member} reaches a service"
        );
    }
}

#[test]
fn shared_crates_know_no_service_and_not_the_catalogue_even_in_tests() {
    let workspace = Workspace::read();
    let arrows = workspace.arrows(&workspace::ALL_KINDS);
    let shared = workspace.members_below("crates");
    assert!(shared.len() >= 6, "{shared:?}");
    for member in shared {
        let reached = arrows.reached_from(member);
        for above in SERVICES.iter().chain(&WHOLE).chain(&["images"]) {
            assert!(!reached.contains(*above), "{member} reaches {above}");
        }
    }
}

#[test]
fn wire_types_stand_on_nothing_and_the_catalogue_on_them_alone() {
    let workspace = Workspace::read();
    let arrows = workspace.arrows(&workspace::ALL_KINDS);
    assert_eq!(arrows.from("contracts"), [""; 0]);
    assert_eq!(arrows.from("images"), ["contracts"]);
}

#[test]
fn questions_know_no_database_and_only_the_warehouse_and_the_whole_know_them() {
    let workspace = Workspace::read();
    let arrows = workspace.arrows(&workspace::ALL_KINDS);
    assert_eq!(arrows.from("sales-questions"), ["contracts"]);
    for member in workspace.members() {
        let allowed = member == "sales-warehouse" || WHOLE.contains(&member);
        let knows = arrows.from(member).contains(&"sales-questions");
        assert!(!knows || allowed, "{member} knows sales-questions");
    }
    let everything = arrows.and(&workspace.third_party(&[DependencyKind::Normal]));
    let reached = everything.reached_from("sales-questions");
    for database in ["sqlx", "tokio", "axum", "reqwest"] {
        assert!(!reached.contains(database), "{database}");
    }
}

#[test]
fn models_stay_in_the_embedder() {
    let workspace = Workspace::read();
    let ours = workspace.arrows(&[DependencyKind::Normal, DependencyKind::Build]);
    let everything =
        ours.and(&workspace.third_party(&[DependencyKind::Normal, DependencyKind::Build]));
    for member in workspace.members() {
        let reached = everything.reached_from(member);
        let allowed = member == "embedder" || WHOLE.contains(&member);
        for model in ["ort", "ort-sys", "fastembed"] {
            assert_eq!(reached.contains(model), allowed, "{member} and {model}");
        }
    }
}

#[test]
fn qdrant_edge_comes_with_a_feature_that_only_the_one_binary_asks_for() {
    let workspace = Workspace::read();
    let embedder = workspace.package("embedder");
    for package in workspace.packages() {
        for dependency in &package.dependencies {
            let allowed = package.name == "embedder" && dependency.optional;
            assert!(
                dependency.name != "qdrant-edge" || allowed,
                "{}",
                package.name
            );
            let asked = dependency.features.iter().any(|feature| feature == "edge");
            assert!(dependency.name != "embedder" || !asked, "{}", package.name);
        }
        for (feature, implied) in &package.features {
            let asks = implied.iter().any(|part| part.starts_with("embedder/edge"));
            let allowed = package.name == "promptsales" && feature == "edge";
            assert!(!asks || allowed, "{} {feature}", package.name);
        }
    }
    assert_eq!(embedder.features["edge"], ["dep:qdrant-edge"]);
    let by_default = embedder.features.get("default");
    assert!(by_default.is_none_or(|on| on.is_empty()), "{by_default:?}");
    assert_eq!(
        workspace.package("promptsales").features["default"],
        ["edge"]
    );
}

#[test]
fn arrows_form_no_circle() {
    let workspace = Workspace::read();
    let circles = |kinds| workspace.arrows(kinds).circles();
    let none: [Vec<String>; 0] = [];
    assert_eq!(
        circles(&[DependencyKind::Normal, DependencyKind::Build]),
        none
    );
    assert_eq!(circles(&workspace::ALL_KINDS), [CIRCLE_OF_TESTS]);
}

#[test]
fn files_are_short_and_modules_have_names() {
    let workspace = Workspace::read();
    let mut seen = 0;
    for file in workspace
        .members()
        .flat_map(|member| sources(workspace.folder(member)))
    {
        seen += 1;
        assert_ne!(file.file_name().unwrap(), "mod.rs", "{}", file.display());
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= LONGEST_FILE, "{}: {lines} lines", file.display());
    }
    assert!(seen > 150, "only {seen} files");
}

/// Every `.rs` file below a folder, but for what is built or hidden.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            if name != "target" && !name.as_encoded_bytes().starts_with(b".") {
                found.extend(sources(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_graph_sees_far_and_round() {
    let graph = Graph::of([("a", "b"), ("b", "c"), ("c", "b"), ("d", "a"), ("e", "e")]);
    assert_eq!(graph.from("b"), ["c"]);
    let reached = graph.reached_from("d").into_iter().collect::<Vec<_>>();
    assert_eq!(reached, ["a", "b", "c"]);
    assert_eq!(graph.circles(), [vec!["b", "c"], vec!["e"]]);
}
